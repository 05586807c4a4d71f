"""From rows to purchases, as CONTRACT, section 3 defines it, in lists and dicts.

Slow and plain on purpose: it reads like the definition, and tests compare the engine with it on
rows that hypothesis makes up. Amounts are exact fractions of the decimals that were written.

**A row** is a dict by field: `customer`, `date`, and `amount` or both `quantity` and `unit_price`;
optional `order`, `currency` and further mapped columns, which matter for exact duplicates only.

**Why a row is left out.** It has exactly one cause, the first that holds in this order:

1. `no_customer`: the customer is missing or blank
2. `guest`: the customer is one of `guest_ids`
3. `no_date`: the date is missing or no day of the calendar
4. `no_amount`: the amount (or a factor of it) is missing, no number, NaN or infinite
5. `duplicate`: with `deduplicate="exact"`, equal in every field to an earlier row that got this far
6. `return_dropped`: with `returns="drop"`, the amount is below 0
7. `in_future`: after `today`, where `as_of` isn't given
8. `outside_window`: before `start` or after `as_of`

What is left is used. Revenue counts all used rows, with `returns="net"` the negative ones too.

**Without `start` or `as_of`** the window runs from the first to the last day of the rows that have
none of the causes 1 to 7.

**A day** is the date in `timezone` where a time carries a zone, else the date as it stands.

**An order** is all used rows of one order id and customer; a row without an id belongs to the order
of its customer and day. An order's day is that of its earliest row.

**A purchase** is a customer-day whose used rows add up to more than 0; with `free_orders` also one
that adds up to exactly 0 without a row below 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

CAUSES = (
    "no_customer",
    "guest",
    "no_date",
    "no_amount",
    "duplicate",
    "return_dropped",
    "in_future",
    "outside_window",
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Used:
    """A row that counts."""

    customer: str
    order: str | None
    day: date
    amount: Fraction


@dataclass(frozen=True)
class Order:
    customer: str
    order: str | None
    day: date
    amount: Fraction


@dataclass(frozen=True)
class Purchase:
    customer: str
    day: date
    amount: Fraction


@dataclass(frozen=True)
class Customer:
    """One line of the summary; times in days, amounts in the report's currency."""

    customer: str
    first: date
    last: date
    frequency: int
    recency: int
    T: int
    monetary_value: Fraction | None
    purchases: int
    revenue: Fraction
    amount_mean: Fraction


@dataclass(frozen=True)
class LeftOut:
    rows: int
    amount: Fraction
    """Sum of the amounts that are known."""


@dataclass(frozen=True)
class Result:
    start: date | None
    as_of: date | None
    used: list[Used]
    orders: list[Order]
    purchases: list[Purchase]
    customers: list[Customer]
    left_out: dict[str, LeftOut]
    """Every cause, those without a row too."""


def from_rows(
    rows: Sequence[Row],
    *,
    currency: str = "USD",
    returns: str = "net",
    deduplicate: str = "none",
    fx: Mapping[str, float] | None = None,
    timezone: str = "UTC",
    guest_ids: Sequence[str] = (),
    start: str | date | None = None,
    as_of: str | date | None = None,
    free_orders: bool = False,
    today: str | date | None = None,
) -> Result:
    """Used rows, orders, purchases and customers, and what was left out and why.

    Orders, purchases and customers are sorted by customer, then by day; used rows keep their order.

    Raises
    ------
    ValueError
        A currency in the data without a rate; the sentence names it.
    """
    rates = {currency: Fraction(1)} | {c: Fraction(str(r)) for c, r in (fx or {}).items()}
    for row in rows:
        found = row.get("currency")
        if not _missing(found) and found not in rates:
            raise ValueError(f"The data has amounts in {found}; give its rate in `fx`.")

    guests = {str(guest).strip() for guest in guest_ids}
    left_out: dict[str, list[Fraction]] = {cause: [] for cause in CAUSES}
    seen: list[dict[str, Any]] = []
    candidates: list[Used] = []
    for row in rows:
        customer = "" if _missing(row.get("customer")) else str(row["customer"]).strip()
        day = day_of(row.get("date"), timezone)
        amount = amount_of(row, rates, currency)
        if customer == "":
            cause = "no_customer"
        elif customer in guests:
            cause = "guest"
        elif day is None:
            cause = "no_date"
        elif amount is None:
            cause = "no_amount"
        elif deduplicate == "exact" and _without_nan(row) in seen:
            cause = "duplicate"
        else:
            seen.append(_without_nan(row))
            if returns == "drop" and amount < 0:
                cause = "return_dropped"
            elif as_of is None and today is not None and day > _as_date(today):
                cause = "in_future"
            else:
                order = None if _missing(row.get("order")) else str(row["order"])
                candidates.append(Used(customer, order, day, amount))
                continue
        left_out[cause].append(amount or Fraction(0))

    days = [row.day for row in candidates]
    first_day = _as_date(start) if start is not None else min(days, default=None)
    last_day = _as_date(as_of) if as_of is not None else max(days, default=None)
    used: list[Used] = []
    for row in candidates:
        if first_day is not None and last_day is not None and first_day <= row.day <= last_day:
            used.append(row)
        else:
            left_out["outside_window"].append(row.amount)

    purchases = purchases_of(used, free_orders)
    return Result(
        start=first_day,
        as_of=last_day,
        used=used,
        orders=orders_of(used),
        purchases=purchases,
        customers=[] if last_day is None else customers_of(used, purchases, last_day),
        left_out={
            cause: LeftOut(len(amounts), sum(amounts, Fraction(0)))
            for cause, amounts in left_out.items()
        },
    )


