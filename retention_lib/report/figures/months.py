"""Figures by calendar month: customers, revenue, orders, and a rate over time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import (
    end_labels,
    month_axis,
    month_numbers,
    nothing_to_draw,
    plain,
    top_of,
    unfinished_bars,
    unfinished_label,
    value_axis,
    written_ticks,
)
from retention_lib.report.figures.style import BLUE, COLOURS, TEXT_COLOURS, Drawn, canvas, drawing
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
    alt = fmt.text(
        "Customers with a purchase per month, {first} to {last}: most in {peak_month}, {peak}; "
        "in the last whole month, {whole_month}, {whole}, of whom {new} new and {returning} returning."
    )
    return _new_and_returning(frame, fmt, fmt.count, True, alt, ax)


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
    alt = fmt.text(
        "Revenue per month, {first} to {last}: most in {peak_month}, {peak}; in the last whole "
        "month, {whole_month}, {whole}, of which {new} from new customers and {returning} from "
        "returning ones."
    )
    return _new_and_returning(frame, fmt, fmt.money, False, alt, ax)


def _new_and_returning(
    frame: pd.DataFrame,
    fmt: Formats,
    write: Callable[[float], str],
    whole: bool,
    alt: str,
    ax: Axes | None,
) -> Drawn:
    """Stacked bars of two series, returning below, and the sentence filled in."""
    ax = canvas(ax)
    if frame.empty:
        sentence = fmt.text("There is no month with a purchase to draw.")
        nothing_to_draw(ax, sentence)
        return Drawn(ax, sentence)
    xs = month_numbers(frame["month"])
    open_ = (~frame["complete"].astype(bool)).to_numpy()
    # Returns can leave a series below 0 in a month; stacked from 0 down it stays readable.
    series = {name: np.nan_to_num(plain(frame[name])) for name in ("returning", "new")}
    base = np.zeros(len(frame))
    for name, heights in series.items():
        bars = ax.bar(xs, heights, bottom=base, width=0.78, color=COLOURS[name])
        unfinished_bars(bars, list(open_))
        base = base + heights
    value_axis(ax, write, top_of(base), whole=whole)
    if base.min() < 0 or min(s.min() for s in series.values()) < 0:
        ax.set_ylim(bottom=min(base.min(), *(s.min() for s in series.values())) * 1.08)
    month_axis(ax, xs, fmt.month)
    names = {"returning": fmt.text("Returning"), "new": fmt.text("New")}
    # The labels stand beside the last bar; where it is a stub they would hang at the foot, so the
    # last whole month gives their height.
    finished = np.flatnonzero(~open_)
    at = int(finished[-1]) if finished.size else len(frame) - 1
    middle = {
        "returning": series["returning"][at] / 2,
        "new": series["returning"][at] + series["new"][at] / 2,
    }
    end_labels(
        ax, [(middle[name], names[name], TEXT_COLOURS[name]) for name in names], xs.max() + 0.5
    )
    unfinished_label(ax, xs[open_], base[open_], fmt.text("unfinished"))
    peak = int(np.argmax(base))
    return Drawn(
        ax,
        alt.format(
            first=fmt.month(frame["month"].iloc[0]),
            last=fmt.month(frame["month"].iloc[-1]),
            peak_month=fmt.month(frame["month"].iloc[peak]),
            peak=write(base[peak]),
            whole_month=fmt.month(frame["month"].iloc[at]),
            whole=write(base[at]),
            new=write(series["new"][at]),
            returning=write(series["returning"][at]),
        ),
    )


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
        sentence = fmt.text("There is no month with an order to draw.")
        nothing_to_draw(ax, sentence)
        return Drawn(ax, sentence)
    xs = month_numbers(frame["month"])
    open_ = (~frame["complete"].astype(bool)).to_numpy()
    heights = np.nan_to_num(plain(frame["orders"]))
    unfinished_bars(ax.bar(xs, heights, width=0.78, color=BLUE), list(open_))
    value_axis(ax, fmt.count, top_of(heights), whole=True)
    month_axis(ax, xs, fmt.month)
    unfinished_label(ax, xs[open_], heights[open_], fmt.text("unfinished"))
    # A month cut short is no low, so highest and lowest are sought among the whole ones.
    among = np.flatnonzero(~open_) if (~open_).any() else np.arange(len(frame))
    high, low = among[np.argmax(heights[among])], among[np.argmin(heights[among])]
    for i in {int(high), int(low)}:
        ax.annotate(
            fmt.count(heights[i]),
            (xs[i], heights[i]),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8.5,
        )
    alt = fmt.text(
        "Orders per month, {first} to {last}: of the whole months, most in {high_month}, {high}, "
        "and fewest in {low_month}, {low}."
    ).format(
        first=fmt.month(frame["month"].iloc[0]),
        last=fmt.month(frame["month"].iloc[-1]),
        high_month=fmt.month(frame["month"].iloc[int(high)]),
        high=fmt.count(heights[high]),
        low_month=fmt.month(frame["month"].iloc[int(low)]),
        low=fmt.count(heights[low]),
    )
    return Drawn(ax, alt)


@drawing
def rate_trend(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """A rate over time with its interval, such as the retention rate at the end of each month.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a date: `date`, `value` (share), `low`, `high` (its interval; NaN where there is
        none).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    known = frame[np.isfinite(plain(frame["value"]))]
    if known.empty:
        sentence = fmt.text("There is no date at which the rate is known yet.")
        nothing_to_draw(ax, sentence)
        return Drawn(ax, sentence)
    # Rates are taken at month ends; a month is the step of the axis.
    xs = month_numbers(known["date"])
    value, low, high = (plain(known[name]) for name in ("value", "low", "high"))
    ax.fill_between(xs, low, high, color=BLUE, alpha=0.16, linewidth=0)
    lone = len(known) == 1
    if lone:
        ax.vlines(xs, low, high, color=BLUE, alpha=0.5)
    ax.plot(xs, value, color=BLUE, marker="o" if len(known) < 25 else "", markersize=4)
    ax.plot(xs[-1:], value[-1:], color=BLUE, marker="o", markersize=6)
    value_axis(ax, fmt.share, min(top_of(value, high), 1.0))
    month_axis(ax, xs, fmt.month)
    end_labels(ax, [(value[-1], fmt.share(value[-1]), BLUE)], xs[-1])
    last, first = known["date"].iloc[-1], known["date"].iloc[0]
    if lone:
        alt = fmt.text("The rate at {last} was {value}.")
    else:
        alt = fmt.text("The rate went from {start} at {first} to {value} at {last}.")
    written = alt.format(
        first=fmt.date(first),
        last=fmt.date(last),
        start=fmt.share(value[0]),
        value=fmt.share(value[-1]),
    )
    if np.isfinite(low[-1]) and np.isfinite(high[-1]):
        written += " " + fmt.text("The last has an interval from {low} to {high}.").format(
            low=fmt.share(low[-1]), high=fmt.share(high[-1])
        )
    return Drawn(ax, written)
