"""Sentences on campaigns, further: who is compared, other ways of it, for whom, the next test."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.campaign import PLANNED_RISE, Campaigns
from retention_lib.loyalty.comparable import Comparison
from retention_lib.loyalty.comparable_verdict import MOST_APART
from retention_lib.metrics import Metric
from retention_lib.report.findings.campaign import money, unsettled
from retention_lib.retention.homogeneity import LEVEL
from retention_lib.sentence import Sentence, together

WAYS: Final = {
    "first": Sentence("First campaign ever sent"),
    "change": Sentence("The change since the time before"),
    "open": Sentence("Others may be sent one later"),
    "each": Sentence("Each sending, whatever came before"),
    "spaced": Sentence("Each sending after a time without"),
    "shorter": Sentence("Shorter time"),
    "longer": Sentence("Longer time"),
}
QUESTIONS: Final = {
    "spend": Sentence("What they spent before"),
    "recency": Sentence("Last purchase"),
    "tenure": Sentence("First purchase"),
}
PARTS: Final = {
    "least": Sentence("the third that spent least"),
    "middle": Sentence("the middle third"),
    "most": Sentence("the third that spent most"),
    "lately": Sentence("the half that bought last"),
    "longer_ago": Sentence("longer ago"),
    "newer": Sentence("the newer half"),
    "older": Sentence("the older half"),
}
FAMILIES: Final = {
    "revenue": Sentence("all that they had spent"),
    "orders": Sentence("how often they had bought"),
    "recency": Sentence("how lately they had bought"),
    "tenure": Sentence("how long they had been customers"),
    "sent": Sentence("what they had been sent"),
}


def alike(compared: Comparison) -> Sentence:
    """The heading over the balance."""
    worst, before = compared.worst_imbalance, float(compared.balance["before"].abs().max())
    values: dict[str, Any] = {
        "before": Metric(before, "number"),
        "after": Metric(worst, "number"),
        "limit": Metric(MOST_APART, "number"),
    }
    if worst < MOST_APART:
        return Sentence(
            "Those compared had bought alike: differences of up to {before} standard deviations "
            "fall to {after}",
            **values,
        )
    return Sentence(
        "Those compared hadn't bought alike: differences of up to {after} standard deviations "
        "remain",
        **values,
    )


def how_alike(found: Campaigns) -> Sentence:
    """How the groups are made alike."""
    return Sentence(
        "The {others} others, most of them compared with in several campaigns, are weighted in "
        "each so that they had on average spent and bought as much in each time before as those "
        "sent one. By their weights they count for {effective} in all. Below {limit} standard "
        "deviations groups count as alike.",
        others=found.compared.others,
        effective=round(found.compared.effective),
        limit=Metric(MOST_APART, "number"),
    )


def ways(found: Campaigns) -> Sentence:
    """The heading over the other ways of comparing."""
    table, other = found.ways, found.ways.iloc[1:]
    trap = other[(other["passed"] == False) & (other["share_low"] > 0)]  # noqa: E712
    if len(trap) and not (found.fair and found.revenue.sure):
        row = trap.iloc[int(np.argmax(trap["share"].to_numpy(dtype=float)))]
        return Sentence(
            "A careless comparison would have told of {share} more revenue, and finds {before} in "
            "the time before it was sent",
            share=Metric(row["share"], "share"),
            before=Metric(row["placebo_share"], "share"),
        )
    passed = table[table["passed"] != False]  # noqa: E712
    low, high = float(passed["share"].min()), float(passed["share"].max())
    if not len(passed) or math.isnan(low):
        return Sentence("Other ways of comparing fail their checks too")
    values = {"low": Metric(low, "share"), "high": Metric(high, "share"), "n": len(passed)}
    if (passed["share_low"] > 0).all() or (passed["share_high"] < 0).all():
        return Sentence(
            "All {n} ways of comparing that pass their check say so: from {low} to {high}",
            **values,
        )
    if ((passed["share_low"] <= 0) & (passed["share_high"] >= 0)).all():
        return Sentence(
            "None of the {n} ways of comparing that pass their check surely finds an effect: they "
            "say {low} to {high}",
            **values,
        )
    return Sentence(
        "The {n} ways of comparing that pass their check don't agree: they say {low} to {high}",
        **values,
    )


def how_to_read_ways(found: Campaigns) -> Sentence:
    """What the rows are, and what the second mark tells."""
    return Sentence(
        "Each way holds customers who were sent one against others made alike in what they bought "
        "before. The open mark is the same comparison one time earlier, when it wasn't sent yet: "
        "where it and still earlier ones together aren't 0, by more than chance, the way finds "
        "what isn't there (grey) and is no evidence. The change since the time before and the "
        "comparison itself are off to opposite sides, so that the truth lies between them."
    )


def hidden(found: Campaigns) -> Sentence | None:
    """What it would take to explain the effect away; None where there is none to explain."""
    told = found.hidden
    effect = found.compared.effect()
    if told is None or not found.fair or not found.revenue.sure:
        return None
    parts = []
    if told.of_known > 0:
        parts.append(
            Sentence(
                "Making the groups alike took {removed} off the raw difference. Something nobody "
                "recorded would have to weigh {share} as much to explain all that is left.",
                removed=money(effect.raw - effect.value),
                share=Metric(told.of_known, "share"),
            )
        )
    values = {"what": FAMILIES[told.strongest], "bias": money(told.bias)}
    if told.bias >= abs(effect.value):
        parts.append(
            Sentence(
                "One as strong as {what}, over and above it, could make {bias} and would explain "
                "it away.",
                **values,
            )
        )
    else:
        parts.append(
            Sentence(
                "Even one as strong as {what}, over and above it, could make no more than {bias}.",
                **values,
            )
        )
    return together(*parts)


def for_whom(found: Campaigns) -> Sentence | None:
    """The heading over the parts of the customers; None without any."""
    if not found.fair or found.whom.empty:
        return None
    sure = found.whom[found.whom["p_holm"] < LEVEL]
    if unsettled(found):
        return Sentence("Whether it works otherwise for some customers can't be told this way")
    if sure.empty:
        return Sentence("For no kind of customer does it surely work otherwise than for others")
    question = sure.sort_values("p_holm")["question"].iloc[0]
    part = sure[sure["question"] == question]
    best = part.iloc[int(np.argmax(part["value"].to_numpy(dtype=float)))]
    return Sentence(
        "It works otherwise by kind of customer: best for {part}, {value} each",
        part=PARTS[str(best["part"])],
        value=money(float(best["value"])),
    )


def how_to_read_whom(found: Campaigns) -> Sentence:
    """How the parts are compared."""
    return Sentence(
        "Each part is compared within itself. Of several figures one easily leaves 0 by chance; "
        "whether the parts of a question differ is judged over all questions together. A part that "
        "spent more already in the comparison one time earlier is marked: its figure is no effect."
    )


def campaigns(found: Campaigns) -> Sentence | None:
    """The heading over the campaigns one by one; None with fewer than two."""
    table = found.by_campaign
    if not found.fair or len(table) < 2:
        return None
    sure = table[(table["p_holm"] < LEVEL)]
    if sure.empty or unsettled(found):
        return Sentence(
            "None of the {n} campaigns that can be looked at by itself stands out", n=len(table)
        )
    best = sure.iloc[int(np.argmax(sure["value"].abs().to_numpy(dtype=float)))]
    return Sentence(
        "{campaign} stands out among {n} campaigns: {value} per customer",
        campaign=str(best["campaign"]),
        n=len(table),
        value=money(float(best["value"])),
    )


def how_to_read_campaigns(found: Campaigns) -> Sentence:
    """Which campaigns are there, and what a single figure is worth."""
    table = found.by_campaign
    alone = together(
        Sentence(
            "Campaigns with at least {least} customers who can be compared, of {all}; coloured is "
            "what chance doesn't explain when all are judged together.",
            least=20,
            all=found.campaigns,
        )
    )
    low, high = float(table["shrunk"].min()), float(table["shrunk"].max())
    if pd.isna(low):
        return alone
    if high - low < 0.01 * max(abs(high), abs(low), 1e-9):
        return together(
            alone,
            Sentence(
                "They differ by no more than chance makes them, so that the best guess for each is "
                "that of all, {value}.",
                value=money(high),
            ),
        )
    return together(
        alone,
        Sentence(
            "Drawn to the mean of all, as far as chance makes them differ, they range from {low} "
            "to {high}.",
            low=money(low),
            high=money(high),
        ),
    )


def next_heading(found: Campaigns) -> Sentence | None:
    """The heading over what would settle it; None where its size can't be known."""
    if found.next_test is None:
        return None
    return Sentence(
        "Only a lot settles it: {each} customers sent one and as many left out show a rise of "
        "{rise}",
        each=found.next_test.measure,
        rise=Metric(PLANNED_RISE, "share"),
    )


def next_test(found: Campaigns) -> Sentence | None:
    """What would settle it, and what fewer would show; None where its size can't be known."""
    planned, smallest = found.next_test, found.smallest
    if planned is None:
        return None
    values: dict[str, Any] = {
        "rise": Metric(PLANNED_RISE, "share"),
        "each": planned.measure,
        "together": planned.together,
        "customers": found.compared.customers,
        "days": Metric(found.design.days, "days"),
    }
    first = Sentence(
        "Leave customers out by chance next time: then nothing but the campaign makes the groups "
        "differ. To show a rise in revenue of {rise} within {days} in four of five cases it takes "
        "{together} customers, half of them left out.",
        **values,
    )
    if smallest is None or not found.revenue.without > 0:
        return first
    return together(
        first,
        Sentence(
            "With {customers} in each group, as many as were compared here, a rise of {least} "
            "shows.",
            least=Metric(smallest / found.revenue.without, "share"),
            **values,
        ),
    )
