"""Figures as sentences give them."""

from __future__ import annotations

from retention_lib.metrics import Metric
from retention_lib.sentence import about


def share(value: float) -> Metric:
    """A share of one."""
    return Metric(value, "share")


def money(value: float) -> Metric:
    """An amount, in full."""
    return Metric(value, "currency")


def rough(value: float) -> Metric:
    """An amount in two digits, or in full where it is small, as of one customer."""
    return about(money(value), 2) if value >= 1000 else money(value)


def months(value: int) -> Metric:
    """A number of months."""
    return Metric(value, "months")
