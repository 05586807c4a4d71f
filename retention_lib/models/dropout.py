"""Fewer customers leaving, purchase rates as they are: a fitted model with another dropout.

By a model the odds of leaving after a purchase are a / (b + n) once n have not been the last
(BG/NBD, MBG/NBD), and the hazard of leaving at a tenure of t is s / (β + t) (Pareto/NBD). With a or
s times k each of them, at every point of every history, is k times as large: a proportional change,
the same for new customers and old. (β divided by k would do next to nothing to old customers, whose
tenure outweighs it.) How often somebody buys while a customer, Gamma(r + x, α + T), stays.

The retention rate ahead is the mean over customers of P(a purchase within t | history). More of
them can buy again only if fewer have left by today or leave before they do: a BG/NBD customer who
is one today stays one until the next purchase, so that there only the former counts. k therefore
stands for both, what has been and what is to come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from retention_lib.models.changed import changed
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories, distinct
from retention_lib.models.pareto import ParetoNBDFitter

#: log k at which next to nobody leaves.
NOBODY: Final = -30.0
#: Rows that are integrated at once.
_BLOCK: Final = 1_000
#: Tanh-sinh rule on (0, 1): its points crowd at both ends, where the integrand may turn.
_T = 0.1 * np.arange(-33, 34)
_NODES = 1 / (1 + np.exp(-np.pi * np.sinh(_T)))
_WEIGHTS = 0.1 * np.pi * np.cosh(_T) * _NODES * (1 - _NODES)


def with_dropout(model: PurchaseFitter, log_k: float) -> PurchaseFitter:
    """The model with e^log_k times the odds of leaving at every point of every history.

    Parameters
    ----------
    model : PurchaseFitter
    log_k : float
        0 leaves it as it is, `NOBODY` lets next to nobody leave.
    """
    shape = "s" if "s" in model.params_ else "a"
    return changed(model, {shape: float(model.params_[shape]) * float(np.exp(log_k))})


def returning_if_alive(model: PurchaseFitter, t: float, frequency: Floats, T: Floats) -> Floats:
    """P(a purchase within t) of customers who are alive.

    Of the beta-geometric models 1 − ((α + T) / (α + T + t))^(r + x): nobody leaves before buying.
    Of the Pareto/NBD

        ∫ (r + x) (α + T)^(r + x) / (α + T + u)^(r + x + 1) · ((β + T) / (β + T + u))^s du

    over u from 0 to t: the density of the next purchase, times the chance to be there still.

    Parameters
    ----------
    model : PurchaseFitter
    t : float
        In the model's unit of time.
    frequency, T : ndarray, shape (m,)

    Returns
    -------
    ndarray, shape (m,)
    """
    return _returning(model, t, frequency, T)(model)


def _returning(
    model: PurchaseFitter, t: float, frequency: Floats, T: Floats
) -> Callable[[PurchaseFitter], Floats]:
    """`returning_if_alive` by models that differ from this one in their dropout alone.

    In the share v of purchases that come by u, leaving apart, the density is even. Which u belongs
    to which v the dropout doesn't change.
    """
    if not isinstance(model, ParetoNBDFitter):
        r, alpha, _, _ = model.parameters
        back = np.asarray(-np.expm1(-(r + frequency) * np.log1p(t / (alpha + T))))
        return lambda _: back
    r, alpha, _, beta = model.parameters
    first, inverse = distinct(frequency, T)
    rate, scale = r + frequency[first], alpha + T[first]
    by_then = -np.expm1(-rate * np.log1p(t / scale))
    ratio = scale / (beta + T[first])
    # log[(β + T + u) / (β + T)] at each point, by blocks of rows
    lengths = []
    for start in range(0, len(first), _BLOCK):
        rows = slice(start, start + _BLOCK)
        share = np.minimum(by_then[rows, None] * _NODES, 1 - 1e-16)
        u = np.expm1(-np.log1p(-share) / rate[rows, None])
        lengths.append(np.log1p(u * ratio[rows, None]))

    def back_by(other: PurchaseFitter) -> Floats:
        s = other.parameters[2]
        stays = [np.einsum("ij,j->i", np.exp(-s * length), _WEIGHTS) for length in lengths]
        return np.asarray((by_then * np.concatenate(stays))[inverse])

    return back_by


def retention_ahead(model: PurchaseFitter, histories: Histories, t: float) -> float:
    """Share of customers who are expected to buy at least once within t.

    Parameters
    ----------
    model : PurchaseFitter
    histories : Histories
        Each as often as `weights` says.
    t : float

    Returns
    -------
    float
    """
    return retention_by_dropout(model, histories, t)(model)


def retention_by_dropout(
    model: PurchaseFitter, histories: Histories, t: float
) -> Callable[[PurchaseFitter], float]:
    """`retention_ahead` of the same customers, by models that differ in their dropout alone.

    Parameters
    ----------
    model : PurchaseFitter
    histories : Histories
    t : float

    Returns
    -------
    callable
        From `model`, or one that `with_dropout` makes of it, to its share. Each is worked out once.
    """
    h = histories
    back = _returning(model, t, h.frequency, h.T)
    known: dict[tuple[float, ...], float] = {}

    def share(other: PurchaseFitter) -> float:
        key = other.parameters
        if key not in known:
            alive = np.asarray(other.conditional_probability_alive(h.frequency, h.recency, h.T))
            known[key] = float(h.weights @ (alive * back(other)) / h.weights.sum())
        return known[key]

    return share


def dropout_for(
    model: PurchaseFitter,
    histories: Histories,
    t: float,
    points: float,
    share: Callable[[PurchaseFitter], float] | None = None,
) -> float | None:
    """The log k that raises the retention ahead by so much.

    Parameters
    ----------
    model : PurchaseFitter
    histories : Histories
    t : float
    points : float
        0.05 for five points.
    share : callable, optional
        `retention_by_dropout` of the same, where it is at hand.

    Returns
    -------
    float or None
        At most 0; None where even without any dropout the rate doesn't rise so far.
    """
    from scipy.optimize import brentq

    if points <= 0:
        return 0.0
    rate = share or retention_by_dropout(model, histories, t)
    wanted = rate(model) + points

    def short(log_k: float) -> float:
        return rate(with_dropout(model, log_k)) - wanted

    if short(NOBODY) < 0:
        return None
    low = -0.5
    while low > NOBODY and short(low) < 0:
        low *= 2
    return float(brentq(short, max(low, NOBODY), low / 2 if low < -0.5 else 0.0, xtol=1e-7))


def discounted_if_alive(
    model: PurchaseFitter, histories: Histories, times: Floats, factors: Floats
) -> Floats:
    """Discounted purchases expected up to each of several times ahead, of who is alive.

    Parameters
    ----------
    model : PurchaseFitter
    histories : Histories
    times : ndarray, shape (k,)
        Ends of the months, ascending.
    factors : ndarray, shape (k,)
        Discount of each month.

    Returns
    -------
    ndarray, shape (m, k)
    """
    first, inverse = distinct(histories.frequency, histories.T)
    by_time = model.expected_if_alive(times, histories.frequency[first], histories.T[first])
    return np.cumsum(np.diff(by_time, axis=1, prepend=0.0) * factors, axis=1)[inverse]


def new_customer_purchases(model: PurchaseFitter, times: Floats, factors: Floats) -> Floats:
    """Discounted repeat purchases of a new customer up to each of several times.

    Parameters
    ----------
    model : PurchaseFitter
    times, factors : ndarray, shape (k,)

    Returns
    -------
    ndarray, shape (k,)
    """
    by_time = np.asarray(model.expected_number_of_purchases_up_to_time(times), dtype=float)
    return np.cumsum(np.diff(by_time, prepend=0.0) * factors)
