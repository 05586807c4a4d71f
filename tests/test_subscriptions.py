"""Subscriptions: against plain SQL, published figures, and bases made with a known truth."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from made_up_subscriptions import Truth, made_up
from scipy.stats import beta as beta_law
from scipy.stats import t as student

from retention_lib.data.periods import Window, months_to
from retention_lib.data.read import read_base
from retention_lib.definitions import DEFINITIONS
from retention_lib.loyalty.subscription_flow import by_month, flow, monthly_churn, paid_on, rates
from retention_lib.loyalty.subscription_lifetimes import (
    Lifetimes,
    ages,
    by_plan,
    counts,
    halves,
    later_losses,
    lifetimes,
)
from retention_lib.loyalty.subscription_model import Holdout, projection
from retention_lib.loyalty.subscription_renewals import renewals
from retention_lib.loyalty.subscription_rows import (
    OPEN,
    day_number,
    grace,
    renewal_days,
    renewals_by,
    subscribed,
)
from retention_lib.loyalty.subscription_value import held_once, rate_per_period, with_chances, worth
from retention_lib.loyalty.subscriptions import Subscriptions, metrics, of_base, subscriptions
from retention_lib.metrics import UNITS
from retention_lib.models.sbg import ShiftedBetaGeometric
from retention_lib.params import read_client_file
from retention_lib.report import subscription_parts as parts
from retention_lib.report.findings import subscription as findings
from retention_lib.report.findings import subscription_future as future
from retention_lib.report.labels import label
from retention_lib.report.language import Formats
from retention_lib.report.page import Page

AS_OF = dt.date(2024, 12, 31)
YEAR = months_to(AS_OF, 12)
EN = Formats("en", "NOK")

#: Survivors of 1,000, years 0 to 12: Fader & Hardie (2007), table 1.
HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]


def rows(*given: tuple[str, str, str | None, float | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame([*given], columns=["customer", "start", "end", "amount", "plan"])
    return frame.assign(
        start=pd.to_datetime(frame["start"]),
        end=pd.to_datetime(frame["end"]),
        amount=frame["amount"].astype(float),
    )


def said(found: Subscriptions, fmt: Formats = EN) -> str:
    return "\n".join(str(part) for part in parts.sections(found, Page(fmt)))


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    return made_up()


@pytest.fixture(scope="module")
def found(base: pd.DataFrame) -> Subscriptions:
    return subscriptions(base, AS_OF)


# --- from rows to stays --------------------------------------------------------------------------


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2030, 12, 31)),
    st.integers(0, 80),
    st.sampled_from([1, 2, 3, 6, 12]),
)
def test_a_renewal_is_on_the_day_of_the_month_of_the_start(
    start: dt.date, k: int, months: int
) -> None:
    number = np.array([day_number(start)])
    due = renewal_days(number, np.array([k]), months)
    expected = start + relativedelta(months=k * months)
    assert due[0] == day_number(expected)
    assert renewals_by(number, due, months)[0] == k
    assert renewals_by(number, due - 1, months)[0] == k - 1


def test_a_short_break_is_bridged_and_a_long_one_is_a_return() -> None:
    days = grace(1)
    gap, end = dt.timedelta(days=days), dt.date(2024, 3, 31)
    late, later = end + gap + dt.timedelta(days=1), end + gap + dt.timedelta(days=2)
    frame = rows(
        ("a", "2024-01-01", str(end), 100, None),
        ("a", str(late), None, 100, None),
        ("b", "2024-01-01", str(end), 100, None),
        ("b", str(later), None, 100, None),
    )
    read = subscribed(frame, AS_OF)
    assert read.bridged == 1
    assert read.stays["who"].tolist() == [0, 1, 1]
    assert read.stays["number"].tolist() == [1, 1, 2]
    # in the bridged break the subscriber is one, and pays
    there, cents = paid_on(read, day_number(end) + 1)
    assert there.tolist() == [True, False]
    assert cents.tolist() == [10_000, 0]
    assert findings.cautions(subscriptions(frame, AS_OF))[0].startswith("1 break of at most 7 days")


def test_a_plan_that_takes_over_on_the_last_day_of_another_is_paid_once() -> None:
    read = subscribed(
        rows(("a", "2024-01-01", "2024-06-01", 100, "s"), ("a", "2024-06-01", None, 150, "l")),
        AS_OF,
    )
    by_day = {day: paid_on(read, day_number(day))[1][0] for day in (dt.date(2024, 5, 31), AS_OF)}
    assert by_day == {dt.date(2024, 5, 31): 10_000, AS_OF: 15_000}
    assert paid_on(read, day_number(dt.date(2024, 6, 1)))[1][0] == 15_000
    assert len(read.stays) == 1


def test_subscriptions_in_parallel_add_up_to_one_stay() -> None:
    read = subscribed(
        rows(("a", "2024-01-01", None, 100, "x"), ("a", "2024-03-01", "2024-06-30", 40, "y")), AS_OF
    )
    found = flow(read, dt.date(2024, 4, 30), dt.date(2024, 7, 31))
    assert (found.mrr_start, found.mrr_end, found.mrr_contraction) == (140.0, 100.0, 40.0)
    assert (found.lost, found.new, len(read.stays)) == (0, 0, 1)


def test_what_cannot_be_used_is_counted_by_cause() -> None:
    frame = rows(
        ("a", "2024-01-01", None, 100, "x"),
        ("a", "2024-01-01", None, 100, "x"),
        ("b", "2024-05-01", "2024-04-01", 100, "x"),
        ("c", "2025-01-01", None, 100, "x"),
        ("d", "2024-01-01", None, -5, "x"),
        ("e", "2024-01-01", "2024-01-31", 0, "trial"),
        ("f", "2024-01-01", None, None, "x"),
    )
    frame.loc[len(frame)] = [None, pd.Timestamp("2024-01-01"), pd.NaT, 5.0, "x"]
    read = subscribed(frame, AS_OF)
    causes = dict(zip(read.left_out["cause"], read.left_out["rows"], strict=True))
    assert causes == dict.fromkeys(
        ["no_customer", "after", "backwards", "negative", "no_amount", "copies", "free"], 1
    )
    assert read.rows_in == len(read.rows) + read.left_out["rows"].sum()
    assert "Equal to another row in every column" in said(subscriptions(frame, AS_OF))


def test_trials_are_no_subscribers_and_their_conversion_is_told() -> None:
    trials = [(f"t{i}", "2024-01-01", "2024-01-14", 0.0, "trial") for i in range(40)]
    paid = [(f"t{i}", "2024-01-15", None, 99.0, "month") for i in range(30)]
    running = [(f"u{i}", "2024-12-25", None, 0.0, "trial") for i in range(7)]
    found = subscriptions(rows(*trials, *paid, *running), AS_OF)
    assert (found.rows.trials, found.rows.converted) == (40, 30)
    assert found.flow.subscribers_end == 30
    assert "Of 40 free trials that are over, 75.0% were followed" in said(found)


def test_ends_on_the_day_of_a_renewal_are_the_first_day_without(base: pd.DataFrame) -> None:
    shifted = base.assign(end=base["end"] + pd.Timedelta(days=1))
    # a row that follows on the same day begins on the first day without the other
    as_it_is, read = subscribed(base, AS_OF), subscribed(shifted, AS_OF)
    assert read.exclusive_ends
    assert not as_it_is.exclusive_ends
    pd.testing.assert_frame_equal(read.stays, as_it_is.stays)
    assert "first day without" in said(subscriptions(shifted, AS_OF))


def test_ends_that_all_running_subscriptions_have_are_what_is_paid_until(
    base: pd.DataFrame,
) -> None:
    """Some systems write the end of the paid period to every subscription that runs."""
    start = np.asarray(base["start"].to_numpy(dtype="datetime64[D]").astype("int64"))
    due = renewal_days(start, renewals_by(start, day_number(AS_OF), 1) + 1, 1) - 1
    until = pd.Series(due.astype("datetime64[D]").astype("datetime64[s]"), index=base.index)
    found = subscriptions(base.assign(end=base["end"].fillna(until)), AS_OF)
    assert found.rows.paid_until
    assert found.renewals.ends.empty
    assert "read as paid until then" in said(found)
    assert not subscribed(base, AS_OF).paid_until


def test_a_plan_that_is_paid_by_the_year_is_asked_about(base: pd.DataFrame) -> None:
    """A year's amount read as a month's would tell of twelve times the revenue."""
    years = made_up(300, 6, Truth(months=12, up=0, down=0, start=dt.date(2018, 1, 1)))
    years = years.assign(customer="y" + years["customer"], plan="Årskort")
    both = pd.concat([base, years])
    assert subscribed(both, AS_OF).yearly == ("Årskort",)
    assert "Nearly all subscriptions of Årskort end after whole years" in said(
        subscriptions(both, AS_OF)
    )
    assert subscribed(base, AS_OF).yearly == ()
    assert subscribed(years, AS_OF, 12).yearly == ()


def test_an_end_in_the_year_9999_is_none() -> None:
    frame = rows(("a", "2024-01-01", None, 100, None))
    frame["end"] = pd.Series(["9999-12-31"]).astype("datetime64[s]")
    assert subscribed(frame, AS_OF).rows["end"].tolist() == [OPEN]


# --- the flow ------------------------------------------------------------------------------------

_FLOW = """
WITH paid AS (
    SELECT customer,
           sum(amount) FILTER (start <= DATE '{a}' AND coalesce("end", DATE '3000-01-01')
               >= DATE '{a}') AS before,
           sum(amount) FILTER (start <= DATE '{b}' AND coalesce("end", DATE '3000-01-01')
               >= DATE '{b}') AS after,
           min(start) AS first
    FROM given GROUP BY customer
)
SELECT count(before), count(after),
       count(*) FILTER (before IS NULL AND after IS NOT NULL AND first > DATE '{a}'),
       count(*) FILTER (before IS NULL AND after IS NOT NULL AND first <= DATE '{a}'),
       count(*) FILTER (before IS NOT NULL AND after IS NULL),
       sum(before), sum(after),
       sum(after) FILTER (before IS NULL AND first > DATE '{a}'),
       sum(after) FILTER (before IS NULL AND first <= DATE '{a}'),
       sum(greatest(after - before, 0)) FILTER (before IS NOT NULL AND after IS NOT NULL),
       sum(greatest(before - after, 0)) FILTER (before IS NOT NULL AND after IS NOT NULL),
       sum(before) FILTER (after IS NULL),
       sum(least(before, coalesce(after, 0))) FILTER (before IS NOT NULL) / sum(before),
       sum(coalesce(after, 0)) FILTER (before IS NOT NULL) / sum(before)
