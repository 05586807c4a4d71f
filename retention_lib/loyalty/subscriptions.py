"""All that is found of a client's subscriptions, and its metrics."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from retention_lib.data.periods import ONE_DAY, Window, months_to
from retention_lib.loyalty.subscription_flow import (
    Flow,
    Rates,
    by_month,
    flow,
    no_amounts,
    paid_on,
    period_before,
    rates,
)
from retention_lib.loyalty.subscription_lifetimes import (
    Halves,
    Lifetimes,
    by_plan,
    cohorts,
    halves,
    lifetimes,
)
from retention_lib.loyalty.subscription_model import FEWEST_LOST, Projection, projection
from retention_lib.loyalty.subscription_orders import Together, together
from retention_lib.loyalty.subscription_renewals import AHEAD, Renewals, renewals
from retention_lib.loyalty.subscription_rows import Subscribed, day_number, subscribed
from retention_lib.loyalty.subscription_value import Worth, worth
from retention_lib.metrics import UNITS, Metric, Unit, unknown
from retention_lib.retention.difference import Difference, apart
from retention_lib.retention.moments import means_ratio_limits, moments_of
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

if TYPE_CHECKING:
    from retention_lib.data.base import Base

#: The data set's name.
NAME: Final = "subscriptions"

_COUNTS: Final = ("subscribers_start", "subscribers_end", "new", "returned", "lost")
_MONEY: Final = (
    *("mrr_start", "mrr_end", "mrr_new", "mrr_returned", "mrr_expansion"),
    *("mrr_contraction", "mrr_churned"),
)


@dataclass(frozen=True)
class Subscriptions:
    """What is found.

    Parameters
    ----------
    rows : Subscribed
    period : Window
    flow, rates
        Of the period.
    flow_before : Flow or None
        Of the period before; None where nobody was a subscriber before it.
    rates_before : Rates or None
    by_month : DataFrame
    lifetimes : Lifetimes
    plans : DataFrame
        plan, subscribers, mrr, arpu (today), n, survival, low, high, stands_out (`by_plan`); the
        plan with most revenue first.
    plans_period : int or None
        Of the plans' survival.
    cohorts : DataFrame
        Who began together (`subscription_lifetimes.cohorts`), by quarter or by year.
    by_quarter : bool
    cohorts_period : int or None
        Their second age.
    halves : Halves or None
    projection : Projection
    worth : Worth or None
    renewals : Renewals
    lost_pay : Metric
        What the lost paid at the start over what the kept did, per subscriber.
    discount_rate, margin : float
    unread : DataFrame
        cause, rows of the data set that couldn't be read at all (`data.datasets`).
    together : Together or None
        Beside the orders; None where none of the subscribers is in them.
    """

    rows: Subscribed
    period: Window
    flow: Flow
    rates: Rates
    flow_before: Flow | None
    rates_before: Rates | None
    by_month: pd.DataFrame
    lifetimes: Lifetimes
    plans: pd.DataFrame
    plans_period: int | None
    cohorts: pd.DataFrame
    by_quarter: bool
    cohorts_period: int | None
    halves: Halves | None
    projection: Projection
    worth: Worth | None
    renewals: Renewals
    lost_pay: Metric
    discount_rate: float
    margin: float
    unread: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["cause", "rows"]))
    together: Together | None = None

    @property
    def empty(self) -> bool:
        """Whether there is no subscription at all."""
        return not len(self.rows.stays)

    @property
    def churn_change(self) -> Difference | None:
        """Of the churn a month, on the period before."""
        before = self.rates_before
        return None if before is None else apart(before.monthly_churn, self.rates.monthly_churn)


def of_base(base: Base) -> Subscriptions | None:
    """What is found of a base's subscriptions; None where the client gives none."""
    data, keys = base.dataset(NAME), base.params.subscriptions
    if data is None or keys is None:
        return None
    found = subscriptions(
        data.frame(),
        base.as_of,
        base.windows.period,
        period_months=keys.period_months,
        discount_rate=base.params.discount_rate,
        margin=base.params.margin,
    )
    return replace(found, unread=data.left_out, together=together(base, found.rows))


