"""What a run prepared is taken over by the next, where it is still true."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retention_lib.params import read_client_file
from retention_lib.run import forecasts, kept_data, report
from retention_lib.run.job import Job

ROWS = "id,day,sum\n" + "".join(
    f"{c},2025-{1 + (c + k) % 9:02d}-{1 + (7 * c + k) % 28:02d},{10 + c % 7}\n"
    for c in range(200)
    for k in range(1 + c % 4)
)
CLIENT = (
    "client: acme\ncurrency: NOK\nsource: orders.csv\nas_of: 2025-09-30\nmodel: mbgnbd\n"
    "columns: {customer: id, date: day, amount: sum}\n"
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    (tmp_path / "orders.csv").write_text(ROWS)
    (tmp_path / "acme.yaml").write_text(CLIENT)
    return Job(read_client_file(tmp_path / "acme.yaml"), tmp_path / "reports")


@pytest.mark.slow
def test_a_chapter_again_reads_nothing_and_fits_nothing(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = report.make(job)
    whole = json.loads(first.report.with_name("metrics.json").read_text())

    def must_not(*_: object) -> None:
        raise AssertionError("this is there already")

    monkeypatch.setattr(report, "read_base", must_not)
    monkeypatch.setattr(forecasts, "make_forecast", must_not)
    alone = report.make(Job(job.file, job.reports, only="03_cltv"))
    assert alone.metrics
    assert {name: metric.as_json() for name, metric in alone.metrics.items()}.items() <= whole[
        "metrics"
    ].items()
    # the whole report again: everything but the chapters is taken over, nothing differs
    again = report.make(job)
    assert json.loads(again.report.with_name("metrics.json").read_text()) == whole
    model = again.report.with_name("model.json")
    assert model.exists()
    monkeypatch.undo()

    # another margin: the data is as it was, the forecast isn't
    monkeypatch.setattr(report, "read_base", must_not)
    (tmp_path / "acme.yaml").write_text(CLIENT + "margin: 0.5\n")
    half = report.make(Job(read_client_file(tmp_path / "acme.yaml"), job.reports, only="03_cltv"))
    total, of = half.metrics["clv.total"].value, whole["metrics"]["clv.total"]["value"]
    assert total == pytest.approx(of / 2)
    monkeypatch.undo()

    # another row: all of it is read
    (tmp_path / "orders.csv").write_text(ROWS + "777,2025-09-01,5\n")
    more = report.make(Job(job.file, job.reports, only="01_data"))
    told = more.report.read_text()
    assert "201" in told


def test_what_depends_on_more_is_not_kept(tmp_path: Path) -> None:
    run, reports = tmp_path / "run", tmp_path / "acme"
    for name in ("days.parquet", "output/model.json", "output/.half"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text(name)
    for name in (
        "earlier.parquet",
        "last_model.json",
        "2025-01-31_customers.parquet",
        "sums.arrow",
    ):
        (run / name).write_text("another report's, or a chapter's")
    reports.mkdir()
    inputs = {"data": "a", "program": "b", "client_file": "c"}
    kept_data.keep(run, reports, inputs)
    taken = tmp_path / "next"
    taken.mkdir()
    assert kept_data.take_over(taken, reports, {**inputs, "client_file": "another"})
    found = sorted(str(p.relative_to(taken)) for p in taken.rglob("*") if p.is_file())
    assert found == ["days.parquet", "inputs.json", "output/model.json"]


@pytest.mark.parametrize("changed", [{"data": "x"}, {"program": "x"}, {"data": None}])
def test_other_data_or_another_program_takes_nothing_over(
    tmp_path: Path, changed: dict[str, str | None]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    inputs: dict[str, str | None] = {"data": "a", "program": "b"}
    kept_data.keep(run, tmp_path, inputs)
    assert not kept_data.take_over(tmp_path / "next", tmp_path, inputs | changed)
    assert not (tmp_path / "next").exists()


def test_of_a_database_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    kept_data.keep(tmp_path / "run", tmp_path, {"data": None, "program": "b"})
    assert not (tmp_path / kept_data.FOLDER).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_folder_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / kept_data.FOLDER).mkdir()
    (tmp_path / kept_data.FOLDER / "inputs.json").write_text(text)
    assert not kept_data.take_over(tmp_path / "run", tmp_path, {"data": "a", "program": "b"})


def test_what_a_killed_run_left_half_kept_is_cleared(tmp_path: Path) -> None:
    (tmp_path / f"{kept_data.FOLDER}.77.part").mkdir()
    kept_data.clear(tmp_path)
    assert not list(tmp_path.iterdir())