FROM paid
"""


@pytest.mark.parametrize("seed", [1, 5])
@pytest.mark.parametrize("months", [1, 3])
def test_the_flow_is_the_oracles(seed: int, months: int) -> None:
    given = made_up(800, seed, Truth(months=months))
    found = subscriptions(given, AS_OF, period_months=months)
    a = YEAR.start - dt.timedelta(days=1)
    connection = duckdb.connect()
    connection.register("given", given)
    row = connection.execute(_FLOW.format(a=a, b=AS_OF)).fetchone()
    assert row is not None
    counted, money, shares = row[:5], row[5:12], row[12:]
    of = found.flow
    assert counted == (of.subscribers_start, of.subscribers_end, of.new, of.returned, of.lost)
    assert tuple(amount or 0.0 for amount in money) == pytest.approx(
        tuple(
            months * amount
            for amount in (
                *(of.mrr_start, of.mrr_end, of.mrr_new, of.mrr_returned),
                *(of.mrr_expansion, of.mrr_contraction, of.mrr_churned),
            )
        )
    )
    rates_ = (found.rates.gross_retention.value, found.rates.net_retention.value)
    assert rates_ == pytest.approx(shares)
    assert found.rates.logo_churn.value == pytest.approx(of.lost / of.subscribers_start)


_ROW = st.tuples(
    st.sampled_from("abcdef"),
    st.integers(0, 700),
    st.one_of(st.none(), st.integers(0, 400)),
    st.decimals(0, 500, places=2),
    st.sampled_from(["x", "y", None]),
)


@given(st.lists(_ROW, max_size=25), st.integers(0, 800), st.integers(0, 800), st.integers(1, 12))
def test_the_flow_adds_up_to_the_cent(
    given: list[tuple[str, int, int | None, float, str | None]], a: int, b: int, months: int
) -> None:
    start = dt.date(2023, 1, 1)
    days = [start + dt.timedelta(days=n) for n in sorted((a, b))]
    frame = pd.DataFrame(given, columns=["customer", "start", "end", "amount", "plan"])
    begin = pd.to_datetime(pd.Timestamp(start) + pd.to_timedelta(frame["start"], unit="D"))
    frame["end"] = begin + pd.to_timedelta(frame["end"].astype(float), unit="D")
    frame["start"], frame["amount"] = begin, frame["amount"].astype(float)
    read = subscribed(frame, AS_OF, months)
    of = flow(read, *days)
    assert of.subscribers_start - of.lost + of.returned + of.new == of.subscribers_end
    moved = of.mrr_new + of.mrr_returned + of.mrr_expansion - of.mrr_contraction - of.mrr_churned
    assert of.mrr_start + moved == pytest.approx(of.mrr_end, abs=1e-6)
    cents = [round(100 * months * x) for x in (of.mrr_start, moved, of.mrr_end)]
    assert cents[0] + cents[1] == cents[2]
    assert min(vars(of)[name] for name in vars(of) if name.startswith("mrr")) >= 0


def test_the_months_hang_together(found: Subscriptions) -> None:
    frame = found.by_month
    assert frame["mrr_start"].iloc[1:].tolist() == frame["mrr_end"].iloc[:-1].tolist()
    assert (frame["subscribers_start"].iloc[1:].to_numpy() == frame["subscribers_end"][:-1]).all()
    assert frame["mrr_end"].iloc[-1] == found.flow.mrr_end
    assert frame["complete"].all()
    cut = by_month(subscribed(made_up(200), dt.date(2024, 12, 15)))
    assert cut["complete"].tolist() == [True] * (len(cut) - 1) + [False]


def test_the_churn_of_a_month_is_ends_over_exposure() -> None:
    """Ten leave at the end of March, of a hundred who are there for three months."""
    ends = [None] * 90 + ["2024-03-31"] * 10
    read = subscribed(
        rows(*((f"c{i}", "2023-01-01", e, 10, None) for i, e in enumerate(ends))), AS_OF
    )
    metric = monthly_churn(read, dt.date(2023, 12, 31), dt.date(2024, 12, 31))
    # of the leavers the days from 31 December to 31 March count, of the others 366
    months = (10 * 92 + 90 * 366) / 30.4375
    assert metric.value == pytest.approx(10 / months)
    from statsmodels.stats.rates import confint_poisson

    low, high = confint_poisson(10, months, method="exact-c")
    assert (metric.low, metric.high) == pytest.approx((low, high))
    assert metric.n == 100


def test_the_intervals_of_revenue_retention_are_about_the_bootstraps(base: pd.DataFrame) -> None:
    read = subscribed(base, AS_OF)
    a, b = day_number(YEAR.start) - 1, day_number(AS_OF)
    (there, then), (_, now) = paid_on(read, a), paid_on(read, b)
    then, now = then[there], now[there]
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, len(then), (4_000, len(then)))
    metric = rates(read, YEAR.start - dt.timedelta(days=1), AS_OF)
    for one, top in ((metric.gross_retention, np.minimum(then, now)), (metric.net_retention, now)):
        low, high = np.quantile(top[drawn].sum(axis=1) / then[drawn].sum(axis=1), [0.025, 0.975])
        assert (one.low, one.high) == pytest.approx((low, high), abs=0.004)


def test_who_pays_more_makes_net_retention_exceed_all() -> None:
    given = [
        part
        for i in range(40)
        for part in (
            (f"c{i}", "2023-01-01", "2024-05-31" if i >= 5 else "2024-02-29", 100.0, "s"),
            *([(f"c{i}", "2024-06-01", None, 130.0, "l")] if i >= 5 else []),
        )
    ]
    found = subscriptions(rows(*given), AS_OF)
    assert found.rates.net_retention.value == pytest.approx(35 * 130 / 4000)
    assert found.rates.gross_retention.value == pytest.approx(35 / 40)
    assert "they pay more than all did at the start" in findings.heading(found)


# --- how long they stay --------------------------------------------------------------------------


def cohort(survivors: list[int], start: dt.date, years: int) -> tuple[pd.DataFrame, dt.date]:
    """Rows of yearly subscriptions that all began on one day, known up to a renewal."""
    lost = -np.diff(survivors[: years + 1])
    ends = np.repeat(np.arange(1, years + 1), lost)
    last = [str(start + relativedelta(years=int(t), days=-1)) for t in ends]
    given = [
        (f"c{i}", str(start), last[i] if i < len(last) else None, 100.0, None)
        for i in range(survivors[0])
    ]
    return rows(*given), start + relativedelta(years=years)


@pytest.mark.parametrize(
    ("survivors", "years", "alpha", "beta", "log_likelihood"),
    [
        (HIGH_END, 7, 0.668, 3.806, -1_611.158),
        (REGULAR, 7, 0.704, 1.182, -1_680.265),
        (HIGH_END, 4, 1.281, 7.790, -1_225.135),
        (REGULAR, 4, 0.764, 1.296, -1_401.559),
    ],
)
def test_correctness_of_the_published_fits_from_rows_on(
    survivors: list[int], years: int, alpha: float, beta: float, log_likelihood: float
) -> None:
    frame, as_of = cohort(survivors, dt.date(2010, 2, 15), years)
    read = subscribed(frame, as_of, 12)
    lives = lifetimes(read)
    assert lives.lost.tolist() == (-np.diff(survivors[: years + 1])).tolist()
    assert lives.kept.tolist() == [0] * (years - 1) + [survivors[years]]
    assert lives.curve["survival"].to_numpy() == pytest.approx(
        np.array(survivors[1 : years + 1]) / 1_000
    )
    model = projection(read, lives).model
    assert model is not None
    assert (model.alpha, model.beta) == pytest.approx((alpha, beta), abs=0.0006)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=0.0006)


def test_correctness_of_the_published_projection_and_residual_lifetime() -> None:
    frame, as_of = cohort(HIGH_END, dt.date(2010, 2, 15), 7)
    read = subscribed(frame, as_of, 12)
    made = projection(read, lifetimes(read))
    assert made.model is not None
    assert made.model.survival(np.arange(8, 13)) == pytest.approx(
        [0.460, 0.436, 0.414, 0.395, 0.378], abs=0.0006
    )
    of = worth(read, made, 0.10, 1.0)
    assert of is not None
    assert of.subscribers == 491
    # all have renewed seven times; on the day of a renewal the next is a year away
    wait = 365 / 365.25
    assert of.months / 12 * 1.1**wait == pytest.approx(7.530, abs=0.002)
    assert of.value == pytest.approx(491 * 100 * of.months / 12)


def test_the_curve_is_kaplan_and_meiers(found: Subscriptions) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight

    seen = ages(found.rows)
    oracle = SurvfuncRight(seen["period"].to_numpy(dtype=float), seen["lost"].to_numpy(dtype=int))
    curve = found.lifetimes.curve.set_index("period")
    at = oracle.surv_times.astype(int)
    assert curve.loc[at, "survival"].to_numpy() == pytest.approx(oracle.surv_prob)
    assert curve["at_risk"].iloc[0] == len(seen)


def test_a_leaver_of_a_period_that_is_not_over_is_not_lost_yet() -> None:
    """Else those who leave in it would count, and those who stay in it wouldn't."""
    read = subscribed(
        rows(
            ("a", "2024-10-20", "2024-12-25", 10, None),
            ("b", "2024-10-20", "2024-12-05", 10, None),
            ("c", "2024-12-20", "2024-12-25", 10, None),
        ),
        AS_OF,
    )
    lost, kept = counts(ages(read))
    assert (lost.tolist(), kept.tolist()) == ([0, 1], [0, 1])


