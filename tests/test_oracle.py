"""The oracle against itself: SQL, plain Python and sets, each on its own, agree on every figure."""

from __future__ import annotations

import calendar
import math
import statistics
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import cdnow, reference, sql

METHOD = Path(__file__).parents[1] / "docs" / "method.md"


# --- a third reading of section 4, with sets -----------------------------------------------------


def months_back(day: date, months: int) -> date:
    year, month0 = divmod(day.year * 12 + day.month - 1 - months, 12)
    longest = calendar.monthrange(year, month0 + 1)[1]
    if (day + timedelta(days=1)).day == 1:
        return date(year, month0 + 1, longest)
    return date(year, month0 + 1, min(day.day, longest))


def by_sets(result: reference.Result, as_of: date, period_months: int, active_months: int) -> dict:
    eve = months_back(as_of, period_months)

    def bought(after: date, until: date) -> set[str]:
        return {p.customer for p in result.purchases if after < p.day <= until}

    def ratio(part, whole):
        return float(Fraction(part) / Fraction(whole)) if whole > 0 else None

    days: dict[str, list[date]] = {}
    for p in result.purchases:
        days.setdefault(p.customer, []).append(p.day)
    S = bought(months_back(eve, active_months), eve)
    E = bought(months_back(as_of, active_months), as_of)
    B = bought(eve, as_of)
    N = {c for c, own in days.items() if own[0] > eve}
    revenue: dict[str, Fraction] = {}
    for row in result.used:
        if row.day > eve:
            revenue[row.customer] = revenue.get(row.customer, Fraction(0)) + row.amount
    net = sum(revenue.values(), Fraction(0))
    kept, newly, back, gone = S & E, E & N, E - N - S, S - E
    of_kept, of_newly, of_back = (
        sum((revenue.get(c, Fraction(0)) for c in some), Fraction(0))
        for some in (kept, newly, back)
    )
    eve_before = months_back(eve, period_months)
    lost_before = sum(
        (r.amount for r in result.used if r.customer in gone and eve_before < r.day <= eve),
        Fraction(0),
    )
    orders = [o.amount for o in result.orders if o.day > eve and o.amount > 0]
    seen = {c for c, own in days.items() if (as_of - own[0]).days >= 90}
    again = {c for c in seen if len(days[c]) > 1 and (days[c][1] - days[c][0]).days <= 90}
    gaps = [(own[1] - own[0]).days for own in days.values() if len(own) > 1]
    best = sorted((revenue[c] for c in B), reverse=True)[: -(-len(B) // 5)]
    of_new = sum((revenue[c] for c in N), Fraction(0))
    of_returning = sum((revenue[c] for c in B - N), Fraction(0))
    return {
        "customers.total": len(days),
        "customers.active": len(B),
        "customers.new": len(N),
        "customers.returning": len(B - N),
        "customers.at_start": len(S),
        "customers.at_end": len(E),
        "customers.reactivated": len(E - N - S),
        "customers.lost": len(S - E),
        "retention.rate": ratio(len(S & E), len(S)),
        "retention.rate_formula": ratio(len(E - N), len(S)),
        "retention.repurchase_rate": ratio(len(S & B), len(S)),
        "churn.rate": ratio(len(S - E), len(S)),
        "retention.repeat_rate": ratio(
            len([c for c in B if len([d for d in days[c] if d > eve]) >= 2]), len(B)
        ),
        "retention.ever_repeat_rate": ratio(len(gaps), len(days)),
        "retention.repeat_90d": ratio(len(again), len(seen)),
        "journey.days_to_second": float(statistics.median(gaps)) if gaps else None,
        "revenue.net": float(net),
        "orders.count": len(orders),
        "orders.aov": ratio(sum(orders), len(orders)),
        "orders.per_customer": ratio(len(orders), len(B)),
        "revenue.returning_share": ratio(of_returning, net),
        "revenue.top20_share": ratio(sum(best), net) if B else None,
        "spend.returning_vs_new": (
            ratio(of_returning / len(B - N), of_new / len(N)) if N and B - N else None
        ),
        "customers.kept": len(kept),
        "customers.new_at_end": len(newly),
        "revenue.kept": float(of_kept),
        "revenue.reactivated": float(of_back),
        "revenue.new": float(of_newly),
        "revenue.not_at_end": float(net - of_kept - of_newly - of_back),
        "revenue.lost_before": float(lost_before),
        "spend.kept": ratio(of_kept, len(kept)),
        "spend.reactivated": ratio(of_back, len(back)),
        "spend.new": ratio(of_newly, len(newly)),
    }


# --- rows that hypothesis makes up ---------------------------------------------------------------

days = st.one_of(
    st.sampled_from(
        [date(2023, 2, 28), date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
        + [date(2024, m, d) for m in (1, 3, 6) for d in (30, 31) if (m, d) != (6, 31)]
        + [date(2024, 7, 1), date(2024, 12, 31), date(2025, 2, 28), date(2025, 3, 1)]
    ),
    st.dates(date(2023, 1, 1), date(2025, 3, 31)),
)
cents = st.one_of(st.integers(-6_000, 9_000), st.sampled_from([-3_030, 0, 1_010, 2_020]))
row = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(["anna", "bo", "cæcilie", "dag", "eva", "finn"]),
        "date": days,
        "amount": cents.map(lambda c: f"{c / 100:.2f}"),
        "order": st.one_of(st.none(), st.sampled_from(["1", "2", "3"])),
    }
)
ends = st.one_of(
    st.sampled_from([date(2024, 2, 29), date(2024, 6, 30), date(2025, 2, 28), date(2025, 3, 30)]),
    st.dates(date(2024, 1, 1), date(2025, 4, 30)),
)
REFUNDED = [
    {"customer": "bo", "date": date(2024, 5, 5), "amount": a, "order": None}
    for a in ("10.10", "20.20", "-30.30")
]


def as_frame(rows: list[dict], with_orders: bool) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer", "date", "amount", "order"])
    frame["customer"] = frame["customer"].astype("str")
    frame["order"] = frame["order"].astype("str")
    frame["date"] = pd.to_datetime(frame["date"])
    frame["amount"] = frame["amount"].astype(float)
    return frame if with_orders else frame.drop(columns="order")


@pytest.mark.slow
@given(
    rows=st.lists(row, max_size=40),
    as_of=ends,
    start=st.one_of(st.none(), st.dates(date(2023, 1, 1), date(2024, 6, 30))),
    returns=st.sampled_from(["net", "drop"]),
    period_months=st.integers(1, 14),
    active_months=st.integers(1, 14),
    with_orders=st.booleans(),
)
@example(REFUNDED, date(2024, 5, 31), None, "net", 12, 12, False)
@example([], date(2024, 5, 31), None, "net", 12, 12, True)
@settings(max_examples=60, deadline=None)
def test_sql_python_and_sets_agree(
    rows, as_of, start, returns, period_months, active_months, with_orders
):
    if not with_orders:
        rows = [{**r, "order": None} for r in rows]
    frame = as_frame(rows, with_orders)
    result = reference.from_rows(rows, returns=returns, as_of=as_of, start=start)

    con = duckdb.connect()
    con.register("raw", frame)
    found = sql.metrics(
        con,
        as_of=as_of,
        start=start,
        returns=returns,
        period_months=period_months,
        active_months=active_months,
    )
    expected = by_sets(result, as_of, period_months, active_months)
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert (found[name] is None) == (value is None), name
        if value is not None:
            assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name

    summary = sql.customers(con, as_of=as_of, start=start, returns=returns)
    assert list(summary.index) == [c.customer for c in result.customers]
    for line in result.customers:
        there = summary.loc[line.customer]
        assert (there["first"].date(), there["last"].date()) == (line.first, line.last)
        for field in ("frequency", "recency", "T", "purchases", "revenue", "amount_mean"):
            assert there[field] == pytest.approx(float(getattr(line, field)), rel=1e-12, abs=1e-12)
        if line.monetary_value is None:
            assert math.isnan(there["monetary_value"])
        else:
            assert there["monetary_value"] == pytest.approx(float(line.monetary_value), rel=1e-12)


@given(rows=st.lists(row, max_size=40), as_of=ends, months=st.integers(1, 14))
@settings(max_examples=30, deadline=None)
def test_the_flow_of_customers_adds_up(rows, as_of, months):
    m = sql.metrics(as_frame(rows, False), as_of=as_of, period_months=months, active_months=months)
    # with P as long as the activity window, everybody new is there at the end
    assert m["customers.at_end"] == (
        m["customers.at_start"]
        - m["customers.lost"]
        + m["customers.reactivated"]
        + m["customers.new"]
    )


@pytest.fixture(scope="module")
def calendar_sql() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(sql.MONTHS_BACK)
    return con


@given(day=st.dates(date(2019, 1, 1), date(2026, 12, 31)), months=st.integers(1, 40))
def test_months_go_back_the_same_way_in_sql(calendar_sql, day, months):
    query = "SELECT months_back(CAST(? AS DATE), ?)"
    assert calendar_sql.execute(query, [str(day), months]).fetchone() == (months_back(day, months),)


@pytest.mark.parametrize(
    ("as_of", "months", "first"),
    [
        ("1998-06-30", 12, "1997-07-01"),
        ("2025-02-28", 12, "2024-03-01"),
        ("2024-02-29", 12, "2023-03-01"),
        ("2024-02-28", 12, "2023-03-01"),  # not its month's last day: after 2023-02-28
        ("2025-01-15", 12, "2024-01-16"),
        ("2025-03-30", 1, "2025-03-01"),
        ("2025-04-30", 1, "2025-04-01"),
    ],
)
def test_the_period_starts_on_the_day_that_the_contract_means(as_of, months, first):
    eve = date.fromisoformat(first) - timedelta(days=1)
    for day, inside in ((eve, 0), (date.fromisoformat(first), 1)):
        frame = pd.DataFrame({"customer": ["a"], "date": [str(day)], "amount": [1.0]})
        found = sql.metrics(frame, as_of=as_of, period_months=months)
        assert found["customers.active"] == inside, day


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2024-01-01", "2024-03-31", 1.0),  # 90 days later
        ("2024-01-01", "2024-04-01", 0.0),  # 91 days later
        ("2024-10-02", "2024-10-03", 1.0),  # first seen 90 days before the end
        ("2024-10-03", "2024-10-04", None),  # 89 days before
    ],
)
def test_repeat_within_90_days_counts_the_90th_day_at_both_ends(first, second, expected):
    frame = pd.DataFrame({"customer": "a", "date": [first, second], "amount": 1.0})
    assert sql.metrics(frame, as_of="2024-12-31")["retention.repeat_90d"] == expected


