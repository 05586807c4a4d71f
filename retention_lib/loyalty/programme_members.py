"""Who is a member: how many, how they came and went, and whether they buy.

A member is one from the joining day to the day of leaving, both included. Sums over purchases are
made in the engine; one row per member leaves it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import Window
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.intervals import wilson
from retention_lib.retention.moments import moments, ratio_limits
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

#: Days after joining within which a member's next purchase is looked for, and after which one who
#: hasn't bought is silent.
WITHIN: Final = (30, 60, 90)
SILENT_AFTER: Final = WITHIN[-1]

#: Faults of the rows, in the order in which they are asked.
NO_DAY: Final = "no_day"
LATER: Final = "later"
BACKWARDS: Final = "backwards"
REPEATED: Final = "repeated"
FAULTS: Final[Mapping[str, str]] = {
    NO_DAY: N_("Members without a joining day, left out"),
    LATER: N_("Members who join after the report's day, left out"),
    BACKWARDS: N_("Members who left before they joined, left out"),
    REPEATED: N_("Further rows of a member, read as one: the first joining day, the last tier"),
}


@dataclass(frozen=True)
class Rows:
    """The members' rows as they can be used.

    Parameters
    ----------
    members : DataFrame
        A row a member, ordered by id: customer, joined, left (NaT while a member), tier (None
        where unknown).
    history : DataFrame
        Of members with several tiers over time: customer, joined (from when), tier; empty
        without any.
    faults : mapping of str to int
        By `FAULTS`: rows, or members; those that occur.
    """

    members: pd.DataFrame
    history: pd.DataFrame
    faults: Mapping[str, int]


def usable(frame: pd.DataFrame, as_of: dt.date) -> Rows:
    """One row per member from what the client sent.

    Parameters
    ----------
    frame : DataFrame
        customer, joined; left and tier, which may be null throughout.
    as_of : date
        Whoever joins later isn't known yet; who leaves later is still a member.
    """
    rows = pd.DataFrame(
        {
            "customer": frame["customer"].astype("object"),
            "joined": pd.to_datetime(frame["joined"]),
            "left": pd.to_datetime(frame["left"]),
            "tier": frame["tier"].astype("object").where(frame["tier"].notna(), None),
        }
    )
    end = pd.Timestamp(as_of)
    faults: dict[str, int] = {}
    for name, is_so in (
        (NO_DAY, rows["joined"].isna()),
        (LATER, rows["joined"] > end),
        (BACKWARDS, rows["left"] < rows["joined"]),
    ):
        # one row of a later fault may have had an earlier one, and is gone
        found = is_so.reindex(rows.index)
        if found.any():
            faults[name] = int(found.sum())
            rows = rows[~found]
    rows = rows.assign(left=rows["left"].where(rows["left"] <= end))
    rows = rows.sort_values(["customer", "joined"], kind="stable", ignore_index=True)
    repeated = rows.duplicated("customer")
    if repeated.any():
        faults[REPEATED] = int(repeated.sum())
    first = rows.drop_duplicates("customer").reset_index(drop=True)
    last = rows.drop_duplicates("customer", keep="last").reset_index(drop=True)
    tier = last["tier"].where(last["tier"].notna(), first["tier"])
    members = first.assign(left=last["left"], tier=tier.where(tier.notna(), None))
    return Rows(members, _history(rows), faults)


def _history(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of members whose rows name a tier from a day on, where any has two such days."""
    named = rows.loc[rows["tier"].notna(), ["customer", "joined", "tier"]]
    days = named.drop_duplicates(["customer", "joined"], keep="last")
    several = days.duplicated("customer", keep=False)
    return days[several].reset_index(drop=True) if several.any() else days.iloc[:0]


