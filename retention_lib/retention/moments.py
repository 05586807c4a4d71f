"""Intervals of means, medians and ratios from sums that the engine has made, without the values.

A base of a million customers leaves the engine as a number of customers, a mean and a variance, so
that many periods are told of in one pass.

Sources: Conover (1999), Practical Nonparametric Statistics, 3.2 (median); Cochran (1977), Sampling
Techniques, 6.3-6.4 (ratio).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from retention_lib.retention.intervals import Interval

LEVEL: Final = 0.95

#: Fewest customers for the delta method, which holds for large samples only.
RATIO_MIN_N: Final = 30

#: A variance below this share of the values' squares is the rounding of equal values.
_NOTHING: Final = 1e-12


@dataclass(frozen=True)
class Moments:
    """Number, mean and variance (of a sample) of one value per customer."""

    n: int
    mean: float
    variance: float

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return math.sqrt(self.variance / self.n)


def moments(n: float, mean: float, variance: float) -> Moments:
    """Moments as an engine gives them: no mean of nothing, no variance of one value.

    Parameters
    ----------
    n, mean, variance : float
        `mean` NaN where n is 0, `variance` NaN where it is 1.
    """
    mean, variance = (0.0 if math.isnan(x) else float(x) for x in (mean, variance))
    if variance <= _NOTHING * mean * mean:
        variance = 0.0
    return Moments(int(n), mean, variance)


def moments_of(values: ArrayLike) -> Moments:
    """The moments of one finite value per customer."""
    sample = np.asarray(values, dtype=float)
    variance = sample.var(ddof=1) if sample.size > 1 else 0.0
    return moments(sample.size, sample.mean() if sample.size else 0.0, variance)


def mean_limits(of: Moments) -> Interval | None:
    """Interval for a mean by Student's t; None with too few for skewed amounts (`RATIO_MIN_N`)."""
    return _student(of) if of.n >= RATIO_MIN_N else None


def _student(of: Moments) -> Interval | None:
    from scipy.stats import t

    if of.n < 2:
        return None
    margin = float(t.isf((1 - LEVEL) / 2, of.n - 1)) * of.error
    return Interval(of.mean - margin, of.mean + margin)


def ratio_limits(y: Moments, x: Moments, covariance: float) -> Interval | None:
    """Interval for Σy / Σx over the same customers, by the delta method (Cochran 1977, 6.3).

    A customer's y and x belong together, such as revenue and orders: taking each order as
    independent instead would make the interval too narrow.

    Parameters
    ----------
    y, x : Moments
        Of the same customers.
    covariance : float
        Of the two (of a sample).

    Returns
    -------
    Interval or None
        None with fewer than `RATIO_MIN_N` customers, or where the mean of `x` isn't above 0 by more
        than its own interval.
    """
    from scipy.stats import t

    if x.n < RATIO_MIN_N or not _above_zero(x):
        return None
    ratio = y.mean / x.mean
    whole = y.variance + ratio * ratio * x.variance
    variance = whole - 2 * ratio * covariance
    if variance <= _NOTHING * whole:
        variance = 0.0
    margin = float(t.isf((1 - LEVEL) / 2, x.n - 1)) * math.sqrt(variance / x.n) / x.mean
    return Interval(ratio - margin, ratio + margin)


def means_ratio_limits(y: Moments, x: Moments) -> Interval | None:
    """Interval for the ratio of two separate groups' means, by the delta method on its log.

    var log(ȳ / x̄) ≈ s²_y / (n_y ȳ²) + s²_x / (n_x x̄²): on the log scale, for a ratio is bounded
    by 0 below and "twice" and "half" are equally far from 1.

    Returns
    -------
    Interval or None
        None where a group has fewer than `RATIO_MIN_N` customers, or its mean isn't above 0 by more
        than its own interval.
    """
    from scipy.stats import norm

    if min(y.n, x.n) < RATIO_MIN_N or not (_above_zero(y) and _above_zero(x)):
        return None
    error = math.hypot(y.error / y.mean, x.error / x.mean)
    spread = math.exp(float(norm.isf((1 - LEVEL) / 2)) * error)
    ratio = y.mean / x.mean
    return Interval(ratio / spread, ratio * spread)


def median_of_counts(values: ArrayLike, counts: ArrayLike) -> tuple[float, Interval | None]:
    """Median, and its interval from the order statistics, of values with how often each occurs.

    Exact, whatever the distribution: the count of values below the median is Binomial(n, 1/2). The
    limits are the k-th value from below and from above, with k the largest for which P(count < k)
    is at most 2.5 %; fewer than six values have none.

    Parameters
    ----------
    values : array-like of float
        In ascending order, each once.
    counts : array-like of int
        At least one value in all.

    Examples
    --------
    >>> median_of_counts([1, 3, 4, 5, 7, 9], [1, 1, 1, 1, 1, 1])
    (4.5, Interval(low=1.0, high=9.0))
    """
    from scipy.stats import binom

    known, upto = np.asarray(values, dtype=float), np.cumsum(np.asarray(counts))
    n = int(upto[-1])

    def place(rank: int) -> float:
        return float(known[np.searchsorted(upto, rank)])

    median = (place((n + 1) // 2) + place(n // 2 + 1)) / 2
    alpha = 1 - LEVEL
    rank = int(binom.ppf(alpha / 2, n, 0.5))
    if binom.cdf(rank, n, 0.5) <= alpha / 2:
        rank += 1
    return median, None if rank < 1 else Interval(place(rank), place(n + 1 - rank))


def _above_zero(of: Moments) -> bool:
    limits = _student(of)
    return limits is not None and limits.low > 0
