"""Rates over time, each with its interval."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import BLUE, GREEN, ORANGE, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import month_axis, month_numbers, share_tick, value_axis
from retention_lib.report.language import Formats

_COLOURS: Final = (BLUE, ORANGE, GREEN)


@drawing
def rate_trend(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Rates over time with their intervals, such as the retention rate at the end of each quarter.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a date (and rate), by date: `date`, `value` (share), `low`, `high` (its interval; NaN
        where there is none). With several rates `label`, which names them at their end. With
        `compared`, the dates that are compared with each other bear a dot, and no others.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    known = frame[np.isfinite(plain(frame["value"]))]
    if known.empty:
        return nothing_to_draw(ax, fmt.say("There is no date at which the rate is known yet."))
    labels = list(dict.fromkeys(known["label"])) if "label" in known else [""]
    ends, told = [], []
    for label, colour in zip(labels, _COLOURS, strict=False):
        own = known[known["label"] == label] if label else known
        _line(ax, own, colour)
        last = float(plain(own["value"])[-1])
        text = f"{label}\n{fmt.share(last)}" if label else fmt.share(last)
        ends.append((last, text, colour))
        told.append(f"{label}: {_told(own, fmt)}" if label else _told(own, fmt))
    # Rates are taken at ends of months; a month is the step of the axis.
    xs = month_numbers(known["date"])
    top = min(top_of(plain(known["value"]), plain(known["high"])), 1.0)
    value_axis(ax, share_tick(fmt, top), top)
    month_axis(ax, xs, fmt.month)
    end_labels(ax, ends, xs.max(), lines=2 if len(labels) > 1 else 1)
    return Drawn(ax, " ".join(told))


def _line(ax: Axes, own: pd.DataFrame, colour: str) -> None:
    xs = month_numbers(own["date"])
    value, low, high = (plain(own[name]) for name in ("value", "low", "high"))
    ax.fill_between(xs, low, high, color=colour, alpha=0.16, linewidth=0)
    if len(own) == 1:
        ax.vlines(xs, low, high, color=colour, alpha=0.5)
    ax.plot(xs, value, color=colour)
    marked = own["compared"].to_numpy(dtype=bool) if "compared" in own else len(own) < 25
    dots = np.broadcast_to(marked, xs.shape)
    ax.plot(xs[dots], value[dots], "o", color=colour, markersize=4.5)
    ax.plot(xs[-1:], value[-1:], color=colour, marker="o", markersize=6)


def _told(own: pd.DataFrame, fmt: Formats) -> str:
    value, low, high = (plain(own[name]) for name in ("value", "low", "high"))
    now = {"last": fmt.date(own["date"].iloc[-1]), "value": fmt.share(value[-1])}
    if len(own) == 1:
        written = fmt.say("At {last} the rate was {value}.", **now)
    else:
        then = {"first": fmt.date(own["date"].iloc[0]), "start": fmt.share(value[0])}
        written = fmt.say(
            "The rate went from {start} at {first} to {value} at {last}.", **then, **now
        )
    if np.isfinite(low[-1]) and np.isfinite(high[-1]):
        written += " " + fmt.say(
            "The last has an interval from {low} to {high}.",
            low=fmt.share(low[-1]),
            high=fmt.share(high[-1]),
        )
    return written
