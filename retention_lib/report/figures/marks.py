"""Direct labels, and marks for what isn't finished, shared by all figures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.transforms import blended_transform_factory

from retention_lib.report.figures.glyphs import drawable
from retention_lib.report.figures.style import BLUE, GREY, INK, QUIET, RULE, Drawn

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


def wrapped(text: str, width: int) -> str:
    """The text on lines of at most `width` characters, where its words allow it."""
    text = drawable(str(text))
    return "\n".join(textwrap.wrap(text, width, break_long_words=False)) or text


def shortened(text: str, width: int = 26, lines: int = 2) -> str:
    """A name on at most `lines` lines of `width` characters; an ellipsis marks what is cut."""
    text = drawable(str(text))
    cut = textwrap.wrap(text, width, max_lines=lines, placeholder=" …")
    if cut[-1:] == ["…"]:  # a word that is longer than its line, of which nothing was left
        room = width * lines - 2
        cut = textwrap.wrap(
            " ".join(text.split())[:room] + " …", width, max_lines=lines, placeholder=" …"
        )
    return "\n".join(cut) or "–"


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
            colour = np.array(bar.get_facecolor()[:3])
            # Mixed with white, not made transparent: SVG would let the hatching fade with the bar.
            bar.set(facecolor=0.25 * colour + 0.75, hatch=HATCH, edgecolor=0.8 * colour + 0.2)


def unfinished_label(
    ax: Axes, xs: np.ndarray, tops: np.ndarray, open_: np.ndarray, text: str
) -> None:
    """Say over each run of unfinished months what their hatching means.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its limits set.
    xs, tops : numpy.ndarray
        Where the bars stand and how high they reach, the whole ones too: the words must not lie
        over a neighbour.
    open_ : numpy.ndarray of bool
    text : str
    """
    left, right = ax.get_xlim()
    room = 0.11 * (right - left)
    which = np.flatnonzero(open_)
    runs = np.split(which, np.flatnonzero(np.diff(xs[which]) > 1) + 1)
    for run in (r for r in runs if r.size):
        first, last = float(xs[run].min()) - 0.45, float(xs[run].max()) + 0.45
        middle = (first + last) / 2
        # Near an edge the words grow inwards, else they would widen the whole figure's margin.
        align: Literal["left", "center", "right"]
        if middle + room / 2 > right:
            align, x, span = "right", last, (last - room, last)
        elif middle - room / 2 < left:
            align, x, span = "left", first, (first, first + room)
        else:
            align, x, span = "center", middle, (middle - room / 2, middle + room / 2)
        under = (xs + 0.45 > span[0]) & (xs - 0.45 < span[1])
        ax.annotate(
            text,
            (x, max(0.0, float(np.nanmax(tops[under])))),
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
    ax: Axes, x: float, text: str, side: Literal["left", "right"] = "right", foot: float = 0.0
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
    foot : float
        Where the line begins, in data coordinates.
    """
    top = ax.get_ylim()[1]
    ax.plot([x, x], [foot, top], color=GREY, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    ax.annotate(
        text,
        (x, 1.0),
        xycoords=blended_transform_factory(ax.transData, ax.transAxes),
        xytext=(5 if side == "right" else -5, -2),
        textcoords="offset points",
        ha="left" if side == "right" else "right",
        va="top",
        color=QUIET,
        fontsize=8.5,
        annotation_clip=False,
    )


def nothing_to_draw(ax: Axes, sentence: str) -> Drawn:
    """Say in the middle of empty axes, and to who can't see them, why nothing is drawn."""
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
    return Drawn(ax, sentence)


def over(ax: Axes, x: float, value: float, upper: float, text: str) -> None:
    """A figure over its dot, clear of its interval."""
    ax.annotate(
        text,
        (x, max(value, upper) if np.isfinite(upper) else value),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=BLUE,
        fontsize=8.5,
        fontweight="bold",
        annotation_clip=False,
    )


def beside(ax: Axes, y: float, text: str, *, bold: bool) -> None:
    """One column of figures at the right reads as a table and meets no dot."""
    ax.annotate(
        text,
        (1.0, y),
        xycoords=("axes fraction", "data"),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=8.5,
        fontweight="bold" if bold else "normal",
        annotation_clip=False,
    )
