"""One client's report in every language: the same figures, other words, nothing left in English."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import browsing
import nbformat
import nordlys
import openpyxl
import pseudo
import pytest
from axe import broken
from babel import Locale
from babel.numbers import parse_decimal
from bs4 import BeautifulSoup
from bs4.element import PreformattedString
from matplotlib.text import Text
from playwright.sync_api import Browser

from retention_lib.languages import SOURCE, VARIABLE, languages
from retention_lib.params import TIERS, Params, read_client_file
from retention_lib.report.figures.style import Drawn
from retention_lib.report.language import Formats
from retention_lib.report.page import Page
from retention_lib.report.pictures import picture
from retention_lib.run.report import injected

pytestmark = pytest.mark.slow

OTHERS = [language for language in languages() if language != SOURCE]
DAY = "2024-12-31"
AUTHOR = "Kari Nordmann, Fjord & Co."
FILE = """
client: nordlys
title: Nordlys Interiør AS
language: {language}
currency: NOK
source: ../eksport.csv
columns: {{customer: Kundenr, order: Ordrenr, date: Ordredato, amount: Beløp,
  category: Varegruppe, market: Butikk, currency: Valuta}}
csv: {{delimiter: ";", decimal: ",", encoding: windows-1252, date_format: "%d.%m.%Y"}}
guest_ids: ["(blank)", "0"]
dimensions: [category, market]
margin: 0.4
acquisition_cost: 150
retention_cost: 40
targets: {{retention.rate: 0.5, orders.aov: 900}}
benchmarks: [{{metric: retention.repeat_rate, value: 0.4, source: "Bransjetall 2023"}}]
"""
#: Values that are written in Latin letters in every language: names, codes, and what data holds.
NAMES = {
    *nordlys.GROUPS,
    *(word for group in nordlys.GROUPS for word in group.split()),  # a figure cuts long ones
    *nordlys.SHOPS,
    *re.findall(r"\w+", nordlys.HEADER),
    *(AUTHOR, "Nordlys Interiør AS", "Bransjetall 2023"),
    *("eksport.csv", "windows-1252", "kr", "NOK"),
    *Params.model_fields,
    *("retention", "Python", "pandas", "duckdb", "lifetimes", "scipy", "BruceHardie"),
    *("BG/NBD", "MBG/NBD", "Pareto/NBD", "Gamma-Gamma", "Europe/Oslo", "UTC", "actions.xlsx"),
}


@dataclass(frozen=True)
class Made:
    """One report and what the command said."""

    language: str
    folder: Path
    said: str

    @property
    def soup(self) -> BeautifulSoup:
        """The page as its reader sees it, code left folded."""
        soup = BeautifulSoup((self.folder / "report.html").read_text("utf-8"), "html.parser")
        for hidden in soup.select("style, details.code"):
            hidden.decompose()
        for part in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
            part.extract()
        return soup

    @property
    def metrics(self) -> dict[str, Any]:
        return json.loads((self.folder / "metrics.json").read_text("utf-8"))

    @property
    def texts(self) -> list[str]:
        """All that is read or read aloud, but what says that it is in another language."""
        soup = self.soup
        for other in soup.select("body [lang]"):
            other.decompose()
        names = [tag[name] for name in ("alt", "aria-label") for tag in soup.select(f"[{name}]")]
        return [*map(str, soup.find_all(string=True)), *names]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    (folder / "eksport.csv").write_bytes(nordlys.shop(customers=2_500).export)
    pseudo.write_catalog(folder / "catalogs")
    return folder


def make(folder: Path, language: str) -> Made:
    """The report as the command makes it; each language in a folder of its own."""
    here = folder / language
    here.mkdir()
    (here / "nordlys.yaml").write_text(FILE.format(language=language), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "retention", "report", "nordlys.yaml"],
        cwd=here,
        env=os.environ | {VARIABLE: str(folder / "catalogs"), "RETENTION_AUTHOR": AUTHOR},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return Made(language, here / "reports" / "nordlys" / DAY, done.stdout)


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Made]:
    return {language: make(folder, language) for language in (*languages(), pseudo.LANGUAGE)}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_the_same_figures(made: dict[str, Made], language: str) -> None:
    english, other = made[SOURCE].metrics, made[language].metrics
    assert {k: {**v, "note": None} for k, v in english["metrics"].items()} == {
        k: {**v, "note": None} for k, v in other["metrics"].items()
    }
    # a figure that can't be known has its reason, in words
    assert {k for k, v in english["metrics"].items() if v.get("note")} == {
        k for k, v in other["metrics"].items() if v.get("note")
    }
    assert english["tables"].keys() == other["tables"].keys()
    for name, table in english["tables"].items():
        assert _numbers_of(table) == _numbers_of(other["tables"][name]), name
    for one, same in zip(english["figures"], other["figures"], strict=True):
        assert one["figure"] == same["figure"]
        assert _numbers_of(one) == _numbers_of(same), one["figure"]
    assert _wordless(english["sentences"]) == _wordless(other["sentences"])


@pytest.mark.parametrize("language", OTHERS)
def test_the_printed_numbers_are_the_same_once_read(made: dict[str, Made], language: str) -> None:
    """Read back by the language's own rules, chapter by chapter, whatever the order of words."""
    for one, same in zip(_chapters(made[SOURCE]), _chapters(made[language]), strict=True):
        assert _read(one, SOURCE) == _read(same, language)


@pytest.mark.parametrize("language", OTHERS)
def test_a_per_cent_sign_stays_with_its_number(made: dict[str, Made], language: str) -> None:
    assert [text for text in made[language].texts if re.search(r"\d ?%", text)] == []


