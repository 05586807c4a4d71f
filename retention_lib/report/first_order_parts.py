"""The report's sections on what the first purchase foretells: its size, its category."""

from __future__ import annotations

from typing import Any

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.report import tables
from retention_lib.report.figures import value_by_first_category, value_by_first_size
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import first_order as findings
from retention_lib.report.labels import group_name
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.first_order import FirstOrder


def sections(found: FirstOrder, base: Base, page: Page) -> list[Shown]:
    """The section on the first purchase's size; with categories, the one on these too.

    Parameters
    ----------
    found : FirstOrder
        `retention.first_order.first_order` of the base.
    base : Base
    page : Page
    """
    parts = [
        page.section(findings.size_heading(found), name="The first purchase's size"),
        page.figure(size_figure(found, page.formats)),
        page.text(findings.come_back(found)),
        page.note(findings.how_to_read(found)),
        page.note(findings.beginning(found, base)),
        page.table(size_table(found, page.formats)),
    ]
    if "category" in base.fields:
        parts += [
            page.section(findings.category_heading(found), name="The first category"),
            page.figure(category_figure(found, page.formats)),
            page.note(findings.how_to_read_categories(found)),
            page.table(category_table(found, page.formats)),
        ]
    return [part for part in parts if part is not None]


def size_figure(found: FirstOrder, formats: Formats) -> Drawn | None:
    """What follows each fifth of first purchases; None with fewer than two."""
    if len(found.sizes) < 2:
        return None
    return value_by_first_size(_labelled(found.sizes, formats), formats, found.days)


def size_table(found: FirstOrder, formats: Formats) -> Any | None:
    """The fifths in figures, with their cuts; None where there is none."""
    if found.sizes.empty:
        return None
    say = formats.say
    return tables.frame_table(
        _with_interval(_labelled(found.sizes, formats), formats),
        formats,
        {
            "label": "text",
            "n": "count",
            "first": "currency",
            "later": "currency",
            "interval": "text",
            "again": "share",
        },
        {
            "label": say("First purchase"),
            "n": say("Customers"),
            "first": say("on average"),
            "later": say("{days} after", days=formats.days(found.days)),
            "interval": say("95% interval"),
            "again": say("Bought again"),
        },
        stub="label",
        id="first-purchase-size",
    )


def category_figure(found: FirstOrder, formats: Formats) -> Drawn | None:
    """What follows each first category; None with fewer than two."""
    if len(found.categories) < 2:
        return None
    return value_by_first_category(_named(found.categories), formats, found.days)


def category_table(found: FirstOrder, formats: Formats) -> Any | None:
    """The first categories in figures; None where there is none."""
    if found.categories.empty:
        return None
    say = formats.say
    frame = _with_interval(_named(found.categories), formats)
    pairs = zip(frame["difference_low"], frame["difference_high"], strict=True)
    frame["difference_interval"] = [formats.interval(a, b, "currency") for a, b in pairs]
    return tables.frame_table(
        frame,
        formats,
        {
            "label": "text",
            "n": "count",
            "first": "currency",
            "later": "currency",
            "interval": "text",
            "difference": "currency",
            "difference_interval": "text",
            "again": "share",
        },
        {
            "label": say("First category"),
            "n": say("Customers"),
            "first": say("First purchase"),
            "later": say("{days} after", days=formats.days(found.days)),
            "interval": say("95% interval"),
            "difference": say("more than like ones"),
            "difference_interval": say("95% interval"),
            "again": say("Bought again"),
        },
        stub="label",
        id="first-category",
    )


def _labelled(sizes: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    """Each fifth by its amounts."""
    labels = [
        _amounts(above, up_to, formats)
        for above, up_to in zip(sizes["above"], sizes["up_to"], strict=True)
    ]
    return sizes.assign(label=labels)


def _amounts(above: float, up_to: float, formats: Formats) -> str:
    if pd.isna(up_to):
        return formats.say("above {amount}", amount=formats.money(above))
    if pd.isna(above):
        return formats.say("up to {amount}", amount=formats.money(up_to))
    return formats.interval(above, up_to, "currency")


def _named(categories: pd.DataFrame) -> pd.DataFrame:
    return categories.assign(label=[group_name(str(name)) for name in categories["category"]])


def _with_interval(frame: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    pairs = zip(frame["low"], frame["high"], strict=True)
    return frame.assign(interval=[formats.interval(a, b, "currency") for a, b in pairs])
