"""Which signs the figures' font can draw."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from matplotlib.font_manager import findfont, get_font

from retention_lib.report.names import steady

FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so every machine draws the same."""

_MISSING: Final = "\N{REPLACEMENT CHARACTER}"


def drawable(text: str) -> str:
    """The text with one sign in place of those that the font doesn't have.

    Tables and alternative texts have the name as it is.

    Examples
    --------
    >>> drawable("Gaver 🎁🎁")
    'Gaver �'
    """
    text = steady(text)
    if text.isascii():
        return text
    known = _known()
    signs = (c if ord(c) in known or c == "\n" else _MISSING for c in text)
    return re.sub(f"{_MISSING}+", _MISSING, "".join(signs))


@cache
def _known() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())
