"""Figures of a comparison without a lot: by window, how alike the groups are, other ways of it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.forest import colour_of, headed, heading, rows_at
from retention_lib.report.figures.marks import beside, end_labels, nothing_to_draw, plain, shortened
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    QUIET,
    RULE,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import number_tick, tick_positions, written_ticks
from retention_lib.report.figures.weekdays import signed
from retention_lib.report.language import Formats

#: How far the two marks of a row stand from its line.
_APART: Final = 0.17


@drawing
def comparison_by_window(
    frame: pd.DataFrame, fmt: Formats, finding: str, ax: Axes | None = None
) -> Drawn:
    """What the treated spend more than others, and than comparable ones, before and after the day.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a window, in order: `window` (0 begins on the day), `label`, `raw` (over all others),
        `value`, `low`, `high` (over comparable customers); in currency.
    fmt : Formats
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.3)
    value, low, high, raw = (plain(frame[name]) for name in ("value", "low", "high", "raw"))
    if not np.isfinite(value).any():
        return nothing_to_draw(ax, fmt.say("There is no window that can be compared."))
    xs = np.arange(len(frame), dtype=float)
    before = plain(frame["window"]) < 0
    everything = np.concatenate([value, low, high, raw, [0.0]])
    bottom, top = float(np.nanmin(everything)), float(np.nanmax(everything))
    room = max(top - bottom, 1e-9)
    ax.set_ylim(bottom - 0.12 * room, top + 0.3 * room)
    ax.set_xlim(-0.5, len(xs) - 0.62)
    if before.any():
        edge = float(xs[before].max()) + 0.5
        ax.axvspan(-0.5, edge, color=PALE, zorder=0)
        for x, side, said in (
            (edge - 0.06, "right", fmt.say("Before: nothing can have worked")),
            (edge + 0.06, "left", fmt.say("From the first day on")),
        ):
            ax.annotate(
                said,
                (x, 0.97),
                xycoords=("data", "axes fraction"),
                ha=side,
                va="top",
                color=QUIET,
                fontsize=8.5,
            )
    ax.axhline(0.0, color=QUIET, linewidth=1.0, zorder=1)
    ax.plot(xs, raw, color=GREY, marker="o", markersize=6, linestyle=(0, (4, 2)), zorder=2)
    ax.vlines(xs, low, high, color=BLUE, linewidth=6, alpha=0.28, zorder=3)
    ax.scatter(
        xs, value, s=52, zorder=4, color=np.where(before, "white", BLUE), edgecolors=BLUE, lw=1.6
    )
    for x, one, upper in zip(xs, value, high, strict=True):
        if np.isfinite(one):
            _said(ax, x, upper if np.isfinite(upper) else one, _money(one, fmt), BLUE)
    for x, one in zip(xs, raw, strict=True):
        if np.isfinite(one):
            _said(ax, x, one, _money(one, fmt), GREY)
    labels = [
        (float(raw[-1]), fmt.say("than all\nothers"), GREY),
        (float(value[-1]), fmt.say("than\ncomparable\nones"), BLUE),
    ]
    end_labels(ax, labels, float(xs[-1]) + 0.4, lines=3)
    tick_positions(ax.xaxis, xs.tolist(), [str(label) for label in frame["label"]])
    written_ticks(ax.yaxis, lambda y: _money(y, fmt), most=5)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_ylabel(fmt.say("Spent more by those treated"))
    told = [finding.rstrip(".") + "."]
    for label, a, b, c, d in zip(frame["label"], value, low, high, raw, strict=True):
        if np.isfinite(a):
            told.append(
                fmt.say(
                    "{window}: {value} more than comparable ones, interval {low} to {high}; {raw} "
                    "more than all others.",
                    window=str(label).replace("\n", " "),
                    value=fmt.money(a),
                    low=fmt.money(b),
                    high=fmt.money(c),
                    raw=fmt.money(d),
                )
            )
    return Drawn(ax, " ".join(told))


