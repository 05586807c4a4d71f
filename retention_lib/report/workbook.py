"""The workbook of lists to act on: a sheet a list, and one in front that says what each is for.

It is opened in a spreadsheet by people who send letters from it, so ids stay what they are (text,
with their leading zeros), and nothing that came from data is ever run: every text is written as
text, and one that starts like a formula carries the quote prefix, which keeps it text when it is
edited too. The same lists give the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from retention_lib.errors import RetentionError
from retention_lib.report.cells import Cells, clean, midnight
from retention_lib.report.language import Formats
from retention_lib.report.tables import NUMBERS, Format, written

MOST_ROWS: Final = 1_048_575
"""Rows that a sheet holds under its heading."""
LONGEST_NAME: Final = 31
WIDEST: Final = 60
"""Characters; a longer text runs on in its cell."""

_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True)
class Sheet:
    """One list to act on.

    Parameters
    ----------
    name : str
        Of the sheet; what a spreadsheet doesn't allow in it is taken out.
    about : str
        What the list is for, in a sentence or two.
    frame : pandas.DataFrame
        A row a customer, the most urgent first.
    formats : mapping of column to format
        Which columns are written, in this order; see `tables.Format`. An id is `text`.
    labels : mapping of column to heading
    at_stake : str, optional
        The column whose sum is the value at stake.
    whole : (int, float), optional
        Where the frame holds only the first of a longer list: how many are on it, and what is at
        stake with all of them.
    """

    name: str
    about: str
    frame: pd.DataFrame
    formats: Mapping[str, Format]
    labels: Mapping[str, str] = field(default_factory=dict)
    at_stake: str | None = None
    whole: tuple[int, float] | None = None


def write_workbook(
    path: str | Path | IO[bytes],
    sheets: Sequence[Sheet],
    fmt: Formats,
    *,
    client: str,
    as_of: date,
    created: datetime | None = None,
    notes: Sequence[str] = (),
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the lists into one workbook.

    Parameters
    ----------
    path : str, Path or binary file
    sheets : sequence of Sheet
    fmt : Formats
    client : str
        The client's name as printed.
    as_of : datetime.date
        Last day of the data.
    created : datetime.datetime, optional
        Goes into the file's properties; by default midnight of `as_of`, so that the same lists
        give the same bytes.
    notes : sequence of str
        What to know of all lists, under them on the first sheet.
    most_rows : int
        A longer list is cut there, and says so.

    Raises
    ------
    ValueError
        A sheet's formats or its value at stake name a column that its frame doesn't have.
    RetentionError
        The file can't be written.
    """
    for sheet in sheets:
        _check(sheet)
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(path if hasattr(path, "write") else str(path), options)
    book.set_properties({"title": clean(client), "created": created or midnight(as_of)})
    cells = Cells(book, fmt)
    names = sheet_names([fmt.say("About"), *(sheet.name for sheet in sheets)])
    front = book.add_worksheet(names[0])
    for sheet, name in zip(sheets, names[1:], strict=True):
        _write_list(book.add_worksheet(name), sheet, cells, as_of, most_rows)
    _write_front(front, sheets, names[1:], cells, client, as_of, notes, most_rows)
    try:
        book.close()
    except FileCreateError as error:
        raise RetentionError(
            f"{path}: the workbook can't be written ({error}); close it where it is open, "
            "and see that the folder is there and may be written to."
        ) from error


def sheet_names(wanted: Sequence[str]) -> list[str]:
    r"""Names that a spreadsheet takes: its own characters, length, and no two alike.

    Parameters
    ----------
    wanted : sequence of str

    Returns
    -------
    list of str
        At most 31 UTF-16 units each, without `[ ] : * ? / \`, different also in lower case.

    Examples
    --------
    >>> sheet_names(["Win back: gold/silver", "win back  gold silver", ""])
    ['Win back gold silver', 'win back gold silver (2)', 'List']
    """
    taken: set[str] = set()
    names = []
    for name in wanted:
        plain = " ".join(_NOT_IN_NAMES.sub(" ", clean(name)).split()).strip("' ")
        # A spreadsheet keeps "History" for itself.
        plain = plain if plain and plain.lower() != "history" else f"List {plain}".strip()
        chosen, number = _cut(plain, LONGEST_NAME), 1
        while chosen.lower() in taken:
            number += 1
            chosen = _cut(plain, LONGEST_NAME - len(f" ({number})")) + f" ({number})"
        taken.add(chosen.lower())
        names.append(chosen)
    return names


def _cut(name: str, units: int) -> str:
    """At most so many UTF-16 units, no character halved."""
    return name.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore").rstrip("' ")


