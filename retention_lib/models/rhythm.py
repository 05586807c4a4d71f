"""Each customer's own rhythm: when the next purchase is due, and when a reminder comes late.

At the last purchase one thing is certain: the customer was still one. In the BG/NBD and the MBG/NBD
a customer leaves after a purchase or not until the next one; in the Pareto/NBD at a constant risk
μ that does not depend on the rate λ. Either way what was seen up to the last purchase tells of λ
through λ^x e^(−λ t_x) alone, and leaving enters as a factor without λ. With the Gamma(r, α) of all
customers

    λ | x, t_x ~ Gamma(r + x, α + t_x)

in all three models, and the wait W for the next purchase of somebody who stays is Lomax:

    P(W > w) = ((α + t_x) / (α + t_x + w))^(r + x)

(Schmittlein, Morrison & Colombo 1987 for the mixture of exponentials; Fader, Hardie & Lee 2005 for
the two others). The silence since the last purchase is left out on purpose: the rhythm is what the
silence is held against. What it says of having left is P(alive).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.units import DAYS_PER_UNIT

#: Share of the customers who stay that have bought again by the day on which a purchase is due.
DUE: Final = 0.50
#: And by the day from which a reminder is late.
LATE: Final = 0.90
#: Beyond this exponent a wait is endless in any unit.
_ENDLESS: Final = 700.0


def waiting_quantile(
    share: float, frequency: npt.ArrayLike, recency: npt.ArrayLike, r: float, alpha: float
) -> Floats:
    """The wait after the last purchase by which a share of those who stay have bought again.

    (α + t_x) ((1 − share)^(−1 / (r + x)) − 1), the quantile of the Lomax distribution.

    Parameters
    ----------
    share : float
        Between 0 and 1, neither of them.
    frequency, recency : array_like, of shapes that broadcast
        x and t_x.
    r, alpha : float
        Of the purchase rates' Gamma distribution over customers, α in the unit of t_x.

    Returns
    -------
    ndarray
        In the unit of t_x; huge where r + x is small.

    Examples
    --------
    >>> waiting_quantile(0.5, 1.0, 10.0, 1.0, 10.0).round(2).tolist()
    8.28
    """
    shape = r + np.asarray(frequency, dtype=float)
    scale = alpha + np.asarray(recency, dtype=float)
    return np.asarray(scale * np.expm1(np.minimum(-np.log1p(-share) / shape, _ENDLESS)))


def still_waiting(
    wait: npt.ArrayLike,
    frequency: npt.ArrayLike,
    recency: npt.ArrayLike,
    r: float,
    alpha: float,
) -> Floats:
    """The share of those who stay that have not bought again so long after the last purchase.

    Parameters
    ----------
    wait : array_like
        In the unit of `recency`, like the other times here.
    frequency, recency : array_like, of shapes that broadcast with `wait`
    r, alpha : float

    Returns
    -------
    ndarray
        1 at a wait of 0, falling.
    """
    shape = r + np.asarray(frequency, dtype=float)
    scale = alpha + np.asarray(recency, dtype=float)
    return np.asarray(np.exp(-shape * np.log1p(np.asarray(wait, dtype=float) / scale)))


def rhythm(
    customers: pd.DataFrame, model: PurchaseFitter, time_unit: str, longest: float
) -> pd.DataFrame:
    """The days after the last purchase on which each customer's window opens and closes.

    A customer with one purchase has no rhythm of the own; what is given is that of all who have
    bought once, with a small r often decades.

    Parameters
    ----------
    customers : DataFrame
        With `frequency`, `recency` and `T`.
    model : PurchaseFitter
        Any of the three.
    time_unit : str
        `day` or `week`: the unit of recency and of the model.
    longest : float
        Days of history. A wait that nobody can have been watched for is no statement: it is NaN.

    Returns
    -------
    DataFrame
        Indexed like `customers`: `due_days` and `late_days`, whole days after the last purchase by
        which `DUE` and `LATE` of such customers who stay have bought again; `waited`, the share of
        such customers who would have bought by now.
    """
    r, alpha = float(model.params_["r"]), float(model.params_["alpha"])
    scale = DAYS_PER_UNIT[time_unit]
    x = customers["frequency"].to_numpy(dtype=float)
    t_x = customers["recency"].to_numpy(dtype=float)
    found = {}
    for name, share in (("due_days", DUE), ("late_days", LATE)):
        # A purchase falls on a whole day, another than the last one's: the first on which the share
        # is reached.
        days = np.maximum(np.ceil(waiting_quantile(share, x, t_x, r, alpha) * scale - 1e-9), 1.0)
        found[name] = np.where(days <= longest, days, np.nan)
    silent = customers["T"].to_numpy(dtype=float) - t_x
    waited = 1 - still_waiting(silent, x, t_x, r, alpha)
    return pd.DataFrame({**found, "waited": waited}, index=customers.index)
