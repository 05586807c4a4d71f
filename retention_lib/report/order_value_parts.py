"""The report's section on what purchases are worth, by which one it is."""

from __future__ import annotations

from typing import Any

from retention_lib.data.base import Base
from retention_lib.report import tables
from retention_lib.report.figures import purchase_values
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import order_value as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.beginning import starts_late
from retention_lib.retention.order_value import OrderValue
from retention_lib.smallest import SMALLEST


def sections(found: OrderValue, base: Base, page: Page) -> list[Shown]:
    """Heading, figure, what the means hide, how to read it, table.

    Parameters
    ----------
    found : OrderValue
        `retention.order_value.order_value` of the base.
    base : Base
    page : Page
    """
    late = starts_late(base)
    parts = [
        page.section(findings.heading(found, late=late), name="Value of each purchase"),
        page.figure(figure(found, page.formats)),
        page.text(None if late else findings.selection(found)),
        page.text(findings.second(found)),
        page.note(findings.how_to_read(found)),
        page.note(findings.beginning(base) if late else None),
        page.table(table(found, page.formats)),
    ]
    return [part for part in parts if part is not None]


def figure(found: OrderValue, formats: Formats) -> Drawn | None:
    """All who made each purchase beside the same customers; None where too few came back."""
    large = found.steps[found.steps["customers"] >= SMALLEST]
    if len(large) < 2:
        return None
    return purchase_values(large, formats, found.together, found.n_same)


def table(found: OrderValue, formats: Formats) -> Any | None:
    """Every purchase in figures; of a handful of customers nothing but their number."""
    if found.steps.empty:
        return None
    say, steps = formats.say, found.steps
    shown = steps.assign(
        **{
            name: steps[name].where(steps["customers"] >= SMALLEST)
            for name in ("mean", "low", "high", "same")
        },
        **{
            name: steps[name].where(steps["n_next"] >= SMALLEST)
            for name in ("change", "change_low", "change_high", "before", "after")
        },
    )
    pairs = zip(shown["change_low"], shown["change_high"], strict=True)
    shown["change_interval"] = [formats.interval(a, b, "currency") for a, b in pairs]
    columns: dict[str, tuple[str, tables.Format]] = {
        "number": (say("Purchase"), "count"),
        "customers": (say("Customers"), "count"),
        "mean": (say("Mean value"), "currency"),
        "same": (say("Same customers"), "currency"),
        "change": (say("Change to the next"), "currency"),
        "change_interval": (say("95% interval"), "text"),
    }
    if found.together < 2:
        del columns["same"]
    return tables.frame_table(
        shown,
        formats,
        {name: form for name, (_, form) in columns.items()},
        {name: label for name, (label, _) in columns.items()},
        stub="number",
        id="value-by-purchase",
    )
