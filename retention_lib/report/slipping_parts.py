"""The section on who is slipping away: its figure, its tables, and all of it in order."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from retention_lib.report import tables
from retention_lib.report.figures import Drawn, value_slipping
from retention_lib.report.findings import slipping as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.slipping_away import SlippingAway
from retention_lib.retention.hindsight import Hindsight
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

#: What the states of a customer are called.
STATES: Final = {
    "not_due": N_("Not due yet"),
    "window": N_("Reminder window open"),
    "late": N_("Late: win back"),
    "gone": N_("Gone (P(alive) under 5%)"),
    "no_rhythm": N_("No rhythm yet"),
}
_SHORT: Final = {**STATES, "window": N_("Window open"), "late": N_("Late"), "gone": N_("Gone")}
_PLAIN: Final = {
    "on_time": N_("Within twice the own interval"),
    "overdue": N_("Overdue"),
    "no_interval": N_("Fewer than three purchases"),
}
_THEN: Final = {
    ("rhythm", "not_due"): N_("Own rhythm: not due"),
    ("rhythm", "window"): N_("Own rhythm: window open"),
    ("rhythm", "late"): N_("Own rhythm: late"),
    ("rhythm", "gone"): N_("Own rhythm: gone"),
    ("rhythm", "no_rhythm"): N_("No rhythm yet"),
    ("interval", "on_time"): N_("Plain rule: on time"),
    ("interval", "overdue"): N_("Plain rule: overdue"),
}
_RULES: Final = {
    "rhythm": N_("Own rhythm"),
    "interval": N_("Plain interval rule"),
    "away": N_("Days away"),
    "p_alive": N_("P(alive)"),
}


def sections(away: SlippingAway, page: Page) -> list[Shown]:
    """The section: heading, figure, states, the two rules beside each other, hindsight."""
    formats = page.formats
    shown: list[Shown | None] = [page.section(findings.heading(away), name="Slipping away")]
    if away.found is None:
        shown += [page.text(findings.plain_only()), page.table(plain_table(away, formats))]
        return [part for part in shown if part is not None]
    shown += [
        page.figure(stakes_figure(away, formats)),
        page.table(states_table(away, formats)),
        page.note(findings.how_to_read()),
        page.text(findings.agreement(away)),
        page.text(findings.then(away.hindsight)),
        page.table(then_table(away.hindsight, formats)),
        page.text(findings.gone(away.hindsight)),
        page.text(findings.order(away.hindsight)),
        page.table(orders_table(away.hindsight, formats)),
    ]
    return [part for part in shown if part is not None]


def stakes_figure(away: SlippingAway, formats: Formats) -> Drawn | None:
    """The value at stake by how long customers have been away, in their own usual waits."""
    if away.found is None:
        return None
    names = {state: formats.say(text) for state, text in _SHORT.items()}
    return value_slipping(away.found.by_wait, formats, names)


def states_table(away: SlippingAway, formats: Formats) -> Any | None:
    """The customers by their own rhythm; states that hold nobody are left out."""
    if away.found is None:
        return None
    say = formats.say
    frame = away.found.states
    frame = frame[frame["customers"] > 0]
    sure = [away.stakes.get(state) for state in frame["state"]]
    low, high = ([getattr(s, end) if s else float("nan") for s in sure] for end in ("low", "high"))
    frame = frame.assign(
        name=[say(STATES[state]) for state in frame["state"]],
        low=low,
        high=high,
        interval=[_sums(a, b, formats) for a, b in zip(low, high, strict=True)],
    )
    columns: dict[str, tuple[tables.Format, str]] = {
        "name": ("text", say("By own rhythm")),
        "customers": ("count", say("Customers")),
        "at_stake": ("currency", say("At stake")),
        "interval": ("text", say("95% interval")),
        "clv": ("currency", say("CLV")),
        "p_alive": ("share", say("P(alive)")),
    }
    return _table(frame, formats, columns, "slipping")


def plain_table(away: SlippingAway, formats: Formats) -> Any:
    """The customers by the plain interval rule."""
    say = formats.say
    frame = away.plain.assign(name=[say(_PLAIN[state]) for state in away.plain["state"]])
    columns: dict[str, tuple[tables.Format, str]] = {
        "name": ("text", say("By own interval")),
        "customers": ("count", say("Customers")),
        "revenue": ("currency", say("Revenue so far")),
    }
    return _table(frame, formats, columns, "slipping")


def then_table(hindsight: Hindsight | None, formats: Formats) -> Any | None:
    """What became of the customers by state; of a handful nothing but their number."""
    if hindsight is None or hindsight.states.empty:
        return None
    say = formats.say
    frame = hindsight.states.copy()
    few = frame["n"] < SMALLEST
    frame.loc[few, ["share", "low", "high"]] = float("nan")
    pairs = zip(frame["rule"], frame["state"], strict=True)
    frame = frame.assign(
        name=[say(_THEN[pair]) for pair in pairs], interval=_shares(frame, "low", "high", formats)
    )
    months = formats.months(hindsight.months)
    columns: dict[str, tuple[tables.Format, str]] = {
        "name": ("text", say("{months} ago", months=months)),
        "n": ("count", say("Customers")),
        "share": ("share", say("Bought since")),
        "interval": ("text", say("95% interval")),
    }
    return _table(frame, formats, columns, "slipping-then")


def orders_table(hindsight: Hindsight | None, formats: Formats) -> Any | None:
    """How well each rule's order told who would come back."""
    if hindsight is None or hindsight.orders.empty:
        return None
    say = formats.say
    frame = hindsight.orders.assign(
        name=[say(_RULES[rule]) for rule in hindsight.orders["rule"]],
        interval=_shares(hindsight.orders, "low", "high", formats),
    )
    columns: dict[str, tuple[tables.Format, str]] = {
        "name": ("text", say("Ordered by")),
        "auc": ("share", say("Pairs right")),
        "interval": ("text", say("95% interval")),
        "first_share": ("share", say("Worst fifth: bought since")),
    }
    return _table(frame, formats, columns, "slipping-order")


def _shares(frame: pd.DataFrame, low: str, high: str, formats: Formats) -> list[str]:
    pairs = zip(frame[low], frame[high], strict=True)
    return [formats.interval(a, b, "share") for a, b in pairs]


def _sums(low: float, high: float, formats: Formats) -> str:
    text = formats.interval(low, high, "currency", 0 if high >= 10 else None)
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _table(
    frame: pd.DataFrame,
    formats: Formats,
    columns: dict[str, tuple[tables.Format, str]],
    id: str,
) -> Any:
    return tables.frame_table(
        frame,
        formats,
        {name: form for name, (form, _) in columns.items()},
        {name: label for name, (_, label) in columns.items()},
        stub="name",
        id=id,
    )
