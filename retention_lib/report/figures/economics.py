"""What retention and new customers bring, month by month."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import (
    end_labels,
    nothing_to_draw,
    plain,
    top_of,
    upright,
)
from retention_lib.report.figures.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    QUIET,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import share_tick, tick_positions, value_axis
from retention_lib.report.language import Formats


@drawing
def retention_gain(
    frame: pd.DataFrame,
    fmt: Formats,
    quoted: tuple[float, float],
    points: int,
    ax: Axes | None = None,
) -> Drawn:
    """By how much value rises with more retention, against what is often quoted.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month ahead: `month`; `rise`, `rise_low`, `rise_high` of today's active customers,
        `new`, `new_low`, `new_high` of a new customer's repeat purchases.
    fmt : Formats
    quoted : tuple of float
        The ends of what is often quoted.
    points : int
        How many points more.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.4)
    series = {name: plain(frame[name]) for name in ("rise", "new")} if len(frame) else {}
    if not any(np.isfinite(values).any() for values in series.values()):
        return nothing_to_draw(ax, fmt.say("So much more retention is out of reach."))
    months = plain(frame["month"])
    highest = [plain(frame[name]) for name in ("rise_high", "new_high")]
    top = top_of(*series.values(), *highest, least=quoted[1])
    ax.axhspan(*quoted, color=PALE, linewidth=0, zorder=0)
    colours = {"rise": BLUE, "new": ORANGE}
    for name, values in series.items():
        low, high = plain(frame[f"{name}_low"]), plain(frame[f"{name}_high"])
        ax.fill_between(months, low, high, color=colours[name], alpha=0.25, linewidth=0)
        ax.plot(months, values, color=colours[name])
    value_axis(ax, share_tick(fmt, top), top)
    ax.set_xlim(0, max(float(months[-1]), 1.0))
    _years(ax, months, fmt)
    last = {name: values[-1] for name, values in series.items()}
    texts = {
        "rise": fmt.say("Today's customers\n{share}", share=fmt.share(last["rise"])),
        "new": fmt.say("A new customer\n{share}", share=fmt.share(last["new"])),
    }
    end_labels(ax, [(last[n], texts[n], colours[n]) for n in series], float(months[-1]), lines=2)
    ends = {"low": fmt.share(quoted[0], 0), "high": fmt.share(quoted[1], 0)}
    # on the side where the lines aren't
    far = top > 1.2 * quoted[1]
    ax.annotate(
        fmt.say("Often quoted: {low} to {high}", **ends),
        (ax.get_xlim()[1] if far else 0.0, quoted[1]),
        xytext=(-6 if far else 6, -5),
        textcoords="offset points",
        ha="right" if far else "left",
        va="top",
        color=QUIET,
        fontsize=8.5,
    )
    ax.set_xlabel(fmt.say("Months ahead"))
    ax.set_ylabel(fmt.say("Rise in value"))
    alt = fmt.say(
        "Rise in value with {points} points more retention, {months} ahead: today's customers "
        "{rise}, a new customer's repeat purchases {new}. Often quoted: {low} to {high}.",
        points=fmt.count(points),
        months=fmt.months(float(months[-1])),
        rise=fmt.share(last["rise"]),
        new=fmt.share(last["new"]),
        **ends,
    )
    return Drawn(ax, alt)


@drawing
def payback(
    frame: pd.DataFrame,
    fmt: Formats,
    cost: float | None = None,
    month: int | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """What a new customer has brought by each month, as observed and by the model.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month, from 0: `month`; `observed`, `low`, `high`, NaN where nobody was watched so
        long; `model`.
    fmt : Formats
    cost : float, optional
        Of winning a customer.
    month : int, optional
        At whose end the model's line has reached it.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.6)
    observed, low, high, model = (
        plain(frame[name]) for name in ("observed", "low", "high", "model")
    )
    if not (np.isfinite(observed).any() or np.isfinite(model).any()):
        return nothing_to_draw(ax, fmt.say("Nothing is known of what a new customer brings."))
    months = plain(frame["month"])
    ax.fill_between(months, low, high, color=INK, alpha=0.18, linewidth=0)
    ax.plot(months, model, color=BLUE, zorder=3)
    ax.plot(months, observed, color=INK, linewidth=2.4, zorder=4)
    top = top_of(observed, high, model, least=cost or 0.0)
    value_axis(ax, lambda value: fmt.money(value, 2 if top < 5 else 0), top)
    end = max(float(months[-1]), 1.0)
    ax.set_xlim(0, end)
    _years(ax, months, fmt)
    names = [(model[-1], fmt.say("Expected\n{value}", value=fmt.money(model[-1])), BLUE)]
    if cost is not None:
        ax.axhline(cost, color=GREY, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2)
        names.append((cost, fmt.say("Cost of winning\n{cost}", cost=fmt.money(cost)), GREY))
        if month is not None:
            text = (
                fmt.say("Paid back in month {n}", n=fmt.count(month))
                if month > 0
                else fmt.say("Paid back by the first order")
            )
            upright(ax, month, text, side="right" if month < end / 2 else "left")
    end_labels(ax, names, end, lines=2)
    seen = np.flatnonzero(np.isfinite(observed))
    alt = fmt.say("What a new customer brings; {said}.", said=_said(frame, fmt))
    if seen.size:
        last = int(seen[-1])
        ax.plot(months[last], observed[last], "o", color=INK, markersize=5, zorder=5)
        # the lines rise: there is room to the right of a point below it, and to the left above it
        at = min(last, int(0.65 * len(months)))
        lowest = float(np.nanmin([observed[at], low[at], model[at]]))
        room = lowest > 0.25 * ax.get_ylim()[1]
        rightward = room or at < 0.4 * len(months)
        ax.annotate(
            fmt.say("As observed: {value}", value=fmt.money(observed[last])),
            (months[at], lowest if room else float(np.nanmax([observed[at], high[at], model[at]]))),
            xytext=(6 if rightward else -6, -8 if room else 12),
            textcoords="offset points",
            ha="left" if rightward else "right",
            va="top" if room else "bottom",
            color=INK,
            fontsize=8.5,
            fontweight="bold",
        )
    ax.set_xlabel(fmt.say("Months since the first purchase"))
    return Drawn(ax, alt)


def _said(frame: pd.DataFrame, fmt: Formats) -> str:
    """Some of the months in words: the first purchase, each year, the last."""
    numbers = frame["month"].astype(int).tolist()
    wanted = [n for n in numbers if n % 12 == 0 or n == numbers[-1]]
    parts = []
    for n in wanted:
        row = frame[frame["month"] == n].iloc[0]
        expected, seen = (float(plain([row[c]])[0]) for c in ("model", "observed"))
        when = fmt.months(n) if n > 0 else fmt.say("first order")
        values = {"when": when, "expected": fmt.money(expected), "seen": fmt.money(seen)}
        if np.isfinite(seen):
            parts.append(fmt.say("{when}: expected {expected}, observed {seen}", **values))
        else:
            parts.append(fmt.say("{when}: expected {expected}", **values))
    return "; ".join(parts)


def _years(ax: Axes, months: np.ndarray, fmt: Formats) -> None:
    """Ticks at each half year, or each year of more than three."""
    end = int(months[-1])
    step = 1 if end <= 6 else 3 if end <= 18 else 6 if end <= 36 else 12
    if end > 144:
        step = 12 * -(-end // 144)
    ticks = list(range(0, end + 1, step))
    tick_positions(ax.xaxis, [float(t) for t in ticks], [fmt.count(t) for t in ticks])
