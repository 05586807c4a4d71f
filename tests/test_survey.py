"""What customers say: the levels, whom they speak for, what they buy after; known truth and SQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from kept import kept_folder
from made_up_survey import AS_OF, MadeUp, made_up
from scipy.stats import binom, multinomial
from statsmodels.stats.proportion import proportion_confint

from retention_lib.data.base import Base
from retention_lib.data.periods import Window
from retention_lib.data.read import read_base
from retention_lib.definitions import DEFINITIONS
from retention_lib.loyalty import survey_lists
from retention_lib.loyalty.survey import Survey, of_base, survey
from retention_lib.loyalty.survey_answers import FEWEST, NPS, Scale, answers
from retention_lib.loyalty.survey_histories import histories, main_group, states_at
from retention_lib.loyalty.survey_later import Later, first_asked, later, window_of
from retention_lib.loyalty.survey_lists import action_lists
from retention_lib.loyalty.survey_metrics import metrics
from retention_lib.loyalty.survey_scores import (
    by_group,
    change,
    level_of,
    nps_many,
    over_time,
)
from retention_lib.loyalty.survey_weights import MOST_WEIGHT, raked, weigh
from retention_lib.metrics import UNITS
from retention_lib.models.saved import forecast
from retention_lib.params import Params, read_client_file
from retention_lib.report import survey_parts
from retention_lib.report.evidence import prepare
from retention_lib.report.findings import survey as findings
from retention_lib.report.findings import survey_data as of_data
from retention_lib.report.findings import survey_groups as of_groups
from retention_lib.report.findings import survey_later as later_findings
from retention_lib.report.labels import LABELS
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.difference import Difference
from retention_lib.retention.lists import COLUMNS
from retention_lib.retention.segments import rfm

EN = Formats("en", "USD")
NAN = math.nan


# Clients ------------------------------------------------------------------------------------


def read(folder: Path, **given: object) -> Base:
    """The base of the two files in a folder."""
    asked = {"source": "survey.csv", "columns": {n: n for n in ("customer", "date", "nps")}}
    columns = {n: n for n in ("customer", "date", "amount", "market")}
    values = {"client": "x", "currency": "USD", "as_of": AS_OF, "dimensions": ["market"]}
    fields = {"csat": "csat", "ces": "ces"}
    asked["columns"] = {**asked["columns"], **fields}
    return read_base(
        Params(source="orders.csv", columns=columns, survey=asked, **(values | given)), folder
    )


def table_of(base: Base) -> pd.DataFrame:
    """What the report knows of the customers, with a value that is made up."""
    customers = base.customers()
    table = customers.join(rfm(customers, base.as_of).scores)
    return table.assign(
        clv=0.3 * table["revenue"],
        p_alive=np.where(table["purchases"] > 2, 0.9, 0.2),
        value_at_stake=1.0,
        expected_purchases=1.0,
        tier="gold",
        rhythm=np.where(table["purchases"] % 2 == 0, "late", "on_time"),
    )


@cache
def client(effect: float = 0.6) -> tuple[MadeUp, Base]:
    made = made_up(3_000, effect=effect, seed=11)
    with kept_folder() as (folder, keep):
        made.write(folder)
        return made, keep(read(folder))


@pytest.fixture(scope="module")
def found() -> Survey:
    _, base = client()
    worked_out = of_base(base, table_of(base))
    assert worked_out is not None
    return worked_out


def with_answers(frame: pd.DataFrame, **given: object) -> Survey:
    """The made-up client's orders with other answers."""
    _, base = client()
    return survey(base, frame, table_of(base), **given)  # type: ignore[arg-type]


def scores(*nps: float, day: str = "2024-09-01", first: int = 0) -> pd.DataFrame:
    """A row a customer of the made-up client."""
    return pd.DataFrame(
        {
            "customer": [f"k{first + i:05d}" for i in range(len(nps))],
            "date": pd.Timestamp(day),
            "nps": np.array(nps, dtype=float),
            "csat": NAN,
            "ces": NAN,
        }
    )


def said(worked_out: Survey) -> list[str]:
    """All that the report says, in the order of the page."""
    return [str(part) for part in survey_parts.sections(worked_out, Page(EN))]


# Which answers count ------------------------------------------------------------------------


def test_scores_outside_their_scale_are_left_out_and_counted() -> None:
    frame = scores(10, 11, -1, 8.5, 0, NAN).assign(csat=[1, 5, 6, 0, NAN, 4.5])
    got = answers(frame)
    assert got.rows["nps"].dropna().tolist() == [10, 0]
    assert got.rows["csat"].dropna().tolist() == [1, 5, 4.5]
    assert got.outside == {"nps": 3, "csat": 2, "ces": 0}


def test_promoters_begin_at_9_and_detractors_end_at_6() -> None:
    assert NPS.group(range(11)).tolist() == [-1] * 7 + [0] * 2 + [1] * 2


