"""A second report of a client, a quarter later, holds the first one's forecast to account."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ibis
import nbformat
import pandas as pd
import pytest

from retention_lib.data.builtins import open_builtin
from retention_lib.params import read_client_file
from retention_lib.run.report import report_client

pytestmark = pytest.mark.slow

FIRST, SECOND = "1997-06-30", "1997-09-30"
FILE = """
client: shop
source: builtin:cdnow-sample
currency: USD
model: bgnbd
free_orders: true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for day in (FIRST, SECOND):
        (folder / "shop.yaml").write_text(f"{FILE}as_of: {day}\n")
        report_client(read_client_file(folder / "shop.yaml"), folder / "reports")
    return folder / "reports" / "shop"


def text(folder: Path, day: str) -> str:
    """What the chapter says, cell by cell."""
    chapter = nbformat.read(folder / day / "notebooks" / "03_cltv.ipynb", as_version=4)
    return "\n".join(
        output.get("data", {}).get("text/plain", "")
        for cell in chapter.cells
        for output in cell.get("outputs", [])
    )


def test_a_first_report_has_no_forecast_to_score(folder: Path) -> None:
    assert "The forecast made on" not in text(folder, FIRST)


def test_the_second_tells_what_became_of_the_first(folder: Path) -> None:
    said = text(folder, SECOND)
    found = re.search(r"The forecast made on June 30, 1997 (held|was too low|was too high)", said)
    assert found
    # what happened, counted from the log without this library's models
    rows = open_builtin(ibis.duckdb.connect(), "builtin:cdnow-sample")[0].execute()
    days = rows.assign(day=pd.to_datetime(rows["time"]).dt.date.astype(str))
    days = days.drop_duplicates(["customer", "day"])
    known = set(days.loc[days["day"] <= FIRST, "customer"])
    after = days[(days["day"] > FIRST) & (days["day"] <= SECOND)]
    bought = int(after["customer"].isin(known).sum())
    assert f"; {bought:,} were made" in said
    stored = json.loads((folder / FIRST / "model.json").read_text())
    assert stored["as_of"] == FIRST
    low, high = re.search(r"between ([\d,]+) and ([\d,]+); ", said).groups()
    inside = float(low.replace(",", "")) <= bought <= float(high.replace(",", ""))
    assert inside == (found.group(1) == "held")


def test_both_reports_keep_their_own_forecast(folder: Path) -> None:
    ends = [
        json.loads((folder / day / "model.json").read_text())["as_of"] for day in (FIRST, SECOND)
    ]
    assert ends == [FIRST, SECOND]
