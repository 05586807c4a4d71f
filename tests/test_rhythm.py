"""A customer's own rhythm: the formula, its calibration on simulated customers, its bounds."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lomax

from retention_lib.models.rhythm import DUE, LATE, rhythm, still_waiting, waiting_quantile

CUSTOMERS = 40_000


def model(r: float, alpha: float) -> SimpleNamespace:
    return SimpleNamespace(params_=pd.Series({"r": r, "alpha": alpha}))


def history(x: int, t_x: float, T: float) -> pd.DataFrame:
    return pd.DataFrame({"frequency": [x], "recency": [t_x], "T": [T]}, index=["c"])


@given(
    share=st.floats(0.01, 0.99),
    x=st.integers(0, 3_000),
    t_x=st.floats(0, 4_000),
    r=st.floats(0.05, 20),
    alpha=st.floats(0.01, 500),
)
def test_the_quantile_is_that_of_the_lomax_and_its_own_inverse(
    share: float, x: int, t_x: float, r: float, alpha: float
) -> None:
    wait = waiting_quantile(share, x, t_x, r, alpha)
    assert wait == pytest.approx(lomax(r + x, scale=alpha + t_x).ppf(share), rel=1e-6)
    assert still_waiting(wait, x, t_x, r, alpha) == pytest.approx(1 - share, rel=1e-9)
    assert still_waiting(0.0, x, t_x, r, alpha) == 1


def simulated(kind: str, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers at their first purchase after day 100, and the wait to the next of who stays.

    Each model's own story: rate Gamma(0.6, 40); leaving after a purchase with a chance of
    Beta(0.8, 2.5) (BG/NBD: not after the first) or at a rate of Gamma(0.7, 90) (Pareto/NBD).
    """
    rate = rng.gamma(0.6, 1 / 40, CUSTOMERS)
    leaves, risk = rng.beta(0.8, 2.5, CUSTOMERS), rng.gamma(0.7, 1 / 90, CUSTOMERS)
    ends = rng.exponential(1 / risk) if kind == "paretonbd" else np.full(CUSTOMERS, np.inf)
    here = np.ones(CUSTOMERS, dtype=bool)
    x, t_x = np.zeros(CUSTOMERS), np.zeros(CUSTOMERS)
    for step in range(2_000):
        if kind == "mbgnbd" or (kind == "bgnbd" and step > 0):
            here &= (rng.random(CUSTOMERS) > leaves) | (t_x >= 100)
        moves = here & (t_x < 100)
        if not moves.any():
            break
        ahead = t_x + rng.exponential(1 / rate)
        here &= ~moves | ((ahead < ends) & (ahead < 3_000))
        moves &= here
        x, t_x = x + moves, np.where(moves, ahead, t_x)
    frame = pd.DataFrame({"frequency": x, "recency": t_x, "T": t_x})[here]
    return frame, rng.exponential(1 / rate[here])


@pytest.mark.parametrize("kind", ["bgnbd", "mbgnbd", "paretonbd"])
def test_of_simulated_customers_who_stay_half_buy_by_due_and_nine_in_ten_by_late(
    kind: str,
) -> None:
    customers, wait = simulated(kind, np.random.default_rng(7))
    assert len(customers) > 3_000
    x, t_x = customers["frequency"], customers["recency"]
    for share in (DUE, LATE):
        came = wait <= waiting_quantile(share, x, t_x, 0.6, 40.0)
        for group in (x == 1, x == 2, x.between(3, 5), x > 5, x > 0):
            error = np.sqrt(share * (1 - share) / group.sum())
            # customers who would first buy after 3,000 days aren't followed: not one in a hundred
            assert came[group].mean() == pytest.approx(share, abs=4 * error + 0.01)
    found = rhythm(customers, model(0.6, 40.0), "day", longest=1e9)
    # whole days are reached no earlier than the quantile, and at most a day after it
    assert (wait <= found["due_days"]).mean() == pytest.approx(DUE, abs=0.03)
    assert (wait <= found["late_days"]).mean() == pytest.approx(LATE, abs=0.02)


def test_days_are_whole_days_after_the_last_purchase_whatever_the_unit() -> None:
    in_days = rhythm(history(4, 70.0, 210.0), model(0.5, 21.0), "day", longest=1_000)
    in_weeks = rhythm(history(4, 10.0, 30.0), model(0.5, 3.0), "week", longest=1_000)
    pd.testing.assert_frame_equal(in_days, in_weeks)
    by_hand = 91.0 * (2 ** (1 / 4.5) - 1)
    assert in_days.loc["c", "due_days"] == np.ceil(by_hand) == 16
    assert in_days.loc["c", "late_days"] == np.ceil(91.0 * (10 ** (1 / 4.5) - 1))
    assert in_days.loc["c", "waited"] == pytest.approx(1 - (91 / 231) ** 4.5)


def test_a_wait_longer_than_the_history_is_no_statement() -> None:
    one = rhythm(history(0, 0.0, 400.0), model(0.24, 31.0), "day", longest=500)
    assert one[["due_days", "late_days"]].isna().all(axis=None)
    two = rhythm(history(1, 30.0, 400.0), model(0.24, 31.0), "day", longest=200)
    assert two["due_days"].notna().all()
    assert two["late_days"].isna().all()


@given(
    x=st.integers(0, 3_000),
    t_x=st.floats(0, 20_000),
    silent=st.floats(0, 20_000),
    r=st.floats(1e-5, 1e5),
    alpha=st.floats(1e-5, 1e6),
)
def test_any_history_has_a_window_in_order_or_none(
    x: int, t_x: float, silent: float, r: float, alpha: float
) -> None:
    found = rhythm(history(x, t_x, t_x + silent), model(r, alpha), "day", longest=1e5).loc["c"]
    assert 0 <= found["waited"] <= 1
    if not np.isnan(found["late_days"]):
        assert 0 <= found["due_days"] <= found["late_days"] <= 1e5
    if not np.isnan(found["due_days"]) and silent >= found["due_days"]:
        assert found["waited"] >= DUE - 1e-9
