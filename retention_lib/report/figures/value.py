"""Figures of where the value lies: concentration, and segments."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import nothing_to_draw, plain, shortened, top_of, wrapped
from retention_lib.report.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    QUIET,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import share_tick, tick_positions, written_ticks
from retention_lib.report.language import Formats


@drawing
def value_concentration(
    frame: pd.DataFrame,
    fmt: Formats,
    top20: float | None,
    of: Literal["value", "revenue"] = "value",
    ax: Axes | None = None,
) -> Drawn:
    """What share of all value the best customers hold (Lorenz curve, best first).

    Parameters
    ----------
    frame : pandas.DataFrame
        In order, best customers first: `share_of_customers` and `share_of_value`, both cumulative
        and both from 0 to 1.
    fmt : Formats
    top20 : float or None
        Share of value of the best fifth; None where it can't be known.
    of : {"value", "revenue"}
        What is shared out, as the labels call it: expected value, or revenue that was.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.6)
    xs, ys = plain(frame["share_of_customers"]), plain(frame["share_of_value"])
    seen = np.isfinite(xs) & np.isfinite(ys)
    if not seen.any():
        return nothing_to_draw(ax, fmt.say("There is no value to share out between the customers."))
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    ax.fill_between(xs[seen], xs[seen], ys[seen], color=BLUE, alpha=0.10, linewidth=0)
    ax.plot(xs[seen], ys[seen], color=BLUE, linewidth=2.2, marker="" if seen.sum() > 1 else "o")
    ax.set_xlim(0, 1)
    # Returns can carry the curve above all value before the last customers take it back.
    ax.set_ylim(min(0.0, float(ys[seen].min())), max(1.03, float(ys[seen].max()) * 1.03))
    written_ticks(ax.xaxis, share_tick(fmt, 1.0), most=6)
    written_ticks(ax.yaxis, share_tick(fmt, 1.0), most=6)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(fmt.say("Share of customers, best first"))
    ax.set_ylabel(fmt.say("Share of value") if of == "value" else fmt.say("Share of revenue"))
    ax.annotate(
        fmt.say("if all were worth the same")
        if of == "value"
        else fmt.say("if all spent the same"),
        (0.7, 0.7),
        xytext=(7, -7),
        textcoords="offset points",
        ha="left",
        va="top",
        color=QUIET,
        fontsize=8.5,
    )
    if top20 is None or not np.isfinite(top20):
        return Drawn(ax, fmt.say("The share of the best fifth of customers can't be known."))
    bottom = ax.get_ylim()[0]
    ax.plot([0.2, 0.2], [bottom, top20], color=BLUE, linewidth=0.9, linestyle=(0, (3, 2)))
    ax.plot([0.2], [top20], "o", color=BLUE, markersize=7, zorder=5)
    share = fmt.share(top20)
    text = (
        fmt.say("The best fifth of customers: {share} of the value", share=share)
        if of == "value"
        else fmt.say("The best fifth of customers: {share} of the revenue", share=share)
    )
    ax.annotate(
        wrapped(text, 28),
        (0.2, top20),
        xytext=(12, -8),
        textcoords="offset points",
        va="top",
        color=INK,
        fontweight="bold",
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.5},
        zorder=6,
    )
    return Drawn(ax, text + ".")


@drawing
def segments(
    frame: pd.DataFrame, fmt: Formats, value: str | None = None, ax: Axes | None = None
) -> Drawn:
    """Each segment's share of the customers beside its share of the value.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a segment, in the order to be shown: `segment` (its name), `customers`, and `revenue`
        or `clv` in the report's currency.
    fmt : Formats
    value : str, optional
        The column of value; by default `clv` where there is one, else `revenue`.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn

    Raises
    ------
    ValueError
        No column of value.
    """
    column = value or next((c for c in ("clv", "revenue") if c in frame), None)
    if column is None or column not in frame:
        raise ValueError(
            "The frame for the segments has no column of value; give it `revenue` or `clv`."
        )
    ax = canvas(ax, height=0.9 + 0.5 * max(len(frame), 3))
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("There is no segment to draw."))
    parts = {"customers": _shares(frame["customers"]), "value": _shares(frame[column])}
    names = {
        "customers": fmt.say("of customers"),
        "value": fmt.say("of expected value") if column == "clv" else fmt.say("of revenue"),
    }
    ys = np.arange(len(frame))[::-1].astype(float)
    largest = {name: int(np.nanargmax(shares)) for name, shares in parts.items()}
    for name, shift in (("customers", 0.19), ("value", -0.19)):
        ax.barh(ys + shift, parts[name], height=0.34, color=COLOURS[name])
        for i, share in enumerate(parts[name]):
            # The series is named once, at its longest bar, where there is most to see.
            text = fmt.share(share) + (f" {names[name]}" if i == largest[name] else "")
            ax.annotate(
                text,
                (max(share, 0.0), ys[i] + shift),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=COLOURS[name],
                fontsize=8.5,
                fontweight="bold" if i == largest[name] else "normal",
                annotation_clip=False,
            )
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.set_xlim(min(0.0, *(s.min() for s in parts.values())), top_of(*parts.values()) * 1.02)
    tick_positions(
        ax.yaxis, ys.tolist(), [shortened(name, 26, lines=3) for name in frame["segment"]]
    )
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    said = "; ".join(
        f"{name}: {fmt.share(a)} {names['customers']}, {fmt.share(b)} {names['value']}"
        for name, a, b in zip(frame["segment"], parts["customers"], parts["value"], strict=True)
    )
    return Drawn(ax, said + ".")


def _shares(values: pd.Series) -> np.ndarray:
    """Each value's share of their sum; 0 where the sum isn't above 0."""
    numbers = np.nan_to_num(plain(values))
    total = float(numbers.sum())
    return numbers / total if total > 0 else np.zeros(len(numbers))
