"""What every fit here does the same way: search in logarithms, errors from the exact Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from retention_lib.models.histories import Floats
from retention_lib.models.optimum import Objective, Optimum

#: Curvature, per customer, below which a direction counts as flat.
_FLAT = 1e-14


def per_customer_in_logs(
    likelihood: Callable[[Floats], tuple[float, Floats, Floats]],
    customers: float,
    penalizer: float = 0.0,
) -> Objective:
    """Negative log-likelihood per customer as a function of the log-parameters.

    Parameters
    ----------
    likelihood : callable
        Parameters to log-likelihood, gradient and Hessian.
    customers : float
        Number of customers.
    penalizer : float
        Weight of the sum of squared parameters, as lifetimes has it.

    Returns
    -------
    callable
        Log-parameters to value, gradient and Hessian.
    """

    def objective(logs: Floats) -> tuple[float, Floats, Floats]:
        params = np.exp(logs)
        value, gradient, hessian = likelihood(params)
        slope = -params * gradient / customers + 2 * penalizer * params**2
        bend = -np.outer(params, params) * hessian / customers
        bend += np.diag(-params * gradient / customers + 4 * penalizer * params**2)
        return -value / customers + penalizer * float(params @ params), slope, bend

    return objective


def log_covariance(hessian: Floats, customers: float) -> Floats:
    """Covariance of the log-parameters at a maximum of the likelihood.

    Parameters
    ----------
    hessian : ndarray, shape (k, k)
        Of the negative log-likelihood per customer, in log-parameters.
    customers : float

    Returns
    -------
    ndarray, shape (k, k)
        Very large along a direction in which the likelihood is flat.
    """
    curvature, axes = np.linalg.eigh(hessian)
    return (axes / (np.maximum(curvature, _FLAT) * customers)) @ axes.T


def set_errors(model: Any, end: Optimum, customers: float) -> None:
    """Set on a fitted model what follows from its optimum.

    `converged_`, `gradient_`, `aic_`, `bic_`, `log_covariance_` and, in lifetimes' names,
    `variance_matrix_`, `standard_errors_` and `confidence_intervals_` (delta method).
    """
    params: pd.Series = model.params_
    model.converged_ = end.converged
    model.gradient_ = end.gradient
    model.aic_ = 2 * len(params) - 2 * model.log_likelihood_
    model.bic_ = len(params) * float(np.log(customers)) - 2 * model.log_likelihood_
    model.log_covariance_ = log_covariance(end.hessian, customers)
    model.variance_matrix_ = pd.DataFrame(
        np.outer(params, params) * model.log_covariance_, columns=params.index, index=params.index
    )
    model.standard_errors_ = model._compute_standard_errors()
    model.confidence_intervals_ = model._compute_confidence_intervals()
