"""Purchase and spend models, what customers are worth, and whether to believe it.

The names here load with the module that defines them, when they are first asked for: a fit needs
neither the engine that reads orders nor the tests on the past.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retention_lib.models.clv import Terms, Valuation, expected_values, value_base
    from retention_lib.models.fit import (
        PURCHASE_MODELS,
        fit_purchase_model,
        fit_spend_model,
        repeat_buyers,
    )
    from retention_lib.models.fitter import PurchaseFitter
    from retention_lib.models.holdout import Holdout, validate
    from retention_lib.models.names import TITLES
    from retention_lib.models.pareto import ParetoNBDFitter
    from retention_lib.models.purchase import BetaGeoFitter, ModifiedBetaGeoFitter
    from retention_lib.models.spend import GammaGammaFitter
    from retention_lib.models.totals import Estimate, Totals
    from retention_lib.models.verdict import Verdict

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
    "Terms",
    "Totals",
    "Valuation",
    "Verdict",
    "expected_values",
    "fit_purchase_model",
    "fit_spend_model",
    "repeat_buyers",
    "validate",
    "value_base",
]

#: Module -> what it gives. Functions named like their module can't be had here: the module is.
_HOMES = {
    "clv": ("Terms", "Valuation", "expected_values", "value_base"),
    "fit": ("PURCHASE_MODELS", "fit_purchase_model", "fit_spend_model", "repeat_buyers"),
    "fitter": ("PurchaseFitter",),
    "holdout": ("Holdout", "validate"),
    "names": ("TITLES",),
    "pareto": ("ParetoNBDFitter",),
    "purchase": ("BetaGeoFitter", "ModifiedBetaGeoFitter"),
    "spend": ("GammaGammaFitter",),
    "totals": ("Estimate", "Totals"),
    "verdict": ("Verdict",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
