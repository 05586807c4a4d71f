"""The client's look: a logo that is part of the document, an accent that can be read."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from retention_lib.errors import ClientFileError

_LOGOS: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
}
_GROUND_DARK: Final = 0x18  # the lightest channel of the dark page's ground


def logo(path: str) -> str:
    """An image file as a data address.

    Raises
    ------
    ClientFileError
        It isn't a PNG, JPEG or SVG file, or can't be read.
    """
    mime = _LOGOS.get(Path(path).suffix.lower())
    if mime is None:
        raise ClientFileError(f"brand.logo: found {path!r}; a logo is a PNG, JPEG or SVG file")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ClientFileError(f"brand.logo: {path!r} can't be read: {error.strerror}") from None
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def readable(accent: str, dark: bool) -> str:
    """The accent, moved towards black or white until text in it has a contrast of 4.5 to 1.

    Contrast and luminance as in WCAG 2.2, success criterion 1.4.3.

    Parameters
    ----------
    accent : str
        `#rrggbb`.
    dark : bool
        Whether the page's ground is the dark one.

    Raises
    ------
    ClientFileError
        The accent is written otherwise.
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", accent):
        raise ClientFileError(f"brand.accent: found {accent!r}; a colour is written #rrggbb")
    rgb = [int(accent[i : i + 2], 16) for i in (1, 3, 5)]
    ground, goal = (_GROUND_DARK, 255) if dark else (255, 0)
    while True:
        one, other = sorted((_luminance(rgb), _luminance([ground] * 3)))
        if (other + 0.05) / (one + 0.05) >= 4.5:
            return "#" + "".join(f"{c:02x}" for c in rgb)
        rgb = [round(c + (goal - c) * 0.08) if abs(goal - c) > 6 else goal for c in rgb]


def _luminance(rgb: Sequence[int]) -> float:
    parts = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
