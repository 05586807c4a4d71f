"""What to look at in a client's rows before trusting what comes of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import base_of

from retention_lib.data import quality
from retention_lib.data.base import Base
from retention_lib.data.purchases import CAUSES


def orders(customer: str, count: int) -> list[tuple[str, str, str]]:
    """One order a day, for as many days."""
    return [
        (customer, f"{2020 + n // 336}-{n // 28 % 12 + 1:02}-{n % 28 + 1:02}", "5")
        for n in range(count)
    ]


def named(base: Base) -> list[str]:
    return quality.placeholders(base)["customer"].tolist()


@pytest.mark.parametrize(
    "id_",
    [
        *("0", "-1", "(blank)", "NULL", "guest", "Guest", "UNKNOWN", "anonymous", "n/a"),
        *("Gjest", "gæst", "Gäst", "999999"),
    ],
)
def test_an_id_of_nobody_is_named_even_with_one_order(id_: str) -> None:
    rows = [row for n in range(30) for row in orders(f"c{n}", 3)]
    found = quality.placeholders(base_of([*rows, *orders(id_, 1)]))
    assert found.to_dict("records") == [{"customer": id_, "orders": 1, "share": 1 / 91}]


def test_an_id_with_too_many_orders_for_one_is_found() -> None:
    shop = [row for n in range(300) for row in orders(f"c{n}", 2)]
    found = quality.placeholders(base_of([*shop, *orders("kiosk", 150)]))
    assert found["customer"].tolist() == ["kiosk"]
    assert found["share"].tolist() == [150 / 750]
    # a customer who orders twice a week isn't
    assert named(base_of([*shop, *orders("regular", 99)])) == []


def test_a_wholesalers_few_customers_are_customers() -> None:
    assert named(base_of([row for n in range(2, 14) for row in orders(f"c{n}", 110)])) == []


def test_a_small_shop_that_numbers_from_1_isnt_accused() -> None:
    assert named(base_of([row for n in range(1, 9) for row in orders(str(n), 25)])) == []
    # whoever came first has had the time to order most
    rows = [row for n in range(1, 60) for row in orders(str(n), max(1, 40 - n))]
    assert named(base_of(rows)) == []


def test_the_id_1_is_named_where_it_stands_out() -> None:
    rows = [row for n in range(2, 60) for row in orders(str(n), 2)]
    assert named(base_of([*rows, *orders("1", 25)])) == ["1"]
    assert named(base_of([*rows, *orders("1", 19)])) == []


def test_those_with_most_orders_come_first() -> None:
    rows = [row for n in range(30) for row in orders(f"c{n}", 3)]
    rows += [*orders("guest", 2), *orders("test", 5), *orders("0", 2)]
    assert named(base_of(rows)) == ["test", "0", "guest"]


def test_the_only_customer_of_all_orders_is_suspect() -> None:
    assert named(base_of(orders("all of them", 120))) == ["all of them"]


def test_the_reasons_give_shares_of_rows_and_of_amounts() -> None:
    rows = [("anna", "2024-01-01", "60"), ("", "2024-01-01", "30"), ("bo", "", "10")]
    found = quality.reasons(base_of([*rows, ("bo", "2024-01-02", "x")])).set_index("cause")
    assert found["rows"].to_dict() == {
        **{"No amount that can be read": 1, "No customer id": 1},
        **{"No date, or an impossible one": 1},
    }
    assert found["share_of_rows"].tolist() == [0.25] * 3
    assert found.loc["No customer id", "share_of_amount"] == 0.3
    assert found.loc["No date, or an impossible one", "share_of_amount"] == 0.1
    # of an amount that can't be read nobody knows the share
    assert found.loc["No amount that can be read"].isna()["share_of_amount"]
    assert quality.reasons(base_of(rows[:1])).empty


DAYS = st.sampled_from(["2024-01-01", "2024-02-30", "", "2150-01-01"])
AMOUNTS = st.sampled_from(["60", "-7.5", "0", "x", ""])


@pytest.mark.slow
@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["anna", "bo", "0", ""]), DAYS, AMOUNTS), max_size=40),
    st.sampled_from(["none", "exact"]),
    st.sampled_from(["net", "drop"]),
)
def test_the_account_adds_up(
    rows: list[tuple[str, str, str]], deduplicate: str, returns: str
) -> None:
    rows = [("anna", "2024-01-01", "60"), *rows]
    keys = {"deduplicate": deduplicate, "returns": returns, "guest_ids": ["0"]}
    table = quality.account(base_of(rows, **keys)).set_index("cause")
    parts, total = table.drop(index=quality.ALL), table.loc[quality.ALL]
    assert parts.index[0] == quality.USED
    assert parts["rows"].sum() == total["rows"] == len(rows)
    assert parts["share_of_rows"].sum() == pytest.approx(1)
    assert parts["amount"].sum() == pytest.approx(total["amount"])
    if total["amount"]:
        assert parts["share_of_amount"].sum() == pytest.approx(1)
    assert parts["key"].isna().tolist() == [True] + [False] * (len(parts) - 1)


def test_every_cause_has_a_key() -> None:
    assert quality.KEYS.keys() == CAUSES.keys()


def test_a_line_of_totals_is_no_revenue() -> None:
    sold = [row for n in range(10) for row in orders(f"c{n}", 3)]
    nobodys = [("", day, amount) for _, day, amount in orders("x", 6)]
    for line in (("Sum", "", "180"), ("Sum", "", "176")):  # it may add up what isn't read
        base = base_of([*sold, *nobodys, line])
        found = quality.account(base).set_index("cause")
        assert quality.totals_line(base) == "no_date"
        assert found.loc["No date, or an impossible one"].isna()["amount"]
        assert found.loc["No customer id", "share_of_amount"] == 30 / 180
        assert found.loc[quality.ALL, "amount"] == 180
    assert quality.totals_line(base_of([*sold, *nobodys, ("", "", "30")])) is None
    assert quality.totals_line(base_of([*sold, ("Sum", "", "75")])) is None
    assert quality.totals_line(base_of([*sold[:3], ("Sum", "", "15")])) is None


@pytest.mark.parametrize("id_", ["test@shop.no", "Testkunde 3", "demo-1", "ola@example.com"])
def test_tests_are_named_as_guests_are(id_: str) -> None:
    rows = [row for n in range(30) for row in orders(f"c{n}", 3)]
    real = [*orders("Testa Rossa", 2), *orders("tester.hansen@firma.no", 2), *orders("protest", 2)]
    assert named(base_of([*rows, *real, *orders(id_, 1)])) == [id_]


def test_customers_without_a_purchase_are_counted() -> None:
    rows = [("anna", "2024-01-01", "5"), ("bo", "2024-01-01", "-5"), ("cato", "2024-01-02", "0")]
    assert quality.without_purchase(base_of(rows)) == 2
    assert quality.without_purchase(base_of(rows, free_orders=True)) == 1
    assert quality.without_purchase(base_of(rows[:1])) == 0
