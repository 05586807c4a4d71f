"""The small line beside a headline figure: which points it has, how they lie, what it says."""

from __future__ import annotations

import base64
import datetime as dt
import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from retention_lib.metrics import Metric
from retention_lib.report.figures.trend_line import LEAST, SPARK, trend_line
from retention_lib.report.language import Formats
from retention_lib.report.page import Headline, Page
from retention_lib.report.traced import TRACED_MIME

EN = Formats("en", "USD")
COUNT = Metric(50, "count")
WIDTH, HEIGHT, MARGIN = SPARK.width, SPARK.height, SPARK.dot + 1


def course(*values: float | None, step: int = 30) -> pd.DataFrame:
    start = dt.date(2024, 1, 31)
    days = [start + dt.timedelta(days=step * n) for n in range(len(values))]
    return pd.DataFrame({"end": days, "value": pd.Series(values, dtype="float64")})


def points(svg: str) -> list[tuple[float, float]]:
    found = re.search(r'points="([^"]+)"', svg)
    assert found
    pairs = [pair.split(",") for pair in found[1].split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_the_line_rises_where_the_figure_rises_and_ends_in_its_mark() -> None:
    line = trend_line(course(10, 20, 40), COUNT, "Buyers", EN)
    assert line is not None
    drawn = points(line.svg)
    assert [y for _, y in drawn] == sorted((y for _, y in drawn), reverse=True)
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert f'cx="{drawn[-1][0]}" cy="{drawn[-1][1]}"' in line.svg
    assert drawn[0] == (MARGIN, HEIGHT - MARGIN)
    assert drawn[-1] == (WIDTH - MARGIN, MARGIN)


def test_the_text_says_from_what_to_what_and_when() -> None:
    line = trend_line(course(0.25, 0.3, 0.5), Metric(0.5, "share"), "Retention rate", EN)
    assert line is not None
    assert line.alt == "Retention rate: 25.0% on January 31, 2024, 50.0% on March 31, 2024."


@pytest.mark.parametrize("values", [(), (1.0,), (1.0, 2.0), (None, 1.0, 2.0)])
def test_too_few_points_make_no_line(values: tuple[float | None, ...]) -> None:
    assert len([v for v in values if v is not None]) < LEAST
    assert trend_line(course(*values), COUNT, "Buyers", EN) is None


def test_what_moves_within_chance_lies_nearly_flat() -> None:
    shares = course(0.500, 0.505, 0.495)
    sure = trend_line(shares, Metric(0.495, "share", 0.494, 0.496), "Rate", EN)
    unsure = trend_line(shares, Metric(0.495, "share", 0.3, 0.7), "Rate", EN)
    assert sure is not None
    assert unsure is not None

    def height(svg: str) -> float:
        ys = [y for _, y in points(svg)]
        return max(ys) - min(ys)

    assert height(unsure.svg) < height(sure.svg) < HEIGHT - 2 * MARGIN


def test_a_figure_that_never_moves_is_a_level_line() -> None:
    for value in (0.0, 7.0):
        line = trend_line(course(value, value, value), COUNT, "Buyers", EN)
        assert line is not None
        assert {y for _, y in points(line.svg)} == {HEIGHT / 2}


def test_a_card_carries_its_line_as_an_image_with_its_text_and_its_figures() -> None:
    line = trend_line(course(10, 20, 40), COUNT, "Buyers", EN)
    shown = Page(EN).headlines([Headline("Buyers", COUNT, trend=line), Headline("Other", COUNT)])
    soup = BeautifulSoup(shown.data["text/html"], "html.parser")
    (image,) = soup.select("li.headline img")
    assert line is not None
    assert image["alt"] == line.alt
    content = base64.b64decode(str(image["src"]).removeprefix("data:image/svg+xml;base64,"))
    assert content.decode() == line.svg
    assert len(line.svg) < 1_000
    (figure,) = shown.data[TRACED_MIME]["figures"]
    assert [row[1] for row in figure["rows"]] == [10, 20, 40]


def test_a_hostile_name_is_in_the_text_only() -> None:
    evil = '"><script>alert(1)</script>{x}'
    line = trend_line(course(1, 2, 3), COUNT, evil, EN)
    assert line is not None
    assert "script" not in line.svg
    shown = Page(EN).headlines([Headline("Buyers", COUNT, trend=line)])
    soup = BeautifulSoup(shown.data["text/html"], "html.parser")
    assert soup.find("script") is None
    assert evil in str(soup.select_one("img")["alt"])  # type: ignore[index]
