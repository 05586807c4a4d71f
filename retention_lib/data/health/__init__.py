"""What to know of a client's data before trusting what comes of it, each with its figure.

Nothing here changes a figure. A concern names the key of the client file that would, where there is
one, so that the consultant decides. What is asked is asked of the customer-days and orders that are
kept; the source isn't read again but where a file has lines within orders.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from retention_lib.data.base import Base
from retention_lib.data.clock import orders_by_day
from retention_lib.data.health import (
    amounts,
    beginning,
    customers,
    days,
    history,
    repeats,
    rows,
)
from retention_lib.data.health.concern import Concern

__all__ = ["Concern", "concerns"]


def concerns(
    base: Base, named: Callable[[str], str] = str, today: dt.date | None = None
) -> list[Concern]:
    """All that is to be known of a base's data, the gravest first.

    Parameters
    ----------
    base : Base
    named : callable, optional
        How a customer's id may be written; as it is where not given.
    today : date, optional
        For telling days that are yet to come.

    Returns
    -------
    list of Concern
        Empty where there is nothing.
    """
    by_day = orders_by_day(base)
    found = [
        rows.unreadable(base),
        days.future(base, today or dt.datetime.now(dt.UTC).date()),
        history.nobody_twice(base),
        days.firsts_of_months(by_day),
        amounts.minor_units(base),
        repeats.repeated(base),
        *customers.placeholders(base, named),
        customers.extreme(base, named),
        *customers.damaged(base, named),
        *customers.internal(base),
        rows.anonymous(base),
        rows.totals(base),
        beginning.late_start(base),
        days.half_day(base, by_day),
        days.half_month(base, by_day),
        *days.gaps(by_day),
        repeats.copies(base),
        amounts.returns(base),
        amounts.zeros(base),
        amounts.no_purchase(base),
        *amounts.currencies(base),
        history.short(base),
        history.few_repeat_buyers(base),
    ]
    return [concern for concern in found if concern is not None]
