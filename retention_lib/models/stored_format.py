"""What a stored forecast holds, field by field, and the models that it becomes again."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention_lib.models.fit import PURCHASE_MODELS
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.identification import Finding, words
from retention_lib.models.spend import PARAMETERS as SPEND_PARAMETERS
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.sentence import Sentence

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)


class StoredFinding(_Part):
    """What a base couldn't identify, as it was said."""

    kind: str
    serious: bool
    text: str


class StoredFit(_Part):
    """A model's parameters and their errors.

    Attributes
    ----------
    name : str
        `bgnbd`, `mbgnbd`, `paretonbd` or `gammagamma`.
    parameters : dict of float
        By name, in the unit of time of the file.
    log_covariance : list of list of float
        Of the logarithms of the parameters, in their order.
    log_likelihood : float
    findings : tuple of StoredFinding
    """

    name: Literal["bgnbd", "mbgnbd", "paretonbd", "gammagamma"]
    parameters: dict[str, Positive]
    log_covariance: list[list[Number]]
    log_likelihood: Number
    findings: tuple[StoredFinding, ...]

    @model_validator(mode="after")
    def _complete(self) -> StoredFit:
        names = parameter_names(self.name)
        if tuple(self.parameters) != names:
            raise ValueError(f"{self.name} has the parameters {', '.join(names)}")
        if [len(row) for row in self.log_covariance] != [len(names)] * len(names):
            raise ValueError(f"log_covariance isn't {len(names)} by {len(names)}")
        return self


class StoredSpend(StoredFit):
    """The spend model, with the means that bound it."""

    observed_mean: Positive
    bounded_mean: Positive


class StoredTotal(_Part):
    """An expected total with the interval that was reported and the model's own."""

    value: Number
    low: Number
    high: Number
    own_low: Number
    own_high: Number


class StoredErrors(_Part):
    """What past forecasts of the base missed (`widening.PastErrors`)."""

    mean: Number
    size: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    spread: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    effective: Positive


class StoredModel(_Part):
    """A forecast as it was made.

    Attributes
    ----------
    client, currency, time_unit, grain
        Of the client and the ruler of the parameters.
    start, as_of : date
        First and last day that the forecast knew of.
    fingerprint : str
        Of the source's content.
    conventions : dict
        What the client file said about what a purchase is.
    customers : int
    horizon_months : int
    discount_rate, margin : float
    purchases : StoredFit
    spend : StoredSpend or None
    expected : dict of StoredTotal
        `purchases.expected` and, with a spend model, `clv.total` and `clv.mean`.
    past_errors : StoredErrors or None
    holdout_bias : float or None
    versions : dict of str
    """

    schema_: Literal[1] = Field(alias="schema")
    client: str
    currency: str
    time_unit: Literal["day", "week"]
    grain: Literal["day"]
    start: dt.date
    as_of: dt.date
    fingerprint: str
    conventions: dict[str, Any]
    customers: Annotated[int, Field(ge=0)]
    horizon_months: Annotated[int, Field(ge=1)]
    discount_rate: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    margin: Positive
    purchases: StoredFit
    spend: StoredSpend | None
    expected: dict[str, StoredTotal]
    past_errors: StoredErrors | None
    holdout_bias: Number | None
    versions: dict[str, str]

    @model_validator(mode="after")
    def _in_place(self) -> StoredModel:
        if self.purchases.name == "gammagamma":
            raise ValueError("purchases holds a spend model")
        if self.spend is not None and self.spend.name != "gammagamma":
            raise ValueError("spend holds a purchase model")
        return self

    @property
    def purchase_model(self) -> PurchaseFitter:
        """The purchase model, ready to predict, with its ruler and end; it has no `data`."""
        fit = self.purchases
        model = purchase_model_of(fit.name, fit.parameters, np.array(fit.log_covariance))
        model.time_unit, model.as_of = self.time_unit, self.as_of.isoformat()
        _describe(model, fit)
        return model

    @property
    def spend_model(self) -> GammaGammaFitter | None:
        """The spend model, ready to predict; None where there was none."""
        fit = self.spend
        if fit is None:
            return None
        model = GammaGammaFitter()
        _set_parameters(model, fit.parameters, np.array(fit.log_covariance))
        model.observed_mean_, model.bounded_mean_ = fit.observed_mean, fit.bounded_mean
        model.mean_exists_ = fit.parameters["q"] > 1
        _describe(model, fit)
        return model


def purchase_model_of(
    name: str, parameters: dict[str, float], log_covariance: np.ndarray
) -> PurchaseFitter:
    """A purchase model that was not fitted here: parameters, errors, and all that predicts.

    Parameters
    ----------
    name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    parameters : dict of float
    log_covariance : ndarray, shape (4, 4)
        Of the logarithms of the parameters.

    Returns
    -------
    PurchaseFitter
        A lifetimes fitter without `data`.
    """
    model = PURCHASE_MODELS[name]()
    _set_parameters(model, parameters, log_covariance)
    model.findings_, model.degenerate_ = (), None
    model.predict = model.conditional_expected_number_of_purchases_up_to_time
    return model


def parameter_names(name: str) -> tuple[str, ...]:
    """The parameters of a model, in their order."""
    if name == "gammagamma":
        return SPEND_PARAMETERS
    return PURCHASE_MODELS[name].parameter_names


def _set_parameters(model: Any, parameters: dict[str, float], log_covariance: np.ndarray) -> None:
    values = pd.Series(parameters, dtype=float)
    model.params_ = values
    model.log_covariance_ = log_covariance
    model.variance_matrix_ = pd.DataFrame(
        np.outer(values, values) * log_covariance, index=values.index, columns=values.index
    )
    model.standard_errors_ = model._compute_standard_errors()
    model.confidence_intervals_ = model._compute_confidence_intervals()


def _describe(model: Any, fit: StoredFit) -> None:
    model.log_likelihood_ = fit.log_likelihood
    model.findings_ = tuple(
        Finding(f.kind, f.serious, Sentence("{text}", text=f.text)) for f in fit.findings
    )
    model.degenerate_ = words(model.findings_)
