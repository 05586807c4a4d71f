"""What joining did: members against customers who could have joined then and didn't.

Loyal customers join more readily, so that members spend more than others whatever the programme
does. Who joins in a month is held against customers who hadn't joined until the window was over,
made alike in what they had bought before (`loyalty.comparable`, the sequential trial of joining).

Where people join on a few days, as when a shop enrols them, a stack is such a day, and the window
begins with it. Else a stack is a week, or a month where few join in a week, and the window begins
when it is over: many join while they buy, and that purchase isn't the programme's. It stands among
what the groups are made alike in, so that they are held against customers who bought as lately.
What the programme changed within the week or month of joining isn't counted, and stands among what
the groups are made alike in: by months the effect looks smaller than it is, in simulations by a
fifth; by weeks hardly. Who joins before the window is over is no comparison, and tends to buy more
than who doesn't: in simulations without an effect that makes one of one per cent.

Only members who had bought before that are compared: of one who joins with the first purchase there
is no time before, and nothing could show whether the groups were on the same way.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty.comparable import Comparison, Design, compare, panel
from retention_lib.loyalty.comparable_effect import (
    LEAST_OTHERS,
    UNKNOWN,
    Effect,
    of_stack,
    together,
)
from retention_lib.loyalty.programme_verdict import judge
from retention_lib.smallest import SMALLEST

#: What a stack is.
Grain = Literal["day", "week", "month"]
#: Lengths of a window in days, the longest first: whole weeks.
LENGTHS: Final = (182, 91, 42, 28)
#: Days, weeks or months that make up stacks at most, evenly spread over those that could.
MOST_STACKS: Final[Mapping[Grain, int]] = {"day": 24, "week": 104, "month": 24}
#: Joinings from which fewer stacks and a part of the members tell it as surely: the stacks then,
#: and the members drawn by a hash of their ids, the same at every run.
MANY: Final = 4_000
STACKS_OF_MANY: Final = 26
DRAWN: Final = 20_000
#: Customers whom members are held against, about; of more, some are drawn by a hash.
OTHERS: Final = 5_000
_PARTS: Final = 1_000_000
#: The engine's own draw is left out: it would keep everybody who joins at some time.
_EVERYBODY: Final = 1_000_000_000
#: Joinings that make a stack, and the share of all that the stacks must hold.
LEAST_JOINED: Final = 10
MOSTLY: Final = 0.8

_IDS: Final = {"customer": "string"}
#: Why there is no comparison.
NO_PAST: Final = "no_past"
ALL_MEMBERS: Final = "all_members"
FEW_JOINED: Final = "few_joined"
TOO_SHORT: Final = "too_short"


@dataclass(frozen=True)
class Joined:
    """Who joined, as the engine compares them.

    Parameters
    ----------
    treated : DataFrame
        stack, customer, day: members who had bought before and whose window fits the data.
    exposed : DataFrame
        customer, start, end: every membership, from its stack's day.
    design : Design
    grain : str
        Whether a stack is a day of joining, a week or a month.
    left_out : mapping of str to int
        Members who are in no stack: `unknown` (not in the orders), `no_past`, `near_ends`, `few`,
        `not_drawn`.
    """

    treated: pd.DataFrame
    exposed: pd.DataFrame
    design: Design
    grain: Grain
    left_out: Mapping[str, int]


@dataclass(frozen=True)
class Programmed:
    """What the programme changed, or why that can't be told.

    Parameters
    ----------
    compared : Comparison or None
    design : Design or None
    grain : str
        A `day` on which the shop enrolled; else the `week` or `month` that members chose.
    why_not : str or None
        `NO_PAST`, `ALL_MEMBERS`, `FEW_JOINED` or `TOO_SHORT`.
    kind : str
        `fit`, `care`, `unfit`, or `none` without a comparison (`programme_verdict`).
    reasons : tuple of str
        Codes, those of `comparable_verdict` and `programme_verdict`; or `why_not`.
    held_back : Effect
        On a window of the past that wasn't used to make the groups alike.
    before, others_before : float
        Mean revenue in the window before joining, of the members compared and of those like them.
    left_out : mapping of str to int
        Members by why they aren't compared; adds up with those who are.
    """

    compared: Comparison | None
    design: Design | None
    grain: Grain
    why_not: str | None
    kind: str = "none"
    reasons: tuple[str, ...] = ()
    held_back: Effect = UNKNOWN
    before: float = float("nan")
    others_before: float = float("nan")
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def revenue(self) -> Effect:
        """On a member's revenue in the window."""
        return UNKNOWN if self.compared is None else self.compared.effect("revenue")

    @property
    def repurchase(self) -> Effect:
        """On whether a member buys in the window."""
        return UNKNOWN if self.compared is None else self.compared.effect("bought")

    @property
    def later(self) -> Effect:
        """On a member's revenue in the window after it."""
        return UNKNOWN if self.compared is None else self.compared.effect("revenue", 1)

    @property
    def earlier_day(self) -> Effect:
        """The same comparison a window before joining, with only what was known by then."""
        return UNKNOWN if self.compared is None else self.compared.placebo("revenue")

    @property
    def may_be_called_effect(self) -> bool:
        """Whether the comparison passed its checks, with care or without."""
        return self.kind in ("fit", "care") and self.revenue.known


