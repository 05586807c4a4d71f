"""The report on paper: whole, in chapters, readable by machines; what happens without a browser."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import CHROMIUM
from engines import missing
from playwright.sync_api import Browser
from pypdf import PdfReader

from retention_lib.run.pdf import VARIABLE, PdfError, find_browser, print_pdf

RETENTION = Path(sys.executable).parent / "retention"


@pytest.fixture(scope="module")
def browser() -> Path:
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is missing: apt-get install chromium")
    return CHROMIUM


# A real report, printed -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def html(reports: Path) -> Path:
    return reports / "cdnow" / "1998-06-30" / "report.html"


@pytest.fixture(scope="module")
def printed(html: Path, browser: Path, tmp_path_factory: pytest.TempPathFactory) -> PdfReader:
    pdf = tmp_path_factory.mktemp("printed") / "report.pdf"
    print_pdf(html, pdf, browser)
    return PdfReader(pdf)


@pytest.fixture(scope="module")
def document(html: Path) -> BeautifulSoup:
    return BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text))


def outline(reader: PdfReader) -> Iterator[tuple[int, str, int]]:
    """Depth, title and page (from 0) of every entry."""

    def walk(entries: list[Any], depth: int) -> Iterator[tuple[int, str, int]]:
        for entry in entries:
            if isinstance(entry, list):
                yield from walk(entry, depth + 1)
            else:
                page = reader.get_destination_page_number(entry)
                assert page is not None
                yield depth, entry.title, page

    yield from walk(reader.outline, 0)


@pytest.mark.slow
class TestReport:
    def test_the_outline_has_every_heading_word_for_word(
        self, printed: PdfReader, document: BeautifulSoup
    ) -> None:
        headings = [" ".join(h.get_text().split()) for h in document.find_all(["h1", "h2", "h3"])]
        assert len(headings) > 20
        said = [" ".join(title.split()) for _, title, _ in outline(printed)]
        assert [h for h in headings if h not in said] == []

    def test_every_chapter_begins_a_page(self, printed: PdfReader, document: BeautifulSoup) -> None:
        assert document.h1 is not None
        title = words(document.h1.get_text(" "))
        headings = document.find_all("h2")
        chapters = [" ".join(h.get_text().split()) for h in headings]
        starts = {" ".join(t.split()): page for _, t, page in outline(printed)}
        pages = [starts[chapter] for chapter in chapters]
        assert len({*pages}) == len(pages) > 4
        assert pages == sorted(pages)
        for heading, chapter, page in zip(headings, chapters, pages, strict=True):
            # nothing stands before it but the page's margin and the chapter's name
            assert heading.parent is not None
            allowed = {*title, *words(heading.parent.get_text(" ")), str(page + 1)}
            found = words(printed.pages[page].extract_text())
            opening = words(chapter)
            at = next(i for i in range(len(found)) if found[i : i + len(opening)] == opening)
            assert {*found[:at]} <= allowed, chapter

    def test_no_page_is_blank_and_none_is_missing(self, printed: PdfReader) -> None:
        assert 10 < len(printed.pages) < 60
        for number, page in enumerate(printed.pages, 1):
            text = words(page.extract_text())
            drawn = "/XObject" in page["/Resources"]
            assert drawn or text not in ([], [str(number)]), f"page {number} is blank"

    def test_every_word_is_there(self, printed: PdfReader, html: Path, chromium: Browser) -> None:
        page = chromium.new_page(offline=True)
        page.emulate_media(media="print")
        page.goto(html.as_uri())
        wanted = Counter(words(page.inner_text("body")))  # of what is shown on paper
        page.close()
        found = Counter(words(" ".join(page.extract_text() for page in printed.pages)))
        lost = {word: n for word, n in (wanted - found).items() if not word.isdigit()}
        assert sum(wanted.values()) > 3000
        # some are divided where a line ends
        assert sum(lost.values()) < 0.005 * sum(wanted.values()), lost

    def test_nothing_is_wider_than_the_paper(self, html: Path, chromium: Browser) -> None:
        width = round((210 - 2 * 20) / 25.4 * 96)  # the text's width on A4
        page = chromium.new_page(viewport={"width": width, "height": 1000}, offline=True)
        page.emulate_media(media="print")
        page.goto(html.as_uri())
        wide = page.evaluate(
            """width => [...document.querySelectorAll('main *, header *, nav *')]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1)
            .map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 40))""",
            width,
        )
        page.close()
        assert wide == []

    def test_fonts_are_embedded(self, printed: PdfReader) -> None:
        fonts = 0
        for page in printed.pages:
            for font in page["/Resources"].get("/Font", {}).values():
                font = font.get_object()
                if font["/Subtype"] == "/Type3":  # drawn by the file itself
                    continue
                inner = font.get("/DescendantFonts", [font])[0].get_object()
                assert any(k.startswith("/FontFile") for k in inner["/FontDescriptor"].get_object())
                fonts += 1
        assert fonts

    def test_it_is_tagged_and_says_what_it_is(
        self, printed: PdfReader, document: BeautifulSoup, html: Path
    ) -> None:
        root = printed.trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "en"
        assert document.h1 is not None
        assert document.h1.get_text(strip=True) in (printed.metadata.title or "")
        assert "Chrom" not in str(printed.metadata.get("/Creator"))
        assert "/JavaScript" not in str(root)

    def test_no_line_is_the_browsers(self, printed: PdfReader, html: Path) -> None:
        text = " ".join(page.extract_text() for page in printed.pages)
        assert "file:" not in text
        assert str(html.parent) not in text


# Finding a browser ----------------------------------------------------------------------------


def program(file: Path, text: str = "#!/bin/sh\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def test_the_variable_comes_first_then_the_usual_names(tmp_path: Path) -> None:
    mine = program(tmp_path / "mine")
    edge, chrome = (program(tmp_path / "bin" / n) for n in ("microsoft-edge", "google-chrome"))
    path = {"PATH": str(tmp_path / "bin")}
    assert find_browser({**path, VARIABLE: str(mine)}) == mine
    assert find_browser({**path, VARIABLE: "microsoft-edge"}) == edge
    assert find_browser(path) == chrome


@pytest.mark.parametrize(
    ("platform", "variable", "place"),
    [
        ("darwin", "HOME", "Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
        ("win32", "PROGRAMFILES", "Google/Chrome/Application/chrome.exe"),
        ("win32", "PROGRAMFILES(X86)", "Microsoft/Edge/Application/msedge.exe"),
        ("win32", "LOCALAPPDATA", "Chromium/Application/chrome.exe"),
    ],
)
def test_the_usual_places_are_looked_in(
    platform: str, variable: str, place: str, tmp_path: Path
) -> None:
    there = program(tmp_path / place)
    assert find_browser({"PATH": "", variable: str(tmp_path)}, platform) == there


def test_without_a_browser_the_sentence_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(PdfError) as caught:
        find_browser({"PATH": str(tmp_path)}, "linux")
    (sentence,) = caught.value.sentences
    assert "apt-get install chromium" in sentence
    assert VARIABLE in sentence


def test_a_variable_that_names_nothing_is_not_passed_over(tmp_path: Path) -> None:
    program(tmp_path / "chromium")
    with pytest.raises(PdfError) as caught:
        find_browser({"PATH": str(tmp_path), VARIABLE: "/nowhere/chrome"})
    assert '"/nowhere/chrome"' in caught.value.sentences[0]


# A browser that fails -------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><title>A page</title><h1>Kept</h1>", encoding="utf-8")
    return file


#: A browser that writes where it is told to: `target` is the PDF's path.
FAKE = '#!/bin/sh\nfor a in "$@"; do case $a in --print-to-pdf=*) target=${a#*=};; esac; done\n'


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 7", "ended with code 7 and left no PDF"),
        ("kill -SEGV $$", "crashed (SIGSEGV) and left no PDF"),
        ("echo '[1:2:ERROR:x.cc(3)] No usable sandbox' >&2; exit 1", '"No usable sandbox"'),
        ("printf '%%PDF-1.4 half of it' > $target", "ended with code 0 and left no PDF"),
        ("echo '<html>' > $target", "ended with code 0 and left no PDF"),
    ],
)
def test_a_browser_that_fails_is_a_sentence_and_leaves_nothing(
    script: str, said: str, page: Path, tmp_path: Path
) -> None:
    before = page.read_bytes()
    pdf = tmp_path / "page.pdf"
    with pytest.raises(PdfError) as caught:
        print_pdf(page, pdf, program(tmp_path / "chromium", FAKE + script))
    (sentence,) = caught.value.sentences
    assert said in sentence
    assert not pdf.exists()
    assert page.read_bytes() == before


def test_one_that_can_not_be_started_is_a_sentence(page: Path, tmp_path: Path) -> None:
    broken = program(tmp_path / "chromium", "#!/nowhere/sh\n")
    with pytest.raises(PdfError, match="can't be started"):
        print_pdf(page, tmp_path / "page.pdf", broken)


def test_one_that_hangs_is_ended_with_all_its_processes(page: Path, tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'child'}\nprintf '%%PDF' > $target\nsleep 600"
    hangs = program(tmp_path / "chromium", FAKE + script)
    pdf = tmp_path / "page.pdf"
    with pytest.raises(PdfError, match="within 1 seconds and was ended"):
        print_pdf(page, pdf, hangs, timeout=1)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not is_running(child):
            break
        time.sleep(0.05)
    assert not is_running(child)
    assert not pdf.exists()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_printing_asks_nothing_of_the_network(browser: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_port
        page = tmp_path / "page.html"
        page.write_text(
            f"<!doctype html><title>x</title><h1>Kept</h1><img src='http://localhost:{port}/a'>"
            f"<img src='http://127.0.0.1:{port}/b'>"
        )
        print_pdf(page, tmp_path / "page.pdf", browser)
        server.shutdown()
    assert asked == []
    assert "Kept" in PdfReader(tmp_path / "page.pdf").pages[0].extract_text()


# The command ----------------------------------------------------------------------------------


def command(*args: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [RETENTION, "report", "params/cdnow-sample.yaml", "--only", "summary", *map(str, args)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_command_prints_a_pdf_and_without_a_browser_the_page_alone(
    browser: Path, root: Path, tmp_path: Path
) -> None:
    page = tmp_path / "cdnow-sample" / "1997-09-30-00_summary.html"
    pdf = page.with_suffix(".pdf")
    ran = command("--out", tmp_path, "--pdf", cwd=root, **{VARIABLE: str(browser)})
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip().splitlines()[-2:] == [str(page), str(pdf)]
    assert len(PdfReader(pdf).pages) >= 2
    before = page.stat().st_mtime_ns

    ran = command("--out", tmp_path, "--pdf", cwd=root, **{VARIABLE: "/nowhere/chrome"})
    assert ran.returncode == 1
    assert ran.stderr.startswith("cdnow-sample, PDF: ")
    assert len(ran.stderr.strip().splitlines()) == 1
    assert ran.stdout.strip().splitlines()[-1] == str(page)
    assert page.stat().st_mtime_ns > before
    # the earlier page's PDF would be taken for this one's
    assert not pdf.exists()
