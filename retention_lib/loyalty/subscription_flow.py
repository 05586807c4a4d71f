"""Who came, stayed and left, and what that did to recurring revenue.

Of each subscriber is known what is paid per billing period on a day; over the period's months it is
the monthly recurring revenue (MRR). Between two days every subscriber is in exactly one place:

    at the start − lost + returned + new = at the end, in subscribers, and
    MRR at the start − churned − contraction + expansion + returned + new = MRR at the end,

where lost is who pays at the start and not at the end; new is who pays at the end and first paid
after the start; returned, who had paid before it. Sums are of whole cents, so that they add up.

Gross retention is Σ min(then, now) / Σ then over those at the start, net retention Σ now / Σ then;
both with the delta method's interval (Cochran 1977, 6.3: `retention.moments.ratio_limits`). The
churn of a month is ends over subscriber-months watched, with Garwood's exact interval for a Poisson
count (1936, Biometrika 28, 437-442): it holds for periods of any length, and counts who came and
left within.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.data.periods import ONE_DAY, Window, shift_months
from retention_lib.loyalty.subscription_rows import (
    MONTH_DAYS,
    OPEN,
    Subscribed,
    date_of,
    day_number,
)
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.intervals import Interval, wilson
from retention_lib.retention.moments import mean_limits, moments_of, ratio_limits
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

#: What moves recurring revenue, in the order of the waterfall.
GAINS: Final = ("new", "returned", "expansion")
LOSSES: Final = ("contraction", "churned")


@dataclass(frozen=True)
class Flow:
    """From one day to another.

    Parameters
    ----------
    start, end : date
        Both at their close.
    subscribers_start, new, returned, lost, subscribers_end : int
    passing : int
        Who came after the start and was gone before the end: in none of the others.
    mrr_start, mrr_new, mrr_returned, mrr_expansion, mrr_contraction, mrr_churned, mrr_end : float
        In currency a month, none of them negative.
    expanded, contracted : int
        Subscribers at both ends who pay more, less.
    """

    start: dt.date
    end: dt.date
    subscribers_start: int
    new: int
    returned: int
    lost: int
    subscribers_end: int
    passing: int
    mrr_start: float
    mrr_new: float
    mrr_returned: float
    mrr_expansion: float
    mrr_contraction: float
    mrr_churned: float
    mrr_end: float
    expanded: int
    contracted: int


@dataclass(frozen=True)
class Rates:
    """A period's rates, each with its interval; those of money unknown without amounts."""

    logo_churn: Metric
    monthly_churn: Metric
    gross_retention: Metric
    net_retention: Metric
    arpu: Metric


