"""Whether to believe a forecast: naive ones beside it, its measures, the past, the verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
import doctest
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr
from scipy.stats import t as student

from retention_lib.data.base import Base
from retention_lib.data.periods import shift_months
from retention_lib.data.read import read_base
from retention_lib.models import backtest as backtest_module
from retention_lib.models import choose as choose_module
from retention_lib.models import fit_purchase_model, fit_spend_model, foreseen, measures
from retention_lib.models.backtest import FEWEST, Backtests, backtest, origins
from retention_lib.models.choose import choose
from retention_lib.models.forecast import Forecast, forecast_metrics, make_forecast
from retention_lib.models.holdout import Holdout
from retention_lib.models.independence import SpendCheck, spend_check
from retention_lib.models.measures import caught_by_best_tenth, rank_correlation, score
from retention_lib.models.naive import NAIVE, naive_forecasts
from retention_lib.models.purchase_days import purchase_days
from retention_lib.models.saved import load, save
from retention_lib.models.totals import Estimate, Totals
from retention_lib.models.verdict import verdict
from retention_lib.models.widening import (
    PastErrors,
    past_errors,
    total_intervals,
    what_widens,
    widened,
    widened_by_holdout,
)
from retention_lib.params import Params, read_client_file
from retention_lib.sentence import Sentence

D = dt.date
END = D(1998, 6, 30)


def opened(root: Path, client: str, **changes: Any) -> Base:
    params = read_client_file(root / "params" / f"{client}.yaml").params
    return read_base(params.model_copy(update=changes), root / "params")


@pytest.fixture(scope="module")
def cdnow(root: Path) -> Base:
    """CDNOW's sample to its end, split where the papers split it: 39 weeks, nine months."""
    return opened(root, "cdnow-sample", as_of=END, holdout_months=9)


@pytest.fixture(scope="module")
def made(cdnow: Base) -> Forecast:
    return make_forecast(cdnow)


