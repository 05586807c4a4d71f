"""At which hours of which weekdays customers order, where the source has times of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.clock import orders_by_hour
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.by_day import WEEK
from retention_lib.retention.weekdays import LEAST_ORDERS, LEAST_WEEKS, ratios, with_peak
from retention_lib.sentence import N_

HOURS: Final = 24
#: Length of the hours looked for, and of those in the table.
SPAN: Final = 4

#: A day turned into a time is midnight, or, after a change of zone, one of two hours in summer and
#: winter: with this share of the orders on two sharp hours or fewer, there are no times of day.
ALL_SHARP: Final = 0.5

#: The first day is a Monday.
_A_MONDAY: Final = pd.Timestamp("1900-01-01")


@dataclass(frozen=True)
class Hours:
    """Orders by weekday and hour.

    Parameters
    ----------
    rates : DataFrame
        A row a weekday (0 is Monday), a column an hour of the day: orders per such hour.
    spans : DataFrame
        A row a span of `SPAN` hours from midnight: `start`, `end` (hours), `share` of the orders
        with its interval `low`, `high` (weeks are the unit), `workdays` and `weekend` (share of
        the orders of Monday to Friday and of Saturday and Sunday).
    start, end : int
        The `SPAN` hours in a row with the most orders; `end` may lie after midnight.
    best : Metric
        Share of the orders within them.
    timed : Metric
        Share of the orders that have a time of day.
    """

    rates: pd.DataFrame
    spans: pd.DataFrame
    start: int
    end: int
    best: Metric
    timed: Metric


def hours(base: Base, peaks: pd.DataFrame) -> Hours | None:
    """Orders by weekday and hour, of the time of their first row, in the client's time zone.

    Parameters
    ----------
    base : Base
    peaks : DataFrame
        `peaks.peaks`; weeks with one are left out, as they are of the weekdays.

    Returns
    -------
    Hours or None
        None where the source has days only, and where there are too few orders or weeks.
    """
    counts = _counts(base)
    total = int(counts["orders"].sum())
    if total < LEAST_ORDERS or counts.loc[_without_time(counts), "orders"].sum() == total:
        return None
    share_timed = float(counts.loc[~_without_time(counts), "orders"].sum()) / total
    counts = counts[~_without_time(counts)]
    calm = _calm_days(counts, base, peaks)
    counts = counts[counts["since"].isin(calm)]
    timed = int(counts["orders"].sum())
    weeks, week = np.unique(counts["since"].to_numpy() // WEEK, return_inverse=True)
    if len(weeks) < LEAST_WEEKS or timed < LEAST_ORDERS:
        return None
    cube = np.zeros((len(weeks), WEEK, HOURS))
    places = (week, counts["since"].to_numpy() % WEEK, counts["hour"].to_numpy())
    np.add.at(cube, places, counts["orders"].to_numpy())
    by_hour = cube.sum(axis=1)
    start = int(np.argmax(_spans(by_hour.sum(axis=0))))
    blocks = np.column_stack([by_hour[:, s : s + SPAN].sum(axis=1) for s in _STARTS])
    best = _spans_of(by_hour, start)
    shares, low, high = _shares(np.column_stack([blocks, best]))
    spans = pd.DataFrame(
        {
            "start": _STARTS,
            "end": [s + SPAN for s in _STARTS],
            "share": shares[:-1],
            "low": low[:-1],
            "high": high[:-1],
            "workdays": _split(cube[:, :5]),
            "weekend": _split(cube[:, 5:]),
        }
    )
    return Hours(
        rates=pd.DataFrame(
            cube.sum(axis=0) / np.maximum(np.bincount(calm % WEEK, minlength=WEEK), 1)[:, None]
        ),
        spans=spans,
        start=start,
        end=start + SPAN,
        best=Metric(shares[-1], "share", low[-1], high[-1], n=timed),
        timed=Metric(share_timed, "share", n=total),
    )


_STARTS: Final = list(range(0, HOURS, SPAN))


def no_hours() -> Metric:
    """The share within the best hours, where there are none."""
    return unknown("share", N_("The source has days without times, or too few orders with one."))


def _counts(base: Base) -> pd.DataFrame:
    """Orders by day (counted from a Monday), hour, and whether it was the hour sharp."""
    frame = orders_by_hour(base)
    return frame.assign(since=(pd.DatetimeIndex(frame[schema.DAY]) - _A_MONDAY).days)


def _without_time(counts: pd.DataFrame) -> pd.Series:
    """Rows that have no time of day: midnight sharp, or all where the times are none."""
    sharp = counts[counts["sharp"]].groupby("hour")["orders"].sum().nlargest(2).sum()
    if sharp >= ALL_SHARP * counts["orders"].sum():
        return pd.Series(True, index=counts.index)
    return counts["sharp"] & (counts["hour"] == 0)


def _calm_days(counts: pd.DataFrame, base: Base, peaks: pd.DataFrame) -> np.ndarray:
    """The days from the first timed order to the end, in weeks without a peak."""
    first = int(counts["since"].min())
    every = np.arange(first, (pd.Timestamp(base.as_of) - _A_MONDAY).days + 1)
    mondays = _A_MONDAY + pd.to_timedelta(every // WEEK * WEEK, unit="D")
    return np.asarray(every[~with_peak(mondays, peaks)])


def _spans(by_hour: np.ndarray) -> np.ndarray:
    """Orders in the hours from each hour on, past midnight too."""
    return np.array([np.roll(by_hour, -s)[:SPAN].sum() for s in range(HOURS)])


def _spans_of(by_hour: np.ndarray, start: int) -> np.ndarray:
    return np.asarray(np.roll(by_hour, -start, axis=1)[:, :SPAN].sum(axis=1))


def _shares(parts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.stats import t

    # the last column is the best span, which the others add up without
    share, error = ratios(parts, parts[:, :-1].sum(axis=1))
    margin = float(t.isf(0.025, len(parts) - 1)) * error
    return share, np.clip(share - margin, 0.0, 1.0), np.clip(share + margin, 0.0, 1.0)


def _split(cube: np.ndarray) -> np.ndarray:
    by_hour = cube.sum(axis=(0, 1))
    total = by_hour.sum()
    if total == 0:
        return np.full(len(_STARTS), np.nan)
    return np.array([by_hour[s : s + SPAN].sum() / total for s in _STARTS])
