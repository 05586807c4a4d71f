"""Curves of how many have come back by then: after each purchase, and as the model has it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import BLUE, COLOURS, GREEN, ORANGE, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import share_tick, tick_positions, value_axis
from retention_lib.report.language import Formats

_COLOURS: Final = (BLUE, ORANGE, GREEN)


@drawing
def next_purchase_curves(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """The share of customers with a next purchase, by days since the one before.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a day and line, in order: `label` (names the line), `days`, `share`, `low`, `high`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    frame = frame[np.isfinite(plain(frame["share"]))]
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("Nobody was watched long enough to draw who returns."))
    ends, told = [], []
    for label, colour in zip(dict.fromkeys(frame["label"]), _COLOURS, strict=False):
        own = frame[frame["label"] == label]
        days, share, low, high = (plain(own[name]) for name in ("days", "share", "low", "high"))
        ax.fill_between(days, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
        ax.plot(days, share, color=colour, drawstyle="steps-post")
        ends.append((float(share[-1]), f"{label}\n{fmt.share(share[-1])}", colour))
        last = {"share": fmt.share(share[-1]), "days": fmt.days(days[-1])}
        told.append(f"{label}: " + fmt.say("{share} within {days}", **last))
    _axes(ax, plain(frame["days"]), top_of(plain(frame["share"]), plain(frame["high"])), fmt)
    ax.set_xlabel(fmt.say("Days since the purchase"))
    ax.set_ylabel(fmt.say("Have bought again"))
    end_labels(ax, ends, ax.get_xlim()[1], lines=2)
    said = "; ".join(told)
    return Drawn(ax, fmt.say("Share of customers who have bought again. {said}.", said=said))


@drawing
def model_curve(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """The share of customers with a second purchase by days, as it happened and by the model.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a day, in order: `days` since the first purchase, `share`, `low`, `high` (observed,
        with its interval), `model`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    if frame.empty:
        return nothing_to_draw(
            ax, fmt.say("No customer has been seen long enough to draw the second purchase.")
        )
    days, share, low, high, model = (
        plain(frame[name]) for name in ("days", "share", "low", "high", "model")
    )
    ax.fill_between(days, low, high, step="post", color=COLOURS["actual"], alpha=0.16, linewidth=0)
    ax.plot(days, share, color=COLOURS["actual"], linewidth=2.2, drawstyle="steps-post")
    ax.plot(days, model, color=COLOURS["forecast"], linestyle=(0, (4, 1.5)))
    _axes(ax, days, top_of(share, high, model), fmt)
    ax.set_xlabel(fmt.say("Days since the first purchase"))
    ax.set_ylabel(fmt.say("Have bought again"))
    names = {"actual": (fmt.say("Observed"), share), "forecast": (fmt.say("Model"), model)}
    ends = [
        (float(values[-1]), f"{name}\n{fmt.share(values[-1])}", COLOURS[key])
        for key, (name, values) in names.items()
    ]
    end_labels(ax, ends, ax.get_xlim()[1], lines=2)
    alt = fmt.say(
        "Share of customers with a second purchase within {days}: observed {share}, by the model "
        "{model}.",
        days=fmt.days(days[-1]),
        share=fmt.share(share[-1]),
        model=fmt.share(model[-1]),
    )
    return Drawn(ax, alt)


def _axes(ax: Axes, days: np.ndarray, top: float, fmt: Formats) -> None:
    top, end = min(top, 1.0), max(float(days.max()), 1.0)
    value_axis(ax, share_tick(fmt, top), top)
    ax.set_xlim(0, end)
    steps = (1, 2, 7, 14, 30, 60, 90, 180, 360, 720, 1440)
    step = next((s for s in steps if end / s <= 9), 10_000)
    ticks = np.arange(0, end + 1, step)
    tick_positions(ax.xaxis, ticks.tolist(), [fmt.count(day) for day in ticks])
