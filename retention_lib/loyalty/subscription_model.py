"""How long subscribers will stay, by the shifted beta-geometric model, and whether to believe it.

The model (`models.sbg`) is fitted to the losses at each age. Three things are asked of it: does its
curve follow the losses that it was fitted to (Pearson's chi-square over ages of which at least five
losses are expected, and the largest distance of the two curves); did an earlier fit, with nothing
known of the periods after it, foresee how many of the subscribers of that day are still there; and
what would a constant churn have said of these. A model that fails the first or the second is told
of with the words that it does.

The interval of a count that is foreseen has both: what the parameters may be, and that each of the
subscribers stays or not by chance (a sum of independent trials, normal).

Sources: Fader & Hardie (2007), J. Interactive Marketing 21(1), 76-90; (2010), Marketing Science
29(1), 85-93 (a constant churn undervalues subscribers, as those left are the loyal).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.data.periods import shift_months
from retention_lib.loyalty.subscription_flow import monthly_churn
from retention_lib.loyalty.subscription_lifetimes import Lifetimes, ages, counts
from retention_lib.loyalty.subscription_rows import (
    Subscribed,
    date_of,
    day_number,
    renewal_days,
    renewals_by,
)
from retention_lib.models.sbg import ShiftedBetaGeometric, fit_sbg
from retention_lib.retention.intervals import Z
from retention_lib.smallest import SMALLEST

#: Why there is no projection. `too_few`: stays watched to a renewal, or losses; the others are
#: the model's own.
Why = Literal["too_few", "nobody_left", "all_left_at_once", "one_period"]

#: Losses below which no spread between subscribers can be told.
FEWEST_LOST: Final = 5
#: Distance of the two curves that matters, and what chance has to explain of the losses.
_FAR, _LEVEL = 0.03, 0.05
#: Share of the subscribers by which a test may be off before it matters.
_NEAR: Final = 0.05
#: Periods held back to test the model, at most; and a third of what was watched.
_HELD_BACK: Final = 12
#: A projection goes so many times as far as was watched, and no further than so many months, unless
#: that were less than half as far again.
_AHEAD, _MOST_MONTHS = 2, 120


@dataclass(frozen=True)
class Holdout:
    """What an earlier fit said of the subscribers of its day, and what became of them.

    Parameters
    ----------
    day : date
        Nothing after it was known to the fit.
    periods : int
        Decisions held back, of each subscriber.
    n : int
        First stays that ran on that day.
    actual : int
        Of these, renewed at each of the decisions since.
    expected, low, high : float
    constant : float
        What the churn of the year before the day, kept up, would have said.
    """

    day: dt.date
    periods: int
    n: int
    actual: int
    expected: float
    low: float
    high: float
    constant: float

    @property
    def held(self) -> bool:
        """Whether what happened lies in the interval."""
        return self.low <= self.actual <= self.high

    @property
    def near(self) -> bool:
        """Whether it is no further off than matters: of many the interval is very narrow."""
        return abs(self.actual - self.expected) <= _NEAR * self.n


@dataclass(frozen=True)
class Projection:
    """The model of how long subscribers stay.

    Parameters
    ----------
    model : ShiftedBetaGeometric or None
        None where `why` tells why.
    why : str or None
    curve : DataFrame
        period (from 0), months, survival, low, high, watched (False beyond what was).
    distance : float
        Largest between the model's curve and the observed, where enough were watched.
    p : float or None
        Of such losses, were the model right; None with too few of them to ask.
    follows : bool
        Whether the model's curve is the observed one, near enough.
    churn : float
        Of a billing period, over the last year: the share that would be lost at each renewal if
        all were alike.
    holdout : Holdout or None
    period_months : int
    """

    model: ShiftedBetaGeometric | None
    why: Why | None
    curve: pd.DataFrame
    distance: float
    p: float | None
    follows: bool
    churn: float
    holdout: Holdout | None
    period_months: int

    @property
    def usable(self) -> bool:
        """Whether to act on it: it follows the losses, and its test, where there is one, came out
        within the interval or near enough.
        """
        if self.model is None or not self.follows:
            return False
        return self.holdout is None or self.holdout.held or self.holdout.near

    @property
    def alike(self) -> bool:
        """Whether subscribers don't differ measurably: one churn for all says the same."""
        return self.model is not None and self.model.degenerate == "alike"


