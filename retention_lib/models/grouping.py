"""Which group each customer belongs to: the cohort of the first purchase, or a dimension."""

from __future__ import annotations

from typing import Literal

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base

#: Months between the first and the last first purchase from which cohorts are years.
_YEARS_FROM = 24

Period = Literal["year", "quarter"]


def cohort_of(customers: pd.DataFrame, period: Period) -> pd.Series:
    """The year or quarter of each customer's first purchase.

    Parameters
    ----------
    customers : DataFrame
        With `first`, a date.
    period : str
        `year` or `quarter`.

    Returns
    -------
    Series of str
        Such as `2024` or `2024-Q3`.
    """
    first = pd.to_datetime(customers["first"])
    year = first.dt.year.astype(str)
    if period == "year":
        return year.rename("cohort")
    return (year + "-Q" + first.dt.quarter.astype(str)).rename("cohort")


def main_group(base: Base, dimension: str) -> pd.Series:
    """The market, channel or category in which each customer has most of the purchases.

    Parameters
    ----------
    base : Base
    dimension : str
        One that is mapped.

    Returns
    -------
    Series of str
        Of the customers who have more than half of their days with a purchase in one group (days
        count once in each group); the others belong to none and are left out.

    Raises
    ------
    DataError
        A dimension that isn't mapped.
    """
    rows = base.by(dimension)
    bought = rows.filter((rows[schema.AMOUNT] > 0) & rows.group.notnull())
    days = bought.group_by(schema.CUSTOMER, "group").aggregate(days=bought.count())
    of_all = days.mutate(
        of_all=days.days.sum().over(ibis.window(group_by=schema.CUSTOMER)),
        group=days.group.cast("string"),
    )
    most = of_all.filter(of_all.days * 2 > of_all.of_all).select(schema.CUSTOMER, "group")
    frame = most.execute().set_index(schema.CUSTOMER)
    return frame["group"].rename(dimension)


def groupings(base: Base) -> dict[str, pd.Series]:
    """Every way in which a base's customers fall into groups.

    Parameters
    ----------
    base : Base

    Returns
    -------
    dict of Series
        `cohort` (years, or quarters where the customers were won within two years), and each of the
        client file's dimensions.
    """
    customers = base.customers()
    first = pd.to_datetime(customers["first"])
    months = 0 if customers.empty else (first.max() - first.min()).days / 30.44
    period: Period = "year" if months >= _YEARS_FROM else "quarter"
    found = {"cohort": cohort_of(customers, period)}
    return found | {name: main_group(base, name) for name in base.params.dimensions}
