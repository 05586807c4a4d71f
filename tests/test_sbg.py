"""The sBG model against its paper's figures, the definition and made-up subscribers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta as beta_law

from retention_lib.errors import DataError
from retention_lib.models.sbg import ShiftedBetaGeometric, _Likelihood, fit_sbg

#: Survivors of 1,000, years 0 to 12: Fader & Hardie (2007), table 1.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]


def cohort(survivors: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Lost and kept of a cohort that was watched as long as there are survivors."""
    lost = -np.diff(survivors)
    kept = np.zeros(len(lost))
    kept[-1] = survivors[-1]
    return lost, kept


@pytest.mark.parametrize(
    ("survivors", "years", "alpha", "beta", "log_likelihood"),
    [
        (HIGH_END, 7, 0.668, 3.806, -1_611.158),
        (REGULAR, 7, 0.704, 1.182, -1_680.265),
        (HIGH_END, 4, 1.281, 7.790, -1_225.135),
        (REGULAR, 4, 0.764, 1.296, -1_401.559),
    ],
)
def test_the_published_fits(
    survivors: list[int], years: int, alpha: float, beta: float, log_likelihood: float
) -> None:
    model = fit_sbg(*cohort(survivors[: years + 1]))
    assert model.alpha == pytest.approx(alpha, abs=0.0006)
    assert model.beta == pytest.approx(beta, abs=0.0006)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=0.0006)
    assert model.degenerate is None
    assert model.n == 1_000


@pytest.mark.parametrize(
    ("survivors", "projected"),
    [
        (HIGH_END, [0.460, 0.436, 0.414, 0.395, 0.378]),
        (REGULAR, [0.220, 0.204, 0.191, 0.180, 0.170]),
    ],
)
def test_the_published_projections(survivors: list[int], projected: list[float]) -> None:
    model = fit_sbg(*cohort(survivors[:8]))
    years = np.arange(8, 13)
    assert model.survival(years) == pytest.approx(projected, abs=0.0006)
    low, high = model.survival_interval(years)
    assert (low < model.survival(years)).all()
    assert (model.survival(years) < high).all()
    # the years that the fit hasn't seen lie within
    assert (low < np.array(survivors[8:]) / 1_000).all()
    assert (np.array(survivors[8:]) / 1_000 < high).all()


def test_the_published_residual_lifetime() -> None:
    model = fit_sbg(*cohort(HIGH_END[:8]))
    assert model.residual_lifetime(7, 0.10) == pytest.approx(7.530, abs=0.0006)


def test_the_residual_lifetime_is_the_sum_of_what_is_still_to_come() -> None:
    model = fit_sbg(*cohort(REGULAR[:8]))
    later = np.arange(4, 2_000)
    share = model.survival(later) / model.survival(3)
    by_hand = float(np.sum(share / 1.15 ** (later - 4)))
    assert model.residual_lifetime(3, 0.15) == pytest.approx(by_hand, rel=1e-9)


def test_survival_is_the_mean_over_subscribers_who_differ() -> None:
    model = fit_sbg(*cohort(HIGH_END[:8]))
    for t in (1, 5, 30):
        expected, _ = quad(
            lambda p, t=t: (1 - p) ** t * beta_law.pdf(p, model.alpha, model.beta), 0, 1
        )
        assert model.survival(t) == pytest.approx(expected, rel=1e-6)
    t = np.arange(1, 20)
    assert np.cumprod(model.renewal_rate(t)) == pytest.approx(model.survival(t))
    assert (np.diff(model.renewal_rate(t)) > 0).all()
    low, high = model.survival_interval([0, 1])
    assert (low[0], high[0]) == (1.0, 1.0)


def test_derivatives_are_those_of_the_value() -> None:
    likelihood = _Likelihood(np.array([30.0, 12, 5]), np.array([8.0, 4, 41]))
    at, h = np.array([0.7, 2.3]), 1e-5
    _, gradient, hessian = likelihood(at)
    for i in range(2):
        step = np.eye(2)[i] * h
        up, down = likelihood(at + step), likelihood(at - step)
        assert gradient[i] == pytest.approx((up[0] - down[0]) / (2 * h), rel=1e-6)
        assert hessian[i] == pytest.approx((up[1] - down[1]) / (2 * h), rel=1e-6)


def test_cohorts_that_were_watched_for_unequal_times_are_one_likelihood() -> None:
    lost, kept = np.array([30, 12, 5]), np.array([8, 4, 41])
    model = fit_sbg(lost, kept)
    t = np.arange(1, 4)
    left = model.survival(t - 1) - model.survival(t)
    by_hand = lost @ np.log(left) + kept @ np.log(model.survival(t))
    assert model.log_likelihood == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("lost", "kept", "why"),
    [
        ([0, 0, 0], [3, 1, 20], "nobody_left"),
        ([12, 0], [0, 0], "all_left_at_once"),
        ([5], [7], "one_period"),
        ([5, 0], [7, 0], "one_period"),
        ([1_000, 900, 810, 729], [0, 0, 0, 6_561], "alike"),
        ([130, 126, 90, 60], [0, 0, 0, 594], None),
    ],
)
def test_what_the_data_cannot_say_is_told(
    lost: list[int], kept: list[int], why: str | None
) -> None:
    model = fit_sbg(lost, kept)
    assert model.degenerate == why
    # within what was watched the curve is the data's all the same
    there = sum(lost) + sum(kept)
    assert model.survival(1) == pytest.approx(1 - lost[0] / there, abs=0.02)
    assert np.isfinite(model.survival_interval([1, 2, 50])).all()


def test_what_is_no_count_is_a_sentence() -> None:
    with pytest.raises(DataError, match="No subscription was watched to its first renewal"):
        fit_sbg([0, 0], [0, 0])
    with pytest.raises(ValueError, match="they go by pairs"):
        fit_sbg([1, 2], [1])
    for bad in (-1, 0.5, np.nan):
        with pytest.raises(ValueError, match="whole numbers"):
            fit_sbg([1, bad], [1, 1])
    model = ShiftedBetaGeometric(1.0, 2.0, 0.0, np.eye(2), 3)
    with pytest.raises(ValueError, match="discount rate is 0"):
        model.residual_lifetime(1, 0)
    with pytest.raises(ValueError, match="-1 renewals"):
        model.residual_lifetime(-1, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "beta"), [(0.7, 3.8), (0.7, 1.2), (2.0, 10.0)])
def test_intervals_hold_what_they_say_on_made_up_subscribers(alpha: float, beta: float) -> None:
    """1,500 subscribers who began in one of five years; seen is what twelve years would bring."""
    rng = np.random.default_rng(7)
    truth = ShiftedBetaGeometric(alpha, beta, 0.0, np.eye(2), 0).survival([3, 8, 12])
    bases, held = 400, np.zeros(3)
    for _ in range(bases):
        stayed = rng.geometric(rng.beta(alpha, beta, 1_500).clip(1e-12))
        watched = rng.integers(1, 6, 1_500)
        lost = np.bincount(stayed[stayed <= watched], minlength=6)[1:]
        kept = np.bincount(watched[stayed > watched], minlength=6)[1:]
        low, high = fit_sbg(lost, kept).survival_interval([3, 8, 12])
        held += (low <= truth) & (truth <= high)
    assert (held / bases > 0.92).all(), held / bases
    assert (held / bases < 0.98).all(), held / bases
