"""The report's sections on the loyalty programme: does it pay, who is a member, points, tiers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.loyalty.comparable_hidden import hidden
from retention_lib.loyalty.programme import Programme, metrics, silent_with_points
from retention_lib.loyalty.programme_next import next_test
from retention_lib.metrics import Unit
from retention_lib.report import frames, tables
from retention_lib.report.comparison_parts import alike_table
from retention_lib.report.figures.programme import (
    member_flow,
    points_by_age,
    points_by_month,
    programme_effect,
)
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import programme as findings
from retention_lib.report.findings import programme_members as member_findings
from retention_lib.report.findings import programme_money as money_findings
from retention_lib.report.findings import programme_points as point_findings
from retention_lib.report.findings.campaign_more import alike
from retention_lib.report.headline import COMPARISONS
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.peak_parts import intervals, table_of
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

NAME: Final = N_("The programme")
_MEMBERS: Final = (
    *("programme.members", "programme.joined", "programme.left", "programme.participation"),
    *("programme.active_rate", "programme.revenue_share"),
)
_MONEY: Final = (
    *("programme.cost", "programme.break_even_uplift", "programme.net_value", "programme.roi"),
)
#: Months of the cohort table, the latest.
_COHORTS: Final = 12


def sections(found: Programme | None, base: Base, page: Page) -> list[Shown]:
    """All on the programme; nothing where the client file names none.

    Parameters
    ----------
    found : Programme or None
    base : Base
    page : Page
    """
    if found is None:
        return []
    shown: list[Shown | None] = [page.metrics(metrics(found))]
    if (heading := _too_little(found)) is not None:
        shown.append(page.section(heading, name=NAME, anchor="programme"))
        shown.append(_notes(member_findings.faults(found), page))
        return [part for part in shown if part is not None]
    shown += _pays(found, page)
    shown += _members(found, page)
    shown += _points(found, base, page)
    shown += _tiers(found, page)
    return [part for part in shown if part is not None]


def _notes(sentences: Sequence[str], page: Page) -> Shown | None:
    return page.notes(sentences) if sentences else None


def _too_little(found: Programme) -> str | None:
    at = found.members
    if not at.closing:
        return findings.no_members()
    if not at.members["known"].any():
        return findings.none_in_the_orders(len(at.members))
    return None if at.is_told else findings.few_members(at.closing)


def _pays(found: Programme, page: Page) -> list[Shown | None]:
    formats = page.formats
    kind, text, reasons = findings.verdict(found)
    compared = found.effect.compared
    sensitivity = None if compared is None else hidden(compared)
    return [
        page.section(findings.pays(found), name=NAME, anchor="programme"),
        page.verdict(kind, text, reasons, word=COMPARISONS[kind]),
        page.figure(effect_figure(found, formats)),
        page.text(findings.raw_difference(found)),
        page.text(findings.before_after(found)),
        page.text(findings.retention(found)),
        page.text(findings.lasting(found)),
        page.text(findings.hidden_difference(found, sensitivity)),
        page.table(effect_table(found, formats)),
        page.text(money_findings.break_even(found)),
        page.text(money_findings.value(found)),
        page.table(money_table(found, formats)),
        page.note(money_findings.face_value(found)),
        page.note(money_findings.revenue_only(found)),
        page.text(money_findings.next_test(next_test(found))),
        *_compared(found, page),
    ]


def _compared(found: Programme, page: Page) -> list[Shown | None]:
    """Who was compared with whom, and how alike they are."""
    compared, formats = found.effect.compared, page.formats
    if compared is None or not compared.compared:
        return [page.table(compared_table(found, formats))]
    return [
        page.section(alike(compared), name=N_("Who was compared")),
        page.table(alike_table(compared, formats, "programme-alike")),
        page.note(findings.how_compared(found)),
        page.note(findings.chosen_by_the_past(found)),
        page.table(compared_table(found, formats)),
    ]


def _members(found: Programme, page: Page) -> list[Shown | None]:
    formats = page.formats
    rows = frames.rows(metrics(found), _MEMBERS, formats)
    return [
        page.section(member_findings.members(found), name="Members"),
        page.figure(member_flow(found.members.flow, formats)),
        page.text(member_findings.flow(found)),
        page.text(member_findings.active(found)),
        page.text(member_findings.soon(found)),
        page.table(tables.metric_table(rows, formats, id="programme-members")),
        page.note(member_findings.nobody_leaves(found)),
        page.note(member_findings.everybody(found)),
        _notes(member_findings.faults(found), page),
    ]


def _points(found: Programme, base: Base, page: Page) -> list[Shown | None]:
    at, formats = found.ledger, page.formats
    if at is None:
        return [page.note(point_findings.no_ledger())]
    ages = at.ages
    silent = silent_with_points(found.members, at, found.point_value, base.as_of)
    return [
        page.section(point_findings.points(at), name="Points"),
        page.figure(points_by_month(at.months.tail(24), formats)),
        page.text(point_findings.balance(at)),
        page.figure(None if ages is None else points_by_age(ages.curve, formats, ages.step)),
        page.text(point_findings.in_the_end(at)),
        page.text(point_findings.redeemers(at)),
        page.table(cohort_table(found, formats)),
        page.note(point_findings.open_cohorts(at)),
        page.text(point_findings.liability(found)),
        page.note(point_findings.accounting(found)),
        page.text(point_findings.to_write_to(len(silent))),
        page.note(point_findings.how_to_read_ages(at)),
        _notes(point_findings.faults(at), page),
    ]


def _tiers(found: Programme, page: Page) -> list[Shown | None]:
    if found.tiers is None:
        return []
    return [
        page.section(member_findings.tiers(found), name="The programme's tiers"),
        page.table(tier_table(found, page.formats)),
        page.text(member_findings.moves(found)),
        page.table(move_table(found, page.formats)),
        page.note(member_findings.how_to_read_tiers()),
    ]


def effect_figure(found: Programme, formats: Formats) -> Drawn | None:
    """What members spend more, raw, since they joined, and fairly; None without a comparison."""
    at, say = found.effect.revenue, formats.say
    if not at.known or not math.isfinite(at.relative):
        return None
    rows: list[tuple[str, float, float, float, bool]] = []
    if at.mean > at.raw:
        raw = at.raw / (at.mean - at.raw)
        rows.append((say("Against all others (no effect)"), raw, math.nan, math.nan, False))
    if found.effect.before > 0:
        grown = at.mean / found.effect.before - 1
        label = say("Against themselves before (no effect)")
        rows.append((label, grown, math.nan, math.nan, False))
    fair = found.effect.may_be_called_effect
    label = say("Against comparable customers") if fair else say("Against weighted others, unfair")
    rows.append((label, at.relative, at.relative_low, at.relative_high, fair))
    frame = pd.DataFrame(rows, columns=["label", "value", "low", "high", "is_effect"])
    return programme_effect(frame, formats, found.money.break_even.value)


def effect_table(found: Programme, formats: Formats) -> Any | None:
    """What was compared, outcome by outcome, and the tests of the comparison."""
    at = found.effect
    if at.compared is None or not at.revenue.known:
        return None
    say = formats.say
    rows: list[tuple[str, Effect, Unit]] = [
        (say("Spend in the window after"), at.revenue, "currency"),
        (say("Bought in it"), at.repurchase, "share"),
        (say("Spend in the window after that"), at.later, "currency"),
    ]
    if at.grain == "day":
        rows.append((say("Test: spend in the window before"), at.earlier_day, "currency"))
        rows.append((say("Spend in the oldest part, left out"), at.held_back, "currency"))
    else:
        rows.append((say("Test: spend in the oldest part, left out"), at.held_back, "currency"))
    known = [row for row in rows if row[1].known]
    texts: dict[str, tuple[str, list[str]]] = {
        "what": (say("Compared"), [what for what, _, _ in known]),
        "members": (say("Members"), [formats.value(e.mean, u) for _, e, u in known]),
        "others": (say("Comparable"), [formats.value(e.without, u) for _, e, u in known]),
        "difference": (say("Difference"), [formats.value(e.value, u) for _, e, u in known]),
        "interval": (
            say("95% interval"),
            [formats.interval(e.low, e.high, u) for _, e, u in known],
        ),
        "n": (say("n"), [formats.count(e.treated) for _, e, _ in known]),
    }
    figures = pd.DataFrame(
        [(e.mean, e.without, e.value, e.low, e.high, e.treated) for _, e, _ in known],
        columns=["mean", "without", "value", "low", "high", "treated"],
    )
    return tables.written_table(figures, texts, "what", id="programme-effect")


def compared_table(found: Programme, formats: Formats) -> Any | None:
    """Which members are compared, and why the others aren't; None where all are."""
    left_out = {cause: n for cause, n in found.effect.left_out.items() if n}
    compared = found.effect.compared
    if compared is None or not left_out:
        return None
    counts = {"compared": compared.customers, **left_out}
    frame = pd.DataFrame(
        {
            "cause": [formats.tell(findings.LEFT_OUT[cause]) for cause in counts],
            "members": list(counts.values()),
        }
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "cause": ("text", formats.say("Members, whether compared or why not")),
        "members": ("count", formats.say("Members")),
    }
    return table_of(frame, shown, formats, "programme-compared")