@drawing
def comparison_balance(
    frame: pd.DataFrame, fmt: Formats, limit: float, ax: Axes | None = None
) -> Drawn:
    """How far the groups are apart in what was known of them, before and after weighting.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a thing known, in order: `label`, `before`, `after` (standardised differences).
    fmt : Formats
    limit : float
        Difference from which groups aren't alike.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=max(1.9, 1.05 + 0.27 * len(frame)))
    before, after = np.abs(plain(frame["before"])), np.abs(plain(frame["after"]))
    if not np.isfinite(before).any():
        return nothing_to_draw(ax, fmt.say("There are no groups to compare."))
    ys = -np.arange(len(frame), dtype=float)
    right = max(float(np.nanmax(np.concatenate([before, after]))), 2 * limit) * 1.06
    ax.set_xlim(-0.015 * right, right)
    ax.set_ylim(ys.min() - 0.6, 1.15)
    ax.axvspan(0, limit, color=PALE, zorder=0)
    ax.hlines(ys, np.fmin(before, after), np.fmax(before, after), color=RULE, linewidth=1.4)
    ax.scatter(before, ys, color="white", edgecolors=ORANGE, lw=1.6, s=42, zorder=3)
    ax.scatter(after, ys, color=BLUE, s=42, zorder=4, clip_on=False)
    top = int(np.nanargmax(before))
    for x, y, said, colour, side in (
        (limit, 0.75, fmt.say("alike"), QUIET, "right"),
        (before[top], ys[top] + 0.42, fmt.say("all others"), ORANGE, "center"),
        (max(float(after[0]), limit), 0.75, fmt.say("● comparable ones"), BLUE, "left"),
    ):
        ax.annotate(
            said,
            (float(x), float(y)),
            xytext=({"right": -3, "left": 6}.get(side, 0), 0),
            textcoords="offset points",
            ha=side,
            va="center",
            color=colour,
            fontsize=8.5,
            annotation_clip=False,
        )
    ax.set_yticks(ys, [shortened(str(label), 34) for label in frame["label"]])
    written_ticks(ax.xaxis, number_tick(fmt, right), most=6)
    ax.set_xlabel(fmt.say("Difference from those treated, in standard deviations"))
    ax.spines["left"].set_visible(False)
    alt = fmt.say(
        "Differences between the treated and the others in what was known before: up to {before} "
        "standard deviations against all others ({what}), at most {after} against comparable ones.",
        before=fmt.number(float(before[top]), 2),
        what=str(frame["label"].iloc[top]).replace("\n", " "),
        after=fmt.number(float(np.nanmax(after)), 2),
    )
    return Drawn(ax, alt)


@drawing
def comparison_ways(
    frame: pd.DataFrame, fmt: Formats, finding: str, ax: Axes | None = None
) -> Drawn:
    """The same question by several ways of comparing: what each finds, and found before the day.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a way, the main one first: `label`, `share`, `share_low`, `share_high` (of what
        comparable customers spend), `placebo_share`, `placebo_low`, `placebo_high` (a window
        before; NaN where there is none), `passed` (False where that isn't 0).
    fmt : Formats
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=max(2.0, 1.25 + 0.5 * len(frame)))
    names = ("share", "share_low", "share_high", "placebo_share", "placebo_low", "placebo_high")
    numbers = {name: plain(frame[name]) for name in names}
    if not np.isfinite(numbers["share"]).any():
        return nothing_to_draw(ax, fmt.say("There is no comparison to draw."))
    ys = -np.arange(len(frame), dtype=float)
    every = np.concatenate([*numbers.values(), [0.0]])
    low, high = float(np.nanmin(every)), float(np.nanmax(every))
    room = max(high - low, 0.02)
    ax.set_xlim(low - 0.05 * room, high + 0.16 * room)
    ax.set_ylim(ys.min() - 0.6, 0.95)
    ax.axvline(0.0, color=QUIET, linewidth=1.1, zorder=1)
    told = [finding.rstrip(".") + "."]
    for i, y in enumerate(ys):
        failed = frame["passed"].iloc[i] is False or frame["passed"].iloc[i] == False  # noqa: E712
        colour = GREY if failed else BLUE
        marks = (
            (y + _APART, "share", "share_low", "share_high", colour, colour),
            (y - _APART, "placebo_share", "placebo_low", "placebo_high", ORANGE, "white"),
        )
        for at, mid, left, right, line, fill in marks:
            ax.hlines(at, numbers[left][i], numbers[right][i], color=line, lw=4.5, alpha=0.35)
            ax.scatter(numbers[mid][i], at, color=fill, edgecolors=line, lw=1.5, s=38, zorder=3)
            if np.isfinite(numbers[mid][i]):
                ax.annotate(
                    signed(float(numbers[mid][i]), fmt),
                    (float(numbers[right][i]), float(at)),
                    xytext=(5, 0),
                    textcoords="offset points",
                    va="center",
                    color=line,
                    fontsize=8,
                    fontweight="bold" if mid == "share" else "normal",
                )
        told.append(_way_in_words(frame, numbers, i, fmt))
    ax.annotate(
        fmt.say("● after the first day"),
        (0.0, 1.0),
        xycoords="axes fraction",
        va="top",
        color=BLUE,
        fontsize=8.5,
    )
    ax.annotate(
        fmt.say("○ the same comparison before it: should be 0"),
        (1.0, 1.0),
        xycoords="axes fraction",
        ha="right",
        va="top",
        color=ORANGE,
        fontsize=8.5,
    )
    ax.set_yticks(ys, [shortened(str(label), 30, 2) for label in frame["label"]])
    for i, text in enumerate(ax.get_yticklabels()):
        text.set_color(INK)
        text.set_fontweight("bold" if i == 0 else "normal")
    written_ticks(ax.xaxis, lambda x: signed(x, fmt, 0 if room >= 0.05 else 1), most=6)
    ax.set_xlabel(fmt.say("Difference from what comparable customers spend"))
    ax.spines["left"].set_visible(False)
    return Drawn(ax, " ".join(told))


