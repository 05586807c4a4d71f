"""The report's part on subscriptions: who stayed, for how long, what is due; and its lists."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.datasets import WORDS
from retention_lib.loyalty.subscription_flow import GAINS, LOSSES
from retention_lib.loyalty.subscription_renewals import AHEAD, stake_known
from retention_lib.loyalty.subscriptions import Subscriptions, metrics, rough_guide
from retention_lib.report import frames, tables
from retention_lib.report.figures.style import Drawn
from retention_lib.report.figures.subscription import (
    recurring_revenue,
    renewal_losses,
    revenue_flow,
    subscriber_survival,
)
from retention_lib.report.findings import subscription as findings
from retention_lib.report.findings import subscription_future as future
from retention_lib.report.labels import group_name
from retention_lib.report.language import MISSING, Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.peak_parts import intervals, table_of

#: The metrics of the first table, without what can't be known of a data set without amounts.
_FIRST: Final = (
    *("subscribers_start", "new", "returned", "lost", "subscribers_end", "logo_churn"),
    *("monthly_churn", "gross_retention", "net_retention", "arpu"),
)
_AHEAD: Final = ("median_lifetime", "residual_lifetime", "value")
_MONEY: Final = frozenset({"gross_retention", "net_retention", "arpu"})
#: Months of a billing period from which single renewals are printed; ages, in months, by which they
#: are put together where it is shorter.
_RARE: Final = 3
_BY_AGE: Final = (0, 3, 6, 12, 24)
#: Ages in the table, months that are drawn, renewals that are printed.
_AGES, _MONTHS, _PRINTED = 12, 36, 10


def sections(found: Subscriptions | None, page: Page) -> list[Shown]:
    """All on subscriptions; nothing where the client gives none.

    Parameters
    ----------
    found : Subscriptions or None
    page : Page
    """
    if found is None:
        return []
    published = page.metrics(metrics(found))
    if found.empty:
        parts: list[Shown | None] = [
            page.section(findings.none(), name=findings.NAME, anchor="subscriptions"),
            page.text(findings.nothing_read(found)),
            page.table(left_out_table(found, page.formats)),
        ]
    else:
        parts = [
            *_flow(found, page),
            *_months(found, page),
            *_lasting(found, page),
            *_renewals(found, page),
            *_plans(found, page),
            *_worth(found, page),
            *_due(found, page),
        ]
    return [published, *(part for part in parts if part is not None)]


def lists(found: Subscriptions) -> dict[str, pd.DataFrame]:
    """What the workbook has to act on, by the list's id; a list without a row isn't there.

    Returns
    -------
    dict of DataFrame
        Indexed by customer. `renewals`: renewal, plan, amount, renewals, p_leave, at_stake, the
        most at stake first; the two last NaN without a model to act on. `notices`: last_day, plan,
        amount, renewals, the first to end first.
    """
    due = found.renewals.due
    if not found.projection.usable:
        due = due.assign(p_leave=np.nan, at_stake=np.nan)
        due = due.sort_values(["renewal", "customer"], kind="stable")
    made = {"renewals": due, "notices": found.renewals.ends}
    return {name: frame.set_index("customer") for name, frame in made.items() if len(frame)}


def _flow(found: Subscriptions, page: Page) -> list[Shown | None]:
    return [
        page.section(findings.heading(found), name=findings.NAME, anchor="subscriptions"),
        page.figure(flow_figure(found, page.formats)),
        page.text(findings.replaced(found)),
        page.text(findings.monthly(found)),
        page.text(findings.who_leaves(found)),
        page.text(findings.moved(found)),
        page.text(findings.trials(found)),
        page.text(future.beside_orders(found)),
        page.table(figures_table(found, page.formats)),
        page.note(findings.how_to_read(found)),
        page.note(findings.passing(found)),
        *(page.note(sentence) for sentence in findings.cautions(found)),
        page.table(left_out_table(found, page.formats)),
    ]


def _months(found: Subscriptions, page: Page) -> list[Shown | None]:
    heading = findings.months(found)
    if heading is None:
        return []
    return [
        page.section(heading, name="Recurring revenue"),
        page.figure(months_figure(found, page.formats)),
        page.text(findings.standing_still(found)),
        page.table(months_table(found, page.formats)),
    ]


def _lasting(found: Subscriptions, page: Page) -> list[Shown | None]:
    return [
        page.section(future.lasting(found), name="How long subscribers stay"),
        page.figure(survival_figure(found, page.formats)),
        page.text(future.projected(found)),
        page.text(future.believed(found)),
        page.note(future.off_the_curve(found)),
        page.text(future.lately(found)),
        page.table(cohorts_table(found, page.formats)),
        page.note(future.first_stays(found)),
        page.note(future.truncated(found)),
        page.table(ahead_table(found, page.formats)),
    ]


def _renewals(found: Subscriptions, page: Page) -> list[Shown | None]:
    heading = future.renewals_heading(found)
    if heading is None:
        return []
    return [
        page.section(heading, name="At which renewal"),
        page.figure(losses_figure(found, page.formats)),
        page.text(future.who_is_left(found)),
        page.table(ages_table(found, page.formats)),
    ]


def _plans(found: Subscriptions, page: Page) -> list[Shown | None]:
    heading = future.plans(found)
    if heading is None:
        return []
    return [
        page.section(heading, name="By plan"),
        page.table(plans_table(found, page.formats)),
        page.note(future.how_to_read_plans()),
    ]


def _worth(found: Subscriptions, page: Page) -> list[Shown | None]:
    heading = future.worth_heading(found)
    if heading is None:
        return []
    return [
        page.section(heading, name="What subscribers are worth"),
        page.note(None if found.projection.usable else rough_guide()),
        page.text(future.in_a_year(found)),
        page.text(future.worth_range(found)),
        page.text(future.long_against_new(found)),
        page.table(worth_table(found, page.formats)),
        page.note(future.beyond(found)),
        page.note(future.one_model(found)),
    ]


def _due(found: Subscriptions, page: Page) -> list[Shown | None]:
    if not found.flow.subscribers_end:
        return []
    return [
        page.section(future.due_heading(found), name="Renewals due", anchor="renewals-due"),
        page.text(future.due_range(found)),
        page.text(future.due_money(found)),
        page.table(
            due_by_age_table(found, page.formats) if _often(found) else due_table(found, page)
        ),
    ]


# Figures --------------------------------------------------------------------------------------


def flow_figure(found: Subscriptions, formats: Formats) -> Drawn | None:
    """From the recurring revenue at the start to that at the end; None without amounts."""
    if not found.rows.priced:
        return None
    steps = [
        (formats.say(name), kind, getattr(found.flow, field))
        for name, kind, field in findings.STEPS
        if kind in ("start", "end") or getattr(found.flow, field) or field != "mrr_returned"
    ]
    return revenue_flow(pd.DataFrame(steps, columns=["step", "kind", "value"]), formats)


def months_figure(found: Subscriptions, formats: Formats) -> Drawn:
    """What each of the last months added and took."""
    names = {f"mrr_{part}": part for part in (*GAINS, *LOSSES, "end")}
    frame = found.by_month.tail(_MONTHS)[["month", *names, "complete"]].rename(columns=names)
    return recurring_revenue(frame.reset_index(drop=True), formats)


def survival_figure(found: Subscriptions, formats: Formats) -> Drawn:
    """Who is still there, observed and projected."""
    shown = found.lifetimes.shown.set_index("period")
    made = found.projection.curve.set_index("period").rename(
        columns={"survival": "model", "low": "model_low", "high": "model_high"}
    )
    periods = np.arange(0, max([0, *shown.index, *made.index]) + 1)
    frame = pd.DataFrame({"months": periods * found.lifetimes.period_months}, index=periods)
    watched = shown.rename(columns={"survival": "observed"})[["observed", "low", "high"]]
    frame = frame.join(watched.astype(float))
    frame.loc[0, ["observed", "low", "high"]] = 1.0
    return subscriber_survival(
        frame.join(made[["model", "model_low", "model_high"]].astype(float)), formats
    )


def losses_figure(found: Subscriptions, formats: Formats) -> Drawn:
    """The share lost at each renewal, and by the model."""
    shown, model = found.lifetimes.shown, found.projection.model
    expected = np.full(len(shown), np.nan)
    if model is not None:
        expected = 1 - model.renewal_rate(shown["period"].to_numpy())
    frame = shown[["months", "hazard", "hazard_low", "hazard_high"]].rename(
        columns={"hazard_low": "low", "hazard_high": "high"}
    )
    return renewal_losses(frame.assign(model=expected).reset_index(drop=True), formats)


# Tables ---------------------------------------------------------------------------------------


def figures_table(found: Subscriptions, formats: Formats) -> Any:
    """Subscribers and rates of the period, beside the period before."""
    names = [f"subscription.{name}" for name in _FIRST if found.rows.priced or name not in _MONEY]
    made = metrics(found)
    return tables.metric_table(frames.rows(made, names, formats), formats, id="subscriptions")


def ahead_table(found: Subscriptions, formats: Formats) -> Any:
    """How long subscribers stay and what they are worth, with the reason where it isn't known."""
    names = [f"subscription.{name}" for name in _AHEAD if found.rows.priced or name != "value"]
    made = metrics(found)
    return tables.metric_table(frames.rows(made, names, formats), formats, id="subscriptions-ahead")


