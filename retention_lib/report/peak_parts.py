"""The report's sections on peaks and birthdays."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.report import frames, tables
from retention_lib.report.figures.season import marked_peaks
from retention_lib.report.figures.style import Drawn
from retention_lib.report.findings import peaks as findings
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.retention.by_day import WEEK, whole_weeks
from retention_lib.retention.personal_days import birthdays as coming_birthdays
from retention_lib.retention.timing import Timing, metrics

#: Days ahead of which the report counts the birthdays.
AHEAD: Final = 45

#: Peaks in the table, the largest.
MOST_PEAKS: Final = 10


def peaks(found: Timing, page: Page) -> list[Shown | None]:
    """What stood out, who came then, and whether they came back; nothing with too few orders."""
    if found.usual is None:
        return []
    return [
        page.section(findings.peaks(found), name="Peaks"),
        page.figure(peaks_figure(found, page.formats)),
        page.text(findings.who_on_peaks(found)),
        page.table(peaks_table(found, page.formats)),
        page.table(after_table(found, page.formats)),
        None if found.peaks.empty else page.note(findings.how_to_read_peaks()),
    ]


def birthdays(found: Timing, base: Base, page: Page) -> list[Shown | None]:
    """Whether customers buy more around their birthday; nothing where the client maps none."""
    if found.birthdays is None:
        return []
    return [
        page.section(findings.birthday(found), name="Birthdays"),
        page.table(ratio_table(found, page.formats)),
        page.table(birthday_table(found, base, page.formats)),
        page.note(findings.how_to_read_birthdays(AHEAD)),
    ]


def peaks_figure(found: Timing, formats: Formats) -> Drawn | None:
    """Orders by day or week against what is usual, the peaks marked."""
    usual = found.usual
    assert usual is not None
    weekly = len(usual) < len(found.days) / 2
    orders = found.days["orders"]
    if weekly:
        orders = pd.Series(whole_weeks(orders)[1].sum(axis=1), index=usual.index)
    # a week's mean: the weekdays' ups and downs would hide the line
    level = usual if weekly else usual.rolling(WEEK, center=True, min_periods=1).mean()
    frame = pd.DataFrame({"day": usual.index, "orders": orders, "usual": level})
    tops = [
        float(orders[(orders.index >= first) & (orders.index <= last)].max())
        for first, last in zip(found.peaks["first"], found.peaks["last"], strict=True)
    ]
    marked = found.peaks.assign(top=tops, excess=found.peaks["orders"] - found.peaks["expected"])
    return marked_peaks(frame.reset_index(drop=True), marked, formats, WEEK if weekly else 1)


def peaks_table(found: Timing, formats: Formats) -> Any | None:
    """The largest peaks in their order; None without one."""
    if found.peaks.empty:
        return None
    say, frame = formats.say, found.peaks
    excess = frame["orders"] - frame["expected"]
    frame = frame.loc[excess.nlargest(MOST_PEAKS).index].sort_values("first")
    shown: dict[str, tuple[tables.Format, str]] = {
        "first": ("date", say("From")),
        "days": ("count", say("Days")),
        "orders": ("count", say("Orders")),
        "expected": ("count", say("Usual")),
        "times": ("ratio", say("Times")),
        "customers": ("count", say("Customers")),
        "new": ("count", say("New")),
        "revenue": ("currency", say("Revenue")),
    }
    return table_of(frame, shown, formats, "peaks")


def after_table(found: Timing, formats: Formats) -> Any | None:
    """What followed purchases on peaks, against others; None with too few."""
    frame = found.after_peaks
    if frame.empty:
        return None
    say = formats.say
    names = {"new": say("First"), "returning": say("Later")}
    # two intervals need more room than there is on one line
    frame = frame.assign(
        label=[names[kind] for kind in frame["kind"]],
        interval=_broken(intervals(frame["low"], frame["high"], formats)),
        difference_interval=_broken(
            intervals(frame["difference_low"], frame["difference_high"], formats)
        ),
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "label": ("text", say("Purchase")),
        "n": ("count", say("On peaks")),
        "share": ("share", say("Again in 90 days")),
        "interval": ("text", say("95% interval")),
        "others": ("share", say("Other days")),
        "difference": ("share", say("Difference")),
        "difference_interval": ("text", say("95% interval")),
    }
    return table_of(frame, shown, formats, "after-peaks")


def ratio_table(found: Timing, formats: Formats) -> Any | None:
    """How much customers buy around their birthday, with its interval; None where unknown."""
    if found.around_birthdays.value is None:
        return None
    rows = frames.rows(metrics(found), ("timing.birthday_ratio",), formats)
    return tables.metric_table(rows, formats, id="birthday-ratio")


def birthday_table(found: Timing, base: Base, formats: Formats) -> Any:
    """What became of the customers' birthdays, and whose comes soon."""
    assert found.birthdays is not None
    say = formats.say
    counts = findings.birthday_counts(found.birthdays)
    soon = say("Of the first, in the next {days}", days=formats.days(AHEAD))
    frame = pd.DataFrame(
        {
            "what": [*(formats.tell(what) for what in counts["what"]), soon],
            "customers": [*counts["customers"], len(coming_birthdays(base, AHEAD))],
        }
    )
    shown: dict[str, tuple[tables.Format, str]] = {
        "what": ("text", say("Birthday")),
        "customers": ("count", say("Customers")),
    }
    return table_of(frame, shown, formats, "birthdays")


def table_of(
    frame: pd.DataFrame, shown: dict[str, tuple[tables.Format, str]], formats: Formats, id_: str
) -> Any:
    """A table of the columns named, in their order, the first of them the rows' name."""
    return tables.frame_table(
        frame,
        formats,
        {name: form for name, (form, _) in shown.items()},
        {name: label for name, (_, label) in shown.items()},
        stub=next(iter(shown)),
        id=id_,
    )


def intervals(low: pd.Series, high: pd.Series, formats: Formats) -> list[str]:
    """From `low` to `high`, on one line each."""
    ends = zip(low, high, strict=True)
    return [formats.interval(a, b, "share").replace(" ", "\N{NO-BREAK SPACE}") for a, b in ends]


def _broken(texts: list[str]) -> list[str]:
    return [text.replace("\N{NO-BREAK SPACE}", " ") for text in texts]
