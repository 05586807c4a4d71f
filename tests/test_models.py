"""How the models behave: on simulated bases, at the edges, beside lifetimes where it is right."""

from __future__ import annotations

import copy
import doctest
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad
from scipy.special import betainc, betaln, expit, gammaln, log_expit, polygamma
from scipy.stats import beta as beta_distribution
from scipy.stats import gamma as gamma_distribution

from retention_lib.errors import DataError
from retention_lib.metrics import Metric
from retention_lib.models import (
    PURCHASE_MODELS,
    TITLES,
    BetaGeoFitter,
    GammaGammaFitter,
    ModifiedBetaGeoFitter,
    ParetoNBDFitter,
    Terms,
    clv,
    expected_values,
    fit_purchase_model,
    fit_spend_model,
    predictive,
    purchase,
    validate,
    value_base,
)
from retention_lib.models._lifetimes import ConvergenceError, lifetimes
from retention_lib.models.choose import choose
from retention_lib.models.clv import month_boundaries
from retention_lib.models.expectation import expected_purchases, survival_of_count
from retention_lib.models.histories import compress, distinct
from retention_lib.models.independence import independence
from retention_lib.models.likelihood import log_rising
from retention_lib.models.predictive import draw_parameters
from retention_lib.models.verdict import verdict
from retention_lib.sentence import Sentence

MODELS = list(PURCHASE_MODELS)
BETA_GEOMETRIC = [BetaGeoFitter, ModifiedBetaGeoFitter]
Base = tuple[np.ndarray, np.ndarray, np.ndarray]


def live(
    rng: np.random.Generator,
    T: np.ndarray,
    params: tuple[float, float, float, float],
    *,
    horizon: float = 0.0,
    spend: tuple[float, float, float] = (6.0, 4.0, 15.0),
) -> pd.DataFrame:
    """Customers who live by the BG/NBD and spend by the Gamma-Gamma, until `horizon` after T.

    The summary at T, and what happened after it: `later` purchases for `later_amount`.
    """
    r, alpha, a, b = params
    p, q, v = spend
    n = len(T)
    rate, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    nu = rng.gamma(q, 1 / v, n)
    x, t_x, total = np.zeros(n, int), np.zeros(n), np.zeros(n)
    later, later_amount = np.zeros(n, int), np.zeros(n)
    now, alive = np.zeros(n), np.ones(n, bool)
    while alive.any():
        now = now + rng.exponential(1, n) / np.maximum(rate, 1e-300)
        amount = rng.gamma(p, 1 / nu)
        alive &= now < T + horizon
        seen, unseen = alive & (now < T), alive & (now >= T)
        x[seen] += 1
        t_x[seen] = now[seen]
        total[seen] += amount[seen]
        later[unseen] += 1
        later_amount[unseen] += amount[unseen]
        alive &= rng.random(n) >= leaves
    mean = np.where(x > 0, total / np.maximum(x, 1), np.nan)
    frame = pd.DataFrame(
        {
            "frequency": x,
            "recency": t_x,
            "T": T,
            "monetary_value": mean,
            "later": later,
            "later_amount": later_amount,
        },
        index=pd.Index([f"c{i}" for i in range(n)], name="customer"),
    )
    frame.attrs = {"time_unit": "day", "as_of": "2023-12-31", "grain": "day"}
    return frame


def by_day(frame: pd.DataFrame, rng: np.random.Generator) -> Base:
    """Histories with the last purchase cut to its day, as real ones are."""
    x = frame["frequency"].to_numpy()
    t_x = np.floor(frame["recency"].to_numpy())
    return np.where(t_x > 0, x, 0), t_x, frame["T"].to_numpy()


def wide_bases(number: int) -> Iterator[Base]:
    """Bases over the range in which the usual tools break."""
    rng = np.random.default_rng(20240229)
    for _ in range(number):
        n, longest = int(rng.choice([60, 300, 2000])), float(rng.choice([120, 400, 1500]))
        low, high = np.array([-1, 0, -1.5, -0.5]), np.array([1.2, 3, 1, 1.3])
        r, alpha, a, b = 10 ** rng.uniform(low, high)
        T = np.floor(rng.uniform(30, longest, n))
        yield by_day(live(rng, T, (r, alpha, a, b)), rng)


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    """A base of ordinary size and health, with the year that followed."""
    rng = np.random.default_rng(7)
    T = np.floor(rng.uniform(30, 700, 3000))
    return live(rng, T, (0.6, 40.0, 0.8, 2.5), horizon=366)


#: A year's revenue, undiscounted.
TERMS = Terms(12, 0.0, 1.0, "2023-12-31", "day")


def valued(frame: pd.DataFrame, *, draws: int = 200, seed: int = 1, **changes):
    model, spend = fit_purchase_model(frame, "bgnbd"), fit_spend_model(frame)
    return value_base(frame, model, spend, replace(TERMS, **changes), draws=draws, seed=seed)


# --- the fit -----------------------------------------------------------------------------------


def test_where_lifetimes_converges_it_finds_nothing_better():
    compared = 0
    for x, t_x, T in wide_bases(10):
        ours = BetaGeoFitter().fit(x, t_x, T)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # theirs, on the way to a failure
                theirs = lifetimes.BetaGeoFitter().fit(x, t_x, T)
        except (ConvergenceError, np.linalg.LinAlgError):
            continue
        compared += 1
        assert ours._negative_log_likelihood_ <= theirs._negative_log_likelihood_ + 1e-9
    assert compared >= 5


