"""Rows that were left out and are too many to pass over."""

from __future__ import annotations

import math
from typing import Final

from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.data.purchases import CAUSES, GUEST, NO_AMOUNT, NO_CUSTOMER, NO_DATE
from retention_lib.data.quality import reasons, totals_line
from retention_lib.metrics import Metric
from retention_lib.sentence import Counted, Sentence

#: Rows left out for one reason above this share are more than slips of the pen.
MANY: Final = 0.05
#: Of fewer rows, one is that many.
FEW_ROWS: Final = 20


def unreadable(base: Base) -> Concern | None:
    """Many rows without a date or an amount that can be read: the figures miss a part."""
    rows = base.left_out.set_index("cause")["rows"]
    n = int(rows.reindex([NO_DATE, NO_AMOUNT]).fillna(0).sum())
    if base.rows_in < FEW_ROWS or n <= MANY * base.rows_in:
        return None
    said = Sentence(
        Counted(
            "{n} row, {share}, has no date or no amount that can be read, and is missing from "
            "every figure. Is it a line without an amount of its own, or written in another "
            "format?",
            "{n} rows, {share}, have no date or no amount that can be read, and are missing "
            "from every figure. Are they lines without an amount of their own, or written in "
            "another format?",
        ),
        n=n,
        share=Metric(n / base.rows_in, "share"),
    )
    return Concern("unreadable", said, "csv")


def totals(base: Base) -> Concern | None:
    """A line of totals under the rows: left out, and no revenue."""
    cause = totals_line(base)
    if cause is None:
        return None
    amount = float(base.left_out.set_index("cause")["amount"][cause])
    said = Sentence(
        "A row with {amount} is worth as much as all others together: it is likely a line of "
        "totals, is left out, and counts as no revenue.",
        amount=Metric(amount, "currency"),
    )
    return Concern("totals_line", said)


def anonymous(base: Base) -> Concern | None:
    """Much of what was sold went to nobody in particular: the report is on the others."""
    table = reasons(base)
    of_nobody = table[table["cause"].isin([CAUSES[NO_CUSTOMER], CAUSES[GUEST]])]
    n = int(of_nobody["rows"].sum())
    if base.rows_in < FEW_ROWS or n <= MANY * base.rows_in:
        return None
    rows_share = Metric(n / base.rows_in, "share")
    share = float(of_nobody["share_of_amount"].sum(min_count=1))
    # of rows whose amounts can't be read either, nobody knows what they were worth
    if math.isnan(share) or not 0 <= share <= 1:
        said = Sentence(
            Counted(
                "{n} row, {rows_share}, names no customer. The report is on the "
                "customers who are known, its revenue too.",
                "{n} rows, {rows_share}, name no customer. The report is on the "
                "customers who are known, its revenue too.",
            ),
            n=n,
            rows_share=rows_share,
        )
    else:
        said = Sentence(
            Counted(
                "{n} row, {rows_share} with {share} of the revenue, names no customer. The "
                "report is on the customers who are known, its revenue too.",
                "{n} rows, {rows_share} with {share} of the revenue, name no customer. The "
                "report is on the customers who are known, its revenue too.",
            ),
            n=n,
            rows_share=rows_share,
            share=Metric(share, "share"),
        )
    has_guests = CAUSES[GUEST] in set(of_nobody["cause"])
    return Concern("anonymous", said, "guest_ids" if has_guests else None)
