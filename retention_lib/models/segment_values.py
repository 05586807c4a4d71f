"""What the customers of a segment or tier are worth on average, and how sure that is.

Two things move a group's value: the models' error, which moves all customers together, and chance,
which moves each apart. The first is worked out for all groups at once by the delta method. Chance's
part adds up over customers: of a group whose customers buy often enough, a few simulated futures
of the base show it. Other groups are simulated, future by future.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.clv import discounted_purchases, expected_spend, value_in_total
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast
from retention_lib.models.histories import Floats, Integers, compress, distinct
from retention_lib.models.predictive import value_by_chance
from retention_lib.models.ruler import check_scoring
from retention_lib.models.sigma import HALF, variance_of_both
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate
from retention_lib.models.widening import errors_in_money, with_past

#: Expected purchases of a group from which on its sum counts as normal, in logarithms.
MUCH: Final = 100
#: Simulated futures that show how far chance moves a group.
FUTURES: Final = 10


def clv_by_group(
    base: Base, made: Forecast, groups: pd.Series, *, draws: int = 100, seed: int = 0
) -> pd.DataFrame:
    """Mean CLV of each group with its 95 % interval, under the base's own models.

    The interval is that of the models' error and the customers' own chance, widened like the base's
    total by what past forecasts of this base missed. Groups by expected value are fixed by it
    beforehand, so that none is called the best for the luck of a draw.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    groups : Series
        By customer; who has none is left out.
    draws, seed : int
        Of the simulation of groups that buy little.

    Returns
    -------
    DataFrame
        `clv_mean`, `low`, `high`, by group; empty where there is no forecast in money.
    """
    empty = pd.DataFrame({"clv_mean": [], "low": [], "high": []}, dtype=float)
    if made.unknowable is not None or made.spend_model is None:
        return empty
    customers = base.customers()
    check_scoring(
        customers, made.purchase_model, time_unit=made.terms.time_unit, as_of=made.terms.as_of
    )
    codes, names = pd.factorize(groups.reindex(customers.index))
    some = codes >= 0
    customers, codes = customers.loc[some], codes[some]
    values = made.valuation.customers.loc[customers.index]
    n = np.bincount(codes)
    means = np.bincount(codes, values["clv"]) / n
    normal = (np.bincount(codes, values["expected_purchases"]) >= MUCH) & (means > 0)
    errors = _errors(customers, values, codes, normal, made, seed)
    past = errors_in_money(made.backtests)
    bias = made.holdout.bias if made.holdout else None
    rows = {}
    for group, name in enumerate(names):
        wide = float(np.exp(HALF * errors[group]))
        mean: Estimate | None = Estimate(means[group], means[group] / wide, means[group] * wide)
        if not normal[group]:
            mean = value_in_total(
                customers.loc[codes == group],
                made.purchase_model,
                made.spend_model,
                made.terms,
                draws=draws,
                seed=seed,
            ).clv_mean
        assert mean is not None  # there is a spend model
        both = with_past(mean, past, bias)
        rows[name] = {"clv_mean": both.value, "low": both.low, "high": both.high}
    return pd.DataFrame.from_dict(rows, orient="index") if rows else empty


def _errors(
    customers: pd.DataFrame,
    values: pd.DataFrame,
    codes: Integers,
    which: np.ndarray,
    made: Forecast,
    seed: int,
) -> Floats:
    """Standard deviation of the logarithm of each group's value.

    Parameters
    ----------
    customers : DataFrame
    values : DataFrame
        Theirs, `made.valuation.customers`.
    codes : ndarray of int, shape (n,)
        Their groups, from 0 on.
    which : ndarray of bool, shape (groups,)
        For which groups it is asked.
    made : Forecast
        With a spend model.
    seed : int

    Returns
    -------
    ndarray, shape (groups,)
        0 for the other groups.
    """
    assert made.spend_model is not None
    result = np.zeros(len(which))
    if not which.any():
        return result
    rows = which[codes]
    customers, values, codes = customers.loc[rows], values.loc[rows], codes[rows]
    times, factors = made.terms.by_month
    h = compress(customers["frequency"], customers["recency"], customers["T"])
    pairs = distinct(h.frequency, h.T)
    spend = values["expected_spend"].to_numpy()

    def log_sums(spent: Floats, discounted: Floats) -> Floats:
        return np.log(np.bincount(codes, spent * discounted[h.inverse], len(which))[which])

    def discounted_by(model: PurchaseFitter) -> tuple[Floats, Floats]:
        return discounted_purchases(model, h, times, factors, pairs)[1:]

    def of_purchases(model: PurchaseFitter) -> Floats:
        return log_sums(spend, discounted_by(model)[1])

    def of_spend(model: GammaGammaFitter) -> Floats:
        return log_sums(expected_spend(customers, model), discounted)

    purchases, discounted = discounted_by(made.purchase_model)
    by_fit = variance_of_both(made.purchase_model, made.spend_model, of_purchases, of_spend)
    clv = values["clv"].to_numpy()
    futures = value_by_chance(
        customers,
        h,
        made.purchase_model,
        made.spend_model,
        horizon=float(times[-1]),
        worth=made.terms.margin * (discounted / np.maximum(purchases, 1e-300))[h.inverse],
        expected_spend=spend,
        futures=FUTURES,
        seed=seed,
    )
    squares = np.mean([np.bincount(codes, (f - clv) ** 2, len(which)) for f in futures], axis=0)
    by_chance = squares[which] / np.bincount(codes, clv, len(which))[which] ** 2
    result[which] = np.sqrt(by_fit + by_chance)
    return result
