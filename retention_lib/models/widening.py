"""A total's interval, widened by what past forecasts of this base missed.

The model's own interval holds if customers go on as they did; bases drift. With e the errors of the
backtests, log(actual / forecast), o the standard deviations that the model itself gives them, and n
how many windows the history holds side by side:

    size    m² = mean(e²) − c
    spread  s² = n/(n − 1) · mean((e − mean e)²) − c, at most m²
    less    c  = mean(o²) − min(o²),   so much as the model knew itself not to know yet
    both at least min(o²)

Towards the side to which forecasts missed on average the interval reaches t · m (in logarithms),
towards the other t · s, with t Student's for n degrees of freedom; or as far as the model's own
where that is farther. The estimate itself stays. Windows that overlap count for little more than
their number side by side, hence n. The errors hold the customers' own chance too, so that it isn't
added again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from retention_lib.metrics import Metric
from retention_lib.models.backtest import Backtests
from retention_lib.models.totals import Estimate, Totals
from retention_lib.sentence import N_, Sentence

#: The level of the intervals of `Estimate`.
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A total with both its intervals.

    Attributes
    ----------
    value : float
    low, high : float
        With what this base's own past forecasts missed.
    own_low, own_high : float
        By the model alone.
    """

    value: float
    low: float
    high: float
    own_low: float
    own_high: float


@dataclass(frozen=True, slots=True)
class PastErrors:
    """What the backtests say of the next forecast, in logarithms.

    Attributes
    ----------
    mean : float
        Above 0 where forecasts came out too low on average.
    size : float
        Root mean square, mean and spread in one, less what only early origins didn't know.
    spread : float
        Standard deviation around the mean, for windows that overlap; at most `size`.
    effective : float
        How many windows that don't overlap they are worth.
    """

    mean: float
    size: float
    spread: float
    effective: float


def past_errors(backtests: Backtests, kind: str = "error") -> PastErrors | None:
    """Sum up the backtests.

    Parameters
    ----------
    backtests : Backtests
    kind : str
        `error`, of purchases, or `revenue_error`.

    Returns
    -------
    PastErrors or None
        None where fewer than two origins have such an error.
    """
    known = backtests.origins[backtests.origins[kind].notna()]
    if len(known) < 2:
        return None
    e, own = known[kind].to_numpy(dtype=float), known["own"].to_numpy(dtype=float) ** 2
    n = float(np.clip(backtests.effective, 2.0, len(e)))
    least = float(own.min())
    less = float(own.mean()) - least
    size = max(float(np.mean(e**2)) - less, least)
    spread = max(n / (n - 1) * float(e.var()) - less, least)
    return PastErrors(float(e.mean()), size**0.5, min(spread, size) ** 0.5, n)


def widened(estimate: Estimate, errors: PastErrors | None, level: float = LEVEL) -> Interval:
    """Combine a total's own interval with the errors of the past.

    Parameters
    ----------
    estimate : Estimate
        With its 95 % interval.
    errors : PastErrors or None
        None leaves the model's own interval.
    level : float
        Of the intervals to give; another than 95 % scales the model's own as a normal one.

    Returns
    -------
    Interval
    """
    value = estimate.value
    if not (value > 0 and np.isfinite(value)):
        return Interval(value, estimate.low, estimate.high, estimate.low, estimate.high)
    ratio = _normal_point(level) / _normal_point(LEVEL)
    own_low = value * (estimate.low / value) ** ratio if estimate.low > 0 else 0.0
    own_high = value * (estimate.high / value) ** ratio
    if errors is None:
        return Interval(value, own_low, own_high, own_low, own_high)
    t = _student_point(level, errors.effective)
    too_low = errors.mean > 0
    up = t * (errors.size if too_low else errors.spread)
    down = t * (errors.spread if too_low else errors.size)
    low, high = value * float(np.exp(-down)), value * float(np.exp(up))
    return Interval(value, min(low, own_low), max(high, own_high), own_low, own_high)


# A report widens hundreds of estimates, by points of the same two distributions.
@lru_cache(maxsize=32)
def _normal_point(level: float) -> float:
    """Half the width of a normal interval, in standard deviations."""
    return float(norm.ppf((1 + level) / 2))


