"""The figures of a report: what one is, and the list of all (CONTRACT, section 4).

A metric has an id, a unit and a value; where it is an estimate it has an interval, where it is a
share or a mean it has its n. A figure that can't be known is None with a note, never 0, never NaN.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Unit = Literal["count", "share", "currency", "days", "months", "ratio", "number"]

#: The unit of every metric, in the order of the contract; models' parameters are plain numbers.
UNITS: Final[Mapping[str, Unit]] = {
    "customers.total": "count",
    "customers.active": "count",
    "customers.new": "count",
    "customers.returning": "count",
    "customers.at_start": "count",
    "customers.at_end": "count",
    "customers.reactivated": "count",
    "customers.lost": "count",
    "customers.kept": "count",
    "customers.new_at_end": "count",
    "retention.rate": "share",
    "retention.rate_formula": "share",
    "retention.repurchase_rate": "share",
    "churn.rate": "share",
    "retention.repeat_rate": "share",
    "retention.ever_repeat_rate": "share",
    "retention.repeat_90d": "share",
    "journey.days_to_second": "days",
    "journey.first_purchase_value": "currency",
    "journey.second_purchase_value": "currency",
    "journey.change_to_second": "currency",
    "journey.change_since_first": "currency",
    "journey.first_size_correlation": "number",
    "journey.first_size_ratio": "ratio",
    "journey.second_known_category": "share",
    "journey.second_new_category": "share",
    "revenue.net": "currency",
    "orders.count": "count",
    "orders.aov": "currency",
    "orders.per_customer": "number",
    "revenue.returning_share": "share",
    "revenue.top20_share": "share",
    "spend.returning_vs_new": "ratio",
    "revenue.kept": "currency",
    "revenue.reactivated": "currency",
    "revenue.new": "currency",
    "revenue.not_at_end": "currency",
    "revenue.lost_before": "currency",
    "spend.kept": "currency",
    "spend.reactivated": "currency",
    "spend.new": "currency",
    "cohorts.earlier_back": "share",
    "cohorts.later_back": "share",
    "holdout.bias": "share",
    "holdout.mae": "number",
    "holdout.baseline_mae": "number",
    "customers.expected_alive": "count",
    "purchases.expected": "number",
    "clv.total": "currency",
    "clv.mean": "currency",
    "clv.top20_share": "share",
    "economics.retention_ahead": "share",
    "economics.retention_highest": "share",
    "economics.plus_1_point": "currency",
    "economics.plus_5_points": "currency",
    "economics.plus_5_points_rise": "share",
    "economics.value_at_risk": "currency",
    "economics.break_even_spend": "currency",
    "economics.break_even_points": "number",
    "economics.clv_new": "currency",
    "economics.clv_to_cac": "ratio",
    "economics.payback_months": "months",
    "tiers.best_kept": "share",
    "tiers.moved_up": "share",
    "tiers.moved_down": "share",
    "slipping.customers": "count",
    "slipping.at_stake": "currency",
    "slipping.top_customers": "count",
    "slipping.top_share": "share",
    "slipping.window_customers": "count",
    "slipping.window_at_stake": "currency",
    "slipping.agreement": "share",
    "slipping.overdue": "count",
    "timing.best_weekday_lift": "share",
    "timing.same_weekday_share": "share",
    "timing.same_weekday_by_chance": "share",
    "timing.best_hours_share": "share",
    "timing.season_peak_lift": "share",
    "timing.peaks": "count",
    "timing.peak_return_difference": "share",
    "timing.birthday_ratio": "ratio",
    "programme.members": "count",
    "programme.joined": "count",
    "programme.left": "count",
    "programme.participation": "share",
    "programme.active_rate": "share",
    "programme.revenue_share": "share",
    "programme.redemption_rate": "share",
    "programme.breakage_rate": "share",
    "programme.outstanding": "number",
    "programme.liability": "currency",
    "programme.cost": "currency",
    "programme.break_even_uplift": "share",
    "programme.uplift_revenue": "currency",
    "programme.uplift_revenue_relative": "share",
    "programme.uplift_repurchase": "share",
    "programme.roi": "ratio",
    "programme.net_value": "currency",
    "survey.nps": "number",
    "survey.nps_weighted": "number",
    "survey.promoters": "share",
    "survey.detractors": "share",
    "survey.csat": "share",
    "survey.csat_mean": "number",
    "survey.ces": "number",
    "survey.response_rate": "share",
    "survey.answers": "count",
    "survey.promoter_repurchase_difference": "share",
    "survey.promoter_spend_difference": "currency",
    "survey.detractors_of_value": "count",
    "survey.detractors_at_stake": "currency",
    "subscription.subscribers_start": "count",
    "subscription.subscribers_end": "count",
    "subscription.new": "count",
    "subscription.returned": "count",
    "subscription.lost": "count",
    "subscription.logo_churn": "share",
    "subscription.monthly_churn": "share",
    "subscription.mrr_start": "currency",
    "subscription.mrr_end": "currency",
    "subscription.mrr_new": "currency",
    "subscription.mrr_returned": "currency",
    "subscription.mrr_expansion": "currency",
    "subscription.mrr_contraction": "currency",
    "subscription.mrr_churned": "currency",
    "subscription.gross_retention": "share",
    "subscription.net_retention": "share",
    "subscription.arpu": "currency",
    "subscription.median_lifetime": "months",
    "subscription.residual_lifetime": "months",
    "subscription.value": "currency",
    "subscription.renewals_due": "count",
    "subscription.due_at_stake": "currency",
    "experiment.<name>.customers": "count",
    "experiment.<name>.control_customers": "count",
    "experiment.<name>.srm_p": "number",
    "experiment.<name>.uplift_repurchase": "share",
    "experiment.<name>.uplift_orders": "number",
    "experiment.<name>.uplift_revenue": "currency",
    "experiment.<name>.uplift_revenue_relative": "share",
    "experiment.<name>.incremental_revenue": "currency",
    "experiment.<name>.cost": "currency",
    "experiment.<name>.net_value": "currency",
    "experiment.<name>.cuped_reduction": "share",
    "experiment.<name>.smallest_rise": "share",
    "experiment.<name>.placebo_revenue": "currency",
    "experiment.<name>.raw_difference": "currency",
    "experiment.<name>.comparable_share": "share",
    "experiment.<name>.worst_imbalance": "number",
}

#: Shares that aren't bounded by 0 and 1: the textbook's rate counts the reactivated, a bias and a
#: difference have a sign.
UNBOUNDED: Final = frozenset(
    {
        *("retention.rate_formula", "holdout.bias", "timing.best_weekday_lift"),
        *("timing.season_peak_lift", "timing.peak_return_difference"),
        *("survey.promoter_repurchase_difference",),
        *("subscription.net_retention", "subscription.monthly_churn"),
        "programme.uplift_repurchase",
        *("programme.uplift_revenue_relative", "programme.break_even_uplift"),
        *("experiment.<name>.uplift_repurchase", "experiment.<name>.uplift_revenue_relative"),
        "experiment.<name>.cuped_reduction",
    }
)

_PARAMETER: Final = re.compile(r"model\.(bgnbd|mbgnbd|paretonbd|gammagamma)\.\w+")
#: The figures of a campaign, whose name the client file gives: `experiment.<name>.uplift_revenue`.
_OF_EXPERIMENT: Final = re.compile(r"experiment\.[a-z0-9][a-z0-9_]*\.([a-z0-9_]+)")


def general(name: str) -> str:
    """A metric's id as `UNITS` has it: `<name>` where the client file gives a name."""
    found = _OF_EXPERIMENT.fullmatch(name)
    return f"experiment.<name>.{found[1]}" if found else name


