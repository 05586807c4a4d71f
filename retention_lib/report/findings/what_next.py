"""Sentences on what customers buy next, by category."""

from __future__ import annotations

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report.labels import group_name
from retention_lib.retention.category_histories import DAYS
from retention_lib.retention.what_next import WhatNext
from retention_lib.sentence import Counted, Sentence


def second_heading(found: WhatNext) -> Sentence:
    """Whether the second purchase brings the same category again or a new one."""
    known, new = found.known, found.new
    if known.value is None or new.value is None:
        return Sentence("Too few customers bought twice to say what the second purchase brings")
    values = {"known": known, "new": new}
    if known.value >= new.value:
        return Sentence(
            "At the second purchase {known} buy again from a category of the first, {new} try a "
            "new one",
            **values,
        )
    return Sentence(
        "At the second purchase {new} try a new category, {known} buy again from one of the first",
        **values,
    )


def second_pairs(found: WhatNext) -> Sentence | None:
    """Which first category leads to which new one, where that is sure."""
    tested = found.second[found.second["p"].notna()]
    if tested.empty:
        return None
    sure = tested[tested["above"] > 0].sort_values("lift", ascending=False)
    if sure.empty:
        return Sentence(
            "Which new category the second purchase brings can't be told from the first: of {n} "
            "pairs none stands out among customers who started with equally many categories.",
            n=len(tested),
        )
    row = sure.iloc[0]
    return Sentence(
        "After {category}, {share} take up {next} the second time, {lift} times the share of "
        "customers who started with equally many other categories.",
        category=group_name(row["category"]),
        next=group_name(row["next_category"]),
        share=Metric(float(row["share"]), "share", n=int(row["n"])),
        lift=Metric(float(row["lift"]), "ratio"),
    )


def how_to_read_second() -> Sentence:
    """What the cells are of."""
    return Sentence(
        "Rows are customers with the category in their first purchase, columns what they bought in "
        "the second. Framed: the same again. The others are of those who didn't have it the first "
        "time; cells of fewer than twenty customers are empty."
    )


def cross_heading(found: WhatNext) -> Sentence:
    """Which category leads on to another, if any does."""
    tested, best = _tested(found), found.best
    if tested.empty:
        return Sentence("Too few customers to say which category leads on to another")
    if best is None:
        return Sentence(
            "No category surely leads on to another, once customers are compared with others who "
            "shop alike"
        )
    return Sentence(
        "Buyers of {category} take up {next} {lift} times as often as others who shop alike",
        category=group_name(best.category),
        next=group_name(best.next_category),
        lift=best.lift,
    )


def cross_text(found: WhatNext) -> Sentence | None:
    """How many pairs look like cross-selling, and how many are."""
    tested = _tested(found)
    if tested.empty:
        return None
    seems, sure = int(found.pairs["seems"].sum()), int((found.pairs["above"] > 0).sum())
    values = {"n": len(found.pairs), "seems": seems, "sure": sure}
    if seems <= sure:
        return Sentence(
            "Pairs of categories that stand out among customers who shop alike: {sure} of {n}.",
            **values,
        )
    if not sure:
        return Sentence(
            Counted(
                "{seems} of {n} pairs of categories looks like cross-selling, because who buys "
                "often takes up more of everything. Among customers who shop alike none surely is.",
                "{seems} of {n} pairs of categories look like cross-selling, because who buys "
                "often takes up more of everything. Among customers who shop alike none surely is.",
                by="seems",
            ),
            **values,
        )
    return Sentence(
        Counted(
            "{seems} of {n} pairs of categories looks like cross-selling, because who buys often "
            "takes up more of everything. What surely remains among customers who shop alike: "
            "{sure}.",
            "{seems} of {n} pairs of categories look like cross-selling, because who buys often "
            "takes up more of everything. What surely remains among customers who shop alike: "
            "{sure}.",
            by="seems",
        ),
        **values,
    )


def to_act_on(found: WhatNext) -> Sentence | None:
    """How many customers the best pair could be suggested to."""
    best = found.best
    if best is None:
        return None
    return Sentence(
        "{share} of them took it up within {days}. {customers} active customers have bought "
        "{category} and not yet {next}.",
        share=best.share,
        days=Metric(DAYS, "days"),
        customers=best.customers,
        category=group_name(best.category),
        next=group_name(best.next_category),
    )


def how_to_read_cross(found: WhatNext, base: Base) -> Sentence | None:
    """Who is compared with whom, and when."""
    if found.pairs.empty or found.first_day is None or found.last_day is None:
        return None
    return Sentence(
        "Of active customers with the one category and without the other, the share that bought "
        "the other within {days}, from {first} to {last}; a customer counts once in each of these "
        "spells. Customers shop alike who bought as many times in the {months} before, as "
        "recently, and in as many categories. Lift is the ratio of the two shares; coloured pairs "
        "differ by more than chance explains, all pairs considered (Holm). It is affinity, no "
        "effect of an offer: test the offer.",
        days=Metric(DAYS, "days"),
        first=found.first_day,
        last=found.last_day,
        months=Metric(base.params.active_months, "months"),
    )


def _tested(found: WhatNext) -> pd.DataFrame:
    return found.pairs[found.pairs["p"].notna()]