def test_an_order_belongs_to_the_day_of_its_earliest_row():
    rows = [
        {"customer": "a", "date": date(2023, 12, 31), "amount": "20.00", "order": "7"},
        {"customer": "a", "date": date(2024, 1, 1), "amount": "5.00", "order": "7"},
        {"customer": "a", "date": date(2024, 1, 1), "amount": "9.00", "order": "8"},
    ]
    found = sql.metrics(as_frame(rows, True), as_of="2024-12-31")
    assert (found["orders.count"], found["orders.aov"]) == (1, 9.0)
    # what is earned is in the period all the same
    assert found["revenue.net"] == 14.0


# --- rows left out, by cause ---------------------------------------------------------------------

GOOD = {"customer": "anna", "date": "2024-05-01", "amount": 10}


@pytest.mark.parametrize(
    ("change", "cause", "amount"),
    [
        ({"customer": None}, "no_customer", 10),
        ({"customer": "  "}, "no_customer", 10),
        ({"customer": math.nan, "date": None}, "no_customer", 10),
        ({"customer": "0"}, "guest", 10),
        ({"customer": "0", "date": None}, "guest", 10),
        ({"date": None}, "no_date", 10),
        ({"date": pd.NaT}, "no_date", 10),
        ({"date": "2023-02-29"}, "no_date", 10),
        ({"date": "later", "amount": None}, "no_date", 0),
        ({"amount": None}, "no_amount", 0),
        ({"amount": math.nan}, "no_amount", 0),
        ({"amount": math.inf}, "no_amount", 0),
        ({"amount": "ten"}, "no_amount", 0),
        ({}, "duplicate", 10),
        ({"amount": -3}, "return_dropped", -3),
        ({"amount": -3, "date": "2019-01-01"}, "return_dropped", -3),
        ({"date": "2023-12-31"}, "outside_window", 10),
        ({"date": "2025-01-01"}, "outside_window", 10),
    ],
)
def test_a_row_is_left_out_for_the_first_cause_that_holds(change, cause, amount):
    result = reference.from_rows(
        [GOOD, {**GOOD, **change}],
        returns="drop",
        deduplicate="exact",
        guest_ids=["0"],
        start="2024-01-01",
        as_of="2024-12-31",
    )
    assert len(result.used) == 1
    assert {c: (x.rows, x.amount) for c, x in result.left_out.items() if x.rows} == {
        cause: (1, amount)
    }


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "customer": st.sampled_from(["a", "b", "0", None]),
                "date": st.one_of(st.none(), days),
                "amount": st.one_of(st.none(), st.integers(-5, 5)),
            }
        ),
        max_size=30,
    ),
    returns=st.sampled_from(["net", "drop"]),
    deduplicate=st.sampled_from(["none", "exact"]),
)
@settings(max_examples=60)
def test_no_row_and_no_amount_gets_lost(rows, returns, deduplicate):
    result = reference.from_rows(
        rows,
        returns=returns,
        deduplicate=deduplicate,
        guest_ids=["0"],
        start="2024-01-01",
        as_of="2024-12-31",
    )
    assert len(result.used) + sum(x.rows for x in result.left_out.values()) == len(rows)
    known = sum(r["amount"] for r in rows if r["amount"] is not None)
    used = sum(r.amount for r in result.used)
    assert used + sum(x.amount for x in result.left_out.values()) == known
    assert sum(o.amount for o in result.orders) == used


