"""Any file that a client sends is read, whatever its kind; those that can't be: test_bad_input."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from pydantic import ValidationError

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.data.understood import look, understand
from retention_lib.errors import DataError
from retention_lib.keys.parts import Columns, CsvFormat
from retention_lib.params import Params, read_client_file
from retention_lib.run.check import describe

COLUMNS = {"customer": "kunde", "date": "dato", "amount": "sum"}
HEADER = "kunde;dato;sum\n"
TWO = HEADER + "Åse;31.12.2024;1 234,50\nbo;30.12.2024;7,50\n"


def read(folder: Path, source: str | list[str], **given: Any) -> Base:
    values = {"client": "acme", "currency": "NOK", "source": source, "columns": COLUMNS, **given}
    return read_base(Params(**values), folder)


def rows(base: Base) -> set[tuple[str, str, Decimal]]:
    table = base.rows.to_pyarrow().to_pylist()
    return {(r["customer"], r["day"].isoformat(), r["amount"].normalize()) for r in table}


BOTH = {
    ("Åse", "2024-12-31", Decimal("1234.5")),
    ("bo", "2024-12-30", Decimal("7.5")),
}


# --- kinds of files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding",
    [
        *("utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16", "utf-16-le", "utf-16-be"),
        "utf-32",
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_encoding_is_told_by_the_bytes(tmp_path: Path, encoding: str, packed: bool) -> None:
    name = "o.csv.gz" if packed else "o.csv"
    data = TWO.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
    assert rows(read(tmp_path, name)) == BOTH


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "cp865", "cp037", "utf-7"])
def test_every_encoding_is_read_where_it_is_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "o.csv").write_bytes(TWO.encode(encoding))
    assert rows(read(tmp_path, "o.csv", csv={"encoding": encoding})) == BOTH


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way(tmp_path: Path, ends: str) -> None:
    (tmp_path / "o.csv").write_bytes(TWO.replace("\n", ends).encode("cp1252"))
    assert rows(read(tmp_path, "o.csv")) == BOTH


def test_lines_may_end_in_more_than_one_way(tmp_path: Path) -> None:
    text = TWO.replace("\n", "\r\n", 2) + '"Cai\nCo";01.12.2024;5,00\r\n'
    (tmp_path / "o.csv").write_bytes(text.encode())
    assert rows(read(tmp_path, "o.csv")) == BOTH | {("Cai\nCo", "2024-12-01", Decimal(5))}


@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_the_sign_between_columns_is_told_by_the_lines(tmp_path: Path, delimiter: str) -> None:
    lines = [line.split(";") for line in TWO.splitlines()]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (tmp_path / "o.txt").write_text(text)
    base = read(tmp_path, "o.txt")
    assert rows(base) == BOTH
    assert base.understood
    assert base.understood.delimiter == delimiter


def test_commas_in_every_amount_are_no_columns(tmp_path: Path) -> None:
    text = "kunde;dato;sum\n" + "".join(f"k{i};2024-01-01;{i},50\n" for i in range(1, 99))
    (tmp_path / "o.csv").write_text(text)
    assert read(tmp_path, "o.csv").rows_used == 98
    columns = {"customer": "kunde", "date": "dato", "amount": "pris"}
    (tmp_path / "p.csv").write_text("kunde|dato|pris\n1|2024-01-01|1,5\n2|2024-01-01|2,5\n")
    assert read(tmp_path, "p.csv", columns=columns).rows_used == 2


@pytest.mark.parametrize(
    "above",
    ["Salgsrapport 2024\n\n", "Rapport;;\nLaget 1.1.2025;;\n", "\n\n", '"to\nlinjer"\n;;\n'],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_title_above_the_header_is_passed_over(tmp_path: Path, above: str, encoding: str) -> None:
    (tmp_path / "o.csv").write_bytes((above + TWO).encode(encoding))
    base = read(tmp_path, "o.csv")
    assert rows(base) == BOTH
    assert base.rows_in == 2


def test_files_of_one_source_may_be_written_in_their_own_ways(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(TWO.encode("cp1252"))
    other = "sum\tnote\tkunde\tdato\n5,00\tæ\tåge\t29.12.2024\n"
    (tmp_path / "2.csv").write_bytes(("Tittel\n" + other).encode("utf-16"))
    (tmp_path / "3.csv.gz").write_bytes(gzip.compress(b'dato,kunde,sum\n28.12.2024,Cai,"6,00"\n'))
    assert rows(read(tmp_path, "*.csv*")) == BOTH | {
        ("åge", "2024-12-29", Decimal(5)),
        ("Cai", "2024-12-28", Decimal(6)),
    }


def test_names_of_columns_are_compared_without_spaces_and_in_one_form(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(" kunde ;dato;bel\u006f\u0308p;\nanna;2024-01-01;1,50;\n")
    columns = {**COLUMNS, "amount": "belöp"}
    assert read(tmp_path, "o.csv", columns=columns).rows_used == 1


def test_text_written_anew_is_gone_with_the_base(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_bytes(TWO.encode("cp1252"))
    (tmp_path / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
        base = read(tmp_path, "o.csv")
    assert rows(base) == BOTH
    del base
    assert list((tmp_path / "tmp").iterdir()) == []


# --- workbooks -----------------------------------------------------------------------------------


def workbook(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    moment = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
    for name, lines in sheets.items():
        sheet = book.add_worksheet(name)
        for i, line in enumerate(lines):
            for j, cell in enumerate(line):
                if isinstance(cell, dt.date):
                    form = moment if isinstance(cell, dt.datetime) else day
                    sheet.write_datetime(i, j, cell, form)
                elif isinstance(cell, str):
                    sheet.write_string(i, j, cell)
                elif cell is not None:
                    sheet.write(i, j, cell)
    book.close()


NAMES = ["kunde", "dato", "sum"]


def test_a_workbook_is_read_from_the_first_sheet_with_the_columns(tmp_path: Path) -> None:
    workbook(
        tmp_path / "o.xlsx",
        {
            "Om": [["Laget av oss"]],
            "Ordrer": [
                ["Salgsrapport"],
                [],
                NAMES,
                ["Åse", dt.date(2024, 12, 31), 1234.5],
                [1001, dt.datetime(2024, 12, 30, 23, 59), -7],
                [],
                ["007", dt.date(2024, 12, 29), 1.234],
            ],
            "Andre": [NAMES, ["x", dt.date(2024, 12, 1), 1]],
        },
    )
    base = read(tmp_path, "o.xlsx")
    assert rows(base) == {
        ("Åse", "2024-12-31", Decimal("1234.5")),
        ("1001", "2024-12-30", Decimal(-7)),
        ("007", "2024-12-29", Decimal("1.234")),
    }
    assert base.rows_in == 3
    assert base.understood
    assert (base.understood.sheet, base.understood.header_row) == ("Ordrer", 2)
    assert any('"Andre" has them too' in caution for caution in base.understood.cautions)


def test_numbers_and_text_in_one_column_of_a_workbook_are_read_alike(tmp_path: Path) -> None:
    workbook(
        tmp_path / "o.xlsx",
        {
            "A": [
                NAMES,
                ["a", "31.12.2024", "1 234,50"],
                ["b", dt.date(2024, 3, 4), 1234.567],
                ["c", dt.datetime(2024, 3, 4, 22, 30), 5],
                ["d", 45355.5, "kr 6,-"],
            ]
        },
    )
    assert rows(read(tmp_path, "o.xlsx")) == {
        ("a", "2024-12-31", Decimal("1234.5")),
        ("b", "2024-03-04", Decimal("1234.567")),
        ("c", "2024-03-04", Decimal(5)),
        ("d", "2024-03-04", Decimal(6)),
    }


# --- JSON ----------------------------------------------------------------------------------------


def test_json_lines_are_read_with_their_types(tmp_path: Path) -> None:
    lines = [
        {"kunde": "Åse", "dato": "2024-12-31T23:30:00Z", "sum": 1.234, "annet": {"a": [1]}},
        {"kunde": 1001, "dato": "2024-12-30", "sum": "1 234,50"},
        {"dato": "2024-12-29", "sum": -7, "kunde": 12.0},
        {"kunde": None, "dato": "2024-12-29", "sum": 1},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "o.jsonl").write_text(text)
    (tmp_path / "o.json").write_text(json.dumps(lines))
    (tmp_path / "o.ndjson.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("o.jsonl", "o.json", "o.ndjson.gz"):
        base = read(tmp_path, name, timezone="Europe/Oslo")
        assert rows(base) == {
            ("Åse", "2025-01-01", Decimal("1.234")),
            ("1001", "2024-12-30", Decimal("1234.5")),
            ("12", "2024-12-29", Decimal(-7)),
        }, name
        assert base.left_out["cause"].tolist() == ["no_customer"]


# --- what `init` asks ----------------------------------------------------------------------------


def test_a_file_can_be_looked_at_before_its_columns_are_known(tmp_path: Path) -> None:
    text = "Ordrenr;Kundenr;Dato;Beløp\n" + "".join(
        f"{i};{i % 7};{1 + i % 28:02}.12.2024;1.{i:03},50\n" for i in range(100, 900)
    )
    (tmp_path / "o.csv").write_bytes(text.encode("cp1252"))
    understood, sample = look([tmp_path / "o.csv"], CsvFormat(), None)
    assert understood.columns == ("Ordrenr", "Kundenr", "Dato", "Beløp")
    assert (understood.encoding, understood.delimiter, understood.date_format) == (
        *("cp1252", ";", "%d.%m.%Y"),
    )
    assert (understood.decimal, understood.thousands) == (",", ".")
    assert len(sample) == 800
    assert sample["Beløp"].iloc[0] == "1.100,50"


def test_a_sample_is_of_the_beginning_the_middle_and_the_end(tmp_path: Path) -> None:
    line = "kunde;2024-01-01;{:09};" + "x" * 40 + "\n"
    (tmp_path / "o.csv").write_text("a;b;c;d\n" + "".join(line.format(i) for i in range(150_000)))
    _, sample = look([tmp_path / "o.csv"], CsvFormat(), None)
    numbers = sample["c"].astype(int)
    assert len(sample) == 5000
    assert numbers.min() == 0
    assert ((numbers > 70_000) & (numbers < 80_000)).sum() > 100
    assert numbers.max() > 149_000


# --- rows that are odd ----------------------------------------------------------------------------


def test_rows_that_dont_fit_are_counted_by_cause_and_the_others_used(tmp_path: Path) -> None:
    text = HEADER + "".join(
        f"{cells}\n"
        for cells in (
            *("anna;31.12.2024;1,50", "anna;2024-12-30;1,50", "anna;31.12.0001;1,50"),
            *("anna;31.12.2024;1.50", "anna;31.12.2024;1e308", ";31.12.2024;1,50"),
            *["anna;30.12.2024;2,50"] * 60,
        )
    )
    (tmp_path / "o.csv").write_text(text)
    base = read(tmp_path, "o.csv")
    assert base.left_out.set_index("cause")["rows"].to_dict() == {
        **{"no_date": 2, "no_amount": 2, "no_customer": 1},
    }
    assert base.rows_used == 61


STRANGE = [
    *(
        "O'Brien",
        'the "best" one',
        "👩‍👩‍👧 familie",
        "x" * 10_000,
        "0042",
        "42",
        "'; DROP TABLE x; --",
    ),
    *("=1+1", "NULL", "nan", "1e5", "ÅSE", "åse", "a;b", "a\tb", "\\N", "  inner  space"),
]


def test_an_id_is_text_whatever_it_holds(tmp_path: Path) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in STRANGE]
    text = HEADER + "".join(f"{name};2024-01-01;5\n" for name in quoted)
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "o.csv").write_bytes(text.encode(encoding))
        found = set(read(tmp_path, "o.csv").customers().index)
        assert found == {name.strip() for name in STRANGE}


def test_check_says_what_was_understood_and_warns_of_the_future(tmp_path: Path) -> None:
    text = "Rapport\n\n" + TWO + "bo;24.12.2052;kr 5,-\n"
    (tmp_path / "o.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: o.csv\n"
        "columns: {customer: kunde, date: dato, amount: sum}\ncsv: {delimiter: ;}\n"
    )
    lines = list(describe(read_client_file(tmp_path / "acme.yaml"), dt.date(2025, 1, 1)))
    assert [line.strip() for line in lines[2:6]] == [
        "Text in Windows-1252, columns between semicolons (as csv.delimiter says).",
        "The header is row 3; what stands above it is left out.",
        "Amounts with decimal comma, a space between thousands, as in 1 234,50; kr beside them.",
        "Dates as in 31.12.2025 (%d.%m.%Y).",
    ]
    assert any("left out: 1 row. Dated after today." in line for line in lines)


def test_a_column_may_be_mapped_twice(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(TWO)
    base = read(tmp_path, "o.csv", columns={**COLUMNS, "channel": "kunde"})
    assert base.rows_used == 2


def test_birthdays_are_written_in_their_own_way_and_lie_before_the_order(tmp_path: Path) -> None:
    lines = ["a;2024-01-01;5;31.12.45", "b;2024-01-02;5;01.02.03", "c;2024-01-02;5;"]
    (tmp_path / "o.csv").write_text("\n".join(["kunde;dato;sum;født", *lines]))
    base = read(tmp_path, "o.csv", columns={**COLUMNS, "birthday": "født"})
    found = {r["customer"]: r["birthday"] for r in base.rows.to_pyarrow().to_pylist()}
    assert found == {"a": dt.date(1945, 12, 31), "b": dt.date(2003, 2, 1), "c": None}


@pytest.mark.parametrize(
    "csv",
    [{"date_format": "yyyy"}, {"decimal": ";"}, {"encoding": "klingon"}, {"delimiter": ";;"}],
)
def test_a_format_that_is_none_is_refused_before_any_file_is_opened(csv: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        CsvFormat(**csv)  # type: ignore[arg-type]


def test_what_can_be_told_only_from_the_whole_column_is_told_from_it(tmp_path: Path) -> None:
    columns = Columns(customer="kunde", date="dato", amount="sum")
    row = "anna;03/04-25;1.234;" + "x" * 60 + "\n"
    head, rest = (row * n for n in (12_000, 60_000))
    telling = "bo;31/12-25;2,50;y\n"
    file = tmp_path / "o.csv"
    file.write_text("kunde;dato;sum;note\n" + head + telling + rest)
    unsure, _ = look([file], CsvFormat(), columns)
    assert (unsure.date_format, unsure.decimal) == (None, None)
    sure = understand([file], CsvFormat(), columns)
    assert (sure.date_format, sure.decimal, sure.thousands) == ("%d/%m-%y", ",", ".")
    file.write_text("kunde;dato;sum;note\n" + head + rest)
    with pytest.raises(DataError) as error:
        understand([file], CsvFormat(), columns)
    assert [said.split(":")[0] for said in error.value.sentences] == [
        "csv.date_format",
        "csv.decimal",
    ]
    told = CsvFormat(date_format="%m/%d-%y", decimal=".")
    assert understand([file], told, columns).date_format == "%m/%d-%y"