def subscriptions(
    frame: pd.DataFrame,
    as_of: dt.date,
    period: Window | None = None,
    *,
    period_months: int = 1,
    discount_rate: float = 0.10,
    margin: float = 1.0,
) -> Subscriptions:
    """What is found of the rows of subscriptions.

    Parameters
    ----------
    frame : DataFrame
        customer, start, end, amount (per billing period), plan.
    as_of : date
    period : Window, optional
        The reporting period; by default the twelve months to `as_of`.
    period_months : int, default 1
        Months of a billing period.
    discount_rate : float
        Yearly.
    margin : float
        Share of revenue.
    """
    span = period or months_to(as_of, 12)
    rows = subscribed(frame, as_of, period_months)
    start = span.start - ONE_DAY
    lives = lifetimes(rows)
    plans, at = by_plan(rows, lives)
    made = projection(rows, lives)
    began, by_quarter, cohorts_period = cohorts(rows, lives)
    months = round(span.days / 30.4375)
    earlier = period_before(span, months).start - ONE_DAY
    # before the first loss that the data have, who left isn't in them
    from_ = lives.begins if lives.begins is not None and not lives.one_day else None
    known = paid_on(rows, day_number(earlier))[0].any() and (from_ is None or from_ <= earlier)
    return Subscriptions(
        rows=rows,
        period=span,
        flow=flow(rows, start, span.end),
        rates=rates(rows, start, span.end),
        flow_before=flow(rows, earlier, start) if known else None,
        rates_before=rates(rows, earlier, start) if known else None,
        by_month=by_month(rows, from_),
        lifetimes=lives,
        plans=_plans(rows, plans),
        plans_period=at,
        cohorts=began,
        by_quarter=by_quarter,
        cohorts_period=cohorts_period,
        halves=halves(rows, lives),
        projection=made,
        worth=worth(rows, made, discount_rate, margin),
        renewals=renewals(rows, made, discount_rate, margin),
        lost_pay=_lost_pay(rows, start, span.end),
        discount_rate=discount_rate,
        margin=margin,
    )


def metrics(found: Subscriptions) -> dict[str, Metric]:
    """The figures, by id: `subscription.*`."""
    if found.empty:
        none = Sentence("There is no subscription in the data.")
        return {name: unknown(unit, none) for name, unit in _units().items()}
    now, before = found.flow, found.flow_before
    result: dict[str, Metric] = {}
    for name in _COUNTS:
        earlier = None if before is None else getattr(before, name)
        result[name] = Metric(getattr(now, name), "count", previous=earlier)
    for name in _MONEY:
        if found.rows.priced:
            earlier = None if before is None else getattr(before, name)
            result[name] = Metric(getattr(now, name), "currency", previous=earlier)
        else:
            result[name] = unknown("currency", no_amounts())
    for name in ("logo_churn", "monthly_churn", "gross_retention", "net_retention", "arpu"):
        metric: Metric = getattr(found.rates, name)
        if found.rates_before is not None and metric.value is not None:
            metric = replace(metric, previous=getattr(found.rates_before, name).value)
        result[name] = metric
    result["median_lifetime"] = _median(found.lifetimes)
    result |= _ahead(found)
    return {name: result[name.removeprefix("subscription.")] for name in _units()}


def why_no_projection(made: Projection, n: int) -> Sentence:
    """Why nothing is projected."""
    match made.why:
        case "nobody_left":
            return Sentence(
                "None of the {n} subscribers watched to a renewal has left, so nothing can be said "
                "of how long they stay: only that it is longer than was watched.",
                n=n,
            )
        case "all_left_at_once":
            return Sentence(
                "All {n} subscribers watched left at the end of their first period: nobody is left "
                "of whom something could be projected.",
                n=n,
            )
        case "one_period":
            return Sentence(
                "Only the first renewal was watched, of {n} subscribers: it gives a rate, and "
                "nothing on whether later renewals go better.",
                n=n,
            )
    return Sentence(
        "A projection needs {least} subscribers watched to their first renewal and {losses} losses "
        "or more; there are {n} subscribers so far.",
        least=SMALLEST,
        losses=FEWEST_LOST,
        n=n,
    )


def rough_guide() -> Sentence:
    """What to know of what rests on a projection that failed its checks."""
    return Sentence(
        "The projection doesn't follow what was observed, or didn't hold when it was tested: what "
        "rests on it is a rough guide, and nothing to act on."
    )


