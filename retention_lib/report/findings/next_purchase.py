"""Sentences on the way from each purchase to the next."""

from __future__ import annotations

from typing import Final

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

#: Days within which the heading asks for the next purchase.
DAYS: Final = 90


def heading(steps: pd.DataFrame) -> Sentence:
    """Whether customers come back more readily the more often they have bought.

    Parameters
    ----------
    steps : DataFrame
        `retention.next_purchase.next_purchase`.
    """
    known = steps[steps[f"n_{DAYS}"] >= SMALLEST]
    if known.empty or known["number"].iloc[0] != 1:
        return Sentence("Too few customers were watched long enough to say who comes back")
    first, last = known.iloc[0], known.iloc[-1]
    days = Metric(DAYS, "days")
    if len(known) == 1:
        return Sentence(
            "After the first purchase {first} buy again within {days}",
            first=_share(first),
            days=days,
        )
    values = {
        "first": _share(first),
        "last": _share(last),
        "n": int(last["number"]),
        "days": days,
    }
    if last[f"low_{DAYS}"] > first[f"high_{DAYS}"]:
        second = known.iloc[1]
        rise = last[f"share_{DAYS}"] - first[f"share_{DAYS}"]
        jump = second[f"share_{DAYS}"] - first[f"share_{DAYS}"]
        if len(known) > 2 and jump > rise / 2 and second[f"low_{DAYS}"] > first[f"high_{DAYS}"]:
            return Sentence(
                "The second purchase is the hurdle: after one, {first} buy again within {days}; "
                "after two {second}, after {n} {last}",
                second=_share(second),
                **values,
            )
        return Sentence(
            "After one purchase {first} buy again within {days}, after {n} purchases {last}",
            **values,
        )
    if last[f"high_{DAYS}"] < first[f"low_{DAYS}"]:
        return Sentence(
            "The more purchases came before, the fewer buy again within {days}: {first} after one, "
            "{last} after {n}",
            **values,
        )
    return Sentence(
        "About as many buy again within {days} after one purchase, {first}, as after {n}, {last}",
        **values,
    )


def how_to_read() -> Sentence:
    """What the rows compare."""
    return Sentence(
        "Each share is of those who made that purchase and were watched so long after it. Later "
        "rows are of fewer customers, those who buy often: that they come back more readily is "
        "their kind as much as their habit. The days are those of customers who did come back."
    )


def _share(row: pd.Series) -> Metric:
    return Metric(float(row[f"share_{DAYS}"]), "share", n=int(row[f"n_{DAYS}"]))
