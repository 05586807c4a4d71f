"""The report's sections on tests whose groups a lot drew: effect, worth, checks, the next test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from retention_lib.loyalty.experiment import Trial, Uplift, metrics
from retention_lib.report import tables
from retention_lib.report.figures.experiment import (
    experiment_days,
    experiment_power,
    experiment_uplifts,
)
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import experiment as findings
from retention_lib.report.findings import experiment_checks as checks
from retention_lib.report.findings import experiment_next as ahead
from retention_lib.report.headline import TESTS
from retention_lib.report.language import MISSING, Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.peak_parts import table_of
from retention_lib.sentence import Sentence


def sections(tests: Sequence[Trial], page: Page) -> list[Shown]:
    """All on the client's tests; nothing where there is none.

    Parameters
    ----------
    tests : sequence of Trial
    page : Page
    """
    return [shown for found in tests for shown in of_test(found, page)]


def of_test(found: Trial, page: Page) -> list[Shown]:
    """One test, from its finding to the size of the next one.

    Parameters
    ----------
    found : Trial
    page : Page
    """
    title = Sentence("{test}", test=found.plan.title)
    parts: list[Shown | None] = [
        page.metrics(metrics(found)),
        page.section(findings.heading(found), name=title, anchor=anchor(found)),
        _verdict(found, page),
    ]
    if found.uplifts:
        parts += _effect(found, page)
    if found.made.problem is None:
        parts += _checks(found, page)
    else:
        parts += [page.note(sentence) for sentence in checks.kept_out(found)]
    # of a test that runs neither is known: looked at again and again, some part always stands out
    if found.uplifts and not found.is_broken and not found.is_running:
        parts += _whom(found, page)
        parts += _next(found, page)
    return [part for part in parts if part is not None]


def anchor(found: Trial) -> str:
    """Where links to a test lead."""
    return "test-" + found.plan.name.replace("_", "-")


def _verdict(found: Trial, page: Page) -> Shown | None:
    told = findings.verdict(found)
    if told is None:
        return None
    return page.verdict(told.kind, told.text, told.reasons, word=TESTS[told.kind])


def _effect(found: Trial, page: Page) -> list[Shown | None]:
    """The uplifts; of a broken lot the figures without a word of an effect."""
    table = page.table(uplift_table(found, page.formats))
    if found.is_broken:
        return [table]
    return [
        page.figure(uplift_figure(found, page.formats)),
        page.text(findings.revenue(found)),
        page.text(findings.money(found)),
        page.text(findings.per_purchase(found)),
        page.text(findings.price_of_knowing(found)),
        page.text(findings.rivals(found)),
        page.figure(days_figure(found, page.formats)),
        page.text(findings.brought_forward(found)),
        page.note(findings.margin(found)),
        table,
        page.note(findings.looks(found)),
        page.note(findings.how_to_read(found)),
    ]


def _checks(found: Trial, page: Page) -> list[Shown | None]:
    if found.split is None:
        return []
    return [
        page.section(checks.heading(found), name=Sentence("Who was in it")),
        page.table(sizes_table(found, page.formats)),
        page.text(checks.sizes(found)),
        page.table(balance_table(found, page.formats)),
        page.text(checks.balance(found)),
        *_several_notes([*checks.overlaps(found), *checks.kept_out(found)], page),
    ]


def _several_notes(sentences: list[str], page: Page) -> list[Shown | None]:
    return [page.notes(sentences)] if sentences else []


def _whom(found: Trial, page: Page) -> list[Shown | None]:
    heading = ahead.whom(found)
    if heading is None:
        return []
    return [
        page.section(heading, name=Sentence("For whom")),
        page.table(parts_table(found, page.formats)),
        page.note(ahead.how_to_read_parts(found)),
    ]


def _next(found: Trial, page: Page) -> list[Shown | None]:
    heading = ahead.heading(found)
    if heading is None:
        return []
    return [
        page.section(heading, name=Sentence("The next test")),
        page.text(ahead.could_see(found)),
        page.figure(power_figure(found, page.formats)),
        page.table(size_table(found, page.formats)),
        page.note(ahead.how_to_plan(found)),
    ]


# Figures --------------------------------------------------------------------------------------


def uplift_figure(found: Trial, formats: Formats) -> Drawn | None:
    """The relative uplifts of every treated group, as a forest; None where there are none."""
    if not any(math.isfinite(one.relative.change) for one in found.uplifts):
        return None
    several = len(found.treated) > 1
    rows = [
        {
            "group": one.group if several else "",
            "label": formats.tell(findings.OUTCOMES[one.outcome]),
            "value": one.relative.change,
            "low": one.relative.low,
            "high": one.relative.high,
            "stands": one.stands,
            "said": _signed(one, formats),
        }
        for one in found.uplifts
    ]
    return experiment_uplifts(pd.DataFrame(rows), formats, formats.tell(findings.heading(found)))


def days_figure(found: Trial, formats: Formats) -> Drawn | None:
    """Who has bought by each day since the start, treated and left alone."""
    if found.over_days is None or found.over_days["share"].max() == 0:
        return None
    return experiment_days(found.over_days, formats)


def power_figure(found: Trial, formats: Formats) -> Drawn | None:
    """How often tests of this size, twice and four times it show a rise."""
    if found.next is None or found.next.curve.empty:
        return None
    return experiment_power(found.next.curve, formats, found.next.design.power)


# Tables ---------------------------------------------------------------------------------------


def uplift_table(found: Trial, formats: Formats) -> Any:
    """Every outcome of every treated group, beside the control group."""
    say, several = formats.say, len(found.treated) > 1
    rows = [
        {
            "outcome": formats.tell(findings.OUTCOMES[one.outcome]),
            "group": one.group,
            "control_range": formats.value(one.control, findings.UNITS[one.outcome]),
            "value_range": formats.value(one.value, findings.UNITS[one.outcome]),
            "change_range": _signed(one, formats),
            "interval": _limits(one, formats),
            "chance_range": by_chance(one.holm, formats),
        }
        for one in found.uplifts
    ]
    shown: dict[str, tuple[tables.Format, str]] = {
        "outcome": ("text", say("Outcome")),
        "control_range": ("text", say("Left alone")),
        "value_range": ("text", say("Treated")),
        "change_range": ("text", say("Difference")),
        "interval": ("text", say("95% interval")),
        "chance_range": ("text", say("By chance")),
    }
    if several:
        shown = {"outcome": shown["outcome"], "group": ("text", say("Group")), **shown}
    if found.is_broken:
        shown = {name: shown[name] for name in shown if name in ("outcome", "group", *_AS_THEY_ARE)}
    return table_of(pd.DataFrame(rows), shown, formats, f"uplifts-{found.plan.name}")


#: All that is shown of a broken lot: the groups' own figures, no difference.
_AS_THEY_ARE = ("control_range", "value_range")


def sizes_table(found: Trial, formats: Formats) -> Any:
    """The groups with their customers, and those that were planned."""
    assert found.split is not None
    say, table = formats.say, found.split.sizes.table
    counted = found.people["group"].value_counts()
    frame = table.assign(
        counted=[int(counted.get(group, 0)) for group in table["group"]],
        planned=table["expected"].round(),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "group": ("text", say("Group")),
        "customers": ("count", say("Customers")),
        "planned": ("count", say("By the plan")),
        "counted": ("count", say("Outcome counted")),
    }
    return table_of(frame, shown, formats, f"groups-{found.plan.name}")


def balance_table(found: Trial, formats: Formats) -> Any | None:
    """What was known of the groups before the start."""
    assert found.split is not None
    say, table = formats.say, found.split.balance.table
    # a figure that is the same for all, such as one common start, says nothing
    told = table["apart"].notna() & (table["apart"].ne(0) | table["value"].ne(table["control"]))
    table = table[table["figure"].isin(set(table.loc[told, "figure"]))]
    if table.empty:
        return None
    frame = table.assign(
        label=[formats.tell(checks.COVARIATES[name]) for name in table["figure"]],
        value_range=_by_unit(table["figure"], table["value"], formats),
        control_range=_by_unit(table["figure"], table["control"], formats),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Before the start")),
        "control_range": ("text", say("Left alone")),
        "value_range": ("text", say("Treated")),
        "apart": ("number", say("Apart (standard deviations)")),
    }
    if len(found.treated) > 1 or table["group"].nunique() > 1:
        shown = {"label": shown["label"], "group": ("text", say("Group")), **shown}
    return table_of(frame, shown, formats, f"before-{found.plan.name}")


def parts_table(found: Trial, formats: Formats) -> Any:
    """The uplift by what the customers were before."""
    assert found.whom is not None
    say, table = formats.say, found.whom.table
    # who never bought is the same part by either cut: shown once
    table = table[~((table["part"] == "never") & (table["cut"] == "recency"))]
    frame = table.assign(
        label=[
            formats.tell(ahead.PARTS[cut, part])
            for cut, part in zip(table["cut"], table["part"], strict=True)
        ],
        points=[_points(x, formats) for x in table["change"]],
        interval=_points_interval(table["low"], table["high"], formats),
        revenue_range=[_plus(formats.money(x), x) for x in table["revenue_change"]],
        revenue_interval=[
            formats.interval(low, high, "currency")
            for low, high in zip(table["revenue_low"], table["revenue_high"], strict=True)
        ],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Before the start")),
        "n": ("count", say("Treated")),
        "n_control": ("count", say("Left alone")),
        "points": ("text", say("More buyers (points)")),
        "interval": ("text", say("95% interval")),
        "revenue_range": ("text", say("More revenue each")),
        "revenue_interval": ("text", say("95% interval")),
    }
    return table_of(frame, shown, formats, f"parts-{found.plan.name}")


def size_table(found: Trial, formats: Formats) -> Any | None:
    """Customers that the next test takes, by the rise that it is to show."""
    if found.next is None:
        return None
    say, sizes = formats.say, found.next.sizes
    frame = sizes[sizes["together"].notna()]
    if frame.empty:
        return None
    frame = frame.assign(
        label=[
            say("{points} points more buyers", points=_points(rise, formats))
            if outcome == "bought"
            else say("{share} more revenue", share=_plus(formats.share(rise, 0), rise))
            for outcome, rise in zip(frame["outcome"], frame["rise"], strict=True)
        ]
    )
    several = found.next.design.groups > 2
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Rise to be seen")),
        "together": ("count", say("Customers in all")),
        "each": ("count", say("In each treated group") if several else say("Treated")),
        "control": ("count", say("Left alone")),
    }
    return table_of(frame, shown, formats, f"next-{found.plan.name}")


def by_chance(p: float, formats: Formats) -> str:
    """A p-value in words: a share, or below the smallest that is told."""
    if math.isnan(p):
        return MISSING
    if p < 0.001:
        return formats.say("below {p}", p=formats.share(0.001))
    return formats.share(p)


def _limits(one: Uplift, formats: Formats) -> str:
    if not math.isfinite(one.estimate.low):
        return MISSING
    if one.outcome == "bought":
        ends = (formats.number(100 * x, 1) for x in (one.estimate.low, one.estimate.high))
        return formats.say("{low} to {high}", **dict(zip(("low", "high"), ends, strict=True)))
    return formats.interval(one.estimate.low, one.estimate.high, findings.UNITS[one.outcome])


def _signed(one: Uplift, formats: Formats) -> str:
    """A difference with its sign; of shares in points."""
    change = one.estimate.change
    if not math.isfinite(change):
        return MISSING
    if one.outcome == "bought":
        return formats.say("{points} points", points=_points(change, formats))
    return _plus(formats.value(change, findings.UNITS[one.outcome]), change)


def _points(share: float, formats: Formats) -> str:
    return _plus(formats.number(100 * share, 1), share)


def _points_interval(low: Iterable[float], high: Iterable[float], formats: Formats) -> list[str]:
    return [
        formats.say(
            "{low} to {high}", low=formats.number(100 * a, 1), high=formats.number(100 * b, 1)
        )
        for a, b in zip(low, high, strict=True)
    ]


def _plus(text: str, value: float) -> str:
    return f"+{text}" if value > 0 else text


def _by_unit(figures: Iterable[Any], values: Iterable[float], formats: Formats) -> list[str]:
    return [
        MISSING if math.isnan(x) else formats.metric(checks.written(figure, float(x)))
        for figure, x in zip(figures, values, strict=True)
    ]