def _way_in_words(frame: pd.DataFrame, numbers: dict[str, np.ndarray], i: int, fmt: Formats) -> str:
    label = str(frame["label"].iloc[i])
    found = signed(float(numbers["share"][i]), fmt)
    if not np.isfinite(numbers["placebo_share"][i]):
        return fmt.say("{way}: {found}.", way=label, found=found)
    before = signed(float(numbers["placebo_share"][i]), fmt)
    return fmt.say("{way}: {found}, and {before} before.", way=label, found=found, before=before)


def _money(value: float, fmt: Formats) -> str:
    # no "−0" of what rounds to nothing
    text = fmt.money(value, 0)
    zero = fmt.money(0.0, 0)
    if text in (zero, fmt.money(-0.0, 0)) or abs(value) < 0.5:
        return zero
    return f"+{text}" if value > 0 else text


def _said(ax: Axes, x: float, y: float, text: str, colour: str) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext=(0, 5),
        textcoords="offset points",
        ha="center",
        va="bottom",
        color=colour,
        fontsize=8.5,
        fontweight="bold",
        annotation_clip=False,
    )


@drawing
def campaign_forest(
    frame: pd.DataFrame, fmt: Formats, finding: str, ax: Axes | None = None
) -> Drawn:
    """Each campaign's effect with its interval, and what it is drawn to beside all others.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a campaign, in the order to be shown: `group` (its heading stands above its first
        row; empty without), `label`, `value`, `low`, `high`, `shrunk` (in currency), `stands`
        (1, −1, else 0).
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
    ax = canvas(ax, height=max(2.0, 1.2 + 0.31 * len(frame) + 0.33 * sum(headings)))
    value, low, high = (plain(frame[name]) for name in ("value", "low", "high"))
    shrunk = plain(frame["shrunk"])
    if not np.isfinite(value).any():
        return nothing_to_draw(ax, fmt.say("There is no campaign to draw."))
    ys = rows_at(headings)
    ends = np.concatenate([value, low, high, [0.0]])
    left, right = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = max(right - left, 1e-9)
    ax.set_xlim(left - 0.04 * room, right + 0.04 * room)
    ax.set_ylim(ys.min() - 0.7, 0.15 if headings[0] else 0.7)
    ax.axvline(0.0, color=QUIET, linewidth=1.1, zorder=1)
    told = [finding.rstrip(".") + "."]
    for i, y in enumerate(ys):
        colour = colour_of(int(frame["stands"].iloc[i]))
        ax.hlines(y, low[i], high[i], color=colour, alpha=0.35, linewidth=5, zorder=2)
        ax.plot(value[i], y, "o", color=colour, markersize=6.5, zorder=4)
        ax.plot(shrunk[i], y, "|", color=INK, markersize=11, markeredgewidth=1.6, zorder=5)
        beside(ax, float(y), _money(float(value[i]), fmt), bold=colour != GREY)
        told.append(
            fmt.say(
                "{campaign}: {value}, interval {low} to {high}.",
                campaign=str(frame["label"].iloc[i]),
                value=fmt.money(float(value[i])),
                low=fmt.money(float(low[i])),
                high=fmt.money(float(high[i])),
            )
        )
        if headings[i]:
            heading(ax, float(y), groups[i])
    ax.set_yticks(ys, [shortened(str(label), 32) for label in frame["label"]])
    written_ticks(ax.xaxis, lambda x: _money(x, fmt), most=6)
    ax.set_xlabel(
        fmt.say("Revenue per customer against comparable ones (| drawn to all campaigns)")
    )
    ax.spines["left"].set_visible(False)
    return Drawn(ax, " ".join(told))
