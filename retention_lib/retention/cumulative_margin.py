"""What customers have brought by so many months after their first purchase, as observed.

Of each month only the customers who were watched that long count: who was won last month says
nothing of the first year. Later months are therefore of fewer customers, and of the earlier ones.
"""

from __future__ import annotations

from typing import Final

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.units import DAYS_PER_MONTH

#: Months after the first purchase at most.
MOST: Final = 36


def cumulative_margin(
    base: Base, *, margin: float, discount_rate: float, most: int = MOST
) -> pd.DataFrame:
    """Discounted margin per customer, added up from the first purchase on.

    All used rows count from the day of the first purchase on, returns too. What is bought in the
    k-th month after it is discounted by (1 + yearly rate)^(k/12), as in CLV; the first day isn't.

    Parameters
    ----------
    base : Base
    margin : float
        Share of revenue.
    discount_rate : float
        Yearly.
    most : int, default 36
        Months at most.

    Returns
    -------
    DataFrame
        A row a month, from 0 (the first purchase's day) to the last that anybody was watched to the
        end of: `month`; `n`, customers watched so long; `value`, their mean, with its 95 % interval
        by Student's t, `low`, `high`, NaN of one customer.
    """
    days = base.days
    customer, day = days[schema.CUSTOMER], days[schema.DAY]
    first = day.min(where=days[schema.BOUGHT]).over(group_by=customer)
    rows = days.select(customer, day, schema.AMOUNT, first=first)
    watched = (ibis.date(base.as_of).delta(rows["first"], unit="day") / DAYS_PER_MONTH).floor()
    age = (rows[schema.DAY].delta(rows["first"], unit="day") / DAYS_PER_MONTH).ceil()
    factor = ibis.literal(1 + discount_rate).pow(-age / 12)
    rows = rows.select(
        schema.CUSTOMER,
        schema.DAY,
        watched=ibis.least(watched, most).cast("int64"),
        age=age.cast("int64"),
        is_first=rows[schema.DAY] == rows["first"],
        brought=rows[schema.AMOUNT].cast("float64") * margin * factor,
    )
    rows = rows.filter((rows.age >= 0) & (rows.age <= rows.watched))
    before = ibis.cumulative_window(group_by=schema.CUSTOMER, order_by=schema.DAY)
    rows = rows.mutate(so_far=rows.brought.sum().over(before))
    # a sum of squares grows by (c + v)² − c² = v (2 (c + v) − v)
    cells = rows.group_by(["age", "watched"]).aggregate(
        sum=rows.brought.sum(),
        squares=(rows.brought * (2 * rows.so_far - rows.brought)).sum(),
        won=rows.is_first.sum(),
    )
    return _means(cells.to_pyarrow().to_pandas(), most)


def _means(cells: pd.DataFrame, most: int) -> pd.DataFrame:
    """Means over the customers watched so long, from sums by month and by how long they were."""
    # Imported here: it takes longer than everything else in this module together.
    from scipy.stats import t

    shape = (most + 1, most + 1)
    n = np.bincount(cells["watched"], cells["won"], most + 1)
    total, squares = np.zeros(shape), np.zeros(shape)
    place = (cells["age"].to_numpy(), cells["watched"].to_numpy())
    total[place], squares[place] = cells["sum"], cells["squares"]
    month = np.arange(most + 1)
    # rows up to the month, of customers watched to it or longer
    sums, square_sums = (
        np.array([grid[: k + 1, k:].sum() for k in month]) for grid in (total, squares)
    )
    watched = n[::-1].cumsum()[::-1]
    known = watched > 0
    month, watched = month[known], watched[known]
    value = sums[known] / watched
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.maximum(square_sums[known] - watched * value**2, 0.0) / (watched - 1)
        half = t.ppf(0.975, np.maximum(watched - 1, 1)) * np.sqrt(spread / watched)
    half = np.where(watched > 1, half, np.nan)
    return pd.DataFrame(
        {
            "month": month,
            "n": watched.astype(int),
            "value": value,
            "low": value - half,
            "high": value + half,
        }
    )
