"""What a rule finds, and the recommendation that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retention_lib.advice.proof import Proof
from retention_lib.metrics import Metric
from retention_lib.retention.lists import ActionList


@dataclass(frozen=True)
class Found:
    """Evidence that calls for a measure.

    Parameters
    ----------
    values : mapping
        What the sentences name: metrics, counts, texts from data.
    variant : str
        Which of a rule's ways of telling fits.
    list : str or None
        Id of the list of those whom the measure is for.
    customers : int or None
        How many they are; None where it is for everybody or for those to come.
    at_stake : float or None
        Value at stake with them, in the report's currency.
    point : float or None
        What it is worth, within the horizon, if one percentage point more of them stay.
    """

    values: Mapping[str, Any]
    variant: str = ""
    list: str | None = None
    customers: int | None = None
    at_stake: float | None = None
    point: float | None = None


@dataclass(frozen=True)
class Recommendation:
    """A measure with all that a client needs to decide on it.

    Parameters
    ----------
    rule : str
        Id of the rule that called for it.
    found : Found
        The evidence.
    months : tuple of int
        When a result can be expected: from, to.
    proof : Proof or None
        The test that would show whether it works; None where no list carries one.
    """

    rule: str
    found: Found
    months: tuple[int, int]
    proof: Proof | None


def of_list(one: ActionList, **more: Any) -> dict[str, Any]:
    """The part of `Found` that a list fills: whom, how many, what is at stake, a point's worth.

    One who surely stays is worth CLV / P(alive), which is CLV and what is at stake together.
    """
    worth = one.eligible_clv + one.eligible_at_stake
    return {
        "list": one.id,
        "customers": one.eligible,
        "at_stake": one.eligible_at_stake,
        "point": 0.01 * worth,
        **more,
    }


def money(amount: float) -> Metric:
    """An amount in the report's currency."""
    return Metric(amount, "currency")


def share_of(row: Mapping[Any, Any]) -> Metric:
    """A row's `share` of `n`, with its interval `low` to `high`."""
    return Metric(row["share"], "share", row["low"], row["high"], int(row["n"]))
