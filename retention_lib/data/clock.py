"""Orders by day and hour, counted once for all who look at days or hours."""

from __future__ import annotations

import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base


def orders_by_hour(base: Base) -> pd.DataFrame:
    """Orders with an amount > 0 by the day and hour of their first row.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame
        day (Timestamp), hour (0 to 23), sharp (whether at the hour sharp, which a day without a
        time is too), orders; in no particular order.
    """
    frame = base.once("orders-by-hour", lambda: _by_hour(base)).to_pandas(date_as_object=False)
    return frame.astype({"hour": "int64", "sharp": "bool", "orders": "int64"})


def _by_hour(base: Base) -> ir.Table:
    orders = base.orders()
    orders = orders.filter(orders.amount > 0)
    return orders.group_by(
        schema.DAY, hour=orders.second // 3600, sharp=orders.second % 3600 == 0
    ).aggregate(orders=orders.count())


def orders_by_day(base: Base) -> pd.Series:
    """Orders with an amount > 0 by day, days without one left out."""
    counts = orders_by_hour(base)
    index = pd.DatetimeIndex(counts[schema.DAY], name=schema.DAY)
    return pd.Series(counts["orders"].to_numpy(), index=index, name="orders").groupby(level=0).sum()
