"""Equal histories taken once, with a weight, so that a fit's cost grows with their number only.

A purchase model sees of a customer only (x, t_x, T), so customers with the same three numbers add
the same term to the likelihood and get the same prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Histories:
    """The distinct purchase histories of a base.

    Attributes
    ----------
    frequency, recency, T : ndarray of float, shape (m,)
        x, t_x and T of each distinct history, sorted by x, then t_x, then T.
    weights : ndarray of float, shape (m,)
        How many customers have it.
    inverse : ndarray of int, shape (n,)
        For each customer the row of its history: `per_history[inverse]` is per customer.
    """

    frequency: Floats
    recency: Floats
    T: Floats
    weights: Floats
    inverse: Integers

    @property
    def customers(self) -> float:
        """Number of customers, the weights' sum."""
        return float(self.weights.sum())

    def scaled(self, factor: float) -> Histories:
        """The same histories with time multiplied by `factor`."""
        return Histories(
            self.frequency, self.recency * factor, self.T * factor, self.weights, self.inverse
        )

    def thinned(self, rows: int) -> Histories:
        """Every k-th history, at most `rows` of them: enough to look for a good start."""
        step = -(-len(self.weights) // rows)
        keep = slice(None, None, max(step, 1))
        return Histories(
            self.frequency[keep],
            self.recency[keep],
            self.T[keep],
            self.weights[keep],
            np.empty(0, dtype=np.intp),
        )


def distinct(*columns: npt.ArrayLike) -> tuple[Integers, Integers]:
    """Rows equal in every column, found once.

    Parameters
    ----------
    *columns : array_like, each of shape (n,)

    Returns
    -------
    first : ndarray of int, shape (m,)
        Position of one representative of each distinct row, sorted by the columns in order.
    inverse : ndarray of int, shape (n,)
        For each row the position in `first` of its representative.
    """
    arrays = [np.asarray(c) for c in columns]
    order = np.lexsort(arrays[::-1])
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in arrays:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    inverse = np.empty(len(order), dtype=np.intp)
    inverse[order] = np.cumsum(new) - 1
    return order[new], inverse


def compress(
    frequency: npt.ArrayLike,
    recency: npt.ArrayLike,
    T: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> Histories:
    """The distinct histories of these customers.

    Parameters
    ----------
    frequency, recency, T : array_like, shape (n,)
        Repeat purchases, time of the last one since the first purchase, time observed since the
        first purchase.
    weights : array_like, shape (n,), optional
        Customers behind each row; 1 where not given.

    Returns
    -------
    Histories
    """
    x = np.asarray(frequency, dtype=float)
    t_x = np.asarray(recency, dtype=float)
    age = np.asarray(T, dtype=float)
    first, inverse = distinct(x, t_x, age)
    counts = None if weights is None else np.asarray(weights, dtype=float)
    return Histories(
        x[first],
        t_x[first],
        age[first],
        np.bincount(inverse, counts, len(first)).astype(float),
        inverse,
    )
