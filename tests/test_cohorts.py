"""Cohorts, months and the way to the second purchase: what isn't over is never read as churn."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from typing import Any

import kept
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.data.base import Base
from retention_lib.retention.cohorts import Cohorts, cohorts, monthly
from retention_lib.retention.journey import days_to_second, second_purchase_curve


def base_of(text: str, **given_: Any) -> Base:
    """A base from lines of `customer day amount`; 5 where no amount is given."""
    rows = [(*line.split(), "5")[:3] for line in text.strip().splitlines()]
    return kept.base_of(rows, **given_)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


SMALL = """
    anna 2024-01-05
    anna 2024-02-10
    anna 2024-04-02
    bo   2024-01-31
    bo   2024-02-01
    cato 2024-01-20
    dag  2024-03-15
    dag  2024-04-10
    eva  2024-03-01
"""


def share(table: Cohorts, cohort: str, age: int) -> float:
    return float(table.shares.loc[pd.Timestamp(cohort), age])


def test_a_cohort_table_by_month() -> None:
    table = cohorts(base_of(SMALL, as_of=day("2024-04-30")))
    assert table.period == "month"
    assert table.sizes.to_dict() == {
        pd.Timestamp(f"2024-0{month}-01"): size for month, size in ((1, 3), (2, 0), (3, 2), (4, 0))
    }
    assert [share(table, "2024-01-01", age) for age in range(4)] == [1, 2 / 3, 0, 1 / 3]
    assert [share(table, "2024-03-01", age) for age in range(2)] == [1, 1 / 2]
    # what lies after the end is unknown, not 0
    assert table.shares.loc["2024-03-01", [2, 3]].isna().all()
    # of a month that won nobody, nothing is known
    assert table.shares.loc["2024-02-01"].isna().all()
    # the last month is over
    assert not table.unfinished.to_numpy().any()


@pytest.mark.parametrize(
    ("period", "as_of", "last_begins", "is_over"),
    [
        ("month", "2024-04-29", "2024-04-01", False),
        ("month", "2024-04-30", "2024-04-01", True),
        ("quarter", "2024-06-29", "2024-04-01", False),
        ("quarter", "2024-06-30", "2024-04-01", True),
        ("year", "2024-12-30", "2024-01-01", False),
        ("year", "2024-12-31", "2024-01-01", True),
    ],
)
def test_exactly_the_period_that_isnt_over_is_unfinished(
    period: str, as_of: str, last_begins: str, is_over: bool
) -> None:
    table = cohorts(base_of(SMALL, as_of=day(as_of)), period)
    assert table.shares.index[-1] == pd.Timestamp(last_begins)
    last = len(table.shares) - 1
    for row in range(len(table.shares)):
        for age in table.shares.columns:
            assert table.unfinished.iloc[row, age] == (row + age == last and not is_over)


def test_an_unfinished_period_is_in_no_share_that_is_read() -> None:
    # in the first days of April nobody has had the time to come back
    early = cohorts(base_of(SMALL, as_of=day("2024-04-01")))
    assert share(early, "2024-03-01", 1) == 0
    assert share(early, "2024-01-01", 3) == 0
    assert early.finished(1).to_dict() == {pd.Timestamp("2024-01-01"): 2 / 3}
    assert early.pooled(1) == (2 / 3, 3)
    assert early.pooled(3) is None
    late = cohorts(base_of(SMALL, as_of=day("2024-04-30")))
    # a pooled share weighs cohorts by their size: 2 of 3 and 1 of 2 are 3 of 5
    assert late.pooled(1) == (3 / 5, 5)
    assert late.pooled(3) == (1 / 3, 3)
    assert late.pooled(99) is None
    assert late.finished(99).empty


def test_the_end_of_observation_is_the_reports_day_not_the_last_order() -> None:
    table = cohorts(base_of(SMALL, as_of=day("2024-07-31")))
    assert table.shares.index[-1] == pd.Timestamp("2024-07-01")
    # three months in which nobody came are known to be 0
    assert [share(table, "2024-03-01", age) for age in (2, 3, 4)] == [0, 0, 0]


def test_cohorts_by_quarter_and_year_cross_the_turn_of_the_year() -> None:
    text = """
        anna 2022-12-31
        anna 2023-01-01
        anna 2024-02-01
        bo   2023-10-01
        bo   2023-12-31
    """
    quarters = cohorts(base_of(text, as_of=day("2024-03-31"), cohort_period="quarter"))
    assert quarters.sizes.loc["2022-10-01"] == quarters.sizes.loc["2023-10-01"] == 1
    assert len(quarters.sizes) == 6
    assert [share(quarters, "2022-10-01", age) for age in range(6)] == [1, 1, 0, 0, 0, 1]
    # twice in a quarter is there once
    assert share(quarters, "2023-10-01", 0) == 1
    years = cohorts(base_of(text, as_of=day("2024-03-31")), "year")
    assert [share(years, "2022-01-01", age) for age in range(3)] == [1, 1, 1]
    assert [share(years, "2023-01-01", age) for age in range(2)] == [1, 0]
    assert years.unfinished.loc["2022-01-01"].tolist() == [False, False, True]


def test_a_base_in_which_nobody_bought_has_an_empty_table() -> None:
    table = cohorts(base_of("anna 2024-01-05 -5"))
    assert table.shares.empty
    assert table.sizes.empty
    assert table.pooled(1) is None


@given(
    purchases=st.lists(
        st.tuples(
            st.sampled_from("abcdef"), st.dates(day("2022-11-15"), day("2024-03-15")).map(str)
        ),
        min_size=1,
        max_size=40,
    ),
    period=st.sampled_from([("month", 1), ("quarter", 3), ("year", 12)]),
)
@settings(max_examples=10, deadline=None)
def test_every_cell_is_the_share_of_its_customers(
    purchases: list[tuple[str, str]], period: tuple[Any, int]
) -> None:
    name, months = period
    base = base_of("\n".join(" ".join(one) for one in purchases), as_of=day("2024-03-20"))
    table = cohorts(base, name)

    def at(date: dt.date) -> int:
        return (date.year * 12 + date.month - 1) // months

    seen = defaultdict(set)
    for customer, date in purchases:
        seen[customer].add(at(day(date)))
    for start, cells in table.shares.iterrows():
        own = [there for there in seen.values() if min(there) == at(start)]
        assert table.sizes[start] == len(own)
        for age, found in cells.items():
            there = at(start) + age
            if not own or there > at(base.as_of):
                assert math.isnan(found)
            else:
                assert found == sum(there in one for one in own) / len(own)
    assert table.sizes.sum() == len(seen)


# --- months --------------------------------------------------------------------------------------


def test_a_month_without_a_row_is_there() -> None:
    frame = monthly(base_of(SMALL.replace("eva  2024-03-01", "eva 2024-06-01"))).set_index("month")
    assert [f"{month:%m}" for month in frame.index] == ["01", "02", "03", "04", "05", "06"]
    assert frame.loc["2024-05-01"].to_dict() == {
        **{"new": 0, "returning": 0, "orders": 0, "complete": True},
        **{"new_revenue": 0.0, "returning_revenue": 0.0},
    }
    assert frame["new"].tolist() == [3, 0, 1, 0, 0, 1]
    assert frame["returning"].tolist() == [0, 2, 0, 2, 0, 0]
    assert frame["complete"].tolist() == [False, True, True, True, True, False]


def test_the_months_add_up_to_all_revenue_returns_included() -> None:
    text = SMALL + "bo 2024-04-01 -5\nfrida 2024-02-02 -3\n"
    base = base_of(text, start=day("2024-01-01"), as_of=day("2024-04-30"))
    frame = monthly(base).set_index("month")
    # a return of a customer who never bought is no new customer's revenue
    assert frame["new_revenue"].tolist() == [15, 0, 10, 0]
    assert frame["returning_revenue"].tolist() == [0, 10 - 3, 0, 10 - 5]
    assert frame["orders"].tolist() == [3, 2, 2, 2]
    assert frame["complete"].all()


# --- the second purchase -------------------------------------------------------------------------

#: Second purchase after 10, 20 and 20 days; watched for 10, 15 and 30 days without one; one
#: customer came on the last day.
JOURNEYS = """
    a 2024-01-01
    a 2024-01-11
    a 2024-01-21
    b 2024-01-01
    b 2024-01-21
    c 2024-01-02
    c 2024-01-22
    d 2024-01-21
    e 2024-01-16
    f 2024-01-01
    g 2024-01-31
