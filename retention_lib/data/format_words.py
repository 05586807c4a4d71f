"""How a client's files are read, in sentences for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from retention_lib.data.day_formats import EPOCH, EXCEL
from retention_lib.data.encodings import encoding_name
from retention_lib.keys.parts import CsvFormat

if TYPE_CHECKING:
    from retention_lib.data.understood import Understood


def sentences(u: Understood, csv: CsvFormat) -> list[str]:
    """What was understood, for people; what the client file says is marked as such."""
    said = []
    separated = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "vertical bars", None: ""}
    if u.delimiter:
        named = separated.get(u.delimiter, u.delimiter)
        said.append(
            f"Text in {encoding_name(u.encoding)}{_given(csv, 'encoding')}, columns between "
            f"{named}{_given(csv, 'delimiter')}."
        )
    if u.sheet:
        said.append(f'The sheet "{u.sheet}" is read.')
    if u.header_row:
        said.append(f"The header is row {u.header_row + 1}; what stands above it is left out.")
    said.append(_amounts_sentence(u, csv))
    if "date" in u.typed:
        said.append("Dates are days in the file already.")
    else:
        given = ", as csv.date_format says" if csv.date_format else ""
        said.append(f"Dates {_dates_clause(u.date_format)}{given}.")
    if u.second_format not in (None, u.date_format) and "second" not in u.typed:
        said.append(f"Birthdays {_dates_clause(u.second_format)}.")
    return [*said, *u.cautions]


def _given(csv: CsvFormat, key: str) -> str:
    return f" (as csv.{key} says)" if getattr(csv, key) else ""


def _amounts_sentence(u: Understood, csv: CsvFormat) -> str:
    signs = {
        ",": "a comma",
        ".": "a point",
        " ": "a space",
        "\u00a0": "a no-break space",
        "\u202f": "a narrow no-break space",
        "'": "an apostrophe",
        "’": "an apostrophe",
    }
    is_bare = u.delimiter is None and not (u.decimal or u.thousands or u.marks)
    if is_bare or "amount" in u.typed:
        return "Amounts are numbers in the file already: there is no decimal sign to tell."
    decimal = signs.get(u.decimal or "")
    said = f"Amounts with decimal {decimal.split()[-1]}" if decimal else "Amounts without decimals"
    said += _given(csv, "decimal")
    if u.thousands:
        said += f", {signs[u.thousands]} between thousands{_given(csv, 'thousands')}"
    example = f"1{u.thousands or ''}234{(u.decimal + '50') if u.decimal else ''}"
    marks = f"; {', '.join(u.marks)} beside them" if u.marks else ""
    return f"{said}, as in {example}{marks}."


def _dates_clause(pattern: str | None) -> str:
    if pattern is None:
        return "as in 2025-12-31 (ISO 8601)"
    if pattern == EXCEL:
        return "as Excel's serial days (46022 is 2025-12-31)"
    if pattern == EPOCH:
        return "as seconds since 1970, or parts of them (1767139200 is 2025-12-31 in UTC)"
    day = pd.Timestamp(2025, 12, 31, 10, 30)
    return f"as in {day.strftime(pattern)} ({pattern})"
