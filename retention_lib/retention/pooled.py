"""Groups of customers put together of smaller ones that don't overlap: sums and moments.

Moments are combined as in Chan, Golub & LeVeque (1983), Algorithms for computing the sample
variance, The American Statistician 37.
"""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

#: Customers by group, and one figure of each group.
Floats = NDArray[np.float64]


def mean_of(n: Floats, means: Floats) -> float:
    """The mean of all; NaN of nobody."""
    total = n.sum()
    return float((n * means).sum() / total) if total else math.nan


def covariance_of(n: Floats, x: Floats, y: Floats, within: Floats) -> float:
    """The covariance (of a sample) of all; NaN of fewer than two.

    Parameters
    ----------
    n : ndarray
        Customers of each group, at least one.
    x, y : ndarray
        Their means; the same twice for a variance.
    within : ndarray
        Their covariances; NaN of one customer.
    """
    total = n.sum()
    if total < 2:
        return math.nan
    inside = np.where(n > 1, (n - 1) * within, 0.0)
    between = n * (x - mean_of(n, x)) * (y - mean_of(n, y))
    return float((inside + between).sum() / (total - 1))


def sum_of(amounts: NDArray[np.object_]) -> float:
    """An exact sum, rounded once."""
    return float(sum(amounts, Decimal(0)))