@pytest.mark.parametrize(("name", "parent"), [("bgnbd", "BetaGeoFitter"), ("mbgnbd", None)])
def test_a_fitted_model_is_a_lifetimes_model_with_its_attributes(base, name, parent):
    model = fit_purchase_model(base, name)
    theirs = getattr(lifetimes, parent or "ModifiedBetaGeoFitter")
    assert isinstance(model, theirs)
    columns = [base[c] for c in ("frequency", "recency", "T")]
    reference = theirs().fit(*columns, index=base.index)
    assert model.params_.to_numpy() == pytest.approx(reference.params_.to_numpy(), rel=1e-4)
    assert model._negative_log_likelihood_ == pytest.approx(reference._negative_log_likelihood_)
    assert model._scale == reference._scale
    assert model._hessian_ == pytest.approx(reference._hessian_, rel=1e-3, abs=1e-5)
    errors = reference.standard_errors_.to_numpy()
    assert model.standard_errors_.to_numpy() == pytest.approx(errors, rel=1e-3)
    pd.testing.assert_frame_equal(model.data, reference.data)
    assert list(model.summary.columns) == list(reference.summary.columns)
    assert repr(model) == repr(reference)
    assert len(model.generate_new_data(size=len(base.head(5)))) == 5


def test_the_variance_matrix_is_a_covariance(base):
    matrix = fit_purchase_model(base, "bgnbd").variance_matrix_
    assert np.allclose(matrix, matrix.T)
    assert np.linalg.eigvalsh(matrix).min() > 0


@pytest.mark.parametrize("name", MODELS)
def test_lifetimes_plots_draw_a_fitted_model(base, name):
    mpl.use("Agg")
    from lifetimes import plotting
    from matplotlib import pyplot as plt

    model = fit_purchase_model(base, name)
    plotting.plot_probability_alive_matrix(model, max_frequency=5, max_recency=8)
    plt.close("all")
    plotting.plot_frequency_recency_matrix(model, T=30, max_frequency=5, max_recency=8)
    plt.close("all")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("unit", [1 / 7, 24.0])
def test_the_unit_of_time_changes_only_the_scale(base, name, unit):
    days = fit_purchase_model(base, name)
    other = PURCHASE_MODELS[name]().fit(base["frequency"], base["recency"] * unit, base["T"] * unit)
    scale = {"alpha": unit, "beta": unit}
    for parameter, value in days.params_.items():
        expected = value * scale.get(parameter, 1.0)
        assert other.params_[parameter] == pytest.approx(expected, rel=1e-5)
    purchases = base["frequency"].sum()
    shifted = days.log_likelihood_ - purchases * np.log(unit)
    assert other.log_likelihood_ == pytest.approx(shifted, rel=1e-9)
    assert other.predict(90 * unit, 2, 100 * unit, 200 * unit) == pytest.approx(
        days.predict(90, 2, 100, 200), rel=1e-5
    )


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(2, 4))
def test_order_weights_and_copies_of_the_base_leave_the_fit_alone(random, copies):
    rng = np.random.default_rng(random.randrange(2**32))
    x, t_x, T = by_day(live(rng, np.floor(rng.uniform(30, 200, 300)), (1.0, 30.0, 1.0, 3.0)), rng)
    model = BetaGeoFitter().fit(x, t_x, T)
    order = rng.permutation(len(x))
    shuffled = BetaGeoFitter().fit(x[order], t_x[order], T[order])
    repeated = BetaGeoFitter().fit(*(np.tile(c, copies) for c in (x, t_x, T)))
    weighted = BetaGeoFitter().fit(x, t_x, T, weights=np.full(len(x), copies))
    h = compress(x, t_x, T)
    compressed = BetaGeoFitter().fit(h.frequency, h.recency, h.T, weights=h.weights)
    likelihood = model.log_likelihood_
    assert shuffled.log_likelihood_ == pytest.approx(likelihood, rel=1e-10)
    assert compressed.log_likelihood_ == pytest.approx(likelihood, rel=1e-10)
    assert repeated.log_likelihood_ == pytest.approx(copies * likelihood, rel=1e-10)
    assert weighted.log_likelihood_ == pytest.approx(copies * likelihood, rel=1e-10)


def test_the_true_parameters_are_found_within_their_errors(base):
    model = fit_purchase_model(base, "bgnbd")
    apart = (model.params_ - [0.6, 40.0, 0.8, 2.5]) / model.standard_errors_
    assert (apart.abs() < 3).all()


def test_impossible_histories_are_refused_in_a_sentence():
    frame = pd.DataFrame({"frequency": [1, 2], "recency": [5.0, 30.0], "T": [10.0, 20.0]})
    with pytest.raises(DataError, match="larger than T"):
        fit_purchase_model(frame, "bgnbd")
    with pytest.raises(DataError, match="lacks recency"):
        fit_purchase_model(frame.drop(columns="recency"), "bgnbd")
    with pytest.raises(DataError, match="no customer"):
        fit_purchase_model(frame.iloc[:0], "mbgnbd")
    with pytest.raises(DataError, match="finite"):
        fit_purchase_model(frame.assign(T=[10.0, np.nan]), "mbgnbd")
    with pytest.raises(ValueError, match="known are bgnbd"):
        fit_purchase_model(frame, "bg/nbd")


# --- predictions -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_predictions_agree_with_lifetimes_where_it_is_right(base, name):
    model = fit_purchase_model(base, name)
    reference = getattr(lifetimes, type(model).__name__)()
    reference.params_ = model.params_
    x, t_x, T = (base[c] for c in ("frequency", "recency", "T"))
    alive = np.asarray(model.conditional_probability_alive(x, t_x, T))
    assert alive == pytest.approx(
        np.asarray(reference.conditional_probability_alive(x, t_x, T)), rel=1e-7, abs=1e-12
    )
    predict = "conditional_expected_number_of_purchases_up_to_time"
    ours = getattr(model, predict)(90, x, t_x, T)
    assert ours.to_numpy() == pytest.approx(
        getattr(reference, predict)(90, x, t_x, T).to_numpy(), rel=1e-7, abs=1e-10
    )
    assert ours.index.equals(base.index)
    times = np.array([1.0, 30.0, 400.0])
    assert model.expected_number_of_purchases_up_to_time(times) == pytest.approx(
        reference.expected_number_of_purchases_up_to_time(times), rel=1e-8
    )
    if name != "paretonbd":
        for n in (0, 1, 4, 20):
            assert model.probability_of_n_purchases_up_to_time(60, n) == pytest.approx(
                reference.probability_of_n_purchases_up_to_time(60, n), rel=1e-8
            )


