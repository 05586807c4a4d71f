"""The report's sections on campaigns whose customers were chosen, not drawn by lot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from retention_lib.loyalty.campaign import Campaigns, metrics
from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.metrics import Unit
from retention_lib.report import tables
from retention_lib.report.comparison_parts import alike_figure
from retention_lib.report.figures.comparison import (
    campaign_forest,
    comparison_by_window,
    comparison_ways,
)
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import campaign as findings
from retention_lib.report.findings import campaign_more as more
from retention_lib.report.headline import COMPARISONS
from retention_lib.report.language import MISSING, Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.peak_parts import table_of
from retention_lib.retention.homogeneity import LEVEL
from retention_lib.sentence import Sentence

#: Customers of a kind or campaign that the report names; see `smallest`.
_TITLE: Final = "{campaign}"


def sections(every: Sequence[Campaigns], page: Page) -> list[Shown]:
    """All on the client's campaigns of which no lot drew the customers; nothing without any.

    Parameters
    ----------
    every : sequence of Campaigns
    page : Page
    """
    return [shown for found in every for shown in of_campaigns(found, page)]


def anchor(found: Campaigns) -> str:
    """Where links to a list of campaigns lead."""
    return "campaign-" + found.name.replace("_", "-")


def of_campaigns(found: Campaigns, page: Page) -> list[Shown]:
    """One list of campaigns, from its finding to the test that would settle it.

    Parameters
    ----------
    found : Campaigns
    page : Page
    """
    formats = page.formats
    told = findings.verdict(found)
    name = Sentence(_TITLE, campaign=found.title)
    parts: list[Shown | None] = [
        page.metrics(metrics(found)),
        page.section(findings.heading(found), name=name, anchor=anchor(found)),
        page.verdict(told.kind, told.text, told.reasons, word=COMPARISONS[told.kind]),
    ]
    if found.problem is None:
        parts += [
            page.figure(window_figure(found, formats)),
            page.text(findings.revenue(found)),
            page.text(findings.how_large(found)),
            page.table(outcome_table(found, formats)),
            page.text(findings.after(found)),
            page.text(findings.worth(found)),
            page.text(findings.redeemed(found)),
            page.note(findings.scope(found)),
            *_checks(found, page),
            *_whom(found, page),
            *_next(found, page),
        ]
    return [part for part in parts if part is not None]


def _checks(found: Campaigns, page: Page) -> list[Shown | None]:
    return [
        page.section(more.ways(found), name=Sentence("Other ways of comparing")),
        page.figure(ways_figure(found, page.formats)),
        page.note(more.how_to_read_ways(found)),
        page.table(ways_table(found, page.formats)),
        page.text(more.hidden(found)),
        page.section(more.alike(found.compared), name=Sentence("Who was compared")),
        page.figure(alike_figure(found.compared, page.formats)),
        page.note(more.how_alike(found)),
    ]


def _whom(found: Campaigns, page: Page) -> list[Shown | None]:
    parts: list[Shown | None] = []
    heading = more.for_whom(found)
    if heading is not None:
        parts += [
            page.section(heading, name=Sentence("For whom")),
            page.table(whom_table(found, page.formats)),
            page.note(more.how_to_read_whom(found)),
        ]
    heading = more.campaigns(found)
    if heading is not None:
        parts += [
            page.section(heading, name=Sentence("Campaign by campaign")),
            page.table(kind_table(found, page.formats)),
            page.figure(campaign_figure(found, page.formats)),
            page.note(more.how_to_read_campaigns(found)),
        ]
    return parts


def _next(found: Campaigns, page: Page) -> list[Shown | None]:
    heading = more.next_heading(found)
    if heading is None:
        return []
    return [
        page.section(heading, name=Sentence("The next campaign")),
        page.text(more.next_test(found)),
    ]


def window_figure(found: Campaigns, formats: Formats) -> Drawn:
    """The raw and the comparable difference before and after the first day."""
    labels = [_window(int(k), found.design.days, formats) for k in found.path["window"]]
    return comparison_by_window(
        found.path.assign(label=labels), formats, formats.tell(findings.heading(found))
    )


def _window(k: int, length: int, formats: Formats) -> str:
    if k == 0:
        return formats.say("{days}\nfrom the first on", days=formats.days(length))
    if k == -1:
        return formats.say("{days}\nbefore", days=formats.days(length))
    first, last = (k * length, (k + 1) * length) if k > 0 else (-(k + 1) * length, -k * length)
    span = {"first": formats.count(first + 1), "last": formats.count(last)}
    if k > 0:
        return formats.say("days {first}\nto {last}", **span)
    return formats.say("{first} to {last} days\nbefore", **span)


def outcome_table(found: Campaigns, formats: Formats) -> Any:
    """Each outcome: those sent one, all others' raw difference, comparable ones, and before."""
    say = formats.say
    rows = []
    effects = {"revenue": found.revenue, "orders": found.orders, "bought": found.bought}
    for outcome, effect in effects.items():
        placebo, unit = found.placebos[outcome], findings.UNITS[outcome]
        rows.append(
            {
                "label": _outcome(outcome, formats),
                "treated_range": _written(effect.mean, unit, formats),
                "raw_range": _written(effect.raw, unit, formats, difference=True),
                "value_range": _written(effect.value, unit, formats, difference=True),
                "interval": _interval(effect, unit, formats),
                "before_interval": _before(placebo, unit, formats),
            }
        )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("In {days}", days=formats.days(found.design.days))),
        "treated_range": ("text", say("Sent one")),
        "raw_range": ("text", say("Against all others: not the effect")),
        "value_range": ("text", say("Against comparable ones")),
        "interval": ("text", say("95% interval")),
        "before_interval": ("text", say("The same before: should include 0")),
    }
    return table_of(pd.DataFrame(rows), shown, formats, f"campaign-{found.name}")


