"""How long subscribers stay: at which renewal they are lost, and who is still there.

A subscriber's age is counted in billing periods. At the end of the t-th the subscription is renewed
or not; who leaves in the middle of it is one who doesn't renew at its end. A decision counts once
its day is past, also of those who have said already that they leave: else the leavers of a period
that isn't over would be counted, and those who stay in it not yet.

Of each subscriber the first stay counts, so that everybody counts once; who returns is told apart.
The curve is Kaplan and Meier's (`retention.survival`), the loss at each age has Wilson's interval.
Plans are compared by the log-rank test, each against all others: Mantel and Haenszel's with a
stratum an age (Mantel 1966, Cancer Chemother. Rep. 50, 163-170), with Holm's correction over them.

Data that begin late show of the old subscribers only those who stayed. Whether they do is asked of
the data: were there subscribers for long before the first loss at all, when at the losses of those
watched from their begin several should have been seen (fewer than 1 in 1,000 by chance), the curve
rests on those who began after it. So it does where a fifth of all began on the very first day: that
is the day of a system, not of theirs.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.loyalty.subscription_rows import (
    OPEN,
    Subscribed,
    date_of,
    renewal_days,
    renewals_by,
)
from retention_lib.retention.homogeneity import LEVEL, against_rest, holm
from retention_lib.retention.intervals import wilson, wilson_many
from retention_lib.retention.survival import kaplan_meier
from retention_lib.smallest import SMALLEST

#: Chance of so few losses, below which the data are taken to begin late; one end of so many may
#: be a stray one.
_BY_CHANCE, _STRAY = 0.001, 200
#: Share of all starts on the first day that makes it a system's.
_ONE_DAY: Final = 0.2

CURVE: Final = (
    *("period", "months", "at_risk", "lost", "hazard", "hazard_low", "hazard_high"),
    *("survival", "low", "high"),
)


@dataclass(frozen=True)
class Lifetimes:
    """How long first stays lasted.

    Parameters
    ----------
    lost, kept : ndarray of int, shape (m,)
        Not renewed at the end of period 1, 2 … m; renewed then and not watched longer.
    curve : DataFrame
        `CURVE`, a row a period: at_risk (up for renewal at its end), lost, their share with its
        interval, survival (share still there after it) with its interval.
    n : int
        Stays watched to their first renewal.
    median_months, median_low, median_high : float or None
        By when half are gone, by the curve; None where it doesn't get there.
    begins : date or None
        From which day on stays count, where the data begin late.
    one_day : bool
        Whether that is because so many began on the first day.
    unwatched : int
        Stays left out for it.
    period_months : int
    """

    lost: NDArray[np.int64]
    kept: NDArray[np.int64]
    curve: pd.DataFrame
    n: int
    median_months: float | None
    median_low: float | None
    median_high: float | None
    begins: dt.date | None
    one_day: bool
    unwatched: int
    period_months: int

    @property
    def shown(self) -> pd.DataFrame:
        """The curve where enough were up for renewal to be told of."""
        return self.curve[self.curve["at_risk"] >= SMALLEST]


@dataclass(frozen=True)
class Late:
    """What is lost at the later renewals together.

    Parameters
    ----------
    months : int
        Of the relationship, after which they lie.
    share, low, high : float
        Lost at each, of those up for renewal.
    n : int
        Renewals that were due.
    """

    months: int
    share: float
    low: float
    high: float
    n: int


def later_losses(found: Lifetimes) -> Late | None:
    """Of the renewals after the first year, or else of the second half of those watched.

    One age alone has few; None with fewer than `SMALLEST` together or fewer than three ages.
    """
    shown = found.shown
    if len(shown) < 3:
        return None
    after = shown[shown["months"] > 12]
    if after["at_risk"].sum() < 5 * SMALLEST or 12 % found.period_months:
        after = shown.iloc[len(shown) // 2 :]
    due, lost = int(after["at_risk"].sum()), int(after["lost"].sum())
    interval = wilson(lost, due) if due >= SMALLEST else None
    if interval is None or after["period"].iloc[0] == 1:
        return None
    before = int(after["months"].iloc[0]) - found.period_months
    return Late(before, lost / due, interval.low, interval.high, due)


def ages(subscribed: Subscribed, as_of: int | None = None) -> pd.DataFrame:
    """Each first stay by the renewals that were decided.

    Parameters
    ----------
    as_of : int, optional
        In days since 1970; by default the report's day, earlier by `grace_days` where breaks were
        bridged: who is late may still pay.

    Returns
    -------
    DataFrame
        who, start, plan, period (decided last: the t-th), lost (not renewed then); those with no
        decision yet aren't there.
    """
    today = _watched_until(subscribed) if as_of is None else as_of
    stays, months = subscribed.stays, subscribed.period_months
    first = stays[(stays["number"] == 1) & (stays["start"] <= today)]
    start = first["start"].to_numpy(dtype="int64")
    end = first["end"].to_numpy(dtype="int64")
    # what comes after the day isn't known on it
    made = renewals_by(start, np.minimum(end, today), months)
    lost = (end < today) & (renewal_days(start, made + 1, months) <= today)
    found = first[["who", "start", "plan"]].assign(period=made + lost, lost=lost)
    return found[found["period"] > 0].reset_index(drop=True)


def lifetimes(subscribed: Subscribed) -> Lifetimes:
    """How long first stays lasted, and from which day on that can be told."""
    found = ages(subscribed)
    begins, one_day = _begins(subscribed, found)
    everybody = len(found)
    if begins is not None:
        found = found[found["start"] >= begins]
    lost, kept = counts(found)
    curve = curve_of(lost, kept, subscribed.period_months)
    median = _median(curve)
    return Lifetimes(
        lost=lost,
        kept=kept,
        curve=curve,
        n=len(found),
        median_months=median[0],
        median_low=median[1],
        median_high=median[2],
        begins=None if begins is None else date_of(begins),
        one_day=one_day,
        unwatched=everybody - len(found),
        period_months=subscribed.period_months,
    )


def counts(found: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lost and kept at the end of each period, of `ages`."""
    period = found["period"].to_numpy(dtype="int64")
    lost = found["lost"].to_numpy(dtype=bool)
    size = int(period.max(initial=0)) + 1
    return (
        np.bincount(period[lost], minlength=size)[1:].astype("int64"),
        np.bincount(period[~lost], minlength=size)[1:].astype("int64"),
    )


