"""The loyalty programme in figures: what it must bring and what it brings, members, points."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import (
    beside,
    end_labels,
    nothing_to_draw,
    plain,
    top_of,
    unfinished_bars,
    wrapped,
)
from retention_lib.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PALE,
    QUIET,
    RED,
    Drawn,
    canvas,
    drawing,
)
from retention_lib.report.figures.ticks import (
    month_axis,
    month_numbers,
    share_tick,
    tick_positions,
    written_ticks,
)
from retention_lib.report.figures.weekdays import signed
from retention_lib.report.language import Formats


@drawing
def programme_effect(
    frame: pd.DataFrame, fmt: Formats, break_even: float | None = None, ax: Axes | None = None
) -> Drawn:
    """What members spend more, seen three ways, against what the programme must bring.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a comparison, the fair one last: `label`, `value` (a share of what they are held
        against, less 1), `low`, `high` (NaN without an interval), `is_effect`.
    fmt : Formats
    break_even : float, optional
        The uplift that pays for the programme.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=1.3 + 0.5 * max(len(frame), 2))
    value, low, high = (plain(frame[name]) for name in ("value", "low", "high"))
    if not np.isfinite(value).any():
        return nothing_to_draw(ax, fmt.say("There is no comparison of members to draw."))
    ys = np.arange(len(frame))[::-1].astype(float)
    colours = [BLUE if is_effect else GREY for is_effect in frame["is_effect"]]
    ax.hlines(ys, low, high, color=colours, linewidth=7, alpha=0.28)
    for x, y, colour, is_effect in zip(value, ys, colours, frame["is_effect"], strict=True):
        face = colour if is_effect else "white"
        ax.scatter([x], [y], s=70, facecolor=face, edgecolor=colour, linewidth=1.6, zorder=3)
    ends = [*value, *low, *high, 0.0, *([] if break_even is None else [break_even])]
    left, right = float(np.nanmin(ends)), float(np.nanmax(ends))
    room = (right - left) or 0.02
    ax.set_xlim(left - 0.10 * room, right + 0.10 * room)
    ax.set_ylim(-0.65, len(frame) - 0.35)
    ax.axvline(0.0, color=QUIET, linewidth=0.9, zorder=1)
    for x, y, a, b, is_effect in zip(value, ys, low, high, frame["is_effect"], strict=True):
        if np.isfinite(x):
            text = signed(x, fmt)
            if np.isfinite(a) and np.isfinite(b):
                text += f"\n{fmt.interval(a, b, 'share')}"
            beside(ax, y, text, bold=bool(is_effect))
    if break_even is not None:
        ax.axvline(break_even, color=RED, linewidth=1.4, linestyle=(0, (4, 2)), zorder=2)
        far = (break_even - left) > 0.6 * room
        ax.annotate(
            fmt.say("Pays for itself from {share}", share=_small(break_even, fmt)),
            (break_even, len(frame) - 0.38),
            xytext=(-5 if far else 5, 0),
            textcoords="offset points",
            ha="right" if far else "left",
            va="bottom",
            color=RED,
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )
    tick_positions(ax.yaxis, ys.tolist(), [wrapped(label, 30) for label in frame["label"]])
    digits = 0 if room >= 0.04 else 1
    written_ticks(ax.xaxis, lambda x: signed(x, fmt, digits), most=6)
    ax.grid(axis="x")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_xlabel(fmt.say("Members' spend against what it is held against"))
    said = "; ".join(
        f"{label}: {signed(x, fmt)}"
        + (f" ({fmt.interval(a, b, 'share')})" if np.isfinite(a) and np.isfinite(b) else "")
        for label, x, a, b in zip(frame["label"], value, low, high, strict=True)
        if np.isfinite(x)
    )
    if break_even is None:
        return Drawn(ax, fmt.say("Members' spend. {said}.", said=said))
    return Drawn(
        ax,
        fmt.say(
            "Members' spend. {said}. The programme pays for itself from {share}.",
            said=said,
            share=_small(break_even, fmt),
        ),
    )


