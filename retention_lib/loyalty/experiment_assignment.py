"""Who is in a test: one row per customer, in one group, from the rows that the client has.

Analysis is by the group that the lot gave, whatever the customer then did (intention to treat): who
never bought stays in with zeros, for leaving such customers out undoes the lot. Who stands in
several groups can't be counted for any; they are left out, counted and told of, and who stands
twice in one group is kept once, from the earliest start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import pandas as pd

from retention_lib.sentence import N_

#: Customers of a group below which nothing is said of it.
LEAST: Final = 50

Problem = Literal["empty", "one_group", "no_control", "all_control"]

BLANK: Final = N_("No customer or no group")
NO_START: Final = N_("No start, or one after the last day of the data")
BEFORE_DATA: Final = N_("Started before the data does")
SEVERAL: Final = N_("In several groups of the test")


@dataclass(frozen=True)
class Plan:
    """A test as the client file has it.

    Parameters
    ----------
    name, title : str
        Its key, and as printed.
    control : str
        Name of the group left alone.
    days : int
        Outcome window, the start day included.
    split : mapping
        Planned share of each group, adding up to 1; empty for equal groups.
    cost : float
        Per treated customer, in the report's currency.
    margin : float
        Share of revenue.
    """

    name: str
    title: str
    control: str
    days: int = 90
    split: Mapping[str, float] = field(default_factory=dict)
    cost: float = 0.0
    margin: float = 1.0


@dataclass(frozen=True)
class Assignment:
    """The customers of a test.

    Parameters
    ----------
    customers : DataFrame
        A row a customer, ordered by id: `customer` (str), `group` (str), `start` (datetime64).
    groups : tuple of str
        The control group first, where it is there, the others by name.
    rows : int
        Read.
    left_out : DataFrame
        `cause`, `customers`; without those in several groups.
    several : DataFrame
        A row a customer in several groups: `customer`, `groups` (how many).
    repeated : int
        Customers with several rows in one group, kept once.
    problem : str or None
        Why nothing can be compared: `empty`, `one_group`, `no_control`, `all_control`.
    """

    customers: pd.DataFrame
    groups: tuple[str, ...]
    rows: int
    left_out: pd.DataFrame
    several: pd.DataFrame
    repeated: int
    problem: Problem | None

    @property
    def counts(self) -> pd.Series:
        """Customers by group, in the order of `groups`."""
        sizes = self.customers["group"].value_counts()
        return sizes.reindex(list(self.groups), fill_value=0).astype("int64")


def assignment(
    rows: pd.DataFrame, plan: Plan, start: dt.date | None = None, as_of: dt.date | None = None
) -> Assignment:
    """The customers of a test, each in its one group.

    Parameters
    ----------
    rows : DataFrame
        `customer`, `group`, `start`; blank ones are null or empty text.
    plan : Plan
    start, as_of : date, optional
        First and last day of the data; who started outside of them is left out.

    Returns
    -------
    Assignment
    """
    frame = pd.DataFrame(
        {
            "customer": _text(rows["customer"]),
            "group": _text(rows["group"]),
            "start": pd.to_datetime(rows["start"]).astype("datetime64[s]"),
        }
    )
    blank = (frame["customer"] == "") | (frame["group"] == "")
    late = frame["start"].isna()
    if as_of is not None:
        late |= frame["start"] > pd.Timestamp(as_of)
    early = pd.Series(False, index=frame.index)
    if start is not None:
        early = frame["start"] < pd.Timestamp(start)
    # a customer in two groups is in both, also where one of them began before the data
    known = frame[~blank]
    in_groups = known.groupby("customer", sort=True)["group"].nunique()
    several = in_groups[in_groups > 1]
    left = {
        BLANK: int(blank.sum()),
        NO_START: known.loc[late[~blank], "customer"].nunique(),
        BEFORE_DATA: known.loc[(early & ~late)[~blank], "customer"].nunique(),
    }
    usable = frame[~(blank | late | early) & ~frame["customer"].isin(several.index)]
    usable = usable.sort_values(["customer", "start"], kind="stable")
    kept = usable.drop_duplicates("customer").reset_index(drop=True)
    found = set(kept["group"])
    others = sorted(found - {plan.control})
    groups = (plan.control, *others) if plan.control in found else tuple(others)
    return Assignment(
        customers=kept,
        groups=groups,
        rows=len(rows),
        left_out=pd.DataFrame(
            [(cause, n) for cause, n in left.items() if n], columns=["cause", "customers"]
        ),
        several=several.rename("groups").reset_index(),
        repeated=int((usable["customer"].value_counts() > 1).sum()),
        problem=_problem(groups, plan.control),
    )


def _problem(groups: tuple[str, ...], control: str) -> Problem | None:
    if not groups:
        return "empty"
    if control not in groups:
        return "one_group" if len(groups) == 1 else "no_control"
    return "all_control" if len(groups) == 1 else None


def _text(values: pd.Series) -> pd.Series:
    return values.astype("string").fillna("").str.strip().astype(object)
