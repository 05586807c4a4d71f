"""What a purchase is, written once (CONTRACT, section 3), as Ibis expressions for any engine.

Rows, each with the one cause it is left out for or none → a tally by customer, day and order →
customer-days → purchases → one row per customer. Frequency, recency and T are the literature's:
repeat purchases, time from the first to the last, time from the first to the end (Fader, Hardie &
Lee 2005).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.sentence import N_
from retention_lib.units import DAYS_PER_UNIT

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS_A_DAY: Final = 86_400

NO_CUSTOMER: Final = "no_customer"
GUEST: Final = "guest"
NO_DATE: Final = "no_date"
NO_AMOUNT: Final = "no_amount"
DUPLICATE: Final = "duplicate"
RETURN_DROPPED: Final = "return_dropped"
IN_FUTURE: Final = "in_future"
OUTSIDE_WINDOW: Final = "outside_window"

#: Why a row can be left out, in the order in which it is asked: a row has the first that fits.
CAUSES: Final[dict[str, str]] = {
    NO_CUSTOMER: N_("No customer id"),
    GUEST: N_("Guest or placeholder id"),
    NO_DATE: N_("No date, or an impossible one"),
    NO_AMOUNT: N_("No amount that can be read"),
    DUPLICATE: N_("Exact duplicate of another row"),
    RETURN_DROPPED: N_("Return, dropped as the client file says"),
    IN_FUTURE: N_("Dated after today"),
    OUTSIDE_WINDOW: N_("Outside the reported window"),
}


@ibis.udf.agg.builtin(signature=((schema.TOTAL, "date"), schema.TOTAL))
def arg_min(amount: ir.Value, day: ir.Value) -> ir.Value:
    """The amount of the earliest day (DuckDB): `argmin` sorts each customer's days for it."""


def with_cause(
    rows: ir.Table,
    *,
    guest_ids: Sequence[str] = (),
    returns: Literal["net", "drop"] = "net",
    deduplicate: Literal["none", "exact"] = "none",
    start: dt.date | None = None,
    as_of: dt.date | None = None,
    today: dt.date | None = None,
) -> ir.Table:
    """The rows with their `day` and the `cause` for which each is left out, null where it is used.

    Parameters
    ----------
    rows : ibis Table
        Canonical rows (`data.schema`).
    guest_ids, returns, deduplicate
        As the client file says.
    start, as_of : date, optional
        The window; without one of them nothing is outside it on that side.
    today : date, optional
        The last day on which an order can have happened, where `as_of` doesn't say.
    """
    if schema.DAY not in rows.columns:
        rows = rows.mutate(day=rows[schema.TIME].date())
    customer, amount, day = rows[schema.CUSTOMER], rows[schema.AMOUNT], rows[schema.DAY]
    tests: list[tuple[ir.BooleanValue, str]] = [(customer.isnull() | (customer == ""), NO_CUSTOMER)]
    if guest_ids:
        tests.append((customer.isin([guest.strip() for guest in guest_ids]), GUEST))
    tests += [(rows[schema.TIME].isnull(), NO_DATE), (amount.isnull(), NO_AMOUNT)]
    if deduplicate == "exact":
        same = [c for c in rows.columns if c != schema.DAY]
        rows = rows.mutate(copy=ibis.row_number().over(group_by=same, order_by=schema.TIME))
        tests.append((rows["copy"] > 0, DUPLICATE))
    if returns == "drop":
        tests.append((amount < 0, RETURN_DROPPED))
    if as_of is None and today is not None:
        tests.append((day > ibis.date(today), IN_FUTURE))
    if start is not None:
        tests.append((day < ibis.date(start), OUTSIDE_WINDOW))
    if as_of is not None:
        tests.append((day > ibis.date(as_of), OUTSIDE_WINDOW))
    marked = rows.mutate(cause=ibis.cases(*tests, else_=ibis.null().cast("string")))
    return marked.drop("copy") if deduplicate == "exact" else marked


def used(marked: ir.Table) -> ir.Table:
    """The rows that count."""
    return marked.filter(marked[schema.CAUSE].isnull()).drop(schema.CAUSE)


def tally(marked: ir.Table) -> ir.Table:
    """All that is counted of the rows, in one pass over them.

    Parameters
    ----------
    marked : ibis Table
        All rows with their cause (`with_cause`).

    Returns
    -------
    ibis Table
        One row per customer, day and cause, and per order id and currency where there are such:
        rows, amount; returns and returned (number and sum of the negative rows); free (rows of
        exactly zero); second (of the day, of the first row); where birthdays are mapped, the
        earliest and the latest.
    """
    amount = marked[schema.AMOUNT]
    keys = [schema.CUSTOMER, schema.DAY, schema.CAUSE]
    keys += [key for key in (schema.ORDER, schema.CURRENCY) if key in marked.columns]
    is_return = amount < 0
    return marked.group_by(keys).aggregate(
        rows=marked.count(),
        amount=_exact(amount.sum()),
        returns=marked.count(where=is_return),
        returned=_exact(amount.sum(where=is_return)),
        free=marked.count(where=amount == 0),
        second=_second_of_day(marked[schema.TIME].min()),
        **_birthdays(marked, schema.BIRTHDAY, schema.BIRTHDAY),
    )


def _second_of_day(time: ir.TimestampValue) -> ir.IntegerValue:
    """A number, not a time: engines differ in what they make of a time without zone."""
    return (time.hour() * 3600 + time.minute() * 60 + time.second()).cast("int32")


def _birthdays(rows: ir.Table, first: str, last: str) -> dict[str, ir.Value]:
    """The earliest and the latest birthday of these rows, where they have one at all."""
    if first not in rows.columns:
        return {}
    return {schema.BIRTHDAY: rows[first].min(), schema.OTHER_BIRTHDAY: rows[last].max()}


