"""What a treated group did more than the control group, with its interval.

**Shares** by Newcombe's hybrid score interval (1998, Stat. Med. 17, 873-890, method 10), which
holds for few buyers too.

**Means** by the wider of two intervals: Welch's t (1947, Biometrika 34, 28-35), for which groups
needn't vary alike, and Student's with one variance for both. Of amounts, most of them 0 and a few
large, a small control group often lacks the large ones; its mean is then too low and so is its
variance, and Welch's interval tells of an uplift: of 2,000 treated against 200 customers, of whom a
tenth buy, without any effect in 10 % of tests instead of 2.5 %. Where the measure does nothing,
the other group knows the variance better. Of groups of one size the two are as good as the same.

**What was known before** (CUPED: Deng, Xu, Kohavi & Walker 2013, WSDM, 123-132, eq. 3 and 4). Each
customer's outcome less θ times how far the same figure of the time before lies from the mean of
all; θ is the regression within the groups, so that the effect is no part of it. The lot makes the
groups alike before, so that this changes nothing that is true, and takes out of the chance what the
past foretells. It is always done where there is a past, never because of what it gives.

**Relative** uplifts: of means by Fieller's theorem (1954, J. R. Stat. Soc. B 16, 175-185), of
shares by the logarithm of their ratio (Katz et al. 1978, Biometrics 34, 469-474); there is none
where the control group's figure itself may be 0.

**One customer.** The largest customer's part is left out to see whether the result hangs on it; and
amounts above the 99th percentile of the buyers are cut to that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from retention_lib.retention.difference import UNKNOWN, Difference, square_and_add
from retention_lib.retention.homogeneity import ENOUGH
from retention_lib.retention.intervals import wilson

Floats = NDArray[np.float64]

USUAL: Final = 0.95
#: Of the buyers' amounts, above which they are cut to look at the weight of the largest.
CUT: Final = 0.99


class Estimate(NamedTuple):
    """A difference with its interval, its standard error and its p-value of one look."""

    change: float
    low: float
    high: float
    error: float
    p: float

    @property
    def difference(self) -> Difference:
        """As `retention.difference` has it."""
        return Difference(self.change, self.low, self.high)


class Adjusted(NamedTuple):
    """An outcome less what the time before foretells of it.

    Attributes
    ----------
    values : ndarray, shape (customers,)
    theta : float
        0 where the time before says nothing.
    correlation : float
        Of the two figures, within the groups.
    """

    values: Floats
    theta: float
    correlation: float


@dataclass(frozen=True)
class Sensitivity:
    """Whether a few customers make the result.

    Parameters
    ----------
    top_share : float
        Of the outcome of both groups, from the largest customer; NaN where there is none.
    without_top : Estimate
        The difference without that customer.
    cut : Estimate
        With the largest amounts cut.
    cut_at : float
        At what; NaN without buyers.
    """

    top_share: float
    without_top: Estimate
    cut: Estimate
    cut_at: float


def share_difference(
    won: int, n: int, won_control: int, n_control: int, level: float = USUAL
) -> Estimate:
    """Difference of two shares; NaN interval where a group is empty.

    The p-value goes with the interval: it is below 1 − level where that leaves out 0.

    Examples
    --------
    Newcombe (1998), table II, case a.

    >>> found = share_difference(56, 70, 48, 80)
    >>> round(found.change, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if not (n and n_control):
        return Estimate(math.nan, math.nan, math.nan, math.nan, math.nan)
    one, other = won / n, won_control / n_control
    error = math.sqrt(one * (1 - one) / n + other * (1 - other) / n_control)
    own, theirs = wilson(won, n, level), wilson(won_control, n_control, level)
    assert own is not None
    assert theirs is not None
    change = one - other
    low, high = square_and_add(
        change, (one - own.low, theirs.high - other), (own.high - one, other - theirs.low)
    )
    # the side that faces 0, so that the interval leaves it out where p is below 1 − level
    half = change - low if change > 0 else high - change
    p = float(2 * norm.sf(abs(change) / half * norm.isf((1 - level) / 2)))
    return Estimate(change, low, high, error, p)


def mean_difference(values: Floats, control: Floats, level: float = USUAL) -> Estimate:
    """Difference of two means, by Welch's t or by Student's, whichever is wider.

    Without an interval where a group has fewer than two customers, or nobody differs in either.
    """
    if min(values.size, control.size) < 2:
        return Estimate(math.nan, math.nan, math.nan, math.nan, math.nan)
    change = float(values.mean() - control.mean())
    spread = max(_spreads(values, control), key=lambda one: one.half(level))
    if spread.error <= 0:
        return Estimate(change, math.nan, math.nan, math.nan, math.nan)
    half = spread.half(level)
    p = float(2 * t.sf(abs(change) / spread.error, spread.df))
    return Estimate(change, change - half, change + half, spread.error, p)


class _Spread(NamedTuple):
    """Variances of two means, and the degrees of freedom of their sum."""

    own: float
    control: float
    df: float

    @property
    def error(self) -> float:
        return math.sqrt(self.own + self.control)

    def half(self, level: float) -> float:
        """Half the width of the interval of the difference."""
        return float(t.isf((1 - level) / 2, self.df)) * self.error if self.error else 0.0


def _spreads(values: Floats, control: Floats) -> tuple[_Spread, _Spread]:
    """By Welch, each group's own; by Student, one variance for both."""
    n, n_control = values.size, control.size
    variance, its = float(values.var(ddof=1)), float(control.var(ddof=1))
    own, other = variance / n, its / n_control
    each = own**2 / (n - 1) + other**2 / (n_control - 1)
    df = n + n_control - 2
    common = ((n - 1) * variance + (n_control - 1) * its) / df
    return (
        _Spread(own, other, (own + other) ** 2 / each if each else df),
        _Spread(common / n, common / n_control, df),
    )


def adjusted(values: Floats, before: Floats, groups: NDArray[np.intp]) -> Adjusted:
    """An outcome less what the same figure of the time before foretells (CUPED).

    Parameters
    ----------
    values, before : ndarray, shape (customers,)
    groups : ndarray of int, shape (customers,)
        Each customer's group, from 0.
    """
    n = np.bincount(groups)
    y = values - (np.bincount(groups, weights=values) / np.maximum(n, 1))[groups]
    x = before - (np.bincount(groups, weights=before) / np.maximum(n, 1))[groups]
    spread, other = float(x @ x), float(y @ y)
    if spread <= 0 or other <= 0:
        return Adjusted(values, 0.0, 0.0)
    theta = float(x @ y) / spread
    told = values - theta * (before - before.mean())
    return Adjusted(told, theta, float(x @ y) / math.sqrt(spread * other))


def relative_mean(values: Floats, control: Floats, level: float = USUAL) -> Difference:
    """Ratio of two means less 1, by Fieller; unknown where the control's mean may be 0.

    With the variances of `mean_difference`, so that both leave out 0 or none.
    """
    if min(values.size, control.size) < 2 or control.mean() <= 0:
        return UNKNOWN
    one, other = float(values.mean()), float(control.mean())
    spread = max(_spreads(values, control), key=lambda found: found.half(level))
    if spread.error <= 0:
        return UNKNOWN
    square = float(t.isf((1 - level) / 2, spread.df)) ** 2
    a = other**2 - square * spread.control
    if a <= 0:
        return UNKNOWN
    root = math.sqrt(max((one * other) ** 2 - a * (one**2 - square * spread.own), 0.0))
    return Difference(one / other - 1, (one * other - root) / a - 1, (one * other + root) / a - 1)


def relative_share(
    won: int, n: int, won_control: int, n_control: int, level: float = USUAL
) -> Difference:
    """Ratio of two shares less 1, by its logarithm; none with fewer than 5 buyers in a group."""
    if min(won, won_control) < ENOUGH:
        return UNKNOWN
    ratio = (won / n) / (won_control / n_control)
    error = math.sqrt(1 / won - 1 / n + 1 / won_control - 1 / n_control)
    reach = math.exp(float(norm.isf((1 - level) / 2)) * error)
    return Difference(ratio - 1, ratio / reach - 1, ratio * reach - 1)


def sensitivity(
    values: Floats,
    control: Floats,
    told: Floats,
    told_control: Floats,
    level: float = USUAL,
) -> Sensitivity:
    """Whether a few customers make the difference of two means.

    Parameters
    ----------
    values, control : ndarray
        The outcomes of the two groups.
    told, told_control : ndarray
        The same, less what was foretold (`adjusted`).
    level : float
    """
    nothing = Estimate(math.nan, math.nan, math.nan, math.nan, math.nan)
    every = np.concatenate([values, control])
    total = float(every.sum())
    if total <= 0 or min(values.size, control.size) < 3:
        return Sensitivity(math.nan, nothing, nothing, math.nan)
    # the largest amount, whichever group it is in
    if values.max() >= control.max():
        fewer, fewer_control = np.delete(told, values.argmax()), told_control
    else:
        fewer, fewer_control = told, np.delete(told_control, control.argmax())
    limit = float(np.quantile(every[every > 0], CUT))
    less, less_control = values - np.minimum(values, limit), control - np.minimum(control, limit)
    return Sensitivity(
        top_share=float(every.max()) / total,
        without_top=mean_difference(fewer, fewer_control, level),
        cut=mean_difference(told - less, told_control - less_control, level),
        cut_at=limit,
    )