def joined(members: pd.DataFrame, start: dt.date, as_of: dt.date) -> Joined | str:
    """The stacks of the members' joining, or why there is none.

    Parameters
    ----------
    members : DataFrame
        Of `programme_members`: customer, joined, left, first, known.
    start, as_of : date
        First and last day of the data.
    """
    known = members[members["known"]]
    grain = _grain(known["joined"])
    with_past = known[known["first"] < _begun(known["joined"], grain)]
    if len(with_past) < SMALLEST:
        return NO_PAST
    index_day = _index_days(with_past["joined"], grain)
    first, last = pd.Timestamp(start), pd.Timestamp(as_of)

    def fits(length: int) -> pd.Series:
        before = (index_day - first).dt.days >= 2 * length
        return before & ((last - index_day).dt.days + 1 >= length)

    reachable = int(fits(LENGTHS[-1]).sum())
    if reachable < SMALLEST:
        return TOO_SHORT
    # said by the days of joining alone, not by what was bought after them
    length = next(n for n in LENGTHS if fits(n).sum() >= reachable / 2)
    inside = fits(length)
    days = index_day[inside]
    stack = days.dt.strftime("%Y-%m-%d")
    treated = pd.DataFrame(
        {"stack": stack, "customer": with_past.loc[inside, "customer"], "day": days}
    )
    sizes = treated["stack"].value_counts()
    large = sorted(sizes[sizes >= LEAST_JOINED].index)
    could = treated["stack"].isin(large)
    most = min(MOST_STACKS[grain], STACKS_OF_MANY if could.sum() > MANY else len(large))
    treated = treated[could & treated["stack"].isin(_spread(large, most))]
    treated = _drawn(treated).reset_index(drop=True)
    if treated.empty:
        return FEW_JOINED
    exposed = pd.DataFrame(
        {
            "customer": members["customer"],
            "start": _index_days(members["joined"], grain),
            "end": members["left"],
        }
    )
    # who left within the week or month of joining was a member none the less
    exposed["end"] = exposed["end"].where(exposed["end"] >= exposed["start"], exposed["start"])
    exposed.loc[members["left"].isna().to_numpy(), "end"] = pd.NaT
    left_out = {
        "unknown": len(members) - len(known),
        "no_past": len(known) - len(with_past),
        "near_ends": len(with_past) - int(inside.sum()),
        "few": int((~could).sum()),
        "not_drawn": int(could.sum()) - len(treated),
    }
    design = Design(days=length, controls=_EVERYBODY)
    return Joined(treated, exposed, design, grain, left_out)


def _spread(stacks: list[str], most: int) -> list[str]:
    """So many of the stacks, evenly over time."""
    if not stacks:
        return []
    places = np.unique(np.linspace(0, len(stacks) - 1, max(most, 1)).round().astype(int))
    return [stacks[place] for place in places]


def _drawn(treated: pd.DataFrame) -> pd.DataFrame:
    """`DRAWN` of the members at most, by a hash of their ids."""
    if len(treated) <= DRAWN:
        return treated
    lot = pd.util.hash_array(treated["customer"].to_numpy(dtype=object))
    return treated.iloc[np.sort(np.argsort(lot, kind="stable")[:DRAWN])]


def _grain(days: pd.Series) -> Grain:
    """The finest that has enough joinings in one stack for most of them."""
    on_days = days.value_counts().head(MOST_STACKS["day"])
    in_weeks = _begun(days, "week").value_counts()
    grains: tuple[tuple[Grain, pd.Series], ...] = (("day", on_days), ("week", in_weeks))
    for grain, counts in grains:
        if counts[counts >= LEAST_JOINED].sum() >= MOSTLY * len(days):
            return grain
    return "month"


_PERIODS: Final = {"day": "D", "week": "W", "month": "M"}


def _begun(days: pd.Series, grain: Grain) -> pd.Series:
    """First day of the stack's day, week or month."""
    return days.dt.to_period(_PERIODS[grain]).dt.start_time


def _index_days(days: pd.Series, grain: Grain) -> pd.Series:
    """The day from which a stack's window runs."""
    if grain == "day":
        return days
    return days.dt.to_period(_PERIODS[grain]).dt.end_time.dt.normalize() + pd.Timedelta(1, "D")


