"""Calendar windows: reporting periods and activity windows in whole months.

A window of n months that ends on a day starts on the day after the same day n months earlier. A
month's last day stays a month's last day: twelve months to 30 June start on 1 July, twelve months
to 28 February 2026 on 1 March 2025.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Days from `start` to `end`, both included."""

    start: dt.date
    end: dt.date

    @property
    def days(self) -> int:
        """Length in days."""
        return (self.end - self.start).days + 1


def shift_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month, `months` later (earlier where negative).

    A month's last day becomes the other month's last day; a day that the other month doesn't have
    becomes its last.

    Examples
    --------
    >>> shift_months(dt.date(1998, 6, 30), -12)
    datetime.date(1997, 6, 30)
    >>> shift_months(dt.date(2026, 2, 28), -12)
    datetime.date(2025, 2, 28)
    >>> shift_months(dt.date(2024, 2, 29), 1)
    datetime.date(2024, 3, 31)
    >>> shift_months(dt.date(2025, 3, 30), -1)
    datetime.date(2025, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    last = calendar.monthrange(year, month)[1]
    is_last = day.day == calendar.monthrange(day.year, day.month)[1]
    return dt.date(year, month, last if is_last else min(day.day, last))


def months_to(end: dt.date, months: int) -> Window:
    """The window of `months` calendar months that ends on `end`.

    Examples
    --------
    >>> months_to(dt.date(1998, 6, 30), 12)
    Window(start=datetime.date(1997, 7, 1), end=datetime.date(1998, 6, 30))
    """
    return Window(shift_months(end, -months) + ONE_DAY, end)


@dataclass(frozen=True)
class Windows:
    """The windows of CONTRACT, section 4, for one report date.

    Parameters
    ----------
    period : Window
        P, the reporting period.
    before : Window
        The activity window that ends where P starts: its buyers are S.
    at_end : Window
        The activity window that ends with P: its buyers are E.
    """

    period: Window
    before: Window
    at_end: Window


def windows(as_of: dt.date, period_months: int, active_months: int) -> Windows:
    """P and the two activity windows for a report as of a day."""
    period = months_to(as_of, period_months)
    return Windows(
        period=period,
        before=months_to(period.start - ONE_DAY, active_months),
        at_end=months_to(as_of, active_months),
    )
