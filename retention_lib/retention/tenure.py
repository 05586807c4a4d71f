"""How long the customers at the start of a period had been customers."""

from __future__ import annotations

import datetime as dt

import ibis

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import windows


def tenure_at_start(base: Base, as_of: dt.date) -> float | None:
    """Median days from the first purchase to the period's start, of the customers at the start.

    Whoever has stayed long stays more readily. Where a base grows old, its retention rises without
    any customer changing: the rates of two periods are of customers of two ages.

    Parameters
    ----------
    base : Base
    as_of : date
        End of the period.

    Returns
    -------
    float or None
        None where nobody was there.
    """
    at = windows(as_of, base.params.period_months, base.params.active_months)
    bought = base.days.filter(base.days[schema.BOUGHT])
    day = bought[schema.DAY]
    per_customer = bought.group_by(schema.CUSTOMER).aggregate(
        first=day.min(),
        there=day.between(ibis.date(at.before.start), ibis.date(at.before.end)).any(),
    )
    there = per_customer.filter(per_customer.there)
    since = ibis.date(at.period.start).delta(there["first"], unit="day").cast("float64")
    found = there.aggregate(days=since.median()).to_pyarrow()["days"][0].as_py()
    return None if found is None else float(found)
