"""From each purchase to the next: how many come back, how soon, and whether more each time."""

from __future__ import annotations

from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.retention.intervals import wilson_many
from retention_lib.retention.steps import steps

#: Days within which the next purchase is looked for.
WITHIN: Final = (30, 60, 90, 180)
#: Purchases after which is asked, from the first on.
MOST: Final = 6


def next_purchase(base: Base, most: int = MOST) -> pd.DataFrame:
    """Who buys again after the first purchase, after the second, and so on.

    A share is of those who made that purchase at least so many days before the end: whoever was
    watched for a month says nothing of three. Later rows are of fewer customers, and of others than
    the first: who gets to a fifth purchase is somebody who buys often.

    Parameters
    ----------
    base : Base
    most : int, default 6
        Rows at most.

    Returns
    -------
    DataFrame
        One row per purchase that somebody made: `number`, from 1; `customers` who made it;
        `days_median`, days to the next of those who made one; and for each of `WITHIN` days d
        `n_d`, watched as long, `share_d` of them who bought again within, with its 95 % interval
        `low_d`, `high_d` (Wilson). NaN where nobody was watched so long, or nobody came back.
    """
    frame = counts_by_number(base, most)
    for days in WITHIN:
        n, back = frame[f"n_{days}"], frame.pop(f"back_{days}")
        frame[f"share_{days}"] = back / n.where(n > 0, np.nan)
        frame[f"low_{days}"], frame[f"high_{days}"] = wilson_many(back, n)
    return frame.astype({"number": "int64", "customers": "int64"})


def counts_by_number(base: Base, most: int = MOST) -> pd.DataFrame:
    """What the rows of `next_purchase` are made of: number, customers, days_median, n_d, back_d."""
    return base.once(f"next-purchase-{most}", lambda: _counts(base, most)).to_pandas()


def _counts(base: Base, most: int) -> ir.Table:
    made = steps(base)
    made = made.filter(made.number <= most)
    counts = {"customers": made.count(), "days_median": made.gap.cast("float64").median()}
    for days in WITHIN:
        counts[f"n_{days}"] = made.count(where=made.watched >= days)
        counts[f"back_{days}"] = made.count(where=(made.watched >= days) & (made.gap <= days))
    return made.group_by("number").aggregate(**counts).order_by("number")
