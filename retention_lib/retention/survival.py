"""How long until the next purchase: who hasn't been watched long enough counts for that long.

The estimate of Kaplan & Meier (1958) with Greenwood's (1926) variance, intervals on the log-log
scale (Kalbfleisch & Prentice 2002, 1.4). The engine counts purchases and ends of observation by
day, so that the estimate costs as much as there are days, not customers.
"""

from __future__ import annotations

from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_lib.data.base import Base
from retention_lib.retention.intervals import Z
from retention_lib.retention.steps import steps

#: Purchases after which is asked, from the first on.
MOST: Final = 3

COLUMNS: Final = ("number", "days", "share", "low", "high", "at_risk")


def kaplan_meier(days: ArrayLike, came: ArrayLike, left: ArrayLike, z: float = Z) -> pd.DataFrame:
    """Share for whom something has happened, by days.

    Parameters
    ----------
    days : array-like of float
        Different days, in any order.
    came, left : array-like of int
        For how many it happened on that day; how many were watched until then and no longer. Who
        left on a day was watched on it.
    z : float
        The normal distribution's point for the interval's coverage.

    Returns
    -------
    DataFrame
        A row for each day on which it happened: days, share, low, high (95 % interval), at_risk
        (watched so long without it).

    Examples
    --------
    >>> kaplan_meier([1, 2, 3], came=[1, 0, 1], left=[0, 1, 0])["share"].tolist()
    [0.33333333333333326, 1.0]
    """
    order = np.argsort(np.asarray(days, dtype=float), kind="stable")
    day, d, c = (np.asarray(x, dtype=float)[order] for x in (days, came, left))
    at_risk = (d + c)[::-1].cumsum()[::-1]
    event = d > 0
    day, d, n = day[event], d[event], at_risk[event]
    survival = np.cumprod(1 - d / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(d < n, d / (n * (n - d)), np.inf))
    error = survival * np.sqrt(np.where(survival > 0, greenwood, 0.0))
    low, high = log_log_limits(survival, error, z)
    return pd.DataFrame(
        {"days": day, "share": 1 - survival, "low": 1 - high, "high": 1 - low, "at_risk": n}
    )


def log_log_limits(
    survival: np.ndarray, error: np.ndarray, z: float = Z
) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a survival probability that stay in [0, 1] (Kalbfleisch & Prentice 2002, 1.4)."""
    inside = (survival > 0) & (survival < 1)
    safe = np.where(inside, survival, 0.5)
    spread = np.where(inside, z * error / (safe * np.abs(np.log(safe))), 0.0)
    low = np.where(inside, safe ** np.exp(spread), survival)
    high = np.where(inside, safe ** np.exp(-spread), survival)
    return low, high


def time_to_next(base: Base, most: int = MOST) -> pd.DataFrame:
    """The share with a next purchase by days since the first, since the second, and so on.

    Parameters
    ----------
    base : Base
    most : int, default 3
        Purchases after which is asked.

    Returns
    -------
    DataFrame
        number (1: since the first purchase), days, share, low, high, at_risk; for each number a
        first row at day 0. No rows of a purchase after which nobody came back.
    """
    counts = waits(base, most)
    parts = [
        _with_start(own, int(str(number)))
        for number, own in counts.groupby("number")
        if own["came"].any()
    ]
    if not parts:
        return pd.DataFrame({name: np.empty(0) for name in COLUMNS}).astype({"number": "int64"})
    return pd.concat(parts, ignore_index=True)[[*COLUMNS]]


def waits(base: Base, most: int = MOST) -> pd.DataFrame:
    """How long after each purchase the next one came, or nobody was watched any longer.

    Returns
    -------
    DataFrame
        number, days, came (next purchases after so many days), left (purchases without a next one
        that were made so many days before the end); by number and days.
    """
    # the first purchases' are asked for more often than the others', and in them
    known = max(most, MOST)
    frame = base.once(f"waits-{known}", lambda: _waits(base, known)).to_pandas().astype("int64")
    return frame[frame["number"] <= most].reset_index(drop=True)


def _waits(base: Base, most: int) -> ir.Table:
    made = steps(base)
    made = made.filter(made.number <= most)
    counts = made.group_by("number", days=made.gap.coalesce(made.watched)).aggregate(
        came=made.count(where=made.gap.notnull()), left=made.count(where=made.gap.isnull())
    )
    return counts.order_by("number", "days")


def share_by(curve: pd.DataFrame, day: float) -> pd.Series | None:
    """The row of a curve that holds on a day; None where fewer days were observed.

    Parameters
    ----------
    curve : DataFrame
        Of one number, as `time_to_next` has it.
    day : float
    """
    if curve.empty or day > curve["days"].iloc[-1]:
        return None
    return curve.iloc[int(np.searchsorted(curve["days"], day, side="right")) - 1]


def _with_start(own: pd.DataFrame, number: int) -> pd.DataFrame:
    """A curve from day 0, at which everybody who made the purchase is watched."""
    curve = kaplan_meier(own["days"], own["came"], own["left"])
    made = float(own["came"].sum() + own["left"].sum())
    start = {"days": 0.0, "share": 0.0, "low": 0.0, "high": 0.0, "at_risk": made}
    return pd.concat([pd.DataFrame([start]), curve], ignore_index=True).assign(number=number)
