"""Words as outlines: where each sign stands, and how it is drawn.

A font's shaper reads every sign anew for every line that is measured, and again to draw it; that
was most of a figure's cost. For letters, digits and common marks a line's places follow from the
signs' widths and the kerning of neighbours, which are read once. All other writing, where signs
join or change by their neighbours, is left to the shaper.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import PurePath
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import Kerning, LoadFlags
from matplotlib.textpath import TextToPath

from retention_lib.report.figures.glyphs import FONT
from retention_lib.report.vector.paths import steps

EM: Final = 1000
"""Units in a font's size; in a figure's words a unit is less than a hundredth of a point."""

#: The size at which a font is read, and FreeType's units in it: the same as matplotlib's own SVG.
_SIZE: Final = int(TextToPath.FONT_SCALE)
_UNITS: Final = 64 * _SIZE

#: Latin without combining signs and soft hyphens, punctuation, currencies, arrows, signs, shapes.
_PLAIN: Final = re.compile(
    "[ -~\u00a0-\u00ac\u00ae-\u024f\u2009\u2010-\u2027\u202f-\u203a\u20a0-\u20bf\u2190-\u22ff"
    "\u25a0-\u25ff]*"
)
_SIGNS: Final = re.compile("ff[il]?|f[il]|.", re.DOTALL)

#: Signs that every client's figures hold.
_COMMON: Final = "".join(map(chr, range(32, 127))) + "\u00a0æøåäöéÆØÅÄÖ–−—•·×…±"


class Face(NamedTuple):
    """Which of the report's fonts: its style, weight, variant and stretch."""

    style: Literal["normal", "italic", "oblique"] = "normal"
    weight: str | int = "normal"
    variant: Literal["normal", "small-caps"] = "normal"
    stretch: str | int = "normal"


class Line(NamedTuple):
    """A line of text.

    Attributes
    ----------
    width, height, descent : float
        Its box, as a share of the font's size.
    signs : tuple of (int, float)
        Each sign's number in the font, and where it stands as a share of the font's size.
    """

    width: float
    height: float
    descent: float
    signs: tuple[tuple[int, float], ...]


class _Sign(NamedTuple):
    """A sign's number in the font, its width, and how deep and high it reaches."""

    number: int
    width: int
    low: int
    high: int


def face_of(font: FontProperties) -> Face | None:
    """Which of the report's fonts it is; None for any other font."""
    if font.get_family() != [FONT]:
        return None
    return Face(font.get_style(), font.get_weight(), font.get_variant(), font.get_stretch())


@lru_cache(2048)
def line(text: str, face: Face) -> Line:
    """Measure and place a line of text, as the font's shaper would."""
    known = _known(face)
    if not _PLAIN.fullmatch(text):
        return known.shaped(text)
    x, before = 0, None
    low, high = math.inf, -math.inf
    placed: list[tuple[int, float]] = []
    for part in _SIGNS.findall(text):
        sign = known.sign(part)
        if sign is None:
            return known.shaped(text)
        if before is not None:
            x += known.kerning(before, sign.number)
        placed.append((sign.number, x / _UNITS))
        x += sign.width
        low, high = min(low, sign.low), max(high, sign.high)
        before = sign.number
    if not placed:
        return Line(0.0, 0.0, 0.0, ())
    return Line(x / _UNITS, (high - low) / _UNITS, -low / _UNITS, tuple(placed))


@cache
def initials(face: Face) -> str:
    """A short name of the font, such as `LB` of the bold one."""
    return "L" + "".join(c for c in PurePath(_known(face).file).stem if c.isupper())[3:]


def outline(number: int, face: Face) -> str:
    """A sign's outline as the `d` of an SVG path: thousandths of the font's size, y downwards."""
    return _known(face).outline(number)


def spacing(face: Face) -> tuple[float, float, float]:
    """What a line of this font takes above and below its foot, and between two lines.

    Returns
    -------
    tuple of float
        As shares of the font's size.
    """
    return _known(face).spacing()


