"""What the category of the first purchase foretells, customers with equally large ones compared.

What is dear makes a first purchase large whatever follows. Customers are therefore compared with
others in the same fifth of the first amount (Mantel's test for scores within strata, 1963); Holm's
method adjusts for the number of categories.

Sources: Mantel (1963), J. Am. Stat. Assoc. 58, 690-700; Holm (1979).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.retention.first_purchases import AGAIN, told, with_shares
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import Z
from retention_lib.smallest import SMALLEST

#: First categories that stand by themselves.
MOST: Final = 12

COLUMNS: Final = [
    *("category", "n", "first", "later", "low", "high", "like", "difference"),
    *("difference_low", "difference_high", "p", "stands_out"),
]


@dataclass(frozen=True)
class FirstCategory:
    """A first category whose customers are surely worth more, or less, than like ones.

    Parameters
    ----------
    category : str
    later : Metric
        Revenue per customer after the first purchase.
    difference : Metric
        That, less the revenue of others whose first purchase was equally large.
    """

    category: str
    later: Metric
    difference: Metric


def categories(frame: pd.DataFrame) -> pd.DataFrame:
    """The first categories, most customers first.

    Parameters
    ----------
    frame : DataFrame
        `first_purchases.first_purchases` with `fifth`, that of the first amount.

    Returns
    -------
    DataFrame
        `COLUMNS` and `first_purchases.AGAIN`, as `first_order.FirstOrder.categories` has them.
    """
    empty = pd.DataFrame(columns=[*COLUMNS, *AGAIN])
    if "category" not in frame:
        return empty
    known = frame[frame["category"].notna()]
    sizes = known["category"].value_counts().rename_axis("category").reset_index(name="n")
    sizes = sizes[sizes["n"] >= SMALLEST].sort_values(["n", "category"], ascending=[False, True])
    rows = [
        {"category": name, **told(group), **_against_like(known, group)}
        for name in sizes["category"].head(MOST)
        for group in (known[known["category"] == name],)
    ]
    if not rows:
        return empty
    found = pd.DataFrame(rows)
    found["p"] = holm(found["p"])
    sign = np.sign(found["difference"].fillna(0))
    found["stands_out"] = np.where(found["p"] < LEVEL, sign, 0).astype(int)
    return with_shares(found)[[*COLUMNS, *AGAIN]]


def standing_out(found: pd.DataFrame, sign: int) -> FirstCategory | None:
    """The category that is surely worth most more than like customers (1), or most less (−1)."""
    out = found[found["stands_out"] == sign]
    if out.empty:
        return None
    row = out.sort_values("difference", ascending=sign < 0).iloc[0]
    n = int(row["n"])
    return FirstCategory(
        category=str(row["category"]),
        later=Metric(row["later"], "currency", row["low"], row["high"], n=n),
        difference=Metric(
            row["difference"], "currency", row["difference_low"], row["difference_high"], n=n
        ),
    )


def _against_like(everybody: pd.DataFrame, group: pd.DataFrame) -> dict[str, float]:
    """Later revenue less that of others in the same fifth of the first amount (Mantel 1963)."""
    by = everybody.groupby("fifth")["later"].agg(["size", "mean", "var"])
    mine = group.groupby("fifth")["later"].agg(["size", "mean"]).reindex(by.index)
    n, total = mine["size"].fillna(0).to_numpy(), by["size"].to_numpy()
    rest = total - n
    both = (n > 0) & (rest > 0)
    nothing = dict.fromkeys(
        ("like", "difference", "difference_low", "difference_high", "p"), math.nan
    )
    if not both.any() or rest[both].sum() < SMALLEST:
        return nothing
    n, total, rest = n[both], total[both], rest[both]
    ours, overall = mine["mean"].to_numpy()[both], by["mean"].to_numpy()[both]
    weight = n * rest / total
    # n (ours − overall) = weight (ours − rest's mean)
    difference = float((n * (ours - overall)).sum() / weight.sum())
    error = math.sqrt(float((weight * by["var"].to_numpy()[both]).sum())) / float(weight.sum())
    if not error:
        return nothing
    return {
        "like": float(group["later"].mean()) - difference,
        "difference": difference,
        "difference_low": difference - Z * error,
        "difference_high": difference + Z * error,
        "p": math.erfc(abs(difference) / error / math.sqrt(2)),
    }
