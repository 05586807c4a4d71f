"""The history of a client's reports: whole whatever happens, and never drawn across a change."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retention_lib.data import history
from retention_lib.errors import DataError
from retention_lib.run.history import LOCK, hand_over, keep

FORKS = multiprocessing.get_context("spawn")


def report(reports: Path, day: str, rate: float = 0.4, finished: str = "x", **given: Any) -> Path:
    """What a run leaves, as far as the history reads it."""
    folder = reports / day
    folder.mkdir(parents=True, exist_ok=True)
    metrics = {
        "retention.rate": {"value": rate, "unit": "share", "low": 0.3, "high": 0.5, "n": 90},
        "customers.total": {"value": 120, "unit": "count"},
        "clv.total": {"value": None, "unit": "currency", "note": "Too short."},
        "model.bgnbd.r": {"value": 0.25, "unit": "number"},
    }
    figures = {"schema": 1, "client": "acme", "as_of": day, "metrics": metrics}
    run = {
        "finished": finished,
        "start": given.pop("start", "2020-01-01"),
        "parameters": {"client": "acme", "currency": "NOK", "source": "a.csv", **given},
        "data": {"sha256": "abc"},
        "versions": {"retention": "0.1.0"},
    }
    (folder / "metrics.json").write_text(json.dumps(figures))
    (folder / "run.json").write_text(json.dumps(run))
    return folder


def rates(reports: Path) -> dict[str, float]:
    rows = history.read(reports / history.FILE_NAME, "acme")
    rows = rows[rows["metric"] == "retention.rate"]
    return dict(zip(rows["as_of"], rows["value"], strict=True))


def test_every_report_has_its_rows_once(tmp_path: Path) -> None:
    report(tmp_path, "2024-03-31", 0.41)
    assert keep(tmp_path, "acme") == ()
    report(tmp_path, "2024-06-30", 0.42)
    assert keep(tmp_path, "acme") == keep(tmp_path, "acme") == ()
    assert rates(tmp_path) == {"2024-03-31": 0.41, "2024-06-30": 0.42}
    rows = pq.read_table(tmp_path / history.FILE_NAME)
    assert rows.column_names == list(history.COLUMNS)
    assert rows.schema.field("as_of").type == pa.date32()
    assert rows.num_rows == 8
    unknown = rows.to_pandas().query("metric == 'clv.total'")
    assert unknown["value"].isna().all()
    assert set(unknown["note"]) == {"Too short."}


def test_a_rerun_takes_the_place_of_the_first_run(tmp_path: Path) -> None:
    for finished, rate in (("1", 0.41), ("2", 0.43)):
        report(tmp_path, "2024-03-31", rate, finished)
        keep(tmp_path, "acme")
    assert rates(tmp_path) == {"2024-03-31": 0.43}


def test_a_lost_file_comes_back_from_the_reports(tmp_path: Path) -> None:
    for day in ("2024-03-31", "2024-06-30"):
        report(tmp_path, day)
    keep(tmp_path, "acme")
    whole = history.read(tmp_path / history.FILE_NAME, "acme")
    (tmp_path / history.FILE_NAME).unlink()
    assert history.known(tmp_path, "acme").equals(whole)
    keep(tmp_path, "acme")
    assert history.read(tmp_path / history.FILE_NAME, "acme").equals(whole)


def test_a_report_that_is_deleted_stays_in_the_history(tmp_path: Path) -> None:
    folder = report(tmp_path, "2024-03-31", 0.41)
    keep(tmp_path, "acme")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    report(tmp_path, "2024-06-30", 0.42)
    keep(tmp_path, "acme")
    assert rates(tmp_path) == {"2024-03-31": 0.41, "2024-06-30": 0.42}


def test_what_is_no_whole_report_is_passed_over(tmp_path: Path) -> None:
    report(tmp_path, "2024-03-31")
    (report(tmp_path, "2024-04-30") / "run.json").write_text('{"finished": ')
    (report(tmp_path, "2024-05-31") / "metrics.json").unlink()
    report(tmp_path, "2024-06-30.failed".removesuffix(".failed")).rename(
        tmp_path / "2024-06-30.failed"
    )
    (tmp_path / "my-own-notes").mkdir()
    keep(tmp_path, "acme")
    assert list(rates(tmp_path)) == ["2024-03-31"]


#: A run that dies: at the moment when the new file would take the old one's place, or just before
#: it is whole.
DIES = """
import os, sys
from pathlib import Path
import pyarrow.parquet as pq
from retention_lib.run.history import keep
if sys.argv[2] == "replacing":
    Path.replace = lambda *_: os._exit(9)
else:
    write = pq.write_table
    def half(table, stream, **_):
        stream.write(b"PAR1 half of it"); stream.flush(); os._exit(9)
    pq.write_table = half
