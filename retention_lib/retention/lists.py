"""Lists to act on: which customers, in which order, and what is at stake with them.

What is at stake with a customer is what CLV would be if the customer were surely still one, less
CLV as it is: CLV / P(alive) − CLV. Lists are ranked by it, not by the probability alone: the
likeliest to have left have mostly left already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pandas as pd

#: Longest list that goes out; a mail tool takes more, a person doesn't.
MOST = 2_000

#: Below this P(alive) a customer counts as slipping, above `GONE` as one that can still be reached.
SLIPPING: Final = 0.50
GONE: Final = 0.05

#: A first purchase is recent for this many days.
RECENT_DAYS: Final = 90

COLUMNS: Final = (
    "segment",
    "tier",
    "first",
    "last",
    "purchases",
    "revenue",
    "p_alive",
    "expected_purchases",
    "clv",
    "value_at_stake",
)


@dataclass(frozen=True)
class ActionList:
    """One list to act on.

    Parameters
    ----------
    id : str
        Stable name: `win_back`, `thank_best`, `second_order`.
    title : str
        Name of the sheet.
    about : str
        Whom it holds, in which order, what for.
    customers : DataFrame
        Indexed by customer, columns `COLUMNS`, the first to act on first.
    eligible : int
        How many met the rule; the list holds the first `MOST` of them.
    eligible_at_stake, eligible_clv : float
        Value at stake with, and CLV of, all who met the rule.
    everyone : Index
        All who met the rule.
    """

    id: str
    title: str
    about: str
    customers: pd.DataFrame
    eligible: int
    eligible_at_stake: float
    eligible_clv: float
    everyone: pd.Index


def value_at_stake(clv: pd.Series, p_alive: pd.Series) -> pd.Series:
    """CLV if surely a customer, less CLV: clv · (1 − p) / p, 0 where p is 0."""
    return (clv * (1 - p_alive) / p_alive.where(p_alive > 0)).fillna(0.0)


def action_lists(customers: pd.DataFrame) -> tuple[ActionList, ...]:
    """The lists of a base.

    Parameters
    ----------
    customers : DataFrame
        The valued customers: `COLUMNS` without value_at_stake, and `T_days` (days since the first
        purchase).

    Returns
    -------
    tuple of ActionList
        Empty where no customer has a value: a list would rank by nothing.
    """
    if customers["clv"].isna().all():
        return ()
    valued = customers.assign(value_at_stake=value_at_stake(customers["clv"], customers["p_alive"]))
    return tuple(
        _make(valued, id_, title, about, rule, order) for id_, title, about, rule, order in _RULES
    )


Rule = Callable[[pd.DataFrame], pd.Series]


def _slipping(c: pd.DataFrame) -> pd.Series:
    return (c["purchases"] >= 2) & (c["p_alive"] < SLIPPING) & (c["p_alive"] >= GONE)


def _best(c: pd.DataFrame) -> pd.Series:
    first_tier = c["tier"].cat.categories[0]
    return (c["tier"] == first_tier) & (c["p_alive"] >= SLIPPING)


def _one_recent(c: pd.DataFrame) -> pd.Series:
    return (c["purchases"] == 1) & (c["T_days"] <= RECENT_DAYS)


_RULES: Final[tuple[tuple[str, str, str, Rule, str], ...]] = (
    (
        "win_back",
        "Win back",
        f"Customers with two or more purchases whose probability of still being one has fallen "
        f"below {SLIPPING:.0%} but not below {GONE:.0%}; the largest value at stake first.",
        _slipping,
        "value_at_stake",
    ),
    (
        "thank_best",
        "Thank the best",
        "Customers of the best value tier who are in all likelihood still with you; "
        "the largest CLV first.",
        _best,
        "clv",
    ),
    (
        "second_order",
        "Second order",
        f"Customers whose first and only purchase was in the last {RECENT_DAYS} days; "
        "the largest CLV first.",
        _one_recent,
        "clv",
    ),
)


def _make(
    valued: pd.DataFrame, id_: str, title: str, about: str, rule: Rule, order: str
) -> ActionList:
    chosen = valued[rule(valued)]
    # the id breaks ties, so that a rerun gives the same list
    ranked = chosen.rename_axis("customer").reset_index()
    ranked = ranked.sort_values([order, "customer"], ascending=[False, True], kind="stable")
    return ActionList(
        id=id_,
        title=title,
        about=about,
        customers=ranked.set_index("customer")[list(COLUMNS)].head(MOST),
        eligible=len(chosen),
        eligible_at_stake=float(chosen["value_at_stake"].sum()),
        eligible_clv=float(chosen["clv"].sum()),
        everyone=chosen.index,
    )
