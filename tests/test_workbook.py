"""What opens in a spreadsheet: lists with true ids, figures as figures, nothing that runs."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook as Opened

from retention_lib.errors import RetentionError
from retention_lib.report.language import Formats
from retention_lib.report.workbook import Sheet, sheet_names, write_workbook

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
AS_OF = date(2024, 6, 30)
FORMULAS = [
    "=1+1",
    "+47 22 33 44 55",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\x00=1+1",
    " =1+1",
    "＝1+1",
]


def winback(n: int = 3, **columns: object) -> Sheet:
    frame = pd.DataFrame(
        {
            "customer": [f"{i:05d}" for i in range(n)],
            "clv": [1234.5 + i for i in range(n)],
            "p_alive": [0.25] * n,
            "orders": list(range(n)),
            "last": pd.to_datetime(["2024-01-31"] * n),
        }
    ).assign(**columns)
    return Sheet(
        "Win back",
        "Good customers who are late; send the offer this week.",
        frame,
        {
            "customer": "text",
            "clv": "currency",
            "p_alive": "share",
            "orders": "count",
            "last": "date",
        },
        {"customer": "Customer", "clv": "Expected value", "p_alive": "P(alive)"},
        at_stake="clv",
    )


def opened(*sheets: Sheet, fmt: Formats = EN, client: str = "Acme", **options: int) -> Opened:
    out = io.BytesIO()
    write_workbook(out, sheets, fmt, client=client, as_of=AS_OF, **options)
    return openpyxl.load_workbook(io.BytesIO(out.getvalue()))


def test_the_first_sheet_says_what_each_list_is_for_how_many_and_what_is_at_stake() -> None:
    page = opened(winback()).worksheets[0]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert page.title == "About"
    assert rows[0][0] == "Acme"
    assert rows[1][0] == "Data up to June 30, 2024"
    assert rows[3] == ["List", "What it is for", "Customers", "Value at stake"]
    assert rows[4][:3] == [
        "Win back",
        "Good customers who are late; send the offer this week.",
        3,
    ]
    assert rows[4][3] == pytest.approx(1234.5 + 1235.5 + 1236.5)


def test_a_list_is_a_sheet_with_headings_frozen_and_to_be_filtered() -> None:
    page = opened(winback())["Win back"]
    assert [cell.value for cell in page[1]] == [
        "Customer",
        "Expected value",
        "P(alive)",
        "orders",
        "last",
    ]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref == "A1:E4"
    assert page.max_row == 4


def test_ids_stay_text_with_their_leading_zeros() -> None:
    cell = opened(winback())["Win back"]["A2"]
    assert cell.value == "00000"
    assert cell.data_type == "s"
    assert cell.number_format == "@"


def test_no_column_of_texts_is_marked_for_numbers_that_are_text() -> None:
    out = io.BytesIO()
    sheet = winback(tier="7")
    sheet = replace(sheet, formats={**sheet.formats, "tier": "text"})
    write_workbook(out, [sheet], EN, client="Acme", as_of=AS_OF)
    with zipfile.ZipFile(out) as parts:
        written = parts.read("xl/worksheets/sheet2.xml").decode()
    assert '<ignoredError sqref="A1:A4 F1:F4" numberStoredAsText="1"/>' in written


def test_figures_are_numbers_in_the_format_of_their_unit() -> None:
    row = opened(winback())["Win back"][2]
    assert [cell.value for cell in row[1:4]] == [1234.5, 0.25, 0]
    assert [cell.number_format for cell in row[1:]] == [
        '"$"#,##0',
        "0.0%",
        "#,##0",
        "yyyy-mm-dd",
    ]
    assert row[4].value == datetime(2024, 1, 31)


@pytest.mark.parametrize(
    ("language", "currency", "pattern"),
    [
        ("en", "EUR", '"€"#,##0.00'),
        ("nb", "NOK", '#,##0.00" kr"'),
        ("sv", "SEK", '#,##0.00" kr"'),
        ("en", "NOK", '"NOK "#,##0.00'),
    ],
)
def test_amounts_carry_their_currency_where_the_language_puts_it(
    language: str, currency: str, pattern: str
) -> None:
    page = opened(winback(clv=12.5), fmt=Formats(language, currency))["Win back"]
    assert page["B2"].number_format == pattern


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_looks_like_a_formula_stays_text(text: str) -> None:
    cell = opened(winback(customer=text))["Win back"]["A2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert cell.value == text.replace("\x00", "").replace("\r", "\n")


@pytest.mark.parametrize("text", FORMULAS)
def test_headings_client_and_purpose_are_as_safe_as_cells(text: str) -> None:
    sheet = Sheet(text, text, pd.DataFrame({"a": [1]}), {"a": "count"}, {"a": text})
    book = opened(sheet, client=text)
    suspects = [book.worksheets[0]["A1"], book.worksheets[0]["B5"], book.worksheets[1]["A1"]]
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in suspects)


def test_an_address_is_no_link() -> None:
    page = opened(winback(customer="https://example.org"))["Win back"]
    assert page["A2"].hyperlink is None


def test_a_plain_text_carries_no_prefix() -> None:
    assert not opened(winback())["Win back"]["A2"].quotePrefix


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_from_data_opens_again_as_text(text: str) -> None:
    cell = opened(winback(1, customer=text))["Win back"]["A2"]
    assert cell.data_type in ("s", "n")  # an empty text is an empty cell
    assert cell.value is None or isinstance(cell.value, str)


def test_what_is_missing_is_an_empty_cell() -> None:
    sheet = winback(1, clv=float("nan"), p_alive=float("inf"), orders=None, last=pd.NaT)
    row = opened(sheet)["Win back"][2]
    assert [cell.value for cell in row[1:]] == [None] * 4


def test_an_empty_list_says_so_in_a_sentence() -> None:
    page = opened(winback(0))["Win back"]
    assert page["A1"].value == "As of June 30, 2024 nobody is on this list."
    assert page.max_row == 1


def test_a_list_longer_than_a_sheet_is_cut_and_says_so() -> None:
    book = opened(winback(5), most_rows=2)
    assert book["Win back"].max_row == 3
    front = book["About"]
    assert front["B5"].value.endswith("A sheet holds no more than its first 2 rows.")
    assert front["C5"].value == 5


def test_a_text_longer_than_a_cell_is_cut() -> None:
    value = opened(winback(customer="x" * 40_000))["Win back"]["A2"].value
    assert len(value) == 32_767
    assert value.endswith("…")


def test_a_text_of_characters_that_count_twice_is_cut_at_what_a_cell_takes() -> None:
    value = opened(winback(customer="🎁" * 20_000))["Win back"]["A2"].value
    assert 32_760 < len(value.encode("utf-16-le")) // 2 <= 32_767
    assert value.endswith("…")


def test_a_text_that_looks_like_markup_is_a_text() -> None:
    assert opened(winback(customer="<r>x</r>"))["Win back"]["A2"].value == "<r>x</r> "


@pytest.mark.parametrize("text", ["a & <b>", " two  spaces ", "two\nlines", '"'])
def test_a_text_of_markup_or_spaces_stays_what_it_is(text: str) -> None:
    assert opened(winback(customer=text))["Win back"]["A2"].value == text


def test_a_text_like_the_code_of_a_character_stays_what_it_is() -> None:
    out = io.BytesIO()
    write_workbook(out, [winback(1, customer="_x0041_")], EN, client="Acme", as_of=AS_OF)
    assert pd.read_excel(out, sheet_name="Win back", engine="calamine").iat[0, 0] == "_x0041_"


def test_what_is_of_no_one_type_is_written_as_its_column_is() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.Series([1, None, pd.NA, Decimal("2.5")], dtype=object),
            "day": pd.Series([date(2024, 1, 31), None, date(1899, 5, 17), pd.NaT], dtype=object),
            "text": pd.Series([7, None, float("nan"), "=1"], dtype=object),
        }
    )
    page = opened(Sheet("Odd", "", frame, {"n": "number", "day": "date", "text": "text"}))["Odd"]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    assert rows == [
        [1, datetime(2024, 1, 31), "7"],
        [None, None, None],
        [None, "1899-05-17", None],
        [2.5, None, "=1"],
    ]
    assert page.dimensions == "A1:C5"


def test_a_day_before_1900_is_written_as_text() -> None:
    page = opened(winback(last=pd.Timestamp("1850-05-17")))["Win back"]
    assert page["E2"].value == "1850-05-17"


def test_columns_are_as_wide_as_what_they_hold() -> None:
    widths = opened(winback(customer="x" * 30))["Win back"].column_dimensions
    assert 30 < widths["A"].width < 36
    assert 8 <= widths["D"].width < 12


def test_no_column_is_wider_than_a_screen() -> None:
    assert opened(winback(customer="x" * 500))["Win back"].column_dimensions["A"].width < 65


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["Gold: a/b\\c [x]*?"], ["Gold a b c x"]),
        (["'quoted'"], ["quoted"]),
        (["x" * 40], ["x" * 31]),
        (["x" * 40, "X" * 40], ["x" * 31, "X" * 27 + " (2)"]),
        (["", "", "History"], ["List", "List (2)", "List History"]),
        (["🎁" * 20], ["🎁" * 15]),
    ],
)
def test_sheets_get_names_that_a_spreadsheet_takes(wanted: list[str], given: list[str]) -> None:
    assert sheet_names(wanted) == given


@settings(deadline=None)
@given(st.lists(st.text(max_size=50), max_size=6))
def test_any_names_make_a_workbook_that_opens(names: list[str]) -> None:
    book = opened(*[Sheet(n, "", pd.DataFrame({"a": [1]}), {"a": "count"}) for n in names])
    assert len(book.worksheets) == 1 + len(names)


def test_the_same_lists_give_the_same_bytes() -> None:
    one, two = io.BytesIO(), io.BytesIO()
    for out in (one, two):
        write_workbook(out, [winback()], NB, client="Acme", as_of=AS_OF)
    assert one.getvalue() == two.getvalue()


def test_the_file_holds_no_formula_macro_or_link_to_elsewhere() -> None:
    out = io.BytesIO()
    write_workbook(out, [winback(customer=FORMULAS[0])], EN, client="Acme", as_of=AS_OF)
    with zipfile.ZipFile(out) as parts:
        names = parts.namelist()
        sheets = [parts.read(n).decode() for n in names if n.startswith("xl/worksheets/sheet")]
    assert not [n for n in names if "vba" in n.lower() or "external" in n.lower()]
    assert not [text for text in sheets if "<f>" in text or "<f " in text]


def test_a_column_that_is_not_there_is_named() -> None:
    sheet = Sheet("Gifts", "", pd.DataFrame({"a": [1]}), {"b": "count"}, at_stake="c")
    with pytest.raises(ValueError, match="Sheet 'Gifts' asks for 'b', 'c'; its frame has 'a'"):
        opened(sheet)


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "actions.xlsx"
    with pytest.raises(RetentionError, match=r"actions\.xlsx: the workbook can't be written"):
        write_workbook(path, [winback()], EN, client="Acme", as_of=AS_OF)