def read_ahead() -> None:
    """Read the signs that every figure holds, in the fonts that figures are written in."""
    for face in (Face(), Face(weight="bold"), Face(style="italic")):
        known = _known(face)
        for text in _COMMON:
            sign = known.sign(text)
            if sign is not None:
                known.outline(sign.number)


@dataclass
class _Known:
    """What has been read of a font. No open font is kept: it couldn't be used after a fork."""

    file: str
    signs: dict[str, _Sign | None] = field(default_factory=dict)
    pairs: dict[tuple[int, int], int] = field(default_factory=dict)
    outlines: dict[int, str] = field(default_factory=dict)
    between: tuple[float, float, float] | None = None

    def font(self) -> Any:  # `FT2Font`, whose stub counts signs by a type that isn't there
        """The font, at the size at which it is read."""
        font = get_font(self.file)
        font.set_size(_SIZE, 72)
        return font

    def sign(self, text: str) -> _Sign | None:
        """A letter, or letters that the font joins to one sign; None where it can't be said."""
        if text not in self.signs:
            self.signs[text] = self._read(text)
        return self.signs[text]

    def _read(self, text: str) -> _Sign | None:
        font = self.font()
        if len(text) == 1:
            number = font.get_char_index(ord(text))
        else:
            joined, _ = _shaped(font, text)
            number = joined[0] if len(joined) == 1 else 0
        if not number:
            return None
        glyph = font.load_glyph(number, flags=LoadFlags.NO_HINTING)
        _, low, _, high = glyph.bbox
        return _Sign(number, glyph.horiAdvance, low, high)

    def kerning(self, left: int, right: int) -> int:
        """How much further apart two signs stand."""
        pair = left, right
        if pair not in self.pairs:
            font = self.font()
            units = font.get_kerning(left, right, Kerning.UNSCALED)
            self.pairs[pair] = math.floor(units * _UNITS / font.units_per_EM + 0.5)
        return self.pairs[pair]

    def shaped(self, text: str) -> Line:
        """A line that the font's own shaper places."""
        font = self.font()
        numbers, places = _shaped(font, text)
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
        width, height = font.get_width_height()
        signs = tuple((number, x / _SIZE) for number, x in zip(numbers, places, strict=True))
        return Line(width / _UNITS, height / _UNITS, font.get_descent() / _UNITS, signs)

    def outline(self, number: int) -> str:
        if number not in self.outlines:
            font = self.font()
            font.load_glyph(number, flags=LoadFlags.NO_HINTING)
            vertices, codes = font.get_path()
            self.outlines[number] = _drawn(vertices, codes)
        return self.outlines[number]

    def spacing(self) -> tuple[float, float, float]:
        if self.between is None:
            font = self.font()
            table, head = font.get_sfnt_table("OS/2"), font.get_sfnt_table("head")
            if table is None or head is None:
                raise ValueError(f"{self.file} isn't a font that figures can be written in.")
            scale = 1 / head["unitsPerEm"]
            above, below = table["sTypoAscender"] * scale, -table["sTypoDescender"] * scale
            self.between = above, below, table["sTypoLineGap"] * scale
        return self.between


@cache
def _known(face: Face) -> _Known:
    font = FontProperties(
        family=[FONT],
        style=face.style,
        weight=face.weight,
        variant=face.variant,
        stretch=face.stretch,
    )
    return _Known(str(findfont(font)))


def _shaped(font: Any, text: str) -> tuple[list[int], list[float]]:
    """Each sign's number and place, by the font's shaper."""
    signs, _, _ = TextToPath().get_glyphs_with_font(font, text)
    # a sign is named by its font and its number
    numbers = [int(str(name).rpartition("-")[2], 16) for name, *_ in signs]
    return numbers, [x for _, x, *_ in signs]


def _drawn(vertices: np.ndarray, codes: np.ndarray) -> str:
    if not len(vertices):
        return ""
    points = np.rint(vertices * (EM / _SIZE, -EM / _SIZE)).astype(int).tolist()
    return f"M{points[0][0]} {points[0][1]}{steps(points, codes.tolist(), whole=True)}"
