"""How long customers have been customers stands beside a trend that may come from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
from oracle import cdnow

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.metrics import Metric
from retention_lib.params import read_client_file
from retention_lib.report import period_parts
from retention_lib.report.findings import period as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.series import Trend
from retention_lib.retention.tenure import tenure_at_start


@pytest.fixture(scope="module")
def quarters() -> Base:
    """CDNOW by the quarter: all its customers came in the first three months."""
    file = Path(__file__).parent.parent / "params" / "cdnow.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    params = base.params.model_copy(update={"period_months": 3, "active_months": 3})
    return dataclasses.replace(base, params=params)


def by_hand(first: str, last: str, start: str) -> float:
    days = cdnow.lines().groupby(["customer", "date"])["amount"].sum()
    bought = days[days > 0].reset_index()
    there = bought.loc[bought["date"].between(first, last), "customer"].unique()
    since = bought[bought["customer"].isin(there)].groupby("customer")["date"].min()
    return float((pd.Timestamp(start) - since).dt.days.median())


@pytest.mark.parametrize(
    ("as_of", "first", "last", "start"),
    [
        ("1998-06-30", "1998-01-01", "1998-03-31", "1998-04-01"),
        ("1997-06-30", "1997-01-01", "1997-03-31", "1997-04-01"),
    ],
)
def test_it_is_the_median_counted_by_hand(
    quarters: Base, as_of: str, first: str, last: str, start: str
) -> None:
    found = tenure_at_start(quarters, pd.Timestamp(as_of).date())
    assert found == by_hand(first, last, start)


def test_of_nobody_it_is_not_known(quarters: Base) -> None:
    assert tenure_at_start(quarters, pd.Timestamp("1997-03-31").date()) is None


def test_a_base_that_grows_old_is_said_to_beside_its_rise(quarters: Base) -> None:
    said = [shown.data["text/plain"] for shown in period_parts.over_time(quarters, Page(Formats()))]
    assert said[0].startswith("Retention is rising")
    assert any("part of the rise is who was left" in text for text in said)


@pytest.mark.parametrize(
    ("kind", "then", "now", "says"),
    [
        ("rising", 100.0, 200.0, "part of the rise"),
        ("rising", 100.0, 110.0, None),
        ("rising", 200.0, 100.0, None),
        ("falling", 200.0, 100.0, "part of the fall"),
        ("falling", 100.0, 200.0, None),
        ("steady", 100.0, 200.0, None),
        ("rising", None, 200.0, None),
    ],
)
def test_it_is_told_only_where_it_explains_the_trend(
    kind: str, then: float | None, now: float | None, says: str | None
) -> None:
    trend = Trend(kind, pd.DataFrame(), 12, 0.01)  # type: ignore[arg-type]
    sentence = findings.tenure(trend, then, now)
    assert (sentence is None) == (says is None)
    if sentence is not None and says is not None:
        assert says in sentence
        assert sentence.values["now"] == Metric(round(now or 0), "days")
