"""Lists to act on: which customers, in which order, and what is at stake with them.

Lists against leaving are ranked by the value at stake (`models.at_stake`), not by the probability
alone: the likeliest to have left have mostly left already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.retention.slipping import GONE
from retention_lib.sentence import N_, Sentence

#: Most that a person goes through: so long are the workbook's sheets. Mail tools get all.
MOST = 2_000

#: From this P(alive) up a customer is in all likelihood still one.
STAYS: Final = 0.50

#: Birthdays and the like are listed so many days ahead.
AHEAD_DAYS: Final = 31

#: What every list says of a customer; a list may have columns of its own before them.
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

Rule = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class ActionList:
    """One list to act on.

    Parameters
    ----------
    id : str
        Stable name, such as `win_back`; the name of its CSV file.
    title : str
        Name of the sheet.
    about : Sentence
        Whom it holds, in which order, what for.
    own : tuple of str
        Its own columns.
    everyone : DataFrame
        All who met the rule, the first to act on first: indexed by customer, columns `own` and
        `COLUMNS`.
    """

    id: str
    title: str
    about: Sentence
    own: tuple[str, ...]
    everyone: pd.DataFrame

    @property
    def customers(self) -> pd.DataFrame:
        """The first `MOST` of them."""
        return self.everyone.head(MOST)

    @property
    def eligible(self) -> int:
        """How many met the rule."""
        return len(self.everyone)

    @property
    def eligible_at_stake(self) -> float:
        """Value at stake with all of them."""
        return float(self.everyone["value_at_stake"].sum())

    @property
    def eligible_clv(self) -> float:
        """Their CLV."""
        return float(self.everyone["clv"].sum())


@dataclass(frozen=True)
class _Kind:
    """What makes a list: its rule gives the customers on it with the list's own columns."""

    id: str
    title: str
    about: str
    rule: Rule
    own: tuple[str, ...]
    order: tuple[str, ...]
    values: tuple[str, ...] = ()
    """Names of the figures in `about`, which are columns that are the same for everybody."""


def action_lists(
    customers: pd.DataFrame,
    extra: Mapping[str, pd.DataFrame] | None = None,
    *,
    usable: bool = True,
) -> tuple[ActionList, ...]:
    """The lists of a base.

    Parameters
    ----------
    customers : DataFrame
        The valued customers: `COLUMNS`, `T_days` (days since the first purchase), `away` (since
        the last), `due_days`, `late_days` and `rhythm` (`retention.slipping`), `second_days`
        (`second_order.second_purchase_days`).
    extra : mapping, optional
        Frames indexed by customer that make lists of their own, by the list's id: `cross_sell`
        (category, next_category, share, lift, n), `birthdays` (birthday: date of the next),
        `anniversaries` (anniversary: date of the next, years). A list without a frame, or whose
        frame has nobody, isn't there.
    usable : bool
        Whether the forecast is fit to act on; without it only those of `extra` are made.

    Returns
    -------
    tuple of ActionList
        Those that rest on a value are left out where no customer has one.
    """
    frames = extra or {}
    # without a value nothing is known to be at stake
    valued = customers.assign(value_at_stake=customers["value_at_stake"].fillna(0.0))
    ranked = usable and not customers["clv"].isna().all()
    made = [_make(kind, valued) for kind in _KINDS] if ranked else []
    for kind in _EXTRA:
        if kind.id in frames and len(frames[kind.id]):
            own = frames[kind.id][list(kind.own)]
            own.index = own.index.astype(str)
            joined = valued.join(own[~own.index.duplicated()], how="inner")
            made.append(_make(kind, joined))
    return tuple(made)


def _win_back(c: pd.DataFrame) -> pd.DataFrame:
    late = c[(c["rhythm"] == "late") & (c["purchases"] >= 2)]
    return late.assign(
        due=_after_last(late, "due_days"),
        late=_after_last(late, "late_days"),
        days_late=late["away"] - late["late_days"],
    )


def _remind_now(c: pd.DataFrame) -> pd.DataFrame:
    window = c[c["rhythm"] == "window"]
    return window.assign(
        due=_after_last(window, "due_days"),
        late=_after_last(window, "late_days"),
        days_left=window["late_days"] - window["away"],
    )


def _thank_best(c: pd.DataFrame) -> pd.DataFrame:
    first_tier = c["tier"].cat.categories[0]
    return c[(c["tier"] == first_tier) & (c["p_alive"] >= STAYS)]


