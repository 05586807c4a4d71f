"""Sentences on what customers say: how high the scores are, how sure, and whether they moved."""

from __future__ import annotations

from retention_lib.loyalty.survey import Survey
from retention_lib.loyalty.survey_answers import FEWEST, Measure
from retention_lib.loyalty.survey_scores import Level
from retention_lib.loyalty.survey_weights import Weighting
from retention_lib.metrics import Metric
from retention_lib.report.findings.survey_data import doubt
from retention_lib.report.findings.survey_who import otherwise
from retention_lib.report.findings.survey_words import MEASURES, level
from retention_lib.sentence import Sentence, counted, together


def nothing(found: Survey) -> Sentence:
    """The heading where no level can be told."""
    n = int(found.answers.rows["answered"].sum())
    if not n:
        return Sentence("Nobody who was asked has answered yet")
    if ("nps", "too_low") in found.answers.doubts:
        return Sentence("The scores are on another scale than from 0 to 10: none is told")
    return counted(
        n,
        "There is {n} answer, too few to tell what customers say",
        "There are {n} answers, too few to tell what customers say",
    )


def why_nothing(found: Survey) -> Sentence:
    """What would be needed."""
    if ("nps", "too_low") in found.answers.doubts:
        return doubt("nps", "too_low", found)
    return Sentence(
        "A level is told from {few} customers with a score on: of fewer, a single one moves it by "
        "several points.",
        few=FEWEST,
    )


def heading(found: Survey) -> Sentence:
    """The heading over the levels."""
    lead = found.lead
    assert lead is not None
    at = found.levels[lead]
    shares = {"best": Metric(at.best, "share"), "worst": Metric(at.worst, "share")}
    weighting = found.weighting
    if weighting is not None and otherwise(weighting, lead):
        return _both(weighting, at)
    if lead == "nps":
        return Sentence(
            "The Net Promoter Score is {nps}: {best} promoters less {worst} detractors",
            nps=level(at.value, lead),
            **shares,
        )
    if lead == "csat":
        return Sentence("{best} of the customers are satisfied, {worst} are dissatisfied", **shares)
    return Sentence("{best} of the customers found it easy, {worst} found it hard", **shares)


def _both(weighting: Weighting, at: Level) -> Sentence:
    """The level of those who answered, and of those they stand for."""
    values = {
        "raw": level(at.value, at.measure),
        "value": level(weighting.value, at.measure),
    }
    if at.measure == "nps":
        return Sentence(
            "The Net Promoter Score is {raw} among those who answered, {value} among the customers "
            "they stand for",
            **values,
        )
    if at.measure == "csat":
        return Sentence(
            "{raw} of those who answered are satisfied, {value} of the customers they stand for",
            **values,
        )
    return Sentence(
        "{raw} of those who answered found it easy, {value} of the customers they stand for",
        **values,
    )


def sure(found: Survey) -> Sentence:
    """How sure the level is, since when, and whether it has moved."""
    lead = found.lead
    assert lead is not None
    at = found.levels[lead]
    values = {
        "measure": MEASURES[lead],
        "n": at.n,
        "low": level(at.low, lead),
        "high": level(at.high, lead),
        "start": found.span.start,
        "end": found.span.end,
    }
    said = Sentence(
        "{n} customers gave a score from {start} to {end}, each counted once with the last; "
        "{measure} is between {low} and {high} with 95% confidence.",
        **values,
    )
    if not found.in_period:
        return together(said, Sentence("The period alone has too few, so all answers are taken."))
    if (moved := _moved(found, lead)) is not None:
        return together(said, moved)
    return said


def _moved(found: Survey, lead: Measure) -> Sentence | None:
    change, then = found.changes.get(lead), found.before.get(lead)
    if change is None or then is None:
        return None
    values = {
        "measure": MEASURES[lead],
        "now": level(found.levels[lead].value, lead),
        "then": level(then.value, lead),
    }
    if not change.leaves_out_zero:
        return Sentence(
            "In the period before, {measure} was {then}: no more apart than chance explains.",
            **values,
        )
    if change.change > 0:
        return Sentence(
            "In the period before, {measure} was {then}: up by more than chance explains.",
            **values,
        )
    return Sentence(
        "In the period before, {measure} was {then}: down by more than chance explains.",
        **values,
    )


def how_to_read(found: Survey) -> Sentence:
    """How the levels are made."""
    if found.lead == "nps":
        return Sentence(
            "Who gives 9 or 10 of 10 is a promoter, 6 or less a detractor; the score is the share "
            "of the ones less that of the others, from −100 to 100. A figure is told from {few} "
            "customers on; the interval is that of Rocks (2016).",
            few=FEWEST,
        )
    scale = found.scale
    assert scale is not None
    return Sentence(
        "Of the scale from {low} to {high}, {best} and more count as the best, {worst} and less as "
        "the worst. A figure is told from {few} customers on.",
        low=scale.low,
        high=scale.high,
        best=scale.best,
        worst=scale.worst,
        few=FEWEST,
    )


def beside(found: Survey) -> Sentence | None:
    """Satisfaction and ease, where they stand beside another that leads."""
    said = []
    for name in ("csat", "ces"):
        at = found.levels.get(name)
        if at is None or name == found.lead:
            continue
        said.append(_beside(at, found.answers.scales[at.measure].high))
    return together(*said) if said else None


def _beside(at: Level, top: int) -> Sentence:
    values = {
        "best": Metric(at.best, "share"),
        "low": Metric(at.best_low, "share"),
        "high": Metric(at.best_high, "share"),
        "mean": Metric(at.mean, "number"),
        "top": top,
        "n": at.n,
    }
    if at.measure == "csat":
        return Sentence(
            "{best} are satisfied ({low} to {high}; {n} customers), {mean} of {top} on average.",
            **values,
        )
    return Sentence(
        "{best} found it easy ({low} to {high}; {n} customers), {mean} of {top} on average.",
        **values,
    )
