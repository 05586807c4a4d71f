"""Log-likelihoods with exact first and second derivatives, on weighted distinct rows.

BG/NBD: Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way", Marketing Science 24(2),
equation 6, in the form of note 004 (brucehardie.com/notes/004). MBG/NBD: Batislam, Denizel &
Filiztekin (2007), IJRM 24(3); Hoppe & Wagner (2007), Marketing ZFP 29(2): a customer may also leave
right after the first purchase. Gamma-Gamma: Fader & Hardie (2013), note 025, equation 1a.

All are written in logarithms. A difference of log-gammas is taken by its Stirling series where the
arguments are large, so that parameters of 1e6 lose no digits. Special functions depend on x alone
and are evaluated once for each distinct x.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import digamma, gammaln, zeta

from retention_lib.models.histories import Floats, Histories

Evaluation = tuple[float, Floats, Floats]

#: Rows taken at once. Below 10,000 BLAS sums on one thread: its threads wait for each other in a
#: busy loop, which takes seconds where another process has the core.
_BLOCK = 8_192


def log_rising(z: Floats | float, n: Floats | float) -> Floats:
    """Difference log Γ(z + n) − log Γ(z), without cancellation for large z.

    Parameters
    ----------
    z : array_like of float, > 0
    n : array_like of float, >= 0

    Returns
    -------
    ndarray
    """
    z, n = np.broadcast_arrays(np.asarray(z, dtype=float), np.asarray(n, dtype=float))
    small = z < 20
    at = np.where(small, 20.0, z)
    top = at + n
    series = (top - 0.5) * np.log1p(n / at) + n * (np.log(at) - 1) + _tail(top) - _tail(at)
    return np.where(small, gammaln(z + n) - gammaln(z), series)


def _tail(z: Floats) -> Floats:
    """What Stirling's formula adds to log Γ beyond its leading terms (four terms of the series)."""
    inverse = 1.0 / z
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))


def _trigamma(z: Floats | float) -> Floats:
    return np.asarray(zeta(2.0, z))


def log_odds_left(
    r: float,
    alpha: float,
    a: float,
    b: float,
    frequency: Floats,
    recency: Floats,
    T: Floats,
    *,
    leaves_at_start: bool,
) -> Floats:
    """Log odds that a customer with this history has left.

    With k = 1 where a customer may leave after the first purchase (MBG/NBD), else 0 (BG/NBD):
    log a − log(b + x + k − 1) + (r + x) log[(α + T) / (α + t_x)]. In the BG/NBD nobody leaves
    before a repeat purchase, so x = 0 gives −inf: the model's own assumption.

    Parameters
    ----------
    r, alpha, a, b : float
    frequency, recency, T : ndarray, of shapes that broadcast
    leaves_at_start : bool

    Returns
    -------
    ndarray
    """
    waited = np.log1p((T - recency) / (alpha + recency))
    if leaves_at_start:
        return np.log(a) - np.log(b + frequency) + (r + frequency) * waited
    odds = np.log(a) - np.log(b + np.maximum(frequency, 1) - 1) + (r + frequency) * waited
    return np.where(frequency > 0, odds, -np.inf)


def p_alive(log_odds: Floats) -> Floats:
    """P(alive) that goes with log odds of having left; shape as given."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(log_odds))


def left_or_stayed(log_odds: Floats) -> tuple[Floats, Floats, Floats]:
    """What a likelihood takes of log odds of having left.

    Returns
    -------
    left : ndarray
        Probability of having left.
    total : ndarray
        log(1 + odds).
    spread : ndarray
        left · (1 − left), with all its digits.
    """
    small = np.exp(-np.abs(log_odds))
    left = np.where(log_odds > 0, 1.0, small) / (1 + small)
    return left, np.maximum(log_odds, 0.0) + np.log1p(small), small / (1 + small) ** 2


def by_frequency(frequency: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The distinct x of rows sorted by x, and the customers behind each.

    Returns
    -------
    x, customers : ndarray, shape (k,)
    """
    starts = np.flatnonzero(np.diff(frequency, prepend=-1.0))
    return frequency[starts], np.add.reduceat(weights, starts)


def blocks(rows: int, size: int = _BLOCK) -> Iterator[slice]:
    """Slices of so many rows that what is made of them stays in the processor's cache."""
    return (slice(start, start + size) for start in range(0, rows, size))