def test_nothing_is_left_in_english(made: dict[str, Made]) -> None:
    """Whatever reads as Latin letters in the language that has none is a value."""
    left = Counter(found for text in made[pseudo.LANGUAGE].texts for found in _latin(text))
    assert left == Counter()


def test_nothing_in_a_figure_is_left_in_english(
    folder: Path, made: dict[str, Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chapters' own cells, run here, so that the words of each figure can be read."""
    monkeypatch.setenv(VARIABLE, str(folder / "catalogs"))
    monkeypatch.chdir(folder / "en")
    monkeypatch.setattr("IPython.display.display", lambda *shown: None)
    monkeypatch.setattr(
        "retention_lib.report.voice.page_of", lambda base: Page(Formats(pseudo.LANGUAGE, "NOK"))
    )
    words: dict[str, list[str]] = {}

    def read(drawn: Drawn) -> tuple[str, str, int, int]:
        drawn.axes.figure.canvas.draw()  # ticks have their words from then on
        words.setdefault(drawn.name, []).extend(
            text.get_text()
            for text in drawn.axes.figure.findobj(Text)
            if text.get_visible() and text.get_text()
        )
        return picture(drawn)

    monkeypatch.setattr("retention_lib.report.page.picture", read)
    parameters = injected(read_client_file("nordlys.yaml"))
    for chapter in sorted((Path(__file__).parents[1] / "notebooks").glob("0*.ipynb")):
        names: dict[str, Any] = {}
        for cell in nbformat.read(chapter, as_version=4).cells:
            if cell.cell_type == "code":
                exec(cell.source, names)
            if "parameters" in cell.metadata.get("tags", []):
                names |= parameters
    assert len(words) > 15
    left = {name: {w for text in texts for w in _latin(text)} for name, texts in words.items()}
    # the client file of this language was read in English, tiers and all
    assert {
        name: found - TIERS.keys() for name, found in left.items() if found - TIERS.keys()
    } == {}


def test_the_workbook_speaks_the_language_too(made: dict[str, Made]) -> None:
    book = openpyxl.load_workbook(made[pseudo.LANGUAGE].folder / "actions.xlsx")
    texts = [
        *book.sheetnames,
        *(c.value for s in book for row in s.iter_rows() for c in row if isinstance(c.value, str)),
    ]
    ids = {line.customer for line in nordlys.shop(customers=2_500).lines}
    assert Counter(f for text in texts if text not in ids for f in _latin(text)) == Counter()


@pytest.mark.parametrize("language", languages())
def test_it_opens_whole_in_every_language(
    made: dict[str, Made], chromium: Browser, language: str
) -> None:
    """From disk with the network cut: no request, no message, nothing beyond a phone's edge."""
    file = made[language].folder / "report.html"
    with browsing.opened(chromium, file, bypass_csp=True) as (page, seen):
        assert page.locator("section.chapter").count() == 6
        assert all(page.locator("section.chapter h2").all_inner_texts())
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width
        assert seen.all == []
        assert broken(page) == []


def test_the_command_tells_the_finding_in_the_language(made: dict[str, Made]) -> None:
    for one in made.values():
        heading = one.soup.select_one("section.chapter h2")
        assert heading is not None
        assert heading.get_text().replace("\N{NO-BREAK SPACE}", " ") in one.said.replace(
            "\N{NO-BREAK SPACE}", " "
        )


@pytest.mark.parametrize("language", languages())
def test_a_reader_and_a_machine_are_told_the_language(made: dict[str, Made], language: str) -> None:
    page = made[language].soup
    assert page.html is not None
    assert page.html["lang"] == language
    assert AUTHOR in page.select_one("header").get_text()
    months = Locale.parse(language).months["format"]["wide"]
    assert f"{months[12]} 2024" in page.get_text() or f"{months[12]} 31, 2024" in page.get_text()


def _wordless(part: Any) -> Any:
    """What JSON holds, without the texts that are values."""
    if isinstance(part, dict):
        return {k: _wordless(v) for k, v in part.items() if k == "message" or type(v) is not str}
    return [_wordless(x) for x in part] if isinstance(part, list) else part


def _numbers_of(part: dict[str, Any]) -> list[list[Any]]:
    """The rows of a table or figure without their words."""
    return [[x for x in row if not isinstance(x, str)] for row in part["rows"]]


def _chapters(one: Made) -> list[list[str]]:
    """The values in sentences and the cells of tables, chapter by chapter."""
    return [
        [
            *(tag.get_text() for tag in chapter.select("span.value, td, tbody th, .figure")),
            *(tag["alt"] for tag in chapter.select("img")),
        ]
        for chapter in one.soup.select("section.chapter")
    ]


def _read(texts: list[str], language: str) -> Counter[str]:
    """How often each number is there, by its value."""
    locale = Locale.parse(language)
    found: Counter[str] = Counter()
    for text in texts:
        for number in re.findall(r"\d+(?:[.,\u00a0\u202f]\d+)*", text):
            found[str(parse_decimal(number.replace("\u202f", "\u00a0"), locale=locale))] += 1
    return found


def _latin(text: str) -> list[str]:
    """The words of Latin letters that aren't values."""
    for name in sorted(NAMES, key=len, reverse=True):
        text = text.replace(name, " ")
    # a customer's pseudonym, a fingerprint, and what German calls a quarter
    text = re.sub(r"C-[A-Z2-7]{8}|\b[0-9a-f]{64}\b|\bQ[1-4]\b", " ", text)
    months = Locale.parse(pseudo.LANGUAGE).months
    dates = {
        m.rstrip(".") for form in ("wide", "abbreviated") for m in months["format"][form].values()
    }
    dates |= {m.rstrip(".") for m in months["stand-alone"]["abbreviated"].values()}
    return [word for word in re.findall(r"(?<!\w)[A-Za-z][\w-]+", text) if word not in dates]
