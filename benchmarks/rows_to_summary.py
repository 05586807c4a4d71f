"""From rows to one row per customer: this library, lifetimes, hand-written SQL, side by side.

    python benchmarks/rows_to_summary.py [--rows 1_000_000 4_000_000]

Each way runs in a process of its own that reads the same Parquet file; times are of reading and
summarising, without imports, and the ratio is what counts on a shared machine. Peak memory is the
process's. lifetimes is left out above ten million rows, which pandas doesn't hold here.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orders

AS_OF = "2024-12-31"
SQL = """
SELECT customer, min(date) AS first, max(date) AS last, count(*) - 1 AS frequency,
       date_diff('day', min(date), max(date)) AS recency,
       date_diff('day', min(date), DATE '{as_of}') AS T,
       (sum(amount) - arg_min(amount, date)) / nullif(count(*) - 1, 0) AS monetary_value
FROM (SELECT customer, date, sum(amount) AS amount FROM read_parquet('{path}')
      WHERE date <= DATE '{as_of}' GROUP BY ALL HAVING sum(amount) > 0)
GROUP BY customer ORDER BY customer
"""


def ours(path: Path) -> tuple[float, int]:
    from retention_lib.data.base import read_base
    from retention_lib.params import Params

    params = Params(
        client="bench",
        currency="USD",
        source=str(path),
        columns={"customer": "customer", "date": "date", "amount": "amount"},
        as_of=AS_OF,
    )
    began = time.perf_counter()
    frame = read_base(params, path.parent).customers()
    return time.perf_counter() - began, len(frame)


def sql(path: Path) -> tuple[float, int]:
    import duckdb

    began = time.perf_counter()
    frame = duckdb.sql(SQL.format(path=path, as_of=AS_OF)).df()
    return time.perf_counter() - began, len(frame)


def lifetimes(path: Path) -> tuple[float, int]:
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    began = time.perf_counter()
    frame = summary_data_from_transaction_data(
        pd.read_parquet(path),
        "customer",
        "date",
        monetary_value_col="amount",
        observation_period_end=AS_OF,
    )
    return time.perf_counter() - began, len(frame)


WAYS = {"ours": ours, "sql": sql, "lifetimes": lifetimes}


def measure(way: str, path: Path) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--way", way, "--path", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", default=["1_000_000", "4_000_000"])
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--path", type=Path)
    given = parser.parse_args()
    if given.way:
        seconds, customers = WAYS[given.way](given.path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(json.dumps({"seconds": seconds, "customers": customers, "peak_gb": peak}))
        return
    print(f"{'rows':>12} {'way':>10} {'seconds':>8} {'peak GB':>8} {'customers':>10} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for text in given.rows:
            path = Path(folder) / "orders.parquet"
            rows = orders.write(int(text.replace("_", "")), path)
            ways = [w for w in WAYS if w != "lifetimes" or rows <= 10_000_000]
            results = {way: measure(way, path) for way in ways}
            for way, result in results.items():
                ratio = result["seconds"] / results["ours"]["seconds"]
                print(
                    f"{rows:12,} {way:>10} {result['seconds']:8.2f} {result['peak_gb']:8.2f} "
                    f"{result['customers']:10,} {ratio:6.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
