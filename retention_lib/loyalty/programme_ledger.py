"""The points' ledger: earned, redeemed, expired, and what is outstanding.

Outstanding is earned less redeemed less expired, whatever its sign: a balance below 0 is a fault of
the ledger and is told, not hidden. Sums are made in the engine. For what becomes of points by their
age the entries themselves are needed: of more than `MOST` customers a share is drawn by a hash of
their ids, the same at every run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data.periods import Window
from retention_lib.loyalty.programme_points import first_in_first_out
from retention_lib.loyalty.programme_redemption import Redemption, redemption
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.intervals import wilson
from retention_lib.retention.moments import moments_of, ratio_limits
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

KINDS: Final = ("earned", "redeemed", "expired")
#: Customers whose entries are followed point by point, about.
MOST: Final = 50_000
_PARTS: Final = 1_000_000


@dataclass(frozen=True)
class Ledger:
    """Points by month, by customer, and by their age.

    Parameters
    ----------
    months : DataFrame
        A row a month, without gaps: month, earned, redeemed, expired, cost, outstanding (at its
        end), complete.
    customers : DataFrame
        A row a customer: customer, earned, redeemed, expired, outstanding, first_earned,
        first_redeemed (NaT).
    period : dict of str to float
        earned, redeemed, expired and cost of the reporting period.
    outstanding : float
    below_zero : int
        Customers whose balance is below 0; `missing` is how many points they lack together.
    missing : float
    not_members : int
        Customers in the ledger who are on no list of members.
    turned : tuple of str
        Columns that held only figures below 0, read as above it.
    redemption_rate : Metric
        Redeemed over earned, of all up to the report's day.
    ever_redeemed : Metric
        Share of the customers with points who have redeemed any.
    days_to_first : Metric
        Median days from the first point to the first redemption, of those who have redeemed.
    top_tenth : Metric
        Share of the redeemed points that the tenth of customers who redeem most redeem.
    ages : Redemption or None
    followed : int
        Customers whose points are followed by age.
    """

    months: pd.DataFrame
    customers: pd.DataFrame
    period: dict[str, float]
    outstanding: float
    below_zero: int
    missing: float
    not_members: int
    turned: tuple[str, ...]
    redemption_rate: Metric
    ever_redeemed: Metric
    days_to_first: Metric
    top_tenth: Metric
    ages: Redemption | None
    followed: int

    @property
    def cost_known(self) -> bool:
        """Whether the ledger says what rewards cost."""
        return bool((self.months["cost"] != 0).any())


def ledger(table: ir.Table, members: Sequence[str], period: Window, as_of: dt.date) -> Ledger:
    """What the entries of a ledger come to.

    Parameters
    ----------
    table : ibis Table
        customer, date, earned, redeemed, expired, cost; what is after `as_of` isn't known yet.
    members : sequence of str
        Ids on the list of members.
    period : Window
    as_of : date
    """
    table, turned = _signed(table.filter(table["date"] <= ibis.date(as_of)))
    by_customer = _by_customer(table)
    months = _by_month(table, as_of)
    inside = table.filter(table["date"].between(ibis.date(period.start), ibis.date(period.end)))
    names = (*KINDS, "cost")
    sums = inside.aggregate(**{n: inside[n].sum() for n in names}).to_pyarrow().to_pylist()[0]
    # a thousandth of a point is the rounding of sums
    below = by_customer["outstanding"] < -1e-3
    holders = by_customer[by_customer["earned"] > 0]
    redeemers = int((holders["redeemed"] > 0).sum())
    followed = _followed(table, len(by_customer))
    points = first_in_first_out(followed, as_of)
    return Ledger(
        months=months,
        customers=by_customer,
        period={n: float(sums[n] or 0.0) for n in names},
        outstanding=float(by_customer["outstanding"].sum()),
        below_zero=int(below.sum()),
        missing=float(-by_customer.loc[below, "outstanding"].sum()),
        not_members=int((~by_customer["customer"].isin(list(members))).sum()),
        turned=turned,
        redemption_rate=_rate(holders),
        ever_redeemed=_share(redeemers, len(holders)),
        days_to_first=_days_to_first(holders),
        top_tenth=_top_tenth(holders),
        ages=redemption(points, as_of),
        followed=points.customers,
    )


def _signed(table: ir.Table) -> tuple[ir.Table, tuple[str, ...]]:
    """What is used as figures above 0, where a column has all of it below."""
    used = ("redeemed", "expired")
    ends = table.aggregate(
        **{f"{n}_low": table[n].min() for n in used}, **{f"{n}_high": table[n].max() for n in used}
    )
    row = ends.to_pyarrow().to_pylist()[0]
    turned = tuple(
        n for n in used if (row[f"{n}_low"] or 0.0) < 0 and (row[f"{n}_high"] or 0.0) <= 0
    )
    return (table.mutate(**{n: -table[n] for n in turned}) if turned else table), turned


def _by_customer(table: ir.Table) -> pd.DataFrame:
    day = table["date"]
    grouped = table.group_by("customer").aggregate(
        **{n: table[n].sum() for n in KINDS},
        first_earned=day.min(where=table.earned > 0).cast("timestamp"),
        first_redeemed=day.min(where=table.redeemed > 0).cast("timestamp"),
    )
    frame: pd.DataFrame = grouped.order_by("customer").to_pyarrow().to_pandas()
    left = frame["earned"] - frame["redeemed"] - frame["expired"]
    return frame.assign(outstanding=left.where(left.abs() > 1e-6, 0.0))


def _by_month(table: ir.Table, as_of: dt.date) -> pd.DataFrame:
    month = table["date"].truncate("month").cast("timestamp")
    grouped = table.group_by(month=month).aggregate(**{n: table[n].sum() for n in (*KINDS, "cost")})
    frame: pd.DataFrame = grouped.to_pyarrow().to_pandas().set_index("month").sort_index()
    last = pd.Period(as_of, "M")
    if len(frame):
        every = pd.period_range(frame.index[0], last, freq="M").to_timestamp()
        frame = frame.reindex(every, fill_value=0.0)
    frame.index.name = "month"
    frame["outstanding"] = (frame["earned"] - frame["redeemed"] - frame["expired"]).cumsum()
    whole = pd.Timestamp(as_of) == last.end_time.normalize()
    frame["complete"] = [*[True] * (len(frame) - 1), whole][: len(frame)]
    return frame.reset_index()


def _followed(table: ir.Table, customers: int) -> pd.DataFrame:
    if customers > MOST:
        part = (table["customer"].hash() % _PARTS).abs()
        table = table.filter(part < int(_PARTS * MOST / customers))
    entries = table.group_by("customer", "date").aggregate(**{n: table[n].sum() for n in KINDS})
    return entries.mutate(date=entries["date"].cast("timestamp")).to_pyarrow().to_pandas()


def _rate(holders: pd.DataFrame) -> Metric:
    earned = holders["earned"].sum()
    if not earned > 0:
        return unknown("share", N_("No points have been earned."))
    y, x = moments_of(holders["redeemed"]), moments_of(holders["earned"])
    covariance = float(np.cov(holders["redeemed"], holders["earned"])[0, 1]) if x.n > 1 else 0.0
    limits = ratio_limits(y, x, covariance)
    low, high = (None, None) if limits is None else (max(limits[0], 0.0), limits[1])
    return Metric(float(holders["redeemed"].sum() / earned), "share", low, high, n=x.n)


def _share(successes: int, n: int) -> Metric:
    limits = wilson(successes, n)
    if limits is None:
        return unknown("share", N_("No points have been earned."))
    return Metric(successes / n, "share", *limits, n=n)


def _days_to_first(holders: pd.DataFrame) -> Metric:
    days = (holders["first_redeemed"] - holders["first_earned"]).dt.days.dropna()
    if len(days) < SMALLEST:
        return unknown("days", N_("Too few customers have redeemed points."), n=len(days))
    return Metric(float(days.clip(lower=0).median()), "days", n=len(days))


def _top_tenth(holders: pd.DataFrame) -> Metric:
    redeemed = np.sort(holders["redeemed"].to_numpy())[::-1]
    total = redeemed.sum()
    if len(redeemed) < SMALLEST or not total > 0:
        return unknown("share", N_("Too few customers have redeemed points."), n=len(redeemed))
    best = int(np.ceil(len(redeemed) / 10))
    return Metric(float(redeemed[:best].sum() / total), "share", n=len(redeemed))
