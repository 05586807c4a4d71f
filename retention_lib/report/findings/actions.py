"""Sentences on segments and on the lists to act on."""

from __future__ import annotations

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.retention.lists import ActionList
from retention_lib.retention.outcomes import LeftAlone, group_size
from retention_lib.retention.segments import Rfm
from retention_lib.sentence import Sentence, about

#: Rises in the share that buys again for which a test is sized, in points.
UPLIFTS = (0.02, 0.05)


def headline(lists: tuple[ActionList, ...]) -> Sentence:
    """The chapter's headline."""
    if not lists:
        return Sentence("No lists: they would rest on a forecast that isn't fit to act on")
    win_back = _named(lists, "win_back")
    if win_back.eligible:
        return Sentence(
            "{n} customers are slipping away, with about {stake} at stake",
            n=win_back.eligible,
            stake=about(Metric(win_back.eligible_at_stake, "currency")),
        )
    waiting = sum(one.eligible for one in lists)
    if waiting:
        return Sentence("Nobody is slipping away; {n} customers are worth a word", n=waiting)
    return Sentence("There is nobody to act on now")


def segments(profile: pd.DataFrame) -> Sentence:
    """The heading over the segments."""
    known = profile.dropna(subset=["share_of_clv"])
    if known.empty:
        return Sentence("The segments can't be valued on this history")
    best = known.sort_values("clv").iloc[-1]
    return Sentence(
        "{segment}: {share} of the customers, {value} of the value to come",
        segment=str(best["segment"]),
        share=Metric(float(best["share_of_customers"]), "share"),
        value=Metric(float(best["share_of_clv"]), "share"),
    )


def rules(scores: Rfm) -> Sentence:
    """How the scores are cut, so that anybody can rebuild them."""
    recency = [int(c) for c in scores.recency_cuts]
    frequency = [int(c) for c in scores.frequency_cuts]
    return Sentence(
        "Recency scores 5 for a last purchase at most {r1} days ago, 4 up to {r2}, 3 up to {r3}, "
        "2 up to {r4}, then 1. Frequency scores 1 for one purchase, 2 up to {f2}, 3 up to {f3}, 4 "
        "up to {f4}, then 5. The segments are regions of these two scores.",
        **{f"r{i}": cut for i, cut in enumerate(recency, 1)},
        **{f"f{i}": cut for i, cut in enumerate(frequency, 1)},
    )


def one_list(given: ActionList) -> Sentence:
    """The heading over a list."""
    n, stake = given.eligible, about(Metric(given.eligible_at_stake, "currency"))
    value = about(Metric(given.eligible_clv, "currency"))
    if given.id == "win_back":
        if not n:
            return Sentence("Win back: nobody with two purchases or more is slipping away")
        return Sentence("Win back: {n} customers, about {stake} at stake", n=n, stake=stake)
    if given.id == "thank_best":
        if not n:
            return Sentence("Thank the best: nobody in the best tier is surely still a customer")
        return Sentence("Thank the best: {n} customers, worth about {value}", n=n, value=value)
    if not n:
        return Sentence("Second order: nobody made a first purchase lately")
    return Sentence("Second order: {n} customers have just made their first purchase", n=n)


def measure(given: ActionList) -> Sentence:
    """What to do with a list."""
    if given.id == "win_back":
        return Sentence(
            "Send a win-back offer, from the top of the list down: it is ranked by what is at "
            "stake, so stop where an offer costs more than the customer is worth. A result can be "
            "expected within 3 to 6 months."
        )
    if given.id == "thank_best":
        return Sentence(
            "Thank them, without a discount: early access, a greeting, a person to turn to. They "
            "need no price to stay. A result can be expected within 6 to 12 months."
        )
    return Sentence(
        "Welcome them and make the second order easy: how to use what they bought, what goes with "
        "it, how to reorder. A result can be expected within 3 to 6 months."
    )


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
    sizes = [(uplift, group_size(rate, uplift)) for uplift in UPLIFTS]
    fits = [(u, n) for u, n in sizes if n is not None and 2 * n <= given.eligible]
    if fits:
        uplift, n = fits[0]
        return Sentence(
            "To prove it, draw lots: {n} customers get the measure, {n} don't. That shows a rise "
            "of {points} percentage points in the share that buys again in {months}.",
            n=n,
            points=round(100 * uplift),
            months=Metric(found.months, "months"),
        )
    uplift, size = sizes[-1]
    if size is None:
        return None
    return Sentence(
        "The list is too short to prove a rise of {points} percentage points, which takes {n} "
        "customers with the measure and as many without. Draw lots all the same, half and half, "
        "and judge over several rounds.",
        n=size,
        points=round(100 * uplift),
    )


def at_stake() -> Sentence:
    """What the figure behind the lists is."""
    return Sentence(
        "At stake is what a customer would be worth if surely still one, less the customer's CLV "
        "as it is: CLV / P(alive) − CLV. The whole lists, with real ids, are in actions.xlsx."
    )


def _named(lists: tuple[ActionList, ...], name: str) -> ActionList:
    return next(one for one in lists if one.id == name)
