"""From the first purchase to the second: who comes back, and after how long."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.retention.steps import first_two
from retention_lib.retention.survival import kaplan_meier, waits


def days_to_second(base: Base, as_of: dt.date | None = None) -> pd.DataFrame:
    """One row per customer: how long until the second purchase, and how long was watched.

    Parameters
    ----------
    base : Base
    as_of : date, optional
        End of observation; the report's day where not given.

    Returns
    -------
    DataFrame
        `days_to_second` (float, NaN where there is none yet) and `observed_days` (int, from the
        first purchase to `as_of`), one row per customer in no particular order.
    """
    end = ibis.date(as_of or base.as_of)
    two = first_two(base, as_of)
    return two.select(
        days_to_second=two.second.delta(two["first"], unit="day").cast("float64"),
        observed_days=end.delta(two["first"], unit="day").cast("int64"),
    ).execute()


def second_purchase_curve(base: Base, up_to_days: int = 365) -> pd.DataFrame:
    """Share of the customers with a second purchase, by days since the first.

    The Kaplan-Meier estimate (1958): whoever was first seen a month ago counts for that month only,
    so recent customers neither pull the curve down nor are left out. Intervals are Greenwood's on
    the log-log scale.

    Parameters
    ----------
    base : Base
    up_to_days : int, default 365
        Where the curve ends, at the latest; it never goes past what was observed.

    Returns
    -------
    DataFrame
        days, share, low, high; empty where nobody came back.
    """
    own = waits(base, most=1)
    if not own["came"].any():
        return pd.DataFrame(columns=["days", "share", "low", "high"], dtype=float)
    curve = kaplan_meier(own["days"], own["came"], own["left"]).drop(columns="at_risk")
    start = pd.DataFrame({"days": [0.0], "share": [0.0], "low": [0.0], "high": [0.0]})
    return pd.concat([start, curve[curve["days"] <= up_to_days]], ignore_index=True)