def test_the_truth_is_recovered() -> None:
    truth = Truth(alpha=0.7, beta=3.2, returns=0.0)
    read = subscribed(made_up(20_000, 4, truth), AS_OF)
    model = projection(read, lifetimes(read)).model
    assert model is not None
    assert (model.alpha, model.beta) == pytest.approx((0.7, 3.2), rel=0.06)
    true = ShiftedBetaGeometric(0.7, 3.2, 0.0, np.eye(2), 0)
    assert model.survival([12, 60]) == pytest.approx(true.survival([12, 60]), abs=0.01)


def test_the_expansion_put_in_is_found(found: Subscriptions) -> None:
    """A kept subscriber moves up with 1.2 % at each of twelve renewals, from plans that can."""
    kept = found.flow.subscribers_start - found.flow.lost
    n = found.flow.expanded
    # of those below the top, 12 renewals at 1.2 %; a few have moved down again
    assert 0.06 * kept < n < 0.16 * kept


@pytest.mark.slow
def test_the_intervals_hold_what_they_say_from_rows_on() -> None:
    """Of the curve at two ages and of the holdout, over bases made with one truth."""
    truth = Truth(start=dt.date(2022, 1, 1))
    true = ShiftedBetaGeometric(truth.alpha, truth.beta, 0.0, np.eye(2), 0).survival([6, 60])
    held, tested, bases = np.zeros(2), [], 150
    for seed in range(bases):
        read = subscribed(made_up(700, 1_000 + seed, truth), AS_OF)
        made = projection(read, lifetimes(read))
        assert made.model is not None
        low, high = made.model.survival_interval([6, 60])
        held += (low <= true) & (true <= high)
        assert made.holdout is not None
        tested.append(made.holdout.held)
    assert (held / bases > 0.90).all(), held / bases
    assert (held / bases < 0.99).all(), held / bases
    assert 0.88 < np.mean(tested) < 0.995, np.mean(tested)


