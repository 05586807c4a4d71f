"""Which points were used, when, and which are left: the oldest points first.

A ledger says how many points a customer earned, redeemed and let expire, not which ones. They are
matched in the order in which they were earned (first in, first out), as nearly all programmes use
and expire them: the k-th point that a customer earned is the k-th that he used.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

REDEEMED: Final = 0
EXPIRED: Final = 1
OPEN: Final = 2

#: Parts of a point smaller than this are the rounding of sums.
_NOTHING: Final = 1e-6


@dataclass(frozen=True)
class Points:
    """Lots of points that were earned on one day and ended on one day in one way.

    Parameters
    ----------
    customer : ndarray of int, shape (k,)
        Number of the customer.
    earned : ndarray of int, shape (k,)
        Day on which they were earned, counted from 1970.
    age : ndarray of int, shape (k,)
        Days until they were used, or until the report's day.
    outcome : ndarray of int, shape (k,)
        `REDEEMED`, `EXPIRED` or `OPEN`.
    amount : ndarray of float, shape (k,)
        Points.
    overdrawn : float
        Points used that were never earned.
    customers : int
    """

    customer: NDArray[np.int64]
    earned: NDArray[np.int64]
    age: NDArray[np.int64]
    outcome: NDArray[np.int64]
    amount: NDArray[np.float64]
    overdrawn: float
    customers: int


def first_in_first_out(ledger: pd.DataFrame, as_of: dt.date) -> Points:
    """Match what was used with what was earned, customer by customer.

    Parameters
    ----------
    ledger : DataFrame
        customer, date, earned, redeemed, expired; amounts below 0 count as 0. Of a day, what was
        earned comes first, then what was redeemed, then what expired.
    as_of : date

    Notes
    -----
    Each customer's points are laid end to end on a line of his own, those earned above and those
    used below; where both are cut lie the lots. All customers' lines are one behind the other, so
    that sorting and searching do the work.
    """
    codes, names = pd.factorize(ledger["customer"], sort=True)
    days = ledger["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    amounts = {
        name: np.maximum(ledger[name].to_numpy(dtype=float), 0.0)
        for name in ("earned", "redeemed", "expired")
    }
    got = _events(codes, days, [amounts["earned"]])
    used = _events(codes, days, [amounts["redeemed"], amounts["expired"]])
    n = len(names)
    sums = [np.bincount(e.customer, e.amount, minlength=n) for e in (got, used)]
    room = np.maximum(*sums) + 1.0 if n else np.zeros(0)
    start = np.concatenate([[0.0], np.cumsum(room)])[:n]
    ends = [
        start[e.customer] + _within(e, sums_) for e, sums_ in zip((got, used), sums, strict=True)
    ]
    borders = np.unique(np.concatenate([start, start + sums[0], start + sums[1], *ends]))
    size, middle = np.diff(borders), (borders[1:] + borders[:-1]) / 2
    who = np.searchsorted(start, middle, side="right") - 1
    place = middle - start[who] if n else middle
    is_earned, is_used = (place < sums[0][who], place < sums[1][who]) if n else (place < 0,) * 2
    real = size > _NOTHING
    overdrawn = float(size[real & is_used & ~is_earned].sum())
    lots = real & is_earned
    mid, who, size, is_used = middle[lots], who[lots], size[lots], is_used[lots]
    earned = got.day[np.searchsorted(ends[0], mid)] if len(mid) else np.zeros(0, np.int64)
    end = np.full(len(mid), np.datetime64(as_of, "D").astype(np.int64))
    outcome = np.full(len(mid), OPEN)
    which = np.searchsorted(ends[1], mid[is_used])
    end[is_used], outcome[is_used] = used.day[which], used.kind[which]
    # points used before they were earned, by a balance below 0, have no age
    return Points(who, earned, np.maximum(end - earned, 0), outcome, size, overdrawn, n)


@dataclass(frozen=True)
class _Events:
    customer: NDArray[np.int64]
    day: NDArray[np.int64]
    kind: NDArray[np.int64]
    amount: NDArray[np.float64]


def _events(
    codes: NDArray[np.int64], days: NDArray[np.int64], amounts: list[NDArray[np.float64]]
) -> _Events:
    """What happened, in order of customer, day and kind."""
    kinds = [np.full(len(codes), kind) for kind in range(len(amounts))]
    customer, day = np.tile(codes, len(amounts)), np.tile(days, len(amounts))
    kind, amount = np.concatenate(kinds), np.concatenate(amounts)
    there = amount > 0
    customer, day, kind, amount = customer[there], day[there], kind[there], amount[there]
    order = np.lexsort((kind, day, customer))
    return _Events(customer[order], day[order], kind[order], amount[order])


def _within(events: _Events, sums: NDArray[Any]) -> NDArray[np.float64]:
    """Points of the customer up to and with each event."""
    running = np.cumsum(events.amount)
    before = np.concatenate([[0.0], np.cumsum(sums)])[events.customer]
    return running - before
