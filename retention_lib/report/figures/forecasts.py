"""Figures that set a forecast beside others and beside what happened, and map its value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from retention_lib.report.figures.marks import nothing_to_draw, plain, shortened, top_of
from retention_lib.report.figures.models import LINES, edges
from retention_lib.report.figures.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    PALE,
    QUIET,
    SEQUENTIAL,
    Drawn,
    canvas,
    drawing,
    whole,
)
from retention_lib.report.figures.ticks import (
    number_tick,
    share_tick,
    tick_positions,
    value_axis,
    written_ticks,
)
from retention_lib.report.language import Formats


@drawing
def forecast_against(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """What each way of forecasting expected of the months held back, beside what happened.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a forecast, in the order to be shown: `label`, `kind` ("forecast" of the model, or
        "baseline"), `value`, and `low`, `high` where there is an interval; and one row of the kind
        "actual".
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    shown = frame[frame["kind"] != "actual"]
    ax = canvas(ax, height=1.1 + 0.42 * max(len(shown), 2))
    actual = plain(frame.loc[frame["kind"] == "actual", "value"])
    if not len(actual) or not np.isfinite(actual[0]) or shown.empty:
        return nothing_to_draw(
            ax, fmt.say("There is no period held back to compare the forecasts with.")
        )
    ys = np.arange(len(shown))[::-1].astype(float)
    values, low, high = (plain(shown[name]) for name in ("value", "low", "high"))
    colours = [COLOURS[kind] for kind in shown["kind"]]
    for y, value, lower, upper, colour in zip(ys, values, low, high, colours, strict=True):
        ax.plot([actual[0], value], [y, y], color=colour, linewidth=1.0, alpha=0.45, zorder=2)
        if np.isfinite(lower) and np.isfinite(upper):
            ax.plot([lower, upper], [y, y], color=colour, linewidth=6, alpha=0.35, zorder=3)
        ax.plot([value], [y], "o", color=colour, markersize=7, zorder=4)
        if np.isfinite(value):
            off = f"  ({_signed_share(value / actual[0] - 1, fmt)})" if actual[0] > 0 else ""
            # away from the line of what happened, beyond the interval
            is_low = value < actual[0]
            bar = [x for x in (value, lower, upper) if np.isfinite(x)]
            ax.annotate(
                fmt.count(value) + off,
                (min(bar) if is_low else max(bar), y),
                xytext=(-9 if is_low else 9, 0),
                textcoords="offset points",
                ha="right" if is_low else "left",
                va="center",
                color=colour,
                fontsize=8.5,
                annotation_clip=False,
            )
    # it ends below its name
    ax.plot([actual[0]] * 2, [-0.6, len(shown) - 0.5], color=INK, linewidth=1.6, zorder=1)
    ax.annotate(
        fmt.say("What happened: {n}", n=fmt.count(actual[0])),
        (actual[0], len(shown) - 0.45),
        ha="center",
        va="bottom",
        color=INK,
        fontweight="bold",
        fontsize=8.5,
        annotation_clip=False,
    )
    ends = np.concatenate([values, low, high, actual])
    span = float(np.nanmax(ends) - np.nanmin(ends)) or float(actual[0]) or 1.0
    room = {True: 0.42, False: 0.12}  # for the words at a side
    left, right = (values < actual[0]).any(), (values >= actual[0]).any()
    ax.set_xlim(
        float(np.nanmin(ends)) - room[bool(left)] * span,
        float(np.nanmax(ends)) + room[bool(right)] * span,
    )
    ax.set_ylim(-0.6, len(shown) - 0.1)
    tick_positions(ax.yaxis, ys.tolist(), [shortened(x, 30, lines=2) for x in shown["label"]])
    # room for words may begin below zero, where nothing can be
    written_ticks(ax.xaxis, lambda x: fmt.count(x) if x >= 0 else "", most=5, whole=True)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(fmt.say("Purchases in the months held back"))
    said = "; ".join(
        f"{label}: {fmt.count(value)}"
        for label, value in zip(shown["label"], values, strict=True)
        if np.isfinite(value)
    )
    alt = fmt.say(
        "In the months held back {actual} purchases were made. Forecast had been: {said}.",
        actual=fmt.count(actual[0]),
        said=said,
    )
    return Drawn(ax, alt)


def _signed_share(value: float, fmt: Formats) -> str:
    sign = "+" if round(value, 3) > 0 else ""
    return sign + fmt.share(value)