@dataclass(frozen=True)
class Membership:
    """Members and what they do, as of the report's day.

    Parameters
    ----------
    members : DataFrame
        A row a member: customer, joined, left, tier; first, last (purchase, NaT without any);
        before, after (purchases before the joining day and after it), on_day (whether there is one
        on it), first_after (NaT); period_revenue (net, as a member), period_purchases;
        is_member (on the report's day), known (whether the orders have the customer).
    history : DataFrame
        `Rows.history`.
    faults : mapping
        `Rows.faults`.
    flow : DataFrame
        A row a month: month, opening, joined, left, closing, complete; opening + joined − left is
        closing.
    opening, joined, left, closing : int
        Of the reporting period.
    active : int
        Customers with a purchase in the period, members or not.
    participation, active_rate, revenue_share : Metric
    revenue : float
        Net, of purchases as a member in the period.
    other_revenue : float
        Of all other purchases in it.
    next_purchase : DataFrame
        A row per `WITHIN`: days, n (members who joined that long ago), share, low, high.
    silent : Metric
        Of the members who joined at least `SILENT_AFTER` days ago, who haven't bought since.
    spread : Spread
        Members' and others' spend in the period, raw.
    """

    members: pd.DataFrame
    history: pd.DataFrame
    faults: Mapping[str, int]
    flow: pd.DataFrame
    opening: int
    joined: int
    left: int
    closing: int
    active: int
    participation: Metric
    active_rate: Metric
    revenue_share: Metric
    revenue: float
    other_revenue: float
    next_purchase: pd.DataFrame
    silent: Metric
    spread: Spread

    @property
    def unknown(self) -> int:
        """Members on the report's day that the orders don't have."""
        return int((self.members["is_member"] & ~self.members["known"]).sum())

    @property
    def is_told(self) -> bool:
        """Whether there are enough members for figures on them."""
        return self.closing >= SMALLEST

    @property
    def at_a_purchase(self) -> float:
        """Share of the members known to the orders who bought on the day they joined."""
        known = self.members[self.members["known"]]
        return float(known["on_day"].mean()) if len(known) else 0.0

    @property
    def with_a_past(self) -> float:
        """Share of the members known to the orders who had bought before they joined."""
        known = self.members[self.members["known"]]
        return float((known["before"] > 0).mean()) if len(known) else 0.0


@dataclass(frozen=True)
class Spread:
    """Spend per active customer in the period: a difference that isn't the programme's effect."""

    members: int
    others: int
    member_spend: float
    other_spend: float

    @property
    def ratio(self) -> float | None:
        """Members' spend over the others'; None without one of them."""
        if not self.members or not self.others or self.other_spend <= 0:
            return None
        return self.member_spend / self.other_spend


def membership(base: Base, frame: pd.DataFrame) -> Membership:
    """Who is a member, and what members do.

    Parameters
    ----------
    base : Base
    frame : DataFrame
        The members' rows (`usable`).
    """
    rows, period = usable(frame, base.as_of), base.windows.period
    members = _with_purchases(base, rows.members, period)
    at_end = members["is_member"]
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    joined = int(members["joined"].between(start, end).sum())
    left = int(members["left"].between(start, end).sum())
    opening = int(((members["joined"] < start) & ~(members["left"] < start)).sum())
    sums = _period(base, members, period)
    buying = int((at_end & (members["period_purchases"] > 0)).sum())
    closing = int(at_end.sum())
    return Membership(
        members=members,
        history=rows.history,
        faults=rows.faults,
        flow=flow(members, base.as_of),
        opening=opening,
        joined=joined,
        left=left,
        closing=closing,
        active=sums.active,
        participation=_share(sums.active_members, sums.active, N_("Nobody bought in the period.")),
        active_rate=_share(buying, closing, N_("There is no member at the end of the period.")),
        revenue_share=sums.revenue_share,
        revenue=sums.revenue,
        other_revenue=sums.other_revenue,
        next_purchase=next_purchase(members, base.as_of),
        silent=_silent(members, base.as_of),
        spread=sums.spread,
    )


def _share(successes: int, n: int, why: str) -> Metric:
    limits = wilson(successes, n)
    if limits is None:
        return unknown("share", why)
    return Metric(successes / n, "share", *limits, n=n)


