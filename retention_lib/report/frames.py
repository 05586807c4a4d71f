"""From metrics to the rows, cards and tidy frames that tables and figures lay out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.report.labels import WITHOUT, group_name, label
from retention_lib.report.language import Formats
from retention_lib.report.page import Headline
from retention_lib.retention.breakdown import Breakdown
from retention_lib.retention.group_counts import FURTHER, NONE, SMALLER
from retention_lib.sentence import N_

Metrics = Mapping[str, Metric]

RATES: Final = (
    "retention.rate",
    "retention.repurchase_rate",
    "retention.repeat_rate",
    "retention.ever_repeat_rate",
    "retention.repeat_90d",
)
RATES_IN_FULL: Final = (
    *("customers.at_start", "customers.lost", "customers.at_end", "retention.rate", "churn.rate"),
    *("retention.rate_formula", "retention.repurchase_rate", "retention.repeat_rate"),
    *("retention.ever_repeat_rate", "retention.repeat_90d", "journey.days_to_second"),
)
REVENUE: Final = (
    *("revenue.net", "orders.count", "orders.aov", "orders.per_customer"),
    *("customers.active", "revenue.returning_share", "revenue.top20_share"),
    "spend.returning_vs_new",
)
WORTH: Final = (
    *("customers.expected_alive", "purchases.expected", "clv.total", "clv.mean"),
    "clv.top20_share",
)


def rows(metrics: Metrics, names: Sequence[str], formats: Formats) -> list[tuple[str, Metric]]:
    """Label and metric of each id, for a table."""
    return [(formats.tell(label(name)), metrics[name]) for name in names]


def headlines(metrics: Metrics, names: Sequence[str], formats: Formats) -> list[Headline]:
    """A card for each id."""
    return [Headline(formats.tell(label(name)), metrics[name]) for name in names]


def shares(metrics: Metrics, names: Sequence[str], formats: Formats) -> pd.DataFrame:
    """label, value, low, high, n, previous of the shares that are known."""
    known = [name for name in names if metrics[name].value is not None]
    return pd.DataFrame(
        {
            "label": [formats.tell(label(name)) for name in known],
            **{
                field: [getattr(metrics[name], field) for name in known]
                for field in ("value", "low", "high", "n", "previous")
            },
        }
    )


def flow(metrics: Metrics, formats: Formats) -> pd.DataFrame:
    """step, kind, value of the flow from the customers at the start to those at the end."""

    def count(name: str) -> int:
        return int(metrics[f"customers.{name}"].value or 0)

    start, lost, back, end = (count(n) for n in ("at_start", "lost", "reactivated", "at_end"))
    # who is both new in the period and active at its end: with a shorter activity window than
    # period, some of the new have left again
    new = end - start + lost - back
    steps = [
        (N_("At the start"), "start", start),
        (N_("Lost"), "loss", lost),
        (N_("Reactivated"), "gain", back),
        (N_("New"), "gain", new),
        (N_("At the end"), "end", end),
    ]
    return pd.DataFrame(
        [(formats.say(step), kind, value) for step, kind, value in steps],
        columns=["step", "kind", "value"],
    )


def breakdown(found: Breakdown, formats: Formats) -> pd.DataFrame:
    """The rows of a breakdown, each with the `label` that it is shown under."""
    shown = found.rows
    labels = [
        _row_label(found.dimension, kind, name, groups, formats)
        for kind, name, groups in zip(shown["kind"], shown["group"], shown["groups"], strict=True)
    ]
    return shown.assign(label=labels)


def _row_label(dimension: str, kind: str, name: object, groups: int, formats: Formats) -> str:
    if kind == NONE:
        return formats.say(WITHOUT[dimension])
    n = formats.count(groups)
    if kind == FURTHER:
        return formats.say_count("{n} further group", "{n} further groups", groups, n=n)
    if kind == SMALLER:
        return formats.say_count("{n} smaller group", "{n} smaller groups", groups, n=n)
    return group_name(str(name))
