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

import numpy as np
from scipy.special import digamma, expit, gammaln, zeta

from retention_lib.models.histories import Floats, Histories

Evaluation = tuple[float, Floats, Floats]


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
        self._x, row = np.unique(histories.frequency, return_inverse=True)
        self._n_x = np.bincount(row, histories.weights)
        self._extra = 1.0 if leaves_at_start else 0.0

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (r, alpha, a, b), summed over customers."""
        return self._value(params, self._log_odds(params))

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (4,) and Hessian (4, 4) at `params` = (r, alpha, a, b)."""
        r, alpha, a, b = params
        h, w = self.histories, self.histories.weights
        log_odds = self._log_odds(params)
        left = expit(log_odds)
        rate = r + h.frequency
        at_end, at_last = 1 / (alpha + h.T), 1 / (alpha + h.recency)
        waited = np.log1p((h.T - h.recency) * at_last)
        shrink = at_end - at_last
        base = self._base(h.frequency, b)

        gradient, hessian = self._by_frequency(params)
        w_left = w * left
        gradient += [
            w_left @ waited - w @ np.log1p(h.T / alpha),
            w @ (r * h.T * at_end / alpha - h.frequency * at_end) + w_left @ (rate * shrink),
            w_left.sum() / a,
            -(w_left @ (1 / base)),
        ]
        # Second derivatives of log(1 + odds): odds' curvature plus the spread of its slopes.
        slopes = np.stack(
            [waited, rate * shrink, np.full_like(waited, 1 / a), -1 / base],
        )
        hessian += (slopes * (w_left * (1 - left))) @ slopes.T
        cross = w @ (h.T * at_end / alpha) + w_left @ shrink
        hessian[0, 1] += cross
        hessian[1, 0] += cross
        hessian[1, 1] += (
            w @ (rate * at_end**2)
            - w.sum() * r / alpha**2
            + w_left @ (rate * (at_last**2 - at_end**2))
        )
        hessian[2, 2] -= w_left.sum() / a**2
        hessian[3, 3] += w_left @ (1 / base**2)
        return self._value(params, log_odds), gradient, hessian

    def _base(self, x: Floats, b: float) -> Floats:
        return b + x if self.leaves_at_start else b + np.maximum(x, 1) - 1

    def _log_odds(self, params: Floats) -> Floats:
        h = self.histories
        r, alpha, a, b = params
        return log_odds_left(
            r, alpha, a, b, h.frequency, h.recency, h.T, leaves_at_start=self.leaves_at_start
        )

    def _value(self, params: Floats, log_odds: Floats) -> float:
        r, alpha, a, b = params
        h = self.histories
        survived = self._x + self._extra
        per_x = log_rising(r, self._x) + log_rising(b, survived) - log_rising(a + b, survived)
        per_row = (
            np.logaddexp(0, log_odds)
            - r * np.log1p(h.T / alpha)
            - h.frequency * np.log(alpha + h.T)
        )
        return float(self._n_x @ per_x + h.weights @ per_row)

    def _by_frequency(self, params: Floats) -> tuple[Floats, Floats]:
        """The part of gradient and Hessian that depends on x alone."""
        r, _, a, b = params
        x, n = self._x, self._n_x
        survived = x + self._extra
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
        return gradient, hessian


class GammaGammaLikelihood:
    """Log-likelihood of the Gamma-Gamma model as a function of (p, q, v).

    Parameters
    ----------
    frequency, monetary_value, weights : ndarray of float, shape (m,)
        Repeat purchases (> 0), their mean amount (> 0), customers behind the row.
    """

    def __init__(self, frequency: Floats, monetary_value: Floats, weights: Floats) -> None:
        self.x, self.m, self.w = frequency, monetary_value, weights
        self._x, row = np.unique(frequency, return_inverse=True)
        self._n_x = np.bincount(row, weights)
        self._log_total = np.log(frequency * monetary_value)
        # A change of variable from the sum x·m to the mean m: the same for every parameter.
        self._constant = -float(weights @ np.log(monetary_value))

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (p, q, v), summed over customers."""
        p, q, v = params
        total = self.x * self.m
        low, high = np.minimum(p * self._x, q), np.maximum(p * self._x, q)
        per_x = log_rising(high, low) - gammaln(low)
        per_row = -p * self.x * np.log1p(v / total) - q * np.log1p(total / v)
        return float(self._n_x @ per_x + self.w @ per_row) + self._constant

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (3,) and Hessian (3, 3) at `params` = (p, q, v)."""
        p, q, v = params
        x, w, n = self._x, self.w, self._n_x
        total = self.x * self.m
        shape = p * x
        inverse = 1 / (total + v)
        own, all_ = digamma(shape), digamma(shape + q)
        own_2, all_2 = _trigamma(shape), _trigamma(shape + q)
        gradient = np.array(
            [
                n @ (x * (all_ - own)) - w @ (self.x * np.log1p(v / total)),
                n @ (all_ - digamma(q)) - w @ np.log1p(total / v),
                w @ ((q * total - p * self.x * v) * inverse) / v,
            ]
        )
        pq = n @ (x * all_2)
        pv = -(w @ (self.x * inverse))
        qv = w @ (total * inverse) / v
        vv = w @ ((p * self.x + q) * inverse**2) - w.sum() * q / v**2
        hessian = np.array(
            [
                [n @ (x**2 * (all_2 - own_2)), pq, pv],
                [pq, n @ (all_2 - _trigamma(q)), qv],
                [pv, qv, vv],
            ]
        )
        return self.value(params), gradient, hessian
