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
        Position of the first of each set of equal rows, sorted by the columns in order.
    inverse : ndarray of int, shape (n,)
        For each row the position in `first` of its representative.
    """
    arrays = [np.asarray(c) for c in columns]
    n = len(arrays[0])
    packed = _packed(arrays)
    new = np.ones(n, dtype=bool)
    if packed is None:
        order = np.lexsort(arrays[::-1])
        new[1:] = False
        for column in arrays:
            ordered = column[order]
            new[1:] |= ordered[1:] != ordered[:-1]
    else:
        bits = n.bit_length()
        packed.sort()
        order = packed & ((1 << bits) - 1)
        packed >>= bits
        np.not_equal(packed[1:], packed[:-1], out=new[1:])
    inverse = np.empty(n, dtype=np.intp)
    inverse[order] = np.cumsum(new) - 1
    return order[new], inverse


def _packed(arrays: list[np.ndarray]) -> Integers | None:
    """Each row as one integer, in the rows' order, with the row's position in its low bits.

    Sorting such integers is twenty times faster than sorting rows.

    Returns
    -------
    ndarray of int, shape (n,), or None
        None where the columns are not on grids (whole days are, in any unit) that fit 63 bits.
    """
    n = len(arrays[0])
    packed = np.zeros(n, dtype=np.int64)
    room = (1 << 63) >> n.bit_length()
    for column in arrays:
        steps = _steps(column, room)
        if steps is None:
            return None
        size = int(steps.max(initial=0)) + 1
        room //= size
        packed *= size
        packed += steps
    packed <<= n.bit_length()
    packed |= np.arange(n)
    return packed


def _steps(column: np.ndarray, room: int) -> Integers | None:
    """Values as whole numbers of steps of their grid, equal where and only where they are equal.

    Returns
    -------
    ndarray of int, shape (n,), or None
        None where there would be more than `room` steps, or no such grid.
    """
    values = np.unique(column)
    if len(values) < 2:
        return np.zeros(len(column), dtype=np.int64)
    with np.errstate(all="ignore"):
        low, step = values[0], np.diff(values).min()
        if not (values[-1] - low) / step < room - 1:
            return None
    if (np.diff(np.rint((values - low) / step)) < 1).any():
        return None
    return np.rint((column - low) / step).astype(np.int64)


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
