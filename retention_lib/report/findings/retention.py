"""Sentences on retention: rates, the flow of customers, cohorts, the second purchase, revenue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, moved
from retention_lib.sentence import Counted, Sentence
from retention_lib.smallest import SMALLEST

Metrics = Mapping[str, Metric]


#: From this share on, "100.0 %" would be read as all.
PRACTICALLY_ALL: Final = 0.995


def rate(metrics: Metrics) -> Sentence:
    """The chapter's headline: how many of the customers at the start are customers at the end."""
    kept = metrics["retention.rate"]
    if kept.value is None:
        return Sentence(
            "The history is too short for a retention rate: nobody had bought before the period"
        )
    if (kept.n or 0) < SMALLEST:
        return Sentence(
            Counted(
                "Only {n} customer was there at the start: too few for a retention rate",
                "Only {n} customers were there at the start: too few for a retention rate",
            ),
            n=kept.n,
        )
    values = {"kept": kept, "lost": metrics["churn.rate"]}
    change = moved(kept)
    if change > 0:
        return Sentence("{kept} of the customers stayed, more than in the period before", **values)
    if change < 0:
        return Sentence("{kept} of the customers stayed, fewer than in the period before", **values)
    if kept.value >= 0.5:
        return Sentence("{kept} of the customers stayed, {lost} left", **values)
    return Sentence("{lost} of the customers left, {kept} stayed", **values)


def flow(metrics: Metrics) -> Sentence:
    """The heading over the flow of customers."""
    start, end = _count(metrics, "at_start"), _count(metrics, "at_end")
    new_at_end = end - (start - _count(metrics, "lost") + _count(metrics, "reactivated"))
    came = new_at_end + _count(metrics, "reactivated")
    lost = _count(metrics, "lost")
    if start == 0:
        return Sentence("All {end} active customers are new: the history starts here", end=end)
    if came == 0:
        return Sentence(
            Counted(
                "{lost} customer was lost and none came instead",
                "{lost} customers were lost and none came in their place",
                by="lost",
            ),
            lost=lost,
        )
    if end < start and came < 0.05 * lost:
        return Sentence(
            Counted(
                "{lost} customer was lost and hardly any came: {came}",
                "{lost} customers were lost and hardly any came: {came}",
                by="lost",
            ),
            lost=lost,
            came=came,
        )
    if end < start:
        return Sentence(
            Counted(
                "The base shrank: {lost} customer was lost, {came} came or came back",
                "The base shrank: {lost} customers were lost, {came} came or came back",
                by="lost",
            ),
            lost=lost,
            came=came,
        )
    if end > start:
        return Sentence(
            Counted(
                "The base grew: {came} customer came or came back, {lost} were lost",
                "The base grew: {came} customers came or came back, {lost} were lost",
                by="came",
            ),
            lost=lost,
            came=came,
        )
    return Sentence("As many customers came or came back as were lost: {lost}", lost=lost)


def months(metrics: Metrics, base: Base) -> Sentence:
    """The heading over customers by month."""
    new, active = _count(metrics, "new"), _count(metrics, "active")
    if active == 0:
        return Sentence("Nobody bought in the period")
    if base.start > base.windows.period.start:
        return Sentence(
            "The data starts within the period, so who bought before can't be told from new"
        )
    if new == 0:
        return Sentence("Every buyer of the period had bought before: no new customers came")
    share = Metric(new / active, "share", n=active)
    if share.value is not None and share.value < 0.01:
        return Sentence(
            "Practically all buyers of the period had bought before; {new} were new", new=new
        )
    if share.value is not None and share.value > 0.5:
        return Sentence("More than half of the period's buyers were new: {share}", share=share)
    return Sentence("{share} of the period's buyers were new", share=share)


def second_purchase(metrics: Metrics) -> Sentence:
    """The heading over the curve of second purchases."""
    days, within = metrics["journey.days_to_second"], metrics["retention.repeat_90d"]
    if days.value is None:
        return Sentence("Nobody has made a second purchase yet")
    if within.value is None or (within.n or 0) < SMALLEST:
        return Sentence("Those who come back do so after {days} at the median", days=days)
    return Sentence(
        "{within} buy again within 90 days; half of those who ever come back do so within {days}",
        within=within,
        days=days,
    )


def revenue(metrics: Metrics) -> Sentence:
    """The heading over revenue: how much hangs on how few."""
    top = metrics["revenue.top20_share"]
    if top.value is None or (top.n or 0) < SMALLEST:
        return Sentence("Revenue in the period was {net}", net=metrics["revenue.net"])
    return Sentence("The best fifth of the customers bring {top} of the revenue", top=top)


def returning(metrics: Metrics) -> Sentence:
    """A sentence on returning against new customers' spend."""
    ratio, share = metrics["spend.returning_vs_new"], metrics["revenue.returning_share"]
    new = _count(metrics, "new")
    if share.value is None:
        return Sentence("There is no revenue in the period to divide.")
    if share.value > PRACTICALLY_ALL and new < SMALLEST:
        return Sentence(
            "Practically all of the period's revenue comes from returning customers. With {new} "
            "new customers there is no group to compare their spend with.",
            new=new,
        )
    if ratio.value is None or new < SMALLEST:
        return Sentence(
            "Returning customers bring {share} of the period's revenue. With {new} new customers "
            "there is no group to compare their spend with.",
            share=share,
            new=new,
        )
    return Sentence(
        "Returning customers bring {share} of the period's revenue; each spends {ratio} times as "
        "much as a new one.",
        share=share,
        ratio=ratio,
    )


def windows(base: Base) -> Sentence:
    """Which days the rates compare."""
    at = base.windows
    if base.start > at.before.end:
        return Sentence(
            "The period is {start} to {end}. The data starts on {first}, so that nobody is known "
            "to have been a customer before it.",
            start=at.period.start,
            end=at.period.end,
            first=base.start,
        )
    return Sentence(
        "The period is {start} to {end}. Customers at the start are those with a purchase from "
        "{before_start} to {before_end}; customers at the end those with one from {end_start} to "
        "{end}.",
        start=at.period.start,
        end=at.period.end,
        before_start=max(at.before.start, base.start),
        before_end=at.before.end,
        end_start=at.at_end.start,
    )


def two_rates(metrics: Metrics) -> Sentence:
    """How the two forms of the retention rate differ on this base."""
    rate_, textbook = metrics["retention.rate"], metrics["retention.rate_formula"]
    if rate_.value is None or textbook.value is None:
        return Sentence(
            "Neither form of the retention rate can be computed without earlier customers."
        )
    if textbook.value == rate_.value:
        return Sentence(
            "The textbook's (E − N) / S gives the same {textbook}: nobody was reactivated. Reports "
            "that divide E by S − N show another, higher figure; it takes new customers off the "
            "wrong number.",
            textbook=textbook,
        )
    return Sentence(
        "The textbook's (E − N) / S gives {textbook}: it counts the {back} reactivated customers "
        "among those who stayed. Reports that divide E by S − N show a third figure; it takes new "
        "customers off the wrong number.",
        textbook=textbook,
        back=_count(metrics, "reactivated"),
    )


def _count(metrics: Metrics, name: str) -> int:
    return int(metrics[f"customers.{name}"].value or 0)
