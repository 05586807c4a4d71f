"""Costs and what they bring: retention's value, a new customer's, payback, the value at risk.

Joins `more_retention` and `new_customer` with the client file's costs. Intervals hold the fit's
error and, for amounts, what past forecasts of this base missed by (`widening`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.at_stake import value_at_stake
from retention_lib.models.clv import month_boundaries
from retention_lib.models.costs import Payback, Programme, payback, programme
from retention_lib.models.forecast import Forecast
from retention_lib.models.more_retention import Ahead, MoreRetention, more_retention
from retention_lib.models.new_customer import (
    FirstOrders,
    first_orders,
    repeat_value,
    together,
)
from retention_lib.models.sigma import HALF
from retention_lib.models.totals import Estimate
from retention_lib.models.widening import errors_in_money, with_past
from retention_lib.units import DAYS_PER_MONTH, DAYS_PER_UNIT

#: Months ahead that are looked at, at least.
LONGEST: Final = 60
#: An amount with its ends by the fit's error alone, to one with what the past missed too.
Widen = Callable[[float, float, float], Estimate]


@dataclass(frozen=True, slots=True)
class Economics:
    """The economics of a base, for the chapter on value and for advice.

    Attributes
    ----------
    horizon_months, active_months : int
    margin : float
    acquisition_cost, retention_cost : float or None
        As in the client file: per new customer; per active customer and year.
    history_months : int
        How far the data go back; further ahead the model only goes on as before.
    more : MoreRetention
        Of the active customers. The ends of `plus_p` hold what past forecasts missed; `at_risk` is
        by the fit's error alone.
    at_risk : Estimate
        Within the horizon, with the active customers.
    first : FirstOrders
    new : DataFrame
        What a new customer brings, by month (0 …): `value`, `low`, `high`, discounted margin.
    payback : Payback or None
        None without an `acquisition_cost`.
    programme : Programme or None
        None without a `retention_cost`.
    """

    horizon_months: int
    active_months: int
    margin: float
    acquisition_cost: float | None
    retention_cost: float | None
    history_months: int
    more: MoreRetention
    at_risk: Estimate
    first: FirstOrders
    new: pd.DataFrame
    payback: Payback | None
    programme: Programme | None

    @property
    def gains(self) -> dict[int, Estimate]:
        """By points within reach (1, 5): what they bring within the horizon."""
        found = {p: self.rise(p, self.horizon_months, "plus") for p in self.more.log_k}
        return {p: gain for p, gain in found.items() if gain is not None}

    @property
    def now(self) -> float:
        """CLV of the active customers: discounted margin within the horizon."""
        return float(self.more.months["now"].iloc[self.horizon_months - 1])

    @property
    def clv_new(self) -> Estimate:
        """What a new customer brings within the horizon, the first order included."""
        return self.new_after(self.horizon_months)

    def new_after(self, months: int) -> Estimate:
        """What a new customer brings within so many months, the first order included."""
        row = self.new.iloc[months]
        return Estimate(float(row["value"]), float(row["low"]), float(row["high"]))

    def rise(self, points: int, months: int, of: str = "rise") -> Estimate | None:
        """By what share value rises with more retention, or by how much; None out of reach.

        Parameters
        ----------
        points : int
            1 or 5.
        months : int
            Ahead.
        of : str
            `rise`, of the active customers, `plus`, the same as an amount, or `new`, of a new
            customer's repeat purchases.
        """
        if points not in self.more.log_k:
            return None
        row, name = self.more.months.iloc[months - 1], f"{of}_{points}"
        return Estimate(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high")))

    @property
    def clv_to_cac(self) -> Estimate | None:
        """CLV of a new customer over the cost of winning one; None without a cost above 0."""
        if not self.acquisition_cost:
            return None
        clv, cost = self.clv_new, self.acquisition_cost
        return Estimate(clv.value / cost, clv.low / cost, clv.high / cost)

    @property
    def break_even_spend(self) -> Estimate | None:
        """What may be spent per active customer and year on one point more; None out of reach."""
        gain = self.gains.get(1)
        if gain is None:
            return None
        each = 12 / self.horizon_months / self.more.customers
        return Estimate(gain.value * each, gain.low * each, gain.high * each)


def economics(base: Base, made: Forecast) -> Economics | None:
    """Work out the economics of a base.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.

    Returns
    -------
    Economics or None
        None where the forecast isn't to be acted on, has no money in it, or nobody is active.
    """
    if made.unknowable is not None or made.spend_model is None or not made.usable:
        return None
    customers = base.customers()
    since = pd.Timestamp(base.windows.at_end.start)
    is_active = (pd.to_datetime(customers["last"]) >= since).to_numpy()
    values = made.valuation.customers[is_active]
    value = float(values["clv"].sum())
    if not value > 0:
        return None
    params, horizon = base.params, made.horizon_months
    ahead, widen = _ahead(base, made), _widening(made)
    active = customers[is_active]
    more = more_retention(
        active, made.purchase_model, made.spend_model, ahead, value=value, horizon=horizon
    )
    more = dataclasses.replace(more, months=_widened_gains(widen, more.months, more.log_k))
    stakes = value_at_stake(values)
    risk, whole = more.at_risk, float(stakes.sum())
    # of a large base the fit's error is known from a sample, the sum in full
    scale = whole / risk.value if risk.value > 0 else 0.0
    first = first_orders(base)
    new = _new(made, first, ahead, widen)
    return Economics(
        horizon_months=horizon,
        active_months=params.active_months,
        margin=made.margin,
        acquisition_cost=params.acquisition_cost,
        retention_cost=params.retention_cost,
        history_months=round((base.as_of - base.start).days / DAYS_PER_MONTH),
        more=more,
        at_risk=widen(whole, scale * risk.low, scale * risk.high),
        first=first,
        new=new,
        payback=payback(new, params.acquisition_cost),
        programme=programme(made, active, value, stakes, ahead, more, params.retention_cost),
    )


def _ahead(base: Base, made: Forecast) -> Ahead:
    unit = base.params.time_unit
    number = np.arange(1, max(LONGEST, made.horizon_months) + 1)
    times = month_boundaries(base.as_of.isoformat(), len(number), unit)
    window = month_boundaries(base.as_of.isoformat(), base.params.active_months, unit)[-1]
    return Ahead(
        times=times,
        factors=(1 + made.discount_rate) ** (-number / 12),
        new_times=number * DAYS_PER_MONTH / DAYS_PER_UNIT[unit],
        window=float(window),
    )


def _widening(made: Forecast) -> Widen:
    """Adds what past forecasts of this base missed, which moves an amount as it moves the total."""
    errors, bias = errors_in_money(made.backtests), made.holdout.bias if made.holdout else None

    def widen(value: float, low: float, high: float) -> Estimate:
        both = with_past(Estimate(float(value), float(low), float(high)), errors, bias)
        return Estimate(both.value, both.low, both.high)

    return widen


def _widened_gains(widen: Widen, months: pd.DataFrame, points: Iterable[int]) -> pd.DataFrame:
    """The months with what past forecasts missed in the ends of each gain in money."""
    for p in points:
        names = [f"plus_{p}{end}" for end in ("", "_low", "_high")]
        rows = [widen(*row) for row in months[names].to_numpy(dtype=float)]
        ends = {names[1]: [e.low for e in rows], names[2]: [e.high for e in rows]}
        months = months.assign(**ends)
    return months


def _new(made: Forecast, first: FirstOrders, ahead: Ahead, widen: Widen) -> pd.DataFrame:
    assert made.spend_model is not None  # else there are no economics
    value, error = repeat_value(
        made.purchase_model, made.spend_model, ahead.new_times, ahead.factors
    )
    nothing = Estimate(0.0, 0.0, 0.0)
    rows = [together(first, made.margin, nothing)]
    for repeat, sd in zip(made.margin * value, error, strict=True):
        factor = float(np.exp(HALF * sd))
        rows.append(together(first, made.margin, widen(repeat, repeat / factor, repeat * factor)))
    frame = pd.DataFrame([{"value": e.value, "low": e.low, "high": e.high} for e in rows])
    return frame.rename_axis("month")