def curve_of(lost: NDArray[np.int64], kept: NDArray[np.int64], period_months: int) -> pd.DataFrame:
    """Losses and survival by period, as `Lifetimes.curve`."""
    if not len(lost):
        return pd.DataFrame({name: np.empty(0) for name in CURVE})
    period = np.arange(1, len(lost) + 1)
    at_risk = (lost + kept)[::-1].cumsum()[::-1]
    low, high = wilson_many(lost, at_risk)
    curve = kaplan_meier(period, lost, kept).set_index("days").reindex(period).ffill()
    return pd.DataFrame(
        {
            "period": period,
            "months": period * period_months,
            "at_risk": at_risk,
            "lost": lost,
            "hazard": lost / np.maximum(at_risk, 1),
            "hazard_low": low,
            "hazard_high": high,
            "survival": 1 - curve["share"].fillna(0.0).to_numpy(),
            "low": 1 - curve["high"].fillna(0.0).to_numpy(),
            "high": 1 - curve["low"].fillna(0.0).to_numpy(),
        }
    )


def by_plan(subscribed: Subscribed, found: Lifetimes) -> tuple[pd.DataFrame, int | None]:
    """How long the subscribers of each plan stay, by the plan that they began with.

    Returns
    -------
    DataFrame
        plan, n, survival, low, high (share still there after the period below; NaN with too few
        watched so long), lost, expected (were they lost as often as all of that age), stands_out
        (1 or −1 where fewer or more are lost than of all others of their age, by more than chance
        explains). Plans of fewer than `SMALLEST` aren't there.
    int or None
        The period; None where none is long enough, or there is no second plan.
    """
    frame = ages(subscribed)
    if found.begins is not None:
        days = frame["start"].to_numpy()
        frame = frame[days >= (found.begins - dt.date(1970, 1, 1)).days]
    frame = frame[frame["plan"].notna()]
    names = ["plan", "n", "survival", "low", "high", "lost", "expected", "stands_out"]
    empty = pd.DataFrame({name: [] for name in names})
    sizes = frame["plan"].value_counts()
    large = sorted(sizes.index[sizes >= SMALLEST].astype(str))
    period = _common_period(found)
    if len(large) < 2 or period is None:
        return empty, None
    all_lost, all_kept = counts(frame)
    all_risk = (all_lost + all_kept)[::-1].cumsum()[::-1]
    rows, p, more = [], [], []
    for plan in large:
        lost, kept = counts(frame[frame["plan"] == plan])
        curve = curve_of(lost, kept, found.period_months)
        risk = np.zeros_like(all_risk)
        risk[: len(lost)] = curve["at_risk"].to_numpy()
        gone = np.zeros_like(all_lost)
        gone[: len(lost)] = lost
        seen = curve[(curve["period"] == period) & (curve["at_risk"] >= SMALLEST)]
        one = seen.iloc[0] if len(seen) else None
        compared = against_rest(gone, risk, all_lost, all_risk)
        p.append(compared.p)
        more.append(compared.above)
        ends = {x: math.nan if one is None else float(one[x]) for x in ("survival", "low", "high")}
        all_ = {"lost": int(lost.sum()), "expected": compared.expected}
        rows.append({"plan": plan, "n": int(sizes[plan]), **ends, **all_})
    surely = holm(p) < LEVEL
    sign = np.where(surely, np.where(more, -1, 1), 0)
    return pd.DataFrame(rows).assign(stands_out=sign)[names], period


