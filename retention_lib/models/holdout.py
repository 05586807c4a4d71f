"""Did the model know the past's future? A forecast made at a split, beside what then happened.

The model is fitted on the history up to the split and forecasts the holdout window; beside it
stands the naive forecast that each customer buys as often as in the equally long window before the
split. Judged are the total (bias), each customer (MAE, RMSE), the classes of past frequency, and
the weekly course of repeat purchases (Fader, Hardie & Lee 2005, figures 1 to 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.data.purchases import DAYS_PER_UNIT
from retention_lib.errors import DataError
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, compress
from retention_lib.models.predictive import draw_parameters

BASELINE = "as in the equally long window before"
_TOP_CLASS = 7


@dataclass(frozen=True, slots=True)
class Holdout:
    """A forecast beside the outcome.

    Attributes
    ----------
    model : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    calibration_end : Timestamp or None
        The last day that the model saw.
    months : int or None
        Length of the holdout window, where it is a number of months.
    horizon : float
        The same length in the model's unit of time.
    n : int
        Customers known at the split.
    actual, forecast : float
        Their purchases in the window, as they happened and as expected.
    forecast_low, forecast_high : float or None
        Its 95 % interval, of parameters' error and customers' own chance; None where not drawn.
    bias : float or None
        forecast / actual − 1; None where nobody bought.
    mae, rmse : float
        Mean absolute and root mean squared error per customer.
    baseline : str
        What the naive forecast is.
    baseline_total : float
    baseline_bias : float or None
    baseline_mae, baseline_rmse : float
    log_likelihood, aic : float
        Of the fit up to the split.
    degenerate : str or None
        What that base couldn't identify.
    by_frequency : DataFrame
        `frequency` (0 to 6, then 7+; ordered categories), `n`, `actual`, `forecast` and `baseline`,
        means per customer; classes without customers are left out.
    tracking : DataFrame
        `date` (a week's last day), `actual` and `forecast`: cumulative repeat purchases of these
        customers up to the end of the holdout; `actual` NaN where their days were not given.
    """

    model: str
    calibration_end: pd.Timestamp | None
    months: int | None
    horizon: float
    n: int
    actual: float
    forecast: float
    forecast_low: float | None
    forecast_high: float | None
    bias: float | None
    mae: float
    rmse: float
    baseline: str
    baseline_total: float
    baseline_bias: float | None
    baseline_mae: float
    baseline_rmse: float
    log_likelihood: float
    aic: float
    degenerate: str | None
    by_frequency: pd.DataFrame
    tracking: pd.DataFrame


def validate(
    calibration: pd.DataFrame,
    actual: pd.Series,
    previous: pd.Series,
    *,
    model_name: str,
    horizon: float,
    months: int | None = None,
    repeat_purchases: pd.Series | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Holdout:
    """Fit on the history up to a split and compare the forecast with what followed.

    Parameters
    ----------
    calibration : DataFrame
        Customer summary as of the split, with its `attrs` (`as_of`, `time_unit`).
    actual : Series
        Purchases of each customer in the holdout window; customers that are missing bought nothing.
    previous : Series
        Purchases of each customer in the equally long window that ends at the split.
    model_name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    horizon : float
        Length of the holdout window in the summary's unit of time.
    months : int, optional
        The same in months, to be told.
    repeat_purchases : Series, optional
        Repeat purchases of these customers by day (a DatetimeIndex) over calibration and holdout.
    draws : int
        Simulated futures behind the forecast's interval; 0 leaves it out.
    seed : int

    Returns
    -------
    Holdout

    Raises
    ------
    DataError
        No customers at the split, or a window of no length.
    """
    if not horizon > 0:
        raise DataError(
            "The holdout window has no length; the history is too short to be split, or "
            "holdout_months is 0."
        )
    model = fit_purchase_model(calibration, model_name)
    happened = _per_customer(actual, calibration.index)
    naive = _per_customer(previous, calibration.index)
    columns = (calibration[c].to_numpy(dtype=float) for c in ("frequency", "recency", "T"))
    forecast = np.asarray(
        model.conditional_expected_number_of_purchases_up_to_time(horizon, *columns)
    )
    low, high = forecast_interval(model, calibration, horizon, draws=draws, seed=seed)
    end = calibration.attrs.get("as_of")
    split = None if end is None else pd.Timestamp(end)
    return Holdout(
        model=model_name,
        calibration_end=split,
        months=months,
        horizon=float(horizon),
        n=len(calibration),
        actual=float(happened.sum()),
        forecast=float(forecast.sum()),
        forecast_low=low,
        forecast_high=high,
        bias=_bias(forecast, happened),
        mae=float(np.abs(forecast - happened).mean()),
        rmse=float(np.sqrt(((forecast - happened) ** 2).mean())),
        baseline=BASELINE,
        baseline_total=float(naive.sum()),
        baseline_bias=_bias(naive, happened),
        baseline_mae=float(np.abs(naive - happened).mean()),
        baseline_rmse=float(np.sqrt(((naive - happened) ** 2).mean())),
        log_likelihood=float(model.log_likelihood_),
        aic=float(model.aic_),
        degenerate=model.degenerate_,
        by_frequency=_by_frequency(calibration["frequency"].to_numpy(), happened, forecast, naive),
        tracking=track(model, calibration, horizon, repeat_purchases),
    )


def forecast_interval(
    model: PurchaseFitter, customers: pd.DataFrame, horizon: float, *, draws: int, seed: int
) -> tuple[float | None, float | None]:
    """95 % interval of the purchases that these customers make in the horizon.

    Parameters
    ----------
    model : PurchaseFitter
    customers : DataFrame
    horizon : float
    draws, seed : int

    Returns
    -------
    low, high : float or None
        None where `draws` is 0.
    """
    if draws < 1:
        return None, None
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    rng = np.random.default_rng(seed)
    params = draw_parameters(rng, model.params_.to_numpy(dtype=float), model.log_covariance_, draws)
    totals = [model.simulate(rng, theta, histories, horizon)[1].sum() for theta in params]
    low, high = np.quantile(totals, [0.025, 0.975])
    return float(low), float(high)


def track(
    model: PurchaseFitter,
    calibration: pd.DataFrame,
    horizon: float,
    repeat_purchases: pd.Series | None = None,
) -> pd.DataFrame:
    """Cumulative repeat purchases week by week, expected of new customers and as they happened.

    The expectation knows of each customer only the day of joining: the sum of E[X(t − t_0)].

    Parameters
    ----------
    model : PurchaseFitter
    calibration : DataFrame
        With `first`, the day of joining, and `attrs` (`as_of`, `time_unit`).
    horizon : float
        How far beyond `as_of`, in the unit of time.
    repeat_purchases : Series, optional
        By day (a DatetimeIndex).

    Returns
    -------
    DataFrame
        `date`, `actual`, `forecast`; no rows where `first` or `as_of` is not known.
    """
    empty = pd.DataFrame({"date": pd.to_datetime([]), "actual": [], "forecast": []})
    unit = DAYS_PER_UNIT.get(str(calibration.attrs.get("time_unit")))
    end = calibration.attrs.get("as_of")
    if unit is None or end is None or "first" not in calibration:
        return empty
    joined = pd.to_datetime(calibration["first"])
    start = joined.min()
    split = (pd.Timestamp(end) - start).days
    days = int(split + round(horizon * unit))
    if days < 7:
        return empty
    # Weeks run backwards and forwards from the split, so that one of them ends on it.
    ends = np.arange(split % 7 or 7, days + 1, 7)
    joiners = np.bincount((joined - start).dt.days, minlength=days + 1)[: days + 1]
    growth = model.expected_number_of_purchases_up_to_time(np.arange(days + 1) / unit)
    forecast = np.array([joiners[: e + 1] @ growth[e::-1] for e in ends])
    actual = np.full(len(ends), np.nan)
    if repeat_purchases is not None:
        at = (pd.to_datetime(repeat_purchases.index) - start).days.to_numpy()
        order = np.argsort(at, kind="stable")
        running = np.concatenate([[0.0], np.cumsum(repeat_purchases.to_numpy(float)[order])])
        actual = running[np.searchsorted(at[order], ends, side="right")]
    return pd.DataFrame(
        {
            "date": start + pd.to_timedelta(ends, unit="D"),
            "actual": actual,
            "forecast": forecast,
        }
    )


def _per_customer(purchases: pd.Series, index: pd.Index) -> Floats:
    return purchases.reindex(index).fillna(0).to_numpy(dtype=float)


def _bias(forecast: Floats, actual: Floats) -> float | None:
    return float(forecast.sum() / actual.sum() - 1) if actual.sum() > 0 else None


def _by_frequency(
    frequency: np.ndarray, actual: Floats, forecast: Floats, naive: Floats
) -> pd.DataFrame:
    names = [str(k) for k in range(_TOP_CLASS)] + [f"{_TOP_CLASS}+"]
    codes = np.minimum(frequency, _TOP_CLASS).astype(np.int8)
    frame = pd.DataFrame(
        {
            "frequency": pd.Categorical.from_codes(codes, categories=pd.Index(names), ordered=True),
            "actual": actual,
            "forecast": forecast,
            "baseline": naive,
        }
    )
    groups = frame.groupby("frequency", observed=True)
    table = groups.mean()
    table.insert(0, "n", groups.size())
    return table.reset_index()
