"""A client's customer base, opened: orders, customer-days, and what was left out.

Everything heavy stays in the engine; a `Base` hands out Ibis tables and small frames.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import purchases, schema
from retention_lib.data.periods import Windows, windows
from retention_lib.data.tables import Tables, Until
from retention_lib.data.totals import totals
from retention_lib.data.understood import Understood
from retention_lib.data.worked_out import WorkedOut
from retention_lib.params import Params

if TYPE_CHECKING:
    import pyarrow as pa

    from retention_lib.data.datasets import DataSet

#: The fact that names the optional fields of the rows.
FIELDS: Final = "fields"


class SourceRows(Protocol):
    """The used rows of a source, in the engine in which they are."""

    def table(self) -> ir.Table:
        """All of them, with every mapped column."""

    def count(self, table: ir.Table) -> int:
        """How many rows a table made of them has."""

    def first(self, table: ir.Table) -> dict[str, Any]:
        """The first row of a table made of them."""

    def by(self, dimension: str) -> ir.Table:
        """Counted by customer, day and dimension, in the embedded engine."""


@dataclass(frozen=True)
class Base:
    """A client's customers and their purchases up to `as_of`.

    Parameters
    ----------
    params : Params
    tables : Tables
        What is counted of the rows, in the embedded engine.
    start, as_of : date
        First and last day of the window.
    left_out : DataFrame
        One row per cause: cause, rows, amount.
    currencies : DataFrame
        Used rows by currency, as it stands in the data: code (None where blank), rows; empty
        without such a column.
    rows_in : int
        Rows of the source: used plus left out, always.
    names : tuple of str
        What was read.
    fingerprint : str
        Of the source's content.
    source_rows : SourceRows
        The used rows themselves, where they are.
    understood : Understood or None
        How the text of the files is read; None of a builtin or a database, or where one run handed
        the data over.
    datasets : mapping
        The client's further data sets by name; ask `dataset`.
    """

    params: Params
    tables: Tables = field(repr=False)
    start: dt.date
    as_of: dt.date
    left_out: pd.DataFrame
    currencies: pd.DataFrame
    rows_in: int
    names: tuple[str, ...]
    fingerprint: str
    source_rows: SourceRows = field(repr=False, compare=False)
    understood: Understood | None = None
    datasets: Mapping[str, DataSet] = field(default_factory=dict, repr=False, compare=False)
    _facts: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _worked_out: WorkedOut = field(default_factory=WorkedOut, repr=False, compare=False)
    _frames: dict[tuple[dt.date, str], pd.DataFrame] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def order_days(self) -> ir.Table:
        """The used rows by customer, day and order (`purchases.order_days`)."""
        return self.tables.order_days

    @property
    def days(self) -> ir.Table:
        """Customer-days: customer, day, amount (net), rows, bought (whether it is a purchase)."""
        return self.tables.days

    @property
    def rows_used(self) -> int:
        """Rows that count."""
        return self.rows_in - int(self.left_out["rows"].sum())

    @cached_property
    def rows(self) -> ir.Table:
        """The used rows, with every mapped column: customer, time, day, amount and the others.

        The source is read again for what is asked of them; most questions are answered by
        `order_days` and `days` without.
        """
        rows = self.source_rows.table()
        return rows.filter(rows[schema.DAY] <= ibis.date(self.as_of))

    @property
    def copies(self) -> int:
        """Used rows that are equal to another in every mapped column, the first of each apart."""

        def copies() -> int:
            # equal rows are of one customer, day and order
            if not totals(self)["more"]:
                return 0
            return self.rows_used - self.source_rows.count(self.rows.drop(schema.DAY).distinct())

        return self.fact("copies", copies)

    def dataset(self, name: str) -> DataSet | None:
        """A further data set of the client (`data.datasets`); None where it gives none.

        Parameters
        ----------
        name : str
            `members`, `ledger`, `experiment.<name>`, `survey` or `subscriptions`.
        """
        return self.datasets.get(name)

    def fact(self, name: str, work_out: Callable[[], Any]) -> Any:
        """Something known of the rows, worked out once for all who ask in a run.

        Parameters
        ----------
        name : str
        work_out : callable
            Reads the rows, and gives what JSON can hold.
        """
        if name not in self._facts:
            self._facts[name] = work_out()
        return self._facts[name]

    def once(self, name: str, work_out: Callable[[], ir.Table]) -> pa.Table:
        """A small table, worked out once for all chapters of a run.

        Parameters
        ----------
        name : str
            Letters, digits and hyphens. It names what the table depends on besides the base and
            its window: keys of the client file that aren't of the data, such as `period_months`.
        work_out : callable
            Gives the table as an expression.
        """
        key = f"{self.start}-{self.as_of}-{name}"
        table = self._worked_out.get(key)
        if table is None:
            table = work_out().to_pyarrow()
            self._worked_out.put(key, table)
        return table

    def leave_in(self, folder: Path) -> None:
        """Leave what `once` has worked out, and will, in a folder for the chapters of a run."""
        self._worked_out.leave_in(folder)

    @property
    def fields(self) -> list[str]:
        """The optional fields that the source has, such as a category (`schema.OPTIONAL`)."""

        def fields() -> list[str]:
            columns = self.source_rows.table().columns
            return [name for name in schema.OPTIONAL if name in columns]

        return self.fact(FIELDS, fields)

    def by(self, dimension: str) -> ir.Table:
        """The used rows by customer, day and dimension (`purchases.by_dimension`).

        Raises
        ------
        DataError
            A dimension that isn't mapped.
        """
        days = self.source_rows.by(dimension)
        return days.filter(days[schema.DAY] <= ibis.date(self.as_of))

    @property
    def windows(self) -> Windows:
        """The reporting period and its activity windows."""
        return windows(self.as_of, self.params.period_months, self.params.active_months)

    def customers(self, as_of: dt.date | None = None) -> pd.DataFrame:
        """One row per customer (`purchases.summary`), as of the report's day or an earlier one."""
        end, unit = as_of or self.as_of, self.params.time_unit

        def customers() -> ir.Table:
            return purchases.ordered_summary(self.days, end, unit)

        if (end, unit) not in self._frames:
            table = self.once(f"customers-{end}-{unit}", customers)
            self._frames[end, unit] = purchases.as_frame(table, end, unit)
        # pandas copies on write: whoever changes the frame changes only its own
        frame = self._frames[end, unit].copy(deep=False)
        frame.attrs = dict(self._frames[end, unit].attrs)
        return frame

    def write_customers(self, file: Path, as_of: dt.date | None = None) -> None:
        """Write what `customers` gives to a Parquet file, however many there are.

        The engine writes it: no frame is made, which of a hundred million rows is as large as a
        laptop's memory.
        """
        table = purchases.summary(self.days, as_of or self.as_of, self.params.time_unit)
        table.order_by(schema.CUSTOMER).to_parquet(file)

    def release(self) -> None:
        """Give back the memory of the rows: what is known of them stays, no table can be asked.

        The run reads a base once and hands it over; of millions of rows, what it would keep while
        the chapters are at work is as much as a chapter needs.
        """
        self._frames.clear()
        self._worked_out.forget()
        self.order_days.get_backend().disconnect()

    def at(self, day: dt.date) -> Base:
        """The base as it was on an earlier day: nothing after it is known.

        Raises
        ------
        ValueError
            A day after `as_of`, of which nothing is known.
        """
        if day > self.as_of:
            raise ValueError(f"day is {day}, after the end of the data on {self.as_of}.")

        def later() -> ir.Table:
            rows = self.order_days.filter(self.order_days[schema.DAY] > ibis.date(day))
            return rows.aggregate(
                rows=rows.rows.sum().coalesce(0), amount=rows[schema.AMOUNT].sum().cast("float64")
            )

        gone = self.once(f"after-{day}", later).to_pandas()
        return dataclasses.replace(
            self,
            tables=Until(self.tables, day),
            as_of=day,
            left_out=by_cause([self.left_out, gone.assign(cause=purchases.OUTSIDE_WINDOW)]),
            # what the rows have is no question of the day
            _facts={name: self._facts[name] for name in (FIELDS,) if name in self._facts},
        )

    def purchases(self) -> ir.Table:
        """The customer-days that are purchases, numbered (`purchases.purchases`)."""
        return self.tables.purchases

    def orders(self, as_of: dt.date | None = None) -> ir.Table:
        """One row per order; of rows up to `as_of` only, where it is given."""
        days = self.order_days
        if as_of is not None:
            # the rows, not the orders, up to the day: a later return isn't known yet
            days = days.filter(days[schema.DAY] <= ibis.date(as_of))
        return purchases.orders(days)


def by_cause(counts: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows and amounts added up by cause, most rows first; the cause orders equals."""
    known = [c.loc[c["rows"] > 0, ["cause", "rows", "amount"]] for c in counts]
    rows = pd.concat(known, ignore_index=True)
    # a cause whose amounts can't be read has none, not 0
    grouped = rows.groupby("cause", as_index=False).agg(
        rows=("rows", "sum"), amount=("amount", lambda a: a.sum(min_count=1))
    )
    return grouped.sort_values(["rows", "cause"], ascending=[False, True], ignore_index=True)
