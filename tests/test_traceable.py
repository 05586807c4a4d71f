"""Every figure that a reader sees can be found in `metrics.json`, in full."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from retention_lib.metrics import Metric
from retention_lib.params import read_client_file
from retention_lib.report.language import Formats
from retention_lib.run.report import report_client

pytestmark = pytest.mark.slow

EN = Formats("en", "USD")
UNITS = {"count", "share", "currency", "days", "months", "ratio", "number"}
#: What stands between two figures in one cell.
BETWEEN = re.compile(r" to | \(|\)$|, | of |; ")


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("journey")
    file = read_client_file(root / "params" / "completejourney.yaml")
    return report_client(file, folder).report.parent


def written(x: Any, unit: str | None) -> Iterator[str]:
    """The ways in which the report may write a figure."""
    if isinstance(x, str):
        yield x
        if re.fullmatch(r"\d{4}-\d\d-\d\d", x):
            yield from (EN.date(x), EN.short_date(x), EN.month(x))
    elif x is not None:
        yield from (EN.number(x, digits) for digits in range(4))
        kinds = UNITS if unit not in UNITS else {unit}
        for kind in kinds:
            yield from (EN.value(x, kind), EN.written(Metric(x, kind)))
        if "currency" in kinds:
            yield from (EN.money(x, digits) for digits in (0, 2))
        if "share" in kinds:
            yield from (EN.share(x, 0), EN.points(x))


def of_metric(fields: Mapping[str, Any]) -> Iterator[str]:
    for name in ("value", "low", "high", "previous", "year_ago"):
        yield from written(fields.get(name), fields["unit"])
    yield from written(fields.get("n"), "count")
    yield from written(fields.get("note"), None)


def of_sentence(told: Mapping[str, Any]) -> Iterator[str]:
    for value in told["values"].values():
        if isinstance(value, dict) and "message" in value:
            yield from of_sentence(value)
            yield _back(value)
        elif isinstance(value, dict):
            yield from of_metric(value)
        else:
            yield from written(value, None)


def _back(value: Any) -> Any:
    """A value of a sentence as it was."""
    if isinstance(value, dict) and "message" in value:
        return EN.tell(value["message"], **{k: _back(v) for k, v in value["values"].items()})
    return Metric(**value) if isinstance(value, dict) else value


def known(figures: Mapping[str, Any]) -> set[str]:
    texts: set[str] = set()
    for metric in figures["metrics"].values():
        texts.update(of_metric(metric))
    for table in (*figures["tables"].values(), *figures["figures"]):
        for row in table["rows"]:
            for column, x in zip(table["columns"], row, strict=True):
                texts.update(written(x, column.get("unit")))
    for told in figures["sentences"]:
        texts.update(of_sentence(told))
    return {re.sub(r"\s", " ", text) for text in texts}


def untraced(report: Path) -> list[str]:
    """What the report prints with a figure in it that `metrics.json` doesn't know."""
    figures = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    page = BeautifulSoup((report / "report.html").read_text(encoding="utf-8"), "html.parser")
    texts = known(figures)
    notes = {re.sub(r"\s", " ", e.get_text()).strip() for e in page.select(".gt_sourcenote")}
    found = [e.get_text() for e in page.select(".value, td")]
    shown = {re.sub(r"\s", " ", text).strip() for text in found} - notes
    return sorted(
        text
        for text in shown
        if text not in texts
        and any(re.search(r"\d", part) and part not in texts for part in BETWEEN.split(text))
    )


@pytest.mark.parametrize("client", ["cdnow/1998-06-30", "cdnow-sample/1997-09-30"])
def test_every_figure_of_cdnows_reports_is_in_metrics_json(reports: Path, client: str) -> None:
    assert untraced(reports / client) == []


def test_every_figure_of_complete_journeys_report_is_in_metrics_json(journey: Path) -> None:
    assert untraced(journey) == []


def test_a_figure_that_is_nowhere_would_be_found(reports: Path, tmp_path: Path) -> None:
    source = reports / "cdnow" / "1998-06-30"
    figures = json.loads((source / "metrics.json").read_text(encoding="utf-8"))
    value = figures["metrics"]["revenue.net"]["value"]
    for name in ("metrics", "tables", "figures", "sentences"):
        figures[name] = json.loads(
            json.dumps(figures[name]).replace(json.dumps(value), json.dumps(value + 1))
        )
    (tmp_path / "metrics.json").write_text(json.dumps(figures), encoding="utf-8")
    (tmp_path / "report.html").write_bytes((source / "report.html").read_bytes())
    assert EN.value(value, "currency") in untraced(tmp_path)
