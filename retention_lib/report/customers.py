"""The table of the customers: history, segment, tier, rhythm, and what each is expected to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.at_stake import value_at_stake
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast, expected_now
from retention_lib.models.rhythm import rhythm
from retention_lib.retention.interval_rule import days_away
from retention_lib.retention.outcomes import buyers_since, earlier_day
from retention_lib.retention.second_order import second_purchase_days
from retention_lib.retention.segments import Rfm, rfm, tiers
from retention_lib.retention.slipping import state_of

#: Columns of `customers.parquet`, after the customer's id.
COLUMNS: Final = (
    *("first", "last", "purchases", "frequency", "recency", "T", "monetary_value"),
    *("amount_mean", "revenue", "r", "f", "m", "segment", "tier", "p_alive"),
    *("expected_purchases", "purchases_low", "purchases_high", "expected_spend"),
    *("clv", "clv_low", "clv_high", "value_at_stake", "due", "late", "rhythm"),
)
#: Columns that lists and sections need beside them.
_BESIDE: Final = ("T_days", "away", "due_days", "late_days", "waited", "second_days")


@dataclass(frozen=True)
class Earlier:
    """The customers as they would have been judged some months ago, and who has bought since.

    Parameters
    ----------
    base : Base
        As it was then.
    months : int
        Since then.
    customers : DataFrame
        `customer_table`, of then: the model is fitted on what was known then.
    bought : Series of bool
        By the same customers: whether they have bought since.
    """

    base: Base
    months: int
    customers: pd.DataFrame
    bought: pd.Series


def valued_customers(base: Base, made: Forecast) -> pd.DataFrame:
    """One row per customer, indexed by customer: history, value and tier only.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.

    Returns
    -------
    DataFrame
        Those of `COLUMNS` that `Base.customers` and the forecast have, and `tier`; else as
        `customer_table`.
    """
    return _valued(base, _values(made))


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
        `COLUMNS`, and in days `T_days` since the first purchase, `away` since the last, `due_days`
        and `late_days` from the last to `due` and `late`; `waited` (`models.rhythm`); `second_days`
        (`retention.second_order`). Times are in the client's `time_unit`; value is discounted
        margin within the horizon, in the report's currency. What a forecast would say is missing
        where the base can't carry one.
    """
    return _table(base, _values(made), None if made.unknowable else made.purchase_model, scores)


def earlier_customers(base: Base, made: Forecast) -> Earlier | None:
    """The customers of some months ago, by the model that is used today.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the base now.

    Returns
    -------
    Earlier or None
        None where too little of the history lies before that day, or nobody was a customer yet.
    """
    then = earlier_day(base)
    if then is None or made.unknowable is not None:
        return None
    earlier, months = then
    if earlier.customers().empty:
        return None
    # the holdout's split may be the same day; if not, the optimum has not moved far since
    test, today = made.holdout, dict(made.purchase_model.params_)
    optimum = None if test is None else test.optimum_at(earlier.as_of, made.name)
    model = fit_purchase_model(earlier.customers(), made.name, optimum, near=today)
    if any(finding.serious for finding in model.findings_):
        return None
    table = _table(earlier, expected_now(earlier, model, made.spend_model), model)
    since = pd.Series(True, index=buyers_since(base, earlier))
    return Earlier(earlier, months, table, since.reindex(table.index, fill_value=False))


def _values(made: Forecast) -> pd.DataFrame:
    values = made.valuation.customers
    return values if made.unknowable is None else values * np.nan


def _valued(base: Base, values: pd.DataFrame) -> pd.DataFrame:
    table = base.customers().join(values)
    return table.assign(tier=tiers(table["clv"], base.params.tiers))


def _table(
    base: Base,
    values: pd.DataFrame,
    model: PurchaseFitter | None,
    scores: Rfm | None = None,
) -> pd.DataFrame:
    customers = base.customers()
    scores = scores or rfm(customers, base.as_of)
    table = _valued(base, values).join(scores.scores)
    table["value_at_stake"] = value_at_stake(table)
    table["T_days"] = (pd.Timestamp(base.as_of) - table["first"]).dt.days
    table["away"] = days_away(table, base.as_of)
    table["second_days"] = second_purchase_days(base)
    table = table.join(_rhythm(base, customers, model))
    for name in ("due", "late"):
        table[name] = table["last"] + pd.to_timedelta(table[f"{name}_days"], unit="D")
    table["rhythm"] = state_of(table)
    return table[[column for column in (*COLUMNS, *_BESIDE) if column in table]]


def _rhythm(base: Base, customers: pd.DataFrame, model: PurchaseFitter | None) -> pd.DataFrame:
    if model is None:
        return pd.DataFrame(
            np.nan, index=customers.index, columns=["due_days", "late_days", "waited"]
        )
    longest = (base.as_of - base.start).days
    return rhythm(customers, model, base.params.time_unit, longest)
