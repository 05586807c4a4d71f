"""`retention sql`: what the engine of a client's source is asked, to be read before it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis

from retention_lib.data import purchases
from retention_lib.data.databases.addresses import KINDS
from retention_lib.data.read import marked_rows
from retention_lib.params import ClientFile


def statements(file: ClientFile) -> Iterator[str]:
    """The SQL of a client's data, with a comment over each statement.

    The source is opened, for the types of its columns, and none of its rows is read but what tells
    how text is written.

    Parameters
    ----------
    file : ClientFile

    Raises
    ------
    DataError
        A source that can't be opened.
    """
    params = file.params
    source, marked = marked_rows(params, file.folder)
    engine, names = KINDS[source.con.name].name, ", ".join(source.names)
    asked = purchases.tally(marked)
    yield f"-- {names}: what is counted of the rows, in one pass. Runs in {engine}."
    yield f"{source.con.compile(asked, pretty=True)};"
    yield ""
    yield f"-- How many of the used rows are no copies of another. Runs in {engine}."
    distinct = purchases.used(marked).drop("day").distinct().count()
    yield f"{source.con.compile(distinct, pretty=True)};"
    yield ""
    end = params.as_of or dt.date.today()
    until = "" if params.as_of else ", taking today for the last day of the data"
    yield (
        f"-- One row per customer, out of the first result as tally{until}. "
        "Runs in DuckDB on this machine."
    )
    tallied = ibis.table(asked.schema(), name="tally")
    days = purchases.customer_days(purchases.order_days(tallied), free_orders=params.free_orders)
    yield f"{ibis.to_sql(purchases.summary(days, end, params.time_unit), dialect='duckdb')};"
