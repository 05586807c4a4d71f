"""Pareto/NBD: the likelihood by quadrature, with exact first and second derivatives.

Schmittlein, Morrison & Colombo (1987), Management Science 33(1); the form with an integral over the
unseen moment of leaving, y, is Fader & Hardie (2005), note 009, before their equation 18:

    L = Γ(r + x) α^r β^s / Γ(r) · { (α + T)^−(r+x) (β + T)^−s
                                    + s ∫ (α + y)^−(r+x) (β + y)^−(s+1) dy, y from t_x to T }.

The closed form of the integral is a difference of two hypergeometric functions that cancel or
overflow for busy customers. The integrand is positive and, in log(y + min(α, β)), smooth: 32 Gauss
points give it to ten digits for every history, fewer do where it falls little, and its derivatives
come by the same points. Rows go through in blocks, so that memory does not grow with the base.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import digamma, zeta

from retention_lib.models.histories import Floats, Histories, Integers
from retention_lib.models.likelihood import (
    Evaluation,
    blocks,
    by_frequency,
    left_or_stayed,
    log_rising,
)

Rule = tuple[Floats, Floats]

_EXACT = np.polynomial.legendre.leggauss(32)
#: Fall of the integrand's logarithm and length in log(y + min(α, β)) up to which a rule with fewer
#: points is as good as the exact one.
_SHORTER: tuple[tuple[float, float, Rule], ...] = (
    (4.0, 1.5, np.polynomial.legendre.leggauss(10)),
    (10.0, 3.0, np.polynomial.legendre.leggauss(16)),
)
#: About three digits: enough to decide by a random number whether a customer is alive.
_COARSE = np.polynomial.legendre.leggauss(10)
#: The integrand is followed down to e^−40 of its largest value.
_DECAY = 40.0
#: Points taken at once, so that what is made of them stays in the processor's cache; and of an
#: integral without derivatives, which needs fewer arrays.
_POINTS, _POINTS_ALONE = 32_768, 65_536


class _Integral(NamedTuple):
    """The integral over y for some rows, relative to the term of the customers who stayed.

    Points lie along the first axis: sums over them then run along rows, at the speed of additions.

    Attributes
    ----------
    weighted : ndarray, shape (points, m)
        Weighted integrand, up to a factor of its row.
    total : ndarray, shape (m,)
        Its sum over the points.
    log_near, log_far : ndarray, shape (points, m)
        log[(γ + y) / (γ + t_x)] for γ = min(α, β) and for γ = max(α, β).
    growth : ndarray, shape (points, m)
        (γ + y) / (γ + t_x) − 1 for γ = min(α, β).
    log_odds : ndarray, shape (m,)
        Log of the integral over the term of the customers who stayed: log odds of having left, −inf
        where t_x = T.
    """

    weighted: Floats
    total: Floats
    log_near: Floats
    log_far: Floats
    growth: Floats
    log_odds: Floats


def _integral(
    params: Floats, x: Floats, t_x: Floats, T: Floats, length: Floats, rule: Rule
) -> _Integral:
    """Sum the integrand over `length` in log(y + min(α, β)) from t_x on."""
    r, alpha, s, beta = params
    points, weights = rule
    rate = r + x
    log_near = (0.5 * (1 + points))[:, None] * length
    growth = np.expm1(log_near)
    # The step dy takes one power off the nearer of the two.
    if alpha <= beta:
        ratio = (alpha + t_x) / (beta + t_x)
        powers, size = (1 - rate, -(s + 1)), ratio
    else:
        ratio = (beta + t_x) / (alpha + t_x)
        powers, size = (-s, -rate), np.ones(len(x))
    far = growth * ratio
    log_far = np.log1p(far)
    weighted = np.multiply(log_near, powers[0])
    weighted += np.multiply(log_far, powers[1], out=far)
    np.exp(weighted, out=weighted)
    weighted *= weights[:, None]
    total = weighted.sum(axis=0)
    at_last = rate * np.log1p((T - t_x) / (alpha + t_x)) + s * np.log1p((T - t_x) / (beta + t_x))
    some = length > 0
    log_size = np.log(np.where(some, 0.5 * s * length * total * size, 1.0))
    log_odds = np.where(some, at_last + log_size, -np.inf)
    return _Integral(weighted, total, log_near, log_far, growth, log_odds)


def _pieces(
    params: Floats, x: Floats, t_x: Floats, T: Floats, points: int, only: Rule | None = None
) -> Iterator[tuple[Integers, Floats, Rule]]:
    """Blocks of rows, of so many points, each with its integrals' length and the rule for them."""
    r, alpha, s, beta = params
    low = min(alpha, beta)
    decay = (low + t_x) * ((r + x) / (alpha + t_x) + s / (beta + t_x))
    length = np.minimum(np.log1p((T - t_x) / (low + t_x)), _DECAY / decay)
    left = np.ones(len(x), dtype=bool)
    for fall, longest, rule in () if only else _SHORTER:
        fits = left & (decay * length <= fall) & (length <= longest)
        left &= ~fits
        yield from _in_blocks(np.flatnonzero(fits), length, rule, points)
    yield from _in_blocks(np.flatnonzero(left), length, only or _EXACT, points)


