"""What tests can ask of their own PostgreSQL server."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, urlencode

import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg import sql

_NO_TYPES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PostgresServer:
    """A running server with two users.

    Attributes
    ----------
    host, port
        Where it listens: 127.0.0.1 and a free port.
    user, password
        The superuser. The password has characters that an address must escape, and a part that is
        new every time, so that a test can look for it in what is printed.
    reader, reader_password
        A user as clients hand them out: may read every table, can't write, not even a temporary
        table.
    folder
        Its data, its socket and its log; gone when it stops.
    """

    host: str
    port: int
    user: str
    password: str
    reader: str
    reader_password: str
    folder: Path

    def url(
        self, database: str, *, reader: bool = False, variable: str | None = None, **query: str
    ) -> str:
        """The address of a database.

        Parameters
        ----------
        database
            Its name.
        reader
            The read-only user instead of the superuser.
        variable
            Name of an environment variable that stands for the password, as `${variable}`; None
            writes the password itself, percent-encoded.
        **query
            What follows the question mark.
        """
        user, password = self._login(reader)
        password = f"${{{variable}}}" if variable else quote(password, safe="")
        address = f"postgresql://{user}:{password}@{self.host}:{self.port}/{database}"
        return f"{address}?{urlencode(query)}" if query else address

    def connect(self, database: str = "postgres", *, reader: bool = False) -> psycopg.Connection:
        """Connect with psycopg, in autocommit mode; the caller closes it."""
        user, password = self._login(reader)
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=password,
            dbname=database,
            autocommit=True,
        )

    def execute(self, database: str, *statements: str) -> None:
        """Run statements as superuser: views, schemas, `ALTER DATABASE … SET timezone`."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create_database(self, name: str | None = None) -> str:
        """Create an empty database, under a new name where none is given; return its name."""
        name = name or f"db_{secrets.token_hex(4)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
            )
        return name

    def load(
        self,
        database: str,
        table: str,
        rows: pa.Table | pd.DataFrame,
        *,
        schema: str = "public",
        types: Mapping[str, str] = _NO_TYPES,
    ) -> None:
        """Create a table and fill it by COPY.

        Parameters
        ----------
        database, schema, table
            Where to; the schema is created where it is missing.
        rows
            The columns. A frame's index is left out; its decimals, dates and zones stay what they
            are.
        types
            Column to PostgreSQL type, where the type that follows from the column's Arrow type
            isn't wanted.
        """
        rows = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, None, False)
        where = sql.Identifier(schema, table)
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(
                sql.Identifier(field.name),
                sql.SQL(types.get(field.name) or postgres_type(field.type)),
            )
            for field in rows.schema
        )
        text = io.BytesIO()
        pyarrow.csv.write_csv(rows, text, pyarrow.csv.WriteOptions(include_header=False))
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(where, columns))
            with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(where)) as copy:
                copy.write(text.getbuffer())
            cursor.execute(sql.SQL("ANALYZE {}").format(where))

    def log(self) -> str:
        """What the server wrote so far, every statement it ran among it."""
        return (self.folder / "log").read_text(errors="replace")

    def _login(self, reader: bool) -> tuple[str, str]:
        return (self.reader, self.reader_password) if reader else (self.user, self.password)


def postgres_type(kind: pa.DataType) -> str:
    """The PostgreSQL type that holds every value of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return postgres_type(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_time(kind):
        return "time"
    for is_kind, name in (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_uint64, "numeric(20)"),
        (pa.types.is_integer, "bigint"),
        (pa.types.is_floating, "double precision"),
        (pa.types.is_date, "date"),
        (pa.types.is_string, "text"),
        (pa.types.is_large_string, "text"),
        (pa.types.is_string_view, "text"),
    ):
        if is_kind(kind):
            return name
    raise TypeError(f"No PostgreSQL type for {kind}: name one under types=")
