"""The page of all clients: it tells what lies on disk, survives all of it, and opens anywhere."""

from __future__ import annotations

import base64
import datetime as dt
import json
import multiprocessing
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import browsing
import made_up_reports as made
import pytest
from axe import broken
from bs4 import BeautifulSoup, Tag
from hostile import STRINGS
from playwright.sync_api import Browser, Page

from retention_lib.errors import ChapterError, DataError
from retention_lib.params import read_client_file
from retention_lib.report.headline import SUMMARY
from retention_lib.report.index_page import LETTERS_FROM
from retention_lib.report.labels import label
from retention_lib.run import index
from retention_lib.run.history import keep
from retention_lib.run.report import report_client

NOW = dt.datetime(2026, 4, 10, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))
FORKS = multiprocessing.get_context("spawn")


def page(reports: Path) -> BeautifulSoup:
    assert index.write(reports, NOW) == ()
    return BeautifulSoup((reports / index.FILE_NAME).read_text(encoding="utf-8"), "html.parser")


def row(soup: BeautifulSoup, client: str) -> Tag:
    found = soup.find(id=f"client-{client}")
    assert isinstance(found, Tag)
    return found


def said(tag: Tag | None) -> str:
    assert tag is not None
    return " ".join(tag.get_text(" ", strip=True).split())


def figures(tag: Tag) -> dict[str, str]:
    return {str(cell["data-label"]): said(cell) for cell in tag.select("td.number")}


def totals(soup: BeautifulSoup) -> dict[str, str]:
    return {said(term): said(term.find_next("dd")) for term in soup.select(".head dt")}


# What it tells -------------------------------------------------------------------------------


def test_a_client_has_its_latest_report_with_the_figures_of_its_summary(tmp_path: Path) -> None:
    rate = {"value": 0.5, "unit": "share", "low": 0.49, "high": 0.51, "n": 9000, "previous": 0.53}
    net = {"value": 2_000_000.0, "unit": "currency", "previous": 1_600_000.0}
    known = made.metrics(**{"retention.rate": rate, "revenue.net": net})
    known["clv.total"] = {"value": None, "unit": "currency", "note": "Too short a history."}
    made.report(tmp_path, "acme", "2025-12-31", figures=made.metrics(5), title="Åsgård & Co")
    made.report(
        *(tmp_path, "acme", "2026-03-31"),
        figures=known,
        finished="2026-04-07T22:30:00+00:00",
        verdict="care",
        recommendations=("Call 25 customers", "Keep the best"),
        title="Åsgård & Co",
    )
    acme = row(page(tmp_path), "acme")
    title = acme.select_one("th.title a")
    assert title is not None
    assert (title.text, title["href"]) == ("Åsgård & Co", "acme/2026-03-31/report.html")
    shown = figures(acme)
    assert set(shown) == {label(name) for name in SUMMARY}
    assert shown[label("retention.rate")] == "50.0% ▼ More than chance explains: −3.0 pts"
    assert shown[label("revenue.net")] == "NOK 2,000,000 +25.0%"
    assert shown[label("clv.total")] == "–"
    # a moment before midnight in UTC is the day after in the reader's zone
    assert said(acme.select_one(".when")) == "2026-03-31 made 2 days ago"
    assert "To be read with care" in said(acme.select_one(".judged"))
    assert said(acme.summary) == "Call 25 customers and 1 more"
    details = said(acme.details)
    assert "Too short a history." in details
    assert "Apr 1, 2025 – Mar 31, 2026, in NOK. The data is 10 days old." in details
    assert "Made 2026-04-08 00:30" in details
    assert "Keep the best" in details
    earlier = acme.find("a", string="2025-12-31")
    assert isinstance(earlier, Tag)
    assert earlier["href"] == "acme/2025-12-31/report.html"


def test_each_client_has_its_own_currency(tmp_path: Path) -> None:
    for client, currency in (("a", "SEK"), ("b", "EUR"), ("c", "DKK")):
        net = {"revenue.net": {"value": 1234.0, "unit": "currency"}}
        made.report(tmp_path, client, "2026-03-31", figures=made.metrics(**net), currency=currency)
    soup = page(tmp_path)
    found = [figures(row(soup, client))[label("revenue.net")] for client in "abc"]
    assert found == ["SEK 1,234", "€1,234", "DKK 1,234"]


