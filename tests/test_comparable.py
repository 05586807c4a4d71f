"""Treated against comparable customers: known truth, an oracle in SQL, other libraries, limits."""

from __future__ import annotations

import datetime as dt
import warnings

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from made_up_campaign import END, START, WINDOW, orders, units

from retention_lib.loyalty.comparable import Comparison, Design, compare, covariates, panel
from retention_lib.loyalty.comparable_balance import balanced, comparable, logit, standardised
from retention_lib.loyalty.comparable_effect import made_alike, of_stack
from retention_lib.loyalty.comparable_hidden import hidden

DESIGN = Design(days=WINDOW)


def table_of(log: pd.DataFrame) -> ibis.Table:
    """Customer-days as a base has them."""
    days = log.groupby(["customer", "date"], as_index=False)["amount"].sum()
    days = days.rename(columns={"date": "day"}).assign(bought=lambda d: d["amount"] > 0)
    days["customer"] = days["customer"].astype(object)
    table = ibis.memtable(days)
    return table.mutate(day=table["day"].cast("date"))


def treated_of(sent: pd.DataFrame) -> pd.DataFrame:
    return sent.rename(columns={"campaign": "stack", "start": "day"})[["stack", "customer", "day"]]


# ---- the engine's part -----------------------------------------------------------------------


def test_windows_are_those_of_plain_sql() -> None:
    log, sent = orders(1, customers=300)
    found = panel(table_of(log), START, END, treated_of(sent), sent, DESIGN)
    stacks = sent[["campaign", "start"]].drop_duplicates()  # noqa: F841 - duckdb reads it
    oracle = duckdb.sql(f"""
        with days as (select customer, date::date d, sum(amount) a from log group by all),
        known as (select customer, min(d) f from days group by 1),
        units as (
            select s.campaign stack, k.customer, s.start::date as day, f,
              exists(select 1 from sent t
                     where t.customer = k.customer and t.campaign = s.campaign) treated
            from known k, stacks s where f < s.start::date
            and not exists(select 1 from sent t where t.customer = k.customer
                           and t.start < s.start)
            and (treated or not exists(select 1 from sent t where t.customer = k.customer
                 and t.start >= s.start and date_diff('day', s.start, t.start) < {WINDOW}))
        )
        select stack, customer, treated, day - f first_days,
          coalesce(sum(a) filter (d >= day and d < day + {WINDOW}), 0) now,
          coalesce(sum(a) filter (d >= day - 3 * {WINDOW} and d < day - 2 * {WINDOW}), 0) early,
          count(*) filter (d >= day - {WINDOW} and d < day) orders_before,
          count(*) filter (d < day - {WINDOW}) ever_1,
          day - {WINDOW} - max(d) filter (d < day - {WINDOW}) recency_1
        from units join days using (customer)
        group by stack, customer, treated, day, f order by stack, customer
    """).df()
    assert len(found) == len(oracle) > 500
    assert (found["customer"].to_numpy() == oracle["customer"].to_numpy()).all()
    assert (found["treated"].to_numpy() == oracle["treated"].to_numpy()).all()
    for mine, theirs in {
        "revenue_0": "now",
        "revenue_-3": "early",
        "orders_-1": "orders_before",
        "ever_1": "ever_1",
        "recency_1": "recency_1",
        "first_days": "first_days",
    }.items():
        a, b = found[mine].to_numpy(dtype=float), oracle[theirs].to_numpy(dtype=float)
        np.testing.assert_allclose(a, b, atol=1e-6, err_msg=mine)


def test_nobody_under_treatment_is_among_those_compared_with() -> None:
    log, sent = orders(2, customers=300)
    # the campaigns are nine weeks apart
    long = Design(days=70)
    found = panel(table_of(log), START, END, treated_of(sent), sent, long)
    others = found[~found["treated"]].merge(sent[["customer", "start"]], on="customer")
    gap = (others["start"] - others["day"]).dt.days
    assert len(others)
    assert (gap >= 70).all()
    opened = Design(days=70, clear=False)
    more = panel(table_of(log), START, END, treated_of(sent), sent, opened)
    assert len(more) > len(found)
    assert more["clear"].eq(opened.after).all()


