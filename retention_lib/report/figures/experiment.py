"""Figures of a test: its uplifts as a forest, and what the next one would see."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.forest import colour_of, headed, heading, rows_at
from retention_lib.report.figures.marks import (
    beside,
    end_labels,
    nothing_to_draw,
    plain,
    shortened,
    top_of,
)
from retention_lib.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    QUIET,
    RULE,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import (
    number_tick,
    share_tick,
    value_axis,
    written_ticks,
)
from retention_lib.report.figures.weekdays import signed
from retention_lib.report.language import Formats

#: Least reach of the axis to either side of no effect.
_LEAST: Final = 0.02
#: Intervals that reach farther than so many times the largest effect are cut with an arrow.
_FAR: Final = 6.0


@drawing
def experiment_uplifts(
    frame: pd.DataFrame, fmt: Formats, finding: str, ax: Axes | None = None
) -> Drawn:
    """Each uplift over the control group with its interval, against the line of no effect.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row an uplift, in the order to be shown: `group` (its heading stands above its first row;
        empty where there is only one), `label`, `value`, `low`, `high` (shares of the control
        group's figure; NaN where not known), `stands` (1, −1, else 0), `said` (the difference
        itself, as text).
    fmt : Formats
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    groups = frame["group"].tolist()
    headings = headed(groups)
    height = 1.15 + 0.36 * len(frame) + 0.42 * sum(headings)
    ax = canvas(ax, height=max(height, 2.0))
    value, low, high = (plain(frame[name]) for name in ("value", "low", "high"))
    if not np.isfinite(value).any():
        return nothing_to_draw(ax, fmt.say("There is no uplift to draw."))
    ys = rows_at(headings)
    left, right = _reach(value, low, high)
    ax.set_xlim(left, right)
    ax.set_ylim(ys.min() - 0.7, 0.15 if headings[0] else 0.7)
    ax.hlines(ys, left, right, color=RULE, linewidth=0.6, zorder=0)
    ax.axvline(0.0, color=QUIET, linewidth=1.1, zorder=1)
    sides = [int(side) for side in frame["stands"]]
    told = [finding.rstrip(".") + "."]
    for i, (y, side) in enumerate(zip(ys, sides, strict=True)):
        colour = colour_of(side)
        if np.isfinite(low[i]):
            a, b = max(low[i], left), min(high[i], right)
            ax.hlines(y, a, b, color=colour, alpha=0.4, linewidth=5, zorder=2)
            for end, cut, mark in ((a, low[i] < left, "<"), (b, high[i] > right, ">")):
                if cut:
                    ax.plot(end, y, mark, color=colour, markersize=6, zorder=3, clip_on=False)
        if np.isfinite(value[i]):
            ax.plot(value[i], y, "o", color=colour, markersize=7, zorder=4, clip_on=False)
            told.append(_in_words(frame.iloc[i], low[i], high[i], fmt))
        beside(ax, y, str(frame["said"].iloc[i]), bold=side != 0)
        if headings[i]:
            heading(ax, y, groups[i])
    ax.set_yticks(ys, [shortened(str(label), 30) for label in frame["label"]])
    span = right - left
    written_ticks(ax.xaxis, lambda x: signed(x, fmt, 0 if span >= 0.05 else 1), most=6)
    ax.set_xlabel(fmt.say("Difference, as a share of the control group's figure"))
    ax.spines["left"].set_visible(False)
    return Drawn(ax, " ".join(told))


