"""RFM segments and value tiers: rules that a client can rebuild, written out with their cuts.

RFM scores recency, frequency and money from 1 to 5 (Hughes 1994). Money is scored and shown; the
named segments rest on recency and frequency, for a customer who stayed away is slipping whatever
the last receipt. Tiers rank customers by CLV and cut at the shares in the client file.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.sentence import N_

#: Segment by (lowest recency score, highest, lowest frequency score, highest), first match first.
SEGMENTS: Final[dict[str, tuple[int, int, int, int]]] = {
    N_("Champions"): (5, 5, 4, 5),
    N_("Loyal"): (3, 4, 4, 5),
    N_("Potential loyalists"): (4, 5, 2, 3),
    N_("New"): (5, 5, 1, 1),
    N_("Promising"): (4, 4, 1, 1),
    N_("Need attention"): (3, 3, 2, 3),
    N_("About to sleep"): (3, 3, 1, 1),
    N_("Can't lose"): (1, 2, 5, 5),
    N_("At risk"): (1, 2, 3, 4),
    N_("Hibernating"): (1, 2, 1, 2),
}


@dataclass(frozen=True)
class Rfm:
    """RFM scores of a base.

    Parameters
    ----------
    scores : DataFrame
        Indexed by customer: r, f, m (1 to 5, 5 best), segment.
    recency_cuts : tuple of int
        Days since the last purchase at which the score falls from 5 to 4, 4 to 3 and so on: up to
        the first is a 5.
    frequency_cuts, money_cuts : tuple of float
        Purchases and revenue above which the score rises from 1 to 2, 2 to 3 and so on.
    """

    scores: pd.DataFrame
    recency_cuts: tuple[float, ...]
    frequency_cuts: tuple[float, ...]
    money_cuts: tuple[float, ...]


def rfm(customers: pd.DataFrame, as_of: dt.date) -> Rfm:
    """Score and name the customers of a base.

    Recency and money are cut at the base's fifths. A frequency of one purchase scores 1; the repeat
    buyers are cut at their fourths, for in most shops more than a fifth bought once and fifths
    would split equals. Equal values always get equal scores.

    Parameters
    ----------
    customers : DataFrame
        `Base.customers()`: uses last, purchases, revenue.
    as_of : date
    """
    away = (pd.Timestamp(as_of) - customers["last"]).dt.days
    fifths = (0.2, 0.4, 0.6, 0.8)
    recency_cuts = _cuts(away, fifths)
    money_cuts = _cuts(customers["revenue"], fifths)
    repeat = customers.loc[customers["purchases"] > 1, "purchases"]
    frequency_cuts = (1.0, *(_cuts(repeat, (0.25, 0.5, 0.75)) if len(repeat) else (2.0, 3.0, 4.0)))
    scores = pd.DataFrame(
        {
            "r": 5 - np.searchsorted(recency_cuts, away, side="left"),
            "f": 1 + np.searchsorted(frequency_cuts, customers["purchases"], side="left"),
            "m": 1 + np.searchsorted(money_cuts, customers["revenue"], side="left"),
        },
        index=customers.index,
    )
    scores["segment"] = name_segments(scores["r"], scores["f"])
    return Rfm(scores, recency_cuts, frequency_cuts, money_cuts)


def name_segments(r: pd.Series, f: pd.Series) -> pd.Series:
    """The segment of each pair of scores."""
    recency, frequency = r.to_numpy(), f.to_numpy()
    conditions = [
        (low_r <= recency) & (recency <= high_r) & (low_f <= frequency) & (frequency <= high_f)
        for low_r, high_r, low_f, high_f in SEGMENTS.values()
    ]
    codes = np.select(conditions, range(len(SEGMENTS)), default=-1)
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(SEGMENTS)), index=r.index)


def tiers(clv: pd.Series, shares: Mapping[str, float]) -> pd.Series:
    """The value tier of each customer, best first.

    Parameters
    ----------
    clv : Series
        By customer.
    shares : mapping
        Tier name → share of customers, best first (the client file's `tiers`).

    Returns
    -------
    Series of category
        Ordered best first; missing where the CLV is. Ties are broken by the customer's id, so that
        a rerun gives the same.
    """
    by_id = clv.index.astype(str).argsort()
    best_first = by_id[np.argsort(-clv.to_numpy()[by_id], kind="stable")]
    rank = np.empty(len(clv))
    rank[best_first] = np.arange(1, len(clv) + 1)
    bounds = np.round(np.cumsum(list(shares.values())) * len(clv))
    index = np.minimum(np.searchsorted(bounds, rank, side="left"), len(shares) - 1)
    codes = np.where(clv.isna(), -1, index)
    names = pd.Index(list(shares))
    return pd.Series(pd.Categorical.from_codes(codes, names, ordered=True), index=clv.index)


def tier_cuts(customers: pd.DataFrame, shares: Mapping[str, float]) -> pd.DataFrame:
    """The CLV at which each tier begins and ends, so that anybody can rebuild it.

    Parameters
    ----------
    customers : DataFrame
        `tier` (as `tiers` gives it) and `clv`.
    shares : mapping
        Of which the tiers were made.

    Returns
    -------
    DataFrame
        A row a tier that somebody is in, best first: `tier`, `asked` (share of customers in the
        client file), `customers`, `lowest`, `highest` (CLV of its customers), `clv`,
        `share_of_clv`.
    """
    grouped = customers.groupby("tier", observed=True)["clv"].agg(
        customers="size", lowest="min", highest="max", clv="sum"
    )
    total = grouped["clv"].sum()
    grouped["share_of_clv"] = grouped["clv"] / total if total > 0 else np.nan
    cuts = grouped.reset_index()
    cuts["tier"] = cuts["tier"].astype(str)
    cuts.insert(1, "asked", [shares[name] for name in cuts["tier"]])
    return cuts


def profile(customers: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row per group with its size and its share of customers, revenue and CLV.

    Parameters
    ----------
    customers : DataFrame
        With the column `by` (category), revenue, purchases, p_alive and clv.
    by : str
        `segment` or `tier`.

    Returns
    -------
    DataFrame
        Column `by`, customers, share_of_customers, revenue, share_of_revenue, clv, share_of_clv,
        mean_clv, purchases (mean), p_alive (mean). Empty groups are left out.
    """
    grouped = customers.groupby(by, observed=True).agg(
        customers=("revenue", "size"),
        revenue=("revenue", "sum"),
        clv=("clv", "sum"),
        mean_clv=("clv", "mean"),
        purchases=("purchases", "mean"),
        p_alive=("p_alive", "mean"),
    )
    for whole in ("customers", "revenue", "clv"):
        total = grouped[whole].sum()
        grouped[f"share_of_{whole}"] = grouped[whole] / total if total > 0 else np.nan
    return grouped.reset_index()


def concentration(values: pd.Series, points: int = 101) -> pd.DataFrame:
    """Lorenz curve from the best customer down: share of customers against share of value.

    Parameters
    ----------
    values : Series
        Not negative in sum.
    points : int, default 101
        Points of the curve.

    Returns
    -------
    DataFrame
        share_of_customers, share_of_value, from (0, 0) to (1, 1).
    """
    ordered = np.sort(values.to_numpy(dtype=float))[::-1]
    cumulative = np.concatenate([[0.0], np.cumsum(ordered)])
    at = np.linspace(0, 1, points)
    total = cumulative[-1]
    reached = np.interp(at * len(ordered), np.arange(len(cumulative)), cumulative)
    share = reached / total if total > 0 else np.full(points, np.nan)
    return pd.DataFrame({"share_of_customers": at, "share_of_value": share})


def _cuts(values: pd.Series, at: tuple[float, ...]) -> tuple[float, ...]:
    if not len(values):
        return tuple(math.nan for _ in at)
    # "lower" takes a value that some customer has: a cut that can be written down and checked
    return tuple(float(q) for q in np.quantile(values, at, method="lower"))
