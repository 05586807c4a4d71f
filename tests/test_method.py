"""The last chapter: definitions of what is printed, models, intervals, provenance."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.definitions import DEFINITIONS, fitted
from retention_lib.metrics import UNITS, Metric
from retention_lib.models.names import TITLES
from retention_lib.params import read_client_file
from retention_lib.report import method_parts
from retention_lib.report.exporter import assemble, notebook_of, render
from retention_lib.report.findings import method as findings
from retention_lib.report.labels import LABELS
from retention_lib.report.language import Formats
from retention_lib.report.page import Headline, Page
from retention_lib.run.provenance import software

PAGE = Page(Formats("en", "USD"))
MADE = dt.date(2024, 5, 17)


@pytest.fixture(scope="module")
def base(root: Path) -> Base:
    file = read_client_file(root / "params" / "cdnow-sample.yaml")
    return read_base(file.params, file.folder)


def chapter(base: Base, names: tuple[str, ...] = (), **more: Any) -> BeautifulSoup:
    """The chapter after one that prints these figures, as the report has it."""
    cards = [Headline(PAGE.formats.tell(LABELS[name]), Metric(0.5, "share")) for name in names]
    before = notebook_of([PAGE.headlines(cards)] if cards else [])
    metrics = more.pop("metrics", ())
    shown = method_parts.chapter(
        base, [before], metrics, PAGE, versions=software(), made=MADE, **more
    )
    notebook = assemble(
        [notebook_of(shown)], title="A", client="a", as_of="2024-01-01", currency="USD"
    )
    return BeautifulSoup(render(notebook), "html.parser")


def facts(soup: BeautifulSoup) -> dict[str, str]:
    return {
        str(term.get_text()): str(term.find_next_sibling("dd").get_text())  # type: ignore[union-attr]
        for term in soup.select("dl.facts dt")
    }


def test_every_figure_of_a_report_has_a_definition_and_each_only_one() -> None:
    ids = [name for of in DEFINITIONS.values() for name in of]
    assert sorted(ids) == sorted(UNITS)
    assert all(text.endswith(".") for of in DEFINITIONS.values() for text in of.values())


def test_what_is_printed_is_defined_and_nothing_else(base: Base) -> None:
    soup = chapter(base, ("retention.rate", "clv.total"))
    terms = [term.get_text() for term in soup.select("dl.terms dt")]
    assert terms == ["Retention rate", "Customer lifetime value, total"]
    groups = [group.get_text() for group in soup.select("p.group")]
    assert groups == ["Retention and repeat purchases", "Forecast and lifetime value"]
    assert chapter(base).select("dl.terms, p.group") == []


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd", "paretonbd"])
def test_the_models_used_stand_with_what_they_assume_and_where_they_are_from(
    base: Base, name: str
) -> None:
    soup = chapter(base, metrics=(f"model.{name}.r", "model.gammagamma.p"))
    known = facts(soup)
    assert known["Purchases"].startswith(f"{TITLES[name]} (")
    assert known["Spend"].startswith("Gamma-Gamma (")
    others = set(TITLES) - {name, "gammagamma"}
    main = soup.main
    assert main is not None
    assert not any(f" {TITLES[other]} (" in f" {main.get_text()}" for other in others)
    cited = known["Purchases"].split("(")[1].split(",")[0].split(" &")[0]
    assert any(item.get_text().startswith(cited) for item in soup.select("main li"))


def test_without_a_forecast_no_model_is_named(base: Base) -> None:
    soup = chapter(base)
    known = facts(soup)
    assert not {"Spend", "Value", "Forecasts"} & set(known)
    assert soup.main is not None
    assert "NBD" not in soup.main.get_text()
    assert fitted(["retention.rate", "model.x"]) == []


def test_provenance_names_data_rows_fingerprint_day_and_software(base: Base) -> None:
    known = facts(chapter(base))
    assert known["Source"] == ", ".join(base.names)
    assert known["Fingerprint"] == base.fingerprint
    assert known["Made on"] == "May 17, 2024"
    assert f"{base.rows_in:,}" in known["Rows"]
    assert all(f"{name} {version}" in known["Software"] for name, version in software().items())


def test_rows_left_out_are_counted(base: Base) -> None:
    known = facts(chapter(base))
    left = base.rows_in - base.rows_used
    assert left > 0
    assert f"{left:,} were left out" in known["Rows"]
    assert f"{base.rows_used:,} of {base.rows_in:,}" in known["Rows"]


def test_of_many_files_a_few_are_named(base: Base) -> None:
    names = tuple(f"orders-{n}.csv" for n in range(8))
    assert facts(chapter(dataclasses.replace(base, names=names)))["Source"].endswith(
        "orders-4.csv, 3 further files"
    )


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("margin", 1.0, 0.4),
        ("returns", "net", "drop"),
        ("free_orders", False, True),
        ("active_months", 12, 6),
    ],
)
def test_the_chapter_tells_what_the_client_file_chose(
    base: Base, key: str, one: Any, other: Any
) -> None:
    def told(value: Any) -> dict[str, str]:
        params = base.params.model_copy(update={key: value})
        found = dataclasses.replace(base, params=params)
        return facts(chapter(found, metrics=("model.bgnbd.r",)))

    assert told(one) != told(other)


def test_a_hostile_file_name_is_shown_as_text(base: Base) -> None:
    evil = "<img src=x onerror=alert(1)>.csv"
    soup = chapter(dataclasses.replace(base, names=(evil,)))
    assert soup.main is not None
    assert soup.main.find("img") is None
    assert evil in facts(soup)["Source"]


def test_a_title_of_the_literature_is_not_said_twice() -> None:
    found = findings.literature(["bgnbd", "gammagamma"])
    assert len(set(found)) == len(found)
    assert found == sorted(found)
