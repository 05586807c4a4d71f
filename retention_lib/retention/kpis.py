"""The metrics of a base (CONTRACT, section 4): who stayed, came and left, and what was spent.

Formulas are in `retention.formulas`, intervals in `retention.intervals`, counts and sums come from
`retention.sums`; here they meet.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import windows
from retention_lib.metrics import Metric, unknown
from retention_lib.retention import formulas
from retention_lib.retention.ends import compared_ends
from retention_lib.retention.intervals import Interval, wilson
from retention_lib.retention.moments import (
    Moments,
    mean_limits,
    means_ratio_limits,
    median_of_counts,
    moments,
    ratio_limits,
)
from retention_lib.retention.sums import REPEAT_DAYS as REPEAT_DAYS
from retention_lib.retention.sums import Sums, period_before, report_sums, sums
from retention_lib.sentence import N_, Counted, Sentence

#: As many as amounts have (`data.schema.MONEY`).
MONEY_DECIMALS = 4

#: A comparison with a group smaller than this carries a caution.
FEW = 20

#: Whose revenue is told apart; with who is no customer at the end they make up all of it.
GROUPS: Final = ("kept", "reactivated", "new_at_end")


def retention_metrics(base: Base) -> dict[str, Metric]:
    """Every metric of a base that needs orders only, beside the period before and a year ago.

    The period before is given only where the data covers it and nearly all (nine tenths) of the
    activity window that it starts from; a base that looks half as large because its history starts
    too late is no comparison. The same holds for the period a year ago, which is given where it
    isn't the period before.
    """
    known = compared_ends(base)
    at = report_metrics(base, [base.as_of, *known.values()])

    def beside(name: str, metric: Metric) -> Metric:
        found: dict[str, Any] = {field: at[end][name].value for field, end in known.items()}
        return dataclasses.replace(metric, **found)

    return {name: beside(name, metric) for name, metric in at[base.as_of].items()}


def metrics_at(base: Base, as_of: dt.date) -> dict[str, Metric]:
    """The metrics for the period that ends on a day, without a comparison."""
    return metrics_at_each(base, [as_of])[as_of]


def metrics_at_each(base: Base, ends: Sequence[dt.date]) -> dict[dt.date, dict[str, Metric]]:
    """The metrics for the periods that end on some days, in one pass over the customers."""
    ends = list(dict.fromkeys(ends))
    return _metrics(base, sums(base, ends), ends)


def report_metrics(base: Base, ends: Sequence[dt.date]) -> dict[dt.date, dict[str, Metric]]:
    """The metrics at some of the ends that a report tells of (`ends.report_ends`).

    What they are made of is counted once for all these ends, and for all chapters of a run.
    """
    return _metrics(base, report_sums(base), ends)


def _metrics(
    base: Base, of_ends: Sums, ends: Sequence[dt.date]
) -> dict[dt.date, dict[str, Metric]]:
    found = {}
    for end in ends:
        of = of_ends.counts(end)
        found[end] = {
            **_customers(of),
            **_rates(of, _short_history(base, end)),
            **_journey(of, of_ends.gaps(end)),
            **_revenue(of),
            **_contributions(of, _short_before(base, end)),
        }
    return found


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


def _short_before(base: Base, as_of: dt.date) -> str | None:
    """A caution where the data starts within the period before."""
    if base.start <= period_before(as_of, base.params.period_months).start:
        return None
    return Sentence(
        "The data starts on {start}, within the period before: what was spent in it is not all "
        "there.",
        start=base.start,
    )


def _customers(of: dict[str, Any]) -> dict[str, Metric]:
    names = ["total", "active", "new", "returning", "at_start", "at_end", "kept"]
    names += ["reactivated", "new_at_end", "lost"]
    return {f"customers.{name}": Metric(int(of[name]), "count") for name in names}


def _rates(of: dict[str, Any], caution: str | None) -> dict[str, Metric]:
    start, kept = int(of["at_start"]), int(of["kept"])
    nobody = N_("Nobody had bought in the activity window before the period, so there is no rate.")
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
        lost, again = start - kept, int(of["again"])
        textbook = formulas.retention_rate_textbook(int(of["at_end"]), int(of["new_at_end"]), start)
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
    repeat, buyers = int(of["twice"]), int(of["active"])
    ever, total = int(of["ever_twice"]), int(of["total"])
    rates["retention.repeat_rate"] = (
        _share(formulas.repeat_rate(repeat, buyers), repeat, buyers)
        if buyers
        else unknown("share", N_("Nobody bought in the period."), n=0)
    )
    rates["retention.ever_repeat_rate"] = (
        _share(formulas.repeat_rate(ever, total), ever, total)
        if total
        else unknown("share", N_("Nobody had bought yet."), n=0)
    )
    return rates


def _journey(of: dict[str, Any], between: pd.DataFrame) -> dict[str, Metric]:
    n, count = int(of["watched"]), int(of["soon"])
    days: Metric = unknown("days", N_("Nobody has made a second purchase."), n=0)
    if len(between):
        median, limits = median_of_counts(between["gap"], between["customers"])
        days = Metric(median, "days", *_limits(limits), n=int(between["customers"].sum()))
    return {
        "retention.repeat_90d": _share(formulas.repeat_rate(count, n), count, n)
        if n
        else unknown(
            "share",
            Sentence("Nobody was first seen {days} days or more before the end.", days=REPEAT_DAYS),
            n=0,
        ),
        "journey.days_to_second": days,
    }


def _revenue(of: dict[str, Any]) -> dict[str, Metric]:
    revenue, orders, buyers = _money(of["revenue"]), int(of["orders"]), int(of["active"])
    metrics = {
        "revenue.net": Metric(revenue, "currency"),
        "orders.count": Metric(orders, "count"),
        "orders.aov": _order_value(of, orders),
    }
    if not buyers:
        nothing = N_("Nobody bought in the period.")
        return metrics | {
            "orders.per_customer": unknown("number", nothing, n=0),
            "revenue.returning_share": unknown("share", nothing, n=0),
            "revenue.top20_share": unknown("share", nothing, n=0),
            "spend.returning_vs_new": unknown("ratio", nothing, n=0),
        }
    metrics["orders.per_customer"] = Metric(
        formulas.orders_per_customer(orders, buyers),
        "number",
        *_limits(_ratio(of, "counted", "orders", "bought")),
        n=buyers,
    )
    for name, part in (("returning", "revenue_returning"), ("top20", "best_fifth")):
        metrics[f"revenue.{name}_share"] = _revenue_share(_money(of[part]), revenue, buyers)
    metrics["spend.returning_vs_new"] = _spend_ratio(of)
    return metrics


def _contributions(of: dict[str, Any], caution: str | None) -> dict[str, Metric]:
    """Revenue by what became of the customers, and per customer; together `revenue.net`."""
    metrics: dict[str, Metric] = {}
    rest = _money(of["revenue"])
    for group in GROUPS:
        name = "new" if group == "new_at_end" else group
        n, revenue = int(of[group]), _money(of[f"revenue_{group}"])
        rest -= revenue
        metrics[f"revenue.{name}"] = Metric(revenue, "currency", n=n)
        metrics[f"spend.{name}"] = (
            Metric(revenue / n, "currency", *_limits(mean_limits(_moments(of, group))), n=n)
            if n
            else unknown("currency", N_("There is no customer in this group."), n=0)
        )
    metrics["revenue.not_at_end"] = Metric(round(rest, MONEY_DECIMALS), "currency")
    lost = int(of["lost"])
    before = Metric(_money(of["revenue_lost"]), "currency", n=lost, note=caution)
    return metrics | {"revenue.lost_before": before}


def _order_value(of: dict[str, Any], orders: int) -> Metric:
    if not orders:
        return unknown("currency", N_("There is no order with an amount above zero."), n=0)
    return Metric(
        formulas.average_order_value(_money(of["order_revenue"]), orders),
        "currency",
        *_limits(_ratio(of, "ordering", "revenue", "orders")),
        n=orders,
    )


def _spend_ratio(of: dict[str, Any]) -> Metric:
    returning, new = int(of["returning"]), int(of["new"])
    if not new:
        return unknown(
            "ratio", N_("There were no new customers in the period to compare with."), n=0
        )
    if not returning:
        return unknown("ratio", N_("There were no returning customers in the period."), n=0)
    ratio = formulas.spend_ratio(
        _money(of["revenue_returning"]), returning, _money(of["revenue_new"]), new
    )
    if ratio is None:
        return unknown("ratio", N_("The new customers' revenue isn't above zero."), n=new)
    n = min(new, returning)
    few = Sentence(
        Counted(
            "Only {n} customer in one of the two groups: too few to compare.",
            "Only {n} customers in one of the two groups: too few to compare.",
        ),
        n=n,
    )
    return Metric(
        ratio,
        "ratio",
        *_limits(means_ratio_limits(_moments(of, "returning"), _moments(of, "new"))),
        n=n,
        note=few if n < FEW else None,
    )


def _moments(of: dict[str, Any], name: str) -> Moments:
    return moments(of[f"{name}_n"], of[f"{name}_mean"], of[f"{name}_var"])


def _ratio(of: dict[str, Any], who: str, y: str, x: str) -> Interval | None:
    """The interval of Σy / Σx over some customers."""
    above, below = _moments(of, f"{who}_{y}"), _moments(of, f"{who}_{x}")
    return ratio_limits(above, below, float(of[f"{who}_cov"]))


def _money(amount: float) -> float:
    """A sum as money: 0.1 + 0.2 − 0.3 is 0, of which nothing has a share."""
    return round(float(amount), MONEY_DECIMALS)


def _revenue_share(part: float, whole: float, n: int) -> Metric:
    share = formulas.revenue_share(part, whole)
    if share is None:
        return unknown("share", N_("Revenue in the period isn't above zero."), n=n)
    return Metric(share, "share", n=n)


def _share(value: float | None, successes: int, n: int, note: str | None = None) -> Metric:
    return Metric(value, "share", *_limits(wilson(successes, n)), n=n, note=note)


def _limits(interval: Interval | None) -> tuple[float | None, float | None]:
    return (interval.low, interval.high) if interval else (None, None)