def test_a_window_that_is_not_over_and_one_before_the_data_are_unknown() -> None:
    log, sent = orders(3, customers=200)
    day = pd.Timestamp(END) - pd.Timedelta(days=WINDOW - 1)
    sent = sent.assign(start=sent["start"].where(sent["campaign"] != "C2", day))
    found = panel(table_of(log), START, END, treated_of(sent), sent, DESIGN)
    last = found[found["stack"] == "C2"]
    assert last["revenue_0"].notna().all()
    assert last["revenue_1"].isna().all()
    later = panel(
        table_of(log),
        START + dt.timedelta(days=100),
        END - dt.timedelta(days=1),
        treated_of(sent),
        sent,
        DESIGN,
    )
    assert later.loc[later["stack"] == "C2", "revenue_0"].isna().all()
    first = later[later["stack"] == "C0"]
    assert (first["history"] == 1).all()
    assert first["revenue_-2"].isna().all()
    left = compare(later, DESIGN).left_out.set_index("stack")["cause"]
    assert left["C2"] == "unfinished"
    assert left["C0"] == "short_history"


def test_a_sample_of_those_compared_with_changes_no_treated_unit() -> None:
    log, sent = orders(4, customers=900)
    days = table_of(log)
    whole = panel(days, START, END, treated_of(sent), sent, DESIGN)
    part = panel(days, START, END, treated_of(sent), sent, Design(days=WINDOW, controls=300))
    assert part["treated"].sum() == whole["treated"].sum()
    # a third is drawn, also of those who are treated at another time
    assert 0.25 < (~part["treated"]).sum() / (~whole["treated"]).sum() < 0.42
    later = set(whole.loc[whole["treated"], "customer"])
    share = [frame.loc[~frame["treated"], "customer"].isin(later).mean() for frame in (part, whole)]
    assert share[0] == pytest.approx(share[1], abs=0.08)
    a, b = compare(whole, DESIGN).effect(), compare(part, DESIGN).effect()
    assert abs(a.value - b.value) < 3 * b.error


# ---- weights and overlap ---------------------------------------------------------------------


def groups(seed: int, n: int = 600, apart: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    treated = rng.random(n) < 1 / (1 + np.exp(1 - apart * x[:, 0]))
    return x, treated


def test_weights_meet_the_means_and_are_those_nearest_to_equal() -> None:
    from scipy.optimize import minimize

    x, treated = groups(1, 200)
    scaled, _ = standardised(x, treated)
    weights = balanced(scaled, treated)
    assert weights is not None
    assert weights.values.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights.values @ scaled[~treated], 0, atol=2e-4)
    others = scaled[~treated]

    def entropy(log_w: np.ndarray) -> float:
        return float(np.logaddexp.reduce(-others @ log_w))

    oracle = minimize(entropy, np.zeros(4), method="BFGS")
    w = np.exp(-others @ oracle.x)
    np.testing.assert_allclose(weights.values, w / w.sum(), rtol=2e-2, atol=1e-5)


def test_odds_are_those_of_a_logistic_regression() -> None:
    import statsmodels.api as sm

    x, treated = groups(2, 3000)
    scaled, _ = standardised(x, treated)
    oracle = sm.Logit(treated.astype(float), sm.add_constant(scaled)).fit(disp=0)
    assert np.corrcoef(logit(scaled, treated), oracle.fittedvalues)[0, 1] > 0.9999


def test_the_treated_whom_nobody_is_like_are_left_out() -> None:
    x, treated = groups(3)
    x[np.flatnonzero(treated)[:20], 0] += 12
    scaled, _ = standardised(x, treated)
    kept = comparable(scaled, treated)
    assert not kept[np.flatnonzero(treated)[:20]].any()
    assert kept[~treated].all()
    assert kept[treated].mean() > 0.7


def test_of_two_groups_apart_nothing_is_told() -> None:
    treated = np.arange(400) < 100
    x = np.where(treated, 50.0, 0.0)[:, None] + np.random.default_rng(1).normal(size=(400, 1))
    assert made_alike("S", np.arange(400), treated, x) == "none_comparable"


def test_one_stacks_effect_is_that_of_statsmodels() -> None:
    """Inverse odds weighting with regression adjustment (AIPW on the treated) is another road."""
    import statsmodels.discrete.discrete_model as discrete
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools import add_constant
    from statsmodels.treatment.treatment_effects import TreatmentEffect

    frame = units(5, customers=4_000, effect=10.0, chosen_by=1.0)
    found = compare(frame, DESIGN)
    mine = found.effect()
    names, table = covariates(frame, DESIGN)
    keep = [n for n, name in enumerate(names) if table[:, n].std() > 0 and name != "bought_-3"]
    x = add_constant((table[:, keep] - table[:, keep].mean(axis=0)) / table[:, keep].std(axis=0))
    y, d = frame["revenue_0"].to_numpy(), frame["treated"].to_numpy().astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        select = discrete.Logit(d, x).fit(disp=0)
        effect = TreatmentEffect(OLS(y, x), d, results_select=select)
        oracle = effect.ipw_ra(return_results=False, effect_group=1)
    assert mine.value == pytest.approx(float(oracle[0]), abs=0.35 * mine.error)
    assert abs(mine.value - 10) < 2.5 * mine.error


