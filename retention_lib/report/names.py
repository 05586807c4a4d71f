"""How a name out of data or a client file is printed: on one line, no longer than its place.

A name can hold signs that nobody sees: some turn the direction of all that follows, some move a
cursor, some heap accents over the lines above. What is printed has none of these, so that it says
the same in a heading, a figure, an alternative text and a cell.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: A name is cut after so many characters: a cell or a heading isn't the place for more.
LONGEST: Final = 40
#: A client's name, which stands alone on the title page, may be longer.
LONGEST_TITLE: Final = 120
#: A source is cited in full, within reason.
LONGEST_SOURCE: Final = 200
#: Accents over one letter; no language needs more.
MARKS: Final = 3

_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff]"
)
#: Signs for the direction of text, and some that take no room and mean nothing.
_HIDDEN: Final = re.compile(
    "[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)


def steady(text: str) -> str:
    r"""The text without signs that steer or hide what stands around it; its lines stay.

    Examples
    --------
    >>> steady("a\x1b[31mb \u202egpj.exe")
    'a�[31mb gpj.exe'
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\x85", "\n")  # a line's end to some, nothing that a page can hold
    return _few_marks(_HIDDEN.sub("", _CONTROLS.sub("\ufffd", text)))


def printed(text: str, most: int = LONGEST) -> str:
    r"""A name on one line, cut with an ellipsis after `most` characters.

    Examples
    --------
    >>> printed("Belysning  og\nmøbler")
    'Belysning og møbler'
    >>> printed("x" * 50, 10)
    'xxxxxxxx …'
    """
    line = " ".join(steady(text).split())
    if text.strip() and not line:  # nothing that can be seen
        return "\ufffd"
    return line if len(line) <= most else line[: most - 2].rstrip() + " …"


def _few_marks(text: str) -> str:
    kept, marks = [], 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks <= MARKS:
            kept.append(sign)
    return "".join(kept)
