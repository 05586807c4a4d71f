"""Text in Parquet files is read as text elsewhere; what is typed costs no look."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retention_lib.data import parquet_text
from retention_lib.data.base import Base
from retention_lib.data.files import NamedFile
from retention_lib.data.read import read_base
from retention_lib.data.understood import sentences
from retention_lib.errors import DataError
from retention_lib.keys.parts import CsvFormat
from retention_lib.params import Params, read_client_file
from retention_lib.run.init import init

COLUMNS = {"customer": "kunde", "date": "dato", "amount": "sum"}
DAY, TODAY = dt.date(2024, 1, 5), dt.date(2025, 1, 1)


def read(folder: Path, *tables: dict[str, Any], **given: Any) -> Base:
    for number, table in enumerate(tables):
        pq.write_table(pa.table(table), folder / f"{number}.parquet")
    values = {"columns": COLUMNS, "timezone": "Europe/Oslo", **given}
    return read_base(
        Params(client="acme", currency="NOK", source="*.parquet", **values), folder, TODAY
    )


def used(base: Base) -> list[tuple[str, str, float]]:
    rows = base.rows.to_pyarrow().to_pylist()
    return sorted((row["customer"], str(row["day"]), float(row["amount"])) for row in rows)


TYPED = {"kunde": ["a", "b"], "dato": [DAY, DAY], "sum": [1.5, 1234.25]}


def test_nothing_of_a_typed_file_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(*_: Any) -> None:
        raise AssertionError("a typed column needs no look")

    monkeypatch.setattr(parquet_text, "_looked_at", looked_at)
    base = read(tmp_path, TYPED, {**TYPED, "sum": [1, 2]})
    assert base.understood is None
    assert base.rows_used == 4
    # text in a column that is no date and no amount is none to understand
    assert read(tmp_path, {**TYPED, "note": ["31.12.2024", "1,5"]}).understood is None
    with pytest.raises(AssertionError, match="needs no look"):
        read(tmp_path, {**TYPED, "sum": ["1", "2"]})


def test_what_was_understood_is_said(tmp_path: Path) -> None:
    base = read(tmp_path, {**TYPED, "sum": ["kr 1,50", "kr 1 234,25"]})
    assert used(base) == [("a", "2024-01-05", 1.5), ("b", "2024-01-05", 1234.25)]
    assert base.understood
    assert sentences(base.understood, CsvFormat()) == [
        "Amounts with decimal comma, a space between thousands, as in 1 234,50; kr beside them.",
        "Dates are days in the file already.",
    ]


def test_what_the_client_file_says_wins(tmp_path: Path) -> None:
    table = {"kunde": ["a"], "dato": ["03.04.2023"], "sum": ["1.234"]}
    with pytest.raises(DataError) as raised:
        read(tmp_path, table)
    assert [said.split(":")[0] for said in raised.value.sentences] == [
        "csv.date_format",
        "csv.decimal",
    ]
    for csv, expected in (
        ({"decimal": ",", "date_format": "%d.%m.%Y"}, ("a", "2023-04-03", 1234.0)),
        ({"decimal": ".", "date_format": "%m.%d.%Y"}, ("a", "2023-03-04", 1.234)),
    ):
        assert used(read(tmp_path, table, csv=csv)) == [expected]


def test_one_value_far_from_the_sample_tells_how_the_others_are_meant(tmp_path: Path) -> None:
    n = 40_000
    days, amounts = ["03.04.2023"] * n, ["1.234"] * n
    days[n // 3], amounts[n // 3] = "31.01.2023", "1,50"
    base = read(tmp_path, {"kunde": ["a"] * n, "dato": days, "sum": amounts})
    assert {*used(base)} == {("a", "2023-04-03", 1234.0), ("a", "2023-01-31", 1.5)}


@pytest.mark.parametrize("skipped", [parquet_text._SKIPPED, 100])
@pytest.mark.parametrize("group", [7, 1_000, 10_000])
def test_the_beginning_the_middle_and_the_end_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int, skipped: int
) -> None:
    table = pa.table({"n": [f"{n}" for n in range(10_000)], "other": [0] * 10_000})
    pq.write_table(table, tmp_path / "o.parquet", row_group_size=group)
    file = NamedFile(tmp_path / "o.parquet", "o.parquet")
    monkeypatch.setattr(parquet_text, "_SKIPPED", skipped)
    (rows,) = parquet_text.sample_of([file], [table.schema], [["n"]], 30)
    # of a row group no more is read than is allowed, to come to the rows that are wanted
    starts = [s - max(0, s % group - skipped) for s in (0, 4_995, 9_990)]
    expected = [str(s + i) for s in starts for i in range(10)]
    assert [n for (n,) in rows] == expected
    (all_rows,) = parquet_text.sample_of([file], [table.schema], [["n"]], 10_000)
    assert len({*all_rows}) == 10_000


DATES = {
    "days first": ["31.12.2023", "01.11.2023"],
    "with times": ["31.12.2023 10:30", "01.11.2023 00:00"],
    "ISO 8601": ["2023-12-31", "2023-11-01"],
    "names of months": ["31. des. 2023", "1. nov. 2023"],
    "digits": [20231231, 20231101],
    "serial days": [45291.0, 45231.0],
    "seconds": [1704018600, 1698793200],
}
MOMENTS = {
    "days": pa.array([DAY] * 2),
    "times": pa.array([dt.datetime(2024, 1, 5, 23, 30)] * 2, pa.timestamp("us")),
    "moments": pa.array([dt.datetime(2024, 1, 5, 22, 30)] * 2, pa.timestamp("ns", "UTC")),
}


@pytest.mark.parametrize("moments", MOMENTS)
@pytest.mark.parametrize("dates", DATES)
def test_a_column_that_is_typed_in_one_file_and_text_in_another(
    tmp_path: Path, dates: str, moments: str
) -> None:
    text = {"kunde": ["c", "d"], "dato": DATES[dates], "sum": ["1.234,50", "1,5"]}
    nothing = {"kunde": ["e"], "dato": pa.nulls(1), "sum": pa.nulls(1)}
    base = read(tmp_path, {**TYPED, "dato": MOMENTS[moments]}, text, nothing)
    assert used(base) == [
        ("a", "2024-01-05", 1.5),
        ("b", "2024-01-05", 1234.25),
        ("c", "2023-12-31", 1234.5),
        ("d", "2023-11-01", 1.5),
    ]
    assert base.left_out["cause"].tolist() == ["no_date"]


def test_text_that_does_not_say_that_it_is(tmp_path: Path) -> None:
    days = pa.array([b"31.12.2023", b"01.11.2023"])
    amounts = pa.array(["1\u00a0234,50".encode(), b"\xff"])
    base = read(tmp_path, {"kunde": ["a", "b"], "dato": days, "sum": amounts})
    assert used(base) == [("a", "2023-12-31", 1234.5)]
    assert base.left_out["cause"].tolist() == ["no_amount"]


def test_a_birthday_of_text_that_one_file_lacks(tmp_path: Path) -> None:
    table = {**TYPED, "født": ["31.12.80", "01.02.45"]}
    base = read(tmp_path, table, TYPED, columns={**COLUMNS, "birthday": "født"})
    assert base.rows_used == 4
    days = {str(day) for day in base.rows.to_pyarrow()["birthday"].to_pylist() if day}
    assert days == {"1980-12-31", "1945-02-01"}


def test_names_that_need_quotes(tmp_path: Path) -> None:
    table = {"kunde": ["a"], "dato": [20240131], 'x "y".z': ["1,5"], "x": [7]}
    typed = {"kunde": ["b"], "dato": [DAY], 'x "y".z': [2.5], "x": [7]}
    base = read(tmp_path, table, typed, columns={**COLUMNS, "amount": 'x "y".z'})
    assert used(base) == [("a", "2024-01-31", 1.5), ("b", "2024-01-05", 2.5)]


@pytest.mark.parametrize("kind", ["text", "digits", "seconds"])
def test_a_client_file_is_proposed_for_it(tmp_path: Path, kind: str) -> None:
    days = [DAY + dt.timedelta(days=3 * n) for n in range(80)]
    ways = {
        "text": [day.strftime("%d.%m.%Y") for day in days],
        "digits": [int(day.strftime("%Y%m%d")) for day in days],
        "seconds": [1_704_452_400 + 3 * 86_400 * n for n in range(80)],
    }
    table = {
        "Kundenr": [f"{n % 20:04d}" for n in range(80)],
        "Dato": ways[kind],
        "Beløp": [f"{10 + n},50" for n in range(80)],
        "Varer": [[{"vare": "x"}]] * 80,
    }
    pq.write_table(pa.table(table), tmp_path / "o.parquet")
    init("acme", "o.parquet", tmp_path)
    file = read_client_file(tmp_path / "params" / "acme.yaml")
    formats = {"text": "%d.%m.%Y", "digits": "%Y%m%d", "seconds": "epoch"}
    assert (file.params.csv.decimal, file.params.csv.date_format) == (",", formats[kind])
    assert read_base(file.params, file.folder).rows_used == 80
