"""The base as a whole: its figures and their intervals, from the simulated futures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.models.histories import Floats
from retention_lib.models.predictive import Draws


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the interval it will fall into with 95 % probability, if the model holds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Totals:
    """The base as a whole, each figure with its 95 % interval.

    The intervals hold two sources of error: the parameters' (draws from the normal approximation of
    the log-parameters, purchase and spend model), and the customers' own chance (who is alive,
    how often they buy, for how much). They do not hold what a model can't know: that the
    coming months may differ from those it was fitted on.

    Attributes
    ----------
    alive : Estimate
        Customers still alive on `as_of`: the sum of P(alive).
    purchases : Estimate
        Purchases within the horizon.
    clv, clv_mean : Estimate or None
        Discounted margin within the horizon, total and per customer; None without a spend model.
    top20_share : Estimate or None
        Share of `clv` that comes from the fifth of the customers (rounded up) with the highest
        expected value, always the same customers; None where `clv` is 0 or None.
    """

    alive: Estimate
    purchases: Estimate
    clv: Estimate | None
    clv_mean: Estimate | None
    top20_share: Estimate | None


def totals_of(frame: pd.DataFrame, top: np.ndarray, futures: Draws) -> Totals:
    """Add up a base.

    Parameters
    ----------
    frame : DataFrame
        Per customer `p_alive`, `expected_purchases` and `clv`, the latter NaN where not known.
    top : ndarray of bool, shape (n,)
        The best fifth.
    futures : Draws

    Returns
    -------
    Totals
    """
    alive = _estimate(float(frame["p_alive"].sum()), futures.alive)
    purchases = _estimate(float(frame["expected_purchases"].sum()), futures.purchases)
    values = frame["clv"].to_numpy()
    total = float(values.sum())
    if not np.isfinite(total):
        return Totals(alive, purchases, None, None, None)
    n = len(frame)
    clv = _estimate(total, futures.value)
    mean = _estimate(total / n, futures.value / n)
    if total <= 0:
        return Totals(alive, purchases, clv, mean, None)
    some = futures.value > 0
    shares = futures.top_value[some] / futures.value[some]
    share = _estimate(float(values[top].sum()) / total, shares)
    return Totals(alive, purchases, clv, mean, share)


def _estimate(value: float, drawn: Floats) -> Estimate:
    """The drawn 95 % interval, widened to hold the estimate where skewed draws leave it out."""
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (value, value)
    return Estimate(value, min(float(low), value), max(float(high), value))
