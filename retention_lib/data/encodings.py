"""In which encoding a text file is written, told by its bytes, and as UTF-8 where it is another.

UTF-8 proves itself: other text is hardly ever valid UTF-8 by chance. What isn't UTF-8 is taken as
Windows-1252, of which ISO-8859-1 is a part, unless that puts signs inside words.
"""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from pathlib import Path
from typing import BinaryIO, Final, cast

from retention_lib.data.files import NamedFile
from retention_lib.data.no_text import check_kind, no_text
from retention_lib.data.western import ONE_BYTE, garbled, is_utf8, western
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
_NAMES: Final = {
    **{"utf-8-sig": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"},
    **{"cp1252": "Windows-1252", "iso8859-1": "ISO-8859-1"},
}


def encoding_name(codec: str) -> str:
    """A Python codec as people name it."""
    return _NAMES.get(codec, codec.upper())


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
    except (OSError, EOFError, zlib.error) as error:
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
    check_kind(file, head)
    bom = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if given:
        return _given(file, blocks, codecs.lookup(given).name, bom)
    if bom:
        return bom
    if b"\0" in head[:_BLOCK]:
        return _wide(file, blocks)
    if any(b"\0" in block for block in blocks):
        raise no_text(file, blocks)
    if is_utf8(blocks):
        return "utf-8"
    return western(file, blocks)


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
        is_cut = isinstance(error, UnicodeDecodeError) and "truncated" in error.reason
        raise DataError(
            f"source: {file.name}, line {lines + before.count(10):,}: the text isn't "
            f"{encoding_name(encoding)}; "
            + (
                "it ends within a letter, so that it isn't whole: fetch it again"
                if is_cut
                else "name its encoding under csv.encoding, such as utf-8 or windows-1252"
            )
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(file, error) from None


def _given(file: NamedFile, blocks: list[bytes], codec: str, bom: str | None) -> str:
    """What the client file says, unless the bytes prove that it can't be."""
    head = blocks[0]
    is_wide = codec.startswith(("utf-16", "utf-32"))
    if is_wide and not bom:
        if b"\0" not in head[:_BLOCK]:
            raise _other(file, codec, "no text in it looks like that")
        return _wide(file, blocks) if codec == "utf-16" else codec
    if bom and bom != "utf-8-sig" and not is_wide:
        raise _other(file, codec, f"its first bytes say that it is {encoding_name(bom)}")
    if codec in ONE_BYTE and (word := garbled(blocks, codec)):
        raise _other(file, codec, f"it is UTF-8, and read otherwise it has {word}")
    return codec


def _other(file: NamedFile, codec: str, why: str) -> DataError:
    return DataError(
        f"csv.encoding: {file.name} isn't {encoding_name(codec)}: {why}; leave csv.encoding out, "
        "and the bytes tell it"
    )


def _wide(file: NamedFile, blocks: list[bytes]) -> str:
    """UTF-16 without a mark: every other byte of ordinary text is 0."""
    even, odd = blocks[0][:_BLOCK:2], blocks[0][1:_BLOCK:2]
    if odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.4 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    raise no_text(file, blocks)


def _broken(file: NamedFile, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None)
    if is_packed(file.path) and not reason:
        return DataError(
            f"source: {file.shown} can't be read; it isn't packed with gzip, or not whole; "
            "fetch it again"
        )
    reason = reason or type(error).__name__
    return DataError(f"source: {file.shown} can't be read: {reason}; fetch or export it again")
