"""Headline figures over a client's reports, as small multiples."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from retention_lib.metrics import Unit
from retention_lib.report.figures.marks import nothing_to_draw, plain, spread, wrapped
from retention_lib.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    QUIET,
    WIDTH,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import tick_positions
from retention_lib.report.language import Formats

#: Panels beside each other.
_COLUMNS: Final = 3
#: More reports than this are drawn as a line, not point by point.
_MANY: Final = 12


@drawing
def report_trends(frame: pd.DataFrame, fmt: Formats) -> Drawn:
    """Each figure over the reports, with its interval; broken where its definition changed.

    The vertical axes end where the data do, not at 0: what is compared are places, not lengths.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a figure and report, by figure and day: `label` (the figure's name), `unit`, `as_of`,
        `value`, `low`, `high`, `stretch` (a number that changes where the definition did), `target`
        (NaN where there is none).
    fmt : Formats

    Returns
    -------
    Drawn
    """
    labels = list(dict.fromkeys(frame["label"]))
    if not labels:
        return nothing_to_draw(canvas(None, height=2.0), fmt.say("There is no trend to draw yet."))
    rows = -(-len(labels) // _COLUMNS)
    figure = Figure(figsize=(WIDTH, 0.4 + 1.75 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for ax, label in zip(axes, labels, strict=False):
        _panel(ax, frame[frame["label"] == label], label, fmt)
    for ax in axes[len(labels) :]:
        ax.remove()
    said = " ".join(_sentence(frame[frame["label"] == label], label, fmt) for label in labels)
    return Drawn(axes[0], said)


def _panel(ax: Axes, rows: pd.DataFrame, label: str, fmt: Formats) -> None:
    xs = np.array([day.toordinal() for day in rows["as_of"]], dtype=float)
    value, low, high = (plain(rows[name]) for name in ("value", "low", "high"))
    stretch, unit = rows["stretch"].to_numpy(), rows["unit"].iloc[0]
    target = float(rows["target"].iloc[0])
    for number in np.unique(stretch):
        here = stretch == number
        now = number == stretch.max()
        colour = BLUE if now else GREY
        ax.fill_between(xs[here], low[here], high[here], color=colour, alpha=0.15, linewidth=0)
        if len(xs) <= _MANY:
            ax.vlines(xs[here], low[here], high[here], color=colour, alpha=0.45, linewidth=3)
        marker = "o" if len(xs) <= _MANY else ""
        ax.plot(xs[here], value[here], color=colour, marker=marker, markersize=4, clip_on=False)
    ax.plot(xs[-1:], value[-1:], color=BLUE, marker="o", markersize=4, clip_on=False)
    width = max(float(np.ptp(xs)), 1.0)
    for i in np.flatnonzero(np.diff(stretch)):
        ax.axvline((xs[i] + xs[i + 1]) / 2, color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)))
    every = np.concatenate([value, low, high, [target]])
    bottom, top = float(np.nanmin(every)), float(np.nanmax(every))
    room = (top - bottom) or abs(top) or 1.0
    ax.set_ylim(bottom - 0.22 * room, top + 0.22 * room)
    ax.set_xlim(xs[0] - 0.42 * width, xs[-1] + 0.42 * width)
    if np.isfinite(target):
        ends = [xs[0], max(xs[-1], xs[0] + 0.5 * width)]
        ax.plot(ends, [target, target], color=GREEN, linewidth=1.1, linestyle=(0, (4, 2)), zorder=1)
    _name_ends(ax, xs, value, target, unit, fmt)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    # two reports a day apart get one name between them
    ticks = [xs[0], xs[-1]] if len(xs) > 1 else [xs[0]]
    days = [rows["as_of"].iloc[0], rows["as_of"].iloc[-1]][: len(ticks)]
    tick_positions(ax.xaxis, ticks, [fmt.month(day).replace(" ", "\n") for day in days])
    ax.tick_params(axis="x", labelsize=7.5)
    ax.set_title(wrapped(label, 28), loc="left", fontsize=8.5, color=INK, fontweight="bold")


def _name_ends(
    ax: Axes, xs: np.ndarray, value: np.ndarray, target: float, unit: Unit, fmt: Formats
) -> None:
    """The first value at the left, the last and the target at the right."""
    bottom, top = ax.get_ylim()
    gap = 0.15 * (top - bottom)
    named = [(float(value[-1]), fmt.value(value[-1], unit), BLUE)]
    if np.isfinite(target):
        goal = fmt.say("target {goal}", goal=fmt.value(target, unit))
        named.append((target, goal, GREEN))
    heights = spread([y for y, _, _ in named], gap, bottom + gap / 2, top - gap / 2)
    for height, (_, text, colour) in zip(heights, named, strict=True):
        _beside(ax, xs[-1], float(height), text, colour, 6)
    if len(xs) > 1:
        _beside(ax, xs[0], float(value[0]), fmt.value(value[0], unit), QUIET, -6)


def _beside(ax: Axes, x: float, y: float, text: str, colour: str, by: float) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext=(by, 0),
        textcoords="offset points",
        ha="left" if by > 0 else "right",
        va="center",
        color=colour,
        fontsize=7.5,
        fontweight="bold" if by > 0 else "normal",
        annotation_clip=False,
    )


def _sentence(rows: pd.DataFrame, label: str, fmt: Formats) -> str:
    unit = rows["unit"].iloc[0]
    first, last = rows.iloc[0], rows.iloc[-1]
    found = {
        "label": label,
        "first": fmt.value(first["value"], unit),
        "last": fmt.value(last["value"], unit),
        "then": fmt.date(first["as_of"]),
        "now": fmt.date(last["as_of"]),
    }
    if len(rows) == 1:
        return fmt.say("{label}: {last} on {now}.", **found)
    text = fmt.say("{label}: {first} on {then}, {last} on {now}.", **found)
    if rows["stretch"].nunique() > 1:
        text += " " + fmt.say("Its definition changed in between.")
    return text
