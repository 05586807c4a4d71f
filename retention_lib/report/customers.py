"""The table of the customers: history, segment, tier, and what each is expected to do."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.forecast import Forecast, expected_now
from retention_lib.retention.lists import ActionList, action_lists
from retention_lib.retention.segments import Rfm, rfm, tiers

#: Columns of `customers.parquet`, after the customer's id.
COLUMNS: Final = (
    *("first", "last", "purchases", "frequency", "recency", "T", "monetary_value"),
    *("amount_mean", "revenue", "r", "f", "m", "segment", "tier", "p_alive"),
    *("expected_purchases", "purchases_low", "purchases_high", "expected_spend"),
    *("clv", "clv_low", "clv_high"),
)


def customer_table(base: Base, made: Forecast, scores: Rfm | None = None) -> pd.DataFrame:
    """One row per customer, indexed by customer.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    scores : Rfm, optional
        Where it is at hand.

    Returns
    -------
    DataFrame
        `COLUMNS`, and `T_days`, days since the first purchase. Times are in the client's
        `time_unit`; value is discounted margin within the horizon, in the report's currency. What
        a forecast would say is missing where the base can't carry one.
    """
    values = made.valuation.customers
    if made.unknowable is not None:
        values = values * np.nan
    return _table(base, values, scores)


def lists_at(earlier: Base, model: str) -> tuple[ActionList, ...]:
    """The lists that a base would have had on an earlier day, by the model that is used today.

    Parameters
    ----------
    earlier : Base
        `Base.at` that day: the model is fitted on what was known then.
    model : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    """
    return action_lists(_table(earlier, expected_now(earlier, model)))


def _table(base: Base, values: pd.DataFrame, scores: Rfm | None = None) -> pd.DataFrame:
    customers = base.customers()
    scores = scores or rfm(customers, base.as_of)
    table = customers.join(scores.scores).join(values)
    table["tier"] = tiers(table["clv"], base.params.tiers)
    table = table[[column for column in COLUMNS if column in table]]
    return table.assign(T_days=(pd.Timestamp(base.as_of) - table["first"]).dt.days)
