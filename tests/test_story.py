"""The models in words: the figures are the distributions' own; weak fits are not read."""

from __future__ import annotations

from types import SimpleNamespace as Made

import numpy as np
import pandas as pd
import pytest

from retention_lib.models import BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.report.findings.story import UNREAD, story

N = 1_000_000


def made(kind, params, *findings: str, spend=None) -> Made:
    model = kind()
    model.params_ = pd.Series(params)
    model.findings_ = tuple(Made(kind=name) for name in findings)
    return Made(purchase_model=model, spend_model=spend, unknowable=None)


BG = {"r": 0.8, "alpha": 60.0, "a": 0.8, "b": 2.4}
PARETO = {"r": 0.8, "alpha": 60.0, "s": 0.6, "beta": 100.0}


def test_rhythms_are_the_quantiles_of_the_customers_rates() -> None:
    said = story(made(BetaGeoFitter, BG), "day")[0]
    rates = np.random.default_rng(1).gamma(0.8, 1 / 60, N)
    assert said.values["busy"].unit == "days"
    assert said.values["busy"].value == pytest.approx(1 / np.quantile(rates, 0.9), abs=1)
    months = 1 / np.quantile(rates, 0.5) / (365.25 / 12)
    assert said.values["typical"].value == pytest.approx(months, abs=0.6)


def test_a_week_as_ruler_tells_the_same_story() -> None:
    weekly = {**PARETO, "alpha": PARETO["alpha"] / 7, "beta": PARETO["beta"] / 7}
    days, weeks = (
        story(made(ParetoNBDFitter, params), unit)
        for params, unit in ((PARETO, "day"), (weekly, "week"))
    )
    assert days == weeks


def test_leaving_in_time_is_that_of_lives_lived_out() -> None:
    said = story(made(ParetoNBDFitter, PARETO), "day")[1]
    rng = np.random.default_rng(2)
    lives = rng.exponential(1, N) / rng.gamma(0.6, 1 / 100, N)
    assert said.values["year"].value == pytest.approx((lives < 365.25).mean(), abs=0.003)
    months = np.median(lives) / (365.25 / 12)
    assert said.values["half"].value == pytest.approx(months, abs=0.6)


def test_leaving_by_purchase_is_that_of_lives_lived_out() -> None:
    rng = np.random.default_rng(3)
    leaves = rng.beta(0.8, 2.4, N)
    stayed_four = rng.random(N) < (1 - leaves) ** 4
    for kind in (BetaGeoFitter, ModifiedBetaGeoFitter):
        said = story(made(kind, BG), "day")[1]
        assert said.values["first"].value == pytest.approx(leaves.mean(), abs=0.003)
        fifth = leaves[stayed_four].mean()
        assert said.values["fifth"].value == pytest.approx(fifth, abs=0.003)
    assert "after the first repeat purchase" in story(made(BetaGeoFitter, BG), "day")[1].lower()
    assert "after the first purchase" in said.lower()


def test_spend_is_that_of_customers_drawn() -> None:
    spend = GammaGammaFitter()
    spend.params_ = pd.Series({"p": 6.0, "q": 4.0, "v": 15.0})
    spend.findings_ = ()
    said = story(made(BetaGeoFitter, BG, spend=spend), "day")[-1]
    means = 6.0 / np.random.default_rng(4).gamma(4.0, 1 / 15.0, N)
    for name, expected in (
        ("mean", means.mean()),
        ("low", np.quantile(means, 0.1)),
        ("high", np.quantile(means, 0.9)),
    ):
        assert said.values[name].value == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("finding", ["weak", "runaway"])
def test_parameters_that_the_base_leaves_open_are_not_put_into_words(finding: str) -> None:
    assert story(made(BetaGeoFitter, BG, finding), "day") == [UNREAD]


def test_a_base_that_carries_no_forecast_has_no_story() -> None:
    one = made(BetaGeoFitter, BG)
    one.unknowable = "Nobody came back."
    assert story(one, "day") == []