def money_table(found: Programme, formats: Formats) -> Any:
    """Cost, what must be raised, and what it brought."""
    rows = frames.rows(metrics(found), _MONEY, formats)
    return tables.metric_table(rows, formats, id="programme-money")


def cohort_table(found: Programme, formats: Formats) -> Any | None:
    """Points by the month in which they were earned; None where they aren't followed."""
    if found.ledger is None or found.ledger.ages is None:
        return None
    say = formats.say
    frame = found.ledger.ages.cohorts.tail(_COHORTS)
    frame = frame.assign(
        redeemed_share=frame["redeemed_share"].where(frame["customers"] >= SMALLEST),
        state=[say("finished") if done else say("points open") for done in frame["complete"]],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "month": ("month", say("Earned in")),
        "customers": ("count", say("Customers")),
        "earned": ("count", say("Earned")),
        "redeemed": ("count", say("Redeemed")),
        "redeemed_share": ("share", say("Redeemed so far")),
        "expired": ("count", say("Expired")),
        "open": ("count", say("Open")),
        "state": ("text", say("State")),
    }
    return table_of(frame, shown, formats, "points-cohorts")


def tier_table(found: Programme, formats: Formats) -> Any:
    """The tiers with members, spend and retention."""
    assert found.tiers is not None
    say, frame = formats.say, found.tiers.rows
    ends = zip(frame["spend_low"], frame["spend_high"], strict=True)
    frame = frame.assign(
        label=[tier or say("Without a tier") for tier in frame["tier"]],
        spend_interval=[_one_line(formats.interval(a, b, "currency")) for a, b in ends],
        interval=intervals(frame["low"], frame["high"], formats),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Tier")),
        "members": ("count", say("Members")),
        "revenue_share": ("share", say("Of members' revenue")),
        "spend": ("currency", say("Spend a member")),
        "spend_interval": ("text", say("95% interval")),
        "rate": ("share", say("Stayed")),
        "interval": ("text", say("95% interval")),
        "at_start": ("count", say("At the start")),
    }
    return table_of(frame, shown, formats, "programme-tiers")


def move_table(found: Programme, formats: Formats) -> Any | None:
    """Members by tier at the period's start and now; None without a history."""
    assert found.tiers is not None
    if not found.tiers.has_history:
        return None
    moves = found.tiers.moves
    frame = moves.set_axis([f"now_{n}" for n in range(len(moves.columns))], axis=1)
    frame = frame.reset_index(drop=True).astype(np.int64)
    frame.insert(0, "then", [str(name) for name in moves.index])
    shown: dict[str, tuple[tables.Format, str]] = {
        "then": ("text", formats.say("At the start, and now in")),
        **{f"now_{n}": ("count", str(name)) for n, name in enumerate(moves.columns)},
    }
    return table_of(frame, shown, formats, "programme-moves")


def _one_line(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")
