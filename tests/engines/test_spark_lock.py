"""The lock of what only the tests on Spark need, and the extras of the engines."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

OF_IBIS = {
    "postgres": "postgres",
    "spark": "pyspark",
    "bigquery": "bigquery",
    "snowflake": "snowflake",
    "trino": "trino",
    "databricks": "databricks",
}


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE))


def ibis_extras() -> dict[str, dict[str, Requirement]]:
    """What each extra of the installed Ibis asks for."""
    wanted: dict[str, dict[str, Requirement]] = {}
    for requirement in map(Requirement, requires("ibis-framework") or []):
        extra = re.search(r'extra == "(\w+)"', str(requirement.marker))
        if extra:
            wanted.setdefault(extra[1], {})[requirement.name] = requirement
    return wanted


def test_the_lock_of_spark_has_hashes_and_no_address(root: Path) -> None:
    text = (root / "requirements-spark.lock").read_text()
    assert "://" not in text
    assert "index-url" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert {re.split("==", e)[0] for e in entries} == {"py4j", "pyspark"}
    assert all("--hash=sha256:" in e for e in entries)


def test_the_lock_of_spark_pins_what_ibis_takes(root: Path) -> None:
    spark = pins(root / "requirements-spark.lock")
    assert ibis_extras()["pyspark"]["pyspark"].specifier.contains(spark["pyspark"])


def test_the_locks_do_not_overlap(root: Path) -> None:
    everywhere, spark = pins(root / "requirements.lock"), pins(root / "requirements-spark.lock")
    assert not everywhere.keys() & spark.keys()
    # without it pyspark, which comes as source, can't be built from the lock
    assert "setuptools" in everywhere


@pytest.mark.parametrize(("ours", "theirs"), OF_IBIS.items())
def test_the_extras_are_those_of_ibis(root: Path, ours: str, theirs: str) -> None:
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    found = [Requirement(r) for r in extras["optional-dependencies"][ours]]
    assert found[0].name == "ibis-framework"
    assert found[0].extras == {theirs}
    assert theirs in ibis_extras()
    base = {Requirement(r).name: str(Requirement(r).specifier) for r in extras["dependencies"]}
    assert str(found[0].specifier) == base["ibis-framework"]
