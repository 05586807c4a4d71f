"""Targets and benchmarks of the client file: how far off, what the gap means, how it is judged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import pandas as pd

from retention_lib.metrics import UNITS, Metric, unit_of, unknown
from retention_lib.sentence import N_

#: Figures of which less is better: their target is a ceiling.
CEILINGS: Final = frozenset(
    {
        *("churn.rate", "customers.lost", "journey.days_to_second"),
        *("revenue.top20_share", "clv.top20_share", "tiers.moved_down"),
        *("holdout.mae", "holdout.baseline_mae"),
    }
)

#: Shares of customers, for whom a gap is a number of them.
_OF_CUSTOMERS: Final = frozenset(
    name
    for name, unit in UNITS.items()
    if unit == "share" and name.startswith(("retention.", "churn.", "tiers."))
)

#: Reports over which a gap is spread: a year of quarters.
STEPS: Final = 4

REACHED, PERHAPS, SHORT, MISSED, UNKNOWN = "reached", "perhaps", "short", "missed", "unknown"


class Needed(NamedTuple):
    """What it takes to close a gap: a number of customers or orders, or an amount."""

    amount: float
    unit: str


def targets(metrics: Mapping[str, Metric], goals: Mapping[str, float]) -> pd.DataFrame:
    """Each target beside today's figure.

    Parameters
    ----------
    metrics : mapping
        Today's, by id.
    goals : mapping
        Id → number, as in the client file.

    Returns
    -------
    DataFrame
        A row a target: `metric`, `unit`, `target`, `ceiling` (whether the figure should be at most
        that), `value`, `low`, `high`, `n`, `gap` (target − value; NaN where it is reached);
        `state`, one of `reached`, with the whole interval or where there is none; `perhaps`
        reached, the interval reaching to the other side; `short` of it, the interval reaching to
        it; `missed`; `unknown`; `needed`, how many customers or orders, or how much money
        (`needed_unit`), the gap is; `step`, the gap over `STEPS` reports.
    """
    rows = []
    for name, goal in goals.items():
        metric = metrics.get(name) or _no_figure(name)
        state = _state(metric, goal, name in CEILINGS)
        gap = goal - (metric.value or 0.0) if state in (SHORT, MISSED) else math.nan
        needed = None if math.isnan(gap) else _needed(name, metric, goal, metrics)
        rows.append(
            {
                "metric": name,
                "unit": unit_of(name),
                "target": float(goal),
                "ceiling": name in CEILINGS,
                "value": metric.value,
                "low": metric.low,
                "high": metric.high,
                "n": metric.n,
                "gap": gap,
                "state": state,
                "needed": needed.amount if needed else math.nan,
                "needed_unit": needed.unit if needed else "",
                "step": gap / STEPS,
            }
        )
    columns = [
        *("metric", "unit", "target", "ceiling", "value", "low", "high", "n", "gap", "state"),
        *("needed", "needed_unit", "step"),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    numbers = ("target", "value", "low", "high", "n", "gap", "needed", "step")
    return frame.astype(dict.fromkeys(numbers, float))


def _state(metric: Metric, goal: float, ceiling: bool) -> str:
    sign = -1.0 if ceiling else 1.0
    value, low, high = metric.value, metric.low, metric.high
    if value is None:
        return UNKNOWN
    beyond = sign * (value - goal) >= -1e-12
    if low is None or high is None:
        return REACHED if beyond else MISSED
    worst, best = (high, low) if ceiling else (low, high)
    if beyond:
        return REACHED if sign * (worst - goal) >= -1e-12 else PERHAPS
    return SHORT if sign * (best - goal) >= -1e-12 else MISSED


def _needed(name: str, metric: Metric, goal: float, metrics: Mapping[str, Metric]) -> Needed | None:
    """What a gap is in customers, orders or money; None where it is itself the plainest."""
    value = metric.value
    assert value is not None
    if name in _OF_CUSTOMERS and metric.n:
        have = round(value * metric.n)
        reach = goal * metric.n
        some = have - math.floor(reach + 1e-9) if goal < value else math.ceil(reach - 1e-9) - have
        return Needed(float(some), "customers")
    if unit_of(name) == "count":
        return Needed(math.ceil(abs(goal - value) - 1e-9), "count")
    buyers, orders = (metrics.get(n) for n in ("customers.active", "orders.count"))
    if name == "orders.per_customer" and buyers is not None and buyers.value:
        return Needed(math.ceil((goal - value) * buyers.value - 1e-9), "orders")
    if name == "orders.aov" and orders is not None and orders.value:
        return Needed((goal - value) * orders.value, "currency")
    if name == "clv.mean" and metric.n:
        return Needed((goal - value) * metric.n, "currency")
    if name in ("revenue.net", "clv.total"):
        return Needed(goal - value, "currency")
    return None


def benchmarks(
    metrics: Mapping[str, Metric], given: Iterable[tuple[str, float, str]]
) -> pd.DataFrame:
    """Each outside figure beside the client's.

    Parameters
    ----------
    metrics : mapping
        Today's, by id.
    given : iterable of (metric, value, source)

    Returns
    -------
    DataFrame
        A row a benchmark: `metric`, `unit`, `value`, `low`, `high`, `n` (the client's),
        `benchmark`, `source`, `place` of the client's figure: `above` or `below` it, `within` where
        the client's interval holds it, `equal`, or `unknown`.
    """
    rows = []
    for name, figure, source in given:
        metric = metrics.get(name) or _no_figure(name)
        rows.append(
            {
                "metric": name,
                "unit": metric.unit,
                "value": metric.value,
                "low": metric.low,
                "high": metric.high,
                "n": metric.n,
                "benchmark": float(figure),
                "source": source,
                "place": _place(metric, figure),
            }
        )
    columns = ["metric", "unit", "value", "low", "high", "n", "benchmark", "source", "place"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys(("value", "low", "high", "n", "benchmark"), float))


def _no_figure(name: str) -> Metric:
    return unknown(unit_of(name), N_("The report doesn't have this figure."))


def _place(metric: Metric, figure: float) -> str:
    if metric.value is None:
        return UNKNOWN
    if metric.low is not None and metric.high is not None and metric.low <= figure <= metric.high:
        return "within"
    if metric.value == figure:
        return "equal"
    return "above" if metric.value > figure else "below"
