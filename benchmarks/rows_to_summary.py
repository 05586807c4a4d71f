"""From rows to one row per customer: this library, hand-written SQL, lifetimes, side by side.

    python benchmarks/rows_to_summary.py [--rows 1_000_000 4_000_000] [--form csv] [--repeat 3]

All ways read the same file and end in the same thing: a frame of customers up to ten million rows,
a Parquet file of them above, where the frame alone would fill the memory. Each way runs in a
process of its own, in turns, and the best of its times counts: from the file to the result, without
imports. Peak memory is the process's. lifetimes is left out above ten million rows.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orders

AS_OF = "2024-12-31"
LARGEST_FRAME = 10_000_000  # rows behind it

SQL = """
SELECT customer, min(date) AS first, max(date) AS last, count(*) - 1 AS frequency,
       date_diff('day', min(date), max(date)) AS recency,
       date_diff('day', min(date), DATE '{as_of}') AS T,
       (sum(amount) - arg_min(amount, date)) / nullif(count(*) - 1, 0) AS monetary_value
FROM (SELECT customer, date, sum(amount) AS amount FROM {source}
      WHERE date <= DATE '{as_of}' GROUP BY ALL HAVING sum(amount) > 0)
GROUP BY customer ORDER BY customer
"""
PARQUET = "read_parquet('{path}')"
CSV = (
    "read_csv('{path}', delim = ';', decimal_separator = ',', dateformat = '%d.%m.%Y', "
    "columns = {{customer: 'VARCHAR', date: 'DATE', amount: 'DECIMAL(18, 4)'}})"
)


def ours(path: Path, out: Path | None) -> Any:
    from retention_lib.data.read import read_base
    from retention_lib.params import Params

    params = Params(
        client="bench",
        currency="USD",
        source=str(path),
        columns={"customer": "customer", "date": "date", "amount": "amount"},
        as_of=AS_OF,
    )
    base = read_base(params, path.parent)
    return base.write_customers(out) if out else base.customers()


def sql(path: Path, out: Path | None) -> Any:
    import duckdb

    query = statement(path)
    if out is None:
        return duckdb.sql(query).df()
    # the same bounds as ours, or it takes what the machine has
    duckdb.sql("SET memory_limit = '2GB'")
    duckdb.sql(f"SET temp_directory = '{path.parent / 'sql'}'")
    duckdb.sql("SET preserve_insertion_order = false")
    return duckdb.sql(f"COPY ({query}) TO '{out}'")


def statement(path: Path) -> str:
    source = (PARQUET if path.suffix == ".parquet" else CSV).format(path=path)
    return SQL.format(source=source, as_of=AS_OF)


def lifetimes(path: Path, out: Path | None) -> Any:
    import pandas as pd
    from lifetimes.utils import summary_data_from_transaction_data

    if path.suffix == ".parquet":
        rows = pd.read_parquet(path)
    else:
        rows = pd.read_csv(path, sep=";", decimal=",", parse_dates=["date"], dayfirst=True)
    return summary_data_from_transaction_data(
        rows, "customer", "date", monetary_value_col="amount", observation_period_end=AS_OF
    )


WAYS: dict[str, Callable[[Path, Path | None], Any]] = {
    "ours": ours,
    "sql": sql,
    "lifetimes": lifetimes,
}


def once(way: str, path: Path, out: Path | None) -> dict[str, float]:
    """One way's time and memory, in this process, which should do nothing else."""
    _import_all()
    # what the imports left behind would be collected in the midst of the one or the other
    gc.collect()
    gc.freeze()
    began, worked = time.perf_counter(), time.process_time()
    result = WAYS[way](path, out)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    gc.unfreeze()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    customers = _rows_of(out) if out else len(result)
    return {"seconds": seconds, "cpu": cpu, "peak": peak, "customers": customers}


def _import_all() -> None:
    for name in (
        *("ibis.backends.duckdb", "lifetimes.utils", "pyarrow.parquet"),
        *("retention_lib.data.read", "retention_lib.params"),
    ):
        importlib.import_module(name)


def _rows_of(file: Path) -> int:
    import pyarrow.parquet as pq

    return pq.ParquetFile(file).metadata.num_rows


def measure(way: str, path: Path, out: Path | None) -> dict[str, float]:
    """`once`, in a process of its own."""
    asked = ["--way", way, "--path", str(path), *(["--out", str(out)] if out else [])]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, *asked], stdout=subprocess.PIPE, check=True
    )
    return json.loads(ran.stdout.splitlines()[-1])


def compare(rows: int, form: str, repeat: int, folder: Path) -> dict[str, dict[str, float]]:
    """Every way's best time over the same file, in turns; prints a row of the table for each."""
    path = folder / f"orders.{form}"
    rows = orders.write(rows, path)
    ways = [way for way in WAYS if way != "lifetimes" or rows <= LARGEST_FRAME * 1.1]
    out = None if rows <= LARGEST_FRAME * 1.1 else folder / "customers.parquet"
    best: dict[str, dict[str, float]] = {}
    for _ in range(repeat):
        for way in ways:
            result = measure(way, path, out)
            best[way] = {k: min(v, best.get(way, result)[k]) for k, v in result.items()}
    if len({result["customers"] for result in best.values()}) > 1:
        raise SystemExit(f"the ways found different customers: {best}")
    for way, result in best.items():
        print(
            f"| {rows:,} | {form} | {'Parquet' if out else 'frame'} | {way} "
            f"| {result['seconds']:.2f} | {result['seconds'] / best['ours']['seconds']:.2f} "
            f"| {result['cpu']:.2f} | {result['peak']:.2f} | {result['customers']:,} "
            f"| {os.getloadavg()[0]:.1f} |",
            flush=True,
        )
    path.unlink()
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=orders.number, default=[1_000_000, 4_000_000])
    parser.add_argument("--form", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the files may be large")
    parser.add_argument("--way", choices=WAYS, help="one way, in this process")
    parser.add_argument("--path", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(once(given.way, given.path, given.out)))
        return
    print(
        "| rows | of | to | way | seconds | times ours | CPU seconds | peak GB | customers | load |"
    )
    print("| ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        for rows in given.rows:
            compare(rows, given.form, given.repeat, Path(folder))


if __name__ == "__main__":
    main()