def paid_on(subscribed: Subscribed, day: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Who is a subscriber on a day, and cents per billing period.

    Parameters
    ----------
    day : int
        Since 1970.

    Returns
    -------
    ndarray of bool, ndarray of int
        One a customer.
    """
    rows, n = subscribed.rows, len(subscribed.customers)
    runs = (rows["start"].to_numpy() <= day) & (rows["end"].to_numpy() >= day)
    who = rows["who"].to_numpy()[runs]
    # a float holds whole cents exactly up to 9e15 of them
    cents = np.bincount(who, weights=rows["cents"].to_numpy()[runs].astype(float), minlength=n)
    return np.bincount(who, minlength=n) > 0, cents.astype("int64")


def first_days(subscribed: Subscribed) -> NDArray[np.int64]:
    """The first day of each customer's first stay."""
    first = subscribed.stays[subscribed.stays["number"] == 1]
    return np.asarray(first.sort_values("who")["start"].to_numpy(dtype="int64"))


def flow(subscribed: Subscribed, start: dt.date, end: dt.date) -> Flow:
    """Between the close of two days."""
    a, b = day_number(start), day_number(end)
    return _flow(subscribed, start, end, paid_on(subscribed, a), paid_on(subscribed, b))


def _flow(
    subscribed: Subscribed,
    start: dt.date,
    end: dt.date,
    before: tuple[NDArray[np.bool_], NDArray[np.int64]],
    after: tuple[NDArray[np.bool_], NDArray[np.int64]],
) -> Flow:
    (there, then), (here, now) = before, after
    first = first_days(subscribed)
    a, b = day_number(start), day_number(end)
    new, back = here & ~there & (first > a), here & ~there & (first <= a)
    lost, stayed = there & ~here, there & here
    change = now - then
    months = 100 * subscribed.period_months
    stays = subscribed.stays
    within = (stays["start"] > a) & (stays["end"] < b)
    came_and_went = np.unique(stays.loc[within, "who"].to_numpy(dtype="int64"))

    def money(cents: NDArray[np.int64]) -> float:
        return int(cents.sum()) / months

    return Flow(
        start=start,
        end=end,
        subscribers_start=int(there.sum()),
        new=int(new.sum()),
        returned=int(back.sum()),
        lost=int(lost.sum()),
        subscribers_end=int(here.sum()),
        passing=int((~there & ~here)[came_and_went].sum()),
        mrr_start=money(then),
        mrr_new=money(now[new]),
        mrr_returned=money(now[back]),
        mrr_expansion=money(np.maximum(change, 0)[stayed]),
        mrr_contraction=money(np.maximum(-change, 0)[stayed]),
        mrr_churned=money(then[lost]),
        mrr_end=money(now),
        expanded=int((change[stayed] > 0).sum()),
        contracted=int((change[stayed] < 0).sum()),
    )


def by_month(subscribed: Subscribed, first: dt.date | None = None) -> pd.DataFrame:
    """The flow of each calendar month, from that of the first subscriber to the report's.

    Parameters
    ----------
    first : date, optional
        No month that begins before it.

    Returns
    -------
    DataFrame
        month (its first day), the fields of `Flow` from `subscribers_start` on, complete (False of
        the report's month, where it isn't over).
    """
    if not len(subscribed.stays):
        return pd.DataFrame(columns=["month", "complete"])
    begin = date_of(int(subscribed.stays["start"].min()))
    month = max(begin, first or begin).replace(day=1)
    if first is not None and month < first:
        month = shift_months(month, 1)
    rows = []
    before = paid_on(subscribed, day_number(month) - 1)
    while month <= subscribed.as_of:
        last = shift_months(month, 1) - ONE_DAY
        end = min(last, subscribed.as_of)
        after = paid_on(subscribed, day_number(end))
        found = _flow(subscribed, month - ONE_DAY, end, before, after)
        rows.append({"month": pd.Timestamp(month), **vars(found), "complete": end == last})
        before, month = after, last + ONE_DAY
    return pd.DataFrame(rows).drop(columns=["start", "end"], errors="ignore")


def rates(subscribed: Subscribed, start: dt.date, end: dt.date) -> Rates:
    """The rates between the close of two days."""
    a, b = day_number(start), day_number(end)
    (there, then), (here, now) = paid_on(subscribed, a), paid_on(subscribed, b)
    n = int(there.sum())
    few = Sentence(
        "Fewer than {n} subscribers at the start: a rate of them would say nothing.", n=SMALLEST
    )
    lost = int((there & ~here).sum())
    churn = unknown("share", few, n=n)
    if n >= SMALLEST:
        low, high = _ends(wilson(lost, n))
        churn = Metric(lost / n, "share", low, high, n=n)
    gross = net = unknown("share", few, n=n)
    if n >= SMALLEST and not subscribed.priced:
        gross = net = unknown("share", no_amounts(), n=n)
    elif n >= SMALLEST:
        gross = _ratio(np.minimum(then, now)[there], then[there], most=1.0)
        net = _ratio(now[there], then[there])
    return Rates(churn, monthly_churn(subscribed, start, end), gross, net, arpu(subscribed, end))


def no_amounts() -> Sentence:
    """Why nothing is said of money."""
    return Sentence("No subscription has an amount, so nothing can be said of revenue.")


def arpu(subscribed: Subscribed, day: dt.date) -> Metric:
    """MRR per subscriber on a day."""
    there, cents = paid_on(subscribed, day_number(day))
    n = int(there.sum())
    if not subscribed.priced:
        return unknown("currency", no_amounts())
    if not n:
        return unknown("currency", Sentence("Nobody was a subscriber on that day."))
    found = moments_of(cents[there] / (100 * subscribed.period_months))
    low, high = _ends(mean_limits(found))
    return Metric(found.mean, "currency", low, high, n=n)


def monthly_churn(subscribed: Subscribed, start: dt.date, end: dt.date) -> Metric:
    """Ends over subscriber-months, between the close of two days.

    Each day on which a subscriber is there, from the first day's close, is a chance of not being
    there on the next; a subscriber-month is 30.4375 of them.
    """
    from scipy.stats import chi2

    a, b = day_number(start), day_number(end)
    begin = subscribed.stays["start"].to_numpy(dtype="int64")
    last = subscribed.stays["end"].to_numpy(dtype="int64")
    watched = np.maximum(0, np.minimum(last, b - 1) - np.maximum(begin, a) + 1)
    ended = int(((last >= a) & (last < b) & (last < OPEN)).sum())
    n = int((watched > 0).sum())
    if n < SMALLEST:
        return unknown(
            "share",
            Sentence("Fewer than {n} subscribers were there in the period.", n=SMALLEST),
            n=n,
        )
    months = float(watched.sum()) / MONTH_DAYS
    low = float(chi2.ppf(0.025, 2 * ended)) / 2 if ended else 0.0
    high = float(chi2.ppf(0.975, 2 * ended + 2)) / 2
    return Metric(ended / months, "share", low / months, high / months, n=n)


def period_before(period: Window, months: int) -> Window:
    """The period of the same length that ends where one begins."""
    return Window(shift_months(period.start, -months), period.start - ONE_DAY)


def _ratio(y: NDArray[np.int64], x: NDArray[np.int64], most: float | None = None) -> Metric:
    """Σy / Σx over the same subscribers."""
    above, below = y.astype(float), x.astype(float)
    if not below.sum():
        return unknown("share", Sentence("Nobody paid anything at the start."), n=len(x))
    covariance = float(np.cov(above, below)[0, 1]) if len(x) > 1 else 0.0
    low, high = _ends(ratio_limits(moments_of(above), moments_of(below), covariance))
    if low is not None and high is not None:
        low, high = max(low, 0.0), high if most is None else min(high, most)
    return Metric(float(above.sum() / below.sum()), "share", low, high, n=len(x))


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
