"""When a measure works within its window, and whether it only brought purchases forward.

Who has bought by each day since the start, of the treated and of those left alone. A gap that opens
at once and stays is customers won; one that closes again is customers who bought earlier what they
would have bought anyway. That is asked of the later part of the window by itself: whether as many
of the treated as of the others bought in it, whatever they did before.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.experiment_uplift import USUAL, Estimate, share_difference
from retention_lib.retention.intervals import wilson_many

#: Part of the window after which its later part begins.
EARLY: Final = 1 / 3


def early_days(days: int) -> int:
    """Days of a window's early part; 0 of one that is too short to be parted."""
    return round(days * EARLY)


def by_day(people: pd.DataFrame, control: str, days: int) -> pd.DataFrame:
    """Who has bought by each day since the start.

    Parameters
    ----------
    people : DataFrame
        `group`; `first_day`, the day of the first purchase in the window from 0, NaN without one.
    control : str
    days : int
        Of the window.

    Returns
    -------
    DataFrame
        A row a day and side, the treated first: `treated`, `day` (1 is the start day), `n`,
        `share`, `low`, `high` (Wilson).
    """
    frames = []
    for treated in (True, False):
        own = people.loc[(people["group"] != control) == treated, "first_day"]
        first = own.dropna().to_numpy(dtype=np.int64)
        bought = np.bincount(first, minlength=days)[:days].cumsum()
        low, high = wilson_many(bought, np.full(days, len(own)))
        columns = {"treated": treated, "day": np.arange(1, days + 1), "n": len(own)}
        frames.append(pd.DataFrame({**columns, "share": bought / max(len(own), 1)}))
        frames[-1] = frames[-1].assign(low=low, high=high)
    return pd.concat(frames, ignore_index=True)


def later(people: pd.DataFrame, control: str, level: float = USUAL) -> Estimate:
    """The share that bought in the later part of the window, treated less those left alone.

    Parameters
    ----------
    people : DataFrame
        `group`; `bought_late`, 1 with a purchase after the early part of the window, else 0.
    control : str
    level : float
    """
    treated = (people["group"] != control).to_numpy()
    late = people["bought_late"].to_numpy(dtype=float)
    one, other = late[treated], late[~treated]
    return share_difference(int(one.sum()), one.size, int(other.sum()), other.size, level)
