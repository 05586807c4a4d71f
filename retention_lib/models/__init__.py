"""Purchase and spend models, what customers are worth, and whether to believe it."""

from __future__ import annotations

from retention_lib.models.choose import choose
from retention_lib.models.clv import (
    Valuation,
    expected_values,
    value_base,
)
from retention_lib.models.fit import (
    PURCHASE_MODELS,
    TITLES,
    fit_purchase_model,
    fit_spend_model,
    repeat_buyers,
)
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.holdout import Holdout, validate
from retention_lib.models.pareto import ParetoNBDFitter
from retention_lib.models.purchase import BetaGeoFitter, ModifiedBetaGeoFitter
from retention_lib.models.spend import GammaGammaFitter, independence
from retention_lib.models.totals import Estimate, Totals
from retention_lib.models.verdict import Verdict, verdict

__all__ = [
    "PURCHASE_MODELS",
    "TITLES",
    "BetaGeoFitter",
    "Estimate",
    "GammaGammaFitter",
    "Holdout",
    "ModifiedBetaGeoFitter",
    "ParetoNBDFitter",
    "PurchaseFitter",
    "Totals",
    "Valuation",
    "Verdict",
    "choose",
    "expected_values",
    "fit_purchase_model",
    "fit_spend_model",
    "independence",
    "repeat_buyers",
    "validate",
    "value_base",
    "verdict",
]
