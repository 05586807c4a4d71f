"""Connections that only read, in the client's time zone."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import ibis

from retention_lib.data import local
from retention_lib.data.databases.addresses import KINDS
from retention_lib.errors import DataError


def open_connection(kind: str, url: str, timezone: str, folder: Path) -> Any:
    """Connect to a database.

    Parameters
    ----------
    kind : str
        As Ibis calls it.
    url : str
        With its secrets.
    timezone : str
        In which a moment becomes a local time.
    folder : Path
        Where a relative path of a database file starts.

    Raises
    ------
    DataError
        A database file that isn't there. What else a client raises is its own.
    """
    return _OPEN.get(kind, _open_any)(url, timezone, folder)


def _open_duckdb(url: str, timezone: str, folder: Path) -> Any:
    parts = urlsplit(url)
    path = Path(unquote(parts.netloc + parts.path)).expanduser()
    path = path if path.is_absolute() else folder / path
    if not path.is_file():
        raise DataError(
            f"source: there is no database file {path}; paths are relative to the client file"
        )
    return local.connect(timezone, path)


def _open_postgres(url: str, timezone: str, folder: Path) -> Any:
    user = urlsplit(url).username
    # Ibis takes the user as it stands in the address
    con = ibis.connect(url, **({"user": unquote(user)} if user else {}))
    _set_timezone(con, "postgres", timezone)
    con.raw_sql("SET default_transaction_read_only = on").close()
    weakref.finalize(con, con.con.close)
    return con


def _open_spark(url: str, timezone: str, folder: Path) -> Any:
    from pyspark.sql import SparkSession

    parts = urlsplit(url)
    builder = SparkSession.builder.appName("retention")
    if parts.netloc:
        # spark://host:port is a cluster's address; local[4] has signs that no address has
        is_local = parts.netloc.startswith("local")
        builder = builder.master(parts.netloc if is_local else f"spark://{parts.netloc}")
    for key, value in parse_qsl(parts.query):
        builder = builder.config(key, value)
    # a session of its own: settings and views are shared with nobody's
    con = ibis.pyspark.connect(builder.getOrCreate().newSession())
    con._session.conf.set("spark.sql.session.timeZone", timezone)
    return con


def _open_snowflake(url: str, timezone: str, folder: Path) -> Any:
    # Ibis would leave functions of its own in the database
    con = ibis.connect(url, create_object_udfs=False)
    _set_timezone(con, "snowflake", timezone)
    return con


def _open_databricks(url: str, timezone: str, folder: Path) -> Any:
    from ibis.backends.databricks import Backend

    class ReadOnly(Backend):
        def _post_connect(self, *, memtable_volume: str) -> None:
            """Ibis would make a volume for tables out of memory, of which there are none."""

    parts = urlsplit(url)
    con = ReadOnly().connect(
        server_hostname=parts.hostname,
        access_token=unquote(parts.password or "") or None,
        **dict(parse_qsl(parts.query)),
    )
    _set_timezone(con, "databricks", timezone)
    return con


def _open_any(url: str, timezone: str, folder: Path) -> Any:
    con = ibis.connect(url)
    _set_timezone(con, con.name, timezone)
    return con


_OPEN: Final[dict[str, Callable[[str, str, Path], Any]]] = {
    "duckdb": _open_duckdb,
    "postgres": _open_postgres,
    "pyspark": _open_spark,
    "snowflake": _open_snowflake,
    "databricks": _open_databricks,
}


def _set_timezone(con: Any, kind: str, timezone: str) -> None:
    statement = KINDS[kind].timezone
    if statement:
        cursor = con.raw_sql(statement.format(zone=local.quoted(timezone)))
        if hasattr(cursor, "close"):
            cursor.close()