@drawing
def forecast_errors(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """By how much forecasts made at earlier days missed what followed.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row an earlier day, in order: `origin` (date), `error` (forecast / actual − 1).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.6)
    errors = plain(frame["error"]) if "error" in frame else np.array([])
    if not np.isfinite(errors).any():
        return nothing_to_draw(ax, fmt.say("The history is too short for earlier forecasts."))
    days = pd.DatetimeIndex(pd.to_datetime(frame["origin"]))
    xs = np.arange(len(errors))
    ax.axhline(0.0, color=INK, linewidth=1.2, zorder=1)
    for x, error in zip(xs, errors, strict=True):
        if not np.isfinite(error):
            continue
        ax.plot([x, x], [0, error], color=BLUE, linewidth=2.0, alpha=0.45, zorder=2)
        ax.plot([x], [error], "o", color=BLUE, markersize=7, zorder=3)
        ax.annotate(
            _signed_share(error, fmt),
            (x, error),
            xytext=(0, 8 if error >= 0 else -8),
            textcoords="offset points",
            ha="center",
            va="bottom" if error >= 0 else "top",
            color=BLUE,
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )
    largest = max(float(np.nanmax(np.abs(errors))), 0.02)
    ax.set_ylim(-1.45 * largest, 1.45 * largest)
    ax.set_xlim(-0.6, max(len(xs) - 0.4, 0.6))
    written_ticks(ax.yaxis, share_tick(fmt, largest), most=4)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_visible(False)
    months = ["\n".join(fmt.month(day).rsplit(maxsplit=1)) for day in days]
    tick_positions(ax.xaxis, xs.tolist(), months)
    ax.set_xlabel(fmt.say("End of the data that the forecast was made from"))
    ax.set_ylabel(fmt.say("Forecast against outcome"))
    said = "; ".join(
        f"{fmt.date(day)}: {_signed_share(error, fmt)}"
        for day, error in zip(days, errors, strict=True)
        if np.isfinite(error)
    )
    return Drawn(
        ax, fmt.say("Forecasts made on earlier days against what followed: {said}.", said=said)
    )


@drawing
def repeat_counts(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """Customers by number of repeat purchases, as they are and as the model has them.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a number: `frequency` (text), `actual`, `expected` (customers).
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=2.9)
    if frame.empty or not (plain(frame["actual"]) > 0).any():
        return nothing_to_draw(ax, fmt.say("There are no customers to compare the model with."))
    xs = np.arange(len(frame))
    actual, expected = plain(frame["actual"]), plain(frame["expected"])
    ax.bar(xs, actual, width=0.62, color="#c6ccd2", zorder=2)
    ax.plot(
        xs, expected, color=COLOURS["forecast"], marker="o", markersize=5.5, **LINES["forecast"]
    )
    top = top_of(actual, expected)
    value_axis(ax, fmt.count, top, whole=True)
    first = int(np.nanargmax(actual))
    for x, text, colour, heights in (
        (first, fmt.say("Actual"), QUIET, actual),
        (first, fmt.say("Model"), COLOURS["forecast"], expected),
    ):
        ax.annotate(
            text,
            (x, heights[x]),
            xytext=(30 if colour == QUIET else -30, 2),
            textcoords="offset points",
            ha="left" if colour == QUIET else "right",
            va="top",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )
    ax.set_xlim(-0.9, len(frame) - 0.4)
    tick_positions(ax.xaxis, xs.tolist(), [str(name) for name in frame["frequency"]])
    ax.set_xlabel(fmt.say("Repeat purchases"))
    ax.set_ylabel(fmt.say("Customers"))
    said = "; ".join(
        fmt.say("{name}: {actual}, model {expected}", name=name, actual=a, expected=e)
        for name, a, e in zip(
            frame["frequency"], map(fmt.count, actual), map(fmt.count, expected), strict=True
        )
    )
    return Drawn(ax, fmt.say("Customers by number of repeat purchases: {said}.", said=said))