def projection(subscribed: Subscribed, found: Lifetimes) -> Projection:
    """Fit the model, look at how it follows the losses, test it on the periods held back."""
    months = found.period_months
    model, why = _fit(found.lost, found.kept)
    churn = _churn(subscribed, subscribed.as_of)
    empty = pd.DataFrame({name: [] for name in ("period", "months", "survival", "low", "high")})
    if model is None:
        return Projection(None, why, empty, math.nan, None, False, churn, None, months)
    seen = found.shown
    watched = int(seen["period"].max()) if len(seen) else 1
    most = max(math.ceil(1.5 * watched), _MOST_MONTHS // months)
    period = np.arange(0, min(max(_AHEAD * watched, 3), most) + 1)
    low, high = model.survival_interval(period)
    curve = pd.DataFrame(
        {
            "period": period,
            "months": period * months,
            "survival": model.survival(period),
            "low": low,
            "high": high,
            "watched": period <= watched,
        }
    )
    distance = float(
        np.abs(model.survival(seen["period"]) - seen["survival"].to_numpy()).max(initial=0.0)
    )
    p = _chance(model, found.curve)
    follows = distance <= _FAR or (p is not None and p >= _LEVEL)
    holdout = _holdout(subscribed, found)
    return Projection(model, None, curve, distance, p, follows, churn, holdout, months)


def foreseen(
    model: ShiftedBetaGeometric, renewals: NDArray[np.int64], more: int
) -> tuple[float, float, float]:
    """How many of some subscribers renew each of the next times.

    Parameters
    ----------
    renewals : ndarray of int
        Made by each of them.
    more : int
        Renewals to come.

    Returns
    -------
    expected, low, high : float
        The interval has the parameters' and chance's.
    """
    age, n = np.unique(renewals, return_counts=True)

    def kept(one: ShiftedBetaGeometric) -> NDArray[np.float64]:
        return np.asarray(one.survival(age + more) / one.survival(age))

    share = kept(model)
    expected = float(n @ share)
    edge = np.array([float(n @ kept(one)) for one in edge_of(model)])
    chance = Z * math.sqrt(float(n @ (share * (1 - share))))
    return (
        expected,
        max(0.0, expected - math.hypot(expected - edge.min(), chance)),
        min(float(n.sum()), expected + math.hypot(edge.max() - expected, chance)),
    )


def edge_of(model: ShiftedBetaGeometric) -> list[ShiftedBetaGeometric]:
    """The model with each of the parameters at the edge of what the data allow."""
    from dataclasses import replace

    return [replace(model, alpha=float(a), beta=float(b)) for a, b in model.edge.T]


def _churn(subscribed: Subscribed, day: dt.date) -> float:
    """Of a billing period, over the year to a day; NaN with too few subscribers."""
    found = monthly_churn(subscribed, shift_months(day, -12), day).value
    return math.nan if found is None else min(1.0, subscribed.period_months * float(found))


def _fit(
    lost: NDArray[np.int64], kept: NDArray[np.int64]
) -> tuple[ShiftedBetaGeometric | None, Why | None]:
    n = int(lost.sum() + kept.sum())
    if n < SMALLEST:
        return None, "too_few"
    model = fit_sbg(lost, kept)
    if model.degenerate is not None and model.degenerate != "alike":
        return None, model.degenerate
    return (None, "too_few") if lost.sum() < FEWEST_LOST else (model, None)


def _chance(model: ShiftedBetaGeometric, curve: pd.DataFrame) -> float | None:
    """Pearson's chi-square of the losses by age, given how many were up for renewal."""
    from scipy.stats import chi2

    risk = curve["at_risk"].to_numpy(dtype=float)
    share = 1 - model.renewal_rate(curve["period"].to_numpy())
    expected = risk * share
    enough = (expected >= 5) & (risk - expected >= 5)
    free = int(enough.sum()) - 2
    if free < 1:
        return None
    off = (curve["lost"].to_numpy(dtype=float) - expected)[enough]
    spread = (expected * (1 - share))[enough]
    return float(chi2.sf(float((off**2 / spread).sum()), free))


def _holdout(subscribed: Subscribed, found: Lifetimes) -> Holdout | None:
    """Fit on what was known some periods ago; None where that was too little."""
    months = subscribed.period_months
    watched = found.shown["period"]
    if len(watched) < 3:
        return None
    held = int(min(_HELD_BACK, max(1, watched.iloc[-1] // 3)))
    today = subscribed.today - (subscribed.grace_days if subscribed.bridged else 0)
    day = int(renewal_days(np.array([today]), np.array([-held]), months)[0])
    known = ages(subscribed, day)
    running = subscribed.stays[subscribed.stays["number"] == 1]
    if found.begins is not None:
        begins = day_number(found.begins)
        known, running = known[known["start"] >= begins], running[running["start"] >= begins]
    lost, kept = counts(known)
    model, _ = _fit(lost, kept)
    running = running[(running["start"] <= day) & (running["end"] >= day)]
    if model is None or len(running) < SMALLEST:
        return None
    start = running["start"].to_numpy(dtype="int64")
    end = running["end"].to_numpy(dtype="int64")
    made = renewals_by(start, day, months)
    # the day of the month may lie a day off where months are short: what each has had by today
    more = renewals_by(start, today, months) - made
    decided = more >= held
    start, end, made = start[decided], end[decided], made[decided]
    if len(start) < SMALLEST:
        return None
    still = end >= renewal_days(start, made + held, months)
    expected, low, high = foreseen(model, made, held)
    constant = len(start) * (1 - _churn(subscribed, date_of(day))) ** held
    return Holdout(date_of(day), held, len(start), int(still.sum()), expected, low, high, constant)
