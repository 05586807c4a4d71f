"""The year's months and the peaks, in figures."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import date2num

from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, spread, top_of
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    QUIET,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import number_tick, tick_positions, value_axis
from retention_lib.report.language import Formats

#: Earlier years than these are drawn as one kind, pale.
COLOURED: Final = 3

#: Most peaks with their date beside them.
MOST_DATED: Final = 5


@drawing
def months_by_year(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Orders a day by calendar month, a line a year.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a whole month, in order: `month` (its first day), `orders_a_day`; `label` of the
        calendar month.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.2)
    rates = plain(frame["orders_a_day"])
    if not np.isfinite(rates).any():
        return nothing_to_draw(ax, fmt.say("There is no whole month to draw."))
    stamps = pd.DatetimeIndex(frame["month"])
    years = sorted(set(stamps.year))
    top = top_of(rates)
    value_axis(ax, number_tick(fmt, top), top)
    ax.set_xlim(0.6, 13.1)
    ends: dict[float, list[tuple[float, str, str]]] = {}
    for place, year in enumerate(years):
        back = len(years) - 1 - place
        colour = (BLUE, ORANGE, INK)[back] if back < COLOURED else GREY
        of_year = np.asarray(stamps.year == year)
        xs, ys = stamps.month.to_numpy()[of_year], rates[of_year]
        ax.plot(
            xs,
            ys,
            color=colour,
            linewidth=2.2 if back == 0 else 1.4,
            alpha=1.0 if back < COLOURED else 0.45,
            marker="o",
            markersize=4 if back < COLOURED else 0 if len(xs) > 1 else 3,
        )
        if back < 2 * COLOURED or place == 0:
            ends.setdefault(float(xs[-1]), []).append((float(ys[-1]), str(year), colour))
    for x, labels in ends.items():
        end_labels(ax, labels, x)
    written = dict(zip(stamps.month, frame["label"], strict=True))
    tick_positions(ax.xaxis, list(written), [str(label) for label in written.values()])
    ax.set_ylabel(fmt.say("Orders a day"))
    said = "; ".join(_highest(frame, stamps, rates, year, fmt) for year in years)
    return Drawn(
        ax, fmt.say("Orders a day by month. Highest month of each year: {said}.", said=said)
    )


def _highest(
    frame: pd.DataFrame, stamps: pd.DatetimeIndex, rates: np.ndarray, year: int, fmt: Formats
) -> str:
    here = np.flatnonzero(stamps.year == year)
    best = here[int(np.nanargmax(np.nan_to_num(rates[here], nan=-1.0)))]
    return f"{fmt.month(frame['month'].iloc[best], long=True)}, {fmt.number(rates[best], 1)}"


@drawing
def marked_peaks(
    frame: pd.DataFrame, peaks: pd.DataFrame, fmt: Formats, step: int = 1, ax: Axes | None = None
) -> Drawn:
    """Orders by day, or by week, against what is usual, with the peaks named by their date.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a day or week, in order: `day` (its first), `orders`, `usual` (without the
        weekdays' ups and downs, which would hide the line).
    peaks : pandas.DataFrame
        A row a peak: `first`, `top` (height of its highest day or week), `excess` (orders above
        what is usual).
    fmt : Formats
    step : int
        Days in a row: 1 or 7.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.2)
    orders, usual = plain(frame["orders"]), plain(frame["usual"])
    if not np.isfinite(orders).any():
        return nothing_to_draw(ax, fmt.say("There are too few orders to draw them by day."))
    xs = np.asarray(date2num(pd.DatetimeIndex(frame["day"]).to_numpy()), dtype=float)
    ax.plot(xs, orders, color=BLUE, linewidth=0.7 if len(xs) > 200 else 1.1, alpha=0.75)
    ax.plot(xs, usual, color=GREY, linewidth=1.0)
    top = top_of(orders, peaks["top"])
    value_axis(ax, fmt.count, top * 1.05, whole=True)
    width = max(float(xs[-1] - xs[0]), 1.0)
    ax.set_xlim(xs[0] - 0.02 * width, xs[-1] + 0.06 * width)
    _month_ticks(ax, frame["day"], fmt)
    _dated(ax, peaks, fmt, width)
    ax.set_ylabel(fmt.say("Orders a day") if step == 1 else fmt.say("Orders a week"))
    end_labels(ax, [(float(usual[-1]), fmt.say("usual"), QUIET)], float(xs[-1]))
    if peaks.empty:
        return Drawn(ax, fmt.say("Orders over time; none stands far above what is usual."))
    ranked = peaks.sort_values("excess", ascending=False).head(MOST_DATED)
    said = "; ".join(
        f"{fmt.date(day)}: {fmt.count(high)}"
        for day, high in zip(ranked["first"], ranked["top"], strict=True)
    )
    return Drawn(
        ax, fmt.say("Orders over time; far above what is usual, highest first: {said}.", said=said)
    )


def _dated(ax: Axes, peaks: pd.DataFrame, fmt: Formats, width: float) -> None:
    """A point on each peak, and beside the largest their date."""
    if peaks.empty:
        return
    at = np.asarray(date2num(pd.DatetimeIndex(peaks["first"]).to_numpy()), dtype=float)
    heights = plain(peaks["top"])
    ax.scatter(at, heights, color=ORANGE, s=26, zorder=4)
    chosen = np.argsort(-plain(peaks["excess"]), kind="stable")[:MOST_DATED]
    left, right = ax.get_xlim()
    room = 0.08 * width
    apart = spread(at[chosen].tolist(), 2 * room, left + room, right - room)
    for i, x in zip(chosen, apart, strict=True):
        ax.annotate(
            fmt.period(peaks["first"].iloc[i], peaks["first"].iloc[i]),
            (at[i], heights[i]),
            xytext=(x, heights[i]),
            textcoords=mpl.transforms.offset_copy(
                ax.transData, fig=ax.get_figure(root=True), y=6, units="points"
            ),
            ha="center",
            va="bottom",
            color=ORANGE,
            fontsize=8,
            fontweight="bold",
            annotation_clip=False,
        )


def _month_ticks(ax: Axes, days: pd.Series, fmt: Formats) -> None:
    stamps = pd.DatetimeIndex(days)
    months = pd.date_range(stamps[0].replace(day=1), stamps[-1], freq="MS")
    step = next((s for s in (1, 2, 3, 6, 12, 24, 60) if len(months) / s <= 8), 120)
    shown = [m for m in months if (m.month - 1 + 12 * m.year) % step == 0 and m >= stamps[0]]
    shown = shown or [stamps[0]]
    ticks = [float(date2num(m.to_datetime64())) for m in shown]
    tick_positions(ax.xaxis, ticks, [fmt.month(m) for m in shown])