def left_out_table(found: Subscriptions, formats: Formats) -> Any | None:
    """Rows that don't count, by cause; None where all do."""
    words = {**WORDS, **findings.CAUSES}
    left = (
        pd.concat([found.unread, found.rows.left_out])
        if len(found.unread)
        else (found.rows.left_out)
    )
    if left.empty:
        return None
    all_rows = found.rows.rows_in + int(found.unread["rows"].sum())
    frame = left.assign(
        label=[formats.say(words[cause]) for cause in left["cause"]],
        share=left["rows"] / all_rows,
    )
    say = formats.say
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Subscriptions not counted")),
        "rows": ("count", say("Rows")),
        "share": ("share", say("Share of rows")),
    }
    return table_of(frame, shown, formats, "subscriptions-left-out")


def months_table(found: Subscriptions, formats: Formats) -> Any:
    """The last months: each begins with what the one before ended with."""
    say, frame = formats.say, found.by_month.tail(_AGES)
    won = frame["mrr_new"] + frame["mrr_returned"] + frame["mrr_expansion"]
    frame = frame.assign(won=won, gone=frame["mrr_churned"] + frame["mrr_contraction"])
    shown: dict[str, tuple[tables.Format, str]] = {
        "month": ("month", say("Month")),
        "new": ("count", say("New")),
        "returned": ("count", say("Returned")),
        "lost": ("count", say("Lost")),
        "subscribers_end": ("count", say("Subscribers")),
        "won": ("currency", say("Revenue won")),
        "gone": ("currency", say("Revenue lost")),
        "mrr_end": ("currency", say("Revenue a month")),
    }
    return table_of(frame, shown, formats, "subscription-months")


