"""What each customer did in a reporting period and the activity windows around it: one row each.

This frame is what the metrics of CONTRACT, section 4, are sums over. The sets S, E, N and B are its
flags `at_start`, `at_end`, `new` and `bought`.
"""

from __future__ import annotations

import datetime as dt

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import Window, windows

FLAGS = ("at_start", "at_end", "new", "bought")


def activity(base: Base, as_of: dt.date | None = None) -> pd.DataFrame:
    """One row per customer with a row up to `as_of`.

    Parameters
    ----------
    base : Base
    as_of : date, optional
        End of the period; the report's day where not given. Nothing after it is looked at.

    Returns
    -------
    DataFrame
        Indexed by customer: flags `at_start` (S), `at_end` (E), `new` (N), `bought` (B); `ever`
        (purchases up to `as_of`, 0 for who only returned); `purchases`, `orders` and `revenue` in
        the period, `order_revenue` (of the orders with an amount > 0).
    """
    as_of = as_of or base.as_of
    at = windows(as_of, base.params.period_months, base.params.active_months)
    days = base.days.filter(base.days[schema.DAY] <= ibis.date(as_of))
    bought = days[schema.BOUGHT]
    in_period = _in(days, at.period)
    per_customer = days.group_by(schema.CUSTOMER).aggregate(
        first=days[schema.DAY].min(where=bought),
        ever=bought.sum(),
        at_start=(bought & _in(days, at.before)).any(),
        at_end=(bought & _in(days, at.at_end)).any(),
        bought=(bought & in_period).any(),
        purchases=(bought & in_period).sum(),
        revenue=days[schema.AMOUNT].sum(where=in_period),
    )
    orders = base.orders(as_of)
    orders = orders.filter((orders.amount > 0) & _in(orders, at.period))
    per_order = orders.group_by(schema.CUSTOMER).aggregate(
        orders=orders.count(), order_revenue=orders.amount.sum()
    )
    joined = per_customer.left_join(per_order, schema.CUSTOMER)
    frame = joined.select(
        joined[schema.CUSTOMER],
        *(joined[name] for name in ("at_start", "at_end", "bought")),
        new=(joined["first"] >= ibis.date(at.period.start)).fill_null(False),
        ever=joined.ever.cast("int64"),
        purchases=joined.purchases.cast("int64"),
        revenue=joined.revenue.cast("float64").fill_null(0.0),
        orders=joined.orders.fill_null(0).cast("int64"),
        order_revenue=joined.order_revenue.cast("float64").fill_null(0.0),
    )
    # through Arrow: a million rows as objects take longer than all the rest
    frame = frame.to_pyarrow().to_pandas()
    frame = frame.set_index(schema.CUSTOMER).sort_index()
    return frame.astype(dict.fromkeys(FLAGS, bool))


def _in(table: ir.Table, window: Window) -> ir.BooleanValue:
    return table[schema.DAY].between(ibis.date(window.start), ibis.date(window.end))
