"""A flow that adds up: from the start to the end, by what was lost and what was gained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import top_of, wrapped
from retention_lib.report.figures.style import COLOURS, GREY
from retention_lib.report.figures.ticks import Number, tick_positions, value_axis


def waterfall(
    ax: Axes,
    frame: pd.DataFrame,
    values: np.ndarray,
    written: Sequence[str],
    tick: Callable[[float], Number],
    *,
    whole: bool = False,
    size: float | None = None,
) -> str:
    """Draw the steps as bars, each from where the one before ended.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    frame : DataFrame
        A row a step, in order: `step` (its name), `kind` (`start`, `loss`, `gain` or `end`).
    values : ndarray, shape (n,)
        Of the steps, not negative; one at least is above 0.
    written : sequence of str
        The same in words.
    tick : callable
        From the top of the bars to what writes a number at the axis.
    whole : bool
        Whether the axis has whole numbers only.
    size : float, optional
        Of the figures above the bars.

    Returns
    -------
    str
        The steps with their figures.
    """
    kinds = frame["kind"].tolist()
    feet, heads = np.zeros(len(frame)), np.zeros(len(frame))
    level = 0.0
    for i, (kind, value) in enumerate(zip(kinds, values, strict=True)):
        before = level
        level = {"loss": level - value, "gain": level + value}.get(kind, value)
        feet[i] = 0.0 if kind in ("start", "end") else min(before, level)
        heads[i] = value if kind in ("start", "end") else max(before, level)
        if i:
            ax.plot([i - 0.69, i - 0.31], [before, before], color=GREY, linewidth=0.8)
        if not value:
            ax.plot([i - 0.31, i + 0.31], [before, before], color=GREY, linewidth=0.8)
    colours = [COLOURS.get(kind, COLOURS["total"]) for kind in kinds]
    ax.bar(np.arange(len(frame)), heads - feet, bottom=feet, width=0.62, color=colours, zorder=2)
    for i, text in enumerate(written):
        ax.annotate(
            text,
            (i, heads[i]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=size,
            fontweight="bold",
            color=colours[i],
        )
    top = top_of(heads)
    value_axis(ax, tick(top), top, whole=whole)
    ax.set_ylim(top=top * 1.12)
    room = max(8, 72 // len(frame))
    tick_positions(ax.xaxis, range(len(frame)), [wrapped(s, room) for s in frame["step"]])
    ax.set_xlim(-0.6, len(frame) - 0.4)
    ax.tick_params(axis="x", length=0)
    return "; ".join(f"{s}: {w}" for s, w in zip(frame["step"], written, strict=True))
