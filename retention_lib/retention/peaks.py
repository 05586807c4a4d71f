"""Peaks: days, or weeks, with far more orders than their weekday and the weeks around them.

The expected number is the local level (the running median over eight weeks, in which a peak of
days doesn't show) times the weekday's usual share. Orders of a day vary more than chance alone
would have them, for customers act together; by how much is taken from the middle of the days
themselves (a quasi-Poisson dispersion from the median absolute deviation, Rousseeuw & Croux 1993),
so that the peaks don't hide each other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.retention.by_day import WEEK, whole_weeks

#: A peak has a day this many robust standard deviations above what is expected: of ordinary days
#: that vary by a fifth beside chance, three bases in a hundred have one in three years.
FAR: Final = 6.0
#: The days beside it belong to it down to this many.
HIGH: Final = 3.0
#: All its days have this many times what is expected.
TIMES: Final = 1.5

#: Days on either side, of which the level is the median.
AROUND: Final = 28

#: With fewer orders on a usual day, weeks are looked at instead of days.
ENOUGH_A_DAY: Final = 5.0
#: And with fewer in a usual week, nothing.
ENOUGH_A_WEEK: Final = 5.0

#: Days in between that a peak may have.
PAUSE: Final = 2

#: Weeks from which a level can be told.
LEAST_WEEKS: Final = 13

COLUMNS: Final = ["first", "last", "days", "orders", "expected", "times", "revenue"]


def peaks(days: pd.DataFrame) -> pd.DataFrame:
    """The peaks of a base, in their order.

    Parameters
    ----------
    days : DataFrame
        `by_day.by_day`.

    Returns
    -------
    DataFrame
        A row a peak: `first`, `last` (its days; peaks with at most `PAUSE` days between are one),
        `days`, `orders`, `expected` (by weekday and level), `times` (orders / expected),
        `revenue`.
    """
    expected = usual(days["orders"])
    none = pd.DataFrame({name: [] for name in COLUMNS})
    if expected is None:
        return none
    step = WEEK if len(expected) < len(days) / 2 else 1
    counted = _by(days, expected.index, step)
    sizes = (counted["orders"] - expected) / _spread(counted["orders"], expected)
    high = (counted["orders"] >= TIMES * expected) & (sizes >= HIGH)
    places = np.flatnonzero(high.to_numpy())
    if not places.size:
        return none
    reach = PAUSE + 1 if step == 1 else 1
    runs = np.split(places, np.flatnonzero(np.diff(places) > reach) + 1)
    runs = [run for run in runs if sizes.iloc[run].max() >= FAR]
    rows = []
    for run in runs:
        inside = slice(int(run[0]), int(run[-1]) + 1)
        orders, wanted = float(counted["orders"].iloc[inside].sum()), float(expected[inside].sum())
        rows.append(
            {
                "first": expected.index[run[0]],
                "last": expected.index[run[-1]] + pd.Timedelta(days=step - 1),
                "days": (run[-1] - run[0] + 1) * step,
                "orders": int(orders),
                "expected": wanted,
                "times": orders / wanted,
                "revenue": float(counted["revenue"].iloc[inside].sum()),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def usual(orders: pd.Series) -> pd.Series | None:
    """What is expected of each day, or of each week where days have too few orders.

    Parameters
    ----------
    orders : Series
        By day, all days there.

    Returns
    -------
    Series or None
        By day, or by the Monday of whole weeks; None where there are too few to tell.
    """
    mondays, weeks = whole_weeks(orders)
    if len(mondays) < LEAST_WEEKS:
        return None
    if float(orders.median()) >= ENOUGH_A_DAY:
        factors = _weekday_factors(weeks)
        weekday = factors[pd.DatetimeIndex(orders.index).day_of_week]
        # a day on which the shop is closed says nothing of the level
        open_days: pd.Series = orders / np.where(weekday > 0, weekday, np.nan)
        return _running_median(open_days, AROUND).ffill().bfill() * weekday
    by_week = pd.Series(weeks.sum(axis=1), index=mondays)
    if float(by_week.median()) < ENOUGH_A_WEEK:
        return None
    return _running_median(by_week, AROUND // WEEK)


def _running_median(values: pd.Series, side: int) -> pd.Series:
    return values.rolling(2 * side + 1, center=True, min_periods=side).median()


def _weekday_factors(weeks: np.ndarray) -> np.ndarray:
    """Usual orders of each weekday over those of a usual day of its week; their mean is 1."""
    totals = weeks.sum(axis=1, keepdims=True)
    factors = np.median(weeks[totals[:, 0] > 0] / totals[totals[:, 0] > 0] * WEEK, axis=0)
    return np.asarray(factors / factors.mean())


def _spread(orders: pd.Series, expected: pd.Series) -> pd.Series:
    """Standard deviation of what is expected, at least chance's own (Poisson)."""
    root = np.sqrt(expected.clip(lower=1.0))
    scaled = ((orders - expected) / root)[expected > 0]
    factor = 1.4826 * float((scaled - scaled.median()).abs().median())
    return root * max(factor, 1.0)


def _by(days: pd.DataFrame, index: pd.Index, step: int) -> pd.DataFrame:
    if step == 1:
        return days
    return pd.DataFrame(
        {name: whole_weeks(days[name])[1].sum(axis=1) for name in days}, index=index
    )
