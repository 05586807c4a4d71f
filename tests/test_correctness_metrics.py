"""The metrics of CONTRACT, section 4, against the same figures in plain SQL and against CDNOW's."""

from __future__ import annotations

import calendar
import csv
import dataclasses
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kept import kept_folder
from oracle import cdnow as published
from oracle import sql

from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, windows
from retention_lib.data.read import read_base
from retention_lib.metrics import Metric
from retention_lib.params import Params
from retention_lib.retention.activity import activity
from retention_lib.retention.kpis import metrics_at, retention_metrics

END = dt.date(1998, 6, 30)

# --- CDNOW ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow() -> Base:
    params = Params(client="cdnow", currency="USD", source="builtin:cdnow")
    return read_base(params, Path())


@pytest.fixture(scope="module")
def log() -> Iterator[duckdb.DuckDBPyConnection]:
    with published.connection() as con:
        yield con


def with_months(base: Base, period: int, active: int) -> Base:
    changed = {"period_months": period, "active_months": active}
    return dataclasses.replace(base, params=base.params.model_copy(update=changed))


def assert_same(found: dict[str, Metric], expected: dict[str, float | None]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        metric = found[name]
        if value is None:
            assert metric.value is None, name
            assert metric.note, name
        else:
            assert metric.value == pytest.approx(value, rel=1e-9, abs=1e-9), name


def test_cdnows_figures() -> None:
    """Pinned: a change of any of them is a change of what the reports say."""
    params = Params(client="cdnow", currency="USD", source="builtin:cdnow")
    base = read_base(params, Path())
    found = metrics_at(base, END)
    assert base.as_of == END
    assert base.start == dt.date(1997, 1, 1)
    assert found["customers.total"].value == 23_502
    assert found["retention.rate"].value == pytest.approx(0.3544680851, abs=5e-11)
    assert found["revenue.net"].value == 1_069_356.50
    assert found["orders.count"].value == 26_970
    assert found["retention.repeat_90d"].value == pytest.approx(0.2929963407, abs=5e-11)
    assert found["journey.days_to_second"].value == 57.0
    assert found["spend.returning_vs_new"].value == pytest.approx(2.8389533055, abs=5e-11)


def test_all_of_cdnows_dollars_are_used(cdnow: Base) -> None:
    assert (cdnow.rows_in, cdnow.rows_used, len(cdnow.left_out)) == (69_659, 69_659, 0)
    whole = cdnow.rows.aggregate(amount=cdnow.rows["amount"].sum()).to_pyarrow()["amount"][0]
    assert whole.as_py() == Decimal("2500315.6300")
    assert metrics_at(with_months(cdnow, 18, 12), END)["revenue.net"].value == 2_500_315.63


@pytest.mark.parametrize(
    ("as_of", "period", "active"),
    [
        ("1998-06-30", 12, 12),
        ("1998-06-30", 6, 12),
        ("1998-06-30", 12, 3),
        ("1998-06-30", 1, 17),
        ("1998-02-28", 5, 7),  # a month's last day, and the shortest
        ("1998-03-30", 13, 1),  # back to a month that hasn't the day
        ("1997-10-15", 3, 4),
        ("1997-01-01", 12, 12),  # a single day of data
        ("1998-06-30", 18, 2),  # the period is all there is
    ],
)
def test_cdnows_metrics_are_those_of_plain_sql(
    cdnow: Base, log: duckdb.DuckDBPyConnection, as_of: str, period: int, active: int
) -> None:
    found = metrics_at(with_months(cdnow, period, active), dt.date.fromisoformat(as_of))
    assert_same(found, sql.metrics(log, as_of=as_of, period_months=period, active_months=active))
    assert_sound(found)


def test_cdnows_customers_are_those_of_plain_sql(
    cdnow: Base, log: duckdb.DuckDBPyConnection
) -> None:
    expected = sql.customers(log, as_of="1997-09-30")
    found = cdnow.customers(dt.date(1997, 9, 30))
    pd.testing.assert_frame_equal(
        found, expected[found.columns], check_dtype=False, check_index_type=False, rtol=1e-12
    )


# --- rows that hypothesis makes up ---------------------------------------------------------------

LAST = dt.date(2025, 3, 31)
edges = [
    *(dt.date(2024, month, calendar.monthrange(2024, month)[1]) for month in (2, 3, 6, 9, 12)),
    *(dt.date(2024, 3, 1), dt.date(2024, 7, 1), dt.date(2025, 1, 1), dt.date(2025, 2, 28)),
]
cents = st.one_of(st.integers(-6_000, 9_000), st.sampled_from([-30, 0, 10, 20, 3_000]))
row = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["anna", "bo", "cecilie", "dag", "eva", "finn", "gro"]),
        "date": st.one_of(st.sampled_from(edges), st.dates(dt.date(2023, 1, 1), LAST)).map(str),
        "amount": cents.map(lambda c: f"{Decimal(c) / 100:.2f}"),
        "order": st.sampled_from(["", "", "1", "2", "3"]),
    }
)
#: The day on which all data ends, so that it ends there whatever is drawn.
FINAL = {"customer": "anna", "date": str(LAST), "amount": "1.00", "order": ""}
ends = st.one_of(st.sampled_from(edges), st.dates(dt.date(2024, 1, 1), LAST))
months = st.integers(1, 14)


