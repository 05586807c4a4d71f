"""What has not changed is not made again; what has, is said."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retention_lib.params import read_client_file
from retention_lib.run import fingerprint
from retention_lib.run.fingerprint import parts, unchanged
from retention_lib.run.job import Job

ROWS = "id,day,sum\n7,2025-01-01,10\n7,2025-03-01,20\n"
CLIENT = (
    "client: acme\ncurrency: NOK\nsource: ${FOLDER}/orders*.csv\n"
    "columns: {customer: id, date: day, amount: sum}\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    monkeypatch.setenv("FOLDER", str(tmp_path))
    (tmp_path / "orders.csv").write_text(ROWS)
    (tmp_path / "acme.yaml").write_text(CLIENT)
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    report(tmp_path, "2025-03-31")
    return tmp_path


def job(folder: Path, **asked: Any) -> Job:
    return Job(read_client_file(folder / "acme.yaml"), folder / "reports", **asked)


def report(folder: Path, day: str) -> Path:
    """A report as a run leaves it, as far as is looked at here."""
    made = folder / "reports" / "acme" / day
    made.mkdir(parents=True, exist_ok=True)
    for name in ("report.html", "metrics.json", "customers.parquet", "../history.parquet"):
        (made / name).write_text(name)
    asked = job(folder)
    inputs = parts(asked, folder / "notebooks")
    inputs |= fingerprint.earlier(asked.folder, dt.date.fromisoformat(day))
    sha256, *further = fingerprint._of_bytes(asked.file)
    run = {"inputs": inputs, "author": None, "data": {"sha256": sha256}}
    run["datasets"] = {str(number): {"sha256": one} for number, one in enumerate(further)}
    (made / "run.json").write_text(json.dumps(run))
    return made


def found(folder: Path, **asked: Any) -> tuple[str | None, str]:
    made, why = unchanged(job(folder, **asked), folder / "notebooks")
    return made and made.name, why


def test_what_is_as_it_was_is_not_made_again(folder: Path) -> None:
    assert found(folder) == ("2025-03-31", "")


def change_the_data(folder: Path) -> None:
    (folder / "orders.csv").write_text(ROWS + "8,2025-03-02,5\n")


def change_the_client_file(folder: Path) -> None:
    (folder / "acme.yaml").write_text(CLIENT + "margin: 0.4\n")


def change_a_notebook(folder: Path) -> None:
    with (folder / "notebooks" / "03_cltv.ipynb").open("a") as stream:
        stream.write("\n")


def add_an_earlier_report(folder: Path) -> None:
    made = report(folder, "2025-02-28")
    run = json.loads((made / "run.json").read_text())
    run["inputs"]["client_file"] = "with another as_of"
    (made / "run.json").write_text(json.dumps(run))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (change_the_data, "the data changed"),
        (lambda f: (f / "orders_2.csv").write_text(ROWS), "the data changed"),
        (change_the_client_file, "the client file changed"),
        (change_a_notebook, "the notebooks changed"),
        (add_an_earlier_report, "an earlier report changed"),
        (lambda f: (f / "reports/acme/2025-03-31/report.html").unlink(), "report.html isn't there"),
        (lambda f: (f / "reports/acme/history.parquet").unlink(), "the history isn't there"),
        (lambda f: (f / "reports/acme/2025-03-31/run.json").write_text("{"), ""),
        (lambda f: (f / "reports/acme/2025-03-31/run.json").write_text("[]"), ""),
        (
            lambda f: (f / "reports/acme/2025-03-31/run.json").write_text("{}"),
            "the client file, the data, the notebooks, the program, an earlier report changed",
        ),
    ],
)
def test_what_changed_is_made_again_and_said(
    folder: Path, change: Callable[[Path], object], why: str
) -> None:
    change(folder)
    assert found(folder) == (None, why)


def test_a_comment_in_the_client_file_changes_nothing(folder: Path) -> None:
    (folder / "acme.yaml").write_text(f"# Acme's orders\n{CLIENT}")
    assert found(folder) == ("2025-03-31", "")


def test_an_export_that_is_fetched_again_and_holds_the_same_is_no_change(folder: Path) -> None:
    file = folder / "orders.csv"
    os.utime(file, (1e9, 1e9))
    assert found(folder) == ("2025-03-31", "")


def test_a_further_data_set_is_data_too(folder: Path) -> None:
    answers = folder / "answers.csv"
    answers.write_text("id,day,score\n7,2025-02-01,9\n")
    survey = "survey: {source: answers.csv, columns: {customer: id, date: day, nps: score}}\n"
    (folder / "acme.yaml").write_text(CLIENT + survey)
    report(folder, "2025-03-31")
    assert found(folder) == ("2025-03-31", "")
    os.utime(answers, (1e9, 1e9))  # fetched again, and the same
    assert found(folder) == ("2025-03-31", "")
    answers.write_text("id,day,score\n7,2025-02-01,3\n")
    assert found(folder) == (None, "the data changed")


def test_another_program_makes_every_report_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "program", lambda: "another")
    assert found(folder) == (None, "the program changed")


def test_another_value_of_a_variable_makes_it_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "orders.csv").write_text(ROWS + "9,2025-03-03,5\n")
    monkeypatch.setenv("FOLDER", str(folder / "elsewhere"))
    assert found(folder) == (None, "the client file, the data changed")


def test_another_author_or_a_pdf_that_is_not_there_makes_it_again(folder: Path) -> None:
    assert found(folder, author="Kari") == (None, "another author")
    assert found(folder, pdf=True) == (None, "report.pdf isn't there")
    (folder / "reports/acme/2025-03-31/report.pdf").write_text("pdf")
    assert found(folder, pdf=True) == ("2025-03-31", "")


def test_one_chapter_is_always_made(folder: Path) -> None:
    assert found(folder, only="03_cltv") == (None, "")


def test_an_older_report_of_the_same_inputs_is_found(folder: Path) -> None:
    # a later one, made from other data, is what it is
    later = report(folder, "2025-06-30")
    run = json.loads((later / "run.json").read_text())
    run["inputs"]["data"] = run["data"]["sha256"] = "other"
    (later / "run.json").write_text(json.dumps(run))
    assert found(folder) == ("2025-03-31", "")


def test_of_a_database_nobody_knows(folder: Path) -> None:
    (folder / "acme.yaml").write_text(
        "client: acme\ncurrency: NOK\nsource: postgres://shop\ntable: orders\n"
        "columns: {customer: id, date: day, amount: sum}\n"
    )
    asked = job(folder)
    assert parts(asked, folder / "notebooks")["data"] is None
    _, why = unchanged(asked, folder / "notebooks")
    assert why == "of a database it isn't known whether the data changed"


def test_looking_reads_no_data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "_of_bytes", None)  # would be called to read the files
    assert found(folder) == ("2025-03-31", "")


def test_a_job_without_reports_is_the_first(folder: Path) -> None:
    asked = replace(job(folder), reports=folder / "nowhere")
    assert unchanged(asked, folder / "notebooks") == (None, "")
