"""The metrics of a base (CONTRACT, section 4): who stayed, came and left, and what was spent.

Formulas are in `retention.formulas`, intervals in `retention.intervals`; here they meet the data.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, windows
from retention_lib.metrics import Metric, unknown
from retention_lib.retention import formulas
from retention_lib.retention.activity import activity
from retention_lib.retention.intervals import (
    Interval,
    means_ratio_interval,
    median_interval,
    ratio_interval,
    wilson,
)
from retention_lib.retention.journey import days_to_second
from retention_lib.sentence import Sentence

REPEAT_DAYS = 90
BEST_SHARE = 0.20

#: As many as amounts have (`data.schema.MONEY`).
MONEY_DECIMALS = 4

#: Share of the first activity window that may lie before the data.
MOST_MISSING = 0.1

#: A comparison with a group smaller than this carries a caution.
FEW = 20


def retention_metrics(base: Base) -> dict[str, Metric]:
    """Every metric of a base that needs orders only, each beside the period before.

    The period before is given only where the data covers it and nearly all (nine tenths) of the
    activity window that it starts from; a base that looks half as large because its history starts
    too late is no comparison.
    """
    now = metrics_at(base, base.as_of)
    before = base.windows.period.start - ONE_DAY
    earlier = windows(before, base.params.period_months, base.params.active_months)
    missing = (base.start - earlier.before.start).days
    if missing > MOST_MISSING * earlier.before.days:
        return now
    then = metrics_at(base, before)
    return {
        name: dataclasses.replace(metric, previous=then[name].value) for name, metric in now.items()
    }


def metrics_at(base: Base, as_of: dt.date) -> dict[str, Metric]:
    """The metrics for the period that ends on a day, without a comparison."""
    frame = activity(base, as_of)
    return {
        **_customers(frame),
        **_rates(frame, _short_history(base, as_of)),
        **_journey(base, as_of),
        **_revenue(frame),
    }


def _short_history(base: Base, as_of: dt.date) -> str | None:
    """A caution where the data starts after the activity window that the rates start from."""
    window = windows(as_of, base.params.period_months, base.params.active_months).before
    if base.start <= window.start:
        return None
    return Sentence(
        "The data starts on {start}; the customers at the start are those with a purchase from "
        "then to {end}, not of the whole {months} before the period.",
        start=base.start,
        end=window.end,
        months=Metric(base.params.active_months, "months"),
    )


def _customers(frame: pd.DataFrame) -> dict[str, Metric]:
    at_start, at_end, new, bought = (
        frame[k].to_numpy() for k in ("at_start", "at_end", "new", "bought")
    )
    counts = {
        "total": frame["ever"] > 0,
        "active": bought,
        "new": new,
        "returning": bought & ~new,
        "at_start": at_start,
        "at_end": at_end,
        "reactivated": at_end & ~new & ~at_start,
        "lost": at_start & ~at_end,
    }
    return {f"customers.{name}": Metric(int(flag.sum()), "count") for name, flag in counts.items()}


def _rates(frame: pd.DataFrame, caution: str | None) -> dict[str, Metric]:
    at_start, at_end, new, bought = (
        frame[k].to_numpy() for k in ("at_start", "at_end", "new", "bought")
    )
    start, kept = int(at_start.sum()), int((at_start & at_end).sum())
    nobody = "Nobody had bought in the activity window before the period, so there is no rate."
    if start == 0:
        rates = {
            f"{name}": unknown("share", nobody, n=0)
            for name in (
                "retention.rate",
                "retention.rate_formula",
                "retention.repurchase_rate",
                "churn.rate",
            )
        }
    else:
        lost = start - kept
        again = int((at_start & bought).sum())
        textbook = formulas.retention_rate_textbook(
            int(at_end.sum()), int((at_end & new).sum()), start
        )
        rates = {
            "retention.rate": _share(formulas.retention_rate(kept, start), kept, start, caution),
            # counts the reactivated, who weren't among the start's customers: no share of them,
            # so no binomial interval, and it may exceed 1
            "retention.rate_formula": Metric(textbook, "share", n=start, note=caution),
            "retention.repurchase_rate": _share(
                formulas.repurchase_rate(again, start), again, start, caution
            ),
            "churn.rate": _share(formulas.churn_rate(lost, start), lost, start, caution),
        }
    repeat, buyers = int((frame["purchases"] >= 2).sum()), int(bought.sum())
    ever, total = int((frame["ever"] >= 2).sum()), int((frame["ever"] >= 1).sum())
    rates["retention.repeat_rate"] = (
        _share(formulas.repeat_rate(repeat, buyers), repeat, buyers)
        if buyers
        else unknown("share", "Nobody bought in the period.", n=0)
    )
    rates["retention.ever_repeat_rate"] = (
        _share(formulas.repeat_rate(ever, total), ever, total)
        if total
        else unknown("share", "Nobody had bought yet.", n=0)
    )
    return rates


def _journey(base: Base, as_of: dt.date) -> dict[str, Metric]:
    second = days_to_second(base, as_of)
    observed = second["observed_days"] >= REPEAT_DAYS
    # a missing second purchase compares as false: not within the 90 days
    within = observed & (second["days_to_second"] <= REPEAT_DAYS)
    n, count = int(observed.sum()), int(within.sum())
    gaps = second["days_to_second"].dropna().to_numpy(dtype=float)
    return {
        "retention.repeat_90d": _share(formulas.repeat_rate(count, n), count, n)
        if n
        else unknown(
            "share",
            Sentence("Nobody was first seen {days} days or more before the end.", days=REPEAT_DAYS),
            n=0,
        ),
        "journey.days_to_second": Metric(
            float(pd.Series(gaps).median()), "days", *_limits(median_interval(gaps)), n=len(gaps)
        )
        if len(gaps)
        else unknown("days", "Nobody has made a second purchase.", n=0),
    }


def _revenue(frame: pd.DataFrame) -> dict[str, Metric]:
    revenue, orders = _money(frame["revenue"]), int(frame["orders"].sum())
    buyers = frame[frame["bought"]]
    returning, new = buyers[~buyers["new"]], buyers[buyers["new"]]
    metrics = {
        "revenue.net": Metric(revenue, "currency"),
        "orders.count": Metric(orders, "count"),
        "orders.aov": _order_value(frame, orders),
    }
    if not len(buyers):
        nothing = "Nobody bought in the period."
        return metrics | {
            "orders.per_customer": unknown("number", nothing, n=0),
            "revenue.returning_share": unknown("share", nothing, n=0),
            "revenue.top20_share": unknown("share", nothing, n=0),
            "spend.returning_vs_new": unknown("ratio", nothing, n=0),
        }
    # who ordered and returned more on the same day has an order, but is no buyer
    counted = frame[frame["bought"] | (frame["orders"] > 0)]
    metrics["orders.per_customer"] = Metric(
        formulas.orders_per_customer(orders, len(buyers)),
        "number",
        *_limits(ratio_interval(counted["orders"], counted["bought"])),
        n=len(buyers),
    )
    metrics["revenue.returning_share"] = _revenue_share(
        _money(returning["revenue"]), revenue, len(buyers)
    )
    top = formulas.top_share(buyers["revenue"], BEST_SHARE, total=revenue)
    metrics["revenue.top20_share"] = (
        Metric(top, "share", n=len(buyers))
        if top is not None
        else unknown("share", "Revenue in the period isn't above zero.", n=len(buyers))
    )
    metrics["spend.returning_vs_new"] = _spend_ratio(returning["revenue"], new["revenue"])
    return metrics


def _order_value(frame: pd.DataFrame, orders: int) -> Metric:
    if not orders:
        return unknown("currency", "There is no order with an amount above zero.", n=0)
    ordering = frame[frame["orders"] > 0]
    return Metric(
        formulas.average_order_value(_money(frame["order_revenue"]), orders),
        "currency",
        *_limits(ratio_interval(ordering["order_revenue"], ordering["orders"])),
        n=orders,
    )


def _spend_ratio(returning: pd.Series, new: pd.Series) -> Metric:
    if not len(new):
        return unknown("ratio", "There were no new customers in the period to compare with.", n=0)
    if not len(returning):
        return unknown("ratio", "There were no returning customers in the period.", n=0)
    ratio = formulas.spend_ratio(_money(returning), len(returning), _money(new), len(new))
    if ratio is None:
        return unknown("ratio", "The new customers' revenue isn't above zero.", n=len(new))
    n = min(len(new), len(returning))
    few = Sentence("Only {n} customers in one of the two groups: too few to compare.", n=n)
    return Metric(
        ratio,
        "ratio",
        *_limits(means_ratio_interval(returning, new)),
        n=n,
        note=few if n < FEW else None,
    )


def _money(amounts: pd.Series) -> float:
    """A sum as money: 0.1 + 0.2 − 0.3 is 0, of which nothing has a share."""
    return round(math.fsum(amounts), MONEY_DECIMALS)


def _revenue_share(part: float, whole: float, n: int) -> Metric:
    share = formulas.revenue_share(part, whole)
    if share is None:
        return unknown("share", "Revenue in the period isn't above zero.", n=n)
    return Metric(share, "share", n=n)


def _share(value: float | None, successes: int, n: int, note: str | None = None) -> Metric:
    return Metric(value, "share", *_limits(wilson(successes, n)), n=n, note=note)


def _limits(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)
