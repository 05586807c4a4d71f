"""Sentences on whether who scores high stays, what the score adds, and whom to call."""

from __future__ import annotations

import math
from typing import Final

from retention_lib.loyalty.survey import Survey
from retention_lib.loyalty.survey_answers import FEWEST
from retention_lib.loyalty.survey_later import Adds, Later
from retention_lib.loyalty.survey_lists import Listed
from retention_lib.metrics import Metric
from retention_lib.report.findings.survey_words import GROUP_NAMES
from retention_lib.retention.difference import Difference
from retention_lib.sentence import Sentence, counted, together

#: Gain in pairs put right from which the score is said to add something.
_SOMETHING: Final = 0.02


def not_told(found: Survey) -> Sentence:
    """The heading where scores can't be held against later purchases."""
    if found.last_window is None:
        return Sentence("It is too early to tell whether those who score high stay longer")
    return Sentence("Too few are known to tell whether those who score high stay longer")


def why_not_told(found: Survey) -> Sentence:
    """What is lacking."""
    if found.last_window is None:
        return Sentence(
            "It takes {few} customers with a first answer that is at least {days} old.",
            few=2 * FEWEST,
            days=Metric(30, "days"),
        )
    return Sentence(
        "It takes {few} customers each with the best and the worst scores, with a purchase before "
        "they were asked and {days} of orders after.",
        few=FEWEST,
        days=Metric(found.last_window, "days"),
    )


def heading(later: Later) -> Sentence:
    """The heading: whether those with the best scores came back more often, and why."""
    raw, alike = later.raw, later.alike
    values = _values(later) | {
        "best": _share(later, "best", "came_back"),
        "worst": _share(later, "worst", "came_back"),
    }
    if alike is None:
        if raw.change > 0 and raw.leaves_out_zero:
            return Sentence(
                "{best} of {best_group} came back within {days}, {worst} of {worst_group}; what of "
                "it is the score can't be told",
                **values,
            )
        return _raw_only(raw, values)
    values |= {
        "alike_best": _share(later, "best", "alike"),
        "alike_worst": _share(later, "worst", "alike"),
    }
    if alike.change > 0 and alike.leaves_out_zero:
        if raw.change > alike.change and raw.leaves_out_zero:
            return Sentence(
                "{best} of {best_group} came back, {worst} of {worst_group}; had both bought alike "
                "before, {alike_best} and {alike_worst}",
                **values,
            )
        return Sentence(
            "Among customers who had bought alike, {best_group} came back more often than "
            "{worst_group}: {alike_best} against {alike_worst}",
            **values,
        )
    if alike.change < 0 and alike.leaves_out_zero:
        return Sentence(
            "Among customers who had bought alike, {best_group} came back less often than "
            "{worst_group}: {alike_best} against {alike_worst}",
            **values,
        )
    if raw.change > 0 and raw.leaves_out_zero:
        return Sentence(
            "{best} of {best_group} came back, {worst} of {worst_group}; among customers who had "
            "bought alike no difference can be told",
            **values,
        )
    return _raw_only(raw, values)


def _raw_only(raw: Difference, values: dict[str, object]) -> Sentence:
    if raw.change < 0 and raw.leaves_out_zero:
        return Sentence(
            "{best_group} came back less often than {worst_group}: {best} against {worst}",
            **values,
        )
    return Sentence(
        "{best_group} came back no more often than {worst_group} by more than chance explains: "
        "{best} against {worst}",
        **values,
    )