def test_what_a_constant_churn_would_have_said_is_far_off(found: Subscriptions) -> None:
    holdout = found.projection.holdout
    assert holdout is not None
    assert holdout.held
    assert holdout.constant < holdout.low
    assert "kept up for all alike, would have said" in str(future.believed(found))


def test_a_test_that_misses_by_little_is_near_enough(found: Subscriptions) -> None:
    """Of very many subscribers the interval is so narrow that no real base lies in it."""
    made = found.projection
    day = dt.date(2023, 12, 31)
    for actual, usable, words in (
        (61_000, True, "near enough to act on"),
        (66_000, False, "take the projection as a rough guide"),
    ):
        holdout = Holdout(day, 12, 100_000, actual, 60_000.0, 59_500.0, 60_500.0, 40_000.0)
        one = replace(found, projection=replace(made, holdout=holdout))
        assert not holdout.held
        assert one.projection.usable is usable
        assert words in str(future.believed(one))


def test_the_holdout_knew_nothing_of_what_came_after(base: pd.DataFrame) -> None:
    """What is known on its day is the same if all that came later is cut off."""
    read = subscribed(base, AS_OF)
    made = projection(read, lifetimes(read))
    assert made.holdout is not None
    day = made.holdout.day
    before = base[base["start"] <= pd.Timestamp(day)]
    open_end = before["end"].where(before["end"] < pd.Timestamp(day))
    then = subscribed(before.assign(end=open_end), day)
    for one, other in zip(counts(ages(then)), counts(ages(read, day_number(day))), strict=True):
        assert one.tolist() == other.tolist()
    running = read.stays[(read.stays["number"] == 1) & (read.stays["start"] <= day_number(day))]
    alive = running[running["end"] >= day_number(day)]
    assert made.holdout.n == pytest.approx(len(alive), abs=0.02 * len(alive))