def _ahead(found: Subscriptions) -> dict[str, Metric]:
    """What is expected, and what is due."""
    of, due = found.worth, found.renewals.within(AHEAD[0])
    result: dict[str, Metric] = {}
    if of is None:
        why = _why_no_worth(found)
        result["residual_lifetime"] = unknown("months", why)
        result["value"] = unknown("currency", why)
    else:
        ends = (of.months_low, of.months_high)
        rough = None if found.projection.usable else rough_guide()
        result["residual_lifetime"] = Metric(
            of.months, "months", *ends, n=of.subscribers, note=rough
        )
        result["value"] = (
            unknown("currency", no_amounts())
            if of.value is None
            else Metric(of.value, "currency", of.low, of.high, n=of.subscribers, note=rough)
        )
    result["renewals_due"] = Metric(int(due["due"]), "count")
    stake = float(due["at_stake"])
    if not found.rows.priced:
        result["due_at_stake"] = unknown("currency", no_amounts())
    elif of is None or np.isnan(stake):
        result["due_at_stake"] = unknown("currency", _why_no_worth(found))
    elif not found.projection.usable:
        result["due_at_stake"] = unknown("currency", rough_guide())
    else:
        ends = (float(due["stake_low"]), float(due["stake_high"]))
        result["due_at_stake"] = Metric(stake, "currency", *ends, n=int(due["due"]))
    return result


def _why_no_worth(found: Subscriptions) -> Sentence:
    made = found.projection
    if made.model is None:
        return why_no_projection(made, found.lifetimes.n)
    if not found.discount_rate > 0:
        return Sentence(
            "The discount rate is 0: without a discount the expected payments needn't add up to a "
            "finite sum."
        )
    return Sentence("There is no subscriber today without notice given.")


def _median(lives: Lifetimes) -> Metric:
    if lives.median_months is not None:
        return Metric(lives.median_months, "months", lives.median_low, lives.median_high, n=lives.n)
    if lives.shown.empty:
        why = Sentence("Fewer than {n} subscribers were watched to a renewal.", n=SMALLEST)
        return unknown("months", why, n=lives.n)
    why = Sentence(
        "More than half are still there after {months}, which is as long as enough were watched.",
        months=Metric(float(lives.shown["months"].iloc[-1]), "months"),
    )
    return unknown("months", why, n=lives.n)


def _plans(rows: Subscribed, lasting: pd.DataFrame) -> pd.DataFrame:
    """Today's subscribers and revenue by plan, and how long they stay."""
    day = rows.today
    running = rows.rows[(rows.rows["start"] <= day) & (rows.rows["end"] >= day)]
    running = running[running["plan"].notna()]
    grouped = running.groupby("plan")
    frame = pd.DataFrame(
        {
            "subscribers": grouped["who"].nunique(),
            "mrr": grouped["cents"].sum() / (100 * rows.period_months),
        }
    )
    frame = frame.assign(arpu=frame["mrr"] / frame["subscribers"].where(frame["subscribers"] > 0))
    frame.index = frame.index.astype(str)
    joined = frame.join(lasting.set_index("plan"), how="outer")
    joined[["subscribers", "mrr"]] = joined[["subscribers", "mrr"]].fillna(0)
    joined.index.name = "plan"
    return joined.sort_values(["mrr", "subscribers"], ascending=False, kind="stable").reset_index()


def _lost_pay(rows: Subscribed, start: dt.date, end: dt.date) -> Metric:
    """What a lost subscriber paid over what a kept one did, at the start."""
    (there, then), (here, _) = paid_on(rows, day_number(start)), paid_on(rows, day_number(end))
    lost, kept = then[there & ~here].astype(float), then[there & here].astype(float)
    if min(len(lost), len(kept)) < SMALLEST or not rows.priced:
        return unknown("ratio", Sentence("Too few were lost, or kept, to compare what they pay."))
    limits = means_ratio_limits(moments_of(lost), moments_of(kept))
    low, high = (None, None) if limits is None else limits
    return Metric(lost.mean() / kept.mean(), "ratio", low, high, n=len(lost))


def _units() -> dict[str, Unit]:
    return {name: unit for name, unit in UNITS.items() if name.startswith("subscription.")}
