"""Until when a second purchase is likely: the time in which most second purchases happen."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

import ibis
import ibis.expr.types as ir

from retention_lib.data.base import Base
from retention_lib.retention.steps import first_two

#: Share of the second purchases that "most" is.
MOST_SECOND: Final = 0.75
#: Days for which a customer must have been watched, or half the history where that is shorter.
WATCHED: Final = 365
#: Fewer second purchases than this tell no time.
FEWEST: Final = 20
#: The time where the base can't tell one.
RECENT_DAYS: Final = 90


def second_purchase_days(base: Base) -> int:
    """Days after the first purchase within which `MOST_SECOND` of the second purchases are made.

    Of those made within the time for which all counted customers were watched: who first bought
    last month can't have come back after three, and would make the time look short.

    Parameters
    ----------
    base : Base

    Returns
    -------
    int
        `RECENT_DAYS` with fewer than `FEWEST` second purchases.
    """
    found = base.once("second-purchase-days", lambda: _most_second(base))
    n, days = found["n"][0].as_py(), found["days"][0].as_py()
    return RECENT_DAYS if n < FEWEST else math.ceil(days)


def _most_second(base: Base) -> ir.Table:
    """One row: n, the second purchases counted; days, within which `MOST_SECOND` are made."""
    watched = min(WATCHED, (base.as_of - base.start).days // 2)
    two = first_two(base)
    gap = two.second.delta(two["first"], unit="day").cast("float64")
    latest = base.as_of - dt.timedelta(days=watched)
    counted = two.filter((two["first"] <= ibis.date(latest)) & (gap <= watched))
    return counted.aggregate(n=counted.count(), days=gap.quantile(MOST_SECOND))
