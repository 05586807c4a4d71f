"""Opening what clients send: files as they come, and a sentence for each that can't be used."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from retention_lib.data import encodings
from retention_lib.data.base import Base
from retention_lib.data.handover import VARIABLE
from retention_lib.data.local import connect
from retention_lib.data.prepared import prepare
from retention_lib.data.read import open_base, read_base
from retention_lib.errors import DataError
from retention_lib.params import Params

COLUMNS = {"customer": "kunde", "date": "dato", "amount": "sum"}
HEADER = "kunde,dato,sum\n"
TWO = HEADER + "anna,2024-01-01,5.00\nbo,2024-02-01,7.50\n"


def params(source: str | list[str], **given: Any) -> Params:
    return Params(
        **{"client": "acme", "currency": "NOK", "source": source, "columns": COLUMNS, **given}
    )


def read(folder: Path, source: str | list[str], text: str | bytes = "", **given: Any) -> Base:
    """The base of a file with this content, where there is one to write."""
    if text:
        data = text.encode() if isinstance(text, str) else text
        (folder / str(source)).write_bytes(data)
    return read_base(params(source, **given), folder)


def amounts(base: Base) -> list[Decimal]:
    rows = base.rows.order_by(["customer", "day", "amount"]).to_pyarrow().to_pylist()
    return [row["amount"].normalize() for row in rows]


def money(*values: str) -> list[Decimal]:
    return [Decimal(value).normalize() for value in values]


def sentence(folder: Path, source: str | list[str], text: str | bytes = "", **given: Any) -> str:
    with pytest.raises(DataError) as error:
        read(folder, source, text, **given)
    assert error.value.exit_code == 3
    return str(error.value)


# --- files as they come --------------------------------------------------------------------------


def test_a_nordic_export_is_read_as_it_is(tmp_path: Path) -> None:
    text = (
        "kunde;dato;sum\n"
        "Åse;31.12.2024;1.234.567,50\nÅse;30.12.2024;1 234,50\nbo;29.12.2024;−12,5\n"
        "bo;28.12.2024;0,07\nbo;27.12.2024;1200\n"
    )
    csv = {"decimal": ",", "thousands": ".", "date_format": "%d.%m.%Y"}
    base = read(tmp_path, "ordrer.csv", text, csv=csv)
    assert amounts(base) == money("1200", "0.07", "-12.5", "1234.5", "1234567.5")
    assert (str(base.start), str(base.as_of)) == ("2024-12-27", "2024-12-31")
    assert base.names == ("ordrer.csv",)


@pytest.mark.parametrize(
    ("csv", "written", "expected"),
    [
        ({"decimal": ","}, "1,50", "1.5"),
        ({"decimal": ","}, "1.234", "1234"),  # the point is left for the thousands
        ({"decimal": "."}, "1.234", "1.234"),
        ({"decimal": ",", "thousands": "."}, "1.234", "1234"),
        ({"decimal": ",", "thousands": "."}, "1.50", None),  # isn't 150
        ({"thousands": "."}, "1.234,50", "1234.5"),  # the comma is left for the decimals
        ({"thousands": ","}, "-1,234.50", "-1234.5"),
        ({"thousands": ","}, "1,23", None),
        ({"thousands": "'"}, "1'234'567.8", "1234567.8"),
        ({"decimal": ",", "thousands": "\u202f"}, "1\u202f234\u00a0567,8", "1234567.8"),
        ({"decimal": "."}, "1,50", None),
        ({}, "1,50", "1.5"),
        ({}, " 2.5 ", "2.5"),
        ({}, "kr 5", "5"),
        ({}, "5 stk", None),
    ],
)
def test_an_amount_is_read_by_its_signs_or_counted_as_unreadable(
    tmp_path: Path, csv: dict[str, str], written: str, expected: str | None
) -> None:
    text = f'kunde;dato;sum\nanna;2024-01-01;"{written}"\nanna;2024-01-02;100\n'
    base = read(tmp_path, "o.csv", text, csv={"delimiter": ";", **csv})
    assert amounts(base) == money(*([expected] if expected else []), "100")
    assert base.left_out["cause"].tolist() == ([] if expected else ["no_amount"])


def test_a_date_format_may_have_a_zone(tmp_path: Path) -> None:
    text = HEADER + "anna,31.12.2024 23:30 +0000,5\nanna,31.02.2024 10:00 +0000,5\n"
    csv = {"date_format": "%d.%m.%Y %H:%M %z"}
    base = read(tmp_path, "o.csv", text, csv=csv, timezone="Europe/Oslo")
    assert str(base.as_of) == "2025-01-01"
    assert base.left_out["cause"].tolist() == ["no_date"]


def test_several_files_have_their_columns_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "2024-01.csv").write_text(TWO)
    with gzip.open(tmp_path / "2024-02.csv.gz", "wt") as stream:
        stream.write("sum,note,dato,kunde\n1.25,æøå,2024-03-01,anna\n")
    (tmp_path / "2024-03.CSV").write_text("dato,sum,kunde\n2024-04-01,2.25,anna\n")
    base = read(tmp_path, "2024-*")
    assert amounts(base) == money("5", "1.25", "2.25", "7.5")
    assert base.names == ("2024-01.csv", "2024-02.csv.gz", "2024-03.CSV")
    # a file that is named twice is one file
    again = read(tmp_path, ["2024-01.csv", "2024-*"])
    assert amounts(again) == amounts(base)
    assert again.fingerprint == base.fingerprint
    assert read(tmp_path, "2024-01.csv").fingerprint != base.fingerprint


@pytest.mark.parametrize("encoding", ["utf-8-sig", "iso-8859-1", "utf-16"])
def test_text_in_other_encodings_is_read_where_they_are_named(
    tmp_path: Path, encoding: str
) -> None:
    base = read(
        tmp_path, "o.csv", (TWO + "Åse,2024-03-01,1\n").encode(encoding), csv={"encoding": encoding}
    )
    assert "Åse" in base.customers().index


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_timestamps_are_local_without_a_zone_and_turned_with_one(
    tmp_path: Path, unit: str
) -> None:
    times = pd.to_datetime(["2024-03-31 22:30", "2024-12-31 23:30"])
    for zone, expected in (
        (None, ["2024-03-31", "2024-12-31"]),
        ("UTC", ["2024-04-01", "2025-01-01"]),
        ("America/New_York", ["2024-04-01", "2025-01-01"]),
    ):
        moments = times.as_unit(unit)
        if zone:
            moments = moments.tz_localize("UTC").tz_convert(zone)
        pd.DataFrame({"kunde": 1, "dato": moments, "sum": 1.0}).to_parquet(tmp_path / "o.parquet")
        base = read(tmp_path, "o.parquet", timezone="Europe/Oslo")
        days = base.rows.order_by("day").execute()["day"].astype(str).tolist()
        assert days == expected, zone


def test_quantity_times_unit_price_is_the_amount(tmp_path: Path) -> None:
    text = (
        "kunde;dato;antall;pris\n"
        "anna;2024-01-01;3;1,50\nanna;2024-01-01;-1;1,50\nbo;2024-01-02;2;\n"
    )
    columns = {"customer": "kunde", "date": "dato", "quantity": "antall", "unit_price": "pris"}
    base = read(tmp_path, "o.csv", text, columns=columns, csv={"decimal": ","})
    assert amounts(base) == money("-1.5", "4.5")
    assert base.left_out["cause"].tolist() == ["no_amount"]


def test_ids_are_text_and_keep_their_leading_zeros(tmp_path: Path) -> None:
    text = HEADER + "007,2024-01-01,1\n7,2024-01-01,1\n 7 ,2024-01-02,1\n#7,2024-01-02,1\n"
    base = read(tmp_path, "o.csv", text)
    # and a number sign at the start of a line makes it no comment
    assert base.customers()["purchases"].to_dict() == {"#7": 1, "007": 1, "7": 2}


def test_order_numbers_with_a_number_sign_are_no_comments(tmp_path: Path) -> None:
    # as Shopify exports them: each line starts with one
    lines = [f"#{1000 + n};{'' if n % 3 else '2024-01-01'};anna;5" for n in range(9)]
    text = "\n".join(["Name;dato;kunde;sum", *lines, "1;2024-01-02;anna;5"])
    columns = {**COLUMNS, "order": "Name"}
    base = read(tmp_path, "o.csv", text, columns=columns)
    assert (base.rows_in, base.rows_used) == (10, 4)
    assert sorted(base.rows.execute()["order"]) == ["#1000", "#1003", "#1006", "1"]


def test_whole_numbers_that_came_as_floats_are_the_ids_that_they_were(tmp_path: Path) -> None:
    table = pa.table(
        {"kunde": [12345.0, None, float("nan")], "dato": ["2024-01-01"] * 3, "sum": [1, 2, 4]}
    )
    pq.write_table(table, tmp_path / "o.parquet")
    base = read(tmp_path, "o.parquet")
    assert base.customers().index.tolist() == ["12345"]
    assert base.left_out.to_dict("records") == [{"cause": "no_customer", "rows": 2, "amount": 6.0}]


def test_a_quote_far_down_and_a_line_break_in_quotes_are_read(tmp_path: Path) -> None:
    text = (
        HEADER + "anna,2024-01-01,1\n" * 25_000 + '"Bo, junior",2024-01-01,1\n"a\nb",2024-01-01,1\n'
    )
    base = read(tmp_path, "o.csv", text)
    assert base.rows_in == 25_002
    assert base.customers().index.tolist() == ["Bo, junior", "a\nb", "anna"]


HOSTILE = [
    "orders [2024].csv",
    "orders {acme}.csv",
    'it\'s "quoted".csv',
    "ordrer æøå ÄÖ 订单.csv",
    "a b;c,d %20 $HOME #1.csv",
    "star * and ? mark.csv",
    "-rf.csv",
    "'; DROP TABLE marked; --.csv",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    # whatever the signs of a pattern would match beside it
    (tmp_path / "orders 2.csv").write_text(HEADER + "wrong,2024-01-01,1\n")
    (tmp_path / "star x and y mark.csv").write_text(HEADER + "wrong,2024-01-01,1\n")
    base = read(tmp_path, name, TWO)
    assert base.customers().index.tolist() == ["anna", "bo"]
    assert base.names == (name,)


@pytest.mark.parametrize("folder", ["[acme] {2024}", "kunde=wrong", "it's"])
def test_a_folder_name_is_only_a_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "o.csv").write_text(TWO)
    base = read(tmp_path / folder, "*.csv")
    assert base.customers().index.tolist() == ["anna", "bo"]


def test_what_one_run_hands_to_its_chapters_is_the_base_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = read(tmp_path, "o.csv", TWO + "cato,,1\n")
    folder = tmp_path / "[run] sum=1"
    prepare(base, folder)
    monkeypatch.setenv(VARIABLE, str(folder))
    handed = open_base(base.params)
    assert handed.fingerprint == base.fingerprint
    pd.testing.assert_frame_equal(handed.customers(), base.customers())
    pd.testing.assert_frame_equal(handed.left_out, base.left_out, check_dtype=False)
    # another window is another base, and is read from the source again
    monkeypatch.chdir(tmp_path)
    other = base.params.model_copy(update={"as_of": base.start})
    assert open_base(other).customers().index.tolist() == ["anna"]


# --- what the environment fills ------------------------------------------------------------------

SECRET = "s3cr3t-Pa55"


@pytest.fixture
def secret_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / SECRET
    folder.mkdir()
    (folder / "o.csv").write_text(TWO)
    monkeypatch.setenv("ACME_ORDERS", str(folder))
    return tmp_path


def test_a_variable_is_filled_only_when_the_source_is_opened(
    secret_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_ORDERS")
    given = params("${ACME_ORDERS}/o.csv")
    monkeypatch.setenv("ACME_ORDERS", str(secret_folder / SECRET))
    base = read_base(given, Path("/nowhere"))
    assert base.rows_used == 2
    assert SECRET not in json.dumps(base.params.as_parameters(), default=str)
    assert base.params.as_parameters()["source"] == "${ACME_ORDERS}/o.csv"
    assert base.names == ("o.csv",)


def test_a_name_that_the_environment_filled_is_shown_as_it_is_written(
    secret_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(secret_folder / SECRET / "o.csv", secret_folder / f"{SECRET}.csv")
    monkeypatch.setenv("TOKEN", SECRET)
    assert read(secret_folder, "${TOKEN}.csv").names == ("${TOKEN}.csv",)


def test_an_unset_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_ORDERS", raising=False)
    said = sentence(tmp_path, "${ACME_ORDERS}/o.csv")
    assert said.startswith("source: ${ACME_ORDERS} isn't set in the environment; set it")


@pytest.mark.parametrize(
    ("source", "name", "content", "says"),
    [
        ("${ACME_ORDERS}/x.csv", "", b"", "there is no file ${ACME_ORDERS}/x.csv"),
        ("${ACME_ORDERS}", "", b"", "${ACME_ORDERS} is a folder"),
        ("${ACME_ORDERS}/e.csv", "e.csv", b"", "${ACME_ORDERS}/e.csv is empty"),
        ("${ACME_ORDERS}/e.xyz", "e.xyz", b"x", "e.xyz isn't a kind of file that is read"),
        ("${ACME_ORDERS}/e.csv.gz", "e.csv.gz", b"no gzip", "e.csv.gz can't be read"),
        ("${ACME_ORDERS}/e.parquet", "e.parquet", b"PAR1", "e.parquet can't be read"),
        ("${ACME_ORDERS}/e.csv", "e.csv", bytes(range(256)) * 9, "e.csv can't be read as a table"),
        ("${ACME_ORDERS}/e.csv", "e.csv", b"kunde,sum\n1,2\n", 'no column "dato"'),
        ("${ACME_ORDERS}/${SECOND}.csv", "", b"", "no file ${ACME_ORDERS}/${SECOND}.csv"),
    ],
)
def test_what_the_environment_filled_is_in_no_error(
    secret_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    name: str,
    content: bytes,
    says: str,
) -> None:
    monkeypatch.setenv("SECOND", f"{SECRET}2")
    if name:
        (secret_folder / SECRET / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read(secret_folder, source)
    assert says in str(error.value)
    # nor in the traceback that --debug prints
    assert SECRET not in "".join(traceback.format_exception(error.value))


def test_an_encoding_is_checked_beyond_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as in a file too large to be checked in full
    monkeypatch.setattr(encodings, "WHOLE", 1 << 20)
    rows = b"anna,2024-01-01,1\n" * 70_000
    text = HEADER.encode() + rows + "Åse,2024-01-01,1\n".encode("cp1252") + rows
    said = sentence(tmp_path, "o.csv", text + rows + rows)
    assert "the text isn't UTF-8; name its encoding under csv.encoding" in said
    base = read(tmp_path, "o.csv", csv={"encoding": "windows-1252"})
    assert base.rows_in == 4 * 70_000 + 1
    assert "Åse" in base.customers().index


# --- a sentence for each that can't be used ------------------------------------------------------


def test_a_missing_file_is_named_beside_the_nearest_there_is(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(TWO)
    assert sentence(tmp_path, "order.csv") == (
        f"source: there is no file {tmp_path}/order.csv; did you mean orders.csv?"
    )
    assert sentence(tmp_path, "deep/er.csv").endswith("; paths are relative to the client file")
    assert "there is no file" in sentence(tmp_path, "*.tsv")


def test_a_folder_an_empty_file_and_other_kinds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "orders.docx").write_bytes(b"PK")
    (tmp_path / "none").write_text(TWO)
    (tmp_path / "o.csv").write_text(TWO)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "o.parquet")
    assert sentence(tmp_path, "data") == (
        f"source: {tmp_path}/data is a folder; name a file, or a pattern such as "
        f"{tmp_path}/data/*.csv"
    )
    assert sentence(tmp_path, "empty.csv") == (
        f"source: {tmp_path}/empty.csv is empty; export or fetch it again"
    )
    for name in ("orders.docx", "none"):
        assert f"{name} isn't a kind of file that is read; CSV" in sentence(tmp_path, name)
    assert sentence(tmp_path, "o.*") == (
        "source: the files are of different kinds (o.csv, o.parquet); name files of one kind"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="whoever is root may read every file")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(TWO)
    (tmp_path / "o.csv").chmod(0)
    assert sentence(tmp_path, "o.csv").endswith("can't be read; its permissions don't allow it")


def test_every_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    columns = {"customer": "Kunde", "date": "datoen", "amount": "zzz"}
    said = sentence(tmp_path, "o.csv", TWO, columns=columns).splitlines()
    has = 'It has "kunde", "dato", "sum".'
    assert said == [
        f'columns.customer: the source has no column "Kunde"; did you mean "kunde"? {has}',
        f'columns.date: the source has no column "datoen"; did you mean "dato"? {has}',
        f'columns.amount: the source has no column "zzz". {has}',
    ]


@pytest.mark.parametrize(
    ("name", "content", "csv", "says"),
    [
        ("o.csv", TWO + "bo,2024-01-01\n", {}, "all lines need the same number of columns"),
        ("o.csv", TWO, {"delimiter": "|"}, "name the sign between columns under csv.delimiter"),
        (
            "o.csv",
            HEADER + "anna,2024-01-01,1\n" * 25_000 + "bo,2024-01-01,1,2\n",
            {},
            "source: o.csv, line 25,002: found 4 columns where the others have 3; mend the line",
        ),
        (
            "o.csv",
            (TWO + "Åse,2024-01-01,1\n").encode("cp1252"),
            {"encoding": "utf-8"},
            "the text isn't UTF-8; name its encoding under csv.encoding, such as windows-1252",
        ),
        ("o.csv", TWO, {"date_format": "%d.%m.%Q"}, "csv.date_format: %d.%m.%Q isn't a pattern"),
        ("o.csv.gz", b"no gzip at all", {}, "o.csv.gz can't be read; it isn't packed with gzip"),
        ("o.parquet", b"PAR1 and no more", {}, "source: o.parquet can't be read: "),
    ],
)
def test_a_file_that_cant_be_read_gets_one_sentence(
    tmp_path: Path, name: str, content: str | bytes, csv: dict[str, str], says: str
) -> None:
    said = sentence(tmp_path, name, content, csv=csv)
    assert says in said
    assert "\n" not in said


def test_a_currency_without_a_rate_is_named_with_its_rows(tmp_path: Path) -> None:
    text = "kunde,dato,sum,valuta\n" + "".join(
        f"anna,2024-01-01,5,{code}\n" for code in ("NOK", "EUR", "usd", "USD", "SEK", "", "DKK")
    )
    given = {"columns": {**COLUMNS, "currency": "valuta"}, "fx": {"EUR": 11.5}}
    assert sentence(tmp_path, "o.csv", text, **given) == (
        "fx: the data has amounts in USD (2 rows), DKK (1 rows), SEK (1 rows) without a rate; "
        "give one unit of each in NOK under fx"
    )
    given["fx"] = {"EUR": 1e9}
    assert "fx: one EUR is given as 1e+09 NOK; allowed is a rate from" in sentence(
        tmp_path, "o.csv", text, **given
    )


def test_a_source_without_a_usable_row_says_what_its_rows_lack(tmp_path: Path) -> None:
    assert sentence(tmp_path, "o.csv", HEADER) == (
        "source: there isn't a single row in o.csv, only a header and no row below it; "
        "export it again, for a time in which there are orders"
    )
    bad_days = HEADER + "anna,31.12.2024?,5\nbo,30.12.2024?,5\n"
    assert sentence(tmp_path, "o.csv", bad_days) == (
        "source: no row can be used (no date, or an impossible one: 2); "
        "check the names under columns, csv.date_format, csv.decimal, start and as_of"
    )
    text = TWO.replace("anna", "0") + "bo,2024-01-01,x\n,2024-01-01,1\n"
    said = sentence(
        tmp_path, "o.csv", text, guest_ids=["0"], start="2025-01-01", as_of="2025-12-31"
    )
    for cause in (
        *("guest or placeholder id: 1", "outside the reported window: 1"),
        *("no customer id: 1", "no amount that can be read: 1"),
    ):
        assert cause in said


# --- time zones ----------------------------------------------------------------------------------


def test_a_time_zone_can_carry_no_sql() -> None:
    for zone in ("UTC'; SET threads = 1; --", "UTC'", 'Europe/"Oslo"'):
        with pytest.raises(ValidationError):
            params("o.csv", timezone=zone)
        with pytest.raises(duckdb.Error, match="Unknown TimeZone"):
            connect(zone)
