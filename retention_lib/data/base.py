"""A client's customer base, opened: the used rows, the customer-days, and what was left out.

Everything heavy stays in the engine; a `Base` hands out Ibis tables and small frames.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import glob
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import purchases, rates, schema
from retention_lib.data.handover import run_folder
from retention_lib.data.locate import client_folder
from retention_lib.data.periods import Windows, windows
from retention_lib.data.sources import Source, connect, open_source, unreadable
from retention_lib.data.understood import Understood
from retention_lib.errors import DataError
from retention_lib.params import Params, params_from_notebook

#: The keys on which the prepared data depends: with another value the source is read again.
_DATA_KEYS = {
    *("client", "source", "table", "columns", "csv", "guest_ids", "returns", "deduplicate"),
    *("fx", "start", "as_of", "timezone", "currency", "free_orders"),
}


@dataclass(frozen=True)
class Base:
    """A client's customers and their purchases up to `as_of`.

    Parameters
    ----------
    params : Params
    rows : ibis Table
        The used rows: customer, time, day, amount and the mapped optional columns.
    days : ibis Table
        Customer-days: customer, day, amount (net), rows, bought (whether it is a purchase).
    start, as_of : date
        First and last day of the window.
    left_out : DataFrame
        One row per cause: cause, rows, amount.
    rows_in : int
        Rows of the source: used plus left out, always.
    names : tuple of str
        What was read.
    fingerprint : str
        Of the source's content.
    understood : Understood or None
        How the text of the files is read; None of a builtin, or where one run handed the rows over.
    """

    params: Params
    rows: ir.Table
    days: ir.Table
    start: dt.date
    as_of: dt.date
    left_out: pd.DataFrame
    rows_in: int
    names: tuple[str, ...]
    fingerprint: str
    understood: Understood | None = None
    _frames: dict[dt.date, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @property
    def rows_used(self) -> int:
        """Rows that count."""
        return self.rows_in - int(self.left_out["rows"].sum())

    @property
    def windows(self) -> Windows:
        """The reporting period and its activity windows."""
        return windows(self.as_of, self.params.period_months, self.params.active_months)

    def customers(self, as_of: dt.date | None = None) -> pd.DataFrame:
        """One row per customer (`purchases.summary`), as of the report's day or an earlier one."""
        end = as_of or self.as_of
        if end not in self._frames:
            self._frames[end] = purchases.summarise(self.days, end, self.params.time_unit)
        # pandas copies on write: whoever changes the frame changes only its own
        frame = self._frames[end].copy(deep=False)
        frame.attrs = dict(self._frames[end].attrs)
        return frame

    def at(self, day: dt.date) -> Base:
        """The base as it was on an earlier day: nothing after it is known.

        Raises
        ------
        ValueError
            A day after `as_of`, of which nothing is known.
        """
        if day > self.as_of:
            raise ValueError(f"day is {day}, after the end of the data on {self.as_of}.")
        later = self.rows.filter(self.rows[schema.DAY] > ibis.date(day))
        gone = later.aggregate(rows=later.count(), amount=later[schema.AMOUNT].sum())
        gone = gone.mutate(cause=ibis.literal("outside_window"), amount=gone.amount.cast("float64"))
        return dataclasses.replace(
            self,
            rows=self.rows.filter(self.rows[schema.DAY] <= ibis.date(day)),
            days=self.days.filter(self.days[schema.DAY] <= ibis.date(day)),
            as_of=day,
            left_out=_by_cause([self.left_out, gone.execute()]),
            _frames={},
        )

    def purchases(self) -> ir.Table:
        """The customer-days that are purchases, numbered within each customer."""
        return purchases.purchases(self.days)

    def orders(self) -> ir.Table:
        """One row per order."""
        return purchases.orders(self.rows)


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
    handed_over = run_folder()
    if handed_over and (base := _from_prepared(params, handed_over)):
        return base
    return read_base(params, folder or client_folder(params))


