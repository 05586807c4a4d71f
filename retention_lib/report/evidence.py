"""The evidence for advice, gathered from what the chapters work out; and the advice it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from retention_lib.advice import kept
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Recommendation
from retention_lib.advice.rules import recommendations
from retention_lib.data.base import Base
from retention_lib.data.handover import run_folder
from retention_lib.metrics import Metric
from retention_lib.models.economics_metrics import economics_metrics
from retention_lib.models.forecast import Forecast, forecast_metrics
from retention_lib.models.kept_economics import economics_of
from retention_lib.report import slipping_away
from retention_lib.report.customers import Earlier, customer_table, earlier_customers
from retention_lib.report.list_parts import outcomes
from retention_lib.retention import timing
from retention_lib.retention.breakdown import breakdown
from retention_lib.retention.first_order import first_order
from retention_lib.retention.kpis import retention_metrics
from retention_lib.retention.lists import ActionList, action_lists
from retention_lib.retention.next_purchase import next_purchase
from retention_lib.retention.outcomes import LeftAlone
from retention_lib.retention.personal_days import anniversaries, birthdays
from retention_lib.retention.segments import Rfm
from retention_lib.retention.what_next import cross_sell, what_next


def frames_for_lists(base: Base) -> dict[str, pd.DataFrame]:
    """The frames of which `retention.lists.action_lists` makes lists of their own."""
    return {
        "cross_sell": cross_sell(base),
        "birthdays": birthdays(base),
        "anniversaries": anniversaries(base),
    }


def gather(
    base: Base,
    made: Forecast,
    away: slipping_away.SlippingAway,
    lists: Sequence[ActionList],
    alone: Mapping[str, LeftAlone],
) -> Evidence:
    """All that the rules of advice look at.

    Parameters
    ----------
    base : Base
    made : Forecast
    away : SlippingAway
    lists : sequence of ActionList
    alone : mapping
        By list: what its customers do when left alone.
    """
    when, costs = timing.timing(base), economics_of(base, made)
    begun, follows = first_order(base), what_next(base)
    return Evidence(
        metrics=retention_metrics(base)
        | begun.metrics
        | (follows.metrics if follows else {})
        | timing.metrics(when)
        | forecast_metrics(made)
        | economics_metrics(costs, made)
        | slipping_away.metrics(away),
        steps=next_purchase(base),
        lists={one.id: one for one in lists},
        alone=alone,
        breakdowns=tuple(breakdown(base, name) for name in base.params.dimensions),
        hindsight=away.hindsight,
        what_next=follows,
        first_order=begun,
        timing=when,
        economics=costs,
    )


def advice_of(base: Base, made: Forecast) -> tuple[Recommendation, ...]:
    """The advice for a base: what the run's chapter on actions left, else worked out here."""
    folder = run_folder()
    left = None if folder is None else kept.load(folder)
    return prepare(base, made).advice if left is None else left


@dataclass(frozen=True)
class Actions:
    """What the chapter on actions shows.

    Parameters
    ----------
    customers : DataFrame
        `report.customers.customer_table`.
    then : Earlier or None
        The same of some months ago.
    lists : tuple of ActionList
    alone : mapping
        By list: what its customers do when left alone.
    away : SlippingAway
    metrics : mapping
        Id → Metric: what the advice rests on, to hold targets against.
    advice : tuple of Recommendation
    """

    customers: pd.DataFrame
    then: Earlier | None
    lists: tuple[ActionList, ...]
    alone: Mapping[str, LeftAlone]
    away: slipping_away.SlippingAway
    metrics: Mapping[str, Metric]
    advice: tuple[Recommendation, ...]

    @property
    def advised(self) -> frozenset[str]:
        """The lists that a recommendation is for."""
        return frozenset(one.found.list for one in self.advice if one.found.list)


def prepare(base: Base, made: Forecast, scores: Rfm | None = None) -> Actions:
    """Work out whom to act on, and what the evidence advises.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    scores : Rfm, optional
        Where it is at hand.
    """
    customers = customer_table(base, made, scores)
    then = earlier_customers(base, made)
    lists = action_lists(customers, frames_for_lists(base), usable=made.usable)
    alone = {} if then is None else outcomes(then, frames_for_lists(then.base))
    away = slipping_away.slipping_away(base, customers, made, then)
    known = gather(base, made, away, lists, alone)
    return Actions(customers, then, lists, alone, away, known.metrics, advise(known))


def advise(known: Evidence) -> tuple[Recommendation, ...]:
    """The recommendations; in a run they are left for the summary as well."""
    advice = recommendations(known)
    folder = run_folder()
    if folder is not None:
        kept.save(advice, folder)
    return advice
