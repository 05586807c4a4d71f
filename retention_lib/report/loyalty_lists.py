"""Lists to act on out of the data sets beside the orders: for workbook, mail tool and advice."""

from __future__ import annotations

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty import subscriptions, survey, survey_lists
from retention_lib.loyalty.beyond import Beyond
from retention_lib.loyalty.programme import members_and_points, silent_with_points
from retention_lib.loyalty.programme_ledger import Ledger
from retention_lib.loyalty.programme_members import Membership
from retention_lib.report import subscription_parts
from retention_lib.retention.lists import COLUMNS, ActionList
from retention_lib.sentence import N_, Sentence


def loyalty_lists(
    base: Base, customers: pd.DataFrame, found: Beyond | None = None
) -> tuple[ActionList, ...]:
    """The lists; none where the client gives no such data set.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        `report.customers.customer_table`.
    found : Beyond, optional
        Where it has been worked out already.
    """
    if not base.datasets:
        return ()
    if found is None:
        # no list comes of comparing members, of tests and campaigns: that costs most
        accounts = members_and_points(base)
        found = Beyond(
            survey=survey.of_base(base, customers), subscriptions=subscriptions.of_base(base)
        )
    else:
        told = found.programme
        accounts = None if told is None else (told.members, told.ledger)
    made: list[ActionList] = []
    if found.survey is not None:
        made += survey_lists.action_lists(found.survey.listed)
    if accounts:
        made += _of_programme(*accounts, base, customers)
    if found.subscriptions is not None and not found.subscriptions.empty:
        made += _of_subscriptions(found.subscriptions, customers)
    return tuple(made)


def _of_programme(
    members: Membership, points: Ledger | None, base: Base, customers: pd.DataFrame
) -> list[ActionList]:
    assert base.params.programme is not None
    value = base.params.programme.point_value
    silent = silent_with_points(members, points, value, base.as_of).set_index("customer")
    own = silent[["points", "worth", "joined"]]
    return _made(
        "silent_with_points",
        N_("Silent, with points"),
        N_(
            "Members who have points to spend and haven't bought for long, most points first: "
            "remind them of what is theirs."
        ),
        own,
        customers,
    )


def _of_subscriptions(
    found: subscriptions.Subscriptions, customers: pd.DataFrame
) -> list[ActionList]:
    frames = subscription_parts.lists(found)
    made: list[ActionList] = []
    if "renewals" in frames:
        made += _made(
            "renewals",
            N_("Renewals due"),
            N_(
                "Subscribers whose renewal is due within 90 days, those first with whom most is "
                "at stake: what is expected of them, times the chance that they don't renew."
            ),
            frames["renewals"],
            customers,
        )
    if "notices" in frames:
        made += _made(
            "notices",
            N_("Notice given"),
            N_(
                "Subscribers who have given notice, the first to leave first: ask each why, and "
                "make the offer that fits the answer."
            ),
            frames["notices"],
            customers,
        )
    return made


def _made(
    name: str, title: str, about: str, own: pd.DataFrame, customers: pd.DataFrame
) -> list[ActionList]:
    """A list in the order in which its rows are; what is at stake is its own where it tells it."""
    if own.empty:
        return []
    own = own.set_axis(own.index.astype(str)).rename_axis("customer")
    stake = own.pop("at_stake") if "at_stake" in own else None
    everyone = own.join(customers[[*COLUMNS]], how="left")
    if stake is not None:
        everyone["value_at_stake"] = stake
    return [ActionList(name, title, Sentence(about), tuple(own.columns), everyone)]
