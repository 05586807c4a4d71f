"""What a customer of each cohort has brought so far, by how long ago the cohort came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from retention_lib.report.figures.marks import end_labels, nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import INK, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import tick_positions, value_axis
from retention_lib.report.language import Formats

#: Lines that are named: more names than this can't be told apart.
MOST_NAMED: Final = 5
_OLD_TO_NEW: Final = "blend:#6aa3c9,#003f66"
#: Lines that end this near to the last one, in shares of the width, are named beside it.
_NEAR: Final = 0.2


@drawing
def cohort_curves(
    frame: pd.DataFrame,
    fmt: Formats,
    axis: str,
    pooled: Sequence[float] = (),
    ax: Axes | None = None,
) -> Drawn:
    """Revenue per customer added up, a line a cohort, from the oldest (light) to the newest (dark).

    The period that isn't over is dashed and ends in a hollow dot, so that it can't be read as a
    line that flattens.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a cohort and age, by cohort and age: `label` (the cohort's), `age` (periods since the
        first purchase), `value` (in the report's currency), `unfinished`.
    fmt : Formats
    axis : str
        What the ages are, such as "Months since the first purchase".
    pooled : sequence of float
        The same of all cohorts together, by age from 0.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    frame = frame[np.isfinite(plain(frame["value"]))]
    if frame.empty:
        return nothing_to_draw(
            ax, fmt.say("No cohort has been observed beyond its first period yet.")
        )
    labels = list(dict.fromkeys(frame["label"]))
    colours = sns.color_palette(_OLD_TO_NEW, len(labels)).as_hex()
    # who has only just come has no line to name, unless there are no others
    lines = [label for label in labels if (frame["label"] == label).sum() > 1] or labels[:1]
    places = np.linspace(0, len(lines) - 1, min(MOST_NAMED, len(lines))).round().astype(int)
    named = {lines[i] for i in places}
    ends: list[tuple[float, float, str, str]] = []
    for label, colour in zip(labels, colours, strict=True):
        x, y = _line(ax, frame[frame["label"] == label], colour)
        if label in named:
            ends.append((x, y, str(label), _darker(colour)))
    value_axis(ax, _tick(fmt, plain(frame["value"])), top_of(plain(frame["value"]), plain(pooled)))
    if plain(frame["value"]).min() < 0:
        ax.set_ylim(bottom=plain(frame["value"]).min() * 1.1)
    ages = plain(frame["age"])
    ax.set_xlim(0, max(ages.max(), 1) * 1.02)
    step = max(1, -(-int(ages.max()) // 12))
    ticks = np.arange(0, ages.max() + 1, step)
    tick_positions(ax.xaxis, ticks.tolist(), [fmt.count(age) for age in ticks])
    ax.set_xlabel(axis)
    ax.set_ylabel(fmt.say("Revenue per customer so far"))
    if len(pooled) and len(labels) > 1:
        ax.plot(np.arange(len(pooled)), pooled, color=INK, linewidth=2.4, zorder=5)
        ends.append((len(pooled) - 1.0, float(pooled[-1]), fmt.say("All cohorts"), INK))
    _name(ax, ends)
    return Drawn(ax, _alt(frame, labels, pooled, fmt))


def _name(ax: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Name lines at their ends: side by side at the right, under the other lines before it."""
    right = max(x for x, *_ in ends)
    at_right = [end for end in ends if right - end[0] <= _NEAR * right]
    # beside the last of them, so that no name lies over another's line
    end_labels(ax, [(y, text, colour) for _, y, text, colour in at_right], right)
    for x, y, text, colour in ends:
        if right - x > _NEAR * right:
            ax.annotate(
                text,
                (x, y),
                xytext=(4, -12),
                textcoords="offset points",
                va="center",
                color=colour,
                fontsize=8.5,
                fontweight="bold",
            )


def _darker(colour: str) -> str:
    """The colour of a line's name: dark enough to be read on white."""
    red, green, blue = (0.7 * part for part in to_rgb(colour))
    return str(to_hex((red, green, blue)))


def _line(ax: Axes, own: pd.DataFrame, colour: str) -> tuple[float, float]:
    ages, values = plain(own["age"]), plain(own["value"])
    open_ = own["unfinished"].to_numpy(dtype=bool)
    whole = int((~open_).sum())
    ax.plot(ages[:whole], values[:whole], color=colour, linewidth=1.4)
    if open_.any():
        from_ = max(whole - 1, 0)
        ax.plot(ages[from_:], values[from_:], color=colour, linewidth=1.2, linestyle=(0, (2, 2)))
        ax.plot(ages[-1:], values[-1:], "o", mfc="white", mec=colour, markersize=4)
    return float(ages[-1]), float(values[-1])


def _tick(fmt: Formats, values: np.ndarray) -> Callable[[float], str]:
    small = top_of(np.abs(values)) < 10
    return lambda value: fmt.money(value, 2 if small else 0)


def _alt(frame: pd.DataFrame, labels: list[object], pooled: Sequence[float], fmt: Formats) -> str:
    n = len(labels)
    head = fmt.say_count(
        "Revenue per customer added up, {n} cohort.",
        "Revenue per customer added up, {n} cohorts.",
        n,
        n=fmt.count(n),
    )
    oldest = frame[(frame["label"] == labels[0]) & ~frame["unfinished"].astype(bool)]
    if len(pooled):
        head += " " + fmt.say(
            "All cohorts together: {first} in the first period, {last} after {n} more.",
            first=fmt.money(float(pooled[0])),
            last=fmt.money(float(pooled[-1])),
            n=fmt.count(len(pooled) - 1),
        )
    if len(oldest):
        head += " " + fmt.say(
            "{cohort}, the oldest: {value}.",
            cohort=labels[0],
            value=fmt.money(float(oldest["value"].iloc[-1])),
        )
    return head
