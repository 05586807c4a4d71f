"""Which categories customers have and which they buy next, counted in the engine.

A customer's categories are the bits of one whole number, so that customers with one history are one
row with their number, whatever the shop's size; `retention.pairs` does the rest.

A category is bought on a purchase (a customer-day, see `data.purchases`) on which its rows add up
to more than 0. The `MOST` categories with the most customers stand by themselves, the others
together are one more. Rows without a category say nothing.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis.util import gen_name

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import shift_months
from retention_lib.smallest import SMALLEST

#: Categories that stand by themselves.
MOST: Final = 15

#: Days within which a customer takes up a category, or doesn't.
DAYS: Final = 90
#: Such windows, one before the other: a year, where the data has it, so that no season rules.
WINDOWS: Final = 4

#: Customers are alike who bought as many times, between two of these numbers …
OFTEN: Final = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
#: … and whose last purchase is as old, by these days.
QUIET: Final = (30, 90)


@dataclass(frozen=True)
class Purchases:
    """The purchases of a base with the categories bought on them.

    Parameters
    ----------
    names : tuple of str
        The categories that stand by themselves, most customers first; bit i is category i, the bit
        after the last is any other category.
    days : ibis Table
        customer, day, number (0, 1, 2 … within the customer), bits.
    """

    names: tuple[str, ...]
    days: ir.Table


def purchases_of(base: Base) -> Purchases:
    """The purchases of a base by category, worked out once in its engine.

    Raises
    ------
    DataError
        The category isn't mapped.
    """
    bought = base.purchases().select(schema.CUSTOMER, schema.DAY, "number", whole=schema.AMOUNT)
    both = bought.left_join(base.by("category"), [schema.CUSTOMER, schema.DAY])
    counts = (both[schema.AMOUNT] > 0) | (both.whole == 0)
    engine = both.get_backend()
    # kept, for the sizes must be known before the bits can be given out
    lines = engine.create_table(
        gen_name("what_next"),
        both.select(
            schema.CUSTOMER, schema.DAY, "number", group=counts.ifelse(both["group"], ibis.null())
        ),
        temp=True,
    )
    names = _names(lines)
    codes = [(lines["group"] == name, ibis.literal(1 << i)) for i, name in enumerate(names)]
    codes.append((lines["group"].notnull(), ibis.literal(1 << len(names))))
    coded = lines.mutate(bit=ibis.cases(*codes, else_=0).cast("int64"))
    days = coded.group_by(schema.CUSTOMER, schema.DAY, "number").aggregate(bits=coded.bit.bit_or())
    kept = engine.create_table(gen_name("what_next"), days, temp=True)
    return Purchases(names, kept)


def _names(lines: ir.Table) -> tuple[str, ...]:
    """The categories with the most customers; the name orders equals, so that a rerun is alike."""
    each = lines.filter(lines["group"].notnull()).select(schema.CUSTOMER, "group").distinct()
    sizes = each.group_by("group").aggregate(customers=each.count())
    frame = sizes.filter(sizes.customers >= SMALLEST).to_pyarrow().to_pandas()
    frame = frame.sort_values(["customers", "group"], ascending=[False, True])
    return tuple(frame["group"].head(MOST))


def windows_of(base: Base) -> list[dt.date]:
    """The last day before each window, the latest window first.

    Before each lie at least as many days as in a window, for a customer's categories to be known.
    """
    days = [base.as_of - dt.timedelta(days=DAYS * n) for n in range(1, WINDOWS + 1)]
    return [day for day in days if (day - base.start).days + 1 >= DAYS]


def second_purchases(bought: Purchases) -> pd.DataFrame:
    """Count customers by held (bits of the first purchase) and next (of the second): n.

    Customers with a purchase on which no row names a category aren't among them.
    """
    days = bought.days
    people = days.group_by(schema.CUSTOMER).aggregate(
        held=days.bits.max(where=days.number == 0), next=days.bits.max(where=days.number == 1)
    )
    people = people.filter((people.held > 0) & (people.next > 0))
    return _frame(people.group_by("held", "next").aggregate(n=people.count()))


def taken_up(base: Base, bought: Purchases) -> pd.DataFrame:
    """What active customers had and what they bought in the windows after it.

    Returns
    -------
    DataFrame
        One row per window and history: window (0 the latest), often, quiet (how many of `OFTEN`
        and of `QUIET` are reached), held, next (bits), n (customers).
    """
    found = []
    for number, opens in enumerate(windows_of(base)):
        people = _standing(base, bought.days, opens)
        counted = people.group_by("often", "quiet", "held", "next").aggregate(n=people.count())
        found.append(_frame(counted).assign(window=number))
    columns = ["window", "often", "quiet", "held", "next", "n"]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="int64") for name in columns})
    return pd.concat(found, ignore_index=True)[columns]


def held_now(base: Base, bought: Purchases) -> ir.Table:
    """One row per customer, held: the categories that active customers have on the report's day."""
    return _standing(base, bought.days, base.as_of).select(schema.CUSTOMER, "held")


def _standing(base: Base, days: ir.Table, opens: dt.date) -> ir.Table:
    """One row per customer active on a day: often, quiet, held on it, next bought in the window."""
    until = ibis.date(opens + dt.timedelta(days=DAYS))
    seen = days.filter(days[schema.DAY] <= until)
    day = seen[schema.DAY]
    known = day <= ibis.date(opens)
    since = ibis.date(shift_months(opens, -base.params.active_months))
    people = seen.group_by(schema.CUSTOMER).aggregate(
        times=seen.count(where=known & (day > since)),
        away=ibis.date(opens).delta(day.max(where=known), unit="day"),
        held=seen.bits.bit_or(where=known).fill_null(0),
        next=seen.bits.bit_or(where=~known).fill_null(0),
    )
    people = people.filter((people.times > 0) & (people.held > 0))
    return people.select(
        schema.CUSTOMER,
        "held",
        "next",
        often=_reached(people.times, OFTEN),
        quiet=_reached(people.away - 1, QUIET),
    )


def _reached(value: ir.Value, steps: tuple[int, ...]) -> ir.Value:
    """How many of the steps a value has reached."""
    return sum((value >= step).cast("int64") for step in steps)


def _frame(table: ir.Table) -> pd.DataFrame:
    # in one order, so that sums come out the same
    return table.order_by(table.columns).to_pyarrow().to_pandas().astype("int64")
