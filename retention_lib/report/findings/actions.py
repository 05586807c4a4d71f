"""Sentences on segments and on the lists to act on."""

from __future__ import annotations

from typing import Final

import pandas as pd

from retention_lib.loyalty.sample_size import Design, Share, size
from retention_lib.metrics import Metric
from retention_lib.retention.lists import ActionList
from retention_lib.retention.outcomes import LeftAlone
from retention_lib.retention.segments import Rfm
from retention_lib.sentence import N_, Counted, Sentence, about

#: Rises in the share that buys again for which a test is sized, in points.
UPLIFTS = (0.02, 0.05)


def segments(profile: pd.DataFrame) -> Sentence:
    """The heading over the segments."""
    known = profile.dropna(subset=["share_of_clv"])
    if known.empty:
        return Sentence("The segments can't be valued on this history")
    best = known.sort_values("clv").iloc[-1]
    return Sentence(
        "{segment}: {share} of the customers, {value} of the value to come",
        segment=Sentence(str(best["segment"])),
        share=Metric(float(best["share_of_customers"]), "share"),
        value=Metric(float(best["share_of_clv"]), "share"),
    )


def rules(scores: Rfm) -> Sentence:
    """How the scores are cut, so that anybody can rebuild them."""
    recency = [int(c) for c in scores.recency_cuts]
    frequency = [int(c) for c in scores.frequency_cuts]
    return Sentence(
        "Recency scores 5 for a last purchase at most {r1} ago, 4 up to {r2}, 3 up to {r3}, 2 "
        "up to {r4}, then 1. Frequency scores 1 for one purchase, 2 up to {f2}, 3 up to {f3}, 4 "
        "up to {f4}, then 5. The segments are regions of these two scores.",
        r1=Metric(recency[0], "days"),
        **{f"r{i}": cut for i, cut in enumerate(recency, 1) if i > 1},
        **{f"f{i}": cut for i, cut in enumerate(frequency, 1)},
    )


#: By list: the heading over it, and where nobody is on it.
_FOUND: Final = {
    "win_back": (
        Counted(
            "Win back: {n} customer, about {stake} at stake",
            "Win back: {n} customers, about {stake} at stake",
        ),
        N_("Win back: nobody with two purchases or more is later than the own rhythm"),
    ),
    "remind_now": (
        Counted(
            "Remind now: {n} customer whose window is open, about {stake} at stake",
            "Remind now: {n} customers whose window is open, about {stake} at stake",
        ),
        N_("Remind now: nobody's window for a reminder is open"),
    ),
    "thank_best": (
        Counted(
            "Thank the best: {n} customer, worth about {value}",
            "Thank the best: {n} customers, worth about {value}",
        ),
        N_("Thank the best: nobody in the best tier is surely still a customer"),
    ),
    "second_order": (
        Counted(
            "Second order: {n} customer has just made the first purchase",
            "Second order: {n} customers have just made their first purchase",
        ),
        N_("Second order: nobody made a first purchase lately"),
    ),
    "cross_sell": (
        Counted(
            "Cross-sell: {n} customer with a category to offer next",
            "Cross-sell: {n} customers with a category to offer next",
        ),
        N_("Cross-sell: nobody has a category that buyers of theirs add next"),
    ),
    "birthdays": (
        Counted(
            "Birthdays: {n} customer has one in the next month",
            "Birthdays: {n} customers have theirs in the next month",
        ),
        N_("Birthdays: nobody has one in the next month"),
    ),
    "anniversaries": (
        Counted(
            "Anniversaries: {n} customer has one in the next month",
            "Anniversaries: {n} customers have theirs in the next month",
        ),
        N_("Anniversaries: nobody has one in the next month"),
    ),
}
#: By list: what to do with it.
_MEASURES: Final = {
    "win_back": (
        N_(
            "Send a win-back offer, from the top of the list down: it is ranked by what is at "
            "stake, so stop where an offer costs more than the customer is worth. A result can be "
            "expected within 3 to 6 months."
        )
    ),
    "remind_now": (
        N_(
            "Remind them, without a discount: their usual time to buy has come, and some will come "
            "by themselves. Among equals begin with those who have the fewest days left. A result "
            "can be expected within 3 months."
        )
    ),
    "thank_best": (
        N_(
            "Thank them, without a discount: early access, a greeting, a person to turn to. They "
            "need no price to stay. A result can be expected within 6 to 12 months."
        )
    ),
    "second_order": (
        N_(
            "Welcome them and make the second order easy: how to use what they bought, what goes "
            "with it, how to reorder. A result can be expected within 3 to 6 months."
        )
    ),
    "cross_sell": (
        N_(
            "Show them the category that buyers like them add next, beside what they buy already. "
            "A result can be expected within 3 to 6 months."
        )
    ),
    "birthdays": (
        N_(
            "Send a greeting on the day, a small gift with it for the best. A result can be "
            "expected within 6 to 12 months."
        )
    ),
    "anniversaries": (
        N_(
            "Send thanks on the day of the first purchase, with a look back at what was bought. A "
            "result can be expected within 6 to 12 months."
        )
    ),
}


def one_list(given: ActionList) -> Sentence:
    """The heading over a list."""
    some, nobody = _FOUND[given.id]
    if not given.eligible:
        return Sentence(nobody)
    return Sentence(
        some,
        n=given.eligible,
        stake=about(Metric(given.eligible_at_stake, "currency")),
        value=about(Metric(given.eligible_clv, "currency")),
    )


def measure(given: ActionList) -> Sentence:
    """What to do with a list."""
    return Sentence(_MEASURES[given.id])


def alone(found: LeftAlone) -> Sentence:
    """What these customers do when nothing is done."""
    return Sentence(
        "Of the {n} customers who met this rule {months} ago, {share} ({low} to {high}) have "
        "bought again since, with nothing done for them but what was done anyway. A measure has to "
        "beat that, not zero.",
        n=found.share.n,
        months=Metric(found.months, "months"),
        share=found.share,
        low=Metric(found.share.low, "share"),
        high=Metric(found.share.high, "share"),
    )


def test(given: ActionList, found: LeftAlone) -> Sentence | None:
    """How to prove the measure on this list."""
    rate = float(found.share.value or 0.0)
    sizes = [(uplift, size(Share(rate), uplift, Design())) for uplift in UPLIFTS]
    fits = [(u, n.measure) for u, n in sizes if n is not None and n.together <= given.eligible]
    if fits:
        uplift, n = fits[0]
        return Sentence(
            "To prove it, draw lots: {n} customers get the measure, {n} don't. That shows a rise "
            "of {points} percentage points in the share that buys again in {months}.",
            n=n,
            points=round(100 * uplift),
            months=Metric(found.months, "months"),
        )
    uplift, least = sizes[-1]
    if least is None:
        return None
    return Sentence(
        "The list is too short to prove a rise of {points} percentage points, which takes {n} "
        "customers with the measure and as many without. Draw lots all the same, half and half, "
        "and judge over several rounds.",
        n=least.measure,
        points=round(100 * uplift),
    )


def at_stake() -> Sentence:
    """What the figure behind the lists is."""
    return Sentence(
        "At stake is what a customer would be worth if surely still one, less the customer's CLV "
        "as it is: CLV / P(alive) − CLV. The lists, with real ids, are in actions.xlsx and, whole "
        "and for mail tools, in the folder lists; half of each is drawn by lot as a control group."
    )
