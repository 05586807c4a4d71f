"""Sentences on subscriptions: how many stayed, what that did to revenue, how the rows are read."""

from __future__ import annotations

import math
from typing import Final

from retention_lib.loyalty.subscription_flow import no_amounts
from retention_lib.loyalty.subscription_rows import CAUSES as CAUSES
from retention_lib.loyalty.subscriptions import Subscriptions
from retention_lib.metrics import Metric
from retention_lib.report.labels import group_name
from retention_lib.sentence import N_, Counted, Sentence, about, together
from retention_lib.smallest import SMALLEST

#: The part's name, in the contents.
NAME: Final = N_("Subscriptions")
#: Parts of a period that a waterfall has, by the field of `Flow`.
STEPS: Final = (
    (N_("At the start"), "start", "mrr_start"),
    (N_("Lost"), "loss", "mrr_churned"),
    (N_("Pay less"), "loss", "mrr_contraction"),
    (N_("Pay more"), "gain", "mrr_expansion"),
    (N_("Returned"), "gain", "mrr_returned"),
    (N_("New"), "gain", "mrr_new"),
    (N_("At the end"), "end", "mrr_end"),
)


def none() -> Sentence:
    """The heading without a subscription."""
    return Sentence("There is no subscription to report on")


def nothing_read(found: Subscriptions) -> Sentence:
    """What became of the rows where none counts."""
    if not found.rows.rows_in:
        return Sentence("The data on subscriptions has no rows.")
    return Sentence(
        Counted(
            "The data on subscriptions has {n} row, and it can't be used.",
            "The data on subscriptions has {n} rows, and none of them can be used.",
        ),
        n=found.rows.rows_in,
    )


def heading(found: Subscriptions) -> Sentence:
    """Who stayed, and what they pay now."""
    rates, flow = found.rates, found.flow
    if rates.logo_churn.value is None:
        return Sentence(
            Counted(
                "{n} subscriber today; at the start of the period there were too few for a rate",
                "{n} subscribers today; at the start of the period there were too few for a rate",
            ),
            n=flow.subscribers_end,
        )
    stayed = Metric(1 - rates.logo_churn.value, "share", n=rates.logo_churn.n)
    net = rates.net_retention
    if net.value is None:
        return Sentence(
            "{stayed} of the {n} subscribers at the start are still there",
            stayed=stayed,
            n=flow.subscribers_start,
        )
    values = {"stayed": stayed, "net": net, "n": flow.subscribers_start}
    if net.value >= 1:
        return Sentence(
            "{stayed} of the {n} subscribers stayed, and they pay more than all did at the start: "
            "{net} of it",
            **values,
        )
    return Sentence(
        "{stayed} of the {n} subscribers at the start are still there, with {net} of the revenue",
        **values,
    )


def monthly(found: Subscriptions) -> Sentence | None:
    """The churn of a month, and whether it has changed."""
    rate = found.rates.monthly_churn
    if rate.value is None:
        return None
    values = {"rate": rate, **_limits(rate)}
    said = Sentence("In a month {rate} leave (95% interval {low} to {high}).", **values)
    change = found.churn_change
    if change is None or found.rates_before is None:
        return said
    before = found.rates_before.monthly_churn
    if before.value is None or math.isnan(change.low):
        return said
    if change.low > 0:
        more = Sentence(
            "In the period before it was {before}; that is more than chance explains.",
            before=before,
        )
    elif change.high < 0:
        more = Sentence(
            "In the period before it was {before}: churn has fallen, by more than chance explains.",
            before=before,
        )
    else:
        more = Sentence(
            "In the period before it was {before}; chance alone can explain the difference.",
            before=before,
        )
    return together(said, more)


def replaced(found: Subscriptions) -> Sentence | None:
    """How much of what was won only made up for what was lost."""
    flow = found.flow
    gained = flow.mrr_new + flow.mrr_returned + flow.mrr_expansion
    lost = flow.mrr_churned + flow.mrr_contraction
    if not gained and not lost:
        return None
    values = {
        "start": Metric(flow.mrr_start, "currency"),
        "end": Metric(flow.mrr_end, "currency"),
        "gained": Metric(gained, "currency"),
        "lost": Metric(lost, "currency"),
    }
    if not flow.mrr_start:
        return Sentence(
            "Recurring revenue is {end} a month; at the start of the period there was none.",
            end=values["end"],
        )
    if not lost:
        return Sentence(
            "Recurring revenue rose from {start} to {end} a month, and nothing was lost.", **values
        )
    if not gained or gained < lost:
        return Sentence(
            "Recurring revenue fell from {start} to {end} a month: {lost} were lost, and {gained} "
            "won.",
            **values,
        )
    return Sentence(
        "Recurring revenue went from {start} to {end} a month. Of the {gained} that were won, "
        "{share} only made up for the {lost} that were lost.",
        share=Metric(lost / gained, "share"),
        **values,
    )


def who_leaves(found: Subscriptions) -> Sentence | None:
    """Whether who leaves pays less than who stays."""
    ratio = found.lost_pay
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return None
    values = {"pays": Metric(ratio.value, "share"), "n": ratio.n}
    if ratio.high < 1:
        return Sentence(
            "The small ones leave: the {n} lost subscribers paid {pays} of what those who stayed "
            "did, in the mean.",
            **values,
        )
    if ratio.low > 1:
        return Sentence(
            "The large ones leave: the {n} lost subscribers paid {pays} of what those who stayed "
            "did, in the mean.",
            **values,
        )
    return Sentence(
        "Who leaves pays about as much as who stays: {pays} of it in the mean of {n} lost "
        "subscribers, which isn't surely more or less.",
        **values,
    )


