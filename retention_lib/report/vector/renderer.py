"""A matplotlib renderer that writes SVG in few bytes.

It draws what figures are made of: paths, marks, words, images, maps of cells. What it doesn't
draw itself, such as words in another font, matplotlib hands it as paths.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Bbox, Transform

from retention_lib.report.vector import letters
from retention_lib.report.vector.paths import hundredths
from retention_lib.report.vector.pens import clip_of, pen_of
from retention_lib.report.vector.sheet import Sheet
from retention_lib.report.vector.simpler import area

_POINTS: Final = 72
"""In an inch."""

_EDGE: Final = 0.1
"""Inches around a figure that is cut to what is drawn on it."""

_CELL: Final = 16
"""Pixels along a cell of a map, for viewers that blur an image's pixels when they enlarge it."""

_PIXELS: Final = 1000
"""Along a side of a map at most."""


def vector(figure: Figure) -> tuple[str, float, float]:
    """The figure as SVG, the same for the same figure, and its width and height in points.

    A figure with a layout engine fills its canvas; another is cut to what is drawn on it.

    Raises
    ------
    NotImplementedError
        A figure with shaded triangles, which SVG hasn't.
    """
    canvas, dpi, ground = figure.canvas, figure.dpi, figure.get_facecolor()
    try:
        figure.set_facecolor("white")
        figure.dpi = _POINTS
        renderer = _Canvas(figure).get_renderer()
        figure.draw(renderer)
        box = Bbox.from_bounds(0, 0, renderer.width, renderer.height)
        if figure.get_layout_engine() is None:
            inches = figure.get_tightbbox(renderer).padded(_EDGE)
            box = Bbox.from_extents(*(_POINTS * x for x in inches.extents))
            # what is drawn may have come to its place only while it was drawn
            renderer.clear()
            figure.draw(renderer)
        return renderer.sheet.svg(box), box.width, box.height
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)
        figure.set_facecolor(ground)


class _Canvas(FigureCanvasBase):
    """Hands the same renderer to who measures and to who draws."""

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        width, height = figure.get_size_inches()
        self._renderer = Renderer(width * _POINTS, height * _POINTS)

    def get_renderer(self) -> Renderer:
        """Matplotlib asks for it by this name."""
        return self._renderer