def as_table(members: pd.DataFrame) -> ir.Table:
    """customer, joined, left as a table whose days are days, to be joined to the orders."""
    table = ibis.memtable(
        members[["customer", "joined", "left"]].astype({"customer": "str"}),
        schema={"customer": "string", "joined": "timestamp", "left": "timestamp"},
    )
    return table.mutate(joined=table.joined.cast("date"), left=table["left"].cast("date"))


def _while_member(day: ir.DateValue, joined: ir.DateValue, left: ir.DateValue) -> ir.BooleanValue:
    return (day >= joined) & (left.isnull() | (day <= left)).fill_null(True)


def _with_purchases(base: Base, members: pd.DataFrame, period: Window) -> pd.DataFrame:
    days = base.days.inner_join(as_table(members), schema.CUSTOMER)
    day, bought = days[schema.DAY], days[schema.BOUGHT]
    inside = day.between(ibis.date(period.start), ibis.date(period.end))
    as_member = inside & _while_member(day, days.joined, days["left"])
    facts = days.group_by(schema.CUSTOMER).aggregate(
        first=day.min(where=bought).cast("timestamp"),
        last=day.max(where=bought).cast("timestamp"),
        before=(bought & (day < days.joined)).sum().cast("int64"),
        after=(bought & (day > days.joined)).sum().cast("int64"),
        on_day=(bought & (day == days.joined)).any(),
        first_after=day.min(where=bought & (day > days.joined)).cast("timestamp"),
        period_revenue=days[schema.AMOUNT].sum(where=as_member).cast("float64"),
        period_purchases=(bought & inside).sum().cast("int64"),
    )
    found = facts.to_pyarrow().to_pandas().set_index(schema.CUSTOMER)
    joined = members.join(found, on="customer")
    counts = ["before", "after", "period_purchases"]
    nothing = {**dict.fromkeys(counts, 0), "on_day": False, "period_revenue": 0.0}
    known = joined["first"].notna()
    for name, value in nothing.items():
        joined[name] = joined[name].where(joined[name].notna(), value)
    return joined.astype(
        {**dict.fromkeys(counts, "int64"), "on_day": bool, "period_revenue": float}
    ).assign(
        is_member=joined["left"].isna() | (joined["left"] > pd.Timestamp(base.as_of)),
        known=known,
    )


@dataclass(frozen=True)
class _Period:
    active: int
    active_members: int
    revenue: float
    other_revenue: float
    revenue_share: Metric
    spread: Spread


def _period(base: Base, members: pd.DataFrame, period: Window) -> _Period:
    """What members and others bought in the period, added up in the engine."""
    table = as_table(members).mutate(listed=True)
    days = base.days.filter(
        base.days[schema.DAY].between(ibis.date(period.start), ibis.date(period.end))
    ).left_join(table, schema.CUSTOMER)
    day, amount = days[schema.DAY], days[schema.AMOUNT].cast("float64")
    listed = days.listed.fill_null(False)
    as_member = listed & _while_member(day, days.joined, days["left"])
    customers = days.group_by(schema.CUSTOMER).aggregate(
        bought=days[schema.BOUGHT].any(),
        at_end=(listed & (days["left"].isnull() | (days["left"] > ibis.date(period.end))))
        .any()
        .fill_null(False),
        y=amount.sum(where=as_member).fill_null(0.0),
        x=amount.sum(),
    )
    customers = customers.mutate(buyer=customers.bought & customers.at_end)
    y, x = customers.y, customers.x
    other = customers.bought & ~customers.at_end
    row = (
        customers.aggregate(
            n=customers.count(),
            active=customers.bought.sum(),
            active_members=customers.buyer.sum(),
            others=other.sum(),
            y=y.mean(),
            x=x.mean(),
            y_variance=y.var(how="sample"),
            x_variance=x.var(how="sample"),
            covariance=y.cov(x, how="sample"),
            y_sum=y.sum(),
            x_sum=x.sum(),
            member_spend=x.mean(where=customers.buyer),
            other_spend=x.mean(where=other),
        )
        .to_pyarrow()
        .to_pylist()[0]
    )
    n = int(row["n"] or 0)
    number = {k: float(v) if v is not None else float("nan") for k, v in row.items()}
    revenue, total = (np.nan_to_num(number[name]) for name in ("y_sum", "x_sum"))
    limits = ratio_limits(
        moments(n, number["y"], number["y_variance"]),
        moments(n, number["x"], number["x_variance"]),
        float(np.nan_to_num(number["covariance"])),
    )
    share = (
        Metric(revenue / total, "share", *_clipped(limits), n=n)
        if total > 0
        else unknown("share", N_("There is no revenue in the period."))
    )
    return _Period(
        active=int(row["active"] or 0),
        active_members=int(row["active_members"] or 0),
        revenue=float(revenue),
        other_revenue=float(total - revenue),
        revenue_share=share,
        spread=Spread(
            members=int(row["active_members"] or 0),
            others=int(row["others"] or 0),
            member_spend=float(np.nan_to_num(number["member_spend"])),
            other_spend=float(np.nan_to_num(number["other_spend"])),
        ),
    )


