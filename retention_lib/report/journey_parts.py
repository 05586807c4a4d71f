"""Parts of the way from purchase to purchase: its figure and its table."""

from __future__ import annotations

from typing import Any

import pandas as pd

from retention_lib.report import tables
from retention_lib.report.figures import Drawn
from retention_lib.report.figures import next_purchase as draw
from retention_lib.report.findings.next_purchase import DAYS
from retention_lib.report.language import Formats
from retention_lib.retention.next_purchase import WITHIN
from retention_lib.smallest import SMALLEST


def steps_figure(steps: pd.DataFrame, formats: Formats) -> Drawn:
    """The share who buy again within 90 days, by how many purchases came before."""
    large = steps[steps[f"n_{DAYS}"] >= SMALLEST]
    names = {f"{part}_{DAYS}": part for part in ("share", "low", "high")}
    return draw(large.rename(columns=names)[["number", *names.values()]], formats, DAYS)


def steps_table(steps: pd.DataFrame, formats: Formats) -> Any:
    """Every step with its shares and days; of a handful of customers nothing but their number."""
    say = formats.say
    shown = steps.copy()
    shown["days_median"] = shown["days_median"].where(shown["customers"] >= SMALLEST)
    for days in WITHIN:
        shown[f"share_{days}"] = shown[f"share_{days}"].where(shown[f"n_{days}"] >= SMALLEST)
    formats_of: dict[str, tables.Format] = {
        "number": "count",
        "customers": "count",
        **dict.fromkeys((f"share_{days}" for days in WITHIN), "share"),
        "days_median": "days",
    }
    labels = {
        "number": say("After purchase"),
        "customers": say("Customers"),
        **{f"share_{days}": say("≤ {days}", days=formats.days(days)) for days in WITHIN},
        "days_median": say("Half of those back by"),
    }
    return tables.frame_table(shown, formats, formats_of, labels, stub="number", id="steps")
