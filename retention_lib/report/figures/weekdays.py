"""Weekdays and hours in figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    QUIET,
    SEQUENTIAL,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import tick_positions, written_ticks
from retention_lib.report.language import Formats


@drawing
def weekday_lifts(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """How far each weekday is above or below an average day, with intervals.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a weekday, in order: `label`, `lift` (orders over those of an average day, less 1),
        `low`, `high`, `stands_out` (1, −1, else 0).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.9)
    lift, low, high = (plain(frame[name]) for name in ("lift", "low", "high"))
    if not np.isfinite(lift).any():
        return nothing_to_draw(ax, fmt.say("There are too few weeks to draw weekdays."))
    xs = np.arange(len(frame))
    sides = [int(side) for side in frame["stands_out"]]
    colours = [{1: BLUE, -1: ORANGE}.get(side, GREY) for side in sides]
    ax.vlines(xs, low, high, color=colours, linewidth=6, alpha=0.28)
    ax.scatter(xs, lift, color=colours, s=48, zorder=3)
    ax.axhline(0.0, color=QUIET, linewidth=0.9)
    reach = top_of(np.abs(low), np.abs(high), least=0.02)
    ax.set_ylim(min(np.nanmin(low), 0.0) - 0.24 * reach, max(np.nanmax(high), 0.0) + 0.24 * reach)
    for x, value, colour, end in zip(xs, lift, colours, np.where(lift < 0, low, high), strict=True):
        if np.isfinite(value):
            # outwards from the average day, so that no figure lies over its line
            ax.annotate(
                signed(value, fmt),
                (x, end if np.isfinite(end) else value),
                xytext=(0, -6 if value < 0 else 5),
                textcoords="offset points",
                ha="center",
                va="top" if value < 0 else "bottom",
                color=colour,
                fontsize=8.5,
                fontweight="bold",
                annotation_clip=False,
            )
    written_ticks(ax.yaxis, lambda value: signed(value, fmt, 0 if reach >= 0.04 else 1), most=5)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlim(-0.5, len(frame) - 0.5)
    tick_positions(ax.xaxis, xs.tolist(), [str(label) for label in frame["label"]])
    ax.set_ylabel(fmt.say("Orders against\nan average day"))
    said = "; ".join(
        f"{label}: {signed(value, fmt)}"
        for label, value in zip(frame["label"], lift, strict=True)
        if np.isfinite(value)
    )
    return Drawn(ax, fmt.say("Orders by weekday against an average day: {said}.", said=said))


def signed(value: float, fmt: Formats, digits: int = 1) -> str:
    """A share with its sign, also where it is above 0."""
    text = fmt.share(value, digits)
    return f"+{text}" if value > 0 and text != fmt.share(0.0, digits) else text


@drawing
def week_hours(
    frame: pd.DataFrame, fmt: Formats, best: tuple[int, int] | None = None, ax: Axes | None = None
) -> Drawn:
    """Orders by weekday and hour, with the sum of each weekday and of each hour beside.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a weekday (index: its label), a column an hour (0 to 23): orders per such hour.
    fmt : Formats
    best : tuple of int, optional
        First hour, and the hour at which the best hours end (24 and later lie after midnight).
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    rates = frame.to_numpy(dtype=float)
    if frame.empty or not np.nansum(rates) > 0:
        return nothing_to_draw(ax, fmt.say("No order has a time of day to draw."))
    sns.heatmap(
        pd.DataFrame(rates),
        ax=ax,
        cmap=sns.color_palette(SEQUENTIAL, as_cmap=True),
        vmin=0.0,
        vmax=top_of(rates.ravel()),
        linewidths=0.6,
        linecolor="white",
        cbar=False,
        xticklabels=False,
        yticklabels=False,
    )
    rows, columns = rates.shape
    hours = range(0, columns + 1, 3)
    tick_positions(ax.yaxis, [i + 0.5 for i in range(rows)], [str(label) for label in frame.index])
    tick_positions(ax.xaxis, hours, [f"{h:02d}:00" for h in hours])
    ax.tick_params(axis="y", length=0)
    of_all = rates / np.nansum(rates)
    for row, share in enumerate(of_all.sum(axis=1)):
        ax.annotate(
            fmt.share(share),
            (columns, row + 0.5),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=INK,
            annotation_clip=False,
        )
    by_hour = of_all.sum(axis=0)
    inside = set() if best is None else {hour % columns for hour in range(*best)}
    for hour, share in enumerate(by_hour):
        ax.annotate(
            fmt.number(100 * share, 0),
            (hour + 0.5, 0),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=BLUE if hour in inside else QUIET,
            fontweight="bold" if hour in inside else "normal",
            annotation_clip=False,
        )
    ax.set_xlabel(
        fmt.say("Hour of the order\n(over each hour and beside each day: % of all orders)")
    )
    ax.set_ylabel("")
    day, hour = (int(i) for i in np.unravel_index(int(np.nanargmax(rates)), rates.shape))
    alt = fmt.say(
        "Orders by weekday and hour: most on {day} from {hour}, {rate} an hour; the fullest hour "
        "of all days begins at {top_hour} and has {share} of the orders.",
        day=frame.index[day],
        hour=f"{hour:02d}:00",
        rate=fmt.number(rates[day, hour], 1),
        top_hour=f"{int(np.argmax(by_hour)):02d}:00",
        share=fmt.share(float(by_hour.max())),
    )
    return Drawn(ax, alt)
