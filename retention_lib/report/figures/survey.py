"""What customers say, in figures: shares of the groups, levels over time, purchases after."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from retention_lib.report.figures.marks import (
    beside,
    end_labels,
    nothing_to_draw,
    plain,
    shortened,
    wrapped,
)
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    QUIET,
    RED,
    RULE,
    Drawn,
    canvas,
    drawing,
    text_on,
)
from retention_lib.report.figures.ticks import (
    Number,
    month_axis,
    month_numbers,
    number_tick,
    share_tick,
    tick_positions,
    written_ticks,
)
from retention_lib.report.language import Formats

_MIDDLE = "#cfd6dc"
#: Share of a bar from which its figure fits in.
_ROOM = 0.07


@drawing
def survey_groups(
    frame: pd.DataFrame,
    fmt: Formats,
    names: Sequence[str],
    head: str,
    finding: str,
    ax: Axes | None = None,
) -> Drawn:
    """Each group's shares of low, middle and high scores, with the level beside.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group, in the order to be shown: `label`, `worst`, `middle`, `best` (shares that add
        up to 1), `told` (the level with its interval, as written), `n`, `stands_out` (0 where it
        can't be told from the others).
    fmt : Formats
    names : sequence of str
        Of the lowest, the middle and the highest group.
    head : str
        What the level is, over its column.
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=0.75 + 0.36 * max(len(frame), 2))
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("No group has enough answers to be shown."))
    ys = np.arange(len(frame))[::-1].astype(float)
    left = np.zeros(len(frame))
    for column, colour in (("worst", RED), ("middle", _MIDDLE), ("best", BLUE)):
        width = np.nan_to_num(plain(frame[column]))
        ax.barh(ys, width, left=left, height=0.62, color=colour, edgecolor="white", linewidth=0.8)
        for i in np.flatnonzero(width >= _ROOM):
            ax.text(
                left[i] + width[i] / 2,
                ys[i],
                fmt.share(width[i], 0),
                ha="center",
                va="center",
                fontsize=8.5,
                color=text_on(to_rgb(colour)),
            )
        left = left + width
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.5, len(frame) - 0.1)
    places: tuple[tuple[float, Literal["left", "center", "right"]], ...] = (
        (0.0, "left"),
        (0.5, "center"),
        (1.0, "right"),
    )
    for name, colour, (x, align) in zip(names, (RED, QUIET, BLUE), places, strict=True):
        ax.text(
            *(x, len(frame) - 0.55, wrapped(name, 14)),
            ha=align,
            va="bottom",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
        )
    beside(ax, len(frame) - 0.4, head, bold=False)
    for at, told in enumerate(frame["told"]):
        beside(ax, ys[at], str(told), bold=bool(frame["stands_out"].iloc[at]))
    tick_positions(ax.yaxis, ys.tolist(), [shortened(s, 24) for s in frame["label"]])
    ax.set_xticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    said = [finding.rstrip(".") + "."]
    said += [
        fmt.say(
            "{label}: {told}; {low_name} {worst}, {high_name} {best}.",
            label=row["label"],
            told=row["told"],
            worst=fmt.share(row["worst"]),
            low_name=names[0],
            best=fmt.share(row["best"]),
            high_name=names[2],
        )
        for row in frame.to_dict("records")
    ]
    return Drawn(ax, " ".join(said))