# ---- known truth -----------------------------------------------------------------------------


def many(seeds: int, **truth: float) -> list[Comparison]:
    return [compare(units(seed, **truth), DESIGN) for seed in range(seeds)]  # type: ignore[arg-type]


def test_intervals_cover_where_the_raw_difference_is_far_off() -> None:
    found = [one.effect() for one in many(120, effect=10.0)]
    covered = np.mean([one.low <= 10 <= one.high for one in found])
    assert 0.89 <= covered <= 0.99
    assert abs(np.mean([one.value for one in found]) - 10) < 2
    assert np.mean([one.raw for one in found]) > 40
    # as wide as the figures vary
    spread = np.std([one.value for one in found])
    assert 0.85 < np.mean([one.error for one in found]) / spread < 1.25


def test_without_an_effect_one_in_twenty_seems_sure() -> None:
    sure = np.mean([one.effect().sure for one in many(200, customers=600)])
    assert 0.015 <= sure <= 0.10


def test_relative_effects_cover_too() -> None:
    """The truth is the effect over what the treated would have spent."""
    hits = []
    for seed in range(100):
        frame = units(seed, effect=10.0)
        treated = frame.loc[frame["treated"], "revenue_0"]
        one = compare(frame, DESIGN).effect()
        hits.append(one.relative_low <= 10 / (treated.mean() - 10) <= one.relative_high)
    assert np.mean(hits) >= 0.9


def test_stacks_add_up_by_their_treated_and_by_customer() -> None:
    frame = units(7, stacks=3, effect=10.0)
    found = compare(frame, DESIGN)
    whole, each = found.effect(), found.by_stack()
    assert len(each) == 3
    assert whole.value == pytest.approx(np.average(each["value"], weights=each["treated"]))
    # a customer who is compared with in several stacks isn't several customers
    alone = np.sqrt(((each["treated"] / whole.treated * each["error"]) ** 2).sum())
    assert 0.7 * alone < whole.error < 1.5 * alone


def test_several_stacks_cover() -> None:
    found = [one.effect() for one in many(50, stacks=3, customers=700, effect=10.0)]
    assert np.mean([one.low <= 10 <= one.high for one in found]) >= 0.86


def test_what_nobody_sees_is_seen_by_the_placebo() -> None:
    """Treated customers whose purchases grow anyway: an effect of nothing, and it is refused."""
    found = many(25, growing=0.25, chosen_by=0.0, customers=1_500)
    assert np.mean([one.effect().sure for one in found]) > 0.9
    judged = [one.verdict for one in found]
    assert np.mean([one.kind == "unfit" and "placebo" in one.reasons for one in judged]) > 0.7


def test_a_slow_growth_that_no_placebo_is_sure_of_is_seldom_told_as_an_effect() -> None:
    """The placebo is too weak to refuse it; then the interval allows for what it saw."""
    found = many(60, growing=0.1, chosen_by=0.0)
    alone = np.mean([one.effect().sure for one in found])
    told = np.mean([one.verdict.kind != "unfit" and one.told().sure for one in found])
    assert alone > 0.3
    assert told < 0.12


def test_a_lot_passes_the_placebo() -> None:
    """Nobody is chosen by anything: the checks turn few down."""
    found = [one.verdict.kind for one in many(60, chosen_by=0.0, customers=900)]
    assert np.mean([kind == "unfit" for kind in found]) <= 0.13


def test_a_placebo_that_could_not_have_seen_anything_is_no_proof() -> None:
    few = [one.verdict for one in many(10, chosen_by=0.0, customers=400)]
    assert all(one.kind != "fit" for one in few)
    assert sum("placebo_rough" in one.reasons for one in few) > 5
    enough = [one.verdict for one in many(6, chosen_by=0.0, customers=12_000)]
    assert not any("placebo_rough" in one.reasons for one in enough)
    assert sum(one.kind == "fit" for one in enough) >= 4


def test_a_large_effect_stands_between_its_two_readings() -> None:
    """Chosen by what they bought just before: the two ways err to opposite sides of the truth."""
    found = many(30, effect=10.0, chosen_by=2.5)
    change = np.mean([one.change().value for one in found])
    level = np.mean([one.effect().value for one in found])
    assert change < 10 - 2
    assert abs(level - 10) < 3


