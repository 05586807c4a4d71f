"""The whole way: a client file in, a report out, with the real kernel on real data."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import browsing
import nbformat
import openpyxl
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from retention_lib.data import open_base
from retention_lib.errors import ChapterError, DataError
from retention_lib.params import read_client_file
from retention_lib.report.labels import LABELS
from retention_lib.report.page import metrics_of
from retention_lib.run.chapters import CHAPTERS
from retention_lib.run.report import injected, report_client

pytestmark = pytest.mark.slow

# CONTRACT, section 4, by hand: the list of the code can't vouch for itself
#: Of CONTRACT, section 4; further ones are the report's own.
CONTRACT_IDS = {
    *(f"customers.{n}" for n in ("total", "active", "new", "returning", "at_start", "at_end")),
    *("customers.reactivated", "customers.lost", "customers.expected_alive"),
    *("retention.rate", "retention.rate_formula", "retention.repurchase_rate", "churn.rate"),
    *("retention.repeat_rate", "retention.ever_repeat_rate", "retention.repeat_90d"),
    *("journey.days_to_second", "revenue.net", "orders.count", "orders.aov"),
    *("orders.per_customer", "revenue.returning_share", "revenue.top20_share"),
    *("spend.returning_vs_new", "holdout.bias", "holdout.mae", "holdout.baseline_mae"),
    *("purchases.expected", "clv.total", "clv.mean", "clv.top20_share"),
}
#: Figures of data sets beside the orders, of which these clients give none.
BEYOND = ("programme.", "experiment.", "survey.", "subscription.")
#: Told only where the data has categories.
WITH_CATEGORIES = {"journey.second_known_category", "journey.second_new_category"}
SPEND = {f"model.gammagamma.{p}" for p in ("p", "q", "v", "log_likelihood")}
PURCHASE_MODELS = {
    "bgnbd": ("r", "alpha", "a", "b", "log_likelihood"),
    "mbgnbd": ("r", "alpha", "a", "b", "log_likelihood"),
    "paretonbd": ("r", "alpha", "s", "beta", "log_likelihood"),
}


def figures(reports: Path, client: str, as_of: str) -> dict:
    return json.loads((reports / client / as_of / "metrics.json").read_text())


@pytest.fixture(scope="module")
def cdnow(reports: Path) -> Path:
    return reports / "cdnow" / "1998-06-30"


@pytest.fixture(scope="module")
def sample(reports: Path) -> Path:
    return reports / "cdnow-sample" / "1997-09-30"


class TestFiles:
    def test_a_run_leaves_what_the_contract_says(self, cdnow: Path) -> None:
        names = {p.relative_to(cdnow).as_posix() for p in cdnow.rglob("*") if p.is_file()}
        assert names == {
            *("report.html", "metrics.json", "run.json", "customers.parquet", "actions.xlsx"),
            "model.json",
            *(f"lists/{n}.csv" for n in ("win_back", "remind_now", "thank_best", "second_order")),
            *(f"notebooks/{chapter}.ipynb" for chapter in CHAPTERS),
        }

    def test_nothing_is_left_beside_the_reports(self, reports: Path) -> None:
        beside = [".history.lock", ".prepared", ".run.lock", "history.parquet"]
        assert {p.name for p in reports.iterdir() if p.is_file()} == {".index.lock", "index.html"}
        folders = [p for p in reports.iterdir() if p.is_dir()]
        found = {p.name: sorted(one.name for one in p.iterdir()) for p in folders}
        assert found["cdnow"] == [*beside[:-1], "1998-06-30", *beside[-1:]]
        assert found["cdnow-sample"] == [*beside[:-1], "1997-09-30", *beside[-1:]]

    @pytest.mark.parametrize(
        ("client", "as_of"), [("cdnow", "1998-06-30"), ("cdnow-sample", "1997-09-30")]
    )
    def test_every_metric_of_the_contract_is_there(
        self, reports: Path, client: str, as_of: str
    ) -> None:
        found = figures(reports, client, as_of)
        assert (found["schema"], found["client"], found["as_of"]) == (1, client, as_of)
        ids = set(found["metrics"])
        model = next(name for name in PURCHASE_MODELS if f"model.{name}.r" in ids)
        orders = {name for name in LABELS if not name.startswith(BEYOND)}
        wanted = (orders - WITH_CATEGORIES) | SPEND
        assert ids == wanted | {f"model.{model}.{p}" for p in PURCHASE_MODELS[model]}
        units = {"count", "share", "currency", "days", "months", "ratio", "number"}
        for name, metric in found["metrics"].items():
            assert metric["unit"] in units, name
            assert metric["value"] is not None or metric["note"], name
            assert set(metric) <= {
                *("value", "unit", "low", "high", "n", "previous", "year_ago", "note")
            }

    def test_every_metric_of_the_contract_has_its_label(self) -> None:
        assert set(LABELS) >= CONTRACT_IDS

    def test_figures_that_cannot_be_known_are_null_with_a_note(self, sample: Path) -> None:
        # its history is shorter than the period: nobody was a customer before it
        rate = json.loads((sample / "metrics.json").read_text())["metrics"]["retention.rate"]
        assert rate["value"] is None
        assert rate["note"].startswith("Nobody had bought")

    def test_provenance_says_from_what_and_with_what(self, cdnow: Path) -> None:
        run = json.loads((cdnow / "run.json").read_text())
        assert run["data"]["rows"] == run["data"]["rows_used"] == 69_659
        assert run["parameters"]["source"] == "builtin:cdnow"
        assert set(run["seconds"]) == {"data", "forecast", "report", *CHAPTERS}
        assert run["versions"]["lifetimes"] == "0.11.3"

    def test_one_row_per_customer(self, cdnow: Path, root: Path) -> None:
        customers = pd.read_parquet(cdnow / "customers.parquet")
        file = read_client_file(root / "params" / "cdnow.yaml")
        base = open_base(file.params, file.folder).customers()
        assert customers.index.tolist() == base.index.tolist()
        assert customers["frequency"].equals(base["frequency"])
        assert customers["p_alive"].between(0, 1).all()
        assert (customers["clv_low"] <= customers["clv_high"]).all()
        total = figures(cdnow.parents[1], "cdnow", "1998-06-30")["metrics"]["clv.total"]
        assert customers["clv"].sum() == pytest.approx(total["value"])
        assert total["low"] < total["value"] < total["high"]

    def test_lists_carry_the_real_ids_and_open_in_a_spreadsheet(self, cdnow: Path) -> None:
        book = openpyxl.load_workbook(cdnow / "actions.xlsx")
        assert book.sheetnames == [
            *("About", "Win back", "Remind now", "Thank the best", "Second order"),
        ]
        customers = pd.read_parquet(cdnow / "customers.parquet")
        ids = [row[0] for row in book["Win back"].iter_rows(values_only=True)]
        listed = [i for i in ids if i in customers.index]
        assert len(listed) == 2_000
        assert (customers.loc[listed, "rhythm"] == "late").all()
        assert (customers.loc[listed, "p_alive"] >= 0.05).all()
        assert (customers.loc[listed, "purchases"] >= 2).all()


class TestPublishedFigures:
    """FACTS: CDNOW 1/10 sample, weeks, to 1997-09-30."""

    @pytest.mark.parametrize(
        ("metric", "published"),
        [
            ("model.bgnbd.r", 0.2425945),
            ("model.bgnbd.alpha", 4.4136019),
            ("model.bgnbd.a", 0.7929199),
            ("model.bgnbd.b", 2.4258881),
            ("model.bgnbd.log_likelihood", -9_582.429),
            ("model.gammagamma.p", 6.25),
            ("model.gammagamma.q", 3.74),
            ("model.gammagamma.v", 15.44),
            ("model.gammagamma.log_likelihood", -4_055.918),
        ],
    )
    def test_correctness_models(self, reports: Path, metric: str, published: float) -> None:
        found = figures(reports, "cdnow-sample", "1997-09-30")["metrics"][metric]["value"]
        assert float(f"{found:.3g}") == float(f"{published:.3g}")

    def test_correctness_customers(self, reports: Path) -> None:
        found = figures(reports, "cdnow-sample", "1997-09-30")["metrics"]
        assert found["customers.total"]["value"] == 2_357
        assert found["journey.days_to_second"]["n"] == 946


class TestReport:
    def test_it_is_one_file_that_asks_nobody_for_anything(self, cdnow: Path) -> None:
        html = (cdnow / "report.html").read_text()
        assert not re.search(r"""(?:src|href|action)\s*=\s*["']?(?:https?:)?//""", html)
        assert "<script" not in html
        assert "@import" not in html
        assert not re.search(r"url\(\s*['\"]?(?!data:)", html)
        assert len(html.encode()) < 1_500_000

    def test_in_a_browser_it_reads_as_a_report(self, cdnow: Path, chromium: Browser) -> None:
        with browsing.opened(chromium, cdnow / "report.html") as (page, seen):
            self._reads_as_a_report(page)
        assert seen.all == []

    @staticmethod
    def _reads_as_a_report(page: Page) -> None:
        assert page.title().startswith("CDNOW")
        assert page.locator("h1").all_inner_texts() == ["CDNOW"]
        headings = page.locator("h2").all_inner_texts()
        # the last chapter, on the method, has no notebook
        assert len(headings) == len(CHAPTERS) + 1
        assert "left; today's are expected to bring about" in headings[0]
        assert page.locator("figure img").count() >= 10
        assert page.locator("table").count() >= 6
        for link in page.locator("nav a").all():
            target = link.get_attribute("href") or ""
            assert target.startswith("#")
            assert page.locator(f'[id="{target[1:]}"]').count() == 1
        drawn = "imgs => imgs.every(i => i.complete && i.naturalWidth > 100 && i.alt.length > 20)"
        assert page.locator("figure img").evaluate_all(drawn)
        assert page.locator("details[open]").count() == 0
        too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(too_wide)
        page.set_viewport_size({"width": 390, "height": 800})
        assert not page.evaluate(too_wide)

    def test_customers_go_by_pseudonyms_in_the_report(self, cdnow: Path) -> None:
        html = (cdnow / "report.html").read_text()
        customers = pd.read_parquet(cdnow / "customers.parquet")
        best = customers["clv"].idxmax()
        assert f">{best}<" not in html
        assert re.search(r">C-[A-Z2-7]{8}<", html)

    def test_figures_and_sentences_agree_with_the_metrics(self, cdnow: Path) -> None:
        html = (cdnow / "report.html").read_text()
        found = json.loads((cdnow / "metrics.json").read_text())["metrics"]
        assert f"{found['churn.rate']['value']:.1%}" in html
        assert f"{found['customers.lost']['value']:,}" in html
        assert f"${found['revenue.net']['value']:,.0f}" in html


