"""Parts of the chapter on value: what keeping and winning customers costs, and what it brings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.health.beginning import late_start
from retention_lib.models.costs import PAYBACK
from retention_lib.models.economics import LONGEST, Economics
from retention_lib.models.economics_metrics import economics_metrics, why_none
from retention_lib.models.forecast import Forecast
from retention_lib.models.kept_economics import economics_of
from retention_lib.report import tables
from retention_lib.report.figures import Drawn
from retention_lib.report.figures.economics import payback, retention_gain
from retention_lib.report.findings import economics as findings
from retention_lib.report.findings import new_customer as won
from retention_lib.report.frames import rows
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.cumulative_margin import cumulative_margin
from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

#: The chapter's name for it, in the contents.
NAME: Final = N_("What does it cost, what would it bring?")
#: Months ahead and months since the first purchase in the tables, beside the horizon.
_AHEAD: Final = (12, 36, LONGEST)
_SINCE: Final = (0, 1, 3, 6, 12, 24, PAYBACK)


def sections(base: Base, made: Forecast, page: Page) -> list[Shown]:
    """What more retention is worth, what a new customer brings, what keeping them may cost.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base.
    page : Page

    Returns
    -------
    list of Shown
        One section that says so where there is no forecast to act on.
    """
    found = economics_of(base, made)
    metrics = page.metrics(economics_metrics(found, made))
    if found is None:
        return [metrics, page.section(findings.none(), name=NAME), _note(why_none(made), page)]
    shown: list[Shown | None] = [metrics]
    shown += _retention(found, page)
    shown += _new_customer(found, base, made, page)
    shown += _keeping(found, made, page)
    return [part for part in shown if part is not None]


def _note(sentence: str, page: Page) -> Shown:
    note = page.note(sentence)
    assert note is not None  # there is a sentence
    return note


def _retention(found: Economics, page: Page) -> list[Shown | None]:
    return [
        page.section(findings.retention_heading(found), name=NAME),
        page.note(findings.revenue_only() if found.margin >= 1 else None),
        page.text(findings.what_more_retention_is(found)),
        page.figure(gain_figure(found, page.formats)),
        page.text(findings.against_quoted(found)),
        page.table(gain_table(found, page.formats)),
        page.note(findings.how_to_read_retention(found)),
    ]


def _new_customer(found: Economics, base: Base, made: Forecast, page: Page) -> list[Shown | None]:
    observed = cumulative_margin(base, margin=made.margin, discount_rate=made.discount_rate)
    compared = won.comparison(found, observed)
    old = won.old_customers() if late_start(base) is not None else None
    return [
        page.section(won.heading(found), name="A new customer"),
        page.note(old),
        page.figure(payback_figure(found, observed, page.formats)),
        page.text(won.payback_range(found)),
        page.text(won.observed_payback(found, observed)),
        page.text(won.against_observed(compared)),
        page.table(new_customer_table(found, observed, compared, page.formats)),
        page.note(won.how_to_read_payback()),
    ]


def _keeping(found: Economics, made: Forecast, page: Page) -> list[Shown | None]:
    of_bgnbd = findings.alive_by_assumption() if made.name == "bgnbd" else None
    return [
        page.section(findings.keeping_heading(found), name="Keeping customers"),
        page.text(findings.at_risk(found)),
        page.table(programme_table(found, page.formats)),
        page.table(figures_table(found, made, page.formats)),
        page.note(of_bgnbd),
    ]


def gain_figure(found: Economics, formats: Formats) -> Drawn | None:
    """By how much value rises with five points more; None where they are out of reach."""
    if 5 not in found.more.log_k:
        return None
    names = {f"{part}_5{end}": f"{part}{end}" for part in ("rise", "new") for end in _ENDS}
    frame = found.more.months.rename(columns=names)[["month", *names.values()]]
    return retention_gain(frame[frame["month"] <= LONGEST], formats, findings.QUOTED, 5)


_ENDS: Final = ("", "_low", "_high")


def gain_table(found: Economics, formats: Formats) -> Any | None:
    """The active customers' value with more retention; None where not a point is within reach."""
    reached = sorted(found.more.log_k)
    if not reached:
        return None
    say = formats.say
    wanted = sorted({found.horizon_months, *(m for m in _AHEAD if m > found.horizon_months)})
    months = found.more.months.set_index("month").loc[wanted].reset_index()
    most = reached[-1]
    frame = months.assign(
        ahead=[formats.months(m) for m in months["month"]],
        plus_range=_ranges(months, f"plus_{most}", "currency", formats),
    )
    columns: dict[str, tuple[tables.Format, str]] = {
        "ahead": ("text", say("Within")),
        "now": ("currency", say("As it is")),
        **{f"plus_{p}": ("currency", say("+{n} points", n=p)) for p in reached},
        "plus_range": ("text", say("95% interval")),
        f"rise_{most}": ("share", say("Rise")),
        f"new_{most}": ("share", say("Rise, a new customer")),
    }
    if 1 in reached:
        columns["plus_1"] = ("currency", say("+1 point"))
    return _table(frame, columns, "ahead", "economics-retention", formats)


