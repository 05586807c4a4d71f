"""Hostile strings in real reports, by the real command, in a real browser; and what a client file
can't make a run do: write elsewhere, give a secret away, print who a customer is.

Both shops are made up (`hostile`). The first report names customers by pseudonyms, the second by
their ids. Titles are many, reports slow: `test_exporter` has every string as a title.
"""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import browsing
import duckdb
import hostile
import openpyxl
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from hostile import COLUMNS, CONTROLS, HOSTILE, LONG, STRINGS
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from retention_lib.data.databases import open_database
from retention_lib.data.databases.queries import check_reads_only
from retention_lib.errors import ClientFileError, DataError, UsageError
from retention_lib.params import read_client_file
from retention_lib.report.cells import clean
from retention_lib.report.document.brand import LARGEST, logo
from retention_lib.report.mail_lists import safe
from retention_lib.report.names import LONGEST, LONGEST_TITLE, MARKS, printed, steady
from retention_lib.report.pseudonyms import VARIABLE, key_file, pseudonyms

#: What a client could call its export.
FILE = "=1+1 <img src=x onerror=alert(1)> {{7*7}} {name} $x$ \N{RIGHT-TO-LEFT OVERRIDE}gpj.parquet"


@dataclass(frozen=True)
class Ran:
    """A report on a hostile shop, and what the command said."""

    title: str
    groups: dict[str, list[str]]
    ids: list[str]
    home: Path
    said: str

    @property
    def folder(self) -> Path:
        return self.home / "work" / "reports" / "hostile" / "2024-12-31"

    @property
    def html(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")

    @property
    def text(self) -> str:
        return " ".join(BeautifulSoup(self.html, "html.parser").get_text(" ").split())


def run(home: Path, title: str, groups: dict[str, list[str]], **keys: Any) -> Ran:
    """Make a shop and its report, in a home and working folder of their own."""
    work = home / "work"
    work.mkdir(parents=True)
    rows = hostile.shop(groups["market"], groups["channel"], groups["category"])
    rows.to_parquet(work / FILE)
    file = {
        **{"client": "hostile", "title": title, "currency": "NOK", "source": FILE},
        **{"columns": COLUMNS, "dimensions": [*groups], "as_of": "2024-12-31"},
        **{"targets": {"retention.rate": 0.6}, **keys},
    }
    text = yaml.safe_dump(file, allow_unicode=True, sort_keys=False)
    (work / "hostile.yaml").write_text(text, encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k != VARIABLE}
    environment |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config")}
    done = subprocess.run(
        [Path(sys.executable).parent / "retention", "report", "hostile.yaml"],
        cwd=work,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # as they are read: without blanks around them
    ids = [str(one).strip(" \t\r\n") for one in rows[COLUMNS["customer"]].unique()]
    return Ran(title, groups, ids, home, done.stdout + done.stderr)


@pytest.fixture(scope="module", params=["pseudonyms", "ids"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp(request.param)
    if request.param == "pseudonyms":
        groups = {
            "market": HOSTILE[0:12],
            "channel": HOSTILE[12:24],
            "category": HOSTILE[24:36],
        }
        tiers = {STRINGS["formula"]: 0.1, STRINGS["mathtext"]: 0.3, STRINGS["override"]: 0.6}
        source = STRINGS["formula by minus"] + STRINGS["event handler"]
        given = [{"metric": "retention.rate", "value": 0.5, "source": source}]
        title = STRINGS["script"] + STRINGS["Jinja"]
        return run(home, title, groups, tiers=tiers, benchmarks=given)
    groups = {
        "market": HOSTILE[36:48],
        "channel": HOSTILE[48:60],
        "category": [*HOSTILE[60:], *CONTROLS.values()],
    }
    tiers = {"x" * LONGEST: 0.1, STRINGS["separators"]: 0.3, STRINGS["nothing to see"]: 0.6}
    given = [{"metric": "churn.rate", "value": 0.5, "source": LONG}]
    return run(home, LONG, groups, tiers=tiers, benchmarks=given, pseudonymise=False)


def test_there_are_some_forty_and_more() -> None:
    assert len(HOSTILE) + len(CONTROLS) > 40
    assert len({*HOSTILE, *CONTROLS.values()}) == len(HOSTILE) + len(CONTROLS)


@pytest.mark.slow
class TestReport:
    @pytest.mark.parametrize("width", [1280, 390])
    def test_nothing_runs_and_nothing_breaks_the_layout(
        self, ran: Ran, chromium: Browser, width: int
    ) -> None:
        file = ran.folder / "report.html"
        with browsing.opened(chromium, file, width) as (page, seen):
            for fold in page.locator("details").all():
                fold.evaluate("fold => fold.open = true")
            page.wait_for_timeout(300)
            assert seen.all == []
            assert page.evaluate("window.run") is None
            assert " ".join(page.title().split()).startswith(printed(ran.title, LONGEST_TITLE))
            assert page.locator("h1").all_text_contents() == [printed(ran.title, LONGEST_TITLE)]
            assert page.locator("footer").is_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == width
            outside = page.evaluate(
                """() => [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1
                        && !e.closest('.table, figure'))
                .map(e => e.outerHTML.slice(0, 120))"""
            )
            assert outside == []

    @pytest.mark.parametrize("width", [1280, 390])
    def test_the_page_of_all_clients_shows_the_title_as_text(
        self, ran: Ran, chromium: Browser, width: int
    ) -> None:
        file = ran.home / "work" / "reports" / "index.html"
        with browsing.opened(chromium, file, width) as (page, seen):
            assert seen.all == []
            assert page.evaluate("window.run") is None
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert printed(ran.title, 30)[:-2] in " ".join(
                page.locator("body").inner_text().split()
            )

    @pytest.mark.parametrize("dimension", ["market", "channel", "category"])
    def test_every_name_is_shown_as_text(self, ran: Ran, dimension: str) -> None:
        # twelve are shown by themselves, the others added up
        names = {printed(name) for name in ran.groups[dimension]}
        shown = {name for name in names if name in ran.text}
        assert len(shown) >= min(12, len(names)) - 1
        assert len(names) <= 12 or len(shown) >= 12
        for mark in ("\N{RIGHT-TO-LEFT OVERRIDE}", "\N{LEFT-TO-RIGHT EMBEDDING}", "\x00", "\x1b"):
            assert mark not in BeautifulSoup(ran.html, "html.parser").main.get_text()  # type: ignore[union-attr]

    def test_pictures_hold_no_script_and_no_address(self, ran: Ran) -> None:
        pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', ran.html)
        assert pictures
        for picture in pictures:
            svg = base64.b64decode(picture).decode()
            assert not re.search(r"<(script|metadata|foreignObject|!--)|https?://(?!www\.w3)", svg)

    def test_the_terminal_is_told_nothing_that_steers_it(self, ran: Ran) -> None:
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", ran.said)
        assert "Glyph" not in ran.said
        assert "Warning" not in ran.said

    def test_nothing_is_written_but_the_reports_and_the_key(self, ran: Ran) -> None:
        written = [p for p in ran.home.rglob("*") if p.is_file() and not p.is_symlink()]
        names = {p.relative_to(ran.home).as_posix() for p in written}
        beside = {n for n in names if not n.startswith("work/reports/")}
        known = {f"work/{FILE}", "work/hostile.yaml", "config/retention/pseudonym.key"}
        assert {
            n for n in beside if not re.match(r"\.(cache|ipython|jupyter|local|config)/", n)
        } <= known
        assert not Path("/tmp/written").exists()

    def test_what_is_left_in_the_workbook_is_text(self, ran: Ran) -> None:
        book = openpyxl.load_workbook(ran.folder / "actions.xlsx")
        known = {clean(one) for one in ran.ids}
        listed = set()
        for sheet in book:
            for row in sheet.iter_rows():
                assert all(cell.data_type in "sndb" for cell in row)
                assert all(cell.hyperlink is None for cell in row)
            if sheet.title != "About":
                listed |= {str(row[0]) for row in sheet.iter_rows(2, values_only=True) if row[0]}
        assert listed
        assert {"\n".join(one.split("\n")) for one in listed} <= known
        with zipfile.ZipFile(ran.folder / "actions.xlsx") as packed:
            parts = {name: packed.read(name).decode() for name in packed.namelist()}
        assert not any("<f>" in part or "<f " in part for part in parts.values())
        assert not [name for name in parts if "vba" in name or "externalLink" in name]

    def test_what_is_left_for_mail_tools_is_text_in_its_columns(self, ran: Ran) -> None:
        known = {safe(one) for one in ran.ids}
        lists = sorted((ran.folder / "lists").glob("*.csv"))
        assert lists
        listed = set()
        for file in lists:
            with file.open(encoding="utf-8", newline="") as text:
                head, *rows = csv.reader(text)
            assert all(len(row) == len(head) for row in rows)
            for cell in (cell for row in rows for cell in row):
                assert not re.match(r"[=@\t\r\n＝＠]", cell)
                assert not cell.startswith(("+", "-")) or re.fullmatch(r"[+-][\d.]+", cell)
            listed |= {row[head.index("customer")] for row in rows}
        assert listed <= known
        assert any(one.startswith("'=") for one in listed)

    def test_exports_carry_the_ids_as_they_are(self, ran: Ran) -> None:
        exported = pd.read_parquet(ran.folder / "customers.parquet").index
        assert {*exported} <= {*ran.ids}
        assert len(exported) > 0.9 * len(ran.ids)

    def test_the_page_and_what_it_is_made_of_name_nobody(self, ran: Ran) -> None:
        numbers = {one.rpartition(" ")[2] for one in ran.ids}  # "#17", which nothing else is called
        figures = json.loads((ran.folder / "metrics.json").read_text(encoding="utf-8"))
        seen = [ran.html, json.dumps(figures), (ran.folder / "run.json").read_text()]
        seen += [
            base64.b64decode(one).decode()
            for one in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", ran.html)
        ]
        seen += [
            json.dumps([cell.get("outputs") for cell in json.loads(file.read_text())["cells"]])
            for file in (ran.folder / "notebooks").glob("*.ipynb")
        ]
        named = {found for text in seen for found in re.findall(r"(?<=[ >])#\d+\b", text)} & numbers
        if "C-" in ran.text:
            assert named == set()
            assert re.search(r"\bC-[A-Z2-7]{8}\b", ran.text)
        else:
            assert named

    def test_the_key_is_the_owners_and_in_no_report(self, ran: Ran) -> None:
        key = ran.home / "config" / "retention" / "pseudonym.key"
        if not key.exists():
            assert "C-" not in ran.text
            return
        assert key.stat().st_mode & 0o777 == 0o600
        secret = key.read_bytes().strip()
        assert len(secret) == 64
        for file in (ran.home / "work").rglob("*"):
            assert not file.is_file() or secret not in file.read_bytes()


class TestNames:
    @given(st.text())
    def test_a_printed_name_is_short_and_on_one_line(self, text: str) -> None:
        line = printed(text)
        assert len(line) <= LONGEST
        assert line == " ".join(line.split())
        assert bool(line) == bool(text.strip())
        line.encode()

    @given(st.text(st.characters(categories=["L", "N", "P", "Zs", "Sm"]), max_size=LONGEST))
    def test_an_ordinary_name_is_printed_as_it_is(self, text: str) -> None:
        assert printed(text) == " ".join(text.split())

    @given(st.text())
    def test_what_is_steady_stays_so(self, text: str) -> None:
        assert steady(steady(text)) == steady(text)

    def test_accents_are_kept_and_heaps_of_them_are_not(self) -> None:
        assert steady("Trần Đức") == "Trần Đức"
        assert len(steady(STRINGS["zalgo"])) == len("zalgo") + MARKS


class TestKey:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE, raising=False)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def test_it_is_made_once_and_its_owners(self) -> None:
        first = pseudonyms("acme")("17")
        assert key_file().stat().st_mode & 0o777 == 0o600
        assert pseudonyms("acme")("17") == first
        assert pseudonyms("other")("17") != first
        key_file().unlink()
        assert pseudonyms("acme")("17") != first

    def test_one_that_others_can_read_is_closed(self) -> None:
        pseudonyms("acme")
        key_file().chmod(0o644)
        pseudonyms("acme")
        assert key_file().stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("key", ["", "secret", " " * 40])
    def test_one_that_can_be_guessed_is_refused(
        self, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pseudonyms("acme")
        key_file().write_text(key)
        with pytest.raises(UsageError, match="could be guessed"):
            pseudonyms("acme")
        monkeypatch.setenv(VARIABLE, key or "x")
        with pytest.raises(UsageError, match=f"{VARIABLE} has"):
            pseudonyms("acme")

    def test_where_it_cannot_be_made_a_sentence_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
        with pytest.raises(UsageError, match=f"can't be read or made .*{VARIABLE}"):
            pseudonyms("acme")

    @pytest.mark.parametrize("customer", [*HOSTILE, *CONTROLS.values(), "\ud800"])
    def test_any_id_has_one(self, customer: str) -> None:
        assert re.fullmatch("C-[A-Z2-7]{8}", pseudonyms("acme")(customer))


class TestQueries:
    """`table` may be a query, and a query may only read."""

    @pytest.fixture
    def client(self, tmp_path: Path) -> Any:
        con = duckdb.connect(str(tmp_path / "shop.duckdb"))
        con.execute("CREATE TABLE orders AS SELECT 'a' id, DATE '2024-01-01' AS d, 1.5 AS a")
        con.close()

        def made(table: str) -> Any:
            file = tmp_path / "acme.yaml"
            columns = {"customer": "id", "date": "d", "amount": "a"}
            keys = {"client": "acme", "currency": "NOK", "source": "duckdb://shop.duckdb"}
            text = yaml.safe_dump({**keys, "columns": columns, "table": table})
            file.write_text(text, encoding="utf-8")
            read = read_client_file(file)
            return open_database(read.params, read.folder)

        return made

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT * FROM orders; COPY orders TO '{place}'; SELECT * FROM orders",
            "SELECT 1; EXPORT DATABASE '{place}'",
            "SELECT * FROM orders; ATTACH '{place}' AS x; CREATE TABLE x.t AS SELECT 1",
            "SELECT 1;; COPY orders TO '{place}'",
            "SELECT $$a$$; COPY orders TO '{place}'; --$$",
            "SELECT 'a\\'; COPY orders TO '{place}'; --'",
            "SELECT 1 /* ; */; INSTALL httpfs",
            "SELECT 1; SET enable_external_access = true",
            "SELECT 1 WITH CHECK OPTION; COPY orders TO '{place}'",
            "WITH x AS (SELECT 1) DELETE FROM orders",
            "SELECT * INTO other FROM orders",
            "select * from orders) as x; copy orders to '{place}'; --",
        ],
    )
    def test_one_that_could_write_is_refused(self, client: Any, tmp_path: Path, query: str) -> None:
        before = {p: p.read_bytes() for p in tmp_path.iterdir() if p.suffix == ".duckdb"}
        with pytest.raises(DataError, match=r"^table: "):
            client(query.format(place=tmp_path / "written"))
        assert not (tmp_path / "written").exists()
        assert {p: p.read_bytes() for p in before} == before

    @pytest.mark.parametrize(
        "query",
        [
            "SELECT * FROM orders",
            "select * from orders;\n",
            "WITH x AS (SELECT * FROM orders) SELECT * FROM x UNION ALL SELECT * FROM x",
            "SELECT id, d, a FROM orders WHERE id <> ';' -- ; not a second one",
        ],
    )
    def test_one_that_reads_is_run(self, client: Any, query: str) -> None:
        assert client(query).table.columns == ("id", "d", "a")

    @pytest.mark.parametrize("text", HOSTILE, ids=STRINGS)
    def test_a_name_is_a_name(self, client: Any, text: str) -> None:
        with pytest.raises(DataError, match=r"^table: .* has no table or view"):
            client(text)

    def test_a_password_in_one_is_refused_and_not_repeated(self, client: Any) -> None:
        query = "SELECT * FROM postgres_scan('host=x password=hunter2', 'a', 'b')"
        with pytest.raises(DataError, match="literal password") as refused:
            client(query)
        assert "hunter2" not in str(refused.value)

    @pytest.mark.parametrize(
        ("kind", "query"),
        [
            ("postgres", "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x"),
            ("postgres", "SELECT set_config('default_transaction_read_only', 'off', false)"),
            ("postgres", "SELECT 1; SET default_transaction_read_only = off"),
            ("pyspark", "WITH x AS (SELECT 1) INSERT INTO orders SELECT * FROM x"),
            ("snowflake", "SELECT 1; DROP TABLE orders"),
            ("bigquery", "SELECT 1; EXPORT DATA OPTIONS (uri='gs://x') AS SELECT 1"),
        ],
    )
    def test_a_server_is_asked_for_rows_only(self, kind: str, query: str) -> None:
        with pytest.raises(DataError, match=r"^table: found"):
            check_reads_only(kind, query)


class TestLogo:
    @pytest.mark.parametrize(
        ("name", "content", "found"),
        [
            ("passwd.png", b"root:x:0:0:root", "isn't what its name says"),
            ("page.svg", b"<html><script>alert(1)</script></html>", "isn't what its name says"),
            ("words.svg", b"text", "isn't what its name says"),
            ("script.svg", b"<svg><script>alert(1)</script></svg>", "holds a script"),
            ("handler.svg", b"<svg><g onload='alert(1)'/></svg>", "holds a script"),
            ("link.svg", b"<svg><a href='java&#115;cript:alert(1)'/></svg>", "holds a script"),
            ("foreign.svg", b"<svg><foreignObject/></svg>", "holds a script"),
            ("large.png", b"\x89PNG\r\n\x1a\n" + b"0" * LARGEST, "save it smaller"),
        ],
    )
    def test_what_is_no_picture_stays_out(
        self, tmp_path: Path, name: str, content: bytes, found: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ClientFileError, match=rf"^brand\.logo: .*{found}"):
            logo(str(tmp_path / name))

    @pytest.mark.parametrize("to", ["/dev/zero", "/etc/passwd", "/etc"])
    def test_a_link_leads_to_no_other_file(self, tmp_path: Path, to: str) -> None:
        (tmp_path / "logo.png").symlink_to(to)
        with pytest.raises(ClientFileError, match=r"^brand\.logo: "):
            logo(str(tmp_path / "logo.png"))

    def test_as_drawing_programs_save_it_it_is_taken(self, tmp_path: Path) -> None:
        svg = (
            b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<!DOCTYPE svg PUBLIC "x" "y" '
            b'[<!ENTITY n "http://n">]>\n<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="&n;"/>'
        )
        (tmp_path / "logo.svg").write_bytes(svg)
        assert logo(str(tmp_path / "logo.svg")).startswith("data:image/svg+xml;base64,")


@pytest.mark.slow
def test_what_the_environment_fills_in_is_left_nowhere(tmp_path: Path) -> None:
    secret = "s3cr3t-Hunter2"
    (tmp_path / secret).mkdir()
    rows = hostile.shop(["a", "b"], ["c"], ["d"], customers=120)
    con = duckdb.connect(str(tmp_path / secret / "shop.duckdb"))
    con.register("rows", rows.rename(columns={v: k for k, v in COLUMNS.items()}))
    con.execute("CREATE TABLE orders AS SELECT * FROM rows")
    con.close()
    columns = {"customer": "customer", "date": "date", "amount": "amount"}
    keys = {"client": "acme", "currency": "NOK", "source": "duckdb://${PLACE}/shop.duckdb"}
    said = ""
    for table, code in (("orders", 0), ("missing", 3), ("SELECT nothing FROM orders", 3)):
        text = yaml.safe_dump({**keys, "columns": columns, "table": table})
        (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [Path(sys.executable).parent / "retention", "report", "acme.yaml"],
            cwd=tmp_path,
            env=os.environ | {"PLACE": str(tmp_path / secret), VARIABLE: "k" * 32},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        said += done.stdout + done.stderr
    assert secret not in said
    left = [p for p in (tmp_path / "reports").rglob("*") if p.is_file()]
    assert {p.suffix for p in left} >= {".html", ".json", ".ipynb"}
    assert [p for p in left if secret.encode() in p.read_bytes()] == []
    assert [p for p in left if b"k" * 32 in p.read_bytes()] == []
