"""From category to category, in figures: what follows the first purchase, who takes up what."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from retention_lib.report.figures.marks import (
    beside,
    nothing_to_draw,
    plain,
    shortened,
    top_of,
    upright,
)
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    QUIET,
    RULE,
    SEQUENTIAL,
    Drawn,
    canvas,
    drawing,
    text_on,
)
from retention_lib.report.figures.ticks import tick_positions
from retention_lib.report.language import Formats

#: Ratios that are written on an axis.
_STEPS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 20.0, 50.0, 100.0)


@drawing
def second_category(
    shares: pd.DataFrame, sizes: pd.Series, fmt: Formats, ax: Axes | None = None
) -> Drawn:
    """Of those with a category in the first purchase, who bought which in the second.

    On the diagonal, framed, those who bought the same again; beside it those who took up a category
    that the first purchase didn't have.

    Parameters
    ----------
    shares : pandas.DataFrame
        A row a category of the first purchase, a column a category of the second, in one order;
        NaN where too few customers say something.
    sizes : pandas.Series
        Customers of each row, by the same index.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.2 + 0.28 * max(len(shares), 4))
    values = shares.to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(values).any():
        return nothing_to_draw(ax, fmt.say("Too few customers bought twice to draw what they buy."))
    top = top_of(values.ravel())
    written = np.array(
        [["" if np.isnan(v) else fmt.number(100 * v, 0) for v in row] for row in values],
        dtype=object,
    ).reshape(values.shape)
    sns.heatmap(
        pd.DataFrame(values),
        ax=ax,
        cmap=sns.color_palette(SEQUENTIAL, as_cmap=True),
        vmin=0.0,
        vmax=top,
        annot=written,
        fmt="",
        annot_kws={"fontsize": 8},
        linewidths=0.8,
        linecolor="white",
        cbar=False,
        xticklabels=False,
        yticklabels=False,
    )
    _readable(ax, values, top)
    columns = list(shares.columns)
    for row, name in enumerate(shares.index):
        if name in columns:
            place = (columns.index(name), row)
            ax.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=INK, linewidth=1.1, zorder=3))
    names = [
        f"{shortened(name, 22, 1)}  ({fmt.count(n)})"
        for name, n in zip(shares.index, plain(sizes.reindex(shares.index)), strict=True)
    ]
    ax.tick_params(axis="both", length=0, labelsize=8)
    ax.tick_params(axis="x", labelrotation=90)
    tick_positions(ax.yaxis, [i + 0.5 for i in range(len(names))], names)
    tick_positions(
        ax.xaxis,
        [i + 0.5 for i in range(shares.shape[1])],
        [shortened(name, 16, 1) for name in shares.columns],
    )
    ax.set_ylabel(fmt.say("In the first purchase (customers)"))
    ax.set_xlabel(
        fmt.say("In the second purchase, in % of those customers; framed: the same again")
    )
    return Drawn(ax, _alt_of_second(shares, values, fmt))


def _readable(ax: Axes, values: np.ndarray, top: float) -> None:
    """Write each figure in white or black, whichever stands out more from its cell."""
    colours = sns.color_palette(SEQUENTIAL, as_cmap=True)
    for text, value in zip(ax.texts, values.ravel(), strict=False):
        ground = colours(value / top) if np.isfinite(value) else (1.0, 1.0, 1.0)
        text.set_color(text_on(ground))


def _alt_of_second(shares: pd.DataFrame, values: np.ndarray, fmt: Formats) -> str:
    said = "; ".join(
        fmt.say(
            "{first}: most often {second}, {share}",
            first=name,
            second=shares.columns[int(np.nanargmax(row))],
            share=fmt.share(float(np.nanmax(row)), 0),
        )
        for name, row in zip(shares.index, values, strict=True)
        if np.isfinite(row).any()
    )
    return fmt.say("Category of the second purchase by that of the first: {said}.", said=said)


@drawing
def lifts(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """How much more often a category is taken up with another than without it.

    The axis is of ratios: twice and half as often are equally far from as often.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a pair, in the order to be shown: `label`, `share` (who took it up), `lift` over
        customers who are otherwise alike with `lift_low`, `lift_high`, `raw_lift` over all others,
        `above` (0 where the lift can't be told from 1).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=1.5 + 0.34 * max(len(frame), 2))
    lift, low, high, raw = (
        plain(frame[name]) for name in ("lift", "lift_low", "lift_high", "raw_lift")
    )
    if not np.isfinite(lift).any():
        return nothing_to_draw(ax, fmt.say("Too few customers to draw who takes up what."))
    ys = np.arange(len(frame))[::-1].astype(float)
    out = frame["above"].to_numpy() != 0
    left, right = _ratios(lift, low, high, raw)
    ax.set_xscale("log")
    ax.set_xlim(left, right)
    ax.set_ylim(-0.6, len(frame) + 0.1)
    ax.hlines(ys, left, right, color=RULE, linewidth=0.6, zorder=0)
    for which, colour in ((~out, GREY), (out, BLUE)):
        ax.hlines(
            ys[which], low[which], high[which], color=colour, alpha=0.4, linewidth=4, zorder=2
        )
        ax.plot(lift[which], ys[which], "o", markersize=5.5, color=colour, zorder=4)
    ax.plot(raw, ys, "o", markersize=8, mfc="none", mec=QUIET, mew=1.1, zorder=3)
    upright(ax, 1.0, fmt.say("as often"), "left", foot=-0.6)
    for y, share, times, bold in zip(ys, plain(frame["share"]), lift, out, strict=True):
        text = fmt.say("{lift} ×  ({share})", lift=fmt.number(times), share=fmt.share(share))
        beside(ax, y, text, bold=bool(bold))
    tick_positions(ax.yaxis, ys.tolist(), [shortened(text, 40) for text in frame["label"]])
    steps = [x for x in _STEPS if left <= x <= right]
    ax.xaxis.set_minor_locator(NullLocator())
    tick_positions(ax.xaxis, steps, [fmt.number(x, 0 if x >= 1 else 2) for x in steps])
    ax.spines["left"].set_visible(False)
    alike = fmt.say("Taken up so many times as often as by customers without the first category")
    ax.set_xlabel(f"{alike}\n{fmt.say('● who shop alike   ○ whoever they are')}")
    said = "; ".join(
        fmt.say(
            "{pair}: {lift} times as often as like customers, interval {low} to {high}",
            pair=a,
            lift=fmt.number(b),
            low=fmt.number(c),
            high=fmt.number(d),
        )
        for a, b, c, d in zip(frame["label"], lift, low, high, strict=True)
    )
    alt = fmt.say("Who takes up a category after another: {said}.", said=said)
    return Drawn(ax, alt)


def _ratios(*values: np.ndarray) -> tuple[float, float]:
    """From where to where the axis goes: 1 and all that is drawn, no less than half to twice."""
    every = np.concatenate([np.atleast_1d(v) for v in values])
    every = every[np.isfinite(every) & (every > 0)]
    return min(0.5, float(every.min()) / 1.1), max(2.0, float(every.max()) * 1.1)