def payback_figure(found: Economics, observed: pd.DataFrame, formats: Formats) -> Drawn:
    """What a new customer has brought by each month, observed and expected."""
    month = found.payback.month if found.payback else None
    frame = side_by_side(found, observed).reset_index()
    return payback(frame, formats, found.acquisition_cost, month)


def new_customer_table(
    found: Economics, observed: pd.DataFrame, compared: pd.DataFrame, formats: Formats
) -> Any:
    """The same in figures, of some of the months, those of which the sentences speak among them."""
    say = formats.say
    wanted = {*_SINCE, found.horizon_months}
    if found.payback and found.payback.month is not None:
        wanted.add(found.payback.month)
    apart = won.farthest(compared)
    if apart is not None:
        wanted |= {int(compared["month"].iloc[-1]), int(apart["month"])}
    both = side_by_side(found, observed, max(wanted)).loc[sorted(wanted)].reset_index()
    first = say("First order")
    frame = both.assign(
        since=[formats.months(m) if m > 0 else first for m in both["month"]],
        range=_ranges(both, "", "currency", formats, ("low", "high")),
        model_range=_ranges(both, "model", "currency", formats),
    )
    columns: dict[str, tuple[tables.Format, str]] = {
        "since": ("text", say("After")),
        "n": ("count", say("Customers watched")),
        "observed": ("currency", say("Have brought")),
        "range": ("text", say("95% interval")),
        "model": ("currency", say("Expected")),
        "model_range": ("text", say("95% interval")),
    }
    return _table(frame, columns, "since", "economics-new-customer", formats)


def side_by_side(found: Economics, observed: pd.DataFrame, months: int = PAYBACK) -> pd.DataFrame:
    """What a new customer brings by month: observed of 20 customers or more, and expected.

    Returns
    -------
    DataFrame
        By `month`, from 0: `n`, `observed`, `low`, `high`; `model`, `model_low`, `model_high`.
    """
    model = found.new.loc[:months].rename(
        columns={"value": "model", "low": "model_low", "high": "model_high"}
    )
    large = observed[observed["n"] >= SMALLEST].set_index("month")
    return large.rename(columns={"value": "observed"}).reindex(model.index).join(model)


def programme_table(found: Economics, formats: Formats) -> Any | None:
    """What a programme costs, for all and for those with more at stake; None without its cost."""
    plan = found.programme
    if plan is None:
        return None
    say = formats.say
    frame = pd.DataFrame(
        {
            "who": [say("All active customers"), say("Those with more at stake than it costs")],
            "customers": [found.more.customers, plan.worth_it],
            "cost": [plan.total, plan.worth_it_cost],
            "at_stake": [found.at_risk.value, plan.worth_it_at_stake],
        }
    )
    columns: dict[str, tuple[tables.Format, str]] = {
        "who": ("text", say("Programme for")),
        "customers": ("count", say("Customers")),
        "cost": ("currency", say("Cost in {months}", months=formats.months(found.horizon_months))),
        "at_stake": ("currency", say("Value at risk")),
    }
    return _table(frame, columns, "who", "economics-programme", formats)


def figures_table(found: Economics, made: Forecast, formats: Formats) -> Any:
    """The headline figures of all of it, with their intervals."""
    metrics = economics_metrics(found, made)
    left_out = set() if found.programme else {"economics.break_even_points"}
    if found.payback is None:
        left_out |= {"economics.clv_to_cac", "economics.payback_months"}
    names = [name for name in metrics if name not in left_out]
    return tables.metric_table(rows(metrics, names, formats), formats, id="economics")


def _ranges(
    frame: pd.DataFrame,
    name: str,
    unit: Any,
    formats: Formats,
    ends: tuple[str, str] | None = None,
) -> list[str]:
    low, high = ends or (f"{name}_low", f"{name}_high")
    pairs = zip(frame[low], frame[high], strict=True)
    return [formats.interval(float(a), float(b), unit) for a, b in pairs]


def _table(
    frame: pd.DataFrame,
    columns: dict[str, tuple[tables.Format, str]],
    stub: str,
    id: str,
    formats: Formats,
) -> Any:
    shown = {name: form for name, (form, _) in columns.items()}
    labels = {name: label for name, (_, label) in columns.items()}
    return tables.frame_table(
        frame.replace([np.inf, -np.inf], np.nan), formats, shown, labels, stub=stub, id=id
    )
