"""Databases: the same figures in every engine, nothing written, one sentence for each mistake."""

from __future__ import annotations

import datetime as dt
import json
import random
import re
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from engines import ENGINES
from engines.postgres import PostgresServer
from engines.spark import SparkEngine
from oracle import reference
from oracle.against import assert_same, assert_same_customers
from typer.testing import CliRunner

from retention_lib.cli import app
from retention_lib.data.databases import addresses, connections
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.params import Params, read_client_file
from retention_lib.run.report import report_client

PASSWORD = "ACME_PASSWORD"


@dataclass(frozen=True)
class Engine:
    """An engine that holds a table: what a client file says of it."""

    source: str
    table: str
    folder: Path

    def params(self, **given: Any) -> Params:
        return Params(
            **{"client": "acme", "currency": "NOK", "source": self.source, "table": self.table},
            **given,
        )


Load = Callable[[pa.Table], Engine]


def engine_param(fixture: str) -> Any:
    """An engine whose fixture is asked for by name, marked as if it stood in the signature."""
    marks = [pytest.mark.slow, pytest.mark.xdist_group(fixture)]
    return pytest.param(fixture, marks=[*marks, pytest.mark.filterwarnings(*ENGINES[fixture])])


@pytest.fixture(params=["duckdb", engine_param("postgres"), engine_param("spark")])
def load(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Puts a table named `orders` into an engine."""
    if request.param == "duckdb":

        def into(rows: pa.Table) -> Engine:
            file = tmp_path / f"shop {len(list(tmp_path.iterdir()))}.duckdb"
            with duckdb.connect(str(file)) as con:
                con.execute("CREATE TABLE orders AS SELECT * FROM rows")
            return Engine(f"duckdb://{file.name}", "orders", tmp_path)

    elif request.param == "postgres":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv(PASSWORD, postgres.reader_password)

        def into(rows: pa.Table) -> Engine:
            database = postgres.create_database()
            postgres.load(database, "orders", rows)
            address = postgres.url(database, reader=True, variable=PASSWORD)
            return Engine(address, "public.orders", tmp_path)

    else:
        spark: SparkEngine = request.getfixturevalue("spark")

        def into(rows: pa.Table) -> Engine:
            database = spark.create_database()
            spark.load(database, "orders", rows)
            return Engine("pyspark://", f"{database}.orders", tmp_path)

    return into


# --- the same figures ------------------------------------------------------------------------

#: Moments around midnight in several zones, and the two nights of the clock change in Europe.
MOMENTS = [
    dt.datetime.fromisoformat(f"{text}+00:00")
    for text in (
        *("2024-03-30T22:59:01", "2024-03-30T23:31:02", "2024-03-31T21:59:03"),
        *("2024-03-31T22:01:04", "2024-10-26T21:59:05", "2024-10-26T22:01:06"),
        *("2024-10-27T22:59:07", "2024-10-27T23:01:08", "2024-12-31T23:30:09"),
    )
]
FX = {"EUR": 11.5, "SEK": 0.97}


def table_of(seed: int, moments: bool, pieces: bool) -> pa.Table:
    """Rows with all that CONTRACT, section 3, speaks of, typed as a database has them."""
    rng = random.Random(seed)

    def day() -> dt.date:
        return dt.date(2023, 10, 1) + dt.timedelta(days=rng.randrange(540))

    def time() -> dt.datetime | dt.date | None:
        if rng.random() < 0.03:
            return None
        if not moments:
            return day()
        at = rng.choice(MOMENTS)
        return at if rng.random() < 0.4 else dt.datetime.combine(day(), at.time(), dt.UTC)

    def money() -> Decimal | None:
        special = [None, Decimal("0.00"), Decimal("-0.30"), Decimal("0.10"), Decimal("999999.99")]
        cents = Decimal(rng.randrange(-60_000, 90_000)) / 100
        return rng.choice(special) if rng.random() < 0.2 else cents

    people = [
        "anna",
        "bo",
        "007",
        "7",
        "Åse Ødegård",
        " gjest ",
        "0",
        "",
        None,
        "a;b\t",
        "👩‍👧 Lie",
    ]
    people += [f"kunde {n}" for n in range(20)]
    rows = []
    for _ in range(400):
        row = {"customer": rng.choice(people), "date": time()}
        if pieces:
            row |= {"quantity": rng.choice([None, -2, 1, 3]), "unit_price": money()}
        else:
            row |= {"amount": money()}
        row |= {"order": rng.choice([None, "1", "2", "0003"]), "currency": rng.choice([None, *FX])}
        rows += [row] * (2 if rng.random() < 0.1 else 1)
    rng.shuffle(rows)
    number = pa.decimal128(12, 2)
    types = {
        "customer": pa.string(),
        "date": pa.timestamp("us", "UTC") if moments else pa.date32(),
        **({"quantity": pa.int32(), "unit_price": number} if pieces else {"amount": number}),
        "order": pa.string(),
        "currency": pa.string(),
    }
    return pa.Table.from_pylist(rows, schema=pa.schema(list(types.items())))


CASES = [
    {"timezone": "Europe/Oslo"},
    {"timezone": "America/New_York", "deduplicate": "exact", "guest_ids": ["0", "gjest"]},
    {"timezone": "Asia/Kolkata", "returns": "drop", "free_orders": True},
    {"timezone": "Europe/Oslo", "start": dt.date(2024, 1, 1), "as_of": dt.date(2024, 10, 27)},
]


def test_a_database_is_read_as_the_definition_says(load: Load) -> None:
    for seed, options in enumerate(CASES):
        rows = table_of(seed, moments=seed % 2 == 0, pieces=seed >= 2)
        given = {**options, "fx": FX, "columns": {name: name for name in rows.column_names}}
        engine = load(rows)
        base = read_base(engine.params(**given), engine.folder)
        plain = [
            {k: str(v) if isinstance(v, Decimal | int) else v for k, v in row.items()}
            for row in rows.to_pylist()
        ]
        expected = reference.from_rows(plain, currency="NOK", fx=FX, **options)
        assert expected.used
        assert_same(base, expected, len(rows))
        assert_same_customers(base, expected)


def test_a_rate_of_many_digits_is_rounded_alike(load: Load) -> None:
    rng = random.Random(5)
    rate, n = 0.000123456789, 500
    amounts = [Decimal(rng.randrange(-(10**12), 10**12)) / 100 for _ in range(n)]
    rows = pa.table(
        {
            "customer": [f"k{i}" for i in range(n)],
            "date": pa.array([dt.date(2024, 1, 1)] * n),
            "amount": pa.array(amounts, pa.decimal128(18, 2)),
            "currency": ["KRW"] * n,
        }
    )
    engine = load(rows)
    columns = {name: name for name in rows.column_names}
    base = read_base(engine.params(columns=columns, fx={"KRW": rate}), engine.folder)
    found = {row["customer"]: row["amount"] for row in base.days.to_pyarrow().to_pylist()}
    assert found == {
        f"k{i}": (amount * Decimal(str(rate))).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        for i, amount in enumerate(amounts)
    }


def test_numbers_of_every_type_are_amounts_and_ids(load: Load) -> None:
    """Floats that are no amounts are counted; ids that are numbers are written as such."""
    amounts = [10.0, 0.1, float("nan"), float("inf"), float("-inf"), 1e14, -1e300, 99.99, None]
    rows = pa.table(
        {
            "customer": pa.array([7.0, 7.0, 8.0, 8.0, 8.0, 9.0, 9.0, float("nan"), 7.0]),
            "date": pa.array([dt.datetime(2024, 1, 1, 23, 59, 59)] * 9, pa.timestamp("us")),
            "amount": pa.array(amounts, pa.float64()),
        }
    )
    engine = load(rows)
    columns = {name: name for name in rows.column_names}
    base = read_base(engine.params(columns=columns, timezone="Pacific/Auckland"), engine.folder)
    assert base.days.to_pyarrow().to_pylist() == [
        {
            "customer": "7",
            "day": dt.date(2024, 1, 1),
            "amount": Decimal("10.1000"),
            "rows": 2,
            "bought": True,
        }
    ]
    assert base.left_out[["cause", "rows"]].to_dict("records") == [
        {"cause": "no_amount", "rows": 6},
        {"cause": "no_customer", "rows": 1},
    ]


@pytest.fixture(scope="module")
def cdnow() -> pa.Table:
    """CDNOW as a client's database would have it."""
    base = read_base(Params(client="cdnow", currency="USD", source="builtin:cdnow"), Path())
    rows = base.rows.to_pyarrow().select(["customer", "day", "amount"])
    return rows.append_column("title", pa.array([f"cd {n % 7}" for n in range(len(rows))]))


def write_client_file(folder: Path, **keys: Any) -> Path:
    file = folder / "acme.yaml"
    columns = {"customer": "customer", "date": "day", "amount": "amount"}
    text = {"client": "acme", "currency": "USD", "columns": columns, **keys}
    file.write_text(yaml.safe_dump(text), encoding="utf-8")
    return file


@pytest.mark.slow
def test_every_engine_gives_the_same_metrics(load: Load, cdnow: pa.Table) -> None:
    """The whole report, from a database and from a file: all but the source's name is the same."""
    engine = load(cdnow)
    pq.write_table(cdnow, engine.folder / "orders.parquet")
    written = {}
    for name, source in (
        ("file", {"source": "orders.parquet"}),
        ("database", {"source": engine.source, "table": engine.table}),
    ):
        keys = {
            **{"columns": {**COLUMNS, "category": "title"}, "dimensions": ["category"]},
            **source,
        }
        file = read_client_file(write_client_file(engine.folder, **keys))
        made = report_client(file, engine.folder / name)
        figures = json.loads((made.report.parent / "metrics.json").read_text())
        read = [told["values"].pop("names", "") for told in figures["sentences"]]
        assert any("orders" in one for one in read)
        written[name] = figures
        run = (made.report.parent / "run.json").read_text()
    assert written["file"] == written["database"]
    assert written["file"]["metrics"]["customers.total"]["value"] == 23_502
    # where the data was is said, and how to get in isn't
    assert engine.source.split("//")[-1].split("@")[-1].replace(" ", "%20") in run


# --- what goes wrong --------------------------------------------------------------------------


@pytest.fixture
def shop(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with some orders, a view, and what can't be read as such."""
    name = postgres.create_database()
    rows = pa.table(
        {
            "customer": ["anna", "bo", "anna"],
            "day": pa.array([dt.date(2024, 1, n) for n in (1, 2, 3)]),
            "amount": pa.array([Decimal("5.00"), Decimal("7.50"), Decimal("9.00")]),
            "paid": ["5.00", "7,50", "free"],
            "sent": ["1.1.2024", "2.1.2024", "soon"],
        }
    )
    postgres.load(name, "orders", rows)
    postgres.execute(
        name,
        "CREATE SCHEMA sales",
        "CREATE VIEW sales.kept AS SELECT * FROM orders WHERE customer = 'anna'",
        f"GRANT USAGE ON SCHEMA sales TO {postgres.reader}",
        f"GRANT SELECT ON sales.kept TO {postgres.reader}",
    )
    monkeypatch.setenv(PASSWORD, postgres.reader_password)
    return name


def check(folder: Path, **keys: Any) -> tuple[int, str, str]:
    """`retention check`, as a user calls it: exit code, output, errors."""
    file = write_client_file(folder, **keys)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    ran = CliRunner().invoke(app, ["check", str(file)])
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    assert "Traceback" not in ran.output
    return ran.exit_code, ran.stdout, ran.stderr


COLUMNS = {"customer": "customer", "date": "day", "amount": "amount"}
MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no such table": ({"table": "ordres"}, ("no table or view ordres", "did you mean orders?")),
    "no such schema": ({"table": "shop.orders"}, ("no table or view shop.orders",)),
    "a query that is none": (
        {"table": "select customer from orders wher day > 1"},
        ("table: PostgreSQL can't run the query: syntax error",),
    ),
    "a query that writes": (
        {"table": "with gone as (delete from orders returning *) select * from gone"},
        ("table: found DELETE in the query; a query may only read",),
    ),
    "no such column": (
        {"columns": {**COLUMNS, "amount": "amout"}},
        ('columns.amount: the source has no column "amout"; did you mean "amount"?',),
    ),
    "an amount that is text": (
        {"columns": {**COLUMNS, "amount": "paid"}},
        ('columns.amount: "paid" is of type string', "cast(paid as numeric(18, 4)) as paid"),
    ),
    "a day that is text": (
        {"columns": {**COLUMNS, "date": "sent"}},
        ('columns.date: "sent" is of type string', "cast(sent as date) as sent"),
    ),
    "no rows": ({"table": "select * from orders where false"}, ("there isn't a single row",)),
    "no row in the window": ({"as_of": "2020-01-01"}, ("outside the reported window: 3",)),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_database_gets_one_sentence(
    postgres: PostgresServer, shop: str, tmp_path: Path, mistake: str
) -> None:
    keys, telling = MISTAKES[mistake]
    address = postgres.url(shop, reader=True, variable=PASSWORD)
    code, out, err = check(tmp_path, **{"source": address, "table": "orders", **keys})
    assert code == 3, out + err
    assert len(err.splitlines()) == 1
    for words in telling:
        assert words in err
    assert postgres.reader_password not in out + err


def test_tables_views_and_queries_are_read_and_nothing_is_written(
    postgres: PostgresServer, shop: str, tmp_path: Path
) -> None:
    address = postgres.url(shop, reader=True, variable=PASSWORD)
    seen = len(postgres.log())
    for table, rows in (
        ("orders", 3),
        ("sales.kept", 2),
        ("select * from orders where amount > 6;", 2),
        ("WITH kept AS (SELECT * FROM orders) SELECT * FROM kept", 3),
    ):
        code, out, err = check(tmp_path, source=address, table=table)
        assert code == 0, err
        assert f"{rows} of {rows} rows are used" in out
    asked = postgres.log()[seen:].upper()
    assert "GROUP BY" in asked  # counted where it is
    for word in ("CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "COPY"):
        assert not re.search(rf"\b{word}\b", asked), word


def test_a_table_that_may_not_be_read_is_refused_by_name(
    postgres: PostgresServer, shop: str, tmp_path: Path
) -> None:
    role = f"outsider_{shop}"
    postgres.execute(shop, f"CREATE ROLE {role} LOGIN PASSWORD '{postgres.reader_password}'")
    address = f"postgres://{role}:${{{PASSWORD}}}@{postgres.host}:{postgres.port}/{shop}"
    code, out, err = check(tmp_path, source=address, table="orders")
    assert code == 3, out
    assert "PostgreSQL says: permission denied for table orders" in err


@pytest.mark.parametrize("reader", [True, False])
def test_a_database_that_keeps_us_out_gets_one_sentence_without_its_password(
    postgres: PostgresServer,
    shop: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reader: bool,
) -> None:
    address = postgres.url(shop, reader=reader, variable=PASSWORD)
    down = address.replace(f":{postgres.port}/", ":1/")
    code, out, err = check(tmp_path, source=down, table="orders")
    assert code == 3
    assert "can't be opened" in err
    assert "that the database is up" in err
    wrong = "not the p@ssword:/?#"
    monkeypatch.setenv(PASSWORD, wrong)
    code, out_2, err_2 = check(tmp_path, source=address, table="orders")
    assert code == 3
    assert "password authentication failed" in err_2
    assert wrong not in out_2 + err_2
    monkeypatch.delenv(PASSWORD)
    code, _, err_3 = check(tmp_path, source=address, table="orders")
    assert code == 3
    assert f"${{{PASSWORD}}} isn't set in the environment" in err_3
    for text in (out, err, out_2, err_2, err_3):
        assert postgres.password not in text
        assert postgres.reader_password not in text


def test_a_whole_address_may_come_from_the_environment(
    postgres: PostgresServer, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_ORDERS", postgres.url(shop, reader=True))
    code, out, err = check(tmp_path, source="${ACME_ORDERS}", table="orders")
    assert code == 0, err
    monkeypatch.setenv("ACME_ORDERS", postgres.url("nosuch", reader=True))
    code, out, err = check(tmp_path, source="${ACME_ORDERS}", table="orders")
    assert code == 3
    assert "source: ${ACME_ORDERS} can't be opened" in err
    assert postgres.reader_password not in out + err


def test_a_database_that_stops_answering_gets_one_sentence(
    postgres: PostgresServer, shop: str, tmp_path: Path
) -> None:
    """The connection is cut while the rows are counted."""
    cut = "select o.*, pg_terminate_backend(pg_backend_pid()) from orders o"
    address = postgres.url(shop, variable=PASSWORD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PASSWORD, postgres.password)
        code, out, err = check(tmp_path, source=address, table=cut)
    assert code == 3
    assert "PostgreSQL says: terminating connection" in err
    assert postgres.password not in out + err


ELSEWHERE: dict[str, tuple[dict[str, Any], int, str]] = {
    "a kind that isn't read": (
        {"source": "mongodb://127.0.0.1/shop", "table": "orders"},
        3,
        "source: mongodb:// isn't a kind of database that is read; duckdb://",
    ),
    "a database file that isn't there": (
        {"source": "duckdb://shp.duckdb", "table": "orders"},
        3,
        "there is no database file",
    ),
    "a file that is no database": (
        {"source": "duckdb://acme.yaml", "table": "orders"},
        3,
        "can't be opened",
    ),
    "no table named": ({"source": "duckdb://shop.duckdb"}, 2, "table: the key is missing"),
    "a literal password": (
        {"source": "postgres://anna:hunter2@127.0.0.1/shop", "table": "orders"},
        2,
        "found a literal password",
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_an_address_that_cant_be_used_gets_one_sentence(tmp_path: Path, case: str) -> None:
    keys, expected, telling = ELSEWHERE[case]
    code, out, err = check(tmp_path, **keys)
    assert code == expected, out + err
    assert telling in err
    assert len(err.splitlines()) == 1
    assert "hunter2" not in out + err


@pytest.mark.parametrize("kind", sorted(set(addresses.KINDS) - {"duckdb"}))
def test_a_client_that_isnt_installed_is_named_with_its_extra(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(addresses.importlib, "import_module", nothing)
    params = Params(
        client="acme",
        currency="NOK",
        source=f"{kind}://127.0.0.1/shop",
        table="orders",
        columns=COLUMNS,
    )
    with pytest.raises(DataError, match="needs a package that isn't installed") as caught:
        read_base(params, Path())
    assert f"[{addresses.KINDS[kind].extra}]" in str(caught.value)


def test_a_warehouse_is_connected_to_without_leaving_anything_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stand-ins for clients that can't be tried here: what is asked of them."""
    asked: list[str] = []

    class Cursor:
        description = ()

        def __enter__(self) -> Cursor:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def execute(self, query: str, *_: object) -> Cursor:
            asked.append(query)
            return self

        def fetchall(self) -> list[tuple[str]]:
            return [("main",)]

        def close(self) -> None:
            pass

    class Connection:
        def cursor(self) -> Cursor:
            return Cursor()

    given: dict[str, Any] = {}

    def connect(**kwargs: Any) -> Connection:
        given.update(kwargs)
        return Connection()

    package, module = types.ModuleType("databricks"), types.ModuleType("databricks.sql")
    module.connect = connect  # type: ignore[attr-defined]
    package.sql = module  # type: ignore[attr-defined]
    for name, stand_in in (("databricks", package), ("databricks.sql", module)):
        monkeypatch.setitem(sys.modules, name, stand_in)
    url = "databricks://token:s%40cret@dbc.example?http_path=%2Fsql%2F1&catalog=main"
    connections.open_connection("databricks", url, "Europe/Oslo", Path())
    assert (given["server_hostname"], given["access_token"]) == ("dbc.example", "s@cret")
    assert (given["http_path"], given["catalog"]) == ("/sql/1", "main")
    assert "SET TIME ZONE 'Europe/Oslo'" in asked
    assert not [query for query in asked if "CREATE" in query.upper()]

    class Snowflake:
        def raw_sql(self, query: str) -> None:
            asked.append(query)

    def to_snowflake(url: str, **kwargs: Any) -> Snowflake:
        given.update(kwargs)
        return Snowflake()

    monkeypatch.setattr(connections.ibis, "connect", to_snowflake)
    connections.open_connection("snowflake", "snowflake://u:p@a/d/s", "Europe/Oslo", Path())
    assert given["create_object_udfs"] is False
    assert asked[-1] == "ALTER SESSION SET TIMEZONE = 'Europe/Oslo'"


# --- the SQL ----------------------------------------------------------------------------------


def test_the_sql_is_what_the_engine_is_asked(load: Load, cdnow: pa.Table) -> None:
    """Run by hand, the first statement gives what the base is made of."""
    engine = load(cdnow.slice(0, 500))
    file = write_client_file(
        engine.folder, source=engine.source, table=engine.table, as_of="1998-06-30"
    )
    ran = CliRunner().invoke(app, ["sql", str(file)])
    assert ran.exit_code == 0, ran.output
    comments = [line for line in ran.stdout.splitlines() if line.startswith("-- ")]
    assert len(comments) == 3
    assert engine.table in comments[0]
    statements = [
        "\n".join(line for line in part.splitlines() if not line.startswith("--"))
        for part in ran.stdout.split(";\n")
    ]
    base = read_base(read_client_file(file).params, engine.folder)
    tallied = base.order_days.to_pyarrow()
    with duckdb.connect() as con:
        con.register("orders", cdnow.slice(0, 500))
        if engine.source.startswith("duckdb"):
            assert con.execute(f"SELECT count(*) FROM ({statements[0]})").fetchall() == [
                (len(tallied),)
            ]
        con.register("tally", tallied.append_column("cause", pa.nulls(len(tallied), pa.string())))
        frame = con.execute(statements[2]).df().set_index("customer").sort_index()
    assert frame["frequency"].tolist() == base.customers()["frequency"].tolist()
    assert frame["monetary_value"].tolist() == pytest.approx(
        base.customers()["monetary_value"].tolist(), nan_ok=True
    )
