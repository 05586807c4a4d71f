"""What subscribers buy in the shop, beside other customers: an association, no effect.

Who likes a shop subscribes to it and buys more in it. What the subscription adds can't be told from
that, and isn't told. Subscribers are those at the start of the period, whatever became of them, so
that who left is not sorted out; other customers are all who had bought before it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.periods import ONE_DAY
from retention_lib.loyalty.subscription_flow import paid_on
from retention_lib.loyalty.subscription_rows import Subscribed, day_number
from retention_lib.retention.intervals import means_many
from retention_lib.smallest import SMALLEST

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from retention_lib.data.base import Base


@dataclass(frozen=True)
class Together:
    """Subscribers at the start of the period among the customers of the shop.

    Parameters
    ----------
    subscribers : int
        At the start of the period.
    in_orders : int
        Of these, customers of the shop before the period.
    bought, others_bought : float
        Mean purchases in the period: of these, and of the other customers from before it.
    bought_low, bought_high, others_low, others_high : float
    spent, others_spent : float
        Mean net revenue.
    others : int
    """

    subscribers: int
    in_orders: int
    bought: float
    bought_low: float
    bought_high: float
    others_bought: float
    others_low: float
    others_high: float
    spent: float
    others_spent: float
    others: int


def together(base: Base, subscribed: Subscribed) -> Together | None:
    """The two data sets together; None with fewer than `SMALLEST` of either kind in both."""
    period = base.windows.period
    there, _ = paid_on(subscribed, day_number(period.start - ONE_DAY))
    return beside_orders(base.days, list(subscribed.customers[there]), period.start, period.end)


def beside_orders(
    days: ir.Table, subscribers: list[str], start: dt.date, end: dt.date
) -> Together | None:
    """Purchases in a period of the customers from before it, subscribers apart.

    Parameters
    ----------
    days : ibis Table
        Customer-days: customer, day, amount, bought.
    subscribers : list of str
    start, end : date
        Both in the period.
    """
    if len(subscribers) < SMALLEST:
        return None
    known = ibis.memtable(pd.DataFrame({"subscriber": pd.Series(subscribers, dtype="str")}))
    day = days[schema.DAY]
    within = (day >= ibis.date(start)) & (day <= ibis.date(end))
    before = (day < ibis.date(start)) & days.bought
    customers = days.group_by(customer=days[schema.CUSTOMER].cast("string")).aggregate(
        old=before.any(),
        bought=(within & days.bought).cast("int64").sum(),
        spent=within.ifelse(days[schema.AMOUNT].cast("float64"), 0.0).sum(),
    )
    joined = customers.filter(customers.old).left_join(
        known, customers.customer == known.subscriber
    )
    counted = (
        joined.group_by(is_subscriber=joined.subscriber.notnull())
        .aggregate(
            n=joined.count(),
            bought=joined.bought.mean(),
            sd=joined.bought.std(how="sample"),
            spent=joined.spent.mean(),
        )
        .to_pyarrow()
        .to_pandas()
        .set_index("is_subscriber")
    )
    if len(counted) < 2 or counted["n"].min() < SMALLEST:
        return None
    low, high = means_many(counted["bought"], counted["sd"], counted["n"])
    rows = counted.assign(low=low, high=high)
    one, other = rows.loc[True], rows.loc[False]
    return Together(
        subscribers=len(subscribers),
        in_orders=int(one["n"]),
        bought=float(one["bought"]),
        bought_low=float(one["low"]),
        bought_high=float(one["high"]),
        others_bought=float(other["bought"]),
        others_low=float(other["low"]),
        others_high=float(other["high"]),
        spent=float(one["spent"]),
        others_spent=float(other["spent"]),
        others=int(other["n"]),
    )
