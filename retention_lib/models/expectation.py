"""Expected purchases of the beta-geometric models, stable for every history.

The papers give the expectation with a Gaussian hypergeometric function (Fader, Hardie & Lee 2005,
equations 9 and 10), which overflows for busy customers and divides by zero at a = 1. The same
expectation is a plain average over the dropout probability p,

    E[X(t)] = ∫ Beta(p; a, b) · f(p) dp,    f(p) = (1 − (1 + p τ)^−r) / p,    τ = t/α,

of a function that is positive, falling and smooth. In u = log(p / (1 − p)) the trapezoidal rule
converges exponentially on it. Two things keep it exact to some eleven digits for all parameters:

- Where a or b is small, the density's tails are long. f(0) (1 − p)^k + f(1) p, whose mean over the
  Beta is known, has the same ends as f, and only the difference is summed. With k >= (r + 1) τ / 2
  neither term exceeds f anywhere, so that no digits cancel however steep f is.
- The rule's error is the integrand's Fourier transform at 2π/step, which for p^A (1 − p)^B is a
  ratio of gamma functions. The step follows from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln, digamma, expit, log_expit, zeta

from retention_lib.models.histories import Floats, distinct
from retention_lib.models.likelihood import log_rising

#: Exponent at which something is too small to matter: e^−30 is 1e-13.
_NOTHING = 30.0
#: Floats in one block of rows × times × nodes: so few that they stay in the cache.
_BLOCK = 60_000


def expected_purchases(
    t: npt.ArrayLike,
    r: npt.ArrayLike,
    alpha: npt.ArrayLike,
    a: float,
    b: npt.ArrayLike,
) -> Floats:
    """Expected number of purchases in time t of somebody who is alive now.

    Purchase rates follow Gamma(r, alpha), dropout probabilities Beta(a, b). With the population's
    parameters this is E[X(t)] of the BG/NBD; with (r + x, alpha + T, a, b + x) it is that of a
    customer known to be alive.

    Parameters
    ----------
    t : array_like, shape (k,)
        Lengths of time, ascending or not; negative counts as 0.
    r, alpha, b : array_like, shape (m,) or scalar
    a : float

    Returns
    -------
    ndarray, shape (m, k)
        In the unit of purchases; finite and not negative; to about 1e-11 of itself.
    """
    times = np.maximum(np.atleast_1d(np.asarray(t, dtype=float)), 0.0)
    r_, alpha_, b_ = np.broadcast_arrays(
        np.atleast_1d(np.asarray(r, dtype=float)),
        np.atleast_1d(np.asarray(alpha, dtype=float)),
        np.atleast_1d(np.asarray(b, dtype=float)),
    )
    first, inverse = distinct(b_)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(first) + 1))
    steepest_r = np.maximum.reduceat(r_[order], bounds[:-1])
    steepest_tau = np.maximum(times.max(initial=0.0), 1e-200) / np.minimum.reduceat(
        alpha_[order], bounds[:-1]
    )
    rules = _rules(float(a), b_[first], steepest_r, steepest_tau)
    result = np.empty((len(r_), len(times)))
    for (low, high), rule in zip(pairwise(bounds), rules, strict=True):
        rows = order[low:high]
        result[rows] = _average(times[None, :] / alpha_[rows, None], r_[rows, None], rule)
    return result


class _Rule(NamedTuple):
    """Mean of f over one Beta: f(0) · `at_0` + f(1) · `at_1` + Σ `weights` · f(`p`)."""

    p: Floats
    weights: Floats
    at_0: float
    at_1: float


def _average(tau: Floats, r: Floats, rule: _Rule) -> Floats:
    """Mean of f over the rule's Beta; `tau` (m, k) and `r` (m, 1) give an (m, k)."""
    f_0 = r * tau
    f_1 = -np.expm1(-r * np.log1p(tau))
    mean = f_0 * rule.at_0 + f_1 * rule.at_1
    over_p = rule.weights / rule.p
    chunk = max(1, _BLOCK // (len(over_p) * tau.shape[1]))
    for start in range(0, len(tau), chunk):
        part = slice(start, start + chunk)
        curve = np.log1p(tau[part, :, None] * rule.p)
        curve *= -r[part, :, None]
        np.expm1(curve, out=curve)
        mean[part] -= curve @ over_p
    return np.clip(mean, 0.0, f_0)


def _rules(a: float, b: Floats, r: Floats, tau: Floats) -> Iterator[_Rule]:
    """For each b a rule that serves every f up to the steepest, which has these r and τ."""
    power = np.maximum(1.0, 0.5 * (r + 1) * tau)
    mean_of_power = np.exp(log_rising(b, a) - log_rising(b + power, a))
    mean_of_product = a / (a + b) * (b / (a + b + 1))
    # Weights and the difference of the ends together fall off like Beta(a + 1, b + 1) in u.
    centre, spread = _place(a + 1, b + 1)
    right = centre + _reach(b + 1, spread)
    left = np.minimum(centre, -np.log(power)) - _reach(a + 1, spread)
    if a > 1:
        # f is at most 1/p, so that the density alone may end it sooner.
        centre, spread_left = _place(a - 1, b + 1)
        left = np.maximum(left, centre - _reach(a - 1, spread_left))
    step = 2 * np.pi / _frequency(a + 1, b + 1 + power, spread)
    for j in range(len(b)):
        u = np.arange(left[j], right[j], step[j])
        p, q, log_q = expit(u), expit(-u), log_expit(-u)
        log_density = a * log_expit(u) + b[j] * log_q
        density = np.exp(log_density - log_density.max())
        # The constant from a mean that is known, without a difference of log-gammas.
        density *= mean_of_product[j] / (density @ (p * q))
        matters = _matters(p, q, density, power[j], r[j], tau[j])
        p, weights = p[matters], density[matters]
        bump = np.exp(power[j] * log_q[matters])
        yield _Rule(p, weights, mean_of_power[j] - weights @ bump, a / (a + b[j]) - weights @ p)


def _matters(p: Floats, q: Floats, density: Floats, power: float, r: float, tau: float) -> slice:
    """The points that matter to the steepest f or to a constant; any other f lies between."""
    ends = np.minimum(1.0, power * p) * q * density
    steep = -np.expm1(-r * np.log1p(tau * p)) / p
    share = np.maximum(ends * (steep / (steep @ density)), ends / density.sum())
    where = np.flatnonzero(share > np.exp(-_NOTHING))
    return slice(where[0], where[-1] + 1)


def _place(a: float, b: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of u where p follows Beta(a, b)."""
    return digamma(a) - digamma(b), np.sqrt(zeta(2.0, a) + zeta(2.0, b))


def _reach(rate: float | Floats, spread: Floats) -> Floats:
    """How far from the centre a tail e^(−rate·|u|) matters: near the centre it is a Gaussian's."""
    return _NOTHING / rate + np.sqrt(2 * _NOTHING) * spread


def _frequency(a: float, b: Floats, spread: Floats) -> Floats:
    """Where the Fourier transform of p^a (1 − p)^b in u is down to nothing.

    Solves −log |Γ(a + iω) Γ(b + iω) / Γ(a) Γ(b)| = 30 by Stirling's formula and Newton's method.
    The left side is convex and at most a Gaussian's, with which the search starts.
    """
    omega = np.sqrt(2 * _NOTHING) / spread
    for _ in range(4):
        fall, slope = 0.0, 0.0
        for z in (a, b):
            ratio = omega / z
            angle = np.arctan(ratio)
            fall = fall + omega * angle - 0.5 * (z - 0.5) * np.log1p(ratio * ratio)
            slope = slope + angle + 0.5 * omega / (z * z + omega * omega)
        omega = omega + (_NOTHING - fall) / slope
    return omega


def survival_of_count(
    n: npt.ArrayLike,
    t: npt.ArrayLike,
    r: npt.ArrayLike,
    alpha: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
) -> Floats:
    """P(N(t) >= n) of somebody who is alive now.

    n purchases in time t need a Poisson count of at least n and no dropout at the first n − 1 of
    them. Rate and dropout probability are independent, so the two probabilities multiply. Sums to
    Fader, Hardie & Lee (2005), equation 8.

    Parameters
    ----------
    n : array_like of int, >= 0
    t, r, alpha, a, b : array_like, of shapes that broadcast with n

    Returns
    -------
    ndarray
    """
    n = np.asarray(n, dtype=float)
    t, alpha, a, b = (np.asarray(v, dtype=float) for v in (t, alpha, a, b))
    at_least = np.maximum(n, 1.0)
    in_time = betainc(at_least, r, t / (alpha + t))
    stayed = np.exp(betaln(a, b + at_least - 1) - betaln(a, b))
    return np.where(n <= 0, 1.0, in_time * stayed)
