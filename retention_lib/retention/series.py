"""Every metric as a series: the same period, ending earlier and earlier; and whether a rate moves.

Periods that end a month or a quarter apart overlap, so that their figures move together and a
smooth line is no evidence. Whether a rate rises or falls is therefore judged on ends that are as
far apart as the windows are long, by the test of Cochran (1954) and Armitage (1955) for a trend in
shares, and only a change of a point or more is called one.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, shift_months, windows
from retention_lib.metrics import Metric
from retention_lib.retention.ends import MOST, MOST_MISSING
from retention_lib.retention.ends import period_ends as period_ends
from retention_lib.retention.kpis import report_metrics
from retention_lib.retention.sums import period_before

#: Change of a share from which on it is told as one.
MATTERS: Final = 0.01
LEVEL: Final = 0.05

_OF_PERIOD: Final = frozenset(
    {"customers.active", "revenue.net", "orders.count", "orders.aov", "orders.per_customer"}
    | {"retention.repeat_rate", "revenue.top20_share"}
)
_OF_ALL: Final = frozenset(
    {"customers.total", "retention.ever_repeat_rate", "retention.repeat_90d"}
    | {"journey.days_to_second"}
)
COLUMNS: Final = ("end", "metric", "value", "low", "high", "n", "complete")


def series(base: Base) -> pd.DataFrame:
    """Every metric of CONTRACT, section 4, for periods that end earlier and earlier.

    Parameters
    ----------
    base : Base

    Returns
    -------
    DataFrame
        A row an end and metric, earliest end first: end (date), metric, value, low, high (95 %
        interval), n; NaN where unknown. `complete` is False where the data starts after one of the
        windows that the metric looks at has begun, by more than a tenth of the window.
    """
    ends = period_ends(base)[::-1]
    found = report_metrics(base, ends)
    rows = [
        (end, name, metric.value, metric.low, metric.high, metric.n, is_complete(base, end, name))
        for end in ends
        for name, metric in found[end].items()
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(COLUMNS))
    numbers = ["value", "low", "high", "n"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


@dataclass(frozen=True)
class Trend:
    """Whether a rate moved, over ends whose windows don't overlap.

    Parameters
    ----------
    kind : str
        `rising`, `falling`, `steady`, or `unknown` where fewer than two ends can be compared.
    points : DataFrame
        The ends that were compared, earliest first, as `series` has them.
    months : int
        From one of them to the next.
    p : float or None
        Of the test; None where nothing was compared.
    """

    kind: Literal["rising", "falling", "steady", "unknown"]
    points: pd.DataFrame
    months: int
    p: float | None

    @property
    def first(self) -> Metric:
        """The rate at the earliest end."""
        return _metric(self.points.iloc[0])

    @property
    def last(self) -> Metric:
        """The rate at the report's day."""
        return _metric(self.points.iloc[-1])


def trend(frame: pd.DataFrame, base: Base, metric: str = "retention.rate") -> Trend:
    """Whether a rate rises or falls.

    Where the windows are shorter than a year and the data bears it, only ends a year apart are
    compared, so that the season is the same.

    Parameters
    ----------
    frame : DataFrame
        `series`.
    base : Base
    metric : str
        A share of customers.
    """
    of = frame[(frame["metric"] == metric) & frame["complete"] & frame["value"].notna()]
    of = of[of["n"] > 0]
    longest = max(base.params.period_months, base.params.active_months)
    for months in (12 * math.ceil(longest / 12), longest):
        apart = {shift_months(base.as_of, -months * k) for k in range(MOST)}
        points = of[of["end"].isin(apart)].sort_values("end").reset_index(drop=True)
        if len(points) > 1 or months == longest:
            break
    if len(points) < 2:
        return Trend("unknown", points, months, None)
    p = trend_in_shares(points["value"] * points["n"], points["n"])
    change = points["value"].iloc[-1] - points["value"].iloc[0]
    if p is None or p >= LEVEL or abs(change) < MATTERS:
        return Trend("steady", points, months, p)
    return Trend("rising" if change > 0 else "falling", points, months, p)


def trend_in_shares(successes: pd.Series, n: pd.Series) -> float | None:
    """p-value of no linear trend in shares at equally spaced times (Cochran 1954, Armitage 1955).

    Parameters
    ----------
    successes, n : Series
        By time, in order.

    Returns
    -------
    float or None
        None where all or nobody was counted: nothing varies.
    """
    from scipy.stats import norm

    x, size = successes.to_numpy(dtype=float), n.to_numpy(dtype=float)
    at = np.arange(len(x), dtype=float)
    share = x.sum() / size.sum()
    spread = (size * at * at).sum() - (size * at).sum() ** 2 / size.sum()
    variance = share * (1 - share) * spread
    if variance <= 0:
        return None
    z = (at * (x - size * share)).sum() / math.sqrt(variance)
    return float(2 * norm.sf(abs(z)))


def _metric(row: pd.Series) -> Metric:
    return Metric(row["value"], "share", row["low"], row["high"], int(row["n"]))


def is_complete(base: Base, end: dt.date, name: str) -> bool:
    """Whether the data covers what a metric looks at, for the period that ends on a day."""
    at = windows(end, base.params.period_months, base.params.active_months)
    if name in _OF_ALL:
        return True
    if name == "customers.at_end":
        return _covers(base, at.at_end)
    if name in _OF_PERIOD:
        return _covers(base, at.period)
    if name == "revenue.lost_before":
        before = period_before(end, base.params.period_months)
        return _covers(base, at.before) and _covers(base, before)
    return _covers(base, at.before)


def _covers(base: Base, window: Window) -> bool:
    """Whether the data starts no more than a tenth of the window after it begins."""
    return (base.start - window.start) / ONE_DAY <= MOST_MISSING * window.days
