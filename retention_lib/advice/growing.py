"""Rules on customers who can become more: the second order, the best, the next category."""

from __future__ import annotations

import pandas as pd

from retention_lib.advice import thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, money, of_list
from retention_lib.metrics import Metric
from retention_lib.retention.next_purchase import WITHIN

#: Days within which the next purchase is looked for.
DAYS = 90
assert DAYS in WITHIN


def second_order(known: Evidence) -> Found | None:
    """After the first purchase far fewer buy again than after the second."""
    one = known.long_enough("second_order", thresholds.FEWEST)
    steps = known.steps
    if one is None or len(steps) < 2 or steps["number"].tolist()[:2] != [1, 2]:
        return None
    first, second = steps.iloc[0], steps.iloc[1]
    enough = min(first[f"n_{DAYS}"], second[f"n_{DAYS}"]) >= thresholds.FEWEST
    apart = second[f"low_{DAYS}"] > first[f"high_{DAYS}"]
    gap = second[f"share_{DAYS}"] - first[f"share_{DAYS}"]
    if not (enough and apart and gap >= thresholds.STEP):
        return None
    values = {"first": _step(first), "second": _step(second), "days": Metric(DAYS, "days")}
    return Found(values, **of_list(one))


def thank_best(known: Evidence) -> Found | None:
    """The best fifth brings at least half of the revenue."""
    one = known.long_enough("thank_best", thresholds.FEWEST)
    share = known.metrics.get("revenue.top20_share")
    if one is None or share is None or share.value is None or share.value < thresholds.BEST:
        return None
    return Found(
        {"share": share, "n": one.eligible, "worth": money(one.eligible_clv)}, **of_list(one)
    )


def cross_sell(known: Evidence) -> Found | None:
    """Customers of one category take up another more often than like customers do."""
    one = known.long_enough("cross_sell", thresholds.FEWEST)
    best = None if known.what_next is None else known.what_next.best
    if one is None or best is None or (best.share.value or 0.0) < thresholds.TAKE_UP:
        return None
    values = {
        "category": best.category,
        "next_category": best.next_category,
        "share": best.share,
        "lift": best.lift,
    }
    return Found(values, list=one.id, customers=one.eligible)


def first_category(known: Evidence) -> Found | None:
    """Customers who began with one category are worth more later than others like them."""
    best = None if known.first_order is None else known.first_order.best_category
    if known.first_order is None or best is None:
        return None
    values = {
        "category": best.category,
        "later": best.later,
        "difference": best.difference,
        "days": Metric(known.first_order.days, "days"),
    }
    return Found(values)


def _step(row: pd.Series) -> Metric:
    share, low, high = (float(row[f"{part}_{DAYS}"]) for part in ("share", "low", "high"))
    return Metric(share, "share", low, high, int(row[f"n_{DAYS}"]))