def counts_by_cause(tallied: ir.Table) -> ir.Table:
    """Rows, amount, first and last day by cause; a null cause is the used rows."""
    return tallied.group_by(schema.CAUSE).aggregate(
        rows=tallied.rows.sum(),
        amount=tallied[schema.AMOUNT].sum().cast("float64"),
        first=tallied[schema.DAY].min(),
        last=tallied[schema.DAY].max(),
    )


def order_days(tallied: ir.Table) -> ir.Table:
    """The used rows by customer, day and, where there is one, order id."""
    rows = used(tallied)
    if schema.CURRENCY not in rows.columns:
        return rows
    keys = [key for key in (schema.CUSTOMER, schema.DAY, schema.ORDER) if key in rows.columns]
    return _summed(rows, keys)


def by_dimension(rows: ir.Table, dimension: str) -> ir.Table:
    """The used rows by customer, day and what they have in a dimension, such as the market.

    Returns
    -------
    ibis Table
        customer, day, group (null where the row has none), rows, amount.
    """
    return rows.group_by(schema.CUSTOMER, schema.DAY, group=rows[dimension]).aggregate(
        rows=rows.count(), amount=_exact(rows[schema.AMOUNT].sum())
    )


def customer_days(days: ir.Table, *, free_orders: bool = False) -> ir.Table:
    """One row per customer and day: its net amount, and whether it is a purchase (`bought`).

    A day with a net amount > 0 is a purchase; one left at or below zero by returns is none, yet
    counts in revenue. The published CDNOW figures also count orders of exactly zero.

    Parameters
    ----------
    days : ibis Table
        `order_days`.
    free_orders : bool
        Whether a day of exactly zero on which nothing was returned is a purchase too.
    """
    if schema.ORDER in days.columns:
        days = _summed(days, [schema.CUSTOMER, schema.DAY])
    amount = days[schema.AMOUNT]
    bought = amount > 0
    if free_orders:
        bought = bought | ((amount == 0) & (days.returns == 0))
    return days.select(schema.CUSTOMER, schema.DAY, schema.AMOUNT, "rows", bought=bought)


def orders(days: ir.Table) -> ir.Table:
    """One row per order: all rows of one order id and customer, else of one customer and day.

    Parameters
    ----------
    days : ibis Table
        `order_days`; of an order that they don't have whole, what they have.

    Returns
    -------
    ibis Table
        customer, order_key, day and second (of that day) of the first row, amount.
    """
    # prefixed, so that an order id that looks like a day isn't taken for one
    key = ibis.literal("day ") + days[schema.DAY].cast("string")
    if schema.ORDER not in days.columns:
        return days.select(schema.CUSTOMER, schema.DAY, schema.AMOUNT, "second", order_key=key)
    key = (ibis.literal("order ") + days[schema.ORDER]).coalesce(key)
    # the earliest day's second: an order may go on the day after
    since = days[schema.DAY].delta(ibis.date(schema.FIRST_POSSIBLE_DAY), unit="day")
    moment = since.cast("int64") * SECONDS_A_DAY + days.second
    return (
        days.mutate(order_key=key)
        .group_by([schema.CUSTOMER, "order_key"])
        .aggregate(
            day=days[schema.DAY].min(),
            amount=days[schema.AMOUNT].sum(),
            second=(moment.min() % SECONDS_A_DAY).cast("int32"),
        )
    )


def _summed(days: ir.Table, keys: list[str]) -> ir.Table:
    return days.group_by(keys).aggregate(
        rows=days.rows.sum(),
        amount=_exact(days[schema.AMOUNT].sum()),
        returns=days.returns.sum(),
        returned=_exact(days.returned.sum()),
        free=days.free.sum(),
        second=days.second.min(),
        **_birthdays(days, schema.BIRTHDAY, schema.OTHER_BIRTHDAY),
    )


def _exact(total: ir.DecimalValue) -> ir.DecimalValue:
    """A sum in the one type that every engine gives it back in."""
    return total.cast(schema.TOTAL)


def purchases(days: ir.Table) -> ir.Table:
    """The customer-days that are purchases.

    Returns
    -------
    ibis Table
        The columns of `customer_days`; number, 0, 1, 2 … within each customer; first, the day of
        the customer's first purchase; following, that of the next, null where there is none.
    """
    bought = days.filter(days[schema.BOUGHT])
    in_order = ibis.window(group_by=schema.CUSTOMER, order_by=schema.DAY)
    day = bought[schema.DAY]
    return bought.mutate(
        number=ibis.row_number().over(in_order),
        first=day.first().over(in_order),
        following=day.lead().over(in_order),
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
        purchases=days.count(where=bought),
        spent=amount.sum(where=bought),
        first_amount=arg_min(amount, day, where=bought),
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
    """`summary` as a frame (`as_frame`)."""
    return as_frame(ordered_summary(days, as_of, unit).to_pyarrow(), as_of, unit)


def ordered_summary(
    days: ir.Table, as_of: dt.date, unit: Literal["day", "week"] = "day"
) -> ir.Table:
    """`summary` in the order of the ids, its dates as times: what `as_frame` reads."""
    # as objects, a million dates take longer than all the rest
    table = summary(days, as_of, unit).order_by(schema.CUSTOMER)
    return table.mutate({name: table[name].cast("timestamp(0)") for name in ("first", "last")})


def as_frame(table: pa.Table, as_of: dt.date, unit: Literal["day", "week"]) -> pd.DataFrame:
    """`ordered_summary`, worked out, as a frame indexed by customer.

    The frame carries its ruler (`time_unit`), grain and end in `attrs`.
    """
    frame: pd.DataFrame = table.to_pandas().set_index(schema.CUSTOMER)
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
