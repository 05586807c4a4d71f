"""What several test files share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from engines import ENGINES, missing
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

if TYPE_CHECKING:
    from engines.postgres import PostgresServer
    from engines.spark import SparkEngine

# The same examples every time, so that a change is judged by itself; to look for new ones:
# HYPOTHESIS_PROFILE=explore make test
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

CHROMIUM = Path("/usr/bin/chromium")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine as slow, and keep it with one worker where groups are kept."""
    for item in items:
        for engine in ENGINES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.xdist_group(engine))
            item.add_marker(pytest.mark.filterwarnings(*ENGINES[engine]))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The real browser, Debian's."""
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session's own."""
    from engines.postgres_process import running_server

    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkEngine]:
    """A Spark session of this session's own."""
    from engines.spark import running_session

    with running_session() as engine:
        yield engine


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The reports of the two example clients, made once, as the command makes them."""
    from retention_lib.params import read_client_file
    from retention_lib.run.report import report_client

    folder = tmp_path_factory.mktemp("reports")
    for client in ("cdnow-sample", "cdnow"):
        report_client(read_client_file(root / "params" / f"{client}.yaml"), folder)
    return folder
