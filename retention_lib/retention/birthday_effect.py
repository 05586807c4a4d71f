"""Whether customers buy more around their birthday than in the rest of their year.

Each customer is compared with nobody else (self-controlled case series, Farrington 1995): of the
purchases that a customer makes, as many fall into the weeks around the birthday as these are of
the time watched, if the birthday makes no difference. Who buys more, older or richer than others
plays no part, nor does the season, for birthdays lie all over the year.
"""

from __future__ import annotations

import math
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.intervals import Z
from retention_lib.retention.personal_days import Birthdays
from retention_lib.sentence import N_

#: Days on either side of the birthday.
AROUND: Final = 14

#: Days after the first purchase that aren't looked at: who first came for the birthday, and soon
#: bought again, would make every birthday look good.
AT_FIRST: Final = 28

#: Purchases that have to be expected around birthdays.
LEAST: Final = 20

#: Days of a calendar that has a 29 February in every year.
_YEAR: Final = 366


def birthday_ratio(base: Base, found: Birthdays) -> Metric:
    """Purchases a day within `AROUND` days of the birthday, over those on the other days.

    Parameters
    ----------
    base : Base
    found : Birthdays

    Returns
    -------
    Metric
        A ratio with its interval (conditional likelihood, variance robust to customers who buy in
        bursts); n customers with a purchase in the time watched.
    """
    frame = _purchases(base, found)
    near, rest = _exposure(frame, base)
    of_all = frame["purchases"].to_numpy(dtype=float)
    counted = (of_all > 0) & (near > 0) & (rest > 0)
    hits, of_all, near, rest = (
        x[counted] for x in (frame["near"].to_numpy(dtype=float), of_all, near, rest)
    )
    n = int(counted.sum())
    expected = float((of_all * near / (near + rest)).sum()) if n else 0.0
    if expected < LEAST or hits.sum() in (0, of_all.sum()):
        return unknown("ratio", N_("Too few purchases around birthdays to tell."), n)
    log_ratio, error = conditional_ratio(hits, of_all, near, rest)
    margin = Z * error
    return Metric(
        *(math.exp(log_ratio), "ratio", math.exp(log_ratio - margin), math.exp(log_ratio + margin)),
        n=n,
    )


def conditional_ratio(
    hits: np.ndarray, of_all: np.ndarray, near: np.ndarray, rest: np.ndarray
) -> tuple[float, float]:
    """The logarithm of the ratio of two rates, each customer compared with himself; its error.

    Parameters
    ----------
    hits, of_all : ndarray, shape (customers,)
        Purchases in the days looked at, and all.
    near, rest : ndarray, shape (customers,)
        Number of these days, and of the others.

    Returns
    -------
    log_ratio, error : float
        With the score Σ (hits − of_all · p), p = near ρ / (near ρ + rest), zero at ρ.
    """
    from scipy.optimize import brentq

    def share(log_ratio: float) -> np.ndarray:
        return np.asarray(near * np.exp(log_ratio) / (near * np.exp(log_ratio) + rest))

    def score(log_ratio: float) -> float:
        return float((hits - of_all * share(log_ratio)).sum())

    root = float(brentq(score, -20.0, 20.0))
    p = share(root)
    information = float((of_all * p * (1 - p)).sum())
    return root, math.sqrt(float(((hits - of_all * p) ** 2).sum())) / information


def _purchases(base: Base, found: Birthdays) -> pd.DataFrame:
    """Purchases in the time watched, and those around the birthday, of each customer with one."""
    days, bought = base.order_days, base.purchases()
    born = days.group_by(schema.CUSTOMER).aggregate(born=days[schema.BIRTHDAY].min())
    born = born.filter(born.born.notnull())
    first = bought.group_by(schema.CUSTOMER).aggregate(first=bought[schema.DAY].min())
    people = born.inner_join(first, schema.CUSTOMER)
    joined = bought.inner_join(people, schema.CUSTOMER)
    apart = (_place(joined[schema.DAY]) - _place(joined.born)).abs()
    near = (apart <= AROUND) | (apart >= _YEAR - AROUND)
    later = joined[schema.DAY].delta(joined["first"], unit="day") > AT_FIRST
    counted = joined.group_by(schema.CUSTOMER).aggregate(
        first=joined["first"].min().cast("timestamp(0)"),
        purchases=joined.count(where=later),
        near=joined.count(where=later & near),
    )
    frame = counted.to_pyarrow().to_pandas().set_index(schema.CUSTOMER).sort_index()
    return frame.join(found.known["birthday"], how="inner")


def _place(day: ir.DateValue) -> ir.IntegerValue:
    """The day of the year, in a calendar that always has a 29 February; 0 is 1 January."""
    before = ibis.cases(
        *[(day.month() == month, start) for month, start in enumerate(_STARTS, start=1)], else_=0
    )
    return (before + day.day() - 1).cast("int64")


_STARTS: Final = tuple(
    int(start) for start in np.cumsum([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30])
)


def _exposure(frame: pd.DataFrame, base: Base) -> tuple[np.ndarray, np.ndarray]:
    """Days watched around the birthday, and the other days watched, of each customer."""
    if frame.empty:
        return np.empty(0), np.empty(0)
    start = pd.Timestamp(frame["first"].min())
    every = pd.date_range(start, base.as_of)
    places = np.array(_STARTS)[every.month - 1] + every.day.to_numpy() - 1
    apart = np.abs(places[:, None] - np.arange(_YEAR))
    # days around a birthday up to each day, for each birthday
    up_to = np.cumsum((apart <= AROUND) | (apart >= _YEAR - AROUND), axis=0, dtype="int32")
    born = frame["birthday"]
    place = np.array(_STARTS)[born.dt.month - 1] + born.dt.day.to_numpy() - 1
    since = (frame["first"] - start).dt.days.to_numpy() + AT_FIRST
    watched = np.maximum(len(every) - 1 - since, 0)
    since = np.minimum(since, len(every) - 1)
    near = up_to[-1, place] - up_to[since, place]
    return near.astype(float), (watched - near).astype(float)
