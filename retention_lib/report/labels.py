"""The name of every metric as the report prints it: the same thing has one name everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from retention_lib.models.names import SIGNS, TITLES
from retention_lib.report.names import printed
from retention_lib.sentence import N_, Sentence

#: In the order of the contract.
LABELS: Final[dict[str, str]] = {
    "customers.total": N_("Customers ever"),
    "customers.active": N_("Active customers"),
    "customers.new": N_("New customers"),
    "customers.returning": N_("Returning customers"),
    "customers.at_start": N_("Customers at the start"),
    "customers.at_end": N_("Customers at the end"),
    "customers.reactivated": N_("Reactivated customers"),
    "customers.lost": N_("Lost customers"),
    "customers.kept": N_("Kept customers"),
    "customers.new_at_end": N_("New customers who are customers at the end"),
    "retention.rate": N_("Retention rate"),
    "retention.rate_formula": N_("Retention rate, textbook form"),
    "retention.repurchase_rate": N_("Repurchase rate"),
    "churn.rate": N_("Churn rate"),
    "retention.repeat_rate": N_("Repeat rate in the period"),
    "retention.ever_repeat_rate": N_("Repeat rate, ever"),
    "retention.repeat_90d": N_("Second purchase within 90 days"),
    "journey.days_to_second": N_("Days to the second purchase"),
    "journey.first_purchase_value": N_("Mean first purchase"),
    "journey.second_purchase_value": N_("Mean second purchase"),
    "journey.change_to_second": N_("Second purchase less first, same customers"),
    "journey.change_since_first": N_("Latest purchase told of less first, same customers"),
    "journey.first_size_correlation": N_("First purchase's size and later revenue, Spearman"),
    "journey.first_size_ratio": N_("Later revenue, largest first fifth over smallest"),
    "journey.second_known_category": N_("Second purchase: a category of the first"),
    "journey.second_new_category": N_("Second purchase: a new category"),
    "revenue.net": N_("Net revenue"),
    "orders.count": N_("Orders"),
    "orders.aov": N_("Average order value"),
    "orders.per_customer": N_("Orders per customer"),
    "revenue.returning_share": N_("Revenue from returning customers"),
    "revenue.top20_share": N_("Revenue from the best fifth"),
    "spend.returning_vs_new": N_("Spend, returning over new"),
    "revenue.kept": N_("Revenue from kept customers"),
    "revenue.reactivated": N_("Revenue from reactivated customers"),
    "revenue.new": N_("Revenue from new customers"),
    "revenue.not_at_end": N_("Revenue from who is no customer at the end"),
    "revenue.lost_before": N_("What the lost had spent in the period before"),
    "spend.kept": N_("Revenue per kept customer"),
    "spend.reactivated": N_("Revenue per reactivated customer"),
    "spend.new": N_("Revenue per new customer"),
    "cohorts.earlier_back": N_("Earlier cohorts, back within half a year"),
    "cohorts.later_back": N_("Later cohorts, back within half a year"),
    "holdout.bias": N_("Holdout: forecast over actual, less 1"),
    "holdout.mae": N_("Holdout: mean error per customer"),
    "holdout.baseline_mae": N_("Holdout: the naive forecast's mean error"),
    "customers.expected_alive": N_("Customers expected to be active still"),
    "purchases.expected": N_("Expected purchases"),
    "clv.total": N_("Customer lifetime value, total"),
    "clv.mean": N_("Customer lifetime value, mean"),
    "clv.top20_share": N_("CLV from the best fifth"),
    "economics.retention_ahead": N_("Active customers expected to buy again"),
    "economics.retention_highest": N_("Active customers who would if nobody left"),
    "economics.plus_1_point": N_("Value of one point more retention"),
    "economics.plus_5_points": N_("Value of five points more retention"),
    "economics.plus_5_points_rise": N_("Rise in value with five points more"),
    "economics.value_at_risk": N_("Value at risk with the active customers"),
    "economics.break_even_spend": N_("Spend per active customer and year that a point pays"),
    "economics.break_even_points": N_("Points of retention that pay for the programme"),
    "economics.clv_new": N_("CLV of a new customer, first order included"),
    "economics.clv_to_cac": N_("CLV of a new customer over the cost of winning one"),
    "economics.payback_months": N_("Months until the cost of winning is back"),
    "slipping.customers": N_("Customers later than their own rhythm"),
    "slipping.at_stake": N_("Value at stake with them"),
    "slipping.top_customers": N_("Customers with most of it"),
    "slipping.top_share": N_("Their share of it"),
    "slipping.window_customers": N_("Customers whose reminder window is open"),
    "slipping.window_at_stake": N_("Value at stake in the window"),
    "slipping.agreement": N_("Own rhythm and plain interval rule say the same"),
    "slipping.overdue": N_("Customers overdue by the plain interval rule"),
    "tiers.best_kept": N_("Customers of the best tier still in it"),
    "tiers.moved_up": N_("Customers who moved up a tier"),
    "tiers.moved_down": N_("Customers who moved down a tier"),
    "timing.best_weekday_lift": N_("Strongest weekday, above an average day"),
    "timing.same_weekday_share": N_("Two purchases of a customer on one weekday"),
    "timing.same_weekday_by_chance": N_("Two purchases on one weekday, by chance"),
    "timing.best_hours_share": N_("Orders within the best four hours"),
    "timing.season_peak_lift": N_("Season's peak, above an average month"),
    "timing.peaks": N_("Peaks"),
    "timing.peak_return_difference": N_("Bought again after a peak, less after other days"),
    "timing.birthday_ratio": N_("Purchases around birthdays, times the usual"),
}

#: What a dimension's groups are called, over their column.
DIMENSIONS: Final = {"market": N_("Market"), "channel": N_("Channel"), "category": N_("Category")}

#: Units of time, as a figure's axis or a sentence names them after a number.
TIME_UNITS: Final = {"day": N_("days"), "week": N_("weeks")}

#: A dimension's section, in the contents.
BY: Final = {"market": N_("By market"), "channel": N_("By channel"), "category": N_("By category")}

#: The row of what has no value in a dimension.
WITHOUT: Final = {
    "market": N_("Without a market"),
    "channel": N_("Without a channel"),
    "category": N_("Without a category"),
}

_PARAMETER: Final = re.compile(r"^model\.(?P<model>\w+)\.(?P<parameter>\w+)$")


def group_name(name: str) -> str:
    """The name of a group as it stands in data, on one line and not too long."""
    return printed(name)


def in_order(metrics: Iterable[str]) -> list[str]:
    """Ids in the order of the contract, models' parameters after the others."""
    place = {name: n for n, name in enumerate(LABELS)}
    return sorted(metrics, key=lambda name: (place.get(name, len(place)), name))


def label(metric: str) -> Sentence:
    """The printed name of a metric's id.

    Raises
    ------
    KeyError
        An id that no metric has.
    """
    if found := _PARAMETER.match(metric):
        model, parameter = TITLES[found["model"]], found["parameter"]
        if parameter == "log_likelihood":
            return Sentence("{model} log-likelihood", model=model)
        return Sentence("{model} {parameter}", model=model, parameter=SIGNS[parameter])
    return Sentence(LABELS[metric])
