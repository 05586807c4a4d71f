"""Orders in a database, through Ibis: opened to be read, never written to.

What is counted of the rows is worked out in the database, in one query, and only that leaves it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from retention_lib.data.databases.addresses import (
    KINDS,
    check_installed,
    filled,
    kind_of,
    said,
    secrets_of,
)
from retention_lib.data.databases.connections import open_connection
from retention_lib.data.databases.tables import batches, check_zones, is_query, table_of
from retention_lib.errors import DataError
from retention_lib.keys.secrets import masked
from retention_lib.params import Params


@dataclass(frozen=True)
class Database:
    """An opened table of a database.

    Parameters
    ----------
    con : ibis backend
    table : ibis Table
        As it is there.
    name : str
        Of the table and the kind of database, for people.
    kind : str
        As Ibis calls it.
    address : str
        As the client file writes it, without a secret.
    secrets : tuple of str
        What may be in no sentence.
    """

    con: Any
    table: ir.Table
    name: str
    kind: str
    address: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def first(self, table: ir.Table) -> dict[str, Any]:
        """Work the first row of a table out in the database.

        Raises
        ------
        DataError
            As `fetch`.
        """
        try:
            (row,) = batches(self.con, table.limit(1)).read_all().to_pylist()
        except Exception as error:
            raise self.failed(error) from None
        return row

    def fetch(self, table: ir.Table, con: Any, name: str) -> ir.Table:
        """Work a table out in the database, and keep it in the embedded engine.

        Parameters
        ----------
        table : ibis Table
        con : ibis DuckDB backend
        name : str
            Of the temporary table there.

        Raises
        ------
        DataError
            The database refuses the query or stops answering.
        """
        caught: list[Exception] = []
        try:
            con.con.register("fetched", _watched(batches(self.con, table), caught))
            con.raw_sql(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM fetched')
            con.con.unregister("fetched")
        except Exception as error:
            raise self.failed(caught[0] if caught else error) from None
        return con.table(name)

    def failed(self, error: Exception) -> DataError:
        """What the database says, as a sentence without a secret."""
        message = said(error, self.secrets)
        return DataError(f"source: {self.address}: {KINDS[self.kind].name} says: {message}")


def _watched(reader: pa.RecordBatchReader, caught: list[Exception]) -> pa.RecordBatchReader:
    """The same batches; what goes wrong is kept as it is, before the reading engine words it."""

    def rows() -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except Exception as error:
            caught.append(error)
            raise

    return pa.RecordBatchReader.from_batches(reader.schema, rows())


def open_database(params: Params, folder: Path) -> Database:
    """Open the table, view or query that a client file names.

    Parameters
    ----------
    params : Params
        `source` is an address, `table` a name or a query.
    folder : Path
        Where a relative path of a database file starts.

    Raises
    ------
    DataError
        A kind of database that isn't read or whose client isn't installed, a database that can't
        be reached, a table that isn't there, a query that it refuses.
    """
    assert isinstance(params.source, str)
    if params.table is None:
        raise DataError(
            "table: the key is missing; source is a database, so name its table, view or query"
        )
    address, url = masked(params.source), filled(params.source)
    kind = kind_of(url)
    check_installed(kind)
    secrets = secrets_of(url)
    try:
        con = open_connection(kind, url, params.timezone, folder)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"source: {address} can't be opened: {said(error, secrets)}; check the address, the "
            "variables in it, and that the database is up and lets you in"
        ) from None
    database = Database(
        con,
        table_of(con, kind, params.table, address),
        kind=kind,
        address=address,
        secrets=secrets,
        name=f"{'a query' if is_query(params.table) else params.table} ({KINDS[kind].name})",
    )
    check_zones(database.table, kind, params)
    return database
