"""The value at stake with customers, and how sure its sum is.

What is at stake with a customer is what CLV would be if the customer were surely still one, less
CLV as it is: CLV / P(alive) − CLV.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.changed import with_values
from retention_lib.models.clv import discounted_purchases, expected_spend
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast
from retention_lib.models.histories import Floats, compress, distinct
from retention_lib.models.ruler import check_scoring
from retention_lib.models.sigma import HALF, variance_of
from retention_lib.models.totals import Estimate
from retention_lib.models.widening import Interval, errors_in_money, with_past

#: Customers whose stakes are worked out by other parameters too; of more than that a sample. It
#: serves the spread around the total only, in which the luck of the sample cancels.
MOST: Final = 2_000


def value_at_stake(values: pd.DataFrame) -> Floats:
    """CLV if surely a customer, less CLV: clv · (1 − p) / p.

    Parameters
    ----------
    values : DataFrame
        `clv`, `p_alive`, by customer.

    Returns
    -------
    ndarray, shape (n,)
        0 where p is 0 or not known; NaN where the CLV isn't known.
    """
    return _at_stake(*(values[c].to_numpy(dtype=float) for c in ("p_alive", "clv")))


def _at_stake(alive: Floats, clv: Floats) -> Floats:
    return np.divide(clv * (1 - alive), alive, out=np.zeros(len(alive)), where=alive > 0)


def stake_interval(base: Base, made: Forecast, who: pd.Index, *, seed: int = 0) -> Interval | None:
    """The value at stake with some customers, Σ CLV (1 − p) / p, and its 95 % interval.

    The error is that of the parameters, which moves P(alive) and value of all customers together,
    by the delta method. The interval is widened like the base's total by what past forecasts of
    this base missed. A sum over customers who are chosen for their history, whatever the
    parameters.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    who : Index
        Of its customers.
    seed : int
        Of the sample.

    Returns
    -------
    Interval or None
        None without customers or without a forecast in money.
    """
    if made.unknowable is not None or made.spend_model is None or not len(who):
        return None
    values = made.valuation.customers.loc[who]
    total = float(value_at_stake(values).sum())
    if len(who) > MOST:
        rng = np.random.default_rng(seed)
        who = who[np.sort(rng.choice(len(who), MOST, replace=False))]
    customers, model = base.customers(), made.purchase_model
    check_scoring(customers, model, time_unit=made.terms.time_unit, as_of=made.terms.as_of)
    at_stake = _stake_of(customers.loc[who], made)
    if not (total > 0 and at_stake(model) > 0):
        return None

    def log_stake(theta: Floats) -> Floats:
        return np.log([at_stake(with_values(model, theta))])

    variance = variance_of(log_stake, np.array(model.parameters), model.log_covariance_)[0]
    wide = float(np.exp(HALF * np.sqrt(variance)))
    estimate = Estimate(total, total / wide, total * wide)
    bias = made.holdout.bias if made.holdout else None
    return with_past(estimate, errors_in_money(made.backtests), bias)


def _stake_of(customers: pd.DataFrame, made: Forecast) -> Callable[[PurchaseFitter], float]:
    """What is at stake with some customers, added up, by any purchase model."""
    terms = made.terms
    times, factors = terms.by_month
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    pairs = distinct(histories.frequency, histories.T)
    # Revenue per purchase of the customers with the same history, added up.
    spend = terms.margin * expected_spend(customers, made.spend_model)
    revenue = np.bincount(histories.inverse, spend, len(histories.weights))

    def at_stake(model: PurchaseFitter) -> float:
        alive, _, discounted = discounted_purchases(model, histories, times, factors, pairs)
        return float(_at_stake(alive, revenue * discounted).sum())

    return at_stake
