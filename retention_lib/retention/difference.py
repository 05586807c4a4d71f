"""The difference of two figures of which only the intervals are known.

The interval is the square-and-add of the two (Newcombe 1998; Zou & Donner 2008): each limit lies as
far from the difference as the root of the squared distances of those two limits that face it. Of
two shares with Wilson's intervals it is Newcombe's hybrid score interval. It takes the two figures
as independent. Two reports of one client share customers, as a rule so that what is high in one is
high in the other; that makes the difference surer than this interval says: it errs on the side of
caution.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from retention_lib.metrics import Metric

#: Standard deviations to either side that make an interval of 95 %.
Z: Final = 1.959963984540054


class Difference(NamedTuple):
    """A difference with its interval; NaN where it has none."""

    change: float
    low: float
    high: float

    @property
    def leaves_out_zero(self) -> bool:
        """Whether the interval is known and has 0 outside."""
        return self.low > 0 or self.high < 0


UNKNOWN: Final = Difference(math.nan, math.nan, math.nan)


def apart(then: Metric | None, now: Metric | None) -> Difference:
    """The change between two figures, with the interval of two that are independent.

    Parameters
    ----------
    then, now : Metric or None
        The earlier and the later; None where there is none.

    Returns
    -------
    Difference
        Without an interval where one of the two has none.

    Examples
    --------
    Newcombe (1998), table II, case a: 56 of 70 against 48 of 80.

    >>> now = Metric(56 / 70, "share", low=0.69183, high=0.87695)
    >>> found = apart(Metric(48 / 80, "share", low=0.49045, high=0.70038), now)
    >>> round(found.change, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if then is None or now is None or then.value is None or now.value is None:
        return UNKNOWN
    change = float(now.value) - float(then.value)
    if then.low is None or then.high is None or now.low is None or now.high is None:
        return Difference(change, math.nan, math.nan)
    down = (now.value - now.low, then.high - then.value)
    up = (now.high - now.value, then.value - then.low)
    return Difference(change, *square_and_add(change, down, up))


def square_and_add(
    change: float, down: tuple[float, float], up: tuple[float, float]
) -> tuple[float, float]:
    """The interval of a difference, from how far each of the two figures may be off.

    Parameters
    ----------
    change : float
        The difference.
    down, up : tuple of float
        From each figure to that limit of its own interval which takes the difference down, and to
        the one which takes it up.
    """
    return change - math.hypot(*down), change + math.hypot(*up)


def by_chance(found: Difference) -> float:
    """How likely chance alone makes a change as large, from the side of its interval that faces 0.

    Parameters
    ----------
    found : Difference
        With an interval of 95 %.

    Returns
    -------
    float
        The p-value; NaN without an interval, or where nothing has changed and nothing could have.
    """
    from scipy.stats import norm

    half = found.change - found.low if found.change > 0 else found.high - found.change
    if math.isnan(half) or half <= 0:
        return math.nan if math.isnan(half) or found.change == 0 else 0.0
    return float(2 * norm.sf(abs(found.change) / (half / Z)))
