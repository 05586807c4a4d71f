"""The report's sections on what customers buy next, where the data has categories."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.report import tables
from retention_lib.report.figures import lifts, second_category
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import order_value as first_ones
from retention_lib.report.findings import what_next as findings
from retention_lib.report.labels import group_name
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.beginning import starts_late
from retention_lib.retention.what_next import WhatNext, what_next

#: Pairs that are shown: those that stand out, then those that only seem to.
MOST: Final = 8


def sections(base: Base, page: Page) -> list[Shown]:
    """What the second purchase brings, and which category leads to which; nothing without them.

    Parameters
    ----------
    base : Base
    page : Page
    """
    found = what_next(base)
    if found is None or not found.categories:
        return []
    parts = [
        page.metrics(found.metrics),
        page.section(findings.second_heading(found), name="The second purchase by category"),
        page.figure(second_figure(found, page.formats)),
        page.text(findings.second_pairs(found)),
        page.note(findings.how_to_read_second() if len(found.again) > 1 else None),
        page.note(first_ones.beginning(base) if starts_late(base) else None),
        page.table(second_table(found, page.formats)),
        page.section(findings.cross_heading(found), name="From category to category"),
        page.figure(pairs_figure(found, page.formats)),
        page.text(findings.cross_text(found)),
        page.text(findings.to_act_on(found)),
        page.note(findings.how_to_read_cross(found, base)),
        page.table(pairs_table(found, page.formats)),
    ]
    return [part for part in parts if part is not None]


def second_figure(found: WhatNext, formats: Formats) -> Drawn | None:
    """The second purchase's categories by the first's; None with fewer than two of these."""
    if len(found.again) < 2:
        return None
    every = pd.concat([found.second, found.again.assign(next_category=found.again["category"])])
    shares = every.pivot(index="category", columns="next_category", values="share")
    order = found.again["category"].tolist()
    columns = [name for name in found.categories if name in shares.columns]
    shown = shares.reindex(index=order, columns=columns)
    sizes = found.again.set_index("category")["n"].rename(_name)
    return second_category(shown.rename(index=_name, columns=_name), sizes, formats)


def second_table(found: WhatNext, formats: Formats) -> Any | None:
    """By first category: who buys it again, and which new one most take up."""
    if found.again.empty:
        return None
    say = formats.say
    # of each first category the new one that most take up; the name orders equals
    order = found.second.sort_values(
        ["category", "share", "next_category"], ascending=[True, False, True]
    )
    most = order.drop_duplicates("category")[["category", "next_category", "share", "n"]]
    most = most.rename(columns={"share": "next_share", "n": "next_n"})
    frame = found.again.merge(most, on="category", how="left")
    frame = frame.assign(
        label=[_name(name) for name in frame["category"]],
        next=["–" if pd.isna(name) else _name(name) for name in frame["next_category"]],
        interval=[
            formats.interval(a, b, "share")
            for a, b in zip(frame["low"], frame["high"], strict=True)
        ],
    )
    return tables.frame_table(
        frame,
        formats,
        {
            "label": "text",
            "n": "count",
            "share": "share",
            "interval": "text",
            "next": "text",
            "next_share": "share",
        },
        {
            "label": say("In the first purchase"),
            "n": say("Customers"),
            "share": say("Same again"),
            "interval": say("95% interval"),
            "next": say("Most often new"),
            "next_share": say("taken up by"),
        },
        stub="label",
        id="second-category",
    )


def pairs_figure(found: WhatNext, formats: Formats) -> Drawn | None:
    """The pairs that stand out, beside those that only seem to; None where there is none."""
    shown = pairs_shown(found)
    return None if shown.empty else lifts(shown, formats)


def pairs_table(found: WhatNext, formats: Formats) -> Any | None:
    """The same pairs in figures."""
    shown = pairs_shown(found)
    if shown.empty:
        return None
    say = formats.say
    frame = shown.assign(
        interval=[
            formats.interval(a, b, "ratio")
            for a, b in zip(shown["lift_low"], shown["lift_high"], strict=True)
        ],
    )
    return tables.frame_table(
        frame,
        formats,
        {
            "label": "text",
            "n": "count",
            "share": "share",
            "like": "share",
            "lift": "ratio",
            "interval": "text",
            "customers": "count",
        },
        {
            "label": say("Have → take up"),
            "n": say("n"),
            "share": say("Took it up"),
            "like": say("Who shop alike"),
            "lift": say("Lift"),
            "interval": say("95% interval"),
            "customers": say("Open to it now"),
        },
        stub="label",
        id="cross-sell",
    )


def pairs_shown(found: WhatNext) -> pd.DataFrame:
    """The pairs that stand out, then those that seem to most; `label` names each."""
    known = found.pairs[found.pairs["p"].notna()]
    sure = found.to_act_on
    seeming = known[known["seems"] & (known["above"] <= 0)]
    seeming = seeming.sort_values(["raw_p", "category", "next_category"])
    shown = pd.concat([sure, seeming]).head(MOST)
    pairs = zip(shown["category"], shown["next_category"], strict=True)
    return shown.assign(label=[f"{_name(a)} → {_name(b)}" for a, b in pairs])


def _name(name: object) -> str:
    return group_name(str(name))
