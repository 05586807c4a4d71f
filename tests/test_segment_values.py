"""Mean CLV of segments: the parts make the whole, and the interval is as honest as the total's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lib.data.read import read_base
from retention_lib.models import fit_purchase_model, segment_values, value_base
from retention_lib.models.backtest import Backtests
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.models.segment_values import clv_by_group
from retention_lib.params import Params


@pytest.fixture(scope="module")
def base():
    params = Params(
        client="sample",
        currency="USD",
        source="builtin:cdnow-sample",
        time_unit="week",
        model="bgnbd",
        horizon_months=6,
    )
    return read_base(params, Path())


@pytest.fixture(scope="module")
def made(base) -> Forecast:
    return make_forecast(base)


@pytest.fixture(scope="module")
def tiers(made: Forecast) -> pd.Series:
    rank = made.valuation.customers["clv"].rank(pct=True, method="first")
    return pd.cut(rank, [0, 0.75, 0.95, 1], labels=["bronze", "silver", "gold"])


def test_the_groups_add_up_to_the_base(base, made: Forecast, tiers: pd.Series) -> None:
    found = clv_by_group(base, made, tiers)
    assert set(found.index) == {"gold", "silver", "bronze"}
    total = (found["clv_mean"] * tiers.value_counts().reindex(found.index)).sum()
    assert total == pytest.approx(made.valuation.totals.clv.value)


def test_each_interval_holds_its_mean_and_is_as_wide_as_the_past_demands(
    base, made: Forecast, tiers: pd.Series
) -> None:
    found = clv_by_group(base, made, tiers)
    assert (found["low"] < found["clv_mean"]).all()
    assert (found["clv_mean"] < found["high"]).all()
    whole = made.intervals["clv.total"]
    # what customers do together, past misses, is in each group as much as in the total
    assert (found["high"] / found["clv_mean"] >= whole.high / whole.value - 1e-9).all()
    none = dataclasses.replace(made, backtests=without(made.backtests), holdout=None)
    alone = clv_by_group(base, none, tiers)
    assert (alone["high"] - alone["low"] < found["high"] - found["low"]).all()
    # five hundredths of the customers are less surely known than all of them
    share = (alone["high"] - alone["low"]) / alone["clv_mean"]
    assert share["gold"] > (whole.own_high - whole.own_low) / whole.value


@pytest.mark.parametrize("name", ["bgnbd", "paretonbd"])
def test_the_error_of_a_group_that_buys_much_is_that_of_simulated_futures(
    base, made: Forecast, tiers: pd.Series, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model = fit_purchase_model(base.customers(), name)
    valuation = value_base(base.customers(), model, made.spend_model, made.terms, draws=2)
    alone = {"backtests": without(made.backtests), "holdout": None}
    other = dataclasses.replace(made, purchase_model=model, valuation=valuation, **alone)
    expected = valuation.customers["expected_purchases"].groupby(tiers, observed=True).sum()
    assert (expected >= segment_values.MUCH).all()
    found = clv_by_group(base, other, tiers)
    monkeypatch.setattr(segment_values, "MUCH", np.inf)
    drawn = clv_by_group(base, other, tiers, draws=1_000)
    assert found["clv_mean"].to_numpy() == pytest.approx(drawn["clv_mean"].to_numpy(), rel=1e-12)
    length = drawn["high"] - drawn["low"]
    for end in ("low", "high"):
        assert (abs(found[end] - drawn[end]) < 0.1 * length).all()


def without(backtests: Backtests) -> Backtests:
    return dataclasses.replace(backtests, origins=backtests.origins.iloc[:0])


def test_who_belongs_to_no_group_is_left_out(base, made: Forecast, tiers: pd.Series) -> None:
    some = tiers.where(tiers == "gold")
    found = clv_by_group(base, made, some)
    assert list(found.index) == ["gold"]
    whole = clv_by_group(base, made, tiers)
    assert found.loc["gold", "clv_mean"] == pytest.approx(whole.loc["gold", "clv_mean"])


def test_without_a_spend_model_there_is_nothing_to_tell(
    base, made: Forecast, tiers: pd.Series
) -> None:
    assert clv_by_group(base, dataclasses.replace(made, spend_model=None), tiers).empty
    nobody = pd.Series(np.nan, index=tiers.index, dtype=object)
    assert clv_by_group(base, made, nobody).empty
