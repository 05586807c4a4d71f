"""The sheet that is drawn on: what SVG stands on it, in what order, and what is used again.

What is drawn with the same pen stands in one group. A shape that comes again, such as a mark or a
rule, is written once and used from then on. Names are made of their content, so that pictures can
stand in one page.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from retention_lib.report.vector.paths import HUNDREDTHS, arrays, hundredths, rounded, steps

_SHORT: Final = 12
"""Characters of a shape that is no longer than a reference to it."""

PATTERN: Final = "url(#h"
"""What a pen that fills with a pattern has."""


class Sheet:
    """Lengths are points from the lower left; SVG counts from the upper left.

    Parameters
    ----------
    height : float
    """

    def __init__(self, height: float) -> None:
        self.height = height
        self._parts: list[str] = []
        self._pen = ""  # attributes of the group that is open
        self._definitions: dict[str, str] = {}  # by id
        self._shapes: dict[str, tuple[int, int, int]] = {}  # where the first of each stands
        self._texts = 0

    def svg(self, box: Bbox) -> str:
        """What was drawn in the box."""
        self.open("")
        left, top = hundredths(box.x0), hundredths(self.height - box.y1)
        width, height = hundredths(box.width), hundredths(box.height)
        defined = "".join(self._definitions.values())
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
            f'viewBox="{left} {top} {width} {height}" stroke-linejoin="round">'
            f"{f'<defs>{defined}</defs>' if defined else ''}{''.join(self._parts)}</svg>"
        )

    def open(self, pen: str) -> None:
        """Draw with this pen, a group's attributes, from here on."""
        if pen != self._pen:
            if self._pen:
                self._parts.append("</g>")
            if pen:
                self._parts.append(f"<g{pen}>")
            self._pen = pen

    def define(self, name: str, element: str) -> None:
        """Write an element once, for others to use."""
        self._definitions.setdefault(name, element)

    def defines(self, name: str) -> bool:
        """Whether there is such an element."""
        return name in self._definitions

    def draw(self, pen: str, path: Path, places: Iterable[Any] = ((0.0, 0.0),)) -> None:
        """Draw a path, moved to each place."""
        vertices, codes = arrays(path)
        if not len(vertices):
            return
        vertices = vertices * (1, -1)
        # Counted from its own first point, a mark is the same wherever it stands.
        first_x, first_y = vertices[0]
        shape = steps(rounded(vertices - vertices[0]), codes.tolist())
        for x, y in places:
            if np.isfinite(x) and np.isfinite(y):
                at = round(100 * (first_x + x)), round(100 * (first_y + self.height - y))
                self._put(pen, shape, *at)

    def _put(self, pen: str, shape: str, x: int, y: int) -> None:
        """A shape at a place in hundredths; one that has been drawn before is used again."""
        if not shape:
            return
        self.open(pen)
        # A pattern would move with the shape that is used again, instead of lying on the sheet.
        again = len(shape) > _SHORT and PATTERN not in pen
        first = self._shapes.get(shape) if again else None
        if first is None:
            if again:
                self._shapes[shape] = len(self._parts), x, y
            self._parts.append(f'<path d="{moved(x, y)}{shape}"/>')
            return
        part, from_x, from_y = first
        name = named("s", f"{from_x} {from_y}{shape}")
        if self._parts[part].startswith("<path d"):
            self._parts[part] = self._parts[part].replace("<path", f'<path id="{name}"', 1)
        across = f' x="{HUNDREDTHS[x - from_x]}"' if x != from_x else ""
        down = f' y="{HUNDREDTHS[y - from_y]}"' if y != from_y else ""
        self._parts.append(f'<use href="#{name}"{across}{down}/>')

    def text(self, look: str, place: str, signs: str) -> None:
        """A line of text: its colour, its transformation, and its letters."""
        self._texts += 1
        self._parts.append(
            f'<g id="text_{self._texts}"><g style="{look}" transform="{place}">{signs}</g></g>'
        )

    def image(
        self, rgba: np.ndarray, x: float, y: float, width: float, height: float, more: str = ""
    ) -> None:
        """An image whose upper left corner is given."""
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(rgba)).save(out, format="png")
        data = base64.b64encode(out.getvalue()).decode("ascii")
        self._parts.append(
            f'<image x="{hundredths(x)}" y="{hundredths(self.height - y)}" '
            f'width="{hundredths(width)}" height="{hundredths(height)}"{more} '
            'preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/>'
        )


def moved(x: int, y: int) -> str:
    """The beginning of an outline at a place in hundredths."""
    down = HUNDREDTHS[y]
    return f"M{HUNDREDTHS[x]}{'' if down.startswith('-') else ' '}{down}"


def named(kind: str, content: str) -> str:
    """A name of the content."""
    return f"{kind}{zlib.crc32(content.encode()):x}"