#: Cohorts by quarter where there are no more of them, else by year.
_MOST_COHORTS: Final = 12


def cohorts(subscribed: Subscribed, found: Lifetimes) -> tuple[pd.DataFrame, bool, int | None]:
    """Who began together, and how many were still there at two ages.

    Returns
    -------
    DataFrame
        cohort (its first day), n, first, first_low, first_high (share there after the first
        renewal), later, later_low, later_high (after the period below): NaN unless all of the
        cohort were watched so long. Cohorts of fewer than `SMALLEST` aren't there.
    bool
        Whether they are quarters; else years.
    int or None
        The period.
    """
    names = ["cohort", "n", "first", "first_low", "first_high", "later", "later_low", "later_high"]
    period = _common_period(found)
    seen = ages(subscribed)
    if found.begins is not None:
        seen = seen[seen["start"] >= (found.begins - dt.date(1970, 1, 1)).days]
    if seen.empty or period is None:
        return pd.DataFrame({name: [] for name in names}), True, period
    start = seen["start"].to_numpy(dtype="int64")
    watched = renewals_by(start, _watched_until(subscribed), subscribed.period_months)
    begun = pd.DatetimeIndex(start.astype("datetime64[D]").astype("datetime64[s]"))
    quarters = begun.to_period("Q").nunique() <= _MOST_COHORTS
    cohort = begun.to_period("Q" if quarters else "Y").start_time
    period_of, lost = seen["period"].to_numpy(), seen["lost"].to_numpy(dtype=bool)
    grouped = pd.DataFrame(
        {
            "cohort": cohort,
            "watched": watched,
            "gone_first": lost & (period_of <= 1),
            "gone_later": lost & (period_of <= period),
        }
    ).groupby("cohort")
    frame = grouped.agg(
        n=("watched", "size"),
        watched=("watched", "min"),
        gone_first=("gone_first", "sum"),
        gone_later=("gone_later", "sum"),
    ).reset_index()
    frame = frame[frame["n"] >= SMALLEST]
    for name, at in (("first", 1), ("later", period)):
        there = (frame["n"] - frame[f"gone_{name}"]).to_numpy()
        low, high = wilson_many(there, frame["n"])
        known = (frame["watched"] >= at).to_numpy()
        values = {name: there / frame["n"], f"{name}_low": low, f"{name}_high": high}
        frame = frame.assign(**{key: np.where(known, x, np.nan) for key, x in values.items()})
    return frame[names].reset_index(drop=True), quarters, period


@dataclass(frozen=True)
class Halves:
    """Those who began earlier against those who began later, at the same ages.

    Parameters
    ----------
    day : date
        From which the later ones began.
    earlier, later : float
        Share still there after `period`.
    period : int
    n_earlier, n_later : int
    stands : int
        1 where the later ones stay longer by more than chance explains, −1 shorter, else 0.
    """

    day: dt.date
    earlier: float
    later: float
    period: int
    n_earlier: int
    n_later: int
    stands: int


