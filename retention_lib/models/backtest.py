"""Forecasts that would have been made in the past, each beside what then happened.

At several origins in this client's own history the whole procedure is gone through with what was
known then: fit, forecast of the window after, comparison (rolling-origin evaluation, Tashman 2000,
"Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16). The errors
of the totals tell what the model's own interval can't: how far buying strays from its past.

The first third of the history only teaches; the rest is forecast, in windows as long as the
report's horizon or as a third of the history, whichever is shorter. Origins are months apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retention_lib.data.periods import ONE_DAY, shift_months
from retention_lib.metrics import Metric
from retention_lib.models.clv import expected_spend
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.foreseen import expected_purchases, relative_error, spend_model_of
from retention_lib.models.holdout import Holdout
from retention_lib.models.naive import naive_forecasts
from retention_lib.models.purchase_days import PurchaseDays
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.sentence import N_, Sentence
from retention_lib.units import DAYS_PER_UNIT

#: Origins at most, so that all of them cost no more than a few fits.
MOST_ORIGINS = 8
#: Repeat buyers before an origin, and purchases after it, below which an error is chance.
FEWEST = 30
#: Months of history before the first origin at least.
SHORTEST = 3
#: Simulated futures that tell the model's own error of a total.
_DRAWS = 60

#: A purchase model and the spend model beside it, where there is one.
Fits = tuple[PurchaseFitter | None, GammaGammaFitter | None]


@dataclass(frozen=True, slots=True)
class Backtests:
    """What past forecasts of this base would have missed by.

    Attributes
    ----------
    model : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    months : int or None
        Length of each window; None where there are none.
    horizon_months : int
        Length of the report's own forecast.
    customers, of : int
        How many customers were looked at, of how many.
    effective : float
        How many windows the history holds side by side: what windows that overlap are worth.
    origins : DataFrame
        A row an origin, the earliest first: `origin`, the last day known; `n` customers and
        `repeat_buyers` then; `actual` and `forecast` purchases in the window, `error`, the
        logarithm of actual / forecast, and `own`, the standard deviation that the model itself
        gives it; `before`, `own_rate`, `mean_rate`, the naive forecasts' totals; `revenue`,
        `revenue_forecast` and `revenue_error` the same in money, NaN where not known.
    why_none : Sentence or None
        Why there are no origins, where there are none.
    """

    model: str
    months: int | None
    horizon_months: int
    customers: int
    of: int
    effective: float
    origins: pd.DataFrame
    why_none: Sentence | None

    def __bool__(self) -> bool:
        return len(self.origins) > 0


def origins(
    start: dt.date, as_of: dt.date, horizon_months: int
) -> tuple[int | None, list[dt.date]]:
    """From where the past is forecast, and how many months each time.

    Parameters
    ----------
    start, as_of : date
        First and last day of the history.
    horizon_months : int

    Returns
    -------
    months : int or None
        None where the history is too short.
    days : list of date
        The last day known to each forecast, the earliest first.

    Examples
    --------
    >>> origins(dt.date(1997, 1, 1), dt.date(1998, 6, 30), 12)[0]
    6
    >>> [str(day)[:7] for day in origins(dt.date(1997, 1, 1), dt.date(1998, 6, 30), 12)[1]]
    ['1997-06', '1997-07', '1997-08', '1997-09', '1997-10', '1997-11', '1997-12']
    """
    history = 0
    while shift_months(as_of, -(history + 1)) + ONE_DAY >= start:
        history += 1
    window = min(horizon_months, history // 3)
    room = history - max(window, history // 3, SHORTEST) - window
    if window < 1 or room < 1:
        return None, []
    step = max(-(-room // (MOST_ORIGINS - 1)), 1)
    back = range(0, room + 1, step)
    return window, [shift_months(as_of, -(window + k)) for k in reversed(back)]


def backtest(
    purchases: PurchaseDays,
    model_name: str,
    *,
    start: dt.date,
    as_of: dt.date,
    horizon_months: int,
    time_unit: str,
    seed: int = 0,
    holdout: Holdout | None = None,
    latest: Fits = (None, None),
) -> Backtests:
    """Forecast this base's past from several origins.

    Parameters
    ----------
    purchases : PurchaseDays
    model_name : str
        `bgnbd`, `mbgnbd` or `paretonbd`: the model of the report's own forecast.
    start, as_of : date
        First and last day of the history.
    horizon_months : int
    time_unit : str
        `day` or `week`.
    seed : int
    holdout : Holdout, optional
        A test of the same base: the model up to its split isn't searched again.
    latest : tuple
        The models of the whole history, where they are at hand. From one origin to the next the
        optimum moves little, so that each search begins at the next later one.

    Returns
    -------
    Backtests
    """
    months, days = origins(start, as_of, horizon_months)
    # of a sample of the customers the model has other parameters
    tested = holdout if purchases.customers == purchases.of else None
    rows = []
    for origin in reversed(days):
        args = (model_name, origin, months or 0, time_unit, seed, tested, latest)
        if (tried := _tried(purchases, *args)) is not None:
            row, latest = tried
            rows.append(row)
    rows.reverse()
    why_none = None
    if not days:
        why_none = Sentence(TOO_SHORT, months=Metric(SHORTEST + 2, "months"))
    elif not rows:
        why_none = Sentence(TOO_FEW, enough=FEWEST)
    effective = 0.0
    if rows:
        length = (as_of - start).days + 1
        window = (shift_months(days[0], months or 0) - days[0]).days
        effective = length / window
    return Backtests(
        model=model_name,
        months=months if rows else None,
        horizon_months=horizon_months,
        customers=purchases.customers,
        of=purchases.of,
        effective=effective,
        origins=_table(rows),
        why_none=why_none,
    )


def _tried(
    purchases: PurchaseDays,
    model_name: str,
    origin: dt.date,
    months: int,
    time_unit: str,
    seed: int,
    tested: Holdout | None,
    near: Fits,
) -> tuple[dict[str, Any], Fits] | None:
    """One forecast of the past and its models; None where too little was known or happened."""
    end = shift_months(origin, months)
    length = end - origin
    customers = purchases.summary(origin, time_unit)
    bought, spent = purchases.between(origin + ONE_DAY, end, customers.index)
    repeat_buyers = int((customers["frequency"] > 0).sum())
    if min(repeat_buyers, bought.sum()) < FEWEST:
        return None
    optimum = None if tested is None else tested.optimum_at(origin, model_name)
    later = None if near[0] is None else dict(near[0].params_)
    model = fit_purchase_model(customers, model_name, optimum, near=later)
    if any(finding.serious for finding in model.findings_):
        return None
    horizon = length.days / DAYS_PER_UNIT[time_unit]
    expected = expected_purchases(model, customers, horizon)
    if not expected.sum() > 0:
        return None
    before = purchases.between(origin - length + ONE_DAY, origin, customers.index)
    naive = naive_forecasts(customers, before[0], horizon, before[1])
    spend_model = spend_model_of(customers, near[1])
    money = None if spend_model is None else expected * expected_spend(customers, spend_model)
    row = {
        "origin": pd.Timestamp(origin),
        "n": len(customers),
        "repeat_buyers": repeat_buyers,
        "actual": float(bought.sum()),
        "forecast": float(expected.sum()),
        "error": float(np.log(bought.sum() / expected.sum())),
        "own": relative_error(model, customers, horizon, draws=_DRAWS, seed=seed),
        **{name: float(each.purchases.sum()) for name, each in naive.items()},
        "revenue": float(spent.sum()),
        "revenue_forecast": np.nan,
        "revenue_error": np.nan,
    }
    if money is not None and min(money.sum(), spent.sum()) > 0:
        row["revenue_forecast"] = float(money.sum())
        row["revenue_error"] = float(np.log(spent.sum() / money.sum()))
    return row, (model, spend_model)


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    whole = {"origin": "datetime64[ms]", "n": "int64", "repeat_buyers": "int64"}
    names = [*whole, "actual", "forecast", "error", "own", "before", "own_rate", "mean_rate"]
    names += ["revenue", "revenue_forecast", "revenue_error"]
    types = {name: whole.get(name, "float64") for name in names}
    return pd.DataFrame(rows, columns=pd.Index(names)).astype(types)


TOO_SHORT = N_(
    "The history is too short to go back and forecast parts of it: at least {months} are needed."
)
TOO_FEW = N_(
    "Too few customers came back for forecasts of the past: at least {enough} repeat buyers are "
    "needed before each, and as many purchases after it."
)