def test_what_is_on_top_counts_clients_reports_and_failures(tmp_path: Path) -> None:
    moments = {"a": "2026-04-10T01:00", "b": "2026-04-02T01:00", "c": "2024-03-20T01:00"}
    for client, moment in moments.items():
        made.report(tmp_path, client, "2026-03-31", finished=f"{moment}:00+00:00")
    made.report(tmp_path, "a", "2025-12-31", finished="2026-01-04T09:00:00+00:00")
    made.failed(tmp_path, "b")
    found = totals(page(tmp_path))
    assert found["Clients"] == "3"
    assert found["Last run failed"] == "1"
    assert found["Reports made today"] == "1"
    assert found["This month"] == "2"
    assert found["Made longest ago"] == "c , 2 years ago; b , 8 days ago"
    assert found["This page written"] == "2026-04-10 12:00"


def test_a_trend_is_drawn_through_the_reports_that_can_be_compared(tmp_path: Path) -> None:
    days = ("2025-06-30", "2025-09-30", "2025-12-31", "2026-03-31")
    for n, day in enumerate(days):
        changed = {"active_months": 6} if n == 0 else {}
        made.report(tmp_path, "acme", day, figures=made.metrics(n), **changed)
    keep(tmp_path / "acme", "acme")
    drawn = row(page(tmp_path), "acme").select_one(
        f'td[data-label="{label("retention.rate")}"] img'
    )
    assert drawn is not None
    rates = [made.metrics(n)["retention.rate"]["value"] for n in range(1, 4)]
    assert drawn["alt"] == (
        f"Retention rate in 3 reports, 2025-09-30 to 2026-03-31: from {rates[0]:.1%} to "
        f"{rates[-1]:.1%}"
    )
    svg = BeautifulSoup(base64.b64decode(str(drawn["src"]).split(",")[1]), "html.parser")
    points = [tuple(map(float, p.split(","))) for p in str(svg.polyline["points"]).split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    # higher on the page is larger
    by_height = sorted(range(3), key=lambda i: -points[i][1])
    assert by_height == sorted(range(3), key=lambda i: rates[i])


def test_two_reports_are_no_trend(tmp_path: Path) -> None:
    for n, day in enumerate(("2025-12-31", "2026-03-31")):
        made.report(tmp_path, "acme", day, figures=made.metrics(n))
    keep(tmp_path / "acme", "acme")
    assert row(page(tmp_path), "acme").find("img") is None


def test_a_failed_run_comes_first_with_its_sentence_log_and_notebook(tmp_path: Path) -> None:
    made.report(tmp_path, "acme", "2025-12-31", finished="2026-01-04T09:00:00+00:00")
    made.failed(
        *(tmp_path, "acme", "2026-03-31"),
        finished="2026-04-09T09:00:00+00:00",
        sentences=("Chapter 03_cltv stopped at cell [4] with KeyError: 'x'.",),
        stopped=("03_cltv",),
    )
    made.failed(tmp_path, "new", sentences=("source: there is no file x.csv",), title="New one")
    soup = page(tmp_path)
    first, second = soup.select(".troubles > ul > li")
    assert "acme The last run failed, 2026-04-09 11:00 (yesterday)" in said(first)
    assert "The report of 2025-12-31 stands. Chapter 03_cltv stopped at cell [4]" in said(first)
    links = {said(a): a["href"] for a in first.select("a")}
    assert links["Log"] == "acme/2026-03-31.failed/run.log"
    assert links["Notebook 03_cltv, as far as it came"] == (
        "acme/2026-03-31.failed/notebooks/03_cltv.ipynb"
    )
    assert "Notebook 01_data, as far as it came" not in links
    assert "New one" in said(second)
    assert "There is no report yet. source: there is no file x.csv" in said(second)
    assert "✕ Last run failed" in said(row(soup, "new").summary)
    # the figures stay those of the last good report
    assert said(row(soup, "acme").select_one(".when")).startswith("2025-12-31")


def test_a_failure_is_over_once_a_report_was_made(tmp_path: Path) -> None:
    made.failed(tmp_path, "acme", "2026-03-31", finished="2026-04-09T09:00:00+00:00")
    assert totals(page(tmp_path))["Last run failed"] == "1"
    made.report(tmp_path, "acme", "2026-03-31", finished="2026-04-09T09:10:00+00:00")
    assert totals(page(tmp_path))["Last run failed"] == "none"


def test_a_chapter_that_failed_alone_is_no_failure_of_the_report(tmp_path: Path) -> None:
    made.report(tmp_path, "acme", "2026-03-31")
    made.failed(tmp_path, "acme", "2026-03-31", only="03_cltv")
    assert totals(page(tmp_path))["Last run failed"] == "none"


def test_a_failure_of_which_only_the_log_is_left_has_its_last_line(tmp_path: Path) -> None:
    folder = made.failed(tmp_path, "acme", sentences=("== 01_data", "The disk is full.", ""))
    (folder / "run.json").unlink()
    assert "The disk is full." in said(page(tmp_path).select_one(".troubles"))


def test_warnings_are_counted_and_told(tmp_path: Path) -> None:
    made.report(tmp_path, "acme", "2026-03-31", warnings=("The history can't be written.",))
    acme = row(page(tmp_path), "acme")
    assert "! 1 warning" in said(acme.summary)
    assert "The history can't be written." in said(acme.details)


def test_clients_stand_by_title_å_last_with_letters_to_jump_by(tmp_path: Path) -> None:
    titles = ["Ål", "ærlig", "Öl", "Zoo", "éclair", "Eik", "7 dager", "Ørn", "漢", "Alfa", "äpple"]
    titles += [f"Fjord {n:02}" for n in range(LETTERS_FROM)]
    for n, title in enumerate(titles):
        made.report(tmp_path, f"c{n}", "2026-03-31", title=title)
    soup = page(tmp_path)
    order = [said(tag) for tag in soup.select("th.title a")]
    assert [t for t in order if not t.startswith("Fjord")] == [
        *("Alfa", "éclair", "Eik", "Zoo", "äpple", "ærlig", "Öl", "Ørn", "Ål", "7 dager", "漢"),
    ]
    letters = soup.select(".jump a")
    assert [said(a) for a in letters] == ["A", "E", "F", "Z", "Æ", "Ø", "Å", "#"]
    for letter in letters:
        assert soup.find(id=str(letter["href"])[1:]) is not None


def test_few_clients_need_no_letters(tmp_path: Path) -> None:
    for n in range(LETTERS_FROM):
        made.report(tmp_path, f"c{n}", "2026-03-31", title=chr(65 + n))
    assert page(tmp_path).select(".jump, .letter") == []


# What it survives ----------------------------------------------------------------------------


def test_no_client_is_a_page_too(tmp_path: Path) -> None:
    assert "There is no report here yet" in said(page(tmp_path).main)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("metrics.json", '{"schema": 1, "metrics": {"retention.rate": {"val'),
        ("metrics.json", ""),
        ("metrics.json", "[1, 2]"),
        ("metrics.json", '{"metrics": null}'),
        ("metrics.json", '{"metrics": {"retention.rate": "high"}}'),
        ("metrics.json", '{"metrics": {"retention.rate": {"value": "0.4", "unit": "share"}}}'),
        ("metrics.json", '{"metrics": {"retention.rate": {"value": NaN, "unit": "share"}}}'),
        ("metrics.json", '{"metrics": {"retention.rate": {"value": 1e300, "unit": "count"}}}'),
        ("metrics.json", '{"metrics": {"retention.rate": {"value": 1, "unit": "<b>"}}}'),
        ("metrics.json", "[" * 100_000),
        ("metrics.json", b"\xff\xfe\x00"),
        ("metrics.json", None),
        ("run.json", '{"finished": '),
        ("run.json", "null"),
        ("run.json", b"\xff"),
        ("run.json", None),
        ("report.html", None),
    ],
)
def test_what_is_damaged_is_said_at_its_client_and_the_others_stay(
    tmp_path: Path, file: str, content: str | bytes | None
) -> None:
    made.report(tmp_path, "fine", "2026-03-31")
    folder = made.report(tmp_path, "hurt", "2026-03-31")
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    soup = page(tmp_path)
    told = said(soup.select_one(".troubles"))
    assert "hurt" in told
    assert re.search(rf"2026-03-31/{file} (can't be read \(.+\)|is missing); make the rep", told)
    assert "! Can’t be read whole" in said(row(soup, "hurt").summary)
    assert figures(row(soup, "fine"))[label("retention.rate")] != "–"
    assert totals(soup)["Clients"] == "2"


