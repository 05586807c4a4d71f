"""How many customers should have bought how often, if the model holds: its fit, to be looked at.

The distribution of the number of repeat purchases up to each customer's age, added up over the
customers (Fader, Hardie & Lee 2005, equation 8 and figure 1; Fader & Hardie 2005, note 009,
section 4).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.pareto import ParetoNBDFitter

#: Ages that are told apart: more of them move no expected count by a thousandth.
_AGES = 60
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def repeat_counts(model: PurchaseFitter, customers: pd.DataFrame, top: int = 7) -> pd.DataFrame:
    """Customers by number of repeat purchases, as they are and as the model has them.

    Parameters
    ----------
    model : PurchaseFitter
    customers : DataFrame
        One row per customer with `frequency` and `T`.
    top : int, default 7
        Numbers from here on are one class.

    Returns
    -------
    DataFrame
        `frequency` (0 … `top`+, text), `actual`, `expected` (customers); both add up to all.
    """
    bought = np.minimum(customers["frequency"].to_numpy(dtype=int), top)
    ages, numbers = _few(customers["T"].to_numpy(dtype=float))
    shares = np.array([_distribution(model, age, top) for age in ages])
    expected = numbers @ shares
    return pd.DataFrame(
        {
            "frequency": [*map(str, range(top)), f"{top}+"],
            "actual": np.bincount(bought, minlength=top + 1),
            "expected": [*expected, max(len(customers) - expected.sum(), 0.0)],
        }
    )


def _few(ages: Floats) -> tuple[Floats, Floats]:
    """The ages and how many customers have each; of many ages, means of equal parts."""
    distinct, numbers = np.unique(ages, return_counts=True)
    if len(distinct) <= _AGES:
        return distinct, numbers.astype(float)
    parts = np.array_split(np.sort(ages), _AGES)
    return np.array([p.mean() for p in parts]), np.array([len(p) for p in parts], dtype=float)


def _distribution(model: PurchaseFitter, age: float, top: int) -> Floats:
    """P(X(age) = n) for n = 0 … top − 1."""
    if age <= 0:
        return np.eye(1, top)[0]
    if isinstance(model, ParetoNBDFitter):
        return _pareto(model, age, top)
    # lifetimes' name for it, which the fitters here work out in a way that holds
    one = model.probability_of_n_purchases_up_to_time  # type: ignore[attr-defined]
    return np.array([one(age, n) for n in range(top)])


def _pareto(model: PurchaseFitter, age: float, top: int) -> Floats:
    """The negative binomial up to the age or the moment of leaving, averaged over that moment.

    In u, the share that hasn't left yet, the moment is uniform.
    """
    r, alpha, s, beta = model.parameters
    stays = np.exp(-s * np.log1p(age / beta))
    u = stays + (1 - stays) * (_NODES + 1) / 2
    left = np.minimum(beta * np.expm1(-np.log(u) / s), age)
    n = np.arange(top)[:, None]

    def negative_binomial(t: Floats) -> Floats:
        log_coefficient = gammaln(r + n) - gammaln(r) - gammaln(n + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_time = np.where(n > 0, n * np.log(t / (alpha + t)), 0.0)
        return np.asarray(np.exp(log_coefficient - r * np.log1p(t / alpha) + log_time))

    gone = negative_binomial(left) @ _WEIGHTS / 2 * (1 - stays)
    return np.asarray(gone + stays * negative_binomial(np.array([age]))[:, 0])
