"""What the customers of a test bought after their start, and before it.

The outcome window of a customer is the start day and those after it, `days` in all; the time before
is as long and ends on the day before the start. Every customer of the test counts, who bought
nothing with 0. Sums are made in the engine; one row per customer of the test leaves it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import purchases, schema
from retention_lib.data.base import Base
from retention_lib.loyalty.experiment_assignment import LEAST
from retention_lib.loyalty.experiment_days import early_days

Outcome = Literal["revenue", "bought", "orders"]

#: The main outcome first.
OUTCOMES: Final[tuple[Outcome, ...]] = ("revenue", "bought", "orders")

#: A common window shorter than this says nothing yet.
SHORTEST: Final = 7

_COUNTS: Final = ("bought", "bought_late", "orders", "bought_before", "orders_before")
_AMOUNTS: Final = ("revenue", "revenue_before", "value")


@dataclass(frozen=True)
class Window:
    """Over which days the outcome is taken.

    Parameters
    ----------
    days : int
        The start day included.
    planned : int
        As the client file has it.
    customers : int
        Of the test.
    complete : int
        Those whose planned window is over by the last day of the data.
    ends : date
        When the last customer's planned window is over.
    """

    days: int
    planned: int
    customers: int
    complete: int
    ends: dt.date

    @property
    def is_running(self) -> bool:
        """Whether some customer's window isn't over yet."""
        return self.complete < self.customers

    @property
    def information(self) -> float:
        """Part of what the test will know that it knows by now, in (0, 1]."""
        if self.days < self.planned:
            return self.days / self.planned
        return self.complete / max(self.customers, 1)

    @property
    def is_too_early(self) -> bool:
        """Whether there is nothing to look at yet."""
        return self.days < min(SHORTEST, self.planned)


def window(customers: pd.DataFrame, days: int, as_of: dt.date) -> Window:
    """How far a test has come, and what is measured of it.

    A test that runs is measured on the customers whose window is over, as many days of each. Where
    too few are through, as in a test that began on one day, all are measured over the days that all
    have had.

    Parameters
    ----------
    customers : DataFrame
        `group`, `start`; at least one row.
    days : int
        Planned.
    as_of : date
        Last day of the data.
    """
    last = pd.Timestamp(as_of)
    over = customers["start"] + pd.Timedelta(days=days - 1) <= last
    complete = over.groupby(customers["group"]).sum()
    latest = customers["start"].max()
    common = int((last - latest).days) + 1
    enough = bool(over.all()) or bool((complete >= LEAST).all())
    return Window(
        days=days if enough else min(common, days),
        planned=days,
        customers=len(customers),
        complete=int(over.sum()),
        ends=(latest + pd.Timedelta(days=days - 1)).date(),
    )


def outcomes(base: Base, customers: pd.DataFrame, over: Window) -> pd.DataFrame:
    """The customers whose outcome is counted, with what they bought.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        `customer`, `group`, `start`.
    over : Window

    Returns
    -------
    DataFrame
        In the order of the ids: `customer`, `group`, `start`; in the window `bought` (0 or 1: a
        purchase), `orders` (with an amount > 0), `revenue` (net, returns included); the same of the
        time before with `_before`; `first_day` (of the first purchase in the window, from 0; NaN
        without one), `bought_late` (0 or 1: a purchase after the early part of the window); `value`
        (revenue of all time before the start), `since_last` and `since_first` (days from the last
        and first purchase before the start to it; NaN without one), `seen` (whether the orders have
        the customer at all).
    """
    ends = customers["start"] + pd.Timedelta(days=over.days - 1)
    people = customers[ends <= pd.Timestamp(base.as_of)].reset_index(drop=True)
    assigned = ibis.memtable(
        pd.DataFrame(
            {"customer": people["customer"].astype(str), "start": people["start"].dt.date}
        ),
        schema={"customer": "string", "start": "date"},
    )
    bought = _of_days(base.days, assigned, over.days)
    # orders are put together of the test's customers only, who may be a small part of all
    own = base.order_days.semi_join(assigned, schema.CUSTOMER)
    ordered = _of_orders(purchases.orders(own), assigned, over.days)
    frame = people.merge(_frame(bought), on="customer", how="left")
    frame = frame.merge(_frame(ordered), on="customer", how="left")
    frame["seen"] = frame["revenue"].notna()
    for name in (*_COUNTS, *_AMOUNTS):
        frame[name] = frame[name].astype("float64").fillna(0.0)
    for name in ("since_last", "since_first", "first_day"):
        frame[name] = frame[name].astype("float64")
    return frame.sort_values("customer", ignore_index=True)


def _of_days(days: ir.Table, assigned: ir.Table, length: int) -> ir.Table:
    joined = days.inner_join(assigned, schema.CUSTOMER)
    since = joined[schema.DAY].delta(joined.start, unit="day")
    inside, before = since.between(0, length - 1), since.between(-length, -1)
    amount, is_purchase = joined[schema.AMOUNT], joined[schema.BOUGHT]
    earlier = is_purchase & (since < 0)
    return joined.group_by(schema.CUSTOMER).aggregate(
        revenue=_sum(amount, inside),
        bought=(joined.count(where=inside & is_purchase) > 0).cast("int64"),
        first_day=since.min(where=inside & is_purchase),
        bought_late=(
            joined.count(where=since.between(early_days(length), length - 1) & is_purchase) > 0
        ).cast("int64"),
        revenue_before=_sum(amount, before),
        bought_before=(joined.count(where=before & is_purchase) > 0).cast("int64"),
        value=_sum(amount, since < 0),
        since_last=-since.max(where=earlier),
        since_first=-since.min(where=earlier),
    )


def _of_orders(orders: ir.Table, assigned: ir.Table, length: int) -> ir.Table:
    joined = orders.inner_join(assigned, schema.CUSTOMER)
    since = joined[schema.DAY].delta(joined.start, unit="day")
    counts = joined[schema.AMOUNT] > 0
    return joined.group_by(schema.CUSTOMER).aggregate(
        orders=joined.count(where=counts & since.between(0, length - 1)),
        orders_before=joined.count(where=counts & since.between(-length, -1)),
    )


def _sum(amount: ir.NumericValue, where: ir.BooleanValue) -> ir.Value:
    return amount.sum(where=where).cast("float64").coalesce(0.0)


def _frame(table: ir.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame.astype({"customer": object})
