"""Ticks, direct labels and marks for what isn't finished, shared by all figures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory

from retention_lib.report.figures.style import GREY, INK, QUIET, RULE

Number = Callable[[float], str]
"""Writes a number as the reader's language does, such as `fmt.count`."""

HATCH = "/////"
"""Over all that isn't finished: an open month, a cohort's running period."""


def plain(values: Iterable[object]) -> np.ndarray:
    """The values as floats, with NaN for what is missing or infinite."""
    numbers = np.array(
        pd.to_numeric(pd.Series(list(values), dtype="object"), errors="coerce"), dtype=float
    )
    return np.where(np.isfinite(numbers), numbers, np.nan)


def top_of(*values: Iterable[float], least: float = 0.0) -> float:
    """The largest finite value, at least `least`; 1 where there is nothing above 0 to draw."""
    every = np.concatenate([plain(v) for v in values]) if values else np.array([])
    found = float(np.nanmax(every)) if every.size and not np.isnan(every).all() else 0.0
    return max(found, least) or 1.0


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
    axis.set_major_locator(MaxNLocator(nbins=most, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))


def value_axis(ax: Axes, write: Number, top: float, whole: bool = False) -> None:
    """A vertical axis from 0, with faint rules instead of a spine."""
    ax.set_ylim(0.0, top * 1.08)
    written_ticks(ax.yaxis, write, most=5, whole=whole)
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
    written = {n: wrapped(month(_month(n)), 8) for n in range(first, last + 1)}
    longest = max(len(line) for text in written.values() for line in text.split("\n"))
    room = max(2, round(74 / (longest + 2)))
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if (last - first) // s < room), 120)
    ticks = [n for n in range(first, last + 1) if n % step == 0]
    ticks = ticks or [first]
    ax.set_xticks(ticks, [written[n] for n in ticks])
    # One month alone would otherwise be drawn as wide as the figure.
    spare = max(0.0, (6 - (last - first)) / 2)
    ax.set_xlim(first - 0.6 - spare, last + 0.6 + spare)


