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
    "customers.kept": "Kept customers",
    "customers.new_at_end": "New customers who are customers at the end",
    "retention.rate": "Retention rate",
    "retention.rate_formula": "Retention rate, textbook form",
    "retention.repurchase_rate": "Repurchase rate",
    "churn.rate": "Churn rate",
    "retention.repeat_rate": "Repeat rate in the period",
    "retention.ever_repeat_rate": "Repeat rate, ever",
    "retention.repeat_90d": "Second purchase within 90 days",
    "journey.days_to_second": "Days to the second purchase",
    "journey.first_purchase_value": "Mean first purchase",
    "journey.second_purchase_value": "Mean second purchase",
    "journey.change_to_second": "Second purchase less first, same customers",
    "journey.change_since_first": "Latest purchase told of less first, same customers",
    "journey.first_size_correlation": "First purchase's size and later revenue, Spearman",
    "journey.first_size_ratio": "Later revenue, largest first fifth over smallest",
    "journey.second_known_category": "Second purchase: a category of the first",
    "journey.second_new_category": "Second purchase: a new category",
    "revenue.net": "Net revenue",
    "orders.count": "Orders",
    "orders.aov": "Average order value",
    "orders.per_customer": "Orders per customer",
    "revenue.returning_share": "Revenue from returning customers",
    "revenue.top20_share": "Revenue from the best fifth",
    "spend.returning_vs_new": "Spend, returning over new",
    "revenue.kept": "Revenue from kept customers",
    "revenue.reactivated": "Revenue from reactivated customers",
    "revenue.new": "Revenue from new customers",
    "revenue.not_at_end": "Revenue from who is no customer at the end",
    "revenue.lost_before": "What the lost had spent in the period before",
    "spend.kept": "Revenue per kept customer",
    "spend.reactivated": "Revenue per reactivated customer",
    "spend.new": "Revenue per new customer",
    "cohorts.earlier_back": "Earlier cohorts, back within half a year",
    "cohorts.later_back": "Later cohorts, back within half a year",
    "holdout.bias": "Holdout: forecast over actual, less 1",
    "holdout.mae": "Holdout: mean error per customer",
    "holdout.baseline_mae": "Holdout: the naive forecast's mean error",
    "customers.expected_alive": "Customers expected to be active still",
    "purchases.expected": "Expected purchases",
    "clv.total": "Customer lifetime value, total",
    "clv.mean": "Customer lifetime value, mean",
    "clv.top20_share": "CLV from the best fifth",
    "economics.retention_ahead": "Active customers expected to buy again",
    "economics.retention_highest": "Active customers who would if nobody left",
    "economics.plus_1_point": "Value of one point more retention",
    "economics.plus_5_points": "Value of five points more retention",
    "economics.plus_5_points_rise": "Rise in value with five points more",
    "economics.value_at_risk": "Value at risk with the active customers",
    "economics.break_even_spend": "Spend per active customer and year that a point pays",
    "economics.break_even_points": "Points of retention that pay for the programme",
    "economics.clv_new": "CLV of a new customer, first order included",
    "economics.clv_to_cac": "CLV of a new customer over the cost of winning one",
    "economics.payback_months": "Months until the cost of winning is back",
    "slipping.customers": "Customers later than their own rhythm",
    "slipping.at_stake": "Value at stake with them",
    "slipping.top_customers": "Customers with most of it",
    "slipping.top_share": "Their share of it",
    "slipping.window_customers": "Customers whose reminder window is open",
    "slipping.window_at_stake": "Value at stake in the window",
    "slipping.agreement": "Own rhythm and plain interval rule say the same",
    "slipping.overdue": "Customers overdue by the plain interval rule",
    "tiers.best_kept": "Customers of the best tier still in it",
    "tiers.moved_up": "Customers who moved up a tier",
    "tiers.moved_down": "Customers who moved down a tier",
    "timing.best_weekday_lift": "Strongest weekday, above an average day",
    "timing.same_weekday_share": "Two purchases of a customer on one weekday",
    "timing.same_weekday_by_chance": "Two purchases on one weekday, by chance",
    "timing.best_hours_share": "Orders within the best four hours",
    "timing.season_peak_lift": "Season's peak, above an average month",
    "timing.peaks": "Peaks",
    "timing.peak_return_difference": "Bought again after a peak, less after other days",
    "timing.birthday_ratio": "Purchases around birthdays, times the usual",
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
