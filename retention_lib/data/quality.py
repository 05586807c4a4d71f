"""What to look at in a client's rows before trusting what comes of them."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.purchases import (
    CAUSES,
    DUPLICATE,
    GUEST,
    IN_FUTURE,
    NO_AMOUNT,
    NO_CUSTOMER,
    NO_DATE,
    OUTSIDE_WINDOW,
    RETURN_DROPPED,
)
from retention_lib.data.totals import totals
from retention_lib.sentence import N_

#: The key of the client file that changes how many rows are left out, by cause.
KEYS: Final[dict[str, str]] = {
    NO_CUSTOMER: "columns",
    GUEST: "guest_ids",
    NO_DATE: "csv",
    NO_AMOUNT: "csv",
    DUPLICATE: "deduplicate",
    RETURN_DROPPED: "returns",
    IN_FUTURE: "as_of",
    OUTSIDE_WINDOW: "start, as_of",
}

#: A line of totals stands alone or among so few, under at least so many rows, and may be off by
#: this share: what it adds up isn't always what is read.
TOTALS_LINES: Final = 5
TOTALS_OF: Final = 20
TOTALS_OFF: Final = 0.05

#: Beside the causes: the rows that count, and all of them.
USED: Final = N_("Used")
ALL: Final = N_("All rows")

#: Ids that stand for nobody in particular in many shop systems.
PLACEHOLDERS: Final = (
    *("", "0", "-1", "1", "999999", "9999999", "99999999"),
    *("(blank)", "null", "none", "nan", "n/a", "na", "unknown", "guest", "anonymous", "test"),
    *("gjest", "gjestekunde", "gæst", "gäst", "ukjent", "ukendt", "okänd", "kontant"),
)

#: Tests are the exception; with more of all orders than this, such ids are how the shop has them,
#: as in an export that was made anonymous.
TESTS_AT_MOST: Final = 0.1

#: Ids of tests: a word for one, alone, numbered or before an address; an address for examples.
_TESTS: Final = (
    r"^(test|tester|testkunde|testkund|testbruker|testbruger|testuser|testcustomer|demo|dummy)"
    r"[ ._+-]?\d*(@.*)?$|@(example|test)\.[a-z]{2,4}$"
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
        read; NaN where there is none, or where it is a line of totals), key (of the client file,
        that changes it).
    """
    left_out = _left_out(base)
    total = used_amount(base) + float(left_out["amount"].sum())
    return pd.DataFrame(
        {
            "cause": [CAUSES[c] for c in left_out["cause"]],
            "rows": left_out["rows"].astype(int),
            "share_of_rows": left_out["rows"] / base.rows_in,
            "amount": left_out["amount"],
            "share_of_amount": left_out["amount"] / total if total else math.nan,
            "key": [KEYS[c] for c in left_out["cause"]],
        }
    )


def account(base: Base) -> pd.DataFrame:
    """What became of every row: used, or left out by cause, and the sum of all.

    Returns
    -------
    DataFrame
        As `reasons`, with the used rows first and all rows last; their key is None. The amount of
        all is of those that could be read.
    """
    out = reasons(base)
    used = used_amount(base)
    total = used + float(out["amount"].sum())
    ends = [
        {
            "cause": cause,
            "rows": rows,
            "share_of_rows": rows / base.rows_in,
            "amount": amount,
            "share_of_amount": amount / total if total else math.nan,
            "key": None,
        }
        for cause, rows, amount in ((USED, base.rows_used, used), (ALL, base.rows_in, total))
    ]
    frames = [pd.DataFrame(ends[:1]), *([] if out.empty else [out]), pd.DataFrame(ends[1:])]
    return pd.concat(frames, ignore_index=True)


def _left_out(base: Base) -> pd.DataFrame:
    """`Base.left_out`, a line of totals without its amount: the sum of all is none of them."""
    left_out = base.left_out
    if totals := totals_line(base):
        return left_out.assign(amount=left_out["amount"].mask(left_out["cause"] == totals))
    return left_out


def totals_line(base: Base) -> str | None:
    """The cause for which a line of totals, as stands under many exports, was left out.

    It has no date or no customer, and is worth as much as all other rows together.
    """
    rows, amounts = _by_cause(base, "rows"), _by_cause(base, "amount")
    everything = used_amount(base) + float(base.left_out["amount"].sum())
    for cause in (NO_CUSTOMER, NO_DATE):
        if 0 < rows.get(cause, 0) <= TOTALS_LINES and base.rows_in >= TOTALS_OF:
            others = everything - amounts[cause]
            if abs(amounts[cause] - others) <= TOTALS_OFF * others:
                return cause
    return None


def _by_cause(base: Base, what: str) -> dict[str, float]:
    return dict(zip(base.left_out["cause"], base.left_out[what], strict=True))


def used_amount(base: Base) -> float:
    """The sum of the used rows, returns included; 0 of none."""
    return float(totals(base)["amount"])


def placeholders(base: Base) -> pd.DataFrame:
    """Ids that are likely no single customer: of nobody, of tests, or with too many orders for one.

    Returns
    -------
    DataFrame
        customer, orders, share (of all orders), most orders first.
    """
    orders = base.orders()
    per_customer = orders.group_by(schema.CUSTOMER).aggregate(orders=orders.count())
    of_all = per_customer.aggregate(total=per_customer.orders.sum(), customers=per_customer.count())
    each = per_customer.cross_join(of_all)
    customer, count, total = each[schema.CUSTOMER], each.orders, each.total
    low = customer.lower()
    named = low.isin([p for p in PLACEHOLDERS if p != FIRST_NUMBER])
    is_test = low.re_search(_TESTS)
    stands_out = (count > IMPLAUSIBLE_SHARE * total) & (
        count * (each.customers - 1) >= IMPLAUSIBLE_TIMES * (total - count)
    )
    busy = (count >= IMPLAUSIBLE_ORDERS) & stands_out
    first = (customer == FIRST_NUMBER) & (count >= FIRST_NUMBER_ORDERS) & stands_out
    found = each.filter(named | is_test | busy | first).select(
        schema.CUSTOMER, "orders", "total", is_test=is_test & ~(named | busy | first)
    )
    frame = found.to_pyarrow().to_pandas()
    tests = frame["is_test"].astype(bool)
    if (frame.loc[tests, "orders"].sum() > TESTS_AT_MOST * frame["total"]).any():
        frame = frame[~tests]
    frame = frame.sort_values(
        ["orders", schema.CUSTOMER], ascending=[False, True], ignore_index=True
    )
    share = frame["orders"] / frame["total"]
    return frame.drop(columns=["is_test", "total"]).assign(share=share)


def without_purchase(base: Base) -> int:
    """Customers with used rows but no purchase: all their days net to zero or less."""
    days = base.days
    customer = days[schema.CUSTOMER]
    found = days.aggregate(
        all=customer.nunique(), buyers=customer.nunique(where=days[schema.BOUGHT])
    )
    (row,) = found.to_pyarrow().to_pylist()
    return int(row["all"] - row["buyers"])