def test_a_returned_order_is_no_purchase_but_still_counts_in_revenue():
    rows = [
        GOOD,
        {**GOOD, "date": "2024-06-01", "amount": "10.10"},
        {**GOOD, "date": "2024-06-01", "amount": "20.20"},
        {**GOOD, "date": "2024-06-01", "amount": "-30.30"},
        {**GOOD, "date": "2024-07-01", "amount": -4},
    ]
    (anna,) = reference.from_rows(rows).customers
    assert (anna.purchases, anna.last, anna.revenue) == (1, date(2024, 5, 1), 6)
    (anna,) = reference.from_rows(rows, returns="drop").customers
    assert anna.purchases == 2
    assert anna.revenue == Fraction("40.30")


def test_a_day_is_taken_in_the_clients_time_zone():
    rows = [
        {**GOOD, "date": "2024-05-01T22:30:00+00:00"},
        {**GOOD, "date": "2024-05-01 22:30:00"},
        {**GOOD, "date": datetime.fromisoformat("2024-05-01T22:30:00Z")},
    ]
    used = reference.from_rows(rows, timezone="Europe/Oslo").used
    assert [r.day for r in used] == [date(2024, 5, 2), date(2024, 5, 1), date(2024, 5, 2)]


def test_foreign_amounts_are_converted_and_an_unknown_currency_is_named():
    rows = [
        {"customer": "a", "date": "2024-05-01", "quantity": 3, "unit_price": "1.50"},
        {"customer": "a", "date": "2024-05-02", "quantity": 2, "unit_price": 5, "currency": "EUR"},
    ]
    result = reference.from_rows(rows, currency="NOK", fx={"EUR": 11.5})
    assert [p.amount for p in result.purchases] == [Fraction("4.5"), 115]
    with pytest.raises(ValueError, match="EUR"):
        reference.from_rows(rows, currency="NOK")


