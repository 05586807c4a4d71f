"""What to know of a client's data before trusting what comes of it, each with its figure.

Nothing here changes a figure. A concern names the key of the client file that would, where there is
one, so that the consultant decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, shift_months
from retention_lib.data.quality import placeholders, without_purchase
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence

#: One customer with this share of all revenue bends every mean; asked of bases this large.
EXTREME_SHARE: Final = 0.20
EXTREME_CUSTOMERS: Final = 20

#: Returns above this share of what was sold are more than returns usually are.
MANY_RETURNS: Final = 0.15

#: Equal rows above this share of all are more than chance.
MANY_COPIES: Final = 0.001

#: A silence counts as a gap when it is this many days long and this many times the longest of the
#: ninety-nine in a hundred ordinary pauses between two days with orders.
GAP_DAYS: Final = 7
GAP_TIMES: Final = 4

#: A last day is half delivered with less than this share of the same weekday's usual orders, where
#: that usual number is large enough to tell.
HALF_DAY: Final = 0.25
USUAL_ORDERS: Final = 20
WEEKS_LOOKED_AT: Final = 8

#: A last month is half delivered with less than this share of the three before.
HALF_MONTH: Final = 0.40

#: Less than this, and the models have little to learn from.
MONTHS_OF_HISTORY: Final = 12
REPEAT_BUYERS: Final = 100


@dataclass(frozen=True)
class Concern:
    """Something to know of the data.

    Parameters
    ----------
    kind : str
        Stable name, such as `placeholder` or `gap`.
    sentence : Sentence
        With its figure.
    key : str or None
        The key of the client file that changes the treatment.
    """

    kind: str
    sentence: Sentence
    key: str | None = None


def concerns(
    base: Base, named: Callable[[str], str] = str, today: dt.date | None = None
) -> list[Concern]:
    """All that is to be known of a base's data, the gravest first.

    Parameters
    ----------
    base : Base
    named : callable, optional
        How a customer's id may be written; as it is where not given.
    today : date, optional
        For telling days that are yet to come.

    Returns
    -------
    list of Concern
        Empty where there is nothing.
    """
    days = orders_by_day(base)
    found = [
        _future(base, today or dt.datetime.now(dt.UTC).date()),
        *_placeholders(base, named),
        _extreme_customer(base, named),
        _half_day(base, days),
        _half_month(base, days),
        *_gaps(days),
        _copies(base),
        _returns(base),
        _zero_rows(base),
        _no_purchase(base),
        *_currencies(base),
        _short_history(base),
        _few_repeat_buyers(base),
    ]
    return [concern for concern in found if concern is not None]


def orders_by_day(base: Base) -> pd.Series:
    """Orders with an amount > 0 by day, days without one left out."""
    orders = base.orders()
    orders = orders.filter(orders.amount > 0)
    counts = orders.group_by(schema.DAY).aggregate(orders=orders.count()).execute()
    index = pd.DatetimeIndex(pd.to_datetime(counts[schema.DAY]))
    return pd.Series(counts["orders"].to_numpy(), index=index).sort_index()


def _future(base: Base, today: dt.date) -> Concern | None:
    if base.as_of <= today:
        return None
    later = base.rows.filter(base.rows[schema.DAY] > ibis.date(today)).count().execute()
    return Concern(
        "future",
        Sentence(
            "The window ends on {end}, which is yet to come; {n} rows lie after today.",
            end=base.as_of,
            n=int(later),
        ),
        "as_of",
    )


def _placeholders(base: Base, named: Callable[[str], str]) -> list[Concern]:
    return [
        Concern(
            "placeholder",
            Sentence(
                "The id {customer} has {orders} orders, {share} of all: it is likely no single "
                "customer but a placeholder for guests.",
                customer=named(row["customer"]),
                orders=int(row["orders"]),
                share=Metric(float(row["share"]), "share"),
            ),
            "guest_ids",
        )
        for row in placeholders(base).to_dict("records")
    ]


def _extreme_customer(base: Base, named: Callable[[str], str]) -> Concern | None:
    customers = base.customers()
    total = float(customers["revenue"].sum())
    if len(customers) < EXTREME_CUSTOMERS or total <= 0:
        return None
    largest = customers["revenue"].idxmax()
    share = float(customers["revenue"].max()) / total
    if share < EXTREME_SHARE:
        return None
    return Concern(
        "extreme_customer",
        Sentence(
            "One customer, {customer}, has {share} of all revenue: means and totals lean on a "
            "single account. If it is a reseller or the shop itself, leave it out.",
            customer=named(str(largest)),
            share=Metric(share, "share"),
        ),
        "guest_ids",
    )


def _half_day(base: Base, days: pd.Series) -> Concern | None:
    if days.empty or base.params.as_of is not None:
        return None
    last = days.index[-1]
    weekday = pd.date_range(end=last - pd.Timedelta(days=7), periods=WEEKS_LOOKED_AT, freq="7D")
    known = weekday[weekday >= days.index[0]]
    usual = float(days.reindex(known, fill_value=0).mean()) if len(known) else 0.0
    if usual < USUAL_ORDERS or days.iloc[-1] >= HALF_DAY * usual:
        return None
    return Concern(
        "half_day",
        Sentence(
            "The last day, {day}, has {n} orders where the same weekday usually has {usual}: the "
            "export was likely made during that day.",
            day=last.date(),
            n=int(days.iloc[-1]),
            usual=round(usual),
        ),
        "as_of",
    )


def _half_month(base: Base, days: pd.Series) -> Concern | None:
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
    return Concern(
        "half_month",
        Sentence(
            "The last month has {n} orders where the three before had {usual} each: the export may "
            "end before it does.",
            n=last,
            usual=round(usual),
        ),
        "as_of",
    )


def _gaps(days: pd.Series) -> list[Concern]:
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
        )
        for i in sorted(longest)
    ]


def _copies(base: Base) -> Concern | None:
    if base.params.deduplicate == "exact":
        return None
    distinct = int(base.rows.distinct().count().execute())
    copies = base.rows_used - distinct
    if copies <= MANY_COPIES * base.rows_used:
        return None
    return Concern(
        "duplicates",
        Sentence(
            "{n} rows, {share}, are equal to another in every column that is read. If the export "
            "repeats itself, drop them; if a row is one of several alike, they are right.",
            n=copies,
            share=Metric(copies / base.rows_used, "share"),
        ),
        "deduplicate",
    )


def _returns(base: Base) -> Concern | None:
    amount = base.rows[schema.AMOUNT]
    sums = base.rows.aggregate(
        n=(amount < 0).sum(),
        back=amount.sum(where=amount < 0).cast("float64"),
        sold=amount.sum(where=amount > 0).cast("float64"),
    ).execute()
    n, back, sold = int(sums["n"].iloc[0] or 0), sums["back"].iloc[0], sums["sold"].iloc[0]
    if not n:
        return None
    share = Metric(float(-back / sold), "share") if sold and sold > 0 else None
    values = {"n": n, "back": Metric(float(-back), "currency")}
    if share is None or share.value is None:
        message = "{n} rows are returns, worth {back}, and nothing is sold."
        return Concern("returns", Sentence(message, **values), "returns")
    if share.value > MANY_RETURNS:
        message = (
            "{n} rows are returns, worth {back}, {share} of what was sold: more than returns "
            "usually are. Are they cancellations, or payments?"
        )
    else:
        message = "{n} rows are returns, worth {back}, {share} of what was sold."
    return Concern("returns", Sentence(message, **values, share=share), "returns")


def _zero_rows(base: Base) -> Concern | None:
    amount = base.rows[schema.AMOUNT]
    n = int(base.rows.filter(amount == 0).count().execute())
    if not n:
        return None
    return Concern(
        "zero_amounts",
        Sentence(
            "{n} rows, {share}, have an amount of exactly zero.",
            n=n,
            share=Metric(n / base.rows_used, "share"),
        ),
        "free_orders",
    )


def _no_purchase(base: Base) -> Concern | None:
    n = without_purchase(base)
    if not n:
        return None
    return Concern(
        "no_purchase",
        Sentence(
            "{n} customers have rows but no purchase: their days all net to zero or less. They "
            "count in revenue, not as customers.",
            n=n,
        ),
        "free_orders",
    )


def _currencies(base: Base) -> list[Concern]:
    if schema.CURRENCY not in base.rows.columns:
        return []
    own = base.params.currency
    code = base.rows[schema.CURRENCY].upper()
    counts = base.rows.group_by(code=code).aggregate(n=base.rows.count()).execute()
    foreign = counts[counts["code"].notna() & (counts["code"] != own)]
    blank = int(counts.loc[counts["code"].isna(), "n"].sum())
    found = [
        Concern(
            "currency",
            Sentence(
                "{share} of the rows are in {code}, turned into {own} at the one rate given.",
                share=Metric(float(row["n"]) / base.rows_used, "share"),
                code=str(row["code"]),
                own=own,
            ),
            "fx",
        )
        for row in foreign.sort_values("n", ascending=False).to_dict("records")
    ]
    if blank:
        sentence = Sentence("{n} rows name no currency; they are taken as {own}.", n=blank, own=own)
        found.append(Concern("currency", sentence, "columns"))
    return found


def _short_history(base: Base) -> Concern | None:
    months = 0
    while shift_months(base.as_of, -(months + 1)) + ONE_DAY >= base.start:
        months += 1
    if months >= MONTHS_OF_HISTORY:
        return None
    return Concern(
        "short_history",
        Sentence(
            "The data covers {months}. Rates that look back a year are missing or rest on part of "
            "one, and a season can't be told from a trend.",
            months=Metric(months, "months"),
        ),
        "period_months",
    )


def _few_repeat_buyers(base: Base) -> Concern | None:
    repeat = int((base.customers()["frequency"] > 0).sum())
    if repeat >= REPEAT_BUYERS:
        return None
    return Concern(
        "few_repeat_buyers",
        Sentence(
            "{n} customers have bought more than once: little for the models to learn from.",
            n=repeat,
        ),
    )