@pytest.mark.parametrize(
    ("low", "high", "groups"),
    [
        (1, 5, [-1, -1, 0, 1, 1]),
        (1, 7, [-1, -1, 0, 0, 0, 1, 1]),
        (1, 3, [-1, 0, 1]),
        (0, 1, [-1, 1]),
    ],
)
def test_the_upper_and_the_lower_scores_never_meet(low: int, high: int, groups: list[int]) -> None:
    assert Scale("csat", low, high).group(range(low, high + 1)).tolist() == groups


def test_the_last_answer_of_a_customer_counts_and_an_answer_beats_silence_of_the_day() -> None:
    frame = pd.concat([scores(3, 9), scores(10, day="2024-09-05"), scores(NAN, NAN)])
    got = answers(frame.iloc[[4, 0, 1, 2, 3]])
    assert got.twice == 2
    assert got.latest("nps").set_index("customer")["score"].to_dict() == {"k00000": 10, "k00001": 9}


def test_a_scale_that_looks_like_another_is_told_of() -> None:
    rng = np.random.default_rng(3)
    stars = answers(scores(*rng.integers(1, 6, 200)))
    assert stars.doubts == (("nps", "too_low"),)
    ten = answers(scores(*rng.integers(1, 11, 200)))
    assert ten.doubts == (("nps", "one_to_ten"),)
    full = answers(scores(*rng.integers(0, 11, 200)))
    assert full.doubts == ()
    percent = answers(scores(*rng.integers(0, 101, 200)))
    assert ("nps", "outside") in percent.doubts


def test_ease_that_falls_where_satisfaction_rises_is_told_of() -> None:
    rng = np.random.default_rng(4)
    nps = rng.integers(0, 11, 300)
    frame = scores(*nps)
    turned = frame.assign(ces=8 - np.clip(nps * 0.7, 1, 7).round())
    straight = frame.assign(ces=np.clip(nps * 0.7, 1, 7).round())
    assert ("ces", "turned") in answers(turned).doubts
    assert answers(straight).doubts == ()


# Levels and intervals -----------------------------------------------------------------------


def test_correctness_of_the_adjusted_wald_interval_by_hand() -> None:
    # 36 answers, 16 promoters, 8 detractors: 39, 16.75 and 8.75 with the three added
    p, d = 16.75 / 39, 8.75 / 39
    margin = 1.959964 * math.sqrt((p + d - (p - d) ** 2) / 39)
    low, high = nps_many([16], [8], [36])
    assert low[0] == pytest.approx(100 * (p - d - margin), abs=1e-4)
    assert high[0] == pytest.approx(100 * (p - d + margin), abs=1e-4)


