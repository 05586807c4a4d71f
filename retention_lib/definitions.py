"""What each figure counts, in a sentence: the one place for the report and the docs.

The formulas in signs are in CONTRACT, section 4, and `docs/method.md`; these are the same in words
that a client reads. *The period* is `period_months` long and ends on `as_of`; *customers at the
start* and *at the end* bought within `active_months` before the day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from retention_lib.sentence import N_

#: Group → id → what it counts. Groups and ids in reading order.
DEFINITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    N_("Customers"): {
        "customers.total": N_("Customers with a purchase up to the last day of the data."),
        "customers.active": N_("Customers with a purchase in the period."),
        "customers.new": N_("Customers whose first purchase ever was in the period."),
        "customers.returning": N_(
            "Customers with a purchase in the period who had bought before it."
        ),
        "customers.at_start": N_(
            "Customers with a purchase within the activity window before the period: the base of "
            "the rates."
        ),
        "customers.at_end": N_(
            "Customers with a purchase within the activity window that ends with the period."
        ),
        "customers.reactivated": N_(
            "Customers at the end who had bought before, but were no customers at the start."
        ),
        "customers.lost": N_("Customers at the start who are none at the end."),
        "customers.kept": N_("Customers at the start who still are customers at the end."),
        "customers.new_at_end": N_("New customers of the period who are customers at its end."),
    },
    N_("Retention and repeat purchases"): {
        "retention.rate": N_(
            "Kept customers over customers at the start: of those who were customers, the share "
            "that still is."
        ),
        "retention.rate_formula": N_(
            "Customers at the end without the new ones, over customers at the start. It counts the "
            "reactivated as kept and can exceed 100%."
        ),
        "retention.repurchase_rate": N_(
            "Of the customers at the start, the share with a purchase in the period."
        ),
        "churn.rate": N_("Lost customers over customers at the start: 100% less the retention."),
        "retention.repeat_rate": N_(
            "Of the customers with a purchase in the period, the share with two or more in it."
        ),
        "retention.ever_repeat_rate": N_(
            "Of all customers, the share with two purchases or more. It rises with the length of "
            "the history."
        ),
        "retention.repeat_90d": N_(
            "Of the customers whose first purchase was at least 90 days ago, the share with a "
            "second one within 90 days."
        ),
        "journey.days_to_second": N_(
            "Median of the days from first to second purchase, of the customers with a second one."
        ),
        "journey.first_purchase_value": N_("Mean amount of all first purchases."),
        "journey.second_purchase_value": N_("Mean amount of all second purchases."),
        "journey.change_to_second": N_(
            "Mean of second less first purchase, of the customers with both."
        ),
        "journey.change_since_first": N_(
            "Mean of the last purchase shown less the first, of the same customers."
        ),
        "journey.first_size_correlation": N_(
            "Spearman's rank correlation of the first purchase's amount and the revenue after it."
        ),
        "journey.first_size_ratio": N_(
            "Revenue after the first purchase, of the fifth with the largest first purchase over "
            "that of the fifth with the smallest."
        ),
        "journey.second_known_category": N_(
            "Of all second purchases, the share with a category of the first."
        ),
        "journey.second_new_category": N_(
            "Of all second purchases, the share with a category that the first didn't have."
        ),
        "cohorts.earlier_back": N_(
            "Of the earlier half of the cohorts, the share of customers who bought again within "
            "half a year."
        ),
        "cohorts.later_back": N_(
            "Of the later half of the cohorts, the share of customers who bought again within half "
            "a year."
        ),
    },
    N_("Revenue and orders"): {
        "revenue.net": N_("Sum of all rows used in the period, returns taken off."),
        "orders.count": N_("Orders of the period with an amount above zero."),
        "orders.aov": N_("Revenue of these orders over their number."),
        "orders.per_customer": N_("Orders over customers with a purchase in the period."),
        "revenue.returning_share": N_("Share of the period's revenue from returning customers."),
        "revenue.top20_share": N_(
            "Share of the period's revenue from the fifth of its customers who brought most."
        ),
        "spend.returning_vs_new": N_(
            "Revenue per returning customer over revenue per new customer, in the period."
        ),
        "revenue.kept": N_("Revenue of the period from kept customers."),
        "revenue.reactivated": N_("Revenue of the period from reactivated customers."),
        "revenue.new": N_("Revenue of the period from new customers who are customers at its end."),
        "revenue.not_at_end": N_(
            "Revenue of the period from all who are no customers at its end, returns included."
        ),
        "revenue.lost_before": N_("Revenue of the lost customers in the period before."),
        "spend.kept": N_("Revenue of the period per kept customer."),
        "spend.reactivated": N_("Revenue of the period per reactivated customer."),
        "spend.new": N_("Revenue of the period per new customer who is one at its end."),
    },
    N_("When customers buy"): {
        "timing.best_weekday_lift": N_(
            "Orders on the strongest weekday over those on an average day of the same weeks, less "
            "one."
        ),
        "timing.same_weekday_share": N_(
            "How often two purchases of one customer fall on the same weekday; of customers with "
            "four purchases or more."
        ),
        "timing.same_weekday_by_chance": N_(
            "How often two purchases would fall on the same weekday if customers had none of their "
            "own."
        ),
        "timing.best_hours_share": N_(
            "Of the orders with a time of day, the share in the best four hours in a row."
        ),
        "timing.season_peak_lift": N_(
            "Orders a day in the strongest calendar month, above the level around it."
        ),
        "timing.peaks": N_("Days or weeks with far more orders than usual at that time."),
        "timing.peak_return_difference": N_(
            "Share of purchases followed by another within 90 days, after a peak less after other "
            "days."
        ),
        "timing.birthday_ratio": N_(
            "Purchases a day within 14 days of the birthday over those on other days."
        ),
    },
    N_("The loyalty programme"): {
        "programme.members": N_("Members on the last day of the data: joined, and not left."),
        "programme.joined": N_("Members whose joining day is in the period."),
        "programme.left": N_("Members whose day of leaving is in the period."),
        "programme.participation": N_(
            "Of the customers with a purchase in the period, the share who are members at its end."
        ),
        "programme.active_rate": N_(
            "Of the members at the end of the period, the share with a purchase in it."
        ),
        "programme.revenue_share": N_(
            "Net revenue of purchases made as a member in the period, over all of it. It says who "
            "joins, not what joining changes."
        ),
        "programme.redemption_rate": N_(
            "Points redeemed over points earned, of all up to the last day. Young points haven't "
            "had their time."
        ),
        "programme.breakage_rate": N_(
            "Share of the points earned that is never redeemed, from points followed by their age."
        ),
        "programme.outstanding": N_(
            "Points earned less redeemed less expired, up to the last day."
        ),
        "programme.liability": N_(
            "Outstanding points by their worth, by the share of points of their age that is "
            "redeemed."
        ),
        "programme.cost": N_(
            "Cost of rewards in the ledger in the period, and the period's part of the yearly "
            "running cost."
        ),
        "programme.break_even_uplift": N_(
            "By how much members must spend more because of the programme for its margin to pay "
            "for its cost."
        ),
        "programme.uplift_revenue": N_(
            "Spend of members in a window after they joined, less that of customers who hadn't and "
            "were alike in what they had bought before."
        ),
        "programme.uplift_revenue_relative": N_(
            "The same over what the comparable customers spent."
        ),
        "programme.uplift_repurchase": N_(
            "Share of members with a purchase in the window after they joined, less that of "
            "comparable customers."
        ),
        "programme.roi": N_("Margin that the programme brought less its cost, over its cost."),
        "programme.net_value": N_(
            "Margin that the programme brought in the period, if all members respond as those "
            "compared, less its cost."
        ),
    },
    N_("Forecast and lifetime value"): {
        "customers.expected_alive": N_(
            "Sum over all customers of P(alive), the chance that a customer still is one."
        ),
        "purchases.expected": N_("Expected purchases of today's customers within the horizon."),
        "clv.total": N_(
            "Expected margin from today's customers within the horizon, discounted, in total. "
            "Customers who are yet to be won are not in it."
        ),
        "clv.mean": N_("Total customer lifetime value over the number of customers."),
        "clv.top20_share": N_(
            "Share of the total customer lifetime value (CLV) from the fifth of the customers with "
            "the highest."
        ),
        "holdout.bias": N_(
            "The months held back: total forecast over what happened, less one. Below zero the "
            "forecast was too low."
        ),
        "holdout.mae": N_(
            "The months held back: mean distance of forecast and purchases per customer."
        ),
        "holdout.baseline_mae": N_(
            "The months held back: that distance for the best forecast that needs no model."
        ),
    },
    N_("What retention is worth"): {
        "economics.retention_ahead": N_(
            "Of the customers active today, the share expected to buy within the next activity "
            "window."
        ),
        "economics.retention_highest": N_(
            "The share of them who would buy within that window if nobody left."
        ),
        "economics.plus_1_point": N_(
            "What one percentage point more of such customers brings within the horizon."
        ),
        "economics.plus_5_points": N_(
            "What five percentage points more of such customers bring within the horizon."
        ),
        "economics.plus_5_points_rise": N_(
            "What five points more bring, over the active customers' lifetime value."
        ),
        "economics.value_at_risk": N_(
            "What the active customers would bring more if all were surely customers still."
        ),
        "economics.break_even_spend": N_(
            "One point's gain per active customer and year: what may be spent on it."
        ),
        "economics.break_even_points": N_(
            "Points of retention whose gain covers the retention cost of all active customers."
        ),
        "economics.clv_new": N_(
            "Expected margin of a customer won today within the horizon, first order included."
        ),
        "economics.clv_to_cac": N_(
            "Value of a new customer within the horizon over the cost of winning one."
        ),
        "economics.payback_months": N_(
            "Months until a new customer has brought back the cost of winning one."
        ),
    },
    N_("Rhythm and tiers"): {
        "slipping.customers": N_(
            "Customers away for longer than nine in ten with such a history who stay, and not in "
            "all likelihood gone."
        ),
        "slipping.at_stake": N_(
            "Value of these customers if all were surely customers still, less what is expected of "
            "them."
        ),
        "slipping.top_customers": N_(
            "Of the customers later than their own rhythm, the tenth with the most at stake."
        ),
        "slipping.top_share": N_("Share of what is at stake that this tenth has."),
        "slipping.window_customers": N_(
            "Customers away for longer than half, but not yet nine in ten, of those with such a "
            "history who stay."
        ),
        "slipping.window_at_stake": N_(
            "Value at stake with the customers whose reminder window is open."
        ),
        "slipping.agreement": N_(
            "Of the customers to whom both rules apply, the share that both or neither call late."
        ),
        "slipping.overdue": N_(
            "Customers away for longer than twice the mean interval between their purchases."
        ),
        "tiers.best_kept": N_(
            "Of the best tier's customers at the earlier day, the share in it today."
        ),
        "tiers.moved_up": N_(
            "Of the customers in a tier on both days, the share in a better one today."
        ),
        "tiers.moved_down": N_(
            "Of the customers in a tier on both days, the share in a lower one today."
        ),
    },
    N_("What customers say"): {
        "survey.nps": N_(
            "Of each customer's last score of the period: percentage points of promoters (9 and 10 "
            "of 10) less those of detractors (0 to 6)."
        ),
        "survey.nps_weighted": N_(
            "The same with the answers weighted so that those who answered are like the customers "
            "in recency, frequency, spend and age of relationship."
        ),
        "survey.promoters": N_("Share of the scores from 0 to 10 that are 9 or 10."),
        "survey.detractors": N_("Share of the scores from 0 to 10 that are 6 or lower."),
        "survey.csat": N_(
            "Share of each customer's last satisfaction scores of the period that are among the "
            "upper two of the scale."
        ),
        "survey.csat_mean": N_("Mean of each customer's last satisfaction score of the period."),
        "survey.ces": N_(
            "Mean of each customer's last score of ease (customer effort score) of the period."
        ),
        "survey.response_rate": N_(
            "Of the customers asked in the period, the share that answered at least once."
        ),
        "survey.answers": N_("Rows of the survey with a score, of all days."),
        "survey.promoter_repurchase_difference": N_(
            "Share with a purchase in the days after the answer, promoters less detractors, among "
            "customers who had bought alike. An association, no effect."
        ),
        "survey.promoter_spend_difference": N_(
            "Mean net spend in the days after the answer, promoters less detractors, among "
            "customers who had bought alike. An association, no effect."
        ),
        "survey.detractors_of_value": N_(
            "Customers of the best fifth by lifetime value whose last score within the period's "
            "length was among the lowest."
        ),
        "survey.detractors_at_stake": N_(
            "Sum of what is expected of these customers within the horizon."
        ),
    },
    N_("Subscriptions"): {
        "subscription.subscribers_start": N_(
            "Who had a paid subscription on the day before the period."
        ),
        "subscription.subscribers_end": N_(
            "Who has a paid subscription on the last day of the period."
        ),
        "subscription.new": N_(
            "Subscribers at the end who first had a paid subscription in the period."
        ),
        "subscription.returned": N_(
            "Subscribers at the end who had one before the period, but not on the day before it."
        ),
        "subscription.lost": N_("Subscribers at the start who are none at the end."),
        "subscription.logo_churn": N_("Lost subscribers over subscribers at the start."),
        "subscription.monthly_churn": N_(
            "Subscriptions that ended in the period over the months that all subscribers together"
            " were there."
        ),
        "subscription.mrr_start": N_(
            "What the subscribers at the start pay per billing period, over its months."
        ),
        "subscription.mrr_end": N_(
            "What the subscribers at the end pay per billing period, over its months."
        ),
        "subscription.mrr_new": N_("Recurring revenue a month of new subscribers, at the end."),
        "subscription.mrr_returned": N_(
            "Recurring revenue a month of returned subscribers, at the end."
        ),
        "subscription.mrr_expansion": N_(
            "What subscribers at both ends who pay more at the end pay more a month."
        ),
        "subscription.mrr_contraction": N_(
            "What subscribers at both ends who pay less at the end pay less a month."
        ),
        "subscription.mrr_churned": N_(
            "Recurring revenue a month of lost subscribers, at the start."
        ),
        "subscription.gross_retention": N_(
            "Of the recurring revenue at the start, the share that the same subscribers still "
            "pay, increases left out."
        ),
        "subscription.net_retention": N_(
            "What the subscribers at the start pay at the end over what they paid then, increases"
            " counted."
        ),
        "subscription.arpu": N_("Recurring revenue a month at the end over its subscribers."),
        "subscription.median_lifetime": N_(
            "Months after the start by which half of the subscribers are gone, by all that were "
            "watched, however long."
        ),
        "subscription.residual_lifetime": N_(
            "Expected months that today's subscribers will still pay for, discounted, in the "
            "mean. Who has given notice is left out."
        ),
        "subscription.value": N_(
            "Expected margin from today's subscribers' renewals, discounted, at today's prices. "
            "What is paid already isn't in it."
        ),
        "subscription.renewals_due": N_(
            "Subscribers without notice whose next renewal falls within 30 days."
        ),
        "subscription.due_at_stake": N_(
            "Sum over these renewals of the chance that it isn't made times what would be paid "
            "from then on, discounted."
        ),
    },
    N_("Tests and campaigns"): {
        "experiment.<name>.customers": N_(
            "Customers of the treated groups whose outcome is counted, buyers or not."
        ),
        "experiment.<name>.control_customers": N_(
            "Customers of the group left alone whose outcome is counted, buyers or not."
        ),
        "experiment.<name>.srm_p": N_(
            "How likely a lot makes groups at least as far from their planned shares. Below 0.001 "
            "the split is taken as broken, and no effect is told of."
        ),
        "experiment.<name>.uplift_repurchase": N_(
            "Share of the treated customers with a purchase in the outcome window, less that of "
            "the control group, as a share of all customers."
        ),
        "experiment.<name>.uplift_orders": N_(
            "Orders per treated customer in the outcome window less those per control customer, "
            "corrected for what the groups ordered before."
        ),
        "experiment.<name>.uplift_revenue": N_(
            "Net revenue per treated customer in the outcome window less that per control "
            "customer, customers without a purchase counted as 0, corrected for what the groups "
            "spent before. The test's main figure."
        ),
        "experiment.<name>.uplift_revenue_relative": N_(
            "The uplift in revenue per customer over the revenue per control customer."
        ),
        "experiment.<name>.incremental_revenue": N_(
            "The uplift in revenue per customer times the treated customers."
        ),
        "experiment.<name>.cost": N_(
            "Cost per treated customer, as the client file has it, times the treated customers."
        ),
        "experiment.<name>.net_value": N_(
            "Revenue that the measure brought, times the margin, less its cost."
        ),
        "experiment.<name>.cuped_reduction": N_(
            "How much narrower the interval of the uplift in revenue is for the correction by "
            "what the same customers spent before the test."
        ),
        "experiment.<name>.smallest_rise": N_(
            "The smallest rise in the share that buys which a test of this size shows in 80% of "
            "cases, as a share of all customers."
        ),
        "experiment.<name>.placebo_revenue": N_(
            "The same comparison moved to a window earlier, when the campaign can't have worked: "
            "revenue per treated customer less that of comparable ones. It should include 0."
        ),
        "experiment.<name>.raw_difference": N_(
            "Revenue per treated customer less that of all others. It is not the effect: those "
            "who are sent more bought more before."
        ),
        "experiment.<name>.comparable_share": N_(
            "Share of the treated customers for whom there are customers who weren't treated and "
            "who had bought alike before; only they are compared."
        ),
        "experiment.<name>.worst_imbalance": N_(
            "The largest standardised difference between the treated and the comparable customers "
            "in what was known of them before; below 0.1 they count as alike."
        ),
    },
}

_MODEL: Final = re.compile(r"model\.(\w+)\.r\b|model\.(gammagamma)\.p\b")


def fitted(metrics: Iterable[str]) -> list[str]:
    """The models behind a report, by the ids of its figures."""
    found = (_MODEL.fullmatch(name) for name in metrics)
    return sorted({match[1] or match[2] for match in found if match})