def is_metric(name: str) -> bool:
    """Whether a report can have a figure of this id."""
    return general(name) in UNITS or _PARAMETER.fullmatch(name) is not None


def unit_of(name: str) -> Unit:
    """The unit of a metric; models' parameters are plain numbers."""
    return UNITS.get(general(name), "number")


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Parameters
    ----------
    value : float, int or None
        None where the figure can't be known; `note` then says why.
    unit : str
        `count`, `share`, `currency`, `days`, `months`, `ratio` or `number`.
    low, high : float, optional
        Interval (95 % unless the note says otherwise).
    n : int, optional
        How many customers (or orders) the figure rests on.
    previous : float, optional
        The same figure one period earlier.
    year_ago : float, optional
        The same figure a year earlier, where the period before is another.
    note : str, optional
        One sentence: why the value is missing, or what to know when reading it.

    Raises
    ------
    ValueError
        A missing value without a note.
    """

    value: float | int | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    n: int | None = None
    previous: float | int | None = None
    year_ago: float | int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "n", "previous", "year_ago"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        if self.value is None and not self.note:
            raise ValueError("a metric without a value needs a note that says why")

    def as_json(self) -> dict[str, Any]:
        """The metric as `metrics.json` has it: value and unit always, the rest where known."""
        fields = asdict(self)
        return {k: v for k, v in fields.items() if v is not None or k == "value"}


def from_json(fields: Mapping[str, Any]) -> Metric:
    """The metric that `Metric.as_json` wrote."""
    return Metric(**fields)


def unknown(unit: Unit, note: str, n: int | None = None) -> Metric:
    """A figure that can't be known, with the reason in a sentence."""
    return Metric(None, unit, n=n, note=note)


def moved(metric: Metric) -> int:
    """1 or −1 where a figure rose or fell by more than chance explains, else 0.

    The earlier figure is as uncertain as this one, so their difference is √2 times as uncertain.
    """
    if None in (metric.value, metric.previous, metric.low, metric.high):
        return 0
    assert metric.value is not None
    assert metric.previous is not None
    assert metric.low is not None
    assert metric.high is not None
    change = metric.value - metric.previous
    if abs(change) <= math.sqrt(2) * (metric.high - metric.low) / 2:
        return 0
    return 1 if change > 0 else -1


def _plain(value: Any) -> float | int | None:
    """A number that JSON can carry: NumPy scalars become Python's, NaN and infinity become None.

    Twelve significant digits: what comes after them depends on the order in which a machine adds
    up, and would make equal reports differ.
    """
    if value is None:
        return None
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else None
