"""How figures, amounts and dates are written."""

from __future__ import annotations

import datetime as dt
import json
import math
import pickle

import numpy as np
import pandas as pd
import pytest

from retention_lib.languages import languages
from retention_lib.metrics import Metric, unknown
from retention_lib.report.language import Formats
from retention_lib.sentence import Sentence, as_json, counted, from_json, together

NB = "\N{NO-BREAK SPACE}"
EN = Formats("en", "USD")
NO = Formats("nb", "NOK")


def test_amounts_follow_the_reader_language() -> None:
    assert EN.money(1234567.89, 2) == "$1,234,567.89"
    assert NO.money(1234567.89, 2) == f"1{NB}234{NB}567,89{NB}kr"
    assert Formats("da", "DKK").money(1234567.89, 2) == f"1.234.567,89{NB}kr."
    assert Formats("sv", "SEK").money(1234567.89, 2) == f"1{NB}234{NB}567,89{NB}kr"


def test_a_currency_written_in_letters_keeps_a_space_to_its_digits() -> None:
    assert Formats("en", "NOK").money(-5) == f"−NOK{NB}5.00"


def test_amounts_from_a_thousand_up_have_no_cents() -> None:
    assert EN.money(999.5) == "$999.50"
    assert EN.money(1000.4) == "$1,000"
    assert Formats("en", "JPY").money(12) == "¥12"


def test_shares_are_per_cent() -> None:
    assert EN.share(0.7169) == "71.7%"
    assert NO.share(0.7169) == f"71,7{NB}%"
    assert NO.share(0.7169, 0) == f"72{NB}%"
    assert NO.share(0.5, 2) == f"50,00{NB}%"


@pytest.mark.parametrize("language", languages())
def test_every_negative_number_has_a_real_minus_sign(language: str) -> None:
    f = Formats(language, "NOK")
    for text in (f.money(-12), f.share(-0.1), f.points(-0.1), f.count(-3), f.number(-1.5)):
        assert text.startswith("−")
        assert "-" not in text


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert EN.share(-0.0001) == "0.0%"
    assert EN.points(0.0001) == "0.0 percentage points"
    assert EN.money(-0.001) == "$0.00"


def test_differences_of_shares_are_signed_points() -> None:
    assert EN.points(0.0234) == "+2.3 percentage points"
    assert EN.points(-0.01, 0) == "−1 percentage point"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(missing: float | None) -> None:
    written = [EN.money(missing), EN.share(missing), EN.points(missing), EN.count(missing)]
    written += [EN.number(missing), EN.days(missing), EN.interval(missing, 1, "share")]
    assert set(written) == {"–"}
    assert EN.metric(unknown("share", "nobody bought")) == "–"
    assert EN.date(pd.NaT) == EN.month(None) == "–"


@pytest.mark.parametrize(
    "day",
    [
        "1997-09-30",
        dt.date(1997, 9, 30),
        dt.datetime(1997, 9, 30, 23),
        pd.Timestamp("1997-09-30"),
        np.datetime64("1997-09-30T10:00"),
    ],
)
def test_a_day_is_written_the_same_whatever_holds_it(day: object) -> None:
    assert EN.date(day) == "September 30, 1997"
    assert NO.date(day) == "30. september 1997"
    assert EN.month(day) == "Sep 1997"
    assert NO.month(day, long=True) == "september 1997"


def test_a_quarter_is_named_as_the_language_does() -> None:
    assert EN.quarter("2022-02-01") == "Q1 2022"
    assert Formats("sv").quarter("2022-12-31") == "K4 2022"
    assert Formats("nb").quarter("2022-04-01") == "K2 2022"
    assert Formats("da").quarter("2022-04-01") == "2. kvt. 2022"
    assert EN.quarter(None) == "–"


def test_a_weekday_begins_a_sentence_with_a_capital() -> None:
    message = "{day} is the strongest day; {other} the weakest"
    said = Formats("nb").tell(message, day=Sentence("Monday"), other=Sentence("Sunday"))
    assert said.startswith("Mandag ")
    assert "søndag" in said


def test_one_thing_is_told_otherwise_than_several() -> None:
    rows = [counted(n, "One row is a return.", "{n} rows are returns.") for n in (1, 1_200)]
    assert rows == ["One row is a return.", "1,200 rows are returns."]
    stored = [from_json(json.loads(json.dumps(as_json(row)))) for row in rows]
    assert [EN.tell(row) for row in stored] == rows
    assert [pickle.loads(pickle.dumps(row)).message for row in rows] == [r.message for r in rows]


def test_sentences_put_together_are_translated_one_by_one() -> None:
    both = together(Sentence("Retention"), Sentence("Revenue"))
    assert (both, Formats("nb").tell(both)) == ("Retention Revenue", "Retensjon Omsetning")


def test_an_empty_message_stays_empty() -> None:
    # gettext answers it with the head of its catalog
    assert NO.say("") == ""


def test_a_period_runs_from_day_to_day() -> None:
    assert NO.period("1996-10-01", "1997-09-30") == "1. okt. 1996–30. sep. 1997"


def test_a_metric_is_written_by_its_unit() -> None:
    assert EN.metric(Metric(2357, "count")) == "2,357"
    assert EN.metric(Metric(0.45, "share")) == "45.0%"
    assert EN.metric(Metric(35.168, "currency")) == "$35.17"
    assert EN.metric(Metric(1, "days")) == "1 day"
    assert EN.metric(Metric(41.5, "days")) == "41.5 days"
    assert EN.metric(Metric(3, "months")) == "3 months"
    assert EN.metric(Metric(1.418, "ratio")) == "1.42"
    assert EN.metric(Metric(-9582.429, "number"), digits=3) == "−9,582.4"
    assert EN.metric(Metric(2093.92, "number")) == "2,094"


def test_both_ends_of_an_interval_have_the_same_decimals() -> None:
    assert EN.interval(998.4, 1020, "currency") == "$998 to $1,020"
    assert EN.interval(0.701, 0.732, "share") == "70.1% to 73.2%"


def test_change_is_signed_and_in_the_unit() -> None:
    assert EN.change(Metric(0.45, "share", previous=0.47)) == "−2.0 percentage points"
    assert EN.change(Metric(1200, "count", previous=1000)) == "+200"
    assert EN.change(Metric(10.0, "currency", previous=12.5)) == "−$2.50"
    assert EN.change(Metric(7, "days", previous=7)) == "0 days"


def test_without_two_known_figures_there_is_no_change() -> None:
    assert EN.change(Metric(0.45, "share")) is None
    assert EN.change(Metric(None, "share", previous=0.4, note="nobody bought")) is None


def test_values_are_filled_in_once_and_never_read_as_templates() -> None:
    assert EN.say("{a} and {b}", a="{b}", b="{0.__class__}") == "{b} and {0.__class__}"
    assert EN.say("as {it} stands") == "as {it} stands"


def test_a_sentence_that_lacks_a_value_says_which() -> None:
    with pytest.raises(ValueError, match=r"pass share=…"):
        EN.say("{share} of {n}", n=3)


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'no'; the report speaks en, da, nb, sv"):
        Formats("no")
