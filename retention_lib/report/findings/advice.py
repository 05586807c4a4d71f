"""Recommendations in words: what is seen, what to do, for whom, how to prove it, by when.

The rules and their figures are in `advice.rules`, the words of each in `findings.advice_words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from retention_lib.advice.found import Found, Recommendation
from retention_lib.metrics import Metric
from retention_lib.report.findings.advice_words import WORDS, Words
from retention_lib.report.findings.timing import MONTHS, WEEKDAYS
from retention_lib.report.labels import group_name
from retention_lib.sentence import Counted, Sentence, about

#: Values that are places in a list of names.
_NAMES: Final = {"weekday": WEEKDAYS, "month": ("", *MONTHS)}


def headline(advice: Sequence[Recommendation], usable: bool = True) -> Sentence:
    """The chapter's heading: how much the figures call for, and what is at stake.

    Parameters
    ----------
    advice : sequence of Recommendation
    usable : bool
        Whether the forecast is fit to act on.
    """
    if not advice and not usable:
        return Sentence(
            "The forecast isn't fit to act on, and the other figures call for no measure now"
        )
    if not advice:
        return Sentence("The figures call for no measure now")
    stake = advice[0].found.at_stake
    if len(advice) == 1:
        return Sentence("The figures call for one measure")
    if not stake:
        return Sentence("The figures call for {n} measures", n=len(advice))
    return Sentence(
        "The figures call for {n} measures; with the first about {stake} is at stake",
        n=len(advice),
        stake=about(Metric(stake, "currency")),
    )


def short(one: Recommendation) -> str:
    """Its name in the contents."""
    return _words(one).short


def heading(one: Recommendation) -> Sentence:
    """What to do and why."""
    return Sentence(_words(one).heading, **_values(one))


def seen(one: Recommendation) -> Sentence:
    """The evidence."""
    return Sentence(_words(one).seen, **_values(one))


def measure(one: Recommendation) -> Sentence:
    """What to do."""
    return Sentence(_words(one).measure, **_values(one))


def whom(one: Recommendation, sheet: str | None) -> Sentence | None:
    """For whom: how many, on which list, what is at stake, and what a point is worth.

    Parameters
    ----------
    one : Recommendation
    sheet : str or None
        Name of the list's sheet in the workbook.
    """
    found = one.found
    if found.customers is None:
        return None
    values = _on_list(found, sheet) | {"point": about(Metric(found.point or 0.0, "currency"), 2)}
    if sheet is None:
        return Sentence(Counted("{n} customer.", "{n} customers."), **values)
    if found.point is None:
        return Sentence(
            Counted(
                "{n} customer: sheet {sheet} of actions.xlsx.",
                "{n} customers: sheet {sheet} of actions.xlsx.",
            ),
            **values,
        )
    if not found.at_stake:
        return Sentence(
            "{n} customers: sheet {sheet} of actions.xlsx. Each percentage point more who stay is "
            "worth about {point}.",
            **values,
        )
    return Sentence(
        "{n} customers, with about {stake} at stake: sheet {sheet} of actions.xlsx. Each "
        "percentage point more who stay is worth about {point}.",
        **values,
    )


def who(one: Recommendation, sheet: str | None) -> Sentence:
    """For whom, in a line for the summary; where it is for nobody in particular, the evidence.

    Parameters
    ----------
    one : Recommendation
    sheet : str or None
        Name of the list's sheet in the workbook.
    """
    found = one.found
    if found.customers is None:
        return seen(one)
    values = _on_list(found, sheet)
    if sheet is None:
        return Sentence("Customers: {n}.", **values)
    if not found.at_stake:
        return Sentence("Customers: {n}. List: {sheet}.", **values)
    return Sentence("Customers: {n}. At stake: about {stake}. List: {sheet}.", **values)


#: Measures that are a test themselves, or follow one.
_TESTED: Final = frozenset({"draw_lots", "roll_out", "stop"})


def test(one: Recommendation) -> Sentence | None:
    """How to prove the measure on this base; None where it is a test itself, or follows one."""
    proof = one.proof
    if one.rule in _TESTED:
        return None
    if proof is None:
        return Sentence(
            "Do it in one part of the base first, chosen by lot, and compare that part with the "
            "rest over the same weeks."
        )
    values = {
        "each": proof.each,
        "months": Metric(proof.months, "months"),
        "points": round(100 * proof.uplift),
        "alone": proof.left_alone,
        "low": Metric(proof.left_alone.low, "share"),
        "high": Metric(proof.left_alone.high, "share"),
        "rounds": proof.rounds,
    }
    if proof.rounds == 1:
        return Sentence(
            "Lots are drawn, in the sheet's column Group: one half gets the measure, the other "
            "doesn't. Of such customers {alone} ({low} to {high}) buy again within {months} by "
            "themselves; {each} in each half show a rise of {points} percentage points.",
            **values,
        )
    return Sentence(
        "Lots are drawn each time that the list is made, in the sheet's column Group: one half "
        "gets the measure, the other doesn't. Of such customers {alone} ({low} to {high}) buy "
        "again within {months} by themselves; a rise of {points} percentage points shows once "
        "{each} have had the measure and {each} haven't, in about {rounds} rounds.",
        **values,
    )


def when(one: Recommendation) -> Sentence:
    """When a result can be expected."""
    first, last = one.months
    return Sentence("Within {first} to {last} months.", first=first, last=last)


def ranked() -> Sentence:
    """How the recommendations are ordered, and what they rest on."""
    return Sentence(
        "What has most at stake comes first. A percentage point more who stay is worth what so "
        "many of these customers are expected to bring within the forecast's horizon, if they "
        "surely stay. A measure is named only where this base's own figures call for it; whether "
        "it works, the test shows."
    )


def _on_list(found: Found, sheet: str | None) -> dict[str, Any]:
    """How many customers, on which sheet, and what is at stake with them."""
    stake = about(Metric(found.at_stake or 0.0, "currency"))
    return {"n": found.customers, "sheet": sheet, "stake": stake}


def _words(one: Recommendation) -> Words:
    return WORDS[one.rule, one.found.variant]


def _values(one: Recommendation) -> dict[str, Any]:
    """The values by name; of a metric also its interval and n, under its name."""
    values: dict[str, Any] = {}
    for name, value in one.found.values.items():
        if name in _NAMES:
            value = _NAMES[name][value]
        values[name] = group_name(value) if type(value) is str else value
        if not isinstance(value, Metric):
            continue
        parts = {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
        known = {part: Metric(x, value.unit) for part, x in parts.items() if x is not None}
        values |= {k: about(v) if v.unit == "currency" else v for k, v in known.items()}
        if value.n is not None:
            values[f"{name}_n"] = value.n
    return values