class Renderer(RendererBase):
    """Draws on a sheet of `width` by `height` points."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.clear()

    def clear(self) -> None:
        """Begin with an empty sheet."""
        self.sheet = Sheet(self.height)

    def get_canvas_width_height(self) -> tuple[float, float]:
        """In points."""
        return self.width, self.height

    def flipy(self) -> bool:
        """Words are placed from the top."""
        return True

    def option_image_nocomposite(self) -> bool:
        """Images stay apart."""
        return True

    def option_scale_image(self) -> bool:
        """Who shows an image enlarges it."""
        return True

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """In points."""
        face = None if ismath else letters.face_of(prop)
        if face is None:
            return super().get_text_width_height_descent(s, prop, ismath)
        size, line = prop.get_size_in_points(), letters.line(s, face)
        return line.width * size, line.height * size, line.descent * size

    def _get_font_height_metrics(
        self, prop: FontProperties
    ) -> tuple[float | None, float | None, float | None]:
        """Matplotlib 3.11 asks for it before it looks into the font, for each text each time."""
        face = letters.face_of(prop)
        if face is None:
            return None, None, None
        size = prop.get_size_in_points()
        above, below, between = letters.spacing(face)
        return above * size, below * size, between * size

    def draw_path(
        self, gc: GraphicsContextBase, path: Path, transform: Transform, rgbFace: Any = None
    ) -> None:
        """A line, or an area filled with `rgbFace`."""
        pen = pen_of(gc, rgbFace, self.sheet)
        if not pen:
            return
        if rgbFace is not None or gc.get_hatch() is not None:
            self.sheet.draw(pen, area(path, transform))
            return
        line = path.cleaned(
            transform,
            remove_nans=True,
            clip=(0.0, 0.0, self.width, self.height),
            simplify=path.should_simplify,
            curves=True,
            sketch=gc.get_sketch_params(),
        )
        self.sheet.draw(pen, line)

    def draw_markers(
        self,
        gc: GraphicsContextBase,
        marker_path: Path,
        marker_trans: Transform,
        path: Path,
        trans: Transform,
        rgbFace: Any = None,
    ) -> None:
        """The same mark at each point of a path."""
        if pen := pen_of(gc, rgbFace, self.sheet):
            mark = marker_path.cleaned(marker_trans, curves=True)
            steps = path.iter_segments(trans, simplify=False)
            self.sheet.draw(pen, mark, (to[-2:] for to, _ in steps if len(to)))

    def draw_quad_mesh(
        self,
        gc: GraphicsContextBase,
        master_transform: Transform,
        meshWidth: int,
        meshHeight: int,
        coordinates: Any,
        offsets: Any,
        offsetTrans: Transform,
        facecolors: Any,
        antialiased: Any,
        edgecolors: Any,
    ) -> None:
        """A map of cells: where they are upright, of one size and without edges, as an image."""
        corners = master_transform.transform(np.reshape(coordinates, (-1, 2)))
        corners = np.reshape(corners, (meshHeight + 1, meshWidth + 1, 2))
        plain = len(facecolors) == meshWidth * meshHeight and not len(edgecolors)
        if not (plain and _even(corners)):
            super().draw_quad_mesh(
                gc, master_transform, meshWidth, meshHeight, coordinates, offsets, offsetTrans,
                facecolors, antialiased, edgecolors,
            )  # fmt: skip
            return
        cells = np.rint(255 * np.reshape(facecolors, (meshHeight, meshWidth, 4))).astype(np.uint8)
        (x0, y0), (x1, y1) = corners[0, 0], corners[-1, -1]
        cells = cells[:: 1 if y1 < y0 else -1, :: 1 if x0 < x1 else -1]
        for axis in (0, 1):
            each = max(1, min(_CELL, _PIXELS // cells.shape[axis]))
            cells = np.repeat(cells, each, axis=axis)
        self.sheet.open(clip_of(gc, self.sheet))
        self.sheet.image(cells, min(x0, x1), max(y0, y1), abs(x1 - x0), abs(y1 - y0))

    def draw_image(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        im: Any,
        transform: Any = None,
    ) -> None:
        """An image whose first row is the lowest."""
        height, width = im.shape[:2]
        if not (height and width):
            return
        alpha = gc.get_alpha()
        shade = "" if alpha in (None, 1.0) else f' opacity="{hundredths(alpha)}"'
        self.sheet.open(clip_of(gc, self.sheet) + shade)
        if transform is None:
            self.sheet.image(im[::-1], x, y + height, width, height)
            return
        placed = (
            Affine2D().scale(1 / width, 1 / height)
            + transform
            + Affine2D().translate(x, y).scale(1, -1).translate(0, self.height)
        )
        matrix = " ".join(f"{value:.6g}" for value in placed.to_values())
        self.sheet.image(im, 0, self.height, width, height, f' transform="matrix({matrix})"')

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: FontProperties,
        angle: float,
        ismath: Any = False,
        mtext: Text | None = None,
    ) -> None:
        """A line of text, whose foot begins at a place from the upper left."""
        face = None if ismath else letters.face_of(prop)
        if face is None or (mtext is not None and mtext.get_fontfeatures()):
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        size = prop.get_size_in_points() / letters.EM
        turned = f"rotate({hundredths(-angle)})" if angle else ""
        place = f"translate({hundredths(x)} {hundredths(y)}){turned}scale({size:.6g})"
        rgba: Any = gc.get_rgb()
        alpha = gc.get_alpha() if gc.get_forced_alpha() else rgba[3]
        shade = "" if alpha == 1 else f";opacity:{hundredths(alpha)}"
        self.sheet.open(clip_of(gc, self.sheet))
        signs = "".join(self._signs(s, face))
        self.sheet.text(f"fill:{to_hex(rgba[:3])}{shade}", place, signs)

    def _signs(self, text: str, face: letters.Face) -> Iterable[str]:
        for number, place in letters.line(text, face).signs:
            outline = letters.outline(number, face)
            if not outline:  # a blank
                continue
            name = f"{letters.initials(face)}{number:x}"
            if not self.sheet.defines(name):
                self.sheet.define(name, f'<path id="{name}" d="{outline}"/>')
            x = round(letters.EM * place)
            yield f'<use href="#{name}" x="{x}"/>' if x else f'<use href="#{name}"/>'


def _even(corners: np.ndarray) -> bool:
    """Whether the cells are upright and of one size."""
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    across, down = corners[0, -1] - corners[0, 0], corners[-1, 0] - corners[0, 0]
    return bool(
        np.isfinite(corners).all()
        and abs(across[1]) < 0.01
        and abs(down[0]) < 0.01
        and np.allclose(np.diff(corners, axis=1), across / columns, atol=0.01)
        and np.allclose(np.diff(corners, axis=0), down / rows, atol=0.01)
    )
