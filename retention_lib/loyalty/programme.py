"""The loyalty programme in one: members, points, tiers, what it changed and what it is worth."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.loyalty.programme_effect import Programmed, effect
from retention_lib.loyalty.programme_ledger import Ledger, ledger
from retention_lib.loyalty.programme_members import SILENT_AFTER, Membership, membership
from retention_lib.loyalty.programme_money import Money, money
from retention_lib.loyalty.programme_tiers import Tiers, tiers
from retention_lib.metrics import Metric, Unit, unknown
from retention_lib.sentence import N_

WHY_NO_LEDGER: Final = N_("The client gives no ledger of points.")
WHY_NO_POINT_VALUE: Final = N_(
    "The client file doesn't say what a point is worth (programme.point_value)."
)
WHY_FEW: Final = N_("There are too few members for shares.")
WHY_NOT_FAIR: Final = N_("Members and others couldn't be compared fairly.")


@dataclass(frozen=True)
class Programme:
    """All that is known of a programme.

    Parameters
    ----------
    members : Membership
    ledger : Ledger or None
    tiers : Tiers or None
    effect : Programmed
    money : Money
    point_value : float or None
    liability : Metric
        Outstanding points that are expected to be redeemed, at their worth.
    liability_in_full : Metric
        All outstanding points at their worth.
    """

    members: Membership
    ledger: Ledger | None
    tiers: Tiers | None
    effect: Programmed
    money: Money
    point_value: float | None
    liability: Metric
    liability_in_full: Metric


def programme(base: Base) -> Programme | None:
    """The programme of a client; None where the client file names none.

    Parameters
    ----------
    base : Base
    """
    terms, accounts = base.params.programme, members_and_points(base)
    if terms is None or accounts is None:
        return None
    members, points = accounts
    found = effect(base, members.members)
    full, expected = _liability(points, terms.point_value)
    return Programme(
        members=members,
        ledger=points,
        tiers=tiers(base, members),
        effect=found,
        money=money(
            members.revenue,
            base.params.margin,
            base.params.period_months,
            terms.cost_per_year,
            points,
            terms.point_value,
            _uplift(found),
            found.revenue.treated if found.may_be_called_effect else None,
        ),
        point_value=terms.point_value,
        liability=expected,
        liability_in_full=full,
    )


def members_and_points(base: Base) -> tuple[Membership, Ledger | None] | None:
    """The members and, where there is a ledger, their points; None without a programme."""
    rows, entries = base.dataset("members"), base.dataset("ledger")
    if rows is None:
        return None
    members = membership(base, rows.frame())
    if entries is None:
        return members, None
    ids = members.members["customer"].tolist()
    return members, ledger(entries.table, ids, base.windows.period, base.as_of)


def _uplift(found: Programmed) -> tuple[float, float, float] | None:
    at = found.revenue
    limits = (at.relative, at.relative_low, at.relative_high)
    return limits if found.may_be_called_effect and all(map(math.isfinite, limits)) else None


def _liability(points: Ledger | None, point_value: float | None) -> tuple[Metric, Metric]:
    if points is None:
        return (unknown("currency", WHY_NO_LEDGER),) * 2
    if point_value is None:
        return (unknown("currency", WHY_NO_POINT_VALUE),) * 2
    # a balance below 0 is a fault; it takes nothing off what is owed to the others
    owed = float(points.customers["outstanding"].clip(lower=0.0).sum()) * point_value
    full = Metric(owed, "currency")
    if not owed > 0:
        return full, full
    share = None if points.ages is None else points.ages.open_redeemed
    if share is None or share.value is None:
        why = share.note if share is not None and share.note else N_("Too few points to follow.")
        return full, unknown("currency", why)
    low, high = (None if x is None else owed * x for x in (share.low, share.high))
    return full, Metric(owed * share.value, "currency", low, high, n=share.n)


def metrics(found: Programme) -> dict[str, Metric]:
    """The figures of the report, by id.

    Parameters
    ----------
    found : Programme
    """
    members, points = found.members, found.ledger
    at = found.effect
    none = unknown("share", WHY_NO_LEDGER)
    few = None if members.is_told else unknown("share", WHY_FEW)
    fair = at.may_be_called_effect
    return {
        "programme.members": Metric(members.closing, "count"),
        "programme.joined": Metric(members.joined, "count"),
        "programme.left": Metric(members.left, "count"),
        "programme.participation": few or members.participation,
        "programme.active_rate": few or members.active_rate,
        "programme.revenue_share": few or members.revenue_share,
        "programme.redemption_rate": none if points is None else few or points.redemption_rate,
        "programme.breakage_rate": _breakage(points),
        "programme.outstanding": (
            unknown("number", WHY_NO_LEDGER)
            if points is None
            else Metric(points.outstanding, "number", n=len(points.customers))
        ),
        "programme.liability": found.liability,
        "programme.cost": Metric(found.money.cost, "currency"),
        "programme.break_even_uplift": found.money.break_even,
        "programme.uplift_revenue": _of(at.revenue, "currency", fair),
        "programme.uplift_revenue_relative": _relative(at.revenue, fair),
        "programme.uplift_repurchase": _of(at.repurchase, "share", fair),
        "programme.roi": found.money.roi,
        "programme.net_value": found.money.net_value,
    }


def _breakage(points: Ledger | None) -> Metric:
    if points is None:
        return unknown("share", WHY_NO_LEDGER)
    if points.ages is None:
        return unknown("share", N_("Too few customers have points to follow."))
    return points.ages.breakage


def _of(at: Effect, unit: Unit, fair: bool) -> Metric:
    if not fair or not at.known:
        return unknown(unit, WHY_NOT_FAIR)
    return Metric(at.value, unit, at.low, at.high, n=at.treated)


def _relative(at: Effect, fair: bool) -> Metric:
    if not fair or not math.isfinite(at.relative):
        return unknown("share", WHY_NOT_FAIR)
    return Metric(at.relative, "share", at.relative_low, at.relative_high, n=at.treated)


def silent_with_points(
    members: Membership, points: Ledger | None, point_value: float | None, as_of: dt.date
) -> pd.DataFrame:
    """Members who haven't bought for a while and have points to spend: most points first.

    Parameters
    ----------
    members, points
        Of `members_and_points`.
    point_value : float or None
        In the report's currency.
    as_of : date

    Returns
    -------
    DataFrame
        customer, tier, joined, last (purchase, NaT), points, worth (NaN without a point value).
        Empty without a ledger.
    """
    columns = ["customer", "tier", "joined", "last", "points", "worth"]
    if points is None:
        return pd.DataFrame({name: [] for name in columns})
    balances = points.customers.set_index("customer")["outstanding"]
    here = members.members[members.members["is_member"]]
    here = here.assign(points=here["customer"].map(balances).fillna(0.0))
    quiet = pd.Timestamp(as_of) - pd.Timedelta(SILENT_AFTER, "D")
    last = here["last"].where(here["last"].notna(), here["joined"])
    # a balance in the upper half of what members hold is worth a letter
    held = here.loc[here["points"] > 0, "points"]
    least = float(held.median()) if len(held) else math.inf
    listed = here[(last < quiet) & (here["points"] >= least)]
    worth = listed["points"] * (math.nan if point_value is None else point_value)
    listed = listed.assign(worth=worth)[columns]
    return listed.sort_values(["points", "customer"], ascending=[False, True], ignore_index=True)
