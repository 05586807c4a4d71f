"""Sentences on what the first purchase foretells: its size, and its category."""

from __future__ import annotations

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report.labels import group_name
from retention_lib.retention.first_order import EARLY, ENOUGH, WITHIN, FirstOrder
from retention_lib.sentence import Sentence


def size_heading(found: FirstOrder) -> Sentence:
    """Whether more follows a large first purchase than a small one."""
    if found.sizes.empty:
        return Sentence(
            "Too few customers were watched long enough to say what a first purchase foretells"
        )
    if len(found.sizes) < 2:
        return Sentence(
            "All first purchases are about equally large, so their size foretells nothing"
        )
    values = {
        "top": _later(found, -1),
        "lowest": _later(found, 0),
        "days": Metric(found.days, "days"),
    }
    if found.size_tells > 0:
        return Sentence(
            "A large first purchase foretells more: {top} within {days} after the largest fifth, "
            "{lowest} after the smallest",
            **values,
        )
    if found.size_tells < 0:
        return Sentence(
            "A large first purchase foretells less: {top} within {days} after the largest fifth, "
            "{lowest} after the smallest",
            **values,
        )
    return Sentence("The size of the first purchase tells nothing sure of what follows")


def come_back(found: FirstOrder) -> Sentence | None:
    """Whether who starts large also comes back more often."""
    if len(found.sizes) < 2:
        return None
    values = {
        "top": _again(found, -1),
        "lowest": _again(found, 0),
        "days": Metric(found.days, "days"),
    }
    if found.come_back > 0:
        return Sentence(
            "More of them come back, too: {top} of the largest fifth buy again within {days}, "
            "{lowest} of the smallest.",
            **values,
        )
    if found.come_back < 0:
        return Sentence(
            "Fewer of them come back: {top} of the largest fifth buy again within {days}, {lowest} "
            "of the smallest.",
            **values,
        )
    return Sentence(
        "Whether they come back can't be told from the size: {top} of the largest fifth buy again "
        "within {days}, {lowest} of the smallest.",
        **values,
    )


def how_to_read(found: FirstOrder) -> Sentence | None:
    """What the fifths are, and what is counted after them."""
    if found.sizes.empty:
        return None
    days = Metric(found.days, "days")
    if found.days < max(WITHIN):
        return Sentence(
            "The first purchase itself is left out of what follows. The {n} customers were watched "
            "for {days} after it; for {year} there are fewer than {enough}. Equal amounts are in "
            "one fifth. It is a comparison, no effect: a larger first basket doesn't make a loyal "
            "customer.",
            n=found.n,
            days=days,
            year=Metric(_longer(found.days), "days"),
            enough=ENOUGH,
        )
    return Sentence(
        "The first purchase itself is left out of what follows. The {n} customers were watched for "
        "{days} after it. Equal amounts are in one fifth. It is a comparison, no effect: a larger "
        "first basket doesn't make a loyal customer.",
        n=found.n,
        days=days,
    )


def beginning(found: FirstOrder, base: Base) -> Sentence | None:
    """What became of customers who may be older than the data."""
    if found.early:
        return Sentence(
            "The data starts on {start}, after its customers did: the {early} first seen within "
            "{days} of it may be old customers and are left out.",
            start=base.start,
            early=found.early,
            days=Metric(EARLY, "days"),
        )
    if found.mixed:
        return Sentence(
            "The data starts on {start}, after its customers did. Too few are first seen later, so "
            "that many of these first purchases are none: read them as one purchase of old "
            "customers.",
            start=base.start,
        )
    return None


def category_heading(found: FirstOrder) -> Sentence:
    """Which first category is followed by more, or less, than its size lets expect."""
    if found.categories["p"].notna().sum() < 2:
        return Sentence("Too few customers to compare first categories")
    best, worst = found.best_category, found.worst_category
    days = Metric(found.days, "days")
    if best is not None:
        return Sentence(
            "Who starts with {category} spends {difference} more within {days} than others with an "
            "equally large first purchase",
            category=group_name(best.category),
            difference=best.difference,
            days=days,
        )
    if worst is not None:
        return Sentence(
            "Who starts with {category} spends {difference} less within {days} than others with an "
            "equally large first purchase",
            category=group_name(worst.category),
            difference=Metric(-float(worst.difference.value or 0), "currency"),
            days=days,
        )
    return Sentence(
        "The first category tells no more of what follows than the size of the first purchase"
    )


def how_to_read_categories(found: FirstOrder) -> Sentence | None:
    """What a first category is, and whom it is compared with."""
    if found.categories.empty:
        return None
    return Sentence(
        "A customer's first category is the one with most of the first purchase's amount. Hollow "
        "marks are others whose first purchase was in the same fifth; coloured ones differ from "
        "them by more than chance explains (Holm). Customers chose their category: that they go on "
        "differently is no effect of it."
    )


def _later(found: FirstOrder, place: int) -> Metric:
    row = found.sizes.iloc[place]
    return Metric(float(row["later"]), "currency", row["low"], row["high"], n=int(row["n"]))


def _again(found: FirstOrder, place: int) -> Metric:
    row = found.sizes.iloc[place]
    return Metric(float(row["again"]), "share", n=int(row["n"]))


def _longer(days: int) -> int:
    """The next longer time that was asked for."""
    return WITHIN[WITHIN.index(days) - 1]