@pytest.mark.parametrize(
    "parameters",
    [
        {"title": 7, "currency": "kroner", "period_months": "a year"},
        {"title": None, "currency": ["NOK"], "period_months": 10**9},
        {"title": "\ud800 \x00\x07 lone", "currency": "NOK", "active_months": -(10**9)},
    ],
)
def test_a_parameter_that_no_run_would_write_stops_nothing(
    tmp_path: Path, parameters: dict[str, Any]
) -> None:
    folder = made.report(tmp_path, "acme", "2026-03-31")
    run = json.loads((folder / "run.json").read_text())
    run |= {"parameters": parameters, "finished": "9999-12-31T23:59:59", "verdict": {}}
    run |= {"recommendations": "all", "warnings": [1, None, "w"]}
    (folder / "run.json").write_text(json.dumps(run))
    assert figures(row(page(tmp_path), "acme"))[label("retention.rate")] != "–"


def test_a_history_that_cannot_be_read_costs_the_trend_only(tmp_path: Path) -> None:
    for n, day in enumerate(("2025-09-30", "2025-12-31", "2026-03-31")):
        made.report(tmp_path, "acme", day, figures=made.metrics(n))
    keep(tmp_path / "acme", "acme")
    (tmp_path / "acme" / "history.parquet").write_bytes(b"PAR1 half of it")
    soup = page(tmp_path)
    assert row(soup, "acme").find("img") is None
    assert "history.parquet: this isn't a whole Parquet file" in said(soup.select_one(".troubles"))
    assert str(tmp_path) not in str(soup)


