"""Cohorts: customers by when they first bought, and what they did since.

A period that isn't over can't be read as churn: its cells are marked unfinished. The end of
observation is the report's day, not the last transaction.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY

CohortPeriod = Literal["month", "quarter", "year"]

#: Months of a period.
MONTHS: Final[dict[CohortPeriod, int]] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Cohorts:
    """A cohort table.

    Parameters
    ----------
    shares : DataFrame
        Index: first day of the cohort's period; columns 0, 1, 2 … periods since; values: share of
        the cohort that bought in that period, NaN where it lies after the end of observation.
    sizes : Series
        Customers by cohort.
    unfinished : DataFrame of bool
        Cells whose period wasn't over on the report's day.
    period : str
        `month`, `quarter` or `year`.
    """

    shares: pd.DataFrame
    sizes: pd.Series
    unfinished: pd.DataFrame
    period: CohortPeriod

    def finished(self, age: int) -> pd.Series:
        """The shares of the cohorts whose period number `age` is over, by cohort."""
        if age not in self.shares:
            return pd.Series(dtype=float)
        return self.shares[age][~self.unfinished[age]].dropna()

    def pooled(self, age: int) -> tuple[float, int] | None:
        """The share over all cohorts whose period `age` is over, and its n; None without any."""
        shares = self.finished(age)
        n = int(self.sizes[shares.index].sum())
        return (float((shares * self.sizes[shares.index]).sum() / n), n) if n else None


def cohorts(base: Base, period: CohortPeriod | None = None) -> Cohorts:
    """The cohort table of a base.

    Parameters
    ----------
    base : Base
    period : str, optional
        `month`, `quarter` or `year`; the client file's `cohort_period` where not given.
    """
    period = period or base.params.cohort_period
    months = MONTHS[period]
    counts = by_age(base, period)
    if counts.empty:
        nobody = pd.DataFrame(index=pd.DatetimeIndex([], name="cohort"))
        sizes = pd.Series(0, index=nobody.index, dtype=int, name="customers")
        return Cohorts(nobody.astype(float), sizes, nobody.astype(bool), period)
    wide = counts.pivot_table(index="cohort", columns="age", values="customers", aggfunc="sum")
    last = index_of(base.as_of, months)
    wide = wide.reindex(index=range(int(wide.index.min()), last + 1))
    wide = wide.reindex(columns=range(last - int(wide.index[0]) + 1))
    sizes = wide[0].fillna(0).astype(int).rename("customers")
    at = np.add.outer(wide.index.to_numpy(dtype=int), wide.columns.to_numpy(dtype=int))
    reached = pd.DataFrame(at <= last, index=wide.index, columns=wide.columns)
    # a cohort without a purchase in a period that was observed has a share of 0, not an unknown one
    shares = wide.fillna(0).where(reached).div(sizes.where(sizes > 0), axis=0)
    open_end = _last_day(last, months) > base.as_of
    unfinished = pd.DataFrame((at == last) & open_end, index=wide.index, columns=wide.columns)
    labels = pd.DatetimeIndex([_first_day(i, months) for i in wide.index], name="cohort")
    return Cohorts(
        shares=shares.set_axis(labels),
        sizes=sizes.set_axis(labels),
        unfinished=unfinished.set_axis(labels),
        period=period,
    )


def by_age(base: Base, period: CohortPeriod) -> pd.DataFrame:
    """What the customers of each cohort did in each period since their first purchase.

    Returns
    -------
    DataFrame
        A row a cohort and age in which it has rows: cohort (`index_of` its period), age (periods
        since), customers (with a purchase), orders (purchases), revenue (all used rows), returned
        (customers whose first later period with a purchase it is).
    """
    months = MONTHS[period]
    return base.once(f"cohorts-{months}", lambda: _by_age(base.days, months)).to_pandas()


def _by_age(days: ir.Table, months: int) -> ir.Table:
    first = days[schema.DAY].min(where=days[schema.BOUGHT])
    days = days.mutate(first=first.over(ibis.window(group_by=schema.CUSTOMER)))
    days = days.filter(days["first"].notnull())
    at, cohort = period_index(days[schema.DAY], months), period_index(days["first"], months)
    # a return before the first purchase belongs to no age; it is a cost of winning the customer
    days = days.select(
        *(schema.CUSTOMER, schema.AMOUNT, schema.BOUGHT),
        cohort=cohort,
        age=ibis.greatest(at - cohort, 0),
    )
    each = days.group_by(schema.CUSTOMER, "cohort", "age").aggregate(
        orders=days.count(where=days[schema.BOUGHT]), revenue=days[schema.AMOUNT].sum()
    )
    again = each.age.min(where=(each.age > 0) & (each.orders > 0))
    each = each.mutate(again=again.over(ibis.window(group_by=schema.CUSTOMER)))
    return each.group_by("cohort", "age").aggregate(
        customers=each.count(where=each.orders > 0),
        orders=each.orders.sum(),
        revenue=each.revenue.sum().cast("float64"),
        returned=each.count(where=each.age == each.again),
    )


def period_index(day: ir.DateValue, months: int) -> ir.IntegerValue:
    """Periods since year 0, as an expression."""
    return ((day.year() * 12 + day.month() - 1) / months).floor().cast("int64")


def index_of(day: dt.date, months: int) -> int:
    """Periods since year 0."""
    return (day.year * 12 + day.month - 1) // months


def _first_day(index: int, months: int) -> pd.Timestamp:
    year, month = divmod(index * months, 12)
    return pd.Timestamp(year, month + 1, 1)


def _last_day(index: int, months: int) -> dt.date:
    return _first_day(index + 1, months).date() - ONE_DAY


def monthly(base: Base) -> pd.DataFrame:
    """Customers, orders and revenue by calendar month, new and returning apart.

    Returns
    -------
    DataFrame
        month (its first day), new, returning (customers with a purchase; new is who first bought in
        that month), new_revenue, returning_revenue (all used rows), orders (amount > 0), complete
        (False where the window begins or ends within the month). Months without a row are there.
    """
    frame = base.once("monthly", lambda: _by_month(base)).to_pandas().set_index("at")
    frame = frame.reindex(range(index_of(base.start, 1), index_of(base.as_of, 1) + 1)).fillna(0.0)
    counts = ["new", "returning", "orders"]
    frame[counts] = frame[counts].astype(int)
    month = pd.DatetimeIndex([_first_day(i, 1) for i in frame.index])
    ends = [_last_day(i, 1) for i in frame.index]
    complete = [
        start.date() >= base.start and end <= base.as_of
        for start, end in zip(month, ends, strict=True)
    ]
    return frame.assign(month=month, complete=complete).reset_index(drop=True)


def _by_month(base: Base) -> ir.Table:
    days = base.days
    first = days[schema.DAY].min(where=days[schema.BOUGHT])
    days = days.mutate(first=first.over(ibis.window(group_by=schema.CUSTOMER)))
    at = period_index(days[schema.DAY], 1)
    days = days.select(
        *(schema.CUSTOMER, schema.AMOUNT, schema.BOUGHT),
        at=at,
        is_new=(period_index(days["first"], 1) == at).fill_null(False),
    )
    each = days.group_by("at", schema.CUSTOMER, "is_new").aggregate(
        bought=days[schema.BOUGHT].any(), revenue=days[schema.AMOUNT].sum()
    )
    by_month = each.group_by("at").aggregate(
        new=each.count(where=each.bought & each.is_new),
        returning=each.count(where=each.bought & ~each.is_new),
        new_revenue=each.revenue.sum(where=each.is_new).cast("float64"),
        returning_revenue=each.revenue.sum(where=~each.is_new).cast("float64"),
    )
    orders = base.orders()
    orders = orders.filter(orders.amount > 0).select(at=period_index(orders.day, 1))
    per_month = orders.group_by("at").aggregate(orders=orders.count())
    return by_month.left_join(per_month, "at").drop("at_right")
