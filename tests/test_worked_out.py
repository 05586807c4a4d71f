"""What one chapter of a run has worked out the others take over, and nobody else does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import kept
import pyarrow as pa
import pytest

from retention_lib.data.prepared import from_prepared, prepare
from retention_lib.data.worked_out import WorkedOut
from retention_lib.retention.kpis import metrics_at, retention_metrics

TABLE = pa.table({"n": [1, 2], "what": ["a", None]})


def test_a_table_is_there_for_the_other_processes_of_the_run_only(tmp_path: Path) -> None:
    one, other, outside = WorkedOut(tmp_path), WorkedOut(tmp_path), WorkedOut()
    assert other.get("days") is None
    one.put("days", TABLE)
    assert other.get("days") == TABLE
    assert outside.get("days") is None
    assert [file.name for file in tmp_path.iterdir()] == ["days.arrow"]


def test_what_was_known_before_the_run_is_left_for_its_chapters(tmp_path: Path) -> None:
    one = WorkedOut()
    one.put("days", TABLE)
    one.leave_in(tmp_path)
    assert WorkedOut(tmp_path).get("days") == TABLE


def test_a_name_stays_within_its_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't name a file"):
        WorkedOut(tmp_path).put("../days", TABLE)


def test_a_chapter_takes_over_the_metrics_of_another_with_the_same_windows(tmp_path: Path) -> None:
    rows = [(f"c{n % 40}", f"2024-{1 + n % 12:02}-{1 + n % 27:02}", "5.50") for n in range(400)]
    base = kept.base_of(rows)
    prepare(base, tmp_path)
    one, other = (from_prepared(base.params, tmp_path, lambda: base) for _ in range(2))
    assert one is not None
    assert other is not None
    found = retention_metrics(one)
    assert any(tmp_path.glob("*in-periods*"))
    assert retention_metrics(other) == found
    # the second has asked nothing, and so opened no engine
    assert "con" in vars(one.tables)
    assert "con" not in vars(other.tables)
    # other windows are other metrics, in the same folder too
    shorter = base.params.model_copy(update={"period_months": 3, "active_months": 3})
    mine = dataclasses.replace(one, params=shorter)
    assert retention_metrics(mine)["revenue.net"].value == (
        metrics_at(mine, mine.as_of)["revenue.net"].value
    )
    assert retention_metrics(mine)["revenue.net"].value != found["revenue.net"].value
