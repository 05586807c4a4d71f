"""What the customers of a cohort brought in each period since their first purchase.

Beside the share that bought (`retention.cohorts`): orders and revenue per customer of the cohort,
its revenue against that of its first period, and revenue added up. A customer of a cohort counts
whether there is a purchase or not, so that the figures of cohorts of different size compare. The
period that isn't over is in no figure that is read.

Whether later cohorts come back more or less than earlier ones is told once, with the customer as
the unit: the share with a purchase in any of the first few periods after the first, of the cohorts
whose periods are all over, the earlier half against the later one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.cohorts import (
    MONTHS,
    CohortPeriod,
    Cohorts,
    by_age,
    cohorts,
    index_of,
)
from retention_lib.retention.difference import apart
from retention_lib.retention.intervals import wilson
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

#: Cohorts that can be told apart in one table or figure.
MOST_COHORTS: Final = 18
#: Change of a share from which on it is told as one.
MATTERS: Final = 0.01
#: Months after which cohorts are compared.
HALF_A_YEAR: Final = 6
_COARSER: Final[dict[CohortPeriod, CohortPeriod]] = {"month": "quarter", "quarter": "year"}


@dataclass(frozen=True)
class CohortValues:
    """Cohorts, and what their customers brought by age.

    Parameters
    ----------
    table : Cohorts
        Shares, sizes and which cells aren't over.
    orders : DataFrame
        Purchases per customer of the cohort in each period; rows and columns as `table.shares`.
    revenue : DataFrame
        Revenue (all used rows) per customer in each period, in the report's currency.
    returned : DataFrame
        By cohort (rows) and age (columns, from 1): customers whose first later period with a
        purchase has that age.
    """

    table: Cohorts
    orders: pd.DataFrame
    revenue: pd.DataFrame
    returned: pd.DataFrame

    @property
    def cumulative(self) -> pd.DataFrame:
        """Revenue per customer added up from the first period."""
        return self.revenue.cumsum(axis=1)

    @property
    def against_first(self) -> pd.DataFrame:
        """A period's revenue as a share of the first period's; NaN where that isn't above 0."""
        first = self.revenue[0] if 0 in self.revenue else pd.Series(dtype=float)
        return self.revenue.div(first.where(first > 0), axis=0)

    def pooled(self) -> pd.DataFrame:
        """All cohorts together by age, of those whose period of that age is over.

        Returns
        -------
        DataFrame
            A row an age: `age`, `customers` (whom the row rests on), `share` with `low` and `high`
            (Wilson), `orders`, `revenue`, `against_first`; and `cumulative`, the revenues added up:
            of each age all who have reached it, so that a change of cohorts makes no step.
        """
        return self._pooled.copy(deep=False)

    @cached_property
    def _pooled(self) -> pd.DataFrame:
        sizes = self.table.sizes.to_numpy()
        shares, orders, revenue = (
            frame.to_numpy(dtype=float) for frame in (self.table.shares, self.orders, self.revenue)
        )
        is_over = ~self.table.unfinished.to_numpy(dtype=bool) & ~np.isnan(shares)
        rows = []
        for place, age in enumerate(_ages(self.table)):
            over = is_over[:, place]
            n = sizes[over]
            total = int(n.sum())
            if not total:
                continue
            bought = round(float(np.nansum(shares[over, place] * n)))
            first, now = (float(np.nansum(revenue[over, at] * n)) for at in (0, place))
            limits = wilson(bought, total) or (math.nan, math.nan)
            rows.append(
                {
                    **{"age": age, "customers": total, "share": bought / total},
                    **{"low": limits[0], "high": limits[1]},
                    "orders": float(np.nansum(orders[over, place] * n) / total),
                    "revenue": float(now / total),
                    "against_first": float(now / first) if first > 0 else math.nan,
                }
            )
        names = ["age", "customers", "share", "low", "high", "orders", "revenue", "against_first"]
        frame = pd.DataFrame(rows, columns=pd.Index(names))
        return frame.assign(cumulative=frame["revenue"].cumsum())


def cohort_values(base: Base, period: CohortPeriod | None = None) -> CohortValues:
    """The cohorts of a base with what they brought.

    Parameters
    ----------
    base : Base
    period : str, optional
        `month`, `quarter` or `year`; `readable` where not given.
    """
    period = period or readable(base)
    table = cohorts(base, period)
    frame = by_age(base, period)
    each = {name: _wide(frame, name, table) for name in ("orders", "revenue")}
    sizes = table.sizes.where(table.sizes > 0)
    per_customer = {name: wide.div(sizes, axis=0) for name, wide in each.items()}
    return CohortValues(
        table=table,
        orders=per_customer["orders"],
        revenue=per_customer["revenue"],
        returned=_wide(frame, "returned", table).drop(columns=0, errors="ignore"),
    )


