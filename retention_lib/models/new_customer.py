"""What a customer won today brings, month by month, and when the cost of winning is back.

The first order counts, at the moment of winning and undiscounted: it is the first thing that the
cost of winning buys (Fader & Hardie 2012, "Reconciling and Clarifying CLV Formulas", note 024: the
value of a customer yet to be won starts at t = 0, the residual value of one who is there doesn't).
Then follow the repeat purchases that the model expects of somebody of whom nothing is known yet,
E[X(t)], at the population's mean spend:

    margin · (F + E[M] · Σ over months k of (E[X(t_k)] − E[X(t_{k−1})]) / (1 + d)^(k/12)).

A month is 365.25 / 12 days here, for customers are won on any day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.models import dropout
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.sigma import HALF, variance_of_both
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate


@dataclass(frozen=True, slots=True)
class FirstOrders:
    """The customers' first purchases: their mean amount, its standard error, their number."""

    mean: float
    error: float
    n: int


def first_orders(base: Base) -> FirstOrders:
    """The mean amount of customers' first purchases; error NaN of one customer, mean of none."""
    bought = base.purchases()
    amount = bought.filter(bought.number == 0)[schema.AMOUNT].cast("float64")
    row = bought.filter(bought.number == 0).aggregate(
        mean=amount.mean(), spread=amount.std(how="sample"), n=amount.count()
    )
    found = row.execute().iloc[0]
    n = int(found["n"])
    return FirstOrders(float(found["mean"]), float(found["spread"]) / math.sqrt(max(n, 1)), n)


def repeat_value(
    model: PurchaseFitter, spend_model: GammaGammaFitter, times: Floats, factors: Floats
) -> tuple[Floats, Floats]:
    """Discounted revenue from a new customer's repeat purchases, and its logarithm's error.

    Parameters
    ----------
    model : PurchaseFitter
    spend_model : GammaGammaFitter
    times, factors : ndarray, shape (k,)
        Ends of the months since the first purchase, and the discount of each.

    Returns
    -------
    value, error : ndarray, shape (k,)
        The standard deviation of the value's logarithm, by the fit's error alone.
    """

    def purchases(there: PurchaseFitter) -> Floats:
        return np.log(dropout.new_customer_purchases(there, times, factors))

    def spend(there: GammaGammaFitter) -> Floats:
        return np.log(np.array([there.population_mean]))

    value = spend_model.population_mean * dropout.new_customer_purchases(model, times, factors)
    return value, np.sqrt(variance_of_both(model, spend_model, purchases, spend))


def together(first: FirstOrders, margin: float, repeat: Estimate) -> Estimate:
    """The first order's margin and the later ones', their errors independent.

    Parameters
    ----------
    first : FirstOrders
    margin : float
    repeat : Estimate
        Of margin.
    """
    value = margin * first.mean + repeat.value
    own = HALF * margin * first.error if np.isfinite(first.error) else 0.0
    low = math.hypot(own, repeat.value - repeat.low)
    high = math.hypot(own, repeat.high - repeat.value)
    return Estimate(value, max(value - low, 0.0), value + high)


def payback_month(values: Floats, cost: float) -> int | None:
    """The first month at whose end a customer has brought the cost.

    Parameters
    ----------
    values : ndarray, shape (k + 1,)
        By month since the first purchase, from 0, the first purchase itself; NaN where not known.
    cost : float

    Returns
    -------
    int or None
        0 where the first purchase brings it; None where none of these months does.

    Examples
    --------
    >>> payback_month(np.array([20.0, 25.0, 31.0, 33.0]), 30.0)
    2
    >>> payback_month(np.array([20.0, 25.0]), 30.0) is None
    True
    """
    reached = np.flatnonzero(np.asarray(values) >= cost)
    return int(reached[0]) if reached.size else None