def read(rows: list[dict[str, str]], **given_: Any) -> Base:
    with kept_folder() as (folder, keep):
        with (folder / "o.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, ["customer", "date", "amount", "order"])
            writer.writeheader()
            writer.writerows(rows)
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": "o.csv", **given_},
            # what a point in three digits means is asked of the user, not of these tests
            csv={"decimal": "."},
            columns={name: name for name in ("customer", "date", "amount", "order")},
        )
        return keep(read_base(params, folder))


def as_raw(rows: list[dict[str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer", "date", "amount", "order"])
    return frame.assign(order=frame["order"].replace("", None))


def assert_sound(found: dict[str, Metric]) -> None:
    """What holds of any metrics, whatever the rows."""
    for name, metric in found.items():
        assert (metric.low is None) == (metric.high is None), name
        if metric.low is not None:
            assert metric.value is not None, name
            assert metric.low <= metric.value <= metric.high, name
    for name in (
        *("retention.rate", "retention.repurchase_rate", "churn.rate", "retention.repeat_90d"),
        *("retention.repeat_rate", "retention.ever_repeat_rate"),
    ):
        metric = found[name]
        if metric.value is not None:
            assert 0 <= metric.low <= metric.value <= metric.high <= 1, name
            assert metric.n > 0, name
    of = {name: metric.value for name, metric in found.items()}
    assert of["customers.active"] == of["customers.new"] + of["customers.returning"]
    assert of["customers.at_start"] == of["customers.kept"] + of["customers.lost"]
    assert of["customers.at_end"] == sum(
        of[f"customers.{group}"] for group in ("kept", "reactivated", "new_at_end")
    )
    groups = ("kept", "reactivated", "new", "not_at_end")
    assert sum(of[f"revenue.{group}"] for group in groups) == pytest.approx(
        of["revenue.net"], abs=1e-4
    )
    if of["retention.rate"] is not None:
        assert of["retention.rate"] + of["churn.rate"] == pytest.approx(1, abs=1e-12)
        assert of["retention.rate_formula"] - of["retention.rate"] == pytest.approx(
            of["customers.reactivated"] / of["customers.at_start"], abs=1e-12
        )


def order(customer: str, day: str, amount: str, id_: str = "") -> dict[str, str]:
    return {"customer": customer, "date": day, "amount": amount, "order": id_}


@given(rows=st.lists(row, max_size=50), as_of=ends, period=months, active=months)
# returned after the period ended, which nobody knew on its last day
@example(
    rows=[order("bo", "2024-06-30", "9.00", "1"), order("bo", "2024-07-02", "-9.00", "1")],
    as_of=dt.date(2024, 6, 30),
    period=12,
    active=12,
)
# adds up to 0 in money, to 5.6e-17 in binary
@example(
    rows=[
        order(c, "2024-06-30", a) for c, a in (("bo", "0.10"), ("dag", "0.20"), ("eva", "-0.30"))
    ],
    as_of=dt.date(2024, 6, 30),
    period=12,
    active=12,
)
# an order, and a larger return on the same day: no buyer, but an order
@example(
    rows=[order("bo", "2024-06-30", "5.00", "1"), order("bo", "2024-06-30", "-7.00", "2")],
    as_of=dt.date(2024, 6, 30),
    period=12,
    active=12,
)
@settings(max_examples=4, deadline=None)
def test_metrics_are_those_of_plain_sql(
    rows: list[dict[str, str]], as_of: dt.date, period: int, active: int
) -> None:
    assert_those_of_plain_sql(rows, as_of, period, active)


@pytest.mark.slow
@given(rows=st.lists(row, max_size=50), as_of=ends, period=months, active=months)
@settings(max_examples=60, deadline=None)
def test_metrics_of_many_bases_are_those_of_plain_sql(
    rows: list[dict[str, str]], as_of: dt.date, period: int, active: int
) -> None:
    assert_those_of_plain_sql(rows, as_of, period, active)


def assert_those_of_plain_sql(
    rows: list[dict[str, str]], as_of: dt.date, period: int, active: int
) -> None:
    rows = [*rows, FINAL]
    base = read(rows, period_months=period, active_months=active)
    found = metrics_at(base, as_of)
    assert_same(
        found,
        sql.metrics(as_raw(rows), as_of=as_of, period_months=period, active_months=active),
    )
    assert_sound(found)

    frame = activity(base, as_of)
    won = int((frame["at_end"] & frame["new"]).sum())
    of = {name: metric.value for name, metric in found.items()}
    assert of["customers.at_end"] == (
        of["customers.at_start"] - of["customers.lost"] + of["customers.reactivated"] + won
    )


@pytest.mark.slow
@given(rows=st.lists(row, min_size=5, max_size=40), as_of=ends)
@settings(max_examples=40, deadline=None)
def test_an_earlier_day_looks_the_same_from_later(
    rows: list[dict[str, str]], as_of: dt.date
) -> None:
    rows = [*rows, FINAL]
    # the last row is known too on the day that it is of
    known = [r for r in rows if r["date"] <= str(as_of)]
    later = metrics_at(read(rows), as_of)
    if known:
        then = metrics_at(read(known, as_of=as_of), as_of)
        assert {k: m.value for k, m in then.items()} == {k: m.value for k, m in later.items()}


# --- the period before ---------------------------------------------------------------------------


def test_the_period_before_is_compared_with(cdnow: Base) -> None:
    base = with_months(cdnow, 6, 6)
    found = retention_metrics(base)
    before = base.windows.period.start - ONE_DAY
    assert before == dt.date(1997, 12, 31)
    earlier = metrics_at(base, before)
    assert {k: m.previous for k, m in found.items()} == {k: m.value for k, m in earlier.items()}
    assert {k: dataclasses.replace(m, previous=None) for k, m in found.items()} == metrics_at(
        base, base.as_of
    )


def test_there_is_no_comparison_that_the_data_doesnt_cover(cdnow: Base) -> None:
    assert {m.previous for m in retention_metrics(cdnow).values()} == {None}
    # twelve months before the six before: the data starts six months too late
    assert {m.previous for m in retention_metrics(with_months(cdnow, 6, 12)).values()} == {None}


@pytest.mark.parametrize(("missing", "is_compared"), [(0, True), (36, True), (37, False)])
def test_a_tenth_of_the_first_activity_window_may_be_missing(
    missing: int, is_compared: bool
) -> None:
    end = dt.date(2024, 12, 31)
    first = windows(dt.date(2023, 12, 31), 12, 12).before
    assert (first.start, first.days) == (dt.date(2022, 1, 1), 365)
    start = first.start + missing * ONE_DAY
    days = [start, dt.date(2022, 6, 1), dt.date(2023, 6, 1), end]
    base = read([order("anna", str(day), "5.00") for day in days])
    assert (retention_metrics(base)["revenue.net"].previous == 5.0) is is_compared


def test_a_short_history_is_said_with_the_rates(cdnow: Base) -> None:
    note = metrics_at(with_months(cdnow, 12, 12), END)["retention.rate"].note
    assert note is not None
    assert "1997-01-01" in note
    assert metrics_at(with_months(cdnow, 6, 6), END)["retention.rate"].note is None


# --- nobody --------------------------------------------------------------------------------------


def test_a_base_of_returns_only_has_counts_and_reasons() -> None:
    base = read([order("anna", "2024-12-31", "-5.00"), order("bo", "2024-12-01", "-1.00")])
    found = metrics_at(base, base.as_of)
    assert found["revenue.net"].value == -6.0
    assert found["customers.total"].value == 0
    unknown = {name for name, metric in found.items() if metric.value is None}
    assert unknown == {
        *(name for name in found if name.startswith(("retention.", "churn.", "journey."))),
        *("orders.aov", "orders.per_customer", "spend.returning_vs_new"),
        *("revenue.returning_share", "revenue.top20_share"),
        *("spend.kept", "spend.reactivated", "spend.new"),
    }
    assert all(found[name].note for name in unknown)


def test_orders_of_who_is_no_buyer_count_in_the_interval_too() -> None:
    rows = [order(f"c{n}", f"2024-12-{n % 28 + 1:02}", "5.00") for n in range(40)]
    for n in range(5):  # ordered, and returned more on the same day
        day = f"2024-11-{n + 1:02}"
        rows += [order(f"r{n}", day, "5.00", "1"), order(f"r{n}", day, "-7.00", "2")]
    found = metrics_at(read(rows), dt.date(2024, 12, 31))["orders.per_customer"]
    assert (found.value, found.n) == (45 / 40, 40)
    assert found.low is not None
    assert (found.low + found.high) / 2 == pytest.approx(found.value, rel=1e-11)


def test_a_ratio_of_few_customers_carries_a_caution() -> None:
    old = [order("anna", "2023-06-01", "5.00"), order("anna", "2024-12-31", "9.00")]
    found = metrics_at(read([*old, order("bo", "2024-12-01", "3.00")]), dt.date(2024, 12, 31))
    ratio = found["spend.returning_vs_new"]
    assert (ratio.value, ratio.n) == (3.0, 1)
    assert (ratio.low, ratio.high) == (None, None)
    assert "Only 1 customer in" in str(ratio.note)
