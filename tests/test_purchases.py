"""From rows to purchases: the engine against the definition in plain Python, to the last cent."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kept import kept_folder
from oracle import reference
from oracle.against import assert_same, assert_same_customers

from retention_lib.data.base import Base
from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.params import Params

Row = dict[str, Any]

FEW = settings(max_examples=6, deadline=None)
MANY = settings(max_examples=60, deadline=None)

# --- rows that hypothesis makes up ---------------------------------------------------------------

CUSTOMERS = (
    *("anna", "bo", "007", "7", "Åse Ødegård", "0", "gjest", '"quoted", with comma', "a;b\tc|d"),
    *("two\nlines", "#1001", "-", None, "", "  ", "\u00a0"),
)
# around midnight and the two nights of the clock change in Europe; each writing is another moment
LOCAL = (
    *("2024-01-01", "2024-02-29", "2024-03-31 02:30:00", "2024-10-27 02:30:00"),
    *("2024-12-31 23:59:59", "2025-01-01 00:00:01", "2024-12-31T12:00:00.250"),
)
ZONED = (
    *("2024-03-30T22:59:01Z", "2024-03-30T23:31:02+00:00", "2024-03-31T21:59:03Z"),
    *("2024-03-31T22:01:04Z", "2024-10-26T21:59:05+00:00", "2024-10-26T22:01:06Z"),
    *("2024-10-27T22:59:07Z", "2024-10-27T23:01:08Z", "2024-12-31T18:30:09-05:00"),
    *("2025-01-01T05:29:10+05:30", "2025-01-01 05:31:11+0530", "2024-06-30T23:30:12-11:00"),
)
IMPOSSIBLE = (
    None,
    "",
    "2024-02-30",
    "2023-02-29",
    "soon",
    # impossible in every way of writing days: which one a file has is told from its own
    "2024-12-32",
    "2024-13-01",
    "0000-00-00",
)

days = st.dates(dt.date(2023, 10, 1), dt.date(2025, 3, 31)).map(str)
dates = st.one_of(
    days, days, st.sampled_from(LOCAL), st.sampled_from(ZONED), st.sampled_from(IMPOSSIBLE)
)
cents = st.one_of(
    st.integers(-600_000, 900_000), st.sampled_from([-30, -20, -10, 0, 10, 20, 30, 99_999_999_999])
)
money = cents.map(lambda c: f"{Decimal(c) / 100:.2f}")
amounts = st.one_of(money, money, money, st.sampled_from([None, "", "ten", "nan", "inf", "-"]))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "customer": st.sampled_from(CUSTOMERS),
    "date": dates,
    "amount": amounts,
    "quantity": st.one_of(st.integers(-3, 9).map(str), st.sampled_from([None, "x"])),
    "unit_price": amounts,
    "order": st.sampled_from([None, None, "1", "2", "0003"]),
    "currency": st.sampled_from([None, "NOK", "NOK", "EUR", "SEK"]),
    "category": st.sampled_from([None, "sko", "vesker"]),
}
FX = {"EUR": 11.5, "SEK": 0.97}


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Rows of one file; some of them stand in it twice."""
    fields = ["customer", "date"]
    fields += draw(st.sampled_from([["amount"], ["amount"], ["quantity", "unit_price"]]))
    fields += [f for f in ("order", "currency", "category") if draw(st.booleans())]
    rows = draw(st.lists(st.fixed_dictionaries({f: FIELDS[f] for f in fields}), max_size=30))
    again = draw(st.lists(st.sampled_from(rows), max_size=4)) if rows else []
    return draw(st.permutations([*rows, *again])) if rows else []


