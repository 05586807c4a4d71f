"""Sentences on peaks and birthdays."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.retention.peak_customers import WITHIN
from retention_lib.retention.personal_days import Birthdays
from retention_lib.retention.timing import Timing
from retention_lib.sentence import Sentence


def peaks(found: Timing) -> Sentence:
    """The heading over the peaks: whether its customers come back, else how high they were."""
    told, top = found.told_after_peaks, found.largest_peak
    if top is None:
        return Sentence("No day stands far above what is usual")
    if told is None:
        return Sentence(
            "The largest peak, {day}, had {times} times the usual orders",
            day=top["first"].date(),
            times=Metric(float(top["times"]), "ratio"),
        )
    values = {
        "share": Metric(told["share"], "share", n=int(told["n"])),
        "others": Metric(told["others"], "share", n=int(told["others_n"])),
        "days": Metric(WITHIN, "days"),
    }
    side = int(told["differs"])
    return _of_new(side, values) if told["kind"] == "new" else _of_returning(side, values)


def _of_new(side: int, values: Mapping[str, Metric]) -> Sentence:
    if side < 0:
        return Sentence(
            "Customers won on a peak come back less: {share} within {days}, {others} of others",
            **values,
        )
    if side > 0:
        return Sentence(
            "Customers won on a peak come back more: {share} within {days}, {others} of others",
            **values,
        )
    return Sentence(
        "Customers won on a peak come back like others: {share} within {days}, {others} of others",
        **values,
    )


def _of_returning(side: int, values: Mapping[str, Metric]) -> Sentence:
    if side < 0:
        return Sentence(
            "After a peak fewer buy again: {share} within {days}, {others} after other days",
            **values,
        )
    if side > 0:
        return Sentence(
            "After a peak more buy again: {share} within {days}, {others} after other days",
            **values,
        )
    return Sentence(
        "After a peak as many buy again as after other days: {share} within {days}, and {others}",
        **values,
    )


def who_on_peaks(found: Timing) -> Sentence | None:
    """The largest peak, and how many of its customers were new; None without one."""
    top = found.largest_peak
    if top is None:
        return None
    values = {
        "day": top["first"].date(),
        "orders": int(top["orders"]),
        "expected": Metric(float(top["expected"]), "count"),
        "customers": int(top["customers"]),
        "new": int(top["new"]),
    }
    if top["new"] == 0:
        return Sentence(
            "The largest began on {day}: {orders} orders where {expected} were usual, from "
            "{customers} customers, none of them new.",
            **values,
        )
    return Sentence(
        "The largest began on {day}: {orders} orders where {expected} were usual, from "
        "{customers} customers, {new} of them new.",
        **values,
    )


def how_to_read_peaks() -> Sentence:
    """What is usual, and with whom those who bought on peaks are compared."""
    return Sentence(
        "Usual is what the weekday and the eight weeks around it lead to expect. Compared are "
        "purchases of the same quarter by customers who had bought as often before. Who buys on a "
        "peak may be another kind of customer: the difference tells who came, and no effect."
    )


def birthday(found: Timing) -> Sentence:
    """The heading over the birthdays."""
    ratio = found.around_birthdays
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return Sentence("Whether customers buy more around their birthday can't be told yet")
    if ratio.low > 1:
        return Sentence(
            "Around their birthday customers buy more: {ratio} times as often as otherwise",
            ratio=ratio,
        )
    if ratio.high < 1:
        return Sentence(
            "Around their birthday customers buy less: {ratio} times as often as otherwise",
            ratio=ratio,
        )
    return Sentence(
        "Around their birthday customers buy about as often as otherwise: {ratio} times",
        ratio=ratio,
    )


def how_to_read_birthdays(days: int) -> Sentence:
    """What is compared, and which birthdays are left out."""
    return Sentence(
        "Compared are the two weeks before and after the birthday with the rest of the same "
        "customer's year. Birthdays that stand for none, such as 1 January 1900 or one day that "
        "far too many have, are left out of this and of the list of the next {days} days.",
        days=days,
    )


def birthday_counts(born: Birthdays) -> pd.DataFrame:
    """What became of the customers' birthdays: `what` (a sentence), `customers`."""
    rows = [
        (Sentence("With a birthday that can be used"), len(born.known)),
        (Sentence("Without one that can be read"), born.missing),
        (Sentence("With several different ones"), born.several),
        (Sentence("Born after their first purchase"), born.impossible),
        (Sentence("With a date that stands for none"), born.placeholder),
    ]
    return pd.DataFrame(rows, columns=["what", "customers"])
