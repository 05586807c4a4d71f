"""Intervals that hold however often one looks: against the martingale itself, and against dice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from retention_lib.loyalty import always_valid
from retention_lib.loyalty.experiment_uplift import mean_difference


@pytest.mark.parametrize("information", [0.05, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_limit_is_where_the_mixture_of_likelihood_ratios_reaches_one_over_alpha(
    information: float, alpha: float
) -> None:
    """∫ exp(λS − λ²t/2) dN(λ; 0, ρ²) is Robbins' martingale; t is the information."""
    rho = math.sqrt(-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1))

    def mixture(z: float) -> float:
        s = z * math.sqrt(information)

        def integrand(of: float) -> float:
            return math.exp(of * s - of**2 * information / 2) * norm.pdf(of, scale=rho)

        return quad(integrand, -60, 60, limit=400)[0]

    limit = brentq(lambda z: math.log(mixture(z)) + math.log(alpha), 0.1, 12)
    assert always_valid.width(information, alpha) == pytest.approx(limit, rel=1e-6)


def test_the_p_value_is_below_alpha_exactly_where_the_interval_leaves_out_0() -> None:
    for information in (0.02, 0.4, 1.0):
        limit = always_valid.width(information)
        for z, below in ((limit - 1e-6, False), (limit + 1e-6, True)):
            p = always_valid.p_value(float(2 * norm.sf(z)), information)
            assert (p < 0.05) is below
    assert always_valid.p_value(1.0, 0.5) == 1.0
    assert 0 <= always_valid.p_value(0.0, 0.5) < 1e-100
    assert math.isnan(always_valid.p_value(math.nan, 0.5))


def test_an_interval_is_widest_at_the_first_looks_and_never_as_narrow_as_the_usual_one() -> None:
    widths = [always_valid.width(part) for part in (0.001, 0.01, 0.1, 0.5, 1.0)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 1.96
    assert always_valid.level(1.0) == pytest.approx(0.9976, abs=1e-4)


@pytest.mark.parametrize(("information", "alpha"), [(0.0, 0.05), (-1.0, 0.05), (1.0, 0.0)])
def test_no_information_and_no_level_are_refused(information: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="is"):
        always_valid.width(information, alpha)


def spend(dice: np.random.Generator, *shape: int) -> np.ndarray:
    """Most customers buy nothing, some a little, few a lot."""
    return np.where(dice.random(shape) < 0.3, np.exp(dice.normal(3.5, 1.0, shape)), 0.0)


def test_of_tests_without_effect_looked_at_fifty_times_the_usual_interval_fools_a_third() -> None:
    """1,000 tests of 5,000 customers who come in one after the other; peeked at 50 times each."""
    dice, tests, each, looks = np.random.default_rng(5), 1_000, 2_500, 50
    n = np.linspace(each / looks, each, looks).astype(int)
    sums = []
    for _ in range(2):
        values = spend(dice, tests, each)
        total, square = values.cumsum(axis=1)[:, n - 1], (values**2).cumsum(axis=1)[:, n - 1]
        mean = total / n
        sums.append((mean, (square / n - mean**2) / (n - 1)))
    (one, variance), (other, its) = sums
    z = np.abs(one - other) / np.sqrt(variance + its)
    usual = (z > 1.96).any(axis=1).mean()
    always = (z > [always_valid.width(x / each) for x in n]).any(axis=1).mean()
    assert 0.30 <= usual <= 0.50
    assert always <= 0.05


def test_a_true_effect_is_inside_at_every_look() -> None:
    """Over 300 tests, the truth leaves the interval at some of 30 looks in at most 5%."""
    dice, tests, each, effect = np.random.default_rng(8), 300, 1_500, 6.0
    n = np.linspace(100, each, 30).astype(int)
    missed = 0
    for _ in range(tests):
        one, other = spend(dice, each) + effect, spend(dice, each)
        for k in n:
            level = always_valid.level(k / each)
            found = mean_difference(one[:k], other[:k], level)
            if not found.low <= effect <= found.high:
                missed += 1
                break
    assert missed / tests <= 0.05


def test_days_added_up_of_customers_who_all_began_at_once_are_on_the_safe_side() -> None:
    """What a customer buys later hangs together with what was bought before."""
    dice, tests, customers, days = np.random.default_rng(9), 800, 400, 30
    fooled = 0
    for _ in range(tests):
        rate = dice.gamma(0.7, 1 / 0.7, customers) * 0.03
        daily = dice.poisson(rate[:, None], (customers, days)) * np.exp(
            dice.normal(3, 0.8, (customers, 1))
        )
        so_far = daily.cumsum(axis=1)
        one, other = so_far[: customers // 2], so_far[customers // 2 :]
        error = np.sqrt((one.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / (customers // 2))
        z = np.abs(one.mean(axis=0) - other.mean(axis=0)) / np.maximum(error, 1e-9)
        limits = [always_valid.width(day / days) for day in range(1, days + 1)]
        fooled += bool((z[6:] > limits[6:]).any())
    assert fooled / tests <= 0.05
