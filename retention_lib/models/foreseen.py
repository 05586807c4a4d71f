"""What a fitted model foresees of a base, without valuing each customer: totals and revenue."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import norm

from retention_lib.errors import DataError
from retention_lib.models.fit import fit_spend_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, compress
from retention_lib.models.predictive import draw_parameters
from retention_lib.models.spend import GammaGammaFitter

#: Customers simulated in all draws together, from which on fewer draws do; and the fewest.
_SIMULATED, _FEWEST_DRAWS = 20_000_000, 40


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
        Simulated futures. Of a large base fewer are drawn, and their spread taken as normal: a sum
        over so many customers is.
    seed : int

    Returns
    -------
    low, high : float or None
        None where `draws` is 0.
    """
    if draws < 1:
        return None, None
    enough = max(_SIMULATED // len(customers), _FEWEST_DRAWS)
    totals = drawn_totals(model, customers, horizon, draws=min(draws, enough), seed=seed)
    if enough < draws:
        half = float(norm.ppf(0.975) * totals.std(ddof=1))
        return max(float(totals.mean()) - half, 0.0), float(totals.mean()) + half
    low, high = np.quantile(totals, [0.025, 0.975])
    return float(low), float(high)


def drawn_totals(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, draws: int, seed: int
) -> Floats:
    """These customers' purchases in the horizon in each of some simulated futures.

    Returns
    -------
    ndarray, shape (draws,)
    """
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
