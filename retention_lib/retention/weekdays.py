"""Which weekday sells more than others, and whether customers keep to a day of their own.

The unit is the week, not the order: orders of one day share its weather, its mailing and its
stock, so that a test on orders would call every difference sure. An index is a ratio of two sums
over whole weeks; its error comes from how it varies between them (delta method, Cochran 1977, 6.3).
Within a week growth plays no part.
"""

from __future__ import annotations

import math
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.by_day import WEEK, whole_weeks
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import Interval
from retention_lib.sentence import N_

#: Fewer weeks than these, a quarter, carry no weekday.
LEAST_WEEKS: Final = 13

#: And so many orders.
LEAST_ORDERS: Final = 200

COLUMNS: Final = [
    *("weekday", "weeks", "orders_a_day", "index", "low", "high", "stands_out", "as_good"),
    *("revenue_a_day", "revenue_index", "revenue_low", "revenue_high"),
]

#: An index so near to 1 is no difference to act on; growth alone, of 1 % a day, makes as much.
WORTH_NAMING: Final = 0.03

#: Purchases of a customer from which a habit can be seen, and customers with as many.
REPEATED: Final = 4
LEAST_CUSTOMERS: Final = 100


def weekdays(days: pd.DataFrame, peaks: pd.DataFrame) -> pd.DataFrame:
    """Orders and revenue by weekday, in whole weeks without a peak.

    Parameters
    ----------
    days : DataFrame
        `by_day.by_day`.
    peaks : DataFrame
        `peaks.peaks`; a week with one would tell of the peak, not of its weekday.

    Returns
    -------
    DataFrame
        A row a weekday, Monday (0) first: `weekday`; `weeks` (looked at); `orders_a_day`; `index`
        (over those of an average day) with `low`, `high`; `stands_out` (1 above, −1 below an
        average day by `WORTH_NAMING` and by more than chance explains, Holm over the seven, else
        0); `as_good` (not surely below the best weekday, Holm over the other six); the same of the
        revenue. Empty where there are too few weeks or orders.
    """
    mondays, orders = whole_weeks(days["orders"])
    revenue = whole_weeks(days["revenue"])[1]
    usual = ~with_peak(mondays, peaks)
    orders, revenue = orders[usual], revenue[usual]
    if len(orders) < LEAST_WEEKS or orders.sum() < LEAST_ORDERS:
        return pd.DataFrame({name: [] for name in COLUMNS})
    share, error = ratios(orders, orders.sum(axis=1))
    index, spread = share * WEEK, error * WEEK
    margin = _critical(len(orders)) * spread
    money, money_error = ratios(revenue, revenue.sum(axis=1))
    money_margin = _critical(len(orders)) * money_error
    frame = pd.DataFrame(
        {
            "weekday": range(WEEK),
            "weeks": len(orders),
            "orders_a_day": orders.mean(axis=0),
            "index": index,
            "low": np.maximum(index - margin, 0.0),
            "high": index + margin,
            "stands_out": np.sign(index - 1)
            * (
                _beyond_chance(index - 1, spread, len(orders)) & (np.abs(index - 1) >= WORTH_NAMING)
            ),
            "as_good": _as_good(orders, int(np.argmax(index))),
            "revenue_a_day": revenue.mean(axis=0),
            "revenue_index": money * WEEK,
            "revenue_low": np.maximum(money - money_margin, 0.0) * WEEK,
            "revenue_high": (money + money_margin) * WEEK,
        }
    )
    return frame.astype({"stands_out": "int64"})[COLUMNS]


