"""What matplotlib draws with, as the attributes of a group of SVG."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.colors import to_hex
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

from retention_lib.report.vector.paths import arrays, hundredths, rounded, steps
from retention_lib.report.vector.sheet import Sheet, moved, named
from retention_lib.report.vector.simpler import dots

_TILE: Final = 72
"""Side of a hatching's tile in points."""

_CAPS: Final = {"projecting": "square", "round": "round"}


def pen_of(gc: GraphicsContextBase, face: Any, sheet: Sheet) -> str:
    """What to fill and to stroke with; nothing where nothing is drawn.

    Parameters
    ----------
    gc : matplotlib.backend_bases.GraphicsContextBase
    face : colour as numbers, or None
        What is filled with.
    sheet : Sheet
        Gets the patterns and clips that the pen uses.
    """
    # Not as the opacity of the group, in which what overlaps would be as light as what doesn't.
    alpha = gc.get_alpha() if gc.get_forced_alpha() else None
    pen = [' fill="none"']
    inside = 0.0 if face is None else _opacity(face, alpha)
    if gc.get_hatch() is not None:
        pen = [f' fill="url(#{_hatching(gc, face, sheet)})"']
    elif inside:
        pen = [f' fill="{to_hex(face[:3])}"']
    if 0 < inside < 1:
        pen.append(f' fill-opacity="{hundredths(inside)}"')
    stroke = _stroke(gc, alpha)
    if not stroke and pen == [' fill="none"']:
        return ""
    return "".join([*pen, *stroke, clip_of(gc, sheet)])


def clip_of(gc: GraphicsContextBase, sheet: Sheet) -> str:
    """The part of the sheet that is drawn on."""
    path: Any  # a `Path`, and not what matplotlib's annotation says
    path, transform = gc.get_clip_path()
    box = gc.get_clip_rectangle()
    if path is not None and transform is not None:
        outline = path.cleaned(transform, remove_nans=True, curves=True)
        vertices, codes = arrays(outline)
        points = rounded(vertices * (1, -1) + (0, sheet.height))
        shape = f'<path d="{moved(*points[0])}{steps(points, codes.tolist())}"/>'
    elif box is not None:
        x, y = hundredths(box.x0), hundredths(sheet.height - box.y1)
        size = f'width="{hundredths(box.width)}" height="{hundredths(box.height)}"'
        shape = f'<rect x="{x}" y="{y}" {size}/>'
    else:
        return ""
    name = named("c", shape)
    sheet.define(name, f'<clipPath id="{name}">{shape}</clipPath>')
    return f' clip-path="url(#{name})"'


def _stroke(gc: GraphicsContextBase, alpha: float | None) -> list[str]:
    width, rgba = gc.get_linewidth(), gc.get_rgb()
    along = _opacity(rgba, alpha)
    if not (width > 0 and along):
        return []
    pen = [f' stroke="{to_hex(rgba[:3])}"']
    if along < 1:
        pen.append(f' stroke-opacity="{hundredths(along)}"')
    if width != 1:
        pen.append(f' stroke-width="{hundredths(width)}"')
    offset: Any
    dashes: Any
    offset, dashes = gc.get_dashes()
    if dashes is not None:
        pen.append(f' stroke-dasharray="{" ".join(hundredths(x) for x in dashes)}"')
        if offset:
            pen.append(f' stroke-dashoffset="{hundredths(offset)}"')
    if (join := gc.get_joinstyle()) != "round":
        pen.append(f' stroke-linejoin="{join}"')
    if (cap := gc.get_capstyle()) in _CAPS:
        pen.append(f' stroke-linecap="{_CAPS[cap]}"')
    return pen


def _opacity(colour: Any, alpha: float | None) -> float:
    """How much of what lies below a colour hides, 1 all."""
    return float(alpha if alpha is not None else colour[3] if len(colour) == 4 else 1.0)


def _hatching(gc: GraphicsContextBase, face: Any, sheet: Sheet) -> str:
    """Name of a pattern."""
    ink: Any = gc.get_hatch_color()
    ground = "none" if face is None else to_hex(face[:3])
    hatch = gc.get_hatch() or ""
    pattern = _pattern(hatch, gc.get_hatch_linewidth(), to_hex(ink[:3]), ink[3], ground)
    name = named("h", pattern)
    sheet.define(name, f'<pattern id="{name}"{pattern}')
    return name


@lru_cache(64)  # every bar of a series has the same
def _pattern(hatch: str, width: float, colour: str, opacity: float, ground: str) -> str:
    tile = Affine2D().scale(_TILE, -_TILE).translate(0, _TILE)
    drawn: Any = Path.hatch(hatch)
    path = drawn.cleaned(tile, remove_nans=True, curves=True)
    ends = ' stroke-linejoin="miter"'
    if found := dots(path):
        # a line without length and with round ends is a dot, in a tenth of the bytes
        path, width, ends = found[0], width + 2 * found[1], ' stroke-linecap="round"'
    vertices, codes = arrays(path)
    points = rounded(vertices)
    shade = f' opacity="{hundredths(opacity)}"' if opacity < 1 else ""
    return (
        f' patternUnits="userSpaceOnUse" width="{_TILE}" height="{_TILE}">'
        f'<rect width="{_TILE + 1}" height="{_TILE + 1}" fill="{ground}"/>'
        f'<path d="{moved(*points[0])}{steps(points, codes.tolist())}" fill="{colour}" '
        f'stroke="{colour}" stroke-width="{hundredths(width)}"{ends}{shade}/></pattern>'
    )