@pytest.mark.parametrize("name", MODELS)
def test_a_customer_with_thousands_of_purchases_gets_finite_figures(base, name):
    model = fit_purchase_model(base, name)
    for x in (0, 1, 132, 3_000, 100_000):
        recent = (x, 0.0 if x == 0 else 10_000.0, 10_000.0)
        expected = model.predict(365, *recent)
        alive = float(np.squeeze(model.conditional_probability_alive(*recent)))
        assert 0 <= alive <= 1
        assert 0 <= expected <= 365 * (x + 1) / 1_000
        if x >= 132:
            assert alive > 0.98
            assert expected > 0.5 * 365 * x / 10_000
        silent = float(np.squeeze(model.conditional_probability_alive(max(x, 3), 5.0, 10_000.0)))
        assert silent < 0.01


def test_a_dropout_shape_of_exactly_one_is_no_special_case():
    at, below, above = (expected_purchases(52, 0.5, 10.0, a, 2.0) for a in (1, 1 - 1e-7, 1 + 1e-7))
    assert at == pytest.approx((below + above) / 2, rel=1e-12)


def average_over_dropout(t: float, r: float, alpha: float, a: float, b: float) -> float:
    """E[X(t)] of the BG/NBD by Gauss-Legendre panels in u = log(p / (1 - p)).

    Outside the panels (1 - (1 + p t/alpha)^-r) / p is, to 1e-12, what it is at p = 0 and p = 1.
    """
    tau = t / alpha
    low, high = np.log(2e-12 / (1 + (r + 1) * tau)), 28.0
    spread = np.sqrt(polygamma(1, a) + polygamma(1, b))
    edges = np.linspace(low, high, 2 + int((high - low) / min(0.25, spread / 2)))
    points, weights = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[:, None] / 2
    u = edges[:-1, None] + half * (1 + points)
    p = expit(u)
    density = np.exp(a * log_expit(u) + b * log_expit(-u) - betaln(a, b))
    inside = (half * weights * density * -np.expm1(-r * np.log1p(p * tau)) / p).sum()
    below = r * tau * betainc(a, b, expit(low))
    above = -np.expm1(-r * np.log1p(tau)) * betainc(b, a, expit(-high))
    return float(below + inside + above)


@settings(max_examples=200, deadline=None)
@given(st.floats(-2, 4), st.floats(-2, 4), st.floats(-2, 3), st.floats(-2, 4), st.floats(-2, 4))
@example(log_r=0.0, log_alpha=-2.0, la=1.75, lb=0.5, lt=3.0)
@example(log_r=3.1, log_alpha=-1.2, la=0.82, lb=3.1, lt=3.65)
@example(log_r=3.9, log_alpha=-2.0, la=-0.17, lb=1.25, lt=1.84)
@example(log_r=5.0, log_alpha=3.0, la=3.0, lb=5.0, lt=2.5)
@example(log_r=5.0, log_alpha=3.0, la=-1.5, lb=5.0, lt=2.5)
def test_the_expectation_is_the_average_over_dropout_probabilities(log_r, log_alpha, la, lb, lt):
    r, alpha, a, b, t = (10.0**v for v in (log_r, log_alpha, la, lb, lt))
    value = expected_purchases(t, r, alpha, a, b)[0, 0]
    assert value == pytest.approx(average_over_dropout(t, r, alpha, a, b), rel=1e-9)


def test_the_expectation_of_many_customers_is_that_of_each(base):
    x, T = base["frequency"].to_numpy()[:300], base["T"].to_numpy()[:300]
    times = np.array([0.0, 1e-3, 30.0, 365.0, 1e5])
    together = expected_purchases(times, 0.6 + x, 40.0 + T, 0.8, 2.5 + x)
    alone = [
        [expected_purchases(t, 0.6 + n, 40.0 + age, 0.8, 2.5 + n)[0, 0] for t in times]
        for n, age in zip(x[::30], T[::30], strict=True)
    ]
    assert together[::30] == pytest.approx(np.array(alone), rel=1e-11)
    assert expected_purchases(times, np.empty(0), 1.0, 0.8, np.empty(0)).shape == (0, 5)


def test_the_count_of_purchases_has_the_expectation_as_its_mean():
    n = np.arange(1, 4000)
    tail = survival_of_count(n, 52.0, 0.8, 10.0, 1.2, 3.0)
    mean = expected_purchases(52.0, 0.8, 10.0, 1.2, 3.0)[0, 0]
    assert tail.sum() == pytest.approx(mean, rel=1e-9)
    assert survival_of_count(0, 52.0, 0.8, 10.0, 1.2, 3.0) == 1


