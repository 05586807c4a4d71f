"""What customers buy next: from the first purchase to the second, and from category to category.

A purchase may hold several categories, or one. What is asked is the same in both shops: of the
customers who have a category and haven't had another, who takes that one up? At the second
purchase, it is asked of everybody who came back; for cross-selling, of every active customer, in
windows of 90 days, for a year where the data has one. What a customer bought before the data is not
known: some take up again what they had.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.category_histories import (
    DAYS,
    Purchases,
    held_now,
    purchases_of,
    second_purchases,
    taken_up,
    windows_of,
)
from retention_lib.retention.intervals import wilson, wilson_many
from retention_lib.retention.pairs import pairs
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

SUGGESTION: Final = ["category", "next_category", "share", "lift", "n"]


@dataclass(frozen=True)
class CrossSell:
    """A pair of categories to act on.

    Parameters
    ----------
    category, next_category : str
        What the customers have, and what they haven't had yet.
    share : Metric
        Of such customers, who took it up within 90 days.
    lift : Metric
        That share over the share of like customers without the category.
    customers : int
        Active customers who have the one and not the other now.
    """

    category: str
    next_category: str
    share: Metric
    lift: Metric
    customers: int


@dataclass(frozen=True)
class WhatNext:
    """What customers buy next.

    Parameters
    ----------
    categories : tuple of str
        Those told of, most customers first.
    known, new : Metric
        Of the second purchases: with a category of the first, with one that it didn't have.
    second : DataFrame
        `retention.pairs` from the first purchase to the second.
    again : DataFrame
        By category of the first purchase: category, n, share with the same at the second, low,
        high; those with fewer than 20 customers left out.
    pairs : DataFrame
        `retention.pairs` of active customers within 90 days, with `customers`: who has the one and
        not the other now.
    first_day, last_day : date or None
        Of the windows; None where the history is too short for one.
    """

    categories: tuple[str, ...]
    known: Metric
    new: Metric
    second: pd.DataFrame
    again: pd.DataFrame
    pairs: pd.DataFrame
    first_day: dt.date | None
    last_day: dt.date | None

    @property
    def to_act_on(self) -> pd.DataFrame:
        """The pairs whose lift is surely above 1, the highest first."""
        sure = self.pairs[self.pairs["above"] > 0]
        names = ["category", "next_category"]
        return sure.sort_values(["lift", *names], ascending=[False, True, True])

    @property
    def best(self) -> CrossSell | None:
        """The first pair to act on."""
        if self.to_act_on.empty:
            return None
        row = self.to_act_on.iloc[0]
        n = int(row["n"])
        return CrossSell(
            category=str(row["category"]),
            next_category=str(row["next_category"]),
            share=Metric(float(row["share"]), "share", row["low"], row["high"], n=n),
            lift=Metric(float(row["lift"]), "ratio", row["lift_low"], row["lift_high"], n=n),
            customers=int(row["customers"]),
        )

    @property
    def metrics(self) -> dict[str, Metric]:
        """The section's figures."""
        return {
            "journey.second_known_category": self.known,
            "journey.second_new_category": self.new,
        }


def what_next(base: Base) -> WhatNext | None:
    """What customers buy next; None where the data has no categories.

    Parameters
    ----------
    base : Base
    """
    if "category" not in base.fields:
        return None
    return _what_next(base, purchases_of(base))


def _what_next(base: Base, bought: Purchases) -> WhatNext:
    first_to_second = second_purchases(bought)
    opens = windows_of(base)
    found = _pairs(base, bought)
    people = held_now(base, bought)
    now = people.group_by("held").aggregate(n=people.count()).to_pyarrow().to_pandas()
    known, new = _second(first_to_second)
    return WhatNext(
        categories=bought.names,
        known=known,
        new=new,
        second=pairs(first_to_second, bought.names),
        again=_again(first_to_second, bought.names),
        pairs=found.assign(customers=_open_to(now, bought.names, found)),
        first_day=min(opens) + dt.timedelta(days=1) if opens else None,
        last_day=max(opens) + dt.timedelta(days=DAYS) if opens else None,
    )


