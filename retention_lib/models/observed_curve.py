"""The model's way to the second purchase over the observed one.

Of new customers the model expects a share with a repeat purchase by each day; the Kaplan-Meier
estimate (`retention.survival`) tells how many it was. With purchase rates Gamma(r, α):

- BG/NBD: 1 − (α/(α + t))^r, for nobody leaves before the first repeat purchase (Fader, Hardie &
  Lee 2005, equation 8 with x = 0);
- MBG/NBD: the same times b/(a + b), for some leave after the first purchase (Batislam, Denizel &
  Filiztekin 2007);
- Pareto/NBD: ∫₀ᵗ r/α (α/(α + u))^(r+1) (β/(β + u))^s du: the first repeat purchase comes at u, and
  the customer is still there.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.pareto import ParetoNBDFitter
from retention_lib.models.purchase import ModifiedBetaGeoFitter
from retention_lib.retention.survival import kaplan_meier, waits
from retention_lib.smallest import SMALLEST
from retention_lib.units import DAYS_PER_UNIT

#: Days at which the two are compared.
CHECKPOINTS: Final = (30, 90, 180, 365)
#: A gap from which on it matters.
MATTERS: Final = 0.02
LEVEL: Final = 0.05
UP_TO: Final = 365


def share_back(model: PurchaseFitter, t: npt.ArrayLike) -> Floats:
    """Share of new customers with a repeat purchase within t, by the model.

    Parameters
    ----------
    model : PurchaseFitter
        Fitted.
    t : array-like, shape (k,)
        In the model's unit of time; 0 or more.

    Returns
    -------
    ndarray, shape (k,)
        In [0, 1].
    """
    times = np.atleast_1d(np.asarray(t, dtype=float))
    r, alpha, a, b = model.parameters
    if isinstance(model, ParetoNBDFitter):
        return _pareto(times, r, alpha, a, b)
    bought = -np.expm1(-r * np.log1p(times / alpha))
    return bought * (b / (a + b)) if isinstance(model, ModifiedBetaGeoFitter) else bought


def _pareto(times: Floats, r: float, alpha: float, s: float, beta: float) -> Floats:
    """The integral by Gauss-Legendre in log(1 + u/α), in which the integrand is nearly even."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    ends = np.log1p(times / alpha)[:, None]
    v = (nodes + 1) / 2 * ends
    u = alpha * np.expm1(v)
    density = r * np.exp(-r * v) * np.exp(-s * np.log1p(u / beta))
    return np.asarray((density * weights).sum(axis=1) * ends[:, 0] / 2)


def observed_curve(base: Base, model: PurchaseFitter) -> pd.DataFrame:
    """The share with a second purchase by days since the first: observed, and by the model.

    Returns
    -------
    DataFrame
        days (0 to a year at most), share, low, high, at_risk (observed, 95 %), model. It ends where
        fewer than `SMALLEST` are watched; no rows where nobody came back.
    """
    curve = _observed(base)
    if curve.empty:
        return curve.assign(model=np.empty(0))
    start = pd.DataFrame(
        {"days": 0.0, "share": 0.0, "low": 0.0, "high": 0.0, "at_risk": curve["at_risk"].max()},
        index=[0],
    )
    curve = pd.concat([start, curve[curve["days"] > 0]], ignore_index=True)
    unit = DAYS_PER_UNIT[base.params.time_unit]
    return curve.assign(model=share_back(model, curve["days"] / unit))


def at_checkpoints(base: Base, model: PurchaseFitter) -> tuple[pd.DataFrame, float | None]:
    """Observed and expected share at some days, and the day at which the model departs.

    Returns
    -------
    DataFrame
        days, n (watched so long without a second purchase), share, low, high (95 % over all
        checkpoints, Bonferroni), model, gap (model − share).
    float or None
        The day of the largest gap of `MATTERS` or more outside its interval.
    """
    from scipy.stats import norm

    wide = _observed(base, float(norm.isf(LEVEL / 2 / len(CHECKPOINTS))))
    last = wide["days"].max() if len(wide) else -1.0
    rows = [
        wide.iloc[int(np.searchsorted(wide["days"], day, side="right")) - 1].rename(day)
        for day in CHECKPOINTS
        if len(wide) and wide["days"].iloc[0] <= day <= last
    ]
    names = ["days", "n", "share", "low", "high", "model", "gap"]
    if not rows:
        return pd.DataFrame(columns=pd.Index(names), dtype=float), None
    frame = pd.DataFrame(rows).rename(columns={"at_risk": "n"})
    frame["days"] = [int(day) for day in frame.index]
    unit = DAYS_PER_UNIT[base.params.time_unit]
    frame["model"] = share_back(model, frame["days"] / unit)
    frame["gap"] = frame["model"] - frame["share"]
    frame = frame.reset_index(drop=True)[names]
    outside = (frame["model"] < frame["low"]) | (frame["model"] > frame["high"])
    departs = frame[outside & (frame["gap"].abs() >= MATTERS)]
    if departs.empty:
        return frame, None
    widest = int(np.argmax(np.abs(departs["gap"])))
    return frame, float(departs["days"].iloc[widest])


def _observed(base: Base, z: float | None = None) -> pd.DataFrame:
    own = waits(base, most=1)
    limits = {} if z is None else {"z": z}
    curve = kaplan_meier(own["days"], own["came"], own["left"], **limits)
    return curve[(curve["at_risk"] >= SMALLEST) & (curve["days"] <= UP_TO)].reset_index(drop=True)