def alike(later: Later) -> Sentence:
    """The difference among customers who had bought alike, beside the raw one."""
    gap = later.alike
    values = _values(later)
    if gap is None:
        return {
            "few": Sentence(
                "Too few came back, or too few didn't, to compare customers who had bought alike. "
                "The difference may be no more than that those who buy more are more content."
            ),
            "unlike": Sentence(
                "{best_group} and {worst_group} had bought so differently before that few of one "
                "have their like among the other, so that they aren't compared among like.",
                **values,
            ),
            "no_fit": Sentence(
                "No regression settles on these customers, so that like isn't compared with like."
            ),
            "all_or_none": Sentence(
                "Either everybody came back or nobody did: there is nothing to compare."
            ),
        }[later.why_not or "few"]
    values |= {
        "points": _points(gap.change),
        "low": _points(gap.low),
        "high": _points(gap.high),
        "raw": _points(later.raw.change),
        "raw_low": _points(later.raw.low),
        "raw_high": _points(later.raw.high),
    }
    said = Sentence(
        "Of customers who had bought alike, {best_group} came back within {days} more often than "
        "{worst_group} by {points} percentage points ({low} to {high}); the plain difference is "
        "{raw} ({raw_low} to {raw_high}).",
        **values,
    )
    if gap.change < 0 and gap.leaves_out_zero:
        said = Sentence(
            "Of customers who had bought alike, {best_group} came back within {days} less often "
            "than {worst_group}: {points} percentage points ({low} to {high}); the plain "
            "difference is {raw} ({raw_low} to {raw_high}).",
            **values,
        )
    elif not gap.leaves_out_zero:
        said = Sentence(
            "Of customers who had bought alike, {best_group} and {worst_group} came back within "
            "{days} about equally often, as far as can be told: {points} percentage points apart "
            "({low} to {high}); the plain difference is {raw} ({raw_low} to {raw_high}).",
            **values,
        )
    # most of it by the estimate, and some of it surely
    if later.raw.low > 0 and gap.change < later.raw.change / 2 and gap.high < later.raw.change:
        return together(
            said,
            Sentence(
                "By this estimate most of what looks like the score is how these customers bought "
                "anyway."
            ),
        )
    return said


def money(later: Later) -> Sentence | None:
    """The same in money; None where like isn't compared with like."""
    gap = later.spend_alike
    if gap is None:
        return None
    values = _values(later) | {
        "low": Metric(gap.low, "currency"),
        "high": Metric(gap.high, "currency"),
    }
    if not gap.leaves_out_zero:
        return Sentence(
            "In money: of those alike, what {best_group} and {worst_group} spent in these {days} "
            "can't be told apart; a difference from {low} to {high} each would fit.",
            **values,
        )
    if gap.change > 0:
        return Sentence(
            "In money: of those alike, {best_group} spent {more} more each in these {days} than "
            "{worst_group} ({low} to {high}).",
            **values,
            more=Metric(gap.change, "currency"),
        )
    return Sentence(
        "In money: of those alike, {best_group} spent {less} less each in these {days} than "
        "{worst_group} ({low} to {high}, below 0 being less).",
        **values,
        less=Metric(-gap.change, "currency"),
    )


def silent(later: Later) -> Sentence | None:
    """Those who kept silent against those with the worst scores; None where not known."""
    gap = later.silent
    if gap is None or "silent" not in later.groups.index:
        return None
    values = _values(later) | {
        "silent": _share(later, "silent", "alike"),
        "worst": _share(later, "worst", "alike"),
    }
    if gap.change < 0 and gap.leaves_out_zero:
        return Sentence(
            "Silence says more than a low score: of customers who had bought alike, {silent} of "
            "those who were asked and kept silent came back, and {worst} of {worst_group}.",
            **values,
        )
    if gap.change > 0 and gap.leaves_out_zero:
        return Sentence(
            "A low score says more than silence: of customers who had bought alike, {worst} of "
            "{worst_group} came back, and {silent} of those who were asked and kept silent.",
            **values,
        )
    return Sentence(
        "Silence and a low score can't be told apart: of customers who had bought alike, {silent} "
        "of those who were asked and kept silent came back, and {worst} of {worst_group}.",
        **values,
    )


def adds(found: Adds | None) -> Sentence | None:
    """Whether knowing the score foretells more than the orders do; None where not measured."""
    if found is None:
        return None
    values = {
        "history": Metric(found.history, "share"),
        "both": Metric(found.both, "share"),
        "score": Metric(found.score, "share"),
    }
    pairs = Sentence(
        "Of two customers of whom one came back, the orders alone put the right one first in "
        "{history} of pairs, orders and score in {both}, the score alone in {score}; 50% is a "
        "coin.",
        **values,
    )
    if found.gain.low > 0 and found.gain.change >= _SOMETHING:
        return together(
            Sentence("For foretelling who comes back, the score adds to what the orders say."),
            pairs,
        )
    if found.gain.low > 0:
        return together(
            Sentence("For foretelling who comes back, the score adds little to the orders."), pairs
        )
    return together(
        Sentence(
            "For foretelling who comes back, the score adds nothing that shows: ask to learn what "
            "to mend, not to learn who leaves."
        ),
        pairs,
    )


