"""Whether there is enough history to learn from."""

from __future__ import annotations

from typing import Final

from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.data.periods import ONE_DAY, shift_months
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence, counted

#: Less than this, and the models have little to learn from.
MONTHS_OF_HISTORY: Final = 12
REPEAT_BUYERS: Final = 100

#: Among this many customers, somebody comes back to any shop.
SOMEBODY_RETURNS: Final = 200


def short(base: Base) -> Concern | None:
    """Less than a year: no season, and hardly a rate."""
    if base.start == base.as_of:
        said = Sentence(
            "All orders are of one day, {day}: nothing can be told of who comes back. Is it the "
            "day of the export, and the order's in another column?",
            day=base.start,
        )
        return Concern("short_history", said, "columns")
    months = 0
    while shift_months(base.as_of, -(months + 1)) + ONE_DAY >= base.start:
        months += 1
    if months >= MONTHS_OF_HISTORY:
        return None
    long = months > 0
    days = (base.as_of - base.start).days + 1
    said = Sentence(
        "The data covers {length}. Rates that look back a year are missing or rest on part of one, "
        "and a season can't be told from a trend.",
        length=Metric(months, "months") if long else Metric(days, "days"),
    )
    return Concern("short_history", said, "period_months")


def nobody_twice(base: Base) -> Concern | None:
    """No customer with a second purchase among so many that somebody should have one.

    The commonest cause is an order's id mapped as the customer's, or a list of customers in the
    place of a list of orders.
    """
    customers = base.customers()
    if len(customers) < SOMEBODY_RETURNS or (customers["frequency"] > 0).any():
        return None
    said = Sentence(
        "None of the {n} customers has bought twice: is columns.customer the customer's id and not "
        "the order's, and is the file a list of orders and not one of customers?",
        n=len(customers),
    )
    return Concern("nobody_twice", said, "columns")


def few_repeat_buyers(base: Base) -> Concern | None:
    """Too few second purchases for the models."""
    repeat = int((base.customers()["frequency"] > 0).sum())
    if repeat >= REPEAT_BUYERS:
        return None
    if not repeat:
        said = Sentence("No customer has bought more than once: nothing for the models to learn.")
    else:
        said = counted(
            repeat,
            "One customer has bought more than once: too little for the models to learn from.",
            "{n} customers have bought more than once: little for the models to learn from.",
        )
    return Concern("few_repeat_buyers", said)