def _outcome(outcome: str, formats: Formats) -> str:
    label = formats.tell(findings.OUTCOMES[outcome])
    if findings.UNITS[outcome] == "share":
        return formats.say("{outcome}, differences in points", outcome=label)
    return label


def _written(value: float, unit: Unit, formats: Formats, *, difference: bool = False) -> str:
    if not math.isfinite(value):
        return MISSING
    if difference and unit == "share":
        return formats.number(100 * value, 1)
    return formats.value(value, unit)


def _interval(effect: Effect, unit: Unit, formats: Formats) -> str:
    if not effect.known:
        return MISSING
    if unit == "share":
        return formats.interval(100 * effect.low, 100 * effect.high, "number", 1)
    return formats.interval(effect.low, effect.high, unit)


def _before(placebo: Effect, unit: Unit, formats: Formats) -> str:
    text = _interval(placebo, unit, formats)
    if placebo.known and placebo.sure:
        return formats.say("{interval}: doesn't", interval=text)
    return text


def ways_figure(found: Campaigns, formats: Formats) -> Drawn:
    """Each way of comparing with what it finds before anything was sent."""
    labels = [_way(row, found, formats) for _, row in found.ways.iterrows()]
    frame = found.ways.assign(label=labels)
    return comparison_ways(frame, formats, formats.tell(more.ways(found)))


def _way(row: pd.Series, found: Campaigns, formats: Formats) -> str:
    label = formats.tell(more.WAYS[str(row["way"])])
    if int(row["days"]) == found.design.days:
        return label
    return formats.say("{way}, {days}", way=label, days=formats.days(int(row["days"])))


def ways_table(found: Campaigns, formats: Formats) -> Any:
    """The ways in figures."""
    say, frame = formats.say, found.ways
    frame = frame.assign(
        label=[_way(row, found, formats) for _, row in frame.iterrows()],
        interval=_shares(frame, "share_low", "share_high", formats),
        placebo_interval=_shares(frame, "placebo_low", "placebo_high", formats),
        check=[
            MISSING if passed is None else say("passed") if passed else say("failed")
            for passed in frame["passed"]
        ],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Way of comparing")),
        "treated": ("count", say("Sendings")),
        "customers": ("count", say("Customers")),
        "share": ("share", say("Difference in revenue")),
        "interval": ("text", say("95% interval")),
        "placebo_share": ("share", say("Before")),
        "placebo_interval": ("text", say("95% interval")),
        "check": ("text", say("Check")),
    }
    return table_of(frame, shown, formats, f"ways-{found.name}")


