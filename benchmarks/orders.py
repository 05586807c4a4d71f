"""Realistic orders in any number, as Parquet: BG/NBD histories with Gamma-Gamma spend.

    python benchmarks/orders.py 1_000_000 orders.parquet

Each customer joins on a random day of three years, buys at a rate of their own, may leave after
any purchase, and spends around a mean of their own (Fader, Hardie & Lee 2005; Fader & Hardie 2013).
Rows come in no order, as exports do. The same number gives the same file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

R, ALPHA, A, B = 0.55, 60.0, 0.80, 3.0  # per day
P, Q, V = 6.25, 3.74, 15.44
DAYS = 3 * 365
START = np.datetime64("2022-01-01")
CUSTOMERS_AT_ONCE = 500_000
PER_CUSTOMER = 3.35  # rows, on average, under these parameters


def write(rows: int, path: Path, seed: int = 1) -> int:
    """Write about `rows` rows; how many it became."""
    rng = np.random.default_rng(seed)
    customers = max(round(rows / PER_CUSTOMER), 1)
    written = 0
    schema = pa.schema([("customer", pa.string()), ("date", pa.date32()), ("amount", pa.float64())])
    with pq.ParquetWriter(path, schema) as out:
        for first in range(0, customers, CUSTOMERS_AT_ONCE):
            n = min(CUSTOMERS_AT_ONCE, customers - first)
            who, day, amount = _histories(rng, n)
            mixed = rng.permutation(len(who))
            ids = np.char.add("C", np.char.zfill((first + who[mixed]).astype("U9"), 9))
            days = (START + day[mixed].astype("timedelta64[D]")).astype("datetime64[D]")
            out.write_table(
                pa.table([pa.array(ids), pa.array(days), pa.array(amount[mixed])], schema=schema)
            )
            written += len(who)
    return written


def _histories(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    who, day = np.concatenate(found_who), np.concatenate(found_at).astype(np.int32)
    amount = np.round(np.maximum(rng.gamma(P, 1, len(who)) / P * mean[who], 0.01), 2)
    return who, day, amount


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=lambda text: int(text.replace("_", "")))
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    print(f"{write(given.rows, given.path):,} rows in {given.path}")


if __name__ == "__main__":
    main()
