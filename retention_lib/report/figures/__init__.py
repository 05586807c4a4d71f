"""The report's figures: tidy frame in, axes with alt text out; nothing is computed here."""

from __future__ import annotations

from retention_lib.report.figures.cohort_curves import cohort_curves
from retention_lib.report.figures.cohorts import cohort_heatmap
from retention_lib.report.figures.curves import model_curve, next_purchase_curves
from retention_lib.report.figures.economics import payback, retention_gain
from retention_lib.report.figures.experiment import (
    experiment_days,
    experiment_power,
    experiment_uplifts,
)
from retention_lib.report.figures.forecasts import (
    caught_revenue,
    forecast_against,
    forecast_errors,
    repeat_counts,
    value_map,
)
from retention_lib.report.figures.later_value import (
    value_by_first_category,
    value_by_first_size,
)
from retention_lib.report.figures.models import alive_map, holdout_by_frequency, holdout_tracking
from retention_lib.report.figures.months import (
    monthly_customers,
    monthly_revenue,
    orders_by_month,
)
from retention_lib.report.figures.movements import tier_moves
from retention_lib.report.figures.over_time import rate_trend
from retention_lib.report.figures.programme import (
    member_flow,
    points_by_age,
    points_by_month,
    programme_effect,
)
from retention_lib.report.figures.purchase_values import purchase_values
from retention_lib.report.figures.retention import customer_flow, retention_shares, second_purchase
from retention_lib.report.figures.season import marked_peaks, months_by_year
from retention_lib.report.figures.slipping import value_slipping
from retention_lib.report.figures.steps import next_purchase
from retention_lib.report.figures.style import Drawn, style
from retention_lib.report.figures.track import report_trends
from retention_lib.report.figures.value import segments, value_concentration
from retention_lib.report.figures.weekdays import week_hours, weekday_lifts
from retention_lib.report.figures.what_next import lifts, second_category

__all__ = [
    "Drawn",
    "alive_map",
    "caught_revenue",
    "cohort_curves",
    "cohort_heatmap",
    "customer_flow",
    "experiment_days",
    "experiment_power",
    "experiment_uplifts",
    "forecast_against",
    "forecast_errors",
    "holdout_by_frequency",
    "holdout_tracking",
    "lifts",
    "marked_peaks",
    "member_flow",
    "model_curve",
    "monthly_customers",
    "monthly_revenue",
    "months_by_year",
    "next_purchase",
    "next_purchase_curves",
    "orders_by_month",
    "payback",
    "points_by_age",
    "points_by_month",
    "programme_effect",
    "purchase_values",
    "rate_trend",
    "repeat_counts",
    "report_trends",
    "retention_gain",
    "retention_shares",
    "second_category",
    "second_purchase",
    "segments",
    "style",
    "tier_moves",
    "value_by_first_category",
    "value_by_first_size",
    "value_concentration",
    "value_map",
    "value_slipping",
    "week_hours",
    "weekday_lifts",
]
