"""What the customers of a segment or tier are worth on average, and how sure that is."""

from __future__ import annotations

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.clv import value_in_total
from retention_lib.models.forecast import Forecast
from retention_lib.models.widening import errors_in_money, with_past


def clv_by_group(
    base: Base, made: Forecast, groups: pd.Series, *, draws: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Mean CLV of each group with its 95 % interval, under the base's own models.

    The interval is that of the group's simulated futures, widened like the base's total by what
    past forecasts of this base missed. Groups by expected value are fixed by it beforehand, so that
    none is called the best for the luck of a draw.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    groups : Series
        By customer; who has none is left out.
    draws, seed : int
        Of the simulation.

    Returns
    -------
    DataFrame
        `clv_mean`, `low`, `high`, by group; empty where there is no forecast in money.
    """
    empty = pd.DataFrame({"clv_mean": [], "low": [], "high": []}, dtype=float)
    if made.unknowable is not None or made.spend_model is None:
        return empty
    customers = base.customers()
    label = groups.reindex(customers.index)
    errors = errors_in_money(made.backtests)
    bias = made.holdout.bias if made.holdout else None
    rows = {}
    for group, members in label.groupby(label, observed=True, sort=False).groups.items():
        part = customers.loc[members]
        part.attrs = dict(customers.attrs)
        totals = value_in_total(
            part,
            made.purchase_model,
            made.spend_model,
            made.terms,
            draws=draws,
            seed=seed,
        )
        assert totals.clv_mean is not None  # there is a spend model
        both = with_past(totals.clv_mean, errors, bias)
        rows[group] = {"clv_mean": both.value, "low": both.low, "high": both.high}
    return pd.DataFrame.from_dict(rows, orient="index") if rows else empty
