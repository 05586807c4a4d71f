"""What the fits say of bases that tell too little."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lib.models import PURCHASE_MODELS, TITLES

MODELS = list(PURCHASE_MODELS)


def kinds(model) -> set[str]:
    return {f.kind for f in model.findings_}


@pytest.mark.parametrize("name", MODELS)
def test_a_base_whose_customers_are_all_gone_is_named(name):
    rng = np.random.default_rng(4)
    age = np.floor(rng.uniform(1500, 2000, 800))
    x = 1.0 + rng.poisson(6, 800)
    model = PURCHASE_MODELS[name]().fit(x, 12.0 * x, age)
    assert "nobody_left" in kinds(model), TITLES[name]
    assert "end date" in model.degenerate_


@pytest.mark.parametrize("name", MODELS)
def test_of_a_handful_of_repeat_buyers_no_forecast_is_said_to_hold(name):
    rng = np.random.default_rng(5)
    age = np.floor(rng.uniform(30, 700, 800))
    x = np.where(np.arange(800) < 3, 1.0, 0.0)
    model = PURCHASE_MODELS[name]().fit(x, np.where(x > 0, np.minimum(20.0, age), 0.0), age)
    assert "few_repeaters" in kinds(model)
    assert kinds(model) & {"weak", "runaway"}
    assert "Forecasts hold" not in model.degenerate_
    assert "forecasts are rough" in model.degenerate_


@pytest.mark.parametrize("name", MODELS)
def test_no_base_is_both_left_by_nobody_and_by_all(name):
    rng = np.random.default_rng(6)
    for n in (1, 2, 50, 400):
        age = np.floor(rng.uniform(1, 700, n))
        x = np.floor(rng.exponential(2, n))
        t_x = np.where(x > 0, age * rng.random(n), 0.0)
        model = PURCHASE_MODELS[name]().fit(x, t_x, age)
        assert not {"nobody_left", "nobody_leaves"} <= kinds(model)
