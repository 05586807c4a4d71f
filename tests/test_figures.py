"""What a reader sees of a figure: nothing cut off, nothing over another, the finding in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from retention_lib.report import figures
from retention_lib.report.figures import Drawn, marks
from retention_lib.report.figures import comparison as comparison_figures
from retention_lib.report.figures import subscription as subscription_figures
from retention_lib.report.figures import survey as survey_figures
from retention_lib.report.figures.style import COLOURS, QUIET, TEXT_COLOURS, luminance
from retention_lib.report.language import Formats

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
NAN = float("nan")


# Frames as the chapters hand them over ------------------------------------------------------


def by_month(n: int = 18, level: float = 1000.0, last_open: bool = True) -> pd.DataFrame:
    i = np.arange(n)
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-01-01", periods=n, freq="MS"),
            "new": level * (1 + 0.3 * np.sin(i)),
            "returning": level * (0.2 + i / 10),
            "orders": level * (2 + np.cos(i)),
            "complete": [True] * (n - 1) + [not last_open],
        }
    )


def flow(*values: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": ["At the start", "Lost", "Reactivated", "New", "At the end"],
            "kind": ["start", "loss", "gain", "gain", "end"],
            "value": values,
        }
    )


def rates(rows: int = 5, **columns: object) -> pd.DataFrame:
    value = np.linspace(0.2, 0.6, rows)
    frame = pd.DataFrame(
        {
            "label": [f"Rate number {i}" for i in range(rows)],
            "value": value,
            "low": value - 0.03,
            "high": value + 0.03,
            "n": 1000.0,
            "previous": value - 0.05,
        }
    )
    return frame.assign(**columns)


def cohorts(n: int = 12, level: float = 0.3) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    labels = [EN.month(m) for m in pd.date_range("2020-01-01", periods=n, freq="MS")]
    shares = np.full((n, n), np.nan)
    for i in range(n):
        shares[i, : n - i] = [1.0] + [level / (k + 1) + i / 1000 for k in range(1, n - i)]
    unfinished = np.add.outer(np.arange(n), np.arange(n)) == n - 1
    return (
        pd.DataFrame(shares, index=labels),
        pd.Series(np.arange(n) * 100 + 900, index=labels),
        pd.DataFrame(unfinished, index=labels),
    )


def second(days: int = 365, level: float = 0.4) -> pd.DataFrame:
    d = np.arange(days + 1)
    share = level * (1 - np.exp(-d / 80))
    return pd.DataFrame({"days": d, "share": share, "low": share * 0.95, "high": share * 1.05})


def tracking(n: int = 78) -> pd.DataFrame:
    i = np.arange(n)
    return pd.DataFrame(
        {
            "date": pd.date_range("1997-01-05", periods=n, freq="W"),
            "actual": 60.0 * i,
            "forecast": np.where(i < 39, 60.0 * i, 2340 + 50 * (i - 39)),
            "baseline": np.where(i < 39, np.nan, 2340 + 48 * (i - 39)),
        }
    )


def seen_thrice(raw: float = 0.75) -> pd.DataFrame:
    labels = (
        "Against all others (no effect)",
        "Against themselves before (no effect)",
        "Against comparable customers",
    )
    return pd.DataFrame(
        {
            "label": labels,
            "value": [raw, raw * 0.06, raw * 0.045],
            "low": [NAN, NAN, raw * 0.045 - 0.024],
            "high": [NAN, NAN, raw * 0.045 + 0.024],
            "is_effect": [False, False, True],
        }
    )


def member_months(level: int = 100, n: int = 20) -> pd.DataFrame:
    i = np.arange(n)
    joined = np.round(level * (1 + 0.3 * np.sin(i))).astype(int)
    left = np.where(i > 4, level // 9, 0)
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-05-01", periods=n, freq="MS"),
            "joined": joined,
            "left": left,
            "closing": np.cumsum(joined - left),
            "complete": [True] * (n - 1) + [False],
        }
    )


def point_months(level: float = 1000.0, n: int = 20) -> pd.DataFrame:
    i = np.arange(n)
    earned = level * (1 + i / 10)
    redeemed, expired = 0.5 * earned, np.where(i > 11, 0.2 * earned, 0.0)
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-05-01", periods=n, freq="MS"),
            "earned": earned,
            "redeemed": redeemed,
            "expired": expired,
            "outstanding": np.cumsum(earned - redeemed - expired),
            "complete": [True] * (n - 1) + [False],
        }
    )


def point_ages(redeemed: float = 0.6, expired: float = 0.25, n: int = 12) -> pd.DataFrame:
    part = (np.arange(n) + 1) / n
    used, gone = redeemed * part**0.5, expired * part**4
    return pd.DataFrame(
        {
            "age": np.arange(n),
            "redeemed": used,
            "low": used * 0.95,
            "high": used * 1.05,
            "expired": gone,
            "open": 1 - used - gone,
        }
    )


def by_frequency() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "frequency": [*"0123456", "7+"],
            "n": [1411, 439, 214, 100, 62, 38, 29, 64],
            "actual": [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359],
            "forecast": [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157],
        }
    )


def lorenz(power: float = 0.3) -> pd.DataFrame:
    x = np.linspace(0, 1, 101)
    return pd.DataFrame({"share_of_customers": x, "share_of_value": x**power})


def alive(frequencies: int = 15, recencies: int = 39, level: float | None = None) -> pd.DataFrame:
    x, t = np.meshgrid(np.arange(frequencies), np.arange(recencies), indexing="ij")
    p = 1 / (1 + np.exp(0.4 * x - 0.2 * t)) if level is None else np.full(x.shape, level)
    return pd.DataFrame({"frequency": x.ravel(), "recency": t.ravel(), "p_alive": p.ravel()})


def named_segments(*names: str, value: str = "revenue") -> pd.DataFrame:
    n = len(names)
    return pd.DataFrame(
        {"segment": names, "customers": np.arange(1, n + 1), value: np.arange(n, 0, -1.0) ** 2}
    )


def back_by(days: int = 365, lines: int = 3) -> pd.DataFrame:
    names = ("After the first", "After the second", "After the third")
    parts = [second(days, 0.4 + 0.15 * n).assign(label=names[n]) for n in range(lines)]
    return pd.concat(parts, ignore_index=True)


def modelled(days: int = 365, off: float = 0.03) -> pd.DataFrame:
    frame = second(days)
    return frame.assign(model=np.maximum(frame["share"] - off, 0))


def brought_by_age(n: int = 12, step: float = 12.5) -> dict:
    rows = [
        (f"Q{i}", age, 40 + step * age + 3 * i, age == n - 1 - i)
        for i in range(n)
        for age in range(n - i)
    ]
    frame = pd.DataFrame(rows, columns=["label", "age", "value", "unfinished"])
    pooled = [40 + step * age for age in range(n - 1)]
    return {"frame": frame, "axis": "Quarters since the first purchase", "pooled": pooled}


def two_trends(n: int = 9) -> pd.DataFrame:
    parts = [
        trend(n).assign(label=name, value=trend(n)["value"] + up, compared=np.arange(n) % 4 == 0)
        for name, up in (("Retention rate", 0.0), ("Repurchase rate", 0.08))
    ]
    return pd.concat(parts).sort_values("date", kind="stable")


def trend(n: int = 13) -> pd.DataFrame:
    value = np.linspace(0.45, 0.36, n)
    return pd.DataFrame(
        {
            "date": pd.date_range("2023-01-31", periods=n, freq="ME"),
            "value": value,
            "low": value - 0.02,
            "high": value + 0.02,
        }
    )


def against(*values: float, actual: float = 12265.0) -> pd.DataFrame:
    rows = [(f"Forecast number {i}", "baseline", v, NAN, NAN) for i, v in enumerate(values)]
    best = ("Pareto/NBD, with its interval", "forecast", 1.02 * actual, 0.96 * actual, 1.1 * actual)
    return pd.DataFrame(
        [best, *rows, ("", "actual", actual, NAN, NAN)],
        columns=["label", "kind", "value", "low", "high"],
    )


def missed(n: int = 6, level: float = 0.12) -> pd.DataFrame:
    days = pd.date_range("2023-03-31", periods=n, freq="QE")
    return pd.DataFrame({"origin": days, "error": level * np.cos(np.arange(n))})


def stepwise(n: int = 6, level: float = 0.3) -> pd.DataFrame:
    share = level * (1 + np.arange(n) / 5)
    return pd.DataFrame(
        {"number": np.arange(1, n + 1), "share": share, "low": share * 0.9, "high": share * 1.1}
    )


def by_first_size(n: int = 5, level: float = 80.0) -> pd.DataFrame:
    later = level * (1 + np.arange(n) ** 2 / 8)
    labels = ["up to $13.97", "$13.97 to $17.56", "$17.56 to $28.74", "$28.74 to $45.77"]
    return pd.DataFrame(
        {
            "label": [*labels, "above $45.77"][:n],
            "later": later,
            "low": later * 0.9,
            "high": later * 1.1,
        }
    )


def by_first_category(*names: str, level: float = 80.0) -> pd.DataFrame:
    later = level * (1 + np.arange(len(names)) / 4)
    return pd.DataFrame(
        {
            "label": names,
            "n": 1000.0,
            "later": later,
            "low": later * 0.9,
            "high": later * 1.1,
            "like": later * 0.97,
            "stands_out": [1, *[0] * len(names)][: len(names)],
        }
    )


def value_steps(n: int = 6, level: float = 35.0) -> pd.DataFrame:
    mean, same = level * (1 + np.arange(n) / 30), level * (1.3 - np.arange(n) / 60)
    frame = pd.DataFrame({"number": np.arange(1, n + 1), "mean": mean, "same": same})
    for prefix, column in (("", mean), ("same_", same)):
        frame[f"{prefix}low"], frame[f"{prefix}high"] = column * 0.97, column * 1.03
    return frame


def from_to(n: int = 8, level: float = 0.3) -> tuple[pd.DataFrame, pd.Series]:
    names = ["Frozen and chilled food of all kinds", *(f"Category {i}" for i in range(n))][:n]
    shares = level * (1 + np.eye(n)) * np.linspace(1.0, 0.1, n)
    return (
        pd.DataFrame(shares, index=names, columns=names),
        pd.Series(np.arange(n) * 100 + 20.0, index=names),
    )


def led(n: int = 8, lift: float = 1.7) -> pd.DataFrame:
    times = np.linspace(lift, 1.0, n) if n else np.array([])
    return pd.DataFrame(
        {
            "label": [f"Sea and river fish → Category {i}" for i in range(n)],
            "share": 0.25,
            "lift": times,
            "lift_low": times * 0.8,
            "lift_high": times * 1.25,
            "raw_lift": times * 1.5,
            "above": [1, *[0] * n][:n],
        }
    )


NAMES = {"not_due": "Not due yet", "window": "Window open", "late": "Late", "gone": "Gone"}


def waits(level: float = 9_000.0) -> pd.DataFrame:
    steps = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 6), (6, 10), (10, float("inf"))]
    states = [["not_due"], ["window"], ["window"], ["window", "late"], ["late"], ["late"]]
    rows = [
        (*step, state, 1_500 - 100 * i, level * (1 + i))
        for i, (step, found) in enumerate(zip(steps, [*states, ["late", "gone"]], strict=True))
        for state in found
    ]
    return pd.DataFrame(rows, columns=["start", "end", "state", "customers", "at_stake"])


def repeats(level: float = 1000.0) -> pd.DataFrame:
    n = level * np.array([12, 4, 2.2, 1.4, 0.9, 0.6, 0.4, 1.7])
    return pd.DataFrame({"frequency": [*"0123456", "7+"], "actual": n, "expected": n * 0.97})


def value(frequencies: int = 15, times: int = 40, level: float = 90.0) -> pd.DataFrame:
    x, t = np.meshgrid(np.arange(1, frequencies + 1), 2.0 * np.arange(times), indexing="ij")
    clv = level * x / (1 + np.exp(0.3 * (t - 40)))
    return pd.DataFrame({"frequency": x.ravel(), "silence": t.ravel(), "clv": clv.ravel()})


def caught(*shares: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "label": ["The model", "Best by past revenue", "A list made afterwards"],
            "kind": ["forecast", "baseline", "actual"],
            "share": shares,
        }
    )


def gains(months: int = 60, level: float = 0.3) -> pd.DataFrame:
    month = np.arange(1, months + 1)
    rise, new = level * np.sqrt(month / 120), level * np.sqrt(month / 60)
    return pd.DataFrame(
        {
            "month": month,
            "rise": rise,
            "rise_low": rise * 0.97,
            "rise_high": rise * 1.03,
            "new": new,
            "new_low": new * 0.94,
            "new_high": new * 1.06,
        }
    )


def brought(months: int = 36, watched: int = 17, level: float = 50.0) -> pd.DataFrame:
    month = np.arange(months + 1)
    model = level * (0.3 + np.sqrt(month / 36))
    seen = np.where(month <= watched, model * 1.06, np.nan)
    return pd.DataFrame(
        {"month": month, "observed": seen, "low": seen * 0.97, "high": seen * 1.03, "model": model}
    )


def weekday_frame(level: float = 0.12) -> pd.DataFrame:
    lift = level * np.array([-0.1, -0.5, -0.7, -0.5, -0.2, 0.9, 1.1])
    labels = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    return pd.DataFrame(
        {
            "label": labels,
            "lift": lift,
            "low": lift - 0.3 * level,
            "high": lift + 0.3 * level,
            "stands_out": np.sign(np.nan_to_num(lift)).astype(int) * (abs(lift) > 0.3 * level),
        }
    )


def hourly(level: float = 30.0) -> pd.DataFrame:
    hours = level * np.exp(-(((np.arange(24) - 17) / 4) ** 2))
    return pd.DataFrame([hours * (1 + d / 10) for d in range(7)], index=weekday_frame()["label"])


def yearly(n: int = 30, level: float = 80.0, start: str = "2022-03-01") -> pd.DataFrame:
    months = pd.date_range(start, periods=n, freq="MS")
    rate = level * (1 + 0.2 * np.sin(np.arange(n) / 2) + np.arange(n) / 40)
    labels = [month.strftime("%b") for month in months]
    return pd.DataFrame({"month": months, "orders_a_day": rate, "label": labels})


def with_peaks(*at: int, n: int = 700, level: float = 90.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    days = pd.date_range("2023-01-02", periods=n)
    orders = level * (1 + 0.3 * np.sin(np.arange(n)))
    orders[[*at]] *= 4
    frame = pd.DataFrame({"day": days, "orders": orders, "usual": level})
    peaks = pd.DataFrame({"first": days[[*at]], "top": orders[[*at]], "excess": orders[[*at]]})
    return frame, peaks


def moves(*counts: tuple[int, ...], names: tuple[str, ...] = ("gold", "silver", "bronze")):
    frame = pd.DataFrame(counts, index=names[: len(counts)], columns=names[: len(counts[0])])
    total = frame.sum(axis=1)
    return frame, frame.div(total.where(total >= 20), axis=0)


def over_reports(n: int = 4, figures_: int = 5, level: float = 0.4, **columns: object):
    days = pd.date_range("2023-03-31", periods=n, freq="QE")
    units = ["share", "currency", "share", "count", "currency", "number", "days"]
    parts = []
    for i in range(figures_):
        size = level if units[i % 7] == "share" else 1e6 * level
        values = size * (1 + 0.05 * np.sin(np.arange(n) + i))
        part = {"label": f"Figure number {i}", "unit": units[i % 7], "as_of": days}
        part |= {"value": values, "low": 0.95 * values, "high": 1.05 * values}
        part |= {"stretch": 0, "target": size if i % 2 else NAN}
        parts.append(pd.DataFrame(part))
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=["label"])
    return frame.assign(**columns)


def answered_by(*names: str, best: float = 0.5, worst: float = 0.2) -> pd.DataFrame:
    told = ["35 (32 to 39), n = 1,739"] * len(names)
    frame = pd.DataFrame({"label": names, "told": told, "n": 1739.0, "stands_out": 0})
    return frame.assign(best=best, worst=worst, middle=1 - best - worst)


def scored_over(n: int = 14, level: float = 30.0, spread: float = 10.0) -> pd.DataFrame:
    value = level + 0.5 * spread * np.sin(np.arange(n))
    ends = {"value": value, "low": value - spread, "high": value + spread}
    return pd.DataFrame({"date": pd.date_range("2023-01-01", periods=n, freq="MS"), **ends})


def back_by_score(
    *names: str, level: float = 0.4, apart: float = 0.08, alike: float = 0.03
) -> pd.DataFrame:
    place = np.arange(len(names))[::-1]
    raw, fair = level + apart * place, level + alike * place
    return pd.DataFrame(
        {
            **{"label": names, "n": 400.0, "came_back": raw, "low": raw - 0.03, "high": raw + 0.03},
            **{"alike": fair, "alike_low": fair - 0.04, "alike_high": fair + 0.04},
        }
    )


KINDS = ("Promoters", "Passives", "Detractors", "Asked, kept silent")
SIDES = ("Dissatisfied customers", "Those in between", "Satisfied customers")


def recurring(*values: float) -> pd.DataFrame:
    names = ["At the start", "Lost", "Pay less", "Pay more", "Returned", "New", "At the end"]
    kinds = ["start", "loss", "loss", "gain", "gain", "gain", "end"]
    return pd.DataFrame({"step": names, "kind": kinds, "value": values})


def recurring_months(n: int = 36, level: float = 9e3, last_open: bool = False) -> pd.DataFrame:
    i = np.arange(n)
    parts = {
        "new": level * (1 + 0.2 * np.sin(i)),
        "returned": level * 0.1 * (i % 3),
        "expansion": level * 0.05,
        "churned": level * (0.7 + 0.3 * np.cos(i)),
        "contraction": level * 0.02,
        "end": level * (10 + i),
        "complete": [True] * (n - 1) + [not last_open] if n else [],
    }
    return pd.DataFrame({"month": pd.date_range("2022-01-01", periods=n, freq="MS"), **parts})


def staying(watched: int = 45, ahead: int = 90, months: int = 1) -> pd.DataFrame:
    t = np.arange(max(watched, ahead) + 1)
    share = (1 + t / 3.0) ** -0.7
    seen, on = t <= watched, t <= ahead
    return pd.DataFrame(
        {
            "months": t * months,
            "observed": np.where(seen, share, NAN),
            "low": np.where(seen, share * 0.95, NAN),
            "high": np.where(seen, np.minimum(share * 1.05, 1), NAN),
            "model": np.where(on, share, NAN),
            "model_low": np.where(on, share * 0.9, NAN),
            "model_high": np.where(on, np.minimum(share * 1.1, 1), NAN),
        }
    )


def leaving(n: int = 45, level: float = 0.2, months: int = 1) -> pd.DataFrame:
    t = np.arange(1, n + 1)
    hazard = level * 3 / (2 + t)
    return pd.DataFrame(
        {
            "months": t * months,
            "hazard": hazard,
            "low": hazard * 0.7,
            "high": hazard * 1.3 + t / 400,
            "model": hazard,
        }
    )


LONG = [f"Customers who used to buy often and have not been seen for long, {i}" for i in range(8)]


def uplifted(groups: int = 2, size: float = 0.12, **columns: object) -> pd.DataFrame:
    rows = [
        {"group": f"Group {g}" if groups > 1 else "", "label": label, "said": said}
        for g in range(groups)
        for label, said in (
            ("Revenue per customer", "+€3.51"),
            ("Customers who buy", "+5.1 points"),
            ("Orders per customer", "+0.08"),
        )
    ]
    value = size * np.cos(np.arange(3 * groups))
    frame = pd.DataFrame(rows).assign(value=value, low=value - 0.9 * size, high=value + size)
    return frame.assign(stands=np.sign(frame["low"]) * (frame["low"] > 0)).assign(**columns)


def power_by_rise(top: float = 0.05, times: tuple[int, ...] = (1, 2, 4)) -> pd.DataFrame:
    rise = np.linspace(0, top, 41)
    return pd.concat(
        pd.DataFrame(
            {
                "customers": 3000 * k,
                "rise": rise,
                "power": 0.05 + 0.95 * (1 - np.exp(-k * (1.6 * rise / top) ** 2)),
            }
        )
        for k in times
    )


def bought_by_day(days: int = 90, level: float = 0.4, gap: float = 0.06) -> pd.DataFrame:
    day = np.arange(1, days + 1)
    frames = []
    for treated in (True, False):
        share = (level + gap * treated) * (1 - np.exp(-day / 35))
        own = pd.DataFrame({"treated": treated, "day": day, "share": share})
        frames.append(own.assign(low=share * 0.95, high=share * 1.05))
    return pd.concat(frames)


def by_window(*values: float, raw: float = 190.0, half: float = 20.0) -> pd.DataFrame:
    value = np.array(values)
    labels = [
        "43 to 84 days\nbefore",
        "42 days\nbefore",
        "42 days\nfrom the first on",
        "days 43\nto 84",
    ]
    return pd.DataFrame(
        {
            "window": np.arange(len(value)) - len(value) // 2,
            "label": labels[: len(value)],
            "value": value,
            "low": value - half,
            "high": value + half,
            "raw": raw * (1 + np.arange(len(value)) / 20),
        }
    )


def apart(rows: int = 15, after: float = 0.01) -> pd.DataFrame:
    before = 0.4 + np.abs(np.sin(np.arange(rows)))
    labels = [f"Purchases, {28 * n + 1} to {28 * n + 28} days before" for n in range(rows)]
    return pd.DataFrame({"label": labels, "before": before, "after": after * np.ones(rows)})


def compared_by(rows: int = 7, level: float = 0.04) -> pd.DataFrame:
    share = level * (1 + np.sin(np.arange(rows)))
    names = [
        "First campaign ever sent",
        "Each sending, whatever came before",
        "Longer time, 56 days",
    ]
    frame = pd.DataFrame({"label": [names[n % 3] for n in range(rows)], "share": share})
    for name, column in (("share", share), ("placebo", 0.7 * share)):
        frame[f"{name}_low"], frame[f"{name}_high"] = column - 1.5 * level, column + 1.5 * level
    frame["placebo_share"] = 0.7 * share
    return frame.assign(passed=[None if n == 1 else n % 4 != 3 for n in range(rows)])


def sent_out(rows: int = 8, level: float = 20.0, kinds: int = 3) -> pd.DataFrame:
    value = level * np.sin(np.arange(rows))
    return pd.DataFrame(
        {
            "group": [f"Type {'ABC'[n * kinds // rows]}" if kinds else "" for n in range(rows)],
            "label": [f"{n + 4}, Aug {n + 1}, 2017 (n = {100 + n})" for n in range(rows)],
            "value": value,
            "low": value - 2 * level,
            "high": value + 2 * level,
            "shrunk": 0.1 * value,
            "stands": [int(n == 1) - int(n == 5) for n in range(rows)],
        }
    )


USUAL: dict[str, Callable[[Formats], Drawn]] = {
    "comparison_by_window": lambda fmt: comparison_figures.comparison_by_window(
        by_window(13.4, 8.5, 3.6, 0.0), fmt, "Found nothing"
    ),
    "comparison_balance": lambda fmt: comparison_figures.comparison_balance(apart(), fmt, 0.1),
    "comparison_ways": lambda fmt: comparison_figures.comparison_ways(
        compared_by(), fmt, "They differ"
    ),
    "campaign_forest": lambda fmt: comparison_figures.campaign_forest(
        sent_out(), fmt, "One stands out"
    ),
    "experiment_days": lambda fmt: figures.experiment_days(bought_by_day(), fmt),
    "experiment_uplifts": lambda fmt: figures.experiment_uplifts(uplifted(), fmt, "Found it"),
    "experiment_power": lambda fmt: figures.experiment_power(power_by_rise(), fmt),
    "monthly_customers": lambda fmt: figures.monthly_customers(by_month(), fmt),
    "monthly_revenue": lambda fmt: figures.monthly_revenue(by_month(level=1e6), fmt),
    "orders_by_month": lambda fmt: figures.orders_by_month(by_month(), fmt),
    "rate_trend": lambda fmt: figures.rate_trend(trend(), fmt),
    "customer_flow": lambda fmt: figures.customer_flow(flow(50000, 11000, 900, 1000, 40900), fmt),
    "retention_shares": lambda fmt: figures.retention_shares(rates(), fmt),
    "second_purchase": lambda fmt: figures.second_purchase(second(), fmt, median=47),
    "cohort_heatmap": lambda fmt: figures.cohort_heatmap(*cohorts(), fmt),
    "holdout_tracking": lambda fmt: figures.holdout_tracking(tracking(), date(1997, 9, 30), fmt),
    "holdout_by_frequency": lambda fmt: figures.holdout_by_frequency(by_frequency(), fmt),
    "alive_map": lambda fmt: figures.alive_map(alive(), fmt, "weeks"),
    "value_concentration": lambda fmt: figures.value_concentration(lorenz(), fmt, 0.617),
    "segments": lambda fmt: figures.segments(named_segments("Best", "Loyal", "Lost"), fmt),
    "forecast_against": lambda fmt: figures.forecast_against(against(14456, 21010, 9900), fmt),
    "forecast_errors": lambda fmt: figures.forecast_errors(missed(), fmt),
    "repeat_counts": lambda fmt: figures.repeat_counts(repeats(), fmt),
    "next_purchase": lambda fmt: figures.next_purchase(stepwise(), fmt, 90),
    "next_purchase_curves": lambda fmt: figures.next_purchase_curves(back_by(), fmt),
    "model_curve": lambda fmt: figures.model_curve(modelled(), fmt),
    "cohort_curves": lambda fmt: figures.cohort_curves(**brought_by_age(), fmt=fmt),
    "rates_trend": lambda fmt: figures.rate_trend(two_trends(), fmt),
    "cohort_heatmap_pooled": lambda fmt: figures.cohort_heatmap(
        *cohorts(), fmt, pooled=cohorts()[0].mean()
    ),
    "value_by_first_size": lambda fmt: figures.value_by_first_size(by_first_size(), fmt, 365),
    "value_by_first_category": lambda fmt: figures.value_by_first_category(
        by_first_category("Frozen food", "Wine", "Toys and games", "Other"), fmt, 365
    ),
    "purchase_values": lambda fmt: figures.purchase_values(value_steps(), fmt, 6, 2844),
    "second_category": lambda fmt: figures.second_category(*from_to(), fmt),
    "lifts": lambda fmt: figures.lifts(led(), fmt),
    "weekday_lifts": lambda fmt: figures.weekday_lifts(weekday_frame(), fmt),
    "week_hours": lambda fmt: figures.week_hours(hourly(), fmt, (16, 20)),
    "months_by_year": lambda fmt: figures.months_by_year(yearly(), fmt),
    "marked_peaks": lambda fmt: figures.marked_peaks(*with_peaks(100, 330, 610), fmt),
    "payback": lambda fmt: figures.payback(brought(), fmt, 25.0, 6),
    "retention_gain": lambda fmt: figures.retention_gain(gains(), fmt, (0.25, 0.95), 5),
    "value_map": lambda fmt: figures.value_map(value(), fmt, "weeks"),
    "tier_moves": lambda fmt: figures.tier_moves(
        *moves((90, 20, 5), (30, 200, 60), (9, 80, 900)), fmt, "Tier then", "Tier now"
    ),
    "report_trends": lambda fmt: figures.report_trends(over_reports(), fmt),
    "programme_effect": lambda fmt: figures.programme_effect(seen_thrice(), fmt, 0.021),
    "member_flow": lambda fmt: figures.member_flow(member_months(), fmt),
    "points_by_month": lambda fmt: figures.points_by_month(point_months(), fmt),
    "points_by_age": lambda fmt: figures.points_by_age(point_ages(), fmt, "month"),
    "value_slipping": lambda fmt: figures.value_slipping(waits(), fmt, NAMES),
    "caught_revenue": lambda fmt: figures.caught_revenue(caught(0.61, 0.58, 0.83), fmt),
    "revenue_flow": lambda fmt: subscription_figures.revenue_flow(
        recurring(114_502, 42_397, 1_650, 4_150, 396, 62_715, 137_716), fmt
    ),
    "recurring_revenue": lambda fmt: subscription_figures.recurring_revenue(
        recurring_months(), fmt
    ),
    "subscriber_survival": lambda fmt: subscription_figures.subscriber_survival(staying(), fmt),
    "renewal_losses": lambda fmt: subscription_figures.renewal_losses(leaving(), fmt),
    "survey_groups": lambda fmt: survey_figures.survey_groups(
        answered_by("All customers", "Champions", "Loyal", "At risk"),
        *(fmt, KINDS[2::-1], "Score and 95% interval", "Champions are happier"),
    ),
    "survey_over_time": lambda fmt: survey_figures.survey_over_time(scored_over(), fmt, "Steady"),
    "survey_later": lambda fmt: survey_figures.survey_later(
        back_by_score(*KINDS), fmt, "Promoters came back more often"
    ),
}

EDGES: dict[str, Callable[[], Drawn]] = {
    "windows of thousands": lambda: comparison_figures.comparison_by_window(
        by_window(1e4, -2e4, 3e4, 5e4, raw=9e4, half=2e4), NB, "Much"
    ),
    "a raw difference like the other": lambda: comparison_figures.comparison_by_window(
        by_window(9.0, 8.0, 10.0, 9.5, raw=10.0, half=4.0), EN, "Alike"
    ),
    "a raw difference below": lambda: comparison_figures.comparison_by_window(
        by_window(2.0, 1.0, 3.0, raw=-30.0, half=9.0), NB, "Fewer"
    ),
    "one window": lambda: comparison_figures.comparison_by_window(
        by_window(2.0).assign(window=0), EN, "One"
    ),
    "no window": lambda: comparison_figures.comparison_by_window(by_window(), EN, "None"),
    "groups still apart": lambda: comparison_figures.comparison_balance(apart(4, 0.6), NB, 0.1),
    "groups alike from the start": lambda: comparison_figures.comparison_balance(
        apart(3).assign(before=0.02), EN, 0.1
    ),
    "no groups": lambda: comparison_figures.comparison_balance(apart(0), EN, 0.1),
    "one way": lambda: comparison_figures.comparison_ways(compared_by(1), NB, "One"),
    "ways of next to nothing": lambda: comparison_figures.comparison_ways(
        compared_by(3, 1e-4), EN, "Nothing"
    ),
    "ways of thousands of per cent": lambda: comparison_figures.comparison_ways(
        compared_by(4, 30.0), NB, "Much"
    ),
    "no way": lambda: comparison_figures.comparison_ways(compared_by(0), EN, "None"),
    "one campaign": lambda: comparison_figures.campaign_forest(sent_out(1, kinds=0), NB, "One"),
    "campaigns of millions": lambda: comparison_figures.campaign_forest(
        sent_out(5, 3e6, 1), NB, "Much"
    ),
    "twenty campaigns": lambda: comparison_figures.campaign_forest(sent_out(20), EN, "Many"),
    "no campaign": lambda: comparison_figures.campaign_forest(sent_out(0), EN, "None"),
    "recurring revenue of millions": lambda: subscription_figures.revenue_flow(
        recurring(114e6, 42e6, 1.6e6, 4.1e6, 0, 62.7e6, 138.2e6), NB
    ),
    "recurring revenue of nothing": lambda: subscription_figures.revenue_flow(
        recurring(0, 0, 0, 0, 0, 0, 0), EN
    ),
    "recurring revenue from nothing": lambda: subscription_figures.revenue_flow(
        recurring(0, 0, 0, 0, 0, 99, 99), NB
    ),
    "no month of recurring revenue": lambda: subscription_figures.recurring_revenue(
        recurring_months(0), EN
    ),
    "one month of recurring revenue": lambda: subscription_figures.recurring_revenue(
        recurring_months(1, last_open=True), NB
    ),
    "months of small recurring revenue": lambda: subscription_figures.recurring_revenue(
        recurring_months(5, 0.4, last_open=True), EN
    ),
    "months without a loss": lambda: subscription_figures.recurring_revenue(
        recurring_months(12).assign(churned=0.0, contraction=0.0), NB
    ),
    "months with losses only": lambda: subscription_figures.recurring_revenue(
        recurring_months(12).assign(new=0.0, returned=0.0, expansion=0.0), EN
    ),
    "nobody watched to a renewal": lambda: subscription_figures.subscriber_survival(
        staying(0).assign(observed=NAN), EN
    ),
    "subscribers without a projection": lambda: subscription_figures.subscriber_survival(
        staying(5, 5).assign(model=NAN, model_low=NAN, model_high=NAN), NB
    ),
    "subscribers of years": lambda: subscription_figures.subscriber_survival(
        staying(7, 10, 12), NB
    ),
    "subscribers of one renewal": lambda: subscription_figures.subscriber_survival(
        staying(1, 3), EN
    ),
    "nobody leaves": lambda: subscription_figures.renewal_losses(
        leaving(12).assign(hazard=0.0, low=0.0, high=0.04, model=NAN), EN
    ),
    "no renewal": lambda: subscription_figures.renewal_losses(leaving(0), EN),
    "one renewal": lambda: subscription_figures.renewal_losses(leaving(1), NB),
    "renewals of ten years": lambda: subscription_figures.renewal_losses(leaving(10, 0.4, 12), NB),
    "uplift of one group": lambda: figures.experiment_uplifts(uplifted(1), NB, "Found it."),
    "uplifts of six groups": lambda: figures.experiment_uplifts(uplifted(6), NB, "Found it"),
    "uplifts unknown": lambda: figures.experiment_uplifts(
        uplifted(value=NAN, low=NAN, high=NAN), EN, "Nothing"
    ),
    "an uplift without interval": lambda: figures.experiment_uplifts(
        uplifted(1, low=[NAN, -0.1, -0.2], high=[NAN, 0.2, 0.3]), EN, "Found it"
    ),
    "an endless interval": lambda: figures.experiment_uplifts(
        uplifted(1, low=[-0.9, -0.1, -0.2], high=[40.0, 0.2, 0.3]), NB, "Found it"
    ),
    "uplifts of next to nothing": lambda: figures.experiment_uplifts(
        uplifted(2, 0.0004), EN, "Found it"
    ),
    "uplifts of thousands of per cent": lambda: figures.experiment_uplifts(
        uplifted(2, 40.0), NB, "Found it"
    ),
    "groups of long names": lambda: figures.experiment_uplifts(
        uplifted(1, group="A measure with $a^2$ very long name that doesn't fit on a line"),
        *(NB, "Found it"),
    ),
    "a test of no days": lambda: figures.experiment_days(bought_by_day(0), EN),
    "a test of a day": lambda: figures.experiment_days(bought_by_day(1), NB),
    "a test of 1,000 days": lambda: figures.experiment_days(bought_by_day(1000), NB),
    "a test that all pass": lambda: figures.experiment_days(bought_by_day(90, 1.0, 0.0), EN),
    "a test of one side": lambda: figures.experiment_days(bought_by_day().query("treated"), EN),
    "no power": lambda: figures.experiment_power(power_by_rise().iloc[:0], EN),
    "power of one size": lambda: figures.experiment_power(power_by_rise(times=(1,)), NB),
    "power of tiny rises": lambda: figures.experiment_power(power_by_rise(0.0002), NB),
    "power of huge rises": lambda: figures.experiment_power(power_by_rise(0.9), EN),
    "no month": lambda: figures.monthly_customers(by_month().iloc[:0], EN),
    "one month": lambda: figures.monthly_customers(by_month(1), EN),
    "one month, revenue, long amounts": lambda: figures.monthly_revenue(by_month(1, 1e10), NB),
    "60 months": lambda: figures.monthly_customers(by_month(60), NB),
    "300 months": lambda: figures.orders_by_month(by_month(300), NB),
    "months all zero": lambda: figures.monthly_customers(by_month(12, 0.0), EN),
    "revenue all zero": lambda: figures.monthly_revenue(by_month(12, 0.0), NB),
    "revenue below zero": lambda: figures.monthly_revenue(by_month(12, -500.0), NB),
    "small revenue": lambda: figures.monthly_revenue(by_month(12, 0.5), NB),
    "months unknown": lambda: figures.monthly_customers(by_month().assign(new=NAN), EN),
    "no month complete": lambda: figures.monthly_customers(by_month(2).assign(complete=False), EN),
    "no orders": lambda: figures.orders_by_month(by_month().iloc[:0], EN),
    "one month of orders": lambda: figures.orders_by_month(by_month(1), EN),
    "orders all zero": lambda: figures.orders_by_month(by_month(3, 0.0), EN),
    "trend of one": lambda: figures.rate_trend(trend(1), EN),
    "trend of 60": lambda: figures.rate_trend(trend(60), NB),
    "trend without interval": lambda: figures.rate_trend(trend().assign(low=NAN, high=NAN), EN),
    "trend all zero": lambda: figures.rate_trend(trend().assign(value=0.0, low=0, high=0), EN),
    "trend unknown": lambda: figures.rate_trend(trend().assign(value=NAN), EN),
    "empty flow": lambda: figures.customer_flow(flow(0, 0, 0, 0, 0).iloc[:0], EN),
    "flow all zero": lambda: figures.customer_flow(flow(0, 0, 0, 0, 0), EN),
    "flow of millions": lambda: figures.customer_flow(flow(9e6, 8e6, 1e6, 3e6, 5e6), NB),
    "flow unknown": lambda: figures.customer_flow(flow(NAN, NAN, NAN, 5, 5), EN),
    "no rates": lambda: figures.retention_shares(rates().iloc[:0], EN),
    "one rate": lambda: figures.retention_shares(rates(1), EN),
    "rates all zero": lambda: figures.retention_shares(
        rates(value=0.0, low=0.0, high=0.0, previous=0.0), NB
    ),
    "rates of one": lambda: figures.retention_shares(
        rates(value=1.0, low=0.98, high=1.0, previous=1.0), NB
    ),
    "rates unknown": lambda: figures.retention_shares(
        rates(value=NAN, low=NAN, high=NAN, n=NAN, previous=NAN), EN
    ),
    "long rates": lambda: figures.retention_shares(rates(8, label=LONG), NB),
    "no second": lambda: figures.second_purchase(second().iloc[:0], EN),
    "second after one day": lambda: figures.second_purchase(second(1), EN, median=1.0),
    "second after 45 days": lambda: figures.second_purchase(second(45), EN, median=10.0),
    "second of ten years": lambda: figures.second_purchase(second(3650), NB, median=1800.0),
    "second all zero": lambda: figures.second_purchase(second(200, 0.0), NB, median=NAN),
    "second unknown": lambda: figures.second_purchase(second().assign(share=NAN), EN),
    "no curves": lambda: figures.next_purchase_curves(back_by().iloc[:0], EN),
    "one curve of ten days": lambda: figures.next_purchase_curves(back_by(10, 1), NB),
    "curves unknown": lambda: figures.next_purchase_curves(back_by().assign(share=NAN), EN),
    "no model curve": lambda: figures.model_curve(modelled().iloc[:0], EN),
    "model curve of a day": lambda: figures.model_curve(modelled(1), NB),
    "model curve all zero": lambda: figures.model_curve(modelled() * 0.0, EN),
    "no cohort brought": lambda: figures.cohort_curves(brought_by_age()["frame"].iloc[:0], EN, "x"),
    "one cohort brought": lambda: figures.cohort_curves(**brought_by_age(1), fmt=NB),
    "cohorts brought nothing": lambda: figures.cohort_curves(**brought_by_age(18, 0.0), fmt=EN),
    "cohorts took back": lambda: figures.cohort_curves(**brought_by_age(6, -30.0), fmt=NB),
    "cohorts brought millions": lambda: figures.cohort_curves(**brought_by_age(18, 1e6), fmt=NB),
    "no cohort": lambda: figures.cohort_heatmap(*(f.iloc[:0] for f in cohorts()), EN),
    "one cohort": lambda: figures.cohort_heatmap(*cohorts(1), EN),
    "two cohorts": lambda: figures.cohort_heatmap(*cohorts(2), EN),
    "three cohorts": lambda: figures.cohort_heatmap(*cohorts(3), EN),
    "60 cohorts": lambda: figures.cohort_heatmap(*cohorts(60), NB),
    "cohorts all zero": lambda: figures.cohort_heatmap(*cohorts(8, 0.0), EN),
    "quarters": lambda: figures.cohort_heatmap(*cohorts(8), NB, period="quarter"),
    "no holdout": lambda: figures.holdout_tracking(tracking(0), date(1997, 9, 30), EN),
    "holdout of a day": lambda: figures.holdout_tracking(tracking(1), date(1997, 1, 5), EN),
    "holdout of a fortnight": lambda: figures.holdout_tracking(tracking(3), date(1997, 1, 12), NB),
    "holdout of ten years": lambda: figures.holdout_tracking(tracking(520), date(2001, 1, 5), NB),
    "holdout all zero": lambda: figures.holdout_tracking(
        tracking().assign(actual=0.0, forecast=0.0, baseline=0.0), date(1997, 9, 30), EN
    ),
    "holdout unknown": lambda: figures.holdout_tracking(
        tracking().assign(actual=NAN, forecast=NAN, baseline=NAN), date(1997, 9, 30), EN
    ),
    "one frequency": lambda: figures.holdout_by_frequency(by_frequency().iloc[:1], EN),
    "no frequency": lambda: figures.holdout_by_frequency(by_frequency().iloc[:0], EN),
    "frequencies all zero": lambda: figures.holdout_by_frequency(
        by_frequency().assign(actual=0.0, forecast=0.0), EN
    ),
    "frequencies with baseline and gaps": lambda: figures.holdout_by_frequency(
        by_frequency().assign(baseline=[0, 1, 2, 3, 4, 5, 6, 9.0], actual=[NAN] * 7 + [1.0]), NB
    ),
    "a map of one point": lambda: figures.alive_map(alive(1, 1), EN, "weeks"),
    "a map of one row": lambda: figures.alive_map(alive(1, 30), EN, "days"),
    "a flat map": lambda: figures.alive_map(alive(level=1.0), EN, "weeks"),
    "an unknown map": lambda: figures.alive_map(alive(level=NAN), EN, "weeks"),
    "a map of years in days": lambda: figures.alive_map(alive(40, 1200), NB, "days"),
    "equal value": lambda: figures.value_concentration(lorenz(1.0), EN, 0.2),
    "all value in one": lambda: figures.value_concentration(lorenz(0.01), NB, 1.0),
    "value unknown": lambda: figures.value_concentration(lorenz(NAN), EN, None),
    "no value": lambda: figures.value_concentration(lorenz().iloc[:0], EN, None),
    "returns at the end": lambda: figures.value_concentration(
        lorenz().assign(share_of_value=lambda f: 1.4 * f["share_of_value"]), EN, 0.95
    ),
    "one segment": lambda: figures.segments(named_segments("Only"), EN),
    "no segment": lambda: figures.segments(named_segments(), EN),
    "eight long segments": lambda: figures.segments(named_segments(*LONG, value="clv"), NB),
    "segments all zero": lambda: figures.segments(
        named_segments("A", "B").assign(customers=0, revenue=0.0), EN
    ),
    "a segment with a loss": lambda: figures.segments(
        named_segments("A", "B").assign(revenue=[120.0, -20.0]), EN
    ),
    "forecasts too low": lambda: figures.forecast_against(against(100, 9000, 4000), NB),
    "no forecast": lambda: figures.forecast_against(against().iloc[:0], EN),
    "one forecast": lambda: figures.forecast_against(against(), NB),
    "forecasts far off": lambda: figures.forecast_against(against(1e6, 2e6, actual=10), EN),
    "forecasts of nothing": lambda: figures.forecast_against(against(3, actual=0.0), EN),
    "forecasts that all met it": lambda: figures.forecast_against(against(5, 5, actual=5), EN),
    "forecasts unknown": lambda: figures.forecast_against(against(NAN, actual=NAN), EN),
    "a forecast unknown": lambda: figures.forecast_against(against(NAN, 100.0, actual=99.0), EN),
    "no earlier forecast": lambda: figures.forecast_errors(missed(0), EN),
    "one earlier forecast": lambda: figures.forecast_errors(missed(1), NB),
    "eight earlier forecasts": lambda: figures.forecast_errors(missed(8, 1.5), NB),
    "earlier forecasts that met it": lambda: figures.forecast_errors(missed(4, 0.0), EN),
    "earlier forecasts unknown": lambda: figures.forecast_errors(missed(4, NAN), EN),
    "no step": lambda: figures.next_purchase(stepwise(0), EN, 90),
    "one step": lambda: figures.next_purchase(stepwise(1), NB, 90),
    "steps of all": lambda: figures.next_purchase(stepwise(4, 0.6).clip(upper=1.0), EN, 30),
    "no first size": lambda: figures.value_by_first_size(by_first_size(0), EN, 365),
    "two first sizes": lambda: figures.value_by_first_size(by_first_size(2), NB, 90),
    "first sizes that nothing follows": lambda: figures.value_by_first_size(
        by_first_size(5, 0.0), EN, 365
    ),
    "first sizes that returns follow": lambda: figures.value_by_first_size(
        by_first_size(5, -20.0).rename(columns={"low": "high", "high": "low"}), EN, 365
    ),
    "first sizes of millions": lambda: figures.value_by_first_size(by_first_size(5, 1e6), NB, 365),
    "no first category": lambda: figures.value_by_first_category(by_first_category(), EN, 365),
    "one first category": lambda: figures.value_by_first_category(
        by_first_category("Øl & brus $x^2$"), NB, 365
    ),
    "twelve first categories": lambda: figures.value_by_first_category(
        by_first_category(*(f"Long name of category {i}" for i in range(12)), level=1e4), NB, 180
    ),
    "first categories without like ones": lambda: figures.value_by_first_category(
        by_first_category("A", "B").assign(like=NAN), EN, 365
    ),
    "no purchase value": lambda: figures.purchase_values(value_steps(0), EN, 1, 0),
    "two purchase values": lambda: figures.purchase_values(value_steps(2), NB, 2, 100),
    "purchase values of nobody in common": lambda: figures.purchase_values(
        value_steps(3).assign(same=NAN, same_low=NAN, same_high=NAN), EN, 1, 0
    ),
    "purchase values of cents": lambda: figures.purchase_values(value_steps(6, 0.2), EN, 6, 100),
    "two categories": lambda: figures.second_category(*from_to(2), NB),
    "fifteen categories": lambda: figures.second_category(*from_to(15, 0.45), NB),
    "categories unknown": lambda: figures.second_category(from_to(3)[0] * NAN, from_to(3)[1], EN),
    "no lift": lambda: figures.lifts(led(0), EN),
    "one lift": lambda: figures.lifts(led(1), NB),
    "a lift of twenty": lambda: figures.lifts(led(3, 20.0), EN),
    "a lift without interval": lambda: figures.lifts(
        led(2).assign(lift_low=NAN, lift_high=NAN, raw_lift=NAN), EN
    ),
    "steps of nobody": lambda: figures.next_purchase(stepwise(4, 0.0), EN, 180),
    "paid back by the first order": lambda: figures.payback(brought(), NB, 10.0, 0),
    "never paid back": lambda: figures.payback(brought(), EN, 400.0, None),
    "paid back late": lambda: figures.payback(brought(), NB, 49.0, 35),
    "paid back where observed": lambda: figures.payback(brought(), EN, 52.0, 18),
    "a cost that ends with the line": lambda: figures.payback(brought(), EN, 65.0, 36),
    "no cost of winning": lambda: figures.payback(brought(), EN),
    "watched for the day only": lambda: figures.payback(brought(watched=0), EN, 25.0, 6),
    "watched all along": lambda: figures.payback(brought(watched=36), NB, 25.0, 6),
    "brought nothing": lambda: figures.payback(brought(level=0.0), EN, 0.0, 0),
    "brought thousands": lambda: figures.payback(brought(level=5e6), NB, 2e6, 5),
    "nothing known of new customers": lambda: figures.payback(
        brought().assign(observed=NAN, low=NAN, high=NAN, model=NAN), EN, 25.0
    ),
    "not observed": lambda: figures.payback(brought(watched=-1), EN, 25.0, 6),
    "no gain": lambda: figures.retention_gain(gains(0), EN, (0.25, 0.95), 5),
    "gain of a month": lambda: figures.retention_gain(gains(1), NB, (0.25, 0.95), 5),
    "gain beyond what is quoted": lambda: figures.retention_gain(
        gains(60, 3.0), NB, (0.25, 0.95), 5
    ),
    "gain of next to nothing": lambda: figures.retention_gain(
        gains(60, 0.001), EN, (0.25, 0.95), 1
    ),
    "gain of ten years": lambda: figures.retention_gain(gains(120), EN, (0.25, 0.95), 5),
    "weekdays far apart": lambda: figures.weekday_lifts(weekday_frame(3.0), NB),
    "weekdays alike": lambda: figures.weekday_lifts(weekday_frame(0.0), EN),
    "weekdays unknown": lambda: figures.weekday_lifts(weekday_frame(NAN), EN),
    "weekdays hardly apart": lambda: figures.weekday_lifts(weekday_frame(0.004), NB),
    "hours over midnight": lambda: figures.week_hours(hourly(0.2), NB, (22, 26)),
    "hours without a best": lambda: figures.week_hours(hourly(5e4), EN),
    "no hours": lambda: figures.week_hours(hourly(0.0), EN),
    "one month of a year": lambda: figures.months_by_year(yearly(1), NB),
    "eight years of months": lambda: figures.months_by_year(yearly(96, 3e4, "2015-01-01"), NB),
    "a year and a half": lambda: figures.months_by_year(yearly(18, 0.05, "2023-01-01"), EN),
    "no month of a year": lambda: figures.months_by_year(yearly().iloc[:0], EN),
    "no peak": lambda: figures.marked_peaks(*with_peaks(), EN),
    "peaks side by side": lambda: figures.marked_peaks(*with_peaks(340, 345, 350, 355, 360), NB),
    "peaks at the ends": lambda: figures.marked_peaks(*with_peaks(0, 699), NB),
    "many peaks": lambda: figures.marked_peaks(*with_peaks(*range(20, 3600, 90), n=3650), EN),
    "weekly peaks of a small shop": lambda: figures.marked_peaks(
        *with_peaks(9, n=26, level=6.0), NB, 7
    ),
    "peaks of nothing": lambda: figures.marked_peaks(*with_peaks(n=0), EN),
    "one tier": lambda: figures.tier_moves(*moves((500,)), NB, "Then", "Now"),
    "moves of nobody": lambda: figures.tier_moves(*moves((0, 0), (0, 0)), EN, "Then", "Now"),
    "moves of a handful": lambda: figures.tier_moves(*moves((5, 3), (2, 9)), EN, "Then", "Now"),
    "moves of millions": lambda: figures.tier_moves(
        *moves((10**6, 0, 10**5), (10**4, 10**7, 0), (1, 2, 10**7)), NB, "Then", "Now"
    ),
    "moves between eight long tiers": lambda: figures.tier_moves(
        *moves(*np.eye(8, dtype=int) * 70 + 9, names=tuple(LONG)), NB, "Then", "Now"
    ),
    "no trend over reports": lambda: figures.report_trends(over_reports(4, 0), EN),
    "one figure in two reports": lambda: figures.report_trends(over_reports(2, 1), NB),
    "nine figures in forty reports": lambda: figures.report_trends(over_reports(40, 9), NB),
    "reports without a change": lambda: figures.report_trends(
        over_reports(3, 3, value=0.4, low=0.4, high=0.4), EN
    ),
    "reports all zero": lambda: figures.report_trends(
        over_reports(3, 3, value=0.0, low=NAN, high=NAN, target=0.0), EN
    ),
    "reports of several definitions": lambda: figures.report_trends(
        over_reports(4, 3, stretch=[0, 1, 1, 2] * 3), EN
    ),
    "no comparison of members": lambda: figures.programme_effect(seen_thrice(NAN), EN),
    "a programme without a cost": lambda: figures.programme_effect(seen_thrice(), NB),
    "a break-even beside 0": lambda: figures.programme_effect(seen_thrice(), NB, 0.00004),
    "a break-even far off": lambda: figures.programme_effect(seen_thrice(), EN, 3.2),
    "one comparison alone": lambda: figures.programme_effect(seen_thrice().tail(1), EN, 0.03),
    "a fall since joining": lambda: figures.programme_effect(seen_thrice(-0.3), NB, 0.05),
    "nobody joined": lambda: figures.member_flow(member_months(0), EN),
    "one month of members": lambda: figures.member_flow(member_months(9).tail(1), NB),
    "members in millions": lambda: figures.member_flow(member_months(4_000_000), NB),
    "no points": lambda: figures.points_by_month(point_months(0.0), EN),
    "points in millions": lambda: figures.points_by_month(point_months(9e6), NB),
    "points below zero": lambda: figures.points_by_month(
        point_months().assign(outstanding=lambda f: -f["outstanding"]), EN
    ),
    "points that never end": lambda: figures.points_by_age(point_ages(), NB, "week"),
    "points that all expire": lambda: figures.points_by_age(point_ages(0.02, 0.98), EN, "week"),
    "points of one week": lambda: figures.points_by_age(point_ages().head(1), NB, "week"),
    "points of nobody": lambda: figures.points_by_age(point_ages().iloc[:0], EN),
    "no repeat counts": lambda: figures.repeat_counts(repeats().iloc[:0], EN),
    "repeat counts all zero": lambda: figures.repeat_counts(repeats(0.0), EN),
    "repeat counts of a few": lambda: figures.repeat_counts(repeats(0.01), EN),
    "repeat counts of millions": lambda: figures.repeat_counts(repeats(1e6), NB),
    "a value map of one point": lambda: figures.value_map(value(1, 1), EN, "weeks"),
    "a value map of one row": lambda: figures.value_map(value(1), EN, "days"),
    "a value map of cents": lambda: figures.value_map(value(level=0.001), EN, "days"),
    "a value map of millions": lambda: figures.value_map(value(level=1e6), NB, "weeks"),
    "a value map without value": lambda: figures.value_map(value(level=0.0), EN, "weeks"),
    "caught all": lambda: figures.caught_revenue(caught(1.0, 1.0, 1.0), NB),
    "caught nothing": lambda: figures.caught_revenue(caught(0.0, 0.0, 0.0), EN),
    "caught unknown": lambda: figures.caught_revenue(caught(NAN, NAN, NAN), EN),
    "nobody slipping": lambda: figures.value_slipping(waits().iloc[:0], EN, NAMES),
    "one step slipping": lambda: figures.value_slipping(waits().iloc[:1], NB, NAMES),
    "millions slipping": lambda: figures.value_slipping(
        waits(9e6).assign(customers=2_000_000), NB, NAMES
    ),
    "nothing at stake": lambda: figures.value_slipping(waits(0.0), EN, NAMES),
    "cents at stake": lambda: figures.value_slipping(waits(0.01), NB, NAMES),
    "stakes unknown": lambda: figures.value_slipping(waits(NAN), EN, NAMES),
    "a segment in formula letters": lambda: figures.segments(
        named_segments("$x^2$ & \\frac", "_{b"), EN
    ),
    "no group answered": lambda: survey_figures.survey_groups(
        answered_by(), EN, SIDES, "Satisfied", "None"
    ),
    "nine long groups answered": lambda: survey_figures.survey_groups(
        answered_by(*LONG, "Øl & brus $x^2$"), NB, SIDES, "Satisfied, 95% interval", "Alike"
    ),
    "all groups content": lambda: survey_figures.survey_groups(
        answered_by("A", "B", best=1.0, worst=0.0).assign(stands_out=1), EN, SIDES, "Score", "All"
    ),
    "few discontent": lambda: survey_figures.survey_groups(
        answered_by("A", "B", best=0.95, worst=0.02), EN, SIDES, "Score", "Nearly all"
    ),
    "no score over time": lambda: survey_figures.survey_over_time(scored_over(0), EN, "None"),
    "one score over time": lambda: survey_figures.survey_over_time(scored_over(1, 99.0), NB, "x"),
    "scores unknown": lambda: survey_figures.survey_over_time(scored_over(3, NAN), EN, "x"),
    "scores at the bottom": lambda: survey_figures.survey_over_time(
        scored_over(40, -90.0), EN, "Low"
    ),
    "satisfied over time": lambda: survey_figures.survey_over_time(
        scored_over(5, 0.93, 0.03), NB, "High", "share"
    ),
    "nobody scored": lambda: survey_figures.survey_later(back_by_score(), EN, "None"),
    "two scores, not compared": lambda: survey_figures.survey_later(
        back_by_score(*SIDES[::2]).assign(alike=NAN, alike_low=NAN, alike_high=NAN), NB, "Raw"
    ),
    "scores that say nothing": lambda: survey_figures.survey_later(
        back_by_score(*KINDS, level=0.05, apart=0.0, alike=0.0), EN, "Equal"
    ),
}


def written(drawn: Drawn) -> tuple[Figure, list[Text]]:
    """The figure and every text of it that can be seen, after a full layout."""
    figure = drawn.axes.figure
    assert isinstance(figure, Figure)
    with figures.style():
        figure.canvas.draw()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    # Ticks outside the axes' limits exist, yet are not drawn.
    ticks = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
    }
    drawn_ticks = {
        id(label)
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis._update_ticks()
        for label in (tick.label1, tick.label2)
    }
    return figure, [t for t in texts if id(t) not in ticks or id(t) in drawn_ticks]


def cut_off(drawn: Drawn) -> list[str]:
    figure, texts = written(drawn)
    width, height = figure.canvas.get_width_height()
    return [
        t.get_text()
        for t in texts
        if (box := t.get_window_extent()).x0 < -0.5
        or box.y0 < -0.5
        or box.x1 > width + 0.5
        or box.y1 > height + 0.5
    ]


def on_top_of_each_other(drawn: Drawn) -> list[tuple[str, str]]:
    _, texts = written(drawn)
    boxes = [(t.get_text(), t.get_window_extent().padded(-1.5)) for t in texts]
    return [(a, b) for (a, one), (b, two) in combinations(boxes, 2) if one.overlaps(two)]


# What holds for every figure ----------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "nb"])
@pytest.mark.parametrize("name", USUAL)
def test_no_text_is_cut_off_or_covers_another(name: str, language: str) -> None:
    drawn = USUAL[name](EN if language == "en" else NB)
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []


@pytest.mark.parametrize("case", EDGES)
def test_odd_data_draws_without_a_text_cut_off_or_covering_another(case: str) -> None:
    drawn = EDGES[case]()
    assert cut_off(drawn) == []
    assert on_top_of_each_other(drawn) == []
    assert drawn.alt.strip().endswith(".")
    assert "nan" not in drawn.alt.lower().split()


@pytest.mark.parametrize("name", USUAL)
def test_every_figure_has_the_width_of_the_page_and_no_title(name: str) -> None:
    drawn = USUAL[name](EN)
    width, height = drawn.axes.figure.get_size_inches()
    assert width == pytest.approx(7.2)
    assert 2.0 <= height <= 9.0
    assert drawn.axes.get_title() == ""
    # labels stand beside what they name; only patterns, which have no room for one, have a key
    assert (drawn.axes.get_legend() is not None) == (name == "value_slipping")


def test_a_stack_of_states_is_told_apart_without_its_colours() -> None:
    drawn = USUAL["value_slipping"](EN)
    stacks = [c for c in drawn.axes.containers if c.patches]
    patterns = [{bar.get_hatch() for bar in bars} for bars in stacks]
    assert len(stacks) > 2
    assert all(len(of_one) == 1 for of_one in patterns)
    assert len(set.union(*patterns)) == len(stacks)
    key = drawn.axes.get_legend()
    keyed = [patch.get_hatch() for patch in key.get_patches()]
    assert keyed == [of_one.pop() for of_one in reversed(patterns)]


@pytest.mark.parametrize("name", USUAL)
def test_drawing_changes_no_global_setting_and_leaves_no_open_figure(name: str) -> None:
    before = dict(mpl.rcParams)
    USUAL[name](EN).png()
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


@pytest.mark.parametrize("name", ["monthly_customers", "cohort_heatmap"])
def test_the_same_figures_give_the_same_bytes(name: str) -> None:
    assert USUAL[name](EN).png() == USUAL[name](EN).png()


def test_a_figure_can_be_drawn_on_given_axes() -> None:
    figure = Figure(figsize=(8, 3))
    ax = figure.add_subplot()
    assert figures.orders_by_month(by_month(), EN, ax=ax).axes is ax


def test_a_notebook_shows_the_picture_at_page_size_with_its_alt_text() -> None:
    drawn = figures.orders_by_month(by_month(), EN)
    data, metadata = DisplayFormatter().format(drawn)
    assert metadata["image/png"]["alt"] == drawn.alt
    assert metadata["image/png"]["width"] == 720
    assert data["text/plain"] == drawn.alt
    png = data["image/png"]
    assert Image.open(io.BytesIO(png)).width == 1440


# What each figure says ----------------------------------------------------------------------


def texts_of(drawn: Drawn) -> list[str]:
    return [t.get_text() for t in written(drawn)[1]]


def test_monthly_customers_names_both_series_and_the_month_that_is_not_over() -> None:
    frame = by_month(6, 100.0).assign(new=[5, 40, 10, 10, 10, 3], returning=[0, 60, 20, 25, 30, 9])
    drawn = figures.monthly_customers(frame, EN)
    assert {"New", "Returning", "unfinished"} <= set(texts_of(drawn))
    assert "most in February 2023, 100" in drawn.alt
    assert "In May 2023, the last whole month, 40: 10 new and 30 returning" in drawn.alt


def test_an_unfinished_month_is_hatched_and_a_whole_one_is_not() -> None:
    bars = figures.orders_by_month(by_month(4), EN).axes.patches
    assert [bool(bar.get_hatch()) for bar in bars] == [False, False, False, True]


def test_the_hatching_shows_in_a_vector_picture_too() -> None:
    # There the whole bar takes the transparency of its fill, and strokes of its colour vanish.
    bar = figures.orders_by_month(by_month(4), EN).axes.patches[-1]
    assert bar.get_facecolor()[3] == bar.get_edgecolor()[3] == 1.0
    assert bar.get_facecolor() != bar.get_edgecolor()


def test_a_month_without_a_row_leaves_a_gap() -> None:
    bars = figures.orders_by_month(by_month(6).drop(index=2), EN).axes.patches
    assert np.diff([bar.get_x() for bar in bars]).round(6).tolist() == [1, 2, 1, 1]


def test_a_month_cut_short_is_not_called_the_lowest() -> None:
    frame = by_month(4).assign(orders=[50.0, 40, 60, 3])
    assert "fewest in February 2023, 40" in figures.orders_by_month(frame, EN).alt


def test_revenue_is_written_in_the_readers_way() -> None:
    drawn = figures.monthly_revenue(by_month(12, 1e6), NB)
    assert any(t.replace("\N{NO-BREAK SPACE}", " ") == "1 000 000 kr" for t in texts_of(drawn))


def test_customer_flow_adds_up_in_the_picture() -> None:
    drawn = figures.customer_flow(flow(50000, 11000, 900, 1000, 40900), EN)
    start, lost, back, new, end = drawn.axes.patches
    assert lost.get_y() + lost.get_height() == start.get_height()
    assert back.get_y() == lost.get_y()
    assert new.get_y() + new.get_height() == end.get_height()
    assert "Lost: −11,000; Reactivated: +900; New: +1,000" in drawn.alt


def test_rates_say_value_n_interval_and_the_period_before() -> None:
    alt = figures.retention_shares(rates(1), EN).alt
    assert alt == (
        "Rate number 0: 20.0% (n = 1,000), interval 17.0% to 23.0%, a period earlier 15.0%."
    )


def test_a_rate_that_is_not_known_is_said_not_to_be() -> None:
    frame = rates(1, value=NAN, low=NAN, high=NAN, n=NAN, previous=NAN)
    assert figures.retention_shares(frame, EN).alt == "Rate number 0: not known."


def test_second_purchase_gives_the_share_at_30_60_and_90_days() -> None:
    frame = pd.DataFrame({"days": [0, 30, 60, 90, 120], "share": [0, 0.1, 0.15, 0.18, 0.2]})
    drawn = figures.second_purchase(frame.assign(low=NAN, high=NAN), EN, median=25.0)
    assert {"30 days: 10.0%", "60 days: 15.0%", "90 days: 18.0%"} <= set(texts_of(drawn))
    assert "10.0% within 30 days, 15.0% within 60 days, 18.0% within 90 days" in drawn.alt
    assert "Half of those who came back: within 25 days." in drawn.alt


def test_a_day_not_yet_reached_is_not_marked() -> None:
    assert not any(t.startswith("90") for t in texts_of(figures.second_purchase(second(70), EN)))


def test_cohorts_leave_out_the_first_period_and_write_no_figure_in_an_unfinished_one() -> None:
    shares, sizes, unfinished = cohorts(4)
    drawn = figures.cohort_heatmap(shares, sizes, unfinished, EN)
    assert "100.0" not in texts_of(drawn)
    cells = [t.get_text() for t in drawn.axes.texts]
    assert cells == ["15.0", "10.0", "15.1"]
    assert sum(patch.get_hatch() is not None for patch in drawn.axes.patches) == 3
    assert "15.0% (Jan 2020) to 15.1% (Feb 2020)" in drawn.alt
    assert "Jan 2020  (900)" in texts_of(drawn)


def test_many_cells_carry_no_figures() -> None:
    assert figures.cohort_heatmap(*cohorts(30), EN).axes.texts[:] == []


def test_figures_in_cells_stand_out_from_their_cell() -> None:
    drawn = figures.cohort_heatmap(*cohorts(12), EN)
    values = drawn.axes.collections[0].get_array().compressed()
    colours = drawn.axes.collections[0].to_rgba(values)
    for text, cell in zip(drawn.axes.texts, colours, strict=True):
        light, dark = sorted([luminance(to_rgb(text.get_color())), luminance(cell)])[::-1]
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_tracking_says_how_far_the_model_was_off() -> None:
    drawn = figures.holdout_tracking(tracking(), date(1997, 9, 30), EN)
    assert "Actual 4,620, Model 4,240, Naive forecast 4,164" in drawn.alt
    assert "The model is 91.8% of what happened." in drawn.alt
    assert {"← fitted on", "held back →"} <= set(texts_of(drawn))


def test_calibration_gives_each_group_with_its_size() -> None:
    drawn = figures.holdout_by_frequency(by_frequency(), EN)
    assert "7+: actual 6.36, model 6.16" in drawn.alt
    assert "7+\n64" in texts_of(drawn)


def test_concentration_marks_the_best_fifth() -> None:
    assert figures.value_concentration(lorenz(), EN, 0.617).alt == (
        "The best fifth of customers: 61.7% of the value."
    )


def test_alive_map_draws_the_line_at_one_half() -> None:
    assert "50%" in texts_of(figures.alive_map(alive(), EN, "weeks"))


def test_segments_compare_shares_of_customers_and_of_value() -> None:
    frame = pd.DataFrame({"segment": ["A", "B"], "customers": [1, 3], "clv": [60.0, 40.0]})
    assert figures.segments(frame, EN).alt == (
        "A: 25.0% of customers, 60.0% of expected value; "
        "B: 75.0% of customers, 40.0% of expected value."
    )


def test_segments_without_a_value_say_what_is_missing() -> None:
    frame = pd.DataFrame({"segment": ["A"], "customers": [1]})
    with pytest.raises(ValueError, match="give it `revenue` or `clv`"):
        figures.segments(frame, EN)


def test_a_trend_names_its_last_value_with_the_interval() -> None:
    drawn = figures.rate_trend(trend(), EN)
    assert "36.0%" in texts_of(drawn)
    assert drawn.alt.endswith("The last has an interval from 34.0% to 38.0%.")


# The shared pieces --------------------------------------------------------------------------


def test_labels_that_would_meet_are_moved_apart_and_stay_inside() -> None:
    placed = marks.spread([5.0, 5.0, 5.0, 9.9], gap=1.0, low=0.0, high=10.0)
    assert np.diff(np.sort(placed)).min() >= 1.0 - 1e-9
    assert placed.min() >= 0.0
    assert placed.max() <= 10.0
    assert placed.tolist() == [4.0, 5.0, 6.0, 9.9]


@pytest.mark.parametrize("colour", sorted({*TEXT_COLOURS.values(), QUIET}))
def test_every_colour_of_text_reads_on_white(colour: str) -> None:
    assert 1.05 / (luminance(to_rgb(colour)) + 0.05) >= 4.5


def test_series_that_meet_in_a_figure_differ_for_a_reader_without_red_or_green_cones() -> None:
    # Full dichromacy: Machado, Oliveira and Fernandes 2009, table 1, severity 1.0.
    protan = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
              [-0.003882, -0.048116, 1.051998]]  # fmt: skip
    deutan = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
              [-0.011820, 0.042940, 0.968881]]  # fmt: skip
    for cones in (protan, deutan):
        seen = {name: np.array(cones) @ np.array(to_rgb(c)) for name, c in COLOURS.items()}
        for one, two in [
            ("new", "returning"),
            ("gain", "loss"),
            ("actual", "forecast"),
            ("forecast", "baseline"),
            ("customers", "value"),
        ]:
            assert np.linalg.norm(seen[one] - seen[two]) > 0.15, (one, two)
