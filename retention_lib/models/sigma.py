"""What a fit's error does to anything that follows from its parameters (delta method).

The error of the log-parameters is normal by the curvature of the likelihood. Along each of its axes
a figure is worked out half a standard deviation either way; the differences, squared and added up,
are its variance. A step of that length also sees a curve, where a derivative would see its tangent
only, and it costs two evaluations for each parameter instead of hundreds of draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from scipy.special import ndtri

from retention_lib.models.changed import with_values
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.spend import GammaGammaFitter

#: Standard deviation beyond which an axis isn't followed: as in `predictive.draw_parameters`.
_WIDEST: Final = 1.5
#: Length of a step in standard deviations.
_STEP: Final = 0.5
#: Half the width of a 95 % interval in standard deviations.
HALF: Final = float(ndtri(0.975))


def steps(params: Floats, covariance: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Parameters half a standard deviation either way, along each axis of their error.

    Parameters
    ----------
    params : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        Of the log-parameters.

    Yields
    ------
    tuple of two ndarray, each of shape (k,)
    """
    variance, axes = np.linalg.eigh(covariance)
    spread = np.minimum(np.sqrt(np.maximum(variance, 0.0)), _WIDEST)
    for length, axis in zip(spread, axes.T, strict=True):
        step = np.exp(_STEP * length * axis)
        yield params * step, params / step


def variance_of(function: Callable[[Floats], Floats], params: Floats, covariance: Floats) -> Floats:
    """Variance of each of the figures that a function gives.

    Parameters
    ----------
    function : callable
        From parameters, shape (k,), to figures, shape (m,): on a scale on which their error is even
        to both sides, such as the logarithm of an amount.
    params : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)

    Returns
    -------
    ndarray, shape (m,)
        A direction in which a figure isn't finite adds nothing to it.
    """
    total: Floats | None = None
    for up, down in steps(params, covariance):
        with np.errstate(all="ignore"):
            difference = (function(up) - function(down)) / (2 * _STEP)
        squared = np.where(np.isfinite(difference), difference, 0.0) ** 2
        total = squared if total is None else total + squared
    assert total is not None  # a model has parameters
    return total


def variance_of_both(
    model: PurchaseFitter,
    spend_model: GammaGammaFitter,
    of_purchases: Callable[[PurchaseFitter], Floats],
    of_spend: Callable[[GammaGammaFitter], Floats],
) -> Floats:
    """Variance of figures that follow from both models, whose errors are independent.

    Parameters
    ----------
    model : PurchaseFitter
    spend_model : GammaGammaFitter
        Adds nothing where its mean is bounded by what was observed.
    of_purchases, of_spend : callable
        The figures, as in `variance_of`, from a model with other parameters than the fitted one,
        the other model being as it is.

    Returns
    -------
    ndarray, shape (m,)
    """

    def purchases(theta: Floats) -> Floats:
        return of_purchases(with_values(model, theta))

    def spend(theta: Floats) -> Floats:
        return of_spend(with_values(spend_model, theta))

    total = variance_of(purchases, np.array(model.parameters, dtype=float), model.log_covariance_)
    if spend_model.bounded:
        return total
    amounts: Floats = np.asarray(spend_model.params_, dtype=float)
    return np.add(total, variance_of(spend, amounts, np.asarray(spend_model.log_covariance_)))
