"""The database engines that tests start for themselves.

Fixtures of a whole test session, in `tests/conftest.py`; a test that asks for one is marked slow
by itself. Where the engine isn't installed the test is skipped with the reason, and fails instead
where `RETENTION_TEST_EVERYTHING=1` is set, as `.ci/run` does.

`postgres`
    A PostgreSQL server: `engines.postgres.PostgresServer`.
`spark`
    A Spark session on this machine: `engines.spark.SparkEngine`.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

# Each engine's fixture, and the warnings that the tests which ask for it let pass: pyspark 4.0
# leaves the closing of its sockets to Python, and asks pandas 3 for what that deprecates
ENGINES: dict[str, tuple[str, ...]] = {
    "postgres": (),
    "spark": (
        r"ignore:unclosed <socket\.socket .*raddr=\('127\.0\.0\.1':ResourceWarning",
        r"ignore:The copy keyword is deprecated::pyspark\.sql\.pandas\.types",
    ),
}


def missing(reason: str) -> NoReturn:
    """Skip the test that needs what isn't there; fail where every test has to run."""
    if os.environ.get("RETENTION_TEST_EVERYTHING") == "1":
        pytest.fail(f"RETENTION_TEST_EVERYTHING=1, but {reason}", pytrace=False)
    pytest.skip(reason)
