"""Sentences on a breakdown by market, channel or category: whether its groups differ at all.

A group is named only where it stands out from the others by more than chance explains
(`retention.breakdown`); nothing is said of an order among groups that can't be told apart.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report.labels import group_name
from retention_lib.retention.breakdown import Breakdown
from retention_lib.retention.group_counts import GROUP
from retention_lib.sentence import N_, Sentence
from retention_lib.smallest import SMALLEST

# Written out for each dimension, for nouns bend in the languages that these are translated to.
_SAID: Final[dict[str, dict[str, str]]] = {
    "market": {
        "no_value": N_("No order names a market"),
        "all_small": N_("No market had {few} customers at the start: too few for a retention rate"),
        "only_one": (
            N_("Only one market had {few} customers at the start: there is none to compare it with")
        ),
        "too_small": N_("The markets have too few customers to tell their retention apart"),
        "chance": N_("Retention differs between the markets no more than chance explains"),
        "chance_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the markets no"
                " more than chance explains"
            )
        ),
        "differ": (
            N_(
                "Retention differs between the markets by more than chance explains, though none "
                "stands out by itself"
            )
        ),
        "above": (
            N_(
                "Customers of market {group} stayed more often than the others: {rate} against "
                "{reference}"
            )
        ),
        "below": (
            N_(
                "Customers of market {group} stayed less often than the others: {rate} against "
                "{reference}"
            )
        ),
        "above_equals": (
            N_(
                "Customers of market {group} stayed more often than all who bought equally often: "
                "{rate} against {reference}"
            )
        ),
        "below_equals": (
            N_(
                "Customers of market {group} stayed less often than all who bought equally often: "
                "{rate} against {reference}"
            )
        ),
        "several": N_("Retention differs between the markets by more than chance explains"),
        "several_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the markets by"
                " more than chance explains"
            )
        ),
        "how": (
            N_(
                "Customers at the start of a market bought in it from {before_start} to "
                "{before_end}; those stayed who bought anything, in whichever market, from "
                "{end_start} to {end}. A market with fewer than {few} customers at the start has no"
                " rate."
            )
        ),
    },
    "channel": {
        "no_value": N_("No order names a channel"),
        "all_small": N_(
            "No channel had {few} customers at the start: too few for a retention rate"
        ),
        "only_one": (
            N_(
                "Only one channel had {few} customers at the start: there is none to compare it "
                "with"
            )
        ),
        "too_small": N_("The channels have too few customers to tell their retention apart"),
        "chance": N_("Retention differs between the channels no more than chance explains"),
        "chance_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the channels "
                "no more than chance explains"
            )
        ),
        "differ": (
            N_(
                "Retention differs between the channels by more than chance explains, though none "
                "stands out by itself"
            )
        ),
        "above": (
            N_(
                "Customers of channel {group} stayed more often than the others: {rate} against "
                "{reference}"
            )
        ),
        "below": (
            N_(
                "Customers of channel {group} stayed less often than the others: {rate} against "
                "{reference}"
            )
        ),
        "above_equals": (
            N_(
                "Customers of channel {group} stayed more often than all who bought equally often: "
                "{rate} against {reference}"
            )
        ),
        "below_equals": (
            N_(
                "Customers of channel {group} stayed less often than all who bought equally often: "
                "{rate} against {reference}"
            )
        ),
        "several": N_("Retention differs between the channels by more than chance explains"),
        "several_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the channels "
                "by more than chance explains"
            )
        ),
        "how": (
            N_(
                "Customers at the start of a channel bought in it from {before_start} to "
                "{before_end}; those stayed who bought anything, in whichever channel, from "
                "{end_start} to {end}. A channel with fewer than {few} customers at the start has "
                "no rate."
            )
        ),
    },
    "category": {
        "no_value": N_("No order names a category"),
        "all_small": N_(
            "No category had {few} customers at the start: too few for a retention rate"
        ),
        "only_one": (
            N_(
                "Only one category had {few} customers at the start: there is none to compare it "
                "with"
            )
        ),
        "too_small": N_("The categories have too few customers to tell their retention apart"),
        "chance": N_("Retention differs between the categories no more than chance explains"),
        "chance_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the categories"
                " no more than chance explains"
            )
        ),
        "differ": (
            N_(
                "Retention differs between the categories by more than chance explains, though none"
                " stands out by itself"
            )
        ),
        "above": (
            N_(
                "Customers of category {group} stayed more often than the others: {rate} against "
                "{reference}"
            )
        ),
        "below": (
            N_(
                "Customers of category {group} stayed less often than the others: {rate} against "
                "{reference}"
            )
        ),
        "above_equals": (
            N_(
                "Customers of category {group} stayed more often than all who bought equally often:"
                " {rate} against {reference}"
            )
        ),
        "below_equals": (
            N_(
                "Customers of category {group} stayed less often than all who bought equally often:"
                " {rate} against {reference}"
            )
        ),
        "several": N_("Retention differs between the categories by more than chance explains"),
        "several_equals": (
            N_(
                "Among customers who bought equally often, retention differs between the categories"
                " by more than chance explains"
            )
        ),
        "how": (
            N_(
                "Customers at the start of a category bought in it from {before_start} to "
                "{before_end}; those stayed who bought anything, in whichever category, from "
                "{end_start} to {end}. A category with fewer than {few} customers at the start has "
                "no rate."
            )
        ),
    },
}


def heading(found: Breakdown) -> Sentence:
    """The section's heading: whether the groups' retention differs, or why that isn't known."""
    said = _SAID[found.dimension]
    rated, equals = found.rated, "_equals" if found.overlapping else ""
    if not found.rows["group"].notna().any() and not found.rows["groups"].any():
        return Sentence(said["no_value"])
    if len(rated) < 2:
        return Sentence(said["only_one" if len(rated) else "all_small"], few=SMALLEST)
    if found.differ is None:
        return Sentence(said["too_small"])
    if not found.differ:
        return Sentence(said["chance" + equals])
    out = rated[rated["stands_out"] != 0]
    if out.empty:
        return Sentence(said["differ"])
    if len(out) == 1 or len(rated) == 2:
        return _one(out.iloc[0], said, equals)
    return Sentence(said["several" + equals])


