"""Customers' first purchases and what followed: a row per customer, and a group's figures.

Later value is the revenue in the days after the first purchase, that purchase left out, of
customers who were watched so long.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.retention.intervals import mean_interval, wilson_many

#: Share with a second purchase, and its interval.
AGAIN: Final = ["again", "again_low", "again_high"]


def first_purchases(base: Base, days: int, earliest: dt.date) -> pd.DataFrame:
    """One row per customer first seen from a day on and watched for `days`.

    Parameters
    ----------
    base : Base
    days : int
    earliest : date

    Returns
    -------
    DataFrame
        customer, first (amount of the first purchase), later (revenue in the days after it), again
        (whether there was a second purchase), and category, the one that most of the first purchase
        went to, where there are such; in the order of the ids.
    """
    table = base.once(
        f"first-purchases-{days}-{earliest}", lambda: _first_purchases(base, days, earliest)
    )
    return table.to_pandas()


def _first_purchases(base: Base, days: int, earliest: dt.date) -> ir.Table:
    bought = base.purchases()
    begun = bought.filter(
        (bought.number == 0)
        & bought[schema.DAY].between(
            ibis.date(earliest), ibis.date(base.as_of - dt.timedelta(days=days))
        )
    ).select(schema.CUSTOMER, began=schema.DAY, first=schema.AMOUNT)
    both = base.days.inner_join(begun, schema.CUSTOMER)
    since = both[schema.DAY].delta(both.began, unit="day")
    inside = since.between(1, days)
    people = both.group_by(schema.CUSTOMER, "began", "first").aggregate(
        later=both[schema.AMOUNT].sum(where=inside).fill_null(0).cast("float64"),
        again=(both[schema.BOUGHT] & inside).any(),
    )
    people = people.mutate(first=people["first"].cast("float64"))
    if "category" not in base.fields:
        return people.order_by(schema.CUSTOMER)
    rows = base.by("category")
    firsts = rows.inner_join(
        begun, [rows[schema.CUSTOMER] == begun[schema.CUSTOMER], rows[schema.DAY] == begun.began]
    ).select(schema.CUSTOMER, "group", schema.AMOUNT)
    firsts = firsts.filter(firsts["group"].notnull() & (firsts[schema.AMOUNT] > 0))
    most = firsts.group_by(schema.CUSTOMER).aggregate(most=firsts[schema.AMOUNT].max())
    top = firsts.inner_join(most, schema.CUSTOMER)
    top = top.filter(top[schema.AMOUNT] == top.most)
    # the name orders equals, so that a rerun gives the same
    main = top.group_by(schema.CUSTOMER).aggregate(category=top["group"].min())
    joined = people.left_join(main, schema.CUSTOMER).select(
        schema.CUSTOMER, "first", "later", "again", "category"
    )
    return joined.order_by(schema.CUSTOMER)


def told(group: pd.DataFrame) -> dict[str, float]:
    """A group's number, mean first amount, mean later revenue with its interval, who came again."""
    low, high = mean_interval(group["later"]) or (math.nan, math.nan)
    return {
        "n": len(group),
        "first": group["first"].mean(),
        "later": group["later"].mean(),
        "low": low,
        "high": high,
        "came": int(group["again"].sum()),
    }


def with_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Groups, a row each as `told`, with the share who came again (`AGAIN`)."""
    low, high = wilson_many(frame["came"], frame["n"])
    return frame.assign(again=frame["came"] / frame["n"], again_low=low, again_high=high)