def test_chosen_by_habit_the_interval_told_spans_both_readings() -> None:
    """What is told covers the truth, and isn't refused, though the placebo fails in half."""
    found = many(60, effect=10.0)
    told = [(one.verdict, one.told(), one.effect()) for one in found]
    around = [row for row in told if "placebo_around" in row[0].reasons]
    assert len(around) > 15
    assert all(a.high - a.low >= b.high - b.low for _, a, b in around)
    fair = [a for verdict, a, _ in told if verdict.kind != "unfit"]
    assert len(fair) > 0.85 * len(found)
    assert np.mean([a.low <= 10 <= a.high for a in fair]) >= 0.92


def test_a_difference_that_lasts_is_seen_in_the_earliest_window() -> None:
    rng = np.random.default_rng(1)
    frame = units(8, customers=3_000, chosen_by=0.0)
    # chosen by what happened three windows before, and by nothing since
    odds = 0.02 * (frame["revenue_-3"] - frame["revenue_-3"].mean()) - 1
    frame["treated"] = rng.random(len(frame)) < 1 / (1 + np.exp(-odds))
    found = compare(frame, DESIGN)
    assert found.held_out().low > 0
    assert "longer_history" in found.verdict.reasons
    assert not compare(units(9, customers=3_000, chosen_by=0.0), DESIGN).held_out().sure


# ---- hidden differences ----------------------------------------------------------------------


def test_robustness_is_that_of_its_formula() -> None:
    found = compare(units(10, effect=30.0, chosen_by=0.5), DESIGN)
    told, effect = hidden(found), found.effect()
    assert told is not None
    n = sum(len(stack.rows) for stack in found.stacks())
    f2 = (effect.value / effect.error) ** 2 / (n - len(found.names) - 2)
    # Cinelli & Hazlett's definition: such a confounder explains as much of both
    rv = told.robustness
    assert rv * rv / (1 - rv) == pytest.approx(f2, rel=1e-6)
    assert 0 < told.robustness_sure < rv
    assert told.of_known == pytest.approx(effect.value / (effect.raw - effect.value))


def test_leaving_a_family_out_uncovers_what_it_hid() -> None:
    found = compare(units(11, chosen_by=2.0), DESIGN)
    without = found.without_family("orders").without_family("revenue")
    assert "orders_-1" in without.names
    assert "revenue_-1" not in without.names


# ---- limits ----------------------------------------------------------------------------------


def few(frame: pd.DataFrame) -> Comparison:
    return compare(frame, DESIGN)


@pytest.mark.parametrize(
    ("frame", "cause"),
    [
        (units(1).query("treated"), "few_others"),
        (units(1).assign(treated=False).assign(treated=lambda f: f.index == 0), "few_treated"),
        (units(1).assign(history=1), "short_history"),
        (units(1).assign(revenue_0=np.nan, revenue_1=np.nan), "unfinished"),
    ],
)
def test_what_cant_be_compared_is_counted_with_its_cause(frame: pd.DataFrame, cause: str) -> None:
    found = few(frame)
    assert found.verdict.kind == "unfit"
    assert found.verdict.reasons == ("nothing",)
    assert not found.effect().known
    assert found.path().empty
    assert found.by_stack().empty
    assert hidden(found) is None
    assert set(found.left_out["cause"]) == {cause}
    assert found.left_out["units"].sum() == frame["treated"].sum()


def test_nothing_at_all_is_no_error() -> None:
    found = few(pd.DataFrame())
    assert found.verdict.reasons == ("nothing",)
    assert found.compared == found.treated == found.customers == found.others == 0
    assert np.isnan(found.worst_imbalance)
    assert found.left_out.empty


def test_customers_who_never_bought_before_the_day_are_in_no_panel() -> None:
    log, sent = orders(5, customers=150)
    stranger = sent.iloc[[0]].assign(customer="nobody")
    both = pd.concat([sent, stranger])
    found = panel(table_of(log), START, END, treated_of(both), both, DESIGN)
    assert "nobody" not in set(found["customer"])


def test_equal_data_give_equal_figures() -> None:
    log, sent = orders(6, customers=200)
    first = panel(table_of(log), START, END, treated_of(sent), sent, DESIGN)
    again = panel(
        table_of(log.sample(frac=1, random_state=1)),
        START,
        END,
        treated_of(sent.sample(frac=1, random_state=2)),
        sent,
        DESIGN,
    )
    pd.testing.assert_frame_equal(first, again)
    one = compare(first, DESIGN)
    assert of_stack(one.stacks()[0], np.zeros(len(one.stacks()[0].rows))).value == 0
