"""Five hundred simulated bases, over the range in which the usual tools break.

Every fit ends at an optimum, and no search from elsewhere finds a better one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize

from retention_lib.models import (
    BetaGeoFitter,
    GammaGammaFitter,
    ModifiedBetaGeoFitter,
    ParetoNBDFitter,
    PurchaseFitter,
    spend,
)
from retention_lib.models.fitter import purchase_rate
from retention_lib.models.histories import Histories, compress
from retention_lib.models.likelihood import BetaGeometricLikelihood, GammaGammaLikelihood
from retention_lib.models.pareto_likelihood import ParetoNBDLikelihood

pytestmark = pytest.mark.slow

BASES = 500
STARTS = 3
#: How much higher, per customer, a reference may end: the rounding of two sums.
ROUNDING = 1e-7
Base = tuple[np.ndarray, np.ndarray, np.ndarray]


def history(rng: np.random.Generator) -> Base:
    """Customers of a BG/NBD base, their last purchase cut to its day, as real ones are.

    The repeat purchase after which somebody leaves is geometric; given a Poisson number of moments
    up to T, the last before leaving is an order statistic of uniform ones.
    """
    n, longest = int(rng.choice([60, 300, 2000])), float(rng.choice([120, 400, 1500]))
    r, alpha, a, b = 10 ** rng.uniform([-1, 0, -1.5, -0.5], [1.2, 3, 1, 1.3])
    T = np.floor(rng.uniform(30, longest, n))
    chances = rng.poisson(T * rng.gamma(r, 1 / alpha, n))
    last = rng.geometric(np.clip(rng.beta(a, b, n), 1e-9, 1))
    x = np.minimum(chances, last)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), chances - x + 1), 0)
    t_x = np.floor(t_x)
    return np.where(t_x > 0, x, 0), t_x, T


@pytest.fixture(scope="module")
def bases() -> list[Base]:
    rng = np.random.default_rng(20240229)
    return [history(rng) for _ in range(BASES)]


def best_elsewhere(
    likelihood: Callable, customers: int, starts: np.ndarray, box: tuple[np.ndarray, np.ndarray]
) -> float:
    """The smallest loss per customer that scipy finds, from these log-parameters on.

    In the fit's own box, for the best parameters of some bases lie at infinity.
    """

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        params = np.exp(logs)
        value, gradient, _ = likelihood(params)
        return -value / customers, -params * gradient / customers

    edges = list(zip(*box, strict=True))
    starts = np.clip(starts, *box)
    # On a ridge it would go on for thousands of steps that gain nothing.
    choice = {"method": "L-BFGS-B", "bounds": edges, "options": {"maxiter": 60}}
    return min(minimize(loss, s, jac=True, **choice).fun for s in starts)


@pytest.mark.parametrize("model", [BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter])
def test_every_base_ends_at_the_best_optimum_with_finite_predictions(bases, model):
    rng, as_good = np.random.default_rng(3), 0
    for number, (x, t_x, T) in enumerate(bases):
        fitted = model().fit(x, t_x, T)
        assert fitted.converged_, (number, fitted.degenerate_)
        assert np.isfinite(fitted.log_likelihood_), number
        assert np.isfinite(fitted.standard_errors_).all(), number
        expected = np.asarray(fitted.predict(365, x[:50], t_x[:50], T[:50]))
        alive = np.asarray(fitted.conditional_probability_alive(x, t_x, T))
        assert np.isfinite(expected).all(), number
        assert (expected >= 0).all(), number
        assert ((alive >= 0) & (alive <= 1)).all(), number

        histories = compress(x, t_x, T).scaled(1 / T.max())
        likelihood = likelihood_of(fitted, histories)
        in_time = [name in ("alpha", "beta") for name in fitted.parameter_names]
        loss = -likelihood(fitted.params_.to_numpy() / np.where(in_time, T.max(), 1))[0] / len(x)
        box = fitted._box(purchase_rate(histories))
        starts = rng.normal(0, 1.5, (STARTS, 4))
        reference = best_elsewhere(likelihood, len(x), starts, box)
        assert loss <= reference + ROUNDING, number
        as_good += reference <= loss + 1e-4
    # A reference that never gets there would be none.
    assert as_good > 0.9 * BASES


def likelihood_of(fitted: PurchaseFitter, histories: Histories) -> Callable:
    if isinstance(fitted, ParetoNBDFitter):
        return ParetoNBDLikelihood(histories)
    at_start = isinstance(fitted, ModifiedBetaGeoFitter)
    return BetaGeometricLikelihood(histories, leaves_at_start=at_start)


def test_every_base_ends_at_the_best_optimum_of_spend(bases):
    rng, fits, as_good = np.random.default_rng(4), 0, 0
    for number, (x, _, _) in enumerate(bases):
        x = np.sort(x[x > 0]).astype(float)
        if len(x) == 0:
            continue
        p, q, v = 10 ** rng.uniform([-0.5, -0.5, -1], [1.5, 1.5, 3])
        m = np.maximum(rng.gamma(p * x, 1 / rng.gamma(q, 1 / v, len(x))) / x, 1e-9)
        fitted = GammaGammaFitter().fit(x, m)
        assert fitted.converged_, (number, fitted.degenerate_)
        assert np.isfinite(fitted.log_likelihood_), number
        assert np.isfinite(fitted.standard_errors_).all(), number
        expected = fitted.conditional_expected_average_profit(x, m)
        assert np.isfinite(expected).all(), number
        assert (expected >= 0).all(), number

        unit = np.exp(np.log(m).mean())
        likelihood = GammaGammaLikelihood(x, m / unit, np.ones(len(x)))
        loss = -likelihood(fitted.params_.to_numpy() / [1, 1, unit])[0] / len(x)
        starts = rng.normal(0, 1.5, (STARTS, 3))
        reference = best_elsewhere(likelihood, len(x), starts, (spend._LOWER, spend._UPPER))
        assert loss <= reference + ROUNDING, number
        as_good += reference <= loss + 1e-4
        fits += 1
    assert fits > 0.9 * BASES
    assert as_good > 0.9 * fits
