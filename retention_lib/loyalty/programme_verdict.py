"""Whether members and comparable customers are alike enough to speak of the programme's effect.

As `comparable_verdict`, except for what is tried that wasn't used to make the groups alike; which
test can be passed at all depends on who chose, and is settled by that alone, not by how it comes
out.

Where the shop enrolled customers on days of its own, it chose by what they had bought till then.
The comparison moved to an earlier day must find nothing; a window of the past that is held back
would differ without fail, for the shop looked at it.

Where people join of their own will they do so while they buy. The comparison moved to an earlier
day would find that without fail; the window held back must show no difference
(`programme_effect.window_held_back`). The verdict is never better than with care then, for why they
joined isn't in the data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.loyalty.comparable_verdict import (
    ENOUGH_COMPARABLE,
    FEW,
    LEAST_COMPARABLE,
    MOST_APART,
    Kind,
)

if TYPE_CHECKING:
    from retention_lib.loyalty.comparable import Comparison

OWN_CHOICE = "own_choice"
HELD_BACK = "held_back"


def judge(compared: Comparison, held_back: Effect, by_day: bool) -> tuple[Kind, tuple[str, ...]]:
    """The verdict, and its reasons in codes.

    Parameters
    ----------
    compared : Comparison
    held_back : Effect
        Of the window held back.
    by_day : bool
        Whether the shop chose the days of joining.
    """
    effect = compared.effect()
    if not compared.compared or not effect.known:
        return "unfit", ("nothing",)
    bad: list[str] = []
    care: list[str] = [] if by_day else [OWN_CHOICE]
    share = compared.compared / compared.treated
    if share < LEAST_COMPARABLE:
        bad.append("few_comparable")
    elif share < ENOUGH_COMPARABLE:
        care.append("some_comparable")
    if compared.worst_imbalance >= MOST_APART:
        bad.append("apart")
    tried = compared.placebo() if by_day else held_back
    if not tried.known:
        care.append("no_placebo")
    elif tried.sure:
        bad.append("placebo" if by_day else HELD_BACK)
    elif effect.sure and max(abs(tried.low), abs(tried.high)) >= abs(effect.value):
        care.append("placebo_wide")
    if min(compared.customers, compared.effective) < FEW:
        care.append("few")
    if bad:
        return "unfit", (*bad, *care)
    return ("care", tuple(care)) if care else ("fit", ())
