"""Where nothing sensible can be computed there is no report, and what is enough is let through."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from retention_lib.cli import app
from retention_lib.data import gate
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.params import Params

COLUMNS = {"customer": "c", "date": "d", "amount": "a"}
Rows = Iterable[tuple[str, ...]]


def write(folder: Path, rows: Rows, **given: object) -> Params:
    """Rows of customer, day, amount and, where they have a fourth, order."""
    lines = [",".join(row) for row in rows]
    columns = COLUMNS if lines[0].count(",") == 2 else {**COLUMNS, "order": "o"}
    (folder / "o.csv").write_text("\n".join([",".join(columns.values()), *lines]))
    return Params(client="acme", currency="NOK", source="o.csv", columns=columns, **given)


def refuse(folder: Path, rows: Rows, **given: object) -> None:
    params = write(folder, rows, **given)
    gate.refuse(read_base(params, folder), folder)


def days(
    count: int, of: str = "2024-01-{:02}", amount: str = "5", who: str = "c"
) -> list[tuple[str, str, str]]:
    return [(f"{who}{n}", of.format(n % 28 + 1), amount) for n in range(count)]


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("-5", ("net to zero or less", "30 of 30 rows are below zero", "without a minus")),
        ("0", ("net to zero or less", "30 of 30 rows have an amount of zero", "free_orders")),
    ],
)
def test_without_a_purchase_there_is_no_report(
    tmp_path: Path, amount: str, says: tuple[str, ...]
) -> None:
    with pytest.raises(DataError) as told:
        refuse(tmp_path, days(30, amount=amount))
    (sentence,) = told.value.sentences
    assert sentence.startswith("source: no row is a purchase; the days of 30 customers")
    assert all(words in sentence for words in says)


def test_a_single_purchase_is_one(tmp_path: Path) -> None:
    refuse(tmp_path, [*days(30, amount="-5"), ("anna", "2024-01-01", "5")])
    refuse(tmp_path, days(30, amount="0"), free_orders=True)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (days(51, of="soon"), ("no date, or an impossible one: 51", "csv.date_format")),
        (days(51, amount="x", who="x"), ("no amount that can be read: 51", "csv.decimal")),
        (days(51, of="2150-01-{:02}"), ("dated after today: 51", "name as_of")),
    ],
)
def test_most_rows_must_be_read(tmp_path: Path, bad: Rows, says: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as told:
        refuse(tmp_path, [*days(50), *bad])
    (sentence,) = told.value.sentences
    assert "50% of the 101 rows with a customer can't be used" in sentence
    assert all(words in sentence for words in says)
    refuse(tmp_path, [*days(51), *bad])  # half is enough


def test_causes_add_up(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="75% of the 80 rows"):
        refuse(tmp_path, [*days(20), *days(30, of="soon"), *days(30, amount="x", who="x")])


def test_a_handful_of_rows_is_seen_by_anyone(tmp_path: Path) -> None:
    refuse(tmp_path, [*days(4), *days(15, of="soon")])


def test_what_nobody_in_particular_bought_says_nothing_of_the_others(tmp_path: Path) -> None:
    nobodys = [("", day, amount) for _, day, amount in days(900)]
    guests = [("guest", day, amount) for _, day, amount in days(900)]
    refuse(tmp_path, [*days(30), *nobodys, *guests], guest_ids=["guest"])


def test_a_window_leaves_out_as_much_as_it_likes(tmp_path: Path) -> None:
    refuse(tmp_path, [*days(900, of="2020-01-{:02}"), *days(30)], start="2024-01-01")


def test_lines_of_an_order_that_has_its_amount_on_another_arent_unread(tmp_path: Path) -> None:
    orders = [(*row, f"o{n}") for n, row in enumerate(days(30))]
    blank = [(c, d, "", o) for c, d, _, o in orders for _ in range(4)]
    refuse(tmp_path, [*orders, *blank])
    # without an order's id an order is a customer's day
    refuse(tmp_path, [row[:3] for row in [*orders, *blank]])
    others = [(c, d, a, f"x{o}") for c, d, a, o in blank]
    with pytest.raises(DataError, match="no amount that can be read: 120"):
        refuse(tmp_path, [*orders, *others])


@pytest.mark.parametrize(
    "command",
    [
        "check",
        pytest.param("report", marks=pytest.mark.slow),
    ],
)
def test_both_commands_pass_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, [*days(50), *days(60, of="soon")])
    (tmp_path / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: o.csv\ncolumns: {customer: c, date: d, amount: a}\n"
    )
    ran = CliRunner().invoke(app, [command, "acme.yaml"])
    assert ran.exit_code == 3
    (sentence,) = ran.stderr.splitlines()
    assert "55% of the 110 rows" in sentence
    assert not [*tmp_path.glob("reports/**/report.html")]