@lru_cache(maxsize=32)
def _student_point(level: float, freedom: float) -> float:
    """The same of Student's distribution."""
    return float(student.ppf((1 + level) / 2, freedom))


def widened_by_holdout(estimate: Estimate, bias: float | None) -> Interval:
    """Where the past gave no backtests: the relative error of the holdout, in both directions.

    Parameters
    ----------
    estimate : Estimate
    bias : float or None
        forecast / actual − 1; None leaves the model's own interval.

    Returns
    -------
    Interval
    """
    own = widened(estimate, None)
    if bias is None or bias <= -1:
        return own
    error = abs(1 / (1 + bias) - 1)
    low = min(own.low, estimate.value * max(1 - error, 0.0))
    high = max(own.high, estimate.value * (1 + error))
    return Interval(estimate.value, low, high, own.low, own.high)


def errors_in_money(backtests: Backtests) -> PastErrors | None:
    """The backtests' errors of revenue, or of purchases where revenue's are not known."""
    return past_errors(backtests, "revenue_error") or past_errors(backtests)


def with_past(
    estimate: Estimate, errors: PastErrors | None, holdout_bias: float | None
) -> Interval:
    """An estimate with what the past missed: the backtests where there are any, else the holdout.

    Parameters
    ----------
    estimate : Estimate
    errors : PastErrors or None
    holdout_bias : float or None
        forecast / actual − 1.
    """
    return widened(estimate, errors) if errors else widened_by_holdout(estimate, holdout_bias)


def total_intervals(
    totals: Totals, backtests: Backtests, holdout_bias: float | None
) -> dict[str, Interval]:
    """The totals with both their intervals.

    Values in money take the errors of revenue, or of purchases where revenue's are not known.

    Parameters
    ----------
    totals : Totals
    backtests : Backtests
    holdout_bias : float or None

    Returns
    -------
    dict of Interval
        `purchases.expected`, `clv.total`, `clv.mean`; the latter two only where they are known.
    """
    counts, money = past_errors(backtests), errors_in_money(backtests)
    estimates = {
        "purchases.expected": (totals.purchases, counts),
        "clv.total": (totals.clv, money),
        "clv.mean": (totals.clv_mean, money),
    }
    return {
        name: with_past(estimate, errors, holdout_bias)
        for name, (estimate, errors) in estimates.items()
        if estimate is not None
    }


def what_widens(backtests: Backtests, holdout_bias: float | None) -> Sentence:
    """What the totals' intervals hold beyond the model's own."""
    if past_errors(backtests) is not None:
        values = {
            "n": len(backtests.origins),
            "months": Metric(backtests.months, "months"),
            "first": backtests.origins["origin"].iloc[0].date(),
            "last": backtests.origins["origin"].iloc[-1].date(),
        }
        if backtests.customers < backtests.of:
            return Sentence(BY_SAMPLE, **values, some=backtests.customers, of=backtests.of)
        return Sentence(BY_PAST, **values)
    why = backtests.why_none or Sentence(ONE_ONLY)
    if holdout_bias is None:
        return Sentence(BY_NOTHING, why=why)
    return Sentence(BY_HOLDOUT, why=why, miss=Metric(abs(holdout_bias), "share"))


BY_PAST = N_(
    "The intervals of the totals hold the model's and the customers' own uncertainty, or where "
    "that is wider what {n} forecasts of this base's past, over {months} each, from {first} to "
    "{last}, have missed by."
)
BY_SAMPLE = N_(
    "The intervals of the totals hold the model's and the customers' own uncertainty, or where "
    "that is wider what {n} forecasts of this base's past, over {months} each, from {first} to "
    "{last}, have missed by. The past was forecast for {some} of the {of} customers, drawn by lot."
)
BY_HOLDOUT = N_(
    "{why} The intervals of the totals hold the model's and the customers' own uncertainty, and "
    "the error of the one test there is, {miss}, in both directions."
)
BY_NOTHING = N_(
    "{why} The intervals of the totals hold the model's and the customers' own uncertainty only: a "
    "change in how customers buy isn't in them."
)
ONE_ONLY = N_("Only one forecast of this base's past could be made.")