@drawing
def value_map(frame: pd.DataFrame, fmt: Formats, unit: str, ax: Axes | None = None) -> Drawn:
    """Expected value by how often a customer bought and how long ago the last purchase is.

    Lines join customers of equal value (Fader, Hardie & Lee 2005, "iso-value curves").

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a point of a regular grid: `frequency`, `silence` (time since the last purchase),
        `clv`.
    fmt : Formats
    unit : str
        Unit of silence as the reader calls it, such as "weeks".
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=3.8)
    if frame.empty or not (plain(frame["clv"]) > 0).any():
        return nothing_to_draw(ax, fmt.say("There is no value to draw a map of."))
    grid = frame.pivot(index="frequency", columns="silence", values="clv")
    silence, frequency = plain(grid.columns), plain(grid.index)
    values = np.maximum(grid.to_numpy(dtype=float, na_value=np.nan), 0.0)
    mesh = ax.pcolormesh(
        edges(silence),
        edges(frequency),
        np.sqrt(values),  # a few customers are worth most: evenly shaded, the others were all white
        cmap=sns.color_palette(SEQUENTIAL, as_cmap=True),
        vmin=0.0,
        rasterized=True,
    )
    levels = _round_levels(values)
    if min(values.shape) > 1 and len(levels):
        lines = ax.contour(silence, frequency, values, levels=levels, colors=INK, linewidths=1.0)
        named = ax.clabel(lines, fmt=lambda level: fmt.money(level, 0), fontsize=8.5, colors=INK)
        for text in named:
            text.set_bbox({"facecolor": PALE, "alpha": 0.8, "edgecolor": "none", "pad": 1.0})
    bar = whole(ax).colorbar(mesh, ax=ax, pad=0.02, aspect=24)
    ticks = [0.0, *levels]
    tick_positions(bar.ax.yaxis, np.sqrt(ticks).tolist(), [fmt.money(x, 0) for x in ticks])
    bar.outline.set_visible(False)
    bar.set_label(fmt.say("CLV"))
    written_ticks(ax.xaxis, number_tick(fmt, top_of(silence)), most=8)
    written_ticks(ax.yaxis, fmt.count, most=6, whole=True)
    ax.set_xlabel(fmt.say("Time since the last purchase ({unit})", unit=unit))
    ax.set_ylabel(fmt.say("Repeat purchases"))
    best = np.unravel_index(np.nanargmax(values), values.shape)
    alt = fmt.say(
        "Customer lifetime value by repeat purchases and time since the last purchase: up to "
        "{high}, at {frequency} repeat purchases and {silence} {unit} of silence; {low} at the "
        "least.",
        high=fmt.money(float(np.nanmax(values))),
        low=fmt.money(float(np.nanmin(values))),
        frequency=fmt.count(frequency[best[0]]),
        silence=fmt.count(silence[best[1]]),
        unit=unit,
    )
    return Drawn(ax, alt)


def _round_levels(values: np.ndarray, most: int = 4) -> list[float]:
    """Round amounts, each two to five times the one before, as far as the values reach."""
    top = float(np.nanmax(values))
    powers = 10.0 ** np.arange(np.floor(np.log10(top)) - 2, np.ceil(np.log10(top)) + 1)
    every = np.sort(np.outer(powers, [1.0, 2.0, 5.0]).ravel())[::-1]
    levels: list[float] = []
    for level in every[every < 0.95 * top]:
        if not levels or level < 0.45 * levels[-1]:
            levels.append(float(level))
    return levels[:most][::-1]


@drawing
def caught_revenue(frame: pd.DataFrame, fmt: Formats, ax: Axes | None = None) -> Drawn:
    """The share of the following revenue that fell on the tenth of customers each way put first.

    Parameters
    ----------
    frame : pandas.DataFrame
        A row a way of ranking: `label`, `kind` ("forecast", "baseline", or "actual" for a list
        made afterwards), `share`.
    fmt : Formats
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    Drawn
    """
    ax = canvas(ax, height=0.9 + 0.42 * max(len(frame), 3))
    shares = plain(frame["share"])
    if not np.isfinite(shares).any():
        return nothing_to_draw(ax, fmt.say("Nobody bought in the months held back."))
    ys = np.arange(len(frame))[::-1].astype(float)
    for y, share, kind in zip(ys, shares, frame["kind"], strict=True):
        colour = COLOURS["forecast"] if kind == "forecast" else GREY
        hollow = kind == "actual"
        ax.barh(
            [y],
            [np.nan_to_num(share)],
            height=0.55,
            color="white" if hollow else colour,
            edgecolor=colour,
            linewidth=1.2 if hollow else 0.0,
            linestyle="--" if hollow else "-",
        )
        ax.annotate(
            fmt.share(share),
            (np.nan_to_num(share), y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            annotation_clip=False,
        )
    ax.set_xlim(0, top_of(shares) * 1.12)
    ax.set_ylim(-0.6, len(frame) - 0.4)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    tick_positions(ax.yaxis, ys.tolist(), [shortened(x, 30, lines=2) for x in frame["label"]])
    said = "; ".join(
        f"{label}: {fmt.share(share)}"
        for label, share in zip(frame["label"], shares, strict=True)
        if np.isfinite(share)
    )
    return Drawn(
        ax,
        fmt.say(
            "Share of the revenue of the months held back that fell on the tenth of customers "
            "put first: {said}.",
            said=said,
        ),
    )
