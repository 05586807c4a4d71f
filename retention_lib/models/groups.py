"""Models by market or cohort: an own fit where a group is large and different, else the common.

A split costs certainty: each fit rests on fewer customers. So a group gets its own only if it is
large enough to be fitted, and only if the groups differ by more than chance explains; and then its
parameters are drawn towards those of all (`pooling`). Purchases and spend are judged apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from retention_lib.errors import DataError
from retention_lib.models.clv import Terms, value_in_total
from retention_lib.models.fit import fit_purchase_model, fit_spend_model, repeat_buyers
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.pooling import differ, shrink, with_parameters
from retention_lib.models.ruler import ruler_of
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate
from retention_lib.sentence import N_, Sentence

#: Customers, and repeat buyers among them, from which a group can have a fit of its own.
ENOUGH: Final = 300
ENOUGH_REPEAT_BUYERS: Final = 100
#: Chance of such differences between equal groups, below which they count as different.
LEVEL: Final = 0.05
#: Findings with which a fit is still one: its errors say what it doesn't know.
_HARMLESS: Final = {"weak", "one_cohort"}

Model = TypeVar("Model", PurchaseFitter, GammaGammaFitter)


@dataclass(frozen=True, slots=True)
class Groups:
    """Customers by group, each with the model that serves it.

    Attributes
    ----------
    name : str
        What groups them, such as `market`.
    table : DataFrame
        One row per group, largest first: `group`; `n`; `repeat_buyers`; `own_purchases` and
        `own_spend`, whether it has its own fit; the parameters (`r`, `alpha`, …, `p`, `q`, `v`) it
        is forecast with; `purchases` expected in the horizon and `clv_mean`, each with `_low` and
        `_high`, 95 % by the model alone (the latter NaN without a spend model).
    purchase_models : dict of PurchaseFitter
    spend_models : dict of GammaGammaFitter
        By group; empty without a spend model.
    p_value, spend_p_value : float or None
        Of the tests whether groups differ; None where fewer than two could be fitted.
    left_out : int
        Customers who belong to no group.
    sentences : tuple of Sentence
        Whether customers differ by group in how they buy, then in what they spend.
    """

    name: str
    table: pd.DataFrame
    purchase_models: dict[str, PurchaseFitter]
    spend_models: dict[str, GammaGammaFitter]
    p_value: float | None
    spend_p_value: float | None
    left_out: int
    sentences: tuple[Sentence, ...]


def fit_by_group(
    customers: pd.DataFrame,
    groups: pd.Series,
    name: str,
    *,
    model_name: str,
    horizon_months: int,
    discount_rate: float,
    margin: float,
    draws: int = 200,
    seed: int = 0,
) -> Groups:
    """Fit and value customers by group.

    Parameters
    ----------
    customers : DataFrame
        Customer summary with its `attrs`.
    groups : Series
        By customer; those who are missing, or have none, are left out.
    name : str
        What groups them, to be told.
    model_name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    horizon_months : int
    discount_rate, margin : float
    draws, seed : int
        Of the simulation behind the intervals.

    Returns
    -------
    Groups

    Raises
    ------
    DataError
        No customer in any group; a summary that doesn't say what it is measured in.
    """
    ruler = ruler_of(customers)
    terms = Terms(horizon_months, discount_rate, margin, ruler.as_of.isoformat(), ruler.time_unit)
    label = groups.reindex(customers.index)
    parts = {
        str(group): customers.loc[rows].copy(deep=False)
        for group, rows in label.groupby(label, sort=False).groups.items()
    }
    if not parts:
        raise DataError(
            f"None of the {len(customers):,} customers has a {name}; map its column, or leave the "
            "dimension out."
        )
    parts = dict(sorted(parts.items(), key=lambda item: (-len(item[1]), item[0])))
    for part in parts.values():
        part.attrs = dict(customers.attrs)

    pooled = fit_purchase_model(customers, model_name)
    fits = {g: fit_purchase_model(p, model_name) for g, p in parts.items() if _large(p)}
    fits = {g: fit for g, fit in fits.items() if _sound(fit)}
    together = pooled
    if len(fits) > 1 and sum(len(parts[g]) for g in fits) < len(customers):
        together = fit_purchase_model(_joined(parts, fits), model_name)
    own, p_value = _own(together, fits)

    spend_models, own_spend, spend_p_value = _spend(customers, parts)
    models = {g: own.get(g, pooled) for g in parts}
    rows = []
    for group, part in parts.items():
        totals = value_in_total(
            part,
            models[group],
            spend_models.get(group),
            terms,
            draws=draws,
            seed=seed,
        )
        row: dict[str, Any] = {
            "group": group,
            "n": len(part),
            "repeat_buyers": int((part["frequency"] > 0).sum()),
            "own_purchases": group in own,
            "own_spend": group in own_spend,
        }
        for model in (models[group], spend_models.get(group)):
            if model is not None:
                row |= {str(k): float(v) for k, v in model.params_.items()}
        row |= _columns("purchases", totals.purchases)
        row |= _columns("clv_mean", totals.clv_mean)
        rows.append(row)
    return Groups(
        name=name,
        table=pd.DataFrame(rows),
        purchase_models=models,
        spend_models=spend_models,
        p_value=p_value,
        spend_p_value=spend_p_value,
        left_out=len(customers) - sum(map(len, parts.values())),
        sentences=(
            _told(p_value, len(own), len(parts), name, (BUY_APART, BUY_ALIKE, BUY_TOO_FEW)),
            _told(
                spend_p_value, len(own_spend), len(parts), name, (PAY_APART, PAY_ALIKE, PAY_TOO_FEW)
            ),
        ),
    )


def _spend(
    customers: pd.DataFrame, parts: dict[str, pd.DataFrame]
) -> tuple[dict[str, GammaGammaFitter], dict[str, GammaGammaFitter], float | None]:
    """Each group's spend model; those that are the group's own; whether the groups differ."""
    if repeat_buyers(customers).empty:
        return {}, {}, None
    pooled = fit_spend_model(customers)
    able = {g: p for g, p in parts.items() if _large(p) and len(repeat_buyers(p)) > 1}
    fits = {g: fit for g, p in able.items() if _sound(fit := fit_spend_model(p))}
    together = pooled
    if len(fits) > 1:
        together = fit_spend_model(_joined(parts, fits))
    own, p_value = _own(together, fits) if not together.bounded else ({}, None)
    # Between two means that exist lies, by direction, now and then one that doesn't.
    own = {g: model if model.params_["q"] > 1 else fits[g] for g, model in own.items()}
    return {g: own.get(g, pooled) for g in parts}, own, p_value


def _own(together: Model, fits: dict[str, Model]) -> tuple[dict[str, Model], float | None]:
    """The groups' own models, drawn towards the common; none where the groups don't differ."""
    if len(fits) < 2:
        return {}, None
    each = [fit.log_likelihood_ for fit in fits.values()]
    p_value = differ(together.log_likelihood_, each, len(together.params_))
    if not p_value < LEVEL:
        return {}, p_value
    drawn = shrink(
        np.asarray(together.params_, dtype=float),
        [np.asarray(fit.params_, dtype=float) for fit in fits.values()],
        [fit.log_covariance_ for fit in fits.values()],
    )
    own = {g: with_parameters(fit, s) for (g, fit), s in zip(fits.items(), drawn, strict=True)}
    return own, p_value


def _large(part: pd.DataFrame) -> bool:
    return len(part) >= ENOUGH and int((part["frequency"] > 0).sum()) >= ENOUGH_REPEAT_BUYERS


def _sound(fit: PurchaseFitter | GammaGammaFitter) -> bool:
    return {f.kind for f in fit.findings_} <= _HARMLESS


def _joined(parts: dict[str, pd.DataFrame], fits: dict[str, Any]) -> pd.DataFrame:
    joined = pd.concat([parts[g] for g in fits])
    joined.attrs = dict(next(iter(parts.values())).attrs)
    return joined


def _columns(name: str, estimate: Estimate | None) -> dict[str, float]:
    if estimate is None:
        return {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _told(
    p_value: float | None, own: int, all_: int, name: str, messages: tuple[str, str, str]
) -> Sentence:
    apart, alike, too_few = messages
    if p_value is None:
        return Sentence(too_few, name=name, enough=ENOUGH, repeaters=ENOUGH_REPEAT_BUYERS)
    return Sentence(apart if own else alike, name=name, own=own, all=all_)


BUY_APART = N_(
    "By {name}, customers differ in how often they buy and how long they stay, more than chance "
    "explains. Groups with a model of their own: {own} of {all}."
)
BUY_ALIKE = N_(
    "By {name}, no difference in how often customers buy and how long they stay stands out from "
    "chance; one model serves all."
)
BUY_TOO_FEW = N_(
    "By {name}, fewer than two groups have the {enough} customers and {repeaters} repeat buyers "
    "that a purchase model of their own takes, or tell enough for one; one model serves all."
)
PAY_APART = N_(
    "By {name}, customers differ in what they spend per purchase, more than chance explains. "
    "Groups with a spend model of their own: {own} of {all}."
)
PAY_ALIKE = N_(
    "By {name}, no difference in what customers spend per purchase stands out from chance; one "
    "spend model serves all."
)
PAY_TOO_FEW = N_(
    "By {name}, fewer than two groups have the {enough} customers and {repeaters} repeat buyers "
    "that a spend model of their own takes, or tell enough for one; one spend model serves all."
)
