"""Days and months that are missing, half delivered, yet to come, or no days at all."""

from __future__ import annotations

import datetime as dt
from typing import Final

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.data.periods import ONE_DAY, shift_months
from retention_lib.data.purchases import IN_FUTURE
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence, counted

#: A silence counts as a gap when it is this many days long and this many times the longest of the
#: ninety-nine in a hundred ordinary pauses between two days with orders.
GAP_DAYS: Final = 7
GAP_TIMES: Final = 4

#: A last day is half delivered with less than this share of the same weekday's usual orders and
#: fewer than on any of those days, where the usual number is large enough to tell.
HALF_DAY: Final = 0.5
USUAL_ORDERS: Final = 20
WEEKS_LOOKED_AT: Final = 8

#: A last month is half delivered with less than this share of the three before.
HALF_MONTH: Final = 0.40

#: With this many months of orders, all of them on the first, days aren't days.
MONTHS_TO_TELL: Final = 3


def future(base: Base, today: dt.date) -> Concern | None:
    """Rows of days after today: left out, or let in by the client file's `as_of`."""
    if base.as_of > today:
        days = base.days.filter(base.days[schema.DAY] > ibis.date(today))
        said = counted(
            int(days.rows.sum().fill_null(0).to_pyarrow().as_py()),
            "The window ends on {end}, which is yet to come; one row lies after today.",
            "The window ends on {end}, which is yet to come; {n} rows lie after today.",
            end=base.as_of,
        )
        return Concern("future", said, "as_of")
    left_out = base.left_out.set_index("cause")["rows"]
    if IN_FUTURE not in left_out:
        return None
    said = counted(
        int(left_out[IN_FUTURE]),
        "One row is dated after today and left out: a typing error, or an order for a later day. "
        "To count it, name the last day.",
        "{n} rows are dated after today and left out: typing errors, or orders for a later day. "
        "To count them, name the last day.",
    )
    return Concern("future", said, "as_of")


def firsts_of_months(days: pd.Series) -> Concern | None:
    """Every order on the first or last of a month: the export has months in the place of days."""
    if len(days) < MONTHS_TO_TELL:
        return None
    index = pd.DatetimeIndex(days.index)
    is_first, is_last = bool(index.is_month_start.all()), bool(index.is_month_end.all())
    if not (is_first or is_last):
        return None
    said = (
        "Every order is dated the first of a month: the export likely has months in the place of "
        "days. All orders of a month count as one purchase; ask for the day of each order."
        if is_first
        else "Every order is dated the last of a month: the export likely has months in the place "
        "of days. All orders of a month count as one purchase; ask for the day of each order."
    )
    return Concern("months_for_days", Sentence(said), "columns")


def half_day(base: Base, days: pd.Series) -> Concern | None:
    """A last day on which the export was likely made."""
    if days.empty or base.params.as_of is not None:
        return None
    last = days.index[-1]
    weekday = pd.date_range(end=last - pd.Timedelta(days=7), periods=WEEKS_LOOKED_AT, freq="7D")
    known = days.reindex(weekday[weekday >= days.index[0]], fill_value=0)
    usual = float(known.mean()) if len(known) else 0.0
    n = int(days.iloc[-1])
    if usual < USUAL_ORDERS or n >= HALF_DAY * usual or n >= known.min():
        return None
    said = counted(
        n,
        "The last day, {day}, has one order where the same weekday usually has {usual}: the export "
        "was likely made during that day. Name the day before as the last.",
        "The last day, {day}, has {n} orders where the same weekday usually has {usual}: the "
        "export was likely made during that day. Name the day before as the last.",
        day=last.date(),
        usual=round(usual),
    )
    return Concern("half_day", said, "as_of")


def half_month(base: Base, days: pd.Series) -> Concern | None:
    """A last month that is over by the calendar, yet has far too few orders."""
    end = base.as_of
    if (end + ONE_DAY).month == end.month:
        return None
    start = end.replace(day=1)
    before = shift_months(start, -3)
    if before < base.start:
        return None
    last = int(days[days.index >= pd.Timestamp(start)].sum())
    three = (days.index >= pd.Timestamp(before)) & (days.index < pd.Timestamp(start))
    usual = float(days[three].sum()) / 3
    if usual < USUAL_ORDERS or last >= HALF_MONTH * usual:
        return None
    said = counted(
        last,
        "The last month has one order where the three before had {usual} each: the export may end "
        "before it does.",
        "The last month has {n} orders where the three before had {usual} each: the export may end "
        "before it does.",
        usual=round(usual),
    )
    return Concern("half_month", said, "as_of")


def gaps(days: pd.Series) -> list[Concern]:
    """Silences out of the ordinary, the three longest, in their order."""
    if len(days) < 3:
        return []
    seen = days.index.to_numpy(dtype="datetime64[D]")
    pauses = np.diff(seen).astype(int)
    ordinary = float(np.quantile(pauses, 0.99, method="lower"))
    long = np.flatnonzero(pauses - 1 >= max(GAP_DAYS, GAP_TIMES * ordinary))
    longest = sorted(long, key=lambda i: -pauses[i])[:3]
    return [
        Concern(
            "gap",
            Sentence(
                "There is no order from {first} to {last}, {days} in a row: is the export whole?",
                first=(seen[i] + 1).item(),
                last=(seen[i + 1] - 1).item(),
                days=Metric(int(pauses[i]) - 1, "days"),
            ),
            "source",
        )
        for i in sorted(longest)
    ]