@pytest.fixture(scope="module")
def coverage(root: Path) -> ModuleType:
    """The benchmark that simulates bases."""
    spec = importlib.util.spec_from_file_location("coverage", root / "benchmarks" / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_coverage"] = module
    spec.loader.exec_module(module)
    return module


# --- naive forecasts ---------------------------------------------------------------------------


def three_customers() -> pd.DataFrame:
    """Known for 100, 50 and 2 days, with 3, 0 and 1 repeat purchases."""
    frame = pd.DataFrame(
        {
            "frequency": [3, 0, 1],
            "recency": [90.0, 0.0, 1.0],
            "T": [100.0, 50.0, 2.0],
            "purchases": [4, 1, 2],
            "amount_mean": [10.0, 40.0, 25.0],
            "monetary_value": [12.0, np.nan, 20.0],
        },
        index=["a", "b", "c"],
    )
    frame.attrs = {"time_unit": "day", "as_of": "2024-01-31"}
    return frame


def test_the_naive_forecasts_are_those_of_a_spreadsheet():
    previous, amount = pd.Series({"c": 2, "a": 1}), pd.Series({"c": 50.0, "a": 9.0})
    made = naive_forecasts(three_customers(), previous, 50.0, amount)
    assert list(made) == list(NAIVE)
    assert made["before"].purchases.tolist() == [1, 0, 2]
    assert made["before"].revenue.tolist() == [9, 0, 50]
    # c has been known for two days, and counts as known for a month
    assert made["own_rate"].purchases == pytest.approx([1.5, 0, 50 / 30])
    assert made["own_rate"].revenue == pytest.approx([15, 0, 25 * 50 / 30])
    mean = 4 / 152 * 50
    assert made["mean_rate"].purchases == pytest.approx([mean] * 3)
    ticket = (4 * 10 + 40 + 2 * 25) / 7
    assert made["mean_rate"].revenue == pytest.approx([mean * ticket] * 3)


def test_without_amounts_the_naive_forecasts_know_no_revenue():
    bare = three_customers()[["frequency", "recency", "T"]]
    assert all(n.revenue is None for n in naive_forecasts(bare, pd.Series(), 10.0).values())


def test_weeks_and_days_give_the_same_naive_forecasts():
    days = three_customers()
    weeks = days.assign(recency=days["recency"] / 7, T=days["T"] / 7)
    weeks.attrs = {"time_unit": "week"}
    one = naive_forecasts(days, pd.Series(), 70.0)
    other = naive_forecasts(weeks, pd.Series(), 10.0)
    for name in NAIVE:
        assert other[name].purchases == pytest.approx(one[name].purchases)


# --- measures ----------------------------------------------------------------------------------

counts = arrays(float, st.integers(2, 40), elements=st.integers(0, 5).map(float))


@given(st.data(), counts)
def test_the_rank_correlation_is_scipys(data: st.DataObject, one: np.ndarray):
    other = data.draw(arrays(float, len(one), elements=st.integers(0, 3).map(float)))
    mine = rank_correlation(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert mine is None
    else:
        assert mine == pytest.approx(spearmanr(one, other).statistic)


@given(counts)
def test_no_list_catches_more_than_the_perfect_one(revenue: np.ndarray):
    perfect = caught_by_best_tenth(revenue, revenue)
    blind = caught_by_best_tenth(np.zeros(len(revenue)), revenue)
    worst = caught_by_best_tenth(-revenue, revenue)
    if revenue.sum() == 0:
        assert perfect is blind is worst is None
        return
    best = -(-len(revenue) // 10)
    assert perfect == pytest.approx(np.sort(revenue)[-best:].sum() / revenue.sum())
    assert blind == pytest.approx(best / len(revenue))
    assert worst <= blind + 1e-12 <= perfect + 2e-12


def test_where_nobody_bought_nothing_is_not_a_number():
    judged = score(np.array([0.5, 0.2]), np.zeros(2))
    assert (judged.bias, judged.rank_correlation) == (None, None)
    assert judged.rmse == pytest.approx(np.sqrt((0.25 + 0.04) / 2))


def test_the_mean_absolute_error_would_choose_the_forecast_that_nobody_comes_back(made):
    test = made.holdout
    nobody = test.actual / test.n
    assert nobody < test.beside["mae"].iloc[1:].min()
    assert nobody - test.mae < 0.05
    assert test.rmse < 0.8 * test.baseline_rmse


# --- holdout, on published data ----------------------------------------------------------------


def test_the_published_39_weeks_stand_beside_three_naive_forecasts(made):
    test = made.holdout
    assert (test.model, test.months, test.n) == ("bgnbd", 9, 2_357)
    assert test.actual == 1_882
    assert test.forecast == pytest.approx(1_653.4, abs=0.05)
    beside = test.beside.set_index("name")
    assert list(beside.index) == ["bgnbd", *NAIVE]
    # all of it is before: 2,457 repeat purchases and 2,357 first ones
    assert beside.loc["before", "total"] == 2_457 + 2_357
    assert beside["rmse"].idxmin() == "bgnbd"
    assert test.baseline_rmse == beside["rmse"].iloc[1:].min()
    assert test.baseline_mae == beside["mae"].iloc[1:].min()
    off = (beside["total"].iloc[1:] - test.actual).abs()
    assert test.closest_total == beside.loc[off.idxmin(), "total"]
    assert test.closest_bias == beside["bias"].iloc[1:].abs().min()


def test_revenue_and_its_best_tenth_are_those_of_the_log(made, cdnow):
    split = shift_months(END, -9)
    bought = cdnow.purchases().select("customer", "day", "amount").to_pyarrow().to_pandas()
    after = bought[bought["day"] > split].groupby("customer")["amount"].sum().astype(float)
    test = made.holdout
    known = cdnow.customers(split)
    spent = after.reindex(known.index).fillna(0)
    assert test.revenue_actual == pytest.approx(spent.sum())
    by_past = known["revenue"].nlargest(236).index
    # at the edge of the tenth no two past revenues are equal
    assert test.best_tenth_by_past == pytest.approx(spent[by_past].sum() / spent.sum())
    assert test.best_tenth_perfect == pytest.approx(spent.nlargest(236).sum() / spent.sum())
    assert test.best_tenth_by_past < test.best_tenth < test.best_tenth_perfect


def test_the_course_of_single_weeks_adds_up_to_the_cumulative_one(made):
    course = made.holdout.tracking
    for name in ("actual", "forecast"):
        assert course[f"{name}_week"].cumsum().to_numpy() == pytest.approx(course[name].to_numpy())
        assert (course[f"{name}_week"] >= 0).all()


# --- purchases of the past ---------------------------------------------------------------------


def test_a_past_summary_is_the_bases_own(cdnow):
    days = purchase_days(cdnow)
    assert (days.customers, days.of) == (2_357, 2_357)
    for day in (D(1997, 1, 20), D(1997, 9, 30), END):
        ours, own = days.summary(day, "week"), cdnow.customers(day)
        pd.testing.assert_frame_equal(
            ours.reset_index(drop=True).astype(float),
            own[ours.columns].reset_index(drop=True).astype(float),
        )
        assert ours.attrs == own.attrs


def test_purchases_in_a_window_are_those_of_its_days(cdnow):
    days = purchase_days(cdnow)
    start, end = D(1997, 10, 1), END
    known = days.summary(start - dt.timedelta(days=1), "day").index
    count, amount = days.between(start, end, known)
    bought = cdnow.purchases().select("day", "amount").to_pyarrow().to_pandas()
    inside = bought[(bought["day"] >= start) & (bought["day"] <= end)]
    assert count.sum() == len(inside) == 1_882
    assert amount.sum() == pytest.approx(float(inside["amount"].sum()))


def test_a_sample_is_the_same_each_time_and_known_as_one(cdnow):
    one, other = purchase_days(cdnow, most=300), purchase_days(cdnow, most=300)
    assert (one.customers, one.of) == (300, 2_357)
    assert np.array_equal(one.day, other.day)
    assert not np.array_equal(one.day, purchase_days(cdnow, most=300, seed=1).day)


# --- origins -----------------------------------------------------------------------------------


@given(st.integers(1, 200), st.integers(1, 36))
def test_origins_leave_a_third_to_learn_from_and_whole_windows_to_come(history: int, horizon: int):
    end = D(2024, 12, 31)
    start = shift_months(end, -history) + dt.timedelta(days=1)
    months, days = origins(start, end, horizon)
    if months is None:
        assert days == []
        assert history < 5
        return
    assert months == min(horizon, history // 3)
    assert 2 <= len(days) <= 8
    assert days == sorted(set(days))
    assert shift_months(days[-1], months) == end
    learned = [
        (day.year - start.year) * 12 + day.month - start.month + 1 for day in (days[0], days[-1])
    ]
    assert learned[0] >= max(history // 3, months, 3)


def test_a_day_more_than_a_month_changes_no_origin():
    end = D(2024, 12, 31)
    assert origins(D(2022, 1, 1), end, 12) == origins(D(2021, 12, 15), end, 12)


# --- backtests ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def past(made: Forecast) -> Backtests:
    return made.backtests


def test_each_past_forecast_is_one_that_could_have_been_made(past, cdnow):
    assert past.months == 6
    assert len(past.origins) == 7
    assert past.effective == pytest.approx(546 / 184)
    row = past.origins.iloc[3]
    origin = row["origin"].date()
    earlier = cdnow.at(shift_months(origin, 6))
    customers = earlier.customers(origin)
    model = fit_purchase_model(customers, "bgnbd")
    weeks = (shift_months(origin, 6) - origin).days / 7
    columns = [customers[c] for c in ("frequency", "recency", "T")]
    assert row["forecast"] == pytest.approx(float(model.predict(weeks, *columns).sum()), rel=1e-6)
    bought = earlier.purchases().select("day").to_pyarrow().to_pandas()["day"]
    assert row["actual"] == (bought > origin).sum()
    assert row["error"] == pytest.approx(np.log(row["actual"] / row["forecast"]))
    assert row["repeat_buyers"] == (customers["frequency"] > 0).sum()
    length = shift_months(origin, 6) - origin
    assert row["before"] == ((bought <= origin) & (bought > origin - length)).sum()


def test_past_forecasts_of_the_published_data_came_out_too_low(past):
    errors = past_errors(past)
    assert errors is not None
    assert 0.05 < errors.mean < 0.15
    assert (past.origins["error"] > 0).sum() >= 5


def test_a_history_too_short_or_too_thin_says_why_there_are_no_backtests(cdnow, coverage):
    days = purchase_days(cdnow)
    short = backtest(
        days, "bgnbd", start=D(1998, 3, 1), as_of=END, horizon_months=12, time_unit="week"
    )
    assert not short
    assert short.months is None
    assert "at least 5 months" in short.why_none
    thin = coverage.simulate(np.random.default_rng(1), FEWEST, coverage.steady)
    few = backtest(
        thin,
        "bgnbd",
        start=coverage.START,
        as_of=coverage.AS_OF,
        horizon_months=12,
        time_unit="day",
    )
    assert not few
    assert f"{FEWEST} repeat buyers" in few.why_none
    for none in (short, few):
        assert past_errors(none) is None


# --- intervals ---------------------------------------------------------------------------------

OWN = Estimate(1_000.0, 900.0, 1_120.0)


def some_backtests(errors: list[float], own: float = 0.01, effective: float = 3.0) -> Backtests:
    n = len(errors)
    e = np.array(errors)
    frame = pd.DataFrame(
        {
            "origin": pd.date_range("2023-01-31", periods=n, freq="ME"),
            "n": 1_000,
            "repeat_buyers": 500,
            "actual": 1_000 * np.exp(e),
            "forecast": 1_000.0,
            "error": e,
            "own": own,
            **dict.fromkeys(NAIVE, 1_600.0),
            "revenue": 5_000 * np.exp(e),
            "revenue_forecast": 5_000.0,
            "revenue_error": e,
        }
    )
    return Backtests("bgnbd", 6, 12, 1_000, 1_000, effective, frame, None)


def test_the_interval_takes_in_mean_and_spread_on_the_side_of_the_miss():
    e = np.array([0.10, 0.14, 0.12, 0.16])
    both = widened(OWN, past_errors(some_backtests(e.tolist())))
    t = student.ppf(0.975, 3)
    assert both.high == pytest.approx(1_000 * np.exp(t * np.sqrt(np.mean(e**2))))
    # downwards only the spread counts, and here the model's own interval reaches farther
    assert t * np.sqrt(1.5) * e.std() < np.log(1_000 / 900)
    assert both.low == both.own_low == pytest.approx(900)
    e = np.array([0.30, -0.05, 0.20, -0.01])
    both = widened(OWN, past_errors(some_backtests(e.tolist(), own=0.0)))
    assert both.low == pytest.approx(1_000 * np.exp(-t * np.sqrt(1.5) * e.std()))
    assert both.high == pytest.approx(1_000 * np.exp(t * np.sqrt(np.mean(e**2))))


def test_a_miss_the_other_way_widens_the_other_side():
    e = np.array([0.10, 0.14, 0.12, 0.16])
    t = student.ppf(0.975, 3)
    mirrored = widened(OWN, past_errors(some_backtests((-e).tolist())))
    assert mirrored.low == pytest.approx(1_000 * np.exp(-t * np.sqrt(np.mean(e**2))))
    assert mirrored.high == mirrored.own_high == pytest.approx(1_120)


@given(
    st.lists(st.floats(-1, 1), min_size=2, max_size=8),
    st.floats(0, 0.3),
    st.floats(0.5, 9),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_no_interval_is_narrower_than_the_models_own(errors, own, effective, level):
    both = widened(OWN, past_errors(some_backtests(errors, own, effective)), level)
    assert both.low <= both.own_low <= both.value <= both.own_high <= both.high
    assert np.isfinite(both.high)


def test_money_takes_the_errors_of_revenue_where_they_are_known():
    known = some_backtests([0.10, -0.10, 0.12, -0.08])
    known.origins["revenue_error"] *= 2
    totals = Totals(OWN, OWN, OWN, OWN, None)
    found = total_intervals(totals, known, None)
    assert found["purchases.expected"] == widened(OWN, past_errors(known))
    assert found["clv.total"] == widened(OWN, past_errors(known, "revenue_error"))
    assert found["clv.total"].high > found["purchases.expected"].high
    known.origins["revenue_error"] = np.nan
    assert len(set(total_intervals(totals, known, None).values())) == 1


def test_fewer_windows_side_by_side_make_a_wider_interval():
    errors = [0.10, -0.10, 0.12, -0.08]
    widths = [
        widened(OWN, past_errors(some_backtests(errors, effective=n))).high for n in (2, 3, 4)
    ]
    assert widths[0] > widths[1] > widths[2]
    # more windows than origins are not believed
    assert widened(OWN, past_errors(some_backtests(errors, effective=9))).high == widths[2]


def test_what_early_origins_could_not_know_is_taken_off():
    errors = [0.3, 0.05, -0.05, 0.02]
    alike, unlike = some_backtests(errors), some_backtests(errors)
    unlike.origins["own"] = [0.3, 0.01, 0.01, 0.01]
    assert past_errors(unlike).size < past_errors(alike).size
    least = past_errors(some_backtests([0.0, 0.0, 0.0], own=0.05))
    assert least.size == least.spread == pytest.approx(0.05)


def test_a_total_of_nothing_stays_nothing():
    nothing = widened(Estimate(0.0, 0.0, 2.0), PastErrors(0.1, 0.1, 0.1, 3))
    assert (nothing.low, nothing.value, nothing.high) == (0, 0, 2)


def test_without_backtests_the_holdouts_error_counts_and_the_reason_is_said():
    none = dataclasses.replace(
        some_backtests([]), months=None, why_none=Sentence("The history is too short.")
    )
    totals = Totals(OWN, OWN, Estimate(50.0, 45.0, 56.0), None, None)
    found = total_intervals(totals, none, -0.2)
    # 20 % too low: what happened was a quarter above the forecast
    assert found["purchases.expected"].high == pytest.approx(1_250)
    assert found["purchases.expected"].low == pytest.approx(750)
    assert found["clv.total"].high == pytest.approx(62.5)
    assert "clv.mean" not in found
    assert "too short" in what_widens(none, -0.2)
    assert "20.0%" in what_widens(none, -0.2)
    assert widened_by_holdout(OWN, None) == widened(OWN, None)
    assert "isn't in them" in what_widens(none, None)


def test_the_interval_of_the_published_data_holds_the_year_it_missed(root):
    """Made on 1997-09-30, its own past forecasts make room for the 12 % that it misses."""
    early = make_forecast(opened(root, "cdnow-sample", horizon_months=9))
    both = early.intervals["purchases.expected"]
    assert both.value == pytest.approx(1_653.4, rel=0.01)
    assert not both.own_low <= 1_882 <= both.own_high
    assert both.low <= 1_882 <= both.high


@pytest.mark.slow
def test_intervals_hold_what_they_say_on_simulated_bases(coverage):
    level = "purchases, 95 %, {}"
    alone, both = level.format("model alone"), level.format("with past errors")
    steady = coverage.coverage(25, 2_000, 7, "as the model has it")
    # 25 intervals of 95 %: fewer than 21 would happen once in a hundred and fifty times
    assert steady[both] >= 21 / 25
    assert 0.88 < steady["customers' purchases, 90 %"] < 0.92
    drifted = coverage.coverage(25, 6_000, 7, "15 % up or down a year")
    assert drifted[alone] < 0.6
    assert drifted[both] > drifted[alone] + 0.25
    assert drifted[both] >= 0.8


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd", "paretonbd"])
def test_the_error_of_many_customers_total_is_that_of_simulated_futures(monkeypatch, cdnow, name):
    customers = cdnow.customers()
    model = fit_purchase_model(customers, name)
    asked = {"draws": 1_000, "seed": 1}
    monkeypatch.setattr(foreseen, "_MANY", len(customers))
    low, high = foreseen.forecast_interval(model, customers, 182.0, **asked)
    error = foreseen.relative_error(model, customers, 182.0, **asked)
    monkeypatch.setattr(foreseen, "_MANY", len(customers) + 1)
    drawn_low, drawn_high = foreseen.forecast_interval(model, customers, 182.0, **asked)
    # 1,000 draws know a standard deviation to 2 %, and the end of an interval to 4 % of its length
    drawn = foreseen.relative_error(model, customers, 182.0, **asked)
    assert error == pytest.approx(drawn, rel=0.08)
    length = drawn_high - drawn_low
    assert [low, high] == pytest.approx([drawn_low, drawn_high], abs=0.1 * length)


def test_few_purchases_are_simulated_however_many_the_customers(monkeypatch, cdnow):
    customers = cdnow.customers()
    model = fit_purchase_model(customers, "bgnbd")
    monkeypatch.setattr(foreseen, "_MANY", len(customers))
    few = foreseen.forecast_interval(model, customers, 1.0, draws=40, seed=1)
    monkeypatch.setattr(foreseen, "_MANY", len(customers) + 1)
    assert few == foreseen.forecast_interval(model, customers, 1.0, draws=40, seed=1)


# --- the choice --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tests", "chosen", "says"),
    [
        # closest per customer, and AIC agrees
        (
            {"bgnbd": (0.8, 0.3, 90.0), "mbgnbd": (1.0, 0.0, 91.0)},
            "bgnbd",
            ["20.0% less than that of MBG/NBD", "prefers it too"],
        ),
        # a tie per customer: the total decides against AIC, and that is said
        (
            {"bgnbd": (1.0, -0.10, 90.0), "paretonbd": (1.004, 0.02, 95.0)},
            "paretonbd",
            ["a miss of 2.0% against 10.0%", "would have taken BG/NBD (90.00 against 95.00)"],
        ),
        # a tie in both: AIC decides
        (
            {"bgnbd": (1.0, -0.10, 95.0), "mbgnbd": (1.0, 0.10, 90.0)},
            "mbgnbd",
            ["did equally well", "AIC 90.00 against 95.00"],
        ),
        # AIC decides among the tied, though it likes one better that lost
        (
            {
                "bgnbd": (1.0, -0.10, 95.0),
                "mbgnbd": (1.0, 0.10, 90.0),
                "paretonbd": (2.0, 0.0, 80.0),
            },
            "mbgnbd",
            ["AIC 90.00 against 95.00", "would have taken Pareto/NBD (80.00 against 90.00)"],
        ),
        (
            {"bgnbd": (1.0, None, 95.0), "mbgnbd": (1.0, None, 90.0)},
            "mbgnbd",
            ["nobody bought in the holdout", "prefers it too"],
        ),
    ],
)
def test_the_holdout_chooses_and_aic_has_the_second_voice(monkeypatch, made, tests, chosen, says):
    def held(*_: Any, model_name: str, **__: Any) -> Holdout:
        rmse, bias, aic = tests[model_name]
        known = {"model": model_name, "rmse": rmse, "bias": bias, "aic": aic}
        return dataclasses.replace(made.holdout, **known, forecast=10 * aic)

    monkeypatch.setattr(choose_module, "validate", held)
    monkeypatch.setattr(choose_module, "outcome_of", lambda *_, **__: None)
    monkeypatch.setattr(choose_module, "fit_purchase_model", lambda *_: None)
    monkeypatch.setattr(choose_module, "forecast_interval", lambda *_, **__: (1.0, 2.0))
    nothing = pd.Series(dtype=float)
    name, reason, tried = choose(
        pd.DataFrame(), nothing, nothing, horizon=1.0, candidates=list(tests)
    )
    assert name == chosen
    assert list(tried) == list(tests)
    assert (tried[name].forecast_low, tried[name].forecast_high) == (1.0, 2.0)
    for words in says:
        assert words in reason


def test_the_choice_among_the_real_models_is_the_closest_per_customer(cdnow):
    split = shift_months(END, -9)
    days = purchase_days(cdnow)
    known = days.summary(split, "week")
    after, _ = days.between(split + dt.timedelta(days=1), END, known.index)
    before, _ = days.between(D(1997, 1, 1), split, known.index)
    name, _, tried = choose(known, after, before, horizon=39.0)
    best = min(t.rmse for t in tried.values())
    tied = [t for t in tried.values() if t.rmse <= best * 1.01]
    assert name in [t.model for t in tied]
    assert abs(tried[name].bias) <= min(abs(t.bias) for t in tied) + 5e-4
    assert [t.forecast_low is None for t in tried.values()].count(False) == 1
    assert tried[name].forecast_low is not None


# --- the verdict -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(cdnow: Base) -> tuple[Any, Any]:
    customers = cdnow.customers()
    return fit_purchase_model(customers, "bgnbd"), fit_spend_model(customers)


def judged(made: Forecast, models: tuple[Any, Any], holdout: Holdout | None = None, **known: Any):
    test = made.holdout if holdout is None else holdout
    return verdict(test, *models, known.pop("spearman", 0.05), **known)


def inside(test: Holdout, **changes: Any) -> Holdout:
    """The same test with nothing to be said against it."""
    calm = {"forecast_low": 0.0, "forecast_high": 1e9, "revenue_bias": test.bias}
    return dataclasses.replace(test, **(calm | changes))


def test_12_percent_low_is_not_condemned_but_named(made):
    assert made.verdict.kind == "care"
    told = " ".join(made.verdict.reasons)
    assert "a miss of 12.1%" in told
    assert "1,882 purchases that happened in the holdout lie outside" in made.verdict.reasons[0]
    assert "6 of 7 forecasts of this base's past" in told
    assert NAIVE[made.holdout.baseline_name] in told


@pytest.mark.parametrize("client", ["cdnow-sample", pytest.param("cdnow", marks=pytest.mark.slow)])
def test_the_example_clients_forecasts_can_be_used(root, client):
    found = make_forecast(opened(root, client))
    assert found.verdict.kind in ("fit", "care")
    assert not any("nan" in reason for reason in found.verdict.reasons)
    for metric in forecast_metrics(found).values():
        assert metric.value is not None


def test_a_base_that_identifies_nothing_is_not_to_be_used_however_well_it_tests(made, models):
    customers = made.valuation.customers.assign(frequency=0, recency=0.0, T=30.0)
    nobody = fit_purchase_model(customers, "bgnbd")
    told = verdict(inside(made.holdout), nobody, models[1], 0.0)
    assert told.kind == "unfit"
    assert "came back" in told.reasons[0]


def test_a_model_is_held_against_the_best_naive_forecast_of_each_kind(made, models):
    test = inside(made.holdout)
    assert judged(made, models, test).kind == "fit"
    naive = {"baseline_rmse": test.rmse * 0.9, "closest_bias": 0.0}
    beaten = judged(made, models, dataclasses.replace(test, **naive))
    assert beaten.kind == "unfit"
    assert test.baseline in beaten.reasons[0]
    assert test.closest in beaten.reasons[1]
    per_customer = dataclasses.replace(test, baseline_rmse=test.rmse * 0.9)
    assert judged(made, models, per_customer).kind == "care"


def test_a_naive_total_that_is_closer_by_luck_is_no_reason_within_the_interval(made, models):
    lucky = inside(made.holdout, closest_bias=0.001)
    assert judged(made, models, lucky).kind == "fit"
    outside = dataclasses.replace(lucky, forecast_high=lucky.actual - 1)
    told = judged(made, models, outside)
    assert told.kind == "care"
    assert "lie outside" in told.reasons[0]


def test_past_forecasts_that_miss_to_one_side_are_a_reason_with_its_size(made, models):
    test = inside(made.holdout)
    low = judged(made, models, test, backtests=some_backtests([0.10] * 7))
    assert low.kind == "care"
    assert "In 7 of 7 forecasts" in low.reasons[0]
    assert "10.5% more" in low.reasons[0]
    high = judged(made, models, test, backtests=some_backtests([-0.10] * 6 + [0.01]))
    assert "In 6 of 7 forecasts" in high.reasons[0]
    assert "less happened" in high.reasons[0]
    even = judged(made, models, test, backtests=some_backtests([0.08, -0.07, 0.06, -0.08]))
    assert even.kind == "fit"
    assert "between 92.3% and 108.3%" in " ".join(even.reasons)


def test_errors_that_move_are_drift_and_large_ones_are_told(made, models):
    test = inside(made.holdout)
    moved = judged(made, models, test, backtests=some_backtests([-0.1, -0.05, 0.0, 0.05, 0.1]))
    assert moved.kind == "care"
    assert "went from 90.5% to 110.5%" in moved.reasons[0]
    chance = some_backtests([-0.1, -0.05, 0.0, 0.05, 0.1], own=0.2)
    assert judged(made, models, test, backtests=chance).kind == "fit"
    large = judged(made, models, test, backtests=some_backtests([0.3, -0.3, 0.3, -0.3]))
    assert large.kind == "care"
    assert "between 74.1% and 135.0%" in large.reasons[0]


def test_a_naive_forecast_that_was_closer_all_along_is_a_reason(made, models):
    close = some_backtests([0.10, -0.12, 0.11, -0.09])
    close.origins["before"] = close.origins["actual"] * 1.01
    told = judged(made, models, inside(made.holdout), backtests=close)
    assert told.kind == "care"
    assert NAIVE["before"] in told.reasons[0]
    assert "only by 1.0%" in told.reasons[0]


def test_a_best_tenth_worse_than_by_past_revenue_is_a_reason(made, models):
    test = inside(made.holdout, best_tenth=0.40, best_tenth_by_past=0.45)
    told = judged(made, models, test)
    assert told.kind == "care"
    assert "take past revenue" in told.reasons[0]


def test_revenue_farther_off_than_purchases_is_a_reason(made, models):
    off = made.holdout.bias
    told = judged(made, models, inside(made.holdout, revenue_bias=off - 0.1))
    assert told.kind == "care"
    assert "too low" in told.reasons[0]
    told = judged(made, models, inside(made.holdout, revenue_bias=0.3))
    assert "too high" in told.reasons[0]


def tied(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Repeat buyers who spend the more the oftener they come."""
    x = rng.integers(1, 12, n)
    amount = rng.gamma(6, 1 + x)
    frame = pd.DataFrame({"frequency": x, "monetary_value": amount})
    return frame, fit_spend_model(frame)


def test_spend_tied_to_frequency_is_a_reason_with_what_follows(made, models):
    customers, model = tied(3_000, np.random.default_rng(5))
    checked: SpendCheck = spend_check(customers, model, pd.Series(np.ones(3_000)))
    assert checked.classes["named"].any()
    told = judged(made, models, inside(made.holdout), spend=checked, spearman=0.8)
    assert told.kind == "care"
    assert told.reasons[0] == checked.sentences[0]
    # without a class that is off, the correlation alone is none
    level = dataclasses.replace(
        checked,
        classes=checked.classes.assign(named=False),
        sentences=(Sentence("No class is off."),),
    )
    calm = judged(made, models, inside(made.holdout), spend=level, spearman=0.8)
    assert calm.kind == "fit"
    assert "No class is off." in calm.reasons


# --- the whole ---------------------------------------------------------------------------------


def test_the_metrics_carry_the_wider_interval_and_the_forecast_both(made):
    metrics = forecast_metrics(made)
    for name, both in made.intervals.items():
        metric = metrics[name]
        assert (metric.low, metric.high) == pytest.approx((both.low, both.high))
        assert both.low < both.own_low < both.own_high < both.high
    own = made.valuation.totals.purchases
    assert made.intervals["purchases.expected"].own_low == pytest.approx(own.low)
    assert "7 forecasts of this base's past" in made.widened_by


def test_a_saved_forecast_comes_back_whole(made, cdnow, tmp_path):
    save(made, cdnow, tmp_path)
    assert {f.suffix for f in tmp_path.iterdir()} == {".json", ".parquet"}
    back = load(cdnow, tmp_path)
    assert back is not None
    for name in ("holdout", "backtests", "spend_check"):
        one, other = getattr(made, name), getattr(back, name)
        for field in dataclasses.fields(one):
            mine, theirs = getattr(one, field.name), getattr(other, field.name)
            if isinstance(mine, pd.DataFrame):
                pd.testing.assert_frame_equal(mine, theirs)
            else:
                assert mine == theirs
                assert type(mine) is type(theirs)
    assert back.intervals == made.intervals
    assert back.widened_by == made.widened_by
    assert back.verdict == made.verdict
    reasons = zip(made.verdict.reasons, back.verdict.reasons, strict=True)
    assert all(dict(a.values) == dict(b.values) for a, b in reasons)


def test_a_history_too_short_for_any_test_still_gives_a_forecast(tmp_path):
    rows = [f"c{i},2024-01-{1 + (i * k) % 28:02d},10" for i in range(1, 60) for k in (1, 3, 5)]
    (tmp_path / "orders.csv").write_text("customer,date,amount\n" + "\n".join(rows))
    params = Params(
        client="short",
        currency="NOK",
        source="orders.csv",
        columns={"customer": "customer", "date": "date", "amount": "amount"},
    )
    found = make_forecast(read_base(params, tmp_path))
    assert found.holdout is None
    assert not found.backtests
    assert found.verdict.kind != "fit"
    assert "too short" in found.widened_by
    both = found.intervals["purchases.expected"]
    assert (both.low, both.high) == (both.own_low, both.own_high)


@pytest.mark.parametrize("module", [measures, backtest_module])
def test_every_example_in_a_docstring_holds(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