def test_bayes_by_brute_force_gives_the_same_expectation():
    r, alpha, a, b = 0.9, 12.0, 1.1, 2.7
    model = BetaGeoFitter()
    model.params_ = pd.Series({"r": r, "alpha": alpha, "a": a, "b": b})
    x, t_x, T, t = 3, 20.0, 38.0, 26.0
    rates, leaves = gamma_distribution(r, scale=1 / alpha), beta_distribution(a, b)

    def stayed(p: float, rate: float) -> float:
        prior = float(rates.pdf(rate) * leaves.pdf(p))
        return prior * (1 - p) ** x * rate**x * np.exp(-rate * T)

    def left(p: float, rate: float) -> float:
        prior = float(rates.pdf(rate) * leaves.pdf(p))
        return prior * p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * t_x)

    def ahead(p: float, rate: float) -> float:
        return stayed(p, rate) * -np.expm1(-rate * p * t) / p

    here, gone, expected = (
        dblquad(f, 1e-9, 2.0, 1e-9, 1 - 1e-9, epsrel=1e-6)[0] for f in (stayed, left, ahead)
    )
    alive = model.conditional_probability_alive(x, t_x, T)[0]
    predicted = model.conditional_expected_number_of_purchases_up_to_time(t, x, t_x, T)
    assert alive == pytest.approx(here / (here + gone), rel=1e-4)
    assert predicted == pytest.approx(expected / (here + gone), rel=1e-4)


def test_a_long_silence_after_one_purchase_divides_the_models(base):
    bgnbd, mbgnbd = (fit_purchase_model(base, n) for n in ("bgnbd", "mbgnbd"))
    assert bgnbd.conditional_probability_alive(0, 0, 700)[0] == 1.0
    assert mbgnbd.conditional_probability_alive(0, 0, 700)[0] < 0.9


def test_log_gamma_ratios_keep_their_digits():
    assert log_rising(1e8, 3.0) == pytest.approx(np.log(1e8) * 3 + np.log1p(1e-8) + np.log1p(2e-8))
    for z in (0.3, 5.0, 19.9, 20.1, 400.0):
        exact = np.log(z + np.arange(7)).sum()
        assert log_rising(z, 7.0) == pytest.approx(exact, rel=1e-13)
    assert log_rising(50.0, 0.5) == pytest.approx(
        float(gammaln(0.5) - betaln(50.0, 0.5)), rel=1e-12
    )


# --- what a base can't tell --------------------------------------------------------------------


def kinds(model) -> set[str]:
    return {f.kind for f in model.findings_}


@pytest.mark.parametrize("name", MODELS)
def test_a_base_in_which_nobody_came_back_is_named(name):
    frame = pd.DataFrame({"frequency": 0, "recency": 0.0, "T": np.arange(10.0, 210.0)})
    model = fit_purchase_model(frame, name)
    assert kinds(model) == {"nobody_returned"}
    assert model.degenerate_.startswith("None of the 200 customers came back")
    assert model.predict(365, 0, 0, 100) < 0.01
    assert verdict(None, model, None, None).kind == "unfit"


@pytest.mark.parametrize("name", MODELS)
def test_a_base_that_nobody_leaves_is_named(name):
    rng = np.random.default_rng(5)
    T = np.floor(rng.uniform(100, 300, 600))
    x = rng.poisson(T * rng.gamma(2.0, 0.05, 600))
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), 1), 0.0)
    model = PURCHASE_MODELS[name]().fit(x, t_x, T)
    assert "nobody_leaves" in kinds(model)
    assert "no customer who came back has left" in model.degenerate_
    assert model.params_["r"] == pytest.approx(2.0, rel=0.2)


@pytest.mark.parametrize("name", MODELS)
def test_a_base_without_any_time_is_named(name):
    frame = pd.DataFrame({"frequency": [0] * 50, "recency": [0.0] * 50, "T": [0.0] * 50})
    model = fit_purchase_model(frame, name)
    assert kinds(model) == {"no_time"}
    assert np.isfinite(model.predict(30, 0, 0, 0))


def test_few_repeat_buyers_and_a_single_joining_day_are_named():
    rng = np.random.default_rng(6)
    frame = live(rng, np.full(150, 200.0), (0.4, 40.0, 1.0, 3.0))
    model = fit_purchase_model(frame, "mbgnbd")
    assert {"few_repeaters", "one_cohort"} <= kinds(model)
    repeaters = (frame["frequency"] > 0).sum()
    assert f"Of 150 customers {repeaters} came back" in model.degenerate_


def test_customers_who_all_buy_alike_make_parameters_that_are_not_to_be_read():
    rng = np.random.default_rng(8)
    T = np.floor(rng.uniform(100, 400, 1500))
    model = fit_purchase_model(live(rng, T, (1e6, 3e7, 0.8, 2.5)), "bgnbd")
    assert kinds(model) & {"runaway", "weak"}
    assert "r, α" in model.degenerate_
    assert model.params_["alpha"] / model.params_["r"] == pytest.approx(30, rel=0.1)


def test_a_healthy_base_has_nothing_to_be_named(base):
    assert fit_purchase_model(base, "bgnbd").degenerate_ is None
    assert fit_spend_model(base).degenerate_ is None


# --- spend -------------------------------------------------------------------------------------


def spenders(rng: np.random.Generator, n: int, p: float, q: float, v: float):
    x = rng.geometric(0.3, n)
    return x, rng.gamma(p * x, 1 / rng.gamma(q, 1 / v, n)) / x


def test_spend_parameters_agree_with_lifetimes(base):
    model = fit_spend_model(base)
    buyers = base[base["frequency"] > 0]
    reference = lifetimes.GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])
    assert isinstance(model, lifetimes.GammaGammaFitter)
    assert model.params_.to_numpy() == pytest.approx(reference.params_.to_numpy(), rel=1e-3)
    errors = reference.standard_errors_.to_numpy()
    assert model.standard_errors_.to_numpy() == pytest.approx(errors, rel=1e-2)
    assert model._negative_log_likelihood_ <= reference._negative_log_likelihood_ + 1e-10
    reference.params_ = model.params_
    assert model.conditional_expected_average_profit().to_numpy() == pytest.approx(
        reference.conditional_expected_average_profit().to_numpy(), rel=1e-9
    )


