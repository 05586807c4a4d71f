"""Looking at a test before its end: what that does to false alarms, and limits that allow for it.

Who looks at a running test again and again, and stops at the first look that seems to show
something, is fooled far more often than the level says. Limits that begin wide and end near the
usual one keep the level over all looks together, at nearly no cost in customers.

The looks are equally far apart in customers. Before the k-th, the sum S_k of independent normal
steps, each of variance 1 and of mean θ/√K, has crossed no limit; z_k = S_k/√k is the statistic that
is looked at, and θ the mean of the last one. The density of S_k within its limits follows from that
of S_{k−1} by one integral.

Sources: Armitage, McPherson & Rowe (1969), J. R. Stat. Soc. A 132, 235-244 (the recursion, false
alarms); O'Brien & Fleming (1979), Biometrics 35, 549-556 (the limits); Jennison & Turnbull (2000),
Group Sequential Methods, sections 2.2-2.4 and 19.2 (constants, sizes, integration).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

#: Looks that can be planned.
MOST_LOOKS: Final = 20
#: Points of the integral, and standard deviations beyond its mean at which the density ends.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(120)
_REACH: Final = 8.0


def crossing(limits: Sequence[float], theta: float = 0.0) -> float:
    """Probability that |z| is beyond its limit at one of the looks.

    Parameters
    ----------
    limits : sequence of float
        Of |z| at each look, all positive.
    theta : float, default 0
        Mean of z at the last look; 0 where the measure does nothing.

    Examples
    --------
    >>> round(crossing([1.96] * 5), 3)
    0.142
    """
    looks = len(limits)
    step = theta / np.sqrt(looks)
    crossed, nodes, density = 0.0, np.zeros(1), np.ones(1)
    for k, limit in enumerate(limits, start=1):
        end = limit * np.sqrt(k)
        beyond = ndtr(nodes + step - end) + ndtr(-nodes - step - end)
        crossed += float(density @ beyond)
        if k == looks:
            break
        low, high = max(-end, k * step - _REACH * k**0.5), min(end, k * step + _REACH * k**0.5)
        if low >= high:  # with so large a mean it has crossed before
            break
        half = (high - low) / 2
        at = (low + high) / 2 + half * _NODES
        density = (density @ _normal(at - nodes[:, None] - step)) * half * _WEIGHTS
        nodes = at
    return crossed


@cache
def limits(looks: int, level: float) -> tuple[float, ...]:
    """O'Brien and Fleming's limits of |z|, the last look's the lowest.

    Parameters
    ----------
    looks : int
        1 for a test that is looked at once, when it is over.
    level : float
        Of false alarms, over all looks, two-sided.

    Raises
    ------
    ValueError
        Fewer looks than 1 or more than `MOST_LOOKS`; a level outside (0, 1).

    Examples
    --------
    >>> [round(z, 2) for z in limits(5, 0.05)]
    [4.56, 3.23, 2.63, 2.28, 2.04]
    """
    if not 1 <= looks <= MOST_LOOKS:
        raise ValueError(f"{looks} looks can't be planned; between 1 and {MOST_LOOKS} can.")
    if not 0 < level < 1:
        raise ValueError(f"The level is {level}; it lies between 0 and 1.")
    widening = np.sqrt(looks / np.arange(1, looks + 1))
    usual = float(-ndtri(level / 2))
    if looks == 1:
        return (usual,)
    last = brentq(lambda z: crossing(z * widening) - level, usual, 2 * usual + 1, xtol=1e-10)
    return tuple(float(z) for z in last * widening)


@cache
def mean_needed(looks: int, level: float, power: float) -> float:
    """The mean θ of the last look's z with which a limit is crossed with this probability.

    Parameters
    ----------
    looks, level
        As in `limits`.
    power : float
        Above the level and below 1.
    """
    if not level < power < 1:
        raise ValueError(f"The power is {power}; it lies between the level, {level}, and 1.")
    at = limits(looks, level)
    return float(brentq(lambda theta: crossing(at, theta) - power, 0.0, 20.0, xtol=1e-10))


def _normal(z: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi))
