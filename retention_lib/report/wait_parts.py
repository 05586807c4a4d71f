"""Parts on how long customers take to buy again: curves, checkpoints, the model over them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.forecast import Forecast
from retention_lib.models.observed_curve import at_checkpoints, observed_curve
from retention_lib.report import tables
from retention_lib.report.figures import Drawn, model_curve, next_purchase_curves
from retention_lib.report.findings import waits as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.survival import share_by, time_to_next
from retention_lib.smallest import SMALLEST

#: Days at which the table tells the shares.
CHECKPOINTS: Final = (30, 90, 180, 365)
UP_TO: Final = 365


def sections(base: Base, page: Page) -> list[Shown]:
    """How long until the next purchase, after the first, second and third; nothing where nobody
    came back.
    """
    curves = time_to_next(base)
    table = checkpoints(curves)
    if table.empty:
        return []
    shown: list[Shown | None] = [
        page.section(findings.heading(table), name="How long until the next purchase"),
        page.figure(curves_figure(curves, page.formats)),
        page.table(waits_table(table, page.formats)),
        page.note(findings.how_to_read()),
    ]
    return [part for part in shown if part is not None]


def checkpoints(curves: pd.DataFrame) -> pd.DataFrame:
    """The curves at some days.

    Returns
    -------
    DataFrame
        A row a number of purchases: `number`, `customers`, `half` (days after which half are back;
        NaN where it isn't half), and for each day d `share_d`, `low_d`, `high_d`, `n_d` (watched so
        long without one); NaN, and n 0, where fewer than `SMALLEST` are.
    """
    rows = []
    for number, own in curves.groupby("number"):
        half = own.loc[(own["share"] >= 0.5) & (own["at_risk"] >= SMALLEST), "days"]
        row = {
            "number": int(str(number)),
            "customers": int(own["at_risk"].iloc[0]),
            "half": float(half.iloc[0]) if len(half) else np.nan,
        }
        for day in CHECKPOINTS:
            at = share_by(own, day)
            known = at is not None and at["at_risk"] >= SMALLEST
            for name in ("share", "low", "high"):
                row[f"{name}_{day}"] = float(at[name]) if at is not None and known else np.nan
            row[f"n_{day}"] = int(at["at_risk"]) if at is not None and known else 0
        rows.append(row)
    return pd.DataFrame(rows)


def curves_figure(curves: pd.DataFrame, formats: Formats) -> Drawn:
    """The curves of a year, as far as enough are watched."""
    shown = curves[(curves["days"] <= UP_TO) & (curves["at_risk"] >= SMALLEST)]
    names = {
        1: formats.say("After the first"),
        2: formats.say("After the second"),
        3: formats.say("After the third"),
    }
    return next_purchase_curves(shown.assign(label=shown["number"].map(names)), formats)


def waits_table(table: pd.DataFrame, formats: Formats) -> Any:
    """Shares back by some days, and by when half are."""
    say = formats.say
    formats_of: dict[str, tables.Format] = {"number": "count", "customers": "count"}
    labels = {"number": say("After purchase"), "customers": say("Customers")}
    for day in CHECKPOINTS:
        formats_of[f"share_{day}"] = "share"
        labels[f"share_{day}"] = say("≤ {days}", days=formats.days(day))
    formats_of["half"], labels["half"] = "days", say("Half of all by")
    return tables.frame_table(table, formats, formats_of, labels, stub="number", id="waits")


def model_section(made: Forecast, base: Base, page: Page) -> list[Shown]:
    """The model's curve over the observed one; nothing without a model that holds."""
    if made.unknowable is not None:
        return []
    curve = observed_curve(base, made.purchase_model)
    gaps, departs = at_checkpoints(base, made.purchase_model)
    if gaps.empty:
        return []
    shown: list[Shown | None] = [
        page.section(findings.model_heading(gaps, departs), name="The model over the curve"),
        page.figure(model_curve(curve, page.formats)),
        page.table(gaps_table(gaps, page.formats)),
        page.note(findings.how_model()),
    ]
    return [part for part in shown if part is not None]


def gaps_table(gaps: pd.DataFrame, formats: Formats) -> Any:
    """Observed and expected shares at some days."""
    say = formats.say
    pairs = zip(gaps["low"], gaps["high"], strict=True)
    shown = gaps.assign(
        interval=[formats.interval(low, high, "share") for low, high in pairs],
        points=[formats.points(gap) for gap in gaps["gap"]],
    )
    formats_of: dict[str, tables.Format] = {
        "days": "days",
        "share": "share",
        "interval": "text",
        "model": "share",
        "points": "text",
        "n": "count",
    }
    labels = {
        "days": say("Within"),
        "share": say("Observed"),
        "interval": say("Interval"),
        "model": say("Model"),
        "points": say("Gap"),
        "n": say("Still watched"),
    }
    return tables.frame_table(shown, formats, formats_of, labels, stub="days", id="model-curve")
