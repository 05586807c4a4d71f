"""The summary: which course stands beside a figure, what to do first and for whom, the verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from retention_lib.advice.found import Found, Recommendation
from retention_lib.data import history
from retention_lib.data.base import Base
from retention_lib.data.handover import EARLIER, VARIABLE
from retention_lib.data.read import read_base
from retention_lib.metrics import Metric
from retention_lib.models.verdict import Verdict
from retention_lib.params import read_client_file
from retention_lib.report import advice_parts, summary_parts, track_parts
from retention_lib.report.findings import summary as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.kpis import metrics_at_each, retention_metrics
from retention_lib.retention.trend_lines import days_back, trend_lines
from retention_lib.sentence import Sentence

PAGE = Page(Formats("en", "USD"))
NAMES = ("retention.rate", "customers.at_end", "revenue.net", "retention.repeat_90d")


@pytest.fixture(scope="module")
def cdnow(root: Path) -> Base:
    file = read_client_file(root / "params" / "cdnow.yaml")
    return read_base(file.params, file.folder)


# Courses -----------------------------------------------------------------------------------


def test_every_point_is_the_figure_of_that_day(cdnow: Base) -> None:
    found = trend_lines(cdnow, NAMES)
    at = metrics_at_each(cdnow, [*dict.fromkeys(found["end"])])
    assert len(found) > len(NAMES)
    for row in found.itertuples():
        assert row.value == at[row.end][row.metric].value


def test_a_line_ends_in_todays_figure_and_begins_where_the_data_covers_it(cdnow: Base) -> None:
    found, today = trend_lines(cdnow, NAMES), retention_metrics(cdnow)
    for name, of in found.groupby("metric"):
        assert of["end"].iloc[-1] == cdnow.as_of
        assert of["value"].iloc[-1] == today[str(name)].value
    at_end = found.loc[found["metric"] == "customers.at_end", "end"]
    # twelve months of customers need twelve months of data, give or take a tenth of them
    assert at_end.min() >= dt.date(1997, 11, 24)
    # the customers at the start would have to be known from before the data
    assert "retention.rate" not in set(found["metric"])


def test_days_are_a_quarter_apart_where_the_history_is_long(cdnow: Base) -> None:
    assert days_back(cdnow)[:2] == [dt.date(1998, 6, 30), dt.date(1998, 5, 31)]
    monthly = cdnow.params.model_copy(update={"period_months": 1, "active_months": 1})
    long = dataclasses.replace(cdnow, params=monthly)
    assert days_back(long)[:2] == [dt.date(1998, 6, 30), dt.date(1998, 3, 31)]


def test_a_history_of_one_day_has_no_course(cdnow: Base) -> None:
    short = dataclasses.replace(cdnow, start=cdnow.as_of)
    assert days_back(short) == [cdnow.as_of]
    metrics = retention_metrics(cdnow) | {"clv.total": Metric(300.0, "currency")}
    (cards,) = summary_parts.headlines(metrics, short, PAGE)
    assert "<img" not in cards.data["text/html"]


@pytest.mark.parametrize("margin", [1.0, 0.4])
def test_a_forecasts_course_is_what_earlier_reports_said_by_the_same_definition(
    cdnow: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, margin: float
) -> None:
    metrics = retention_metrics(cdnow) | {"clv.total": Metric(300.0, "currency")}
    then = cdnow.params.model_copy(update={"margin": margin})
    definition = track_parts.today(dataclasses.replace(cdnow, params=then), metrics)
    rows = pd.DataFrame(
        [
            {
                **dict.fromkeys(history.COLUMNS),
                "as_of": day,
                "metric": "clv.total",
                "value": value,
                "unit": "currency",
                "definition": definition,
                "version": "0",
            }
            for day, value in (("1997-12-31", 100.0), ("1998-03-31", 200.0))
        ]
    )
    history.write(tmp_path / EARLIER, rows, cdnow.params.client)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    found = summary_parts.courses(metrics, cdnow, ("clv.total",))
    assert [*found["value"]] == ([100.0, 200.0, 300.0] if margin == 1.0 else [300.0])


def test_the_cards_have_a_line_where_there_is_a_course_and_a_word_on_it(cdnow: Base) -> None:
    metrics = retention_metrics(cdnow) | {"clv.total": Metric(300.0, "currency")}
    cards, note = summary_parts.headlines(metrics, cdnow, PAGE)
    soup = BeautifulSoup(cards.data["text/html"], "html.parser")
    drawn = {
        card.select_one(".label").get_text(): card.img is not None  # type: ignore[union-attr]
        for card in soup.select("li.headline")
    }
    assert drawn["Net revenue"]
    assert not drawn["Retention rate"]
    assert not drawn["Customer lifetime value, total"]
    assert "October 31, 1997" in str(note)


# What to do first --------------------------------------------------------------------------


def advice(rule: str, **found: Any) -> Recommendation:
    values = {"n": 12, "stake": Metric(500.0, "currency"), "share": Metric(0.3, "share")}
    return Recommendation(rule, Found(values, **found), (3, 6), None)


def steps_of(*advice: Recommendation, usable: bool = True) -> list[Any]:
    shown = advice_parts.first_steps(advice, usable, PAGE)
    return BeautifulSoup(shown.data["text/html"], "html.parser").select(".steps > li")


def test_each_step_says_for_whom_and_leads_to_its_recommendation() -> None:
    one = advice("win_back", variant="plain", list="win_back", customers=12, at_stake=512.3)
    (step,) = steps_of(one)
    assert step.a["href"] == "#advice-1"
    assert step.select_one(".what").get_text().startswith("Win back 12 customers")
    detail = step.select_one(".detail").get_text()
    assert detail == "Customers: 12. At stake: about $512. List: Win back."
    (shown, *_) = advice_parts.sections([one], [], PAGE)
    assert shown.metadata["retention"]["anchor"] == "advice-1"


def test_no_more_than_three_are_named_in_their_order() -> None:
    many = [
        advice("win_back", variant="plain", list="win_back", customers=n, at_stake=1.0)
        for n in (5, 6, 7, 8)
    ]
    found = steps_of(*many)
    assert [step.a["href"] for step in found] == ["#advice-1", "#advice-2", "#advice-3"]
    assert [f"Customers: {n}." in step.get_text() for n, step in zip((5, 6, 7), found, strict=True)]


def test_without_advice_the_reason_is_given() -> None:
    (step,) = steps_of(usable=False)
    assert "isn't fit to act on" in step.get_text()
    assert step.a is None


# The verdict -------------------------------------------------------------------------------


def test_the_summary_has_the_weightiest_reason_where_care_is_called_for() -> None:
    reasons = (Sentence("First."), Sentence("Second."))
    said, most = findings.in_short(Verdict("care", reasons))
    assert most == reasons[:1]
    assert "care" in said
    assert findings.in_short(Verdict("fit", reasons))[1] == ()
    said, most = findings.in_short(Verdict("unfit", reasons))
    assert most == reasons[:1]
    assert "Don't act" in said