def _check(sheet: Sheet) -> None:
    named = [*sheet.formats, *([sheet.at_stake] if sheet.at_stake else [])]
    if lacking := [column for column in named if column not in sheet.frame]:
        raise ValueError(
            f"Sheet {sheet.name!r} asks for {', '.join(map(repr, lacking))}; its frame has "
            f"{', '.join(map(repr, sheet.frame.columns))}. Name columns that are there."
        )


def _write_list(page: Worksheet, sheet: Sheet, cells: Cells, as_of: date, most_rows: int) -> None:
    fmt = cells.fmt
    if sheet.frame.empty:
        page.set_column(0, 0, WIDEST)
        nobody = fmt.say("As of {day} nobody is on this list.", day=fmt.date(as_of))
        cells.text(page, 0, 0, nobody, wrapped=True)
        return
    frame = sheet.frame.head(most_rows)
    for column, (name, form) in enumerate(sheet.formats.items()):
        heading = str(sheet.labels.get(name, name))
        look = cells.head_right if form in NUMBERS else cells.head
        cells.text(page, 0, column, heading, look=look)
        page.set_column(column, column, _width(heading, frame[name], form, fmt))
        pattern = cells.pattern(form, frame[name])
        cells.column(page, 1, column, frame[name], form, pattern)
    if texts := [at for at, form in enumerate(sheet.formats.values()) if form == "text"]:
        # in one call: the next one takes the place of the last
        cells_of = " ".join(_cells_of(column, len(frame)) for column in texts)
        page.ignore_errors({"number_stored_as_text": cells_of})
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, len(frame), len(sheet.formats) - 1)
    page.repeat_rows(0)
    page.set_landscape()
    page.fit_to_pages(1, 0)


def _cells_of(column: int, rows: int) -> str:
    return xlsxwriter.utility.xl_range(0, column, rows, column)


def _width(heading: str, values: pd.Series, form: Format, fmt: Formats) -> float:
    """Characters that the column needs; a long heading breaks between its words."""
    sample = values.head(2000)
    if form in NUMBERS:
        # The longest figure is one of the two at the ends.
        numbers = pd.to_numeric(sample, errors="coerce")
        texts: Iterator[str] = (written(x, form, fmt) for x in (numbers.min(), numbers.max()))
    elif form == "date":
        texts = iter(["2000-01-01"])
    elif form == "month":
        texts = iter(["mmm yyyy"])
    else:
        texts = (str(value) for value in sample)
    longest = max((len(text) for text in texts), default=0)
    # The filter's arrow takes the room of three characters.
    word = max((len(word) for word in heading.split()), default=0) + 3
    return float(min(max(longest + 2, word, 8), WIDEST))


def _write_front(
    page: Worksheet,
    sheets: Sequence[Sheet],
    names: Sequence[str],
    cells: Cells,
    client: str,
    as_of: date,
    notes: Sequence[str],
    most_rows: int,
) -> None:
    """What each list is for, how many are on it, and what is at stake."""
    fmt = cells.fmt
    for column, width in enumerate((32, WIDEST, 14, 20)):
        page.set_column(column, column, width)
    cells.text(page, 0, 0, client, look=cells.title)
    cells.text(page, 1, 0, fmt.say("Data up to {day}", day=fmt.date(as_of)))
    headings = (fmt.say("List"), fmt.say("What it is for"))
    figures = (fmt.say("Customers"), fmt.say("Value at stake"))
    for column, heading in enumerate((*headings, *figures)):
        look = cells.head_right if heading in figures else cells.head
        cells.text(page, 3, column, heading, look=look)
    wholes = [sheet.whole or (len(sheet.frame), _stake(sheet)) for sheet in sheets]
    stakes = pd.Series([stake for _, stake in wholes], dtype=float)
    pattern = cells.pattern("currency", stakes)
    for i, (sheet, name) in enumerate(zip(sheets, names, strict=True)):
        row = 4 + i
        about = sheet.about
        if len(sheet.frame) > most_rows:
            cut = fmt.say("A sheet holds no more than its first {n} rows.", n=fmt.count(most_rows))
            about = f"{about} {cut}"
        cells.text(page, row, 0, name)
        cells.text(page, row, 1, about, wrapped=True)
        cells.value(page, row, 2, wholes[i][0], "count", "#,##0")
        cells.value(page, row, 3, stakes.iloc[i], "currency", pattern)
    for i, note in enumerate(notes):
        cells.text(page, 5 + len(sheets) + i, 1, note, wrapped=True)
    page.freeze_panes(4, 0)


def _stake(sheet: Sheet) -> float:
    return float(pd.to_numeric(sheet.frame[sheet.at_stake]).sum()) if sheet.at_stake else math.nan