@pytest.mark.parametrize("n", [FEWEST, 100])
@pytest.mark.parametrize(
    "shares",
    [(0.5, 0.3, 0.2), (0.7, 0.25, 0.05), (0.1, 0.3, 0.6), (0.05, 0.9, 0.05), (0.9, 0.08, 0.02)],
)
def test_the_interval_covers_in_95_of_100_samples(n: int, shares: tuple[float, ...]) -> None:
    # every sample there can be, with its probability: no luck in it
    up, down = (x.ravel() for x in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    up, down = up[up + down <= n], down[up + down <= n]
    chance = multinomial.pmf(np.column_stack([up, n - up - down, down]), n, shares)
    low, high = nps_many(up, down, np.full(len(up), n))
    truth = 100 * (shares[0] - shares[2])
    covered = float(chance[(low <= truth) & (truth <= high)].sum())
    assert chance.sum() == pytest.approx(1)
    # cautious where nearly all are passive, never bold
    assert 0.935 < covered < 0.995


def test_a_level_below_the_floor_is_held_back() -> None:
    scored = answers(scores(*[9] * (FEWEST - 1))).latest("nps")
    assert level_of("nps", scored) is None


def test_all_promoters_have_an_interval_and_no_score_above_100() -> None:
    at = level_of("nps", answers(scores(*[10] * 40)).latest("nps"))
    assert at is not None
    assert (at.value, at.high) == (100, 100)
    assert 70 < at.low < 100


def test_the_levels_are_sqls() -> None:
    made, base = client()
    found = of_base(base, table_of(base))
    assert found is not None
    frame = made.survey
    promoters, detractors, n, top, ease = duckdb.sql(
        """
        select count(*) filter (nps >= 9), count(*) filter (nps <= 6), count(*),
               avg((csat >= 4)::int), avg(ces)
        from frame where not isnan(nps)
        """
    ).fetchall()[0]
    got = metrics(found)
    assert got["survey.nps"].value == pytest.approx(100 * (promoters - detractors) / n)
    assert got["survey.promoters"].value == pytest.approx(promoters / n)
    assert got["survey.promoters"].low == pytest.approx(
        proportion_confint(promoters, n, method="wilson")[0]
    )
    assert got["survey.csat"].value == pytest.approx(top)
    assert got["survey.ces"].value == pytest.approx(ease)
    assert got["survey.answers"].value == n
    assert got["survey.response_rate"].value == pytest.approx(n / len(frame))


def test_a_change_compares_who_answered_twice_with_themselves() -> None:
    rng = np.random.default_rng(5)
    first = rng.integers(0, 11, 400).astype(float)
    later_ = np.clip(first + (rng.random(400) < 0.15), 0, 10)
    same = change(
        "nps",
        answers(scores(*first, day="2023-09-01")).latest("nps"),
        answers(scores(*later_)).latest("nps"),
    )
    others = change(
        "nps",
        answers(scores(*first, day="2023-09-01")).latest("nps"),
        answers(scores(*later_, first=1_000)).latest("nps"),
    )
    assert same is not None
    assert others is not None
    assert same.change == pytest.approx(others.change)
    assert same.high - same.low < 0.6 * (others.high - others.low)
    # of separate customers it is the plain interval of two means
    groups = NPS.group(first), NPS.group(later_)
    error = math.sqrt(sum(100**2 * g.var() / len(g) for g in groups))
    assert others.high - others.low == pytest.approx(2 * 1.96 * error, rel=0.01)


def answered_over(months: int, each: int, rng: np.random.Generator, slope: float) -> pd.DataFrame:
    parts = []
    for month in range(months):
        p = np.array([0.3, 0.3, 0.4]) + slope * month * np.array([1, 0, -1])
        group = rng.choice([-1, 0, 1], size=each, p=p)
        day = pd.Timestamp("2023-01-15") + pd.DateOffset(months=month)
        names = [f"c{month * each + i}" for i in range(each)]
        parts.append(pd.DataFrame({"customer": names, "date": day, "group": group}))
    return pd.concat(parts, ignore_index=True)


def test_months_that_only_chance_moves_are_said_to_move_in_1_of_20() -> None:
    rng = np.random.default_rng(6)
    runs = 200
    alarms = 0
    for _ in range(runs):
        got = over_time("nps", answered_over(6, 60, rng, 0.0))
        assert got is not None
        alarms += got.moves != "steady"
    assert alarms <= binom.ppf(0.999, runs, 0.05)


def test_a_score_that_falls_is_said_to_fall() -> None:
    got = over_time("nps", answered_over(10, 150, np.random.default_rng(7), 0.02))
    assert got is not None
    assert (got.grain, got.moves, len(got.frame)) == ("month", "down", 10)


def test_months_with_few_answers_become_quarters() -> None:
    got = over_time("nps", answered_over(12, 20, np.random.default_rng(8), 0.0))
    assert got is not None
    assert (got.grain, got.frame["n"].tolist()) == ("quarter", [60] * 4)


def test_groups_that_only_chance_tells_apart_stand_out_in_1_of_20_breakdowns() -> None:
    rng = np.random.default_rng(9)
    runs, alarms = 200, 0
    for _ in range(runs):
        scored = answered_over(1, 400, rng, 0.0)
        groups = pd.Series(rng.choice(list("abcde"), 400), index=scored["customer"])
        got = by_group("nps", scored, "market", groups)
        assert got is not None
        alarms += bool((got.frame["stands_out"] != 0).any())
    assert alarms <= binom.ppf(0.999, runs, 0.05)


def test_a_group_below_the_floor_is_held_back_but_counts_among_the_others() -> None:
    scored = answered_over(1, 200, np.random.default_rng(10), 0.0)
    names = ["a"] * 100 + ["b"] * 80 + ["c"] * 20
    got = by_group("nps", scored, "market", pd.Series(names, index=scored["customer"]))
    assert got is not None
    assert got.frame["group"].tolist() == ["a", "b"]
    assert (got.held_back, got.held_back_n) == (1, 20)
    assert got.frame["rest"].iloc[0] == pytest.approx(100 * scored["group"].iloc[100:].mean())


# For whom the answers speak -----------------------------------------------------------------


def lopsided(rng: np.random.Generator, n: int = 3_000) -> tuple[pd.Series, pd.DataFrame, ...]:
    """Loyal customers answer more and score higher: the groups and states of who answered, all
    states, and the score of all.
    """
    loyal = rng.normal(size=n)
    target = pd.DataFrame(
        {
            "purchases": 1.0 + rng.poisson(np.exp(0.7 + 0.6 * loyal)),
            "away": np.round(rng.exponential(90 * np.exp(-0.5 * loyal))),
            "revenue": np.exp(4 + 0.5 * loyal + rng.normal(0, 0.4, n)),
            "tenure": rng.integers(200, 900, n).astype(float),
        }
    )
    shown = 0.6 * (np.log(target["purchases"]) - 0.8) - 0.45 * (np.log1p(target["away"]) - 4)
    score = np.clip(np.round(8 + 1.8 * (0.8 * shown + rng.normal(size=n))), 0, 10)
    group = pd.Series(NPS.group(score), index=target.index)
    tells = rng.random(n) < 1 / (1 + np.exp(1.2 - 1.3 * shown))
    return group[tells], target[tells], target, group


def test_weighting_recovers_the_score_of_all_where_the_raw_one_is_off() -> None:
    rng = np.random.default_rng(12)
    runs, covered, raw_covered, errors = 120, 0, 0, []
    for _ in range(runs):
        group, state, target, everybody = lopsided(rng)
        got = weigh("nps", group, state, target)
        assert got is not None
        truth = 100 * float(everybody.mean())
        low, high = nps_many([(group == 1).sum()], [(group == -1).sum()], [len(group)])
        covered += got.low <= truth <= got.high
        raw_covered += bool(low[0] <= truth <= high[0])
        errors.append((got.value - truth, got.raw - truth))
    weighted, raw = np.mean(errors, axis=0)
    assert abs(weighted) < 1.5
    assert raw > 8
    assert raw_covered < 0.1 * runs
    assert covered >= binom.ppf(0.001, runs, 0.95)


def test_weights_give_the_answers_the_customers_classes_and_stay_bounded() -> None:
    _, state, target, _ = lopsided(np.random.default_rng(13))
    weights, _ = raked(state, target)
    assert weights.mean() == pytest.approx(1)
    assert weights.max() <= MOST_WEIGHT * 1.001
    for name in state:
        cut = float(np.quantile(target[name], 0.4, method="inverted_cdf"))
        share = float(weights[state[name] <= cut].sum() / weights.sum())
        assert share == pytest.approx(float((target[name] <= cut).mean()), abs=0.01)


def test_answers_like_the_customers_are_left_as_they_are() -> None:
    rng = np.random.default_rng(14)
    _, _, target, everybody = lopsided(rng)
    drawn = rng.random(len(target)) < 0.4
    got = weigh("nps", everybody[drawn], target[drawn], target)
    assert got is not None
    assert not got.differ
    assert got.design_effect < 1.1
    assert abs(got.shift.change) < 3


def test_a_handful_that_would_stand_for_nearly_all_is_not_weighted() -> None:
    rng = np.random.default_rng(15)
    many = pd.DataFrame(
        {
            "purchases": 1.0 + (rng.random(5_000) < 0.01) * 30,
            "away": 100.0,
            "revenue": 50.0,
            "tenure": 300.0,
        }
    )
    few = many.iloc[:60].assign(purchases=np.where(np.arange(60) < 12, 1.0, 31.0))
    group = pd.Series(np.ones(60), index=few.index)
    assert weigh("nps", group, few, many) is None


# What they buy after ------------------------------------------------------------------------


def test_histories_and_groups_are_sqls() -> None:
    made, base = client()
    asked = made.survey.sample(300, random_state=1)
    got = histories(base, asked[["customer", "date"]], 45)
    orders = made.orders.assign(date=made.orders["date"].dt.date)  # noqa: F841
    question = asked[["customer"]].assign(row_at=asked.index, day=asked["date"].dt.date)  # noqa: F841
    expected = duckdb.sql(
        """
        select question.row_at,
               count(distinct o.date) filter (o.date <= day) as purchases,
               min(date_diff('day', o.date, day)) filter (o.date <= day) as away,
               max(date_diff('day', o.date, day)) filter (o.date <= day) as tenure,
               sum(amount) filter (o.date <= day) as revenue,
               coalesce(bool_or(o.date > day and o.date <= day + 45), false) as came_back,
               coalesce(sum(amount) filter (o.date > day and o.date <= day + 45), 0) as spend
        from question join orders o using (customer)
        group by question.row_at, day having purchases > 0
        """
    ).df()
    expected = expected.set_index("row_at").loc[got.index]
    assert len(got) == 300
    pd.testing.assert_frame_equal(
        got, expected[got.columns], check_dtype=False, check_names=False, rtol=1e-9
    )
    markets = made.orders.drop_duplicates("customer").set_index("customer")["market"]
    mine = main_group(base, "market", pd.Index(asked["customer"]))
    assert mine.to_dict() == markets[asked["customer"]].to_dict()


def test_states_leave_out_who_had_not_bought_for_long() -> None:
    _, base = client()
    day = dt.date(2024, 9, 1)
    states = states_at(base, day, dt.date(2024, 7, 1))
    assert states["away"].between(0, 62).all()
    assert 0 < len(states) < len(base.customers(day))


def followed(
    rng: np.random.Generator, n: int, effect: float
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Who was asked, what they had bought and bought after, and the true difference."""
    loyal = rng.normal(size=n)
    history = pd.DataFrame(
        {
            "purchases": 1.0 + rng.poisson(np.exp(0.7 + 0.6 * loyal)),
            "away": np.round(rng.exponential(90 * np.exp(-0.5 * loyal))),
            "revenue": np.exp(4 + 0.5 * loyal + rng.normal(0, 0.4, n)),
            "tenure": rng.integers(200, 900, n).astype(float),
        }
    )
    shown = 0.6 * (np.log(history["purchases"]) - 0.8) - 0.45 * (np.log1p(history["away"]) - 4)
    score = np.clip(np.round(8 + 1.8 * (0.8 * shown + rng.normal(size=n))), 0, 10)
    kind = NPS.group(score)
    logit = -0.3 + 1.1 * shown.to_numpy()
    chance = [1 / (1 + np.exp(-(logit + effect * half))) for half in (0.0, 0.5, 1.0)]
    own = np.choose(kind + 1, chance)
    history["came_back"] = rng.random(n) < own
    history["spend"] = np.where(history["came_back"], rng.gamma(2, 20, n), 0.0)
    names = {1: "best", 0: "middle", -1: "worst"}
    first = pd.DataFrame(
        {
            "customer": [f"c{i}" for i in range(n)],
            "date": pd.Timestamp("2024-08-15") + pd.to_timedelta(rng.integers(0, 20, n), unit="D"),
            "score": score,
            "kind": [names[int(k)] for k in kind],
        }
    )
    return first, history, float((chance[2] - chance[0]).mean())


@cache
def many_followed(effect: float, runs: int = 80) -> tuple[list[Later], list[float]]:
    rng = np.random.default_rng(21)
    got, truth = [], []
    for _ in range(runs):
        first, history, true = followed(rng, 900, effect)
        one = later("nps", first, history, 90, AS_OF)
        assert one is not None
        got.append(one)
        truth.append(true)
    return got, truth


@pytest.mark.slow
def test_without_an_association_like_is_told_from_like_in_1_of_20() -> None:
    got, _ = many_followed(0.0)
    alarms = sum(one.alike is not None and one.alike.leaves_out_zero for one in got)
    raw = sum(one.raw.leaves_out_zero for one in got)
    assert sum(one.alike is not None for one in got) > 0.95 * len(got)
    assert alarms <= binom.ppf(0.999, len(got), 0.05)
    # loyal customers score higher, so that the plain difference is nearly always there
    assert raw > 0.6 * len(got)
    spend = sum(one.spend_alike is not None and one.spend_alike.leaves_out_zero for one in got)
    assert spend <= binom.ppf(0.999, len(got), 0.05)


@pytest.mark.slow
def test_on_real_purchases_made_up_scores_raise_no_more_alarms_than_chance(root: Path) -> None:
    # what CDNOW's customers did is theirs; their scores hang on what they had bought before, and on
    # luck, so that nothing is to be found among customers who had bought alike
    file = root / "params" / "cdnow.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    day = pd.Timestamp("1997-10-01")
    everybody = base.customers(day.date()).index
    history = histories(base, pd.DataFrame({"customer": everybody, "date": day}), 180)
    known = np.log(history["purchases"]) - 0.5 * np.log1p(history["away"])
    standard = ((known - known.mean()) / known.std()).to_numpy()
    rng = np.random.default_rng(25)
    runs, alarms, raw, compared = 30, 0, 0, 0
    for _ in range(runs):
        drawn = rng.choice(len(history), 1_200, replace=False)
        score = np.clip(np.round(8 + 1.8 * (0.5 * standard[drawn] + rng.normal(size=1_200))), 0, 10)
        kind = np.choose(NPS.group(score) + 1, ["worst", "middle", "best"])
        asked = {"customer": everybody[drawn], "date": day, "score": score, "kind": kind}
        own = history.iloc[drawn].reset_index(drop=True)
        got = later("nps", pd.DataFrame(asked), own, 180, base.as_of)
        assert got is not None
        raw += got.raw.leaves_out_zero
        compared += got.alike is not None
        alarms += got.alike is not None and got.alike.leaves_out_zero
    assert compared > 0.9 * runs
    assert raw > 0.8 * runs
    assert alarms <= binom.ppf(0.999, compared, 0.05)


@pytest.mark.slow
def test_the_interval_among_alike_covers_the_true_difference() -> None:
    got, truth = many_followed(0.8)
    pairs = [(one.alike, true) for one, true in zip(got, truth, strict=True) if one.alike]
    assert len(pairs) > 0.95 * len(got)
    covered = sum(gap.low <= true <= gap.high for gap, true in pairs)
    assert covered >= binom.ppf(0.001, len(pairs), 0.95)
    assert np.mean([gap.change - true for gap, true in pairs]) == pytest.approx(0, abs=0.015)
    assert np.mean([one.raw.change for one in got]) > np.mean(truth) + 0.08


@pytest.mark.slow
def test_a_score_that_says_nothing_adds_nothing_on_customers_not_seen() -> None:
    got, _ = many_followed(0.0)
    gains = [one.adds.gain for one in got if one.adds is not None]
    assert len(gains) == len(got)
    assert sum(gain.low > 0 for gain in gains) <= binom.ppf(0.999, len(got), 0.05)


def test_a_score_that_says_all_adds_much() -> None:
    first, history, _ = followed(np.random.default_rng(22), 1_000, 3.0)
    got = later("nps", first, history, 90, AS_OF)
    assert got is not None
    assert got.adds is not None
    assert got.adds.gain.low > 0.02
    assert got.adds.score > got.adds.history


def test_groups_that_had_bought_too_differently_are_not_compared() -> None:
    first, history, _ = followed(np.random.default_rng(23), 900, 0.5)
    order = np.argsort(history["purchases"].to_numpy() - 0.01 * history["away"].to_numpy())
    kinds = np.repeat(["worst", "middle", "best"], 300)
    first.loc[first.index[order], "kind"] = kinds
    got = later("nps", first, history, 90, AS_OF)
    assert got is not None
    assert (got.alike, got.why_not) == (None, "unlike")
    assert got.groups["alike"].isna().all()


@pytest.mark.parametrize("back", [True, False])
def test_where_all_or_none_came_back_there_is_nothing_to_compare(back: bool) -> None:
    first, history, _ = followed(np.random.default_rng(24), 600, 0.0)
    got = later("nps", first, history.assign(came_back=back, spend=0.0), 90, AS_OF)
    assert got is not None
    assert (got.alike, got.why_not, got.adds) == (None, "all_or_none", None)


def test_the_first_question_counts_also_where_it_was_not_answered() -> None:
    frame = pd.concat([scores(NAN, 9, day="2024-03-01"), scores(10, 2, day="2024-05-01")])
    got = answers(frame)
    first = first_asked(got.rows, got.scored("nps")).set_index("customer")
    assert first["kind"].to_dict() == {"k00000": "silent", "k00001": "best"}
    assert first["date"].dt.month.unique().tolist() == [3]


def test_the_window_is_over_for_most_and_is_chosen_by_the_days_alone() -> None:
    def first(*ages: int) -> pd.DataFrame:
        days = pd.Timestamp(AS_OF) - pd.to_timedelta(np.array(ages), unit="D")
        return pd.DataFrame({"date": days, "kind": "best"})

    assert window_of(first(*[400] * 90, *[10] * 10), AS_OF) == 365
    assert window_of(first(*[100] * 100), AS_OF) == 90
    # a few are over for a longer window: the shortest that carries it is taken
    assert window_of(first(*[200] * 70, *[5] * 200), AS_OF) == 30
    assert window_of(first(*[200] * 20, *[5] * 200), AS_OF) is None


def test_whose_window_is_not_over_is_left_out_and_told() -> None:
    made, base = client()
    late = made.survey.copy()
    late.loc[late.index[:400], "date"] = pd.Timestamp("2024-12-20")
    got = survey(base, late, table_of(base)).later
    assert got is not None
    assert got.unfinished == 400
    assert got.n == len(made.survey) - 400


# The whole ----------------------------------------------------------------------------------


def test_a_client_with_a_known_truth_is_told_it(found: Survey) -> None:
    made, _ = client()
    weighting, after = found.weighting, found.later
    assert weighting is not None
    assert after is not None
    assert after.alike is not None
    assert weighting.low < made.nps < weighting.high < found.levels["nps"].value
    assert after.alike.low < made.difference < after.alike.high < after.raw.change
    told = said(found)
    assert any("Quote this one" in one for one in told)
    assert any("had both bought alike before" in one for one in told)
    assert any("It is association" in one for one in told)
    assert not any("nan" in one.lower().split() for one in told)


@pytest.mark.parametrize(
    ("raw", "alike", "sentence"),
    [
        ((0.2, 0.1, 0.3), (0.1, 0.02, 0.18), "40.0% and 30.0%"),
        ((0.2, 0.1, 0.3), (0.05, -0.02, 0.12), "among customers who had bought alike no diff"),
        ((0.02, -0.1, 0.1), (0.1, 0.02, 0.18), "promoters came back more often than detractors"),
        ((0.02, -0.1, 0.1), (-0.1, -0.18, -0.02), "promoters came back less often than detract"),
        ((0.02, -0.1, 0.1), (0.0, -0.1, 0.1), "no more often than detractors by more than"),
        ((-0.2, -0.3, -0.1), None, "came back less often than detractors"),
        ((0.2, 0.1, 0.3), None, "what of it is the score can't be told"),
    ],
)
def test_no_more_is_said_than_the_intervals_bear(
    found: Survey,
    raw: tuple[float, ...],
    alike: tuple[float, ...] | None,
    sentence: str,
) -> None:
    assert found.later is not None
    groups = found.later.groups.assign(alike=[0.4, 0.35, 0.3, 0.35])
    at = dataclasses.replace(
        found.later,
        groups=groups,
        raw=Difference(*raw),
        alike=None if alike is None else Difference(*alike),
        why_not="few" if alike is None else None,
    )
    assert sentence in later_findings.heading(at)
    told = later_findings.alike(at)
    assert ("more often than" in told) == (alike is not None and alike[1] > 0)
    assert ("By this estimate most" in told) == (alike == (0.05, -0.02, 0.12))


def test_every_figure_has_a_name_a_definition_and_a_value_or_a_reason(found: Survey) -> None:
    got = metrics(found)
    mine = [name for name in UNITS if name.startswith("survey.")]
    defined = {name for group in DEFINITIONS.values() for name in group}
    assert list(got) == mine
    assert set(mine) <= set(LABELS)
    assert set(mine) <= defined
    for name, metric in got.items():
        assert metric.unit == UNITS[name]
        json.dumps(metric.as_json(), allow_nan=False)
        if metric.unit in ("share", "number"):
            assert metric.low is not None
            assert metric.value is not None
            assert metric.low <= metric.value <= metric.high


def test_the_unhappy_of_high_value_are_the_oracles(found: Survey) -> None:
    made, base = client()
    table = table_of(base)
    low = made.survey[made.survey["nps"] <= 6].set_index("customer")
    best = table["clv"] >= np.quantile(table["clv"], 0.8)
    expected = table[best & table.index.isin(low.index)].sort_values("clv", ascending=False)
    listed = found.listed
    assert listed.detractors.index.tolist() == expected.index.tolist()
    assert listed.at_stake == pytest.approx(expected["clv"].sum())
    assert (listed.detractors["score"] == low.loc[expected.index, "nps"]).all()
    lists = {one.id: one for one in action_lists(listed)}
    assert [*lists["unhappy"].everyone.columns] == [*survey_lists.OWN, *COLUMNS]
    assert (lists["recommenders"].everyone["p_alive"] >= 0.5).all()
    everyone = [set(one.everyone.index) for one in lists.values()]
    assert not set.intersection(*everyone)


def test_segments_are_those_of_the_day_of_the_answer() -> None:
    # the report of the day itself, which knows nothing of what came after
    made, base = client()
    day = dt.date(2024, 9, 1)
    then = base.at(day)
    scored = made.survey[made.survey["nps"].notna()].assign(date=pd.Timestamp(day))
    segments = rfm(then.customers(), day).scores["segment"].reindex(scored["customer"])
    expected = scored["nps"].set_axis(scored["customer"]).groupby(segments, observed=True).size()
    got = survey(base, scored, table_of(base)).groups[0]
    assert got.by == "segment"
    assert len(got.frame) > 4
    assert got.frame.set_index("group")["n"].to_dict() == expected[expected >= FEWEST].to_dict()


@pytest.mark.slow
def test_what_is_expected_of_the_unhappy_has_the_forecasts_interval() -> None:
    made = made_up(900, effect=0.6, seed=31)
    with kept_folder() as (folder, keep):
        made.write(folder)
        base = keep(read(folder))
    forecast_ = forecast(base)
    customers = prepare(base, forecast_).customers
    got = of_base(base, customers, forecast_)
    assert got is not None
    assert 0 < got.listed.low < got.listed.at_stake < got.listed.high
    metric = metrics(got)["survey.detractors_at_stake"]
    assert (metric.low, metric.high) == pytest.approx((got.listed.low, got.listed.high))
    told = survey_parts.sections(got, Page(EN))
    assert any("What they bring will lie between" in str(part) for part in told)


def test_without_a_forecast_value_is_revenue_and_nothing_is_said_of_what_is_expected() -> None:
    made, base = client()
    got = survey(base, made.survey, table_of(base).assign(clv=NAN))
    assert not got.listed.by_clv
    assert metrics(got)["survey.detractors_at_stake"].value is None
    revenue = got.listed.detractors["revenue"]
    assert len(revenue) > 0
    assert revenue.is_monotonic_decreasing
    assert "expected" not in later_findings.unhappy(got.listed)


def test_satisfaction_leads_where_nobody_was_asked_whether_they_recommend() -> None:
    made, _ = client()
    got = with_answers(made.survey.assign(nps=NAN))
    assert got.lead == "csat"
    told = said(got)
    assert any("satisfied customers" in one for one in told)
    assert not any("romoter" in one for one in told[1:])
    assert metrics(got)["survey.nps_weighted"].value is None


def test_a_period_with_too_few_answers_takes_all_and_says_so() -> None:
    made, base = client()
    old = made.survey.assign(date=made.survey["date"] - pd.DateOffset(years=1))
    got = survey(base, old, table_of(base))
    assert not got.in_period
    assert got.span == Window(
        old["date"].min().date(), old.loc[old["nps"].notna(), "date"].max().date()
    ) or (got.span.end < base.windows.period.start)
    assert "too few, so all answers are taken" in findings.sure(got)


def test_two_periods_are_compared() -> None:
    made, base = client()
    worse = made.survey.assign(
        date=made.survey["date"] - pd.DateOffset(years=1),
        nps=np.maximum(made.survey["nps"] - 3, 0),
    )
    got = survey(base, pd.concat([worse, made.survey]), table_of(base))
    moved = got.changes["nps"]
    assert moved.low > 0
    assert "up by more than chance explains" in findings.sure(got)
    assert metrics(got)["survey.nps"].previous == pytest.approx(got.before["nps"].value)


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (scores(), "Nobody who was asked has answered yet"),
        (scores(*[NAN] * 50), "Nobody who was asked has answered yet"),
        (scores(*[9] * 12), "There are 12 answers, too few to tell what customers say"),
        (scores(4), "There is 1 answer, too few to tell what customers say"),
        (
            scores(*[5, 4, 3] * 30),
            "The scores are on another scale than from 0 to 10: none is told",
        ),
        (
            scores(*[10] * 200),
            "The Net Promoter Score is 100: 100.0% promoters less 0.0% detractors",
        ),
        (
            scores(*[0] * 180, *[8] * 20),
            "The Net Promoter Score is −90: 0.0% promoters less 90.0% detractors",
        ),
        (scores(*[8] * 200), "The Net Promoter Score is 0: 0.0% promoters less 0.0% detractors"),
        (
            scores(*[9, 3] * 100, day="2024-12-30"),
            "The Net Promoter Score is 0: 50.0% promoters less 50.0% detractors",
        ),
    ],
)
def test_data_that_says_little_gets_a_plain_sentence(frame: pd.DataFrame, sentence: str) -> None:
    got = with_answers(frame)
    told = said(got)
    assert told[1] == sentence
    for metric in metrics(got).values():
        json.dumps(metric.as_json(), allow_nan=False)


def test_rows_and_scores_left_out_are_told_by_cause() -> None:
    made = made_up(400, seed=5)
    late = made.survey.head(30).assign(date=pd.Timestamp("2025-02-01"))
    wrong = made.survey.iloc[30:45].assign(nps=55.0, date=pd.Timestamp("2024-11-01"))
    with kept_folder() as (folder, keep):
        made.write(folder)
        more = pd.concat([made.survey, late, wrong])
        dataclasses.replace(made, survey=more).write(folder)
        base = keep(read(folder))
    got = of_base(base, table_of(base))
    assert got is not None
    assert got.answers.rows_in == 415
    assert got.left_out["rows"].tolist() == [30]
    assert of_data.left_out(got)["rows"].tolist() == [30, 15]
    assert "15 NPS scores lie outside the scale from 0 to 10" in said(got)[6]


def test_answers_of_strangers_make_a_level_and_nothing_else() -> None:
    frame = scores(*[10, 9, 7, 3] * 50, first=90_000)
    got = with_answers(frame)
    assert got.unmatched == 200
    assert got.levels["nps"].value == pytest.approx(25)
    assert (got.weighting, got.unweighted) == (None, "few_known")
    assert got.later is None
    told = said(got)
    assert any("200 customers who answered have no purchase in the orders" in one for one in told)
    assert any("can't be weighted" in one for one in told)


def test_a_report_in_another_currency_and_language_fills_every_sentence(found: Survey) -> None:
    page = Page(Formats("nb", "NOK"))
    for part in survey_parts.sections(found, page):
        assert "{" not in str(part)


def test_reading_another_order_of_rows_gives_the_same(found: Survey) -> None:
    made, base = client()
    mixed = survey(base, made.survey.sample(frac=1, random_state=2), table_of(base))
    assert {k: dataclasses.asdict(m) for k, m in metrics(mixed).items()} == {
        k: dataclasses.asdict(m) for k, m in metrics(found).items()
    }


def test_names_from_data_are_neither_markup_nor_templates() -> None:
    evil = "<img src=x onerror=alert(1)> {value} $x^2$ **b**"
    scored = answered_over(1, 200, np.random.default_rng(40), 0.0)
    scored.loc[:99, "group"] = 1
    groups = pd.Series([evil] * 100 + ["b"] * 100, index=scored["customer"])
    got = by_group("nps", scored, "market", groups)
    assert got is not None
    assert got.frame["stands_out"].abs().sum() == 2
    at = level_of("nps", scored.assign(score=5.0))
    assert at is not None
    page = Page(EN)
    section = page.section(of_groups.groups((got,)), name="Scores by group")
    assert "<img" not in str(section.data["text/html"])
    assert "{value}" in survey_parts.groups_figure(got, at, EN).alt
