"""Orders and revenue by calendar day, days without an order among them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
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
    orders = base.orders()
    orders = orders.filter(orders.amount > 0)
    counts = orders.group_by(schema.DAY).aggregate(orders=orders.count())
    days = base.days
    sums = days.group_by(schema.DAY).aggregate(revenue=days[schema.AMOUNT].sum().cast("float64"))
    both = [_series(counts, "orders"), _series(sums, "revenue")]
    if both[0].empty or firsts_of_months(both[0]) is not None:
        return pd.DataFrame({"orders": [], "revenue": []}, index=pd.DatetimeIndex([], name="day"))
    every = pd.date_range(both[0].index[0], base.as_of, name="day")
    frame = pd.DataFrame({one.name: one.reindex(every) for one in both}).fillna(0.0)
    return frame.astype({"orders": "int64"})


def _series(table: object, name: str) -> pd.Series:
    frame = table.to_pyarrow().to_pandas(date_as_object=False)  # type: ignore[attr-defined]
    days = pd.DatetimeIndex(frame[schema.DAY], name="day")
    return pd.Series(frame[name].to_numpy(), index=days, name=name).sort_index()


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
