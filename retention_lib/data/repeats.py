"""Orders whose rows differ and have one amount all the same."""

from __future__ import annotations

from typing import Any, Final

import ibis
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.totals import totals

#: One amount on all rows is chance in a few orders; fewer than this tell nothing.
REPEATING_ORDERS: Final = 20
#: Customers whose orders are asked: how an export writes its amounts shows in a part of it.
CUSTOMERS: Final = 500

_BEYOND_A_LINE: Final = ("product", "category", "channel", "market")


def orders_of_one_amount(base: Base) -> dict[str, Any] | None:
    """How many orders with rows that differ were looked at, and of how many they have one amount.

    Returns
    -------
    dict or None
        n; same (of them, those with one amount); times (their rows on average). None where the
        rows of an order can't be told apart, or too few orders have several.
    """
    return base.fact("repeats", lambda: _counted(base))


def _counted(base: Base) -> dict[str, Any] | None:
    # the source is read again only where there is something to find, and grouped of a part only
    if totals(base)["several"] < REPEATING_ORDERS:
        return None
    days = base.order_days
    several = days.filter(days.rows > 1)
    lines = base.rows
    beyond = [name for name in _BEYOND_A_LINE if name in lines.columns]
    if not beyond:
        return None
    asked = several.select(schema.CUSTOMER).distinct().order_by(schema.CUSTOMER).limit(CUSTOMERS)
    ids = asked.to_pyarrow()[schema.CUSTOMER].to_pylist()
    orders = _of_differing_lines(lines.filter(lines[schema.CUSTOMER].isin(ids)), beyond)
    found = orders.aggregate(
        n=orders.count(),
        same=orders.count(where=orders.least == orders.most),
        rows=orders.rows.sum(where=orders.least == orders.most),
    )
    row = base.source_rows.first(found)
    n, same, rows = (int(row[name] or 0) for name in ("n", "same", "rows"))
    return {"n": n, "same": same, "times": rows / same if same else None}


def _of_differing_lines(lines: ir.Table, beyond: list[str]) -> ir.Table:
    """Orders whose rows aren't all alike: number of rows, least and largest amount."""
    keys = [key for key in (schema.CUSTOMER, schema.DAY, schema.ORDER) if key in lines.columns]
    what = ibis.literal("")
    for name in beyond:
        what = what + "\1" + lines[name].fill_null("")
    amount = lines[schema.AMOUNT]
    # of goods given free, and of returns, equal amounts tell nothing
    lines = lines.mutate(what=what).filter(amount > 0)
    orders = lines.group_by(keys).aggregate(
        rows=lines.count(),
        kinds=lines.what.nunique(),
        least=lines[schema.AMOUNT].min(),
        most=lines[schema.AMOUNT].max(),
    )
    return orders.filter(orders.kinds > 1)
