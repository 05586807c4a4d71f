"""Figures of who stayed: the flow of customers, the rates with their intervals, the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.flow import waterfall
from retention_lib.report.figures.marks import (
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
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import share_tick, tick_positions, value_axis, written_ticks
from retention_lib.report.language import Formats


@drawing
def customer_flow(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """From the customers at the start to those at the end: who was lost, came back, is new.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a step, in order: `step` (its name), `kind` (`start`, `loss`, `gain` or `end`),
        `value` (customers, not negative).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("There are no customers in either period to draw."))
    kinds = frame["kind"].tolist()
    values = np.abs(np.nan_to_num(plain(frame["value"])))
    written = [
        ({"loss": "−", "gain": "+"}.get(kind, "") if value else "") + fmt.count(value)
        for kind, value in zip(kinds, values, strict=True)
    ]
    steps = waterfall(ax, frame, values, written, lambda _: fmt.count, whole=True)
    return Drawn(ax, fmt.say("The flow of active customers. {steps}.", steps=steps))


@drawing
def retention_shares(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Rates with their intervals, and the same a period earlier as hollow dots.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a rate: `label`, `value` (share), `low`, `high` (its interval), `n` (customers it
        rests on), `previous` (share a period earlier). All but `label` may be NaN.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=0.9 + 0.42 * max(len(frame), 2))
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("There is no rate to draw."))
    value, low, high, n, previous = (
        plain(frame[name]) for name in ("value", "low", "high", "n", "previous")
    )
    ys = np.arange(len(frame))[::-1]
    ax.hlines(ys, 0, 1, color=RULE, linewidth=0.6, zorder=0)
    ax.hlines(ys, low, high, color=BLUE, alpha=0.4, linewidth=4, clip_on=False, zorder=2)
    ax.plot(
        previous, ys, "o", markersize=5.5, mfc="white", mec=QUIET, mew=1.3, zorder=3, clip_on=False
    )
    ax.plot(value, ys, "o", markersize=5.5, color=BLUE, zorder=4, clip_on=False)
    top = min(top_of(value, high, previous) * 1.06, 1.0)
    ax.set_xlim(0, top)
    ax.set_ylim(-0.6, len(frame) - 0.2)
    sentences = []
    for i, label in enumerate(frame["label"]):
        text = fmt.share(value[i]) if np.isfinite(value[i]) else fmt.say("not known")
        if np.isfinite(n[i]):
            text = fmt.say("{rate}  (n = {n})", rate=text, n=fmt.count(n[i]))
        # One column of figures at the right reads as a table and meets no dot.
        ax.annotate(
            text,
            (1.0, float(ys[i])),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
            fontsize=8.5,
            annotation_clip=False,
        )
        sentences.append(_rate_sentence(str(label), text, low[i], high[i], previous[i], fmt))
    marked = np.flatnonzero(np.isfinite(previous))
    if marked.size:
        first = int(marked[0])
        share = previous[first] / top
        ax.annotate(
            fmt.say("a period earlier"),
            (previous[first], float(ys[first])),
            xytext=(0, 7),
            textcoords="offset points",
            ha="left" if share < 0.15 else "right" if share > 0.85 else "center",
            va="bottom",
            color=QUIET,
            fontsize=8,
            fontstyle="italic",
        )
    tick_positions(ax.yaxis, ys.tolist(), [shortened(s, 34) for s in frame["label"]])
    written_ticks(ax.xaxis, share_tick(fmt, top), most=5)
    ax.spines["left"].set_visible(False)
    return Drawn(ax, " ".join(sentences))


def _rate_sentence(
    label: str, text: str, low: float, high: float, previous: float, fmt: Formats
) -> str:
    parts = [f"{label}: {text.replace('  ', ' ')}"]
    if np.isfinite(low) and np.isfinite(high):
        parts.append(fmt.say("interval {low} to {high}", low=fmt.share(low), high=fmt.share(high)))
    if np.isfinite(previous):
        parts.append(fmt.say("a period earlier {previous}", previous=fmt.share(previous)))
    return ", ".join(parts) + "."


