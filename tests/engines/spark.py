"""A Spark session of the tests' own: this machine as master, loopback only, a temporary folder."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines import missing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = "127.0.0.1"
# what pyspark 4.0 runs on, the oldest first: Ibis is tried with that
_JAVA = (17, 21)
_SECONDS_TO_STOP = 30


@dataclass(frozen=True)
class SparkEngine:
    """A running session.

    Attributes
    ----------
    session
        The session, with the settings that Spark comes with (ANSI mode on), but for two cores and
        four partitions. Its catalogue lives as long as it does.
    """

    session: SparkSession
    _folder: Path

    def connect(self) -> Any:
        """Connect through Ibis. Never `disconnect()`: that ends the session for every test."""
        import ibis

        return ibis.pyspark.connect(self.session)

    def url(self) -> str:
        """The address that Ibis takes: in this process it leads to the running session."""
        return "pyspark://"

    def execute(self, *statements: str) -> None:
        """Run statements of Spark SQL."""
        for statement in statements:
            self.session.sql(statement)

    def create_database(self, name: str | None = None) -> str:
        """Create an empty database, under a new name where none is given; return its name."""
        name = name or f"db_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE `{name}`")
        return name

    def load(self, database: str, table: str, rows: pa.Table | pd.DataFrame) -> Path:
        """Create a table on a Parquet file.

        Parameters
        ----------
        database, table
            Where to.
        rows
            The columns; a frame's index is left out. Times with a zone become TIMESTAMP, a moment
            in time; those without TIMESTAMP_NTZ.

        Returns
        -------
        Path
            The table's folder, for ``SELECT * FROM parquet.`folder` ``, which a session of another
            process can run too.
        """
        rows = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, None, False)
        folder = self._folder / "tables" / database / table
        folder.mkdir(parents=True)
        pq.write_table(rows, folder / "rows.parquet", coerce_timestamps="us")
        self.execute(f"CREATE TABLE `{database}`.`{table}` USING parquet LOCATION '{folder}'")
        return folder


@contextmanager
def running_session() -> Iterator[SparkEngine]:
    """Start Java and a session, and end both when the block is left, however that happens."""
    if importlib.util.find_spec("pyspark") is None:
        missing("pyspark is missing: make test installs it")
    java_home = _java_home()
    folder = Path(tempfile.mkdtemp(prefix="retention-spark-"))
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name in ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"):
                environment.delenv(name, raising=False)
            environment.setenv("JAVA_HOME", str(java_home))
            environment.setenv("SPARK_LOCAL_IP", HOST)
            environment.setenv("SPARK_LOCAL_DIRS", str(folder / "local"))
            environment.setenv("PYSPARK_PYTHON", sys.executable)
            session = _start(folder)
            try:
                yield SparkEngine(session, folder)
            finally:
                _stop(session)
    finally:
        shutil.rmtree(folder)


def _java_home() -> Path:
    """The folder of a Java that Spark runs on: the environment's choice, else Debian's."""
    chosen = os.environ.get("JAVA_HOME")
    if chosen and _java_version(Path(chosen)) in _JAVA:
        return Path(chosen)
    installed = [p for p in Path("/usr/lib/jvm").glob("*") if _java_version(p) in _JAVA]
    if not installed:
        missing("Java 17 is missing: apt-get install openjdk-17-jre-headless")
    return min(installed, key=_java_version)


def _java_version(home: Path) -> int:
    """The version that a Java says it has; 0 where there is none."""
    release = home / "release"
    if not (home / "bin" / "java").exists() or not release.exists():
        return 0
    found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _start(folder: Path) -> SparkSession:
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": HOST,
        "spark.driver.host": HOST,
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder}",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("retention-tests")
    return builder.config(map=settings).getOrCreate()


def _stop(session: SparkSession) -> None:
    """End the session, then its Java, which otherwise runs until this process ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(_SECONDS_TO_STOP)
    SparkContext._gateway = SparkContext._jvm = None
