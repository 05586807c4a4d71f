"""What to look at in a client's rows before trusting what comes of them."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.purchases import CAUSES

#: Ids that stand for nobody in particular in many shop systems.
PLACEHOLDERS: Final = (
    *("", "0", "-1", "1", "999999", "9999999", "99999999"),
    *("(blank)", "null", "none", "nan", "n/a", "na", "unknown", "guest", "anonymous", "test"),
    *("gjest", "gjestekunde", "gæst", "gäst", "ukjent", "ukendt", "okänd", "kontant"),
)

#: One id with this share of all orders, this many, and this many times as many as the others have
#: on average is likely not one person. Without the last, every customer of a wholesaler with twenty
#: customers would be accused.
IMPLAUSIBLE_SHARE: Final = 0.02
IMPLAUSIBLE_ORDERS: Final = 100
IMPLAUSIBLE_TIMES: Final = 10

#: Ids that stand for somebody where a small shop numbers from 1, and are named from this many
#: orders on, where they stand out as above.
FIRST_NUMBER: Final = "1"
FIRST_NUMBER_ORDERS: Final = 20


def reasons(base: Base) -> pd.DataFrame:
    """The rows left out by cause, with their shares.

    Returns
    -------
    DataFrame
        cause (in words), rows, share_of_rows, amount, share_of_amount (of all amounts that could be
        read; None where there is none).
    """
    left_out = base.left_out
    used_amount = float(
        base.rows.aggregate(amount=base.rows[schema.AMOUNT].sum().cast("float64"))
        .execute()["amount"]
        .iloc[0]
    )
    total = used_amount + float(left_out["amount"].sum())
    return pd.DataFrame(
        {
            "cause": [CAUSES[c] for c in left_out["cause"]],
            "rows": left_out["rows"].astype(int),
            "share_of_rows": left_out["rows"] / base.rows_in,
            "amount": left_out["amount"],
            "share_of_amount": left_out["amount"] / total if total else math.nan,
        }
    )


def placeholders(base: Base) -> pd.DataFrame:
    """Ids that are likely no single customer: known names of nobody, or too many orders for one.

    Returns
    -------
    DataFrame
        customer, orders, share (of all orders), most orders first.
    """
    orders = base.orders()
    per_customer = orders.group_by(schema.CUSTOMER).aggregate(orders=orders.count())
    sums = per_customer.aggregate(
        orders=per_customer.orders.sum(), customers=per_customer.count()
    ).execute()
    total, customers = (int(sums[name].iloc[0]) for name in ("orders", "customers"))
    customer, count = per_customer[schema.CUSTOMER], per_customer.orders
    named = customer.lower().isin([p for p in PLACEHOLDERS if p != FIRST_NUMBER])
    stands_out = (count > IMPLAUSIBLE_SHARE * total) & (
        count * (customers - 1) >= IMPLAUSIBLE_TIMES * (total - count)
    )
    busy = (count >= IMPLAUSIBLE_ORDERS) & stands_out
    first = (customer == FIRST_NUMBER) & (count >= FIRST_NUMBER_ORDERS) & stands_out
    frame = per_customer.filter(named | busy | first).execute()
    frame = frame.sort_values(
        ["orders", schema.CUSTOMER], ascending=[False, True], ignore_index=True
    )
    return frame.assign(share=frame["orders"] / total)


def without_purchase(base: Base) -> int:
    """Customers with used rows but no purchase: all their days net to zero or less."""
    days = base.days
    per_customer = days.group_by(schema.CUSTOMER).aggregate(bought=days[schema.BOUGHT].any())
    return int(per_customer.filter(~per_customer.bought).count().execute())
