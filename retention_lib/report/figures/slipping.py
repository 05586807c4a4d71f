"""The value at stake by how long customers have been away, measured by their own rhythm."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import tick_positions, value_axis
from retention_lib.report.language import Formats

#: In the order in which they are stacked.
_COLOURS: Final = {"not_due": GREEN, "window": BLUE, "late": ORANGE, "gone": GREY}


@drawing
def value_slipping(
    frame: pd.DataFrame, fmt: Formats, names: dict[str, str], ax: Axes | None = None
) -> Drawn:
    """Value at stake as bars, by how many of their own usual waits customers have been away.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a step and state: `start`, `end` (in usual waits, the last without end), `state`,
        `customers`, `at_stake`.
    fmt : Formats
    names : dict
        What the states are called: `not_due`, `window`, `late`, `gone`.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.2)
    stakes = frame.pivot_table("at_stake", ["start", "end"], "state", "sum", fill_value=0.0)
    if stakes.empty or not np.isfinite(plain(frame["at_stake"])).any():
        return nothing_to_draw(ax, fmt.say("Nobody has a rhythm of the own to draw."))
    customers = frame.groupby(["start", "end"])["customers"].sum().loc[stakes.index]
    xs, foot = np.arange(len(stakes)), np.zeros(len(stakes))
    shown = [state for state in _COLOURS if state in stakes]
    for state in shown:
        heights = np.nan_to_num(plain(stakes[state]))
        ax.bar(xs, heights, bottom=foot, width=0.78, color=_COLOURS[state])
        foot = foot + heights
    small = top_of(foot) < 10
    value_axis(ax, lambda value: fmt.money(value, 2 if small else 0), top_of(foot) * 1.08)
    for x, top, n in zip(xs, foot, customers, strict=True):
        ax.annotate(
            fmt.count(n),
            (x, top),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=INK,
            fontsize=8.5,
        )
    # from the bar's top down, as they are stacked
    for line, state in enumerate(reversed(shown)):
        ax.annotate(
            f"■ {names[state]}",
            (1.0, 0.95 - 0.1 * line),
            xycoords="axes fraction",
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=_COLOURS[state],
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )
    steps = [_step(start, end, fmt) for start, end in stakes.index]
    ax.set_xlim(-0.6, max(len(stakes) - 0.4, 0.6))
    tick_positions(ax.xaxis, xs.tolist(), steps)
    ax.set_xlabel(fmt.say("Away for so many of their own usual waits (customers over the bars)"))
    ax.set_ylabel(fmt.say("Value at stake"))
    said = "; ".join(
        fmt.say("{step}: {stake}, {n} customers", step=step, stake=fmt.money(top), n=fmt.count(n))
        for step, top, n in zip(steps, foot, customers, strict=True)
    )
    alt = fmt.say(
        "Value at stake by how many of their own usual waits customers have been away: {said}.",
        said=said,
    )
    return Drawn(ax, alt)


def _step(start: float, end: float, fmt: Formats) -> str:
    if math.isinf(end):
        return fmt.say("{n} and more", n=fmt.count(start))
    if start == 0:
        return fmt.say("under {n}", n=fmt.count(end))
    return fmt.say("{low} to {high}", low=fmt.count(start), high=fmt.count(end))
