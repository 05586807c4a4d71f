"""Sections by group and on the last forecast: told as they came out, silent where nothing is."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lib.data import handover
from retention_lib.models.groups import BUY_ALIKE, PAY_ALIKE, Groups
from retention_lib.models.widening import Interval
from retention_lib.report import group_parts, parts, score_parts
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.sentence import Sentence

PAGE = Page(Formats("en", "USD"))


def groups(own: bool, sizes: tuple[int, ...] = (900, 400, 19)) -> Groups:
    n = len(sizes)
    table = pd.DataFrame(
        {
            "group": [f"group {i}" for i in range(n)],
            "n": sizes,
            "own_purchases": own,
            "own_spend": False,
            "purchases": np.array(sizes) * 2.0,
            "clv_mean": 50.0,
            "clv_mean_low": 40.0,
            "clv_mean_high": 60.0,
        }
    )
    told = (Sentence(BUY_ALIKE, name="market"), Sentence(PAY_ALIKE, name="market"))
    return Groups("market", table, {}, {}, None, None, 0, told)


def text(parts: list[object]) -> str:
    return "\n".join(repr(part) for part in parts)


@pytest.mark.parametrize(
    ("own", "says"), [(True, "enough to be forecast apart"), (False, "one forecast serves all")]
)
def test_the_heading_says_whether_groups_are_forecast_apart(own: bool, says: str) -> None:
    shown = text(group_parts._section(groups(own), PAGE))
    assert says in shown


def test_a_group_of_a_handful_is_not_told_of() -> None:
    table = group_parts._table(groups(False), PAGE.formats).as_raw_html()
    assert "group 1" in table
    assert "group 2" not in table
    assert "2.00" in table


def test_a_segment_s_value_has_its_interval_from_twenty_customers() -> None:
    profile = pd.DataFrame(
        {
            "segment": ["Loyal", "Few"],
            "customers": [400, 19],
            **dict.fromkeys(("share_of_customers", "share_of_revenue", "share_of_clv"), 0.5),
            **dict.fromkeys(("mean_clv", "purchases", "p_alive"), 0.9),
        }
    )
    sure = pd.DataFrame({"low": [40.4, 1.0], "high": [61.2, 2.0]}, index=["Loyal", "Few"])
    shown = parts.profile_table(profile, "segment", PAGE.formats, sure).as_raw_html()
    assert "$40\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}$61" in shown
    assert "$1.00" not in shown
    without = parts.profile_table(profile, "segment", PAGE.formats).as_raw_html()
    assert "interval" not in without
    assert "of all" in without


def test_a_base_that_carries_no_forecast_has_no_groups() -> None:
    made = SimpleNamespace(unknowable="Nobody came back.")
    assert group_parts.group_sections(made, None, PAGE) == []


@pytest.mark.parametrize(
    ("actual", "within", "says"),
    [(100.0, True, "held"), (200.0, False, "was too low"), (20.0, False, "was too high")],
)
def test_the_last_forecast_is_told_as_it_came_out(actual: float, within: bool, says: str) -> None:
    scored = SimpleNamespace(
        made_on=dt.date(2024, 12, 31),
        forecast=Interval(100.0, 80.0, 120.0, 90.0, 110.0),
        actual=actual,
        within=within,
    )
    assert str(score_parts.heading(scored)).endswith(says)


def test_a_first_report_has_no_last_forecast(monkeypatch, tmp_path) -> None:
    assert score_parts.last_forecast_section(None, PAGE) == []
    monkeypatch.setenv(handover.VARIABLE, str(tmp_path))
    assert score_parts.last_forecast_section(None, PAGE) == []


def test_a_damaged_last_forecast_is_a_note_and_no_failure(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv(handover.VARIABLE, str(tmp_path))
    (tmp_path / handover.LAST_MODEL).write_text("{")
    (shown,) = score_parts.last_forecast_section(None, PAGE)
    assert "can't be scored" in repr(shown)
