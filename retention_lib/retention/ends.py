"""The days on which the periods end that a report tells of: its own, those before it, its lines."""

from __future__ import annotations

import datetime as dt
from typing import Final

from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, shift_months, windows

#: Share of the first activity window that may lie before the data.
MOST_MISSING: Final = 0.1

#: Ends of a series at most: a line of more says no more.
MOST: Final = 24
#: With windows of so many months together each month is an end, with longer ones each quarter.
SHORT: Final = 6

#: Days of a small line at most, today's included: two years of quarters, or eight months.
MOST_BACK: Final = 9
#: Months that the data must have besides the windows for a line of quarters.
FOR_QUARTERS: Final = 12


def is_covered(base: Base, end: dt.date) -> bool:
    """Whether the data reaches back to what the rates of a period rest on, nearly all of it."""
    at = windows(end, base.params.period_months, base.params.active_months)
    return (base.start - at.before.start).days <= MOST_MISSING * at.before.days


def compared_ends(base: Base) -> dict[str, dt.date]:
    """The end of the period before, and of the one a year ago where that is another.

    Each is given only where the data covers it.
    """
    before = base.windows.period.start - ONE_DAY
    wanted = {"previous": before, "year_ago": shift_months(base.as_of, -12)}
    if wanted["year_ago"] == before:
        del wanted["year_ago"]
    return {name: end for name, end in wanted.items() if is_covered(base, end)}


def period_ends(base: Base) -> list[dt.date]:
    """Ends of periods, the report's day first, as far back as the data covers what rates rest on.

    A month apart where period and activity window are short, else a quarter.
    """
    period, active = base.params.period_months, base.params.active_months
    step = 1 if period + active <= SHORT else 3
    ends = [base.as_of]
    while len(ends) < MOST:
        end = shift_months(base.as_of, -step * len(ends))
        if not is_covered(base, end):
            break
        ends.append(end)
    return ends


def days_back(base: Base) -> list[dt.date]:
    """The days that small lines go through, today first: a quarter apart, in a short history a
    month.
    """
    params = base.params
    months = (base.as_of.year - base.start.year) * 12 + base.as_of.month - base.start.month
    spare = months - params.period_months - params.active_months
    step = 3 if spare >= FOR_QUARTERS else 1
    ends = [shift_months(base.as_of, -step * k) for k in range(1, MOST_BACK)]
    return [base.as_of, *(end for end in ends if end > base.start)]


def report_ends(base: Base) -> list[dt.date]:
    """All of these days, each once, the report's first."""
    figures = [base.as_of, *compared_ends(base).values(), *period_ends(base)]
    return list(dict.fromkeys([*figures, *days_back(base)]))