options = st.fixed_dictionaries(
    {
        "returns": st.sampled_from(["net", "drop"]),
        "deduplicate": st.sampled_from(["none", "exact"]),
        "free_orders": st.booleans(),
        "guest_ids": st.sampled_from([[], ["0", " gjest "]]),
        "timezone": st.sampled_from(
            ["UTC", "Europe/Oslo", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"]
        ),
        "start": st.sampled_from([None, None, dt.date(2024, 1, 1), dt.date(2024, 3, 31)]),
        "as_of": st.sampled_from([None, None, dt.date(2024, 10, 27), dt.date(2024, 12, 31)]),
        "today": st.sampled_from([dt.date(2025, 6, 30), dt.date(2024, 10, 27)]),
    }
)
FORMS = ("csv", "parquet")


def write(rows: list[Row], file: Path) -> None:
    """The rows as a client might send them: all of it text."""
    fields = [*rows[0]]
    if file.suffix == ".parquet":
        schema = pa.schema([(field, pa.string()) for field in fields])
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)
        return
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fields)
        writer.writeheader()
        writer.writerows(rows)


def read(rows: list[Row], form: str = "csv", today: dt.date | None = None, **given_: Any) -> Base:
    with kept_folder() as (folder, keep):
        write(rows, folder / f"orders.{form}")
        columns = {field: field for field in rows[0]}
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": f"orders.{form}"},
            **{"columns": columns, "fx": FX, **given_},
        )
        return keep(read_base(params, folder, today))


def refund(*amounts_: str) -> list[Row]:
    first = {"customer": "bo", "date": "2024-05-01", "amount": "5.00"}
    return [first, *({"customer": "bo", "date": "2024-05-05", "amount": a} for a in amounts_)]


PLAIN = {
    **{"returns": "net", "deduplicate": "none", "free_orders": False, "guest_ids": []},
    **{"timezone": "Europe/Oslo", "start": None, "as_of": None, "today": None},
}


@given(rows=tables(), given_=options, form=st.sampled_from(FORMS))
@example(rows=refund("0.10", "0.20", "-0.30"), given_=PLAIN, form="csv")
@example(rows=refund("0.10", "0.20", "-0.30"), given_={**PLAIN, "free_orders": True}, form="csv")
@example(rows=refund("0.00"), given_={**PLAIN, "free_orders": True}, form="parquet")
@settings(FEW)
def test_the_engine_reads_rows_as_the_definition_does(
    rows: list[Row], given_: dict[str, Any], form: str
) -> None:
    assert_read_as_defined(rows, given_, form)


@pytest.mark.slow
@given(rows=tables(), given_=options, form=st.sampled_from(FORMS))
@settings(MANY)
def test_the_engine_reads_many_rows_as_the_definition_does(
    rows: list[Row], given_: dict[str, Any], form: str
) -> None:
    assert_read_as_defined(rows, given_, form)


def assert_read_as_defined(rows: list[Row], given_: dict[str, Any], form: str) -> None:
    expected = reference.from_rows(rows, currency="NOK", fx=FX, **given_)
    if not expected.used:
        if rows:
            with pytest.raises(DataError, match="source: "):
                read(rows, form, **given_)
        return
    base = read(rows, form, **given_)
    assert_same(base, expected, len(rows))
    assert_same_customers(base, expected)


@pytest.mark.slow
@given(
    rows=tables(), given_=options, day=st.sampled_from(["2024-03-31", "2024-06-30", "2024-10-26"])
)
@settings(MANY)
def test_a_base_at_an_earlier_day_is_the_base_that_was_read_then(
    rows: list[Row], given_: dict[str, Any], day: str
) -> None:
    then = dt.date.fromisoformat(day)
    expected = reference.from_rows(rows, currency="NOK", fx=FX, **{**given_, "as_of": then})
    if not expected.used:
        return
    base = read(rows, **{**given_, "as_of": dt.date(2024, 12, 31)}).at(then)
    assert_same(base, expected, len(rows))
    assert_same_customers(base, expected)
    assert base.windows.period.end == then


