"""This quarter's forecast, kept and scored next quarter."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.models._lifetimes import lifetimes
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.models.score import score_forecast
from retention_lib.models.stored import latest_before, read_model, write_model
from retention_lib.params import Params
from retention_lib.report_files import MODEL

THEN = dt.date(1998, 1, 31)
NOW = dt.date(1998, 6, 30)


def base_of(as_of: dt.date, **given: Any) -> Base:
    values = {
        "client": "cdnow-sample",
        "source": "builtin:cdnow-sample",
        "currency": "USD",
        "time_unit": "week",
        "model": "bgnbd",
        "horizon_months": 6,
    }
    return read_base(Params(**{**values, **given, "as_of": as_of}), Path())


@pytest.fixture(scope="module")
def then() -> Base:
    return base_of(THEN)


@pytest.fixture(scope="module")
def now() -> Base:
    return base_of(NOW)


@pytest.fixture(scope="module")
def made(then: Base) -> Forecast:
    return make_forecast(then)


@pytest.fixture
def path(tmp_path: Path, made: Forecast, then: Base) -> Path:
    write_model(tmp_path / MODEL, made, then)
    return tmp_path / MODEL


def changed(path: Path, **fields: Any) -> Path:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | fields), encoding="utf-8")
    return path


def test_what_is_read_back_predicts_to_the_last_digit(path, made, then):
    stored = read_model(path)
    model, spend = stored.purchase_model, stored.spend_model
    assert isinstance(model, lifetimes.BetaGeoFitter)
    assert (model.time_unit, model.as_of) == ("week", THEN.isoformat())
    assert stored.grain == "day"
    customers = then.customers()
    columns = [customers[c] for c in ("frequency", "recency", "T")]
    for name in ("predict", "conditional_expected_number_of_purchases_up_to_time"):
        again = getattr(model, name)(26, *columns)
        np.testing.assert_array_equal(again, made.purchase_model.predict(26, *columns))
    np.testing.assert_array_equal(
        spend.conditional_expected_average_profit(
            customers["frequency"], customers["monetary_value"]
        ),
        made.spend_model.conditional_expected_average_profit(
            customers["frequency"], customers["monetary_value"]
        ),
    )
    for before, after in ((made.purchase_model, model), (made.spend_model, spend)):
        np.testing.assert_array_equal(after.log_covariance_, before.log_covariance_)
        assert after.log_likelihood_ == before.log_likelihood_
        assert after.degenerate_ == before.degenerate_
        assert [f.kind for f in after.findings_] == [f.kind for f in before.findings_]
        pd.testing.assert_frame_equal(after.summary, before.summary)


def test_the_file_says_where_it_comes_from_and_what_it_forecast(path, made, then):
    stored = read_model(path)
    assert stored.fingerprint == then.fingerprint
    assert (stored.start, stored.as_of) == (then.start, THEN)
    assert stored.customers == len(then.customers())
    assert {"python", "lifetimes", "numpy"} <= stored.versions.keys()
    expected = made.intervals["purchases.expected"]
    kept = stored.expected["purchases.expected"]
    assert (kept.value, kept.low, kept.high) == (expected.value, expected.low, expected.high)
    assert kept.own_low == expected.own_low
    assert "clv.total" in stored.expected


@pytest.mark.parametrize("name", ["mbgnbd", "paretonbd"])
def test_every_model_is_kept_and_scored(tmp_path, now, name):
    base = base_of(THEN, model=name)
    made = make_forecast(base)
    write_model(tmp_path / MODEL, made, base)
    model = read_model(tmp_path / MODEL).purchase_model
    assert isinstance(model, type(made.purchase_model))
    known = made.purchase_model.data
    columns = [known[c] for c in ("frequency", "recency", "T")]
    np.testing.assert_array_equal(
        model.predict(9, *columns), made.purchase_model.predict(9, *columns)
    )
    score = score_forecast(read_model(tmp_path / MODEL), now, draws=50)
    naive = 2 * score.actual
    assert abs(score.forecast.value - score.actual) < abs(naive - score.actual)


def test_a_forecast_without_spend_or_test_is_kept_and_the_serious_case_not_scored(tmp_path):
    rows = [f"c{k},2024-01-{1 + k % 28:02d},10" for k in range(200)]
    (tmp_path / "orders.csv").write_text("\n".join(["id,day,sum", *rows, "late,2024-03-10,5"]))
    given = {
        "client": "once",
        "source": "orders.csv",
        "currency": "NOK",
        "columns": {"customer": "id", "date": "day", "amount": "sum"},
    }
    base = read_base(Params(**given, as_of=dt.date(2024, 2, 29)), tmp_path)
    write_model(tmp_path / MODEL, make_forecast(base), base)
    stored = read_model(tmp_path / MODEL)
    assert stored.spend is None
    assert stored.spend_model is None
    assert stored.holdout_bias is None
    assert "clv.total" not in stored.expected
    later = read_base(Params(**given, as_of=dt.date(2024, 3, 31)), tmp_path)
    with pytest.raises(DataError, match="None of the 200 customers came back"):
        score_forecast(stored, later)


def test_writing_twice_replaces_the_file_and_leaves_nothing_beside_it(path, made, then):
    before = path.read_bytes()
    write_model(path, made, then)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_score_is_the_forecast_beside_the_count_of_what_was_bought(path, made, now):
    score = score_forecast(read_model(path), now)
    assert (score.made_on, score.last) == (THEN, NOW)
    assert score.first == dt.date(1998, 2, 1)
    known = made.purchase_model.data
    weeks = (NOW - THEN).days / 7
    forecast = made.purchase_model.predict(weeks, known["frequency"], known["recency"], known["T"])
    assert score.forecast.value == pytest.approx(forecast.sum(), rel=1e-9)

    log = pd.read_csv(
        Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt",
        sep=r"\s+",
        header=None,
        names=["m", "id", "day", "cds", "amount"],
        dtype={"m": str, "id": str, "day": str},
    )
    log["day"] = pd.to_datetime(log["day"], format="%Y%m%d")
    days = log.groupby(["id", "day"], as_index=False)["amount"].sum()
    days = days[days["amount"] > 0]
    ids = days.loc[days["day"] <= pd.Timestamp(THEN), "id"].unique()
    after = days[(days["day"] > pd.Timestamp(THEN)) & days["id"].isin(ids)]
    assert score.customers == len(ids)
    assert score.actual == len(after)
    assert score.revenue_actual == pytest.approx(after["amount"].sum())
    assert score.bias == pytest.approx(score.forecast.value / len(after) - 1)
    assert score.revenue_forecast == pytest.approx(after["amount"].sum(), rel=0.4)
    assert score.within == (score.forecast.low <= score.actual <= score.forecast.high)
    assert ("It held." in score.sentences[0]) == score.within
    assert f"{len(after):,}" in score.sentences[0]
    assert len(score.sentences) == 2


def test_the_interval_of_the_score_is_no_narrower_than_the_models_own(path, now):
    wide = score_forecast(read_model(path), now).forecast
    assert wide.low <= wide.own_low < wide.value < wide.own_high <= wide.high
    narrow = score_forecast(read_model(changed(path, past_errors=None, holdout_bias=None)), now)
    assert narrow.forecast.low == narrow.forecast.own_low


def test_an_outcome_beyond_the_interval_is_told_by_its_side(path, now):
    content = json.loads(path.read_text(encoding="utf-8"))
    purchases = content["purchases"]
    leaves = purchases["parameters"]["a"]
    none = {"past_errors": None, "holdout_bias": None}
    for factor, said in ((50.0, "more than it allowed for"), (0.001, "fewer than it allowed for")):
        off = purchases | {"parameters": purchases["parameters"] | {"a": leaves * factor}}
        score = score_forecast(read_model(changed(path, purchases=off, **none)), now)
        assert not score.within
        assert said in score.sentences[0]


def test_a_past_that_was_revised_or_counted_otherwise_is_said(path, now):
    stored = read_model(changed(path, customers=2_000))
    assert "the past was revised" in score_forecast(stored, now, draws=20).sentences[-1]
    again = base_of(NOW, free_orders=True)
    told = score_forecast(stored, again, draws=20).sentences[-1]
    assert "free_orders" in told
    assert "guest_ids" not in told


def test_the_last_report_before_a_day_is_the_one_to_score(tmp_path):
    days = ("1997-12-31", "1998-03-31", "1998-06-30", "1998-03-31.failed", "notes")
    for name in days:
        (tmp_path / name).mkdir()
        (tmp_path / name / MODEL).touch()
    (tmp_path / "1998-05-31").mkdir()
    assert latest_before(tmp_path, NOW) == tmp_path / "1998-03-31" / MODEL
    assert latest_before(tmp_path, dt.date(1998, 7, 1)).parent.name == "1998-06-30"
    assert latest_before(tmp_path, dt.date(1997, 12, 31)) is None
    assert latest_before(tmp_path / "nothing here", NOW) is None


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"time_unit": "day"}, "has time_unit week and the client file has day"),
        ({"client": "another"}, "has client cdnow-sample and the client file has another"),
        ({"currency": "SEK"}, "has currency USD and the client file has SEK"),
    ],
)
def test_a_forecast_in_another_measure_is_refused(path, given, says):
    with pytest.raises(DataError, match=says) as refused:
        score_forecast(read_model(path), base_of(NOW, **given))
    assert refused.value.exit_code == 3


def test_a_forecast_from_the_future_or_the_same_day_is_refused(path, now, then):
    with pytest.raises(DataError, match="nothing has happened since"):
        score_forecast(read_model(path), then)
    with pytest.raises(DataError, match="nothing has happened since"):
        score_forecast(read_model(path), now.at(dt.date(1997, 12, 31)))


def test_a_forecast_from_before_the_data_begin_is_refused(path, now):
    with pytest.raises(DataError, match="begin later"):
        score_forecast(read_model(changed(path, as_of="1996-12-31")), now)


def test_a_forecast_that_its_base_could_not_carry_is_not_scored(path, now):
    content = json.loads(path.read_text(encoding="utf-8"))
    finding = {"kind": "nobody_returned", "serious": True, "text": "Nobody {came} back."}
    bad = content["purchases"] | {"findings": [finding]}
    with pytest.raises(DataError, match=r"Nobody \{came\} back"):
        score_forecast(read_model(changed(path, purchases=bad)), now)


def test_a_file_of_a_newer_version_is_refused(path):
    with pytest.raises(DataError, match="version 2, newer than version 1"):
        read_model(changed(path, schema=2))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="can't be read"):
        read_model(tmp_path / MODEL)


def test_every_way_to_cut_a_file_short_is_refused(path):
    whole = path.read_text(encoding="utf-8")
    for end in range(0, len(whole.rstrip()), 97):
        path.write_text(whole[:end], encoding="utf-8")
        with pytest.raises(DataError, match="damaged"):
            read_model(path)
    path.write_bytes(b"\xff\xfe\x00broken")
    with pytest.raises(DataError, match="damaged"):
        read_model(path)


def test_a_file_that_lacks_any_field_or_holds_nonsense_is_refused(path):
    whole = path.read_text(encoding="utf-8")
    content = json.loads(whole)
    for name in content:
        lacking = {k: v for k, v in content.items() if k != name}
        path.write_text(json.dumps(lacking), encoding="utf-8")
        with pytest.raises(DataError, match=f"damaged.*{name}"):
            read_model(path)
    purchases, spend = content["purchases"], content["spend"]
    nonsense = [
        {"time_unit": "month"},
        {"grain": "week"},
        {"as_of": "yesterday"},
        {"discount_rate": -1},
        {"purchases": spend},
        {"spend": purchases},
        {"purchases": purchases | {"parameters": {"r": 1.0}}},
        {"purchases": purchases | {"parameters": purchases["parameters"] | {"r": -1.0}}},
        {"purchases": purchases | {"log_covariance": [[1.0]]}},
        {"purchases": purchases | {"name": "spreadsheet"}},
    ]
    for wrong in nonsense:
        path.write_text(json.dumps(content | wrong), encoding="utf-8")
        with pytest.raises(DataError, match="damaged"):
            read_model(path)
    path.write_text(whole.replace(str(content["margin"]), "NaN", 1), encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        read_model(path)
    for other in ("[]", "null", "7", '"text"'):
        path.write_text(other, encoding="utf-8")
        with pytest.raises(DataError, match="damaged"):
            read_model(path)