def halves(subscribed: Subscribed, found: Lifetimes) -> Halves | None:
    """Whether who began lately stays as long; None with too few of either at a common age.

    The curve, and what is projected from it, takes all of them for alike.
    """
    frame = ages(subscribed)
    if found.begins is not None:
        frame = frame[frame["start"] >= (found.begins - dt.date(1970, 1, 1)).days]
    if len(frame) < 2 * SMALLEST:
        return None
    middle = int(np.median(frame["start"].to_numpy()))
    early = (frame["start"] < middle).to_numpy()
    if min(early.sum(), (~early).sum()) < SMALLEST:
        return None
    all_lost, all_kept = counts(frame)
    own_lost, own_kept = counts(frame[~early])
    late = curve_of(own_lost, own_kept, found.period_months)
    soon = curve_of(*counts(frame[early]), found.period_months)
    both = late.merge(soon, on="period", suffixes=("", "_early"))
    both = both[(both["at_risk"] >= SMALLEST) & (both["at_risk_early"] >= SMALLEST)]
    if both.empty:
        return None
    last = both.iloc[-1]
    reach = int(last["period"])
    # the earlier ones alone were watched at higher ages, where there is nobody to compare
    risk = (all_lost + all_kept)[::-1].cumsum()[::-1][:reach]
    own_risk = (own_lost + own_kept)[::-1].cumsum()[::-1][:reach]
    compared = against_rest(own_lost[:reach], own_risk, all_lost[:reach], risk)
    surely = compared.p is not None and compared.p < LEVEL
    return Halves(
        day=date_of(middle),
        earlier=float(last["survival_early"]),
        later=float(last["survival"]),
        period=reach,
        n_earlier=int(early.sum()),
        n_later=int((~early).sum()),
        stands=(-1 if compared.above else 1) if surely else 0,
    )


def _watched_until(subscribed: Subscribed) -> int:
    return subscribed.today - (subscribed.grace_days if subscribed.bridged else 0)


def _begins(subscribed: Subscribed, found: pd.DataFrame) -> tuple[int | None, bool]:
    """The first day from which on stays are watched from their begin; None for all of them."""
    from scipy.stats import poisson

    start = found["start"].to_numpy(dtype="int64")
    if len(start) < SMALLEST:
        return None, False
    stays = subscribed.stays
    ended = stays.loc[stays["end"] < min(OPEN, subscribed.today), "end"].to_numpy(dtype="int64")
    if len(ended):
        # a stray end may lie before the data begin
        stray = len(ended) // _STRAY
        first_end = int(np.sort(ended)[stray])
        later = start >= first_end
        if later.sum() >= SMALLEST:
            curve = curve_of(*counts(found[later]), subscribed.period_months)
            hazard = np.cumsum(-np.log1p(-np.minimum(curve["hazard"].to_numpy(), 0.999)))
            before = renewals_by(start[~later], first_end - 1, subscribed.period_months)
            steps = np.minimum(before, len(hazard))
            expected = float(np.r_[0.0, hazard][steps].sum())
            if poisson.cdf(stray, expected) < _BY_CHANCE:
                return first_end, False
    first = int(start.min())
    others = int((start > first).sum())
    if (start == first).mean() > _ONE_DAY and others >= 2 * SMALLEST:
        return first + 1, True
    return None, False


def _common_period(found: Lifetimes) -> int | None:
    """A year where so long was watched, else the longest; one period where it is longer."""
    watched = found.shown["period"]
    if watched.empty:
        return None
    return int(min(max(1, 12 // found.period_months), watched.iloc[-1]))


def _median(curve: pd.DataFrame) -> tuple[float | None, float | None, float | None]:
    """Months by which half are gone, with Brookmeyer and Crowley's interval (1982)."""

    def first(name: str) -> float | None:
        reached = curve.loc[(curve[name] <= 0.5) & (curve["at_risk"] >= SMALLEST), "months"]
        return float(reached.iloc[0]) if len(reached) else None

    return first("survival"), first("low"), first("high")
