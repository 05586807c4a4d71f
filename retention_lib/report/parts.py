"""Parts of chapters: cohorts, a forecast or a list as the figure, table or section it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.health import Concern
from retention_lib.models.forecast import Forecast
from retention_lib.report import findings, tables
from retention_lib.report.customers import lists_at
from retention_lib.report.figures import (
    Drawn,
    cohort_heatmap,
    segments,
)
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.cohorts import Cohorts
from retention_lib.retention.lists import ActionList
from retention_lib.retention.outcomes import LeftAlone, earlier_day, left_alone

#: Cohorts and segments smaller than this aren't drawn: a percentage of a handful says nothing.
SMALLEST_GROUP: Final = 20


def cohort_figure(table: Cohorts, formats: Formats) -> Drawn:
    """The heat map of the cohorts that are large enough, labelled by their period."""
    large = table.sizes.index[table.sizes >= SMALLEST_GROUP]
    labels = [_cohort_label(day, table.period, formats) for day in large]
    return cohort_heatmap(
        table.shares.loc[large].set_axis(labels),
        table.sizes[large].set_axis(labels),
        table.unfinished.loc[large].set_axis(labels),
        formats,
        table.period,
    )


def _cohort_label(day: pd.Timestamp, period: str, formats: Formats) -> str:
    if period == "year":
        return str(day.year)
    if period == "quarter":
        return f"{day.year} Q{(day.month + 2) // 3}"
    return formats.month(day)


def top_of_list(given: ActionList, page: Page, most: int = 10) -> pd.DataFrame:
    """The first customers of a list, named as the report names them, for a table."""
    first = given.customers.head(most)
    named = [page.customer(str(customer)) for customer in first.index]
    return first.reset_index(drop=True).assign(customer=named)


def segments_figure(profile: pd.DataFrame, formats: Formats) -> Drawn:
    """Share of customers beside share of value, of the segments that are large enough.

    Value is CLV, or revenue so far where there is no forecast.
    """
    value = "revenue" if profile["share_of_clv"].isna().all() else "clv"
    return segments(profile[profile["customers"] >= SMALLEST_GROUP], formats, value)


def reasons_table(reasons: pd.DataFrame, formats: Formats) -> Any | None:
    """The account of all rows (`data.quality.account`); None where every one was used."""
    return None if len(reasons) == 2 else tables.reasons_table(reasons, formats)


def concerns_table(known: Sequence[Concern], formats: Formats) -> Any | None:
    """What to know of the data, beside the client file's key that changes it; None of nothing."""
    if not known:
        return None
    frame = pd.DataFrame(
        {
            "told": [formats.tell(concern.sentence) for concern in known],
            "key": [concern.key for concern in known],
        }
    )
    labels = {"told": formats.say("What to know"), "key": formats.say("Changed by")}
    return tables.frame_table(frame, formats, {"told": "text", "key": "text"}, labels, id="health")


def profile_table(
    profile: pd.DataFrame, by: str, formats: Formats, sure: pd.DataFrame | None = None
) -> Any | None:
    """Segments or tiers side by side: size, share of value, what a customer in them is like.

    Parameters
    ----------
    profile : DataFrame
        `retention.segments.profile`.
    by : str
        `segment` or `tier`.
    formats : Formats
    sure : DataFrame, optional
        How sure the mean CLV of each is (`models.segment_values.clv_by_group`).
    """
    if profile.empty:
        return None
    columns: dict[str, tuple[tables.Format, str]] = {
        by: ("text", formats.say(by.capitalize())),
        "customers": ("count", formats.say("Customers")),
        "share_of_customers": ("share", formats.say("of all")),
        "share_of_revenue": ("share", formats.say("of revenue")),
        "share_of_clv": ("share", formats.say("of CLV")),
        "mean_clv": ("currency", formats.say("CLV each")),
        "interval": ("text", formats.say("95% interval")),
        "purchases": ("number", formats.say("Purchases")),
        "p_alive": ("share", formats.say("P(alive)")),
    }
    if sure is None or sure.empty:
        del columns["interval"]
    else:
        del columns["share_of_customers"]  # there is room for one of the two
        ends = sure.reindex(profile[by].where(profile["customers"] >= SMALLEST_GROUP))
        pairs = zip(ends["low"], ends["high"], strict=True)
        profile = profile.assign(interval=[_sums(low, high, formats) for low, high in pairs])
    return tables.frame_table(
        profile,
        formats,
        {name: format_ for name, (format_, _) in columns.items()},
        {name: label for name, (_, label) in columns.items()},
        stub=by,
        id=f"by-{by}",
    )


def _sums(low: float, high: float, formats: Formats) -> str:
    """From one amount to another, without cents where they say nothing."""
    text = formats.interval(low, high, "currency", 0 if high >= 10 else None)
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def list_sections(
    given: Sequence[ActionList], base: Base, made: Forecast, page: Page
) -> list[Shown]:
    """Each list: what was found, what to do, the first customers, the yardstick, the test."""
    alone = _left_alone(base, made)
    parts = [part for one in given for part in _list_section(one, alone.get(one.id), page)]
    return [part for part in parts if part is not None]


def _list_section(one: ActionList, alone: LeftAlone | None, page: Page) -> list[Shown | None]:
    shown: list[Shown | None] = [page.section(findings.actions.one_list(one), name=one.title)]
    if not one.eligible:
        return [*shown, page.note(one.about)]
    shown += [page.text(findings.actions.measure(one)), page.text(one.about)]
    shown.append(page.table(_list_table(one, page)))
    if alone is not None:
        shown.append(page.text(findings.actions.alone(alone)))
        shown.append(page.text(findings.actions.test(one, alone)))
    return shown


def _left_alone(base: Base, made: Forecast) -> dict[str, LeftAlone]:
    """By list: what became of the customers who would have been on it some months ago."""
    then = earlier_day(base)
    if then is None:
        return {}
    earlier, months = then
    found = {
        one.id: left_alone(base, earlier, months, one.everyone)
        for one in lists_at(earlier, made.name)
    }
    return {name: alone for name, alone in found.items() if alone is not None}


def _list_table(one: ActionList, page: Page) -> Any:
    say = page.formats.say
    last = "value_at_stake" if one.id == "win_back" else "expected_purchases"
    return tables.frame_table(
        top_of_list(one, page),
        page.formats,
        {
            "customer": "text",
            "last": "date",
            "purchases": "count",
            "revenue": "currency",
            "p_alive": "share",
            "clv": "currency",
            last: "currency" if last == "value_at_stake" else "number",
        },
        {
            "customer": say("Customer"),
            "last": say("Last purchase"),
            "purchases": say("Purchases"),
            "revenue": say("Revenue so far"),
            "p_alive": say("P(alive)"),
            "clv": say("CLV"),
            "value_at_stake": say("At stake"),
            "expected_purchases": say("Expected purchases"),
        },
        stub="customer",
        id=one.id.replace("_", "-"),
    )
