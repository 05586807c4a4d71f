"""Tables in Excel workbooks: which sheet, where its header is, and its cells as text.

Numbers and dates of a workbook are typed. They are written as text in the way in which the text
cells beside them are, so that 1234.5 and "1 234,50" in one column are read alike.
"""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from retention_lib.data.day_formats import EXCEL, EXCEL_EPOCH
from retention_lib.data.files import NamedFile, empty
from retention_lib.data.layout import HEADER_WITHIN, header_of, plain
from retention_lib.data.no_text import what_it_is
from retention_lib.errors import DataError

#: Serial days from 1954 to 2119.
_SERIALS: Final = (20_000, 80_000)

Cell = Any


@dataclass(frozen=True)
class Sheet:
    """A sheet with a table.

    Parameters
    ----------
    file : NamedFile
    sheet : str
    header_row : int
    names : tuple of str
    others : tuple of str
        Further sheets with the same columns, which aren't read.
    """

    file: NamedFile
    sheet: str
    header_row: int
    names: tuple[str, ...]
    others: tuple[str, ...] = ()

    def rows(self) -> Iterator[list[Cell]]:
        """The rows below the header that aren't blank, as typed cells."""
        for number, row in enumerate(_sheet(_workbook(self.file), self.sheet).iter_rows()):
            if number > self.header_row and any(cell != "" for cell in row):
                yield row


def sheet_of(file: NamedFile, wanted: Sequence[str] = ()) -> Sheet:
    """The first sheet that has the wanted columns, else the first with a table.

    Raises
    ------
    DataError
        No workbook, or nothing in it.
    """
    book = _workbook(file)
    wanted = [plain(name) for name in wanted]
    found: list[Sheet] = []
    having: list[Sheet] = []
    for name in book.sheet_names:
        sheet = _sheet(book, name)
        rows = [
            [cell_text(cell) for cell in row]
            for row, _ in zip(sheet.iter_rows(), range(4 * HEADER_WITHIN), strict=False)
        ]
        if not any(any(row) for row in rows):
            continue
        header = header_of(rows, wanted)
        here = Sheet(file, name, header, tuple(rows[header]))
        found.append(here)
        if wanted and set(wanted) <= {plain(cell) for cell in here.names}:
            having.append(here)
    if not found:
        raise empty(file)
    if not having:
        # the widest table: a sheet of notes has one column
        return max(found, key=lambda sheet: min(len(sheet.names), 3))
    first = having[0]
    others = tuple(sheet.sheet for sheet in having[1:])
    return Sheet(file, first.sheet, first.header_row, first.names, others)


def cell_text(cell: Cell, decimal: str = ".") -> str:
    """A cell as text: days and times in ISO 8601, numbers with this decimal sign."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return repr(cell).replace(".", decimal)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


def write_csv(
    sheet: Sheet, to: Path, dates: Sequence[str], decimal: str, patterns: Sequence[str | None]
) -> None:
    """Write a sheet as CSV in UTF-8, its typed cells like the text cells beside them.

    Parameters
    ----------
    sheet : Sheet
    to : Path
    dates : sequence of str
        The columns in which numbers are serial days.
    decimal : str
        Sign of the decimals.
    patterns : sequence of str or None
        How dates are written in each of `dates`.
    """
    by_column = {
        i: patterns[[plain(d) for d in dates].index(plain(name))]
        for i, name in enumerate(sheet.names)
        if plain(name) in [plain(d) for d in dates]
    }
    with to.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(sheet.names)
        for row in sheet.rows():
            writer.writerow(
                date_text(cell, by_column[i]) if i in by_column else cell_text(cell, decimal)
                for i, cell in enumerate(row)
            )


def date_text(cell: Cell, pattern: str | None) -> str:
    """A cell of a column of dates as text in the pattern of the text cells beside it."""
    if isinstance(cell, float) and _SERIALS[0] <= cell <= _SERIALS[1] and pattern != EXCEL:
        epoch = dt.datetime.combine(EXCEL_EPOCH, dt.time())
        cell = epoch + dt.timedelta(seconds=round(cell * 86_400))
    if not isinstance(cell, dt.date) or pattern is None:
        return cell_text(cell)
    moment = cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())
    if pattern == EXCEL:
        epoch = dt.datetime.combine(EXCEL_EPOCH, dt.time())
        return repr((moment - epoch) / dt.timedelta(days=1))
    has_time = any(sign in pattern for sign in ("%H", "%I", "%T", "%X", "%c"))
    return moment.strftime(pattern) + (
        "" if has_time or moment.time() == dt.time() else moment.strftime(" %H:%M:%S")
    )


def _workbook(file: NamedFile) -> Any:
    # imported here: most clients send CSV
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        return CalamineWorkbook.from_path(file.path)
    except PasswordError:
        raise DataError(
            f"source: {file.shown} can't be read; it has a password: open it in Excel and save it "
            "without"
        ) from None
    except (CalamineError, OSError):
        raise DataError(f"source: {file.shown} can't be read; {_why(file)}") from None


def _why(file: NamedFile) -> str:
    """Why a file is no workbook, told by its content, and what to do."""
    try:
        with file.path.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        return f"{(error.strerror or type(error).__name__).lower()}; fetch or export it again"
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return _why_not_whole(file)
    what = what_it_is(head)
    if what and what.startswith("a web page"):
        return "it is a web page that is named like a workbook: open it in Excel, save it as .xlsx"
    if what is None and b"\0" not in head:
        return "it is no workbook but text; name it .csv"
    return f"it is no workbook but {what or 'something else'}"


def _why_not_whole(file: NamedFile) -> str:
    """An archive or a compound file, of which all kinds of Office documents are made."""
    if zipfile.is_zipfile(file.path):
        with zipfile.ZipFile(file.path) as archive:
            names = archive.namelist()
        if not any(name.startswith("xl/") or name == "content.xml" for name in names):
            return "there is no workbook in it; name the order export, as CSV or Excel"
    return "it is no whole Excel workbook; fetch it again, or open it in Excel and save it as .xlsx"


def _sheet(book: Any, name: str) -> Any:
    return book.get_sheet_by_name(name)
