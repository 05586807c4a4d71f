"""Parts of chapters: cohorts, a forecast or a list as the figure, table or section it becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.health import Concern
from retention_lib.models.clv import expected_values
from retention_lib.models.forecast import Forecast
from retention_lib.report import findings, tables
from retention_lib.report.customers import lists_at
from retention_lib.report.figures import (
    Drawn,
    cohort_heatmap,
    holdout_by_frequency,
    holdout_tracking,
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


def alive_grid(made: Forecast, customers: pd.DataFrame, points: int = 40) -> pd.DataFrame:
    """frequency, recency, p_alive on a regular grid, for customers observed as long as the oldest.

    Without a model that holds there is nothing to map: no rows.

    Parameters
    ----------
    made : Forecast
    customers : DataFrame
        Sets how far the grid goes: to the frequency that all but a hundredth stay below, and to the
        longest observation.
    points : int, default 40
        Steps of recency.
    """
    longest = float(customers["T"].max())
    if longest <= 0 or made.unknowable is not None:
        return pd.DataFrame({"frequency": [], "recency": [], "p_alive": []}, dtype=float)
    most = int(np.clip(customers["frequency"].quantile(0.99), 3, 30))
    frequency, recency = np.meshgrid(
        np.arange(1, most + 1), np.linspace(0, longest, points), indexing="ij"
    )
    shape = frequency.shape
    alive = made.purchase_model.conditional_probability_alive(
        frequency.ravel(), recency.ravel(), np.full(frequency.size, longest)
    )
    return pd.DataFrame(
        {
            "frequency": frequency.ravel(),
            "recency": recency.ravel(),
            "p_alive": np.asarray(alive).reshape(shape).ravel(),
        }
    )


def value_grid(made: Forecast, base: Base, points: int = 40) -> pd.DataFrame:
    """frequency, silence, clv on a regular grid, of customers observed as long as the oldest.

    They spend what the base's repeat buyers spend on average, so that the map shows what coming
    back is worth, not what a large basket is. Without a model that holds there is nothing to map.
    """
    customers = base.customers()
    longest = float(customers["T"].max())
    if longest <= 0 or made.unknowable is not None or made.spend_model is None:
        return pd.DataFrame({"frequency": [], "silence": [], "clv": []}, dtype=float)
    most = int(np.clip(customers["frequency"].quantile(0.99), 3, 30))
    frequency, silence = (
        part.ravel()
        for part in np.meshgrid(
            np.arange(1, most + 1), np.linspace(0, longest, points), indexing="ij"
        )
    )
    amounts = customers.loc[customers["frequency"] > 0, "monetary_value"]
    grid = pd.DataFrame(
        {
            "frequency": frequency,
            "recency": longest - silence,
            "T": longest,
            "monetary_value": amounts[amounts > 0].mean(),
        }
    )
    grid.attrs = dict(customers.attrs)
    values = expected_values(
        grid,
        made.purchase_model,
        made.spend_model,
        horizon_months=made.horizon_months,
        discount_rate=made.discount_rate,
        margin=made.margin,
        as_of=base.as_of.isoformat(),
        time_unit=base.params.time_unit,
    )
    return pd.DataFrame({"frequency": frequency, "silence": silence, "clv": values["clv"]})


def top_of_list(given: ActionList, page: Page, most: int = 10) -> pd.DataFrame:
    """The first customers of a list, named as the report names them, for a table."""
    first = given.customers.head(most)
    named = [page.customer(str(customer)) for customer in first.index]
    return first.reset_index(drop=True).assign(customer=named)


def tracking_figure(made: Forecast, formats: Formats) -> Drawn | None:
    """Cumulative repeat purchases, expected and actual; None without a holdout."""
    test = made.holdout
    if test is None or test.calibration_end is None or test.tracking.empty:
        return None
    return holdout_tracking(test.tracking, test.calibration_end.date(), formats)


def calibration_figure(made: Forecast, formats: Formats) -> Drawn | None:
    """Expected against actual purchases by how often a customer had bought; None untested."""
    if made.holdout is None:
        return None
    return holdout_by_frequency(made.holdout.by_frequency, formats)


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


def profile_table(profile: pd.DataFrame, by: str, formats: Formats) -> Any | None:
    """Segments or tiers side by side: size, share of value, what a customer in them is like."""
    if profile.empty:
        return None
    return tables.frame_table(
        profile,
        formats,
        {
            by: "text",
            "customers": "count",
            "share_of_customers": "share",
            "share_of_revenue": "share",
            "share_of_clv": "share",
            "mean_clv": "currency",
            "purchases": "number",
            "p_alive": "share",
        },
        {
            by: formats.say(by.capitalize()),
            "customers": formats.say("Customers"),
            "share_of_customers": formats.say("of all"),
            "share_of_revenue": formats.say("of revenue"),
            "share_of_clv": formats.say("of CLV"),
            "mean_clv": formats.say("CLV each"),
            "purchases": formats.say("Purchases"),
            "p_alive": formats.say("P(alive)"),
        },
        stub=by,
        id=f"by-{by}",
    )


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
