"""How close a forecast came: total, each customer, order of the customers, the best tenth.

An expectation is judged by squared error. The mean absolute error is smallest for the median, which
for most customers is no purchase at all: a forecast that nobody comes back often has the smallest
(Gneiting 2011, "Making and evaluating point forecasts", JASA 106).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from retention_lib.models.histories import Floats


@dataclass(frozen=True, slots=True)
class Score:
    """A forecast beside what happened.

    Attributes
    ----------
    total : float
        The forecast's sum.
    bias : float or None
        total / actual − 1; None where nothing happened.
    mae, rmse : float
        Mean absolute and root mean squared error per customer.
    rank_correlation : float or None
        Spearman's, of forecast and actual; None where one of them is the same for everybody.
    """

    total: float
    bias: float | None
    mae: float
    rmse: float
    rank_correlation: float | None


def score(forecast: Floats, actual: Floats) -> Score:
    """Judge a forecast.

    Parameters
    ----------
    forecast, actual : ndarray, shape (n,)
        Per customer.

    Examples
    --------
    >>> score(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 6.0]))
    Score(total=6.0, bias=-0.25, mae=1.3333333333333333, rmse=1.8257418583505538, \
rank_correlation=1.0)
    """
    error = forecast - actual
    return Score(
        total=float(forecast.sum()),
        bias=bias(forecast, actual),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        rank_correlation=rank_correlation(forecast, actual),
    )


def bias(forecast: Floats, actual: Floats) -> float | None:
    """Total forecast / actual − 1; None where nothing happened."""
    return float(forecast.sum() / actual.sum() - 1) if actual.sum() > 0 else None


def rank_correlation(one: Floats, other: Floats) -> float | None:
    """Spearman's, ties at their mean rank; None where one of the two does not vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def caught_by_best_tenth(ranked_by: Floats, revenue: Floats) -> float | None:
    """Share of a revenue that fell on the tenth of the customers (rounded up) ranked best.

    Parameters
    ----------
    ranked_by : ndarray, shape (n,)
        Who ranks high; of equals at the edge of the tenth each counts for its part.
    revenue : ndarray, shape (n,)

    Returns
    -------
    float or None
        None where there was no revenue.

    Examples
    --------
    >>> value = np.arange(20.0)
    >>> caught_by_best_tenth(value, np.where(value == 19, 60.0, 0.0) + np.where(value == 3, 40, 0))
    0.6
    >>> caught_by_best_tenth(np.zeros(20), value)
    0.1
    """
    total = float(revenue.sum())
    if total <= 0:
        return None
    best = -(-len(ranked_by) // 10)
    edge = np.partition(ranked_by, -best)[-best]
    above, at = ranked_by > edge, ranked_by == edge
    part = (best - np.count_nonzero(above)) / np.count_nonzero(at)
    return float((revenue[above].sum() + part * revenue[at].sum()) / total)
