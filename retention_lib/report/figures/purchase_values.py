"""What purchases are worth, by which one it is, in a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.later_value import money_axis
from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import BLUE, GREY, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import tick_positions
from retention_lib.report.language import Formats


@drawing
def purchase_values(
    frame: pd.DataFrame, fmt: Formats, together: int, n_same: int, ax: Axes | None = None
) -> Drawn:
    """The mean purchase by its number: of all who made it, and of the same customers throughout.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a purchase: `number`, `mean`, `low`, `high`; `same`, `same_low`, `same_high`, NaN
        after the last that the same customers all made.
    fmt : Formats
    together : int
        The purchases that these customers made at least.
    n_same : int
        How many they are.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    every, low, high = (plain(frame[name]) for name in ("mean", "low", "high"))
    same, same_low, same_high = (plain(frame[n]) for n in ("same", "same_low", "same_high"))
    if not np.isfinite(every).any():
        return nothing_to_draw(ax, fmt.say("Too few customers to draw what purchases are worth."))
    xs = np.arange(len(frame))
    for middle, lower, upper, colour in (
        (every, low, high, GREY),
        (same, same_low, same_high, BLUE),
    ):
        ax.fill_between(xs, lower, upper, color=colour, alpha=0.15, linewidth=0)
        ax.plot(xs, middle, color=colour, marker="o", markersize=5.5)
    money_axis(ax, fmt, top_of(every, high, same, same_high))
    ax.set_xlim(-0.3, max(len(frame) - 0.7, 0.7))
    tick_positions(ax.xaxis, xs.tolist(), [fmt.count(n) for n in frame["number"]])
    ax.set_xlabel(fmt.say("Purchase"))
    ax.set_ylabel(fmt.say("Mean value"))
    labels = [(float(every[np.isfinite(every)][-1]), fmt.say("all who\nmade it"), GREY)]
    if np.isfinite(same).any():
        who = fmt.say("the same {n}\ncustomers", n=fmt.count(n_same))
        labels.append((float(same[np.isfinite(same)][0]), who, BLUE))
        _named(ax, labels[1], 0.0)
    end_labels(ax, labels[:1], float(xs[-1]), lines=2)
    ends = {
        "first": fmt.money(every[0]),
        "last": fmt.money(every[-1]),
        "n": fmt.count(len(frame)),
    }
    alt = fmt.say("Mean value of a purchase: the first {first}, number {n} {last}.", **ends)
    known = np.flatnonzero(np.isfinite(same))
    if known.size:
        alt += " " + fmt.say(
            "Of the same {customers} customers: the first {first}, number {n} {last}.",
            customers=fmt.count(n_same),
            first=fmt.money(same[known[0]]),
            last=fmt.money(same[known[-1]]),
            n=fmt.count(together),
        )
    return Drawn(ax, alt)


def _named(ax: Axes, label: tuple[float, str, str], x: float) -> None:
    """A series' name over its first point, where the two lines are farthest apart."""
    y, text, colour = label
    ax.annotate(
        text.replace("\n", " "),
        (x, y),
        xytext=(0, 12),
        textcoords="offset points",
        ha="left",
        va="bottom",
        color=colour,
        fontsize=8.5,
        fontweight="bold",
    )
