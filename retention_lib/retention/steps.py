"""From purchase to purchase, as expressions: a customer's first two, and each with the wait after.

What reads them counts by day or by number in the engine, so that no row per purchase leaves it.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.base import Base


def first_two(base: Base, as_of: dt.date | None = None) -> ir.Table:
    """Day of the first and of the second purchase of each customer.

    Parameters
    ----------
    base : Base
    as_of : date, optional
        Later purchases aren't looked at.

    Returns
    -------
    ibis Table
        customer, first, second (null where there is none yet).
    """
    bought = base.purchases()
    bought = bought.filter(bought.number <= 1)
    if as_of is not None:
        bought = bought.filter(bought[schema.DAY] <= ibis.date(as_of))
    day = bought[schema.DAY]
    return bought.group_by(schema.CUSTOMER).aggregate(
        first=day.min(where=bought.number == 0), second=day.min(where=bought.number == 1)
    )


def steps(base: Base) -> ir.Table:
    """Each purchase with the days to the customer's next one.

    Returns
    -------
    ibis Table
        day; number, from 1; gap, days to the next purchase (null where there is none); watched,
        days to the end of observation.
    """
    bought = base.purchases()
    day = bought[schema.DAY]
    following = day.lead().over(ibis.window(group_by=schema.CUSTOMER, order_by=schema.DAY))
    return bought.select(
        schema.DAY,
        number=bought.number + 1,
        gap=following.delta(day, unit="day"),
        watched=ibis.date(base.as_of).delta(day, unit="day"),
    )
