"""Expected customers by repeat purchases: against lives lived out by the models' stories."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lib.models import BetaGeoFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from retention_lib.models.counts import repeat_counts

N = 200_000


def fitted(kind, **params):
    model = kind()
    model.params_ = pd.Series(params)
    return model


def lived_out(kind, params, ages, rng):
    """Repeat purchases of customers who live by the model's story."""
    n = len(ages)
    rate = rng.gamma(params["r"], 1 / params["alpha"], n)
    if kind is ParetoNBDFitter:
        gone = rng.exponential(1, n) / rng.gamma(params["s"], 1 / params["beta"], n)
        return rng.poisson(rate * np.minimum(ages, gone))
    leaving = rng.beta(params["a"], params["b"], n)
    count = rng.poisson(rate * ages)
    last = np.ceil(np.log1p(-rng.random(n)) / np.log1p(-leaving))
    if kind is ModifiedBetaGeoFitter:
        last -= 1
    return np.minimum(count, last)


CASES = {
    "bgnbd": (BetaGeoFitter, {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}),
    "mbgnbd": (ModifiedBetaGeoFitter, {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}),
    "paretonbd": (ParetoNBDFitter, {"r": 0.5533, "alpha": 10.578, "s": 0.6062, "beta": 11.668}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_expected_numbers_are_those_of_lives_lived_out(name: str) -> None:
    kind, params = CASES[name]
    rng = np.random.default_rng(4)
    ages = rng.uniform(0, 39, N)
    bought = lived_out(kind, params, ages, rng)
    found = repeat_counts(fitted(kind, **params), pd.DataFrame({"frequency": bought, "T": ages}))
    assert found["actual"].sum() == N
    assert found["expected"].sum() == pytest.approx(N)
    # five standard errors of a count
    wide = 5 * np.sqrt(found["expected"] * (1 - found["expected"] / N))
    assert (abs(found["actual"] - found["expected"]) < wide).all()


def test_who_joined_today_has_not_come_back() -> None:
    kind, params = CASES["paretonbd"]
    found = repeat_counts(
        fitted(kind, **params), pd.DataFrame({"frequency": [0, 0, 0], "T": [0.0, 0.0, 0.0]})
    )
    assert found["expected"].tolist() == [3.0] + [0.0] * 7


def test_many_ages_are_few_without_moving_the_numbers() -> None:
    kind, params = CASES["bgnbd"]
    model = fitted(kind, **params)
    ages = np.linspace(1, 60, 240)
    whole = repeat_counts(model, pd.DataFrame({"frequency": 0, "T": ages}))
    each = sum(
        repeat_counts(model, pd.DataFrame({"frequency": 0, "T": part}))["expected"]
        for part in np.array_split(ages, 6)
    )
    assert whole["expected"].to_numpy() == pytest.approx(each.to_numpy(), rel=2e-3, abs=0.02)
