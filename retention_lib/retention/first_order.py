"""What the first purchase foretells: its size and its category against what follows it.

Customers (`first_purchases`) are compared by fifths of the first amount, and by the category that
most of it went to (`first_category`).

Source: Bonett & Wright (2000), Psychometrika 65, 23-28 (interval of Spearman's coefficient).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention import first_category
from retention_lib.retention.beginning import EARLY, starts_late
from retention_lib.retention.first_category import FirstCategory
from retention_lib.retention.first_purchases import AGAIN, first_purchases, told, with_shares
from retention_lib.retention.homogeneity import LEVEL, equal_rates
from retention_lib.retention.intervals import Z
from retention_lib.retention.moments import means_ratio_limits, moments_of
from retention_lib.sentence import N_, Sentence

#: Days after the first purchase, the longest that at least `ENOUGH` customers were watched for.
WITHIN: Final = (365, 180, 90)
ENOUGH: Final = 100
_FIFTHS: Final = (0.2, 0.4, 0.6, 0.8)

_SIZES: Final = ["fifth", "above", "up_to", "n", "first", "later", "low", "high"]


@dataclass(frozen=True)
class FirstOrder:
    """What first purchases foretell.

    Parameters
    ----------
    days : int
        How long after the first purchase is looked at.
    n : int
        Customers watched as long.
    early : int
        Customers left out because they may have bought before the data starts; 0 where it starts
        with its customers.
    mixed : bool
        Whether there are such, but too few others, so that they are in.
    sizes : DataFrame
        One row per fifth of the first amount, the smallest first: `fifth` (1 to 5), `above` and
        `up_to` (its cuts; NaN at the ends), `n`, `first` (mean first amount), `later` (mean revenue
        after it) with `low`, `high`; `again` (share with a second purchase in these days) with
        `again_low`, `again_high`. Equal amounts are in one fifth, so that one may be missing.
    correlation : Metric
        Spearman's coefficient of first amount and later revenue.
    ratio : Metric
        Later revenue of the top fifth over that of the lowest.
    come_back : int
        1 or −1 where the top fifth surely comes back more or less often than the lowest, else 0.
    categories : DataFrame
        One row per first category with at least 20 customers, most first: `category`, `n`, `first`,
        `later`, `low`, `high`; `like`, the revenue of others whose first purchase was equally
        large; `difference` with `difference_low`, `difference_high`; `p`, adjusted; `stands_out`
        (1 surely above, −1 below, else 0); `again` with its interval. Empty without categories.
    """

    days: int
    n: int
    early: int
    mixed: bool
    sizes: pd.DataFrame
    correlation: Metric
    ratio: Metric
    come_back: int
    categories: pd.DataFrame

    @property
    def size_tells(self) -> int:
        """1 where surely more follows a larger first purchase, −1 less, 0 if it isn't known."""
        value, low, high = (getattr(self.correlation, name) for name in ("value", "low", "high"))
        if value is None or low is None or high is None or len(self.sizes) < 2:
            return 0
        first, last = self.sizes["later"].iloc[0], self.sizes["later"].iloc[-1]
        return int(low > 0 and last > first) - int(high < 0 and last < first)

    @property
    def best_category(self) -> FirstCategory | None:
        """The first category that is surely worth most more than like customers."""
        return first_category.standing_out(self.categories, 1)

    @property
    def worst_category(self) -> FirstCategory | None:
        """The first category that is surely worth most less than like customers."""
        return first_category.standing_out(self.categories, -1)

    @property
    def metrics(self) -> dict[str, Metric]:
        """The section's figures."""
        return {
            "journey.first_size_correlation": self.correlation,
            "journey.first_size_ratio": self.ratio,
        }


