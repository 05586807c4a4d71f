"""Figure of a breakdown: each group's retention with its interval, beside all customers'."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import beside, nothing_to_draw, plain, shortened, upright
from retention_lib.report.figures.style import BLUE, GREY, QUIET, RULE, Drawn, canvas, drawing
from retention_lib.report.figures.ticks import share_tick, tick_positions, written_ticks
from retention_lib.report.language import Formats

#: Least width of the axis: differences smaller than a point or two shouldn't fill the page.
_LEAST_SPAN = 0.10


@drawing
def group_rates(
    frame: pd.DataFrame,
    fmt: Formats,
    overall: float | None,
    finding: str,
    ax: Axes | None = None,
) -> Drawn:
    """Each group's rate with its interval; groups that stand out in colour, the others in grey.

    The axis ends where the data does, not at 0: what is compared are places, not lengths.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a group, in the order to be shown: `label`, `rate`, `low`, `high` (its interval), `n`
        (customers it rests on), `reference` (the rate of like customers; NaN where there is none to
        be drawn), `stands_out` (0 where it can't be told from others).
    fmt : Formats
    overall : float or None
        The rate of all customers.
    finding : str
        What the figure shows, in words; the alt text starts with it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=1.2 + 0.34 * max(len(frame), 2))
    rate, low, high, n, reference = (
        plain(frame[name]) for name in ("rate", "low", "high", "n", "reference")
    )
    if not np.isfinite(rate).any():
        return nothing_to_draw(ax, fmt.say("No group is large enough for a retention rate."))
    ys = np.arange(len(frame))[::-1].astype(float)
    out = frame["stands_out"].to_numpy() != 0
    everyone = math.nan if overall is None else overall
    left, right = _span(rate, low, high, reference, everyone)
    ax.hlines(ys, left, right, color=RULE, linewidth=0.6, zorder=0)
    for which, colour in ((~out, GREY), (out, BLUE)):
        ax.hlines(
            ys[which], low[which], high[which], color=colour, alpha=0.4, linewidth=4, zorder=2
        )
        ax.plot(rate[which], ys[which], "o", markersize=5.5, color=colour, zorder=4, clip_on=False)
    ax.set_xlim(left, right)
    ax.set_ylim(-1.0 if np.isfinite(reference).any() else -0.6, len(frame) + 0.1)
    _references(ax, reference, ys, fmt)
    for i in range(len(frame)):
        beside(ax, ys[i], _with_n(rate[i], n[i], fmt), bold=bool(out[i]))
    tick_positions(ax.yaxis, ys.tolist(), [shortened(s, 34) for s in frame["label"]])
    written_ticks(ax.xaxis, share_tick(fmt, right - left), most=5)
    ax.spines["left"].set_visible(False)
    sentences = [finding.rstrip(".") + "."]
    if math.isfinite(everyone):
        name = fmt.say("all customers: {rate}", rate=fmt.share(everyone))
        side: Literal["left", "right"] = "right" if everyone < (left + right) / 2 else "left"
        # from above the words under the last row, which it would cross
        upright(ax, everyone, name, side, foot=-0.25)
        sentences.append(name[:1].upper() + name[1:] + ".")
    sentences += [
        _sentence(str(label), _with_n(rate[i], n[i], fmt), low[i], high[i], reference[i], fmt)
        for i, label in enumerate(frame["label"])
    ]
    return Drawn(ax, " ".join(sentences))


def _span(*shares: np.ndarray | float) -> tuple[float, float]:
    """From where to where the axis goes: all that is drawn, a little room, no less than a span."""
    every = np.concatenate([np.atleast_1d(np.asarray(s, dtype=float)) for s in shares])
    first, last = float(np.nanmin(every)), float(np.nanmax(every))
    spare = max(0.06 * (last - first), (_LEAST_SPAN - (last - first)) / 2)
    left, right = first - spare, last + spare
    # what goes over an end is given back at the other one
    left, right = left - max(0.0, right - 1.0), min(right, 1.0)
    return max(left, 0.0), min(right + max(0.0, -left), 1.0)


def _references(ax: Axes, reference: np.ndarray, ys: np.ndarray, fmt: Formats) -> None:
    """The rates of like customers, as hollow dots, named under the last one."""
    ax.plot(reference, ys, "o", markersize=8, mfc="none", mec=QUIET, mew=1.1, zorder=3)
    known = np.flatnonzero(np.isfinite(reference))
    if not known.size:
        return
    last = int(known[-1])
    left, right = ax.get_xlim()
    share = (reference[last] - left) / (right - left)
    ax.annotate(
        fmt.say("○ all who bought equally often"),
        (reference[last], float(ys[last])),
        xytext=(0, -8),
        textcoords="offset points",
        ha="left" if share < 0.3 else "right" if share > 0.7 else "center",
        va="top",
        color=QUIET,
        fontsize=8,
        fontstyle="italic",
    )


def _with_n(rate: float, n: float, fmt: Formats) -> str:
    return fmt.say("{rate}  (n = {n})", rate=fmt.share(rate), n=fmt.count(n))


def _sentence(
    label: str, text: str, low: float, high: float, reference: float, fmt: Formats
) -> str:
    parts = [f"{label}: {text.replace('  ', ' ')}"]
    parts.append(fmt.say("interval {low} to {high}", low=fmt.share(low), high=fmt.share(high)))
    if np.isfinite(reference):
        parts.append(fmt.say("all who bought equally often {rate}", rate=fmt.share(reference)))
    return ", ".join(parts) + "."