def test_an_order_id_belongs_to_its_customer_and_a_row_without_one_to_the_day():
    rows = [
        {**GOOD, "order": "7"},
        {**GOOD, "order": "7", "date": "2024-05-03", "amount": -2},
        {**GOOD, "order": "7", "customer": "bo"},
        {**GOOD, "order": None},
        {**GOOD, "order": None, "date": "2024-05-03"},
    ]
    orders = reference.from_rows(rows).orders
    assert [(o.customer, o.order, o.day.day, o.amount) for o in orders] == [
        ("anna", None, 1, 10),
        ("anna", "7", 1, 8),
        ("anna", None, 3, 10),
        ("bo", "7", 1, 10),
    ]


# --- real data and the docs ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def cdnow_master() -> Iterator[duckdb.DuckDBPyConnection]:
    with cdnow.connection() as con:
        yield con


def test_all_of_cdnow_adds_up_to_the_published_total(cdnow_master):
    whole = sql.metrics(cdnow_master, as_of="1998-06-30", period_months=18)
    assert whole["revenue.net"] == 2_500_315.63
    # 68 of the 23,570 customers have rows of $0 only
    assert whole["customers.total"] == whole["customers.new"] == 23_502
    assert whole["customers.at_start"] == 0
    assert whole["retention.rate"] is None


@pytest.mark.slow
def test_cdnows_year_is_the_same_by_sets(cdnow_master):
    rows = cdnow_master.execute(
        "SELECT customer, CAST(date AS DATE) AS date, amount FROM raw"
    ).fetchall()
    used = [reference.Used(c, None, day, Fraction(str(amount))) for c, day, amount in rows]
    result = reference.Result(
        start=None,
        as_of=date(1998, 6, 30),
        used=used,
        orders=reference.orders_of(used),
        purchases=reference.purchases_of(used),
        customers=[],
        left_out={},
    )
    found = sql.metrics(cdnow_master, as_of="1998-06-30")
    expected = by_sets(result, date(1998, 6, 30), 12, 12)
    # nobody can have been reactivated in a history of eighteen months
    assert found.pop("spend.reactivated") is expected.pop("spend.reactivated") is None
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_method_page_has_every_figure_of_the_oracle(cdnow_master):
    page = METHOD.read_text(encoding="utf-8")
    found = sql.metrics(cdnow_master, as_of="1998-06-30")
    assert [name for name in found if f"`{name}`" not in page] == []
