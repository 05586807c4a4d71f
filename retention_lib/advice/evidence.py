"""What is known of a base when advice is asked for: the results of the other chapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.economics import Economics
from retention_lib.retention.breakdown import Breakdown
from retention_lib.retention.first_order import FirstOrder
from retention_lib.retention.hindsight import Hindsight
from retention_lib.retention.lists import ActionList
from retention_lib.retention.outcomes import LeftAlone
from retention_lib.retention.timing import Timing
from retention_lib.retention.what_next import WhatNext


@dataclass(frozen=True)
class Evidence:
    """The evidence that rules look at; what a base doesn't tell is empty or None.

    Parameters
    ----------
    metrics : mapping
        Id → Metric.
    steps : DataFrame
        Who buys again after each purchase (`retention.next_purchase`).
    lists : mapping
        Id → list to act on.
    alone : mapping
        Id of a list → what its customers do when left alone.
    breakdowns : tuple of Breakdown
        By market, channel, category.
    hindsight : Hindsight or None
        What became of those whom the own rhythm judged some months ago.
    what_next, first_order, timing
        As in `retention`.
    economics : Economics or None
        `models.economics`.
    """

    metrics: Mapping[str, Metric]
    steps: pd.DataFrame = field(default_factory=pd.DataFrame)
    lists: Mapping[str, ActionList] = field(default_factory=dict)
    alone: Mapping[str, LeftAlone] = field(default_factory=dict)
    breakdowns: tuple[Breakdown, ...] = ()
    hindsight: Hindsight | None = None
    what_next: WhatNext | None = None
    first_order: FirstOrder | None = None
    timing: Timing | None = None
    economics: Economics | None = None

    def value(self, metric: str) -> float | None:
        """The value of a metric; None where it isn't known."""
        found = self.metrics.get(metric)
        return None if found is None or found.value is None else float(found.value)

    def long_enough(self, name: str, fewest: int) -> ActionList | None:
        """A list with at least so many customers; None where there is none."""
        found = self.lists.get(name)
        return found if found is not None and found.eligible >= fewest else None
