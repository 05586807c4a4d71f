"""The document: its outline, its safety, and how it opens in a real browser."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import browsing
import great_tables as gt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from hostile import CONTROLS, HOSTILE
from matplotlib.figure import Figure
from nbformat import NotebookNode
from PIL import Image
from playwright.sync_api import Browser
from pypdf import PdfReader

from retention_lib.errors import ClientFileError
from retention_lib.metrics import Metric
from retention_lib.report.document.inert import inert
from retention_lib.report.exporter import assemble, render
from retention_lib.report.figures.style import Drawn
from retention_lib.report.language import Formats
from retention_lib.report.names import LONGEST_TITLE, printed, steady
from retention_lib.report.page import Headline, Page, Shown, Step

PAGE = Page(Formats("en", "USD"))
RATE = Metric(0.717, "share", 0.7, 0.73, n=2357, previous=0.694)


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


@pytest.mark.parametrize("language", ["en", "nb"])
def test_words_dates_and_lang_are_of_one_language(language: str) -> None:
    soup = document(report(chapter(), language=language))
    assert soup.html is not None
    assert soup.html["lang"] == language
    assert Formats(language).date("1997-09-30") in soup.get_text()


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
    with ExitStack() as pages:

        def open_(html: str, width: int = 1280) -> tuple[Any, list[str], list[str]]:
            file = tmp_path / "report.html"
            file.write_text(html, encoding="utf-8")
            page, seen = pages.enter_context(browsing.opened(chromium, file, width))
            return page, seen.asked, seen.said

        yield open_


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
    page.locator("nav").get_by_role("link", name="Retention").click()
    page.locator("nav").get_by_role("link", name="By month").last.click()
    assert page.locator("h3", has_text="March is best").evaluate(
        "h => Math.abs(h.getBoundingClientRect().top) < innerHeight"
    )


def test_the_contents_unfold_the_chapter_that_is_read(opened: Any) -> None:
    page, _, _ = opened(render(report(*(tall(name) for name in ("Data", "Churn", "Worth")))))
    for name in ("Churn", "Worth", "Data"):
        page.locator("h2", has_text=f"{name} moved").scroll_into_view_if_needed()
        page.evaluate("name => document.getElementById(name).scrollIntoView()", name.lower())
        page.get_by_role("link", name=f"{name} by month").wait_for()
        links = page.locator("nav li li a").all()
        assert [a.inner_text() for a in links if a.is_visible()] == [f"{name} by month"]


def tall(name: str) -> NotebookNode:
    """A chapter of more than a screen."""
    return chapter(
        code(PAGE.chapter(name, f"{name} moved")),
        code(PAGE.section(f"{name} fell in May", name=f"{name} by month")),
        *(code(picture()) for _ in range(4)),
    )


def test_a_link_leads_to_its_section_wherever_that_stands() -> None:
    steps = [Step("Write to {n}", "Customers: 5", "advice-1"), Step("Wait", anchor="advice-2")]
    first = chapter(
        code(PAGE.chapter("Summary", "All is well", anchor="summary"), PAGE.steps(steps))
    )
    # a heading made of data that would have taken the place
    second = chapter(code(PAGE.section("Advice 1")), code(PAGE.section("So", anchor="advice-1")))
    soup = document(report(first, second))
    assert [(a.get_text(), a["href"]) for a in soup.select(".steps a")] == [
        ("Write to {n}", "#advice-1")
    ]
    target = soup.find(id="advice-1")
    assert target is not None
    assert target.get_text() == "So"
    assert [item.p.get_text() for item in soup.select(".steps li") if item.p] == [
        "Write to {n}",
        "Wait",
    ]
    assert soup.select_one("section.chapter.summary h2#summary") is not None


@pytest.mark.parametrize("anchor", ['x" onload="y', "top", "a b", "<b>", "Ærlig"])
def test_an_anchor_can_be_nothing_but_a_place_of_its_own(anchor: str) -> None:
    soup = document(report(chapter(code(PAGE.chapter("One", "Two", anchor=anchor)))))
    is_inert(soup)
    section = soup.select_one("section")
    assert section is not None
    assert section["class"] == ["chapter", "chapter-1"]
    assert soup.select_one("h2#one") is not None


def test_in_the_dark_a_figures_ground_is_the_pages(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(whole()), encoding="utf-8")
    seen = {}
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme)
        page.goto(file.as_uri())
        with Image.open(BytesIO(page.locator("figure img").screenshot())) as shot:
            seen[scheme] = shot.convert("RGB").getpixel((2, 2))
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == f"rgb{seen[scheme]}"
        page.close()
    assert sum(seen["dark"]) < sum(seen["light"]) / 4


@pytest.mark.parametrize("brand", ["viewBox='0 0 400 100'", "width='4000' height='1000'"])
def test_a_logo_of_whatever_size_is_seen_and_not_too_large(
    opened: Any, tmp_path: Path, brand: str
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {brand}><rect fill="red"/></svg>')
    for width in (390, 1280):
        page, _, _ = opened(render(report(chapter(), brand={"logo": str(logo)})), width)
        box = page.locator("img.logo").bounding_box()
        assert 40 <= box["height"] <= 80
        assert 100 <= box["width"] <= 240


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_shown_as_text(opened: Any, text: str) -> None:
    html = render(hostile_report(text))
    is_inert(BeautifulSoup(html, "html.parser"))
    page, asked, said = opened(html, 390)
    assert (asked, said) == ([], [])
    title = printed(text, LONGEST_TITLE)
    assert " ".join(page.title().split()).startswith(title)
    for place in ("h2", "h3", ".headline .label", ".note", "tbody th", ".printed"):
        assert page.locator(place).first.text_content().strip() == text.strip()
    assert page.locator("h1").text_content() == title
    assert page.locator(".value").first.text_content().strip() == steady(text).strip()
    assert page.locator("figure img").first.get_attribute("alt") == text
    assert page.locator("h1").count() == 1
    assert page.locator("footer").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("text", CONTROLS.values(), ids=CONTROLS)
def test_what_html_cannot_hold_is_replaced(opened: Any, text: str) -> None:
    html = render(hostile_report(text))
    assert html.encode().decode() == html
    page, asked, said = opened(html, 390)
    assert (asked, said) == ([], [])
    shown = page.locator(".value").first.text_content()
    assert shown.split() == steady(text).split()
    assert not re.search("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]", page.content())


def test_half_a_sign_does_not_keep_the_report_from_being_written() -> None:
    html = render(report(chapter(code(PAGE.text("so: {v}", v="a\ud800b"))), title="x\udfff"))
    assert "a\ufffdb" in html.encode().decode()


def test_the_printed_report_has_a_page_for_every_chapter_and_no_code(opened: Any) -> None:
    page, _, _ = opened(render(whole()))
    pages = sheets(page)
    assert len(pages) == 3
    assert "Acme" in pages[0]
    assert "Seven of ten stayed" in pages[1]
    assert "It fell" in pages[2]
    assert "figure()" not in "".join(pages)


def sheets(page: Any) -> list[str]:
    """The text of each sheet of paper."""
    return [p.extract_text() for p in PdfReader(BytesIO(page.pdf(prefer_css_page_size=True))).pages]


def test_each_printed_page_but_the_first_names_client_chapter_and_number(opened: Any) -> None:
    page, _, _ = opened(render(report(tall("Data"), tall("Churn"), title='Å & "Ø" \\ </style>')))
    pages = sheets(page)
    assert pages[0].count('Å & "Ø" \\ </style>') == 1
    assert len(pages) >= 5
    for number, text in enumerate(pages[1:], start=2):
        assert text.count('Å & "Ø" \\ </style>') == 1
        assert str(number) in text.split()
        assert ("Data" in text) != ("Churn" in text)


def test_a_long_table_breaks_between_rows_and_repeats_its_head(opened: Any) -> None:
    frame = pd.DataFrame({"who": [f"row {n}" for n in range(90)], "n": ["1"] * 90})
    long = PAGE.table(gt.GT(frame, rowname_col="who").tab_stubhead("Customer group"))
    page, _, _ = opened(render(report(chapter(code(PAGE.chapter("Data", "All"), long)))))
    pages = [text for text in sheets(page) if "row " in text]
    assert len(pages) >= 2
    assert all(text.count("Customer group") == 1 for text in pages)
    rows = re.findall(r"row \d+", "\n".join(pages))
    assert rows == [f"row {n}" for n in range(90)]


def test_a_short_table_stands_on_one_page(opened: Any) -> None:
    def rows(n: int) -> Shown:
        frame = pd.DataFrame({"who": [f"top {n}", *"abcdefgh", f"end {n}"], "n": ["1"] * 10})
        return PAGE.table(gt.GT(frame, rowname_col="who"))

    cells = [code(PAGE.section(f"Section {n}"), picture(), rows(n)) for n in range(9)]
    page, _, _ = opened(render(report(chapter(*cells))))
    pages = sheets(page)
    for n in range(9):
        assert [k for k, text in enumerate(pages) if f"top {n}" in text] == [
            k for k, text in enumerate(pages) if f"end {n}" in text
        ]


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
