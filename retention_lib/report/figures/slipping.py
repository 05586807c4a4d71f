"""The value at stake by how long customers have been away, measured by their own rhythm."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

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
#: A pattern each, for eyes and printers that don't tell the colours apart.
_PATTERNS: Final = {"not_due": "", "window": "---", "late": "...", "gone": "|||"}


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
        ax.bar(xs, heights, bottom=foot, width=0.78, **_look(state))
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
    key = ax.legend(
        [Patch(**_look(state)) for state in reversed(shown)],
        [names[state] for state in reversed(shown)],
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=8.5,
        handlelength=1.4,
        handleheight=1.4,
    )
    for text, state in zip(key.get_texts(), reversed(shown), strict=True):
        text.set(color=_COLOURS[state], fontweight="bold")
    steps = [_step(start, end, fmt) for start, end in stakes.index]
    ax.set_xlim(-0.6, max(len(stakes) - 0.4, 0.6))
    tick_positions(ax.xaxis, xs.tolist(), steps)
    ax.set_xlabel(fmt.say("Away for so many of their own usual waits (customers over the bars)"))
    ax.set_ylabel(fmt.say("Value at stake"))
    said = "; ".join(
        fmt.say_count(
            "{step}: {stake}, {n} customer",
            "{step}: {stake}, {n} customers",
            n,
            step=step,
            stake=fmt.money(top),
            n=fmt.count(n),
        )
        for step, top, n in zip(steps, foot, customers, strict=True)
    )
    alt = fmt.say(
        "Value at stake by how many of their own usual waits customers have been away: {said}.",
        said=said,
    )
    return Drawn(ax, alt)


def _look(state: str) -> dict[str, Any]:
    return {
        "facecolor": _COLOURS[state],
        "hatch": _PATTERNS[state],
        "edgecolor": "white",
        "linewidth": 0.8,
    }


def _step(start: float, end: float, fmt: Formats) -> str:
    if math.isinf(end):
        return fmt.say("{n} and more", n=fmt.count(start))
    if start == 0:
        return fmt.say("under {n}", n=fmt.count(end))
    return fmt.say("{low} to {high}", low=fmt.count(start), high=fmt.count(end))