def _month(number: int) -> pd.Timestamp:
    return pd.Timestamp(year=number // 12, month=number % 12 + 1, day=1)


def wrapped(text: str, width: int) -> str:
    """The text on lines of at most `width` characters, where its words allow it."""
    return "\n".join(textwrap.wrap(str(text), width, break_long_words=False)) or str(text)


def shortened(text: str, width: int = 26, lines: int = 2) -> str:
    """A name on at most `lines` lines of `width` characters, with an ellipsis where it is longer."""
    return "\n".join(textwrap.wrap(str(text), width, max_lines=lines, placeholder=" …")) or "–"


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Move labels apart, no further than needed, so that none overlaps the next.

    Parameters
    ----------
    positions : sequence of float
        Where the labels would stand.
    gap : float
        Least distance between two.
    low, high : float
        The room there is.

    Returns
    -------
    numpy.ndarray
        New positions in the order given.

    Examples
    --------
    >>> [round(float(y), 2) for y in spread([1.0, 1.0, 5.0], gap=0.5, low=0.0, high=6.0)]
    [0.75, 1.25, 5.0]
    """
    wanted = np.nan_to_num(np.asarray(positions, dtype=float), nan=low)
    order = np.argsort(wanted, kind="stable")
    # Labels that touch form a block, which is centred on the mean of where its labels would stand.
    blocks: list[list[int]] = []
    for i in order:
        blocks.append([int(i)])
        while len(blocks) > 1:
            above, below = blocks[-1], blocks[-2]
            if _bottom(wanted, above, gap, low, high) >= (
                _bottom(wanted, below, gap, low, high) + gap * len(below) - 1e-12
            ):
                break
            blocks[-2:] = [below + above]
    placed = np.empty_like(wanted)
    for block in blocks:
        start = _bottom(wanted, block, gap, low, high)
        for step, i in enumerate(block):
            placed[i] = start + step * gap
    return placed


def _bottom(wanted: np.ndarray, block: list[int], gap: float, low: float, high: float) -> float:
    """Where the lowest label of a block stands."""
    span = gap * (len(block) - 1)
    centred = float(wanted[block].mean()) - span / 2
    return max(low, min(centred, high - span))


def end_labels(
    ax: Axes, labels: Sequence[tuple[float, str, str]], x: float, lines: int = 1
) -> None:
    """Name each series at its right end, instead of in a legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its limits set.
    labels : sequence of (y, text, colour)
        In data coordinates; a label without a y is left out.
    x : float
        Right end of the series; the labels stand a little beside it.
    lines : int
        Lines of the longest label.
    """
    known = [label for label in labels if np.isfinite(label[0])]
    low, high = ax.get_ylim()
    gap = (high - low) * 0.062 * max(lines, 1)
    heights = spread([y for y, _, _ in known], gap, low + gap / 2, high - gap / 3)
    for height, (_, text, colour) in zip(heights, known, strict=True):
        ax.annotate(
            text,
            (x, height),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )


def unfinished_bars(bars: BarContainer, open_: Sequence[bool]) -> None:
    """Draw the bars of months that aren't over lighter and hatched."""
    for bar, is_open in zip(bars, open_, strict=True):
        if is_open:
            colour = bar.get_facecolor()
            bar.set(facecolor=(*colour[:3], 0.25), hatch=HATCH, edgecolor=(*colour[:3], 0.8))


def unfinished_label(ax: Axes, xs: np.ndarray, tops: np.ndarray, text: str) -> None:
    """Say over each run of unfinished months what their hatching means."""
    runs = np.split(np.arange(len(xs)), np.flatnonzero(np.diff(xs) > 1) + 1)
    left, right = ax.get_xlim()
    for run in (r for r in runs if r.size):
        centre = float(xs[run].mean())
        # Near an edge the words grow inwards, else they would widen the whole figure's margin.
        place = (centre - left) / (right - left)
        align: Literal["left", "center", "right"] = (
            "right" if place > 0.92 else "left" if place < 0.08 else "center"
        )
        edge = {"right": xs[run].max() + 0.45, "left": xs[run].min() - 0.45, "center": centre}
        ax.annotate(
            text,
            (float(edge[align]), float(np.nanmax(np.append(tops[run], 0.0)))),
            xytext=(0, 3),
            textcoords="offset points",
            ha=align,
            va="bottom",
            color=QUIET,
            fontsize=8,
            fontstyle="italic",
            annotation_clip=False,
        )


def upright(
    ax: Axes, x: float, text: str, side: Literal["left", "right"] = "right", height: float = 1.0
) -> None:
    """A thin vertical line at `x`, named at its top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    x : float
        In data coordinates.
    text : str
    side : {"left", "right"}
        On which side of the line the name stands.
    height : float
        Where the name stands, as a share of the axes' height.
    """
    ax.axvline(x, color=GREY, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    ax.annotate(
        text,
        (x, height),
        xycoords=blended_transform_factory(ax.transData, ax.transAxes),
        xytext=(5 if side == "right" else -5, -2),
        textcoords="offset points",
        ha="left" if side == "right" else "right",
        va="top",
        color=QUIET,
        fontsize=8.5,
        annotation_clip=False,
    )


def nothing_to_draw(ax: Axes, sentence: str) -> None:
    """Say in the middle of empty axes why nothing is drawn."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(visible=True, color=RULE)
    ax.text(
        0.5,
        0.5,
        wrapped(sentence, 70),
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=INK,
    )


def tick_positions(axis: Axis, positions: Sequence[float], labels: Sequence[str]) -> None:
    """Exactly these ticks with these labels."""
    axis.set_major_locator(FixedLocator(list(positions)))
    axis.set_ticklabels(list(labels))
