"""What was paid: in which unit and currency, and what was free or given back."""

from __future__ import annotations

from typing import Final

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.data.quality import without_purchase
from retention_lib.data.totals import totals
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence, counted, together

#: Returns above this share of what was sold are more than returns usually are.
MANY_RETURNS: Final = 0.15

#: In currencies of which an ordinary order is far below this: half of all orders above it and not
#: one amount with decimals may be hundredths.
HUNDREDTHS: Final = {
    **{"NOK": "øre", "DKK": "øre", "SEK": "öre"},
    **{"EUR": "cents", "USD": "cents", "GBP": "pence"},
}
LARGE_ORDER: Final = 10_000
ORDERS_TO_TELL: Final = 100


def minor_units(base: Base) -> Concern | None:
    """Amounts that may be øre or cents. A shop of dear things looks the same, so it is asked."""
    unit = HUNDREDTHS.get(base.params.currency)
    if unit is None:
        return None
    orders = base.orders()
    sold = orders.filter(orders.amount > 0)
    amount = sold.amount.cast("float64")
    found = sold.aggregate(
        n=sold.count(), typical=amount.median(), broken=(amount != amount.floor()).sum()
    )
    row = found.to_pyarrow().to_pylist()[0]
    if row["n"] < ORDERS_TO_TELL or row["broken"] or row["typical"] < LARGE_ORDER:
        return None
    said = Sentence(
        "Half of the {n} orders are above {typical}, and no amount has decimals: are they {unit}? "
        "Then every figure in money is a hundred times too large; have whole {currency} exported.",
        n=int(row["n"]),
        typical=Metric(float(row["typical"]), "currency"),
        unit=unit,
        currency=base.params.currency,
    )
    return Concern("minor_units", said, "columns")


def returns(base: Base) -> Concern | None:
    """Rows below zero, and what they are worth beside what was sold."""
    sums = totals(base)
    n, back = int(sums["returns"]), sums["returned"]
    sold = sums["amount"] - back
    if not n:
        return None
    values = {"back": Metric(float(-back), "currency")}
    if sold <= 0:
        said = counted(
            n,
            "One row is a return, worth {back}, and nothing is sold.",
            "{n} rows are returns, worth {back}, and nothing is sold. Do sales have a minus in the "
            "export?",
            **values,
        )
        return Concern("returns", said, "returns")
    share = Metric(float(-back / sold), "share")
    if -back / sold > MANY_RETURNS:
        said = counted(
            n,
            "One row is a return, worth {back}, {share} of what was sold: more than returns "
            "usually are. Is it a cancellation, or a payment?",
            "{n} rows are returns, worth {back}, {share} of what was sold: more than returns "
            "usually are. Are they cancellations, or payments?",
            **values,
            share=share,
        )
    else:
        said = counted(
            n,
            "One row is a return or cancellation, worth {back}, {share} of what was sold. It "
            "lowers the day on which it stands.",
            "{n} rows are returns or cancellations, worth {back}, {share} of what was sold. Each "
            "lowers the day on which it stands.",
            **values,
            share=share,
        )
    return Concern("returns", said, "returns")


def zeros(base: Base) -> Concern | None:
    """Rows of exactly zero, and the days of a customer that they make up alone.

    Only the days matter: a gift beside what was paid for changes nothing.
    """
    n = int(totals(base)["free"])
    if not n:
        return None
    share = Metric(n / base.rows_used, "share")
    whole = _free_days(base)
    if not whole:
        said = counted(
            n,
            "One row, {share}, has an amount of exactly zero, beside others that were paid for: "
            "it changes no count of purchases.",
            "{n} rows, {share}, have an amount of exactly zero, all beside others that were paid "
            "for: they change no count of purchases.",
            share=share,
        )
        return Concern("zero_amounts", said)
    rows = counted(
        n,
        "One row, {share}, has an amount of exactly zero.",
        "{n} rows, {share}, have an amount of exactly zero.",
        share=share,
    )
    if base.params.free_orders:
        days = counted(
            whole,
            "One day of a customer consists of nothing else and counts as a purchase, as the "
            "client file says.",
            "{n} days of a customer consist of nothing else and count as purchases, as the "
            "client file says.",
        )
    else:
        days = counted(
            whole,
            "One day of a customer consists of nothing else and is no purchase.",
            "{n} days of a customer consist of nothing else and are no purchases.",
        )
    said = together(rows, days)
    return Concern("zero_amounts", said, "free_orders")


def _free_days(base: Base) -> int:
    """Customer-days of exactly zero without a return: those that `free_orders` turns."""
    days = base.order_days
    per_day = days.group_by([schema.CUSTOMER, schema.DAY]).aggregate(
        amount=days[schema.AMOUNT].sum(), returns=days.returns.sum()
    )
    free = per_day.filter((per_day.amount == 0) & (per_day.returns == 0))
    return int(free.count().to_pyarrow().as_py())


def no_purchase(base: Base) -> Concern | None:
    """Customers of whose days none is a purchase."""
    n = without_purchase(base)
    if not n:
        return None
    said = counted(
        n,
        "One customer has rows but no purchase: every day nets to zero or less. It counts in "
        "revenue, not among the customers.",
        "{n} customers have rows but no purchase: their days all net to zero or less. They count "
        "in revenue, not as customers.",
    )
    return Concern("no_purchase", said, "free_orders")


def currencies(base: Base) -> list[Concern]:
    """Currencies beside the report's, and rows that name none."""
    own, counts = base.params.currency, base.currencies
    foreign = counts[counts["code"].notna() & (counts["code"] != own)]
    blank = int(counts.loc[counts["code"].isna(), "rows"].sum())
    found = [
        Concern(
            "currency",
            Sentence(
                "{share} of the rows are in {code}, turned into {own} at the one rate given.",
                share=Metric(float(row["rows"]) / base.rows_used, "share"),
                code=str(row["code"]),
                own=own,
            ),
            "fx",
        )
        for row in foreign.to_dict("records")
    ]
    if blank:
        said = counted(
            blank,
            "One row names no currency; it is taken as {own}.",
            "{n} rows name no currency; they are taken as {own}.",
            own=own,
        )
        found.append(Concern("currency", said, "columns"))
    return found
