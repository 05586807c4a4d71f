"""The engines that the tests start: what goes in comes out, and nobody else can reach them."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import ibis
import psycopg
import pyarrow as pa
import pytest

import engines
from engines.postgres import PostgresServer
from engines.postgres_process import running_server
from engines.spark import SparkEngine

OSLO = ZoneInfo("Europe/Oslo")
# the summer hour that the clock shows twice, on its second turn
TWICE = dt.datetime(2024, 10, 27, 2, 30, tzinfo=OSLO, fold=1)
ROWS = pa.table(
    {
        "id": ['O\'Brien "Bo"', "😀, æøå", "007", "", None],
        "lines": pa.array([1, -2, 2**62, 0, None], pa.int64()),
        "amount": pa.array(
            [Decimal("0.10"), Decimal("-0.01"), Decimal("12345678901234.56"), Decimal(0), None],
            pa.decimal128(18, 2),
        ),
        "weight": [0.1, -1e-300, 1e300, 0.0, None],
        "paid": [True, False, True, False, None],
        "day": [dt.date(2024, 2, 29), dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date.min, None],
        "at": pa.array(
            [TWICE, TWICE.replace(fold=0), dt.datetime(1997, 1, 1, tzinfo=OSLO), TWICE, None],
            pa.timestamp("us", "Europe/Oslo"),
        ),
        "local": pa.array(
            [dt.datetime(2024, 3, 31, 2, 30, 0, 123456)] * 4 + [None], pa.timestamp("us")
        ),
    }
)


def plain(table: pa.Table) -> list[tuple[object, ...]]:
    """The rows, moments in UTC and without zone, in an order of their own."""
    rows = [
        tuple(
            v.astimezone(dt.UTC).replace(tzinfo=None)
            if isinstance(v, dt.datetime) and v.tzinfo
            else v
            for v in row.values()
        )
        for row in table.to_pylist()
    ]
    return sorted(rows, key=repr)


def test_postgres_gives_back_what_was_loaded(postgres: PostgresServer) -> None:
    database = postgres.create_database()
    postgres.load(database, "Ordre 'A'", ROWS, schema="salg")
    con = ibis.connect(postgres.url(database, reader=True))
    try:
        table = con.table("Ordre 'A'", database="salg")
        assert table.schema()["amount"] == ibis.dtype("decimal(18, 2)")
        assert plain(table.to_pyarrow()) == plain(ROWS)
    finally:
        con.disconnect()


def test_postgres_takes_a_frame_and_other_types(postgres: PostgresServer) -> None:
    database = postgres.create_database()
    frame = ROWS.select(["id", "amount"]).to_pandas()
    postgres.load(database, "orders", frame, types={"amount": "double precision"})
    with postgres.connect(database) as connection:
        found = connection.execute("SELECT id, amount FROM orders WHERE amount < 1").fetchall()
        kind = connection.execute("SELECT pg_typeof(amount) FROM orders LIMIT 1").fetchone()
    assert sorted(found) == [("", 0.0), ('O\'Brien "Bo"', 0.1), ("😀, æøå", -0.01)]
    assert kind == ("double precision",)


def test_postgres_can_be_reached_from_this_machine_only(postgres: PostgresServer) -> None:
    socket.create_connection((postgres.host, postgres.port), 5).close()
    # who listens everywhere listens on this address of the loopback interface too
    for elsewhere in ("127.0.0.2", "::1"):
        with pytest.raises(OSError, match=r"refused|unreachable|assign|not available"):
            socket.create_connection((elsewhere, postgres.port), 5)


def test_postgres_asks_for_the_password(postgres: PostgresServer) -> None:
    login = f"host={postgres.host} port={postgres.port} user={postgres.user} dbname=postgres"
    for wrong in ("", " password=wrong"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(login + wrong)


def test_the_reader_of_postgres_may_not_write(postgres: PostgresServer) -> None:
    database = postgres.create_database()
    postgres.load(database, "orders", ROWS)
    for statement in (
        "CREATE TABLE x (a int)",
        "CREATE TEMP TABLE x (a int)",
        "DELETE FROM orders",
    ):
        with (
            postgres.connect(database, reader=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(statement.encode())
        assert statement in postgres.log()


def test_the_address_of_postgres_can_leave_the_password_to_a_variable(
    postgres: PostgresServer,
) -> None:
    address = postgres.url("shop", variable="ACME_PASSWORD", sslmode="disable")
    assert address == (
        f"postgresql://keeper:${{ACME_PASSWORD}}@127.0.0.1:{postgres.port}/shop?sslmode=disable"
    )


def refuses_soon(server: tuple[str, int]) -> bool:
    """Whether nobody listens there any more, or not for longer than it takes to shut down."""
    for _ in range(100):
        try:
            socket.create_connection(server, 5).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.1)
    return False


def test_a_failure_stops_the_server_and_takes_its_folder_away() -> None:
    seen = []

    def fail() -> None:
        with running_server() as server:
            seen.append(server)
            assert server.folder.is_dir()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not seen[0].folder.exists()
    assert refuses_soon((seen[0].host, seen[0].port))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is missing")
def test_the_server_ends_with_tests_that_are_killed(postgres: PostgresServer, root: Path) -> None:
    code = (
        "from engines.postgres_process import running_server\n"
        "with running_server() as s:\n"
        "    print(s.port, s.folder, flush=True)\n"
        "    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root / "tests")},
    ) as tests:
        port, folder = tests.stdout.readline().split()
        socket.create_connection((postgres.host, int(port)), 5).close()
        tests.kill()
    ended = refuses_soon((postgres.host, int(port)))
    if not ended:
        pid = (Path(folder) / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=not ended)
    assert ended


def test_spark_gives_back_what_was_loaded(spark: SparkEngine) -> None:
    database = spark.create_database()
    folder = spark.load(database, "orders", ROWS)
    con = spark.connect()
    table = con.table("orders", database=database)
    assert table.schema()["amount"] == ibis.dtype("decimal(18, 2)")
    assert plain(table.to_pyarrow()) == plain(ROWS)
    assert con.sql(f"SELECT * FROM parquet.`{folder}`").count().to_pyarrow().as_py() == 5


def test_an_address_leads_to_the_running_session_of_spark(spark: SparkEngine) -> None:
    database = spark.create_database()
    spark.load(database, "orders", ROWS.to_pandas())
    con = ibis.connect(spark.url())
    table = con.table("orders", database=database)
    assert table.lines.min().to_pyarrow().as_py() == -2
    assert spark.session.conf.get("spark.sql.ansi.enabled") == "true"


def test_spark_listens_on_this_machine_only(spark: SparkEngine) -> None:
    java = spark.session.sparkContext._gateway.proc.pid
    sockets = {
        str(link.readlink()).removeprefix("socket:[").rstrip("]")
        for link in Path(f"/proc/{java}/fd").glob("*")
        if str(link.readlink()).startswith("socket:")
    }
    listening = [
        parts[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for parts in map(str.split, Path(f"/proc/{java}/net/{table}").read_text().splitlines()[1:])
        if parts[3] == "0A" and parts[9] in sockets
    ]
    assert listening
    assert set(listening) <= {"0100007F", "0000000000000000FFFF00000100007F"}


@pytest.mark.parametrize(("everything", "outcome"), [("1", pytest.fail), ("", pytest.skip)])
def test_what_is_missing_fails_only_where_everything_has_to_run(
    monkeypatch: pytest.MonkeyPatch, everything: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("RETENTION_TEST_EVERYTHING", everything)
    with pytest.raises(outcome.Exception, match=r"Java 17 is missing"):
        engines.missing("Java 17 is missing: apt-get install openjdk-17-jre-headless")
