"""What a summary is measured in, and which model may score it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from retention_lib.errors import DataError
from retention_lib.models import BetaGeoFitter
from retention_lib.models.ruler import Ruler, check_scoring, ruler_of

RULER = {"time_unit": "week", "grain": "day", "as_of": "2024-06-30"}


def summary(**changed: object) -> pd.DataFrame:
    frame = pd.DataFrame({"frequency": [1], "recency": [2.0], "T": [10.0]})
    frame.attrs = {k: v for k, v in {**RULER, **changed}.items() if v is not None}
    return frame


def model(time_unit: str | None = "week", as_of: str | None = "2024-06-30") -> BetaGeoFitter:
    fitted = BetaGeoFitter()
    fitted.time_unit, fitted.as_of = time_unit, as_of
    return fitted


def test_a_summary_says_what_it_is_measured_in():
    assert ruler_of(summary()) == Ruler("week", "day", dt.date(2024, 6, 30))
    assert ruler_of(summary()).year == pytest.approx(365.25 / 7)
    assert ruler_of(summary(time_unit="day")).year == 365.25


@pytest.mark.parametrize("name", list(RULER))
def test_one_that_does_not_say_is_refused_with_what_is_missing(name):
    with pytest.raises(DataError, match=f"doesn't say its {name} ") as refused:
        ruler_of(summary(**{name: None}))
    assert refused.value.exit_code == 3


def test_a_merge_that_lost_the_attrs_is_refused():
    lost = pd.DataFrame(summary().to_dict("list"))
    with pytest.raises(DataError, match="time_unit, grain and as_of"):
        check_scoring(lost, model())


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"time_unit": "month"}, "known are day and week"),
        ({"grain": "week"}, "collapsed per week"),
        ({"grain": "order"}, "collapsed per order"),
        ({"as_of": "yesterday-ish"}, "no date"),
        ({"as_of": float("nan")}, "no date"),
    ],
)
def test_what_no_summary_is_measured_in_is_refused(changed, says):
    with pytest.raises(DataError, match=says):
        check_scoring(summary(**changed), model())


def test_a_later_summary_may_be_scored_and_an_earlier_one_may_not():
    assert check_scoring(summary(as_of="2024-09-30"), model()).as_of == dt.date(2024, 9, 30)
    with pytest.raises(DataError, match="knows of purchases up to 2024-06-30"):
        check_scoring(summary(as_of="2024-06-29"), model())


def test_another_ruler_than_the_models_or_the_callers_is_refused():
    with pytest.raises(DataError, match="fitted in days and the customers are given in weeks"):
        check_scoring(summary(), model("day"))
    with pytest.raises(DataError, match="taken to be given in days"):
        check_scoring(summary(), model(), time_unit="day")
    other = model()
    other.grain = "week"
    with pytest.raises(DataError, match="fitted on purchases per week"):
        check_scoring(summary(), other)


def test_values_from_another_day_than_the_summarys_are_refused():
    check_scoring(summary(), model(), as_of=pd.Timestamp("2024-06-30"))
    with pytest.raises(DataError, match="asked for from 2024-07-01 on"):
        check_scoring(summary(), model(), as_of="2024-07-01")


def test_a_model_that_says_nothing_of_itself_takes_the_summarys_word():
    assert check_scoring(summary(), model(None, None)).time_unit == "week"
