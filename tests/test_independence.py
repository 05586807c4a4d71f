"""Spend against frequency, and the spend model on amounts that no model was made for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.models.independence import FEWEST, SMALL, spend_check
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.sentence import Sentence


def shoppers(
    rng: np.random.Generator, n: int, tie: float, p: float = 1.5, q: float = 6.0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers whose true mean spend goes with the `tie`-th power of their purchase rate.

    The summary, and each customer's true mean per purchase.
    """
    rate = rng.gamma(0.9, 2.0, n)
    x = rng.poisson(rate)
    mean = 40.0 * (q - 1) / rng.gamma(q, 1.0, n) * (rate + 0.2) ** tie
    total = rng.gamma(p * np.maximum(x, 1), mean / p)
    frame = pd.DataFrame(
        {"frequency": x, "monetary_value": np.where(x > 0, total / np.maximum(x, 1), np.nan)}
    )
    return frame, mean


def fitted(frame: pd.DataFrame) -> GammaGammaFitter:
    buyers = frame[frame["frequency"] > 0]
    return GammaGammaFitter().fit(buyers["frequency"], buyers["monetary_value"])


@pytest.mark.parametrize("tie", [0.6, -0.6])
def test_the_gap_of_a_class_is_that_of_its_true_spend(tie):
    frame, mean = shoppers(np.random.default_rng(3), 12_000, tie)
    model = fitted(frame)
    found = spend_check(frame, model)
    # The same model on so many other customers, whose true means are known, that chance is gone.
    others, mean = shoppers(np.random.default_rng(33), 1_000_000, tie)
    x = others["frequency"].to_numpy()
    expected = np.asarray(model.conditional_expected_average_profit(x, others["monetary_value"]))
    missed = 0
    for row in found.classes.to_dict("records"):
        inside = (x >= row["least"]) & (x <= np.nan_to_num(row["most"], nan=np.inf))
        truth = mean[inside].mean() / expected[inside].mean() - 1
        assert row["gap"] == pytest.approx(truth, abs=0.04)
        missed += not row["gap_low"] <= truth <= row["gap_high"]
    assert missed <= 1
    first = found.classes.iloc[0]
    assert abs(first["gap"]) > SMALL
    assert first["named"]
    assert np.sign(first["gap"]) == -np.sign(tie)
    told = found.sentences[0]
    assert isinstance(told, Sentence)
    assert told.values["n"] == first["n"]
    assert ("should be about" in told) == (tie > 0)


def test_the_total_weighs_each_named_class_by_its_share_of_the_value():
    frame, _ = shoppers(np.random.default_rng(4), 12_000, 0.6)
    model = fitted(frame)
    value = pd.Series(np.random.default_rng(1).gamma(1.0, 10.0, len(frame)), frame.index)
    found = spend_check(frame, model, value)
    x = frame["frequency"]
    by_hand = 0.0
    for row in found.classes[found.classes["named"]].to_dict("records"):
        inside = x.between(row["least"], np.nan_to_num(row["most"], nan=np.inf))
        by_hand += value[inside].sum() / value.sum() * row["gap"]
    assert found.total_gap == pytest.approx(by_hand)
    assert found.sentences[-1].startswith("Together")
    assert spend_check(frame, model).total_gap is None


def test_spend_that_is_not_tied_to_frequency_is_seldom_called_so():
    rng = np.random.default_rng(5)
    called = sum(
        bool(spend_check(f, fitted(f)).classes["named"].any())
        for f in (shoppers(rng, 1_500, 0.0)[0] for _ in range(40))
    )
    # 5 % at most by construction; eight of forty would come up once in a thousand times.
    assert called < 8


def test_an_even_base_gets_one_sentence_and_small_classes_no_figures():
    frame, _ = shoppers(np.random.default_rng(6), 120, 0.0)
    found = spend_check(frame, fitted(frame))
    assert len(found.sentences) == 1
    assert found.total_gap is None
    small = found.classes["n"] < FEWEST
    assert small.any()
    assert found.classes.loc[small, "gap"].isna().all()
    assert not found.classes.loc[small, "named"].any()
    assert found.classes.loc[~small, "gap"].notna().all()
    assert f"{SMALL:.1%}" in found.sentences[0]


def test_with_no_class_large_enough_it_says_so():
    frame = pd.DataFrame({"frequency": [1, 2, 3], "monetary_value": [10.0, 20.0, 30.0]})
    found = spend_check(frame, fitted(frame))
    assert str(FEWEST) in found.sentences[0]
    assert found.classes["mean"].isna().all()


