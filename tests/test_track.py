"""On track: what changed beyond chance, targets, benchmarks, and what the client file may ask."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle.movements import retention_change
from pydantic import ValidationError

from retention_lib.data import history
from retention_lib.data.builtins import open_builtin
from retention_lib.data.read import read_base
from retention_lib.errors import ClientFileError
from retention_lib.metrics import UNBOUNDED, UNITS, Metric, is_metric, unknown
from retention_lib.params import Params, read_client_file
from retention_lib.report import track_parts
from retention_lib.report.findings import track as findings
from retention_lib.report.labels import LABELS
from retention_lib.report.language import Formats
from retention_lib.report.voice import page_of
from retention_lib.retention.changes import changes, ratio_change
from retention_lib.retention.kpis import metrics_at_each
from retention_lib.retention.targets import (
    MISSED,
    PERHAPS,
    REACHED,
    SHORT,
    UNKNOWN,
    benchmarks,
    targets,
)
from retention_lib.retention.trends import pace, trends

THEN, NOW = "2024-03-31", "2024-06-30"
DAY = dt.date(2024, 3, 31)


# What changed --------------------------------------------------------------------------------


def test_the_error_of_a_change_is_the_one_that_sql_adds_up_on_cdnow() -> None:
    params = Params(
        client="c",
        currency="USD",
        source="builtin:cdnow",
        period_months=6,
        active_months=6,
    )
    base = read_base(params, Path.cwd())
    then = dt.date(1998, 3, 31)
    at = metrics_at_each(base, [base.as_of, then])
    rows = open_builtin(ibis.duckdb.connect(), "builtin:cdnow")[0].execute()
    rows = rows.rename(columns={"time": "date"})[["customer", "date", "amount"]]
    rows = rows.astype({"amount": float})
    found = changes(
        base,
        at[base.as_of],
        said(at[then], "1998-03-31", base),
        at[then],
        ["retention.rate", "customers.at_end", "retention.repeat_90d"],
        track_parts.today(base, at[base.as_of]),
    ).set_index("metric")
    change, error = retention_change(
        rows, then="1998-03-31", now="1998-06-30", period_months=6, active_months=6
    )
    row = found.loc["retention.rate"]
    assert row["change"] == pytest.approx(change)
    assert row["high"] - row["change"] == pytest.approx(1.959964 * error, rel=1e-6)
    assert row["reported"] == row["then"]
    # a count is counted in full; nobody new was watched for 90 days, so nothing can have changed
    assert found.loc[["customers.at_end", "retention.repeat_90d"], "low"].isna().all()


def said(metrics: dict[str, Metric], day: str, base: Any) -> pd.DataFrame:
    """Rows of a history, as a report of that day would have left them."""
    defined = track_parts.today(base, metrics)
    return history._frame([row(day, name, one, defined) for name, one in metrics.items()])


def row(day: str, name: str, one: Metric, defined: str = "{}") -> dict[str, Any]:
    fields = {k: getattr(one, k) for k in ("value", "unit", "low", "high", "n", "note")}
    about = {"definition": defined, "fingerprint": "x", "version": "1", "made_at": day}
    return {"as_of": day, "metric": name, **fields, **about}


def test_a_change_of_shared_customers_is_surer_than_of_strangers() -> None:
    rng = np.random.default_rng(0)
    x = np.ones(2000)
    before = (rng.random(2000) < 0.4).astype(float)
    after = np.where(rng.random(2000) < 0.1, 1 - before, before)
    shared = ratio_change(before, x, after, x)
    zero = np.zeros(2000)
    strangers = ratio_change(
        np.concatenate([before, zero]),
        np.concatenate([x, zero]),
        np.concatenate([zero, after]),
        np.concatenate([zero, x]),
    )
    assert shared.change == pytest.approx(strangers.change)
    assert shared.high - shared.low < 0.5 * (strangers.high - strangers.low)


def test_the_interval_of_a_change_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    holds = 0
    for _ in range(400):
        kind = rng.beta(2, 3, 400)  # each customer's own inclination, on both days the same
        x1, x2 = rng.random(400) < 0.7, rng.random(400) < 0.7
        y1, y2 = x1 & (rng.random(400) < kind), x2 & (rng.random(400) < kind)
        found = ratio_change(y1, x1, y2, x2)
        holds += found.low <= 0 <= found.high
    assert 0.92 <= holds / 400 <= 0.98


@given(st.integers(30, 200), st.integers(0, 2**32 - 1))
def test_a_weight_stands_for_as_many_customers(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x1, x2 = (rng.integers(0, 2, n).astype(float) for _ in range(2))
    y1, y2 = (x * rng.integers(0, 2, n) for x in (x1, x2))
    weights = rng.integers(1, 4, n)
    each = ratio_change(*(np.repeat(v, weights) for v in (y1, x1, y2, x2)))
    assume(each is not None)
    assert ratio_change(y1, x1, y2, x2, weights) == pytest.approx(each, nan_ok=True)


def test_too_few_customers_give_no_interval() -> None:
    assert ratio_change([1] * 29, [1] * 29, [0] * 29, [1] * 29) is None


def changed(*stands: int, then: float = 0.4, now: float = 0.5) -> pd.DataFrame:
    names = ["retention.rate", "clv.total", "orders.aov"][: len(stands)]
    return pd.DataFrame(
        {
            "metric": names,
            "unit": [UNITS[n] for n in names],
            "reported": then,
            "then": then,
            "now": now,
            "change": now - then,
            "low": -1.0,
            "high": 1.0,
            "p": 0.5,
            "stands": stands,
            "redefined": "",
        }
    )


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (changed(1), "Retention rate: up since 2024-03-31, from 40.0% to 50.0%"),
        (changed(-1, then=0.5, now=0.4), "Retention rate: down since 2024-03-31, from 50.0%"),
        (changed(1, 0, -1), "; 1 more have changed too"),
        (changed(0, 0), "No rate or value has changed since 2024-03-31 by more than chance"),
        (changed(0).assign(low=np.nan), "can't be told from chance"),
    ],
)
def test_the_heading_says_what_changed(frame: pd.DataFrame, says: str) -> None:
    assert says in findings.heading(frame, DAY)


def test_a_revised_past_is_told_and_a_rounding_is_not() -> None:
    frame = changed(0).assign(reported=0.4, then=0.4003)
    assert findings.revised(frame, DAY) is None
    told = findings.revised(frame.assign(then=0.415), DAY)
    assert "such as Retention rate with 41.5% where the report said 40.0%" in told
    # another definition is no revision
    assert findings.revised(frame.assign(then=0.415, redefined="start"), DAY) is None
    assert "(start)" in findings.redefined(frame.assign(redefined="start"), DAY)


# Over the reports ----------------------------------------------------------------------------


def series(*values: float, months: tuple[int, ...] = (), half: float = 0.01) -> pd.DataFrame:
    """The retention rate in reports a quarter apart, with the period that each was made for."""
    days = pd.date_range("2023-03-31", periods=len(values), freq="QE")
    defined = [
        json.dumps(
            history.definition_of(
                {
                    "parameters": {"currency": "NOK", "period_months": months[i] if months else 12},
                    "start": "2015-01-01",
                },
                {},
            )
        )
        for i in range(len(values))
    ]
    rows = history._frame(
        [
            row(d.date().isoformat(), "retention.rate", Metric(v, "share", v - half, v + half), k)
            for d, v, k in zip(days[:-1], values[:-1], defined[:-1], strict=True)
        ]
    )
    now = {"retention.rate": Metric(values[-1], "share", values[-1] - half, values[-1] + half)}
    return trends(rows, now, ["retention.rate"], days[-1].date(), defined[-1])


def test_a_line_breaks_where_the_definition_changed() -> None:
    found = series(0.4, 0.41, 0.42, 0.43, months=(12, 12, 6, 6))
    assert found["stretch"].tolist() == [0, 0, 1, 1]
    assert found["redefined"].tolist() == ["", "", "period_months", ""]
    assert pace(found, "retention.rate") is None
    drawn = track_parts.trend_figure(found, {"retention.rate": 0.5}, Formats())
    assert "Its definition changed in between." in drawn.alt


def test_a_pace_is_read_off_three_reports_and_only_beyond_chance() -> None:
    assert pace(series(0.40, 0.44), "retention.rate") is None
    found = pace(series(0.40, 0.42, 0.44), "retention.rate")
    assert (found.reports, found.sure) == (3, True)
    assert found.per_month == pytest.approx(0.04 / 6, rel=0.02)
    assert pace(series(0.40, 0.405, 0.41), "retention.rate").sure is False


def goal_of(value: float, target: float, name: str = "retention.rate", **more: Any) -> Any:
    metric = Metric(value, UNITS[name], more.get("low"), more.get("high"), more.get("n", 2500))
    others = more.get("others", {})
    return targets({name: metric, **others}, {name: target}).iloc[0].to_dict()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((0.40, 0.42, 0.44), "At the pace of the last 3 reports"),
        ((0.48, 0.46, 0.44), "it has moved away by"),
        ((0.44, 0.445, 0.44), "show no pace beyond chance"),
        ((0.43, 0.44), "A pace can be read off 3 reports"),
    ],
)
def test_a_gap_comes_with_the_pace_so_far(values: tuple[float, ...], says: str) -> None:
    told = findings.gap(goal_of(0.44, 0.50), pace(series(*values), "retention.rate"))
    assert says in told


# Targets and benchmarks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "low", "high", "target", "state"),
    [
        ("retention.rate", 0.50, 0.46, 0.54, 0.45, REACHED),
        ("retention.rate", 0.46, 0.42, 0.50, 0.45, PERHAPS),
        ("retention.rate", 0.44, 0.40, 0.48, 0.45, SHORT),
        ("retention.rate", 0.40, 0.36, 0.44, 0.45, MISSED),
        # of a ceiling the other way round
        ("churn.rate", 0.40, 0.36, 0.44, 0.45, REACHED),
        ("churn.rate", 0.44, 0.40, 0.48, 0.45, PERHAPS),
        ("churn.rate", 0.46, 0.42, 0.50, 0.45, SHORT),
        ("churn.rate", 0.50, 0.46, 0.54, 0.45, MISSED),
        ("customers.at_end", 900.0, None, None, 900, REACHED),
        ("customers.at_end", 899.0, None, None, 900, MISSED),
    ],
)
def test_a_target_is_judged_with_the_interval(
    name: str, value: float, low: float | None, high: float | None, target: float, state: str
) -> None:
    found = goal_of(value, target, name, low=low, high=high)
    assert found["state"] == state
    assert np.isnan(found["gap"]) == (state in (REACHED, PERHAPS))


def test_a_gap_is_told_in_customers_and_in_money() -> None:
    told = findings.gap(goal_of(0.322, 0.45), None)
    assert told.startswith(
        "To reach 45.0%, 320 more of 2,500 customers at the start have to stay in a period like "
        "this one. Spread over the next 4 reports that is about 80 customers a report."
    )
    told = findings.gap(goal_of(0.40, 0.35, "churn.rate"), None)
    assert "To get down to 35.0%, 125 fewer of 2,500 customers" in told
    orders = {"orders.count": Metric(1000, "count")}
    told = findings.gap(goal_of(38.0, 40.0, "orders.aov", others=orders), None)
    assert "2.00 more an order to 40.00, about 2,000.00 on as many orders" in told
    assert findings.gap(goal_of(0.5, 0.45), None) is None


@given(st.integers(1, 5000), st.floats(0, 1), st.data())
def test_the_customers_asked_for_close_the_gap_and_one_less_does_not(
    n: int, target: float, data: st.DataObject
) -> None:
    kept = data.draw(st.integers(0, n))
    found = goal_of(kept / n, target, n=n)
    if found["state"] != MISSED:
        assert kept / n >= target - 1e-9
        return
    assert (kept + found["needed"]) / n >= target - 1e-6
    assert (kept + found["needed"] - 1) / n < target


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ((REACHED, REACHED), "All 2 targets are reached"),
        ((MISSED, SHORT), "None of the 2 targets is reached"),
        ((REACHED, MISSED), "1 of 2 targets is reached"),
        ((REACHED, PERHAPS), "2 of 2 targets are reached, 1 of them not surely"),
        ((UNKNOWN,), "None of the targets can be measured yet"),
        ((REACHED,), "Target reached: Retention rate at 50.0%, target 45.0%"),
        ((MISSED,), "Short of the target: Retention rate at 50.0%, target 45.0%"),
    ],
)
def test_the_heading_counts_the_targets(states: tuple[str, ...], says: str) -> None:
    frame = pd.DataFrame(
        {"metric": "retention.rate", "unit": "share", "value": 0.5, "target": 0.45, "state": states}
    )
    assert findings.targets(frame) == says


def test_a_benchmark_stands_beside_the_interval() -> None:
    metrics = {
        "retention.rate": Metric(0.40, "share", 0.38, 0.42, 900),
        "clv.mean": unknown("currency", "Too short."),
    }
    given_ = [
        *(("retention.rate", x, "A survey") for x in (0.30, 0.41, 0.50)),
        ("clv.mean", 90.0, "Another"),
        ("tiers.moved_up", 0.1, "A third"),
    ]
    found = benchmarks(metrics, given_)
    assert found["place"].tolist() == ["above", "within", "below", UNKNOWN, UNKNOWN]
    assert "above 1 and below 1" in findings.benchmarks(found)
    assert "is above the benchmark" in findings.benchmarks(found.iloc[:1])
    assert "can't be told from the benchmark" in findings.benchmarks(found.iloc[1:2].copy())
    assert "can't be compared yet" in findings.benchmarks(found.iloc[3:])
    html = track_parts.benchmarks_table(found, Formats()).as_raw_html()
    assert html.count("A survey") == 3


def test_a_notebook_by_itself_shows_targets_and_benchmarks_and_no_trend() -> None:
    def shown(**asked: Any) -> list[str]:
        params = Params(client="c", currency="USD", source="builtin:cdnow-sample", **asked)
        base = read_base(params, Path.cwd())
        return [str(part) for part in track_parts.sections(base, {}, page_of(base))]

    assert shown() == []
    survey = {"metric": "orders.aov", "value": 30.0, "source": "A survey"}
    parts = shown(targets={"retention.rate": 0.9, "clv.total": 1e6}, benchmarks=[survey])
    assert parts[0] == "None of the 2 targets is reached"
    assert any("is above the benchmark of" in part for part in parts)


# The client file -----------------------------------------------------------------------------


def test_every_metric_that_has_a_name_can_be_a_target() -> None:
    assert [name for name in LABELS if not is_metric(name)] == []
    assert is_metric("model.bgnbd.r")
    assert not is_metric("model.bgnbd")


def test_a_mistyped_metric_and_a_share_in_percent_are_told_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "client: a\ncurrency: USD\nsource: builtin:cdnow\n"
        "targets:\n  retention.rte: 0.4\n  churn.rate: 45\n  clv.total: 5000000\n"
        "benchmarks:\n"
        "  - {metric: retention.rate, value: 38, source: Survey}\n"
        "  - {metric: loyalty.rate, value: 1, source: Survey}\n"
    )
    with pytest.raises(ClientFileError) as caught:
        read_client_file(file)
    told = "\n".join(caught.value.sentences)
    assert 'line 5, targets.retention.rte: found "retention.rte"' in told
    assert "did you mean retention.rate?" in told
    assert "line 6, targets.churn.rate: found 45; churn.rate is a share" in told
    assert "write it as 0.45" in told
    assert "line 9, benchmarks, item 1, value: found 38; retention.rate is a share" in told
    assert 'line 10, benchmarks, item 2, metric: found "loyalty.rate"' in told
    assert len(caught.value.sentences) == 4


@given(st.sampled_from(sorted(UNITS)), st.floats(1.01, 1e6))
def test_no_share_is_more_than_all(name: str, target: float) -> None:
    given_ = {"client": "a", "currency": "USD", "source": "builtin:cdnow"}
    is_bounded = UNITS[name] == "share" and name not in UNBOUNDED
    name = name.replace("<name>", "spring_mail")
    if is_bounded:
        with pytest.raises(ValidationError):
            Params(**given_, targets={name: target})
    else:
        assert Params(**given_, targets={name: target}).targets == {name: target}
