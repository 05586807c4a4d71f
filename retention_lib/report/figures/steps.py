"""From one purchase to the next, in a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import nothing_to_draw, over, plain, top_of
from retention_lib.report.figures.style import BLUE, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import share_tick, tick_positions, value_axis
from retention_lib.report.language import Formats


@drawing
def next_purchase(frame: pd.DataFrame, fmt: Formats, days: int, ax: Axes | None = None) -> Drawn:
    """The share of customers who buy again in time, by how many purchases came before.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a number of purchases, in order: `number`, `share`, `low`, `high`.
    fmt : Formats
    days : int
        Within how many days they buy again.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.8)
    shares, low, high = (plain(frame[name]) for name in ("share", "low", "high"))
    if not np.isfinite(shares).any():
        return nothing_to_draw(ax, fmt.say("Nobody was watched long enough to draw who returns."))
    xs = np.arange(len(frame))
    ax.vlines(xs, low, high, color=BLUE, linewidth=6, alpha=0.25)
    ax.plot(xs, shares, color=BLUE, marker="o", markersize=7)
    value_axis(ax, share_tick(fmt, 1.0), min(top_of(shares, high) * 1.15, 1.0))
    for x, share, upper in zip(xs, shares, high, strict=True):
        if np.isfinite(share):
            over(ax, float(x), share, upper, fmt.share(share))
    ax.set_xlim(-0.5, max(len(frame) - 0.5, 0.5))
    tick_positions(ax.xaxis, xs.tolist(), [fmt.count(n) for n in frame["number"]])
    ax.set_xlabel(fmt.say("Purchases so far"))
    ax.set_ylabel(fmt.say("Buy again within {days}", days=fmt.days(days)))
    said = "; ".join(
        f"{fmt.count(number)}: {fmt.share(share)}"
        for number, share in zip(frame["number"], shares, strict=True)
        if np.isfinite(share)
    )
    alt = fmt.say(
        "Share of customers who buy again within {days}, by purchases so far: {said}.",
        days=fmt.days(days),
        said=said,
    )
    return Drawn(ax, alt)
