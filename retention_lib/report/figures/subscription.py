"""Figures of subscriptions: recurring revenue, how long subscribers stay, when they are lost."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.flow import waterfall
from retention_lib.report.figures.marks import (
    end_labels,
    nothing_to_draw,
    plain,
    top_of,
    unfinished_label,
    upright,
)
from retention_lib.report.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    RED,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import (
    Number,
    month_axis,
    month_numbers,
    share_tick,
    tick_positions,
    value_axis,
    written_ticks,
)
from retention_lib.report.language import MINUS, Formats

#: Parts of the months' bars, from the axis outwards: fill, and colour of the words.
_UP: Final = (
    ("new", COLOURS["new"], ORANGE),
    ("returned", BLUE, BLUE),
    ("expansion", COLOURS["gain"], COLOURS["gain"]),
)
_DOWN: Final = (("churned", RED, RED), ("contraction", "#e0a184", GREY))


@drawing
def revenue_flow(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Recurring revenue from the start to the end: what was gained, what was lost.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a step, in order: `step` (its name), `kind` (`start`, `loss`, `gain` or `end`),
        `value` (currency a month, not negative).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    values = np.abs(np.nan_to_num(plain(frame["value"])))
    if frame.empty or not values.any():
        return nothing_to_draw(ax, fmt.say("There is no recurring revenue to draw."))
    # the axis names the currency: seven amounts with it would meet
    written = [_signed(v, kind, fmt) for kind, v in zip(frame["kind"], values, strict=True)]
    size = 8.5 if len(frame) <= 6 else 8
    said = waterfall(ax, frame, values, written, lambda top: _money(top, fmt), size=size)
    ax.set_ylabel(fmt.say("Recurring revenue a month"))
    return Drawn(ax, fmt.say("The flow of recurring revenue a month. {steps}.", steps=said))


@drawing
def recurring_revenue(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """What each month added to recurring revenue and took from it.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a month: `month` (its first day), `new`, `returned`, `expansion`, `churned`,
        `contraction` (currency a month, none negative), `end` (recurring revenue at its end),
        `complete` (False where the month isn't over).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.3)
    parts = {name: np.nan_to_num(plain(frame[name])) for name, *_ in (*_UP, *_DOWN)}
    if frame.empty or not any(part.any() for part in parts.values()):
        return nothing_to_draw(ax, fmt.say("No month has changed recurring revenue yet."))
    xs = month_numbers(frame["month"])
    names = {
        "new": fmt.say("New"),
        "returned": fmt.say("Returned"),
        "expansion": fmt.say("Pay more"),
        "churned": fmt.say("Lost"),
        "contraction": fmt.say("Pay less"),
    }
    labels, ends = [], []
    for side, sign in ((_UP, 1.0), (_DOWN, -1.0)):
        foot = np.zeros(len(frame))
        for name, fill, colour in side:
            if not parts[name].any():
                continue
            ax.bar(xs, sign * parts[name], bottom=foot, width=0.8, color=fill, zorder=2)
            labels.append((foot[-1] + sign * parts[name][-1] / 2, names[name], colour))
            foot = foot + sign * parts[name]
        ends.append(foot)
    up, down = ends
    net = up + down
    ax.plot(xs, net, color=INK, linewidth=1.4, zorder=4)
    ax.plot(xs, net, "o", color=INK, markersize=3.2 if len(frame) <= 40 else 2, zorder=4)
    labels.append((float(net[-1]), fmt.say("Net"), INK))
    ax.axhline(0.0, color=GREY, linewidth=0.9, zorder=3)
    top, bottom = top_of(up), top_of(-down)
    ax.set_ylim(-1.14 * bottom if down.any() else -0.06 * top, 1.14 * top)
    written_ticks(ax.yaxis, _money(max(top, bottom), fmt), most=7)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    month_axis(ax, xs, fmt.month)
    open_ = (~frame["complete"].astype(bool)).to_numpy()
    unfinished_label(ax, xs, up, open_, fmt.say("unfinished"))
    end_labels(ax, labels, ax.get_xlim()[1])
    ax.set_ylabel(fmt.say("Change of recurring\nrevenue a month"))
    whole = np.flatnonzero(~open_) if (~open_).any() else np.arange(len(frame))
    last = int(whole[-1])
    alt = fmt.say(
        "What each month added to recurring revenue and took from it, {first} to {last}. In "
        "{month} {gained} were gained and {lost} lost, which left {end} a month.",
        first=fmt.month(frame["month"].iloc[0], long=True),
        last=fmt.month(frame["month"].iloc[-1], long=True),
        month=fmt.month(frame["month"].iloc[last], long=True),
        gained=fmt.money(up[last]),
        lost=fmt.money(-down[last]),
        end=fmt.money(float(frame["end"].iloc[last])),
    )
    return Drawn(ax, alt)


@drawing
def subscriber_survival(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """The share of subscribers still there, as observed, and as projected beyond.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row an age, in order: `months`, `observed`, `low`, `high` (NaN where too few were watched
        so long), `model`, `model_low`, `model_high` (NaN without a projection).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax)
    observed = np.isfinite(plain(frame["observed"]))
    if frame.empty or observed.sum() < 2:
        return nothing_to_draw(
            ax, fmt.say("Too few subscribers were watched to a renewal to draw who stays.")
        )
    months = plain(frame["months"])
    share, low, high = (plain(frame[name])[observed] for name in ("observed", "low", "high"))
    model, least, most = (plain(frame[name]) for name in ("model", "model_low", "model_high"))
    modelled = np.isfinite(model)
    seen, colour = months[observed], COLOURS["actual"]
    ends = [(float(share[-1]), f"{fmt.say('Observed')}\n{fmt.share(share[-1])}", colour)]
    watched = float(seen[-1])
    parts = [
        fmt.say("{share} after {months}", share=fmt.share(s), months=fmt.months(m))
        for m, s in _some(seen, share)
    ]
    alt = fmt.say("Share of subscribers still there: {parts}.", parts=", ".join(parts))
    if modelled.any():
        ax.fill_between(
            months[modelled],
            least[modelled],
            most[modelled],
            step="post",
            color=BLUE,
            alpha=0.16,
            linewidth=0,
        )
        ax.plot(
            months[modelled],
            model[modelled],
            color=BLUE,
            linestyle=(0, (4, 1.5)),
            drawstyle="steps-post",
        )
        ends = [(float(model[modelled][-1]), _ending(fmt, model[modelled][-1]), BLUE)]
        alt += " " + fmt.say(
            "Projected: {share} after {months}, interval {low} to {high}.",
            share=fmt.share(model[modelled][-1]),
            months=fmt.months(months[modelled][-1]),
            low=fmt.share(least[modelled][-1]),
            high=fmt.share(most[modelled][-1]),
        )
    ax.fill_between(seen, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
    ax.plot(seen, share, color=colour, linewidth=2.2, drawstyle="steps-post")
    value_axis(ax, share_tick(fmt, 1.0), 1.0)
    last = float(months[observed | modelled].max())
    ax.set_xlim(0, last)
    _month_ticks(ax, last, fmt)
    if last > watched:
        upright(
            ax, watched, fmt.say("watched up to here"), "right" if watched < 0.7 * last else "left"
        )
    ax.set_xlabel(fmt.say("Months since the subscription began"))
    ax.set_ylabel(fmt.say("Still subscribers"))
    end_labels(ax, ends, last, lines=2)
    return Drawn(ax, alt)


@drawing
def renewal_losses(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """The share lost at each renewal, of those who were there until then.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a renewal, in order: `months` (age at it), `hazard`, `low`, `high`, `model` (NaN
        without a projection).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    frame = frame[np.isfinite(plain(frame["hazard"]))]
    if frame.empty:
        return nothing_to_draw(
            ax, fmt.say("Too few subscribers were watched to a renewal to draw when they leave.")
        )
    months, hazard, low, high, model = (
        plain(frame[name]) for name in ("months", "hazard", "low", "high", "model")
    )
    few = len(frame) <= 30
    ax.vlines(months, low, high, color=BLUE, linewidth=5 if few else 2.5, alpha=0.28)
    ax.plot(months, hazard, "o", color=BLUE, markersize=5.5 if few else 3.5, zorder=3)
    if np.isfinite(model).any():
        ax.plot(months, model, color=INK, linewidth=1.2, zorder=2)
    top = min(1.0, top_of(hazard, np.minimum(high, 1.6 * top_of(hazard)), model, least=0.01))
    value_axis(ax, share_tick(fmt, top), top)
    last = float(months.max())
    ax.set_xlim(0, last + 0.04 * max(last, 1))
    _month_ticks(ax, last, fmt, first=float(months.min()))
    if np.isfinite(model).any():
        end_labels(ax, [(float(model[-1]), fmt.say("Model"), INK)], ax.get_xlim()[1])
    ax.set_xlabel(fmt.say("Months since the subscription began"))
    ax.set_ylabel(fmt.say("Don't renew"))
    said = ", ".join(
        fmt.say("{share} after {months}", share=fmt.share(s), months=fmt.months(m))
        for m, s in _some(months, hazard)
    )
    return Drawn(ax, fmt.say("Share that doesn't renew, by age: {said}.", said=said))


def _ending(fmt: Formats, share: float) -> str:
    return f"{fmt.say('Projected')}\n{fmt.share(share)}"


def _some(months: np.ndarray, shares: np.ndarray) -> list[tuple[float, float]]:
    """The first, some between, the last."""
    at = np.unique(np.round(np.geomspace(1, len(months), 5)).astype(int) - 1)
    pairs = [(float(months[i]), float(shares[i])) for i in at]
    return [pair for pair in pairs if pair[0] > 0]


def _month_ticks(ax: Axes, last: float, fmt: Formats, first: float = 0.0) -> None:
    step = next((s for s in (1, 2, 3, 6, 12, 24, 36, 60, 120) if last / s <= 10), 240)
    ticks = [month for month in np.arange(0, last + 1e-9, step) if month >= min(first, step)]
    tick_positions(ax.xaxis, ticks, [fmt.count(month) for month in ticks])


def _signed(value: float, kind: str, fmt: Formats) -> str:
    sign = {"loss": MINUS, "gain": "+"}.get(kind, "") if value else ""
    return sign + fmt.number(value, 2 if 0 < value < 100 else 0)


def _money(top: float, fmt: Formats) -> Number:
    """Writes amounts of an axis without the decimals that its ticks don't need."""
    return lambda value: fmt.money(value, 0 if top >= 8 else None)