def read_base(params: Params, folder: Path) -> Base:
    """Read the source and keep its used rows and customer-days in the engine."""
    con = connect(params.timezone)
    rates.check_sizes(params)
    source = open_source(con, params, folder)
    rows = rates.in_report_currency(source.table, params.fx, params.currency)
    expression = purchases.with_cause(
        rows,
        guest_ids=params.guest_ids,
        returns=params.returns,
        deduplicate=params.deduplicate,
    )
    try:
        marked = con.create_table("marked", expression, temp=True)
    except duckdb.Error as error:
        # opening looks at the first lines only; a bad one may stand far down
        raise unreadable(source.named, error) from None
    rates.check_currencies(marked, params)
    start, as_of = _window(marked, params)
    marked = purchases.within(marked, start, as_of)
    counts = purchases.counts_by_cause(marked).execute()
    is_used = counts["cause"].isna()
    left_out = _by_cause([counts[~is_used]])
    if not is_used.any():
        raise _nothing_usable(left_out, params)
    used = purchases.used(marked)
    days = con.create_table(
        "customer_days", purchases.customer_days(used, free_orders=params.free_orders), temp=True
    )
    return Base(
        params=params,
        rows=used,
        days=days,
        start=start,
        as_of=as_of,
        left_out=left_out,
        rows_in=int(counts["rows"].sum()),
        names=source.names,
        fingerprint=_fingerprint(source, params),
        understood=source.understood,
    )


def _by_cause(counts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows and amounts added up by cause, most rows first; the cause orders equals."""
    rows = pd.concat([c[c["rows"] > 0] for c in counts], ignore_index=True)
    # a cause whose amounts can't be read has none, not 0
    grouped = rows.groupby("cause", as_index=False).agg(
        rows=("rows", "sum"), amount=("amount", lambda a: a.sum(min_count=1))
    )
    return grouped.sort_values(["rows", "cause"], ascending=[False, True], ignore_index=True)


def prepare(base: Base, folder: Path) -> None:
    """Leave a base's tables in a folder, for the kernels of one run (`data.handover`)."""
    folder.mkdir(parents=True, exist_ok=True)
    base.rows.to_parquet(folder / "rows.parquet")
    base.days.to_parquet(folder / "days.parquet")
    base.left_out.to_parquet(folder / "left_out.parquet")
    about = {
        "key": _data_key(base.params),
        "start": base.start.isoformat(),
        "as_of": base.as_of.isoformat(),
        "rows_in": base.rows_in,
        "names": list(base.names),
        "fingerprint": base.fingerprint,
    }
    (folder / "prepared.json").write_text(json.dumps(about), encoding="utf-8")


def _from_prepared(params: Params, folder: Path) -> Base | None:
    """The prepared base, where it was prepared from the same parameters."""
    file = folder / "prepared.json"
    if not file.exists():
        return None
    about = json.loads(file.read_text(encoding="utf-8"))
    if about["key"] != _data_key(params):
        return None
    con = connect(params.timezone)
    return Base(
        params=params,
        rows=_read_prepared(con, folder / "rows.parquet"),
        days=_read_prepared(con, folder / "days.parquet"),
        start=dt.date.fromisoformat(about["start"]),
        as_of=dt.date.fromisoformat(about["as_of"]),
        left_out=pd.read_parquet(folder / "left_out.parquet"),
        rows_in=about["rows_in"],
        names=tuple(about["names"]),
        fingerprint=about["fingerprint"],
    )


def _read_prepared(con: Any, file: Path) -> ir.Table:
    # signs of a pattern in a folder's name are meant as they stand
    return con.read_parquet(glob.escape(str(file)), hive_partitioning=False)


def _data_key(params: Params) -> dict[str, Any]:
    return params.model_dump(mode="json", include=_DATA_KEYS)


def _window(marked: ir.Table, params: Params) -> tuple[dt.date, dt.date]:
    """The window: what the client file says, else the first and last day of a usable row."""
    usable = marked.filter(marked[schema.CAUSE].isnull())
    if params.as_of:
        usable = usable.filter(usable[schema.DAY] <= params.as_of)
    if params.start:
        usable = usable.filter(usable[schema.DAY] >= params.start)
    found = (
        usable.aggregate(first=usable[schema.DAY].min(), last=usable[schema.DAY].max())
        .to_pyarrow()
        .to_pylist()[0]
    )
    if found["first"] is None:
        counts = purchases.counts_by_cause(marked).execute()
        raise _nothing_usable(counts.assign(cause=counts["cause"].fillna("outside_window")), params)
    return params.start or found["first"], params.as_of or found["last"]


def _nothing_usable(left_out: pd.DataFrame, params: Params) -> DataError:
    if left_out.empty:
        return DataError("source: there isn't a single row in it")
    causes = "; ".join(
        f"{purchases.CAUSES[row['cause']].lower()}: {row['rows']:,}"
        for row in left_out.to_dict("records")
    )
    return DataError(
        f"source: no row can be used ({causes}); "
        "check the names under columns, csv.date_format, csv.decimal, start and as_of"
    )


def _fingerprint(source: Source, params: Params) -> str:
    """SHA-256 of the files' content; a builtin is known by its name."""
    digest = hashlib.sha256()
    for file in source.files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    if not source.files:
        digest.update(str(params.source).encode())
    return digest.hexdigest()
