"""What customers are worth: expected purchases × spend, month by month, discounted, in margin.

Residual value of the existing customers over a horizon. Months are calendar months counted from the
end of observation: the k-th ends on `as_of` + k months, and what is bought in it is discounted from
that day by (1 + yearly rate)^(k/12). Purchases and spend are independent by assumption, so their
expectations multiply (Fader, Hardie & Lee 2005, "RFM and CLV", Journal of Marketing Research 42).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.errors import DataError
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories, Integers, compress, distinct
from retention_lib.models.predictive import Draws, draw_futures
from retention_lib.models.ruler import check_scoring
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate, Totals, totals_of
from retention_lib.units import DAYS_PER_UNIT

__all__ = [
    "Estimate",
    "Terms",
    "Totals",
    "Valuation",
    "discounted_purchases",
    "expected_values",
    "month_boundaries",
    "value_base",
    "value_in_total",
]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a value is: of how many months, discounted how, in what share of revenue, since when.

    Attributes
    ----------
    horizon_months : int
        At least 1.
    discount_rate : float
        Yearly, for example 0.10.
    margin : float
        Share of revenue; 1 gives revenue.
    as_of : date
        The end of observation, from which the horizon runs.
    time_unit : str
        `day` or `week`: the unit of recency and T.
    """

    horizon_months: int
    discount_rate: float
    margin: float
    as_of: str | pd.Timestamp
    time_unit: str

    @property
    def by_month(self) -> tuple[Floats, Floats]:
        """Ends of the horizon's months, as `month_boundaries`, and the discount of each."""
        months = self.horizon_months
        factors = (1 + self.discount_rate) ** (-np.arange(1, months + 1) / 12)
        return month_boundaries(self.as_of, months, self.time_unit), factors


@dataclass(frozen=True, slots=True)
class Valuation:
    """Each customer's value, and the base's.

    Attributes
    ----------
    customers : DataFrame
        Indexed like the customers: `p_alive`; `expected_purchases` in the horizon; `expected_spend`
        per purchase; `clv`, discounted margin in the horizon; `clv_low`, `clv_high`,
        `purchases_low`, `purchases_high`, between which the customer's outcome falls with at least
        95 % probability if the model holds (parameters' error included). Low is 0 for most
        customers: that they don't come back is a likely outcome.
    totals : Totals
    """

    customers: pd.DataFrame
    totals: Totals


def month_boundaries(as_of: str | pd.Timestamp, months: int, time_unit: str) -> Floats:
    """Time from `as_of` to the end of each of the next months.

    Parameters
    ----------
    as_of : date
    months : int
    time_unit : str
        `day` or `week`.

    Returns
    -------
    ndarray, shape (months,)
        In `time_unit`, with the calendar's own lengths.

    Raises
    ------
    ValueError
        An unknown time unit.

    Examples
    --------
    >>> month_boundaries("2024-01-31", 3, "day").tolist()
    [29.0, 60.0, 90.0]
    """
    if time_unit not in DAYS_PER_UNIT:
        raise ValueError(f"time_unit is {time_unit!r}; known are day and week.")
    start = pd.Timestamp(as_of)
    days = [(start + pd.DateOffset(months=k) - start).days for k in range(1, months + 1)]
    return np.array(days, dtype=float) / DAYS_PER_UNIT[time_unit]


def value_base(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    terms: Terms,
    *,
    draws: int = 400,
    seed: int = 0,
) -> Valuation:
    """Each customer's value and the base's, from one simulation.

    Parameters
    ----------
    customers : DataFrame
        One row per customer with `frequency`, `recency`, `T`, `monetary_value`.
    purchase_model : PurchaseFitter
    spend_model : GammaGammaFitter or None
        None leaves every figure in money unknown.
    terms : Terms
    draws : int
        Simulated futures behind the intervals.
    seed : int
        The same seed gives the same intervals.

    Returns
    -------
    Valuation

    Raises
    ------
    DataError
        The model was fitted in another unit of time, or there are no customers.
    ValueError
        An unknown time unit, a horizon below one month.
    """
    frame, futures, totals = _valued(
        customers, purchase_model, spend_model, terms, draws=draws, seed=seed, each=True
    )
    frame = frame.assign(
        clv_low=futures.value_low,
        clv_high=futures.value_high,
        purchases_low=futures.purchases_low,
        purchases_high=futures.purchases_high,
    )
    return Valuation(frame, totals)


def value_in_total(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    terms: Terms,
    *,
    draws: int = 400,
    seed: int = 0,
) -> Totals:
    """The totals that `value_base` gives, without what it works out for each customer."""
    return _valued(
        customers, purchase_model, spend_model, terms, draws=draws, seed=seed, each=False
    )[2]