def _reach(value: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """From where to where the axis goes; one endless interval mustn't squeeze the others."""
    far = _FAR * max(float(np.nanmax(np.abs(value))), _LEAST)
    ends = np.concatenate([value, np.clip(low, -far, far), np.clip(high, -far, far), [0.0]])
    first, last = float(np.nanmin(ends)), float(np.nanmax(ends))
    spare = 0.06 * max(last - first, _LEAST)
    return min(first - spare, -_LEAST / 2), max(last + spare, _LEAST / 2)


def _in_words(row: pd.Series, low: float, high: float, fmt: Formats) -> str:
    name = f"{row['group']}, {row['label']}" if row["group"] else str(row["label"])
    said = f"{name}: {signed(float(row['value']), fmt)}"
    if np.isfinite(low):
        said += ", " + fmt.say(
            "interval {low} to {high}", low=signed(low, fmt), high=signed(high, fmt)
        )
    return said + "."


@drawing
def experiment_days(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Who has bought by each day since the start of a test, treated and left alone.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a day and side, in order: `treated` (bool), `day`, `share`, `low`, `high`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.1)
    frame = frame[np.isfinite(plain(frame["share"]))]
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("Nobody was watched long enough to draw who buys."))
    ends, told = [], []
    for treated, name, colour in (
        (True, fmt.say("Treated"), BLUE),
        (False, fmt.say("Left alone"), GREY),
    ):
        own = frame[frame["treated"].astype(bool) == treated]
        if own.empty:
            continue
        day, share, low, high = (plain(own[column]) for column in ("day", "share", "low", "high"))
        ax.fill_between(day, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
        ax.plot(day, share, color=colour, drawstyle="steps-post")
        ends.append((float(share[-1]), f"{name}\n{fmt.share(share[-1])}", colour))
        said = fmt.say("{share} within {days}", share=fmt.share(share[-1]), days=fmt.days(day[-1]))
        told.append(f"{name}: {said}")
    top = min(top_of(plain(frame["share"]), plain(frame["high"])), 1.0)
    value_axis(ax, share_tick(fmt, top), top)
    end = max(float(frame["day"].max()), 2.0)
    ax.set_xlim(1.0, end)
    written_ticks(ax.xaxis, fmt.count, most=9, whole=True)
    ax.set_xlabel(fmt.say("Days since the start"))
    ax.set_ylabel(fmt.say("Have bought"))
    end_labels(ax, ends, end, lines=2)
    said = "; ".join(told)
    return Drawn(ax, fmt.say("Customers who have bought since the start. {said}.", said=said))


@drawing
def experiment_power(
    frame: pd.DataFrame, fmt: Formats, aim: float = 0.8, ax: Axes | None = None
) -> Drawn:
    """How often a test of a size shows a rise, by the rise.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a size and rise, in order: `customers` (of the test), `rise` (a share), `power`.
    fmt : Formats
    aim : float
        Certainty at which tests are planned.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.2)
    frame = frame[np.isfinite(plain(frame["power"]))]
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("No test of this size shows a rise."))
    top = 100 * float(frame["rise"].max())
    ax.set_xlim(0.0, top)
    ax.set_ylim(0.0, 1.04)
    ax.axhline(aim, color=QUIET, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
    ends, told = [], []
    for customers, colour in zip(dict.fromkeys(frame["customers"]), _LINES, strict=False):
        own = frame[frame["customers"] == customers]
        rise, power = 100 * plain(own["rise"]), plain(own["power"])
        ax.plot(rise, power, color=colour)
        name = fmt.say_count("{n} customer", "{n} customers", customers, n=fmt.count(customers))
        ends.append((float(power[-1]), name, colour))
        if power[-1] >= aim:
            at = float(np.interp(aim, power, rise))
            ax.plot(at, aim, "o", color=colour, markersize=6, zorder=4)
            points = fmt.number(at, 1)
            ax.annotate(
                f"+{points}",
                (at, aim),
                xytext=(7, -4),
                textcoords="offset points",
                va="top",
                color=colour,
                fontsize=8.5,
                fontweight="bold",
            )
            told.append(
                fmt.say(
                    "{customers} show a rise of {points} percentage points in {aim} of tests",
                    customers=name,
                    points=points,
                    aim=fmt.share(aim, 0),
                )
            )
    end_labels(ax, ends, top)
    ax.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    ax.set_yticklabels([fmt.share(y, 0) for y in ax.get_yticks()])
    number = number_tick(fmt, top)
    written_ticks(ax.xaxis, lambda x: f"+{number(x)}" if x > 0 else number(x), most=6)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(fmt.say("Rise in the share that buys, in percentage points"))
    ax.set_ylabel(fmt.say("Tests that show it"))
    said = "; ".join(told) if told else fmt.say("none as often as planned")
    return Drawn(ax, fmt.say("What tests of several sizes show: {said}.", said=said))


_LINES: Final = (BLUE, ORANGE, GREEN)
