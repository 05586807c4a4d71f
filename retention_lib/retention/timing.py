"""When customers buy: weekday, hour, season, peaks, birthdays, in one result."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.birthday_effect import birthday_ratio
from retention_lib.retention.by_day import by_day
from retention_lib.retention.hours import HOURS, SPAN, Hours, hours, no_hours
from retention_lib.retention.peak_customers import after_peaks, buyers
from retention_lib.retention.peaks import peaks, usual
from retention_lib.retention.personal_days import Birthdays, known_birthdays
from retention_lib.retention.season import Season, next_month, season
from retention_lib.retention.weekdays import own_weekday, weekdays
from retention_lib.sentence import N_


@dataclass(frozen=True)
class NextPeak:
    """The season's strongest month, when it comes next.

    Parameters
    ----------
    month : date
        Its first day.
    index : Metric
        Orders a day over those of an average month, with interval.
    """

    month: dt.date
    index: Metric


@dataclass(frozen=True)
class Timing:
    """When the customers of a base buy.

    Parameters
    ----------
    days : DataFrame
        `by_day.by_day`.
    usual : Series or None
        What is expected of each day or week (`peaks.usual`).
    weekdays : DataFrame
        `weekdays.weekdays`.
    same_weekday, by_chance : Metric
        `weekdays.own_weekday`.
    hours : Hours or None
        None where the source has no times of day.
    season : Season
    peaks : DataFrame
        `peak_customers.buyers`.
    after_peaks : DataFrame
        `peak_customers.after_peaks`.
    birthdays : Birthdays or None
        None where the client maps none.
    around_birthdays : Metric
        `birthday_effect.birthday_ratio`.
    as_of : date
    """

    days: pd.DataFrame
    usual: pd.Series | None
    weekdays: pd.DataFrame
    same_weekday: Metric
    by_chance: Metric
    hours: Hours | None
    season: Season
    peaks: pd.DataFrame
    after_peaks: pd.DataFrame
    birthdays: Birthdays | None
    around_birthdays: Metric
    as_of: dt.date

    @property
    def best_weekdays(self) -> list[int]:
        """The weekdays, Monday 0, that surely sell more than an average day and no less than the
        best one, best first; none where no weekday does.
        """
        if self.weekdays.empty:
            return []
        ranked = self.weekdays.sort_values("index", ascending=False)
        best = (ranked["stands_out"] == 1) & ranked["as_good"]
        return [int(day) for day in ranked.loc[best, "weekday"]]

    @property
    def weakest_weekday(self) -> int | None:
        """The weekday that sells least, of those that surely sell less than an average day."""
        low = self.weekdays[self.weekdays["stands_out"] == -1]
        return (
            None if low.empty else int(low["weekday"].iloc[int(low["index"].to_numpy().argmin())])
        )

    @property
    def best_hours(self) -> tuple[int, int] | None:
        """The hours in a row that surely have more than their share of the orders."""
        if self.hours is None or (self.hours.best.low or 0.0) <= SPAN / HOURS:
            return None
        return self.hours.start, self.hours.end

    @property
    def next_peak(self) -> NextPeak | None:
        """The season's strongest month to come; None where there is no sure one."""
        strongest = self.season.strongest
        if strongest is None:
            return None
        index = Metric(strongest["index"], "ratio", strongest["low"], strongest["high"])
        return NextPeak(next_month(self.as_of, int(strongest["month"])), index)

    @property
    def largest_peak(self) -> pd.Series | None:
        """The row of `peaks` with the most orders above what is usual; None without a peak."""
        if self.peaks.empty:
            return None
        excess = (self.peaks["orders"] - self.peaks["expected"]).to_numpy()
        return self.peaks.iloc[int(excess.argmax())]

    @property
    def peaks_return_less(self) -> bool | None:
        """Whether purchases on peaks are surely followed by another less often than others are.

        Of first purchases where enough fell on peaks, else of later ones; None where neither is.
        """
        told = self.told_after_peaks
        return None if told is None else bool(told["differs"] == -1)

    @property
    def told_after_peaks(self) -> pd.Series | None:
        """The row of `after_peaks` to tell of: a sure difference first, new customers first."""
        if self.after_peaks.empty:
            return None
        return self.after_peaks.iloc[int((self.after_peaks["differs"] != 0).to_numpy().argmax())]


def timing(base: Base) -> Timing:
    """All on when the customers of a base buy.

    Parameters
    ----------
    base : Base
    """
    days = by_day(base)
    found = peaks(days)
    same, chance = own_weekday(base)
    born = known_birthdays(base)
    note = N_("The source has no birthdays.")
    return Timing(
        days=days,
        usual=usual(days["orders"]),
        weekdays=weekdays(days, found),
        same_weekday=same,
        by_chance=chance,
        # where days are none, hours aren't either
        hours=None if days.empty else hours(base, found),
        season=season(days),
        peaks=buyers(base, found),
        after_peaks=after_peaks(base, found),
        birthdays=born,
        around_birthdays=unknown("ratio", note) if born is None else birthday_ratio(base, born),
        as_of=base.as_of,
    )


def metrics(found: Timing) -> dict[str, Metric]:
    """The figures of `Timing` that a report publishes, by their ids.

    A lift is a ratio less 1: how far above what it is compared with.
    """
    return {
        "timing.best_weekday_lift": _best_weekday(found),
        "timing.same_weekday_share": found.same_weekday,
        "timing.same_weekday_by_chance": found.by_chance,
        "timing.best_hours_share": no_hours() if found.hours is None else found.hours.best,
        "timing.season_peak_lift": _season_peak(found),
        "timing.peaks": _peaks(found),
        "timing.peak_return_difference": _after(found),
        "timing.birthday_ratio": found.around_birthdays,
    }


def _best_weekday(found: Timing) -> Metric:
    if found.weekdays.empty:
        return unknown("share", N_("Too few whole weeks or orders to tell weekdays apart."))
    best = found.weekdays.iloc[int(found.weekdays["index"].to_numpy().argmax())]
    low, high = best["low"] - 1, best["high"] - 1
    return Metric(best["index"] - 1, "share", low, high, n=int(best["weeks"]))


def _season_peak(found: Timing) -> Metric:
    strongest = found.season.strongest
    if strongest is not None:
        low, high = strongest["low"] - 1, strongest["high"] - 1
        return Metric(strongest["index"] - 1, "share", low, high)
    if found.season.factors.empty:
        return unknown("share", N_("Too few whole years, or orders, to tell a season from growth."))
    return unknown("share", N_("No month is above the others in every year by enough to matter."))


def _peaks(found: Timing) -> Metric:
    if found.usual is None:
        return unknown("count", N_("Too few orders to tell a peak from chance."))
    return Metric(len(found.peaks), "count")


def _after(found: Timing) -> Metric:
    told = found.told_after_peaks
    if told is None:
        return unknown("share", N_("There are too few purchases on peaks that were watched since."))
    low, high = told["difference_low"], told["difference_high"]
    return Metric(told["difference"], "share", low, high, n=int(told["n"]))