def _small(value: float, fmt: Formats) -> str:
    """A share with as many decimals as it needs to be seen."""
    return fmt.share(value, 1 if value >= 0.001 else 2 if value >= 0.0001 else 3)


@drawing
def member_flow(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Members who joined and left, month by month, and how many there are.

    Parameters
    ----------
    frame : pandas.DataFrame
        `month`, `joined`, `left`, `closing`, `complete`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.0)
    if frame.empty or not (plain(frame["joined"]).sum() + plain(frame["left"]).sum()) > 0:
        return nothing_to_draw(ax, fmt.say("Nobody joined or left in these months."))
    xs = month_numbers(frame["month"])
    joined, left = plain(frame["joined"]), plain(frame["left"])
    is_open = ~frame["complete"].to_numpy(dtype=bool)
    unfinished_bars(ax.bar(xs, joined, 0.78, color=GREEN), list(is_open))
    unfinished_bars(ax.bar(xs, -left, 0.78, color=RED), list(is_open))
    ax.axhline(0.0, color=QUIET, linewidth=0.9)
    up, down = top_of(joined), top_of(left) if left.any() else 0.0
    reach = up + down
    ax.set_ylim(-down - 0.10 * reach, up + 0.12 * reach)
    written_ticks(ax.yaxis, lambda value: fmt.count(abs(value)), most=5, whole=True)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    month_axis(ax, xs, fmt.month)
    # beside the last bar, each on its side of the line
    ends = [(0.5 * up, fmt.say("Joined"), GREEN)]
    if left.any():
        ends.append((-0.7 * down - 0.04 * reach, fmt.say("Left"), RED))
    end_labels(ax, ends, float(ax.get_xlim()[1]))
    ax.set_ylabel(fmt.say("Members"))
    alt = fmt.say(
        "Members by month from {first} to {last}: {joined} joined and {left} left; {closing} at "
        "the end.",
        first=fmt.month(frame["month"].iloc[0]),
        last=fmt.month(frame["month"].iloc[-1]),
        joined=fmt.count(joined.sum()),
        left=fmt.count(left.sum()),
        closing=fmt.count(plain(frame["closing"])[-1]),
    )
    return Drawn(ax, alt)


@drawing
def points_by_month(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Points earned, redeemed and expired by month, and the balance that they leave.

    Parameters
    ----------
    frame : pandas.DataFrame
        `month`, `earned`, `redeemed`, `expired`, `outstanding`, `complete`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.6)
    names = ("earned", "redeemed", "expired", "outstanding")
    series = {name: plain(frame[name]) for name in names}
    if frame.empty or not any(np.nansum(np.abs(values)) > 0 for values in series.values()):
        return nothing_to_draw(ax, fmt.say("No point has been earned or used."))
    xs = month_numbers(frame["month"])
    is_open = ~frame["complete"].to_numpy(dtype=bool)
    unfinished_bars(ax.bar(xs, series["earned"], 0.78, color=BLUE), list(is_open))
    unfinished_bars(ax.bar(xs, -series["redeemed"], 0.78, color=GREEN), list(is_open))
    bars = ax.bar(xs, -series["expired"], 0.78, bottom=-series["redeemed"], color="#b9c1c8")
    unfinished_bars(bars, list(is_open))
    ax.plot(xs, series["outstanding"], color=INK, linewidth=1.8)
    ax.axhline(0.0, color=QUIET, linewidth=0.9)
    down = series["redeemed"] + series["expired"]
    low = min(-top_of(down), float(np.nanmin(series["outstanding"])), 0.0)
    high = top_of(series["earned"], series["outstanding"])
    reach = high - low
    ax.set_ylim(low - 0.06 * reach, high + 0.08 * reach)
    write = fmt.count if reach >= 20 else lambda value: fmt.number(value, 1)
    # below the line stand points that were used, unless a balance falls there too
    below = np.nanmin(series["outstanding"]) < 0
    written_ticks(ax.yaxis, lambda value: write(value if below else abs(value)), most=6)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    month_axis(ax, xs, fmt.month)
    last = {name: values[-1] for name, values in series.items()}
    labels = [
        (last["outstanding"], fmt.say("Outstanding"), INK),
        (last["earned"] / 2, fmt.say("Earned"), BLUE),
        (-last["redeemed"] / 2, fmt.say("Redeemed"), GREEN),
    ]
    if series["expired"].any():
        labels.append((-last["redeemed"] - last["expired"] / 2, fmt.say("Expired"), GREY))
    end_labels(ax, labels, float(ax.get_xlim()[1]))
    ax.set_ylabel(fmt.say("Points"))
    alt = fmt.say(
        "Points by month: {earned} earned, {redeemed} redeemed and {expired} expired; "
        "{outstanding} outstanding at the end.",
        **{name: fmt.count(series[name].sum()) for name in names[:3]},
        outstanding=fmt.count(last["outstanding"]),
    )
    return Drawn(ax, alt)


