"""Whom to call after a survey: detractors of high value, the content who are late, the promoters.

A call to a customer who is unhappy is worth most where most is still expected of the customer: high
value is the best fifth of all customers by CLV, or by revenue so far where no forecast is fit to
act on. A customer's last answer counts, no older than a reporting period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.survey_answers import Measure
from retention_lib.retention.lists import COLUMNS, STAYS, ActionList
from retention_lib.sentence import N_, Sentence

#: Share of the customers that is of high value.
BEST: Final = 0.2
#: A list's own columns: the score, and the day it was given.
OWN: Final = ("score", "answered")


@dataclass(frozen=True)
class Listed:
    """Customers to act on after a survey, each indexed by customer with `OWN` and `lists.COLUMNS`.

    Parameters
    ----------
    detractors : DataFrame
        In the worst group and of high value, most valuable first.
    quiet : DataFrame
        Passive, of high value, and later than their own rhythm.
    promoters : DataFrame
        In the best group, of high value, and in all likelihood still customers.
    judged : int
        Customers with an answer and a value.
    by_clv : bool
        Whether value is CLV; else revenue so far.
    at_stake : float
        CLV of the detractors listed.
    share_of_worst : float
        Of the CLV of all in the worst group, how much is theirs; NaN where that isn't known.
    worst : int
        Customers in the worst group, of whatever value.
    low, high : float
        95 % interval of `at_stake`; NaN where it isn't worked out.
    """

    detractors: pd.DataFrame
    quiet: pd.DataFrame
    promoters: pd.DataFrame
    judged: int
    by_clv: bool
    at_stake: float
    share_of_worst: float
    worst: int
    low: float = math.nan
    high: float = math.nan


def listed(measure: Measure | None, last: pd.DataFrame | None, customers: pd.DataFrame) -> Listed:
    """Pick the customers.

    Parameters
    ----------
    measure : str or None
        The leading one; None where there is none.
    last : DataFrame or None
        Each customer's last answer: customer, date, score, group.
    customers : DataFrame
        By customer, as of today; `clv`, `revenue`, `rhythm`, `p_alive` and what lists have.
    """
    by_clv = "clv" in customers and bool(customers["clv"].notna().any())
    value = customers["clv"] if by_clv else customers["revenue"]
    columns = [name for name in COLUMNS if name in customers]
    extra = [name for name in ("rhythm",) if name in customers]
    if measure is None or last is None or value.notna().sum() == 0:
        nobody = customers.iloc[:0][columns]
        empty = nobody.assign(
            score=pd.Series(dtype="float64"), answered=pd.Series(dtype="datetime64[ns]")
        )[[*OWN, *columns]]
        return Listed(empty, empty, empty, 0, by_clv, 0.0, float("nan"), 0)
    given = last.set_index("customer")[["score", "date", "group"]]
    known = given.rename(columns={"date": "answered"}).join(
        customers[[*columns, *extra]], how="inner"
    )
    worth = value.reindex(known.index)
    high = worth >= float(np.nanquantile(value, 1 - BEST))
    # most valuable first, the id among equals
    place = pd.DataFrame({"worth": -worth, "id": known.index.astype(str)}, index=known.index)
    known = known.loc[place.sort_values(["worth", "id"]).index]
    high = high.reindex(known.index)
    shown = [*OWN, *columns]
    worst = known["group"] == -1
    late = known["rhythm"] == "late" if "rhythm" in known else pd.Series(False, index=known.index)
    stays = known["p_alive"] >= STAYS if "p_alive" in known else pd.Series(True, index=known.index)
    if not by_clv:
        stays = pd.Series(True, index=known.index)
    detractors = known.loc[worst & high, shown]
    all_worst = float(known.loc[worst, "clv"].sum()) if by_clv else 0.0
    at_stake = float(detractors["clv"].sum()) if by_clv else 0.0
    return Listed(
        detractors=detractors,
        quiet=known.loc[(known["group"] == 0) & high & late, shown],
        promoters=known.loc[(known["group"] == 1) & high & stays, shown],
        judged=int(worth.notna().sum()),
        by_clv=by_clv,
        at_stake=at_stake,
        share_of_worst=at_stake / all_worst if all_worst > 0 else float("nan"),
        worst=int(worst.sum()),
    )


def action_lists(found: Listed) -> tuple[ActionList, ...]:
    """The lists for workbook and mail tool, those that have somebody on them.

    Frames without a forecast lack columns that lists have; those are added, all missing.
    """
    kinds = (
        (
            "unhappy",
            N_("Unhappy and valuable"),
            N_(
                "Customers of the best fifth by value whose last answer was a low score, most "
                "valuable first. Call each within days, ask what went wrong, and say what was done."
            ),
            found.detractors,
        ),
        (
            "content_but_late",
            N_("Content but late"),
            N_(
                "Customers of the best fifth by value whose last answer was neither high nor low "
                "and who are later than their own rhythm, most valuable first."
            ),
            found.quiet,
        ),
        (
            "recommenders",
            N_("To ask for a recommendation"),
            N_(
                "Customers of the best fifth by value whose last answer was a high score and who "
                "are in all likelihood still customers, most valuable first: for a referral "
                "programme or a review."
            ),
            found.promoters,
        ),
    )
    return tuple(
        ActionList(id_, title, Sentence(about), OWN, _whole(frame))
        for id_, title, about, frame in kinds
        if len(frame)
    )


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    lacking = [name for name in COLUMNS if name not in frame]
    return frame.assign(**dict.fromkeys(lacking, float("nan")))[[*OWN, *COLUMNS]]
