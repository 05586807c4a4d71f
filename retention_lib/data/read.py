"""From a source to a base: one pass over the rows, in the engine in which they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import purchases, rates, schema
from retention_lib.data.base import Base, by_cause
from retention_lib.data.datasets import read_datasets
from retention_lib.data.handover import run_folder
from retention_lib.data.local import connect, fit_threads
from retention_lib.data.locate import client_folder
from retention_lib.data.prepared import from_prepared
from retention_lib.data.sources import Source, open_source
from retention_lib.data.tables import Counted
from retention_lib.errors import DataError
from retention_lib.keys.datasets import data_sources
from retention_lib.params import Params, params_from_notebook


def open_base(given: Params | Mapping[str, Any], folder: Path | None = None) -> Base:
    """Open a client's base from its parameters.

    Parameters
    ----------
    given : Params or mapping
        The parameters, or a notebook's `globals()`, out of which they are taken.
    folder : Path, optional
        Where relative source paths start; a notebook looks for its client file.

    Raises
    ------
    ClientFileError
        Parameters that aren't allowed.
    DataError
        A source that can't be read, or in which no row can be used.
    """
    params = given if isinstance(given, Params) else params_from_notebook(given)

    def again() -> Base:
        return read_base(params, folder or client_folder(params))

    handed_over = run_folder()
    return (handed_over and from_prepared(params, handed_over, again)) or again()


def read_base(params: Params, folder: Path, today: dt.date | None = None) -> Base:
    """Read the source, and keep what is counted of its rows in the embedded engine.

    Parameters
    ----------
    params : Params
    folder : Path
        Where relative source paths start.
    today : date, optional
        The last day on which an order can have happened; the clock's where not given.

    Raises
    ------
    DataError
        As `open_base`.
    """
    source, marked = marked_rows(params, folder, today)
    con = source.con if source.is_local else connect(params.timezone)
    tallied = source.fetch(purchases.tally(marked), con, "tally")
    rates.check_currencies(tallied, params)
    counts = purchases.counts_by_cause(tallied).to_pyarrow().to_pandas(date_as_object=True)
    # from here on only what was counted is asked, beside a few questions to a part of the rows
    fit_threads(con, int(counts["rows"].sum()))
    is_used = counts["cause"].isna()
    if not is_used.any():
        raise _nothing_usable(by_cause([counts]), source)
    used = counts[is_used].iloc[0]
    order_days = purchases.order_days(tallied)
    days = purchases.customer_days(order_days, free_orders=params.free_orders)
    if schema.ORDER in order_days.columns:
        days = con.create_table("customer_days", days, temp=True)
    as_of = params.as_of or used["last"]
    further = {}
    if data_sources(params):
        further = read_datasets(params, folder, as_of, con, source.understood)
    return Base(
        params=params,
        tables=Counted(order_days, days),
        start=params.start or used["first"],
        as_of=as_of,
        left_out=by_cause([counts[~is_used]]),
        currencies=_currencies(tallied),
        rows_in=int(counts["rows"].sum()),
        names=source.names,
        fingerprint=source.fingerprint(tallied),
        source_rows=_Rows(source, marked, con),
        understood=source.understood,
        datasets=further,
    )


def marked_rows(
    params: Params, folder: Path, today: dt.date | None = None
) -> tuple[Source, ir.Table]:
    """The opened source and its rows, each with the cause it is left out for (`with_cause`).

    Raises
    ------
    DataError
        A source that can't be opened.
    """
    rates.check_sizes(params)
    source = open_source(params, folder)
    rows = rates.in_report_currency(source.table, params.fx, params.currency)
    marked = purchases.with_cause(
        rows,
        guest_ids=params.guest_ids,
        returns=params.returns,
        deduplicate=params.deduplicate,
        start=params.start,
        as_of=params.as_of,
        today=today or dt.datetime.now(ZoneInfo(params.timezone)).date(),
    )
    return source, marked


@dataclass(frozen=True)
class _Rows:
    """The used rows of an opened source (`base.SourceRows`)."""

    source: Source
    marked: ir.Table
    con: Any
    _known: dict[str, ir.Table] = field(default_factory=dict)

    def table(self) -> ir.Table:
        return purchases.used(self.marked)

    def count(self, table: ir.Table) -> int:
        return int(self.first(table.aggregate(n=table.count()))["n"])

    def first(self, table: ir.Table) -> dict[str, Any]:
        return self.source.first(table)

    def by(self, dimension: str) -> ir.Table:
        rows = self.table()
        if dimension not in rows.columns:
            raise DataError(
                f"dimensions: {dimension} is asked for, but columns.{dimension} names no column of "
                "the source; name it, or leave the dimension out"
            )
        if dimension not in self._known:
            counted = purchases.by_dimension(rows, dimension)
            self._known[dimension] = self.source.fetch(counted, self.con, f"by_{dimension}")
        return self._known[dimension]


def _currencies(tallied: ir.Table) -> pd.DataFrame:
    if schema.CURRENCY not in tallied.columns:
        return pd.DataFrame({"code": pd.Series(dtype="str"), "rows": pd.Series(dtype="int64")})
    rows = purchases.used(tallied)
    counted = rows.group_by(code=rows[schema.CURRENCY].upper()).aggregate(rows=rows.rows.sum())
    frame = counted.to_pyarrow().to_pandas().astype({"rows": "int64"})
    return frame.sort_values(["rows", "code"], ascending=[False, True], ignore_index=True)


def _nothing_usable(left_out: pd.DataFrame, source: Source) -> DataError:
    if left_out.empty:
        names = ", ".join(source.names)
        if source.named:
            return DataError(
                f"source: there isn't a single row in {names}, only a header and no row below it; "
                "export it again, for a time in which there are orders"
            )
        return DataError(f"source: there isn't a single row in {names}")
    causes = "; ".join(
        f"{purchases.CAUSES[row['cause']].lower()}: {row['rows']:,}"
        for row in left_out.to_dict("records")
    )
    return DataError(
        f"source: no row can be used ({causes}); "
        "check the names under columns, csv.date_format, csv.decimal, start and as_of"
    )
