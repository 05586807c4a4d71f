"""What happened in the months held back, and what is said of it whichever the purchase model.

It is the same for every model that is tried on them, so it is worked out once for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from retention_lib.errors import DataError
from retention_lib.models.clv import expected_spend
from retention_lib.models.foreseen import spend_model_of
from retention_lib.models.histories import Floats
from retention_lib.models.measures import Score, score
from retention_lib.models.naive import Naive, naive_forecasts, per_customer


@dataclass(frozen=True, slots=True)
class Outcome:
    """The window as it happened, and its naive forecasts.

    Attributes
    ----------
    purchases : ndarray, shape (n,)
        Of each customer, as they happened.
    revenue : ndarray, shape (n,), or None
        What they amounted to; None where amounts were not given.
    spend : ndarray, shape (n,), or None
        Expected per purchase; None where nobody's spend is known, or amounts were not given.
    naive : dict of Naive
        By the keys of `naive.NAIVE`.
    scores : dict of Score
        Theirs.
    """

    purchases: Floats
    revenue: Floats | None
    spend: Floats | None
    naive: dict[str, Naive]
    scores: dict[str, Score]


def outcome_of(
    calibration: pd.DataFrame,
    actual: pd.Series,
    previous: pd.Series,
    *,
    horizon: float,
    revenue: pd.Series | None = None,
    previous_revenue: pd.Series | None = None,
) -> Outcome:
    """Set the window beside its naive forecasts.

    Parameters
    ----------
    calibration, actual, previous, horizon, revenue, previous_revenue
        As in `holdout.validate`.

    Raises
    ------
    DataError
        A window of no length.
    """
    if not horizon > 0:
        raise DataError(
            "The holdout window has no length; the history is too short to be split, or "
            "holdout_months is 0."
        )
    happened = per_customer(actual, calibration.index)
    spend_model = None if revenue is None else spend_model_of(calibration)
    naive = naive_forecasts(calibration, previous, horizon, previous_revenue)
    return Outcome(
        purchases=happened,
        revenue=None if revenue is None else per_customer(revenue, calibration.index),
        spend=None if spend_model is None else expected_spend(calibration, spend_model),
        naive=naive,
        scores={name: score(each.purchases, happened) for name, each in naive.items()},
    )
