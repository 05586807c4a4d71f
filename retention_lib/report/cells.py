"""The cells of a workbook: text that stays text, figures in the pattern of their column.

A spreadsheet runs a text that starts like a formula. Here every text is written as text, and one
that starts so carries the quote prefix, which keeps it text when it is edited too.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np
import pandas as pd
import xlsxwriter
from babel.numbers import get_currency_symbol
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from retention_lib.report.language import Formats
from retention_lib.report.tables import Format

LONGEST_TEXT: Final = 32_767
"""Of a cell, in UTF-16 units."""

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA: Final = re.compile(r"[\s\x00-\x1f]*[=+\-@＝＋－＠]|[\t\r\x00]")
_EPOCH: Final = date(1900, 3, 1)
"""Spreadsheets disagree on the days before it, so those are written as text."""
_DAY_ZERO: Final = pd.Timestamp(1899, 12, 30)
"""From which a spreadsheet counts the days since then."""


def clean(text: object) -> str:
    """The text without what a spreadsheet refuses, and no longer than a cell takes."""
    # A carriage return would be written as its code, "_x000D_", which not every reader turns back.
    plain = _UNPRINTABLE.sub("", str(text).replace("\r\n", "\n").replace("\r", "\n"))
    if len(plain) <= LONGEST_TEXT // 2:
        return plain
    units = plain.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_TEXT:
        return plain
    return units[: 2 * (LONGEST_TEXT - 2)].decode("utf-16-le", "ignore") + " …"


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet might run the text."""
    return bool(_FORMULA.match(text))


def midnight(day: date) -> datetime:
    """The moment with which a day begins."""
    return datetime.combine(day, time())


class Cells:
    """Writes single cells of one workbook, each with the format of its kind."""

    def __init__(self, book: xlsxwriter.Workbook, fmt: Formats) -> None:
        self.fmt = fmt
        self.head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        )
        self.head_right = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom", "align": "right"}
        )
        self.title = book.add_format({"bold": True, "font_size": 14})
        self._book = book
        self._made: dict[tuple[str, bool], CellFormat] = {}

    def format_of(self, pattern: str, *, quoted: bool = False, wrapped: bool = False) -> CellFormat:
        """The one format of this number pattern; a workbook with one for each cell is slow."""
        key = (f"{pattern} {wrapped}", quoted)
        if key not in self._made:
            properties: dict[str, Any] = {"num_format": pattern, "valign": "top"}
            if quoted:
                properties["quote_prefix"] = True
            if wrapped:
                properties["text_wrap"] = True
            self._made[key] = self._book.add_format(properties)
        return self._made[key]

    def text(
        self,
        sheet: Worksheet,
        row: int,
        column: int,
        value: object,
        *,
        wrapped: bool = False,
        look: CellFormat | None = None,
    ) -> None:
        """A text as text, whatever it looks like."""
        plain, safe = self._as_text(value, wrapped, look)
        sheet.write_string(row, column, plain, safe)

    def _as_text(
        self, value: object, wrapped: bool = False, look: CellFormat | None = None
    ) -> tuple[str, CellFormat]:
        """What is written of a text, and how it looks."""
        plain = clean(value)
        if plain.startswith("<r>") and plain.endswith("</r>"):
            plain += " "  # else XlsxWriter takes it for markup, and writes it as such
        quoted = looks_like_formula(str(value)) or looks_like_formula(plain)
        if look is None or quoted:
            look = self.format_of("@", quoted=quoted, wrapped=wrapped)
        return plain, look

    def column(
        self, sheet: Worksheet, row: int, column: int, values: pd.Series, form: Format, pattern: str
    ) -> None:
        """The values of a column from a row on, as `value` writes each of them."""
        if form == "text":
            self._texts(sheet, row, column, values, pattern)
        elif form not in ("date", "month") and pd.api.types.is_numeric_dtype(values.dtype):
            numbers = values.to_numpy(dtype=float, na_value=math.nan)
            self._numbers(sheet, row, column, numbers, pattern)
        elif values.dtype.kind == "M" and not (values < pd.Timestamp(_EPOCH)).any():
            days = (values.dt.normalize() - _DAY_ZERO) / pd.Timedelta(days=1)
            self._numbers(sheet, row, column, days.to_numpy(dtype=float), pattern)
        else:
            for place, value in enumerate(values.astype("object"), start=row):
                self.value(sheet, place, column, value, form, pattern)

    def _texts(
        self, sheet: Worksheet, row: int, column: int, values: pd.Series, pattern: str
    ) -> None:
        # each text once: most columns have few
        codes, texts = pd.factorize(values.astype("object"))
        told = [self._as_text(text) for text in texts]
        blank = self.format_of(pattern)
        for place, code in enumerate(codes.tolist(), start=row):
            if code < 0:
                sheet.write_blank(place, column, None, blank)
            else:
                plain, look = told[code]
                sheet.write_string(place, column, plain, look)

    def _numbers(
        self, sheet: Worksheet, row: int, column: int, numbers: np.ndarray, pattern: str
    ) -> None:
        look = self.format_of(pattern)
        for place, number in enumerate(numbers.tolist(), start=row):
            if math.isfinite(number):
                sheet.write_number(place, column, number, look)
            else:
                sheet.write_blank(place, column, None, look)

    def value(
        self, sheet: Worksheet, row: int, column: int, value: Any, form: Format, pattern: str
    ) -> None:
        """A value in its column's pattern; blank where it is missing."""
        if value is None or value is pd.NaT or value is pd.NA or value != value:
            sheet.write_blank(row, column, None, self.format_of(pattern))
        elif form == "text":
            self.text(sheet, row, column, value)
        elif form in ("date", "month"):
            self._day(sheet, row, column, value, pattern)
        elif math.isfinite(float(value)):
            sheet.write_number(row, column, float(value), self.format_of(pattern))
        else:
            sheet.write_blank(row, column, None, self.format_of(pattern))

    def _day(self, sheet: Worksheet, row: int, column: int, value: Any, pattern: str) -> None:
        day = pd.Timestamp(value).date()
        if day < _EPOCH:
            self.text(sheet, row, column, day.isoformat())
        else:
            sheet.write_datetime(row, column, midnight(day), self.format_of(pattern))

    def pattern(self, form: Format, values: pd.Series) -> str:
        """How a spreadsheet writes a column; separators and month names are its reader's own."""
        match form:
            case "count":
                return "#,##0"
            case "share":
                return "0.0%"
            case "currency":
                return self._money(values)
            case "number" | "ratio":
                return "#,##0.00"
            case "days" | "months":
                return "0" if _whole(values) else "0.0"
            case "date":
                return "yyyy-mm-dd"
            case "month":
                return "mmm yyyy"
        return "@"

    def _money(self, values: pd.Series) -> str:
        """The language's pattern for amounts, without decimals where amounts are large."""
        numbers = pd.to_numeric(values, errors="coerce").abs()
        digits = "" if numbers.max() >= 1000 else ".00"
        place = self.fmt.locale.currency_formats["standard"].pattern.split(";")[0]
        symbol = get_currency_symbol(self.fmt.currency, self.fmt.locale).replace('"', "")
        before = place.startswith("¤")
        gap = " " if symbol[-1:].isalpha() or not before else ""
        return f'"{symbol}{gap}"#,##0{digits}' if before else f'#,##0{digits}"{gap}{symbol}"'


def _whole(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    return bool((numbers == numbers.round()).all())
