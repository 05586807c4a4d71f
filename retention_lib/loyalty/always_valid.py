"""Intervals that may be looked at as often as one likes while a test runs.

An interval of 95 % holds for one look, at a time that was fixed before. A confidence sequence holds
for all looks together: with probability 1 − α it has the truth inside at every one of them, so that
who stops when it leaves out 0 is fooled by α of the tests, not by a third of them.

The sequence is the normal mixture, as an approximation for any outcome of finite variance. With an
estimate whose error after t customers is se_t, it is

    estimate ± se_t · √(2 (tρ² + 1) / (tρ²) · log(√(tρ² + 1) / α)),

which is narrowest, against the usual interval, where tρ² is `_best(α)`. Here that is when the test
is over: t enters as the part of the planned information that is in. The price is a wider interval
at the end, 3.04 standard errors instead of 1.96.

With n customers who came in one after the other, t is their number. Where all came in on one day
and their days are added up, what they buy later hangs together with what they bought before; the
estimates are then closer to each other than the sums of independent steps, for which the sequence
is made, and it errs on the side of caution (Slepian's inequality).

Sources: Robbins (1970), Ann. Math. Stat. 41, 1397-1409 (the normal mixture); Waudby-Smith, Arbour,
Sinha, Kennedy & Ramdas (2024), Ann. Stat. 52, 2613-2640, "Time-uniform central limit theory and
asymptotic confidence sequences", theorem 2.2 (the sequence; its appendix has the choice of ρ).
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri


def width(information: float, alpha: float = 0.05) -> float:
    """Half the width of the interval, in standard errors of the estimate.

    Parameters
    ----------
    information : float
        Part of the planned information that is in: 1 when the test is over, above 0.
    alpha : float, default 0.05
        Of false alarms, over all looks.

    Raises
    ------
    ValueError
        No information, or an alpha outside (0, 1).

    Examples
    --------
    >>> round(width(1.0), 2), round(width(0.1), 2)
    (3.04, 3.86)
    """
    if not information > 0:
        raise ValueError(f"information is {information}; it is above 0.")
    x = information * _best(alpha)
    return math.sqrt(2 * (x + 1) / x * math.log(math.sqrt(x + 1) / alpha))


def level(information: float, alpha: float = 0.05) -> float:
    """The level at which a usual interval is as wide: 0.9976 when the test is over."""
    return float(1 - 2 * ndtr(-width(information, alpha)))


def p_value(p: float, information: float, alpha: float = 0.05) -> float:
    """The p-value that may be looked at as often as one likes, from the usual one.

    The smallest α whose sequence, with the ρ of `alpha`, leaves out 0; at most 1.

    Parameters
    ----------
    p : float
        Two-sided, of one look; NaN stays NaN.
    information, alpha : float
        As of `width`.

    Examples
    --------
    >>> round(p_value(0.05, 1.0), 2), round(p_value(0.002, 1.0), 3)
    (0.54, 0.043)
    """
    if math.isnan(p):
        return p
    z = _z(p)
    x = information * _best(alpha)
    return min(1.0, math.sqrt(x + 1) * math.exp(-z * z * x / (2 * (x + 1))))


def _best(alpha: float) -> float:
    """The tρ² at which the sequence is narrowest against the usual interval."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; it lies between 0 and 1.")
    return -2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)


def _z(p: float) -> float:
    """|z| of a two-sided p; that of the smallest number there is where p is 0."""
    return float(-ndtri(max(p, 1e-300) / 2))
