"""A second and a third report of a client, a quarter later each: what they say of the earlier."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from oracle.movements import tier_matrix

from retention_lib.data import history
from retention_lib.params import read_client_file
from retention_lib.run.history import keep
from retention_lib.run.report import report_client

pytestmark = pytest.mark.slow

DAYS = ("1997-12-31", "1998-03-31", "1998-06-30")
FILE = """
client: shop
source: builtin:cdnow-sample
currency: USD
period_months: {period}
active_months: 6
model: bgnbd
targets: {{retention.rate: 0.6, orders.aov: 30, economics.clv_new: 90, tiers.best_kept: 0.9}}
benchmarks: [{{metric: retention.rate, value: 0.5, source: "Trade survey 1997"}}]
as_of: {day}
"""


def make(folder: Path, day: str, period: int = 6, only: str | None = None):
    (folder / "shop.yaml").write_text(FILE.format(day=day, period=period))
    return report_client(read_client_file(folder / "shop.yaml"), folder / "reports", only=only)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for day in DAYS:
        assert make(folder, day).warnings == ()
    return folder / "reports" / "shop"


def text(folder: Path, day: str) -> str:
    """What the chapter on actions says, cell by cell."""
    return said_in(folder / day / "notebooks" / "04_actions.ipynb")


def said_in(file: Path) -> str:
    return "\n".join(
        output.get("data", {}).get("text/plain", "")
        for cell in nbformat.read(file, as_version=4).cells
        for output in cell.get("outputs", [])
    )


def figures(folder: Path, day: str) -> dict:
    return json.loads((folder / day / "metrics.json").read_text())


def test_the_history_has_every_figure_of_every_report(folder: Path) -> None:
    rows = history.read(folder / history.FILE_NAME, "shop")
    assert sorted({*rows["as_of"]}) == [*DAYS]
    for day in DAYS:
        metrics = figures(folder, day)["metrics"]
        mine = rows[rows["as_of"] == day].set_index("metric")
        assert set(mine.index) == set(metrics)
        for name, metric in metrics.items():
            for field in ("value", "low", "high", "n"):
                there, said = mine.loc[name, field], metric.get(field)
                assert (pd.isna(there) and said is None) or there == said, (day, name, field)


def test_a_first_report_recomputes_the_tiers_and_has_no_trend(folder: Path) -> None:
    said = text(folder, DAYS[0])
    assert "worked out from what the data knew on that day" in said
    assert "Each point is one of" not in said
    assert "targets are reached" in said or "targets is reached" in said
    assert "Trade survey 1997" in said


def test_a_target_on_any_chapters_figure_is_held_against_it(folder: Path) -> None:
    found = figures(folder, DAYS[1])
    table = found["tables"]["targets"]
    names = [column["name"] for column in table["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    asked = ["retention.rate", "orders.aov", "economics.clv_new", "tiers.best_kept"]
    values = {found["metrics"][name]["value"] for name in asked}
    assert len(values) == 4
    assert values <= {value for row in rows for value in row.values()}


def test_the_second_follows_the_tiers_that_the_first_one_told(folder: Path) -> None:
    frames = []
    for day in DAYS[:2]:
        table = pd.read_parquet(folder / day / "customers.parquet")
        clv = table["clv"].to_numpy()
        frames.append(pd.DataFrame({"customer": table.index.astype(str), "value": clv}))
    counted = tier_matrix(*frames, {"gold": 0.05, "silver": 0.20, "bronze": 0.75})
    metric = figures(folder, DAYS[1])["metrics"]["tiers.best_kept"]
    gold = sum(n for (was, is_now), n in counted.items() if was == "gold" and is_now != "gone")
    assert (metric["n"], metric["value"]) == (gold, pytest.approx(counted["gold", "gold"] / gold))
    assert "The tiers of December 31, 1997 are those of the last report." in text(folder, DAYS[1])


def test_later_reports_tell_what_changed_and_what_came_of_the_forecast(folder: Path) -> None:
    for n, day in enumerate(DAYS[1:], 2):
        said = text(folder, day)
        assert f"Each point is one of {n} reports" in said
        assert re.search(r"The forecast made on .* expected .* were made", said)
        assert "The past was revised" not in said
        assert "definitions have changed" not in said
        table = figures(folder, day)["tables"]["changes"]
        names = [column["name"] for column in table["columns"]]
        then, now = (
            figures(folder, at)["metrics"]["retention.rate"]["value"] for at in (DAYS[n - 2], day)
        )
        row = dict(zip(names, table["rows"][0], strict=True))
        assert (row["then"], row["now"]) == (pytest.approx(then), pytest.approx(now))
        assert row["low"] < row["change"] < row["high"]


def test_a_rerun_doubles_nothing_and_a_lost_history_comes_back(folder: Path) -> None:
    before = history.read(folder / history.FILE_NAME, "shop")
    (folder / history.FILE_NAME).unlink()
    assert keep(folder, "shop") == ()
    assert history.read(folder / history.FILE_NAME, "shop").equals(before)
    make(folder.parent.parent, DAYS[2])
    after = history.read(folder / history.FILE_NAME, "shop")
    assert after.drop(columns="made_at").equals(before.drop(columns="made_at"))


def test_a_chapter_alone_writes_no_history_but_knows_the_earlier_reports(folder: Path) -> None:
    before = (folder / history.FILE_NAME).read_bytes()
    made = make(folder.parent.parent, DAYS[2], only="04_actions")
    assert "Each point is one of" in made.report.read_text()
    assert (folder / history.FILE_NAME).read_bytes() == before


def test_a_changed_definition_breaks_the_line_and_revised_data_is_told(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "reports" / "shop")
    # the last report said otherwise of its day than today's data does
    file = tmp_path / "reports" / "shop" / DAYS[1] / "metrics.json"
    said = json.loads(file.read_text())
    said["metrics"]["orders.aov"]["value"] += 3
    file.write_text(json.dumps(said))
    (tmp_path / "reports" / "shop" / history.FILE_NAME).unlink()
    alone = make(tmp_path, DAYS[2], period=3, only="04_actions").report.with_suffix(".ipynb")
    told = said_in(alone)
    assert "the definitions have changed (period_months)" in told
    # nothing is called revised of which the definition has changed
    assert "The past was revised" not in told
    make(tmp_path, DAYS[2], only="04_actions")
    told = said_in(alone)
    assert "The past was revised" in told
    assert "such as Average order value" in told


def test_a_damaged_history_is_a_sentence_and_the_report_is_made(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "reports" / "shop")
    file = tmp_path / "reports" / "shop" / history.FILE_NAME
    file.write_bytes(b"PAR1 half of it")
    made = make(tmp_path, DAYS[2])
    assert [w for w in made.warnings if "isn't a whole Parquet file" in w]
    assert file.read_bytes() == b"PAR1 half of it"
    assert "Each point is one of 3 reports" in text(file.parent, DAYS[2])