def how_to_read(later: Later) -> Sentence:
    """Who was looked at, for how long, and that it is association."""
    days = Metric(later.days, "days")
    said = [
        Sentence(
            "It is association: nobody was made content by lot, and what else sets them apart "
            "isn't in the orders. It doesn't say that a better score makes a customer stay. Came "
            "back: bought within {days} after the customer's first question.",
            days=days,
        )
    ]
    if later.alike is not None:
        said.append(
            Sentence(
                "Alike: by purchases so far, days since the last, spend and age of the "
                "relationship (logistic regression)."
            )
        )
    if later.unfinished:
        said.append(
            counted(
                later.unfinished,
                "{n} customer is left out whose {days} aren't over.",
                "{n} customers are left out whose {days} aren't over.",
                days=days,
            )
        )
    if later.unknown:
        said.append(
            counted(
                later.unknown,
                "{n} is left out who had no purchase before.",
                "{n} are left out who had no purchase before.",
            )
        )
    return together(*said)


def _values(later: Later) -> dict[str, object]:
    worst, _, best = GROUP_NAMES[later.measure]
    return {"best_group": best, "worst_group": worst, "days": Metric(later.days, "days")}


def _share(later: Later, group: str, column: str) -> Metric:
    return Metric(
        float(later.groups.loc[group, column]),  # type: ignore[arg-type]
        "share",
        n=int(later.groups.loc[group, "n"]),  # type: ignore[arg-type]
    )


def _points(share: float) -> int:
    return round(100 * share)


# Whom to call -------------------------------------------------------------------------------


def unhappy(listed: Listed) -> Sentence:
    """The heading over the unhappy of high value."""
    n = len(listed.detractors)
    if not n:
        return Sentence("No customer of high value has given a low score lately")
    if listed.by_clv:
        return counted(
            n,
            "{n} customer of high value is unhappy: {value} is expected of this one",
            "{n} customers of high value are unhappy: {value} is expected of them",
            value=Metric(listed.at_stake, "currency"),
        )
    return counted(
        n,
        "{n} customer of high value is unhappy",
        "{n} customers of high value are unhappy",
    )


def call(listed: Listed) -> Sentence | None:
    """How sure their value is, and what to do about them; None where there is nobody."""
    n = len(listed.detractors)
    if not n:
        return None
    parts = []
    if math.isfinite(listed.low):
        parts.append(
            Sentence(
                "What they bring will lie between {low} and {high} with 95% confidence.",
                low=Metric(listed.low, "currency"),
                high=Metric(listed.high, "currency"),
            )
        )
    if listed.by_clv and n < listed.worst and math.isfinite(listed.share_of_worst):
        parts.append(
            Sentence(
                "They are {n} of {worst} customers with a low score, and {share} of what is "
                "expected of all of these.",
                n=n,
                worst=listed.worst,
                share=Metric(listed.share_of_worst, "share"),
            )
        )
    parts.append(
        Sentence(
            "Call them, the most valuable first: ask what went wrong, put it right, and say what "
            "was done. Half of the list, drawn by lot and left alone, shows whether the calls keep "
            "them."
        )
    )
    return together(*parts)


def others(listed: Listed) -> Sentence | None:
    """The other two lists; None where both are empty."""
    said = []
    if n := len(listed.quiet):
        said.append(
            counted(
                n,
                "{n} customer of high value gave a middling score and is later than usual.",
                "{n} customers of high value gave a middling score and are later than usual.",
            )
        )
    if n := len(listed.promoters):
        said.append(
            counted(
                n,
                "{n} customer of high value gave a high score: ask for a recommendation.",
                "{n} customers of high value gave a high score: ask them for a recommendation.",
            )
        )
    return together(*said) if said else None