class TestPlainWay:
    def test_plain_papermill_gives_the_same_figures(
        self, sample: Path, tmp_path: Path, root: Path
    ) -> None:
        binary = Path(sys.executable).parent
        out = tmp_path / "out.ipynb"
        run = subprocess.run(
            [
                *(binary / "papermill", "notebooks/03_cltv.ipynb", out),
                *("-f", "params/cdnow-sample.yaml", "--no-progress-bar"),
            ],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "unknown" not in run.stderr.lower()
        found = {n: m.as_json() for n, m in metrics_of(nbformat.read(out, 4)).items()}
        reported = json.loads((sample / "metrics.json").read_text())["metrics"]
        assert {"clv.total", "holdout.bias", "economics.plus_1_point"} <= set(found)
        assert {n: reported[n] for n in found} == found
        subprocess.run(
            [binary / "jupyter", "nbconvert", "--to", "retention", out],
            capture_output=True,
            check=True,
        )
        html = (tmp_path / "out.html").read_text()
        assert f"{found['model.bgnbd.r']['value']:.3f}" in html
        assert f"${found['clv.total']['value']:,.0f}" in html

    def test_an_executed_copy_can_be_opened_and_gone_on_from(
        self, sample: Path, tmp_path: Path
    ) -> None:
        from nbclient import NotebookClient

        copy = nbformat.read(sample / "notebooks" / "02_retention.ipynb", 4)
        cell = next(c for c in copy.cells if "injected-parameters" in c.metadata.get("tags", []))
        cell.source += "\nperiod_months = 3\nactive_months = 3\n"
        NotebookClient(
            copy, timeout=120, resources={"metadata": {"path": str(sample / "notebooks")}}
        ).execute()
        changed = metrics_of(copy)["retention.rate"]
        assert changed.value is not None
        assert changed.n == metrics_of(copy)["customers.at_start"].value > 0

    def test_a_notebook_by_hand_runs_from_its_defaults(self, root: Path, tmp_path: Path) -> None:
        from nbclient import NotebookClient

        template = nbformat.read(root / "notebooks" / "01_data.ipynb", 4)
        NotebookClient(template, timeout=120, resources={"metadata": {"path": tmp_path}}).execute()
        said = "".join(
            str(output.get("data", {}).get("text/plain", ""))
            for cell in template.cells
            for output in cell.get("outputs", [])
        )
        assert "Every one of the 69,659 rows could be used" in said


class TestFailures:
    def client(self, tmp_path: Path, rows: str, more: str = "") -> Path:
        (tmp_path / "orders.csv").write_text(rows)
        file = tmp_path / "acme.yaml"
        file.write_text(
            "client: acme\ncurrency: NOK\nsource: orders.csv\n"
            "columns: {customer: id, date: day, amount: sum}\n" + more
        )
        return file

    def test_data_that_cannot_be_used_makes_no_report(self, tmp_path: Path) -> None:
        file = read_client_file(self.client(tmp_path, "id,day,sum\n1,soon,10\n"))
        with pytest.raises(DataError, match="no row can be used") as caught:
            report_client(file, tmp_path / "reports")
        assert caught.value.exit_code == 3
        # but what the page of all clients tells of it
        assert {p.name for p in (tmp_path / "reports" / "acme").iterdir()} == {
            ".run.lock",
            "data.failed",
        }

    def test_a_chapter_that_stops_leaves_the_last_good_report(
        self, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = tmp_path / "project"
        shutil.copytree(root / "notebooks", project / "notebooks")
        monkeypatch.chdir(project)
        rows = "id,day,sum\n" + "".join(
            f"{c},2025-{1 + (c + k) % 9:02d}-{1 + (7 * c + k) % 28:02d},{10 + c % 7}\n"
            for c in range(200)
            for k in range(1 + c % 4)
        )
        file = read_client_file(self.client(tmp_path, rows, "as_of: 2025-09-30\n"))
        made = report_client(file, tmp_path / "reports")
        before = made.report.read_bytes()

        broken = project / "notebooks" / "02_retention.ipynb"
        notebook = nbformat.read(broken, 4)
        notebook.cells.append(nbformat.v4.new_code_cell("1 / 0"))
        nbformat.write(notebook, broken)
        with pytest.raises(ChapterError, match=r"02_retention.*ZeroDivisionError") as caught:
            report_client(file, tmp_path / "reports")
        assert made.report.read_bytes() == before
        failed = made.report.parent.with_name("2025-09-30.failed")
        assert str(failed / "notebooks" / "02_retention.ipynb") in caught.value.sentences[0]
        assert str(failed / "run.log") in caught.value.sentences[-1]
        assert (failed / "notebooks" / "02_retention.ipynb").exists()
        assert "ZeroDivisionError" in (failed / "run.log").read_text()

    @pytest.mark.parametrize(
        ("name", "rows"),
        [
            ("one customer", "id,day,sum\n7,2025-01-01,10\n7,2025-03-01,20\n"),
            ("one row", "id,day,sum\n7,2025-01-01,10\n"),
            (
                "nobody came back",
                "id,day,sum\n" + "".join(f"{i},2025-0{1 + i % 9}-11,5\n" for i in range(300)),
            ),
            (
                "only returns beside one purchase",
                "id,day,sum\n1,2025-01-01,-5\n2,2025-01-02,-3\n3,2025-02-01,8\n",
            ),
            (
                "two years, all on one day each",
                "id,day,sum\n"
                + "".join(f"{i},{2024 + k}-05-05,5\n" for i in range(60) for k in range(2)),
            ),
        ],
    )
    def test_thin_data_makes_a_report_that_says_so(
        self, tmp_path: Path, name: str, rows: str
    ) -> None:
        file = read_client_file(self.client(tmp_path, rows))
        made = report_client(file, tmp_path / "reports")
        html = made.report.read_text()
        assert "nan" not in re.sub(r"<[^>]*>|[\w-]*finan\w*", " ", html).lower().split()
        assert set(made.metrics) >= CONTRACT_IDS, name
        assert all(m.value is not None or m.note for m in made.metrics.values())


def test_what_is_injected_can_be_run_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,day,sum\n1,2025-01-01,10\n")
    file = tmp_path / "acme.yaml"
    file.write_text(
        "client: acme\ncurrency: NOK\nsource: orders.csv\n"
        "columns: {customer: id, date: day, amount: sum}\n"
    )
    assert injected(read_client_file(file))["source"] == [str((tmp_path / "orders.csv").resolve())]


def test_a_name_from_the_environment_is_not_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS", str(tmp_path / "secret" / "orders.csv"))
    file = tmp_path / "acme.yaml"
    file.write_text(
        "client: acme\ncurrency: NOK\nsource: ${ORDERS}\n"
        "columns: {customer: id, date: day, amount: sum}\n"
    )
    assert injected(read_client_file(file))["source"] == "${ORDERS}"