def test_fixed_terms_that_the_model_cannot_follow_are_said() -> None:
    """Bound for a year, then half leave: the model's smooth curve is off."""
    start = pd.date_range("2021-01-01", "2023-06-01", freq="3D")
    rng = np.random.default_rng(1)
    given = []
    for i, day in enumerate(start):
        months = 12 if rng.random() < 0.5 else 12 + rng.geometric(0.02)
        end = day + pd.DateOffset(months=months) - pd.Timedelta(days=1)
        given.append((f"c{i}", str(day), None if end > pd.Timestamp(AS_OF) else str(end), 9.0, "x"))
    found = subscriptions(rows(*given), AS_OF)
    assert not found.projection.follows
    assert not found.projection.usable
    text = said(found)
    assert "The projection doesn't follow what was observed" in text
    assert "Most are lost after 12 months" in text
    assert "Chance to leave" not in text
    assert parts.lists(found)["renewals"]["p_leave"].isna().all()
    made = metrics(found)
    assert made["subscription.due_at_stake"].value is None
    assert "rough guide" in str(made["subscription.value"].note)
    assert "nothing to act on" in text


def test_data_that_begin_late_are_found_out(base: pd.DataFrame) -> None:
    """Who left before the data begin isn't in them: the curve of those who stayed flatters."""
    begins = dt.date(2023, 1, 1)
    seen = base[base["end"].isna() | (base["end"] >= pd.Timestamp(begins))]
    everybody, cut = lifetimes(subscribed(base, AS_OF)), lifetimes(subscribed(seen, AS_OF))
    assert everybody.begins is None
    assert cut.begins is not None
    assert abs((cut.begins - begins).days) <= 10
    at = 11
    truth = everybody.curve["survival"].iloc[at]
    assert cut.curve["low"].iloc[at] < truth < cut.curve["high"].iloc[at]
    naive = ages(subscribed(seen, AS_OF))
    flattered = 1 - naive.loc[naive["period"] <= at, "lost"].sum() / len(naive)
    assert flattered > cut.curve["high"].iloc[at]
    found = subscriptions(seen, AS_OF)
    assert "The data have no loss before" in said(found)
    assert found.by_month["month"].iloc[0] >= pd.Timestamp(begins)
    # of the period before nothing is known but of those who stayed
    early = subscriptions(base[base["end"].isna() | (base["end"] >= "2024-01-01")], AS_OF)
    assert early.rates_before is None


def test_a_first_day_of_a_system_is_no_begin() -> None:
    old = made_up(600, 3)
    moved = old.assign(start=old["start"].clip(lower=pd.Timestamp("2023-06-01")))
    moved = moved[moved["end"].isna() | (moved["end"] >= moved["start"])]
    found = lifetimes(subscribed(moved, AS_OF))
    assert found.one_day
    assert found.unwatched > 50
    assert "the day of a system" in said(subscriptions(moved, AS_OF))


def test_a_plan_that_keeps_its_subscribers_stands_out() -> None:
    loyal = made_up(700, 1, Truth(alpha=0.7, beta=9.0, up=0, down=0)).assign(plan="loyal")
    other = made_up(700, 2, Truth(alpha=0.7, beta=3.0, up=0, down=0)).assign(plan="other")
    few = made_up(12, 3, Truth(up=0, down=0)).assign(plan="few")
    for part, sign in ((loyal, "l"), (other, "o"), (few, "f")):
        part["customer"] = sign + part["customer"]
    found = subscriptions(pd.concat([loyal, other, few]), AS_OF)
    frame = found.plans.set_index("plan")
    assert frame.loc["loyal", "stands_out"] == 1
    assert frame.loc["other", "stands_out"] == -1
    assert np.isnan(frame.loc["few", "survival"])
    lost, expected = frame.loc["loyal", "lost"], frame.loc["loyal", "expected"]
    assert lost < 0.7 * expected
    assert re.match(r"Subscribers of \w+ (stay longer|leave sooner): ", str(future.plans(found)))
    # each is expected to lose what all of its age lose, so that nobody is lost twice
    assert frame["lost"].sum() == pytest.approx(frame["expected"].sum(), rel=0.05)
    assert "One model is made of all plans" in said(found)


def test_the_test_of_plans_is_the_log_rank_test(found: Subscriptions) -> None:
    from statsmodels.duration.survfunc import survdiff

    from retention_lib.retention.homogeneity import against_rest

    seen = ages(found.rows)
    own = seen["plan"] == "Basis"
    statistic, p = survdiff(seen["period"], seen["lost"].astype(int), own.astype(int))
    lost, kept = counts(seen)
    own_lost, own_kept = counts(seen[own])
    risk, own_risk = ((a + b)[::-1].cumsum()[::-1] for a, b in ((lost, kept), (own_lost, own_kept)))
    pad = len(lost) - len(own_lost)
    compared = against_rest(np.pad(own_lost, (0, pad)), np.pad(own_risk, (0, pad)), lost, risk)
    # the same but for the continuity correction
    assert compared.p == pytest.approx(p, abs=0.02)
    assert statistic > 0


@pytest.mark.slow
def test_plans_alike_stand_out_in_one_base_of_twenty_at_most() -> None:
    false = 0
    for seed in range(200):
        frame = made_up(400, 5_000 + seed, Truth(up=0, down=0, returns=0))
        read = subscribed(frame, AS_OF)
        plans, _ = by_plan(read, lifetimes(read))
        false += bool((plans["stands_out"] != 0).any())
    assert false <= 19  # binomial(200, 0.05) exceeds it in 0.3 % of cases


def test_newer_subscribers_who_leave_sooner_are_told_of() -> None:
    old = made_up(800, 1, Truth(beta=8.0, as_of=dt.date(2022, 12, 31)))
    # the old ones' later fate isn't drawn on: they stay
    new = made_up(800, 2, Truth(beta=1.5, start=dt.date(2023, 1, 1)))
    new["customer"] = "n" + new["customer"]
    found = subscriptions(pd.concat([old, new]), AS_OF)
    assert found.halves is not None
    assert found.halves.stands == -1
    assert "leaves sooner" in str(future.lately(found))
    read = subscribed(made_up(), AS_OF)
    alike = halves(read, lifetimes(read))
    assert alike is not None
    assert alike.stands == 0


