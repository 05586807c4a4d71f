"""Paths with fewer points that look the same."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.path import Path
from matplotlib.transforms import Transform

from retention_lib.report.vector.paths import arrays

_MANY: Final = 128
"""Corners from which on an area's border is simplified, as matplotlib does with lines."""

_FINE: Final = 0.05
"""Points by which a simplified border may differ; a tenth of a pixel is more."""


def area(path: Path, transform: Transform) -> Path:
    """A filled path in points, without corners that can't be told from a straight edge."""
    vertices, codes = arrays(path)
    straight = len(vertices) > _MANY and path.codes is not None
    if not (straight and (codes[1:-1] == Path.LINETO).all() and codes[-1] == Path.CLOSEPOLY):
        return path.cleaned(transform, remove_nans=True, curves=True)
    border = Path(vertices[:-1])
    border.should_simplify, border.simplify_threshold = True, _FINE
    vertices, codes = arrays(border.cleaned(transform, remove_nans=True, simplify=True))
    return Path(vertices, np.where(codes == Path.STOP, Path.CLOSEPOLY, codes))


def dots(path: Path) -> tuple[Path, float] | None:
    """Steps of no length in the middle of circles that are all of one size, and their radius.

    None of a path of anything else.
    """
    circle, _ = arrays(Path.unit_circle())
    circle = circle[:-2]  # without its first point again, and what closes it
    vertices, codes = arrays(path)
    parts = np.split(vertices, np.flatnonzero(codes == Path.MOVETO)[1:])
    if any(len(part) < len(circle) for part in parts):
        return None
    borders = np.array([part[: len(circle)] for part in parts])
    low, high = borders.min(axis=1, keepdims=True), borders.max(axis=1, keepdims=True)
    middles, radius = (low + high) / 2, float((high - low).max()) / 2
    found = np.sort(borders - middles, axis=1)
    more = len(vertices) > (len(circle) + 2) * len(parts) + 1
    if more or not np.allclose(found, np.sort(radius * circle, axis=0), atol=0.001):
        return None
    steps = np.tile([Path.MOVETO, Path.LINETO], len(parts))
    return Path(np.repeat(middles[:, 0], 2, axis=0), steps), radius
