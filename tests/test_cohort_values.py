"""What cohorts brought: against plain SQL, without the unfinished period; headings that turn."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import cohorts as oracle
from test_series import END, base_of, purchase
from test_survival import cdnow as cdnow
from test_survival import journey as journey
from test_survival import log as log

from retention_lib.data.base import Base
from retention_lib.report import cohort_parts
from retention_lib.report.findings import cohort as told
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.retention.cohort_values import cohort_values, compare, readable

MEASURES = ("revenue", "orders", "share", "cumulative")


def measures(found) -> dict[str, pd.DataFrame]:
    return {
        "revenue": found.revenue,
        "orders": found.orders,
        "share": found.table.shares,
        "cumulative": found.cumulative,
    }


def assert_those_of_sql(base: Base, con: duckdb.DuckDBPyConnection, as_of: str) -> None:
    found = cohort_values(base, "month")
    expected = oracle.values(con, as_of)
    for row in expected.itertuples():
        day = pd.Timestamp(row.cohort // 12, row.cohort % 12 + 1, 1)
        assert found.table.sizes[day] == row.size
        for name, frame in measures(found).items():
            assert frame.loc[day, row.age] == pytest.approx(getattr(row, name), abs=1e-9), name
    # what SQL has no row for brought nothing
    cells = found.revenue.notna().to_numpy().sum()
    nothing = (found.revenue == 0).to_numpy().sum()
    assert cells - nothing <= len(expected) <= cells


def test_cdnows_cohorts_are_those_of_plain_sql(cdnow: Base, log: duckdb.DuckDBPyConnection) -> None:
    assert_those_of_sql(cdnow, log, "1998-06-30")


@pytest.mark.slow
def test_complete_journeys_cohorts_are_those_of_plain_sql(
    journey: tuple[Base, duckdb.DuckDBPyConnection],
) -> None:
    assert_those_of_sql(*journey, "2017-12-31")


@given(rows=st.lists(purchase, min_size=1, max_size=40))
@settings(max_examples=10, deadline=None)
def test_what_the_cohorts_brought_is_all_that_buyers_brought(rows: list) -> None:
    base = base_of(rows)
    found = cohort_values(base, "month")
    if not len(base.customers()):
        assert found.revenue.empty
        return
    brought = found.revenue.mul(found.table.sizes, axis=0).sum().sum()
    assert brought == pytest.approx(base.customers()["revenue"].sum(), abs=1e-6)
    orders = found.orders.mul(found.table.sizes, axis=0).sum().sum()
    assert orders == pytest.approx(base.customers()["purchases"].sum())
    pooled = found.pooled()
    assert pooled["share"].between(0, 1).all()


# --- the unfinished period -----------------------------------------------------------------------


def steady(months: int, last: dt.date, customers: int = 30) -> list:
    """Each month as many come, and all of them buy on the 2nd and the 20th of every month."""
    rows = []
    first = last.year * 12 + last.month - 1 - months
    for cohort in range(months + 1):
        for month in range(cohort, months + 1):
            year, m = divmod(first + month, 12)
            for day in (2, 20):
                when = dt.date(year, m + 1, day)
                if when <= last:
                    rows += [(f"{cohort}-{n}", when, 10.0) for n in range(customers)]
    return rows


def test_the_unfinished_period_is_in_no_measure_that_is_read() -> None:
    # on the 10th each customer has bought once in this month, not twice
    last = dt.date(2024, 12, 10)
    found = cohort_values(base_of(steady(6, last), as_of=last), "month")
    assert found.revenue.iloc[0].tolist() == [20.0] * 6 + [10.0]
    assert found.table.unfinished.iloc[0].tolist() == [False] * 6 + [True]
    pooled = found.pooled()
    assert pooled["age"].tolist() == [0, 1, 2, 3, 4, 5]
    assert set(pooled["revenue"]) == {20.0}
    assert set(pooled["orders"]) == {2.0}
    assert set(pooled["share"]) == {1.0}
    assert set(pooled["against_first"]) == {1.0}
    assert pooled["cumulative"].tolist() == [20.0 * n for n in range(1, 7)]
    # the newest cohort's first period isn't over either
    assert pooled["customers"].iloc[0] == 6 * 30


def test_the_figure_marks_the_unfinished_part() -> None:
    last = dt.date(2024, 12, 10)
    base = base_of(steady(4, last), as_of=last)
    ax = cohort_parts.value_figure(cohort_values(base, "month"), Formats()).axes
    dashed = [line for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert len(dashed) == 5
    whole = [
        line for line in ax.get_lines() if line.get_linestyle() == "-" and len(line.get_xdata())
    ]
    assert max(max(line.get_xdata()) for line in whole) == 3


def test_a_change_of_cohorts_makes_no_step_in_what_is_added_up() -> None:
    # a rich old cohort and a poor young one: at the ages that only the old one reached, the sum
    # goes on from both
    rows = [(f"o{n}", dt.date(2024, 1 + m, 5), 100.0) for n in range(30) for m in range(8)]
    rows += [(f"y{n}", dt.date(2024, 6 + m, 5), 10.0) for n in range(30) for m in range(3)]
    pooled = cohort_values(base_of(rows, as_of=dt.date(2024, 8, 31)), "month").pooled()
    assert pooled["cumulative"].diff().dropna().tolist() == [55.0, 55.0, *[100.0] * 5]


# --- later against earlier -----------------------------------------------------------------------


def world(early: float, late: float, n: int = 300) -> Base:
    rng = np.random.default_rng(6)
    rows = []
    for month in range(1, 9):
        share = early if month <= 2 else late
        for who in range(n):
            rows.append((f"{month}-{who}", dt.date(2024, month, 5), 10.0))
            if rng.random() < share:
                rows.append((f"{month}-{who}", dt.date(2024, month + 2, 7), 10.0))
    return base_of(rows, as_of=dt.date(2024, 10, 31))


@pytest.mark.parametrize(
    ("early", "late", "kind", "says"),
    [
        (0.2, 0.5, "better", "Later cohorts come back more"),
        (0.5, 0.2, "worse", "Later cohorts come back less"),
        (0.4, 0.4, "alike", "Later cohorts come back like earlier ones"),
    ],
)
def test_the_heading_turns_with_the_cohorts(
    early: float, late: float, kind: str, says: str
) -> None:
    found = cohort_values(world(early, late), "month")
    compared = compare(found)
    assert compared.kind == kind
    assert compared.ages == 6
    # January and February against March and April: the cohorts whose six months are over
    assert (compared.first[0].month, compared.last[1].month) == (1, 4)
    assert compared.earlier.n == compared.later.n == 600
    assert told.heading(compared, found).startswith(says)


def test_young_cohorts_that_had_no_time_are_not_worse() -> None:
    # all come back after five months; the cohorts of the last five had no time to
    rows = [(f"{m}-{n}", dt.date(2024, m, 5), 10.0) for m in range(1, 13) for n in range(50)]
    rows += [(f"{m}-{n}", dt.date(2024, m + 5, 5), 10.0) for m in range(1, 8) for n in range(50)]
    compared = compare(cohort_values(base_of(rows), "month"))
    assert compared.kind == "alike"
    assert compared.earlier.value == compared.later.value == 1.0


def test_one_cohort_can_not_be_compared() -> None:
    rows = [(f"c{n}", dt.date(2024, 1, 5), 10.0) for n in range(50)]
    found = cohort_values(base_of(rows), "month")
    compared = compare(found)
    assert compared.kind == "unknown"
    assert "can't be told yet" in told.heading(compared, found)
    assert {m.value for m in cohort_parts.metrics(compared).values()} == {None}


@pytest.mark.parametrize(("years", "period"), [(1, "month"), (3, "quarter"), (8, "year")])
def test_many_cohorts_are_put_together_and_it_is_said(years: int, period: str) -> None:
    rows = [(f"c{n}", dt.date(2024 - years + 1, 1, 5), 10.0) for n in range(30)]
    base = base_of([*rows, ("z", END, 5.0)])
    assert readable(base) == period
    said = told.how_value(base, cohort_values(base))
    assert ("too many" in said) == (period != "month")


@pytest.mark.parametrize(
    "rows",
    [
        [("a", END, 5.0)],
        [("a", END, -5.0)],
        [(f"c{n}", END, 5.0) for n in range(40)],
        [(f"c{n}", dt.date(2024, 1 + n % 12, 3), 5.0) for n in range(40)],
    ],
)
def test_small_bases_have_a_section_without_a_trace(rows: list) -> None:
    base = base_of(rows)
    found = cohort_values(base)
    shown = cohort_parts.sections(found, compare(found), base, Page(Formats()))
    assert "can't be told yet" in str(shown[0])