def _one(row: pd.Series, said: dict[str, str], equals: str) -> Sentence:
    return Sentence(
        said[("above" if row["stands_out"] > 0 else "below") + equals],
        group=group_name(row[GROUP]),
        rate=Metric(row["rate"], "share"),
        reference=Metric(row["reference"], "share"),
    )


def who(found: Breakdown) -> Sentence | None:
    """Which groups stand out, where the heading doesn't name them."""
    rated = found.rated
    if len(rated) == 2 or (rated["stands_out"] != 0).sum() < 2:
        return None
    above, below = (
        ", ".join(group_name(name) for name in rated.loc[rated["stands_out"] == sign, GROUP])
        for sign in (1, -1)
    )
    if not below:
        return Sentence("Stayed more often than the others: {above}.", above=above)
    if not above:
        return Sentence("Stayed less often than the others: {below}.", below=below)
    return Sentence(
        "Stayed more often than the others: {above}. Stayed less often: {below}.",
        above=above,
        below=below,
    )


def how(found: Breakdown, base: Base) -> Sentence | None:
    """What the rates are of; None where there is none."""
    if found.rated.empty:
        return None
    at = base.windows
    return Sentence(
        _SAID[found.dimension]["how"],
        before_start=max(at.before.start, base.start),
        before_end=at.before.end,
        end_start=at.at_end.start,
        end=at.at_end.end,
        few=SMALLEST,
    )


def several_groups(found: Breakdown) -> Sentence | None:
    """What to know where a customer belongs to several groups."""
    if not found.overlapping:
        return None
    return Sentence(
        "A customer who buys in several groups counts in each of them: shares of revenue add up, "
        "numbers of customers don't. Who buys often is found in more groups and, as a rule, stays. "
        "Each group is therefore compared with all customers who bought on equally many days."
    )