def ratios(parts: np.ndarray, wholes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each column's sum over the sum of the wholes, and its standard error over the rows.

    Parameters
    ----------
    parts : ndarray, shape (blocks, columns)
    wholes : ndarray, shape (blocks,)

    Returns
    -------
    ratio, error : ndarray, shape (columns,)
        NaN where the wholes add up to nothing.
    """
    blocks, total = len(wholes), wholes.sum()
    if blocks < 2 or total <= 0:
        nothing = np.full(parts.shape[1], np.nan)
        return nothing, nothing
    ratio = parts.sum(axis=0) / total
    residuals = parts - np.outer(wholes, ratio)
    return ratio, residuals.std(axis=0, ddof=1) * math.sqrt(blocks) / total


def _critical(blocks: int) -> float:
    from scipy.stats import t

    return float(t.isf(0.025, blocks - 1))


def _beyond_chance(distance: np.ndarray, error: np.ndarray, blocks: int) -> np.ndarray:
    """Whether each is off zero, by Student's t over the blocks, Holm over all of them."""
    from scipy.stats import t

    with np.errstate(divide="ignore", invalid="ignore"):
        # a weekday on which the shop is always closed has no error at all
        sizes = np.where(distance == 0, 0.0, np.abs(distance) / error)
    return holm(2 * t.sf(sizes, blocks - 1)) < LEVEL


def _as_good(orders: np.ndarray, best: int) -> np.ndarray:
    """The weekdays that can't be told from the best one, itself among them."""
    behind = orders[:, [best]] - orders
    gap, error = ratios(np.delete(behind, best, axis=1), orders.sum(axis=1))
    return ~np.insert(_beyond_chance(gap, error, len(orders)), best, False)


def with_peak(mondays: pd.DatetimeIndex, peaks: pd.DataFrame) -> np.ndarray:
    """Which weeks, by their Mondays, have a day of a peak in them."""
    found = np.zeros(len(mondays), dtype=bool)
    for first, last in zip(peaks["first"], peaks["last"], strict=True):
        found |= (mondays <= last) & (mondays + pd.Timedelta(days=WEEK - 1) >= first)
    return found


def own_weekday(base: Base) -> tuple[Metric, Metric]:
    """Whether customers keep to a weekday of their own: same-day pairs, found and by chance.

    Of two purchases of one customer, drawn at random, how often both are on the same weekday: over
    the customers with `REPEATED` purchases and more, each weighing the same. By chance is what
    purchases on these weekdays give if no customer has a day of their own: Σ p², p the mean shares
    of the seven among these customers.

    Parameters
    ----------
    base : Base

    Returns
    -------
    found, by_chance : Metric
        Shares; n customers. The interval is Student's t over the customers.
    """
    (row,) = base.once("own-weekday", lambda: _pairs(base)).to_pylist()
    n = int(row["customers"])
    if n < LEAST_CUSTOMERS:
        note = N_("Too few customers have bought often enough to tell whether they keep to a day.")
        return unknown("share", note, n), unknown("share", note, n)
    margin = _critical(n) * row["spread"] / math.sqrt(n)
    interval = Interval(max(row["mean"] - margin, 0.0), min(row["mean"] + margin, 1.0))
    chance = sum(row[f"pd{w}"] ** 2 for w in range(WEEK))
    return Metric(row["mean"], "share", *interval, n=n), Metric(chance, "share", n=n)


def _pairs(base: Base) -> ir.Table:
    """Same-day pairs over the customers, and the mean shares of the weekdays."""
    bought = base.days.filter(base.days[schema.BOUGHT])
    weekday = bought[schema.DAY].day_of_week.index()
    counts = {f"d{w}": bought.count(where=weekday == w).cast("float64") for w in range(WEEK)}
    each = bought.group_by(schema.CUSTOMER).aggregate(n=bought.count().cast("float64"), **counts)
    each = each.filter(each.n >= REPEATED)
    pairs = sum(each[name] * (each[name] - 1) for name in counts) / (each.n * (each.n - 1))
    each = each.mutate(same=pairs)
    return each.aggregate(
        customers=each.count(),
        mean=each.same.mean(),
        spread=each.same.std(how="sample"),
        **{f"p{name}": (each[name] / each.n).mean() for name in counts},
    )
