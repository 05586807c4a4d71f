"""Ticks and axes in the reader's language, shared by all figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator

from retention_lib.report.language import Formats

Number = Callable[[float], str]
"""Writes a number as the reader's language does, such as `fmt.count`."""


def written_ticks(axis: Axis, write: Number, most: int = 6, whole: bool = False) -> None:
    """Put at most `most` round ticks on an axis, written by `write`.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
    write : callable
        From a number to text in the reader's language.
    most : int
        Number of steps at most.
    whole : bool
        Only whole numbers, as for counts of customers.
    """
    axis.set_major_locator(MaxNLocator(nbins=most, integer=whole, steps=[1, 2, 5, 10]))
    # asked some ten times for each tick while a figure is laid out and drawn
    written = cache(write)
    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))


def share_tick(fmt: Formats, top: float) -> Number:
    """Writes shares on an axis that ends at `top`, with no more decimals than its ticks need."""
    digits = 0 if top >= 0.04 else 1 if top >= 0.004 else 2
    return lambda value: fmt.share(value, digits)


def number_tick(fmt: Formats, top: float) -> Number:
    """Writes plain numbers on an axis that ends at `top`, with the decimals that its ticks need."""
    digits = 0 if top >= 5.6 else 1 if top >= 0.56 else 2
    return lambda value: fmt.number(value, digits)


def value_axis(ax: Axes, write: Number, top: float, whole: bool = False) -> None:
    """A vertical axis from 0, with faint rules instead of a spine."""
    ax.set_ylim(0.0, top * 1.08)
    written_ticks(ax.yaxis, write, most=6, whole=whole)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)


def month_numbers(months: Iterable[object]) -> np.ndarray:
    """Months counted from year 0, so that a month without a row leaves a gap.

    Returns
    -------
    numpy.ndarray of int
    """
    stamps = pd.DatetimeIndex(pd.to_datetime(pd.Series(list(months))))
    return np.asarray(stamps.year * 12 + stamps.month - 1, dtype=int)


def month_axis(ax: Axes, numbers: np.ndarray, month: Callable[[pd.Timestamp], str]) -> None:
    """Name as many months as fit: each, each third, each sixth or each January.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With months on the x axis as `month_numbers` counts them.
    numbers : numpy.ndarray of int
    month : callable
        Writes a month.
    """
    first, last = int(numbers.min()), int(numbers.max())
    written = {n: month(_month(n)) for n in range(first, last + 1)}
    if max(map(len, written.values())) > 8:
        # The year under the month's name takes half the room; all labels break, or none.
        written = {n: "\n".join(text.rsplit(maxsplit=1)) for n, text in written.items()}
    longest = max(len(line) for text in written.values() for line in text.split("\n"))
    room = max(2, round(74 / (longest + 2)))
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if (last - first) // s < room), 120)
    ticks = [n for n in range(first, last + 1) if n % step == 0]
    ticks = ticks or [first]
    tick_positions(ax.xaxis, ticks, [written[n] for n in ticks])
    # One month alone would otherwise be drawn as wide as the figure.
    spare = max(0.0, (6 - (last - first)) / 2)
    ax.set_xlim(first - 0.6 - spare, last + 0.6 + spare)


def _month(number: int) -> pd.Timestamp:
    return pd.Timestamp(year=number // 12, month=number % 12 + 1, day=1)


def tick_positions(axis: Axis, positions: Sequence[float], labels: Sequence[str]) -> None:
    """Exactly these ticks with these labels."""
    # not `set_ticklabels`, which makes each tick by itself
    axis.set_major_locator(FixedLocator(list(positions)))
    axis.set_major_formatter(FixedFormatter(list(labels)))
