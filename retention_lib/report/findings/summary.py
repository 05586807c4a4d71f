"""Sentences of the summary: the one that a client remembers, and what to do first."""

from __future__ import annotations

from collections.abc import Mapping

from retention_lib.metrics import Metric, unknown
from retention_lib.models.forecast import Forecast
from retention_lib.models.verdict import Verdict
from retention_lib.report.findings.retention import SMALL
from retention_lib.retention.lists import ActionList
from retention_lib.sentence import Sentence, about

Metrics = Mapping[str, Metric]


def headline(metrics: Metrics, made: Forecast) -> Sentence:
    """What happened, and what is to come, in one sentence."""
    if not made.usable:
        metrics = {**metrics, "clv.total": unknown("currency", "not fit to act on")}
    churn, kept, value = (
        metrics["churn.rate"],
        metrics["retention.rate"],
        about(metrics["clv.total"]),
    )
    months = Metric(made.horizon_months, "months")
    kind = "revenue" if made.margin >= 1 else "margin"
    known = kept.value is not None and (kept.n or 0) >= SMALL
    if not known and value.value is None:
        return Sentence("The history is too short to say who stays and what they are worth")
    if not known:
        return Sentence(
            "Today's customers are expected to bring about {value} of {kind} in the next {months}",
            kind=kind,
            value=value,
            months=months,
        )
    if value.value is None:
        return Sentence("{kept} of the customers stayed", kept=kept)
    if (kept.value or 0) >= 0.5:
        return Sentence(
            "{kept} of the customers stayed; today's are expected to bring about {value} of {kind} "
            "in the next {months}",
            kept=kept,
            kind=kind,
            value=value,
            months=months,
        )
    return Sentence(
        "{churn} of the customers left; today's are expected to bring about {value} of {kind} in "
        "the next {months}",
        kind=kind,
        churn=churn,
        value=value,
        months=months,
    )


def sure(verdict: Verdict) -> Sentence:
    """The verdict on the forecast, in words."""
    words = {
        "fit": "The forecast held up against what happened; plan with it.",
        "care": "The forecast can be used, knowing what is listed here.",
        "unfit": "Don't act on the forecast; the figures on what happened stand.",
    }
    return Sentence(words[verdict.kind])


def first_steps(lists: tuple[ActionList, ...]) -> list[Sentence]:
    """What to do first, a sentence a list; the largest sum first."""
    said: list[tuple[float, Sentence]] = []
    for one in lists:
        if not one.eligible:
            continue
        stake = about(Metric(one.eligible_at_stake, "currency"))
        worth = about(Metric(one.eligible_clv, "currency"))
        sentence = {
            "win_back": "Win back: {n} customers are slipping away, with about {stake} at stake.",
            "thank_best": "Thank the best: {n} customers hold about {worth} of the value to come.",
            "second_order": "Make the second order easy: {n} customers have just made their first.",
        }[one.id]
        weight = one.eligible_at_stake if one.id == "win_back" else one.eligible_clv
        said.append((weight, Sentence(sentence, n=one.eligible, stake=stake, worth=worth)))
    if not said:
        return [Sentence("There is no list to act on: it would rest on a forecast that isn't fit.")]
    return [sentence for _, sentence in sorted(said, key=lambda pair: -pair[0])]
