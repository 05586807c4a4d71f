"""One table, however it is written, gives the same used rows and the same counts by cause."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lib.data.read import read_base
from retention_lib.params import Params

NAMES = ("kunde", "dato", "sum", "note")
PARAMS = {
    "client": "acme",
    "currency": "NOK",
    "columns": {"customer": "kunde", "date": "dato", "amount": "sum"},
}


@dataclass(frozen=True)
class Row:
    """A row as a person means it; a bad date or amount is the text that stands there."""

    customer: str
    date: dt.date | str
    amount: Decimal | str
    note: str


def meant(rows: list[Row]) -> tuple[Counter, dict[str, int]]:
    """The used rows and the others by cause, as the definition has it (CONTRACT, section 3)."""
    used: Counter = Counter()
    causes: Counter = Counter()
    for row in rows:
        if not row.customer.strip():
            causes["no_customer"] += 1
        elif isinstance(row.date, str):
            causes["no_date"] += 1
        elif isinstance(row.amount, str):
            causes["no_amount"] += 1
        else:
            used[row.customer.strip(), row.date, row.amount] += 1
    return used, dict(causes)


def understood(folder: Path, name: str) -> tuple[Counter, dict[str, int], int]:
    base = read_base(Params(**PARAMS, source=name), folder)
    rows = base.rows.to_pyarrow().to_pylist()
    used = Counter((r["customer"], r["day"], r["amount"].normalize()) for r in rows)
    assert base.rows_in == base.rows_used + int(base.left_out["rows"].sum())
    assert base.rows_used == len(rows)
    return used, base.left_out.set_index("cause")["rows"].to_dict(), base.rows_in


# --- the ways ------------------------------------------------------------------------------------

ISO, DAY_FIRST, SHORT = "%Y-%m-%d", "%d.%m.%Y", "%d/%m-%y"


def text_of(row: Row, decimal: str, thousands: str, dates: str) -> list[str]:
    day = row.date if isinstance(row.date, str) else row.date.strftime(dates)
    amount = row.amount
    if isinstance(amount, Decimal):
        signs = str.maketrans({",": thousands or None, ".": decimal})
        amount = f"{amount:,.2f}".translate(signs)
    return [row.customer, day, amount, row.note]


def write_csv(
    folder: Path,
    rows: list[Row],
    *,
    delimiter: str,
    signs: tuple[str, str],
    dates: str,
    encoding: str,
    ends: str,
    packed: bool,
) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=ends)
    writer.writerow(NAMES)
    writer.writerows(text_of(row, *signs, dates) for row in rows)
    data = stream.getvalue().encode(encoding)
    name = "o.csv.gz" if packed else "o.csv"
    (folder / name).write_bytes(gzip.compress(data) if packed else data)
    return name


def write_json(folder: Path, rows: list[Row], *, typed: bool, lines: bool, packed: bool) -> str:
    objects = []
    for row in rows:
        cells: dict[str, Any] = dict(zip(NAMES, text_of(row, ".", "", ISO), strict=True))
        if typed and isinstance(row.amount, Decimal):
            cells["sum"] = float(row.amount)
        objects.append({name: cell for name, cell in cells.items() if cell != ""})
    text = "\n".join(json.dumps(one, ensure_ascii=False) for one in objects)
    data = (text if lines else json.dumps(objects)).encode()
    name = "o.jsonl" + ".gz" * packed
    (folder / name).write_bytes(gzip.compress(data) if packed else data)
    return name


def write_workbook(folder: Path, rows: list[Row], *, typed: bool, titled: bool) -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    lines: list[list[Any]] = [["Salg"], []] if titled else []
    lines.append([*NAMES])
    for row in rows:
        cells: list[Any] = [*text_of(row, ",", " ", DAY_FIRST)]
        if typed:
            cells[1] = row.date
            cells[2] = float(row.amount) if isinstance(row.amount, Decimal) else row.amount
        lines.append(cells)
    for i, line in enumerate(lines, 1):
        for j, cell in enumerate(line, 1):
            if cell != "":
                sheet.cell(i, j, cell)
    book.save(folder / "o.xlsx")
    return "o.xlsx"


def write_parquet_text(
    folder: Path, rows: list[Row], *, signs: tuple[str, str], dates: str, kind: pa.DataType
) -> str:
    cells = zip(*(text_of(row, *signs, dates) for row in rows), strict=True)
    columns = [pa.array([cell or None for cell in column], pa.string()) for column in cells]
    table = pa.table({n: c.cast(kind) for n, c in zip(NAMES, columns, strict=True)})
    pq.write_table(table, folder / "o.parquet", row_group_size=3)
    return "o.parquet"


def write_parquet(folder: Path, rows: list[Row], *, kind: str) -> str:
    amounts = [None if isinstance(row.amount, str) else row.amount for row in rows]
    days = [None if isinstance(row.date, str) else row.date for row in rows]
    is_float = kind == "float"
    table = pa.table(
        {
            "kunde": pa.array([row.customer or None for row in rows], pa.string()),
            "dato": pa.array(days, pa.date32()).cast(pa.timestamp("us") if is_float else "date32"),
            "sum": pa.array(amounts, pa.decimal128(12, 2)).cast(
                pa.float64() if is_float else pa.decimal128(12, 2)
            ),
            "note": [row.note for row in rows],
        }
    )
    pq.write_table(table, folder / "o.parquet")
    return "o.parquet"


Way = Callable[[Path, list[Row]], str]

CSV_WAYS: st.SearchStrategy[Way] = st.builds(
    partial,
    st.just(write_csv),
    delimiter=st.sampled_from(";\t,|"),
    signs=st.sampled_from([(",", ""), (".", ""), (",", "."), (".", ","), (",", "\u00a0")]),
    dates=st.sampled_from([ISO, DAY_FIRST, SHORT]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16"]),
    ends=st.sampled_from(["\n", "\r\n"]),
    packed=st.booleans(),
)
JSON_WAYS: st.SearchStrategy[Way] = st.builds(
    partial, st.just(write_json), typed=st.booleans(), lines=st.booleans(), packed=st.booleans()
)
BOOK_WAYS: st.SearchStrategy[Way] = st.builds(
    partial, st.just(write_workbook), typed=st.booleans(), titled=st.booleans()
)
PARQUET_WAYS: st.SearchStrategy[Way] = st.builds(
    partial, st.just(write_parquet), kind=st.sampled_from(["float", "decimal"])
) | st.builds(
    partial,
    st.just(write_parquet_text),
    signs=st.sampled_from([(",", ""), (".", ""), (",", "."), (".", ","), (",", "\u00a0")]),
    dates=st.sampled_from([ISO, DAY_FIRST, SHORT]),
    kind=st.sampled_from([pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]),
)

# --- the table -----------------------------------------------------------------------------------

WORDS = st.text("aÅøÉ0 7;,|\t\"'\n#-", min_size=1, max_size=6)
ROWS = st.builds(
    Row,
    customer=st.one_of(WORDS, st.sampled_from(["", " ", "007", "7", "NULL", "a\nb", '"', "1e5"])),
    date=st.one_of(
        st.dates(dt.date(1990, 1, 1), dt.date(2024, 12, 31)),
        st.sampled_from(["", "soon", "31.02.2024", "0000-00-00", "9999-12-31"]),
    ),
    amount=st.one_of(
        st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents) / 100),
        st.sampled_from(
            [Decimal(0), Decimal("1234.5"), "", "five", "1e308", "inf", "-", "12,34,5"]
        ),
    ),
    note=WORDS.map(lambda text: f"x{text}"),
)
#: These two tell how dates and amounts are written, whatever else there is.
TELLING = [
    Row("kåre", dt.date(2023, 12, 31), Decimal("1234567.89"), "x"),
    Row("sølvi", dt.date(2023, 10, 29), Decimal("-0.5"), "x"),
]
TABLES = st.lists(ROWS, max_size=12).map(lambda rows: [*TELLING, *rows])


def check(way: Way, rows: list[Row]) -> None:
    used, causes = meant(rows)
    with tempfile.TemporaryDirectory() as folder:
        name = way(Path(folder), rows)
        found = understood(Path(folder), name)
    expected = Counter({(c, day, a.normalize()): n for (c, day, a), n in used.items()})
    assert found == (expected, causes, len(rows)), way


@settings(max_examples=10)
@given(CSV_WAYS, TABLES)
def test_text_gives_the_rows_that_were_meant(way: Way, rows: list[Row]) -> None:
    check(way, rows)


@pytest.mark.parametrize(
    "ways", [JSON_WAYS, BOOK_WAYS, PARQUET_WAYS], ids=["JSON", "XLSX", "Parquet"]
)
@settings(max_examples=5)
@given(st.data())
def test_other_kinds_give_the_rows_that_were_meant(
    ways: st.SearchStrategy[Way], data: st.DataObject
) -> None:
    check(data.draw(ways), data.draw(TABLES))


@pytest.mark.slow
@settings(max_examples=60)
@given(CSV_WAYS, JSON_WAYS, BOOK_WAYS, PARQUET_WAYS, TABLES)
def test_all_ways_give_the_same_rows(
    text: Way, objects: Way, book: Way, typed: Way, rows: list[Row]
) -> None:
    for way in (text, objects, book, typed):
        check(way, rows)


GRID = [
    partial(
        write_csv,
        delimiter=delimiter,
        signs=signs,
        dates=DAY_FIRST,
        encoding=encoding,
        ends="\r\n",
        packed=packed,
    )
    for delimiter in ";\t,|"
    for signs in ((",", ""), (".", ""))
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "iso-8859-1", "utf-16")
    for packed in (False, True)
]


@pytest.mark.slow
def test_every_sign_and_encoding_gives_the_same_rows() -> None:
    rows = [
        *TELLING,
        Row('"Ø; & co"\nAS', dt.date(2024, 2, 3), Decimal("-5.25"), "a\tb|c"),
        Row("007", dt.date(2024, 2, 3), "fem", "x"),
        Row(" ", dt.date(2024, 2, 3), Decimal(1), "x"),
        Row("7", "31.02.2024", Decimal(1), "x"),
    ]
    for way in GRID:
        check(way, rows)


SECONDS = 1_704_063_600  # midnight of 2024-01-01 in Oslo
COUNTS = {
    "digits": ([20240101, 20240131], ["2024-01-01", "2024-01-31"]),
    "digits, days first": ([11122023, 31122023], ["2023-12-11", "2023-12-31"]),
    "serial days": ([45292, 45322], ["2024-01-01", "2024-01-31"]),
    "serial days with times": ([45292.75, 45322.5], ["2024-01-01", "2024-01-31"]),
    "seconds": ([SECONDS, SECONDS - 1], ["2024-01-01", "2023-12-31"]),
    "seconds with decimals": ([SECONDS + 0.5, SECONDS - 0.5], ["2024-01-01", "2023-12-31"]),
    **{
        f"parts of seconds: {part}": (
            [SECONDS * part, (SECONDS - 1) * part],
            ["2024-01-01", "2023-12-31"],
        )
        for part in (10**3, 10**6, 10**9)
    },
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_numbers_that_are_days_are_the_same_in_every_kind(
    tmp_path: Path, kind: str, count: str
) -> None:
    numbers, days = COUNTS[count]
    if kind == "csv":
        text = "kunde;dato;sum\n" + "".join(f"a;{number};1\n" for number in numbers)
        (tmp_path / "o.csv").write_text(text)
    elif kind == "jsonl":
        lines = [json.dumps({"kunde": "a", "dato": number, "sum": 1}) for number in numbers]
        (tmp_path / "o.jsonl").write_text("\n".join(lines))
    else:
        table = {"kunde": ["a", "a"], "dato": numbers, "sum": [1, 1]}
        pq.write_table(pa.table(table), tmp_path / "o.parquet")
    source = Params(**PARAMS, source=f"o.{kind}", timezone="Europe/Oslo")
    rows = read_base(source, tmp_path).rows.to_pyarrow().to_pylist()
    assert sorted(str(row["day"]) for row in rows) == sorted(days)
