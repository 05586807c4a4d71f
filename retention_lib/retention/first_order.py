"""What the first purchase foretells: its size and its category against what follows it.

Later value is the revenue per customer in the days after the first purchase, that purchase left
out, of customers who were watched so long. Customers are compared by fifths of the first amount,
and by the category that most of it went to: there with customers whose first purchase was equally
large (Mantel's test for scores within strata, 1963), as what is dear makes a first purchase large
whatever follows. Holm's method adjusts for the number of groups.

Sources: Mantel (1963), J. Am. Stat. Assoc. 58, 690-700; Bonett & Wright (2000), Psychometrika 65,
23-28 (interval of Spearman's coefficient); Holm (1979).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.beginning import EARLY, starts_late
from retention_lib.retention.homogeneity import LEVEL, equal_rates, holm
from retention_lib.retention.intervals import Z, mean_interval, wilson_many
from retention_lib.retention.moments import means_ratio_limits, moments_of
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

#: Days after the first purchase, the longest that at least `ENOUGH` customers were watched for.
WITHIN: Final = (365, 180, 90)
ENOUGH: Final = 100
#: First categories that stand by themselves.
MOST: Final = 12
_FIFTHS: Final = (0.2, 0.4, 0.6, 0.8)

_SIZES: Final = ["fifth", "above", "up_to", "n", "first", "later", "low", "high"]
_AGAIN: Final = ["again", "again_low", "again_high"]
_CATEGORIES: Final = [
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
        return self._standing_out(1)

    @property
    def worst_category(self) -> FirstCategory | None:
        """The first category that is surely worth most less than like customers."""
        return self._standing_out(-1)

    def _standing_out(self, sign: int) -> FirstCategory | None:
        out = self.categories[self.categories["stands_out"] == sign]
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
    frame = _first_purchases(base, days, earliest.date())
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
        categories=_categories(frame),
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
        sizes=pd.DataFrame(columns=[*_SIZES, *_AGAIN]),
        correlation=unknown("number", few, n=n),
        ratio=unknown("ratio", few, n=n),
        come_back=0,
        categories=pd.DataFrame(columns=[*_CATEGORIES, *_AGAIN]),
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


def _first_purchases(base: Base, days: int, earliest: dt.date) -> pd.DataFrame:
    """One row per customer first seen from a day on and watched for `days`: first, later, again,
    and category where there is one; in the order of the ids.
    """
    bought = base.purchases()
    begun = bought.filter(
        (bought.number == 0)
        & bought[schema.DAY].between(
            ibis.date(earliest), ibis.date(base.as_of - dt.timedelta(days=days))
        )
    ).select(schema.CUSTOMER, began=schema.DAY, first=schema.AMOUNT)
    both = base.days.inner_join(begun, schema.CUSTOMER)
    since = both[schema.DAY].delta(both.began, unit="day")
    inside = since.between(1, days)
    people = both.group_by(schema.CUSTOMER, "began", "first").aggregate(
        later=both[schema.AMOUNT].sum(where=inside).fill_null(0).cast("float64"),
        again=(both[schema.BOUGHT] & inside).any(),
    )
    people = people.mutate(first=people["first"].cast("float64"))
    if "category" not in base.fields:
        return people.order_by(schema.CUSTOMER).to_pyarrow().to_pandas()
    rows = base.by("category")
    firsts = rows.inner_join(
        begun, [rows[schema.CUSTOMER] == begun[schema.CUSTOMER], rows[schema.DAY] == begun.began]
    ).select(schema.CUSTOMER, "group", schema.AMOUNT)
    firsts = firsts.filter(firsts["group"].notnull() & (firsts[schema.AMOUNT] > 0))
    most = firsts.group_by(schema.CUSTOMER).aggregate(most=firsts[schema.AMOUNT].max())
    top = firsts.inner_join(most, schema.CUSTOMER)
    top = top.filter(top[schema.AMOUNT] == top.most)
    # the name orders equals, so that a rerun gives the same
    main = top.group_by(schema.CUSTOMER).aggregate(category=top["group"].min())
    joined = people.left_join(main, schema.CUSTOMER).select(
        schema.CUSTOMER, "first", "later", "again", "category"
    )
    return joined.order_by(schema.CUSTOMER).to_pyarrow().to_pandas()


def _sizes(frame: pd.DataFrame, cuts: tuple[float, ...]) -> pd.DataFrame:
    above, up_to = (math.nan, *cuts), (*cuts, math.nan)
    rows = [
        {"fifth": i, "above": above[i - 1], "up_to": up_to[i - 1], **_told(of_fifth)}
        for i in range(1, 6)
        for of_fifth in (frame[frame["fifth"] == i],)
        if len(of_fifth)
    ]
    return _with_shares(pd.DataFrame(rows))[[*_SIZES, *_AGAIN]]


def _told(group: pd.DataFrame) -> dict[str, float]:
    low, high = mean_interval(group["later"]) or (math.nan, math.nan)
    return {
        "n": len(group),
        "first": group["first"].mean(),
        "later": group["later"].mean(),
        "low": low,
        "high": high,
        "came": int(group["again"].sum()),
    }


def _with_shares(frame: pd.DataFrame) -> pd.DataFrame:
    low, high = wilson_many(frame["came"], frame["n"])
    return frame.assign(again=frame["came"] / frame["n"], again_low=low, again_high=high)


def _correlation(frame: pd.DataFrame) -> Metric:
    from scipy.stats import spearmanr

    if frame["first"].nunique() < 2 or frame["later"].nunique() < 2:
        return unknown(
            "number", "All first purchases, or all that followed, are alike.", n=len(frame)
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
        return unknown("ratio", "All first purchases are equally large.", n=n)
    if lowest.mean() <= 0:
        return unknown("ratio", "The lowest fifth brings no revenue afterwards.", n=n)
    low, high = means_ratio_limits(moments_of(top), moments_of(lowest)) or (None, None)
    return Metric(float(top.mean() / lowest.mean()), "ratio", low, high, n=n)


def _come_back(frame: pd.DataFrame) -> int:
    top, lowest = (group["again"] for group in _ends(frame))
    p = equal_rates([top.sum(), lowest.sum()], [len(top), len(lowest)])
    if frame["fifth"].nunique() < 2 or p is None or p >= LEVEL:
        return 0
    return 1 if top.mean() > lowest.mean() else -1


def _categories(frame: pd.DataFrame) -> pd.DataFrame:
    empty = pd.DataFrame(columns=[*_CATEGORIES, *_AGAIN])
    if "category" not in frame:
        return empty
    known = frame[frame["category"].notna()]
    sizes = known["category"].value_counts().rename_axis("category").reset_index(name="n")
    sizes = sizes[sizes["n"] >= SMALLEST].sort_values(["n", "category"], ascending=[False, True])
    rows = [
        {"category": name, **_told(group), **_against_like(known, group)}
        for name in sizes["category"].head(MOST)
        for group in (known[known["category"] == name],)
    ]
    if not rows:
        return empty
    found = pd.DataFrame(rows)
    found["p"] = holm(found["p"])
    sign = np.sign(found["difference"].fillna(0))
    found["stands_out"] = np.where(found["p"] < LEVEL, sign, 0).astype(int)
    return _with_shares(found)[[*_CATEGORIES, *_AGAIN]]


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
