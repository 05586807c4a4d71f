"""Expected purchases of the beta-geometric models, stable for every history.

The papers give the expectation with a Gaussian hypergeometric function (Fader, Hardie & Lee 2005,
equations 9 and 10), which overflows for busy customers and divides by zero at a = 1. The same
expectation is a plain average over the dropout probability p,

    E[X(t)] = ∫ Beta(p; a, b) · (1 − (1 + p t/α)^−r) / p dp,

of a function that is positive, bounded and smooth. With p = e^u / (1 + e^u) all its singularities
lie off the line by at least π, so that the trapezoidal rule on a few dozen points is accurate to
about ten digits, whatever the parameters.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln, digamma, expit, log_expit, zeta

from retention_lib.models.histories import Floats, distinct

#: Exponent at which a tail is cut: e^−27 is 2e-12 of the peak.
_TAIL = 27.0
#: Largest step of the trapezoidal rule in u; its error is about e^(−π²/step).
_STEP = 0.4
#: Floats in one block of rows × times × nodes.
_BLOCK = 4_000_000


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
        In the unit of purchases; finite and not negative.
    """
    times = np.maximum(np.atleast_1d(np.asarray(t, dtype=float)), 0.0)
    r_, alpha_, b_ = np.broadcast_arrays(
        np.atleast_1d(np.asarray(r, dtype=float)),
        np.atleast_1d(np.asarray(alpha, dtype=float)),
        np.atleast_1d(np.asarray(b, dtype=float)),
    )
    first, inverse = distinct(b_)
    result = np.empty((len(r_), len(times)))
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(first) + 1))
    for j, (low, high) in enumerate(pairwise(bounds)):
        nodes, weights = _nodes(a, float(b_[first[j]]))
        chunk = max(1, _BLOCK // (len(nodes) * len(times)))
        for start in range(low, high, chunk):
            rows = order[start : min(start + chunk, high)]
            result[rows] = _average(
                times[None, :] / alpha_[rows, None], r_[rows, None], nodes, weights, a, b_[rows]
            )
    return result


def _nodes(a: float, b: float) -> tuple[Floats, Floats]:
    """Points p and weights for averages over Beta(a, b) of a function that vanishes at 0 and 1.

    The density in u times p (1 − p) falls off like e^((a + 1) u) to the left and e^(−(b + 1) u) to
    the right, also where a or b is tiny.
    """
    centre = digamma(a + 1) - digamma(b + 1)
    spread = float(np.sqrt(zeta(2.0, a + 1) + zeta(2.0, b + 1)))
    step = min(_STEP, 0.7 * spread)
    left = _reach(a + 1, spread)
    right = _reach(b + 1, spread)
    u = centre + step * np.arange(-np.ceil(left / step), np.ceil(right / step) + 1)
    p, q = expit(u), expit(-u)
    log_density = a * log_expit(u) + b * log_expit(-u)
    density = np.exp(log_density - log_density.max())
    # E[p (1 − p)] is known exactly, which gives the constant without a difference of log-gammas.
    density *= a / (a + b) * (b / (a + b + 1)) / (density @ (p * q))
    return p, density


def _reach(rate: float, spread: float) -> float:
    """How far from the centre a tail e^(−rate·|u|) matters: near the centre it is a Gaussian's."""
    return _TAIL / rate + np.sqrt(2 * _TAIL) * spread


def _average(tau: Floats, r: Floats, p: Floats, weights: Floats, a: float, b: Floats) -> Floats:
    """Average of f(p) = (1 − (1 + p τ)^−r) / p over Beta(a, b); shape of `tau`.

    The straight line between f(0) and f(1) has a known mean; only the rest, which vanishes at both
    ends, is summed over the nodes.
    """
    at_0 = r * tau
    at_1 = -np.expm1(-r * np.log1p(tau))
    curve = np.log1p(tau[..., None] * p)
    curve *= -r[..., None]
    np.expm1(curve, out=curve)
    curve *= -weights / p
    line = at_0 * (weights @ (1 - p)) + at_1 * (weights @ p)
    share_1 = (a / (a + b))[:, None]
    mean = at_0 * (1 - share_1) + at_1 * share_1 + curve.sum(axis=-1) - line
    return np.clip(mean, 0.0, at_0)


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