def ages_table(found: Subscriptions, formats: Formats) -> Any:
    """Losses and survival at some ages."""
    shown = found.lifetimes.shown
    at = np.unique(np.round(np.geomspace(1, len(shown), min(_AGES, len(shown)))).astype(int)) - 1
    frame = shown.iloc[at]
    frame = frame.assign(
        label=[formats.months(m) for m in frame["months"]],
        interval=intervals(frame["hazard_low"], frame["hazard_high"], formats),
        there_interval=intervals(frame["low"], frame["high"], formats),
    )
    say = formats.say
    columns: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("After")),
        "at_risk": ("count", say("Up for renewal")),
        "hazard": ("share", say("Don't renew")),
        "interval": ("text", say("95% interval")),
        "survival": ("share", say("Still there")),
        "there_interval": ("text", say("95% interval")),
    }
    return table_of(frame, columns, formats, "subscription-ages")


def cohorts_table(found: Subscriptions, formats: Formats) -> Any | None:
    """Who began together, and how many were still there; None with fewer than two cohorts."""
    frame = found.cohorts
    if len(frame) < 2:
        return None
    say, months, period = formats.say, found.lifetimes.period_months, found.cohorts_period
    days = frame["cohort"]
    frame = frame.assign(
        label=[formats.quarter(day) if found.by_quarter else str(day.year) for day in days],
        first_interval=intervals(frame["first_low"], frame["first_high"], formats),
        later_interval=intervals(frame["later_low"], frame["later_high"], formats),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Began in")),
        "n": ("count", say("Subscribers")),
        "first": ("share", say("There after {months}", months=formats.months(months))),
        "first_interval": ("text", say("95% interval")),
    }
    if period is not None and period > 1:
        later = say("There after {months}", months=formats.months(period * months))
        shown |= {"later": ("share", later), "later_interval": ("text", say("95% interval"))}
    return table_of(frame, shown, formats, "subscription-cohorts")


def plans_table(found: Subscriptions, formats: Formats) -> Any:
    """The plans: subscribers and revenue today, and how many stay."""
    say, frame = formats.say, found.plans
    marks = {1: say("more stay"), -1: say("fewer stay")}
    frame = frame.assign(
        label=[group_name(plan) for plan in frame["plan"]],
        interval=intervals(frame["low"], frame["high"], formats),
        mark=[marks.get(int(s) if s == s else 0, MISSING) for s in frame["stands_out"]],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Plan")),
        "subscribers": ("count", say("Today")),
    }
    if found.rows.priced:
        shown["mrr"] = ("currency", say("Revenue a month"))
    if found.plans_period is not None:
        months = formats.months(found.plans_period * found.lifetimes.period_months)
        shown |= {
            "n": ("count", say("Began with it")),
            "survival": ("share", say("There after {months}", months=months)),
            "interval": ("text", say("95% interval")),
        }
        if any(mark != MISSING for mark in frame["mark"]):
            shown["mark"] = ("text", say("Stands out"))
    return table_of(frame, shown, formats, "subscription-plans")