def test_cohorts_are_counted_when_all_of_them_were_watched(found: Subscriptions) -> None:
    frame, seen = found.cohorts, ages(found.rows)
    assert not found.by_quarter  # sixteen quarters are more than a table has room for
    assert frame["cohort"].dt.year.tolist() == [2021, 2022, 2023, 2024]
    began = pd.to_datetime(seen["start"], unit="D").dt.year
    of_2022 = seen[began == 2022]
    gone = of_2022[of_2022["lost"] & (of_2022["period"] <= 12)]
    row = frame.iloc[1]
    assert row["n"] == len(of_2022)
    assert row["later"] == pytest.approx(1 - len(gone) / len(of_2022))
    # who began in December 2024 has no year behind, and hardly a month
    assert np.isnan(frame["later"].iloc[-1])


def test_later_losses_are_those_of_the_ages_after_a_year(found: Subscriptions) -> None:
    late = later_losses(found.lifetimes)
    shown = found.lifetimes.shown
    after = shown[shown["months"] > 12]
    assert late is not None
    assert late.months == 12
    assert late.share == pytest.approx(after["lost"].sum() / after["at_risk"].sum())
    assert "doesn't mean that subscribers become more loyal" in str(future.who_is_left(found))


# --- value and renewals --------------------------------------------------------------------------


def test_the_value_is_the_sum_of_all_payments_still_to_come(found: Subscriptions) -> None:
    model, of = found.projection.model, found.worth
    assert model is not None
    assert of is not None
    here = with_chances(found.rows, found.projection)
    all_cents = here["cents"].sum()
    here = here[here["ends"] == OPEN]
    # what they pay, times how much likelier than all they are to renew next time
    here = here.assign(cents=here["cents"] * (1 - here["p_leave"]) / (1 - here["p"]))
    d, later = rate_per_period(0.10, 1), np.arange(1, 6_000)
    value = 0.0
    for made, part in here.groupby("renewals"):
        there = model.survival(made + later) / model.survival(made)
        payments = float(there @ (1 + d) ** -(later - 1.0))
        wait = (part["due"] - day_number(AS_OF)) / 30.4375
        value += payments * float((part["cents"] / 100 * (1 + d) ** -wait).sum())
    assert of.value == pytest.approx(value, rel=1e-3)
    assert of.low is not None
    assert of.high is not None
    assert of.low < of.value < of.high
    assert of.constant is not None
    assert of.constant < of.low
    assert 0 < of.beyond < 1
    assert of.in_a_year is not None
    expected = sum(
        float(part["cents"].sum() * model.survival(int(made) + 12) / model.survival(int(made)))
        for made, part in here.groupby("renewals")
    )
    assert of.in_a_year == pytest.approx(expected / all_cents)


def test_half_the_margin_is_half_the_value(base: pd.DataFrame, found: Subscriptions) -> None:
    half = subscriptions(base, AS_OF, margin=0.5)
    assert half.worth is not None
    assert found.worth is not None
    assert half.worth.value == pytest.approx(0.5 * found.worth.value)
    assert half.renewals.due["at_stake"].sum() == pytest.approx(
        0.5 * found.renewals.due["at_stake"].sum()
    )


def test_what_is_at_stake_is_what_leavers_would_have_paid() -> None:
    """Drawn: who leaves at the next renewal, and what these would pay if held this once."""
    alpha, beta, made, rate = 0.8, 3.0, 4, 0.02
    rng = np.random.default_rng(2)
    theta = beta_law.rvs(alpha, beta + made, size=400_000, random_state=rng)
    leaves = rng.random(len(theta)) < theta
    stays = 1 - theta[leaves]
    # one payment now, then (1 − θ)/(1 + d) at each renewal
    paid = 1 + stays / (1 + rate) / (1 - stays / (1 + rate))
    model = ShiftedBetaGeometric(alpha, beta, 0.0, np.eye(2), 0)
    held = held_once(model, np.array([made, made]), rate)
    assert 1 - model.renewal_rate(made + 1) == pytest.approx(leaves.mean(), rel=0.01)
    assert held == pytest.approx([paid.mean()] * 2, rel=0.02)


def test_who_has_not_given_notice_is_likelier_to_renew() -> None:
    """Three in ten of those who won't renew have said so: of the others fewer leave."""
    truth = Truth(returns=0.0)
    read = subscribed(made_up(30_000, 8, truth, notice=0.3), AS_OF)
    made = projection(read, lifetimes(read))
    here = with_chances(read, made)
    silent = here[~here["notice"] & (here["window"] == 0)]
    p = truth.alpha / (truth.alpha + truth.beta + silent["renewals"].to_numpy())
    expected = (p * 0.7 / (1 - 0.3 * p)).sum()
    assert silent["p_leave"].sum() == pytest.approx(expected, rel=0.12)
    assert silent["p"].sum() > 1.25 * expected
    window = renewals(read, made, 0.1, 1.0).within(30)
    assert window["lost_low"] < expected < window["lost_high"]
    assert here.loc[here["notice"], "p_leave"].isna().all()


def test_renewals_are_listed_with_the_most_at_stake_first(found: Subscriptions) -> None:
    due, window = found.renewals.due, found.renewals.by_window.set_index("days")
    assert due["at_stake"].is_monotonic_decreasing
    soon = due[due["renewal"] <= pd.Timestamp(AS_OF) + pd.Timedelta(days=30)]
    assert len(soon) == window.loc[30, "due"]
    assert soon["p_leave"].sum() == pytest.approx(window.loc[30, "expected_lost"])
    assert (due["renewal"] > pd.Timestamp(AS_OF)).all()
    assert (due["renewal"] <= pd.Timestamp(AS_OF) + pd.Timedelta(days=90)).all()
    model = found.projection.model
    assert model is not None
    again = 1 - model.renewal_rate(due["renewals"].to_numpy() + 1)
    assert (due["p_leave"].to_numpy() <= again + 1e-12).all()
    assert (
        window.loc[30, "lost_low"] < window.loc[30, "expected_lost"] < window.loc[30, "lost_high"]
    )
    assert window.loc[90, "at_stake"] == pytest.approx(due["at_stake"].sum())
    assert window.loc[30, "stake_low"] < soon["at_stake"].sum() < window.loc[30, "stake_high"]


