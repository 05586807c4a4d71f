"""What the programme costs, what it must bring, and what it brings.

Members bought for R in the period, with the programme. Had it raised what they buy by a share u,
they would have bought for R / (1 + u) without it, and it has brought margin · R · u / (1 + u). It
pays for its cost C where

    margin · R · u / (1 + u) = C,  so that  u = C / (margin · R − C):

more than C / (margin · R), for part of R is the uplift itself. Where C is margin · R or more, no
uplift pays.

The uplift that was measured is that of members who joined, in the window after they did. It is
applied to all members' revenue of the period, as if they all responded alike and it lasted; the
report says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from retention_lib.loyalty.programme_ledger import Ledger
from retention_lib.metrics import Metric, Unit, unknown
from retention_lib.sentence import N_

#: Break-even uplift below which the cost is next to nothing, and a return on it says nothing.
SMALL_COST: Final = 0.001

WHY_NO_EFFECT = N_("Without a fair comparison nothing can be said of what the programme brought.")
WHY_NO_COST = N_("The client file and the ledger name no cost of the programme.")
WHY_NO_REVENUE = N_("Members bought nothing in the period.")
WHY_SMALL = N_("The cost that is known is next to nothing against what members buy.")
WHY_NEVER = N_("The programme costs more than the margin on all that members buy.")


@dataclass(frozen=True)
class Money:
    """Cost and gain of the reporting period, in the report's currency.

    Parameters
    ----------
    margin : float
        Share of revenue.
    revenue : float
        Net revenue from members.
    rewards : float
        What rewards cost; `rewards_at_face` says whether that is their worth in points, where the
        ledger has no cost.
    rewards_at_face : bool
    running : float
        What the programme costs beside its rewards.
    break_even : Metric
        Uplift of members' spend that pays for the cost.
    gain : Metric
        Margin that the programme brought, with its interval.
    roi : Metric
        Gain less cost, over cost.
    net_value : Metric
        Gain less cost.
    """

    margin: float
    revenue: float
    rewards: float
    rewards_at_face: bool
    running: float
    break_even: Metric
    gain: Metric
    roi: Metric
    net_value: Metric

    @property
    def cost(self) -> float:
        """Rewards and running cost."""
        return self.rewards + self.running


def gained(revenue: float, margin: float, uplift: float) -> float:
    """Margin in what members bought that they wouldn't have without an uplift of −1 or more.

    Examples
    --------
    >>> round(gained(1100.0, 0.5, 0.10), 6)
    50.0
    """
    if uplift <= -1:
        return -math.inf
    return margin * revenue * uplift / (1 + uplift)


def break_even_uplift(cost: float, revenue: float, margin: float) -> float | None:
    """The uplift that pays; None where none does.

    Examples
    --------
    >>> round(break_even_uplift(50.0, 1100.0, 0.5), 6)
    0.1
    """
    room = margin * revenue - cost
    return cost / room if room > 0 else None


def money(
    revenue: float,
    margin: float,
    months: int,
    running_a_year: float,
    ledger: Ledger | None,
    point_value: float | None,
    uplift: tuple[float, float, float] | None,
    n: int | None = None,
) -> Money:
    """Cost against gain.

    Parameters
    ----------
    revenue : float
        Members' net revenue of the period.
    margin : float
    months : int
        Length of the period.
    running_a_year : float
    ledger : Ledger or None
    point_value : float or None
        Worth of a point, for rewards whose cost the ledger doesn't have.
    uplift : tuple of float or None
        Measured relative effect and its limits; None where there is no fair comparison.
    n : int, optional
        Members it was measured on.
    """
    rewards, at_face = 0.0, False
    if ledger is not None:
        rewards = ledger.period["cost"]
        if not ledger.cost_known and point_value is not None:
            rewards, at_face = ledger.period["redeemed"] * point_value, True
    running = running_a_year * months / 12
    cost = rewards + running
    gain = _gain(revenue, margin, uplift, n)
    even = _break_even(cost, revenue, margin)
    small = even.value is not None and even.value < SMALL_COST
    return Money(
        margin=margin,
        revenue=revenue,
        rewards=rewards,
        rewards_at_face=at_face,
        running=running,
        break_even=even,
        gain=gain,
        roi=(unknown("ratio", WHY_SMALL) if small else _less_cost(gain, cost, relative=True)),
        net_value=_less_cost(gain, cost, relative=False),
    )


def _break_even(cost: float, revenue: float, margin: float) -> Metric:
    if not revenue > 0:
        return unknown("share", WHY_NO_REVENUE)
    if not cost > 0:
        return unknown("share", WHY_NO_COST)
    share = break_even_uplift(cost, revenue, margin)
    if share is None:
        return unknown("share", WHY_NEVER)
    return Metric(share, "share", note=WHY_SMALL if share < SMALL_COST else None)


def _gain(
    revenue: float, margin: float, uplift: tuple[float, float, float] | None, n: int | None
) -> Metric:
    if uplift is None or not all(math.isfinite(u) and u > -1 for u in uplift):
        return unknown("currency", WHY_NO_EFFECT)
    value, low, high = (gained(revenue, margin, u) for u in uplift)
    return Metric(value, "currency", low, high, n=n)


def _less_cost(gain: Metric, cost: float, *, relative: bool) -> Metric:
    unit: Unit = "ratio" if relative else "currency"
    by = cost if relative else 1.0
    if gain.value is None:
        return unknown(unit, WHY_NO_EFFECT)
    if not cost > 0:
        return unknown(unit, WHY_NO_COST)
    low, high = ((None if x is None else (x - cost) / by) for x in (gain.low, gain.high))
    return Metric((gain.value - cost) / by, unit, low, high, n=gain.n)
