"""Text of one byte a letter: Windows-1252, an older system's, or a mix with UTF-8."""

from __future__ import annotations

import codecs
import itertools
import re
import unicodedata
from typing import Final

from retention_lib.data.files import NamedFile
from retention_lib.data.no_text import binary
from retention_lib.errors import DataError

#: Encodings of older systems, named where Windows-1252 can't be right.
_OTHERS: Final = ("cp850", "mac_roman", "cp437", "cp1250", "iso8859_15")
#: Encodings in which every byte is a letter, so that UTF-8 passes for them, garbled.
ONE_BYTE: Final = (
    *("cp1252", "iso8859-1", "iso8859-15", "cp850", "cp865", "cp437", "cp1250", "mac-roman"),
)
#: Signs that stand between two letters in ordinary text: O’Brien, mother‑in‑law, kr·h.
_IN_WORDS: Final = "’‘´`–—·­­"
_WORDS: Final = re.compile(rb"[A-Za-z]*[\x80-\xff]+[A-Za-z]*")
#: Of the words, this share may be in another encoding: they were garbled before the export.
_FEW: Final = 0.02


def is_utf8(blocks: list[bytes]) -> bool:
    """Whether a file's blocks (`encodings.read_blocks`) are UTF-8."""
    return all(_is_text(block, whole=len(blocks) == 1) for block in blocks)


def garbled(blocks: list[bytes], codec: str) -> str | None:
    """A word that a codec of one byte a letter garbles, where all words are UTF-8."""
    if not is_utf8(blocks):
        return None
    word = _WORDS.search(b"".join(blocks))
    return f'"{_shown(word[0], codec)}" for "{_shown(word[0], "utf-8")}"' if word else None


def western(file: NamedFile, blocks: list[bytes]) -> str:
    """The encoding of text that isn't UTF-8 as a whole.

    Raises
    ------
    DataError
        Text of several encodings, or of one that can't be told, with the likeliest.
    """
    data = b"".join(blocks)
    found = list(itertools.islice(_WORDS.finditer(data), 20_000))
    words = [match[0] for match in found]
    of_utf8 = [_is_text(word, whole=True) for word in words]
    if sum(of_utf8) > _FEW * len(words):
        raise _mixed(file, blocks, found, of_utf8)
    if _odd_words(words, "cp1252") <= 0.2 * len(words):
        return "cp1252"
    best = min(_OTHERS, key=lambda name: _odd_words(words, name))
    if _odd_words(words, best) > 0.2 * len(words):
        raise (
            binary(file)
            if b"\x01" in data
            else DataError(
                f"source: {file.name}: the text is neither UTF-8 nor Windows-1252; "
                "name its encoding under csv.encoding"
            )
        )
    word = max(words[:500], key=lambda w: min(len(w), 12))
    raise DataError(
        f"csv.encoding: {file.name} isn't UTF-8, and read as Windows-1252 it has signs within "
        f'words ("{_shown(word, "cp1252")}"); name its encoding, perhaps {best} '
        f'("{_shown(word, best)}")'
    )


def _mixed(
    file: NamedFile, blocks: list[bytes], words: list[re.Match[bytes]], of_utf8: list[bool]
) -> DataError:
    """The sentence on a file that was put together of texts in different encodings."""
    # only the words of the first block have a known line
    start = next((n for n, one in enumerate(of_utf8) if one != of_utf8[0]), 0)
    at = words[start].start()
    place = f", line {blocks[0].count(10, 0, at) + 1:,}" if at < len(blocks[0]) else ""
    word = words[of_utf8.index(True)][0]
    return DataError(
        f"csv.encoding: {file.name}{place}: some of the text is UTF-8 and some isn't, from here "
        "on; have the file exported in one encoding, or write windows-1252, and the UTF-8 is read "
        f'garbled ("{_shown(word, "cp1252")}" for "{_shown(word, "utf-8")}")'
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


def _is_text(block: bytes, whole: bool) -> bool:
    # a block out of the middle may begin and end inside a sign
    trimmed = block if whole else block.lstrip(bytes(range(0x80, 0xC0)))
    try:
        codecs.getincrementaldecoder("utf-8")().decode(trimmed, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _shown(word: bytes, codec: str) -> str:
    """A word as a sentence shows it: short, and without what would move the cursor."""
    text = word.decode(codec, "replace")[:24]
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
