"""In which encoding a text file is written, told by its bytes, and as UTF-8 where it is another.

UTF-8 proves itself: other text is hardly ever valid UTF-8 by chance. What isn't UTF-8 is taken as
Windows-1252, of which ISO-8859-1 is a part, unless that puts signs inside words.
"""

from __future__ import annotations

import codecs
import gzip
import os
import re
import unicodedata
from pathlib import Path
from typing import BinaryIO, Final, cast

from retention_lib.data.files import NamedFile
from retention_lib.errors import DataError

#: Files up to this size are checked in full, larger ones by their head, middle and end.
WHOLE: Final = 64 << 20
_BLOCK: Final = 1 << 20

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What files that are no text begin with, and what to do with them.
_NO_TEXT: Final = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook; name a workbook .xlsx, unpack an archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; name it .xls"),
    (b"\x1f\x8b", "packed with gzip; add .gz to its name"),
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"\x89PNG", "a picture; name the order export"),
    (b"\xff\xd8\xff", "a picture; name the order export"),
    (b"%PDF", "a PDF; ask for the orders as CSV or Excel"),
)
#: Encodings of older systems, named where Windows-1252 can't be right.
_OTHERS: Final = ("cp850", "mac_roman", "cp437", "cp1250", "iso8859_15")
#: Signs that stand between two letters in ordinary text: O’Brien, mother‑in‑law, kr·h.
_IN_WORDS: Final = "’‘´`–—·­­"


def is_packed(path: Path) -> bool:
    """Whether a file's name ends in .gz."""
    return path.suffix.lower() == ".gz"


def open_bytes(path: Path) -> BinaryIO:
    """A file's bytes, unpacked where its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb") if is_packed(path) else path.open("rb"))


def read_blocks(file: NamedFile) -> list[bytes]:
    """A file's content, whole or as its head, middle and end.

    Raises
    ------
    DataError
        A broken .gz.
    """
    path = file.path
    try:
        with open_bytes(path) as stream:
            if is_packed(path):  # there is no way into its middle but through its head
                return [stream.read(WHOLE)]
            size = os.fstat(stream.fileno()).st_size
            if size <= WHOLE:
                return [stream.read()]
            blocks = []
            for start in (0, size // 2 & ~3, (size - _BLOCK) & ~3):
                stream.seek(start)
                blocks.append(stream.read(_BLOCK))
            return blocks
    except (OSError, EOFError) as error:
        raise _broken(file, error) from None


def encoding_of(file: NamedFile, blocks: list[bytes], given: str | None = None) -> str:
    """The Python codec of a text file.

    Parameters
    ----------
    file : NamedFile
        To speak of.
    blocks : list of bytes
        From `read_blocks`.
    given : str, optional
        `csv.encoding`, which always wins.

    Raises
    ------
    DataError
        No text, or an encoding that can't be told.
    """
    head = blocks[0]
    for start, what in _NO_TEXT:
        if head.startswith(start):
            raise DataError(f"source: {file.shown} can't be read as a table; it is {what}")
    if given:
        return codecs.lookup(given).name
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if b"\0" in head[:_BLOCK]:
        return _wide(file, head[:_BLOCK])
    if any(block.count(b"\0") for block in blocks):
        raise _binary(file)
    if all(_is_utf8(block, whole=len(blocks) == 1) for block in blocks):
        return "utf-8"
    return _western(file, b"".join(blocks))


def write_utf8(file: NamedFile, encoding: str, to: Path) -> None:
    r"""Write a text file anew in UTF-8 with \n at the end of its lines, block by block.

    Raises
    ------
    DataError
        A byte that the encoding doesn't have, by its line.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    lines, held = 1, ""
    try:
        with open_bytes(file.path) as source, to.open("w", encoding="utf-8", newline="") as target:
            while True:
                block = source.read(_BLOCK)
                text = held + decoder.decode(block, final=not block)
                # a \r at the end may be half of \r\n
                held = "\r" if block and text.endswith("\r") else ""
                text = text[: len(text) - len(held)].replace("\r\n", "\n").replace("\r", "\n")
                lines += text.count("\n")
                target.write(text)
                if not block:
                    return
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        before = error.object[:start] if isinstance(error, UnicodeDecodeError) else b""
        raise DataError(
            f"source: {file.name}, line {lines + before.count(10):,}: the text isn't {encoding}; "
            "name its encoding under csv.encoding, such as utf-8 or windows-1252"
        ) from None
    except (OSError, EOFError) as error:
        raise _broken(file, error) from None


def _is_utf8(block: bytes, whole: bool) -> bool:
    # a block out of the middle may begin and end inside a sign
    trimmed = block if whole else block.lstrip(bytes(range(0x80, 0xC0)))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(trimmed, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(file: NamedFile, head: bytes) -> str:
    """UTF-16 without a mark: every other byte of ordinary text is 0."""
    even, odd = head[0::2], head[1::2]
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    raise _binary(file)


def _western(file: NamedFile, data: bytes) -> str:
    words = re.findall(rb"[A-Za-z]*[\x80-\xff]+[A-Za-z]*", data)[:20_000]
    if _odd_words(words, "cp1252") <= 0.2 * len(words):
        return "cp1252"
    best = min(_OTHERS, key=lambda name: _odd_words(words, name))
    if _odd_words(words, best) > 0.2 * len(words):
        raise (
            _binary(file)
            if b"\x01" in data
            else DataError(
                f"source: {file.name}: the text is neither UTF-8 nor Windows-1252; "
                "name its encoding under csv.encoding"
            )
        )
    word = max(words[:500], key=lambda w: min(len(w), 12))
    raise DataError(
        f"csv.encoding: {file.name} isn't UTF-8, and read as Windows-1252 it has signs within "
        f'words ("{word.decode("cp1252", "replace")}"); name its encoding, perhaps {best} '
        f'("{word.decode(best)}")'
    )


def _odd_words(words: list[bytes], encoding: str) -> int:
    """How many words have a sign in them that is neither letter nor ordinary in text."""
    odd = 0
    for word in words:
        try:
            text = word.decode(encoding)
        except UnicodeDecodeError:
            odd += 1
            continue
        has_letters = any(c.isascii() and c.isalpha() for c in text)
        signs = [c for c in text if not c.isascii() and c not in _IN_WORDS]
        strange = [c for c in signs if unicodedata.category(c) not in ("Ll", "Lu", "Zs")]
        # alone, a sign such as € or ° is ordinary; a control sign never is
        odd += bool(strange) and (
            has_letters or any(unicodedata.category(c) == "Cc" for c in strange)
        )
    return odd


def _binary(file: NamedFile) -> DataError:
    return DataError(f"source: {file.shown} can't be read as a table; it holds no text")


def _broken(file: NamedFile, error: Exception) -> DataError:
    if is_packed(file.path):
        return DataError(
            f"source: {file.shown} can't be read; it isn't packed with gzip, or not whole; "
            "fetch it again"
        )
    reason = getattr(error, "strerror", None) or type(error).__name__
    return DataError(f"source: {file.shown} can't be read: {reason}")
