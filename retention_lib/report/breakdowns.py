"""The report's sections on markets, channels and categories, one for each that is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from retention_lib.data.base import Base
from retention_lib.report import frames, tables
from retention_lib.report.figures.breakdown import group_rates
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import breakdown as findings
from retention_lib.report.labels import BY, DIMENSIONS
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.breakdown import Breakdown, breakdown


def sections(base: Base, page: Page) -> list[Shown]:
    """A section for each of the client file's `dimensions`; nothing without one.

    Parameters
    ----------
    base : Base
    page : Page

    Returns
    -------
    list of Shown
        Of each dimension: heading, figure, who stands out, how to read it, rates, revenue.
    """
    parts = [part for name in base.params.dimensions for part in _section(base, name, page)]
    return [part for part in parts if part is not None]


def _section(base: Base, dimension: str, page: Page) -> list[Shown | None]:
    found = breakdown(base, dimension)
    return [
        page.section(findings.heading(found), name=BY[dimension]),
        page.figure(rates_figure(found, page.formats)),
        page.text(findings.who(found)),
        page.note(findings.how(found, base)),
        page.note(findings.several_groups(found)),
        page.table(rates_table(found, page.formats)),
        page.table(revenue_table(found, page.formats)),
    ]


def rates_figure(found: Breakdown, formats: Formats) -> Drawn | None:
    """The groups' rates; None with fewer than two, of which there is nothing to see."""
    frame = frames.breakdown(found, formats)
    frame = frame[frame["rate"].notna()]
    if len(frame) < 2:
        return None
    if not found.overlapping:
        # the rest's rate is nearly that of all customers, which is drawn once
        frame = frame.assign(reference=np.nan)
    finding = formats.tell(findings.heading(found))
    return group_rates(frame, formats, found.overall.value, finding)


def rates_table(found: Breakdown, formats: Formats) -> Any | None:
    """The groups' rates in figures; None where no group has one."""
    frame = frames.breakdown(found, formats)
    frame = frame[frame["rate"].notna()]
    if frame.empty:
        return None
    heading = formats.say(DIMENSIONS[found.dimension])
    return tables.group_rates_table(frame, formats, heading, id=f"rates-by-{found.dimension}")


def revenue_table(found: Breakdown, formats: Formats) -> Any:
    """Customers and revenue of every group, the small and the further ones added up."""
    say = formats.say
    return tables.frame_table(
        frames.breakdown(found, formats),
        formats,
        {
            "label": "text",
            "customers": "count",
            "purchases": "count",
            "revenue": "currency",
            "share_of_revenue": "share",
            "revenue_each": "currency",
        },
        {
            "label": say(DIMENSIONS[found.dimension]),
            "customers": say("Customers"),
            "purchases": say("Purchases"),
            "revenue": say("Revenue"),
            "share_of_revenue": say("of revenue"),
            "revenue_each": say("per customer"),
        },
        stub="label",
        id=f"revenue-by-{found.dimension}",
    )
