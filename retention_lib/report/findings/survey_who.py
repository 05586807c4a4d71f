"""Sentences on who answered, and the level weighted to the customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retention_lib.loyalty.survey import Survey
from retention_lib.loyalty.survey_answers import Measure
from retention_lib.loyalty.survey_weights import APART, Weighting
from retention_lib.metrics import Metric
from retention_lib.report.findings.survey_words import MEASURES, level
from retention_lib.sentence import N_, Sentence, together

#: What who answered is held against the customers in.
STATES: Final[Mapping[str, str]] = {
    "purchases": N_("Purchases so far"),
    "away": N_("Days since the last purchase"),
    "revenue": N_("Revenue so far"),
    "tenure": N_("Days since the first purchase"),
}
#: Points of the Net Promoter Score, or as many hundredths, from which a weighted level is another.
_OTHER: Final = 1.0


def otherwise(weighting: Weighting, measure: Measure) -> bool:
    """Whether the weighted level is another than the raw one, by more than a point and chance."""
    least = _OTHER if measure == "nps" else _OTHER / 100
    return abs(weighting.shift.change) >= least and weighting.shift.leaves_out_zero


def who(found: Survey) -> Sentence:
    """The heading over who answered."""
    weighting = found.weighting
    if weighting is None or not weighting.differ:
        if found.asked:
            return Sentence(
                "{answered} of {asked} customers who were asked have answered",
                answered=found.answered,
                asked=found.asked,
            )
        if weighting is None:
            return Sentence("Whether those who answered are like the customers can't be told")
        return Sentence("Those who answered had bought much as the customers had")
    return _unlike(weighting)


def _unlike(weighting: Weighting) -> Sentence:
    frame = weighting.balance
    clear = frame[(frame["apart"].abs() >= APART) & (frame["p"] < 0.05 / len(frame))]
    row = clear.iloc[int(clear["apart"].abs().to_numpy().argmax())]
    name = str(row["name"])
    if name in ("away", "tenure"):
        days = {
            "answered": Metric(round(row["answered"]), "days"),
            "customers": Metric(round(row["customers"]), "days"),
        }
        if name == "away":
            return Sentence(
                "Those who answered had last bought {answered} ago, the customers {customers}",
                **days,
            )
        return Sentence(
            "Those who answered had been customers for {answered}, all customers for {customers}",
            **days,
        )
    if name == "purchases":
        return Sentence(
            "Those who answered had bought {answered} times, the customers {customers} times",
            answered=Metric(row["answered"], "number"),
            customers=Metric(row["customers"], "number"),
        )
    return Sentence(
        "Those who answered had spent {answered} so far, the customers {customers}",
        answered=Metric(row["answered"], "currency"),
        customers=Metric(row["customers"], "currency"),
    )


def weighted(found: Survey) -> Sentence:
    """The level weighted to the customers, or why there is none."""
    lead, weighting = found.lead, found.weighting
    assert lead is not None
    if weighting is None:
        return {
            "no_customers": Sentence(
                "The answers can't be weighted to the customers: too few had bought within the "
                "activity window when the answers came."
            ),
            "few_known": Sentence(
                "The answers can't be weighted to the customers: too few of those who answered "
                "had bought within the activity window by the orders."
            ),
            "too_uneven": Sentence(
                "The answers can't be weighted to the customers: those who answered are so unlike "
                "them that a few answers would stand for nearly all."
            ),
        }[found.unweighted or "few_known"]
    values = {
        "measure": MEASURES[lead],
        "value": level(weighting.value, lead),
        "low": level(weighting.low, lead),
        "high": level(weighting.high, lead),
        "raw": level(weighting.raw, lead),
    }
    if otherwise(weighting, lead):
        said = Sentence(
            "Weighted to the customers, {measure} is {value} ({low} to {high}) and not {raw}: who "
            "answers isn't who buys. Quote this one.",
            **values,
        )
    else:
        said = Sentence(
            "Weighted to the customers, {measure} is {value} ({low} to {high}): who answered makes "
            "hardly any difference to it.",
            **values,
        )
    if not weighting.balanced:
        return together(
            said,
            Sentence("Even weighted, those who answered stay unlike the customers: see the table."),
        )
    return said


def responded(found: Survey) -> Sentence | None:
    """The response rate, where who kept silent is known and the heading doesn't tell of it."""
    if not found.asked or found.weighting is None or not found.weighting.differ:
        return None
    return Sentence(
        "{answered} of the {asked} customers who were asked have answered.",
        answered=found.answered,
        asked=found.asked,
    )


def how_weighted(found: Survey) -> Sentence | None:
    """What weighting does, and what it can't do."""
    weighting = found.weighting
    if weighting is None:
        return None
    return Sentence(
        "Each answer is weighted so that the answers together are like the {customers} customers "
        "of that time in recency, frequency, spend and age of relationship. It leaves {n} answers "
        "as sure as {effective} drawn by lot. What shows in no purchase can't be weighted for.",
        customers=weighting.customers,
        n=weighting.n,
        effective=round(weighting.effective),
    )
