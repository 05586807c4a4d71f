"""Models against published figures: the CDNOW log, weeks as ruler, purchases collapsed per day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from oracle import cdnow

from retention_lib.models import (
    BetaGeoFitter,
    GammaGammaFitter,
    Holdout,
    ModifiedBetaGeoFitter,
    ParetoNBDFitter,
    PurchaseFitter,
    fit_purchase_model,
    fit_spend_model,
    validate,
)
from retention_lib.models._lifetimes import lifetimes
from retention_lib.models.expectation import expected_purchases
from retention_lib.models.histories import Histories, compress
from retention_lib.models.independence import independence
from retention_lib.models.likelihood import BetaGeometricLikelihood, GammaGammaLikelihood
from retention_lib.models.pareto_likelihood import ParetoNBDLikelihood

DATASETS = Path(lifetimes.__file__).parent / "datasets"
SPLIT = pd.Timestamp("1997-09-30")
END = pd.Timestamp("1998-06-30")
WEEKS = 39


def purchases(sample: bool) -> pd.DataFrame:
    """One row per customer and day."""
    rows = cdnow.lines(sample=sample).rename(columns={"customer": "id"})
    return rows.groupby(["id", "date"], as_index=False)["amount"].sum()


def summary(days: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """The customer summary as of `end`, in weeks."""
    known = days[days["date"] <= end]
    by_customer = known.groupby("id")
    first, last = by_customer["date"].min(), by_customer["date"].max()
    repeats = known[known["date"] != known["id"].map(first)]
    frame = pd.DataFrame(
        {
            "first": first,
            "last": last,
            "frequency": by_customer.size() - 1,
            "recency": (last - first).dt.days / 7,
            "T": (end - first).dt.days / 7,
            "monetary_value": repeats.groupby("id")["amount"].mean().reindex(first.index),
        }
    )
    frame.attrs = {"time_unit": "week", "as_of": str(end.date()), "grain": "day"}
    return frame


def compressed(customers: pd.DataFrame) -> Histories:
    return compress(customers["frequency"], customers["recency"], customers["T"])


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return purchases(sample=True)


@pytest.fixture(scope="module")
def customers(days: pd.DataFrame) -> pd.DataFrame:
    return summary(days, SPLIT)


@pytest.fixture(scope="module")
def bgnbd(customers: pd.DataFrame) -> PurchaseFitter:
    return fit_purchase_model(customers, "bgnbd")


@pytest.fixture(scope="module")
def paretonbd(customers: pd.DataFrame) -> PurchaseFitter:
    return fit_purchase_model(customers, "paretonbd")


def holdout_of(customers: pd.DataFrame, days: pd.DataFrame, name: str) -> Holdout:
    after = days[(days["date"] > SPLIT) & (days["date"] <= END)].groupby("id").size()
    window = (days["date"] > SPLIT - pd.Timedelta(weeks=WEEKS)) & (days["date"] <= SPLIT)
    before = days[window].groupby("id").size()
    repeats = days[days["date"] != days["id"].map(customers["first"])]
    return validate(
        customers,
        after,
        before,
        model_name=name,
        horizon=WEEKS,
        repeat_purchases=repeats.groupby("date").size(),
        draws=0,
    )


def test_the_sample_has_the_published_size(customers, days):
    assert len(days) == 6_696
    assert len(customers) == 2_357
    assert (customers["frequency"] > 0).sum() == 946
    assert customers["frequency"].sum() == 2_457


# --- parameters --------------------------------------------------------------------------------


def test_bgnbd_parameters_and_log_likelihood(bgnbd):
    assert bgnbd.params_.round(3).to_dict() == {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    assert bgnbd.log_likelihood_ == pytest.approx(-9_582.429, abs=5e-4)
    assert bgnbd.converged_
    assert bgnbd.degenerate_ is None


def test_bgnbd_optimum_is_no_worse_than_the_published_one_of_seven_digits(bgnbd, customers):
    published = [0.2425945, 4.4136019, 0.7929199, 2.4258881]
    # r and alpha agree to all digits printed; a and b, where the likelihood is flattest, to 1e-5:
    # the published search stopped a little short of the top.
    assert bgnbd.params_.to_numpy() == pytest.approx(published, rel=1e-5)
    assert bgnbd.params_["r"] == pytest.approx(published[0], abs=5e-8)
    likelihood = BetaGeometricLikelihood(compressed(customers), leaves_at_start=False)
    reached = likelihood.value(np.array(published))
    assert 0 <= bgnbd.log_likelihood_ - reached < 1e-6


def test_mbgnbd_parameters_and_log_likelihood(customers):
    model = fit_purchase_model(customers, "mbgnbd")
    assert model.params_.round(3).to_dict() == {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
    assert model.log_likelihood_ == pytest.approx(-9_582.136, abs=5e-4)


def test_paretonbd_parameters_errors_and_log_likelihood(paretonbd):
    assert paretonbd.params_["r"] == pytest.approx(0.5533, abs=5e-5)
    assert paretonbd.params_["alpha"] == pytest.approx(10.5776, abs=1e-4)
    assert paretonbd.params_["s"] == pytest.approx(0.6062, abs=5e-5)
    assert paretonbd.params_["beta"] == pytest.approx(11.668, abs=1e-3)
    errors = paretonbd.standard_errors_
    assert errors.drop("beta").to_numpy() == pytest.approx([0.0476, 0.8427, 0.1873], abs=5e-5)
    # The published errors come from a numerical Hessian; the exact one gives 6.2111 here.
    assert errors["beta"] == pytest.approx(6.2105, abs=1e-3)
    assert paretonbd.log_likelihood_ == pytest.approx(-9_594.976, abs=5e-4)


def test_gamma_gamma_parameters_mean_and_log_likelihood(customers):
    model = fit_spend_model(customers)
    assert len(model.data) == 946
    assert model.params_.round(2).to_dict() == {"p": 6.25, "q": 3.74, "v": 15.44}
    assert model.population_mean == pytest.approx(35.17, abs=5e-3)
    assert model.log_likelihood_ == pytest.approx(-4_055.918, abs=5e-4)
    assert model.degenerate_ is None


def test_collapsing_per_week_instead_of_per_day_is_another_model(days, bgnbd):
    known = days[days["date"] <= SPLIT]
    week = known.assign(week=known["date"].dt.to_period("W").dt.start_time)
    weeks = week.groupby("id")["week"].agg(["min", "max", "nunique"])
    end = SPLIT.to_period("W").start_time
    by_week = BetaGeoFitter().fit(
        weeks["nunique"] - 1,
        (weeks["max"] - weeks["min"]).dt.days / 7,
        (end - weeks["min"]).dt.days / 7,
    )
    apart = (by_week.params_ - bgnbd.params_) / bgnbd.standard_errors_
    assert (apart[["r", "alpha"]] > 3).all()


def test_bgnbd_on_the_full_master():
    model = fit_purchase_model(summary(purchases(sample=False), SPLIT), "bgnbd")
    assert len(model.data) == 23_570
    assert model.params_["r"] == pytest.approx(0.25162, abs=5e-6)
    assert model.params_["alpha"] == pytest.approx(4.7889, abs=5e-5)
    assert model.params_["a"] == pytest.approx(0.72343, abs=5e-6)
    assert model.params_["b"] == pytest.approx(2.16109, abs=5e-6)


# --- predictions -------------------------------------------------------------------------------


def test_bgnbd_expects_1_226_purchases_of_the_papers_customer(bgnbd):
    expected = bgnbd.predict(39, 2, 30.43, 38.86)
    assert expected == pytest.approx(1.226, abs=5e-4)


def test_bgnbd_expected_purchases_of_a_new_customer(bgnbd):
    expected = bgnbd.expected_number_of_purchases_up_to_time(np.array([1, 3, 32, 78]))
    assert expected[:3] == pytest.approx([0.0532, 0.1506, 1.0437], abs=5e-5)
    # The published 1.8576 is the hypergeometric series after its first 151 terms; summed to the
    # end it gives 1.8580.
    r, alpha, a, b = bgnbd.parameters
    j = np.arange(150)
    terms = np.cumprod((r + j) * (b + j) / ((a + b - 1 + j) * (j + 1)) * 78 / (alpha + 78))
    share = (1 + terms.sum()) * (alpha / (alpha + 78)) ** r
    assert (a + b - 1) / (a - 1) * (1 - share) == pytest.approx(1.8576, abs=5e-5)
    assert expected[3] == pytest.approx(1.8580, abs=5e-5)


@pytest.mark.parametrize(
    ("t", "r", "alpha", "a", "b", "expected"),
    [
        (78.0, 0.243, 4.414, 0.793, 2.426, 1.860519057942769),
        (39.0, 2.243, 43.274, 0.793, 4.426, 1.687399305805313),
        (1_000.0, 1.0, 0.01, 56.25, 3.125, 1.056549911862153),
        (365.0, 1_000.5, 400.0, 0.75, 1_002.5, 704.5260483129783),
        (1_825.0, 0.5, 10.0, 0.03125, 0.5, 75.4664812492006),
        (30.0, 100_000.5, 10_000.0, 1_000.0, 100_002.5, 95.87874084165607),
        (365.0, 8_000.0, 0.0625, 0.6875, 18.0, 5728.104007039443),
    ],
)
def test_the_expectation_is_equation_9_in_sixty_digits(t, r, alpha, a, b, expected):
    # Fader, Hardie & Lee (2005), equation 9, its hypergeometric function in 60-digit arithmetic.
    value = expected_purchases(t, r, alpha, a, b)[0, 0]
    assert value == pytest.approx(expected, rel=1e-11)


def test_paretonbd_points(paretonbd):
    assert paretonbd.predict(52, 26, 30.86, 31) == pytest.approx(25.46, abs=5e-3)
    assert paretonbd.conditional_probability_alive(26, 30.86, 31) == pytest.approx(0.9979, abs=5e-5)


def test_paretonbd_knows_that_a_customer_who_has_just_bought_is_alive(paretonbd):
    assert paretonbd.conditional_probability_alive(132, 200, 200) == 1.0


def test_paretonbd_gives_the_busiest_customer_of_the_master_a_probability():
    customers = summary(purchases(sample=False), END)
    model = fit_purchase_model(customers, "paretonbd")
    alive = model.conditional_probability_alive(
        customers["frequency"], customers["recency"], customers["T"]
    )
    assert alive.between(0, 1).all()
    assert alive["14048"] == pytest.approx(1.0, abs=1e-3)


def test_spend_is_tied_to_frequency_in_the_sample(customers):
    spearman, p_value, n = independence(customers["frequency"], customers["monetary_value"])
    assert spearman == pytest.approx(0.206, abs=5e-4)
    assert p_value < 1e-6
    assert n == 946


# --- holdout -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "forecast"), [("bgnbd", 1_653.4), ("mbgnbd", 1_576.7), ("paretonbd", 1_665.5)]
)
def test_the_39_weeks_after(customers, days, name, forecast):
    test = holdout_of(customers, days, name)
    assert test.actual == 1_882
    assert test.forecast == pytest.approx(forecast, abs=0.05)
    assert test.bias == pytest.approx(forecast / 1_882 - 1, abs=5e-5)


def test_the_39_weeks_after_by_frequency(customers, days):
    table = holdout_of(customers, days, "bgnbd").by_frequency
    assert table["frequency"].astype(str).tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert table["n"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    actual = [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359]
    forecast = [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
    assert table["actual"].to_numpy() == pytest.approx(actual, abs=6e-4)
    assert table["forecast"].to_numpy() == pytest.approx(forecast, abs=6e-4)


def test_the_weekly_course_ends_on_the_known_totals(customers, days):
    course = holdout_of(customers, days, "bgnbd").tracking.set_index("date")
    assert course.loc[SPLIT, "actual"] == 2_457
    assert course.loc[END, "actual"] == 2_457 + 1_882
    assert course["forecast"].is_monotonic_increasing


# --- the unit trap -----------------------------------------------------------------------------


def test_the_quickstarts_first_customer_is_worth_36_and_not_140():
    sample = pd.read_csv(DATASETS / "cdnow_customers_summary_with_transactions.csv", index_col=0)
    sample.columns = pd.Index(["frequency", "recency", "T", "monetary_value"])
    histories = (sample["frequency"], sample["recency"], sample["T"])
    model = BetaGeoFitter().fit(*histories)
    buyers = sample[sample["frequency"] > 0]
    spend = GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])

    def clv(unit: str) -> float:
        values = spend.customer_lifetime_value(
            model, *histories, sample["monetary_value"], time=12, discount_rate=0.01, freq=unit
        )
        return float(values.loc[1])

    assert clv("W") == pytest.approx(36.2785, abs=5e-5)
    assert clv("D") == pytest.approx(140.10, abs=5e-3)


# --- derivatives -------------------------------------------------------------------------------


def test_every_likelihood_has_the_derivatives_it_says(customers):
    histories = compressed(customers)
    buyers = customers[customers["frequency"] > 0]
    one = np.ones(len(buyers))
    spend = GammaGammaLikelihood(
        buyers["frequency"].to_numpy(float), buyers["monetary_value"].to_numpy() + 0.01, one
    )
    cases = [
        (BetaGeometricLikelihood(histories, leaves_at_start=False), [0.5, 3.0, 0.8, 2.0]),
        (BetaGeometricLikelihood(histories, leaves_at_start=True), [1.5, 30.0, 2.0, 0.7]),
        (ParetoNBDLikelihood(histories), [0.5, 10.0, 0.6, 12.0]),
        (ParetoNBDLikelihood(histories), [2.0, 3.0, 5.0, 100.0]),
        (spend, [4.0, 3.0, 20.0]),
    ]
    for likelihood, point in cases:
        params = np.array(point)
        value, gradient, hessian = likelihood(params)
        assert value == pytest.approx(likelihood.value(params), rel=1e-14)
        for i, size in enumerate(params):
            step = np.zeros_like(params)
            step[i] = 1e-5 * size
            up, down = likelihood(params + step), likelihood(params - step)
            assert (up[0] - down[0]) / (2 * step[i]) == pytest.approx(gradient[i], rel=1e-5)
            slope = (up[1] - down[1]) / (2 * step[i])
            assert slope == pytest.approx(hessian[i], rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("model", [BetaGeoFitter, ModifiedBetaGeoFitter])
def test_the_likelihood_is_that_of_lifetimes(model, customers):
    columns = tuple(customers[c].to_numpy() for c in ("frequency", "recency", "T"))
    params = np.array([0.7, 9.0, 1.3, 2.2])
    ours = BetaGeometricLikelihood(
        compressed(customers), leaves_at_start=model is ModifiedBetaGeoFitter
    )
    theirs = model._negative_log_likelihood(np.log(params), *columns, np.ones(len(customers)), 0.0)
    assert ours.value(params) == pytest.approx(-theirs * len(customers), rel=1e-12)


def test_the_pareto_likelihood_is_that_of_lifetimes(customers):
    histories = compressed(customers)
    for params in ([0.55, 10.5, 0.6, 11.7], [2.0, 3.0, 5.0, 100.0], [0.1, 100.0, 1.5, 0.5]):
        theirs = ParetoNBDFitter._conditional_log_likelihood(
            params, histories.frequency, histories.recency, histories.T
        )
        ours = ParetoNBDLikelihood(histories).value(np.array(params))
        assert ours == pytest.approx(float(theirs @ histories.weights), rel=1e-10)
