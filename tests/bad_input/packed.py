"""Files of other kinds than plain text: gzip, Parquet, workbooks, JSON."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from bad_input import TWO, Case, read, refused

GOOD = gzip.compress(TWO.encode() * 50)

GZIP = {
    "that isn't": refused(
        b"plain text", "isn't packed with gzip", "fetch it again", name="o.csv.gz"
    ),
    "cut in half": refused(GOOD[: len(GOOD) // 2], "not whole", "fetch it again", name="o.csv.gz"),
    "without its end": refused(GOOD[:-4], "not whole", "fetch it again", name="o.csv.gz"),
    "damaged in the middle": refused(
        GOOD[:30] + b"\xff" * 8 + GOOD[38:], "not whole", "fetch it again", name="o.csv.gz"
    ),
    "of another content than it says": refused(
        GOOD[:-8] + b"\0\0\0\0" + GOOD[-4:], "not whole", "fetch it again", name="o.csv.gz"
    ),
    "with other things behind it": refused(
        GOOD + b"and more", "not whole", "fetch it again", name="o.csv.gz"
    ),
    "of nothing": refused(gzip.compress(b""), "is empty", name="o.csv.gz"),
    "of gzip": refused(
        gzip.compress(gzip.compress(TWO.encode())), "packed with gzip", "twice", name="o.csv.gz"
    ),
    "of an archive": refused(
        gzip.compress(b"PK\x03\x04" + bytes(99)), "a ZIP archive", name="o.csv.gz"
    ),
    "of JSON, cut": refused(
        gzip.compress(b'{"kunde": 1, "dato": "2024-01-01", "sum": 1}\n' * 50)[:40],
        "not whole",
        "fetch it again",
        name="o.jsonl.gz",
    ),
}


def parquet(table: dict[str, Any], **options: Any):
    return lambda path: pq.write_table(pa.table(table), path, **options)


def cut_parquet(path: Path) -> None:
    parquet({"kunde": ["a"] * 999, "dato": ["2024-01-01"] * 999, "sum": [1.5] * 999})(path)
    path.write_bytes(path.read_bytes()[:-20])


def damaged_parquet(path: Path) -> None:
    n = 5000
    parquet(
        {
            "kunde": [f"{i * 7919}" for i in range(n)],
            "dato": ["2024-01-01"] * n,
            "sum": [1.5 + i for i in range(n)],
        },
        compression="zstd",
        use_dictionary=False,
    )(path)
    data = path.read_bytes()
    path.write_bytes(data[:400] + b"\xff" * 4000 + data[4400:])


DAY = dt.date(2024, 1, 1)
PARQUET = {
    "that isn't": refused(
        b"no Parquet at all" * 9,
        "o.parquet can't be read",
        "Parquet",
        name="o.parquet",
    ),
    "of a CSV": refused(
        TWO,
        "o.parquet can't be read",
        "Parquet",
        name="o.parquet",
    ),
    "cut": refused(
        cut_parquet,
        "o.parquet can't be read",
        "whole",
        name="o.parquet",
    ),
    "damaged in the middle": refused(
        damaged_parquet,
        "o.parquet can't be read",
        "whole",
        name="o.parquet",
    ),
    "locked": refused(b"PARE" + bytes(99) + b"PARE", "o.parquet can't be read", name="o.parquet"),
    "without rows": refused(
        parquet(
            {
                "kunde": pa.array([], pa.string()),
                "dato": pa.array([], pa.date32()),
                "sum": pa.array([], pa.float64()),
            }
        ),
        "there isn't a single row",
        name="o.parquet",
    ),
    "without the columns": refused(
        parquet({"kunde": ["a"], "datum": [DAY], "sum": [1.5]}),
        'columns.date: the source has no column "dato"',
        'did you mean "datum"?',
        name="o.parquet",
    ),
    "with infinities": refused(
        parquet(
            {
                "kunde": ["a", "b", "c"],
                "dato": [DAY] * 3,
                "sum": [float("inf"), float("-inf"), float("nan")],
            }
        ),
        "source: no row can be used",
        "can be read: 3",
        name="o.parquet",
    ),
    "with 1e308": read(
        parquet({"kunde": ["a", "b"], "dato": [DAY] * 2, "sum": [1e308, 5.0]}),
        "1 of 2 rows are used",
        "left out: 1 row",
        name="o.parquet",
    ),
    "with text for amounts": refused(
        parquet({"kunde": ["a"], "dato": [DAY], "sum": ["five"]}),
        "source: no row can be used",
        "can be read: 1",
        name="o.parquet",
    ),
    "with commas in its amounts": read(
        parquet({"kunde": ["a", "b"], "dato": [DAY] * 2, "sum": ["1,50", "2,25"]}),
        "2 of 2 rows are used",
        name="o.parquet",
    ),
    "with days first in its dates": read(
        parquet({"kunde": ["a", "b"], "dato": ["31.12.2024", "01.11.2024"], "sum": [1.5, 2]}),
        "2 of 2 rows are used",
        name="o.parquet",
    ),
    "with numbers for dates": refused(
        parquet({"kunde": ["a"], "dato": [17], "sum": [5.0]}),
        "source: no row can be used",
        "impossible one: 1",
        name="o.parquet",
    ),
    "with numbers such as 20240131 for dates": read(
        parquet({"kunde": ["a", "b"], "dato": [20240131, 20240201], "sum": [5.0, 6.0]}),
        "2 of 2 rows are used",
        name="o.parquet",
    ),
    "with days that may be months": refused(
        parquet({"kunde": ["a"], "dato": ["03.04.2024"], "sum": ["1.234"]}),
        *("csv.date_format: 03.04.2024 can be", "csv.decimal: 1.234 can be"),
        name="o.parquet",
        lines=2,
    ),
    "with times without days": refused(
        parquet({"kunde": ["a"], "dato": [dt.time(10, 30)], "sum": [5.0]}),
        'columns.date: in o.parquet "dato" holds times without a day; have it exported as days',
        name="o.parquet",
    ),
    "with a name twice": refused(
        lambda path: pq.write_table(
            pa.Table.from_arrays([["a"], [DAY], [5.0], [6.0]], ["kunde", "dato", "sum", "sum"]),
            path,
        ),
        'columns.amount: o.parquet has 2 columns named "sum"',
        name="o.parquet",
    ),
    "with text damaged in the middle": refused(
        damaged_parquet,
        "o.parquet can't be read",
        "whole",
        name="o.parquet",
        given={"columns": {"customer": "kunde", "date": "dato", "amount": "kunde"}},
    ),
    "with an amount that is no number": read(
        parquet({"kunde": ["a", "b"], "dato": [DAY] * 2, "sum": [float("nan"), 5.0]}),
        "1 of 2 rows are used",
        "No amount that can be read",
        name="o.parquet",
    ),
    "with an id that is no number": read(
        parquet({"kunde": [1.0, float("nan")], "dato": [DAY] * 2, "sum": [5.0] * 2}),
        "1 of 2 rows are used",
        "No customer id",
        name="o.parquet",
    ),
    "with lists for ids": refused(
        parquet({"kunde": [["a"], ["b"]], "dato": [DAY] * 2, "sum": [5.0, 6.0]}),
        'columns.customer: in o.parquet "kunde" holds lists',
        "have it exported as single cells of text",
        name="o.parquet",
    ),
    "with parts for amounts": refused(
        parquet({"kunde": ["a"], "dato": [DAY], "sum": [{"value": 5.0, "currency": "NOK"}]}),
        'columns.amount: in o.parquet "sum" holds lists or parts',
        name="o.parquet",
    ),
    "with true and false for amounts": refused(
        parquet({"kunde": ["a"], "dato": [DAY], "sum": [True]}),
        'columns.amount: in o.parquet "sum" holds true and false; have it exported as numbers',
        name="o.parquet",
    ),
    "with bytes for ids": read(
        parquet({"kunde": pa.array([b"a"], pa.binary()), "dato": [DAY], "sum": [5.0]}),
        "1 of 1 rows are used",
        name="o.parquet",
    ),
    "of which one lacks a column": Case(
        {
            "1.parquet": parquet({"kunde": ["a"], "dato": [DAY], "sum": [1.5]}),
            "2.parquet": parquet({"kunde": ["a"], "dato": [DAY], "total": [1.5]}),
        },
        ('columns.amount: 2.parquet has no column "sum"', "which other files of the source have"),
        {"source": "*.parquet"},
    ),
    "of which one has ids of another type": Case(
        {
            "1.parquet": parquet({"kunde": ["a"], "dato": [DAY], "sum": [1.5]}),
            "2.parquet": parquet({"kunde": [7], "dato": [DAY], "sum": [1.5]}),
        },
        ("2 of 2 rows are used",),
        {"source": "*.parquet"},
        code=0,
        lines=0,
    ),
}


def book(*lines: list[Any], title: str = "Ordrer"):
    def make(path: Path) -> None:
        made = openpyxl.Workbook()
        made.active.title = title
        for line in lines:
            made.active.append(line)
        made.save(path)

    return make


def locked_book() -> bytes:
    """A compound file with the stream in which Excel keeps a workbook under a password."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII109I",
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, 4096, end, 0, end, 0),
        *(0, *[free] * 108),
    )

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le")
        return struct.pack(
            "<64sHBBIII16xI16xIQ",
            *(text, len(text) + 2, kind, 1, free, free, child, 0, start, size),
        )

    table = struct.pack("<128I", fat, end, *range(3, 10), end, *[free] * 118)
    folder = entry("Root Entry", 5, 1, end, 0) + entry("EncryptedPackage", 2, free, 2, 4096)
    return head + table + folder.ljust(512, b"\0") + bytes(4096)