def readable(base: Base) -> CohortPeriod:
    """The client file's cohort period, or a longer one where there would be too many cohorts."""
    period: CohortPeriod = base.params.cohort_period
    span = (base.as_of.year - base.start.year) * 12 + base.as_of.month - base.start.month + 1
    while span / MONTHS[period] > MOST_COHORTS and period in _COARSER:
        period = _COARSER[period]
    return period


def _ages(table: Cohorts) -> list[int]:
    return [int(str(age)) for age in table.shares.columns]


def _wide(frame: pd.DataFrame, values: str, table: Cohorts) -> pd.DataFrame:
    """Laid out as `table.shares`: 0 where nothing was bought, NaN where it isn't known."""
    if table.shares.empty:
        return table.shares.copy()
    numbers = [index_of(day, MONTHS[table.period]) for day in table.shares.index]
    wide = frame.pivot_table(index="cohort", columns="age", values=values, aggfunc="sum")
    wide = wide.reindex(index=numbers, columns=table.shares.columns).fillna(0.0)
    return wide.set_axis(table.shares.index).where(table.shares.notna())


@dataclass(frozen=True)
class Compared:
    """How later cohorts come back against earlier ones, at the same age.

    Parameters
    ----------
    kind : str
        `better`, `worse` (the later), `alike`, or `unknown`.
    earlier, later : Metric
        Share of their customers with a purchase in any of the first `ages` later periods.
    ages : int
        How many periods after the first each cohort is looked at.
    first, last : (Timestamp, Timestamp) or None
        First and last cohort of each half.
    """

    kind: Literal["better", "worse", "alike", "unknown"]
    earlier: Metric
    later: Metric
    ages: int
    first: tuple[pd.Timestamp, pd.Timestamp] | None = None
    last: tuple[pd.Timestamp, pd.Timestamp] | None = None


def compare(values: CohortValues, starts_late: bool = False) -> Compared:
    """Whether later cohorts come back more or less than earlier ones.

    Only cohorts of `SMALLEST` customers whose periods are all over, at the age of half a year (a
    year where periods are years) or the largest that two of them have reached. The difference is
    told where its 95 % interval (Newcombe 1998) leaves 0 out and it is `MATTERS` or more.

    Parameters
    ----------
    values : CohortValues
    starts_late : bool
        Whether the data starts after its customers did: then the first cohorts are old customers,
        and no others are compared with them.
    """
    table = values.table
    large = table.sizes.index[table.sizes >= SMALLEST]
    over = {
        age: [day for day in table.finished(age).index if day in set(large)]
        for age in _ages(table)
        if age > 0
    }
    most = max(1, HALF_A_YEAR // MONTHS[table.period])
    ages = max((age for age, days in over.items() if len(days) > 1 and age <= most), default=0)
    if starts_late or not ages:
        why = (
            N_("The data starts after its customers did: the first cohorts are old customers.")
            if starts_late
            else N_("Fewer than two cohorts have a period after their first behind them.")
        )
        nothing = unknown("share", why, n=0)
        return Compared("unknown", nothing, nothing, 0)
    old, young = np.array_split(np.array(over[ages], dtype="datetime64[s]"), 2)
    (earlier, later), halves = zip(
        *(_half(values, pd.DatetimeIndex(half), ages) for half in (old, young)), strict=True
    )
    kind = _kind(earlier, later)
    return Compared(kind, earlier, later, ages, halves[0], halves[1])


def _half(
    values: CohortValues, days: pd.DatetimeIndex, ages: int
) -> tuple[Metric, tuple[pd.Timestamp, pd.Timestamp]]:
    back = int(values.returned.loc[days, range(1, ages + 1)].sum().sum())
    n = int(values.table.sizes[days].sum())
    low, high = wilson(back, n) or (None, None)
    return Metric(back / n, "share", low, high, n), (days[0], days[-1])


def _kind(earlier: Metric, later: Metric) -> Literal["better", "worse", "alike"]:
    """Newcombe's hybrid score interval for a difference of shares, from Wilson's limits."""
    found = apart(earlier, later)
    if found.low > 0 and found.change >= MATTERS:
        return "better"
    if found.high < 0 and found.change <= -MATTERS:
        return "worse"
    return "alike"