@drawing
def second_purchase(
    frame: pd.DataFrame,
    fmt: Formats,
    median: float | None = None,
    marks: Sequence[int] = (30, 60, 90),
    ax: Axes | None = None,
) -> Drawn:
    """How many customers have bought a second time, by days since the first purchase.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a day, in order: `days` since the first purchase, `share` of customers with a second
        one by then, `low`, `high` (its interval).
    fmt : Formats
    median : float, optional
        Median days to the second purchase, of those with one.
    marks : sequence of int
        Days at which the share is written.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    days, share, low, high = (plain(frame[name]) for name in ("days", "share", "low", "high"))
    seen = np.isfinite(days) & np.isfinite(share)
    if not seen.any():
        return nothing_to_draw(
            ax, fmt.say("No customer has been seen long enough to draw the second purchase.")
        )
    days, share, low, high = days[seen], share[seen], low[seen], high[seen]
    ax.fill_between(days, low, high, step="post", color=BLUE, alpha=0.16, linewidth=0)
    ax.plot(days, share, color=BLUE, drawstyle="steps-post", clip_on=False)
    end = max(float(days.max()), 1.0)
    top = min(top_of(share, high), 1.0)
    value_axis(ax, share_tick(fmt, top), top)
    ax.set_xlim(0, end)
    reached = [day for day in marks if day <= days.max()]
    at = [float(share[np.searchsorted(days, day, side="right") - 1]) for day in reached]
    _day_marks(ax, reached, at, fmt)
    written_ticks(ax.xaxis, fmt.count, most=8, whole=True)
    if end >= 60:
        step = next(s for s in (30, 60, 90, 180, 360, 720, 1440, 10**6) if end / s <= 9)
        tick_positions(
            ax.xaxis,
            np.arange(0, end + 1, step).tolist(),
            [fmt.count(day) for day in np.arange(0, end + 1, step)],
        )
    ax.set_xlabel(fmt.say("Days since the first purchase"))
    parts = [
        fmt.say("{share} within {days}", share=fmt.share(s), days=fmt.days(d))
        for s, d in zip(at, reached, strict=True)
    ]
    parts.append(
        fmt.say("{share} within {days}", share=fmt.share(share[-1]), days=fmt.days(days[-1]))
    )
    alt = fmt.say(
        "Share of customers who have bought a second time: {parts}.",
        parts=", ".join(dict.fromkeys(parts)),
    )
    if median is not None and np.isfinite(median):
        name = fmt.say("half of those who came back: within {days}", days=fmt.days(median))
        if median <= end:
            side: Literal["left", "right"] = "right" if median < end / 2 else "left"
            ax.set_ylim(top=top * 1.22)
            # From the curve up only, so that it doesn't run through the figures under it.
            reached_then = float(np.interp(median, days, share))
            upright(ax, float(median), name, side, foot=reached_then)
        alt += " " + name[:1].upper() + name[1:] + "."
    return Drawn(ax, alt)


def _day_marks(ax: Axes, days: Sequence[int], shares: Sequence[float], fmt: Formats) -> None:
    """Write the shares at some days under the curve, each on its own line, the last one highest.

    The curve rises, so that the room is below it, to the right of each mark.
    """
    low, high = ax.get_ylim()
    gap = (high - low) * 0.075
    if not days:
        return
    up = shares[0] < gap * (len(days) + 0.5)
    ax.plot(days, shares, "o", color=BLUE, markersize=5.5, zorder=4, clip_on=False)
    for i, (day, share) in enumerate(zip(days, shares, strict=True)):
        rank = len(days) - i
        # Where the curve is too near the axis the lines go up instead, the first one highest.
        height = max(shares) + gap * (rank + 0.4) if up else min(shares) - gap * (rank - 0.4)
        ax.plot([day, day], [share, height], color=GREY, linewidth=0.8, zorder=1)
        ax.annotate(
            fmt.say("{days}: {share}", days=fmt.days(day), share=fmt.share(share)),
            (day, height),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=INK,
        )
