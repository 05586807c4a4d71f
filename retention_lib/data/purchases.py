"""What a purchase is, written once (CONTRACT, section 3), as Ibis expressions for any engine.

Rows → used rows, each other row with the one cause it is left out for → customer-days → purchases →
one row per customer. Frequency, recency and T are the literature's: repeat purchases, time from the
first to the last, time from the first to the end (Fader, Hardie & Lee 2005).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema

#: Why a row can be left out, in the order in which it is asked: a row has the first that fits.
CAUSES: Final[dict[str, str]] = {
    "no_customer": "No customer id",
    "guest": "Guest or placeholder id",
    "no_date": "No date, or an impossible one",
    "no_amount": "No amount that can be read",
    "duplicate": "Exact duplicate of another row",
    "return_dropped": "Return, dropped as the client file says",
    "outside_window": "Outside the reported window",
}

DAYS_PER_UNIT: Final = {"day": 1, "week": 7}


def with_cause(
    rows: ir.Table,
    *,
    guest_ids: Sequence[str] = (),
    returns: Literal["net", "drop"] = "net",
    deduplicate: Literal["none", "exact"] = "none",
) -> ir.Table:
    """The rows with their `day` and the `cause` for which each is left out, null where it is used.

    The window isn't looked at here (`within`): its end is known only once the usable rows are.
    """
    rows = rows.mutate(day=rows[schema.TIME].date())
    customer, amount = rows[schema.CUSTOMER], rows[schema.AMOUNT]
    tests: list[tuple[ir.BooleanValue, str]] = [
        (customer.isnull() | (customer == ""), "no_customer"),
        (rows[schema.TIME].isnull(), "no_date"),
        (amount.isnull(), "no_amount"),
    ]
    if guest_ids:
        tests.insert(1, (customer.isin([guest.strip() for guest in guest_ids]), "guest"))
    if deduplicate == "exact":
        same = [c for c in rows.columns if c != schema.DAY]
        rows = rows.mutate(copy=ibis.row_number().over(group_by=same, order_by=schema.TIME))
        tests.append((rows["copy"] > 0, "duplicate"))
    if returns == "drop":
        tests.append((amount < 0, "return_dropped"))
    marked = rows.mutate(cause=ibis.cases(*tests, else_=ibis.null().cast("string")))
    return marked.drop("copy") if deduplicate == "exact" else marked


def within(marked: ir.Table, start: dt.date, as_of: dt.date) -> ir.Table:
    """The rows of `with_cause`, those outside the window marked as well."""
    outside = ~marked[schema.DAY].between(ibis.date(start), ibis.date(as_of))
    cause = marked[schema.CAUSE]
    return marked.mutate(
        cause=ibis.cases((cause.isnull() & outside, "outside_window"), else_=cause)
    )


def used(marked: ir.Table) -> ir.Table:
    """The rows that count."""
    return marked.filter(marked[schema.CAUSE].isnull()).drop(schema.CAUSE)


def counts_by_cause(marked: ir.Table) -> ir.Table:
    """Rows and amount by cause; a null cause is the used rows."""
    return marked.group_by(schema.CAUSE).aggregate(
        rows=marked.count(), amount=marked[schema.AMOUNT].sum().cast("float64")
    )


def customer_days(rows: ir.Table, *, free_orders: bool = False) -> ir.Table:
    """One row per customer and day: its net amount, and whether it is a purchase (`bought`).

    A day with a net amount > 0 is a purchase; one left at or below zero by returns is none, yet
    counts in revenue. The published CDNOW figures also count orders of exactly zero.

    Parameters
    ----------
    rows : ibis Table
        The used rows.
    free_orders : bool
        Whether a day of exactly zero on which nothing was returned is a purchase too.
    """
    net = rows[schema.AMOUNT].sum()
    bought = net > 0
    if free_orders:
        bought = bought | ((net == 0) & (rows[schema.AMOUNT].min() >= 0))
    return rows.group_by([schema.CUSTOMER, schema.DAY]).aggregate(
        amount=net, rows=rows.count(), bought=bought
    )


def orders(rows: ir.Table) -> ir.Table:
    """One row per order: all rows of one order id and customer, else of one customer and day."""
    # prefixed, so that an order id that looks like a day isn't taken for one
    key = ibis.literal("day ") + rows[schema.DAY].cast("string")
    if schema.ORDER in rows.columns:
        key = (ibis.literal("order ") + rows[schema.ORDER]).coalesce(key)
    return (
        rows.mutate(order_key=key)
        .group_by([schema.CUSTOMER, "order_key"])
        .aggregate(day=rows[schema.DAY].min(), amount=rows[schema.AMOUNT].sum())
    )


def purchases(days: ir.Table) -> ir.Table:
    """The customer-days that are purchases, numbered 0, 1, 2 … within each customer."""
    bought = days.filter(days[schema.BOUGHT])
    return bought.mutate(
        number=ibis.row_number().over(group_by=schema.CUSTOMER, order_by=schema.DAY)
    )


def summary(days: ir.Table, as_of: dt.date, unit: Literal["day", "week"] = "day") -> ir.Table:
    """One row per customer with a purchase up to `as_of`.

    Parameters
    ----------
    days : ibis Table
        Customer-days (`customer_days`).
    as_of : date
        End of observation; later days are not looked at.
    unit : str
        Unit of `recency` and `T`. Purchases are collapsed per day whatever the unit.

    Returns
    -------
    ibis Table
        customer; first, last (dates); purchases; frequency = purchases − 1; recency, T (in `unit`);
        monetary_value (mean amount of the repeat purchases, null without one); amount_mean (of all
        purchases); revenue (all used rows, returns included).
    """
    days = days.filter(days[schema.DAY] <= ibis.date(as_of))
    bought, day, amount = days[schema.BOUGHT], days[schema.DAY], days[schema.AMOUNT]
    grouped = days.group_by(schema.CUSTOMER).aggregate(
        first=day.min(where=bought),
        last=day.max(where=bought),
        purchases=bought.sum(),
        spent=amount.sum(where=bought),
        first_amount=amount.argmin(day, where=bought),
        revenue=amount.sum(),
    )
    grouped = grouped.filter(grouped.purchases > 0)
    scale = float(DAYS_PER_UNIT[unit])
    frequency = grouped.purchases - 1
    repeat_mean = (grouped.spent - grouped.first_amount).cast("float64") / frequency.nullif(0)
    return grouped.select(
        customer=grouped.customer,
        first=grouped["first"],
        last=grouped["last"],
        purchases=grouped.purchases,
        frequency=frequency,
        recency=grouped["last"].delta(grouped["first"], unit="day").cast("float64") / scale,
        T=ibis.date(as_of).delta(grouped["first"], unit="day").cast("float64") / scale,
        monetary_value=repeat_mean,
        amount_mean=grouped.spent.cast("float64") / grouped.purchases,
        revenue=grouped.revenue.cast("float64"),
    )


def summarise(days: ir.Table, as_of: dt.date, unit: Literal["day", "week"] = "day") -> pd.DataFrame:
    """`summary` as a frame indexed by customer, in the order of the ids.

    The frame carries its ruler (`time_unit`), grain and end in `attrs`.
    """
    # through Arrow: as objects, a million dates take longer than all the rest
    table = summary(days, as_of, unit).order_by(schema.CUSTOMER).to_pyarrow()
    frame = table.to_pandas(date_as_object=False).set_index(schema.CUSTOMER)
    frame = frame.astype(
        {
            **dict.fromkeys(("first", "last"), "datetime64[s]"),
            **dict.fromkeys(("purchases", "frequency"), "int64"),
            # NaN, not null: a mean of nothing
            **dict.fromkeys(("monetary_value", "amount_mean", "revenue"), "float64"),
        }
    )
    frame.attrs = {"time_unit": unit, "grain": "day", "as_of": as_of.isoformat()}
    return frame
