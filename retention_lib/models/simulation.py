"""Draws that the purchase models' simulated futures share.

In all of them customers who are alive buy by a Poisson process with a rate of Gamma(r + x, α + T),
so that the first purchase ahead comes after t with probability (1 + t / (α + T))^−(r + x) and
leaves the rate at Gamma(r + x + 1, α + T + t) (Fader & Hardie 2005, note 009, section 2). Most
customers don't buy in a horizon; one uniform number tells it, and only the others cost more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product

import numpy as np

from retention_lib.models.histories import Floats, Histories, Integers
from retention_lib.models.likelihood import p_alive

#: Largest error of a P(alive) that is read off a quadratic.
_CLOSE = 1e-3
#: Where the quadratic is fitted, in standard deviations: along an axis, and along two of them.
_ALONG, _ACROSS = 2.0, 1.6
#: Draws whose P(alive) are worked out at once.
_TOGETHER = 16
#: Multiplications in one matrix product. From 2^18 on BLAS takes several threads, which cost more
#: than they save.
_PRODUCT = 2**18


@dataclass(frozen=True, slots=True)
class FirstPurchase:
    """Who is alive, and when those who would buy in the horizon would first do so.

    Attributes
    ----------
    alive : ndarray of bool, shape (n,)
    who : ndarray of int, shape (k,)
        Customers who are alive and, if they stay so long, buy in the horizon.
    history : ndarray of int, shape (k,)
        The row of their distinct history.
    time : ndarray, shape (k,)
        From now until that purchase.
    shape, scale : ndarray, shape (k,)
        Of the Gamma distribution of their purchase rate, given that moment.
    """

    alive: np.ndarray
    who: Integers
    history: Integers
    time: Floats
    shape: Floats
    scale: Floats

    def rate(self, rng: np.random.Generator, some: np.ndarray | slice = slice(None)) -> Floats:
        """Draw purchase rates, of all of `who` or of some."""
        return rng.standard_gamma(self.shape[some]) / self.scale[some]


def draw_first_purchase(
    rng: np.random.Generator,
    r: float,
    alpha: float,
    alive: Floats,
    histories: Histories,
    horizon: float,
) -> FirstPurchase:
    """Draw who is alive and when those would first buy.

    Parameters
    ----------
    rng : Generator
    r, alpha : float
        Of the purchase rates' Gamma distribution over customers.
    alive : ndarray, shape (m,)
        P(alive) of each distinct history.
    histories : Histories
        Those of n customers, `inverse` of shape (n,).
    horizon : float

    Returns
    -------
    FirstPurchase
    """
    shape, scale = r + histories.frequency, alpha + histories.T
    ahead = np.log1p(horizon / scale)
    buys = -np.expm1(-shape * ahead)
    row = histories.inverse
    uniform = rng.random(len(row))
    lives = uniform < alive[row]
    who = np.flatnonzero(uniform < (alive * buys)[row])
    here = row[who]
    # Given that it let the customer through, the number is uniform below that bound.
    waited = -np.log1p(-uniform[who] / alive[here]) / shape[here]
    time = np.minimum(scale[here] * np.expm1(np.minimum(waited, ahead[here])), horizon)
    return FirstPurchase(lives, who, here, time, shape[here] + 1, scale[here] + time)


def alive_by_draw(log_odds: Callable[[Floats], Floats], params: Floats) -> Iterator[Floats]:
    """P(alive) under each of many sets of parameters, where the log odds are costly.

    Within the parameters' error the log odds of having left are close to a quadratic in the
    logarithms of the parameters. It is fitted at a few points and used if it holds, to 0.001 in
    P(alive), at the draws that lie furthest out; else every draw is evaluated. Wide errors come
    with small bases, for which that is cheap.

    Parameters
    ----------
    log_odds : callable
        From parameters, shape (k,), to log odds of having left, shape (m,); −inf is "surely alive".
    params : ndarray, shape (draws, k)

    Yields
    ------
    ndarray, shape (m,)
    """
    logs = np.log(params)
    centre = logs.mean(axis=0)
    _, size, axes = np.linalg.svd(logs - centre, full_matrices=False)
    axes = axes * (size / np.sqrt(len(params)))[:, None]
    points, fit = _design(len(axes))
    if len(params) < 3 * len(points) or not (size > 1e-9 * size.max(initial=0.0)).all():
        yield from (p_alive(log_odds(theta)) for theta in params)
        return
    place = np.linalg.lstsq(axes.T, (logs - centre).T, rcond=None)[0].T
    at_points = np.array([log_odds(theta) for theta in np.exp(centre + points @ axes)])
    # Finite, so that "surely alive" stays that in the fit.
    at_points = np.clip(at_points, -700.0, 700.0)
    coefficients = _product(fit, at_points)
    terms = _quadratic(place)
    for d in {*place.argmin(axis=0), *place.argmax(axis=0)}:
        error = p_alive(terms[d] @ coefficients) - p_alive(log_odds(params[d]))
        if np.abs(error).max(initial=0.0) > _CLOSE:
            yield from (p_alive(log_odds(theta)) for theta in params)
            return
    for start in range(0, len(terms), _TOGETHER):
        yield from p_alive(_product(terms[start : start + _TOGETHER], coefficients))


@lru_cache(maxsize=8)
def _design(axes: int) -> tuple[Floats, Floats]:
    """The points at which a quadratic is fitted, and what makes its coefficients of their values.

    Returns
    -------
    points : ndarray, shape (points, axes)
    fit : ndarray, shape (terms, points)
        Least squares.
    """
    points = _points(axes)
    return points, np.asarray(np.linalg.pinv(_quadratic(points)), dtype=float)


def _product(left: Floats, right: Floats) -> Floats:
    """Left @ right, by columns of the right one."""
    result = np.empty((len(left), right.shape[1]))
    step = max(_PRODUCT // left.size - 1, 1)
    for start in range(0, right.shape[1], step):
        some = slice(start, start + step)
        result[:, some] = left @ right[:, some]
    return result


def _points(axes: int) -> Floats:
    """The centre, two points on each axis and four between each two; shape (points, axes)."""
    unit = np.eye(axes)
    points = [np.zeros(axes)]
    points += [sign * _ALONG * axis for axis in unit for sign in (1, -1)]
    points += [
        _ACROSS * (one * unit[i] + other * unit[j])
        for i, j in combinations(range(axes), 2)
        for one, other in product((1, -1), repeat=2)
    ]
    return np.array(points)


def _quadratic(place: Floats) -> Floats:
    """Constant, linear and quadratic terms; shape (rows, terms)."""
    i, j = np.triu_indices(place.shape[1])
    return np.hstack([np.ones((len(place), 1)), place, place[:, i] * place[:, j]])
