"""Where the table stands in a text file: the sign between columns, the header, a sample of rows."""

from __future__ import annotations

import codecs
import io
import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from retention_lib.data.encodings import encoding_of, read_blocks
from retention_lib.data.files import NamedFile, empty
from retention_lib.data.lines import check_lines, rows_of

_DELIMITERS: Final = ";\t,|"
#: Signs between columns that are looked for only where the columns' names are known.
_RARE: Final = "~^:#!¦§\x01\x1e\x1f"
#: The header is looked for in this many rows.
HEADER_WITHIN: Final = 50
#: The rows by which the sign between columns is judged.
_JUDGED: Final = 200
#: Of a larger file, its head, middle and end of this size are looked at.
_LOOKED_AT: Final = 1 << 20

Rows = list[list[str]]


@dataclass(frozen=True)
class Layout:
    """How the table of one text file is laid out.

    Parameters
    ----------
    file : NamedFile
    encoding : str
        Python codec.
    delimiter : str
    header_row : int
        Rows above the header, blank ones counted.
    names : tuple of str
        The header's cells, as they stand.
    rows : list
        A sample of the rows below.
    mixed_ends : bool
        Whether some lines end in CR LF and others in LF alone.
    """

    file: NamedFile
    encoding: str
    delimiter: str
    header_row: int
    names: tuple[str, ...]
    rows: Rows
    mixed_ends: bool

    @property
    def is_utf8(self) -> bool:
        """Whether the engine reads the file as it is."""
        return self.encoding in ("utf-8", "utf-8-sig") and not self.mixed_ends


def layout_of(
    file: NamedFile,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    wanted: Iterable[str] = (),
    limit: int = 5_000,
) -> Layout:
    """The layout of a text file.

    Parameters
    ----------
    file : NamedFile
    encoding, delimiter : str, optional
        What the client file says, which always wins.
    wanted : iterable of str
        Names that the header has.
    limit : int
        Rows of the sample.

    Raises
    ------
    DataError
        No text, no row, an encoding that can't be told, lines that haven't the header's columns.
    """
    blocks = read_blocks(file)
    if not any(blocks):
        raise empty(file)
    codec = encoding_of(file, blocks, encoding)
    texts = _texts(blocks, codec)
    del blocks
    wanted = [plain(name) for name in wanted]
    delimiter = delimiter or _delimiter(texts[0], wanted)
    numbered = rows_of(texts[0], delimiter)
    head = numbered.cells
    if not any(map(_filled, head)):
        raise empty(file)
    header = header_of(head, wanted)
    names = tuple(head[header])
    check_lines(file, texts[0], numbered, delimiter, header, is_whole=len(texts) == 1)
    pieces = [[row for row in head[header + 1 :] if row]]
    for text in texts[1:]:
        # the first row of a piece is likely cut, and a piece may begin inside quotes
        rows = _parsed(text, delimiter)[1:-1]
        pieces.append([row for row in rows if len(row) == len(names)])
    if len(texts) > 1:
        pieces[0] = pieces[0][:-1]
    return Layout(
        file=file,
        encoding=codec,
        delimiter=delimiter,
        header_row=header,
        names=names,
        rows=spread(pieces, limit),
        mixed_ends=any(_mixed_ends(text) for text in texts),
    )


def plain(name: str) -> str:
    """A column's name as it is compared: without spaces around it, letters in one form."""
    return unicodedata.normalize("NFC", name.replace("\ufeff", "")).strip()


def header_of(rows: Sequence[Sequence[str]], wanted: Sequence[str] = ()) -> int:
    """Which row is the header: the one with the wanted names, else the first that is full."""
    first = rows[:HEADER_WITHIN]
    if wanted:
        for number, row in enumerate(first):
            if set(wanted) <= {plain(cell) for cell in row}:
                return number
    widths = Counter(filled for row in rows[:_JUDGED] if (filled := _filled(row)))
    if not widths:
        return 0
    width = max(widths, key=lambda w: (widths[w], w))
    return next((n for n, row in enumerate(first) if _filled(row) >= max(1, 0.6 * width)), 0)


def spread(pieces: Sequence[Rows], limit: int) -> Rows:
    """At most `limit` rows, spread evenly over the pieces."""
    rows = list(itertools.chain.from_iterable(pieces))
    if len(rows) <= limit:
        return rows
    # the head in full, where a person looks first, and the rest spread
    head = limit // 5
    step = (len(rows) - head) / (limit - head)
    return rows[:head] + [rows[head + int(i * step)] for i in range(limit - head)]


def _filled(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())


def _texts(blocks: list[bytes], codec: str) -> list[str]:
    """The blocks as text, cut to what is looked at; what can't be decoded shows as �."""
    if len(blocks) == 1 and len(blocks[0]) > 3 * _LOOKED_AT:
        block, half = blocks[0], len(blocks[0]) // 2 & ~3
        end = (len(block) - _LOOKED_AT // 4) & ~3
        blocks = [block[:_LOOKED_AT], block[half : half + _LOOKED_AT // 4], block[end:]]
    texts = []
    for number, block in enumerate(blocks):
        # only the first piece has the mark that says which UTF-16 it is
        name = codec
        if number and codec in ("utf-16", "utf-32"):
            name += "-be" if blocks[0][:1] in (b"\xfe", b"\0") else "-le"
        decoder = codecs.getincrementaldecoder(name)(errors="replace")
        texts.append(decoder.decode(block, final=False))
    return texts


def _delimiter(text: str, wanted: Sequence[str]) -> str:
    """The sign between columns: the one under which the most rows have the same columns."""

    def score(sign: str) -> tuple[bool, float, int]:
        rows = [row for row in _parsed(_first_lines(text), sign) if row][:_JUDGED]
        has_wanted = bool(wanted) and any(
            set(wanted) <= {plain(cell) for cell in row} for row in rows[:HEADER_WITHIN]
        )
        widths = Counter(len(row) for row in rows)
        if not rows or set(widths) == {1}:
            return has_wanted, 0.0, 0
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        header = rows[header_of(rows)]
        # a comma within amounts makes columns of rows, but none of the header
        same = count / len(rows) if len(header) == width else 0.1 * count / len(rows)
        return (
            has_wanted,
            round(same if width > 1 else 0.05 * same, 2),
            -(_DELIMITERS + _RARE).index(sign),
        )

    scores = {sign: score(sign) for sign in _DELIMITERS}
    if wanted and not any(has_wanted for has_wanted, *_ in scores.values()):
        rare = {sign: score(sign) for sign in _RARE if sign in text}
        scores |= {sign: one for sign, one in rare.items() if one[0]}
    return max(scores, key=lambda sign: scores[sign])


def _first_lines(text: str) -> str:
    return "".join(itertools.islice(io.StringIO(text, newline=""), 2 * _JUDGED))


def _parsed(text: str, delimiter: str) -> Rows:
    """The rows of a text, blank ones among them."""
    return rows_of(text, delimiter).cells


def _mixed_ends(text: str) -> bool:
    """Whether a line outside quotes ends otherwise than most."""
    returns = text.count("\r\n")
    if not returns or text.count("\n") == returns:
        return False
    outside = "".join(part for part in text.split('"')[::2])
    return outside.count("\n") != outside.count("\r\n")
