"""How points end: the share redeemed by age, and the share that never will be (breakage).

Young points haven't had their time: reading what isn't redeemed yet as broken would make every
growing programme look as if nobody used it. Points are followed by their age. Redemption and expiry
compete; the share redeemed by an age is the Aalen-Johansen estimate, in which points that are open
count as long as they have been seen (Aalen & Johansen 1978, Scand. J. Statistics 5, 141-150; the
chain ladder of claims reserving in continuous dress). Open points count for half of the step in
which they are last seen (the actuarial estimate).

A customer's points aren't independent of each other. The error is that of a jackknife that leaves
out one of forty groups of customers in turn (Kott 2001, J. Official Statistics 17, 521-526).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.loyalty.programme_points import EXPIRED, OPEN, REDEEMED, Points
from retention_lib.metrics import Metric, unknown
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

#: Groups of customers of the jackknife.
GROUPS: Final = 40
#: Above this share still open at the highest age seen, breakage isn't known.
UNDECIDED: Final = 0.10
#: Days in a step of age.
STEPS: Final = {"week": 7.0, "month": 365.25 / 12}
#: Most steps followed.
_MOST: Final = {"week": 104, "month": 60}

WHY_UNDECIDED: Final = N_(
    "Too many points are still open at the highest age seen to know how many never will be used."
)
WHY_FEW: Final = N_("Too few customers have points to follow.")


@dataclass(frozen=True)
class Redemption:
    """Points by age, and what becomes of them in the end.

    Parameters
    ----------
    step : str
        Unit of age, `week` or `month`.
    curve : DataFrame
        A row a step of age, from 0: age, redeemed, low, high (share of the points earned that is
        redeemed by the end of it), expired, open, customers (with points seen so long).
    cohorts : DataFrame
        By the month in which points were earned: month, earned, customers, redeemed, expired, open
        (points), redeemed_share, complete (whether none is open).
    redeemed_in_the_end, breakage : Metric
        Shares of the points earned; unknown where too many are open still.
    undecided : float
        Share open at the highest age seen.
    open_redeemed : Metric
        Of the points that are open today, the share expected to be redeemed.
    overdrawn : float
        Points used that were never earned.
    """

    step: Literal["week", "month"]
    curve: pd.DataFrame
    cohorts: pd.DataFrame
    redeemed_in_the_end: Metric
    breakage: Metric
    undecided: float
    open_redeemed: Metric
    overdrawn: float


def redemption(points: Points, as_of: dt.date) -> Redemption | None:
    """What becomes of points; None with fewer than `SMALLEST` customers who earned any.

    Parameters
    ----------
    points : Points
    as_of : date
    """
    if len(np.unique(points.customer)) < SMALLEST:
        return None
    step = _step(points)
    age = np.minimum((points.age / STEPS[step]).astype(np.int64), _MOST[step])
    seen = _customers_seen(points, age)
    # past an age that few customers' points have reached, one of them would draw the line
    last = int(np.flatnonzero(seen >= SMALLEST).max())
    counts = _counts(points, age)
    whole = _curve(counts.sum(axis=0), last)
    groups = np.flatnonzero(counts.sum(axis=(1, 2)))
    without = [_curve(counts.sum(axis=0) - counts[g], last) for g in groups]
    errors = _jackknife(np.array([one.redeemed for one in without]), whole.redeemed)
    low, high = _limits(whole.redeemed, errors, len(groups))
    n = len(np.unique(points.customer))
    in_the_end = _in_the_end(whole, without, n)
    broken = _broken(in_the_end)
    curve = pd.DataFrame(
        {
            "age": np.arange(last + 1),
            "redeemed": whole.redeemed,
            "low": low,
            "high": high,
            "expired": whole.expired,
            "open": whole.open,
            "customers": seen[: last + 1],
        }
    )
    return Redemption(
        step=step,
        curve=curve,
        cohorts=_cohorts(points),
        redeemed_in_the_end=in_the_end,
        breakage=broken,
        undecided=float(whole.open[-1]),
        open_redeemed=_of_the_open(points, age, whole, without, n),
        overdrawn=points.overdrawn,
    )


def _step(points: Points) -> Literal["week", "month"]:
    """Weeks where nine of ten points that have ended did so within half a year."""
    ended = points.outcome != OPEN
    if not ended.any():
        return "month"
    order = np.argsort(points.age[ended])
    share = np.cumsum(points.amount[ended][order]) / points.amount[ended].sum()
    within = points.age[ended][order][np.searchsorted(share, 0.9)]
    return "week" if within <= 183 else "month"


def _customers_seen(points: Points, age: NDArray[np.int64]) -> NDArray[np.int64]:
    oldest = np.full(points.customers, -1)
    np.maximum.at(oldest, points.customer, age)
    by_age = np.bincount(oldest[oldest >= 0], minlength=int(age.max()) + 1)
    return np.cumsum(by_age[::-1])[::-1]


def _counts(points: Points, age: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points by group of customers, outcome and age, shape (GROUPS, 3, ages)."""
    ages = int(age.max()) + 1
    # neighbours in the order of the ids go to different groups
    cell = ((points.customer % GROUPS) * 3 + points.outcome) * ages + age
    by = np.bincount(cell, points.amount, minlength=GROUPS * 3 * ages).astype(np.float64)
    return by.reshape(GROUPS, 3, ages)


