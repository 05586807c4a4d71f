"""A fitted model with other parameters, to predict with: what would be expected if they were so."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

import pandas as pd

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.spend import GammaGammaFitter

_Model = TypeVar("_Model", PurchaseFitter, GammaGammaFitter)


def changed(model: _Model, params: Mapping[str, float]) -> _Model:
    """The model with other parameters.

    Parameters
    ----------
    model : PurchaseFitter or GammaGammaFitter
        Stays as it is.
    params : mapping
        By name; those that aren't given stay.

    Returns
    -------
    PurchaseFitter or GammaGammaFitter
        Of the same kind and ruler; its errors and findings are those of `model`.
    """
    other = copy.copy(model)
    values = model.params_.to_numpy(dtype=float, copy=True)
    for name, value in params.items():
        values[model.params_.index.get_loc(name)] = value
    other.params_ = pd.Series(values, index=model.params_.index)
    # what a fit binds to itself would predict by its own parameters
    for bound in ("predict", "generate_new_data"):
        other.__dict__.pop(bound, None)
    return other


def with_values(model: _Model, values: Floats) -> _Model:
    """The same, of all its parameters in their order."""
    names = getattr(model, "parameter_names", model.params_.index)
    return changed(model, dict(zip(names, values.tolist(), strict=True)))
