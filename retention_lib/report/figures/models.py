"""Figures that show whether the purchase model can be believed, and what it says."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, top_of, upright
from retention_lib.report.figures.style import (
    COLOURS,
    INK,
    SEQUENTIAL,
    Drawn,
    canvas,
    drawing,
    whole,
)
from retention_lib.report.figures.ticks import (
    month_numbers,
    number_tick,
    share_tick,
    tick_positions,
    value_axis,
    written_ticks,
)
from retention_lib.report.language import Formats

LINES: dict[str, dict[str, Any]] = {
    "baseline": {"linestyle": (0, (4, 2)), "linewidth": 1.3, "zorder": 2},
    "forecast": {"linestyle": "-", "linewidth": 1.8, "zorder": 3},
    "actual": {"linestyle": "-", "linewidth": 2.2, "zorder": 4},
}
"""Told apart by line as well as by colour, so that a copy in grey can be read too."""


@drawing
def holdout_tracking(
    frame: pd.DataFrame,
    split: date,
    fmt: Formats,
    each_week: bool = False,
    ax: Axes | None = None,
) -> Drawn:
    """Repeat purchases over time, as they happened and as the model has them.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a date, in order: `date`, `actual`, `forecast`, and `baseline` where there is a naive
        forecast; NaN where a series doesn't reach.
    split : datetime.date
        Last day of the data that the model was fitted on.
    fmt : Formats
    each_week : bool
        Whether the figures are those of each week, not added up.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    names = [name for name in LINES if name in frame and np.isfinite(plain(frame[name])).any()]
    if not names:
        return nothing_to_draw(
            ax, fmt.say("There is no period held back to compare the model with.")
        )
    dates = pd.DatetimeIndex(pd.to_datetime(frame["date"]))
    xs = np.asarray((dates - dates[0]).days, dtype=float)
    ends: dict[str, float] = {}
    for name in names:
        values = plain(frame[name])
        dots = "o" if np.isfinite(values).sum() == 1 else ""
        ax.plot(xs, values, color=COLOURS[name], marker=dots, **LINES[name])
        ends[name] = float(values[np.flatnonzero(np.isfinite(values))[-1]])
    value_axis(ax, fmt.count, top_of(*(plain(frame[name]) for name in names)), whole=True)
    ax.set_ylim(top=ax.get_ylim()[1] * 1.1)
    ax.set_xlim(0, max(xs.max(), 1.0))
    _date_ticks(ax, dates, fmt)
    at = (pd.Timestamp(split) - dates[0]).days
    if 0 < at < xs.max():
        upright(ax, float(at), fmt.say("held back →"))
        upright(ax, float(at), fmt.say("← fitted on"), side="left")
    words = _words(fmt)
    end_labels(
        ax,
        [(ends[name], f"{words[name]}\n{fmt.count(ends[name])}", COLOURS[name]) for name in names],
        xs.max(),
        lines=2,
    )
    said = {
        "last": fmt.date(dates[-1]),
        "ends": ", ".join(f"{words[name]} {fmt.count(ends[name])}" for name in reversed(names)),
    }
    if each_week:
        ax.set_ylabel(fmt.say("Repeat purchases a week"))
        return Drawn(ax, fmt.say("Repeat purchases in the week to {last}: {ends}.", **said))
    ax.set_ylabel(fmt.say("Repeat purchases so far"))
    alt = fmt.say("Cumulative repeat purchases at {last}: {ends}.", **said)
    if ends.get("actual") and "forecast" in ends:
        alt += " " + fmt.say(
            "The model is {share} of what happened.",
            share=fmt.share(ends["forecast"] / ends["actual"]),
        )
    return Drawn(ax, alt)