def half_a_book(path: Path) -> None:
    book(["kunde", "dato", "sum"], *[["a", DAY, 5]] * 500)(path)
    path.write_bytes(path.read_bytes()[:-2000])


def archive(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, text in files.items():
            made.writestr(name.replace("__", "/"), text)
    return stream.getvalue()


NAMES = ["kunde", "dato", "sum"]
PAGE = "<html><body><table><tr><td>kunde</td></tr></table></body></html>"
WORKBOOKS = {
    "of a CSV": refused(TWO, "o.xlsx", "text; name it .csv", name="o.xlsx"),
    "of a web page": refused(PAGE, "o.xls", "a web page", "save it as .xlsx", name="o.xls"),
    "of an archive": refused(archive(o="x"), "o.xlsx", "no workbook in it", name="o.xlsx"),
    "of a letter": refused(
        archive(**{"[Content_Types].xml": "<Types/>", "word__document.xml": "<w/>"}),
        "o.xlsx",
        "no workbook in it",
        name="o.xlsx",
    ),
    "cut in half": refused(
        half_a_book, "o.xlsx", "no whole Excel workbook", "fetch it again", name="o.xlsx"
    ),
    "under a password": refused(
        locked_book(), "o.xlsx", "has a password", "save it without", name="o.xlsx"
    ),
    "of nothing": refused(book(), "o.xlsx is empty", name="o.xlsx"),
    "of a header": refused(book(NAMES), "there isn't a single row", name="o.xlsx"),
    "without the columns": refused(
        book(["kunde", "dag", "sum"], ["a", DAY, 5]),
        'columns.date: the source has no column "dato"',
        '"kunde", "dag", "sum"',
        name="o.xlsx",
    ),
    "without a header": refused(
        book(["anna", DAY, 5.5], ["bo", DAY, 6.25]),
        "o.xlsx has no header",
        "2024-01-01",
        name="o.xlsx",
    ),
    "with a name twice": refused(
        book(["kunde", "dato", "sum", "sum"], ["a", DAY, 5, 6]),
        'columns.amount: o.xlsx has 2 columns named "sum"',
        name="o.xlsx",
    ),
    "of formulas that were never worked out": refused(
        book(NAMES, ["a", DAY, "=2+3"], ["b", DAY, "=1+1"]),
        "source: no row can be used",
        "can be read: 2",
        name="o.xlsx",
    ),
    "with errors for cells": read(
        book(NAMES, ["a", DAY, "#REF!"], ["b", DAY, 5], ["#N/A", DAY, 5]),
        "left out: 1 row",
        "No amount that can be read",
        name="o.xlsx",
    ),
    "with days before 1900": refused(
        book(NAMES, ["a", "1850-01-01", 5]),
        "source: no row can be used",
        "impossible one: 1",
        name="o.xlsx",
    ),
    "with times alone for days": refused(
        book(NAMES, ["a", dt.time(10, 30), 5]),
        "source: no row can be used",
        "impossible one: 1",
        name="o.xlsx",
    ),
    "with true for an amount": refused(
        book(NAMES, ["a", DAY, True]),
        "source: no row can be used",
        "can be read: 1",
        name="o.xlsx",
    ),
    "of numbers and text in one column": read(
        book(NAMES, ["007", DAY, 5], [7, "31.12.2023", "1 234,50"]),
        "2 of 2 rows are used; 2 customers",
        name="o.xlsx",
    ),
}

ONE = {"kunde": "a", "dato": "2024-01-01", "sum": 5}


def lines(*objects: object) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


JSON = {
    "that isn't": refused(
        "kunde;dato;sum\n", "o.jsonl, line 1", "isn't JSON lines", name="o.jsonl"
    ),
    "cut": refused(
        lines(ONE) + '{"kunde": "b",\n',
        "o.jsonl, line 2",
        "isn't JSON lines",
        "one object",
        name="o.jsonl",
    ),
    "broken far down": refused(
        lines(ONE) * 60_000 + "oops\n", "o.jsonl, line 60,001", "isn't JSON lines", name="o.jsonl"
    ),
    "a list that is cut": refused(
        json.dumps([ONE, ONE])[:-9], "o.json", "isn't whole", "fetch it again", name="o.json"
    ),
    "written as Python has it": refused(
        "{'kunde': 'a', 'dato': '2024-01-01', 'sum': 5}\n", "o.jsonl, line 1", name="o.jsonl"
    ),
    "nested": refused(
        json.dumps({"orders": [ONE, ONE], "count": 2}),
        "o.json",
        '"orders"',
        "have them exported as JSON lines",
        name="o.json",
    ),
    "of lists": refused(lines(["a", "2024-01-01", 5]), "holds no objects", name="o.jsonl"),
    "of numbers": refused("[1, 2, 3]", "holds no objects", name="o.json"),
    "of an empty list": refused("[]", "o.json is empty", name="o.json"),
    "of an empty object": refused(
        "{}", "o.json holds no objects", "each line needs one", name="o.json"
    ),
    "blank": refused(" \n", "o.json is empty", name="o.json"),
    "with mixed keys": read(
        lines(ONE, {"kunde": "b", "note": 1}, {"note": 2}, {**ONE, "kunde": "c"}),
        "2 of 4 rows are used",
        "left out: 1 row. No customer id",
        "left out: 1 row. No date",
        name="o.jsonl",
    ),
    "without a key anywhere": refused(
        lines({"kunde": "a", "dag": "2024-01-01", "sum": 5}),
        'columns.date: the source has no column "dato"',
        '"kunde", "dag", "sum"',
        name="o.jsonl",
    ),
    "with a key twice in an object": refused(
        '{"kunde": "a", "dato": "2024-01-01", "sum": 5, "sum": 6}\n',
        "o.jsonl",
        "twice",
        name="o.jsonl",
    ),
    "with an object for an amount": refused(
        lines({**ONE, "sum": {"value": 5, "currency": "NOK"}}),
        "source: no row can be used",
        "can be read: 1",
        name="o.jsonl",
    ),
    "with infinities": refused(
        lines({**ONE, "sum": float("inf")}, {**ONE, "sum": float("nan")}),
        "source: no row can be used",
        "can be read: 2",
        name="o.jsonl",
    ),
    "with infinities as text": refused(
        lines({**ONE, "sum": "Infinity"}, {**ONE, "sum": "NaN"}),
        "source: no row can be used",
        "can be read: 2",
        name="o.jsonl",
    ),
    "of nulls": refused(
        lines({"kunde": None, "dato": None, "sum": None}),
        "no row can be used",
        "customer id: 1",
        name="o.jsonl",
    ),
    "with 1e308": refused(
        lines({**ONE, "sum": 1e308}), "no row can be used", "can be read: 1", name="o.jsonl"
    ),
    "with a mark in front": read("\ufeff" + lines(ONE), "1 of 1 rows are used", name="o.jsonl"),
    "in UTF-16": refused(
        lines({**ONE, "kunde": "Åse"}).encode("utf-16"), "o.jsonl", "UTF-8", name="o.jsonl"
    ),
    "in Windows-1252": refused(
        b'{"kunde": "\xc5se", "dato": "2024-01-01", "sum": 5}\n', "o.jsonl", "UTF-8", name="o.jsonl"
    ),
    "of a picture": refused(b"\x89PNG\r\n" + bytes(99), "o.json", "a picture", name="o.json"),
    "of a web page": refused(PAGE, "o.json", "a web page", name="o.json"),
}

CASES: dict[str, Case] = {
    f"{group}: {name}": case
    for group, cases in (
        ("gzip", GZIP),
        ("Parquet", PARQUET),
        ("workbook", WORKBOOKS),
        ("JSON", JSON),
    )
    for name, case in cases.items()
}
