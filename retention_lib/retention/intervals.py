"""How sure a figure is: intervals for shares and means.

The customers of a report are read as a sample of those that the shop could have had. Each function
is closed-form: the same data give the same interval, on any machine. An interval that too few
customers can't carry is None.

Sources: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212; Brown, Cai & DasGupta (2001), Statistical
Science 16, 101-133 (why Wilson). Those of medians and ratios, from sums: `retention.moments`.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Half the width of a 95 % interval in standard errors of a normal figure.
Z: Final = 1.959964


class Interval(NamedTuple):
    """Lower and upper limit, both included, in the unit of the figure."""

    low: float
    high: float


def wilson(successes: int, n: int, level: float = 0.95) -> Interval | None:
    """Interval for a share by Wilson's score (1927), without continuity correction.

    Parameters
    ----------
    successes, n : int
        Those counted, and all.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    Interval or None
        Within [0, 1], never of width 0; None where n is 0.

    Raises
    ------
    ValueError
        A negative count, more successes than n, or a level outside (0, 1).

    Examples
    --------
    >>> low, high = wilson(900, 2_000)
    >>> round(low, 4), round(high, 4)
    (0.4283, 0.4719)
    """
    low, high = wilson_many([successes], [n], level)
    return None if math.isnan(low[0]) else Interval(float(low[0]), float(high[0]))


def wilson_many(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`wilson` for many shares at once, as a cohort table needs them.

    Parameters
    ----------
    successes, n : array-like of int
        Of one shape, or broadcast to one.
    level : float, default 0.95
        Coverage of each interval by itself.

    Returns
    -------
    low, high : ndarray of float
        Of the common shape; NaN where n is 0.

    Raises
    ------
    ValueError
        A negative or unknown count, more successes than n, or a level outside (0, 1).
    """
    # Imported here: it takes longer than everything else in this module together.
    from statsmodels.stats.proportion import proportion_confint

    alpha = _alpha(level)
    counted, total = np.broadcast_arrays(
        np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    )
    if not (np.isfinite(counted).all() and np.isfinite(total).all()):
        raise ValueError("successes or n has a count that is not a finite number.")
    if (counted < 0).any():
        raise ValueError(f"successes is {counted.min():g}; it can't be negative.")
    if (counted > total).any():
        worst = np.unravel_index(np.argmax(counted - total), total.shape)
        raise ValueError(f"successes is {counted[worst]:g}, more than n with {total[worst]:g}.")
    low, high = np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    known = total > 0
    low[known], high[known] = proportion_confint(
        counted[known], total[known], alpha=alpha, method="wilson"
    )
    # The limits are 0 and 1 exactly where all or nobody was counted; rounding leaves 1e-17.
    low[known & (counted == 0)] = 0.0
    high[known & (counted == total)] = 1.0
    return low, high


def mean_interval(values: ArrayLike, level: float = 0.95) -> Interval | None:
    """Interval for a mean by Student's t.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        One value per customer, independent of each other.
    level : float, default 0.95
        Coverage: exact for normal values, near it for others once n is large against their skew.

    Returns
    -------
    Interval or None
        None with fewer than two values, from which no spread can be known.

    Raises
    ------
    ValueError
        A value that is not a finite number, or a level outside (0, 1).
    """
    from scipy.stats import t

    alpha, sample = _alpha(level), _sample("values", values)
    if sample.size < 2:
        return None
    error = sample.std(ddof=1) / math.sqrt(sample.size)
    return _around(float(sample.mean()), float(t.isf(alpha / 2, sample.size - 1) * error))


def means_many(
    means: ArrayLike, deviations: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`mean_interval` for many means at once, from what an engine gives of each group.

    Parameters
    ----------
    means, deviations : array-like of float
        Mean and standard deviation (of the sample, n − 1).
    n : array-like of int
        Customers in each.
    level : float, default 0.95
        Coverage of each interval by itself.

    Returns
    -------
    low, high : ndarray of float
        NaN where n is below two.

    Examples
    --------
    >>> low, high = means_many([10.0], [2.0], [25])
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (9.174, 10.826)
    """
    from scipy.stats import t

    alpha = _alpha(level)
    centre, spread, size = (np.asarray(x, dtype=float) for x in (means, deviations, n))
    known = size > 1
    safe = np.where(known, size, 2.0)
    margin = np.where(known, t.isf(alpha / 2, safe - 1) * spread / np.sqrt(safe), np.nan)
    return centre - margin, centre + margin


def _around(centre: float, margin: float) -> Interval:
    return Interval(centre - margin, centre + margin)


def _sample(name: str, values: ArrayLike) -> NDArray[np.float64]:
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1:
        raise ValueError(f"{name} has {sample.ndim} dimensions; give one value per customer.")
    if not np.isfinite(sample).all():
        raise ValueError(f"{name} has a value that is not a finite number; leave it out first.")
    return sample


def _alpha(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}; it must be between 0 and 1, such as 0.95.")
    return 1 - level
