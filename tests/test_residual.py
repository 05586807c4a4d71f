"""What customers are worth for life, against other ways to work it out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from retention_lib.errors import DataError
from retention_lib.models import (
    PURCHASE_MODELS,
    GammaGammaFitter,
    PurchaseFitter,
    Terms,
    expected_values,
)
from retention_lib.models.residual import residual_of, residual_value

MODELS = list(PURCHASE_MODELS)
#: The parameters of the CDNOW sample, in weeks.
CDNOW = {
    "bgnbd": (0.2425945, 4.4136019, 0.7929199, 2.4258881),
    "mbgnbd": (0.525, 6.183, 0.891, 1.614),
    "paretonbd": (0.5533, 10.5776, 0.6062, 11.668),
}
HISTORIES = ((0, 0, 38.86), (2, 30.43, 38.86), (7, 5, 38), (26, 30.86, 31))
#: At 10 % a year, by mpmath 1.4.1 with 40 digits. Pareto/NBD: (r + x)/(α + T) c z^(s−1) U(s, s, z)
#: times a P(alive) integrated over the moment of leaving. The others: P(alive) times the integral
#: over the dropout probability p of Beta(p; a, b) R/p e^z E_{R+1}(z), z = δ (α + T)/p, R = r + x.
BY_MPMATH = {
    "paretonbd": (0.601328250661234, 8.17264792824742, 0.0383124448615528, 107.959787341907),
    "bgnbd": (1.30202151443042, 6.37183204396869, 0.00475249990068538, 85.3275719680481),
    "mbgnbd": (0.907713848406356, 5.97290034186985, 0.00677186965887838, 72.6962635534909),
}


def model_with(name: str, params: tuple[float, ...], time_unit: str = "week") -> PurchaseFitter:
    model = PURCHASE_MODELS[name]()
    model.params_ = pd.Series(params, index=list(model.parameter_names))
    model.time_unit = time_unit
    return model


def summary(histories: object, time_unit: str = "week") -> pd.DataFrame:
    frame = pd.DataFrame(histories, columns=["frequency", "recency", "T"]).astype(float)
    frame.index = pd.Index([f"c{i}" for i in range(len(frame))], name="customer")
    frame.attrs = {"time_unit": time_unit, "grain": "day", "as_of": "1997-09-30"}
    return frame


@pytest.mark.parametrize("name", MODELS)
def test_textbook_customers_are_worth_what_forty_digits_say(name):
    found = residual_value(model_with(name, CDNOW[name]), summary(HISTORIES), 0.10, "week")
    np.testing.assert_allclose(found, BY_MPMATH[name], rtol=1e-10)
    assert found.index[0] == "c0"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("discount", [0.02, 0.15, 3.0])
def test_it_is_the_integral_of_the_expected_purchases(name, discount):
    model = model_with(name, CDNOW[name])
    frame = summary(HISTORIES)
    rate = np.log1p(discount) / (365.25 / 7)
    columns = [frame[c].to_numpy() for c in ("frequency", "recency", "T")]
    found = residual_value(model, frame, discount, "week")
    for i in range(len(frame)):
        one = [c[i : i + 1] for c in columns]

        def by(w, one=one):
            return np.exp(-w) * model.expected_by_time([w / rate], *one)[0, 0]

        ends = (0, 1e-4, 1e-2, 0.1, 1, 5, 60)
        parts = [quad(by, a, b, epsabs=0, epsrel=1e-9)[0] for a, b in pairwise(ends)]
        assert found.iloc[i] == pytest.approx(sum(parts), rel=1e-7)


def lifetimes_lived_out(
    rng: np.random.Generator, name: str, params: tuple[float, ...], rate: float, n: int
) -> np.ndarray:
    """Discounted repeat purchases of n new customers, each followed to the end."""
    r, alpha, a, b = params
    pace = rng.gamma(r, 1 / alpha, n)
    if name == "paretonbd":
        leaves_at = rng.exponential(1, n) / np.maximum(rng.gamma(a, 1 / b, n), 1e-300)
        leaves = np.zeros(n)
    else:
        leaves_at = np.full(n, np.inf)
        leaves = rng.beta(a, b, n)
    now, total = np.zeros(n), np.zeros(n)
    alive = np.ones(n, bool) if name != "mbgnbd" else rng.random(n) >= leaves
    while alive.any():
        now[alive] += rng.exponential(1, int(alive.sum())) / np.maximum(pace[alive], 1e-300)
        alive &= (now < leaves_at) & (rate * now < 40)
        total[alive] += np.exp(-rate * now[alive])
        alive &= rng.random(n) >= leaves
    return total


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_new_customers_who_live_their_lives_out_buy_as_much_on_average(name):
    params = (0.8, 6.0, 1.2, 3.0) if name != "paretonbd" else (0.8, 6.0, 1.2, 30.0)
    rate = np.log1p(0.5) / (365.25 / 7)
    lived = lifetimes_lived_out(np.random.default_rng(8), name, params, rate, 200_000)
    # A new customer is somebody of whom nothing is known yet; the MBG/NBD lets them leave at once.
    found = residual_value(model_with(name, params), summary([(0, 0, 0)]), 0.5, "week").iloc[0]
    error = lived.std() / np.sqrt(len(lived))
    assert abs(found - lived.mean()) < 4 * error
    assert error < 0.01 * found


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_known_customers_buy_as_much_on_average_as_their_histories_say(name):
    """Bayes by simulation: those of many simulated lives who have a history, and what followed."""
    rng = np.random.default_rng(9)
    r, alpha, a, b = (0.8, 6.0, 1.2, 3.0) if name != "paretonbd" else (0.8, 6.0, 1.2, 30.0)
    n, age, rate = 400_000, 20.0, np.log1p(0.5) / (365.25 / 7)
    pace = rng.gamma(r, 1 / alpha, n)
    leaves_at = np.full(n, np.inf)
    leaves = np.zeros(n)
    if name == "paretonbd":
        leaves_at = rng.exponential(1, n) / np.maximum(rng.gamma(a, 1 / b, n), 1e-300)
    else:
        leaves = rng.beta(a, b, n)
    now, later = np.zeros(n), np.zeros(n)
    x, t_x = np.zeros(n), np.zeros(n)
    alive = np.ones(n, bool) if name != "mbgnbd" else rng.random(n) >= leaves
    while alive.any():
        now[alive] += rng.exponential(1, int(alive.sum())) / np.maximum(pace[alive], 1e-300)
        alive &= (now < leaves_at) & (rate * (now - age) < 30)
        seen = alive & (now <= age)
        x[seen] += 1
        t_x[seen] = now[seen]
        unseen = alive & (now > age)
        later[unseen] += np.exp(-rate * (now[unseen] - age))
        alive &= rng.random(n) >= leaves
    frame = summary(np.column_stack([x, t_x, np.full(n, age)]))
    found = residual_value(model_with(name, (r, alpha, a, b)), frame, 0.5, "week").to_numpy()
    for inside in (x == 0, x == 1, (x > 1) & (t_x < 10), (x > 1) & (t_x >= 10), x > 5):
        gap = later[inside] - found[inside]
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(inside.sum())


@pytest.mark.parametrize("name", MODELS)
def test_a_month_by_month_value_over_a_very_long_horizon_comes_close(name):
    frame = summary(HISTORIES)
    forever = residual_value(model_with(name, CDNOW[name]), frame, 0.10, "week")
    long = expected_values(
        frame.assign(monetary_value=np.nan),
        model_with(name, CDNOW[name]),
        GammaGammaFitter().fit([1, 2, 3], [1.0, 1.0, 1.0]),
        Terms(1_200, 0.10, 1.0, "1997-09-30", "week"),
    )["clv"]
    # Discounted at the end of each month instead of on the day: less, by a month at the most.
    assert (forever > long * 0.9999).all()
    assert (forever < long * 1.1 ** (1 / 12) * 1.0001).all()


@pytest.mark.parametrize("name", MODELS)
def test_days_and_weeks_give_the_same_value(name):
    r, alpha, s, beta = CDNOW[name]
    in_time = 7 if name == "paretonbd" else 1
    weeks = residual_value(model_with(name, CDNOW[name]), summary(HISTORIES), 0.10, "week")
    daily = [(x, 7 * t_x, 7 * age) for x, t_x, age in HISTORIES]
    model = model_with(name, (r, 7 * alpha, s, beta * in_time), "day")
    days = residual_value(model, summary(daily, "day"), 0.10, "day")
    np.testing.assert_allclose(days, weeks, rtol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_what_lies_beyond_a_day_and_what_lies_before_it_make_the_whole(name):
    model, frame = model_with(name, CDNOW[name]), summary(HISTORIES)
    rate = np.log1p(0.10) / (365.25 / 7)
    whole = residual_value(model, frame, 0.10, "week")
    beyond = residual_value(model, frame, 0.10, "week", beyond=100.0)
    times = np.linspace(0, 100, 20_001)
    columns = [frame[c].to_numpy() for c in ("frequency", "recency", "T")]
    bought = np.diff(model.expected_by_time(times, *columns), axis=1)
    before = bought @ np.exp(-rate * (times[1:] + times[:-1]) / 2)
    np.testing.assert_allclose(before + beyond, whole, rtol=1e-6)
    gone = residual_value(model, frame, 0.10, "week", beyond=1e6)
    assert (gone < 1e-6 * whole).all()


@pytest.mark.parametrize("name", MODELS)
def test_it_falls_with_the_rate_and_to_nothing(name):
    model, frame = model_with(name, CDNOW[name]), summary(HISTORIES)
    rates = [1e-6, 0.01, 0.1, 1.0, 1e3, 1e30, 1e300]
    values = np.array([residual_value(model, frame, d, "week") for d in rates])
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=0) < 0).all()
    assert (values[-1] < values[2] / 100).all()
    assert (residual_value(model, frame, np.inf, "week") == 0).all()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [0.003, 0.8, 1.0, 4.0, 900.0])
@pytest.mark.parametrize("discount", [1e-6, 0.1, 50.0])
def test_extreme_histories_stay_finite(name, shape, discount):
    decades = 40 * 365.0
    frame = summary(
        [
            *[(0, 0, 0), (0, 0, decades), (1, decades, decades), (100_000, decades, decades)],
            *[(100_000, 1, decades), (3_000, 3_000, 3_000), (1, 1e-3, decades)],
        ],
        "day",
    )
    for r, alpha in ((0.01, 1e-2), (0.5, 30.0), (5_000.0, 1e6)):
        for last in (0.01, 2.0, 800.0):
            model = model_with(name, (r, alpha, shape, last), "day")
            found = residual_value(model, frame, discount, "day").to_numpy()
            assert np.isfinite(found).all()
            assert (found >= 0).all()
            year = np.log1p(discount) / 365.25
            pace = (r + frame["frequency"]) / (alpha + frame["T"])
            assert (found <= pace / year * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", MODELS)
def test_without_discounting_it_is_the_limit_or_refused(name):
    frame = summary(HISTORIES)
    lasting = model_with(name, CDNOW[name])
    with pytest.raises(DataError, match="add up to no finite number"):
        residual_value(lasting, frame, 0.0, "week")
    r, alpha, _, last = CDNOW[name]
    leaving = model_with(name, (r, alpha, 3.5, last))
    limit = residual_value(leaving, frame, 0.0, "week")
    np.testing.assert_allclose(residual_value(leaving, frame, 1e-40, "week"), limit, rtol=1e-4)
    later = residual_value(leaving, frame, 0.0, "week", beyond=30.0)
    near = residual_value(leaving, frame, 1e-40, "week", beyond=30.0)
    np.testing.assert_allclose(near, later, rtol=1e-4)


@pytest.mark.parametrize("discount", [None, -0.1, np.nan])
def test_no_usable_rate_is_a_sentence(discount):
    with pytest.raises(DataError, match="yearly rate of 0 or more"):
        residual_value(model_with("bgnbd", CDNOW["bgnbd"]), summary(HISTORIES), discount, "week")


def test_another_ruler_is_refused():
    model = model_with("bgnbd", CDNOW["bgnbd"])
    with pytest.raises(DataError, match="in days"):
        residual_value(model, summary(HISTORIES), 0.1, "day")
    with pytest.raises(DataError, match="fitted in weeks"):
        residual_value(model, summary(HISTORIES, "day"), 0.1, "day")


def test_the_sum_is_told_with_how_much_of_it_is_far_away():
    frame = summary(HISTORIES).assign(monetary_value=[np.nan, 30.0, 30.0, 30.0])
    model, spend = (
        model_with("bgnbd", CDNOW["bgnbd"]),
        GammaGammaFitter().fit([1, 2, 3], [30.0] * 3),
    )
    found = residual_of(frame, model, spend, discount_rate=0.1, margin=0.4, time_unit="week")
    assert found.clv == pytest.approx(0.4 * 30.0 * found.purchases, rel=1e-3)
    later = residual_value(model, frame, 0.1, "week", beyond=38.86)
    assert found.beyond == pytest.approx(later.sum() / found.purchases)
    assert "9 months" in found.sentence
    bare = residual_of(frame, model, None, discount_rate=0.1, margin=0.4, time_unit="week")
    assert bare.clv is None
    assert bare.purchases == found.purchases
    assert "more purchases" in bare.sentence
