"""What to look at in a client's rows before trusting what comes of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from retention_lib.data import quality
from retention_lib.data.base import Base, read_base
from retention_lib.params import Params


def base_of(rows: list[tuple[str, str, str]], **given: object) -> Base:
    """A base from (customer, day, amount)."""
    with tempfile.TemporaryDirectory() as folder:
        lines = ["c,d,a", *(",".join(row) for row in rows)]
        (Path(folder) / "o.csv").write_text("\n".join(lines))
        params = Params(
            **{"client": "acme", "currency": "NOK", "source": "o.csv", **given},
            columns={"customer": "c", "date": "d", "amount": "a"},
        )
        return read_base(params, Path(folder))


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


def test_customers_without_a_purchase_are_counted() -> None:
    rows = [("anna", "2024-01-01", "5"), ("bo", "2024-01-01", "-5"), ("cato", "2024-01-02", "0")]
    assert quality.without_purchase(base_of(rows)) == 2
    assert quality.without_purchase(base_of(rows, free_orders=True)) == 1
    assert quality.without_purchase(base_of(rows[:1])) == 0