def _second_order(c: pd.DataFrame) -> pd.DataFrame:
    one = c[(c["purchases"] == 1) & (c["T_days"] <= c["second_days"])]
    until = one["first"] + pd.to_timedelta(one["second_days"], unit="D")
    return one.assign(second_by=until, days_left=one["second_days"] - one["T_days"])


def _reachable(c: pd.DataFrame) -> pd.DataFrame:
    return c[~(c["p_alive"] < GONE)]


def _soon(column: str) -> Rule:
    def rule(c: pd.DataFrame) -> pd.DataFrame:
        day = pd.to_datetime(c[column])
        today = c["first"] + pd.to_timedelta(c["T_days"], unit="D")
        ahead = (day - today).dt.days
        return _reachable(c.assign(**{column: day})[(ahead > 0) & (ahead <= AHEAD_DAYS)])

    return rule


def _after_last(c: pd.DataFrame, days: str) -> pd.Series:
    return c["last"] + pd.to_timedelta(c[days], unit="D")


_BY_STAKE: Final = ("value_at_stake",)
_BY_VALUE: Final = ("clv", "revenue")

_KINDS: Final = (
    _Kind(
        "win_back",
        N_("Win back"),
        N_(
            "Customers with two purchases or more who are later than their own rhythm: of "
            "customers with such a history who stay, nine in ten would have bought again by the "
            "day under “Late from”. Who is in all likelihood gone is left out. The largest value "
            "at stake first."
        ),
        _win_back,
        ("due", "late", "days_late"),
        _BY_STAKE,
    ),
    _Kind(
        "remind_now",
        N_("Remind now"),
        N_(
            "Customers whose next purchase is due by their own rhythm, and for whom a reminder "
            "isn't late yet: it is from the day under “Late from”, where that is within the time "
            "that the data cover. The largest value at stake first."
        ),
        _remind_now,
        ("due", "late", "days_left"),
        _BY_STAKE,
    ),
    _Kind(
        "thank_best",
        N_("Thank the best"),
        N_(
            "Customers of the best value tier who are in all likelihood still with you; "
            "the largest CLV first."
        ),
        _thank_best,
        (),
        ("clv",),
    ),
    _Kind(
        "second_order",
        N_("Second order"),
        N_(
            "Customers whose first and only purchase was in the last {second_days} days, the time "
            "in which most second purchases happen; “Second by” is the last day of it. The largest "
            "CLV first."
        ),
        _second_order,
        ("second_by", "days_left"),
        ("clv",),
        ("second_days",),
    ),
)

_EXTRA: Final = (
    _Kind(
        "cross_sell",
        N_("Cross-sell"),
        N_(
            "Customers who buy one category and not yet the one that its buyers take up next more "
            "often than like customers do; the largest CLV first."
        ),
        _reachable,
        ("category", "next_category", "share", "lift", "n"),
        _BY_VALUE,
    ),
    _Kind(
        "birthdays",
        N_("Birthdays"),
        N_(
            "Customers with a birthday in the next month, who aren't gone in all likelihood; the "
            "next birthday first."
        ),
        _soon("birthday"),
        ("birthday",),
        ("birthday",),
    ),
    _Kind(
        "anniversaries",
        N_("Anniversaries"),
        N_(
            "Customers whose first purchase has its anniversary in the next month, who aren't gone "
            "in all likelihood; the next one first."
        ),
        _soon("anniversary"),
        ("anniversary", "years"),
        ("anniversary",),
    ),
)
#: What each list is called, by its id.
TITLES: Final = {kind.id: kind.title for kind in (*_KINDS, *_EXTRA)}
#: Columns by which the smallest comes first.
_ASCENDING: Final = frozenset({"birthday", "anniversary"})


def _make(kind: _Kind, valued: pd.DataFrame) -> ActionList:
    chosen = kind.rule(valued)[[*kind.own, *COLUMNS]].rename_axis("customer")
    order = [*kind.order, *(_BY_VALUE if kind.order[0] in _ASCENDING else ())]
    up = [column in _ASCENDING for column in order]
    # the id breaks ties, so that a rerun gives the same list; most bases are in its order already
    ranked = chosen.sort_index().sort_values(order, ascending=up, kind="stable")
    values = {name: int(valued[name].iloc[0]) if len(valued) else 0 for name in kind.values}
    return ActionList(
        id=kind.id,
        title=kind.title,
        about=Sentence(kind.about, **values),
        own=kind.own,
        everyone=ranked,
    )
