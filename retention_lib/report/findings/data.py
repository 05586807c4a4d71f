"""Sentences on the data: what came, what could be used, what to look at."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.health import Concern
from retention_lib.metrics import Metric
from retention_lib.sentence import Counted, Sentence


def usable(base: Base) -> Sentence:
    """The chapter's headline."""
    rows, used = base.rows_in, base.rows_used
    if used == rows:
        return Sentence("Every one of the {rows} rows could be used", rows=rows)
    outside = int(base.left_out.loc[base.left_out["cause"] == "outside_window", "rows"].sum())
    if used + outside == rows:
        return Sentence("All {used} rows in the window could be used", used=used)
    share = Metric(used / rows, "share", n=rows)
    if used / rows >= 0.99:
        return Sentence(
            "All but {left} of the {rows} rows could be used", left=rows - used, rows=rows
        )
    return Sentence("{share} of the {rows} rows could be used", share=share, rows=rows)


def span(base: Base, orders: int, customers: int) -> Sentence:
    """What the used rows hold."""
    return Sentence(
        "They hold {orders} orders of {customers} customers, from {start} to {end}. "
        "Source: {names}.",
        orders=orders,
        customers=customers,
        start=base.start,
        end=base.as_of,
        names=", ".join(base.names),
    )


def purchase(base: Base) -> Sentence:
    """What counts as a purchase, as the client file has it."""
    if base.params.free_orders:
        return Sentence(
            "A purchase is a day on which a customer's orders, less returns, come to more than "
            "zero, or to exactly zero with nothing returned. Several orders on one day are one "
            "purchase. Every count of purchases in this report is made that way."
        )
    return Sentence(
        "A purchase is a day on which a customer's orders, less returns, come to more than zero. "
        "Several orders on one day are one purchase, and a day that returns bring to zero is none. "
        "Every count of purchases in this report is made that way."
    )


def left_out(base: Base) -> Sentence:
    """The heading over the rows that were left out."""
    rows = base.rows_in - base.rows_used
    if not rows:
        return Sentence("No row was left out")
    if rows == 1:
        return Sentence("One row was left out")
    return Sentence(
        Counted(
            "{rows} row was left out, for one cause",
            "{rows} rows were left out, each for one cause",
            by="rows",
        ),
        rows=rows,
    )


def months(monthly: pd.DataFrame) -> Sentence:
    """The heading over orders by month: whether the history has holes."""
    empty = int((monthly["orders"] == 0).sum())
    if empty == 1:
        return Sentence("One month has no order at all: is the export whole?")
    if empty:
        return Sentence(
            Counted(
                "{empty} month has no order at all: is the export whole?",
                "{empty} months have no order at all: is the export whole?",
                by="empty",
            ),
            empty=empty,
        )
    return Sentence(
        Counted(
            "Orders came in the one month of the window",
            "Orders came in each of the {n} months of the window",
        ),
        n=len(monthly),
    )


def month_open(base: Base, monthly: pd.DataFrame) -> Sentence | None:
    """That the last month isn't over, where it isn't."""
    if monthly["complete"].iloc[-1]:
        return None
    return Sentence(
        "The last month isn't over: the data ends on {end}. It is drawn lighter and isn't read as "
        "a fall.",
        end=base.as_of,
    )


def health(known: Sequence[Concern]) -> Sentence:
    """The heading over what is to be known of the data."""
    if not known:
        return Sentence("Nothing in the data calls for care")
    return Sentence("What to know of the data before reading on")
