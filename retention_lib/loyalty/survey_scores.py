"""How high the scores are, with intervals: Net Promoter Score, satisfaction, ease.

The Net Promoter Score (Reichheld 2003, Harvard Business Review 81(12), 46-54) is the share of
promoters (9 and 10 of 10) less that of detractors (0 to 6), in points from −100 to 100. It is the
mean of a score that is 1, 0 or −1, with variance p + d − (p − d)². Its interval is the adjusted
Wald interval that Rocks (2016, The American Statistician 70(4), 365-372) found best beside the far
slower score test: three answers are added, 3/4 a promoter, 3/4 a detractor, 3/2 passive. Shares of
the best scores have Wilson's interval, mean scores Student's.

Differences between groups and over time are tested on that mean: a group against everybody else,
Holm over the groups; the months or quarters by a line through them and by their spread around
their common mean (Cochran 1954, Biometrics 10, 101-129, Q).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from retention_lib.loyalty.survey_answers import FEWEST, Answers, Measure
from retention_lib.retention.changes import ratio_change
from retention_lib.retention.difference import Difference
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import mean_interval, wilson, wilson_many

#: Rocks (2016): answers added before the interval is taken; a quarter to either end.
_ADDED: Final = 3.0

#: Of fewer nothing is said but how the period compares with the one before.
_LEAST_PERIODS: Final = 3

Floats = NDArray[np.float64]
Grain = Literal["month", "quarter", "year"]
_GRAINS: Final[tuple[tuple[Grain, str], ...]] = (
    ("month", "M"),
    ("quarter", "Q"),
    ("year", "Y"),
)


@dataclass(frozen=True)
class Level:
    """How high a score is.

    Parameters
    ----------
    measure : str
    n : int
        Customers, one answer each.
    value, low, high : float
        The Net Promoter Score in points, of satisfaction and ease the share of the best scores;
        with its 95 % interval.
    best, worst : float
        Share in the best group and in the worst.
    best_low, best_high, worst_low, worst_high : float
    mean, mean_low, mean_high : float
        Mean score, on its scale.
    """

    measure: Measure
    n: int
    value: float
    low: float
    high: float
    best: float
    best_low: float
    best_high: float
    worst: float
    worst_low: float
    worst_high: float
    mean: float
    mean_low: float
    mean_high: float


def nps_many(
    promoters: ArrayLike, detractors: ArrayLike, n: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of Net Promoter Scores, in points (Rocks 2016, adjusted Wald).

    Parameters
    ----------
    promoters, detractors, n : array-like of float
        Of one shape; with weights, the weighted shares times the effective n.
    level : float, default 0.95

    Returns
    -------
    low, high : ndarray
        Within [−100, 100]; NaN where n is 0.

    Examples
    --------
    >>> low, high = nps_many([50], [20], [100])
    >>> round(float(low[0]), 1), round(float(high[0]), 1)
    (13.8, 44.4)
    """
    from scipy.stats import norm

    size = np.asarray(n, dtype=float)
    known = size > 0
    whole = np.where(known, size, 1.0) + _ADDED
    p = (np.asarray(promoters, dtype=float) + _ADDED / 4) / whole
    d = (np.asarray(detractors, dtype=float) + _ADDED / 4) / whole
    error = np.sqrt((p + d - (p - d) ** 2) / whole)
    margin = float(norm.isf((1 - level) / 2)) * error
    low, high = np.maximum(p - d - margin, -1.0), np.minimum(p - d + margin, 1.0)
    return np.where(known, 100 * low, np.nan), np.where(known, 100 * high, np.nan)


def level_of(measure: Measure, scored: pd.DataFrame) -> Level | None:
    """The level of a measure; None with fewer than `FEWEST` customers.

    Parameters
    ----------
    measure : str
    scored : DataFrame
        A row a customer: `score`, `group` (1, 0, −1).
    """
    n = len(scored)
    if n < FEWEST:
        return None
    group = scored["group"].to_numpy()
    best, worst = int((group == 1).sum()), int((group == -1).sum())
    value, low, high = (float(x[0]) for x in _values(measure, [best], [worst], [n]))
    in_best, in_worst = wilson(best, n), wilson(worst, n)
    mean = mean_interval(scored["score"])
    assert in_best is not None
    assert in_worst is not None
    assert mean is not None
    return Level(
        *(measure, n, value, low, high),
        *(best / n, *in_best, worst / n, *in_worst),
        *(float(scored["score"].mean()), *mean),
    )


