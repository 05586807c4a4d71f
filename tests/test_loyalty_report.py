"""Chapter 05 in whole reports: each data set has its say, and changes nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import made_up_loyalty as made_up
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from openpyxl import load_workbook

from retention_lib.metrics import is_metric, unit_of
from retention_lib.params import read_client_file
from retention_lib.run.report import report_client

pytestmark = pytest.mark.slow

FAMILIES = ("programme.", "experiment.", "survey.", "subscription.")
AS_OF = "2024-12-31"


@pytest.fixture(scope="module")
def club() -> made_up.Club:
    return made_up.club()


def report(folder: Path, club: made_up.Club, *given: str, language: str = "en") -> Path:
    file = read_client_file(made_up.write(folder, *given, language=language, made=club))
    made = report_client(file, folder / "reports")
    return made.report.parent


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, club: made_up.Club) -> Path:
    """The report with every data set."""
    return report(tmp_path_factory.mktemp("whole"), club)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, club: made_up.Club) -> Path:
    """The report on the orders alone."""
    return report(tmp_path_factory.mktemp("plain"), club, "orders")


def metrics(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / "metrics.json").read_text())["metrics"]


def page(folder: Path) -> BeautifulSoup:
    html = BeautifulSoup((folder / "report.html").read_text(), "html.parser")
    for details in html.select("details"):  # the code; its parameters differ
        details.decompose()
    return html


def chapters(folder: Path) -> dict[str, str]:
    """The text of each chapter by its heading's anchor; of the summary without the further sets."""
    html = page(folder)
    found = {}
    for heading in html.select("main h2, article h2, h2"):
        if heading.get("id") is None:
            continue
        text = []
        for one in heading.find_all_next(["h2", "h3", "p", "td", "dd", "img"]):
            if one.name == "h2":
                break
            if "kicker" in one.get("class", []):  # it stands over the next heading
                continue
            text.append(one.get("alt") or one.get_text(" ", strip=True))
        found[str(heading["id"])] = "\n".join(text)
    return found


def test_every_data_set_has_its_part(whole: Path) -> None:
    html = page(whole)
    for anchor in ("loyalty", "programme", "test-sommerbrev", "survey", "subscriptions"):
        assert html.find(id=anchor) is not None, anchor
    # the summary has a sentence on each, with a link to where it is told
    links = {a["href"] for a in html.select("dl.facts dt a")}
    assert {"#programme", "#test-sommerbrev", "#survey", "#subscriptions"} <= links


def test_the_truth_that_was_put_in_comes_out(whole: Path) -> None:
    found = metrics(whole)
    joined = found["programme.uplift_revenue_relative"]
    assert joined["low"] < made_up.UPLIFT < joined["high"]
    assert joined["low"] > 0
    # of those whom the letter makes buy, some had bought anyway
    assert 0 < found["experiment.sommerbrev.uplift_repurchase"]["value"] < made_up.MAIL
    assert found["experiment.sommerbrev.srm_p"]["value"] > 0.001
    # the loyal answer more and score higher: weighted it is lower
    assert found["survey.nps_weighted"]["value"] < found["survey.nps"]["value"]


def test_every_figure_is_a_metric_with_its_unit(whole: Path) -> None:
    own = {n: m for n, m in metrics(whole).items() if n.startswith(FAMILIES)}
    assert {name.split(".")[0] for name in own} == {
        "programme",
        "experiment",
        "survey",
        "subscription",
    }
    for name, metric in own.items():
        assert is_metric(name), name
        assert metric["unit"] == unit_of(name), name
        assert metric["value"] is not None or metric["note"], name


def test_they_are_in_the_history_the_index_and_the_workbook(whole: Path) -> None:
    history = pd.read_parquet(whole.parent / "history.parquet")
    assert {"survey.nps", "programme.members", "subscription.net_retention"} <= set(
        history["metric"]
    )
    index = (whole.parents[1] / "index.html").read_text()
    assert "Beyond the orders" in index
    assert len(json.loads((whole / "run.json").read_text())["beyond"]) == 4
    sheets = load_workbook(whole / "actions.xlsx").sheetnames
    assert {"Unhappy and valuable", "Renewals due"} <= set(sheets)
    assert (whole / "lists" / "renewals.csv").exists()


@pytest.mark.parametrize("given", [(), ("programme", "survey"), ("experiments", "subscriptions")])
def test_nothing_else_in_the_report_changes(
    tmp_path: Path, club: made_up.Club, plain: Path, whole: Path, given: tuple[str, ...]
) -> None:
    folder = report(tmp_path, club, *given) if given else whole
    with_them, without = metrics(folder), metrics(plain)
    assert {n: m for n, m in with_them.items() if not n.startswith(FAMILIES)} == without
    then, now = chapters(plain), chapters(folder)
    beyond = "Beyond the orders"
    for anchor, text in then.items():
        if anchor == "method":  # it defines what the other chapters print, and names the files
            continue
        said = now[anchor].partition(f"\n{beyond}\n")[0] if anchor == "summary" else now[anchor]
        assert said == text, anchor


@pytest.mark.parametrize("language", ["nb", "da", "sv"])
def test_it_is_told_in_the_clients_language(
    tmp_path: Path, club: made_up.Club, whole: Path, language: str
) -> None:
    folder = report(tmp_path, club, language=language)
    assert metrics(folder).keys() == metrics(whole).keys()
    html = page(folder)
    links = [a["href"] for a in html.select('dl.facts dt a[href^="#"]')]
    assert len(links) == 4
    assert all(html.find(id=link.removeprefix("#")) is not None for link in links)
    told, english = chapters(folder), chapters(whole)
    same = set(told["loyalty"].split("\n")) & set(english["loyalty"].split("\n"))
    # figures and names are alike in two languages, sentences are not
    assert [line for line in same if line.count(" ") > 3] == []


def test_a_report_of_a_day_before_they_begin_says_so(tmp_path: Path, club: made_up.Club) -> None:
    file = made_up.write(tmp_path, language="en", made=club)
    early = "as_of: 2023-04-15\nperiod_months: 3\nactive_months: 3\n"
    file.write_text(file.read_text(encoding="utf-8") + early, encoding="utf-8")
    made = report_client(read_client_file(file), tmp_path / "reports", only="05_loyalty")
    text = BeautifulSoup(made.report.read_text(), "html.parser").get_text(" ", strip=True)
    assert "The programme has no members on the report's day" in text
    assert "It begins after the last day of the report." in text
    assert "Nobody who was asked has answered yet" in text
    assert "outside_window" not in text
