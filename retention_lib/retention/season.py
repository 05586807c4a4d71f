"""Whether the year has a season: months that are above or below the level every year.

Growth, decline and a launch make some months larger than others too; a season is what comes back
each year. The level is a line that bends once a year, so that it can follow growth but no season;
each calendar month has one factor on it, the same in every year (classical decomposition, Hyndman
& Athanasopoulos 2021, 3.4, with a piecewise linear trend in the place of a moving average, which
would lose half a year at either end). How far the years depart from these common factors is the
error, so that a factor is only sure where the years agree.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.periods import shift_months
from retention_lib.retention.homogeneity import holm

#: Whole years without which a season can't be told from growth.
LEAST_YEARS: Final = 2
YEAR: Final = 12

#: Orders a month on average, below which months differ by chance.
LEAST_A_MONTH: Final = 20

#: Probability of seeing a season where there is none, and of naming a usual month.
LEVEL: Final = 0.01
LEVEL_OF_MONTHS: Final = 0.05

#: How alike the years have to be, as a mean correlation between them.
ALIKE: Final = 0.5

#: A month so near to the level isn't worth planning by, however sure it is.
MATTERS: Final = 0.05

COLUMNS: Final = ["month", "index", "low", "high", "years_above", "years", "stands_out"]


@dataclass(frozen=True)
class Season:
    """Calendar months against the level of their year.

    Parameters
    ----------
    by_month : DataFrame
        A row a whole month: `month` (its first day), `days`, `orders`, `orders_a_day`, `revenue`,
        `revenue_a_day`.
    factors : DataFrame
        A row a calendar month, 1 to 12: `month`; `index` (orders a day over those of an average
        month, at one level) with `low`, `high`; `years_above` of `years` in which it was above the
        level; `stands_out` (1 above, −1 below in every year and by more than chance explains, Holm
        over the twelve, else 0). Empty with fewer than `LEAST_YEARS` whole years or too few orders.
    p : float or None
        That no calendar month differs from the others; None where that can't be tested.
    alike : float or None
        Mean correlation between the years' departures from the level.
    years : int
        Whole years looked at, up to the last whole month.
    """

    by_month: pd.DataFrame
    factors: pd.DataFrame
    p: float | None
    alike: float | None
    years: int

    @property
    def has_season(self) -> bool:
        """Whether months differ by more than chance explains, and alike in all years."""
        return (
            self.p is not None and self.alike is not None and self.p < LEVEL and self.alike >= ALIKE
        )

    @property
    def strongest(self) -> pd.Series | None:
        """The month farthest above the level, of those that surely are and by enough to matter."""
        return self._farthest(1)

    @property
    def weakest(self) -> pd.Series | None:
        """The month farthest below the level."""
        return self._farthest(-1)

    def _farthest(self, side: int) -> pd.Series | None:
        sure = self.factors[self.factors["stands_out"] == side]
        sure = sure[(sure["index"] - 1).abs() >= MATTERS]
        if not self.has_season or sure.empty:
            return None
        return sure.iloc[int((side * sure["index"]).to_numpy().argmax())]


def season(days: pd.DataFrame) -> Season:
    """The season of a base.

    Parameters
    ----------
    days : DataFrame
        `by_day.by_day`.
    """
    months = whole_months(days)
    years = len(months) // YEAR
    none = Season(months, pd.DataFrame({name: [] for name in COLUMNS}), None, None, years)
    if years < LEAST_YEARS:
        return none
    last = months.iloc[len(months) - years * YEAR :]
    if last["orders"].mean() < LEAST_A_MONTH or (last["orders"] == 0).any():
        return none
    factors, p, alike = _decomposed(last)
    return Season(months, factors, p, alike, years)


def whole_months(days: pd.DataFrame) -> pd.DataFrame:
    """Orders and revenue of the calendar months that the days cover whole (`Season.by_month`)."""
    names = ["month", "days", "orders", "orders_a_day", "revenue", "revenue_a_day"]
    if days.empty:
        return pd.DataFrame({name: [] for name in names})
    month = pd.DatetimeIndex(days.index).to_period("M")
    sums = days.groupby(month).agg(
        days=("orders", "size"), orders=("orders", "sum"), revenue=("revenue", "sum")
    )
    whole = sums[sums["days"] == pd.PeriodIndex(sums.index).days_in_month]
    frame = whole.assign(
        month=pd.PeriodIndex(whole.index).to_timestamp(),
        orders_a_day=whole["orders"] / whole["days"],
        revenue_a_day=whole["revenue"] / whole["days"],
    )
    return frame.reset_index(drop=True)[names]


def _decomposed(months: pd.DataFrame) -> tuple[pd.DataFrame, float, float]:
    """Factors of the calendar months, the test that there are any, how alike the years are."""
    from scipy.stats import f, t

    n, years = len(months), len(months) // YEAR
    y = np.log(months["orders_a_day"].to_numpy(dtype=float))
    calendar = pd.DatetimeIndex(months["month"]).month.to_numpy()
    level, seasonal = _level(n), _contrasts(calendar)
    both = np.hstack([level, seasonal])
    inverse = np.linalg.pinv(both.T @ both)
    beta = inverse @ both.T @ y
    free = n - np.linalg.matrix_rank(both)
    left = float(((y - both @ beta) ** 2).sum())
    flat = y - level @ np.linalg.lstsq(level, y, rcond=None)[0]
    # a series that its factors explain to the last digit has no error to compare with
    variance = max(left / free, 1e-12)
    p = float(f.sf((float(flat @ flat) - left) / (YEAR - 1) / variance, YEAR - 1, free))
    to_months = _contrasts(np.arange(1, YEAR + 1))
    effect = to_months @ beta[level.shape[1] :]
    block = inverse[level.shape[1] :, level.shape[1] :]
    error = np.sqrt(np.diag(to_months @ block @ to_months.T) * variance)
    margin = float(t.isf(0.025, free)) * error
    tests = 2 * t.sf(np.abs(effect) / error, free)
    # each year's departures, calendar months in their order
    apart = (y - level @ beta[: level.shape[1]]).reshape(years, YEAR)
    apart = apart[:, np.argsort(calendar[:YEAR])]
    above = (apart > 0).sum(axis=0)
    agreed = np.where(effect > 0, above == years, above == 0)
    sure = (holm(tests) < LEVEL_OF_MONTHS) & agreed
    factors = pd.DataFrame(
        {
            "month": np.arange(1, YEAR + 1),
            "index": np.exp(effect),
            "low": np.exp(effect - margin),
            "high": np.exp(effect + margin),
            "years_above": above,
            "years": years,
            "stands_out": np.where(sure, np.sign(effect), 0).astype(int),
        }
    )
    between = np.corrcoef(apart)[np.triu_indices(years, 1)]
    return factors, p, float(np.nan_to_num(between).mean())


def _level(n: int) -> np.ndarray:
    """A line that bends after each year: columns of a piecewise linear trend."""
    at = np.arange(n) / YEAR
    bends = [np.maximum(at - year, 0.0) for year in range(1, n // YEAR)]
    return np.column_stack([np.ones(n), at, *bends])


def _contrasts(calendar: np.ndarray) -> np.ndarray:
    """Effects of the months that add up to nothing, by eleven columns."""
    columns = np.equal.outer(calendar, np.arange(1, YEAR)).astype(float)
    columns[calendar == YEAR] = -1.0
    return columns


def next_month(as_of: dt.date, calendar_month: int) -> dt.date:
    """The first day of the next such calendar month that begins after a day."""
    first = as_of.replace(day=1)
    return shift_months(first, (calendar_month - first.month - 1) % YEAR + 1)
