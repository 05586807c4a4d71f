"""The document: its outline, its safety, and how it opens in a real browser."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import great_tables as gt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from matplotlib.figure import Figure
from nbformat import NotebookNode
from playwright.sync_api import Browser
from pypdf import PdfReader

from retention_lib.errors import ClientFileError
from retention_lib.metrics import Metric
from retention_lib.report.document.inert import inert
from retention_lib.report.exporter import assemble, render
from retention_lib.report.figures.style import Drawn
from retention_lib.report.language import Formats, has_catalog
from retention_lib.report.page import Headline, Page, Shown

PAGE = Page(Formats("en", "USD"))
RATE = Metric(0.717, "share", 0.7, 0.73, n=2357, previous=0.694)
LONG = "x" * 10_000
HOSTILE = [
    "<script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    '"><svg onload="document.title=\'run\'">',
    "<svg><script>document.title='run'</script></svg>",
    "<math><mtext><style><img src=x onerror=document.title='run'></style></mtext></math>",
    "<iframe src='javascript:parent.document.title=1'></iframe>",
    "</title></style></section></main><h1>taken over</h1>",
    "<style>body { display: none }</style>",
    "<base href='https://example.org/'>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "<!-- <script>document.title='run'</script> -->",
    "<![CDATA[<script>document.title='run'</script>]]>",
    "[click](javascript:document.title='run')",
    "![x](https://example.org/x.png)",
    "javascript:document.title='run'",
    "{{ 7 * 7 }}{% raw %}{0.__class__}${x}",
    "{share}",
    "' onmouseover='document.title=1",
    "&lt;script&gt;&#60;script&#62;",
    '=HYPERLINK("https://example.org")',
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "\N{LINE SEPARATOR}two\N{PARAGRAPH SEPARATOR}lines",
    "Søstrene Æ & Ø <aa@example.org>",
    LONG,
]


def code(*shown: Shown | dict[str, Any], source: str = "call()", **metadata: Any) -> NotebookNode:
    """An executed cell that showed this; a mapping is an output as nbformat has it."""
    cell = nbformat.v4.new_code_cell(source, metadata=metadata)
    for part in shown:
        if isinstance(part, Shown):
            data, about = part._repr_mimebundle_()
            cell.outputs.append(nbformat.v4.new_output("display_data", data, metadata=about))
        else:
            cell.outputs.append(nbformat.from_dict(part))
    return cell


def output(**data: str) -> dict[str, Any]:
    named = {mime.replace("_", "/"): content for mime, content in data.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


def chapter(*cells: NotebookNode) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


def markdown(source: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def picture(alt: str = 'It fell, then "rose" <a bit>.') -> Shown:
    axes = Figure((6, 3), layout="constrained").add_subplot()
    axes.plot([3, 1, 2])
    return PAGE.figure(Drawn(axes, alt))


def table(text: str = "a") -> Shown:
    frame = pd.DataFrame({"who": [text, "b"], "n": ["1", "2"]})
    return PAGE.table(gt.GT(frame, rowname_col="who").tab_header("Customers", "By name"))


def report(*chapters: NotebookNode, **options: Any) -> NotebookNode:
    front = {"title": "Acme", "client": "acme", "as_of": "1997-09-30", "currency": "USD"}
    return assemble(chapters, **(front | options))


def whole() -> NotebookNode:
    """A report with everything in it."""
    first = chapter(
        markdown("# Summary\n\nWhat this is."),
        code(source="client: str = 'acme'", tags=["parameters"]),
        code(source="client = 'secret-injected'", tags=["injected-parameters"]),
        code(source="import pandas"),
        code(PAGE.chapter("Summary", "Seven of ten stayed")),
        code(PAGE.headlines([Headline("Retention rate", RATE)])),
        code(PAGE.verdict("care", "Read it with care.", ["One.", "Two."])),
        code(PAGE.metrics({"retention.rate": RATE})),
    )
    second = chapter(
        code(PAGE.chapter("Retention", "It fell")),
        markdown("Words with a [source](https://example.org/paper).\n\n#### A deep heading"),
        code(PAGE.section("The rate fell in May", name="By month"), source="section()"),
        code(picture(), source="figure()"),
        code(PAGE.note("May is unfinished."), source="note()"),
        code(PAGE.section("March is best", name="By month"), table(), source="table()"),
        code({"output_type": "stream", "name": "stderr", "text": "Warning: hidden"}),
    )
    return report(first, second, period="1996", author="Kari")


def document(notebook: NotebookNode) -> BeautifulSoup:
    return BeautifulSoup(render(notebook), "html.parser")


def levels(soup: BeautifulSoup) -> list[int]:
    return [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]


# The document ------------------------------------------------------------------------------


def test_the_title_page_names_client_period_day_and_author() -> None:
    soup = document(whole())
    front = soup.select_one("header")
    assert front is not None
    assert [tag.get_text() for tag in soup.find_all("h1")] == ["Acme"]
    for part in ("1996", "September 30, 1997", "Kari"):
        assert part in front.get_text()


def test_headings_leave_no_gap() -> None:
    found = levels(document(whole()))
    assert found == [1, 2, 2, 3, 3, 3]


def test_contents_lead_to_every_chapter_and_section() -> None:
    soup = document(whole())
    links = [(a.get_text(), str(a["href"])) for a in soup.select("nav a")]
    assert [text for text, _ in links] == [
        "Summary",
        "Retention",
        "A deep heading",
        "By month",
        "By month",
    ]
    ids = [str(tag["id"]) for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    assert {str(a["href"]) for a in soup.find_all("a")} <= {f"#{name}" for name in ids}
    assert len({href for _, href in links}) == len(links)


def test_code_is_folded_once_a_section_and_parameters_are_left_out() -> None:
    html = render(whole())
    soup = BeautifulSoup(html, "html.parser")
    folds = soup.select("details.code")
    assert all(not fold.has_attr("open") for fold in folds)
    assert [fold.pre.get_text() for fold in folds if fold.pre] == [
        "\n\n".join(["import pandas"] + ["call()"] * 4),
        "call()",
        "section()\n\nfigure()\n\nnote()",
        "table()\n\ncall()",
    ]
    assert "secret-injected" not in html


def test_metrics_warnings_and_the_notebooks_own_title_stay_in_the_notebook() -> None:
    html = render(whole())
    assert "Warning: hidden" not in html
    assert "vnd.retention" not in html
    assert "retention.rate" not in html
    main = BeautifulSoup(html, "html.parser").main
    assert main is not None
    assert main.get_text().count("Summary") == 1


def test_a_figure_is_an_image_with_its_alt_text() -> None:
    image = document(whole()).select_one("figure img")
    assert image is not None
    assert image["alt"] == 'It fell, then "rose" <a bit>.'
    assert str(image["src"]).startswith("data:image/svg+xml;base64,")
    assert image["width"] == "600"


def test_a_table_has_caption_scopes_and_a_frame_to_scroll_in() -> None:
    soup = document(whole())
    frame = soup.select_one("div.table")
    assert frame is not None
    assert frame["aria-label"] == "Customers By name"
    assert frame["tabindex"] == "0"
    assert frame.caption is not None
    assert all(head.get("scope") in ("col", "row") for head in frame.find_all("th"))
    assert not frame.find_all(attrs={"headers": True})


def test_an_error_is_shown_plainly() -> None:
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no <data>",
        "traceback": ["\x1b[31mline\x1b[0m"],
    }
    found = document(report(chapter(code(error)))).select_one(".error")
    assert found is not None
    assert "ValueError no <data>" in found.get_text()
    assert "\x1b" not in found.get_text()


def test_without_page_chapter_the_first_title_names_the_chapter() -> None:
    soup = document(report(chapter(markdown("# One\n\ntext\n\n# Two\n\n### Three"))))
    assert [tag.get_text() for tag in soup.select("main h2")] == ["One"]
    assert levels(soup) == [1, 2, 3, 4]


def test_a_notebook_without_any_heading_still_has_one() -> None:
    assert levels(document(report(chapter(code(picture()))))) == [1, 2]


def test_no_notebook_at_all_makes_an_empty_report() -> None:
    assert levels(document(report())) == [1]


def test_the_assembled_notebook_is_valid_and_leaves_the_chapters_as_they_were() -> None:
    one = chapter(markdown("# One"))
    before = nbformat.writes(one)
    both = report(one, one)
    nbformat.validate(both)
    assert len({cell.id for cell in both.cells}) == 2
    assert nbformat.writes(one) == before
    rendered = render(both)
    assert render(both) == rendered
    assert len(BeautifulSoup(rendered, "html.parser").find_all("h2")) == 2


def test_a_single_chapter_takes_its_title_page_from_its_parameters() -> None:
    alone = chapter(markdown("# One"))
    parameters = {"client": "acme", "title": "Acme AS", "as_of": "1997-09-30", "language": "en"}
    alone.metadata["papermill"] = {"parameters": parameters}
    soup = document(alone)
    assert soup.h1 is not None
    assert soup.h1.get_text() == "Acme AS"
    assert "September 30, 1997" in soup.get_text()


@pytest.mark.parametrize("language", ["en", "nb", "tlh"])
def test_words_dates_and_lang_are_of_one_language(language: str) -> None:
    soup = document(report(chapter(), language=language))
    assert soup.html is not None
    spoken = language if has_catalog(language) else "en"
    assert soup.html["lang"] == spoken
    assert Formats(spoken).date("1997-09-30") in soup.get_text()


def test_page_title_writes_the_title_page() -> None:
    shown = PAGE.title("Acme AS", "Autumn", "1997-09-30", "Kari")
    soup = document(chapter(code(shown), markdown("# One")))
    header = soup.header
    assert header is not None
    for part in ("Acme AS", "Autumn", "September 30, 1997", "Kari"):
        assert part in header.get_text()


# The brand ---------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio, by its own formula."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("accent", ["#ffff00", "#000000", "#ffffff", "#0f5c63", "#e4002b"])
def test_a_brand_colour_keeps_its_contrast_on_light_and_dark(accent: str) -> None:
    html = render(report(chapter(markdown("# One")), brand={"accent": accent}))
    found = dict(re.findall(r"--accent-(light|dark): (#[0-9a-f]{6});", html))
    assert contrast(found["light"], "#ffffff") >= 4.5
    assert contrast(found["dark"], "#12181a") >= 4.5
    if contrast(accent, "#ffffff") >= 4.5:
        assert found["light"] == accent


def test_a_brand_colour_can_be_nothing_but_a_colour() -> None:
    with pytest.raises(ClientFileError, match=r"brand.accent: .* is written #rrggbb"):
        render(report(chapter(), brand={"accent": "red;} body{display:none"}))


def test_a_logo_is_carried_in_the_document(tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    image = document(report(chapter(), brand={"logo": str(logo)})).select_one("img.logo")
    assert image is not None
    assert base64.b64decode(str(image["src"]).split(",")[1]) == logo.read_bytes()
    with pytest.raises(ClientFileError, match=r"brand.logo: .* can't be read"):
        report(chapter(), brand={"logo": str(tmp_path / "none.png")})
    with pytest.raises(ClientFileError, match="a PNG, JPEG or SVG file"):
        report(chapter(), brand={"logo": "logo.exe"})


# Safety ------------------------------------------------------------------------------------


def is_inert(soup: BeautifulSoup) -> None:
    """Nothing that runs, loads or leads away, by the elements and attributes themselves."""
    live = ["script", "iframe", "object", "embed", "form", "base", "link", "svg", "math"]
    assert soup.find_all(live) == []
    for tag in soup.find_all(True):
        assert isinstance(tag, Tag)
        for name, value in tag.attrs.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert re.match(r"#[\w-]+$|data:image/", str(value))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_html_is_made_inert(text: str) -> None:
    is_inert(BeautifulSoup(inert(text), "html.parser"))


def test_inert_html_keeps_what_it_says() -> None:
    kept = '<p style="color: red; position: fixed; background-color: url(x)">a <b>b</b></p>'
    assert inert(kept) == '<p style="color: red">a <b>b</b></p>'
    assert inert('<a href="https://x.org/">x</a>') == "x (https://x.org/)"
    assert inert('<a href="#x">x</a><blink>y</blink>') == '<a href="#x">x</a>y'
    assert inert('<img src="https://x.org/y.png" alt="a view">') == "a view"
    assert inert("<h1>x</h1>", headings=False) == "<p>x</p>"


def hostile_report(text: str) -> NotebookNode:
    """The text everywhere that a value from a client file or from data can get to."""
    cells = [
        code(PAGE.chapter(text, text)),
        code(PAGE.section(text, name=text)),
        code(PAGE.text("so: {v}", v=text), PAGE.text(text), PAGE.note(text)),
        code(PAGE.verdict("fit", text, [text])),
        code(PAGE.headlines([Headline(text, RATE, text)])),
        code(table(text), picture(text)),
        code(output(text_html=text), output(text_markdown=text), output(text_plain=text)),
        code({"output_type": "stream", "name": "stdout", "text": text}, source=text),
        code({"output_type": "error", "ename": text, "evalue": text, "traceback": [text]}),
        markdown(text),
        markdown(f"# {text}\n\n{text}"),
    ]
    return report(chapter(*cells), title=text, client="x", author=text, period=text)


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Any:
    """Open a document from disk without a network; returns the page and what it asked and said."""
    pages = []

    def open_(html: str, width: int = 1280) -> tuple[Any, list[str], list[str]]:
        file = tmp_path / "report.html"
        file.write_text(html, encoding="utf-8")
        page = chromium.new_page(viewport={"width": width, "height": 900}, offline=True)
        pages.append(page)
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(file.as_uri())
        own = [url for url in asked if not url.startswith("data:") and url != file.as_uri()]
        return page, own, said

    yield open_
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_opens_without_a_request_or_a_message(opened: Any, width: int) -> None:
    page, asked, said = opened(render(whole()), width)
    assert (asked, said) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("h1").count() == 1
    loaded = "[...document.images].every(image => image.complete && image.naturalWidth > 0)"
    assert page.evaluate(loaded)


def test_code_stays_folded_until_asked_for(opened: Any) -> None:
    page, _, _ = opened(render(whole()))
    fold = page.locator("details.code").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").click()
    assert fold.locator("pre").is_visible()


def test_a_link_in_the_contents_leads_to_its_heading(opened: Any) -> None:
    page, _, _ = opened(render(whole()))
    page.get_by_role("link", name="By month").last.click()
    assert page.locator("h3", has_text="March is best").evaluate(
        "h => Math.abs(h.getBoundingClientRect().top) < innerHeight"
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_as_text(opened: Any, text: str) -> None:
    html = render(hostile_report(text))
    is_inert(BeautifulSoup(html, "html.parser"))
    page, asked, said = opened(html, 390)
    assert (asked, said) == ([], [])
    assert " ".join(page.title().split()).startswith(" ".join(text.split()))
    for place in ("h1", "h2", "h3", ".headline .label", ".note", ".value", "tbody th", ".printed"):
        assert page.locator(place).first.text_content().strip() == text.strip()
    assert page.locator("figure img").first.get_attribute("alt") == text
    assert page.locator("h1").count() == 1
    assert page.locator("footer").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_printed_report_has_a_page_for_every_chapter_and_no_code(opened: Any) -> None:
    page, _, _ = opened(render(whole()))
    pages = [
        p.extract_text() for p in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages
    ]
    assert len(pages) == 3
    assert "Acme" in pages[0]
    assert "Seven of ten stayed" in pages[1]
    assert "It fell" in pages[2]
    assert "figure()" not in "".join(pages)


@pytest.mark.slow
def test_plain_nbconvert_makes_a_document_of_one_executed_chapter(tmp_path: Path) -> None:
    source = "\n".join(
        [
            "from retention_lib.report.language import Formats",
            "from retention_lib.report.page import Page",
            "Page(Formats()).chapter('Retention', 'Seven of ten stayed')",
        ]
    )
    nbformat.write(chapter(nbformat.v4.new_code_cell(source)), tmp_path / "in.ipynb")
    run = [sys.executable, "-m", "nbconvert", "--execute", "--to", "retention", "in.ipynb"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    soup = BeautifulSoup((tmp_path / "in.html").read_text(encoding="utf-8"), "html.parser")
    assert [h.get_text() for h in soup.find_all(["h1", "h2"])] == ["in", "Seven of ten stayed"]
    is_inert(soup)