def _pairs(base: Base, bought: Purchases) -> pd.DataFrame:
    return pairs(taken_up(base, bought), bought.names, ("window", "often", "quiet"), "window")


def cross_sell(base: Base) -> pd.DataFrame:
    """The category to suggest to each active customer who has one that leads to it.

    Only pairs whose lift is surely above 1 count; of several, the one that the largest share of
    such customers took up.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame
        Indexed by customer, in the order of the ids: `category` (had), `next_category` (to
        suggest), `share` of such customers who took it up within 90 days, `lift` over like
        customers, `n` the share is of. Empty where no pair is sure, or without categories.
    """
    empty = pd.DataFrame(columns=SUGGESTION, index=pd.Index([], name=schema.CUSTOMER))
    if "category" not in base.fields:
        return empty
    bought = purchases_of(base)
    found = _pairs(base, bought)
    # of several the largest share; lift and names order equals
    sure = found[found["above"] > 0].sort_values(
        ["share", "lift", "category", "next_category"], ascending=[False, False, True, True]
    )
    if sure.empty:
        return empty
    people = held_now(base, bought).order_by(schema.CUSTOMER).to_pyarrow().to_pandas()
    held = people["held"].to_numpy(dtype=np.int64)
    place = {name: i for i, name in enumerate(bought.names)}
    chosen = np.full(len(people), -1)
    for n, (before, after) in enumerate(zip(sure["category"], sure["next_category"], strict=True)):
        had = (held >> place[before]) & 1 == 1
        free = (held >> place[after]) & 1 == 0
        chosen[had & free & (chosen < 0)] = n
    is_open = chosen >= 0
    given = sure[SUGGESTION].iloc[chosen[is_open]]
    return given.set_index(pd.Index(people.loc[is_open, schema.CUSTOMER], name=schema.CUSTOMER))


def _second(histories: pd.DataFrame) -> tuple[Metric, Metric]:
    """Of the second purchases, the shares with a category known from the first, and with a new one.

    All other categories together are one bit, so that what is new among them isn't seen.
    """
    held, bought, n = (histories[name].to_numpy() for name in ("held", "next", "n"))
    total = int(n.sum())
    if total < SMALLEST:
        nothing = unknown("share", N_("Too few customers bought twice."), n=total)
        return nothing, nothing
    known, new = (int(n[which].sum()) for which in (held & bought > 0, bought & ~held > 0))
    return _share(known, total), _share(new, total)


def _share(count: int, n: int) -> Metric:
    low, high = wilson(count, n) or (None, None)
    return Metric(count / n, "share", low, high, n=n)


def _again(histories: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    held, bought, n = (histories[name].to_numpy(dtype=np.int64) for name in ("held", "next", "n"))
    rows = [
        (name, n[had].sum(), n[had & ((bought >> i) & 1 == 1)].sum())
        for i, name in enumerate(names)
        if n[had := (held >> i) & 1 == 1].sum() >= SMALLEST
    ]
    frame = pd.DataFrame(rows, columns=["category", "n", "came"]).astype({"n": int, "came": int})
    low, high = wilson_many(frame["came"], frame["n"])
    return frame.assign(share=frame["came"] / frame["n"], low=low, high=high).drop(columns="came")


def _open_to(now: pd.DataFrame, names: tuple[str, ...], found: pd.DataFrame) -> list[int]:
    """Of each pair, the customers who have the one and not the other."""
    place = {name: i for i, name in enumerate(names)}
    held, n = now["held"].to_numpy(dtype=np.int64), now["n"].to_numpy(dtype=np.int64)
    return [
        int(n[((held >> place[a]) & 1 == 1) & ((held >> place[b]) & 1 == 0)].sum())
        for a, b in zip(found["category"], found["next_category"], strict=True)
    ]