def first_order(base: Base) -> FirstOrder:
    """What the first purchase's size and category foretell.

    Parameters
    ----------
    base : Base

    Returns
    -------
    FirstOrder
        Without rows, and its metrics unknown, where fewer than `ENOUGH` customers were watched for
        90 days.
    """
    customers = base.customers()
    firsts, early, mixed = _first_days(base, customers["first"])
    days = next((d for d in WITHIN if _watched(base, firsts, d).sum() >= ENOUGH), None)
    if days is None:
        return _too_few(int(_watched(base, firsts, min(WITHIN)).sum()))
    earliest = firsts.min() if early else customers["first"].min()
    frame = first_purchases(base, days, earliest.date())
    cuts = tuple(float(q) for q in np.quantile(frame["first"], _FIFTHS, method="lower"))
    frame["fifth"] = 1 + np.searchsorted(cuts, frame["first"], side="left")
    return FirstOrder(
        days=days,
        n=len(frame),
        early=early,
        mixed=mixed,
        sizes=_sizes(frame, cuts),
        correlation=_correlation(frame),
        ratio=_ratio(frame),
        come_back=_come_back(frame),
        categories=first_category.categories(frame),
    )


def _too_few(n: int) -> FirstOrder:
    few = Sentence(
        "Fewer than {enough} customers were watched for {days} after their first purchase.",
        enough=ENOUGH,
        days=Metric(min(WITHIN), "days"),
    )
    return FirstOrder(
        days=min(WITHIN),
        n=n,
        early=0,
        mixed=False,
        sizes=pd.DataFrame(columns=[*_SIZES, *AGAIN]),
        correlation=unknown("number", few, n=n),
        ratio=unknown("ratio", few, n=n),
        come_back=0,
        categories=pd.DataFrame(columns=[*first_category.COLUMNS, *AGAIN]),
    )


def _first_days(base: Base, firsts: pd.Series) -> tuple[pd.Series, int, bool]:
    """The first days that count, how many don't, and whether old customers may be among them."""
    if not starts_late(base):
        return firsts, 0, False
    later = firsts[firsts >= pd.Timestamp(base.start) + pd.Timedelta(days=EARLY)]
    if _watched(base, later, min(WITHIN)).sum() < ENOUGH:
        return firsts, 0, True
    return later, len(firsts) - len(later), False


def _watched(base: Base, firsts: pd.Series, days: int) -> pd.Series:
    return firsts <= pd.Timestamp(base.as_of) - pd.Timedelta(days=days)


def _sizes(frame: pd.DataFrame, cuts: tuple[float, ...]) -> pd.DataFrame:
    above, up_to = (math.nan, *cuts), (*cuts, math.nan)
    rows = [
        {"fifth": i, "above": above[i - 1], "up_to": up_to[i - 1], **told(of_fifth)}
        for i in range(1, 6)
        for of_fifth in (frame[frame["fifth"] == i],)
        if len(of_fifth)
    ]
    return with_shares(pd.DataFrame(rows))[[*_SIZES, *AGAIN]]


def _correlation(frame: pd.DataFrame) -> Metric:
    from scipy.stats import spearmanr

    if frame["first"].nunique() < 2 or frame["later"].nunique() < 2:
        return unknown(
            "number", N_("All first purchases, or all that followed, are alike."), n=len(frame)
        )
    r, n = float(spearmanr(frame["first"], frame["later"]).statistic), len(frame)
    error = math.sqrt((1 + r * r / 2) / (n - 3))
    z = math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12))
    return Metric(r, "number", math.tanh(z - Z * error), math.tanh(z + Z * error), n=n)


def _ends(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The customers of the top fifth and of the lowest."""
    fifth = frame["fifth"]
    return frame[fifth == fifth.max()], frame[fifth == fifth.min()]


def _ratio(frame: pd.DataFrame) -> Metric:
    top, lowest = (group["later"] for group in _ends(frame))
    n = min(len(top), len(lowest))
    if frame["fifth"].nunique() < 2:
        return unknown("ratio", N_("All first purchases are equally large."), n=n)
    if lowest.mean() <= 0:
        return unknown("ratio", N_("The lowest fifth brings no revenue afterwards."), n=n)
    low, high = means_ratio_limits(moments_of(top), moments_of(lowest)) or (None, None)
    return Metric(float(top.mean() / lowest.mean()), "ratio", low, high, n=n)


def _come_back(frame: pd.DataFrame) -> int:
    top, lowest = (group["again"] for group in _ends(frame))
    p = equal_rates([top.sum(), lowest.sum()], [len(top), len(lowest)])
    if frame["fifth"].nunique() < 2 or p is None or p >= LEVEL:
        return 0
    return 1 if top.mean() > lowest.mean() else -1
