"""What several test files share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The real browser, Debian's."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


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
