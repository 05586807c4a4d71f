"""The last forecast against what has happened since, by its own stored parameters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY
from retention_lib.errors import DataError
from retention_lib.metrics import Metric
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.foreseen import expected_purchases, forecast_interval
from retention_lib.models.ruler import check_scoring
from retention_lib.models.stored import conventions
from retention_lib.models.stored_format import StoredModel
from retention_lib.models.totals import Estimate
from retention_lib.models.widening import Interval, PastErrors, widened, widened_by_holdout
from retention_lib.sentence import N_, Sentence, about
from retention_lib.units import DAYS_PER_UNIT

#: Relative change in the number of customers known at the forecast's end that is worth a word.
_REVISED = 0.005


@dataclass(frozen=True, slots=True)
class ForecastScore:
    """What was forecast, beside what happened.

    Attributes
    ----------
    made_on : date
        The last day that the forecast knew of.
    first, last : date
        The window scored: from the day after to the last day known now.
    customers : int
        Customers of that day, of whom the forecast was made.
    forecast : Interval
        Their purchases in the window, with both intervals.
    actual : float
    bias : float or None
        forecast / actual − 1; None where nobody bought.
    within : bool
        Whether the interval that takes in past misses holds the actual.
    mae : float
        Mean absolute error per customer.
    revenue_forecast, revenue_actual : float or None
        Amounts of these purchases; the forecast is None without a spend model.
    sentences : tuple of Sentence
        What came of it; then what makes the comparison less than exact.
    """

    made_on: dt.date
    first: dt.date
    last: dt.date
    customers: int
    forecast: Interval
    actual: float
    bias: float | None
    within: bool
    mae: float
    revenue_forecast: float | None
    revenue_actual: float
    sentences: tuple[Sentence, ...]


def score_forecast(
    stored: StoredModel, base: Base, *, draws: int = 200, seed: int = 0
) -> ForecastScore:
    """Score a stored forecast from its end to the last day known now.

    The customers are those of the forecast's last day, with their histories up to it as the data
    have them today; the parameters are the stored ones.

    Parameters
    ----------
    stored : StoredModel
    base : Base
        As known now.
    draws : int
        Simulated futures behind the interval.
    seed : int

    Returns
    -------
    ForecastScore

    Raises
    ------
    DataError
        A forecast of another client, in another currency or ruler, that ends on or after the last
        day known now, before the data begin, or that its base could not carry.
    """
    _check(stored, base)
    params = base.params
    customers = base.customers(stored.as_of)
    if customers.empty:
        raise DataError(
            f"Nobody had bought by {stored.as_of}, the last day of the stored forecast; the data "
            "begin later than they did then."
        )
    model, spend_model = stored.purchase_model, stored.spend_model
    check_scoring(customers, model, time_unit=params.time_unit, as_of=stored.as_of)
    horizon = (base.as_of - stored.as_of).days / DAYS_PER_UNIT[params.time_unit]
    expected = expected_purchases(model, customers, horizon)
    bought = _bought_after(base, stored.as_of).reindex(customers.index).fillna(0.0)
    actual = float(bought["purchases"].sum())
    forecast = _interval(stored, model, customers, horizon, float(expected.sum()), draws, seed)
    revenue = None
    if spend_model is not None:
        amount = customers["monetary_value"].to_numpy(dtype=float)
        known = np.isfinite(amount) & (amount > 0)
        x = np.where(known, customers["frequency"].to_numpy(dtype=float), 0.0)
        each = np.asarray(spend_model.conditional_expected_average_profit(x, amount))
        revenue = float(expected @ each)
    score = ForecastScore(
        made_on=stored.as_of,
        first=stored.as_of + ONE_DAY,
        last=base.as_of,
        customers=len(customers),
        forecast=forecast,
        actual=actual,
        bias=forecast.value / actual - 1 if actual > 0 else None,
        within=forecast.low <= actual <= forecast.high,
        mae=float(np.abs(expected - bought["purchases"].to_numpy()).mean()),
        revenue_forecast=revenue,
        revenue_actual=float(bought["amount"].sum()),
        sentences=(),
    )
    return _told(score, stored, base)


def _check(stored: StoredModel, base: Base) -> None:
    params = base.params
    for what, then, now in (
        ("client", stored.client, params.client),
        ("currency", stored.currency, params.currency),
        ("time_unit", stored.time_unit, params.time_unit),
    ):
        if then != now:
            raise DataError(
                f"The stored forecast has {what} {then} and the client file has {now}; only a "
                "forecast of the same client, currency and time_unit can be scored."
            )
    if stored.as_of >= base.as_of:
        raise DataError(
            f"The stored forecast knows of purchases up to {stored.as_of} and the data end on "
            f"{base.as_of}, so that nothing has happened since to score it by; take the forecast "
            "of an earlier report."
        )
    serious = [f.text for f in stored.purchases.findings if f.serious]
    if serious:
        raise DataError(f"The stored forecast was none to score: {serious[0]}")


def _bought_after(base: Base, day: dt.date) -> pd.DataFrame:
    """`purchases` and their `amount` after a day, by customer."""
    days = base.days
    later = days.filter(
        days[schema.BOUGHT]
        & (days[schema.DAY] > ibis.date(day))
        & (days[schema.DAY] <= ibis.date(base.as_of))
    )
    bought = later.group_by(schema.CUSTOMER).aggregate(
        purchases=later.count(), amount=later[schema.AMOUNT].sum().cast("float64")
    )
    frame: pd.DataFrame = bought.execute().set_index(schema.CUSTOMER)
    return frame


def _interval(
    stored: StoredModel,
    model: PurchaseFitter,
    customers: pd.DataFrame,
    horizon: float,
    value: float,
    draws: int,
    seed: int,
) -> Interval:
    low, high = forecast_interval(model, customers, horizon, draws=draws, seed=seed)
    estimate = Estimate(
        value,
        value if low is None else min(low, value),
        value if high is None else max(high, value),
    )
    if stored.past_errors is None:
        return widened_by_holdout(estimate, stored.holdout_bias)
    return widened(estimate, PastErrors(**stored.past_errors.model_dump()))


def _told(score: ForecastScore, stored: StoredModel, base: Base) -> ForecastScore:
    figures = {
        "made": score.made_on,
        "until": score.last,
        "forecast": about(Metric(score.forecast.value, "count")),
        "low": about(Metric(score.forecast.low, "count")),
        "high": about(Metric(score.forecast.high, "count")),
        "actual": int(score.actual),
    }
    message = HELD
    if not score.within:
        message = TOO_LOW if score.actual > score.forecast.high else TOO_HIGH
    told = [Sentence(message, **figures)]
    if score.revenue_forecast is not None:
        told.append(
            Sentence(
                MONEY,
                forecast=about(Metric(score.revenue_forecast, "currency")),
                actual=about(Metric(score.revenue_actual, "currency")),
            )
        )
    if abs(score.customers - stored.customers) > _REVISED * stored.customers:
        told.append(
            Sentence(REVISED, then=stored.customers, now=score.customers, made=score.made_on)
        )
    now = conventions(base)
    changed = [name for name, then in stored.conventions.items() if then != now.get(name)]
    if changed:
        told.append(Sentence(CHANGED, names=", ".join(changed)))
    fields = {name: getattr(score, name) for name in score.__slots__}
    return ForecastScore(**(fields | {"sentences": tuple(told)}))


HELD = N_(
    "The forecast made on {made} expected {forecast} purchases of its customers until {until}, "
    "between {low} and {high}; {actual} were made. It held."
)
TOO_LOW = N_(
    "The forecast made on {made} expected {forecast} purchases of its customers until {until}, "
    "between {low} and {high}; {actual} were made, more than it allowed for."
)
TOO_HIGH = N_(
    "The forecast made on {made} expected {forecast} purchases of its customers until {until}, "
    "between {low} and {high}; {actual} were made, fewer than it allowed for."
)
MONEY = N_("Counted on were {forecast} from these purchases; they brought {actual}.")
REVISED = N_(
    "The data have {now} customers up to {made} where they had {then} when the forecast was made: "
    "the past was revised, and the comparison is as rough as that."
)
CHANGED = N_(
    "Since the forecast was made the client file has changed in what a purchase is ({names}), "
    "which is part of the difference."
)
