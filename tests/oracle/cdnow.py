"""CDNOW as it is published, read by pandas alone: one row per order.

Fader & Hardie's log of 23,570 customers, and its 1/10 sample; the files come with lifetimes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution

import duckdb
import pandas as pd


def lines(*, sample: bool = False) -> pd.DataFrame:
    """The log: customer (text), date, quantity (CDs), amount in dollars."""
    # located, not imported: lifetimes.datasets warns of what it no longer finds
    name = "CDNOW_sample.txt" if sample else "CDNOW_master.txt"
    names = ["customer", "date", "quantity", "amount"]
    frame = pd.read_csv(
        str(distribution("lifetimes").locate_file(f"lifetimes/datasets/{name}")),
        sep=r"\s+",
        skiprows=0 if sample else 1,
        # the sample has the customer's number in the whole log first
        names=["of_all", *names] if sample else names,
        dtype={"of_all": "str", "customer": "str", "date": "str"},
    )
    return frame.assign(date=pd.to_datetime(frame["date"], format="%Y%m%d"))[names]


@contextmanager
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """The log as the table `raw`, on a connection that the library has no part in."""
    with duckdb.connect() as con:
        con.register("log", lines())
        con.execute("CREATE TABLE raw AS SELECT * FROM log")
        yield con
