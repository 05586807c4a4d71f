"""Every figure of a report stands in full in what the chapters hand to `metrics.json`."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from retention_lib.metrics import Metric
from retention_lib.report import tables
from retention_lib.report.figures import next_purchase
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.traced import MOST_ROWS, of_figure, rows, traced_of
from retention_lib.sentence import Sentence

EN = Formats("en", "USD")
PAGE = Page(EN)


def notebook(*shown: Shown | None) -> nbformat.NotebookNode:
    outputs = [
        nbformat.v4.new_output("display_data", one.data, metadata=one.metadata)
        for one in shown
        if one is not None
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    return nbformat.reads(nbformat.writes(made), as_version=4)


def table(frame: pd.DataFrame, id: str = "groups") -> Shown | None:
    return PAGE.table(tables.frame_table(frame, EN, {"group": "text", "share": "share"}, {}, id=id))


def test_a_table_keeps_its_figures_unrounded_and_what_is_missing_as_null() -> None:
    frame = pd.DataFrame({"group": ["A", "B"], "share": [1 / 3, np.nan], "low": [0.3, np.nan]})
    kept = traced_of([notebook(table(frame))])["tables"]["groups"]
    assert [c["name"] for c in kept["columns"]] == ["group", "share", "low"]
    assert kept["columns"][1]["unit"] == "share"
    assert kept["rows"] == [["A", pytest.approx(1 / 3, rel=1e-11), 0.3], ["B", None, None]]


def test_a_text_that_is_not_printed_is_not_kept() -> None:
    frame = pd.DataFrame({"group": ["A"], "share": [0.5], "customer": ["real-id-7"]})
    assert "real-id-7" not in json.dumps(traced_of([notebook(table(frame))]))


def test_a_figure_keeps_what_it_was_drawn_from() -> None:
    steps = pd.DataFrame({"number": [1], "share": [0.25], "low": [0.2], "high": [0.3]})
    drawn = next_purchase(steps, EN, 90)
    (kept,) = traced_of([notebook(PAGE.figure(drawn))])["figures"]
    assert kept["figure"] == "next_purchase"
    assert kept["alt"] == drawn.alt
    assert kept["rows"] == [[1, 0.25, 0.2, 0.3]]


def test_a_figure_of_single_customers_keeps_no_rows_and_no_ids() -> None:
    assert of_figure("map", pd.DataFrame({"x": range(MOST_ROWS + 1)}), "alt") == {}
    few = of_figure("map", pd.DataFrame({"customer": ["real-id-7"], "x": [1]}), "alt")
    assert "real-id-7" not in json.dumps(few)


def test_a_sentence_keeps_its_values() -> None:
    rate = Metric(1 / 3, "share", 0.3, 0.36, 100)
    said = Sentence("{rate} of {n} stayed until {day}", rate=rate, n=100, day=dt.date(2025, 1, 31))
    shown = (PAGE.chapter("Retention", said), PAGE.text("Nothing to trace."), PAGE.note(said))
    (kept,) = traced_of([notebook(*shown)])["sentences"]
    assert kept["message"] == "{rate} of {n} stayed until {day}"
    assert kept["values"]["rate"]["value"] == pytest.approx(1 / 3, rel=1e-11)
    assert (kept["values"]["n"], kept["values"]["day"]) == (100, "2025-01-31")


def test_two_tables_with_one_id_are_a_mistake() -> None:
    one, other = (pd.DataFrame({"group": ["A"], "share": [x]}) for x in (0.1, 0.2))
    assert len(traced_of([notebook(table(one)), notebook(table(one))])["tables"]) == 1
    with pytest.raises(ValueError, match="two tables have the id 'groups'"):
        traced_of([notebook(table(one), table(other))])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (np.int64(7), 7),
        (np.float64("nan"), None),
        (float("inf"), None),
        (pd.NaT, None),
        (pd.Timestamp(2025, 1, 31), "2025-01-31"),
        (pd.Timestamp(2025, 1, 31, 12), "2025-01-31T12:00:00"),
        (np.bool_(True), True),
        ("text", "text"),
    ],
)
def test_a_value_is_kept_as_json_has_it(value: Any, kept: Any) -> None:
    frame = pd.DataFrame({"x": pd.Series([value], dtype=object)})
    assert rows(frame)["rows"] == [[kept]]
