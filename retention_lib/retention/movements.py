"""Movement between value tiers, and between segments, from one day to a later one.

Tiers are shares of the customers, so that one who moves up pushes another down, and who stays put
can be pushed. Part of every movement is chance: the best of one day were also the luckiest, and
some fall back by having a usual quarter (regression to the mean; Galton 1886).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric, unknown
from retention_lib.retention.intervals import wilson, wilson_many
from retention_lib.sentence import N_, Sentence

#: The group, on either day, of customers who were in no tier: not yet there, or no longer.
NEW: Final = "new"
GONE: Final = "gone"

IDS: Final = ("tiers.best_kept", "tiers.moved_up", "tiers.moved_down")


@dataclass(frozen=True)
class Movements:
    """What became of each tier's customers.

    Parameters
    ----------
    since, until : date
        The two days.
    reported : bool
        Whether the earlier tiers are those of a report; else they are worked out from the data up
        to that day.
    tiers : tuple of str
        Best first.
    counts : DataFrame
        Customers by tier then (rows: `tiers`, `new`) and tier now (columns: `tiers`, `gone`).
    of : DataFrame
        A row a tier, best first: `tier`; `customers` then who are still in the data; `kept`, `up`,
        `down`; `share` kept, with its interval `low`, `high` (Wilson; NaN of nobody); `gone`;
        `down_silent`, who moved down without a purchase since; `clv_then`, `clv_now`, the value of
        `customers` on either day.
    """

    since: dt.date
    until: dt.date
    reported: bool
    tiers: tuple[str, ...]
    counts: pd.DataFrame
    of: pd.DataFrame

    @property
    def known(self) -> int:
        """Customers who were in a tier on both days."""
        return int(self.of["customers"].sum())


def movements(
    then: pd.DataFrame, now: pd.DataFrame, since: dt.date, until: dt.date, *, reported: bool
) -> Movements | None:
    """Follow each tier's customers from one day to another.

    Parameters
    ----------
    then, now : DataFrame
        Indexed by customer, each once: `tier` (ordered category, best first, the same tiers on
        both days), `clv`, `purchases` (so far).
    since, until : date
        The days of the two.
    reported : bool
        Whether `then` is what a report said.

    Returns
    -------
    Movements or None
        None where on one of the days nobody is in a tier.
    """
    names = tuple(str(name) for name in now["tier"].cat.categories)
    before, after = then[then["tier"].notna()], now[now["tier"].notna()]
    if before.empty or after.empty:
        return None
    place = after.index.get_indexer(before.index)
    stays = place >= 0
    was = before["tier"].cat.codes.to_numpy()
    is_now = np.where(stays, after["tier"].cat.codes.to_numpy()[place], len(names))
    came = np.bincount(after["tier"].cat.codes.to_numpy(), minlength=len(names))
    square = np.zeros((len(names) + 1, len(names) + 1), dtype=int)
    np.add.at(square, (was, is_now), 1)
    square[-1, :-1] = came - square[:-1, :-1].sum(axis=0)
    counts = pd.DataFrame(square, index=[*names, NEW], columns=[*names, GONE])
    both = pd.DataFrame(
        {
            "was": was[stays],
            "up": (is_now < was)[stays],
            "down": (is_now > was)[stays],
            "silent": (after["purchases"].to_numpy()[place] <= before["purchases"].to_numpy())[
                stays
            ],
            "clv_then": before["clv"].to_numpy(dtype=float)[stays],
            "clv_now": after["clv"].to_numpy(dtype=float)[place][stays],
        }
    )
    both["down_silent"] = both["down"] & both["silent"]
    both["customers"] = 1
    summed = ["customers", "up", "down", "down_silent", "clv_then", "clv_now"]
    of = both.groupby("was")[summed].sum().reindex(range(len(names)), fill_value=0)
    kept = of["customers"] - of["up"] - of["down"]
    low, high = wilson_many(kept, of["customers"])
    of = of.assign(
        tier=list(names),
        kept=kept,
        share=kept / of["customers"].where(of["customers"] > 0),
        low=low,
        high=high,
        gone=square[:-1, -1],
    )
    return Movements(since, until, reported, names, counts, of.reset_index(drop=True))


def movement_metrics(found: Movements | None) -> dict[str, Metric]:
    """How many of the best tier still are in it; how many of all moved up, and how many down.

    Parameters
    ----------
    found : Movements or None
        None where there are no movements to be known.
    """
    if found is None:
        why = N_("There is no earlier day on which the customers' tiers are known.")
        return {name: unknown("share", why) for name in IDS}
    best, everybody = found.of.iloc[0], found.of.sum(numeric_only=True)
    span = Sentence("From {since} to {until}.", since=found.since, until=found.until)
    counted = (
        (best["kept"], best["customers"]),
        (everybody["up"], everybody["customers"]),
        (everybody["down"], everybody["customers"]),
    )
    return {
        name: _share(int(some), int(n), span) for name, (some, n) in zip(IDS, counted, strict=True)
    }


def _share(some: int, n: int, span: Sentence) -> Metric:
    limits = wilson(some, n)
    if limits is None:
        return unknown("share", N_("Nobody of that tier is in the data any more."), n=0)
    return Metric(some / n, "share", *limits, n=n, note=span)


def group_moves(then: pd.Series, now: pd.Series) -> pd.DataFrame:
    """How many customers each group had, lost and won from one day to another.

    Parameters
    ----------
    then, now : Series of category
        By customer, each once; missing where a customer is in no group.

    Returns
    -------
    DataFrame
        A row a group that somebody is in on either day, in the order of `now`'s categories:
        `group`, `then`, `stayed`, `left` (to another group, or no longer in the data), `came` (from
        another group), `new` (not in the data then), `now`. then − left + came + new = now.
    """
    order = [str(name) for name in now.cat.categories]
    # of an earlier report, named otherwise
    others = sorted({str(name) for name in then.cat.categories} - set(order))
    names = pd.CategoricalDtype([*order, *others])
    # categories throughout: a text for each customer takes four times as long
    before, after = (groups.dropna().astype(names) for groups in (then, now))
    was = before.reindex(after.index)
    known, same = was.notna(), was == after
    counted = {
        "then": before,
        "stayed": after[same],
        "came": after[known & ~same],
        "new": after[~known],
        "now": after,
    }
    counts = pd.DataFrame({name: part.value_counts() for name, part in counted.items()})
    counts = counts.set_axis(counts.index.astype(str)).reindex([*order, *others])
    counts = counts.assign(left=counts["then"] - counts["stayed"])
    counts = counts[(counts["then"] > 0) | (counts["now"] > 0)].rename_axis("group").reset_index()
    return counts[["group", "then", "stayed", "left", "came", "new", "now"]]
