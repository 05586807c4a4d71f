"""Realistic orders in any number, as Parquet or CSV: BG/NBD histories with Gamma-Gamma spend.

    python benchmarks/orders.py 1_000_000 orders.parquet
    python benchmarks/orders.py 1_000_000 orders.csv

Each customer joins on a random day of three years, buys at a rate of their own, may leave after
any purchase, and spends around a mean of their own (Fader, Hardie & Lee 2005; Fader & Hardie 2013).
Rows come quarter by quarter, and within one in no order, so that a customer's are all over the
file, as in an export. The same number gives the same orders, whatever the form. CSV is as a shop
in the North exports it: semicolons, decimal commas, 31.12.2024.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

R, ALPHA, A, B = 0.55, 60.0, 0.80, 3.0  # per day
P, Q, V = 6.25, 3.74, 15.44
DAYS = 3 * 365
QUARTERS = 12
START = np.datetime64("2022-01-01")
CUSTOMERS_AT_ONCE = 500_000
ROWS_AT_ONCE = 500_000
PER_CUSTOMER = 3.15  # rows, on average, under these parameters
SCHEMA = pa.schema([("customer", pa.string()), ("date", pa.date32()), ("amount", pa.float64())])
ROW = np.dtype([("who", "i4"), ("day", "i4"), ("cents", "i8")])


def write(rows: int, path: Path, seed: int = 1) -> int:
    """Write about `rows` rows; how many it became."""
    rng = np.random.default_rng(seed)
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as folder,
        contextlib.closing(_writer(path)) as out,
    ):
        quarters = [Path(folder) / f"{number}" for number in range(QUARTERS)]
        _simulate(rng, max(round(rows / PER_CUSTOMER), 1), quarters)
        written = 0
        for quarter in quarters:
            for table in _mixed(rng, quarter):
                out.write_table(table if path.suffix == ".parquet" else _as_text(table))
                written += table.num_rows
    return written


def _writer(path: Path) -> pq.ParquetWriter | pc_csv.CSVWriter:
    if path.suffix == ".parquet":
        return pq.ParquetWriter(path, SCHEMA)
    text = pa.schema([(name, pa.string()) for name in SCHEMA.names])
    options = pc_csv.WriteOptions(delimiter=";", quoting_style="none")
    return pc_csv.CSVWriter(path, text, write_options=options)


def _simulate(rng: np.random.Generator, customers: int, quarters: list[Path]) -> None:
    """Lay every order down in the file of its quarter: all of them at once don't fit memory."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in quarters]
        for first in range(0, customers, CUSTOMERS_AT_ONCE):
            rows = _histories(rng, min(CUSTOMERS_AT_ONCE, customers - first))
            rows["who"] += first
            quarter = rows["day"] * QUARTERS // DAYS
            for number, file in enumerate(files):
                rows[quarter == number].tofile(file)


def _histories(rng: np.random.Generator, n: int) -> np.ndarray:
    rate, leaving = rng.gamma(R, 1 / ALPHA, n), rng.beta(A, B, n)
    mean = P / rng.gamma(Q, 1 / V, n)
    who, at = np.arange(n), rng.uniform(0, DAYS, n)
    found_who, found_at = [who], [at]
    while len(who):
        stays = rng.random(len(who)) > leaving[who]
        who, at = who[stays], at[stays]
        at = at + rng.exponential(1, len(who)) / np.maximum(rate[who], 1e-12)
        inside = at < DAYS
        who, at = who[inside], at[inside]
        found_who.append(who)
        found_at.append(at)
    rows = np.empty(sum(len(part) for part in found_who), ROW)
    rows["who"], rows["day"] = np.concatenate(found_who), np.concatenate(found_at)
    spent = rng.gamma(P, 1, len(rows)) / P * mean[rows["who"]]
    rows["cents"] = np.maximum(np.round(100 * spent), 1)
    return rows


def _mixed(rng: np.random.Generator, quarter: Path) -> Iterator[pa.Table]:
    rows = np.fromfile(quarter, ROW)
    rng.shuffle(rows)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        digits = pc.utf8_lpad(pa.array(part["who"]).cast("string"), 9, "0")
        days = START + part["day"].astype("timedelta64[D]")
        yield pa.table(
            {
                "customer": pc.binary_join_element_wise("C", digits, ""),
                "date": pa.array(days.astype("datetime64[D]")),
                "amount": pa.array(part["cents"] / 100),
            },
            schema=SCHEMA,
        )


def _as_text(table: pa.Table) -> pa.Table:
    amount = table["amount"].cast(pa.decimal128(15, 2), safe=False).cast("string")
    return pa.table(
        {
            "customer": table["customer"],
            "date": pc.strftime(table["date"].cast(pa.timestamp("s")), "%d.%m.%Y"),
            "amount": pc.replace_substring(amount, ".", ","),
        }
    )


def number(text: str) -> int:
    """A number as on the command line: 1_000_000."""
    return int(text.replace("_", ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=number)
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    print(f"{write(given.rows, given.path):,} rows in {given.path}")


if __name__ == "__main__":
    main()