def test_who_has_given_notice_is_on_no_list_of_renewals(found: Subscriptions) -> None:
    ends, due = found.renewals.ends, found.renewals.due
    assert len(ends) > 5
    assert not set(ends["customer"]) & set(due["customer"])
    assert (ends["last_day"] >= pd.Timestamp(AS_OF)).all()
    both = parts.lists(found)
    assert set(both) == {"renewals", "notices"}
    assert len(both["renewals"]) + len(both["notices"]) == found.flow.subscribers_end
    assert f"{len(ends)} subscribers have given notice already" in said(found)


def test_a_short_period_has_one_share_of_notices_and_a_year_has_several(
    found: Subscriptions,
) -> None:
    monthly = with_chances(found.rows, found.projection)
    assert monthly["window"].nunique() == 1
    open_ = monthly[~monthly["notice"]]
    assert (open_["p_leave"] / open_["p"]).std() < 1e-9
    yearly = subscriptions(made_up(900, 2, Truth(months=12)), AS_OF, period_months=12)
    assert with_chances(yearly.rows, yearly.projection)["window"].nunique() == 3


def test_renewals_of_a_year_fall_on_their_day() -> None:
    given = [(f"c{i}", f"2023-{1 + i % 12:02}-15", None, 1200.0, "year") for i in range(60)]
    found = subscriptions(rows(*given), AS_OF, period_months=12)
    assert found.flow.mrr_end == 60 * 100
    assert found.renewals.by_window["due"].tolist() == [5, 15]
    assert set(found.renewals.due["renewal"].dt.strftime("%Y-%m-%d")) == {
        *("2025-01-15", "2025-02-15", "2025-03-15"),
    }


# --- beside the orders ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client with orders and subscriptions; of the subscribers every other one orders."""
    folder = tmp_path_factory.mktemp("client")
    made_up(600, 3).to_csv(folder / "subscriptions.csv", index=False, date_format="%Y-%m-%d")
    rng = np.random.default_rng(5)
    customer = [f"S{n:05}" for n in range(0, 600, 2)] + [f"X{n}" for n in range(200)]
    orders = pd.DataFrame({"id": rng.choice(customer, 4_000)})
    orders["day"] = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 1096, 4_000), "D")
    orders["sum"] = rng.gamma(2, 200, 4_000).round(2)
    orders.to_csv(folder / "orders.csv", index=False, date_format="%Y-%m-%d")
    file = folder / "boxes.yaml"
    file.write_text(
        "client: boxes\nsource: orders.csv\ncurrency: NOK\nas_of: 2024-12-31\n"
        "columns: {customer: id, date: day, amount: sum}\n"
        "subscriptions:\n  source: subscriptions.csv\n"
        "  columns: {customer: customer, start: start, end: end, amount: amount, plan: plan}\n"
    )
    return file


def test_a_client_file_leads_to_the_same_figures(client: Path) -> None:
    base = read_base(read_client_file(client).params, client.parent)
    found = of_base(base)
    assert found is not None
    frame = pd.read_csv(client.parent / "subscriptions.csv", parse_dates=["start", "end"])
    alone = subscriptions(frame, AS_OF)
    assert {k: v.as_json() for k, v in metrics(found).items()} == {
        k: v.as_json() for k, v in metrics(alone).items()
    }
    text = "\n".join(str(part) for part in parts.sections(found, Page(EN)))
    assert "who likes a shop does both" in text
    assert "who likes a shop does both" not in said(alone)


def test_purchases_beside_subscriptions_are_the_oracles(client: Path) -> None:
    base = read_base(read_client_file(client).params, client.parent)
    found = of_base(base)
    assert found is not None
    both = found.together
    assert both is not None
    connection = duckdb.connect()
    folder = client.parent
    query = f"""
    WITH subscribers AS (
        SELECT DISTINCT customer FROM '{folder}/subscriptions.csv'
        WHERE start <= DATE '2023-12-31' AND coalesce("end", DATE '3000-01-01') >= DATE '2023-12-31'
    ), shop AS (
        SELECT id, count(DISTINCT day) FILTER (day > DATE '2023-12-31') AS bought,
               coalesce(sum(sum) FILTER (day > DATE '2023-12-31'), 0) AS spent
        FROM '{folder}/orders.csv' GROUP BY id HAVING min(day) <= DATE '2023-12-31'
    )
    SELECT id IN (SELECT customer FROM subscribers) AS one, count(*), avg(bought), avg(spent),
           (SELECT count(*) FROM subscribers), stddev(bought)
    FROM shop GROUP BY one ORDER BY one
    """
    (_, others, other_bought, other_spent, *_), (_, n, bought, spent, all_, sd) = (
        connection.execute(query).fetchall()
    )
    assert (both.in_orders, both.others, both.subscribers) == (n, others, all_)
    assert (both.bought, both.spent) == pytest.approx((bought, spent))
    assert (both.others_bought, both.others_spent) == pytest.approx((other_bought, other_spent))
    assert both.bought_high - both.bought == pytest.approx(
        student.ppf(0.975, n - 1) * sd / np.sqrt(n)
    )


# --- what the report says ------------------------------------------------------------------------

_NOTHING = re.compile(r"\b(nan|NaN|None(?! of)|inf|NaT)\b")


def degenerate() -> dict[str, pd.DataFrame]:
    many = range(60)
    return {
        "empty": rows().astype({"customer": "object", "plan": "object"}),
        "one": rows(("a", "2024-03-01", None, 100, "x")),
        "one, of today": rows(("a", "2024-12-31", None, 100, "x")),
        "one, gone": rows(("a", "2023-03-01", "2023-05-31", 100, None)),
        "all have ended": rows(*((f"c{i}", "2023-01-10", "2024-05-09", 9, "x") for i in many)),
        "nobody has ended": rows(
            *((f"c{i}", f"2023-{1 + i % 12:02}-01", None, 9, "x") for i in many)
        ),
        "all on the same day": rows(
            *((f"c{i}", "2024-01-01", None if i % 3 else "2024-06-30", 9, "x") for i in many)
        ),
        "all left at once": rows(*((f"c{i}", "2024-03-01", "2024-03-31", 9, "x") for i in many)),
        "began yesterday": rows(*((f"c{i}", "2024-12-30", None, 9, "x") for i in many)),
        "one renewal": rows(
            *((f"c{i}", "2024-11-15", "2024-12-14" if i < 20 else None, 9, "x") for i in many)
        ),
        "without amounts": made_up(300).assign(amount=np.nan),
        "for nothing": made_up(300).assign(amount=0.0),
        "without plans": made_up(300).assign(plan=None),
        "all with notice": rows(
            *((f"c{i}", "2024-01-01", f"2025-0{1 + i % 9}-20", 9, "x") for i in many)
        ),
        "none usable": rows(("a", "2024-05-01", "2024-04-01", 9, "x")),
        "millions": made_up(300).assign(amount=1e9),
        "dollars in names": made_up(200).assign(plan="<b>$x^2$ {n}</b>"),
    }


