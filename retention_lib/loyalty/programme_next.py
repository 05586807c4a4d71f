"""What would settle whether the programme pays: a test drawn by lot, and how large it has to be.

Customers who aren't members yet are drawn into two halves, of which one is offered membership. How
much customers differ, and how much their past foretells, is taken from those that members were held
against (`loyalty.sample_size`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from retention_lib.loyalty.programme import Programme
from retention_lib.loyalty.sample_size import Design, Mean, size
from retention_lib.smallest import SMALLEST

#: The uplift that a test is planned for, where less would pay: smaller ones take too many.
LEAST_UPLIFT: Final = 0.05


@dataclass(frozen=True)
class NextTest:
    """A test drawn by lot.

    Parameters
    ----------
    uplift : float
        Relative, of spend, that it shows with 80 % probability.
    days : int
        How long after the offer.
    customers : int
        In both halves together.
    available : int
        Customers who bought in the period and aren't members.
    """

    uplift: float
    days: int
    customers: int
    available: int


def next_test(found: Programme) -> NextTest | None:
    """The test's size; None where nothing is known of customers who could be drawn.

    Parameters
    ----------
    found : Programme
    """
    compared, design = found.effect.compared, found.effect.design
    if compared is None or design is None:
        return None
    units = compared.units
    others = units[~units["treated"]].dropna(subset=["revenue_0", "revenue_-1"])
    after = others["revenue_0"].to_numpy(dtype=float)
    before = others["revenue_-1"].to_numpy(dtype=float)
    if len(others) < SMALLEST or not after.mean() > 0 or not min(after.std(), before.std()) > 0:
        return None
    correlation = float(np.clip(np.corrcoef(after, before)[0, 1], 0.0, 0.95))
    uplift = max(found.money.break_even.value or 0.0, LEAST_UPLIFT)
    outcome = Mean(sd=float(after.std(ddof=1)), correlation=correlation)
    needed = size(outcome, uplift * float(after.mean()), Design())
    if needed is None:
        return None
    return NextTest(uplift, design.days, needed.together, found.members.spread.others)
