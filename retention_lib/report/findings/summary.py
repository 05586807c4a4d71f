"""Sentences of the summary: the one that a client remembers, and what to do first."""

from __future__ import annotations

from collections.abc import Mapping

from retention_lib.metrics import Metric, unknown
from retention_lib.models.forecast import Forecast
from retention_lib.models.verdict import Verdict
from retention_lib.sentence import N_, Sentence, about
from retention_lib.smallest import SMALLEST

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
    kind = Sentence("revenue") if made.margin >= 1 else Sentence("margin")
    known = kept.value is not None and (kept.n or 0) >= SMALLEST
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


def in_short(verdict: Verdict) -> tuple[Sentence, tuple[Sentence, ...]]:
    """The verdict for the summary: a sentence, and what weighs most against the forecast."""
    words = {
        "fit": N_("The forecast held up against what happened; plan with it."),
        "care": N_("The forecast can be used, with care. What weighs most:"),
        "unfit": N_("Don't act on the forecast; the figures on what happened stand."),
    }
    most = () if verdict.kind == "fit" else verdict.reasons[:1]
    return Sentence(words[verdict.kind]), most


def sure(verdict: Verdict) -> Sentence:
    """The verdict on the forecast, in words."""
    words = {
        "fit": N_("The forecast held up against what happened; plan with it."),
        "care": N_("The forecast can be used, knowing what is listed here."),
        "unfit": N_("Don't act on the forecast; the figures on what happened stand."),
    }
    return Sentence(words[verdict.kind])
