"""The report's figures: tidy frame in, axes with alt text out; nothing is computed here."""

from __future__ import annotations

from retention_lib.report.figures.cohorts import cohort_heatmap
from retention_lib.report.figures.forecasts import (
    caught_revenue,
    forecast_against,
    forecast_errors,
    repeat_counts,
    value_map,
)
from retention_lib.report.figures.models import alive_map, holdout_by_frequency, holdout_tracking
from retention_lib.report.figures.months import (
    monthly_customers,
    monthly_revenue,
    orders_by_month,
    rate_trend,
)
from retention_lib.report.figures.retention import customer_flow, retention_shares, second_purchase
from retention_lib.report.figures.steps import next_purchase
from retention_lib.report.figures.style import Drawn, style
from retention_lib.report.figures.value import segments, value_concentration

__all__ = [
    "Drawn",
    "alive_map",
    "caught_revenue",
    "cohort_heatmap",
    "customer_flow",
    "forecast_against",
    "forecast_errors",
    "holdout_by_frequency",
    "holdout_tracking",
    "monthly_customers",
    "monthly_revenue",
    "next_purchase",
    "orders_by_month",
    "rate_trend",
    "repeat_counts",
    "retention_shares",
    "second_purchase",
    "segments",
    "style",
    "value_concentration",
    "value_map",
]
