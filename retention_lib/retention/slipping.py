"""Who is later than the own rhythm, and what is at stake with them.

A customer's rhythm (`models.rhythm`) says when the next purchase is due and from when a reminder is
late. Held against the days since the last purchase it gives each customer a state; which of them to
see to first is a matter of the value at stake, not of the lateness alone.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.retention.interval_rule import TIMES, times_away

#: Below this P(alive) a customer counts as gone, above it as one that can still be reached.
GONE: Final = 0.05
#: In the order in which a customer passes through them; who has bought once has no rhythm yet.
STATES: Final = ("not_due", "window", "late", "gone", "no_rhythm")
#: Bounds of the wait so far, in usual waits, by which the value at stake is drawn.
WAITS: Final = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, math.inf)
#: Part of the late customers that the heading names: those with the most at stake.
TOP: Final = 0.10


@dataclass(frozen=True)
class Slipping:
    """The customers by their own rhythm.

    Parameters
    ----------
    states : DataFrame
        A row for each of `STATES`: `state`, `customers`, `share` of all, `at_stake`, `clv`,
        `p_alive` (mean; NaN where there is nobody).
    by_wait : DataFrame
        Of the customers with a rhythm, by state and by how many usual waits they have been away
        (`start` up to below `end`, bounds `WAITS`): `customers`, `at_stake`.
    top_customers : int
        The `TOP` of the late customers with the most at stake, rounded up.
    top_share : float or None
        Their share of what is at stake with the late; None where nothing is.
    compared, agree : int
        Customers to whom the plain interval rule applies too (three purchases or more), and those
        of them of whom both rules say the same, late or not.
    """

    states: pd.DataFrame
    by_wait: pd.DataFrame
    top_customers: int
    top_share: float | None
    compared: int
    agree: int

    def customers(self, state: str) -> int:
        """How many are in a state."""
        return int(self.states.loc[self.states["state"] == state, "customers"].iloc[0])

    def at_stake(self, state: str) -> float:
        """What is at stake with them."""
        return float(self.states.loc[self.states["state"] == state, "at_stake"].iloc[0])


def state_of(customers: pd.DataFrame) -> pd.Series:
    """The state of each customer against the own rhythm.

    Parameters
    ----------
    customers : DataFrame
        `purchases`, `p_alive`, `away` (days since the last purchase), `due_days` and `late_days`
        (`models.rhythm.rhythm`; NaN where beyond the history, and so not reached).

    Returns
    -------
    Series of category
        Of `STATES`. Who has bought once has no rhythm, nor has who is due only after a longer time
        than was observed; gone is who has one and a P(alive) below `GONE`.
    """
    away = customers["away"]
    conditions = [
        (customers["purchases"] < 2) | customers["due_days"].isna() | customers["p_alive"].isna(),
        customers["p_alive"] < GONE,
        away >= customers["late_days"],
        away >= customers["due_days"],
    ]
    names = ["no_rhythm", "gone", "late", "window"]
    codes = np.select(conditions, [*map(STATES.index, names)], default=STATES.index("not_due"))
    states = pd.Categorical.from_codes(codes, pd.Index(STATES))
    return pd.Series(states, index=customers.index)


def slipping(customers: pd.DataFrame, as_of: dt.date) -> Slipping:
    """Count and value the customers by their own rhythm.

    Parameters
    ----------
    customers : DataFrame
        `first`, `last`, `purchases`, `p_alive`, `clv`, `value_at_stake`, `away`, `due_days`,
        `late_days`, `rhythm` (`state_of`).
    as_of : date
    """
    grouped = customers.groupby("rhythm", observed=False)
    states = grouped.agg(
        customers=("away", "size"),
        at_stake=("value_at_stake", "sum"),
        clv=("clv", "sum"),
        p_alive=("p_alive", "mean"),
    ).reindex(list(STATES))
    states.insert(1, "share", states["customers"] / max(len(customers), 1))
    late = customers.loc[customers["rhythm"] == "late", "value_at_stake"]
    most = math.ceil(TOP * len(late))
    whole = float(late.sum())
    top = float(late.nlargest(most).sum()) if most else 0.0
    compared, agree = _both_rules(customers, as_of)
    return Slipping(
        states=states.rename_axis("state").reset_index().astype({"state": "str"}),
        by_wait=_by_wait(customers),
        top_customers=most,
        top_share=top / whole if whole > 0 else None,
        compared=compared,
        agree=agree,
    )


def _both_rules(customers: pd.DataFrame, as_of: dt.date) -> tuple[int, int]:
    """How many customers both rules apply to, and of how many they say the same."""
    times = times_away(customers, as_of)
    known = times.notna() & (customers["rhythm"] != "no_rhythm")
    same = (customers["away"] >= customers["late_days"]) == (times > TIMES)
    return int(known.sum()), int((known & same).sum())


def _by_wait(customers: pd.DataFrame) -> pd.DataFrame:
    used = ["away", "due_days", "value_at_stake", "rhythm"]
    known = customers.loc[customers["rhythm"] != "no_rhythm", used]
    at = np.searchsorted(WAITS, known["away"] / known["due_days"], side="right") - 1
    grouped = known["value_at_stake"].groupby([at, known["rhythm"]], observed=True)
    found = grouped.agg(["size", "sum"]).rename_axis(["at", "state"]).reset_index()
    bounds = np.array(WAITS)
    return pd.DataFrame(
        {
            "start": bounds[found["at"]],
            "end": bounds[found["at"] + 1],
            "state": found["state"].astype("str"),
            "customers": found["size"],
            "at_stake": found["sum"],
        }
    )