@dataclass(frozen=True)
class _Curve:
    redeemed: NDArray[np.float64]
    expired: NDArray[np.float64]
    open: NDArray[np.float64]

    @property
    def in_the_end(self) -> float:
        """Share redeemed, the open ones decided as the others were."""
        decided = self.redeemed[-1] + self.expired[-1]
        return float(self.redeemed[-1] / decided) if decided > 0 else 0.0


def _curve(counts: NDArray[np.float64], last: int) -> _Curve:
    """Aalen-Johansen in steps of age, from points by outcome and age, shape (3, ages)."""
    at_risk = np.cumsum(counts.sum(axis=0)[::-1])[::-1] - counts[OPEN] / 2
    safe = np.where(at_risk > 0, at_risk, 1.0)
    hazards = counts[[REDEEMED, EXPIRED], : last + 1] / safe[: last + 1]
    # where half of a step's open points don't leave enough, all that were at risk have ended
    whole = np.maximum(hazards.sum(axis=0), 1.0)
    hazards = hazards / whole
    left = np.cumprod(1 - hazards.sum(axis=0))
    before = np.concatenate([[1.0], left[:-1]])
    redeemed, expired = np.cumsum(before * hazards, axis=1)
    return _Curve(redeemed, expired, left)


def _jackknife(without: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard errors from the estimates that lack a group each, shape (groups, …)."""
    groups = len(without)
    if groups < 2:
        return np.full(np.shape(whole), np.nan)
    return np.sqrt((groups - 1) / groups * ((without - whole) ** 2).sum(axis=0))


def _limits(
    share: NDArray[np.float64], error: NDArray[np.float64], groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % limits on the scale of the log odds, so that they stay between 0 and 1."""
    from scipy.stats import t

    if groups < 2:
        return np.full_like(share, np.nan), np.full_like(share, np.nan)
    inside = (share > 0) & (share < 1)
    p = np.where(inside, share, 0.5)
    margin = float(t.isf(0.025, groups - 1)) * error / (p * (1 - p))
    odds = np.log(p / (1 - p))
    low, high = (1 / (1 + np.exp(-(odds + sign * margin))) for sign in (-1, 1))
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def _in_the_end(whole: _Curve, without: list[_Curve], n: int) -> Metric:
    if whole.open[-1] > UNDECIDED:
        return unknown("share", WHY_UNDECIDED, n=n)
    return _metric(whole.in_the_end, np.array([one.in_the_end for one in without]), n)


def _metric(value: float, without: NDArray[np.float64], n: int) -> Metric:
    error = _jackknife(without, np.array(value))
    low, high = _limits(np.array([value]), np.array([error]), len(without))
    limits = (float(low[0]), float(high[0]))
    return Metric(value, "share", *limits, n=n)


def _broken(in_the_end: Metric) -> Metric:
    if in_the_end.value is None:
        return unknown("share", WHY_UNDECIDED, n=in_the_end.n)
    low, high = ((None if x is None else 1 - x) for x in (in_the_end.high, in_the_end.low))
    return Metric(1 - in_the_end.value, "share", low, high, n=in_the_end.n)


def _of_the_open(
    points: Points, age: NDArray[np.int64], whole: _Curve, without: list[_Curve], n: int
) -> Metric:
    """Of the open points, each at its age, the share that will be redeemed."""
    is_open = points.outcome == OPEN
    if not is_open.any():
        return unknown("share", N_("No point is open."))
    if whole.open[-1] > UNDECIDED:
        return unknown("share", WHY_UNDECIDED, n=n)
    by_age = np.bincount(age[is_open], points.amount[is_open], minlength=len(whole.open))
    # what is older than the highest age followed is as at that age
    by_age = np.append(by_age[: len(whole.open) - 1], by_age[len(whole.open) - 1 :].sum())

    def share(curve: _Curve) -> float:
        end = curve.redeemed[-1] + curve.open[-1] * curve.in_the_end
        before = np.concatenate([[0.0], curve.redeemed[:-1]])
        left = np.concatenate([[1.0], curve.open[:-1]])
        # in the middle of the step
        still, got = (left + curve.open) / 2, (before + curve.redeemed) / 2
        chance = np.where(still > 1e-9, (end - got) / np.maximum(still, 1e-9), curve.in_the_end)
        return float(by_age @ np.clip(chance, 0.0, 1.0) / by_age.sum())

    return _metric(share(whole), np.array([share(one) for one in without]), n)


def _cohorts(points: Points) -> pd.DataFrame:
    month = points.earned.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    months, place = np.unique(month, return_inverse=True)
    by = np.bincount(place * 3 + points.outcome, points.amount, minlength=3 * len(months))
    redeemed, expired, open_ = by.reshape(-1, 3).T
    pairs = np.unique(place * points.customers + points.customer)
    earned = redeemed + expired + open_
    return pd.DataFrame(
        {
            "month": months.astype("datetime64[M]").astype("datetime64[ns]"),
            "earned": earned,
            "customers": np.bincount(pairs // points.customers, minlength=len(months)),
            "redeemed": redeemed,
            "expired": expired,
            "open": open_,
            "redeemed_share": redeemed / earned,
            "complete": open_ <= math.ulp(1.0) + 1e-9 * earned,
        }
    )