@drawing
def points_by_age(
    frame: pd.DataFrame, fmt: Formats, step: str = "month", ax: Axes | None = None
) -> Drawn:
    """What becomes of points as they grow older: redeemed, expired, or open still.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a step of age, from 0: `age`, `redeemed`, `low`, `high`, `expired`, `open`.
    fmt : Formats
    step : {"month", "week"}
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.2)
    if frame.empty:
        return nothing_to_draw(ax, fmt.say("Too few customers have points to follow."))
    # a share by the end of a step is reached at the age at which the step ends
    ages = np.concatenate([[0.0], plain(frame["age"]) + 1])
    redeemed, low, high, expired = (
        np.concatenate([[0.0], plain(frame[name])])
        for name in ("redeemed", "low", "high", "expired")
    )
    ax.fill_between(ages, 0.0, redeemed, color=BLUE, alpha=0.75, linewidth=0)
    ax.fill_between(ages, redeemed, 1 - expired, color=PALE, linewidth=0)
    ax.fill_between(ages, 1 - expired, 1.0, color="#b9c1c8", linewidth=0)
    known = np.isfinite(low) & np.isfinite(high)
    ax.fill_between(ages[known], low[known], high[known], color=INK, alpha=0.25, linewidth=0)
    ax.plot(ages, redeemed, color=BLUE)
    ax.set_xlim(0.0, ages[-1])
    ax.set_ylim(0.0, 1.0)
    written_ticks(ax.yaxis, share_tick(fmt, 1.0), most=5)
    written_ticks(ax.xaxis, fmt.count, most=8, whole=True)
    ax.spines["left"].set_visible(False)
    still = 1 - redeemed[-1] - expired[-1]
    labels = [
        (redeemed[-1] / 2, fmt.say("Redeemed\n{share}", share=fmt.share(redeemed[-1])), BLUE),
    ]
    if still >= 0.0005:
        middle = redeemed[-1] + still / 2
        labels.append((middle, fmt.say("Open still\n{share}", share=fmt.share(still)), QUIET))
    if expired[-1] > 0:
        middle = 1 - expired[-1] / 2
        labels.append((middle, fmt.say("Expired\n{share}", share=fmt.share(expired[-1])), GREY))
    end_labels(ax, labels, float(ages[-1]), lines=2)
    ax.set_xlabel(
        fmt.say("Weeks since the points were earned")
        if step == "week"
        else fmt.say("Months since the points were earned")
    )
    ax.set_ylabel(fmt.say("Share of the points earned"))
    values = {
        "age": fmt.count(ages[-1]),
        "redeemed": fmt.share(redeemed[-1]),
        "expired": fmt.share(expired[-1]),
        "open": fmt.share(max(still, 0.0)),
    }
    if step == "week":
        return Drawn(
            ax,
            fmt.say(
                "Points {age} weeks after they were earned: {redeemed} redeemed, {expired} "
                "expired, {open} open still.",
                **values,
            ),
        )
    return Drawn(
        ax,
        fmt.say(
            "Points {age} months after they were earned: {redeemed} redeemed, {expired} expired, "
            "{open} open still.",
            **values,
        ),
    )
