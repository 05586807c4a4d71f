"""The report as it is sent: what fits on a screen, on paper, in a mail; where its links lead."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from pypdf import PdfReader

pytestmark = pytest.mark.slow

CLIENTS = {"cdnow": "cdnow/1998-06-30", "cdnow-sample": "cdnow-sample/1997-09-30"}
#: A laptop's window.
SCREEN = {"width": 1280, "height": 800}


@pytest.fixture(params=CLIENTS)
def file(request: pytest.FixtureRequest, reports: Path) -> Path:
    return reports / CLIENTS[request.param] / "report.html"


@pytest.fixture
def page(file: Path, chromium: Browser) -> Any:
    page = chromium.new_page(viewport=SCREEN)
    page.goto(file.as_uri())
    yield page
    page.close()


def test_the_summary_stands_on_one_screen(page: Any) -> None:
    page.evaluate("document.getElementById('summary').scrollIntoView()")
    for part in (".summary .kicker", ".summary h2", ".headline >> nth=5", ".steps > li >> nth=0"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= SCREEN["height"]
    assert page.locator(".summary .verdict").count() == 1
    assert 4 <= page.locator(".summary .headline").count() <= 6
    assert 1 <= page.locator(".summary .steps > li").count() <= 3


@pytest.mark.parametrize("width", [360, 768, 1024, 1280, 1920, 2560])
def test_nothing_reaches_beyond_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_figure_has_the_size_that_it_was_drawn_in(page: Any) -> None:
    sizes = page.evaluate(
        "[...document.querySelectorAll('figure img')].map(i => [i.width, +i.getAttribute('width')])"
    )
    assert sizes
    assert all(shown == drawn for shown, drawn in sizes)


def test_every_link_leads_to_a_place_in_the_report(file: Path) -> None:
    soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    places = {tag["id"] for tag in soup.find_all(id=True)}
    links = [str(a["href"]) for a in soup.find_all("a")]
    assert {link.removeprefix("#") for link in links} <= places
    assert "#forecast" in [a["href"] for a in soup.select(".summary .verdict a")]
    for step in soup.select(".summary .steps > li a"):
        target = soup.find(id=str(step["href"]).removeprefix("#"))
        assert target is not None
        assert target.get_text() == step.get_text()


def test_the_report_is_small_enough_for_a_mail(file: Path) -> None:
    assert file.stat().st_size < 1_500_000


def test_the_last_chapter_defines_the_summarys_figures(file: Path) -> None:
    soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    assert soup.select("main > section")[-1].h2["id"] == "method"  # type: ignore[index]
    defined = {term.get_text() for term in soup.select("dl.terms dt")}
    assert {label.get_text() for label in soup.select(".summary .headline .label")} <= defined


def test_the_title_page_says_when_the_report_was_made(file: Path) -> None:
    soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    terms = [term.get_text() for term in soup.select("header dt")]
    assert terms == ["Period", "Data up to", "Made on"]


def test_on_paper_title_and_contents_are_one_page_and_the_summary_is_one(page: Any) -> None:
    sheets = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    texts = [sheet.extract_text() for sheet in sheets]
    assert "Contents" in texts[0]
    assert "Literature" in texts[0]
    assert "What to do first" in texts[1]
    assert "What to do first" not in "".join(texts[2:])
    assert all(len(text) > 40 for text in texts)  # none that has its head and number only