def test_one_time_buyers_are_expected_to_spend_the_population_mean(base):
    model = fit_spend_model(base)
    spend = model.conditional_expected_average_profit(
        np.array([0, 0, 3]), np.array([np.nan, 0.0, 20.0])
    )
    assert spend[:2] == pytest.approx(model.population_mean)
    assert min(20, model.population_mean) < spend[2] < max(20, model.population_mean)


@pytest.mark.parametrize("currency", [0.01, 7.46, 1e6])
def test_the_currency_changes_only_the_scale(base, currency):
    buyers = base[base["frequency"] > 0]
    x, m = buyers["frequency"], buyers["monetary_value"]
    one, other = GammaGammaFitter().fit(x, m), GammaGammaFitter().fit(x, m * currency)
    assert other.params_["p"] == pytest.approx(one.params_["p"], rel=1e-6)
    assert other.params_["v"] == pytest.approx(one.params_["v"] * currency, rel=1e-6)
    assert other.population_mean == pytest.approx(one.population_mean * currency, rel=1e-6)


def test_a_mean_that_does_not_exist_is_said_and_replaced():
    x, m = spenders(np.random.default_rng(9), 2000, 2.0, 0.6, 10.0)
    model = GammaGammaFitter().fit(x, m)
    assert model.params_["q"] < 1
    assert not model.mean_exists_
    assert "has no finite value" in model.degenerate_
    spend = model.conditional_expected_average_profit(x, m)
    low, high = np.minimum(m, model.bounded_mean_), np.maximum(m, model.bounded_mean_)
    assert ((low <= spend) & (spend <= high)).all()
    cut = np.minimum(m, np.sort(m)[-1 - len(m) // 100])
    assert model.population_mean == pytest.approx(cut.mean())
    busy = model.conditional_expected_average_profit(500, 12.0)
    assert busy == pytest.approx(12.0, rel=0.1 * model.observed_mean_)


def test_amounts_that_are_all_equal_give_that_amount():
    model = GammaGammaFitter().fit(np.arange(1, 301) % 7 + 1, np.full(300, 49.0))
    assert "same_spend" in kinds(model)
    assert model.conditional_expected_average_profit(4, 49.0) == pytest.approx(49.0, rel=1e-3)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_few_spenders_still_get_a_bounded_mean(n):
    x, m = spenders(np.random.default_rng(n), n, 3.0, 2.0, 40.0)
    model = GammaGammaFitter().fit(x, m)
    spend = model.conditional_expected_average_profit(x, m)
    assert model.converged_
    assert "few_repeaters" in kinds(model)
    assert ((spend > 0) & (spend < 3 * m.max())).all()


def test_nobody_to_learn_spend_from_is_a_sentence(base):
    once = base.assign(frequency=0, recency=0.0, monetary_value=np.nan)
    with pytest.raises(DataError, match="repeat purchase with an amount above 0"):
        fit_spend_model(once)


def test_independence_sees_a_tie_and_leaves_out_who_tells_nothing():
    rng = np.random.default_rng(10)
    x = rng.poisson(3, 500)
    spearman, p_value, n = independence(x, np.where(x > 0, x + rng.normal(0, 0.1, 500), np.nan))
    assert n == (x > 0).sum()
    assert spearman > 0.9
    assert p_value < 1e-6
    assert independence([1, 1, 1, 1], [3, 4, 5, 6]) == (None, None, 4)
    assert independence([0, 0], [np.nan, np.nan]) == (None, None, 0)


# --- value -------------------------------------------------------------------------------------


def test_months_have_the_lengths_of_the_calendar():
    assert month_boundaries("2023-12-31", 3, "day").tolist() == [31, 60, 91]
    assert month_boundaries("2023-12-31", 12, "week")[-1] == pytest.approx(366 / 7)
    with pytest.raises(ValueError, match="known are day and week"):
        month_boundaries("2023-12-31", 1, "month")


def test_value_is_margin_times_spend_times_discounted_purchases(base):
    head = base.head(40)
    model, spend = fit_purchase_model(base, "bgnbd"), fit_spend_model(base)
    terms = Terms(3, 0.12, 0.3, "2023-12-31", "day")
    values = expected_values(head, model, spend, terms)
    histories = [head[c] for c in ("frequency", "recency", "T")]
    by_hand, before = 0.0, 0.0
    for month, day in enumerate([31, 60, 91], start=1):
        until = model.predict(day, *histories)
        by_hand += (until - before) / 1.12 ** (month / 12)
        before = until
    per_purchase = spend.conditional_expected_average_profit(
        head["frequency"], head["monetary_value"]
    )
    assert values["clv"].to_numpy() == pytest.approx((0.3 * per_purchase * by_hand).to_numpy())
    assert values["expected_purchases"].to_numpy() == pytest.approx(before.to_numpy())
    assert values["expected_spend"].to_numpy() == pytest.approx(per_purchase.to_numpy())
    assert values.index.equals(head.index)


def test_days_and_weeks_give_the_same_value(base):
    weeks = base.assign(recency=base["recency"] / 7, T=base["T"] / 7)
    weeks.attrs = base.attrs | {"time_unit": "week"}
    by_days, by_weeks = valued(base).customers, valued(weeks, time_unit="week").customers
    assert by_weeks["clv"].to_numpy() == pytest.approx(by_days["clv"].to_numpy(), rel=1e-5)
    assert by_weeks["p_alive"].to_numpy() == pytest.approx(by_days["p_alive"].to_numpy(), rel=1e-5)


def test_scoring_in_another_unit_than_the_fit_is_refused(base):
    with pytest.raises(DataError, match="fitted in days"):
        valued(base, time_unit="week")


def test_the_same_seed_gives_the_same_intervals(base):
    head = base.head(300)
    one, same, other = valued(head), valued(head), valued(head, seed=2)
    pd.testing.assert_frame_equal(one.customers, same.customers)
    assert one.totals == same.totals
    assert one.totals.clv.value == other.totals.clv.value
    assert one.totals.clv.low != other.totals.clv.low


def test_the_number_of_threads_and_customers_at_once_decide_no_figure(base, monkeypatch):
    monkeypatch.setattr(predictive, "_CHUNK", 700)
    results = []
    for threads in (1, 3):
        monkeypatch.setattr(predictive, "_THREADS", threads)
        monkeypatch.setattr(predictive.os, "cpu_count", lambda: 8)
        monkeypatch.setattr(predictive.os, "sched_getaffinity", lambda _: range(8), raising=False)
        results.append(valued(base, draws=40))
    pd.testing.assert_frame_equal(results[0].customers, results[1].customers)
    assert results[0].totals == results[1].totals


@pytest.mark.parametrize("unit", [1.0, 7.0, 365.25, 1e-9])
def test_equal_rows_are_found_in_any_unit_and_off_any_grid(unit):
    rng = np.random.default_rng(31)
    days = rng.integers(0, 40, (2, 5000)) / unit
    for columns in (days, [days[0], rng.random(5000)], [days[1], np.repeat(1e300, 5000)]):
        first, inverse = distinct(*columns)
        rows = np.column_stack(columns)
        expected, at = np.unique(rows, axis=0, return_inverse=True)
        assert (rows[first] == expected).all()
        assert (inverse == at.ravel()).all()


def test_loading_the_models_leaves_scipy_whole():
    code = """
import sys, retention_lib.models.fit
assert "scipy.stats" not in sys.modules and "scipy.optimize" not in sys.modules
import autograd.scipy, scipy.optimize, lifetimes
assert autograd.scipy.stats.norm.cdf(0.0) == 0.5
assert lifetimes.fitters.minimize(lambda v: (v - 2) ** 2, 0.0).x.round(4) == 2
assert scipy.optimize.minimize is not lifetimes.fitters.minimize
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_the_parts_of_a_valuation_are_also_to_be_had_alone(base):
    head = base.head(200)
    model, spend = fit_purchase_model(base, "mbgnbd"), fit_spend_model(base)
    terms = Terms(6, 0.1, 0.5, "2023-12-31", "day")
    both = value_base(head, model, spend, terms, draws=50)
    alone = expected_values(head, model, spend, terms)
    pd.testing.assert_frame_equal(alone, both.customers[alone.columns])


def test_totals_are_the_sums_of_the_customers(base):
    result = valued(base)
    totals, customers = result.totals, result.customers
    assert totals.alive.value == pytest.approx(customers["p_alive"].sum())
    assert totals.purchases.value == pytest.approx(customers["expected_purchases"].sum())
    assert totals.clv.value == pytest.approx(customers["clv"].sum())
    assert totals.clv_mean.value == pytest.approx(customers["clv"].mean())
    best = customers["clv"].nlargest(600).sum()
    assert totals.top20_share.value == pytest.approx(best / customers["clv"].sum())
    for estimate in (totals.alive, totals.purchases, totals.clv, totals.top20_share):
        assert estimate.low < estimate.value < estimate.high


def test_the_year_that_followed_lies_within_the_intervals(base):
    result = valued(base, draws=400)
    totals, customers = result.totals, result.customers
    assert totals.purchases.low <= base["later"].sum() <= totals.purchases.high
    assert totals.clv.low <= base["later_amount"].sum() <= totals.clv.high
    bought = base["later"].between(customers["purchases_low"], customers["purchases_high"])
    spent = base["later_amount"].between(customers["clv_low"], customers["clv_high"] * 1.000001)
    assert 0.94 < bought.mean() <= 1
    assert 0.94 < spent.mean() <= 1
    assert (customers["purchases_low"] <= customers["expected_purchases"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("n", [150, 1000])
def test_nineteen_in_twenty_totals_lie_within_their_intervals(n):
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        frame = live(rng, np.floor(rng.uniform(30, 400, n)), (0.6, 40.0, 0.8, 2.5), horizon=366)
        totals = valued(frame, seed=seed).totals
        inside.append(totals.purchases.low <= frame["later"].sum() <= totals.purchases.high)
        inside.append(totals.clv.low <= frame["later_amount"].sum() <= totals.clv.high)
    # 80 outcomes at 95 %: fewer than 70 inside would happen once in five hundred times.
    assert sum(inside) >= 70
    assert not all(inside)


@pytest.mark.parametrize("name", MODELS)
def test_simulated_futures_average_to_the_expectation(base, name):
    model = fit_purchase_model(base, name)
    histories = compress(base["frequency"], base["recency"], base["T"])
    rng = np.random.default_rng(11)
    params = model.params_.to_numpy()
    drawn = [model.simulate(rng, params, histories, 180.0) for _ in range(150)]
    alive = np.array([a.sum() for a, _ in drawn])
    bought = np.array([n.sum() for _, n in drawn])
    columns = [base[c] for c in ("frequency", "recency", "T")]
    for sums, expected in [
        (alive, np.asarray(model.conditional_probability_alive(*columns)).sum()),
        (bought, model.predict(180, *columns).sum()),
    ]:
        error = sums.std() / np.sqrt(len(sums))
        assert abs(sums.mean() - expected) <= 4 * error


CUSTOMERS_ALIKE = 40_000


def simulated_counts(model, params: tuple[float, ...], horizon: float) -> np.ndarray:
    """Purchases of those who are alive among customers with x = 3, t_x = 25 and T = 30."""
    histories = compress(*(np.full(CUSTOMERS_ALIKE, v) for v in (3, 25.0, 30.0)))
    alive, bought = model.simulate(np.random.default_rng(21), np.array(params), histories, horizon)
    assert not bought[~alive].any()
    return bought[alive]


@pytest.mark.parametrize(("model", "extra"), [(BetaGeoFitter, 0), (ModifiedBetaGeoFitter, 1)])
def test_simulated_counts_have_the_distribution_of_the_model(model, extra):
    r, alpha, a, b = 0.9, 4.0, 0.8, 2.5
    counts = simulated_counts(model(), (r, alpha, a, b), 52.0)
    for n in (1, 2, 3, 5, 9):
        share = survival_of_count(n, 52.0, r + 3, alpha + 30, a, b + 3 + extra)
        error = np.sqrt(share * (1 - share) / len(counts))
        assert abs((counts >= n).mean() - share) <= 4 * error


def test_simulated_counts_of_the_pareto_nbd_are_those_of_lives_lived_out():
    r, alpha, s, beta = 0.9, 4.0, 0.6, 12.0
    counts = simulated_counts(ParetoNBDFitter(), (r, alpha, s, beta), 52.0)
    rng = np.random.default_rng(22)
    rate = rng.gamma(r + 3, 1 / (alpha + 30), 400_000)
    leaves = rng.exponential(1 / rng.gamma(s, 1 / (beta + 30), 400_000))
    lived = rng.poisson(rate * np.minimum(leaves, 52.0))
    for n in (1, 2, 3, 5, 9, 14):
        share = (lived >= n).mean()
        error = np.sqrt(share * (1 - share) * (1 / len(counts) + 1 / len(lived)))
        assert abs((counts >= n).mean() - share) <= 4 * error


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_begun_near_its_optimum_ends_at_it(base, name):
    earlier = base.iloc[::2]
    near = dict(fit_purchase_model(base, name).params_)
    there, searched = (fit_purchase_model(earlier, name, near=n) for n in (near, None))
    assert there.params_.to_numpy() == pytest.approx(searched.params_.to_numpy(), rel=1e-6)
    assert there.log_likelihood_ == pytest.approx(searched.log_likelihood_, rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_a_fit_begun_where_no_peak_is_near_is_searched_from_all_starts(name):
    # everybody who came back is there still: the likelihood is flat in when they leave
    x = np.arange(400) % 5
    T = np.full(400, 100.0)
    frame = pd.DataFrame({"frequency": x, "recency": np.where(x > 0, T, 0.0), "T": T})
    odd = dict(zip(PURCHASE_MODELS[name].parameter_names, (50.0, 0.1, 50.0, 0.1), strict=True))
    there, searched = (fit_purchase_model(frame, name, near=n) for n in (odd, None))
    assert there.log_likelihood_ >= searched.log_likelihood_ - 1e-6
    assert kinds(there) == kinds(searched)


def test_a_spend_model_begun_near_its_optimum_ends_at_it(base):
    near = dict(fit_spend_model(base).params_)
    earlier = base.iloc[::2]
    there, searched = (fit_spend_model(earlier, near=n) for n in (near, None))
    assert there.params_.to_numpy() == pytest.approx(searched.params_.to_numpy(), rel=1e-6)


@pytest.mark.parametrize("wider", [0.2, 1.0, 10.0])
def test_the_probability_of_being_alive_in_a_draw_is_that_of_its_parameters(base, wider):
    model = fit_purchase_model(base, "paretonbd")
    histories = compress(*(base[c].head(300) for c in ("frequency", "recency", "T")))
    params = draw_parameters(
        np.random.default_rng(23), model.params_.to_numpy(), wider**2 * model.log_covariance_, 300
    )
    columns = (histories.frequency, histories.recency, histories.T)
    for theta, alive in zip(params, model.alive_by_draw(params, histories), strict=True):
        assert alive == pytest.approx(model._alive(theta, *columns), abs=2e-3)


def test_drawn_parameters_have_the_covariance_of_the_fit(base):
    model = fit_purchase_model(base, "bgnbd")
    rng = np.random.default_rng(12)
    drawn = np.log(draw_parameters(rng, model.params_.to_numpy(), model.log_covariance_, 4000))
    assert drawn.mean(axis=0) == pytest.approx(np.log(model.params_.to_numpy()), abs=1e-12)
    assert np.cov(drawn.T) == pytest.approx(model.log_covariance_, rel=0.15, abs=1e-3)


def test_without_a_spend_model_money_is_unknown_and_purchases_are_not(base):
    model = fit_purchase_model(base, "bgnbd")
    terms = replace(TERMS, discount_rate=0.1)
    result = value_base(base.head(50), model, None, terms, draws=20)
    assert result.totals.clv is None
    assert result.totals.top20_share is None
    assert result.customers["clv"].isna().all()
    assert result.customers["clv_high"].isna().all()
    assert result.totals.purchases.value > 0


def test_a_bounded_spend_gives_a_bounded_value(base):
    _, m = spenders(np.random.default_rng(9), len(base), 2.0, 0.6, 10.0)
    frame = base.assign(monetary_value=np.where(base["frequency"] > 0, m, np.nan))
    result = valued(frame, draws=50)
    assert (result.customers["clv"] >= 0).all()
    assert np.isfinite(result.totals.clv.high)


# --- the test on the past ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def past(base) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Customers at the split, purchases after it, purchases in the year before."""
    return base, base["later"], base["frequency"] + 1


def test_the_forecast_is_set_beside_what_happened_and_the_naive_one(past):
    customers, after, before = past
    test = validate(customers, after, before, model_name="bgnbd", horizon=366, months=12)
    forecast = fit_purchase_model(customers, "bgnbd").predict(
        366, customers["frequency"], customers["recency"], customers["T"]
    )
    assert test.n == len(customers)
    assert test.actual == after.sum()
    assert test.bias == pytest.approx(forecast.sum() / after.sum() - 1)
    assert test.mae == pytest.approx((forecast - after).abs().mean())
    assert test.rmse == pytest.approx(np.sqrt(((forecast - after) ** 2).mean()))
    naive = test.beside.set_index("name")
    assert naive.loc["before", "mae"] == pytest.approx((before - after).abs().mean())
    assert naive.loc["before", "total"] == before.sum()
    assert test.forecast_low < test.actual < test.forecast_high
    assert test.calibration_end == pd.Timestamp("2023-12-31")
    assert test.by_frequency["n"].sum() == len(customers)


def test_customers_who_are_missing_from_the_outcome_bought_nothing(past):
    customers, after, before = past
    bought = after[after > 0]
    full = validate(customers, after, before, model_name="bgnbd", horizon=366, draws=0)
    short = validate(customers, bought, before, model_name="bgnbd", horizon=366, draws=0)
    assert short.mae == full.mae
    assert short.forecast_low is None


def test_where_nobody_bought_there_is_no_bias(past):
    customers, after, before = past
    test = validate(customers, after * 0, before, model_name="bgnbd", horizon=366, draws=0)
    assert test.bias is None
    judged = verdict(test, fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers), 0.0)
    assert judged.kind == "care"
    assert "Nobody bought" in judged.reasons[0]


def test_a_holdout_of_no_length_is_a_sentence(past):
    customers, after, before = past
    with pytest.raises(DataError, match="no length"):
        validate(customers, after, before, model_name="bgnbd", horizon=0)


def test_the_weekly_course_counts_those_who_have_joined(past):
    customers, after, before = past
    end = pd.Timestamp("2023-12-31")
    joined = customers.assign(first=end - pd.to_timedelta(customers["T"], unit="D"))
    joined.attrs = customers.attrs
    repeats = pd.Series([3.0, 4.0], index=pd.to_datetime(["2023-12-31", "2024-01-02"]))
    test = validate(
        joined,
        after,
        before,
        model_name="bgnbd",
        horizon=14,
        repeat_purchases=repeats,
        draws=0,
    )
    course = test.tracking.set_index("date")
    assert course.index.diff().dropna().unique() == pd.Timedelta(weeks=1)
    assert course.index[-1] == end + pd.Timedelta(days=14)
    assert course.loc["2023-12-24", "actual"] == 0
    assert course.loc["2023-12-31", "actual"] == 3
    assert course.loc["2024-01-07", "actual"] == 7
    model = fit_purchase_model(customers, "bgnbd")
    by_hand = model.expected_number_of_purchases_up_to_time(joined["T"] + 14).sum()
    assert course["forecast"].iloc[-1] == pytest.approx(by_hand)


def test_a_model_that_beats_the_naive_forecast_is_fit_for_use(past):
    customers, after, before = past
    test = validate(customers, after, before, model_name="bgnbd", horizon=366)
    judged = verdict(test, fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers), 0.05)
    assert judged.kind == "fit"
    assert any("the naive forecast" in reason for reason in judged.reasons)


