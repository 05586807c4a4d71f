"""Models by market and cohort: split where there is something to gain, and only there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.models import BetaGeoFitter, fit_purchase_model, fit_spend_model
from retention_lib.models.grouping import cohort_of, groupings, main_group
from retention_lib.models.groups import ENOUGH, ENOUGH_REPEAT_BUYERS, fit_by_group
from retention_lib.models.histories import compress
from retention_lib.models.pooling import differ, shrink, with_parameters
from retention_lib.params import Params

BUY = (0.6, 40.0, 0.8, 2.5)
PAY = (6.0, 4.0, 15.0)
VALUED = {"horizon_months": 12, "discount_rate": 0.1, "margin": 0.5, "draws": 40}


def live(
    rng: np.random.Generator,
    n: int,
    buy: tuple[float, ...] = BUY,
    pay: tuple[float, ...] = PAY,
    horizon: float = 0.0,
) -> pd.DataFrame:
    """Customers who live by the BG/NBD and spend by the Gamma-Gamma; what they do after T too."""
    (r, alpha, a, b), (p, q, v) = buy, pay
    T = np.floor(rng.uniform(30, 700, n))
    rate, leaves, nu = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n), rng.gamma(q, 1 / v, n)
    now, x, t_x, total, later = (np.zeros(n) for _ in range(5))
    alive = np.ones(n, bool)
    while alive.any():
        now += rng.exponential(1, n) / np.maximum(rate, 1e-300)
        alive &= now < T + horizon
        seen = alive & (now < T)
        x[seen] += 1
        t_x[seen] = now[seen]
        total[seen] += rng.gamma(p, 1 / nu)[seen]
        later[alive & (now >= T)] += 1
        alive &= rng.random(n) >= leaves
    mean = np.where(x > 0, total / np.maximum(x, 1), np.nan)
    frame = pd.DataFrame(
        {"frequency": x, "recency": t_x, "T": T, "monetary_value": mean, "later": later}
    )
    frame.attrs = {"time_unit": "day", "grain": "day", "as_of": "2023-12-31"}
    return frame


def joined(parts: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.Series]:
    frame = pd.concat(parts.values(), ignore_index=True)
    frame.index = pd.Index([f"c{i}" for i in range(len(frame))], name="customer")
    frame.attrs = dict(next(iter(parts.values())).attrs)
    labels = np.repeat(list(parts), [len(p) for p in parts.values()])
    return frame, pd.Series(labels, frame.index)


def test_groups_that_differ_get_fits_of_their_own_and_small_ones_the_common():
    rng = np.random.default_rng(1)
    customers, groups = joined(
        {
            "NO": live(rng, 1_500),
            "SE": live(rng, 1_200, (1.8, 40.0, 0.4, 4.0), (6.0, 4.0, 45.0)),
            "DK": live(rng, 150),
        }
    )
    found = fit_by_group(customers, groups, "market", model_name="bgnbd", **VALUED)
    table = found.table.set_index("group")
    assert list(table.index) == ["NO", "SE", "DK"]
    assert list(table["own_purchases"]) == list(table["own_spend"]) == [True, True, False]
    assert found.p_value < 1e-6
    assert found.spend_p_value < 1e-6
    assert "2 of 3" in found.sentences[0]
    assert "2 of 3" in found.sentences[1]
    pooled = fit_purchase_model(customers, "bgnbd")
    assert table.loc["DK", "r"] == pytest.approx(pooled.params_["r"])
    # True means of spend: p v / (q − 1), 30 and 90.
    assert table.loc["SE", "clv_mean"] > 3 * table.loc["NO", "clv_mean"]
    for name in ("purchases", "clv_mean"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
    assert table["n"].sum() == len(customers)
    assert found.left_out == 0


@pytest.mark.slow
def test_equal_groups_are_not_split_more_often_than_the_level_says():
    rng = np.random.default_rng(2)
    split = 0
    for _ in range(40):
        parts = [live(rng, 700) for _ in range(3)]
        fits = [fit_purchase_model(p, "bgnbd") for p in parts]
        together = fit_purchase_model(joined(dict(enumerate(parts)))[0], "bgnbd")
        p_value = differ(together.log_likelihood_, [f.log_likelihood_ for f in fits], 4)
        split += p_value < 0.05
    # 2 are to be expected; 7 or more come up once in 300 times.
    assert split < 7


def test_noise_is_not_split_and_one_model_serves_all():
    rng = np.random.default_rng(3)
    customers, groups = joined({g: live(rng, 700) for g in ("a", "b", "c")})
    found = fit_by_group(customers, groups, "channel", model_name="bgnbd", **VALUED)
    assert found.p_value > 0.05
    assert not found.table["own_purchases"].any()
    assert found.table["r"].nunique() == 1
    assert "one model serves all" in found.sentences[0]
    assert "channel" in found.sentences[0]


def test_a_split_by_lot_of_one_large_group_leaves_the_totals_alone():
    rng = np.random.default_rng(4)
    customers, groups = joined({g: live(rng, 700) for g in ("a", "b")})
    found = fit_by_group(customers, groups, "channel", model_name="bgnbd", **VALUED)
    model, spend = fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers)
    assert found.table["purchases"].sum() == pytest.approx(
        model.predict(366, *(customers[c] for c in ("frequency", "recency", "T"))).sum()
    )
    assert found.spend_models["a"].params_["q"] == pytest.approx(spend.params_["q"])


def test_customers_without_a_group_are_counted_and_left_out():
    rng = np.random.default_rng(5)
    customers, groups = joined({"a": live(rng, 400), "b": live(rng, 50)})
    some = groups.iloc[30:].mask(groups == "b")
    found = fit_by_group(customers, some, "channel", model_name="mbgnbd", **VALUED)
    assert list(found.table["group"]) == ["a"]
    assert found.left_out == 80
    assert found.p_value is None
    assert f"{ENOUGH}" in found.sentences[0]
    assert f"{ENOUGH_REPEAT_BUYERS}" in found.sentences[0]
    with pytest.raises(DataError, match="has a market"):
        fit_by_group(customers, groups.mask(groups != ""), "market", model_name="bgnbd", **VALUED)


def test_a_base_without_any_repeat_buyer_has_groups_without_spend():
    rng = np.random.default_rng(6)
    customers, groups = joined({"a": live(rng, 400), "b": live(rng, 400)})
    once = customers.assign(frequency=0.0, recency=0.0, monetary_value=np.nan)
    once.attrs = dict(customers.attrs)
    found = fit_by_group(once, groups, "market", model_name="bgnbd", **VALUED)
    assert found.spend_models == {}
    assert found.table["clv_mean"].isna().all()
    assert (found.table["purchases"] < 1).all()


def test_a_degenerate_group_goes_by_the_common_model():
    rng = np.random.default_rng(7)
    odd = live(rng, 500)
    odd["frequency"], odd["recency"] = 5.0, odd["T"]
    customers, groups = joined(
        {"a": live(rng, 900), "b": live(rng, 900, (2.0, 40, 0.8, 2.5)), "odd": odd}
    )
    found = fit_by_group(customers, groups, "market", model_name="bgnbd", **VALUED)
    table = found.table.set_index("group")
    assert table.loc[["a", "b"], "own_purchases"].all()
    assert not table.loc["odd", "own_purchases"]


# --- pooling -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_drawn_fits_forecast_better_than_own_fits_and_than_one_for_all():
    rng = np.random.default_rng(8)
    gain_on_own = gain_on_pooled = 0.0
    for _ in range(6):
        truths = [tuple(np.array(BUY) * np.exp(rng.normal(0, 0.35, 4))) for _ in range(8)]
        parts = [live(rng, 400, t) for t in truths]
        fits = [fit_purchase_model(p, "bgnbd") for p in parts]
        together = fit_purchase_model(joined(dict(enumerate(parts)))[0], "bgnbd")
        drawn = shrink(
            together.params_.to_numpy(),
            [f.params_.to_numpy() for f in fits],
            [f.log_covariance_ for f in fits],
        )
        for truth, fit, own in zip(truths, fits, drawn, strict=True):
            # Other customers of the same group, whom no fit has seen.
            fresh = live(rng, 4_000, truth)
            h = compress(fresh["frequency"], fresh["recency"], fresh["T"])
            value = BetaGeoFitter()._likelihood(h).value
            mine = value(own.parameters)
            gain_on_own += mine - value(fit.params_.to_numpy())
            gain_on_pooled += mine - value(together.params_.to_numpy())
    assert gain_on_own > 0
    assert gain_on_pooled > 0


def test_without_differences_all_are_drawn_to_the_common_and_with_sure_fits_none():
    common = np.array([1.0, 2.0])
    unsure = [np.eye(2) * 0.04] * 3
    near = [common * np.exp(0.02 * k) for k in (-1, 0, 1)]
    for got in shrink(common, near, unsure):
        np.testing.assert_allclose(got.parameters, common, rtol=1e-3)
    sure = [np.eye(2) * 1e-8] * 3
    far = [common * np.exp(k) for k in (-1, 0, 1)]
    for got, own, error in zip(shrink(common, far, sure), far, sure, strict=True):
        np.testing.assert_allclose(got.parameters, own, rtol=1e-4)
        np.testing.assert_allclose(got.log_covariance, error, rtol=1e-4, atol=1e-12)


def test_the_known_direction_is_kept_and_the_unknown_one_given_up():
    common = np.array([1.0, 1.0])
    own = [np.exp([k, 5.0 * k]) for k in (-1.0, -0.5, 0.5, 1.0)]
    errors = [np.diag([1e-4, 400.0])] * 4
    for got, fit in zip(shrink(common, own, errors), own, strict=True):
        assert np.log(got.parameters[0]) == pytest.approx(np.log(fit[0]), rel=0.01)
        assert abs(np.log(got.parameters[1])) < 0.05 * abs(np.log(fit[1]))


def test_the_test_of_differences_is_chi_square_at_known_points():
    # 9.49 and 15.51 are the 95 % points of chi-square with 4 and 8 degrees of freedom.
    assert differ(-100.0, [-50.0, -50.0 + 9.4877 / 2], 4) == pytest.approx(0.05, abs=1e-4)
    assert differ(-100.0, [-50.0, -25.0, -25.0 + 15.5073 / 2], 4) == pytest.approx(0.05, abs=1e-4)
    assert differ(-100.0, [-50.0, -50.0], 4) == 1.0


def test_a_moved_model_predicts_by_its_new_parameters_and_leaves_the_old_one():
    part = live(np.random.default_rng(9), 500)
    fit = fit_purchase_model(part, "paretonbd")
    before = fit.params_.copy()
    drawn = shrink(before.to_numpy() * 1.3, [before.to_numpy()] * 2, [fit.log_covariance_] * 2)[0]
    moved = with_parameters(fit, drawn)
    pd.testing.assert_series_equal(fit.params_, before)
    assert moved.log_likelihood_ < fit.log_likelihood_
    columns = [part[c] for c in ("frequency", "recency", "T")]
    assert moved.predict(90, *columns).sum() != fit.predict(90, *columns).sum()
    direct = type(fit)()
    direct.params_ = moved.params_
    np.testing.assert_array_equal(
        moved.predict(90, *columns),
        direct.conditional_expected_number_of_purchases_up_to_time(90, *columns),
    )


# --- which group -------------------------------------------------------------------------------


def test_cohorts_are_years_or_quarters_of_the_first_purchase():
    frame = pd.DataFrame({"first": pd.to_datetime(["2023-01-01", "2023-12-31", "2024-04-01"])})
    assert list(cohort_of(frame, "year")) == ["2023", "2023", "2024"]
    assert list(cohort_of(frame, "quarter")) == ["2023-Q1", "2023-Q4", "2024-Q2"]


def test_the_main_group_has_more_than_half_of_a_customers_purchases(tmp_path):
    rows = [
        ("a", "2024-01-01", 10, "NO"),
        ("a", "2024-02-01", 10, "NO"),
        ("a", "2024-03-01", 10, "SE"),
        ("b", "2024-01-01", 10, "NO"),
        ("b", "2024-02-01", 10, "SE"),
        ("c", "2024-01-01", 10, "SE"),
        ("c", "2024-02-01", -10, "NO"),
        ("d", "2024-01-01", 10, ""),
    ]
    frame = pd.DataFrame(rows, columns=["customer", "date", "amount", "market"])
    frame.to_csv(tmp_path / "orders.csv", index=False)
    columns = {name: name for name in frame.columns}
    params = Params(
        client="c",
        source="orders.csv",
        currency="NOK",
        columns=columns,
        dimensions=["market"],
        as_of=dt.date(2024, 12, 31),
    )
    base = read_base(params, tmp_path)
    assert main_group(base, "market").to_dict() == {"a": "NO", "c": "SE"}
    found = groupings(base)
    assert list(found) == ["cohort", "market"]
    assert set(found["cohort"]) == {"2024-Q1"}


@pytest.mark.slow
def test_all_of_cdnow_is_one_cohort_and_there_is_nothing_to_compare():
    params = Params(
        client="cdnow", source="builtin:cdnow", currency="USD", as_of=dt.date(1998, 6, 30)
    )
    base = read_base(params, Path())
    found = fit_by_group(
        base.customers(), groupings(base)["cohort"], "cohort", model_name="bgnbd", **VALUED
    )
    # All joined in the first quarter of 1997, but for two whose first orders cost nothing.
    assert found.table["n"].iloc[1:].sum() == 2
    assert found.table.loc[0, "group"] == "1997-Q1"
    assert found.p_value is None
    assert found.table["n"].sum() == len(base.customers())
    assert "one model serves all" in found.sentences[0]