def test_a_base_at_an_earlier_day_knows_nothing_after_it() -> None:
    later = [row(date="2024-05-02", amount="7.00"), row(date="2024-05-03"), row(date="")]
    rows = [row(), row(customer="", amount="3.00"), *later]
    base = read(rows).at(dt.date(2024, 5, 1))
    assert_same(base, reference.from_rows(rows, currency="NOK", as_of="2024-05-01"), len(rows))
    assert base.left_out.to_dict("records") == [
        {"cause": "outside_window", "rows": 2, "amount": 17.0},
        {"cause": "no_customer", "rows": 1, "amount": 3.0},
        {"cause": "no_date", "rows": 1, "amount": 10.0},
    ]
    assert base.customers()["revenue"].tolist() == [10.0]
    assert base.windows.period.end == base.as_of


@pytest.mark.parametrize("left", [False, True])
def test_what_follows_a_purchase_is_known_once_it_has_happened(tmp_path: Path, left: bool) -> None:
    days = ["2024-05-01", "2024-05-04", "2024-05-09"]
    base: Base | None = read([row(date=day) for day in days])
    if left:
        prepare(base, tmp_path)
        base = from_prepared(base.params, tmp_path, lambda: base)
    first, second, third = map(dt.date.fromisoformat, days)

    def known(of: Base) -> list[tuple[Any, ...]]:
        rows = of.purchases().order_by("number").to_pyarrow().to_pylist()
        return [(r["number"], r["day"], r["first"], r["following"]) for r in rows]

    assert known(base) == [
        (0, first, first, second),
        (1, second, first, third),
        (2, third, first, None),
    ]
    assert known(base.at(dt.date(2024, 5, 8))) == [
        (0, first, first, second),
        (1, second, first, None),
    ]


def test_nothing_is_known_of_a_day_after_the_end() -> None:
    base = read(refund("1.00"))
    with pytest.raises(ValueError, match="2024-05-06, after the end of the data on 2024-05-05"):
        base.at(dt.date(2024, 5, 6))


# --- amounts that a file has as numbers -----------------------------------------------------------


@pytest.mark.slow
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([1, 7, None]),
            st.one_of(
                st.none(),
                st.sampled_from(ZONED).map(dt.datetime.fromisoformat),
                st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2025, 1, 1)).map(
                    lambda moment: moment.replace(tzinfo=dt.UTC)
                ),
            ),
            st.one_of(st.none(), cents.map(lambda c: c / 100), st.sampled_from([float("inf")])),
        ),
        min_size=1,
        max_size=30,
    ),
    timezone=st.sampled_from(["Europe/Oslo", "America/New_York"]),
    has_float_ids=st.booleans(),
)
@settings(MANY)
def test_numbers_and_zoned_timestamps_of_a_parquet_file_are_read_the_same(
    rows: list[tuple[Any, ...]], timezone: str, has_float_ids: bool
) -> None:
    named = [dict(zip(("customer", "date", "amount"), row, strict=True)) for row in rows]
    expected = reference.from_rows(named, currency="NOK", timezone=timezone)
    # pandas makes floats of ids among which one is missing
    id_type = pa.float64() if has_float_ids else pa.int64()
    schema = pa.schema(
        [("customer", id_type), ("date", pa.timestamp("us", "UTC")), ("amount", pa.float64())]
    )
    with kept_folder() as (folder, keep):
        pq.write_table(pa.Table.from_pylist(named, schema=schema), folder / "o.parquet")
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": "o.parquet", "timezone": timezone},
            columns={"customer": "customer", "date": "date", "amount": "amount"},
        )
        if not expected.used:
            with pytest.raises(DataError, match="no row can be used"):
                read_base(params, folder)
            return
        base = keep(read_base(params, folder))
    assert_same(base, expected, len(rows))
    assert_same_customers(base, expected)


# --- single claims --------------------------------------------------------------------------------


def row(**change: str) -> Row:
    return {"customer": "anna", "date": "2024-05-01", "amount": "10.00", **change}


def test_amounts_that_cancel_out_are_no_purchase_and_leave_no_dust() -> None:
    base = read(refund("0.10", "0.20", "-0.30"))
    bo = base.customers().loc["bo"]
    assert (bo["purchases"], bo["revenue"]) == (1, 5.0)
    # nor is a refunded day one where orders of zero count: something was returned
    assert (
        read(refund("0.10", "0.20", "-0.30"), free_orders=True).customers().loc["bo", "purchases"]
        == 1
    )
    assert read(refund("0.00"), free_orders=True).customers().loc["bo", "purchases"] == 2


