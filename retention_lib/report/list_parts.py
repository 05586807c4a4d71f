"""The sections on the lists to act on: found, to do, first customers, yardstick, test."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from retention_lib.report import tables
from retention_lib.report.customers import Earlier
from retention_lib.report.files import FORMATS, LABELS
from retention_lib.report.findings import actions
from retention_lib.report.page import Page, Shown
from retention_lib.retention.lists import ActionList, action_lists
from retention_lib.retention.outcomes import LeftAlone, share_back

#: Columns of a list's table in the report; what is not here is in the files. A birthday isn't
#: printed: beside purchases it tells who a pseudonym is.
_SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "win_back": ("last", "days_late", "purchases", "p_alive", "clv", "value_at_stake"),
    "remind_now": ("due", "late", "purchases", "p_alive", "clv", "value_at_stake"),
    "thank_best": ("last", "purchases", "revenue", "p_alive", "clv", "expected_purchases"),
    "second_order": ("first", "second_by", "revenue", "clv", "expected_purchases"),
    "cross_sell": ("category", "next_category", "share", "lift", "purchases", "clv"),
    "anniversaries": ("anniversary", "years", "last", "purchases", "revenue", "clv"),
}


def sections(
    given: Sequence[ActionList],
    page: Page,
    alone: Mapping[str, LeftAlone] | None = None,
    advised: Collection[str] = (),
) -> list[Shown]:
    """A section a list.

    Parameters
    ----------
    given : sequence of ActionList
    page : Page
    alone : mapping, optional
        By list: what its customers do when left alone (`outcomes`).
    advised : collection of str
        Lists for which a recommendation gives measure and test; these aren't repeated.
    """
    yardsticks = alone or {}
    parts = [
        part
        for one in given
        for part in _section(one, yardsticks.get(one.id), one.id in advised, page)
    ]
    return [part for part in parts if part is not None]


def outcomes(
    then: Earlier, extra: Mapping[str, pd.DataFrame] | None = None
) -> dict[str, LeftAlone]:
    """By list: what became of the customers who would have been on it some months ago."""
    found = {
        one.id: share_back(then.bought[one.everyone.index], then.months)
        for one in action_lists(then.customers, extra)
    }
    return {name: alone for name, alone in found.items() if alone is not None}


def top_of_list(given: ActionList, page: Page, most: int = 10) -> pd.DataFrame:
    """The first customers of a list, named as the report names them, for a table."""
    first = given.customers.head(most)
    named = [page.customer(str(customer)) for customer in first.index]
    shown = list(_SHOWN.get(given.id, ()))
    return first[shown].reset_index(drop=True).assign(customer=named)


def _section(
    one: ActionList, alone: LeftAlone | None, advised: bool, page: Page
) -> list[Shown | None]:
    shown: list[Shown | None] = [page.section(actions.one_list(one), name=one.title)]
    if not one.eligible:
        return [*shown, page.note(one.about)]
    shown += [None if advised else page.text(actions.measure(one)), page.text(one.about)]
    if one.id in _SHOWN:
        shown.append(page.table(_list_table(one, page)))
    if alone is not None:
        shown.append(page.text(actions.alone(alone)))
        shown.append(None if advised else page.text(actions.test(one, alone)))
    return shown


def _list_table(one: ActionList, page: Page) -> Any:
    say = page.formats.say
    columns = ("customer", *_SHOWN[one.id])
    return tables.frame_table(
        top_of_list(one, page),
        page.formats,
        {column: FORMATS.get(column, "text") for column in columns},
        {column: say(LABELS[column]) for column in columns},
        stub="customer",
        id=f"list-{one.id.replace('_', '-')}",
    )