def worth_table(found: Subscriptions, formats: Formats) -> Any | None:
    """What is to be expected of a subscriber, by age."""
    if found.worth is None:
        return None
    frame = found.worth.by_age
    begun = formats.say("New")
    ends = zip(frame["left_low"], frame["left_high"], strict=True)
    frame = frame.assign(
        label=[formats.months(m) if m else begun for m in frame["months"]],
        interval=intervals(frame["renews_low"], frame["renews_high"], formats),
        left_interval=[
            formats.interval(low, high, "number", 1).replace(" ", "\N{NO-BREAK SPACE}")
            for low, high in ends
        ],
        left_range=[formats.number(left, 1) for left in frame["left"]],
    )
    say = formats.say
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("There for")),
        "renews": ("share", say("Renews next time")),
        "interval": ("text", say("95% interval")),
        "left_range": ("text", say("Months still to pay for")),
        "left_interval": ("text", say("95% interval")),
    }
    return table_of(frame, shown, formats, "subscription-worth")


def _often(found: Subscriptions) -> bool:
    """Whether all renew so often that groups say more than single customers."""
    return found.rows.period_months < _RARE and found.projection.usable


def due_by_age_table(found: Subscriptions, formats: Formats) -> Any | None:
    """The renewals of the next days by how long the subscribers have been there; None without."""
    due = found.renewals.due
    due = due[due["renewal"] <= pd.Timestamp(found.rows.as_of) + pd.Timedelta(days=AHEAD[0])]
    if due.empty:
        return None
    months = found.rows.period_months
    group = np.searchsorted(_BY_AGE, due["renewals"].to_numpy() * months, side="right") - 1
    frame = (
        due.assign(group=group, monthly=due["amount"] / months)
        .groupby("group")
        .agg(
            due=("customer", "size"),
            chance=("p_leave", "mean"),
            lost=("p_leave", "sum"),
            monthly=("monthly", "sum"),
            at_stake=("at_stake", "sum"),
        )
        .reset_index()
    )
    say = formats.say
    ends = [*_BY_AGE[1:], None]
    labels = [
        say("From {months} on", months=formats.months(first))
        if end is None
        else say("Under {months}", months=formats.months(end))
        if first == 0
        else say("{first} to {last}", first=formats.count(first), last=formats.months(end - 1))
        for first, end in zip(_BY_AGE, ends, strict=True)
    ]
    frame = frame.assign(
        label=[labels[i] for i in frame["group"]],
        lost_range=[formats.number(lost, 1) for lost in frame["lost"]],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("There for")),
        "due": ("count", say("Renewals due")),
        "chance": ("share", say("Chance to leave")),
        "lost_range": ("text", say("Expected losses")),
    }
    if found.rows.priced:
        shown["monthly"] = ("currency", say("Revenue a month"))
        if stake_known(due):
            shown["at_stake"] = ("currency", say("At stake"))
    return table_of(frame, shown, formats, "renewals-due")


def due_table(found: Subscriptions, page: Page) -> Any | None:
    """The first renewals of the list; None where none is due."""
    frame = found.renewals.due.head(_PRINTED)
    if frame.empty:
        return None
    say, formats = page.formats.say, page.formats
    chances = found.projection.usable and found.projection.model is not None
    if not chances:
        frame = found.renewals.due.sort_values(["renewal", "customer"]).head(_PRINTED)
    frame = frame.assign(
        label=[page.customer(str(customer)) for customer in frame["customer"]],
        name=[MISSING if pd.isna(plan) else group_name(str(plan)) for plan in frame["plan"]],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Customer")),
        "renewal": ("date", say("Renewal")),
    }
    if frame["plan"].notna().any():
        shown["name"] = ("text", say("Plan"))
    shown["renewals"] = ("count", say("Renewals made"))
    if found.rows.priced:
        shown["amount"] = ("currency", say("Pays"))
    if chances:
        shown["p_leave"] = ("share", say("Chance to leave"))
        if stake_known(found.renewals.due):
            shown["at_stake"] = ("currency", say("At stake"))
    return table_of(frame, shown, formats, "renewals-due")
