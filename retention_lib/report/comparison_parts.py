"""What every comparison without a lot shows: how alike those compared are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from retention_lib.loyalty.comparable import Comparison
from retention_lib.loyalty.comparable_verdict import MOST_APART
from retention_lib.report import tables
from retention_lib.report.figures.comparison import comparison_balance
from retention_lib.report.figures.style import Drawn
from retention_lib.report.language import Formats
from retention_lib.report.peak_parts import table_of


def alike_figure(compared: Comparison, formats: Formats) -> Drawn:
    """How far the groups were apart before, and are after weighting."""
    return comparison_balance(_labelled(compared, formats), formats, MOST_APART)


def alike_table(compared: Comparison, formats: Formats, name: str) -> Any:
    """The same as a table, of the id `name`."""
    say = formats.say
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Before the start")),
        "before": ("number", _headed(say("all others"))),
        "after": ("number", _headed(say("comparable ones"))),
    }
    return table_of(_labelled(compared, formats), shown, formats, name)


def _headed(text: str) -> str:
    return text[:1].upper() + text[1:]


def _labelled(compared: Comparison, formats: Formats) -> pd.DataFrame:
    balance = compared.balance
    # what is alike for all, such as sendings before the first one, says nothing
    shown = balance[balance["before"].abs() + balance["after"].abs() > 0]
    length = compared.design.days
    return shown.assign(label=[_known(str(x), length, formats) for x in shown["covariate"]])


def _known(name: str, length: int, formats: Formats) -> str:
    say = formats.say
    whole = {
        "root_revenue": say("Revenue, root of all"),
        "root_orders": say("Purchases, root of all"),
        "log_orders": say("Purchases, logarithm"),
        "recency": say("Days since the last purchase"),
        "ever": say("Purchases before that"),
        "tenure": say("Days since the first purchase"),
        "sent": say("Campaigns sent before"),
    }
    if name in whole:
        return whole[name]
    kind, back = name.split("_-")
    last = int(back) * length
    span = {"first": formats.count(last - length + 1), "last": formats.count(last)}
    if kind == "revenue":
        return say("Revenue, {first} to {last} days before", **span)
    if kind == "orders":
        return say("Purchases, {first} to {last} days before", **span)
    return say("Bought, {first} to {last} days before", **span)
