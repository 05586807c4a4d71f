"""Where the customers of each value tier are now, in a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from retention_lib.report.figures.marks import nothing_to_draw, plain, shortened
from retention_lib.report.figures.style import (
    QUIET,
    SEQUENTIAL,
    Drawn,
    canvas,
    drawing,
    text_on,
)
from retention_lib.report.figures.ticks import tick_positions
from retention_lib.report.language import Formats


@drawing
def tier_moves(
    counts: pd.DataFrame,
    shares: pd.DataFrame,
    fmt: Formats,
    then: str,
    now: str,
    ax: Axes | None = None,
) -> Drawn:
    """Each tier's customers by the tier they are in now: a row adds up to 100 %.

    Parameters
    ----------
    counts : pandas.DataFrame
        Customers by group then (index) and now (columns), both named as they are to be printed.
    shares : pandas.DataFrame
        Of the row, in the same shape; a row of NaN, too small for shares, shows its counts alone.
    fmt : Formats
    then, now : str
        What the two axes are called: the two days.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    rows, columns = counts.shape
    ax = canvas(ax, height=1.3 + 0.5 * max(rows, 2))
    if not rows or not columns or not counts.to_numpy().sum():
        return nothing_to_draw(ax, fmt.say("There is no movement between tiers to draw."))
    each = shares.to_numpy(dtype=float)
    colours = sns.color_palette(SEQUENTIAL, as_cmap=True)
    sns.heatmap(
        np.nan_to_num(each),
        ax=ax,
        cmap=colours,
        vmin=0.0,
        vmax=1.0,
        cbar=False,
        linewidths=2,
        linecolor="white",
        mask=~np.isfinite(each),
    )
    for i in range(rows):
        for j in range(columns):
            n, share = int(counts.to_numpy()[i, j]), each[i, j]
            if not n:
                continue
            ground = to_rgb(colours(share)) if np.isfinite(share) else (1.0, 1.0, 1.0)
            text = fmt.count(n)
            if np.isfinite(share):
                text = f"{fmt.share(share)}\n{text}"
            ax.text(
                j + 0.5,
                i + 0.5,
                text,
                ha="center",
                va="center",
                fontsize=8.5,
                linespacing=1.25,
                color=text_on(ground),
                fontweight="bold" if str(counts.index[i]) == str(counts.columns[j]) else "normal",
            )
    totals = plain(counts.sum(axis=1))
    tick_positions(
        ax.yaxis,
        [i + 0.5 for i in range(rows)],
        [
            f"{shortened(str(name), 16, 1)} ({fmt.count(n)})"
            for name, n in zip(counts.index, totals, strict=True)
        ],
    )
    tick_positions(
        ax.xaxis,
        [j + 0.5 for j in range(columns)],
        [shortened(str(name), max(8, 56 // columns), 1) for name in counts.columns],
    )
    ax.tick_params(axis="both", length=0)
    ax.tick_params(axis="y", labelrotation=0)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(now, color=QUIET)
    ax.set_ylabel(then, color=QUIET)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return Drawn(ax, _alt(counts, each, fmt, then, now))


def _alt(counts: pd.DataFrame, shares: np.ndarray, fmt: Formats, then: str, now: str) -> str:
    said = []
    for i, name in enumerate(counts.index):
        if not np.isfinite(shares[i]).any():
            continue
        parts = ", ".join(
            f"{fmt.share(shares[i, j])} {column}"
            for j, column in enumerate(counts.columns)
            if counts.to_numpy()[i, j]
        )
        said.append(f"{name}: {parts}")
    if not said:
        return fmt.say("Every tier has too few customers for shares.")
    return fmt.say(
        "Customers by tier, rows: {then}, columns: {now}. {said}.",
        then=then,
        now=now,
        said="; ".join(said),
    )