def _valued(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    terms: Terms,
    *,
    draws: int,
    seed: int,
    each: bool,
) -> tuple[pd.DataFrame, Draws, Totals]:
    """The expected values, the simulated futures around them, and the totals of both."""
    frame, histories, discount, horizon = _expectations(
        customers, purchase_model, spend_model, terms
    )
    top = np.zeros(len(customers), dtype=bool)
    top[np.argsort(-frame["clv"].to_numpy(), kind="stable")[: -(-len(customers) // 5)]] = True
    futures = draw_futures(
        customers,
        histories,
        purchase_model,
        spend_model,
        horizon=horizon,
        worth=terms.margin * discount,
        expected_spend=frame["expected_spend"].to_numpy(),
        top=top,
        draws=draws,
        seed=seed,
        each=each,
    )
    return frame, futures, totals_of(frame, top, futures)


def expected_values(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    terms: Terms,
) -> pd.DataFrame:
    """Each customer's value without intervals; parameters as in `value_base`.

    Returns
    -------
    DataFrame
        Indexed like `customers`: `p_alive`, `expected_purchases`, `expected_spend`, `clv`.
    """
    return _expectations(customers, purchase_model, spend_model, terms)[0]


def _expectations(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    terms: Terms,
) -> tuple[pd.DataFrame, Histories, Floats, float]:
    """The expected values, and what a simulation around them needs.

    Returns
    -------
    frame : DataFrame
        See `expected_values`.
    histories : Histories
        Of these customers, equal ones merged.
    discount : ndarray, shape (n,)
        Mean discount factor of each customer's purchases.
    horizon : float
        In the model's unit of time.
    """
    if customers.empty:
        raise DataError(
            "There is no customer in the window; check its start and end against the data."
        )
    if terms.horizon_months < 1:
        raise ValueError(f"horizon_months is {terms.horizon_months}; it must be at least 1.")
    check_scoring(customers, purchase_model, time_unit=terms.time_unit, as_of=terms.as_of)
    times, factors = terms.by_month
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    alive, purchases, discounted = discounted_purchases(purchase_model, histories, times, factors)
    # The mean discount of a customer's purchases; the simulation uses it for each of them.
    discount = np.divide(discounted, purchases, out=np.ones_like(purchases), where=purchases > 0)

    row = histories.inverse
    spend = expected_spend(customers, spend_model)
    frame = pd.DataFrame(
        {
            "p_alive": alive[row],
            "expected_purchases": purchases[row],
            "expected_spend": spend,
            "clv": terms.margin * spend * discounted[row],
        },
        index=customers.index,
    )
    return frame, histories, discount[row], float(times[-1])


def discounted_purchases(
    model: PurchaseFitter,
    histories: Histories,
    times: Floats,
    factors: Floats,
    pairs: tuple[Integers, Integers] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """What is expected of customers by a horizon's end, as it is and discounted.

    Parameters
    ----------
    model : PurchaseFitter
    histories : Histories
    times : ndarray, shape (k,)
        Ends of the months, ascending.
    factors : ndarray, shape (k,)
        Discount of each month.
    pairs : tuple of two ndarray, optional
        `histories.distinct` of x and T, where it is at hand.

    Returns
    -------
    alive, purchases, discounted : ndarray, shape (m,)
        P(alive), expected purchases and their discounted number, of each distinct history.
    """
    x, t_x, age = histories.frequency, histories.recency, histories.T
    alive = np.asarray(model.conditional_probability_alive(x, t_x, age))
    # Of somebody who is alive the last purchase's day says nothing more.
    first, inverse = pairs or distinct(x, age)
    ahead = model.expected_if_alive(times, x[first], age[first])
    discounted = (np.diff(ahead, axis=1, prepend=0.0) * factors).sum(axis=1)
    return alive, alive * ahead[inverse, -1], alive * discounted[inverse]


def expected_spend(customers: pd.DataFrame, model: GammaGammaFitter | None) -> Floats:
    """What each customer is expected to spend per purchase; NaN without a model.

    Parameters
    ----------
    customers : DataFrame
        With `frequency` and `monetary_value`.
    model : GammaGammaFitter or None

    Returns
    -------
    ndarray, shape (n,)
    """
    if model is None:
        return np.full(len(customers), np.nan)
    x = customers["frequency"].to_numpy(dtype=float)
    amount = customers["monetary_value"].to_numpy(dtype=float)
    # A repeat purchase without a usable amount tells of coming back, not of spending.
    known = (x > 0) & np.isfinite(amount) & (amount > 0)
    result = model.conditional_expected_average_profit(np.where(known, x, 0), amount)
    return np.asarray(result, dtype=float)
