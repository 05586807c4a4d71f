"""The weekly course of repeat purchases, expected and as it happened.

Fader, Hardie & Lee 2005a, figures 2 and 3: cumulative and incremental tracking.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.units import DAYS_PER_UNIT


def track(
    model: PurchaseFitter,
    calibration: pd.DataFrame,
    horizon: float,
    repeat_purchases: pd.Series | None = None,
) -> pd.DataFrame:
    """Repeat purchases week by week, expected of new customers and as they happened.

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
        `date`, a week's last day; `actual` and `forecast`, cumulative; `actual_week` and
        `forecast_week`, of that week alone (of a first week that is cut short, its days). `actual`
        NaN where no purchases were given. No rows where `first` or `as_of` is not known.
    """
    empty = _course(pd.DatetimeIndex([]), np.empty(0), np.empty(0))
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
    return _course(start + pd.to_timedelta(ends, unit="D"), actual, forecast)


def _course(dates: pd.DatetimeIndex, actual: Floats, forecast: Floats) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "date": dates,
            "actual": actual,
            "forecast": forecast,
            "actual_week": np.diff(actual, prepend=0.0),
            "forecast_week": np.diff(forecast, prepend=0.0),
        }
    )
