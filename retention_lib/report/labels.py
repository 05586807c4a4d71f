"""The name of every metric as the report prints it: the same thing has one name everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from retention_lib.models.fit import TITLES

#: In the order of the contract.
LABELS: Final[dict[str, str]] = {
    "customers.total": "Customers ever",
    "customers.active": "Active customers",
    "customers.new": "New customers",
    "customers.returning": "Returning customers",
    "customers.at_start": "Customers at the start",
    "customers.at_end": "Customers at the end",
    "customers.reactivated": "Reactivated customers",
    "customers.lost": "Lost customers",
    "retention.rate": "Retention rate",
    "retention.rate_formula": "Retention rate, textbook form",
    "retention.repurchase_rate": "Repurchase rate",
    "churn.rate": "Churn rate",
    "retention.repeat_rate": "Repeat rate in the period",
    "retention.ever_repeat_rate": "Repeat rate, ever",
    "retention.repeat_90d": "Second purchase within 90 days",
    "journey.days_to_second": "Days to the second purchase",
    "revenue.net": "Net revenue",
    "orders.count": "Orders",
    "orders.aov": "Average order value",
    "orders.per_customer": "Orders per customer",
    "revenue.returning_share": "Revenue from returning customers",
    "revenue.top20_share": "Revenue from the best fifth",
    "spend.returning_vs_new": "Spend, returning over new",
    "holdout.bias": "Holdout: forecast over actual, less 1",
    "holdout.mae": "Holdout: mean error per customer",
    "holdout.baseline_mae": "Holdout: the naive forecast's mean error",
    "customers.expected_alive": "Customers expected to be active still",
    "purchases.expected": "Expected purchases",
    "clv.total": "Customer lifetime value, total",
    "clv.mean": "Customer lifetime value, mean",
    "clv.top20_share": "CLV from the best fifth",
}

#: What a dimension's groups are called, over their column.
DIMENSIONS: Final = {"market": "Market", "channel": "Channel", "category": "Category"}

#: A dimension's section, in the contents.
BY: Final = {"market": "By market", "channel": "By channel", "category": "By category"}

#: The row of what has no value in a dimension.
WITHOUT: Final = {
    "market": "Without a market",
    "channel": "Without a channel",
    "category": "Without a category",
}

#: A name from data is cut after so many characters: a cell or a heading isn't the place for more.
LONGEST_NAME: Final = 40

_PARAMETER: Final = re.compile(r"^model\.(?P<model>\w+)\.(?P<parameter>\w+)$")
_GREEK: Final = {"alpha": "α", "beta": "β", "log_likelihood": "log-likelihood"}


def group_name(name: str) -> str:
    """The name of a group as it stands in data, on one line and not too long."""
    line = " ".join(name.split())
    return line if len(line) <= LONGEST_NAME else line[: LONGEST_NAME - 2].rstrip() + " …"


def in_order(metrics: Iterable[str]) -> list[str]:
    """Ids in the order of the contract, models' parameters after the others."""
    place = {name: n for n, name in enumerate(LABELS)}
    return sorted(metrics, key=lambda name: (place.get(name, len(place)), name))


def label(metric: str) -> str:
    """The printed name of a metric's id.

    Raises
    ------
    KeyError
        An id that no metric has.
    """
    if found := _PARAMETER.match(metric):
        parameter = found["parameter"]
        return f"{TITLES[found['model']]} {_GREEK.get(parameter, parameter)}"
    return LABELS[metric]