def change(measure: Measure, then: pd.DataFrame, now: pd.DataFrame) -> Difference | None:
    """The change of a level, with its interval; who answered both times is compared with itself.

    Parameters
    ----------
    measure : str
    then, now : DataFrame
        A row a customer: customer, group.

    Returns
    -------
    Difference or None
        In points of the Net Promoter Score, else as a share; None where one of the two is held
        back.
    """
    if min(len(then), len(now)) < FEWEST:
        return None
    sides = [one.set_index("customer")["group"] for one in (then, now)]
    both = pd.concat(sides, axis=1, keys=["then", "now"])
    answered = [both[when].notna().to_numpy(dtype=float) for when in ("then", "now")]
    counted = [counts(measure, both[when].fillna(0)) for when in ("then", "now")]
    found = ratio_change(counted[0], answered[0], counted[1], answered[1])
    if found is None:
        return None
    times = unit(measure)
    return Difference(*(times * x for x in found))


def counts(measure: Measure, group: ArrayLike) -> Floats:
    """What an answer adds: 1, 0 or −1 to the Net Promoter Score, else 1 if among the best."""
    given = np.asarray(group, dtype=float)
    return given if measure == "nps" else (given > 0).astype(float)


def unit(measure: Measure) -> float:
    """Net Promoter Scores are told in points of a hundred, shares as shares."""
    return 100.0 if measure == "nps" else 1.0


@dataclass(frozen=True)
class OverTime:
    """A level by month, quarter or year.

    Parameters
    ----------
    measure : str
    grain : {"month", "quarter", "year"}
        The finest of which most have answers enough.
    frame : DataFrame
        `date` (first day), `n` (customers, each with the last answer of it), `value`, `low`,
        `high`; without those that have fewer than `FEWEST`.
    held_back : int
        How many have.
    moves : {"up", "down", "differs", "steady"}
        Whether a line through them rises or falls by more than chance explains; else whether they
        differ by more.
    p : float
        Of the smaller of the two, both judged together (Holm).
    """

    measure: Measure
    grain: Grain
    frame: pd.DataFrame
    held_back: int
    moves: Literal["up", "down", "differs", "steady"]
    p: float


def over_time(measure: Measure, scored: pd.DataFrame) -> OverTime | None:
    """How a level moved; None with fewer than three months, quarters or years that can be told.

    Parameters
    ----------
    measure : str
    scored : DataFrame
        By day: customer, date, group.
    """
    found = None
    for grain, code in _GRAINS:
        counted = _by_period(measure, scored, code)
        told = counted[counted["n"] >= FEWEST]
        if len(told) >= _LEAST_PERIODS and len(told) >= 2 / 3 * len(counted):
            found = grain, counted, told
            break
    if found is None:
        return None
    grain, counted, told = found
    moves, p = _moves(told)
    frame = told[["date", "n", "value", "low", "high"]].reset_index(drop=True)
    return OverTime(measure, grain, frame, len(counted) - len(told), moves, p)


def _by_period(measure: Measure, scored: pd.DataFrame, code: str) -> pd.DataFrame:
    period = scored["date"].dt.to_period(code)
    last = scored.assign(period=period).drop_duplicates(["customer", "period"], keep="last")
    grouped = last.groupby("period")["group"]
    n = grouped.size().to_numpy()
    best = grouped.agg(lambda g: (g == 1).sum()).to_numpy()
    worst = grouped.agg(lambda g: (g == -1).sum()).to_numpy()
    value, low, high = _values(measure, best, worst, n)
    starts = pd.PeriodIndex(grouped.size().index).to_timestamp()
    frame = pd.DataFrame({"date": starts, "n": n, "value": value, "low": low, "high": high})
    return frame.assign(variance=_variance(measure, best, worst, n))


def _moves(told: pd.DataFrame) -> tuple[Literal["up", "down", "differs", "steady"], float]:
    """Weighted by their variances: a line through the levels, and their spread."""
    from scipy.stats import chi2, norm

    weight = 1 / told["variance"].to_numpy()
    value = told["value"].to_numpy()
    when = (told["date"] - told["date"].iloc[0]).dt.days.to_numpy(dtype=float)
    middle = float((weight * value).sum() / weight.sum())
    spread = float(chi2.sf((weight * (value - middle) ** 2).sum(), len(told) - 1))
    centred = when - (weight * when).sum() / weight.sum()
    slope = float((weight * centred * value).sum() / (weight * centred**2).sum())
    error = 1 / math.sqrt(float((weight * centred**2).sum()))
    trend = float(2 * norm.sf(abs(slope) / error))
    chances = holm([trend, spread])
    if chances[0] < LEVEL:
        return ("up" if slope > 0 else "down"), float(chances[0])
    if chances[1] < LEVEL:
        return "differs", float(chances[1])
    return "steady", float(chances.min())


