"""Which renewals are due, who may not renew, and who has said so already.

A subscriber's chance not to renew is the model's for as many renewals as were made, allowing for
those who have given notice (`subscription_value.with_chances`): they are known to leave, and are
told of apart, with the revenue that ends with them. At stake is the chance times what the
subscriber would pay if held this once. Without a model the list has the renewals and no chances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.subscription_model import Projection, edge_of, foreseen
from retention_lib.loyalty.subscription_rows import Subscribed, dates
from retention_lib.loyalty.subscription_value import (
    WINDOWS,
    held_once,
    rate_per_period,
    with_chances,
)
from retention_lib.models.sbg import ShiftedBetaGeometric

#: Days ahead that are looked at.
AHEAD: Final = WINDOWS

#: The list's own columns.
DUE: Final = ("customer", "renewal", "plan", "amount", "renewals", "p_leave", "at_stake")
ENDS: Final = ("customer", "last_day", "plan", "amount", "renewals")


@dataclass(frozen=True)
class Renewals:
    """What comes next.

    Parameters
    ----------
    due : DataFrame
        `DUE`, a row a subscriber whose renewal falls within 90 days, the most at stake first:
        amount per billing period; renewals made; p_leave and at_stake NaN without a model.
    ends : DataFrame
        `ENDS`, a row a subscriber with notice given, the first to leave first.
    by_window : DataFrame
        days, due, expected_lost with its interval lost_low, lost_high, mrr (of those due), at_stake
        with stake_low, stake_high (of the parameters), ends, ends_mrr. NaN without a model.
    """

    due: pd.DataFrame
    ends: pd.DataFrame
    by_window: pd.DataFrame

    def within(self, days: int) -> pd.Series:
        """The row of so many days ahead."""
        return self.by_window[self.by_window["days"] == days].iloc[0]


def renewals(
    subscribed: Subscribed, made: Projection, discount_rate: float, margin: float
) -> Renewals:
    """What is due within 90 days of the report's day.

    Parameters
    ----------
    discount_rate : float
        Yearly; at 0 nothing is said of what is at stake.
    margin : float
        Share of revenue.
    """
    here, day = with_chances(subscribed, made), subscribed.today
    ends = here[here["notice"]].sort_values(["ends", "customer"], kind="stable")
    coming = here[~here["notice"] & (here["due"] <= day + max(AHEAD))]
    stake = np.full(len(coming), np.nan)
    rate = rate_per_period(discount_rate, made.period_months)
    if made.model is not None and rate > 0 and subscribed.priced:
        held = held_once(made.model, coming["renewals"].to_numpy(dtype="int64"), rate)
        stake = margin * held * (coming["p_leave"] * coming["cents"]).to_numpy() / 100
    due = pd.DataFrame(
        {
            "customer": coming["customer"].to_numpy(),
            "renewal": dates(coming["due"]).to_numpy(),
            "plan": coming["plan"].to_numpy(),
            "amount": coming["cents"].to_numpy() / 100,
            "renewals": coming["renewals"].to_numpy(),
            "p_leave": coming["p_leave"].to_numpy(),
            "at_stake": stake,
        }
    )
    rows = [_window(subscribed, made, here, days, rate, margin) for days in AHEAD]
    by_stake = stake_known(due)
    order = ["at_stake", "amount", "customer"] if by_stake else ["renewal", "customer"]
    ascending = [False, False, True] if by_stake else True
    return Renewals(
        due=due.sort_values(order, ascending=ascending, kind="stable", ignore_index=True),
        ends=pd.DataFrame(
            {
                "customer": ends["customer"].to_numpy(),
                "last_day": dates(ends["ends"]).to_numpy(),
                "plan": ends["plan"].to_numpy(),
                "amount": ends["cents"].to_numpy() / 100,
                "renewals": ends["renewals"].to_numpy(),
            }
        ),
        by_window=pd.DataFrame(rows),
    )


def stake_known(due: pd.DataFrame) -> bool:
    """Whether the list says what is at stake."""
    return bool(due["at_stake"].notna().any())


def _window(
    subscribed: Subscribed,
    made: Projection,
    here: pd.DataFrame,
    days: int,
    rate: float,
    margin: float,
) -> dict[str, float]:
    """All that falls within so many days."""
    until = subscribed.today + days
    up, gone = here[here["due"] <= until], here[here["notice"] & (here["ends"] <= until)]
    due, months = up[~up["notice"]], 100 * subscribed.period_months
    lost = (np.nan, np.nan, np.nan)
    stake = lost
    if made.model is not None:
        # of all whose renewal falls in the window so many leave, and some have said so
        told = int((up["ends"] < up["due"]).sum())
        _, low, high = foreseen(made.model, up["renewals"].to_numpy(dtype="int64"), 1)
        ends = [max(0.0, len(up) - end - told) for end in (high, low)]
        expected = float(due["p_leave"].sum())
        lost = (expected, min(expected, ends[0]), max(expected, min(ends[1], len(due))))
    if made.model is not None and rate > 0 and subscribed.priced:
        age = due["renewals"].to_numpy(dtype="int64")
        paid = margin * due["cents"].to_numpy(dtype=float) / 100
        leaves = due["p_leave"].to_numpy()
        by = due.assign(weight=paid * leaves / np.maximum(due["p"].to_numpy(), 1e-300))
        weights = by.groupby("renewals")["weight"].sum()
        ages, weight = weights.index.to_numpy(dtype="int64"), weights.to_numpy(dtype=float)

        def at(model: ShiftedBetaGeometric) -> float:
            leaving = 1 - model.renewal_rate(ages + 1)
            return float(weight @ (leaving * held_once(model, ages, rate))) if len(age) else 0.0

        edge = [at(one) for one in edge_of(made.model)]
        stake = (at(made.model), min(edge), max(edge))
    return {
        "days": days,
        "due": len(due),
        **dict(zip(("expected_lost", "lost_low", "lost_high"), lost, strict=True)),
        "mrr": float(due["cents"].sum()) / months,
        **dict(zip(("at_stake", "stake_low", "stake_high"), stake, strict=True)),
        "ends": len(gone),
        "ends_mrr": float(gone["cents"].sum()) / months,
    }