def test_a_model_that_loses_to_the_naive_forecast_is_not_to_be_used(past):
    customers, after, _ = past
    test = validate(customers, after, after, model_name="bgnbd", horizon=366)
    judged = verdict(test, fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers), 0.05)
    assert judged.kind == "unfit"


def test_an_outcome_outside_the_interval_and_tied_spend_call_for_care(past):
    customers, after, before = past
    more = (after * 1.5).round()
    test = validate(customers, more, before * 3, model_name="bgnbd", horizon=366)
    model, spend = fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers)
    judged = verdict(test, model, spend, -0.4)
    assert judged.kind == "care"
    assert "outside the model's 95% interval" in judged.reasons[0]
    assert any("overstated" in reason for reason in judged.reasons)
    assert any("understated" in reason for reason in verdict(test, model, spend, 0.4).reasons)


def test_a_history_too_short_to_test_calls_for_care(base):
    judged = verdict(None, fit_purchase_model(base, "bgnbd"), fit_spend_model(base), None)
    assert judged.kind == "care"
    assert "too short" in judged.reasons[0]


def test_the_choice_is_the_smallest_error_with_its_figures(past):
    customers, after, before = past
    name, reason, tests = choose(customers, after, before, horizon=366)
    assert set(tests) == set(MODELS)
    best = min(t.rmse for t in tests.values())
    assert tests[name].rmse <= best * 1.01
    assert tests[name].forecast_low is not None
    assert reason.startswith(f"{TITLES[name]} was chosen")
    tied = [t for t in tests.values() if t.rmse <= best * 1.01]
    assert all(abs(tests[name].bias) <= abs(t.bias) + 5e-4 for t in tied)
    assert f"{tests[name].rmse:.2f} purchases" in reason


def test_a_single_candidate_is_chosen_as_such(past):
    customers, after, before = past
    name, reason, _ = choose(customers, after, before, horizon=366, candidates=["mbgnbd"])
    assert (name, reason) == ("mbgnbd", "MBG/NBD was the only candidate.")
    with pytest.raises(ValueError, match="at least one"):
        choose(customers, after, before, horizon=366, candidates=[])


# --- sentences ---------------------------------------------------------------------------------


def test_a_sentence_reads_as_text_and_keeps_its_figures():
    said = Sentence("{who} lost {share} of {n}.", who="A", share=Metric(0.125, "share"), n=1200)
    assert said == "A lost 12.5% of 1,200."
    assert said.message == "{who} lost {share} of {n}."
    assert said.values["n"] == 1200
    for copied in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):
        assert copied == said
        assert copied.message == said.message


@pytest.mark.parametrize("module", [clv, purchase])
def test_every_example_in_a_docstring_holds(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
