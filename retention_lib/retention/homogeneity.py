"""Whether groups differ in a rate by more than chance explains, and which of them stand out.

Sources: Pearson's chi-square test of homogeneity with Cochran's rule (1954, Biometrics 10, 417-451)
for when it holds; Mantel & Haenszel (1959), J. Natl. Cancer Inst. 22, 719-748 (a group against the
rest, within strata); Mantel & Fleiss (1980), Am. J. Epidemiol. 112, 129-134 (for when that holds);
Holm (1979), Scand. J. Statist. 6, 65-70 (many tests at once, however they depend on each other).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Smallest count that an approximation by the chi-square distribution can be trusted with.
ENOUGH: Final = 5
#: Probability of telling of what is chance, over all that is looked at together.
LEVEL: Final = 0.05


@dataclass(frozen=True)
class Compared:
    """A group's successes against the rest's.

    Parameters
    ----------
    expected : float
        Successes of the group if it were like all others of its strata; NaN for an empty group.
    above : bool
        Whether it has more than that.
    p : float or None
        Two-sided; None where too few could have come out otherwise for the test to hold.
    """

    expected: float
    above: bool
    p: float | None


def against_rest(
    successes: ArrayLike, n: ArrayLike, all_successes: ArrayLike, all_n: ArrayLike
) -> Compared:
    """One group against everybody else, by Mantel and Haenszel's test with continuity correction.

    Within each stratum the group's successes are hypergeometric if being in the group has nothing
    to do with success. Their sum is compared with its mean and variance. With one stratum this is
    the chi-square test of a two by two table, but for (N − 1) / N.

    Parameters
    ----------
    successes, n : array-like of int, shape (strata,)
        The group's.
    all_successes, all_n : array-like of int, shape (strata,)
        Everybody's, the group's among them.

    Returns
    -------
    Compared
    """
    from scipy.stats import chi2

    got, size, won, total = (
        np.asarray(x, dtype=float) for x in (successes, n, all_successes, all_n)
    )
    if not size.sum():
        return Compared(float("nan"), above=False, p=None)
    # a stratum of one customer compares nobody
    many = total > 1
    got, size, won, total = got[many], size[many], won[many], total[many]
    means = size * won / total
    variance = float((means * (total - size) * (total - won) / (total * (total - 1))).sum())
    mean, found = float(means.sum()), float(got.sum())
    alone = float(np.asarray(successes, dtype=float)[~many].sum())
    least = np.maximum(0.0, size + won - total).sum()
    most = np.minimum(size, won).sum()
    holds = min(mean - least, most - mean) >= ENOUGH
    above = found > mean
    if not holds:
        return Compared(mean + alone, above, p=None)
    distance = max(abs(found - mean) - 0.5, 0.0)
    return Compared(mean + alone, above, p=float(chi2.sf(distance**2 / variance, 1)))


def equal_rates(successes: ArrayLike, n: ArrayLike) -> float | None:
    """Pearson's chi-square test that separate groups have one rate.

    Parameters
    ----------
    successes, n : array-like of int, shape (groups,)
        Of groups without a common customer: with one, the groups' rates aren't independent.

    Returns
    -------
    float or None
        The p-value; None where it can't be known: fewer than two groups, or expected counts too
        small (one below 1, or more than a fifth of them below `ENOUGH`).

    Examples
    --------
    >>> round(equal_rates([60, 40], [100, 100]), 4)
    0.0047
    >>> equal_rates([100, 100], [100, 100]) is None
    True
    """
    from scipy.stats import chi2

    won, size = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    if won.size < 2:
        return None
    rate = won.sum() / size.sum()
    expected = np.array([size * rate, size * (1 - rate)])
    if expected.min() < 1 or (expected < ENOUGH).mean() > 0.2:
        return None
    found = np.array([won, size - won])
    return float(chi2.sf(((found - expected) ** 2 / expected).sum(), won.size - 1))


def holm(p_values: ArrayLike | Sequence[float | None]) -> NDArray[np.float64]:
    """The p-values adjusted for being many.

    Parameters
    ----------
    p_values : array-like of float, shape (n,)
        NaN or None for one that isn't known: it stays so and doesn't count.

    Returns
    -------
    ndarray, shape (n,)
        Below `LEVEL` where chance surely doesn't explain it; NaN, which isn't, where not known.

    Examples
    --------
    >>> holm([0.01, None, 0.04])
    array([0.02,  nan, 0.04])
    """
    # by hand: statsmodels' way collects all garbage at each call, half a second in a kernel
    result = np.array(p_values, dtype=float)
    known = result[~np.isnan(result)]
    order = np.argsort(known, kind="stable")
    adjusted = np.empty_like(known)
    adjusted[order] = np.maximum.accumulate(known[order] * np.arange(known.size, 0, -1))
    result[~np.isnan(result)] = np.minimum(adjusted, 1.0)
    return result
