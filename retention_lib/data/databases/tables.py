"""Tables, views and queries of a database, and what comes out of them."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from retention_lib.data.databases.addresses import KINDS, said
from retention_lib.data.databases.queries import check_reads_only
from retention_lib.errors import DataError
from retention_lib.params import Params

#: Rows that are fetched at once.
_BATCH: Final = 250_000


def is_query(table: str) -> bool:
    """Whether the key `table` holds a query instead of a name."""
    return re.match(r"(?is)\s*(select|with)\s", table) is not None


def table_of(con: Any, kind: str, table: str, address: str) -> ir.Table:
    """The table, view or query that a client file names.

    Raises
    ------
    DataError
        One that isn't there, may not be read, or that the database refuses; a query that could
        write.
    """
    if is_query(table):
        check_reads_only(kind, table)
    try:
        if kind == "pyspark":
            return _spark_table(con, table)
        if is_query(table):
            return _query(con, kind, table.strip().rstrip(";"))
        *place, name = (part.strip('"`') for part in table.split("."))
        return con.table(name, **({"database": tuple(place)} if place else {}))
    except Exception as error:
        if is_query(table):
            raise DataError(
                f"table: {KINDS[kind].name} can't run the query: {said(error)}"
            ) from None
        raise DataError(
            f"table: {address} has no table or view {table} that may be read{_nearest(con, table)}"
        ) from None


def _query(con: Any, kind: str, query: str) -> ir.Table:
    if kind == "duckdb":
        # a database that is only read can hold temporary views
        con.raw_sql(f"CREATE OR REPLACE TEMP VIEW asked AS {query}")
        return con.table("asked")
    if kind == "postgres":
        # Ibis would make a view to see the types, which who may only read can't
        with con.con.cursor() as cursor:
            # prepared, so that the server takes one statement only
            cursor.execute(f"SELECT * FROM ({query}) AS asked LIMIT 0", prepare=True)
            types = {c.name: c.type_display for c in cursor.description}
        of_type = con.compiler.type_mapper.from_string
        return con.sql(query, schema=ibis.schema({n: of_type(t) for n, t in types.items()}))
    return con.sql(query)


def _spark_table(con: Any, table: str) -> ir.Table:
    """A table or query of Spark, its moments as local times of the session's zone.

    Ibis says `timestamp` of both of Spark's types, a moment (TIMESTAMP) and a local time
    (TIMESTAMP_NTZ).
    """
    session = con._session
    frame = session.sql(table.strip().rstrip(";")) if is_query(table) else session.table(table)
    for column in frame.schema.fields:
        if column.dataType.typeName() == "timestamp":
            local_time = frame[f"`{column.name}`"].cast("timestamp_ntz")
            frame = frame.withColumn(column.name, local_time)
    frame.createOrReplaceTempView("asked")
    return con.table("asked")


def _nearest(con: Any, table: str) -> str:
    try:
        near = difflib.get_close_matches(table.split(".")[-1], con.list_tables(), 1)
    except Exception:
        return ""
    return f"; did you mean {near[0]}?" if near else ""


def check_zones(table: ir.Table, kind: str, params: Params) -> None:
    """A moment becomes a local time in the session's zone, which not every engine lets us set."""
    if params.columns is None or params.timezone == "UTC" or kind in ("duckdb", "pyspark"):
        return
    date = params.columns.date
    if KINDS[kind].timezone is None and date in table.columns:
        zone = getattr(table[date].type(), "timezone", None)
        if zone is not None:
            raise DataError(
                f'columns.date: "{date}" is a moment with a zone, and {KINDS[kind].name} isn\'t '
                f"asked for local times; name a query under table that gives the time in "
                f"{params.timezone}, without a zone"
            )


def batches(con: Any, table: ir.Table) -> pa.RecordBatchReader:
    """A table's rows, worked out in its database, some at a time."""
    if con.name == "pyspark":
        # Ibis goes through pandas, with an object for every amount and day
        return con._session.sql(con.compile(table)).toArrow().to_reader(_BATCH)
    if con.name == "duckdb":
        return con.to_pyarrow(table).to_reader(_BATCH)
    return con.to_pyarrow_batches(table, chunk_size=_BATCH)
