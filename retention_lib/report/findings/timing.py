"""Sentences on when customers buy: weekday, hour, season."""

from __future__ import annotations

from typing import Final

from retention_lib.metrics import Metric
from retention_lib.retention.season import LEAST_YEARS
from retention_lib.retention.timing import Timing
from retention_lib.sentence import Sentence

WEEKDAYS: Final = (
    Sentence("Monday"),
    Sentence("Tuesday"),
    Sentence("Wednesday"),
    Sentence("Thursday"),
    Sentence("Friday"),
    Sentence("Saturday"),
    Sentence("Sunday"),
)
MONTHS: Final = (
    Sentence("January"),
    Sentence("February"),
    Sentence("March"),
    Sentence("April"),
    Sentence("May"),
    Sentence("June"),
    Sentence("July"),
    Sentence("August"),
    Sentence("September"),
    Sentence("October"),
    Sentence("November"),
    Sentence("December"),
)


def nothing() -> Sentence:
    """The heading where there is too little for any of it."""
    return Sentence("There are too few orders to tell when customers buy")


def week(found: Timing) -> Sentence:
    """The heading over the weekdays."""
    best, weakest = found.best_weekdays, found.weakest_weekday
    if len(best) == 1:
        return Sentence(
            "{day} is the strongest day, {lift} above an average one",
            day=WEEKDAYS[best[0]],
            lift=_weekday_lift(found, best[0]),
        )
    if len(best) == 2:
        return Sentence(
            "{day} and {second} are the strongest days, {lift} and {second_lift} above an average "
            "one",
            day=WEEKDAYS[best[0]],
            second=WEEKDAYS[best[1]],
            lift=_weekday_lift(found, best[0]),
            second_lift=_weekday_lift(found, best[1]),
        )
    if weakest is not None:
        return Sentence(
            "{day} is the weakest day, {lift} below an average one",
            day=WEEKDAYS[weakest],
            lift=_weekday_lift(found, weakest, -1),
        )
    return Sentence("Orders are spread evenly over the week: no weekday surely stands out")


def _weekday_lift(found: Timing, day: int, sign: int = 1) -> Metric:
    row = found.weekdays.iloc[day]
    return Metric(sign * (row["index"] - 1), "share", n=int(row["weeks"]))


def own_day(found: Timing) -> Sentence | None:
    """Whether customers keep to a weekday of their own; None where that can't be told."""
    same, chance = found.same_weekday, found.by_chance
    if same.value is None or same.low is None or chance.value is None:
        return None
    values = {"same": same, "chance": chance}
    if same.low > chance.value:
        return Sentence(
            "Customers have a day of their own: two purchases of one customer fall on the same "
            "weekday in {same} of cases, where chance would give {chance}.",
            **values,
        )
    return Sentence(
        "Customers don't keep to a day of their own: two purchases of one customer fall on the "
        "same weekday in {same} of cases, and chance would give {chance}.",
        **values,
    )


def how_to_read_week(found: Timing) -> Sentence:
    """What an average day is, and what the intervals rest on."""
    return Sentence(
        "An average day has a seventh of its week's orders, so growth plays hardly a part. The "
        "bars are 95% intervals over {weeks} whole weeks, those with a peak left out; coloured is "
        "what chance doesn't explain. When customers buy is no proof that a message sent then "
        "brings more.",
        weeks=int(found.weekdays["weeks"].iloc[0]),
    )


def hours(found: Timing) -> Sentence:
    """The heading over the hours."""
    assert found.hours is not None
    if found.best_hours is None:
        return Sentence("Orders come at all hours: no part of the day stands out")
    start, end = found.best_hours
    return Sentence(
        "{share} of the orders come between {start} and {end}",
        share=found.hours.best,
        start=clock(start),
        end=clock(end),
    )


def clock(hour: int) -> str:
    """An hour of the day as a clock shows it."""
    return f"{hour % 24:02d}:00"


def how_to_read_hours(found: Timing, timezone: str) -> Sentence:
    """Whose clock it is, and how many orders have a time."""
    assert found.hours is not None
    zone = timezone.replace("_", " ")
    if found.hours.timed.value == 1:
        return Sentence(
            "An order's hour is that of its first row, by the clock of {zone}. Intervals take the "
            "week as the unit.",
            zone=zone,
        )
    return Sentence(
        "An order's hour is that of its first row, by the clock of {zone}; {timed} of the orders "
        "have a time of day, the others are left out. Intervals take the week as the unit.",
        zone=zone,
        timed=found.hours.timed,
    )


def season(found: Timing) -> Sentence:
    """The heading over the months."""
    at = found.season
    if at.years < LEAST_YEARS:
        return Sentence(
            "A season can't be told from growth yet: it takes two years, and there are {months} "
            "whole months",
            months=len(at.by_month),
        )
    if at.factors.empty:
        return Sentence("There are too few orders a month to tell a season from chance")
    if (strong := at.strongest) is not None:
        return Sentence(
            "{month} is the peak of every year, {lift} above an average month",
            month=MONTHS[int(strong["month"]) - 1],
            lift=Metric(strong["index"] - 1, "share"),
        )
    if (weak := at.weakest) is not None:
        return Sentence(
            "{month} is the low of every year, {lift} below an average month",
            month=MONTHS[int(weak["month"]) - 1],
            lift=Metric(1 - weak["index"], "share"),
        )
    return Sentence("There is no season to plan by: the years don't agree on a month that matters")


def next_season(found: Timing) -> Sentence | None:
    """When the peak is to be expected next; None without a season."""
    peak = found.next_peak
    if peak is None:
        return None
    return Sentence(
        "If the years go on as they were, the next peak is {month} {year}.",
        month=MONTHS[peak.month.month - 1],
        year=str(peak.month.year),
    )


def how_to_read_season(found: Timing) -> Sentence:
    """What the months are compared with, or why they aren't."""
    if found.season.factors.empty:
        return Sentence(
            "Orders a day, so that long months don't look larger. Growth, decline or a launch "
            "make months differ as a season does; what comes back another year tells them apart."
        )
    return Sentence(
        "Orders a day against the year's own level, which may rise or fall. A month is said to "
        "stand out only where every year has it on the same side and chance doesn't explain it."
    )
