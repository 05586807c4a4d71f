"""Sentences on for whom a measure works, and on the next test."""

from __future__ import annotations

import math
from typing import Final

from retention_lib.loyalty.experiment import Trial
from retention_lib.loyalty.experiment_assignment import LEAST
from retention_lib.loyalty.experiment_segments import Cut, Part
from retention_lib.metrics import Metric
from retention_lib.retention.homogeneity import LEVEL
from retention_lib.sentence import Counted, Sentence, together

PARTS: Final[dict[tuple[Cut, Part], Sentence]] = {
    ("value", "high"): Sentence("Most value so far"),
    ("value", "middle"): Sentence("Middle third by value"),
    ("value", "low"): Sentence("Least value so far"),
    ("value", "never"): Sentence("Never bought before"),
    ("recency", "high"): Sentence("Bought most recently"),
    ("recency", "middle"): Sentence("Middle third by last purchase"),
    ("recency", "low"): Sentence("Longest away"),
    ("recency", "never"): Sentence("Never bought before"),
}

#: A test larger than so many of this one is out of reach.
REACH: Final = 20


def whom(found: Trial) -> Sentence | None:
    """The heading over for whom it works; None where there are no two parts to compare."""
    parts = found.whom
    if parts is None or parts.tests["p"].notna().sum() == 0:
        return None
    sure = parts.tests[parts.tests["holm"] < LEVEL]
    if sure.empty:
        return Sentence(
            "For whom it works best can't be told: the parts differ no more than by chance"
        )
    test = sure.iloc[int(sure["holm"].to_numpy().argmin())]
    figure = "change" if test["outcome"] == "bought" else "revenue_change"
    own = parts.table[parts.table["cut"] == test["cut"]]
    changes = own[figure].to_numpy(dtype=float)
    best, worst = own.iloc[int(changes.argmax())], own.iloc[int(changes.argmin())]
    names = {
        "best": PARTS[test["cut"], best["part"]],
        "worst": PARTS[test["cut"], worst["part"]],
    }
    if test["outcome"] == "bought":
        return Sentence(
            "The effect isn't alike for all: {much} buyers in {of} in “{best}”, {little} in "
            "“{worst}”",
            of=1_000,
            much=round(1_000 * float(best[figure])),
            little=round(1_000 * float(worst[figure])),
            **names,
        )
    return Sentence(
        "The effect isn't alike for all: {much} a customer in “{best}”, {little} in “{worst}”",
        much=Metric(float(best[figure]), "currency"),
        little=Metric(float(worst[figure]), "currency"),
        **names,
    )


def how_to_read_parts(found: Trial) -> Sentence:
    """What the parts are, and how far to trust one of them."""
    assert found.whom is not None
    told = Sentence(
        "Customers are parted by what they were before the start; each part is held against its "
        "own control customers. A single part that stands out is a reason for a test of its own, "
        "no result."
    )
    if not found.whom.held_back:
        return told
    few = Sentence(
        Counted(
            "{n} part with fewer than {least} customers on a side is held back.",
            "{n} parts with fewer than {least} customers on a side are held back.",
        ),
        n=found.whom.held_back,
        least=LEAST,
    )
    return together(told, few)


def heading(found: Trial) -> Sentence | None:
    """The heading over the next test."""
    plan = found.next
    if plan is None:
        return None
    known = plan.sizes[plan.sizes["together"].notna() & (plan.sizes["outcome"] == "bought")]
    if plan.smallest_share is None or known.empty:
        return Sentence("The next test needs more customers than this one")
    aimed = known[known["rise"] < plan.smallest_share]
    row = aimed.iloc[-1] if len(aimed) else known.iloc[0]
    if row["together"] > REACH * plan.customers:
        return Sentence(
            "A test of {n} customers sees a rise by {more} buyers in {of} and more",
            n=plan.customers,
            more=math.ceil(1_000 * plan.smallest_share),
            of=1_000,
        )
    return Sentence(
        "To see {more} more buyers in {of}, the next test takes {n} customers",
        more=round(1_000 * float(row["rise"])),
        of=1_000,
        n=int(row["together"]),
    )


def could_see(found: Trial) -> Sentence | None:
    """What this test could have seen."""
    plan = found.next
    if plan is None or plan.smallest_share is None:
        return None
    values = {
        "n": plan.customers,
        "more": math.ceil(1_000 * plan.smallest_share),
        "of": 1_000,
        "rate": Metric(plan.rate, "share"),
    }
    if plan.smallest_revenue is None:
        return Sentence(
            "With {n} customers, of whom {rate} buy when left alone, a rise by {more} buyers in "
            "{of} shows in four tests of five; a smaller one is missed more often.",
            **values,
        )
    return Sentence(
        "With {n} customers, of whom {rate} buy when left alone, a rise by {more} buyers in {of}, "
        "or by {revenue} in revenue a customer, shows in four tests of five; a smaller one "
        "is missed more often.",
        revenue=Metric(plan.smallest_revenue, "currency"),
        **values,
    )


def how_to_plan(found: Trial) -> Sentence | None:
    """How the sizes come about."""
    if found.next is None:
        return None
    groups = found.next.design.groups
    if groups > 2:
        return Sentence(
            "Sizes are for {groups} groups with this test's share of control customers, 5% false "
            "alarms over all groups and 80% certainty to see a rise that is there. They rest on "
            "how customers buy when left alone, not on the effect that was found.",
            groups=groups,
        )
    return Sentence(
        "Sizes are for this test's share of control customers, 5% false alarms and 80% certainty "
        "to see a rise that is there. They rest on how customers buy when left alone, not on the "
        "effect that was found."
    )
