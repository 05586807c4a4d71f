"""The plain interval rule: a customer is overdue after twice the own mean interval.

The rule of practice ("latency" with its trip wire: Novo 2004, *Drilling Down*) for whoever has no
model: the days between a customer's purchases, averaged, against the days since the last. The mean,
not the median: (last − first) / (purchases − 1) can be worked out from three columns of an export,
no gap counts twice, and of a customer who buys at random at a steady rate it is the best estimate.
Such a customer, the rate known, is away for twice the mean with a probability of e^(−2), 14 %;
judged by x intervals seen it is (1 + 2/x)^(−x), 25 % of two. Two intervals are the least that can
be averaged: three purchases.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import pandas as pd

#: Overdue when away longer than so many mean intervals.
TIMES: Final = 2.0
#: Fewest purchases that make a mean interval.
FEWEST: Final = 3


def own_interval(customers: pd.DataFrame) -> pd.Series:
    """Mean days between a customer's purchases; NaN with fewer than `FEWEST` of them.

    Parameters
    ----------
    customers : DataFrame
        `first`, `last`, `purchases`, as of one day.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-31"])
    >>> own_interval(pd.DataFrame({"first": days[:1], "last": days[1:], "purchases": [4]})).tolist()
    [10.0]
    """
    span = (customers["last"] - customers["first"]).dt.days.astype("float64")
    purchases = customers["purchases"]
    return span / (purchases - 1).where(purchases >= FEWEST)


def days_away(customers: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """Days since the last purchase."""
    return (pd.Timestamp(as_of) - customers["last"]).dt.days


def times_away(customers: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """How many of the own mean intervals a customer has been away; NaN without one."""
    return days_away(customers, as_of) / own_interval(customers)


def overdue_counts(customers: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Customers by the plain rule.

    Parameters
    ----------
    customers : DataFrame
        `first`, `last`, `purchases`, `revenue`.
    as_of : date

    Returns
    -------
    DataFrame
        One row each, in this order: `state` `on_time`, `overdue`, `no_interval`; `customers`;
        `revenue` so far.
    """
    times = times_away(customers, as_of)
    revenue = customers["revenue"]
    who = {"on_time": times <= TIMES, "overdue": times > TIMES, "no_interval": times.isna()}
    return pd.DataFrame(
        {
            "state": [*who],
            "customers": [int(those.sum()) for those in who.values()],
            "revenue": [float(revenue[those].sum()) for those in who.values()],
        }
    )