def _shares(frame: pd.DataFrame, low: str, high: str, formats: Formats) -> list[str]:
    ends = zip(frame[low].astype(float), frame[high].astype(float), strict=True)
    return [formats.interval(a, b, "share") if math.isfinite(a) else MISSING for a, b in ends]


def whom_table(found: Campaigns, formats: Formats) -> Any:
    """The parts of the customers, each compared within itself."""
    say, frame = formats.say, found.whom
    rows = []
    for _, row in frame.iterrows():
        rows.append(
            {
                "question": formats.tell(more.QUESTIONS[str(row["question"])]),
                "part": formats.tell(more.PARTS[str(row["part"])]),
                "treated": row["treated"],
                **_told_of(row, formats),
            }
        )
    shown: dict[str, tuple[tables.Format, str]] = {
        "question": ("text", say("By")),
        "part": ("text", say("Customers")),
        "treated": ("count", say("n")),
        "value": ("text", say("Revenue each")),
        "interval": ("text", say("95% interval")),
        "share": ("share", say("Of what they spend")),
        "before": ("text", say("The same before")),
    }
    # a question once, over its parts
    table = pd.DataFrame(rows)
    table.loc[table["question"].duplicated(), "question"] = ""
    return table_of(table, shown, formats, f"whom-{found.name}")


def kind_table(found: Campaigns, formats: Formats) -> Any | None:
    """The kinds of campaigns, each compared by itself; None where there is one kind."""
    if found.by_kind.empty:
        return None
    say = formats.say
    rows = [
        {
            "kind": row["kind"],
            "treated": row["treated"],
            **_told_of(row, formats),
        }
        for _, row in found.by_kind.iterrows()
    ]
    shown: dict[str, tuple[tables.Format, str]] = {
        "kind": ("text", say("Kind of campaign")),
        "treated": ("count", say("n")),
        "value": ("text", say("Revenue each")),
        "interval": ("text", say("95% interval")),
        "share": ("share", say("Of what they spend")),
        "before": ("text", say("The same before")),
    }
    return table_of(pd.DataFrame(rows), shown, formats, f"kinds-{found.name}")


def _told_of(row: pd.Series, formats: Formats) -> dict[str, object]:
    """What is told of a part; of one that differed before, that it is no effect."""
    fails = row["placebo_low"] > 0 or row["placebo_high"] < 0
    value = formats.money(row["value"])
    return {
        "value": formats.say("{value}: no effect", value=value) if fails else value,
        "interval": formats.interval(row["low"], row["high"], "currency"),
        "share": row["relative"],
        "before": formats.interval(row["placebo_low"], row["placebo_high"], "currency"),
    }


def campaign_figure(found: Campaigns, formats: Formats) -> Drawn:
    """The campaigns as a forest, by kind and day."""
    table = found.by_campaign.sort_values(["kind", "day", "campaign"])
    unsettled = findings.unsettled(found)
    frame = pd.DataFrame(
        {
            "group": [str(kind) for kind in table["kind"]],
            "label": [
                formats.say(
                    "{campaign}, {day} (n = {n})",
                    campaign=row["campaign"],
                    day=formats.short_date(row["day"]),
                    n=formats.count(row["treated"]),
                )
                for _, row in table.iterrows()
            ],
            **{name: table[name].astype(float) for name in ("value", "low", "high", "shrunk")},
            "stands": [
                0 if unsettled or not row["p_holm"] < LEVEL else 1 if row["value"] > 0 else -1
                for _, row in table.iterrows()
            ],
        }
    )
    heading = more.campaigns(found)
    assert heading is not None
    return campaign_forest(frame, formats, formats.tell(heading))