@drawing
def survey_over_time(
    frame: pd.DataFrame,
    fmt: Formats,
    finding: str,
    unit: Literal["number", "share"] = "number",
    ax: Axes | None = None,
) -> Drawn:
    """A level by month, quarter or year, each with its interval.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a period, by date: `date` (its first day), `value`, `low`, `high`.
    fmt : Formats
    finding : str
        What the figure shows, in words; the alt text starts with it.
    unit : {"number", "share"}
        Points of the Net Promoter Score, or a share.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.8)
    known = frame[np.isfinite(plain(frame["value"]))]
    if known.empty:
        return nothing_to_draw(ax, fmt.say("No period has enough answers to be shown."))
    xs = month_numbers(known["date"])
    value, low, high = (plain(known[name]) for name in ("value", "low", "high"))
    ax.plot(xs, value, color=BLUE, alpha=0.35, linewidth=1.2, zorder=2)
    ax.vlines(xs, low, high, color=BLUE, alpha=0.4, linewidth=4, zorder=2)
    ax.plot(xs, value, "o", color=BLUE, markersize=5.5, zorder=4)
    ends = (-100.0, 100.0) if unit == "number" else (0.0, 1.0)
    first, last = float(np.nanmin([low, value])), float(np.nanmax([high, value]))
    spare = max(0.1 * (last - first), 0.04 * (ends[1] - ends[0]))
    ax.set_ylim(max(first - spare, ends[0]), min(last + spare, ends[1]))
    write: Number = number_tick(fmt, 100.0) if unit == "number" else share_tick(fmt, last - first)
    written_ticks(ax.yaxis, write, most=5)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    month_axis(ax, xs, fmt.month)
    figure = [fmt.number(x, 0) if unit == "number" else fmt.share(x) for x in value]
    end_labels(ax, [(float(value[-1]), figure[-1], BLUE)], float(xs.max()))
    said = [
        fmt.say("{month}: {value}", month=fmt.month(day), value=text)
        for day, text in zip(known["date"], figure, strict=True)
    ]
    return Drawn(ax, finding.rstrip(".") + ". " + "; ".join(said) + ".")


@drawing
def survey_later(frame: pd.DataFrame, fmt: Formats, finding: str, ax: Axes | None = None) -> Drawn:
    """Share that bought again after the answer: as it was, and had all bought alike before.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group, best first: `label`, `n`, `came_back` with `low`, `high`; `alike` with
        `alike_low`, `alike_high`, NaN where like wasn't compared with like.
    fmt : Formats
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=1.15 + 0.5 * max(len(frame), 2))
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("No group has enough answers to be shown."))
    raw = [plain(frame[name]) for name in ("came_back", "low", "high")]
    alike = [plain(frame[name]) for name in ("alike", "alike_low", "alike_high")]
    fair = bool(np.isfinite(alike[0]).any())
    ys = np.arange(len(frame))[::-1].astype(float)
    every = np.concatenate(raw + alike)
    first, last = float(np.nanmin(every)), float(np.nanmax(every))
    spare = max(0.08 * (last - first), (0.15 - (last - first)) / 2)
    left, right = max(first - spare, 0.0), min(last + spare, 1.0)
    ax.hlines(ys, left, right, color=RULE, linewidth=0.6, zorder=0)
    shift = 0.15 if fair else 0.0
    ax.hlines(ys + shift, raw[1], raw[2], color=GREY, alpha=0.35, linewidth=3, zorder=2)
    ax.plot(raw[0], ys + shift, "o", markersize=6, mfc="white", mec=GREY, mew=1.4, zorder=3)
    if fair:
        ax.hlines(ys - shift, alike[1], alike[2], color=BLUE, alpha=0.4, linewidth=4, zorder=2)
        ax.plot(alike[0], ys - shift, "o", markersize=6, color=BLUE, zorder=4)
    ax.set_xlim(left, right)
    ax.set_ylim(-0.55, len(frame) - 0.05)
    names = [
        (0.0, fmt.say("○ as it was"), GREY),
        *([(1.0, fmt.say("● had all bought alike before"), BLUE)] if fair else []),
    ]
    for x, name, colour in names:
        ax.text(
            x,
            1.0,
            name,
            transform=ax.transAxes,
            ha="right" if x else "left",
            va="bottom",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
        )
    for i in range(len(frame)):
        beside(ax, ys[i], _told(raw[0][i], alike[0][i], fmt), bold=False)
    labels = [
        fmt.say("{label}\nn = {n}", label=shortened(str(label), 26), n=fmt.count(n))
        for label, n in zip(frame["label"], plain(frame["n"]), strict=True)
    ]
    tick_positions(ax.yaxis, ys.tolist(), labels)
    written_ticks(ax.xaxis, share_tick(fmt, right - left), most=5)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    said = [finding.rstrip(".") + "."]
    for i, label in enumerate(frame["label"]):
        said.append(
            fmt.say(
                "{label}: {share} came back ({low} to {high}).",
                label=label,
                share=fmt.share(raw[0][i]),
                low=fmt.share(raw[1][i]),
                high=fmt.share(raw[2][i]),
            )
        )
        if math.isfinite(alike[0][i]):
            said.append(
                fmt.say(
                    "Had all bought alike: {share} ({low} to {high}).",
                    share=fmt.share(alike[0][i]),
                    low=fmt.share(alike[1][i]),
                    high=fmt.share(alike[2][i]),
                )
            )
    return Drawn(ax, " ".join(said))


def _told(raw: float, alike: float, fmt: Formats) -> str:
    if not math.isfinite(alike):
        return fmt.share(raw)
    return fmt.say("{raw}\nalike {alike}", raw=fmt.share(raw), alike=fmt.share(alike))
