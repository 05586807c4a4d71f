"""What the first purchase foretells, in figures: by its size, and by its category."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import (
    beside,
    nothing_to_draw,
    over,
    plain,
    shortened,
    top_of,
)
from retention_lib.report.figures.style import BLUE, GREY, QUIET, RULE, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import tick_positions, value_axis, written_ticks
from retention_lib.report.language import Formats


@drawing
def value_by_first_size(
    frame: pd.DataFrame, fmt: Formats, days: int, ax: Axes | None = None
) -> Drawn:
    """Later revenue per customer by the size of the first purchase.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group, the smallest first purchases first: `label` (its amounts), `later`, `low`,
        `high`.
    fmt : Formats
    days : int
        How long after the first purchase is looked at.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.9)
    later, low, high = (plain(frame[name]) for name in ("later", "low", "high"))
    if not np.isfinite(later).any():
        return nothing_to_draw(ax, fmt.say("Too few customers to draw what follows."))
    xs = np.arange(len(frame))
    ax.vlines(xs, low, high, color=BLUE, linewidth=6, alpha=0.25)
    ax.plot(xs, later, "o", color=BLUE, markersize=7)
    money_axis(ax, fmt, top_of(later, high), least=np.nanmin([0.0, *later, *low]))
    for x, value, upper in zip(range(len(frame)), later, high, strict=True):
        if np.isfinite(value):
            over(ax, x, value, upper, fmt.money(value))
    ax.set_xlim(-0.5, max(len(frame) - 0.5, 0.5))
    tick_positions(ax.xaxis, xs.tolist(), [shortened(text, 14) for text in frame["label"]])
    ax.set_xlabel(fmt.say("First purchase"))
    ax.set_ylabel(_revenue_after(fmt, days))
    said = "; ".join(
        f"{label}: {fmt.money(value)}"
        for label, value in zip(frame["label"], later, strict=True)
        if np.isfinite(value)
    )
    alt = fmt.say(
        "Revenue per customer in the {days} after the first purchase, by its size: {said}.",
        days=fmt.days(days),
        said=said,
    )
    return Drawn(ax, alt)


@drawing
def value_by_first_category(
    frame: pd.DataFrame, fmt: Formats, days: int, ax: Axes | None = None
) -> Drawn:
    """Later revenue per customer by the category of the first purchase, beside that of like ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a category: `label`, `n`, `later`, `low`, `high`, `like` (others with an equally large
        first purchase; NaN where unknown), `stands_out` (0 where it can't be told from these).
    fmt : Formats
    days : int
        How long after the first purchase is looked at.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=1.3 + 0.34 * max(len(frame), 2))
    later, low, high, like = (plain(frame[name]) for name in ("later", "low", "high", "like"))
    if not np.isfinite(later).any():
        return nothing_to_draw(ax, fmt.say("No first category has enough customers to draw."))
    ys = np.arange(len(frame))[::-1].astype(float)
    out = frame["stands_out"].to_numpy() != 0
    left = min(0.0, float(np.nanmin([*later, *low])))
    right = top_of(later, high, like) * 1.04
    ax.hlines(ys, left, right, color=RULE, linewidth=0.6, zorder=0)
    for which, colour in ((~out, GREY), (out, BLUE)):
        ax.hlines(
            ys[which], low[which], high[which], color=colour, alpha=0.4, linewidth=4, zorder=2
        )
        ax.plot(later[which], ys[which], "o", markersize=5.5, color=colour, zorder=4)
    ax.plot(like, ys, "o", markersize=8, mfc="none", mec=QUIET, mew=1.1, zorder=3)
    ax.set_xlim(left, right)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    for y, value, n, bold in zip(ys, later, plain(frame["n"]), out, strict=True):
        text = fmt.say("{value}  (n = {n})", value=fmt.money(value), n=fmt.count(n))
        beside(ax, y, text, bold=bold)
    tick_positions(ax.yaxis, ys.tolist(), [shortened(text, 34) for text in frame["label"]])
    written_ticks(ax.xaxis, lambda value: fmt.money(value, 0 if right >= 10 else None), most=5)
    ax.spines["left"].set_visible(False)
    like_ones = fmt.say("○ others whose first purchase was equally large")
    ax.set_xlabel(f"{_revenue_after(fmt, days)}\n{like_ones}")
    said = "; ".join(
        fmt.say(
            "{label}: {value}, like ones {like}", label=a, value=fmt.money(b), like=fmt.money(c)
        )
        for a, b, c in zip(frame["label"], later, like, strict=True)
    )
    alt = fmt.say(
        "Revenue per customer in the {days} after the first purchase, by its category: {said}.",
        days=fmt.days(days),
        said=said,
    )
    return Drawn(ax, alt)


def money_axis(ax: Axes, fmt: Formats, top: float, least: float = 0.0) -> None:
    """A vertical axis of amounts, with no more decimals than its ticks need."""
    digits = 0 if top >= 10 else None
    value_axis(ax, lambda value: fmt.money(value, digits), top * 1.12)
    if least < 0:
        ax.set_ylim(bottom=least * 1.08)


def _revenue_after(fmt: Formats, days: int) -> str:
    return fmt.say("Revenue per customer,\n{days} after", days=fmt.days(days))
