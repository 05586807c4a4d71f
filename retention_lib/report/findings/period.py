"""Sentences on the period: rates over time, what kept, new and lost customers bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report.findings import retention
from retention_lib.retention.series import Trend
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

Metrics = Mapping[str, Metric]

#: The two forms are explained with these totals (CONTRACT, section 4).
EXAMPLE: Final = {"at_start": 50_000, "new": 1_000, "at_end": 40_000}
#: From this ratio of the median tenures on two periods' customers are of different ages.
AGED: Final = 1.25
#: By so much a group's share of revenue exceeds its share of customers where that is the story.
MORE: Final = 0.10


def over_time(trend: Trend) -> Sentence:
    """The heading over the rates over time."""
    if trend.kind == "unknown":
        return Sentence("Whether retention rises or falls can't be told yet: there is one period")
    then, now = trend.first, trend.last
    values = {"then": then, "now": now, "day": trend.points["end"].iloc[0]}
    if min(then.n or 0, now.n or 0) < SMALLEST:
        return Sentence("Too few customers to say whether retention rises or falls")
    if trend.kind == "rising":
        return Sentence(
            "Retention is rising: {now} of the customers stayed, {then} in the period to {day}",
            **values,
        )
    if trend.kind == "falling":
        return Sentence(
            "Retention is falling: {now} of the customers stayed, {then} in the period to {day}",
            **values,
        )
    return Sentence("Retention holds steady: {now} stayed, {then} in the period to {day}", **values)


def how_over_time(trend: Trend, base: Base) -> Sentence:
    """What is compared, and what isn't."""
    apart = Metric(trend.months, "months")
    if trend.kind == "unknown":
        return Sentence(
            "Each point is a period of {months} and shares days with its neighbours, so that a "
            "smooth line is no trend. Two periods that share none are {apart} apart; the data "
            "doesn't reach back so far.",
            months=Metric(base.params.period_months, "months"),
            apart=apart,
        )
    return Sentence(
        "Each point is a period of {months} and shares days with its neighbours, so that a smooth "
        "line is no trend. Compared are the ends with a dot, {apart} apart, by a test for a trend; "
        "less than one percentage point counts as steady.",
        months=Metric(base.params.period_months, "months"),
        apart=apart,
    )


def tenure(trend: Trend, then: float | None, now: float | None) -> Sentence | None:
    """Whether the customers compared are of another age; None where they are of about the same.

    Parameters
    ----------
    trend : Trend
    then, now : float or None
        `retention.tenure.tenure_at_start`, of the earliest period compared and of this one.
    """
    if not then or not now:
        return None
    values = {"now": Metric(round(now), "days"), "then": Metric(round(then), "days")}
    if trend.kind == "rising" and now > AGED * then:
        return Sentence(
            "They aren't customers of one age: half of those at the start of this period had been "
            "customers for {now} or more, of the earlier one for {then}. Who has stayed long stays "
            "more readily, so that part of the rise is who was left.",
            **values,
        )
    if trend.kind == "falling" and then > AGED * now:
        return Sentence(
            "They aren't customers of one age: half of those at the start of this period had been "
            "customers for {now} or more, of the earlier one for {then}. Who has just come leaves "
            "more readily, so that part of the fall is who has come.",
            **values,
        )
    return None


def flow(metrics: Metrics) -> Sentence:
    """The heading over the flow of customers; it tells of money where that is the story."""
    kept, end = metrics["customers.kept"], metrics["customers.at_end"]
    share = shares_of_kept(metrics)
    if share is None or (kept.value or 0) < SMALLEST or kept.value == end.value:
        return retention.flow(metrics)
    customers, revenue = share
    if (revenue.value or 0) - (customers.value or 0) >= MORE:
        return Sentence(
            "The {customers} of the customers who were kept bring {revenue} of the revenue",
            customers=customers,
            revenue=revenue,
        )
    return retention.flow(metrics)


def shares_of_kept(metrics: Metrics) -> tuple[Metric, Metric] | None:
    """The kept customers' share of the customers at the end, and of revenue; None of nothing."""
    kept, end = metrics["customers.kept"].value, metrics["customers.at_end"].value
    part, net = metrics["revenue.kept"].value, metrics["revenue.net"].value
    if not kept or not end or part is None or net is None or net <= 0:
        return None
    return Metric(kept / end, "share", n=int(end)), Metric(part / net, "share", n=int(kept))


def money(metrics: Metrics) -> Sentence | None:
    """What went with the lost against what the others brought; None where nobody was lost."""
    lost, before = metrics["customers.lost"], metrics["revenue.lost_before"]
    if not lost.value or before.value is None:
        return None
    values = {
        "lost": int(lost.value),
        "before": before,
        "new": metrics["revenue.new"],
        "back": metrics["revenue.reactivated"],
    }
    if not metrics["customers.reactivated"].value:
        return Sentence(
            "The {lost} lost customers had spent {before} in the period before; the new ones "
            "brought {new} in this one.",
            **values,
        )
    return Sentence(
        "The {lost} lost customers had spent {before} in the period before; in this one the new "
        "ones brought {new} and the reactivated {back}.",
        **values,
    )


def two_forms() -> Sentence:
    """How to read the table of the forms of the retention rate."""
    return Sentence(
        "Example: {at_start} customers at the start, {new} won, {at_end} at the end. The first "
        "form needs to know each customer, the others only totals. The last one is copied widely "
        "and wrong: the {new} new were never among the {at_start}, so they can't be taken off "
        "them, and they stay in the {at_end}. The more a shop wins, the better it looks.",
        **EXAMPLE,
    )
