"""Sentences on members and the programme's tiers."""

from __future__ import annotations

from retention_lib.loyalty.programme import Programme
from retention_lib.loyalty.programme_members import FAULTS, SILENT_AFTER
from retention_lib.metrics import Metric
from retention_lib.report.findings.units import share
from retention_lib.sentence import Sentence, counted


def members(found: Programme) -> Sentence:
    """The heading over the members."""
    at = found.members
    values = {"n": at.closing, "part": at.participation, "revenue": at.revenue_share}
    if at.participation.value is None or at.revenue_share.value is None:
        return Sentence("{n} members, and no purchase in the period", n=at.closing)
    if at.participation.value >= 1:
        return Sentence("All {n} customers of the period are members", n=at.active)
    return Sentence(
        "{n} members: {part} of the customers who bought, {revenue} of the revenue", **values
    )


def flow(found: Programme) -> Sentence:
    """How the number of members came about in the period."""
    at = found.members
    return Sentence(
        "{opening} members at the start of the period, {joined} joined and {left} left: {closing} "
        "at its end.",
        opening=at.opening,
        joined=at.joined,
        left=at.left,
        closing=at.closing,
    )


def nobody_leaves(found: Programme) -> Sentence | None:
    """That the list of members only grows; None where somebody left."""
    if found.members.members["left"].notna().any():
        return None
    return Sentence(
        "No member ever leaves in the data: the number of members can only grow, and says nothing "
        "of how many still use the programme."
    )


def active(found: Programme) -> Sentence | None:
    """Members who buy, and those who never have since; None where neither is known."""
    at = found.members
    if at.active_rate.value is None:
        return None
    if at.silent.value is None:
        return Sentence("{rate} of the members bought in the period.", rate=at.active_rate)
    return Sentence(
        "{rate} of the members bought in the period; {silent} of those who joined at least {days} "
        "ago haven't bought since they did.",
        rate=at.active_rate,
        silent=at.silent,
        days=Metric(SILENT_AFTER, "days"),
    )


def soon(found: Programme) -> Sentence | None:
    """How soon members buy after joining; None with too few."""
    rows = found.members.next_purchase.dropna(subset=["share"])
    if rows.empty:
        return None
    first = rows.iloc[0]
    return Sentence(
        "{share} buy again within {days} of joining, the purchase of that day apart ({low} to "
        "{high}, {n} members).",
        share=share(first["share"]),
        days=Metric(int(first["days"]), "days"),
        low=share(first["low"]),
        high=share(first["high"]),
        n=int(first["n"]),
    )


def faults(found: Programme) -> list[Sentence]:
    """What is wrong with the rows of the members."""
    at = found.members
    said = [
        Sentence("{what}: {n}.", what=Sentence(FAULTS[name]), n=n) for name, n in at.faults.items()
    ]
    if at.unknown:
        said.append(
            counted(
                at.unknown,
                "{n} member isn't in the orders, and counts as one who hasn't bought.",
                "{n} members aren't in the orders, and count as some who haven't bought.",
            )
        )
    return said


def everybody(found: Programme) -> Sentence | None:
    """That a share of revenue says nothing on the effect."""
    at = found.members
    if at.participation.value is None or at.participation.value >= 1:
        return None
    return Sentence(
        "Members' share of the revenue isn't the programme's effect: it says who joins, not what "
        "joining changes."
    )


def tiers(found: Programme) -> Sentence:
    """The heading over the tiers."""
    assert found.tiers is not None
    rows = found.tiers.rows[found.tiers.rows["tier"] != ""]
    best = rows.iloc[0]
    if len(rows) == 1:
        return Sentence("All members are in one tier, {tier}", tier=str(best["tier"]))
    if not best["revenue_share"] >= 0:
        return Sentence(
            "{n} tiers, the highest of them too small for figures of its own",
            n=len(rows),
        )
    return Sentence(
        "{tier}: {part} of the members, {revenue} of their revenue",
        tier=str(best["tier"]),
        part=share(best["share"]),
        revenue=share(best["revenue_share"]),
    )


def moves(found: Programme) -> Sentence:
    """Who changed tier, or why that isn't known."""
    assert found.tiers is not None
    if not found.tiers.has_history:
        return Sentence(
            "Each member has one tier in the data, the present one: moves between tiers can't be "
            "told. A row for each change, with its day, would show them."
        )
    return counted(
        found.tiers.moved,
        "{n} of {watched} members changed tier in the period.",
        "{n} of {watched} members changed tier in the period.",
        watched=found.tiers.watched,
    )


def how_to_read_tiers() -> Sentence:
    """That tiers don't make their members."""
    return Sentence(
        "A tier's members spend more because spending more leads into it: the table doesn't say "
        "that a tier pays. Retention is of the members who were customers at the start of the "
        "period."
    )
