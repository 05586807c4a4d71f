"""What stands more often than it was paid: copies of rows, an order's total on its every line."""

from __future__ import annotations

from typing import Final

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.data.repeats import REPEATING_ORDERS, orders_of_one_amount
from retention_lib.data.totals import totals
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence, counted

#: Equal rows above this share of all are more than chance.
MANY_COPIES: Final = 0.001

#: An order's rows that all have one amount are chance in some orders, and no chance in this share.
REPEATING_SHARE: Final = 0.9


def repeated(base: Base) -> Concern | None:
    """An order's total on each of its rows, whose revenue is counted as often as it has rows.

    Told by orders whose rows differ otherwise and have one amount all the same. Where nothing else
    is mapped such rows are copies, and `copies` speaks of them.
    """
    mapped = base.params.columns
    if base.params.deduplicate == "exact" or (mapped is not None and mapped.amount is None):
        return None
    row = orders_of_one_amount(base)
    if row is None or row["n"] < REPEATING_ORDERS or row["same"] < REPEATING_SHARE * row["n"]:
        return None
    said = Sentence(
        "Of {n} orders with several different rows that were looked at, {share} have one amount "
        "on all of them: it is likely the order's total, and counted {times} times on average. Map "
        "the row's own amount, or leave product and category out and drop the copies.",
        share=Metric(row["same"] / row["n"], "share"),
        n=int(row["n"]),
        times=float(row["times"]),
    )
    return Concern("repeated_totals", said, "columns, deduplicate")


def copies(base: Base) -> Concern | None:
    """Rows equal to another in all that is read."""
    if base.params.deduplicate == "exact":
        return None
    n = base.copies
    if n <= MANY_COPIES * base.rows_used:
        return None
    share = Metric(n / base.rows_used, "share")
    more = totals(base)["more"]
    if (
        schema.ORDER in base.order_days.columns
        and n >= REPEATING_SHARE * more
        and n >= REPEATING_ORDERS
    ):
        said = counted(
            n,
            "{n} row, {share}, repeats another of its order in all that is read. If the amount is "
            "the order's, standing on each of its rows, drop the copies; if each row is a thing of "
            "its own, they are right.",
            "{n} rows, {share}, repeat another of their order in all that is read. If the amount "
            "is the order's, standing on each of its rows, drop the copies; if each row is a thing "
            "of its own, they are right.",
            share=share,
        )
        return Concern("duplicates", said, "deduplicate")
    said = counted(
        n,
        "{n} row, {share}, is equal to another in every column that is read. If the export repeats "
        "itself, drop it; if it is one of several alike, it is right.",
        "{n} rows, {share}, are equal to another in every column that is read. If the export "
        "repeats itself, drop them; if a row is one of several alike, they are right.",
        share=share,
    )
    return Concern("duplicates", said, "deduplicate")
