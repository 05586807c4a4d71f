"""The client's look: a logo that is part of the document, an accent that can be read."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.parsers import expat

from retention_lib.errors import ClientFileError

_LOGOS: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
}
#: How a file of each kind begins, whatever it is called.
_BEGINS: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
LARGEST: Final = 300_000
"""Bytes of a logo; it is part of every report."""
_CODE: Final = {"script", "foreignobject", "iframe", "handler"}
_GROUND_DARK: Final = 0x18  # the lightest channel of the dark page's ground


def logo(path: str) -> str:
    """An image file as a data address.

    Raises
    ------
    ClientFileError
        It isn't a PNG, JPEG or SVG file by name and content, holds a script, is too large, or can't
        be read.
    """
    mime = _LOGOS.get(Path(path).suffix.lower())
    if mime is None:
        raise ClientFileError(f"brand.logo: found {path!r}; a logo is a PNG, JPEG or SVG file")
    file = Path(path)
    try:
        # neither a device nor a file of any size is read because it goes by the name of a logo
        size = file.stat().st_size
        content = file.read_bytes() if file.is_file() and size <= LARGEST else b""
    except OSError as error:
        raise ClientFileError(f"brand.logo: {path!r} can't be read: {error.strerror}") from None
    if size > LARGEST:
        raise ClientFileError(
            f"brand.logo: {path!r} has {size:,} bytes; save it smaller, {LARGEST:,} are allowed"
        )
    elements = _elements(content) if mime == "image/svg+xml" else []
    is_image = content.startswith(_BEGINS[mime]) if mime in _BEGINS else elements[:1] == ["svg"]
    if not is_image:
        raise ClientFileError(
            f"brand.logo: {path!r} isn't what its name says; a logo is a PNG, JPEG or SVG file"
        )
    if not _CODE.isdisjoint(elements):
        raise ClientFileError(
            f"brand.logo: {path!r} holds a script; save it as plain SVG, or as PNG"
        )
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def _elements(svg: bytes) -> list[str]:
    """The elements of an SVG file, lower case, without namespaces; `script` for code in one."""
    found: list[str] = []

    def element(name: str, attributes: dict[str, str]) -> None:
        found.append(name.rpartition(":")[2].lower())
        if any(_runs(key, value) for key, value in attributes.items()):
            found.append("script")

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    try:
        parser.Parse(svg, True)
    except expat.ExpatError:
        return []
    return found


def _runs(attribute: str, value: str) -> bool:
    is_code = re.match(r"[\s\x00-\x20]*(javascript|data:text)", value, re.IGNORECASE)
    return attribute.lower().startswith("on") or is_code is not None


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