"""
END = day("2024-01-31")


def test_days_to_the_second_purchase_and_days_watched() -> None:
    found = days_to_second(base_of(JOURNEYS, as_of=END))
    pairs = sorted(zip(found["days_to_second"].fillna(-1), found["observed_days"], strict=True))
    assert pairs == [(-1, 0), (-1, 10), (-1, 15), (-1, 30), (10, 30), (20, 29), (20, 30)]
    # as of an earlier day what came later isn't known
    earlier = days_to_second(base_of(JOURNEYS, as_of=END), day("2024-01-15"))
    assert sorted(earlier["observed_days"]) == [13, 14, 14, 14]
    assert earlier["days_to_second"].dropna().tolist() == [10]


def test_the_curve_is_kaplan_and_meiers() -> None:
    curve = second_purchase_curve(base_of(JOURNEYS, as_of=END))
    # by hand: six are watched for 10 days or more, one of them came back then; of the three that
    # are still watched after 20 days two come back then
    first, second = 5 / 6, 5 / 6 * 1 / 3
    by_day = curve.set_index("days")
    assert by_day.loc[0].tolist() == [0, 0, 0]
    assert by_day.loc[10, "share"] == pytest.approx(1 - first, rel=1e-12)
    assert by_day.loc[20, "share"] == pytest.approx(1 - second, rel=1e-12)
    # Greenwood's variance on the log-log scale
    for days, survival, greenwood in (
        (10, first, 1 / (6 * 5)),
        (20, second, 1 / (6 * 5) + 2 / (3 * 1)),
    ):
        spread = 1.959964 * math.sqrt(greenwood) / abs(math.log(survival))
        assert by_day.loc[days, "low"] == pytest.approx(1 - survival ** math.exp(-spread), rel=1e-9)
        assert by_day.loc[days, "high"] == pytest.approx(1 - survival ** math.exp(spread), rel=1e-9)
    assert curve["days"].is_monotonic_increasing
    assert curve["share"].is_monotonic_increasing
    assert (curve["low"] <= curve["share"]).all()
    assert (curve["share"] <= curve["high"]).all()
    assert curve["days"].max() <= 30


def test_the_curve_is_the_simple_share_where_everybody_is_watched_long_enough() -> None:
    gaps = [3, 3, 8, 15, 40, None, None, None]
    lines = []
    for number, gap in enumerate(gaps):
        lines.append(f"c{number} 2024-01-01")
        if gap is not None:
            lines.append(f"c{number} {day('2024-01-01') + dt.timedelta(days=gap)}")
    curve = second_purchase_curve(base_of("\n".join(lines), as_of=day("2024-12-31")))
    came = np.array([math.inf if gap is None else gap for gap in gaps])
    for row in curve.itertuples():
        assert row.share == pytest.approx((came <= row.days).mean(), abs=1e-12)
    shorter = second_purchase_curve(base_of("\n".join(lines), as_of=day("2024-12-31")), 10)
    pd.testing.assert_frame_equal(shorter, curve[curve["days"] <= 10].reset_index(drop=True))


def test_there_is_no_curve_where_nobody_came_back() -> None:
    curve = second_purchase_curve(base_of("a 2024-01-01\nb 2024-02-01"))
    assert curve.empty
    assert curve.columns.tolist() == ["days", "share", "low", "high"]
