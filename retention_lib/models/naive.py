"""Forecasts that need no model: what a spreadsheet would say of the same customers.

A model is worth its trouble only where it beats the best of them. Three are made side by side:

- `before`: as much as in the equally long window before;
- `own_rate`: each customer goes on at the own rate, x / T, at the own average amount;
- `mean_rate`: every customer buys at the base's mean rate and spends the average ticket: the
  spreadsheet's "average ticket × frequency".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from retention_lib.models.histories import Floats
from retention_lib.sentence import Sentence
from retention_lib.units import DAYS_PER_UNIT

#: What each of them says, as part of a sentence.
NAIVE: Mapping[str, Sentence] = MappingProxyType(
    {
        "before": Sentence("as many as in the equally long window before"),
        "own_rate": Sentence("each customer at the own rate so far"),
        "mean_rate": Sentence("everybody at the base's mean rate"),
    }
)
#: Days that a customer counts as known at least, lest two orders in a first week become a rate of
#: a hundred a year. No spreadsheet would be believed that said so.
_KNOWN_AT_LEAST = 30.0


@dataclass(frozen=True, slots=True)
class Naive:
    """One naive forecast.

    Attributes
    ----------
    name : str
        A key of `NAIVE`.
    purchases : ndarray, shape (n,)
        Expected of each customer in the window.
    revenue : ndarray, shape (n,), or None
        The same in money; None where amounts are not known.
    """

    name: str
    purchases: Floats
    revenue: Floats | None


def naive_forecasts(
    customers: pd.DataFrame,
    previous: pd.Series,
    horizon: float,
    previous_revenue: pd.Series | None = None,
) -> dict[str, Naive]:
    """All naive forecasts for a window that begins where the customers' histories end.

    Parameters
    ----------
    customers : DataFrame
        Customer summary; `purchases` and `amount_mean`, or else `monetary_value`, tell of amounts.
    previous : Series
        Purchases of each customer in the equally long window before; who is missing made none.
    horizon : float
        Length of the window, in the summary's unit of time.
    previous_revenue : Series, optional
        What these purchases amounted to.

    Returns
    -------
    dict of Naive
        By the keys of `NAIVE`, in their order.
    """
    x = customers["frequency"].to_numpy(dtype=float)
    age = customers["T"].to_numpy(dtype=float)
    unit = DAYS_PER_UNIT.get(str(customers.attrs.get("time_unit")), 1)
    own_rate = x / np.maximum(age, _KNOWN_AT_LEAST / unit)
    mean_rate = x.sum() / age.sum() if age.sum() > 0 else 0.0
    counts = {
        "before": per_customer(previous, customers.index),
        "own_rate": own_rate * horizon,
        "mean_rate": np.full(len(x), mean_rate * horizon),
    }
    money: dict[str, Floats | None] = dict.fromkeys(counts)
    if previous_revenue is not None:
        money["before"] = per_customer(previous_revenue, customers.index)
    if (amounts := _amounts(customers)) is not None:
        own, ticket = amounts
        money["own_rate"] = counts["own_rate"] * own
        money["mean_rate"] = counts["mean_rate"] * ticket
    return {name: Naive(name, counts[name], money[name]) for name in NAIVE}


def per_customer(values: pd.Series, index: pd.Index) -> Floats:
    """Values in the order of an index, 0 for who is missing."""
    return values.reindex(index).fillna(0).to_numpy(dtype=float)


def _amounts(customers: pd.DataFrame) -> tuple[Floats, float] | None:
    """Each customer's mean amount per purchase, and the base's; None where nothing is known."""
    if {"amount_mean", "purchases"} <= set(customers.columns):
        own = customers["amount_mean"].to_numpy(dtype=float)
        number = customers["purchases"].to_numpy(dtype=float)
    elif "monetary_value" in customers:
        own = customers["monetary_value"].to_numpy(dtype=float)
        number = customers["frequency"].to_numpy(dtype=float)
    else:
        return None
    known = np.isfinite(own) & (number > 0)
    if not known.any():
        return None
    ticket = float(own[known] @ number[known] / number[known].sum())
    return np.where(known, own, ticket), ticket
