"""Files that are named like text and are something else, told by their first bytes."""

from __future__ import annotations

import re
from typing import Final

from retention_lib.data.files import NamedFile
from retention_lib.errors import DataError

_AGAIN: Final = "export the orders again, as CSV or Excel"
#: What files that are no table of text begin with, and what to do with them.
_STARTS: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook; name a workbook .xlsx, unpack an archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; name it .xls"),
    (b"\x1f\x8b", "packed with gzip; add .gz to its name"),
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"\x89PNG", "a picture; name the order export"),
    (b"\xff\xd8\xff", "a picture; name the order export"),
    (b"%PDF", "a PDF; ask for the orders as CSV or Excel"),
    (b"SQLite format 3\0", f"a SQLite database; {_AGAIN}"),
    (b"{\\rtf", f"rich text; {_AGAIN}"),
)
#: The same of text in another language than a table's, whatever blanks are before it.
_LANGUAGES: Final = (
    (
        re.compile(rb"(?i)<(!doctype html|html|head|body|table|script|meta)\b"),
        f"a web page, often that of a login or an error; {_AGAIN}",
    ),
    (re.compile(rb"(?i)<\?xml\b"), f"XML; {_AGAIN}"),
    (re.compile(rb'\{\s*"|\[\s*\{'), "JSON; name it .json"),
)
#: Signs that no text has beside line ends and tabs.
_CONTROLS: Final = bytes(b for b in range(1, 32) if b not in b"\t\n\v\f\r\x1a\x1b\x1c\x1d\x1e\x1f")


def check_kind(file: NamedFile, head: bytes, is_json: bool = False) -> None:
    """A file's first bytes aren't those of another kind of file than text, or JSON.

    Raises
    ------
    DataError
        What it is, and what to do with it.
    """
    what = what_it_is(head)
    if what and head.startswith(b"\x1f\x8b") and file.path.suffix.lower() == ".gz":
        what = "packed with gzip twice; unpack it once"
    if what and not (is_json and what.startswith("JSON")):
        raise DataError(f"source: {file.shown} can't be read as a table; it is {what}")


def what_it_is(head: bytes) -> str | None:
    """What a file with these first bytes is, and what to do with it; None of text."""
    text = head[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    what = next((what for start, what in _STARTS if head.startswith(start)), None)
    return what or next((what for form, what in _LANGUAGES if form.match(text)), None)


def no_text(file: NamedFile, blocks: list[bytes]) -> DataError:
    """The sentence on a file with bytes of 0: no text at all, or text that was damaged."""
    text = b"".join(blocks)
    rest = text.replace(b"\0", b"")
    if 2 * len(rest) < len(text) or len(rest.translate(None, _CONTROLS)) < len(rest):
        return binary(file)
    where = blocks[0].find(b"\0")
    place = f", line {blocks[0].count(10, 0, where) + 1:,}" if where >= 0 else ""
    return DataError(
        f"source: {file.name}{place}: a NUL, which no text has: the file was damaged or cut on its "
        "way; fetch or export it again"
    )


def binary(file: NamedFile) -> DataError:
    """The sentence on a file that holds no text."""
    return DataError(
        f"source: {file.shown} can't be read as a table; it holds no text; name the order export, "
        "as CSV or Excel"
    )
