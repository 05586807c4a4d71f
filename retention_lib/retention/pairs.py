"""From one category to another: who takes it up, against customers who are otherwise alike.

Who buys often and widely takes up more of everything, so that nearly every pair of categories looks
as if one led to the other. Customers with a category are therefore compared with those without it
of the same stratum (as often, as recently, in as many categories): the lift is Mantel and
Haenszel's ratio of shares, its interval Greenland and Robins's, the p-value Mantel and Haenszel's,
adjusted by Holm for all pairs. A customer is at risk in each window until the category is taken up,
as in Mantel's test over time.

Sources: Mantel & Haenszel (1959); Mantel (1966), Cancer Chemother. Rep. 50, 163-170; Greenland &
Robins (1985), Biometrics 41, 55-68 (eq. 4 and 13); Holm (1979).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.retention.homogeneity import LEVEL, against_rest, holm
from retention_lib.retention.intervals import Z, wilson_many
from retention_lib.smallest import SMALLEST

COLUMNS: Final = [
    *("category", "next_category", "n", "took", "share", "low", "high", "overall", "like"),
    *("lift", "lift_low", "lift_high", "p", "raw_lift", "raw_p", "seems", "above"),
]


def pairs(
    histories: pd.DataFrame, names: tuple[str, ...], strata: tuple[str, ...] = (), apart: str = ""
) -> pd.DataFrame:
    """Every pair of categories: of those with the one and without the other, who took it up.

    Parameters
    ----------
    histories : DataFrame
        held, next (bits of categories), n (customers with this history), and the columns `strata`.
    names : tuple of str
        The category of each bit.
    strata : tuple of str
        In which customers are alike; being in equally many categories always counts too.
    apart : str
        The one of `strata` that also the raw comparison keeps apart, such as the window.

    Returns
    -------
    DataFrame
        One row per pair with at least `SMALLEST` at risk: `category` (had), `next_category` (not
        had), `n` at risk, `took` of them, `share` with its Wilson interval `low`, `high`;
        `overall`, the share of all at risk, whatever they had; `like`, the share of like customers
        without the category (`share` / `lift`); `lift` with `lift_low`, `lift_high`; `p`, adjusted;
        `raw_lift`, the same ratio whatever else they do, `raw_p`, adjusted, and `seems`, whether
        that is surely above 1; `above` (1 the lift is surely above 1, −1 below, 0 can't be told).
        NaN where too few could have come out otherwise.
    """
    held, bought = (histories[name].to_numpy(dtype=np.int64) for name in ("held", "next"))
    n = histories["n"].to_numpy(dtype=float)
    stratum = _codes([histories[name].to_numpy() for name in strata] + [np.bitwise_count(held)])
    raw = _codes([histories[apart].to_numpy() if apart else np.zeros(len(n), dtype=int)])
    having = [(held >> i) & 1 == 1 for i in range(len(names))]
    rows = []
    for j, after in enumerate(names):
        free = ~having[j]
        took = np.where((bought[free] >> j) & 1 == 1, n[free], 0.0)
        everybody = _Counts(n[free], took, stratum[free])
        all_raw = _Counts(n[free], took, raw[free])
        for i, before in enumerate(names):
            had = having[i][free]
            if i == j or n[free][had].sum() < SMALLEST:
                continue
            row = {"category": before, "next_category": after, "overall": everybody.share}
            rows.append(row | _compared(had, everybody) | _raw(had, all_raw))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame = frame.astype({"n": "int64", "took": "int64"} if len(frame) else {})
    return _judged(frame)[COLUMNS]


class _Counts:
    """Those at risk of taking up one category, and those who did, by stratum."""

    def __init__(self, n: NDArray, took: NDArray, stratum: NDArray) -> None:
        self.size = stratum.max(initial=-1) + 1
        self.each, self.each_took, self.stratum = n, took, stratum
        self.n, self.took = self._sums(n), self._sums(took)

    def of(self, had: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """At risk and took it up, of those who had the other one."""
        return self._sums(self.each * had), self._sums(self.each_took * had)

    @property
    def share(self) -> float:
        return float(self.took.sum() / self.n.sum()) if self.n.sum() else np.nan

    def _sums(self, weights: NDArray) -> NDArray[np.float64]:
        counted = np.bincount(self.stratum, weights=weights, minlength=self.size)
        return counted.astype(np.float64)


def _compared(had: NDArray, everybody: _Counts) -> dict[str, float | None]:
    mine, took = everybody.of(had)
    row: dict[str, float | None] = {
        "n": mine.sum(),
        "took": took.sum(),
        "share": took.sum() / mine.sum(),
    }
    found = against_rest(took, mine, everybody.took, everybody.n)
    if found.p is None:
        return row
    lift, low, high = lift_of(took, mine, everybody.took, everybody.n)
    return row | {"lift": lift, "lift_low": low, "lift_high": high, "p": found.p}


def _raw(had: NDArray, everybody: _Counts) -> dict[str, float | None]:
    mine, took = everybody.of(had)
    lift, *_ = lift_of(took, mine, everybody.took, everybody.n)
    found = against_rest(took, mine, everybody.took, everybody.n)
    return {"raw_lift": lift, "raw_p": found.p}


def lift_of(
    took: NDArray, n: NDArray, all_took: NDArray, all_n: NDArray
) -> tuple[float, float, float]:
    """The ratio of a group's share to the rest's, stratum by stratum, with its 95 % interval.

    Parameters
    ----------
    took, n : ndarray, shape (strata,)
        The group's.
    all_took, all_n : ndarray, shape (strata,)
        Everybody's, the group's among them.

    Returns
    -------
    lift, low, high : float
        NaN where nobody of the group or nobody of the rest took it up in a stratum with both.

    Examples
    --------
    >>> import numpy as np
    >>> one = [np.array([x]) for x in (30, 100, 50, 200)]
    >>> [round(x, 3) for x in lift_of(*one)]
    [1.5, 0.916, 2.456]
    """
    some = all_n > 0
    took, n, all_took, all_n = (
        np.asarray(x, dtype=float)[some] for x in (took, n, all_took, all_n)
    )
    rest_n, rest_took = all_n - n, all_took - took
    ours = float((took * rest_n / all_n).sum())
    theirs = float((rest_took * n / all_n).sum())
    if not ours or not theirs:
        return np.nan, np.nan, np.nan
    spread = (all_took * n * rest_n - took * rest_took * all_n) / all_n**2
    error = np.sqrt(max(float(spread.sum()), 0.0) / (ours * theirs))
    lift = ours / theirs
    factor = float(np.exp(Z * error))
    return lift, lift / factor, lift * factor


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = ["lift", "lift_low", "lift_high", "raw_lift", "share", "overall"]
    frame = frame.astype(dict.fromkeys(numbers, "float64"))
    low, high = wilson_many(frame["took"], frame["n"])
    p, raw = holm(frame["p"]), holm(frame["raw_p"])
    sure = p < LEVEL
    return frame.assign(
        low=low,
        high=high,
        like=frame["share"] / frame["lift"],
        p=p,
        raw_p=raw,
        seems=(raw < LEVEL) & (frame["raw_lift"] > 1),
        above=np.where(sure & (frame["lift"] > 1), 1, np.where(sure & (frame["lift"] < 1), -1, 0)),
    )


def _codes(keys: list[NDArray]) -> NDArray[np.int64]:
    """Equal keys, equal numbers from 0 on."""
    codes = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        _, each = np.unique(key, return_inverse=True)
        _, codes = np.unique(codes * (each.max(initial=0) + 1) + each, return_inverse=True)
    return codes