def test_classes_do_not_depend_on_the_currency():
    frame, _ = shoppers(np.random.default_rng(7), 3_000, 0.6)
    other = frame.assign(monetary_value=frame["monetary_value"] * 1000)
    one, two = spend_check(frame, fitted(frame)), spend_check(other, fitted(other))
    np.testing.assert_allclose(one.classes["gap"], two.classes["gap"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(two.classes["mean"], 1000 * one.classes["mean"])


# --- the spend model on nasty amounts ----------------------------------------------------------


def kinds(model: GammaGammaFitter) -> set[str]:
    return {f.kind for f in model.findings_}


def check_bounded(model: GammaGammaFitter, x: np.ndarray, m: np.ndarray) -> None:
    """Every expectation is finite, and between two means that the amounts themselves bear out."""
    population = model.population_mean
    assert np.isfinite(model.params_).all()
    assert 0 < population <= 2 * m.mean() * (1 + 1e-9)
    spend = np.asarray(model.conditional_expected_average_profit(x, m))
    slack = 1e-9 * np.maximum(m, population)
    assert (spend >= np.minimum(m, population) - slack).all()
    assert (spend <= np.maximum(m, population) + slack).all()
    assert model.conditional_expected_average_profit(0, np.nan) == pytest.approx(population)
    assert model.converged_ or "not_converged" in kinds(model)


AMOUNTS = st.one_of(
    st.floats(-4, 9).map(lambda e: 10.0**e),
    st.sampled_from([1e-4, 0.01, 9.99, 100.0, 1e9]),
)


@pytest.mark.slow
@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(1, 100_000), AMOUNTS), min_size=1, max_size=60))
def test_no_amounts_break_the_spend_model(buyers):
    x, m = (np.array(c, dtype=float) for c in zip(*buyers, strict=True))
    check_bounded(GammaGammaFitter().fit(x, m), x, m)


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.5, 1.5, 4.0]),
    st.floats(-4, 9),
    st.sampled_from([2, 3, 100, 1_000]),
    st.booleans(),
)
def test_one_huge_amount_does_not_move_what_is_expected_of_others(seed, spread, huge, n, low):
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 8, n).astype(float)
    m = np.clip(np.exp(rng.normal(3.0, spread, n)), 1e-4, 1e9)
    m[0] = 1e-4 if low else 10.0**huge
    check_bounded(GammaGammaFitter().fit(x, m), x, m)


def test_one_huge_amount_is_named_and_others_are_counted_on_for_what_they_spend():
    rng = np.random.default_rng(1)
    x = rng.integers(1, 6, 1_000)
    m = rng.lognormal(3.0, 0.5, 1_000)
    typical = m[1:].mean()
    m[0] = 1e9
    model = GammaGammaFitter().fit(x, m)
    assert "one_customer" in kinds(model)
    assert model.observed_mean_ > 1e5
    assert model.population_mean == pytest.approx(typical, rel=0.2)
    others = model.conditional_expected_average_profit(x[1:], m[1:])
    assert others.max() < m[1:].max() * 1.01
    assert "100.0%" in model.degenerate_


@pytest.mark.parametrize("q", [0.6, 0.9])
def test_without_a_finite_mean_no_hundredth_of_the_buyers_decides_the_bound(q):
    rng = np.random.default_rng(9)
    x = rng.integers(1, 4, 5_000)
    m = rng.gamma(6.0 * x, 1 / rng.gamma(q, 1 / 15.0, 5_000)) / x
    model = GammaGammaFitter().fit(x, m)
    assert not model.mean_exists_
    assert "no_mean" in kinds(model)
    cap = np.sort(m)[-51]
    assert model.population_mean == pytest.approx(np.minimum(m, cap).mean())
    m[np.argmax(m)] *= 1e3
    again = GammaGammaFitter().fit(x, m)
    assert again.population_mean == pytest.approx(model.population_mean)
    check_bounded(again, x, m)


def test_a_mean_that_exists_but_is_far_above_anything_seen_is_not_used():
    # The tails of a half Cauchy put q a little above 1 and p v / (q − 1) far up.
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 6, 300)
        m = np.abs(rng.standard_cauchy(300)) + 1e-4
        model = GammaGammaFitter().fit(x, m)
        p, q, v = model.params_
        if q > 1 and p * v / (q - 1) > 2 * m.mean():
            break
    else:
        pytest.fail("no such base came up")
    assert model.mean_exists_
    assert "far_mean" in kinds(model)
    assert model.population_mean <= m.mean()
    check_bounded(model, x.astype(float), m)


def test_a_mean_far_below_what_many_spend_is_not_used_either():
    x, m = np.arange(1_000) % 5 + 1, np.where(np.arange(1_000) < 12, 1e9, 1e-4)
    model = GammaGammaFitter().fit(x, m)
    p, q, v = model.params_
    assert q > 1
    assert p * v / (q - 1) < m.mean() / 2
    assert "far_mean" in kinds(model)
    assert model.population_mean > 1e6


def test_weights_count_as_repeats_in_the_bound():
    rng = np.random.default_rng(3)
    x, m = np.ones(150), 15.0 / rng.gamma(0.5, 1.0, 150)
    copies = rng.integers(1, 5, 150)
    weighted = GammaGammaFitter().fit(x, m, weights=copies)
    repeated = GammaGammaFitter().fit(np.repeat(x, copies), np.repeat(m, copies))
    assert weighted.bounded
    assert weighted.population_mean == pytest.approx(repeated.population_mean)
