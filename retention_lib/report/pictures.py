"""A figure as the page holds it: SVG, or PNG where that is heavy, the same for the same figure."""

from __future__ import annotations

import base64
import contextlib
import io
import struct
import sys
from typing import Any, Final

from retention_lib.report.figures.style import Drawn, style, whole
from retention_lib.report.vector import vector

SVG_LIMIT: Final = 60_000
"""Bytes above which a figure goes into the report as PNG at twice its size."""

COLOURS: Final = 64
"""Of a figure as PNG: enough for its palette with smooth edges."""


def picture(drawn: Drawn) -> tuple[str, str, int, int]:
    """MIME type, content (SVG text or base64), and width and height in CSS pixels."""
    figure = whole(drawn.axes)
    mime, content, size = "image/svg+xml", "", [0.0, 0.0]
    with style():
        with contextlib.suppress(NotImplementedError):
            content, *points = vector(figure)
            size = [x / 0.72 for x in points]
        if not content or len(content.encode()) > SVG_LIMIT:
            png = _png(figure)
            mime, content = "image/png", base64.b64encode(png).decode("ascii")
            size = [x / 2 for x in struct.unpack(">II", png[16:24])]
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return mime, content, round(size[0]), round(size[1])


def _png(figure: Any) -> bytes:
    """The figure at twice its size, in as many colours as its few and their edges need."""
    from PIL import Image

    drawn, out = io.BytesIO(), io.BytesIO()
    # Figures with a layout engine fill their canvas; others are cut to what is drawn on them.
    bbox: Any = None if figure.get_layout_engine() else "tight"
    figure.savefig(drawn, format="png", dpi=200, metadata={"Software": None}, bbox_inches=bbox)
    with Image.open(drawn) as picture:
        # by coverage, not by frequency: a heat map's blues would leave no grey for the words
        way = Image.Quantize.MAXCOVERAGE
        palette = picture.convert("RGB").quantize(COLOURS, way, dither=Image.Dither.NONE)
        palette.save(out, format="png", optimize=True)
    return out.getvalue()