def moved(found: Subscriptions) -> Sentence | None:
    """How many of the kept pay more, or less."""
    flow = found.flow
    kept = flow.subscribers_start - flow.lost
    if kept < SMALLEST or not (flow.expanded or flow.contracted):
        return None
    return Sentence(
        "Of the {kept} who stayed, {more} pay more now, {expansion} a month together, and {fewer} "
        "pay less, {contraction}.",
        kept=kept,
        more=flow.expanded,
        fewer=flow.contracted,
        expansion=Metric(flow.mrr_expansion, "currency"),
        contraction=Metric(flow.mrr_contraction, "currency"),
    )


def passing(found: Subscriptions) -> Sentence | None:
    """Who came and left within the period, and is in no start and no end."""
    n = found.flow.passing
    if not n:
        return None
    return Sentence(
        Counted(
            "{n} subscriber came and left within the period and is in neither count; the churn of "
            "a month has it.",
            "{n} subscribers came and left within the period and are in neither count; the churn "
            "of a month has them.",
        ),
        n=n,
    )


def trials(found: Subscriptions) -> Sentence | None:
    """How many free trials were followed by a paid subscription."""
    from retention_lib.retention.intervals import wilson

    rows = found.rows
    interval = wilson(rows.converted, rows.trials) if rows.trials >= SMALLEST else None
    if interval is None:
        return None
    return Sentence(
        "Of {n} free trials that are over, {share} were followed by a paid subscription (95% "
        "interval {low} to {high}).",
        n=rows.trials,
        share=Metric(rows.converted / rows.trials, "share", *interval, n=rows.trials),
        low=Metric(interval.low, "share"),
        high=Metric(interval.high, "share"),
    )


def how_to_read(found: Subscriptions) -> Sentence:
    """What the terms count."""
    if not found.rows.priced:
        return no_amounts()
    return Sentence(
        "Recurring revenue is what is paid per billing period, over its months. Gross retention "
        "leaves out what those who stayed pay more, net retention counts it; new and returned "
        "subscribers are in neither. The churn of a month is the ends over the months that all "
        "subscribers together were there."
    )


def months(found: Subscriptions) -> Sentence | None:
    """The heading over the months; None with too few whole ones."""
    frame = found.by_month
    if frame.empty or not found.rows.priced:
        return None
    whole = frame[frame["complete"]].tail(12)
    if len(whole) < 3:
        return None
    rose = int((whole["mrr_end"] > whole["mrr_start"]).sum())
    fell = int((whole["mrr_end"] < whole["mrr_start"]).sum())
    end = about(Metric(float(whole["mrr_end"].iloc[-1]), "currency"))
    if rose >= fell:
        return Sentence(
            "Recurring revenue rose in {n} of the last {months} months, to about {end}",
            n=rose,
            months=len(whole),
            end=end,
        )
    return Sentence(
        "Recurring revenue fell in {n} of the last {months} months, to about {end}",
        n=fell,
        months=len(whole),
        end=end,
    )


def standing_still(found: Subscriptions) -> Sentence | None:
    """How many new subscribers a month replace the lost."""
    whole = found.by_month
    if whole.empty:
        return None
    whole = whole[whole["complete"]].tail(12)
    if len(whole) < 12:
        return None
    lost, came = float(whole["lost"].mean()), float((whole["new"] + whole["returned"]).mean())
    if not lost:
        return None
    return Sentence(
        "In a mean month of the last twelve {came} subscribers came and {lost} were lost: it takes "
        "{lost} new ones a month only to stand still.",
        lost=Metric(round(lost), "count"),
        came=Metric(round(came), "count"),
    )


def cautions(found: Subscriptions) -> list[Sentence]:
    """How the rows were read, where that isn't plain."""
    rows = found.rows
    said = []
    if rows.exclusive_ends:
        said.append(
            Sentence(
                "Most ends fall on the day of a renewal, so they are read as the first day without "
                "a subscription, not as the last day with it."
            )
        )
    if rows.paid_until:
        said.append(
            Sentence(
                "Nearly all subscriptions that run today end at the end of their current period: "
                "that is read as paid until then, not as notice given. Who has given notice can't "
                "be told."
            )
        )
    if rows.yearly:
        said.append(
            Sentence(
                "Nearly all subscriptions of {plans} end after whole years, while amounts are read "
                "as paid every {months}. If a year's amount stands there, revenue is told too "
                "high: give the amount of {months} in the data.",
                plans=", ".join(group_name(plan) for plan in rows.yearly),
                months=Metric(rows.period_months, "months"),
            )
        )
    if rows.bridged:
        said.append(
            Sentence(
                Counted(
                    "{n} break of at most {days} is read as late payment or a change of plan, not "
                    "as a loss.",
                    "{n} breaks of at most {days} are read as late payment or a change of plan, "
                    "not as a loss.",
                ),
                n=rows.bridged,
                days=Metric(rows.grace_days, "days"),
            )
        )
    return said


def _limits(metric: Metric) -> dict[str, Metric]:
    assert metric.low is not None
    assert metric.high is not None
    return {"low": Metric(metric.low, metric.unit), "high": Metric(metric.high, metric.unit)}
