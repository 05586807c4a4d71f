"""The cohort heat map: of those who first bought in a period, who bought again, and when."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from retention_lib.report.figures.marks import HATCH, nothing_to_draw, plain, top_of
from retention_lib.report.figures.style import PALE, SEQUENTIAL, Drawn, canvas, drawing, text_on
from retention_lib.report.figures.ticks import tick_positions
from retention_lib.report.language import Formats

MOST_ANNOTATED = 170
"""More cells than this and the figures in them are too small to read."""
ROW = 0.245
"""Height of a row in inches."""
TALLEST = 8.6
"""Inches; a page of the report has no room for more, so more rows become thinner."""


@drawing
def cohort_heatmap(
    frame: pd.DataFrame,
    sizes: pd.Series,
    unfinished: pd.DataFrame,
    fmt: Formats,
    period: Literal["month", "quarter", "year"] = "month",
    pooled: pd.Series | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """The share of each cohort that bought in each later period.

    Period 0, in which every customer of a cohort bought, is left out: it is always 100 % and would
    take the colour from all others. A period that isn't over is hatched and bears neither colour
    nor figure, so that it can't be read as customers lost.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a cohort (index: its label), a column a period since the first purchase (0, 1, …);
        share of the cohort that bought, NaN where not yet observed.
    sizes : pandas.Series
        Customers in each cohort, by the same index.
    unfinished : pandas.DataFrame
        Same shape; True where the period isn't over.
    fmt : Formats
    period : {"month", "quarter", "year"}
    pooled : pandas.Series, optional
        Share of all cohorts together by period, for a last row.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    later = frame[[column for column in frame.columns if int(column) > 0]]
    # The newest cohort has no later period yet; its row would be blank.
    later = later.dropna(axis="columns", how="all").dropna(axis="index", how="all")
    cohorts = len(later)
    if pooled is not None and cohorts > 1:
        everybody = fmt.say("All cohorts")
        later = pd.concat([later, pooled.reindex(later.columns).to_frame(everybody).T])
        sizes = pd.concat([sizes, pd.Series({everybody: sizes.sum()})])
    rows, columns = later.shape
    ax = canvas(ax, height=min(max(2.0, 1.15 + ROW * rows), TALLEST))
    values = later.to_numpy(dtype=float, na_value=np.nan)
    open_ = unfinished.reindex(index=later.index, columns=later.columns).fillna(False)
    hidden = open_.to_numpy(dtype=bool)
    finished = np.where(hidden, np.nan, values)
    if not np.isfinite(values).any():
        return nothing_to_draw(
            ax, fmt.say("No cohort has been observed beyond its first period yet.")
        )
    top = top_of(finished.ravel())
    sns.heatmap(
        pd.DataFrame(finished),
        ax=ax,
        cmap=sns.color_palette(SEQUENTIAL, as_cmap=True),
        vmin=0.0,
        vmax=top,
        annot=_written(finished, columns, fmt) if values.size <= MOST_ANNOTATED else None,
        fmt="",
        annot_kws={"fontsize": 7.5},
        linewidths=0.8 if rows <= 40 else 0.2,
        linecolor="white",
        cbar=False,
        xticklabels=False,
        yticklabels=False,
    )
    _readable(ax, finished, top)
    if rows > cohorts:
        ax.axhline(cohorts, color="white", linewidth=5)
    for row, column in zip(*np.nonzero(hidden & np.isfinite(values)), strict=True):
        ax.add_patch(
            Rectangle(
                (column, row), 1, 1, facecolor=PALE, edgecolor="#b4bcc4", hatch=HATCH, linewidth=0
            )
        )
    _name_rows(ax, later, sizes, fmt)
    _name_columns(ax, [int(c) for c in later.columns])
    axis = {
        "month": fmt.say("Months since the first purchase"),
        "quarter": fmt.say("Quarters since the first purchase"),
        "year": fmt.say("Years since the first purchase"),
    }[period]
    notes = [
        fmt.say("figures in % of the cohort")
        if values.size <= MOST_ANNOTATED
        else fmt.say("from white, 0%, to the darkest, {top}", top=fmt.share(top))
    ]
    if (hidden & np.isfinite(values)).any():
        notes.append(fmt.say("hatched: not over yet"))
    ax.set_xlabel(f"{axis}\n({'; '.join(notes)})")
    ax.set_ylabel("")
    return Drawn(ax, _alt(later[:cohorts], finished[:cohorts], period, fmt))


def _written(values: np.ndarray, columns: int, fmt: Formats) -> np.ndarray:
    """Percentages without their sign: one decimal where cells are wide enough for it."""
    digits = 1 if columns <= 13 else 0
    return np.array(
        [["" if np.isnan(v) else fmt.number(100 * v, digits) for v in row] for row in values],
        dtype=object,
    ).reshape(values.shape)


def _readable(ax: Axes, values: np.ndarray, top: float) -> None:
    """Write each figure in white or black, whichever stands out more from its cell."""
    colours = sns.color_palette(SEQUENTIAL, as_cmap=True)
    for text, value in zip(ax.texts, values[np.isfinite(values)], strict=False):
        text.set_color(text_on(colours(value / top)))


def _name_rows(ax: Axes, later: pd.DataFrame, sizes: pd.Series, fmt: Formats) -> None:
    rows = len(later)
    step = 1 + (rows - 1) // 44
    named = list(range(0, rows, step))
    counts = plain(sizes.reindex(later.index))
    ax.tick_params(axis="y", length=0, labelsize=8)
    tick_positions(
        ax.yaxis,
        [i + 0.5 for i in named],
        [
            f"{later.index[i]}" + (f"  ({fmt.count(counts[i])})" if np.isfinite(counts[i]) else "")
            for i in named
        ],
    )


def _name_columns(ax: Axes, columns: list[int]) -> None:
    step = 1 + (len(columns) - 1) // 24
    ax.tick_params(axis="x", length=0, labelsize=8)
    tick_positions(
        ax.xaxis,
        [i + 0.5 for i in range(0, len(columns), step)],
        [str(c) for c in columns[::step]],
    )


def _alt(
    later: pd.DataFrame,
    finished: np.ndarray,
    period: Literal["month", "quarter", "year"],
    fmt: Formats,
) -> str:
    """What the first later period brings, from the worst to the best cohort."""
    n = len(later)
    head = fmt.say_count(
        "Cohort heat map, {n} cohort.", "Cohort heat map, {n} cohorts.", n, n=fmt.count(n)
    )
    known = np.flatnonzero(np.isfinite(finished[:, 0]))
    if not known.size:
        return head + " " + fmt.say("No cohort's first later period is over yet.")
    first = finished[known, 0]
    low, high = int(known[np.argmin(first)]), int(known[np.argmax(first)])
    found = {
        "low": fmt.share(finished[low, 0]),
        "high": fmt.share(finished[high, 0]),
        "low_cohort": later.index[low],
        "high_cohort": later.index[high],
    }
    said = {
        "month": fmt.say(
            "A month after the first purchase {low} ({low_cohort}) to {high} ({high_cohort}) of a "
            "cohort bought again.",
            **found,
        ),
        "quarter": fmt.say(
            "A quarter after the first purchase {low} ({low_cohort}) to {high} ({high_cohort}) of "
            "a cohort bought again.",
            **found,
        ),
        "year": fmt.say(
            "A year after the first purchase {low} ({low_cohort}) to {high} ({high_cohort}) of a "
            "cohort bought again.",
            **found,
        ),
    }[period]
    return f"{head} {said}"
