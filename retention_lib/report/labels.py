"""The name of every metric as the report prints it: the same thing has one name everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from retention_lib.metrics import general
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
    "programme.members": N_("Members"),
    "programme.joined": N_("Members who joined in the period"),
    "programme.left": N_("Members who left in the period"),
    "programme.participation": N_("Active customers who are members"),
    "programme.active_rate": N_("Members who bought in the period"),
    "programme.revenue_share": N_("Revenue from members"),
    "programme.redemption_rate": N_("Points redeemed, of those earned"),
    "programme.breakage_rate": N_("Points never used, in the end"),
    "programme.outstanding": N_("Outstanding points"),
    "programme.liability": N_("Outstanding points, expected worth"),
    "programme.cost": N_("Cost of the programme"),
    "programme.break_even_uplift": N_("Uplift of members' spend that pays for it"),
    "programme.uplift_revenue": N_("Joining's effect on a member's spend"),
    "programme.uplift_revenue_relative": N_("Joining's effect on spend, relative"),
    "programme.uplift_repurchase": N_("Joining's effect on buying again"),
    "programme.roi": N_("Return on the programme's cost"),
    "programme.net_value": N_("What the programme brought less its cost"),
    "survey.nps": N_("Net Promoter Score"),
    "survey.nps_weighted": N_("Net Promoter Score, weighted to the customers"),
    "survey.promoters": N_("Promoters"),
    "survey.detractors": N_("Detractors"),
    "survey.csat": N_("Satisfied customers"),
    "survey.csat_mean": N_("Mean satisfaction score"),
    "survey.ces": N_("Mean score of ease"),
    "survey.response_rate": N_("Customers asked who answered"),
    "survey.answers": N_("Answers"),
    "survey.promoter_repurchase_difference": N_("Promoters back after the answer, less detractors"),
    "survey.promoter_spend_difference": N_("Promoters' spend after the answer, less detractors'"),
    "survey.detractors_of_value": N_("Detractors of high value"),
    "survey.detractors_at_stake": N_("Lifetime value of the detractors of high value"),
    "subscription.subscribers_start": N_("Subscribers at the start"),
    "subscription.subscribers_end": N_("Subscribers at the end"),
    "subscription.new": N_("New subscribers"),
    "subscription.returned": N_("Returned subscribers"),
    "subscription.lost": N_("Lost subscribers"),
    "subscription.logo_churn": N_("Subscribers lost in the period"),
    "subscription.monthly_churn": N_("Subscribers lost a month"),
    "subscription.mrr_start": N_("Recurring revenue a month, at the start"),
    "subscription.mrr_end": N_("Recurring revenue a month, at the end"),
    "subscription.mrr_new": N_("… from new subscribers"),
    "subscription.mrr_returned": N_("… from returned subscribers"),
    "subscription.mrr_expansion": N_("… more from kept subscribers"),
    "subscription.mrr_contraction": N_("… less from kept subscribers"),
    "subscription.mrr_churned": N_("… gone with lost subscribers"),
    "subscription.gross_retention": N_("Gross revenue retention"),
    "subscription.net_retention": N_("Net revenue retention"),
    "subscription.arpu": N_("Revenue a month per subscriber"),
    "subscription.median_lifetime": N_("Months until half of the subscribers are gone"),
    "subscription.residual_lifetime": N_("Months that a subscriber will still pay for"),
    "subscription.value": N_("Value of today's subscribers"),
    "subscription.renewals_due": N_("Renewals due within 30 days"),
    "subscription.due_at_stake": N_("At stake with these renewals"),
    "experiment.<name>.customers": N_("Customers treated"),
    "experiment.<name>.control_customers": N_("Customers in the control group"),
    "experiment.<name>.srm_p": N_("P-value of the split"),
    "experiment.<name>.uplift_repurchase": N_("Uplift in the share that buys"),
    "experiment.<name>.uplift_orders": N_("Uplift in orders per customer"),
    "experiment.<name>.uplift_revenue": N_("Uplift in revenue per customer"),
    "experiment.<name>.uplift_revenue_relative": N_("Uplift in revenue, relative"),
    "experiment.<name>.incremental_revenue": N_("Revenue that the measure brought"),
    "experiment.<name>.cost": N_("Cost of the measure"),
    "experiment.<name>.net_value": N_("Net value of the measure"),
    "experiment.<name>.cuped_reduction": N_("Narrower by what was known before"),
    "experiment.<name>.smallest_rise": N_("Smallest rise it could see"),
    "experiment.<name>.placebo_revenue": N_("Difference before it"),
    "experiment.<name>.raw_difference": N_("Raw difference, not its effect"),
    "experiment.<name>.comparable_share": N_("Treated with comparable customers"),
    "experiment.<name>.worst_imbalance": N_("Largest difference left before it"),
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
    return sorted(metrics, key=lambda name: (place.get(general(name), len(place)), name))


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
    named = Sentence(LABELS[general(metric)])
    if general(metric) == metric:
        return named
    return Sentence("{figure} ({test})", figure=named, test=metric.split(".")[1])
