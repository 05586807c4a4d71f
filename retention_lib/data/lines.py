"""What is wrong with the lines of a text file, so that it can be said before the engine fails.

The engine reads what is checked here: a line is refused only where the engine would refuse it.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from retention_lib.data.files import NamedFile
from retention_lib.errors import DataError

#: The longest line that the engine reads.
LONGEST: Final = 2_000_000
_SIGNS: Final = ";\t,|"


class Rows(NamedTuple):
    """The rows of a text file.

    Parameters
    ----------
    cells : list of list of str
        Blank rows among them.
    ends : list of int
        The last line of each, counted from 1; a quoted cell can have line breaks.
    """

    cells: list[list[str]]
    ends: list[int]

    def first_line(self, row: int) -> int:
        """The line in which a row begins."""
        return self.ends[row - 1] + 1 if row else 1


def rows_of(text: str, delimiter: str) -> Rows:
    """The rows of a text with their lines."""
    cells, ends = [], []
    with _long_cells():
        reader = csv.reader(_lines(text), delimiter=delimiter, skipinitialspace=delimiter != " ")
        with contextlib.suppress(csv.Error):  # what is before is known
            for row in reader:
                cells.append(row)
                ends.append(reader.line_num)
    return Rows(cells, ends)


def check_lines(
    file: NamedFile,
    text: str,
    rows: Rows,
    delimiter: str,
    header: int,
    *,
    is_whole: bool,
) -> None:
    """The lines below the header have its columns.

    Parameters
    ----------
    file : NamedFile
    text : str
        The file's content, or its beginning.
    rows : Rows
        The same (`rows_of`).
    delimiter : str
    header : int
        Rows above the header.
    is_whole : bool
        Whether the text is all of the file.

    Raises
    ------
    DataError
        One sentence, with the first line that is wrong.
    """
    _check_quoted_lines(file, text, rows, header)
    last = len(rows.cells) - 1
    if is_whole and header < last:
        _check_last_quote(file, text, rows.first_line(last), delimiter)
    # of a beginning, the last row is likely cut
    below = range(header + 1, last + is_whole)
    _check_long_lines(file, rows, below)
    _check_widths(file, rows, header, below, delimiter)


def _check_quoted_lines(file: NamedFile, text: str, rows: Rows, header: int) -> None:
    names = rows.cells[header]
    if len(names) != 1 or not any(sign in names[0] for sign in _SIGNS):
        return
    line = next(itertools.islice(_lines(text), rows.first_line(header) - 1, None), "")
    if line.lstrip(" ").startswith('"'):
        raise DataError(
            f"source: {file.name}: each line stands in quotes as a whole, so that it is a single "
            "column; export it again without them"
        )


def _check_last_quote(file: NamedFile, text: str, first: int, delimiter: str) -> None:
    """A quote that is never closed makes one cell of all that follows."""
    lines = list(itertools.islice(_lines(text), first - 1, None))
    try:
        with _long_cells():
            list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "end of data" in str(error):
            raise DataError(
                f"source: {file.name}, line {first:,}: a quote opens here and is never closed; "
                "mend the line"
            ) from None


def _check_long_lines(file: NamedFile, rows: Rows, below: Iterable[int]) -> None:
    for n in below:
        if (length := sum(map(len, rows.cells[n]))) > LONGEST:
            raise DataError(
                f"source: {file.name}, line {rows.first_line(n):,}: it has {length:,} characters, "
                f"more than any order has ({LONGEST:,} are read); is a quote or a line end "
                "missing? Mend the line"
            )


def _check_widths(
    file: NamedFile, rows: Rows, header: int, below: Sequence[int], delimiter: str
) -> None:
    # signs at the end of the header or of a row make no column
    most = len(rows.cells[header])
    least = _extent(rows.cells[header])
    odd = [
        n
        for n in below
        if (found := len(rows.cells[n])) != most
        and found
        and (found < least or _extent(rows.cells[n]) > most)
    ]
    if not odd:
        return
    first, many = odd[0], 2 * len(odd) > len(below)
    line, found = rows.first_line(first), len(rows.cells[first])
    more = "" if len(odd) == 1 else f" (as in {len(odd) - 1:,} more)"
    said = (
        f"source: {file.name}, line {line:,}{more}: found {found} "
        f"column{'s' * (found != 1)} where {'the header has' if many else 'the others have'} {most}"
    )
    if rows.ends[first] > line:
        said += f"; its last quote is closed in line {rows.ends[first]:,} only"
    if delimiter == "," and many and found > most:
        said += "; have amounts with a decimal comma exported in quotes, or"
    else:
        said += "; mend the line, or"
    raise DataError(
        f"{said} name the sign between columns under csv.delimiter: all lines need the same number "
        "of columns"
    )


def _extent(cells: Sequence[str]) -> int:
    """The columns up to the last one that holds something."""
    return next((n for n in range(len(cells), 0, -1) if cells[n - 1].strip()), 0)


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text.removeprefix("\ufeff"), newline=""))


@contextlib.contextmanager
def _long_cells() -> Iterator[None]:
    """The csv module's own limit is below the engine's."""
    before = csv.field_size_limit(8 * LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(before)