keep(Path(sys.argv[1]), "acme")
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["writing", "replacing"])
def test_a_run_that_dies_leaves_the_history_whole_and_the_next_one_adds_its_rows(
    moment: str, tmp_path: Path
) -> None:
    report(tmp_path, "2024-03-31", 0.41)
    keep(tmp_path, "acme")
    before = (tmp_path / history.FILE_NAME).read_bytes()
    report(tmp_path, "2024-06-30", 0.42)
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), moment], check=False)
    assert died.returncode == 9
    assert (tmp_path / history.FILE_NAME).read_bytes() == before
    # what the reports say is known all the same
    assert set(history.known(tmp_path, "acme")["as_of"]) == {"2024-03-31", "2024-06-30"}
    assert keep(tmp_path, "acme") == ()
    assert rates(tmp_path) == {"2024-03-31": 0.41, "2024-06-30": 0.42}
    assert sorted(p.name for p in tmp_path.glob(".*")) == [LOCK]


def add(reports: str, day: str) -> None:
    report(Path(reports), day)
    assert keep(Path(reports), "acme") == ()


@pytest.mark.slow
def test_runs_at_once_lose_no_rows(tmp_path: Path) -> None:
    days = [f"2024-{month:02}-28" for month in range(1, 9)]
    runs = [FORKS.Process(target=add, args=(str(tmp_path), day)) for day in days]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * len(runs)
    assert list(rates(tmp_path)) == days


def other_client(file: Path) -> None:
    history.write(file, history.empty(), "other")


def newer(file: Path) -> None:
    table = pa.table({name: pa.array([], pa.string()) for name in history.COLUMNS})
    about = {"retention.schema": "99", "retention.client": "acme"}
    pq.write_table(table.replace_schema_metadata(about), file)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda file: file.write_bytes(b"PAR1 half of it"), "isn't a whole Parquet file"),
        (lambda file: file.write_bytes(b""), "isn't a whole Parquet file"),
        (lambda file: pq.write_table(pa.table({"a": [1]}), file), "isn't a history"),
        (other_client, "the history of other, not of acme"),
        (newer, "version 99, newer than version 1"),
    ],
)
def test_a_file_that_is_no_history_is_left_alone_and_told_of(
    spoil: Any, says: str, tmp_path: Path
) -> None:
    report(tmp_path, "2024-03-31")
    file = tmp_path / history.FILE_NAME
    spoil(file)
    before = file.read_bytes()
    (told,) = keep(tmp_path, "acme")
    assert says in told
    assert str(file) in told
    assert "update it" in told or "Move it away" in told
    assert file.read_bytes() == before
    with pytest.raises(DataError, match=says):
        history.read(file, "acme")
    # the chapters still get what the reports say
    (tmp_path / "run").mkdir()
    hand_over(tmp_path, "acme", dt.date(2024, 6, 30), tmp_path / "run")
    assert set(history.read(tmp_path / "run" / "earlier.parquet", "acme")["as_of"]) == {
        "2024-03-31"
    }


def test_a_run_gets_earlier_reports_only_and_the_last_one_s_customers(tmp_path: Path) -> None:
    for day in ("2024-03-31", "2024-06-30", "2024-09-30"):
        (report(tmp_path, day) / "customers.parquet").write_text(day)
    run = tmp_path / "run"
    run.mkdir()
    hand_over(tmp_path, "acme", dt.date(2024, 9, 30), run)
    assert sorted(p.name for p in run.iterdir()) == [
        "2024-06-30_customers.parquet",
        "earlier.parquet",
    ]
    assert set(history.read(run / "earlier.parquet", "acme")["as_of"]) == {
        "2024-03-31",
        "2024-06-30",
    }


def test_a_first_run_gets_nothing(tmp_path: Path) -> None:
    hand_over(tmp_path / "acme", "acme", dt.date(2024, 9, 30), tmp_path)
    assert list(tmp_path.iterdir()) == []


def definition(day: str, tmp_path: Path, **given: Any) -> str:
    return history.of_report(report(tmp_path, day, **given))[0]["definition"]


@pytest.mark.parametrize(
    ("given", "metric", "keys"),
    [
        ({"period_months": 6}, "retention.rate", ("period_months",)),
        ({"active_months": 6}, "customers.total", ("active_months",)),
        ({"currency": "SEK"}, "revenue.net", ("currency",)),
        ({"guest_ids": ["0"]}, "orders.aov", ("guest_ids",)),
        ({"margin": 0.4}, "clv.total", ("margin",)),
        ({"margin": 0.4}, "retention.rate", ()),
        ({"title": "Acme", "language": "nb"}, "clv.total", ()),
        ({"tiers": {"a": 0.5, "b": 0.5}}, "tiers.moved_up", ("tiers",)),
        # data that reaches back further says nothing else of the last two years
        ({"start": "2015-01-01"}, "retention.rate", ()),
        ({"start": "2015-01-01"}, "customers.new", ("start",)),
        # data that begins within the windows does
        ({"start": "2023-01-01"}, "retention.rate", ("start",)),
    ],
)
def test_a_figure_is_compared_only_under_one_definition(
    given: dict[str, Any], metric: str, keys: tuple[str, ...], tmp_path: Path
) -> None:
    then = definition("2024-03-31", tmp_path)
    now = definition("2024-06-30", tmp_path, **given)
    assert history.changed(metric, "2024-03-31", then, "2024-06-30", then) == ()
    assert history.changed(metric, "2024-03-31", then, "2024-06-30", now) == keys
