"""What winning and keeping customers costs, against what they bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.models.forecast import Forecast
from retention_lib.models.histories import Floats
from retention_lib.models.more_retention import Ahead, MoreRetention, points_that_bring
from retention_lib.models.new_customer import payback_month

#: Months in which the cost of winning a customer is looked for.
PAYBACK: Final = 36


@dataclass(frozen=True, slots=True)
class Payback:
    """When an average new customer has brought the cost of winning one.

    Attributes
    ----------
    month : int or None
        0 with the first order; None not within `PAYBACK` months.
    earliest, latest : int or None
        By the upper and by the lower end of what a new customer brings.
    """

    month: int | None
    earliest: int | None
    latest: int | None


@dataclass(frozen=True, slots=True)
class Programme:
    """What a retention programme costs within the horizon, and what it has to bring.

    Attributes
    ----------
    each, total : float
        Its cost for one active customer and for all of them, within the horizon.
    points : float or None
        How much retention must rise (0.02: two points) for it to pay; None where it can't.
    points_low, points_high : float or None
        By the ends of what a point is worth.
    worth_it : int
        Active customers with more at stake than `each`.
    worth_it_cost, worth_it_at_stake : float
        What the programme costs for them alone, and what is at stake with them.
    """

    each: float
    total: float
    points: float | None
    points_low: float | None
    points_high: float | None
    worth_it: int
    worth_it_cost: float
    worth_it_at_stake: float


def payback(new: pd.DataFrame, cost: float | None) -> Payback | None:
    """When a new customer has brought the cost of winning one.

    Parameters
    ----------
    new : DataFrame
        `value`, `low`, `high` by month from 0.
    cost : float or None
    """
    if cost is None:
        return None
    within = new.iloc[: PAYBACK + 1]
    value, high, low = (
        payback_month(within[c].to_numpy(dtype=float), cost) for c in ("value", "high", "low")
    )
    return Payback(value, high, low)


def programme(
    made: Forecast,
    active: pd.DataFrame,
    value: float,
    stakes: Floats,
    ahead: Ahead,
    more: MoreRetention,
    cost: float | None,
) -> Programme | None:
    """What a retention programme for the active customers costs, and has to bring.

    Parameters
    ----------
    made : Forecast
    active : DataFrame
        The active customers.
    value : float
        Their CLV within the horizon.
    stakes : ndarray, shape (n,)
        What is at stake with each of them.
    ahead : Ahead
    more : MoreRetention
        Of the same customers, with what past forecasts missed in the ends of its amounts.
    cost : float or None
        Per customer and year; None gives None.
    """
    if cost is None:
        return None
    assert made.spend_model is not None  # else there are no economics
    each = cost * made.horizon_months / 12
    total = each * len(active)
    points = points_that_bring(
        active,
        made.purchase_model,
        made.spend_model,
        ahead,
        rise=total / value,
        horizon=made.horizon_months,
    )
    low = high = None
    if points is not None and 1 in more.log_k:
        row = more.months.iloc[made.horizon_months - 1]
        low = points * float(row["plus_1"] / row["plus_1_high"])
        high = points * float(row["plus_1"] / row["plus_1_low"])
    worth = stakes > each
    return Programme(
        each=each,
        total=total,
        points=points,
        points_low=low,
        points_high=high,
        worth_it=int(worth.sum()),
        worth_it_cost=each * int(worth.sum()),
        worth_it_at_stake=float(stakes[worth].sum()),
    )
