"""Groups' own fits drawn towards the fit of all, each as far as its own errors ask for.

The parameters' logarithms of a group are taken as θ + d with d ~ N(0, τ² I) over groups around the
common fit θ, and seen with the error V of the group's own fit. τ² is the one that makes the groups'
fits likeliest together (empirical Bayes); a group's best guess then is

    θ + τ² (τ² I + V)⁻¹ (own − θ),     with the error     τ² (τ² I + V)⁻¹ V.

A direction in which a group's data say little is taken from all customers, one in which they say
much stays the group's own.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.stats import chi2

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, compress
from retention_lib.models.likelihood import GammaGammaLikelihood
from retention_lib.models.spend import GammaGammaFitter

Model = TypeVar("Model", PurchaseFitter, GammaGammaFitter)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A group's parameters between its own fit and that of all.

    Attributes
    ----------
    parameters : ndarray, shape (k,)
    log_covariance : ndarray, shape (k, k)
        Of their logarithms.
    """

    parameters: Floats
    log_covariance: Floats


def differ(common: float, own: Sequence[float], parameters: int) -> float:
    """Likelihood ratio test of one fit for all against one for each group.

    Parameters
    ----------
    common : float
        Log-likelihood of the fit on all these groups together.
    own : sequence of float
        Log-likelihood of each group's own fit.
    parameters : int
        Of one fit.

    Returns
    -------
    float
        The chance of such a gain, or a larger one, where the groups are alike.
    """
    gain = 2 * (float(np.sum(own)) - common)
    return float(chi2.sf(max(gain, 0.0), parameters * (len(own) - 1)))


def shrink(
    common: Floats, own: Sequence[Floats], log_covariances: Sequence[Floats]
) -> tuple[Shrunk, ...]:
    """Draw each group's parameters towards the common ones.

    Parameters
    ----------
    common : ndarray, shape (k,)
        Parameters of the fit on all groups together.
    own : sequence of ndarray, shape (k,)
        Parameters of each group's own fit.
    log_covariances : sequence of ndarray, shape (k, k)
        Errors of the groups' log-parameters.

    Returns
    -------
    tuple of Shrunk
        In the order of the groups.
    """
    centre = np.log(common)
    seen = []
    for params, covariance in zip(own, log_covariances, strict=True):
        variance, axes = np.linalg.eigh(covariance)
        variance = np.maximum(variance, 1e-12)
        seen.append((variance, axes, axes.T @ (np.log(params) - centre)))

    def surprise(log_variance: float) -> float:
        total = 0.0
        for variance, _, off in seen:
            both = variance + np.exp(log_variance)
            total += float((np.log(both) + off**2 / both).sum())
        return total

    found = minimize_scalar(surprise, bounds=(np.log(1e-8), np.log(25.0)), method="bounded")
    between = float(np.exp(found.x))
    result = []
    for variance, axes, off in seen:
        kept = between / (between + variance)
        params = np.exp(centre + axes @ (kept * off))
        result.append(Shrunk(params, (axes * (kept * variance)) @ axes.T))
    return tuple(result)


def with_parameters(fit: Model, drawn: Shrunk) -> Model:
    """A group's fit, moved to other parameters.

    Parameters
    ----------
    fit : PurchaseFitter or GammaGammaFitter
        Stays as it is.
    drawn : Shrunk

    Returns
    -------
    PurchaseFitter or GammaGammaFitter
        A model of the same kind and data that predicts by these parameters, with their errors and
        likelihood. It is no maximum of the likelihood: `gradient_` and `findings_` are the fit's.
    """
    model: Any = copy.copy(fit)
    params = pd.Series(drawn.parameters, index=fit.params_.index)
    model.params_, model.log_covariance_ = params, drawn.log_covariance
    model.variance_matrix_ = pd.DataFrame(
        np.outer(params, params) * drawn.log_covariance, index=params.index, columns=params.index
    )
    model.standard_errors_ = model._compute_standard_errors()
    model.confidence_intervals_ = model._compute_confidence_intervals()
    data = {name: column.to_numpy(dtype=float) for name, column in fit.data.items()}
    n = float(data["weights"].sum())
    if isinstance(fit, PurchaseFitter):
        h = compress(data["frequency"], data["recency"], data["T"], data["weights"])
        model.log_likelihood_ = fit._likelihood(h).value(drawn.parameters)
        model.predict = model.conditional_expected_number_of_purchases_up_to_time
    else:
        spent = GammaGammaLikelihood(data["frequency"], data["monetary_value"], data["weights"])
        model.log_likelihood_ = spent.value(drawn.parameters)
        model.mean_exists_ = bool(params["q"] > 1)
    model.aic_ = 2 * len(params) - 2 * model.log_likelihood_
    model.bic_ = len(params) * float(np.log(n)) - 2 * model.log_likelihood_
    return model
