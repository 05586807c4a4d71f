"""Parts on cohorts: who comes back, what a customer brings, in figures and tables."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.report import tables
from retention_lib.report.figures import Drawn, cohort_curves, cohort_heatmap
from retention_lib.report.findings import cohort as told
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.beginning import starts_late
from retention_lib.retention.cohort_values import CohortValues, Compared
from retention_lib.smallest import SMALLEST

#: Ages that the table tells of.
_AGES: Final = (0, 1, 2, 3, 6, 9, 12, 18, 24, 36)


def metrics(found: Compared) -> dict[str, Metric]:
    """The figures of the heading."""
    return {"cohorts.earlier_back": found.earlier, "cohorts.later_back": found.later}


def sections(cohort_values: CohortValues, found: Compared, base: Base, page: Page) -> list[Shown]:
    """Who of each cohort comes back, and what a customer has brought so far."""
    late = starts_late(base)
    shown: list[Shown | None] = [
        page.section(told.heading(found, cohort_values, late), name="Cohorts"),
        page.figure(heatmap(cohort_values, page.formats)),
        page.text(told.ages(cohort_values)),
        page.note(told.halves(found, cohort_values)),
        page.note(told.old_customers() if late else None),
        page.section(told.value_heading(cohort_values, late), name="Value of a cohort"),
        page.figure(value_figure(cohort_values, page.formats)),
        page.table(ages_table(cohort_values, page.formats)),
        page.note(told.how_value(base, cohort_values)),
    ]
    return [part for part in shown if part is not None]


def heatmap(cohort_values: CohortValues, formats: Formats) -> Drawn:
    """Shares of the cohorts that are large enough, with all together below."""
    table, large = cohort_values.table, _large(cohort_values)
    labels = [label(day, table.period, formats) for day in large]
    pooled = cohort_values.pooled().set_index("age")["share"]
    return cohort_heatmap(
        table.shares.loc[large].set_axis(labels),
        table.sizes[large].set_axis(labels),
        table.unfinished.loc[large].set_axis(labels),
        formats,
        table.period,
        pooled=pooled,
    )


def value_figure(cohort_values: CohortValues, formats: Formats) -> Drawn:
    """Revenue per customer added up, a line a cohort."""
    table, large = cohort_values.table, _large(cohort_values)
    lines = cohort_values.cumulative.loc[large].to_numpy(dtype=float)
    open_ = table.unfinished.loc[large].to_numpy(dtype=bool)
    rows = [
        (label(day, table.period, formats), age, float(lines[i, age]), bool(open_[i, age]))
        for i, day in enumerate(large)
        for age in range(lines.shape[1])
        if np.isfinite(lines[i, age])
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["label", "age", "value", "unfinished"]))
    pooled = cohort_values.pooled()
    pooled = pooled[pooled["customers"] >= SMALLEST]
    axis = {
        "month": formats.say("Months since the first purchase"),
        "quarter": formats.say("Quarters since the first purchase"),
        "year": formats.say("Years since the first purchase"),
    }[table.period]
    return cohort_curves(frame, formats, axis, pooled["cumulative"].tolist())


def ages_table(cohort_values: CohortValues, formats: Formats) -> Any | None:
    """All cohorts together at some ages; None where no period is over."""
    pooled = cohort_values.pooled()
    pooled = pooled[pooled["customers"] >= SMALLEST]
    if pooled.empty:
        return None
    pooled = pooled[pooled["age"].isin([*_AGES, pooled["age"].max()])]
    say = formats.say
    after = {
        "month": say("Months after"),
        "quarter": say("Quarters after"),
        "year": say("Years after"),
    }[cohort_values.table.period]
    formats_of: dict[str, tables.Format] = {
        "age": "count",
        "customers": "count",
        "share": "share",
        "orders": "number",
        "revenue": "currency",
        "against_first": "share",
        "cumulative": "currency",
    }
    labels = {
        "age": after,
        "customers": say("Customers"),
        "share": say("Bought"),
        "orders": say("Purchases"),
        "revenue": say("Revenue"),
        "against_first": say("of the first’s"),
        "cumulative": say("added up"),
    }
    return tables.frame_table(pooled, formats, formats_of, labels, stub="age", id="cohorts")


def label(day: pd.Timestamp, period: str, formats: Formats) -> str:
    """A cohort's name."""
    if period == "year":
        return str(day.year)
    if period == "quarter":
        return formats.quarter(day)
    return formats.month(day)


def _large(cohort_values: CohortValues) -> pd.DatetimeIndex:
    sizes = cohort_values.table.sizes
    return pd.DatetimeIndex(sizes.index[sizes >= SMALLEST])