def test_a_history_is_not_read_out_of_the_figures_of_earlier_reports(tmp_path: Path) -> None:
    days = ("2025-06-30", "2025-09-30", "2025-12-31", "2026-03-31")
    for n, day in enumerate(days):
        made.report(tmp_path, "acme", day, figures=made.metrics(n))
    keep(tmp_path / "acme", "acme")
    before = page(tmp_path)
    for day in days[:-1]:  # large files, of which the page needs none
        (tmp_path / "acme" / day / "metrics.json").write_text("damaged")
    assert page(tmp_path) == before


def test_figures_are_found_wherever_they_stand_in_the_file(tmp_path: Path) -> None:
    folder = made.report(tmp_path, "acme", "2026-03-31", padding=3 * index.HEAD)
    expected = figures(row(page(tmp_path), "acme"))
    known = json.loads((folder / "metrics.json").read_text())
    last = {"tables": known["tables"], "metrics": known["metrics"]}
    (folder / "metrics.json").write_text(json.dumps(last))
    assert figures(row(page(tmp_path), "acme")) == expected


def test_what_is_no_client_is_passed_over(tmp_path: Path) -> None:
    made.report(tmp_path, "acme", "2026-03-31")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "2026-03-31").mkdir()
    (tmp_path / "acme" / "2026-04-31").mkdir()
    (tmp_path / "acme" / ".building-x" / "notebooks").mkdir(parents=True)
    made.report(tmp_path, ".hidden", "2026-03-31")
    made.report(tmp_path, "Not A Slug", "2026-03-31")
    (tmp_path / "loose.txt").write_text("x")
    found = [tag["id"] for tag in page(tmp_path).select("tbody.client")]
    assert found == ["client-acme"]


def test_a_report_that_was_removed_by_hand_gives_way_to_the_one_before(tmp_path: Path) -> None:
    for day in ("2025-12-31", "2026-03-31"):
        made.report(tmp_path, "acme", day)
    keep(tmp_path / "acme", "acme")
    shutil.rmtree(tmp_path / "acme" / "2026-03-31")
    assert said(row(page(tmp_path), "acme").select_one(".when")).startswith("2025-12-31")
    shutil.rmtree(tmp_path / "acme" / "2025-12-31")
    assert "None of its reports is left here" in said(row(page(tmp_path), "acme"))


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / index.FILE_NAME).mkdir()
    (sentence,) = index.write(tmp_path, NOW)
    assert "index.html: the page of all clients can't be written" in sentence
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".part")] == []