def _clipped(limits: tuple[float, float] | None) -> tuple[float | None, float | None]:
    return (None, None) if limits is None else (max(limits[0], 0.0), min(limits[1], 1.0))


def flow(members: pd.DataFrame, as_of: dt.date, most: int = 24) -> pd.DataFrame:
    """Members by month: opening + joined − left = closing, from the first joining on.

    Parameters
    ----------
    members : DataFrame
        joined, left.
    as_of : date
        The last month ends with it, whole or not.
    most : int
        Months shown; those before are in the first one's opening.

    Returns
    -------
    DataFrame
        month (first day), opening, joined, left, closing, complete.
    """
    columns = ["month", "opening", "joined", "left", "closing", "complete"]
    if members.empty:
        return pd.DataFrame({name: [] for name in columns})
    last = pd.Period(as_of, "M")
    first = max(pd.Period(members["joined"].min(), "M"), last - most + 1)
    months = pd.period_range(first, last, freq="M")

    def by_month(days: pd.Series) -> tuple[int, np.ndarray]:
        place = days.dropna().dt.to_period("M").astype("int64").to_numpy() - first.ordinal
        earlier = int((place < 0).sum())
        return earlier, np.bincount(place[place >= 0], minlength=len(months))

    came_before, came = by_month(members["joined"])
    left_before, went = by_month(members["left"])
    closing = came_before - left_before + np.cumsum(came - went)
    whole = pd.Timestamp(as_of) == last.end_time.normalize()
    return pd.DataFrame(
        {
            "month": months.to_timestamp(),
            "opening": closing - came + went,
            "joined": came,
            "left": went,
            "closing": closing,
            "complete": [*[True] * (len(months) - 1), whole],
        }
    )


def next_purchase(members: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Share of the members who buy again within so many days of joining, of those long enough in.

    The purchase on the joining day, at which many join, doesn't count.
    """
    rows = []
    since = (pd.Timestamp(as_of) - members["joined"]).dt.days
    waited = (members["first_after"] - members["joined"]).dt.days
    for days in WITHIN:
        old = members["known"] & (since >= days)
        n, bought = int(old.sum()), int((old & (waited <= days)).sum())
        limits = wilson(bought, n)
        told = n >= SMALLEST and limits is not None
        low, high = limits if told and limits is not None else (np.nan, np.nan)
        rows.append((days, n, bought / n if told else np.nan, low, high))
    return pd.DataFrame(rows, columns=["days", "n", "share", "low", "high"])


def _silent(members: pd.DataFrame, as_of: dt.date) -> Metric:
    old = members["is_member"] & ((pd.Timestamp(as_of) - members["joined"]).dt.days >= SILENT_AFTER)
    silent = int((old & (members["after"] == 0)).sum())
    return _share(silent, int(old.sum()), N_("No member has been one for three months yet."))