def _in_blocks(
    rows: Integers, length: Floats, rule: Rule, points: int
) -> Iterator[tuple[Integers, Floats, Rule]]:
    for some in blocks(len(rows), points // len(rule[0])):
        yield rows[some], length[rows[some]], rule


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
    result = np.empty(len(T))
    only = _COARSE if coarse else None
    for rows, length, rule in _pieces(params, frequency, recency, T, _POINTS_ALONE, only):
        columns = (frequency[rows], recency[rows], T[rows])
        result[rows] = _integral(params, *columns, length, rule).log_odds
    return result


class ParetoNBDLikelihood:
    """Log-likelihood of the Pareto/NBD as a function of (r, α, s, β).

    Parameters
    ----------
    histories : Histories
    """

    def __init__(self, histories: Histories) -> None:
        self.histories = histories
        self._x, self._n_x = by_frequency(histories.frequency, histories.weights)

    def value(self, params: Floats) -> float:
        """The log-likelihood at `params` = (r, alpha, s, beta), summed over customers."""
        return self(params)[0]

    def __call__(self, params: Floats) -> Evaluation:
        """Log-likelihood, gradient (4,) and Hessian (4, 4) at `params` = (r, alpha, s, beta)."""
        h, r = self.histories, params[0]
        value = float(self._n_x @ (log_rising(r, self._x) - self._x * np.log(params[1])))
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        gradient[0] = self._n_x @ (digamma(r + self._x) - digamma(r))
        hessian[0, 0] = self._n_x @ (zeta(2.0, r + self._x) - zeta(2.0, r))
        for rows, length, rule in _pieces(params, h.frequency, h.recency, h.T, _POINTS):
            part = self._block(params, rows, length, rule)
            value += part[0]
            gradient += part[1]
            hessian += part[2]
        return value, gradient, hessian

    def _block(self, params: Floats, rows: Integers, length: Floats, rule: Rule) -> Evaluation:
        """The part of some histories that depends on t_x and T."""
        r, alpha, s, beta = params
        h = self.histories
        x, t_x, T, w = h.frequency[rows], h.recency[rows], h.T[rows], h.weights[rows]
        integral = _integral(params, x, t_x, T, length, rule)
        left, total, _ = left_or_stayed(integral.log_odds)
        w_left, rate = w * left, r + x
        since_a, since_b = np.log1p(T / alpha), np.log1p(T / beta)
        value = w @ (total - rate * since_a - s * since_b)

        # Scores relative to having stayed until T, of the integrand at each y, and their mean, of
        # as many customers as have left.
        end_a, end_b = 1 / (alpha + T), 1 / (beta + T)
        scores = _scores(params, x, t_x, T, integral)
        weighted = scores * (integral.weighted * (w_left / integral.total))
        mean = weighted.sum(axis=1)
        gradient = mean.sum(axis=1)
        gradient[0] -= w @ since_a
        gradient[1] += w @ ((r / alpha * T - x) * end_a)
        gradient[2] -= w @ since_b
        gradient[3] += w @ (s / beta * T * end_b)

        # Spread of the scores within the integral, and between having left and having stayed.
        # One small product a point: BLAS takes a large one on several threads.
        hessian = (weighted.transpose(1, 0, 2) @ scores.transpose(1, 2, 0)).sum(axis=0)
        # What 1 / (α + y) and 1 / (β + y) and their squares are on average follows from the scores
        # of α and β, which are r + x and s + 1 times as large, and from their squares.
        squares_a = np.einsum("ij,ij->j", weighted[1], scores[1]) / rate
        squares_b = hessian[3, 3]
        hessian -= (mean / w) @ mean.T
        r_alpha = w @ (T * end_a) / alpha + (mean[1] / rate).sum()
        s_beta = w @ (T * end_b) / beta + (w_left * end_b + mean[3]).sum() / (s + 1)
        alpha_2 = w @ (rate * end_a**2) + (squares_a - 2 * end_a * mean[1]).sum()
        inside_b2 = s**2 * (w_left @ end_b**2) - 2 * s * (end_b @ mean[3]) + squares_b
        beta_2 = s * ((w - w_left) @ end_b**2) + inside_b2 / (s + 1)
        customers = w.sum()
        hessian += [
            [0, r_alpha, 0, 0],
            [r_alpha, alpha_2 - customers * r / alpha**2, 0, 0],
            [0, 0, -w_left.sum() / s**2, s_beta],
            [0, 0, s_beta, beta_2 - customers * s / beta**2],
        ]
        return float(value), gradient, hessian


def _scores(params: Floats, x: Floats, t_x: Floats, T: Floats, integral: _Integral) -> Floats:
    """Derivatives of the integrand's logarithm at each y, less those of having stayed until T.

    Returns
    -------
    ndarray, shape (4, points, m)
        By r, α, s and β.
    """
    r, alpha, s, beta = params
    from_a, from_b = alpha + t_x, beta + t_x
    near_is_a = alpha <= beta
    ratio = from_a / from_b if near_is_a else from_b / from_a
    logs = (integral.log_near, integral.log_far)
    growths = (integral.growth + 1, integral.growth * ratio + 1)
    (log_a, log_b), (growth_a, growth_b) = (
        (logs, growths) if near_is_a else (logs[::-1], growths[::-1])
    )
    scores = np.empty((4, *log_a.shape))
    np.subtract(np.log1p((T - t_x) / from_a), log_a, out=scores[0])
    np.divide((r + x) / from_a, growth_a, out=scores[1])
    np.subtract((r + x) / (alpha + T), scores[1], out=scores[1])
    np.subtract(1 / s + np.log1p((T - t_x) / from_b), log_b, out=scores[2])
    np.divide((s + 1) / from_b, growth_b, out=scores[3])
    np.subtract(s / (beta + T), scores[3], out=scores[3])
    return scores