def orders_of(used: Sequence[Used]) -> list[Order]:
    """Rows of one order id and customer; without an id, of one customer and day."""
    groups: dict[tuple[Any, ...], list[Used]] = defaultdict(list)
    for row in used:
        groups[(row.customer, row.order, row.day if row.order is None else None)].append(row)
    orders = [
        Order(rows[0].customer, rows[0].order, min(r.day for r in rows), _total(rows))
        for rows in groups.values()
    ]
    return sorted(orders, key=lambda o: (o.customer, o.day, o.order or ""))


def purchases_of(used: Sequence[Used], free_orders: bool = False) -> list[Purchase]:
    """Customer-days that add up to more than 0, or with `free_orders` to 0 without a return."""
    groups: dict[tuple[str, date], list[Used]] = defaultdict(list)
    for row in used:
        groups[(row.customer, row.day)].append(row)
    return [
        Purchase(customer, day, _total(rows))
        for (customer, day), rows in sorted(groups.items())
        if _total(rows) > 0
        or (free_orders and _total(rows) == 0 and all(row.amount >= 0 for row in rows))
    ]


def customers_of(
    used: Sequence[Used], purchases: Sequence[Purchase], as_of: date
) -> list[Customer]:
    """One line per customer with a purchase."""
    by_customer: dict[str, list[Purchase]] = defaultdict(list)
    for purchase in purchases:  # sorted by day
        by_customer[purchase.customer].append(purchase)
    summary = []
    for customer, own in sorted(by_customer.items()):
        amounts = [purchase.amount for purchase in own]
        repeats = amounts[1:]
        summary.append(
            Customer(
                customer=customer,
                first=own[0].day,
                last=own[-1].day,
                frequency=len(repeats),
                recency=(own[-1].day - own[0].day).days,
                T=(as_of - own[0].day).days,
                monetary_value=sum(repeats) / Fraction(len(repeats)) if repeats else None,
                purchases=len(own),
                revenue=_total([row for row in used if row.customer == customer]),
                amount_mean=sum(amounts) / Fraction(len(amounts)),
            )
        )
    return summary


def day_of(value: Any, timezone: str) -> date | None:
    """The day in `timezone`; None where there is none, or it isn't in the calendar."""
    if _missing(value):
        return None
    if not isinstance(value, date):  # a datetime is a date too
        try:
            value = datetime.fromisoformat(str(value).strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return value
    return (value.astimezone(ZoneInfo(timezone)) if value.tzinfo else value).date()


def amount_of(row: Row, rates: Mapping[str, Fraction], currency: str) -> Fraction | None:
    """The amount in `currency`; None where it isn't known."""
    if "amount" in row:
        amount = number_of(row["amount"])
    else:
        quantity, price = number_of(row.get("quantity")), number_of(row.get("unit_price"))
        amount = None if quantity is None or price is None else quantity * price
    if amount is None:
        return None
    found = row.get("currency")
    return amount * rates[currency if _missing(found) else found]


def number_of(value: Any) -> Fraction | None:
    """The exact value of the decimal that was written; None where it is no finite number."""
    if _missing(value):
        return None
    try:
        number = Decimal(str(value).strip())
    except ArithmeticError:
        return None
    return Fraction(number) if number.is_finite() else None


def _total(rows: Sequence[Used]) -> Fraction:
    return sum((row.amount for row in rows), Fraction(0))


def _missing(value: Any) -> bool:
    """None, NaN, NaT, or blank text."""
    if value is None or (isinstance(value, str) and value.strip() == ""):
        return True
    return (isinstance(value, float) and math.isnan(value)) or value != value


def _without_nan(row: Row) -> dict[str, Any]:
    """The row so that two of its kind compare equal: missing is missing, however written."""
    return {field: None if _missing(value) else value for field, value in row.items()}


def _as_date(value: str | date) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