def effect(base: Base, members: pd.DataFrame) -> Programmed:
    """What joining did, from the orders of members and of customers who could have joined.

    Parameters
    ----------
    base : Base
    members : DataFrame
        `Membership.members`.
    """
    stacks = joined(members, base.start, base.as_of) if _others(base, members) else ALL_MEMBERS
    if isinstance(stacks, str):
        return Programmed(None, None, "month", stacks, reasons=(stacks,))
    days, drawn = _days(base, stacks.treated)
    exposed = stacks.exposed
    if drawn is not None:
        exposed = exposed[exposed["customer"].isin([*drawn, *stacks.treated["customer"]])]
    units = panel(days, base.start, base.as_of, stacks.treated, exposed, stacks.design)
    if drawn is not None:
        units = units[units["treated"] | units["customer"].isin(drawn)]
    if units.empty or units["treated"].all():
        return Programmed(None, stacks.design, stacks.grain, ALL_MEMBERS, reasons=(ALL_MEMBERS,))
    # as the members: bought before the week or month of joining began
    last = units["day"] - pd.Timedelta(0 if stacks.grain == "day" else 1, "D")
    units = units[units["first_days"] > (units["day"] - _begun(last, stacks.grain)).dt.days]
    compared = compare(units, stacks.design)
    held_back = window_held_back(compared)
    kind, reasons = judge(compared, held_back, stacks.grain == "day")
    before, others = _before(compared)
    not_alike = len(members) - sum(stacks.left_out.values()) - compared.customers
    return Programmed(
        compared,
        stacks.design,
        stacks.grain,
        None,
        kind,
        reasons,
        held_back,
        before,
        others,
        {**stacks.left_out, "not_alike": not_alike},
    )


def _others(base: Base, members: pd.DataFrame) -> bool:
    """Whether the orders have enough customers to compare with, who joined never or later."""
    listed = ibis.memtable(members[["customer"]].astype({"customer": object}), schema=_IDS)
    never = int(_customers(base).anti_join(listed, "customer").count().execute())
    return never >= LEAST_OTHERS or members["joined"].nunique() > 1


def _customers(base: Base) -> ir.Table:
    return base.days.filter(base.days["bought"]).select("customer").distinct()


def _days(base: Base, treated: pd.DataFrame) -> tuple[ir.Table, set[str] | None]:
    """The customer-days to look at, and who may be compared with; None: everybody.

    All customers are drawn with one chance, who joins later too: with those kept in full, the
    others would be rich in customers who bought much in the window and joined because of it.
    """
    customers = _customers(base)
    n = int(customers.count().execute())
    if n <= OTHERS:
        return base.days, None
    part = (customers["customer"].hash() % _PARTS).abs()
    sample = customers.filter(part < int(_PARTS * OTHERS / n)).to_pyarrow()["customer"].to_pylist()
    drawn = set(sample)
    wanted = pd.DataFrame({"customer": sorted(drawn | set(treated["customer"]))}, dtype=object)
    table = ibis.memtable(wanted, schema=_IDS)
    return base.days.semi_join(table, "customer"), drawn


def window_held_back(compared: Comparison) -> Effect:
    """The groups made alike without the oldest window, held against each other in it.

    Who joins of his own will does so when he buys, so that members bought more just before they
    joined than what was known earlier foretells: the comparison moved to an earlier day finds that
    and can't be passed. What is left to try is the other end of the past: groups alike in all later
    windows must be alike in one that nobody looked at, or they differ for a reason that isn't in
    the data.
    """
    design = compared.design
    oldest = f"_{-design.before}"
    units = compared.units
    shown = units[f"revenue{oldest}"].notna()
    if design.before < 2 or not shown.any():
        return UNKNOWN
    part = units[shown].reset_index(drop=True)
    ever = part["ever_0"] - part[f"orders{oldest}"]
    without = compare(
        part.assign(ever_0=ever.clip(lower=0)),
        dataclasses.replace(design, before=design.before - 1),
    )
    stacks = list(without.stacks())
    if not stacks:
        return UNKNOWN
    values = part[f"revenue{oldest}"].to_numpy(dtype=float)
    estimated = [of_stack(stack, values[stack.rows]) for stack in stacks]
    customers = pd.factorize(part["customer"])[0]
    return together(stacks, estimated, customers, float("nan"))


def _before(compared: Comparison) -> tuple[float, float]:
    """What members and those like them had bought in the window before joining."""
    revenue = compared.units["revenue_-1"].to_numpy(dtype=float)
    own, others, n = 0.0, 0.0, 0
    for stack in compared.stacks():
        values = revenue[stack.rows]
        weights = stack.weights / stack.weights.sum()
        size = int(stack.treated.sum())
        own += values[stack.treated].sum()
        others += size * float(weights @ values[~stack.treated])
        n += size
    return (own / n, others / n) if n else (float("nan"), float("nan"))