@dataclass(frozen=True)
class Groups:
    """A level by group of customers.

    Parameters
    ----------
    measure : str
    by : str
        What the groups are: `segment`, `tier`, or a dimension.
    frame : DataFrame
        A row a group with `FEWEST` answers or more, in the order given: `group`, `n`, `best`,
        `middle`, `worst` (shares), `value`, `low`, `high`, `rest` (the value of all others), `p`
        (against them, by Holm), `stands_out` (1, −1, else 0).
    held_back : int
        Groups with answers, but too few.
    held_back_n : int
        Customers in these.
    """

    measure: Measure
    by: str
    frame: pd.DataFrame
    held_back: int
    held_back_n: int


def by_group(measure: Measure, scored: pd.DataFrame, by: str, groups: pd.Series) -> Groups | None:
    """A level by group; None with fewer than two groups that can be told.

    Parameters
    ----------
    measure : str
    scored : DataFrame
        A row a customer: customer, group (1, 0, −1).
    by : str
        What the groups are.
    groups : Series
        By customer, text or a category whose order is kept; customers without one are left out.
    """
    from scipy.stats import norm

    own = scored["customer"].map(groups.astype("object"))
    known = scored[own.notna()].assign(name=own[own.notna()])
    order = (
        [name for name in groups.cat.categories if name in set(known["name"])]
        if isinstance(groups.dtype, pd.CategoricalDtype)
        else sorted(known["name"].unique(), key=str)
    )
    table = pd.crosstab(known["name"], known["group"]).reindex(
        index=order, columns=[-1, 0, 1], fill_value=0
    )
    n = table.sum(axis=1).to_numpy()
    told = n >= FEWEST
    if told.sum() < 2:
        return None
    worst, middle, best = (table[code].to_numpy() for code in (-1, 0, 1))
    value, low, high = _values(measure, best, worst, n)
    others, rest = n.sum() - n, np.full(len(n), np.nan)
    some = others > 0
    rest[some] = _values(
        measure, (best.sum() - best)[some], (worst.sum() - worst)[some], others[some]
    )[0]
    variance = _variance(measure, best, worst, n)
    variance += _variance(measure, best.sum() - best, worst.sum() - worst, others)
    p = np.where(
        told & (others >= FEWEST),
        2 * norm.sf(np.abs(value - rest) / np.sqrt(variance)),
        np.nan,
    )
    adjusted = holm(p)
    frame = pd.DataFrame(
        {
            "group": order,
            "n": n,
            "best": best / n,
            "middle": middle / n,
            "worst": worst / n,
            "value": value,
            "low": low,
            "high": high,
            "rest": rest,
            "p": adjusted,
            "stands_out": np.where(adjusted < LEVEL, np.sign(value - rest), 0).astype(int),
        }
    )
    return Groups(
        measure, by, frame[told].reset_index(drop=True), int((~told).sum()), int(n[~told].sum())
    )


def _values(
    measure: Measure, best: ArrayLike, worst: ArrayLike, n: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """The levels of groups that have answers, with their intervals."""
    up, down, size = (np.asarray(x, dtype=float) for x in (best, worst, n))
    if measure == "nps":
        return (100 * (up - down) / size, *nps_many(up, down, size))
    return (up / size, *wilson_many(up, size))


def _variance(measure: Measure, best: ArrayLike, worst: ArrayLike, n: ArrayLike) -> Floats:
    """Of a level; with Rocks' added answers, so that it is never 0."""
    up, down, size = (np.asarray(x, dtype=float) for x in (best, worst, n))
    p, d, whole = up + _ADDED / 4, down + _ADDED / 4, size + _ADDED
    p, d = p / whole, d / whole
    if measure == "nps":
        return 1e4 * (p + d - (p - d) ** 2) / whole
    return p * (1 - p) / whole


def answered(rows: Answers, within: pd.Series) -> tuple[int, int]:
    """How many customers answered at least once, and how many were asked, among some rows."""
    asked = rows.rows[within].groupby("customer")["answered"].any()
    return int(asked.sum()), len(asked)
