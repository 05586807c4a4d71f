"""From the per-customer frame to a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from retention_lib.errors import DataError
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.names import TITLES
from retention_lib.models.pareto import ParetoNBDFitter
from retention_lib.models.purchase import BetaGeoFitter, ModifiedBetaGeoFitter
from retention_lib.models.spend import GammaGammaFitter

#: Name in the client file -> model.
PURCHASE_MODELS: dict[str, type[PurchaseFitter]] = {
    "bgnbd": BetaGeoFitter,
    "mbgnbd": ModifiedBetaGeoFitter,
    "paretonbd": ParetoNBDFitter,
}


def fit_purchase_model(
    customers: pd.DataFrame,
    name: str,
    optimum: Mapping[str, float] | None = None,
    *,
    near: Mapping[str, float] | None = None,
) -> PurchaseFitter:
    """Fit a purchase model on a customer summary.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with `frequency`, `recency` and `T`; `attrs` (`time_unit`,
        `grain`, `as_of`) are kept with the model where they are known.
    name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    optimum : mapping, optional
        The parameters of an earlier fit on the same customers, which are then not searched again.
    near : mapping, optional
        Those of a fit on customers much like these: the search begins there, and ends there too
        where it finds a distinct optimum.

    Returns
    -------
    PurchaseFitter
        A lifetimes fitter. A base that can't identify the model still gives one; its `degenerate_`
        then says so.

    Raises
    ------
    ValueError
        An unknown name.
    DataError
        No customers, rows that no purchase history can have, purchases that aren't per day.
    """
    if name not in PURCHASE_MODELS:
        raise ValueError(f"model is {name!r}; known are {', '.join(PURCHASE_MODELS)}.")
    _require(customers, ("frequency", "recency", "T"), TITLES[name])
    grain = customers.attrs.get("grain", "day")
    if grain != "day":
        raise DataError(
            f"The customer summary has purchases collapsed per {grain}, and the models take them "
            "per day; make the summary anew from the purchases."
        )
    model = PURCHASE_MODELS[name]()
    try:
        model.fit(
            customers["frequency"],
            customers["recency"],
            customers["T"],
            index=customers.index,
            **_start(optimum, near, float(customers["T"].max())),
        )
    except ValueError as error:
        raise DataError(
            f"The customer summary can't be used for the {TITLES[name]} model: {error} "
            "Make the summary anew from the purchases."
        ) from error
    for attribute in ("time_unit", "grain", "as_of"):
        said = customers.attrs.get(attribute)
        setattr(model, attribute, None if said is None else str(said))
    return model


def _start(
    optimum: Mapping[str, float] | None, near: Mapping[str, float] | None, longest: float
) -> dict[str, Any]:
    """An earlier optimum as `fit` takes it: logarithms, with the largest T as the unit of time."""
    given = optimum or near
    if given is None:
        return {}
    scale = longest if longest > 0 else 1.0
    in_time = {"alpha", "beta"}
    point = [v / scale if k in in_time else v for k, v in given.items()]
    return {"initial_params": np.log(point), "begin": "near" if optimum is None else "known"}


def repeat_buyers(customers: pd.DataFrame) -> pd.DataFrame:
    """The customers that tell something about spend: a repeat purchase, and an amount above 0.

    Parameters
    ----------
    customers : DataFrame
        With `frequency` and `monetary_value`.

    Returns
    -------
    DataFrame
    """
    amount = customers["monetary_value"]
    return customers[(customers["frequency"] > 0) & (amount > 0) & np.isfinite(amount)]


def fit_spend_model(
    customers: pd.DataFrame,
    optimum: Mapping[str, float] | None = None,
    *,
    near: Mapping[str, float] | None = None,
) -> GammaGammaFitter:
    """Fit the Gamma-Gamma model on the repeat buyers of a customer summary.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with `frequency` and `monetary_value`.
    optimum : mapping, optional
        The parameters of an earlier fit on the same customers, which are then not searched again.
    near : mapping, optional
        Those of a fit on customers much like these, as in `fit_purchase_model`.

    Returns
    -------
    GammaGammaFitter

    Raises
    ------
    DataError
        No repeat buyer with an amount above 0.
    """
    _require(customers, ("frequency", "monetary_value"), TITLES["gammagamma"])
    buyers = repeat_buyers(customers)
    if buyers.empty:
        raise DataError(
            f"None of the {len(customers):,} customers has a repeat purchase with an amount above "
            "0, so there is nothing to learn spend per purchase from; take a longer window."
        )
    known: dict[str, Any] = {}
    if (given := optimum or near) is not None:
        start = np.log([*given.values()])
        known = {"initial_params": start, "begin": "near" if optimum is None else "known"}
    return GammaGammaFitter().fit(
        buyers["frequency"], buyers["monetary_value"], index=buyers.index, **known
    )


def _require(customers: pd.DataFrame, columns: tuple[str, ...], title: str) -> None:
    missing = [c for c in columns if c not in customers]
    if missing:
        raise DataError(
            f"The customer summary lacks {', '.join(missing)}, which the {title} model needs; "
            "make the summary anew from the purchases."
        )
    if customers.empty:
        raise DataError(
            "There is no customer in the window; check its start and end against the data."
        )
