"""What a fitted model foresees of a base, without valuing each customer: totals and revenue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lib.errors import DataError
from retention_lib.models.changed import with_values
from retention_lib.models.fit import fit_spend_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, compress, distinct
from retention_lib.models.predictive import draw_parameters
from retention_lib.models.sigma import HALF, variance_of
from retention_lib.models.spend import GammaGammaFitter

#: Customers, and purchases expected of them, from which on a total isn't simulated draw by draw.
_MANY, _MUCH = 5_000, 100
#: Customers simulated, in as many futures as that takes, to see how far chance alone moves a total.
_BY_CHANCE = 50_000


def expected_purchases(model: PurchaseFitter, customers: pd.DataFrame, horizon: float) -> Floats:
    """Expected purchases of each customer in the horizon; shape (n,)."""
    columns = (customers[c].to_numpy(dtype=float) for c in ("frequency", "recency", "T"))
    return np.asarray(
        model.conditional_expected_number_of_purchases_up_to_time(horizon, *columns), dtype=float
    )


def forecast_interval(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, draws: int, seed: int
) -> tuple[float | None, float | None]:
    """95 % interval of the purchases that these customers make in the horizon.

    Parameters
    ----------
    model : PurchaseFitter
    customers : DataFrame
    horizon : float
    draws : int
        Simulated futures, where customers or purchases are few. The sum of many is as good as
        normal, so that its error tells all.
    seed : int

    Returns
    -------
    low, high : float or None
        None where `draws` is 0.
    """
    if draws < 1:
        return None, None
    if (known := _total_and_error(model, customers, horizon, seed=seed)) is None:
        totals = _drawn_totals(model, customers, horizon, draws=draws, seed=seed)
        low, high = np.quantile(totals, [0.025, 0.975])
        return float(low), float(high)
    total, error = known
    return total * float(np.exp(-HALF * error)), total * float(np.exp(HALF * error))


def relative_error(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, draws: int, seed: int
) -> float:
    """Standard deviation of these customers' purchases in the horizon, over their mean.

    Parameters
    ----------
    model, customers, horizon, draws, seed
        As in `forecast_interval`.
    """
    if (known := _total_and_error(model, customers, horizon, seed=seed)) is not None:
        return known[1]
    totals = _drawn_totals(model, customers, horizon, draws=draws, seed=seed)
    return float(np.std(totals, ddof=1) / totals.mean()) if totals.mean() > 0 else 0.0


def _drawn_totals(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, draws: int, seed: int
) -> Floats:
    """These customers' purchases in the horizon in each of some simulated futures."""
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    rng = np.random.default_rng(seed)
    params = draw_parameters(rng, model.params_.to_numpy(dtype=float), model.log_covariance_, draws)
    alive = model.alive_by_draw(params, histories)
    return np.array(
        [
            float(model.simulate(rng, theta, histories, horizon, p)[1].sum())
            for theta, p in zip(params, alive, strict=True)
        ]
    )


def _total_and_error(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, seed: int
) -> tuple[float, float] | None:
    """Expected purchases of many customers, and the standard deviation of their logarithm.

    The fit's error moves all customers together, by the delta method. Chance moves each apart, so
    that their squared distances from the expectation add up, in any future to nearly the same.

    Returns
    -------
    tuple of two float, or None
        None where customers or purchases are too few for it.
    """
    if len(customers) < _MANY:
        return None
    h = compress(customers["frequency"], customers["recency"], customers["T"])
    # Of somebody who is alive the last purchase's day says nothing more.
    first, inverse = distinct(h.frequency, h.T)

    def by_history(by: PurchaseFitter) -> Floats:
        alive = by.conditional_probability_alive(h.frequency, h.recency, h.T)
        ahead = by.expected_if_alive([horizon], h.frequency[first], h.T[first])
        return np.asarray(alive * ahead[inverse, 0], dtype=float)

    def log_total(theta: Floats) -> Floats:
        return np.log([h.weights @ by_history(with_values(model, theta))])

    expected = by_history(model)
    total = float(h.weights @ expected)
    if total < _MUCH:
        return None
    fitted = np.array(model.parameters)
    by_fit = float(variance_of(log_total, fitted, model.log_covariance_)[0])
    rng, futures = np.random.default_rng(seed), -(-_BY_CHANCE // len(customers))
    alive = next(model.alive_by_draw(fitted[None, :], h))
    each = expected[h.inverse]
    off = (model.simulate(rng, fitted, h, horizon, alive)[1] - each for _ in range(futures))
    by_chance = float(np.mean([e @ e for e in off])) / total**2
    return total, float(np.sqrt(by_fit + by_chance))


def spend_model_of(
    customers: pd.DataFrame, near: GammaGammaFitter | None = None
) -> GammaGammaFitter | None:
    """The spend model of some customers; None where nothing is known of spend.

    Parameters
    ----------
    customers : DataFrame
        With `frequency` and `monetary_value`.
    near : GammaGammaFitter, optional
        That of customers much like these, where the search begins.
    """
    try:
        return fit_spend_model(customers, near=None if near is None else dict(near.params_))
    except DataError:
        return None
