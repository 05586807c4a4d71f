"""Sentences on what purchases are worth, by which one it is."""

from __future__ import annotations

import dataclasses

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.retention.order_value import OrderValue
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST


def heading(found: OrderValue, *, late: bool = False) -> Sentence:
    """Whether the same customers' purchases grow, shrink or stay.

    Parameters
    ----------
    found : OrderValue
    late : bool
        Whether the data starts after its customers did, so that a first purchase here is none.
    """
    since = found.since_first
    if late:
        return Sentence(
            "Whether purchases grow can't be told: the data starts after the customers' first ones"
        )
    if found.together < 2 or since.value is None:
        return Sentence("Too few customers bought again to say whether purchases grow")
    first, last = _same(found, 1), _same(found, found.together)
    values = {"first": first, "last": last, "n": found.together}
    if since.low is None or since.high is None:
        return Sentence("Too few customers bought again to say whether purchases grow")
    if since.low > 0:
        return Sentence(
            "Purchases grow: the same customers spend {first} the first time, {last} on purchase "
            "number {n}",
            **values,
        )
    if since.high < 0:
        return Sentence(
            "Purchases shrink: the same customers spend {first} the first time, {last} on purchase "
            "number {n}",
            **values,
        )
    return Sentence(
        "Who comes back buys more often, not surely more: {first} the first time, {last} on "
        "purchase number {n}",
        **values,
    )


def selection(found: OrderValue) -> Sentence | None:
    """What the means of all purchases hide, where they move otherwise than the same customers'."""
    since, steps = found.since_first, found.steps
    if found.together < 2 or since.low is None or since.high is None:
        return None
    first, last = steps.iloc[0], steps[steps["number"] == found.together].iloc[0]
    values = {
        "first": Metric(float(first["mean"]), "currency"),
        "last": Metric(float(last["mean"]), "currency"),
        "n": found.together,
        "same": _same(found, 1),
    }
    if last["low"] > first["high"] and since.low <= 0:
        return Sentence(
            "Over all customers the mean seems to rise, from {first} to {last}. That is who stays: "
            "those who made {n} purchases spent {same} on the first already.",
            **values,
        )
    if last["high"] < first["low"] and since.high >= 0:
        return Sentence(
            "Over all customers the mean seems to fall, from {first} to {last}. That is who stays: "
            "those who made {n} purchases spent {same} on the first already.",
            **values,
        )
    return None


def second(found: OrderValue) -> Sentence | None:
    """The second purchase beside the first of the same customers."""
    change = found.metrics["journey.change_to_second"]
    if change.value is None or (change.n or 0) < SMALLEST:
        return None
    step = found.steps.iloc[0]
    values = {
        "before": Metric(float(step["before"]), "currency"),
        "after": Metric(float(step["after"]), "currency"),
        "n": change.n,
    }
    if step["differs"] > 0:
        return Sentence(
            "The {n} customers with a second purchase spent more on it, {after}, than on the "
            "first, {before}.",
            **values,
        )
    if step["differs"] < 0:
        return Sentence(
            "The {n} customers with a second purchase spent less on it, {after}, than on the "
            "first, {before}.",
            **values,
        )
    return Sentence(
        "The {n} customers with a second purchase spent {before} on the first and {after} on the "
        "second; all steps considered, that difference can be chance.",
        **values,
    )


def how_to_read(found: OrderValue) -> Sentence | None:
    """What the two lines compare."""
    if found.together < 2:
        return None
    return Sentence(
        "A purchase is all that a customer bought on one day. “Change to the next” is of those who "
        "made both; “same customers” are those with {n} purchases or more. Only within the same "
        "customers does a change say something of the habit.",
        n=found.together,
    )


def beginning(base: Base) -> Sentence:
    """A caution where the data starts after its customers did."""
    return Sentence(
        "The data starts on {start}, after its customers did: for most of them the first purchase "
        "here isn't their first.",
        start=base.start,
    )


def _same(found: OrderValue, number: int) -> Metric:
    row = found.steps[found.steps["number"] == number].iloc[0]
    return dataclasses.replace(Metric(float(row["same"]), "currency"), n=found.n_same)
