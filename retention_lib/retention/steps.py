"""From purchase to purchase, as expressions: a customer's first two, and each with the wait after.

What reads them counts by day or by number in the engine, so that no row per purchase leaves it.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.tables import Until


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
    bought = (base.tables if as_of is None else Until(base.tables, as_of)).purchases
    return bought.filter(bought.number == 0).select(
        schema.CUSTOMER, first=schema.DAY, second="following"
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
    return bought.select(
        schema.DAY,
        number=bought.number + 1,
        gap=bought.following.delta(day, unit="day"),
        watched=ibis.date(base.as_of).delta(day, unit="day"),
    )