@pytest.mark.parametrize("case", degenerate())
@pytest.mark.parametrize("months", [1, 12])
def test_odd_data_are_told_in_plain_sentences(case: str, months: int) -> None:
    found = subscriptions(degenerate()[case], AS_OF, period_months=months)
    text = said(found)
    assert not _NOTHING.search(text), _NOTHING.search(text)
    assert len(text) > 100
    assert set(metrics(found)) == {name for name in UNITS if name.startswith("subscription.")}
    for name, metric in metrics(found).items():
        assert metric.unit == UNITS[name]
        if metric.value is None:
            assert str(metric.note).endswith(".")
        elif metric.low is not None:
            assert metric.low <= metric.value <= metric.high, name
    for frame in parts.lists(found).values():
        assert len(frame)
    assert said(found, Formats("nb", "NOK"))


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("empty", "The data on subscriptions has no rows"),
        ("none usable", "1 row, and it can't be used"),
        ("one", "A projection needs 20 subscribers"),
        ("nobody has ended", "None of the 60 subscribers watched to a renewal has left"),
        ("all left at once", "left at the end of their first period"),
        ("one renewal", "Only the first renewal was watched"),
        ("without amounts", "No subscription has an amount"),
        ("all have ended", "0.0% of the 60 subscribers at the start are still there"),
    ],
)
def test_what_cannot_be_known_has_its_reason(case: str, sentence: str) -> None:
    assert sentence in said(subscriptions(degenerate()[case], AS_OF))


def test_names_from_data_are_no_markup() -> None:
    found = subscriptions(degenerate()["dollars in names"], AS_OF)
    html = "".join(str(part.data.get("text/html", "")) for part in parts.sections(found, Page(EN)))
    assert "<b>$x" not in html


def test_without_a_discount_there_is_no_value() -> None:
    found = subscriptions(made_up(500), AS_OF, discount_rate=0.0)
    metric = metrics(found)["subscription.value"]
    assert metric.value is None
    assert "The discount rate is 0" in str(metric.note)
    assert found.renewals.due["p_leave"].notna().all()
    assert not _NOTHING.search(said(found))


def test_every_metric_has_a_name_and_a_definition(found: Subscriptions) -> None:
    defined = {name for group in DEFINITIONS.values() for name in group}
    for name in metrics(found):
        assert label(name)
        assert name in defined


def test_the_report_tells_what_was_found(found: Subscriptions) -> None:
    text = said(found)
    made = metrics(found)
    for name in ("logo_churn", "monthly_churn", "net_retention"):
        assert EN.metric(made[f"subscription.{name}"]) in text
    assert EN.money(found.flow.mrr_end) in text
    for caption in ("Still there", "Recurring revenue rose", "Without a single new subscriber"):
        assert caption in text
    assert made["subscription.monthly_churn"].previous == found.rates_before.monthly_churn.value


def test_the_period_is_the_reports(base: pd.DataFrame) -> None:
    quarter = Window(dt.date(2024, 10, 1), AS_OF)
    found = subscriptions(base, AS_OF, quarter)
    assert found.flow.start == dt.date(2024, 9, 30)
    assert found.flow_before is not None
    assert found.flow_before.start == dt.date(2024, 6, 30)
    assert found.flow_before.mrr_end == found.flow.mrr_start


def test_rows_in_another_order_say_the_same(base: pd.DataFrame, found: Subscriptions) -> None:
    mixed = subscriptions(base.sample(frac=1, random_state=2), AS_OF)
    assert {k: v.as_json() for k, v in metrics(mixed).items()} == {
        k: v.as_json() for k, v in metrics(found).items()
    }
    assert said(mixed) == said(found)


def test_renewals_of_every_month_are_put_together_by_age(found: Subscriptions) -> None:
    table = parts.due_by_age_table(found, EN)
    assert table is not None
    window = found.renewals.within(30)
    assert table.frame["due"].sum() == window["due"]
    assert table.frame["lost"].sum() == pytest.approx(window["expected_lost"])
    assert table.frame["at_stake"].sum() == pytest.approx(window["at_stake"])
    assert table.frame["label"].tolist()[0] == "Under 3 months"
    assert table.frame["chance"].is_monotonic_decreasing


def test_customers_are_named_by_their_pseudonyms() -> None:
    found = subscriptions(made_up(600, 2, Truth(months=12)), AS_OF, period_months=12)
    page = Page(EN, pseudonym=lambda customer: f"P-{customer[-2:]}")
    text = "\n".join(str(part) for part in parts.sections(found, page))
    assert "P-" in text
    assert not re.search(r"S\d{5}", text)


def test_a_large_base_is_read_in_seconds() -> None:
    import time

    frame = made_up(100_000, 9)
    begun = time.process_time()
    subscriptions(frame, AS_OF)
    assert time.process_time() - begun < 15


def test_lifetimes_of_nothing_are_empty() -> None:
    lives = lifetimes(subscribed(degenerate()["empty"], AS_OF))
    assert isinstance(lives, Lifetimes)
    assert lives.curve.empty
    assert lives.n == 0
    assert renewals(
        subscribed(degenerate()["empty"], AS_OF),
        projection(subscribed(degenerate()["empty"], AS_OF), lives),
        0.1,
        1.0,
    ).due.empty