def test_a_time_is_read_with_its_zone_however_it_is_written() -> None:
    writings = (
        *("2024-05-01T22:30:00Z", "2024-05-01 22:30:00 UTC", "2024-05-01 22:30 GMT"),
        *("2024-05-02 00:30:00 +0200", "2024-05-01T22:30:00.000+00:00", "2024-05-01 22:30:00+00"),
    )
    base = read([row(date=written) for written in writings], timezone="Europe/Oslo")
    assert base.rows_used == len(writings)
    assert set(base.rows.execute()["time"]) == {pd.Timestamp("2024-05-02 00:30:00")}


@pytest.mark.parametrize(
    "written",
    [
        "epoch",
        "infinity",
        "2024-05-01 10:00 rubbish",
        "10:00",
        "0044-03-15",
        "9024-01-01",
        "2024-05-01T",
    ],
)
def test_what_is_no_day_is_left_out_and_never_guessed(written: str) -> None:
    base = read([row(), row(date=written)])
    assert base.left_out.to_dict("records") == [{"cause": "no_date", "rows": 1, "amount": 10.0}]


def test_a_product_is_no_duplicate_of_another_product_of_the_same_amount() -> None:
    rows = [
        {"customer": "anna", "date": "2024-05-01", "quantity": q, "unit_price": p}
        for q, p in (("2", "5.00"), ("1", "10.00"), ("2", "5.00"))
    ]
    base = read(rows, deduplicate="exact")
    assert base.left_out["cause"].tolist() == ["duplicate"]
    assert base.rows_used == 2


def test_guest_ids_are_compared_without_the_spaces_around_them() -> None:
    base = read([row(), row(customer=" 0"), row(customer="gjest ")], guest_ids=[" 0 ", "gjest"])
    assert base.left_out.to_dict("records") == [{"cause": "guest", "rows": 2, "amount": 20.0}]
    assert base.customers().index.tolist() == ["anna"]


def test_large_amounts_are_converted_and_impossible_ones_counted() -> None:
    rows = [
        {"customer": "anna", "date": "2024-05-01", "quantity": q, "unit_price": p, "currency": c}
        for q, p, c in (
            ("1", "99999999.99", "EUR"),
            ("10000000000", "10000000000", "NOK"),
            ("1", "99999999999999.99", "EUR"),
            ("1", "1e300", "EUR"),
        )
    ]
    base = read(rows)
    assert base.customers()["revenue"].tolist() == [99_999_999.99 * 11.5]
    assert base.left_out.to_dict("records")[0]["rows"] == 3


def test_a_small_currency_is_exact_to_the_cent() -> None:
    rows = [row(amount="10000000.00", currency="VND")]
    base = read(rows, fx={"VND": 0.00041234567})
    assert base.customers()["revenue"].tolist() == [4123.4567]


def test_currencies_are_known_in_small_letters_too_and_none_is_the_reports() -> None:
    base = read([row(currency="eur"), row(currency=""), row(currency=" NOK ")])
    assert base.customers()["revenue"].tolist() == [115.0 + 10.0 + 10.0]


def test_the_causes_stand_most_rows_first_and_equals_by_name() -> None:
    rows = [row(), *(row(date="") for _ in range(2)), row(amount="x"), row(customer="")]
    assert read(rows).left_out["cause"].tolist() == ["no_date", "no_amount", "no_customer"]


def test_the_customers_carry_their_ruler_and_belong_to_whoever_asked() -> None:
    base = read(refund("1.00"), time_unit="week")
    frame = base.customers()
    assert frame.attrs == {"time_unit": "week", "grain": "day", "as_of": "2024-05-05"}
    frame["revenue"] = 0.0
    assert base.customers()["revenue"].tolist() == [6.0]