def _date_ticks(ax: Axes, dates: pd.DatetimeIndex, fmt: Formats) -> None:
    """First days of months or quarters or years, as many as fit."""
    numbers = month_numbers(dates)
    first, last = int(numbers.min()), int(numbers.max())
    months = [
        (n, pd.Timestamp(year=n // 12, month=n % 12 + 1, day=1)) for n in range(first, last + 1)
    ]
    inside = [(n, m) for n, m in months if dates[0] <= m <= dates[-1]]
    step = next((s for s in (1, 2, 3, 6, 12, 24) if len(inside) / s <= 7), 60)
    shown = [m for n, m in inside if n % step == 0]
    if len(shown) < 2:
        shown = [dates[0]] if dates[0] == dates[-1] else [dates[0], dates[-1]]
        write = fmt.date
    else:
        write = fmt.month
    tick_positions(ax.xaxis, [(m - dates[0]).days for m in shown], [write(m) for m in shown])


def _words(fmt: Formats) -> dict[str, str]:
    return {
        "actual": fmt.say("Actual"),
        "forecast": fmt.say("Model"),
        "baseline": fmt.say("Naive forecast"),
    }


@drawing
def holdout_by_frequency(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Purchases in the period held back, by how often customers had bought before it.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group: `frequency` (repeat purchases before, text: `0` … `7+`), `n` (customers),
        `actual`, `forecast` (mean purchases per customer) and, where there is one, `baseline`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    names = [name for name in LINES if name in frame and np.isfinite(plain(frame[name])).any()]
    if not names:
        return nothing_to_draw(
            ax, fmt.say("There is no period held back to compare the model with.")
        )
    xs = np.arange(len(frame))
    ends: dict[str, float] = {}
    for name in names:
        values = plain(frame[name])
        ax.plot(xs, values, color=COLOURS[name], marker="o", markersize=4.5, **LINES[name])
        ends[name] = float(values[np.flatnonzero(np.isfinite(values))[-1]])
    top = top_of(*(plain(frame[name]) for name in names))
    value_axis(ax, number_tick(fmt, top), top)
    ax.set_xlim(-0.3, max(len(frame) - 1 + 0.15, 0.3))
    tick_positions(
        ax.xaxis,
        xs.tolist(),
        [
            f"{group}\n{fmt.count(n) if np.isfinite(n) else '–'}"
            for group, n in zip(frame["frequency"], plain(frame["n"]), strict=True)
        ],
    )
    ax.set_xlabel(fmt.say("Repeat purchases before, and customers with as many"))
    ax.set_ylabel(fmt.say("Purchases per customer"))
    words = _words(fmt)
    end_labels(ax, [(ends[name], words[name], COLOURS[name]) for name in names], float(xs[-1]))
    groups = "; ".join(_group_sentence(row, names, words, fmt) for _, row in frame.iterrows())
    alt = fmt.say(
        "Purchases per customer in the period held back, by repeat purchases before: {groups}.",
        groups=groups,
    )
    return Drawn(ax, alt)


def _group_sentence(row: pd.Series, names: list[str], words: dict[str, str], fmt: Formats) -> str:
    values = dict(zip(names, plain(row[names]), strict=True))
    said = [
        f"{words[name].lower()} {fmt.number(values[name], 2)}"
        for name in reversed(names)
        if name != "baseline" and np.isfinite(values[name])
    ]
    return f"{row['frequency']}: {', '.join(said) or '–'}"


@drawing
def alive_map(frame: pd.DataFrame, fmt: Formats, unit: str, ax: Axes | None = None) -> Drawn:
    """P(alive) by how often a customer bought and how long ago the first and last purchase lie.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a point of a regular grid: `frequency`, `recency`, `p_alive`.
    fmt : Formats
    unit : str
        Unit of recency as the reader calls it, such as "weeks".
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.8)
    if frame.empty or not np.isfinite(plain(frame["p_alive"])).any():
        return nothing_to_draw(ax, fmt.say("There is no fitted model to draw the map of."))
    grid = frame.pivot(index="frequency", columns="recency", values="p_alive")
    recency, frequency = plain(grid.columns), plain(grid.index)
    values = grid.to_numpy(dtype=float, na_value=np.nan)
    mesh = ax.pcolormesh(
        edges(recency),
        edges(frequency),
        values,
        cmap=sns.color_palette(SEQUENTIAL, as_cmap=True),
        vmin=0.0,
        vmax=1.0,
        rasterized=True,
    )
    if min(values.shape) > 1 and np.nanmin(values) < 0.5 < np.nanmax(values):
        line = ax.contour(recency, frequency, values, levels=[0.5], colors=INK, linewidths=1.2)
        ax.clabel(line, fmt={0.5: fmt.share(0.5, 0)}, fontsize=8.5, colors=INK)
    bar = whole(ax).colorbar(mesh, ax=ax, pad=0.02, aspect=24)
    written_ticks(bar.ax.yaxis, share_tick(fmt, 1.0), most=5)
    bar.outline.set_visible(False)
    bar.set_label(fmt.say("P(alive)"))
    for axis, centres, most in ((ax.xaxis, recency, 8), (ax.yaxis, frequency, 6)):
        if len(centres) == 1:
            tick_positions(axis, [centres[0]], [fmt.count(centres[0])])
        else:
            written_ticks(axis, fmt.count, most=most, whole=True)
    ax.set_xlabel(fmt.say("Time from first to last purchase ({unit})", unit=unit))
    ax.set_ylabel(fmt.say("Repeat purchases"))
    low = np.unravel_index(np.nanargmin(values), values.shape)
    alt = fmt.say(
        "P(alive) by repeat purchases and time from first to last purchase: lowest, {low}, at "
        "{frequency} repeat purchases over {recency} {unit}; highest, {high}.",
        low=fmt.share(float(np.nanmin(values))),
        high=fmt.share(float(np.nanmax(values))),
        frequency=fmt.count(frequency[low[0]]),
        recency=fmt.count(recency[low[1]]),
        unit=unit,
    )
    return Drawn(ax, alt)


def edges(centres: np.ndarray) -> np.ndarray:
    """Borders of cells around their centres; a lone cell is one wide."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])
