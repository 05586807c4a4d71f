"""Orders and revenue by calendar day, days without an order among them."""

from __future__ import annotations

from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.clock import orders_by_day
from retention_lib.data.health.days import firsts_of_months

#: Days of a week, Mondays first as in `numpy` and pandas.
WEEK: Final = 7


def by_day(base: Base) -> pd.DataFrame:
    """Orders and revenue of every day, from the first with an order to `as_of`.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame
        Indexed by day: `orders` (with an amount > 0, on the day of their first row), `revenue` (of
        all used rows). Empty without an order, and where the export has months in the place of
        days, so that its days are none.
    """
    orders = orders_by_day(base)
    if orders.empty or firsts_of_months(orders) is not None:
        return pd.DataFrame({"orders": [], "revenue": []}, index=pd.DatetimeIndex([], name="day"))
    every = pd.date_range(orders.index[0], base.as_of, name="day")
    both = {"orders": orders, "revenue": _revenue(base)}
    frame = pd.DataFrame({name: one.reindex(every) for name, one in both.items()}).fillna(0.0)
    return frame.astype({"orders": "int64"})


def _revenue(base: Base) -> pd.Series:
    days = base.days

    def by_day() -> ir.Table:
        revenue = days[schema.AMOUNT].sum().cast("float64")
        return days.group_by(schema.DAY).aggregate(revenue=revenue)

    frame = base.once("revenue-by-day", by_day).to_pandas(date_as_object=False)
    return pd.Series(frame["revenue"].to_numpy(), index=pd.DatetimeIndex(frame[schema.DAY]))


def whole_weeks(days: pd.Series) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """A daily series by whole weeks, Monday to Sunday; weeks cut by an end are left out.

    Returns
    -------
    mondays : DatetimeIndex, shape (weeks,)
    values : ndarray, shape (weeks, 7)
    """
    index = pd.DatetimeIndex(days.index)
    if index.empty:
        return index, np.empty((0, WEEK))
    start = (WEEK - index[0].day_of_week) % WEEK
    weeks = max(len(index) - start, 0) // WEEK
    values = days.to_numpy(dtype=float)[start : start + weeks * WEEK].reshape(weeks, WEEK)
    return index[start : start + weeks * WEEK : WEEK], values
