"""Figures by calendar month: customers, revenue, orders."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import (
    end_labels,
    nothing_to_draw,
    plain,
    top_of,
    unfinished_bars,
    unfinished_label,
)
from retention_lib.report.figures.style import BLUE, COLOURS, TEXT_COLOURS, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import (
    Number,
    month_axis,
    month_numbers,
    value_axis,
)
from retention_lib.report.language import Formats


@drawing
def monthly_customers(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Customers with a purchase, month by month, new ones apart from returning ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month: `month` (its first day), `new` and `returning` (customers), `complete`
        (False where the data don't cover the whole month).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    if frame.empty:
        return _no_month(ax, fmt)
    found = _new_and_returning(ax, frame, fmt, fmt.count, fmt.count)
    span = fmt.say(
        "Customers with a purchase per month, {first} to {last}: most in {peak_month}, {peak}.",
        **found,
    )
    latest = fmt.say(
        "In {whole_month}, the last whole month, {whole}: {new} new and {returning} returning.",
        **found,
    )
    return Drawn(ax, f"{span} {latest}" if frame["complete"].any() else span)


@drawing
def monthly_revenue(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Revenue month by month, from new customers and from returning ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month: `month` (its first day), `new` and `returning` (revenue in the report's
        currency), `complete`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    if frame.empty:
        return _no_month(ax, fmt)
    found = _new_and_returning(ax, frame, fmt, fmt.money, _money_tick(frame, fmt))
    span = fmt.say("Revenue per month, {first} to {last}: most in {peak_month}, {peak}.", **found)
    latest = fmt.say(
        "In {whole_month}, the last whole month, {whole}: {new} from new and {returning} from "
        "returning customers.",
        **found,
    )
    return Drawn(ax, f"{span} {latest}" if frame["complete"].any() else span)


def _no_month(ax: Axes, fmt: Formats) -> Drawn:
    return nothing_to_draw(ax, fmt.say("There is no month with a purchase to draw."))


def _money_tick(frame: pd.DataFrame, fmt: Formats) -> Number:
    """Round amounts without decimals, unless all are so small that the decimals are the figure."""
    small = top_of(np.abs(plain(frame["new"])), np.abs(plain(frame["returning"]))) < 10
    return lambda value: fmt.money(value, 2 if small else 0)


def _new_and_returning(
    ax: Axes, frame: pd.DataFrame, fmt: Formats, write: Number, tick: Number
) -> dict[str, str]:
    """Draw two series as stacked bars, returning customers below; the figures for the sentence."""
    xs = month_numbers(frame["month"])
    open_ = (~frame["complete"].astype(bool)).to_numpy()
    # Returns can leave a series below 0 in a month; stacked from 0 down it stays readable.
    series = {name: np.nan_to_num(plain(frame[name])) for name in ("returning", "new")}
    base = np.zeros(len(frame))
    for name, heights in series.items():
        # a white line between the two, for eyes that don't tell the colours apart
        bars = ax.bar(
            xs, heights, bottom=base, width=0.78, color=COLOURS[name], edgecolor="white", lw=0.8
        )
        unfinished_bars(bars, list(open_))
        base = base + heights
    value_axis(ax, tick, top_of(base), whole=tick == fmt.count)
    if base.min() < 0 or min(s.min() for s in series.values()) < 0:
        ax.set_ylim(bottom=min(base.min(), *(s.min() for s in series.values())) * 1.08)
    month_axis(ax, xs, fmt.month)
    names = {"returning": fmt.say("Returning"), "new": fmt.say("New")}
    finished = np.flatnonzero(~open_)
    at = int(finished[-1]) if finished.size else len(frame) - 1
    feet = {"returning": np.zeros(len(frame)), "new": series["returning"]}
    ends = []
    for name, text in names.items():
        here, label = _place_to_name(ax, xs, series[name], feet[name], base, at)
        if here < 0:
            ends.append((label, text, TEXT_COLOURS[name]))
        else:
            end_labels(ax, [(label, text, TEXT_COLOURS[name])], xs[here] + 0.4)
    end_labels(ax, ends, xs.max() + 0.5)
    unfinished_label(ax, xs, base, open_, fmt.say("unfinished"))
    peak = int(np.argmax(base))
    months = [fmt.month(month, long=True) for month in frame["month"]]
    return {
        "first": months[0],
        "last": months[-1],
        "peak_month": months[peak],
        "peak": write(base[peak]),
        "whole_month": months[at],
        "whole": write(base[at]),
        "new": write(series["new"][at]),
        "returning": write(series["returning"][at]),
    }


def _place_to_name(
    ax: Axes, xs: np.ndarray, heights: np.ndarray, feet: np.ndarray, tops: np.ndarray, at: int
) -> tuple[int, float]:
    """Where the name of a series stands: the bar it is beside, -1 for the last, and its height.

    A series too thin to see at the end, such as new customers in a log of one quarter's arrivals,
    is named beside the last bar in which it can be seen, where the bars after it leave the room.
    """
    least = 0.05 * ax.get_ylim()[1]
    middle = feet + heights / 2
    seen = np.flatnonzero(heights >= least)
    if heights[at] < least and seen.size and seen[-1] < at:
        last = int(seen[-1])
        behind = (xs > xs[last]) & (xs <= xs[last] + 5)
        if not behind.any() or tops[behind].max() + least < middle[last]:
            return last, float(middle[last])
    return -1, float(middle[at])


@drawing
def orders_by_month(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Orders per month.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month: `month` (its first day), `orders`, `complete`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("There is no month with an order to draw."))
    xs = month_numbers(frame["month"])
    open_ = (~frame["complete"].astype(bool)).to_numpy()
    heights = np.nan_to_num(plain(frame["orders"]))
    unfinished_bars(ax.bar(xs, heights, width=0.78, color=BLUE), list(open_))
    value_axis(ax, fmt.count, top_of(heights), whole=True)
    month_axis(ax, xs, fmt.month)
    unfinished_label(ax, xs, heights, open_, fmt.say("unfinished"))
    # A month cut short is no low, so highest and lowest are sought among the whole ones.
    among = np.flatnonzero(~open_) if (~open_).any() else np.arange(len(frame))
    high, low = among[np.argmax(heights[among])], among[np.argmin(heights[among])]
    near = max(1.0, 0.11 * np.ptp(xs))
    taken = [*xs[open_]]
    for i in dict.fromkeys((int(high), int(low))):
        if any(abs(xs[i] - x) <= near for x in taken):
            continue
        taken.append(xs[i])
        at_edge = xs[i] - xs.min() < 0.05 * np.ptp(xs)
        ax.annotate(
            fmt.count(heights[i]),
            (xs[i] - 0.39 if at_edge else xs[i], heights[i]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="left" if at_edge else "center",
            fontsize=8.5,
        )
    months = [fmt.month(month, long=True) for month in frame["month"]]
    found = {
        "first": months[0],
        "last": months[-1],
        "high_month": months[int(high)],
        "high": fmt.count(heights[high]),
        "low_month": months[int(low)],
        "low": fmt.count(heights[low]),
    }
    alt = fmt.say(
        "Orders per month, {first} to {last}: most in {high_month}, {high}, and fewest in "
        "{low_month}, {low}.",
        **found,
    )
    if open_.any():
        alt += " " + fmt.say("Months that aren't whole are left out of the comparison.")
    return Drawn(ax, alt if not open_.all() else fmt.say("No month is whole yet."))