def test_what_a_run_that_died_left_half_written_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / f".{index.FILE_NAME}.99999.part").write_text("<!doctype")
    page(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [index.LOCK, index.FILE_NAME]


@pytest.mark.slow
def test_runs_at_once_lose_no_client(tmp_path: Path) -> None:
    clients = [f"client-{n}" for n in range(4)]
    runs = [FORKS.Process(target=made.listed, args=(tmp_path, client)) for client in clients]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * len(runs)
    whole = (tmp_path / index.FILE_NAME).read_text()
    assert whole.rstrip().endswith("</html>")
    assert re.findall(r'class="client" id="client-([\w-]+)"', whole) == clients


# In the browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hundred(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred clients' reports; some failed, warn or can't be read."""
    reports = tmp_path_factory.mktemp("hundred")
    made.many(reports, 100, 4)
    (reports / "client-003" / "2023-12-31" / "metrics.json").write_text('{"metr')
    (reports / "client-004" / "2023-12-31-03_cltv.html").write_text("alone")
    assert index.write(reports, NOW) == ()
    return reports


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Any]:
    """Open a page from disk without a network; returns it, what it asked for and what it said."""
    with ExitStack() as pages:

        def open_(file: Path, width: int = 1280, scheme: Any = "light") -> tuple[Page, list, list]:
            page = browsing.opened(chromium, file, width, color_scheme=scheme)
            tab, seen = pages.enter_context(page)
            return tab, seen.asked, seen.said

        yield open_


@pytest.mark.parametrize("width", [1280, 800, 390, 320])
def test_it_opens_without_a_request_a_message_or_a_sideways_scroll(
    opened: Any, hundred: Path, width: int
) -> None:
    tab, asked, heard = opened(hundred / index.FILE_NAME, width)
    assert (asked, heard) == ([], [])
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    tab.locator("main img").first.scroll_into_view_if_needed()
    assert tab.wait_for_function("document.querySelector('main img').naturalWidth > 0")
    assert tab.locator("tbody.client").count() == 100
    assert tab.locator("h1").count() == 1


def test_every_link_leads_to_what_is_there(hundred: Path) -> None:
    soup = BeautifulSoup((hundred / index.FILE_NAME).read_text(encoding="utf-8"), "html.parser")
    links = [str(a["href"]) for a in soup.select("a[href]")]
    ids = {str(tag["id"]) for tag in soup.select("[id]")}
    assert len(ids) == len(soup.select("[id]"))
    for link in links:
        if link.startswith("#"):
            assert link[1:] in ids
        else:
            assert (hundred / unquote(link)).exists(), link
    assert "client-004/2023-12-31-03_cltv.html" in links
    assert "client-007/2023-12-31.failed/run.log" in links
    assert sum(link.endswith("/report.html") for link in links) == 400


def test_a_letter_leads_to_its_clients_below_the_heads_that_stay(
    opened: Any, hundred: Path
) -> None:
    tab, _, _ = opened(hundred / index.FILE_NAME)
    tab.get_by_role("link", name="S", exact=True).click()
    first = tab.locator("tbody#letter-S + tbody.client")
    heads = tab.locator("thead th").first
    assert first.bounding_box()["y"] >= heads.bounding_box()["y"] + heads.bounding_box()["height"]
    assert first.locator("th").inner_text().startswith("Skog")
    assert heads.bounding_box()["y"] == pytest.approx(0, abs=1)


