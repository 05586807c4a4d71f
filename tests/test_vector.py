"""Figures as SVG: the same picture as matplotlib's own, in fewer bytes."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextToPath
from matplotlib.transforms import IdentityTransform

from retention_lib.languages import catalog, languages
from retention_lib.report.figures.glyphs import FONT
from retention_lib.report.figures.style import Drawn, style
from retention_lib.report.pictures import picture
from retention_lib.report.vector import vector
from retention_lib.report.vector.letters import Face, face_of, initials, line
from retention_lib.report.vector.paths import hundredths, steps
from retention_lib.report.vector.simpler import area, dots

FACES = [Face(), Face(weight="bold"), Face(style="italic")]
WORDS = [
    "", " ", "12,345.6%", "1\u202f234\u00a0kr", "AVATAR To Yx", "affinity, office, fjord, flue",
    "shuffle", "Ærlig Ørsted på Åland", "−1.5 ± 2 × 3 → 4 ≥ 5", "a\u00adb", "é", "e\u0301", "Ωμέγα",
    "Ещё", "●○…",
]  # fmt: skip


def axes() -> mpl.axes.Axes:
    with style():
        figure = Figure(figsize=(4, 2), layout="constrained")
        FigureCanvasAgg(figure)
        return figure.add_subplot()


def drawn(figure: Figure) -> str:
    with style():
        return vector(figure)[0]


@pytest.mark.parametrize("face", FACES)
def test_words_stand_where_the_fonts_own_shaper_puts_them(face: Face) -> None:
    own = FontProperties(family=[FONT], style=face.style, weight=face.weight)
    texts = {*WORDS}
    for language in languages():
        messages = getattr(catalog(language), "_catalog", {}).values()
        texts |= {text for text in messages if isinstance(text, str) and len(text) < 60}
    font = get_font(findfont(own))
    for text in (part for one in texts for part in one.split("\n")):
        font.set_size(TextToPath.FONT_SCALE, 72)
        signs, _, _ = TextToPath().get_glyphs_with_font(font, text)
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
        box = [*font.get_width_height(), font.get_descent()]
        measured = line(text, face)
        found = [measured.width, measured.height, measured.descent]
        if text:
            assert [6400 * x for x in found] == pytest.approx(box, abs=1e-6), text
        numbers = [int(name.rpartition("-")[2], 16) for name, *_ in signs]
        assert [number for number, _ in measured.signs] == numbers, text
        places = [x / TextToPath.FONT_SCALE for _, x, *_ in signs]
        assert [x for _, x in measured.signs] == pytest.approx(places, abs=1e-9), text


def test_each_font_has_its_own_name_and_others_none() -> None:
    assert len({initials(face) for face in FACES}) == len(FACES)
    assert face_of(FontProperties(family=["DejaVu Serif"])) is None


def test_the_measures_are_those_of_matplotlibs_own_svg() -> None:
    mine, theirs = axes(), axes()
    for ax in (mine, theirs):
        ax.set_ylabel("Kunder\nog ordrer")
        ax.set_title("Åpen rate")
        ax.plot([1, 2000], [0.1, 3])
    with style():
        vector(mine.figure)  # type: ignore[arg-type]
        theirs.figure.savefig(io.StringIO(), format="svg")  # type: ignore[union-attr]
    assert mine.get_position().bounds == pytest.approx(theirs.get_position().bounds, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_steps_lead_where_the_path_leads(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.integers(-30, 30, size=(60, 2)) * random.choice([0, 1], size=(60, 2))
    codes = [1, *random.choice([1, 2, 2, 2, 2], size=59)]
    assert _corners(steps(points.tolist(), codes), points[0]) <= {
        (int(x), int(y)) for x, y in points
    }
    assert _end(steps(points.tolist(), codes), points[0]) == (points[-1][0], points[-1][1])


def test_lengths_have_two_decimals_and_no_more() -> None:
    assert [hundredths(x) for x in (0, -0.004, 0.1, -12.345678, 1e3)] == [
        "0", "0", ".1", "-12.35", "1000",
    ]  # fmt: skip


def test_a_long_border_keeps_its_shape() -> None:
    xs = np.linspace(0, 400, 2001)
    ys = 100 + 50 * np.sin(xs / 20)
    vertices = np.column_stack([[*xs, 400, 0, 0], [*ys, 0, 0, 0]])
    codes = [Path.MOVETO, *[Path.LINETO] * (len(vertices) - 2), Path.CLOSEPOLY]
    simple = area(Path(vertices, codes), IdentityTransform())
    corners = np.asarray(simple.vertices)[: list(simple.codes).index(Path.CLOSEPOLY)]
    edge = corners[corners[:, 1] > 0]
    edge = edge[np.argsort(edge[:, 0], kind="stable")]
    assert len(corners) < len(vertices) / 3
    assert np.abs(np.interp(xs, edge[:, 0], edge[:, 1]) - ys).max() < 0.1


def test_hatching_by_dots_is_dots_and_by_lines_is_not() -> None:
    found = dots(mpl.hatch.get_path("...", 6))
    assert found is not None
    assert len(np.asarray(found[0].vertices)) == 2 * 352
    assert dots(mpl.hatch.get_path("//", 6)) is None
    assert dots(mpl.hatch.get_path("*", 6)) is None


def test_a_hatched_bar_is_never_drawn_by_reference_to_another() -> None:
    ax = axes()
    ax.bar([0, 1, 2], [1, 1, 1], hatch="//", edgecolor="white")
    svg = drawn(ax.figure)  # type: ignore[arg-type]
    assert len(re.findall("<path d=[^>]*>", svg.partition("url(#h")[2])) >= 3


def test_what_overlaps_is_darker_than_what_does_not() -> None:
    ax = axes()
    for place in (0.1, 0.2):
        ax.add_patch(Rectangle((place, 0.1), 0.5, 0.5, color="black", alpha=0.3))
    svg = drawn(ax.figure)  # type: ignore[arg-type]
    assert 'fill-opacity=".3"' in svg
    assert " opacity=" not in svg


def test_a_picture_is_whole_and_every_reference_leads_somewhere() -> None:
    ax = axes()
    ax.scatter([1, 2, 3], [1, 2, 3])
    ax.pcolormesh(np.arange(12).reshape(3, 4), rasterized=True)
    ax.imshow(np.eye(3), extent=(0, 1, 0, 1))
    ax.set_title("$x^2$ <&>", parse_math=True)
    svg = drawn(ax.figure)  # type: ignore[arg-type]
    ElementTree.fromstring(svg)
    ids = set(re.findall(r' id="([^"]+)"', svg))
    assert {*re.findall(r'href="#([^"]+)"', svg), *re.findall(r"url\(#([^)]+)\)", svg)} <= ids
    assert len(re.findall("<image", svg)) == 2
    assert drawn(ax.figure) == svg  # type: ignore[arg-type]


def test_a_figure_is_left_as_it_was() -> None:
    ax = axes()
    figure = ax.figure
    before = figure.canvas, figure.dpi, figure.get_facecolor()
    drawn(figure)  # type: ignore[arg-type]
    assert (figure.canvas, figure.dpi, figure.get_facecolor()) == before


def test_what_svg_cannot_shade_comes_as_png() -> None:
    ax = axes()
    ax.tripcolor([0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 2, 3], shading="gouraud")
    mime, _, width, height = picture(Drawn(ax, "A shade."))
    assert (mime, width, height) == ("image/png", 400, 200)


def test_a_figure_without_a_layout_is_cut_to_what_is_drawn() -> None:
    with style():
        figure = Figure(figsize=(4, 2))
        ax = figure.add_subplot()
        ax.set_ylabel("Beyond\nits\nedge\nby\nfar", fontsize=20)
    mime, svg, width, height = picture(Drawn(ax, "Cut."))
    theirs = io.StringIO()
    with style():
        figure.savefig(theirs, format="svg", bbox_inches="tight")
    size = re.findall(r'(?:width|height)="([\d.]+)pt"', theirs.getvalue()[:2000])
    assert mime == "image/svg+xml"
    assert [width, height] == [round(float(x) / 0.72) for x in size]
    assert svg.startswith("<svg")


def _walk(shape: str, start: np.ndarray) -> list[tuple[int, int]]:
    at = [(int(start[0]), int(start[1]))]
    for letter, numbers in re.findall(r"([a-z])([^a-z]*)", shape):
        values = [round(100 * float(n)) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", numbers)]
        for i in range(0, len(values), 1 if letter in "hv" else 2):
            dx = values[i] if letter != "v" else 0
            dy = values[i] if letter == "v" else 0 if letter == "h" else values[i + 1]
            at.append((at[-1][0] + dx, at[-1][1] + dy))
    return at


def _corners(shape: str, start: np.ndarray) -> set[tuple[int, int]]:
    return set(_walk(shape, start))


def _end(shape: str, start: np.ndarray) -> tuple[int, int]:
    return _walk(shape, start)[-1]
