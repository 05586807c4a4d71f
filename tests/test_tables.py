"""What a reader gets from a table: figures as he writes them, nothing live, true headings."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from great_tables import GT

from retention_lib.data.purchases import CAUSES
from retention_lib.metrics import Metric, unknown
from retention_lib.report import tables
from retention_lib.report.language import Formats
from retention_lib.report.page import Page

EN, NB = Formats("en", "USD"), Formats("nb", "NOK")
RATE = Metric(0.362, "share", low=0.35, high=0.37, n=19000, previous=0.39)
EVIL = "<img src=x onerror=alert(1)> {{x}} **b** & \"'"


def parsed(table: GT) -> Tag:
    soup = BeautifulSoup(table.as_raw_html(), "html.parser").table
    assert soup is not None
    return soup


def cells(table: GT) -> list[list[str]]:
    """Every row of the table as texts, spaces made plain."""
    rows = parsed(table).find_all("tr")
    return [
        [re.sub(r"\s", " ", cell.get_text()).strip() for cell in row.find_all(["th", "td"])]
        for row in rows
    ]


def test_a_figure_stands_with_its_interval_n_and_the_period_before() -> None:
    assert cells(tables.metric_table([("Retention rate", RATE)], EN)) == [
        ["Figure", "Value", "95% interval", "n", "Period before"],
        ["Retention rate", "36.2%", "35.0% to 37.0%", "19,000", "39.0%"],
    ]


def test_figures_are_written_as_the_reader_writes_them() -> None:
    rows = [("Inntekt", Metric(2500315.63, "currency")), ("Rate", RATE)]
    written = cells(tables.metric_table(rows, NB))
    assert written[1][1] == "2 500 316 kr"
    assert written[2][1] == "36,2 %"


def test_a_column_with_nothing_in_it_is_left_out() -> None:
    assert cells(tables.metric_table([("Customers", Metric(3, "count"))], EN)) == [
        ["Figure", "Value"],
        ["Customers", "3"],
    ]


def test_a_figure_that_is_not_known_is_a_dash_with_its_reason_under_the_table() -> None:
    why = "There is no earlier period."
    rows = [("A", unknown("share", why)), ("B", Metric(1, "count")), ("C", unknown("count", why))]
    written = cells(tables.metric_table(rows, EN))
    assert [row[1] for row in written[1:4]] == ["–", "1", "–"]
    assert written[4:] == [[f"A, C: {why}"]]


def test_text_from_data_is_never_markup() -> None:
    frame = pd.DataFrame({EVIL: [EVIL], "n": [3]})
    table = tables.frame_table(frame, EN, {EVIL: "text", "n": "count"}, {"n": EVIL}, stub=EVIL)
    html = table.as_raw_html()
    assert "<img" not in html
    assert cells(table) == [[EVIL, EVIL], [EVIL, "3"]]
    noted = tables.metric_table([(EVIL, Metric(1, "count", note=EVIL))], EN)
    assert "<img" not in noted.as_raw_html()
    assert cells(noted)[2] == [f"{EVIL}: {EVIL}"]


def test_every_heading_says_what_it_heads() -> None:
    table = parsed(tables.metric_table([("Retention rate", RATE)], EN))
    columns = table.thead.find_all("th")
    assert [th["scope"] for th in columns] == ["col"] * 5
    assert [th["scope"] for th in table.tbody.find_all("th")] == ["row"]
    known = {th["id"] for th in table.find_all("th")}
    for cell in table.tbody.find_all("td"):
        assert set(cell["headers"]) <= known


def test_columns_that_look_alike_keep_ids_of_their_own() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a b", "a-b", "a_b"])
    headings = parsed(tables.frame_table(frame, EN, dict.fromkeys(frame, "count"), {})).thead
    ids = [th["id"] for th in headings.find_all("th")]
    assert len(set(ids)) == 3


def test_figures_stand_right_and_text_left() -> None:
    frame = pd.DataFrame({"who": ["A"], "n": [1], "day": [pd.Timestamp("2024-05-17")]})
    table = parsed(tables.frame_table(frame, EN, {"who": "text", "n": "count", "day": "date"}, {}))
    for row in table.find_all("tr"):
        sides = [cell["class"] for cell in row.find_all(["td", "th"])]
        assert ["gt_right" in side for side in sides] == [False, True, False]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("count", 1234, "1,234"),
        ("share", 0.125, "12.5%"),
        ("currency", 1234.5, "$1,234"),
        ("number", 1.234, "1.23"),
        ("ratio", 2.0, "2.00"),
        ("days", 57.0, "57 days"),
        ("months", 1, "1 month"),
        ("date", pd.Timestamp("2024-05-17"), "May 17, 2024"),
        ("month", pd.Timestamp("2024-05-01"), "May 2024"),
        ("text", "0042", "0042"),
        ("count", pd.NA, "–"),
        ("share", float("nan"), "–"),
        ("date", pd.NaT, "–"),
        ("text", None, "–"),
    ],
)
def test_each_format_writes_its_values(form: tables.Format, value: object, text: str) -> None:
    assert tables.written(value, form, EN).replace("\N{NO-BREAK SPACE}", " ") == text


def test_columns_come_in_the_order_of_their_formats_and_others_stay_out() -> None:
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})
    table = tables.frame_table(frame, EN, {"c": "count", "a": "count"}, {"a": "A"})
    assert cells(table) == [["c", "A"], ["3", "1"]]


def test_an_empty_frame_gives_its_headings() -> None:
    frame = pd.DataFrame({"a": pd.Series(dtype=float)})
    assert cells(tables.frame_table(frame, EN, {"a": "share"}, {"a": "A"})) == [["A"]]


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(ValueError, match="asks for 'b'; the frame has 'a'"):
        tables.frame_table(frame, EN, {"b": "count"}, {})


def test_a_format_that_is_none_is_named_with_those_there_are() -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(ValueError, match="'percent'; use one of count, currency"):
        tables.frame_table(frame, EN, {"a": "percent"}, {})  # type: ignore[dict-item]


def left_out() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cause": [CAUSES["guest"], CAUSES["outside_window"]],
            "rows": [1200, 3],
            "share_of_rows": [0.12, 0.0003],
            "amount": [45000.0, 10.5],
            "share_of_amount": [0.09, float("nan")],
        }
    )


def test_rows_left_out_stand_by_cause_with_the_key_that_changes_it() -> None:
    written = cells(tables.reasons_table(left_out(), EN))
    assert written[0] == [
        "What became of the rows",
        *("Rows", "Share of rows", "Amount", "Share of revenue", "Changed by"),
    ]
    assert written[1][1:] == ["1,200", "12.0%", "$45,000", "9.0%", "guest_ids"]
    assert written[2][1:] == ["3", "0.0%", "$10.50", "–", "start, as_of"]


def test_every_cause_has_a_key() -> None:
    assert set(tables.KEYS) == set(CAUSES)


def test_the_same_figures_give_the_same_html() -> None:
    one, two = (tables.reasons_table(left_out(), EN).as_raw_html() for _ in range(2))
    assert one == two
    assert 'id="left-out"' in one


def test_the_page_takes_the_table() -> None:
    shown = Page(EN).table(tables.reasons_table(left_out(), EN))
    assert "1,200" in shown.data["text/plain"]