def test_a_row_stays_a_row_to_a_screen_reader_where_it_is_shown_as_a_card(
    opened: Any, hundred: Path
) -> None:
    tab, _, _ = opened(hundred / index.FILE_NAME, 390)
    names = tab.get_by_role("rowheader")
    assert names.count() >= 100
    assert tab.get_by_role("columnheader").count() == len(SUMMARY) + 3
    one = tab.locator("td.number").first
    shown = one.evaluate("e => getComputedStyle(e, '::before').content")
    assert shown == f'"{label(SUMMARY[0])}"'


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.slow
def test_it_passes_axe(opened: Any, tmp_path: Path, width: int, scheme: str) -> None:
    made.many(tmp_path, LETTERS_FROM + 3, 3)
    (tmp_path / "client-003" / "2023-09-30" / "metrics.json").write_text('{"metr')
    assert index.write(tmp_path, NOW) == ()
    tab, _, _ = opened(tmp_path / index.FILE_NAME, width, scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert broken(tab) == []


def test_hostile_text_is_shown_as_text(opened: Any, tmp_path: Path) -> None:
    for n, text in enumerate(STRINGS.values()):
        folder = made.report(
            *(tmp_path, f"c{n}", "2026-03-31"),
            figures=made.metrics(
                **{"clv.total": {"value": None, "unit": "currency", "note": text}}
            ),
            recommendations=(text, text),
            warnings=(text,),
            verdict=text,
            title=text,
        )
        run = json.loads((folder / "run.json").read_text())
        run["parameters"]["currency"] = text if n % 2 else "NOK"
        (folder / "run.json").write_text(json.dumps(run))
        made.failed(tmp_path, f"c{n}", sentences=(text,), stopped=("02_retention",), title=text)
    assert index.write(tmp_path, NOW) == ()
    for width in (1280, 390):
        tab, asked, heard = opened(tmp_path / index.FILE_NAME, width)
        tab.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert (asked, heard) == ([], [])
        assert tab.title() == "All clients – Customer retention and lifetime value"
        assert tab.evaluate("window.run") is None
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        assert tab.locator("tbody.client").count() == len(STRINGS)
        assert tab.locator("script, iframe, object, form, base, link, main svg").count() == 0
        shown = {" ".join(t.split()) for t in tab.locator("th.title a").all_text_contents()}
        whole = {" ".join(t.split()) for t in STRINGS.values() if len(t) <= 70 and t.isprintable()}
        assert whole <= shown
        tall = tab.evaluate(
            "Math.max(...[...document.querySelectorAll('tr.figures')].map(r => r.offsetHeight))"
        )
        assert tall < 600


# The real run --------------------------------------------------------------------------------


def test_data_that_cannot_be_read_is_told_until_it_can(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("id,day,sum\n")
    file = tmp_path / "acme.yaml"
    file.write_text(
        "client: acme\ntitle: Acme\ncurrency: NOK\nsource: orders.csv\n"
        "columns: {customer: id, date: day, amount: sum}\n"
    )
    reports = tmp_path / "reports"
    with pytest.raises(DataError) as caught:
        report_client(read_client_file(file), reports)
    soup = BeautifulSoup((reports / index.FILE_NAME).read_text(), "html.parser")
    assert caught.value.sentences[0] in said(soup.select_one(".troubles"))
    log = soup.find("a", string="Log")
    assert isinstance(log, Tag)
    assert caught.value.sentences[0] in (reports / str(log["href"])).read_text()


@pytest.mark.slow
def test_a_run_writes_the_page_and_so_does_one_that_fails(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "acme.yaml"
    file.write_text(
        "client: acme\ntitle: Acme <AS>\nlanguage: nb\ncurrency: USD\nmodel: bgnbd\n"
        "source: builtin:cdnow-sample\nas_of: 1997-12-31\nperiod_months: 6\nactive_months: 6\n"
    )
    reports = tmp_path / "reports"
    made_ = report_client(read_client_file(file), reports)
    assert made_.warnings == ()
    acme = row(BeautifulSoup((reports / index.FILE_NAME).read_text(), "html.parser"), "acme")
    title = acme.select_one("th.title a")
    assert title is not None
    assert (title.text, reports / str(title["href"])) == ("Acme <AS>", made_.report)
    run = json.loads((made_.report.with_name("run.json")).read_text())
    assert run["verdict"] in ("fit", "care", "unfit")
    assert run["recommendations"]
    assert said(acme.summary).startswith(run["recommendations"][0])
    shown = figures(acme)
    for name in ("customers.at_end", "retention.repeat_90d"):
        value = made_.metrics[name].value
        written = f"{value:,}" if made_.metrics[name].unit == "count" else f"{value:.1%}"
        assert shown[label(name)].startswith(written)

    broken = tmp_path / "notebooks" / "02_retention.ipynb"
    notebook = json.loads(broken.read_text())
    notebook["cells"].append(
        {**notebook["cells"][-1], "id": "broken", "cell_type": "code", "source": "1 / 0"}
    )
    broken.write_text(json.dumps(notebook))
    with pytest.raises(ChapterError):
        report_client(read_client_file(file), reports)
    soup = BeautifulSoup((reports / index.FILE_NAME).read_text(), "html.parser")
    trouble = soup.select_one(".troubles")
    assert "ZeroDivisionError" in said(trouble)
    assert str(tmp_path) not in said(trouble)
    assert said(trouble).count("Notebook") == 1
    link = trouble.find("a", string=re.compile("Notebook 02_retention"))
    assert "ZeroDivisionError" in (reports / str(link["href"])).read_text()
