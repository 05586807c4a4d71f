"""Pareto/NBD: the likelihood by quadrature, with exact first and second derivatives.

Schmittlein, Morrison & Colombo (1987), Management Science 33(1); the form with an integral over the
unseen moment of leaving, y, is Fader & Hardie (2005), note 009, before their equation 18:

    L = Γ(r + x) α^r β^s / Γ(r) · { (α + T)^−(r+x) (β + T)^−s
                                    + s ∫ (α + y)^−(r+x) (β + y)^−(s+1) dy, y from t_x to T }.

The closed form of the integral is a difference of two hypergeometric functions that cancel or
overflow for busy customers. The integrand is positive and, in log(y + min(α, β)), smooth: 32 Gauss
points give it to ten digits for every history, and its derivatives by the same points.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, expit, zeta

from retention_lib.models.histories import Floats, Histories
from retention_lib.models.likelihood import Evaluation, log_rising

_EXACT = np.polynomial.legendre.leggauss(32)
#: About three digits: enough to decide by a random number whether a customer is alive.
_COARSE = np.polynomial.legendre.leggauss(10)
#: The integrand is followed down to e^−40 of its largest value.
_DECAY = 40.0


def _quadrature(
    params: Floats,
    x: Floats,
    t_x: Floats,
    T: Floats,
    rule: tuple[Floats, Floats] = _EXACT,
) -> tuple[Floats, Floats, Floats]:
    """Moments y, and the integrand relative to having stayed until T, each with its weight.

    Returns
    -------
    y : ndarray, shape (m, points)
    share : ndarray, shape (m, points)
        Weighted integrand, adding up to 1 over a row (0 where t_x = T).
    log_odds : ndarray, shape (m,)
        Log of the integral over the term of the customers who stayed: log odds of having left.
    """
    r, alpha, s, beta = params
    low = min(alpha, beta)
    decay = (low + t_x) * ((r + x) / (alpha + t_x) + s / (beta + t_x))
    length = np.minimum(np.log1p((T - t_x) / (low + t_x)), _DECAY / decay)
    points, weights = rule
    z = 0.5 * length[:, None] * (1 + points)
    y = t_x[:, None] + (low + t_x)[:, None] * np.expm1(z)
    fall = -(r + x)[:, None] * np.log1p((y - t_x[:, None]) / (alpha + t_x)[:, None])
    fall -= s * np.log1p((y - t_x[:, None]) / (beta + t_x)[:, None])
    share = np.exp(fall) * (weights * (low + y) / (beta + y))
    total = share.sum(axis=1)
    share /= total[:, None]
    at_last = (r + x) * np.log1p((T - t_x) / (alpha + t_x)) + s * np.log1p((T - t_x) / (beta + t_x))
    some = length > 0
    log_size = np.log(np.where(some, 0.5 * s * length * total, 1.0))
    return y, np.where(some[:, None], share, 0.0), np.where(some, at_last + log_size, -np.inf)


def log_odds_left(
    params: Floats, frequency: Floats, recency: Floats, T: Floats, *, coarse: bool = False
) -> Floats:
    """Log odds that a customer with this history has left; note 009, equation 36.

    Parameters
    ----------
    params : ndarray, shape (4,)
        (r, alpha, s, beta).
    frequency, recency, T : ndarray, shape (m,)
    coarse : bool
        With fewer points: to about three digits, in a third of the time.

    Returns
    -------
    ndarray, shape (m,)
        −inf where the last purchase was at T.
    """
    rule = _COARSE if coarse else _EXACT
    return _quadrature(params, frequency, recency, T, rule)[2]


class ParetoNBDLikelihood:
    """Log-likelihood of the Pareto/NBD as a function of (r, α, s, β).

    Parameters
    ----------
    histories : Histories
    """

    def __init__(self, histories: Histories) -> None:
        self.histories = histories
        self._x, row = np.unique(histories.frequency, return_inverse=True)
        self._n_x = np.bincount(row, histories.weights)

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (r, alpha, s, beta), summed over customers."""
        h = self.histories
        return self._value(params, log_odds_left(params, h.frequency, h.recency, h.T))

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (4,) and Hessian (4, 4) at `params` = (r, alpha, s, beta)."""
        r, alpha, s, beta = params
        h, w = self.histories, self.histories.weights
        y, share, log_odds = _quadrature(params, h.frequency, h.recency, h.T)
        left = expit(log_odds)
        rate = r + h.frequency

        # Scores relative to having stayed until T: of the integrand at each y, then their mean.
        at_a, at_b = 1 / (alpha + y), 1 / (beta + y)
        end_a, end_b = 1 / (alpha + h.T), 1 / (beta + h.T)
        scores = np.stack(
            [
                np.log1p((h.T[:, None] - y) * at_a),
                rate[:, None] * (end_a[:, None] - at_a),
                1 / s + np.log1p((h.T[:, None] - y) * at_b),
                s * (end_b[:, None] - at_b) - at_b,
            ]
        )
        mean = np.einsum("imn,mn->im", scores, share)
        w_left = w * left
        gradient = mean @ w_left
        gradient += [
            self._n_x @ (digamma(r + self._x) - digamma(r)) - w @ np.log1p(h.T / alpha),
            w @ (r * h.T * end_a / alpha - h.frequency * end_a),
            -(w @ np.log1p(h.T / beta)),
            w @ (s * h.T * end_b / beta),
        ]

        # Spread of the scores within the integral, and between having left and having stayed.
        flat = scores.reshape(4, -1)
        hessian = (flat * (w_left[:, None] * share).ravel()) @ flat.T
        hessian -= (mean * (w_left * left)) @ mean.T
        inside_a, inside_b = (np.einsum("mn,mn->m", share, v) for v in (at_a, at_b))
        inside_a2, inside_b2 = (np.einsum("mn,mn->m", share, v * v) for v in (at_a, at_b))
        r_alpha = w @ (h.T * end_a / alpha) + w_left @ (end_a - inside_a)
        s_beta = w @ (h.T * end_b / beta) + w_left @ (end_b - inside_b)
        hessian += [
            [self._n_x @ (zeta(2.0, r + self._x) - zeta(2.0, r)), r_alpha, 0, 0],
            [
                r_alpha,
                w @ (rate * end_a**2)
                - w.sum() * r / alpha**2
                + w_left @ (rate * (inside_a2 - end_a**2)),
                0,
                0,
            ],
            [0, 0, -w_left.sum() / s**2, s_beta],
            [
                0,
                0,
                s_beta,
                w @ (s * end_b**2)
                - w.sum() * s / beta**2
                + w_left @ ((s + 1) * inside_b2 - s * end_b**2),
            ],
        ]
        return self._value(params, log_odds), gradient, hessian

    def _value(self, params: Floats, log_odds: Floats) -> float:
        r, alpha, s, beta = params
        h = self.histories
        per_row = (
            np.logaddexp(0, log_odds)
            - r * np.log1p(h.T / alpha)
            - h.frequency * np.log(alpha + h.T)
            - s * np.log1p(h.T / beta)
        )
        return float(self._n_x @ log_rising(r, self._x) + h.weights @ per_row)
