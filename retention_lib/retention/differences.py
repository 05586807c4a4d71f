"""What one figure is above another, with the interval that their own intervals give.

The two are taken to be independent: their errors' squares add up, on each side by themselves
(Newcombe 1998, Statistics in Medicine 17, 873-890; Zou & Donner 2008, ibid. 27, 1693-1702).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from retention_lib.metrics import Metric
from retention_lib.retention.intervals import Interval


class Difference(NamedTuple):
    """A difference with its interval; NaN where it has none."""

    change: float
    low: float
    high: float


def difference(earlier: Metric | None, later: Metric) -> Difference:
    """What a figure is above an earlier one.

    Parameters
    ----------
    earlier : Metric or None
    later : Metric

    Returns
    -------
    Difference
        NaN where a figure isn't known; without an interval where one of them has none.

    Examples
    --------
    >>> was, now = Metric(0.3, "share", 0.2, 0.4), Metric(0.5, "share", 0.4, 0.6)
    >>> [round(x, 3) for x in difference(was, now)]
    [0.2, 0.059, 0.341]
    """
    a, b = earlier, later
    if a is None or a.value is None or b.value is None:
        return Difference(math.nan, math.nan, math.nan)
    change = float(b.value) - float(a.value)
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Difference(change, math.nan, math.nan)
    below, above = (b.value - b.low, a.high - a.value), (b.high - b.value, a.value - a.low)
    return Difference(change, *square_and_add(change, below, above))


def square_and_add(
    value: float, below: tuple[float, float], above: tuple[float, float]
) -> Interval:
    """The interval of a difference, or sum, of two figures.

    Parameters
    ----------
    value : float
        The difference.
    below, above : tuple of float
        How far each figure is from the end of its interval that takes the difference down, and
        from the one that takes it up.
    """
    return Interval(value - math.hypot(*below), value + math.hypot(*above))