class BetaGeometricLikelihood:
    """Log-likelihood of the BG/NBD or the MBG/NBD as a function of (r, α, a, b).

    Parameters
    ----------
    histories : Histories
    leaves_at_start : bool
        True for the MBG/NBD.
    """

    def __init__(self, histories: Histories, *, leaves_at_start: bool) -> None:
        self.histories = histories
        self.leaves_at_start = leaves_at_start
        self._x, self._n_x = by_frequency(histories.frequency, histories.weights)
        self._purchases = float(self._n_x @ self._x)
        self._extra = 1.0 if leaves_at_start else 0.0

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (r, alpha, a, b), summed over customers."""
        return self(params)[0]

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (4,) and Hessian (4, 4) at `params` = (r, alpha, a, b)."""
        value, gradient, hessian = self._by_frequency(params)
        value -= self._purchases * float(np.log(params[1]))
        for rows in blocks(len(self.histories.weights)):
            part = self._block(params, rows)
            value += part[0]
            gradient += part[1]
            hessian += part[2]
        return value, gradient, hessian

    def _block(self, params: Floats, rows: slice) -> Evaluation:
        """The part of some histories that depends on t_x and T."""
        r, alpha, a, b = params
        h = self.histories
        x, t_x, T, w = h.frequency[rows], h.recency[rows], h.T[rows], h.weights[rows]
        rate = r + x
        at_end, at_last = 1 / (alpha + T), 1 / (alpha + t_x)
        since = np.log1p(T / alpha)
        waited = np.log1p((T - t_x) * at_last)
        base = b + x if self.leaves_at_start else b + np.maximum(x, 1) - 1
        log_odds = rate * waited + np.log(a / base)
        if not self.leaves_at_start:
            log_odds[x == 0] = -np.inf
        left, total, spread = left_or_stayed(log_odds)
        w_left = w * left
        value = w @ total - w @ (rate * since)

        # Second derivatives of log(1 + odds): odds' curvature plus the spread of its slopes.
        shrink = at_end - at_last
        slopes = np.stack([waited, rate * shrink, np.full_like(waited, 1 / a), -1 / base])
        gradient = np.einsum("ij,j->i", slopes, w_left)
        gradient[0] -= w @ since
        # Of −(r + x) log(α + T) + r log α.
        gradient[1] += w @ ((r / alpha * T - x) * at_end)
        hessian = (slopes * (w * spread)) @ slopes.T
        cross = w @ (T * at_end) / alpha + w_left @ shrink
        hessian[0, 1] += cross
        hessian[1, 0] += cross
        hessian[1, 1] += (
            w @ (rate * at_end**2)
            - w.sum() * r / alpha**2
            + w_left @ (rate * (at_last**2 - at_end**2))
        )
        hessian[2, 2] -= w_left.sum() / a**2
        hessian[3, 3] += w_left @ (1 / base**2)
        return float(value), gradient, hessian

    def _by_frequency(self, params: Floats) -> Evaluation:
        """The part that depends on x alone."""
        r, _, a, b = params
        x, n = self._x, self._n_x
        survived = x + self._extra
        value = log_rising(r, x) + log_rising(b, survived) - log_rising(a + b, survived)
        all_ = digamma(a + b + survived) - digamma(a + b)
        gradient = np.array(
            [
                n @ (digamma(r + x) - digamma(r)),
                0.0,
                -(n @ all_),
                n @ (digamma(b + survived) - digamma(b) - all_),
            ]
        )
        both = n @ (_trigamma(a + b) - _trigamma(a + b + survived))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = n @ (_trigamma(r + x) - _trigamma(r))
        hessian[2:, 2:] = both
        hessian[3, 3] += n @ (_trigamma(b + survived) - _trigamma(b))
        return float(n @ value), gradient, hessian


class GammaGammaLikelihood:
    """Log-likelihood of the Gamma-Gamma model as a function of (p, q, v).

    Parameters
    ----------
    frequency, monetary_value, weights : ndarray of float, shape (m,)
        Repeat purchases (> 0, ascending), their mean amount (> 0), customers behind the row.
    """

    def __init__(self, frequency: Floats, monetary_value: Floats, weights: Floats) -> None:
        self.x, self.w = frequency, weights
        self._total = frequency * monetary_value
        self._x, self._n_x = by_frequency(frequency, weights)
        # A change of variable from the sum x·m to the mean m: the same for every parameter.
        self._constant = -float((weights * np.log(monetary_value)).sum())

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (p, q, v), summed over customers."""
        return self(params)[0]

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (3,) and Hessian (3, 3) at `params` = (p, q, v)."""
        value, gradient, hessian = self._by_frequency(params)
        for rows in blocks(len(self.w)):
            part = self._block(params, rows)
            value += part[0]
            gradient += part[1]
            hessian += part[2]
        return value + self._constant, gradient, hessian

    def _block(self, params: Floats, rows: slice) -> Evaluation:
        """The part of some customers that depends on their amounts."""
        p, q, v = params
        x, total, w = self.x[rows], self._total[rows], self.w[rows]
        over, under = np.log1p(v / total), np.log1p(total / v)
        inverse = 1 / (total + v)
        shape = p * x
        value = -(w @ (shape * over + q * under))
        gradient = np.array(
            [-(w @ (x * over)), -(w @ under), w @ ((q * total - shape * v) * inverse) / v]
        )
        pv = -(w @ (x * inverse))
        qv = w @ (total * inverse) / v
        vv = w @ ((shape + q) * inverse**2) - w.sum() * q / v**2
        return float(value), gradient, np.array([[0, 0, pv], [0, 0, qv], [pv, qv, vv]])

    def _by_frequency(self, params: Floats) -> Evaluation:
        """The part that depends on x alone."""
        p, q, _ = params
        x, n = self._x, self._n_x
        shape = p * x
        low, high = np.minimum(shape, q), np.maximum(shape, q)
        own, all_ = digamma(shape), digamma(shape + q)
        own_2, all_2 = _trigamma(shape), _trigamma(shape + q)
        value = log_rising(high, low) - gammaln(low)
        gradient = np.array([n @ (x * (all_ - own)), n @ (all_ - digamma(q)), 0.0])
        pq = n @ (x * all_2)
        hessian = np.zeros((3, 3))
        hessian[:2, :2] = [
            [n @ (x**2 * (all_2 - own_2)), pq],
            [pq, n @ (all_2 - _trigamma(q))],
        ]
        return float(n @ value), gradient, hessian
