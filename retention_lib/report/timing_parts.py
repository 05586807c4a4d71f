"""The report's sections on when customers buy: week, hours, year; peaks and birthdays follow."""

from __future__ import annotations

from typing import Any

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.report import frames, peak_parts, tables
from retention_lib.report.figures.season import months_by_year
from retention_lib.report.figures.style import Drawn
from retention_lib.report.figures.weekdays import week_hours, weekday_lifts
from retention_lib.report.findings import timing as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.report.peak_parts import intervals, table_of
from retention_lib.retention.timing import Timing, metrics, timing


def sections(base: Base, page: Page) -> list[Shown]:
    """All on when customers buy; of what the data doesn't have, nothing.

    Parameters
    ----------
    base : Base
    page : Page

    Returns
    -------
    list of Shown
    """
    found = timing(base)
    published = page.metrics(metrics(found))
    if found.weekdays.empty and found.usual is None and not len(found.season.by_month):
        parts: list[Shown | None] = [page.section(findings.nothing(), name="Timing")]
    else:
        parts = [
            *_week(found, page),
            *_hours(found, base, page),
            *_year(found, page),
            *peak_parts.peaks(found, page),
        ]
    parts += peak_parts.birthdays(found, base, page)
    return [published, *(part for part in parts if part is not None)]


def _week(found: Timing, page: Page) -> list[Shown | None]:
    if found.weekdays.empty:
        return []
    return [
        page.section(findings.week(found), name="Weekdays"),
        page.figure(weekday_figure(found, page.formats)),
        page.table(weekday_table(found, page.formats)),
        page.note(findings.how_to_read_week(found)),
        page.text(findings.own_day(found)),
        page.table(own_day_table(found, page.formats)),
    ]


def _hours(found: Timing, base: Base, page: Page) -> list[Shown | None]:
    if found.hours is None:
        return []
    return [
        page.section(findings.hours(found), name="Hours"),
        page.figure(hours_figure(found, page.formats)),
        page.table(hours_table(found, page.formats)),
        page.note(findings.how_to_read_hours(found, base.params.timezone)),
    ]


def _year(found: Timing, page: Page) -> list[Shown | None]:
    return [
        page.section(findings.season(found), name="Season"),
        page.figure(year_figure(found, page.formats)),
        page.text(findings.next_season(found)),
        page.table(year_table(found, page.formats)),
        page.note(findings.how_to_read_season(found)),
    ]


def weekday_figure(found: Timing, formats: Formats) -> Drawn:
    """How far each weekday is above or below an average day."""
    return weekday_lifts(_weekdays(found, formats), formats)


def weekday_table(found: Timing, formats: Formats) -> Any:
    """The weekdays with orders and revenue a day, each against an average day."""
    say = formats.say
    frame = _weekdays(found, formats)
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Weekday")),
        "orders_a_day": ("number", say("Orders a day")),
        "lift": ("share", say("Above average")),
        "interval": ("text", say("95% interval")),
        "revenue_lift": ("share", say("In revenue")),
        "revenue_interval": ("text", say("95% interval")),
    }
    return table_of(frame, shown, formats, "weekdays")


def own_day_table(found: Timing, formats: Formats) -> Any | None:
    """How often a customer's purchases share a weekday, with its interval, and by chance."""
    if found.same_weekday.value is None:
        return None
    names = ("timing.same_weekday_share", "timing.same_weekday_by_chance")
    return tables.metric_table(frames.rows(metrics(found), names, formats), formats, id="own-day")


def _weekdays(found: Timing, formats: Formats) -> pd.DataFrame:
    frame = found.weekdays
    names = {"index": "lift", "revenue_index": "revenue_lift"}
    lifts = frame.rename(columns=names)
    for name in ("lift", "low", "high", "revenue_lift", "revenue_low", "revenue_high"):
        lifts[name] = lifts[name] - 1
    return lifts.assign(
        label=[formats.tell(findings.WEEKDAYS[int(day)]) for day in frame["weekday"]],
        interval=intervals(lifts["low"], lifts["high"], formats),
        revenue_interval=intervals(lifts["revenue_low"], lifts["revenue_high"], formats),
    )


def hours_figure(found: Timing, formats: Formats) -> Drawn:
    """Orders by weekday and hour, the best hours marked."""
    assert found.hours is not None
    names = [formats.tell(day) for day in findings.WEEKDAYS]
    return week_hours(found.hours.rates.set_axis(names), formats, found.best_hours)


def hours_table(found: Timing, formats: Formats) -> Any:
    """The day in spans of hours: share of the orders, of workdays and weekends too."""
    assert found.hours is not None
    say, frame = formats.say, found.hours.spans
    ends = zip(frame["start"], frame["end"], strict=True)
    frame = frame.assign(
        label=[f"{findings.clock(a)}–{findings.clock(b)}" for a, b in ends],
        interval=intervals(frame["low"], frame["high"], formats),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Hours")),
        "share": ("share", say("Of all orders")),
        "interval": ("text", say("95% interval")),
        "workdays": ("share", say("Monday to Friday")),
        "weekend": ("share", say("Saturday, Sunday")),
    }
    return table_of(frame, shown, formats, "hours")


def year_figure(found: Timing, formats: Formats) -> Drawn:
    """Orders a day by month, a line a year."""
    frame = found.season.by_month
    months = pd.DatetimeIndex(frame["month"]).month
    short = [formats.month_name(month) for month in months]
    return months_by_year(frame.assign(label=short), formats)


def year_table(found: Timing, formats: Formats) -> Any:
    """The calendar months against the level; where that can't be told, the months as they were."""
    say, frame = formats.say, found.season.factors
    if frame.empty:
        by_month: dict[str, tuple[tables.Format, str]] = {
            "month": ("month", say("Month")),
            "orders": ("count", say("Orders")),
            "orders_a_day": ("number", say("Orders a day")),
            "revenue_a_day": ("currency", say("Revenue a day")),
        }
        return table_of(found.season.by_month, by_month, formats, "months")
    years = zip(frame["years_above"], frame["years"], strict=True)
    frame = frame.assign(
        label=[formats.tell(findings.MONTHS[int(month) - 1]) for month in frame["month"]],
        lift=frame["index"] - 1,
        interval=intervals(frame["low"] - 1, frame["high"] - 1, formats),
        above=[say("{n} of {years}", n=int(n), years=int(of)) for n, of in years],
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Month")),
        "lift": ("share", say("Above the year's level")),
        "interval": ("text", say("95% interval")),
        "above": ("text", say("Years above it")),
    }
    return table_of(frame, shown, formats, "season")
