"""Sentences on cohorts: do later ones come back better, and what a customer brings over time."""

from __future__ import annotations

from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric
from retention_lib.retention.cohort_values import CohortValues, Compared
from retention_lib.retention.cohorts import MONTHS
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST


def heading(found: Compared, cohort_values: CohortValues, late: bool = False) -> Sentence:
    """Whether later cohorts come back more or less than earlier ones at the same age."""
    if late:
        return Sentence(
            "The first cohorts are old customers: later ones can't be held against them"
        )
    values = {"earlier": found.earlier, "later": found.later, "span": span(found, cohort_values)}
    if found.kind == "unknown" or min(found.earlier.n or 0, found.later.n or 0) < SMALLEST:
        return Sentence(
            "Whether later cohorts come back better than earlier ones can't be told yet"
        )
    if found.kind == "better":
        return Sentence(
            "Later cohorts come back more: {later} within {span}, {earlier} of the earlier",
            **values,
        )
    if found.kind == "worse":
        return Sentence(
            "Later cohorts come back less: {later} within {span}, {earlier} of the earlier",
            **values,
        )
    return Sentence(
        "Later cohorts come back like earlier ones: {later} and {earlier} within {span}", **values
    )


def span(found: Compared, cohort_values: CohortValues) -> Metric:
    """How long after the first period they are looked at."""
    return Metric(MONTHS[cohort_values.table.period] * found.ages, "months")


def ages(cohort_values: CohortValues) -> Sentence | None:
    """How many buy in the first later period and half a year on; None where it is too early."""
    table = cohort_values.table
    first, late = table.pooled(1), table.pooled(max(2, 6 // MONTHS[table.period]))
    if first is None or first[1] < SMALLEST:
        return None
    values = {
        "share": Metric(first[0], "share", n=first[1]),
        "period": Sentence(table.period),
    }
    if late is None or late[1] < SMALLEST or table.period == "year":
        return Sentence(
            "{share} of the customers buy in the {period} after that of their first purchase.",
            **values,
        )
    return Sentence(
        "{share} of the customers buy in the {period} after that of their first purchase, {late} "
        "half a year after it.",
        late=Metric(late[0], "share", n=late[1]),
        **values,
    )


def halves(found: Compared, cohort_values: CohortValues) -> Sentence | None:
    """Which cohorts are the earlier and which the later; None where they weren't compared."""
    if found.first is None or found.last is None:
        return None
    length = pd.DateOffset(months=MONTHS[cohort_values.table.period], days=-1)
    return Sentence(
        "Earlier are those who first bought from {first} to {first_end}, later those from {last} "
        "to {last_end}; only cohorts whose periods are over are compared, and a purchase in the "
        "period of the first one doesn't count. A difference can be the season in which they came.",
        first=found.first[0].date(),
        first_end=(found.first[1] + length).date(),
        last=found.last[0].date(),
        last_end=(found.last[1] + length).date(),
    )


def old_customers() -> Sentence:
    """Why the first cohorts say nothing of new customers."""
    return Sentence(
        "The data starts after its customers did. Those first seen early were customers before, "
        "and buy like old customers; only the later cohorts are of new ones."
    )


def value_heading(cohort_values: CohortValues, late: bool = False) -> Sentence:
    """What a customer brings in the first period and over all that were observed."""
    pooled = cohort_values.pooled()
    pooled = pooled[pooled["customers"] >= SMALLEST]
    if late and len(pooled):
        return Sentence("What a new customer brings can't be told from cohorts of old ones")
    if len(pooled) < 2:
        return Sentence("No cohort is old enough yet to say what a customer brings over time")
    first, last = (Metric(float(pooled["cumulative"].iloc[i]), "currency") for i in (0, -1))
    months = MONTHS[cohort_values.table.period] * len(pooled)
    values = {"first": first, "last": last, "months": Metric(months, "months")}
    if (first.value or 0) <= 0:
        return Sentence("A customer brings {last} within {months}", **values)
    if (last.value or 0) >= 2 * (first.value or 0):
        return Sentence(
            "A customer's worth comes later: {first} in the first period, {last} within {months}",
            **values,
        )
    return Sentence(
        "Most of what a customer brings comes at once: {first} in the first period, {last} within "
        "{months}",
        **values,
    )


_PERIODS: Final = {
    "month": Sentence("month"),
    "quarter": Sentence("quarter"),
    "year": Sentence("year"),
}


def how_value(base: Base, cohort_values: CohortValues) -> Sentence:
    """How to read the lines, and why cohorts may be longer than asked for."""
    if cohort_values.table.period != base.params.cohort_period:
        return Sentence(
            "Revenue of all used rows over all customers of the cohort, whether they came back or "
            "not. Dashed: the period isn't over. Cohorts are put together by {period}: by {asked} "
            "there would be too many to read.",
            period=_PERIODS[cohort_values.table.period],
            asked=_PERIODS[base.params.cohort_period],
        )
    return Sentence(
        "Revenue of all used rows over all customers of the cohort, whether they came back or not. "
        "Dashed: the period isn't over."
    )
