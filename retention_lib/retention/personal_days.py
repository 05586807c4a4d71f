"""Birthdays and anniversaries: whose comes next, and which birthdays are none.

A birthday field is often filled in with something: the first of January 1900, the day of the
sign-up, a year that isn't the customer's. What can't be a birthday is left out and counted; where
only the year is none, the day is kept and no age is told.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.retention.beginning import EARLY, starts_late

#: Ages that are told; others have a day that may be right and a year that isn't.
YOUNGEST: Final = 13
OLDEST: Final = 105

#: A date, or a day of the year, that so many more have than chance would give it is a placeholder.
HEAP: Final = 3.0
LEAST_HEAP: Final = 3
UNLIKELY: Final = 1e-6

#: A year of so many customers is a placeholder too.
YEAR_HEAP: Final = 0.25
LEAST_FOR_YEARS: Final = 50

_DAYS_A_YEAR: Final = 365.25
_LEAP_DAY: Final = 229


@dataclass(frozen=True)
class Birthdays:
    """The birthdays of a base.

    Parameters
    ----------
    known : DataFrame
        Indexed by customer: `birthday` (as the data has it), `year_known` (whether its year can be
        believed).
    customers : int
        All, with a purchase.
    missing : int
        Those without a birthday that can be read.
    several : int
        Those whose rows have different ones.
    impossible : int
        Those born after their first purchase.
    placeholder : int
        Those with a date that stands for none.
    """

    known: pd.DataFrame
    customers: int
    missing: int
    several: int
    impossible: int
    placeholder: int


def known_birthdays(base: Base) -> Birthdays | None:
    """The customers' birthdays; None where the client maps none.

    Parameters
    ----------
    base : Base
    """
    days = base.order_days
    if schema.BIRTHDAY not in days.columns:
        return None
    each = days.group_by(schema.CUSTOMER).aggregate(
        birthday=days[schema.BIRTHDAY].min().cast("timestamp(0)"),
        other=days[schema.OTHER_BIRTHDAY].max().cast("timestamp(0)"),
    )
    frame = each.to_pyarrow().to_pandas().set_index(schema.CUSTOMER)
    frame = base.customers()[["first"]].join(frame)
    missing, several = frame["birthday"].isna(), frame["birthday"] != frame["other"]
    impossible = frame["birthday"] > frame["first"]
    born = frame.loc[~(missing | several | impossible), "birthday"]
    placeholder = placeholders(born)
    born = born[~placeholder]
    known = pd.DataFrame({"birthday": born, "year_known": _year_known(born, base.as_of)})
    return Birthdays(
        known=known,
        customers=len(frame),
        missing=int(missing.sum()),
        several=int((several & ~missing).sum()),
        impossible=int((impossible & ~several & ~missing).sum()),
        placeholder=int(placeholder.sum()),
    )


def placeholders(born: pd.Series) -> pd.Series:
    """Which birthdays stand for none: 1 January 1900, and dates that far too many have.

    A date is held against the others of its year, a day of the year against all days: it is a heap
    where `HEAP` times as many have it as expected, and chance (Poisson) hardly ever has it so.

    Parameters
    ----------
    born : Series of datetime64
        One per customer, none missing.

    Returns
    -------
    Series of bool
    """
    if born.empty:
        return pd.Series(False, index=born.index, dtype=bool)
    year, day = born.dt.year, born.dt.month * 100 + born.dt.day
    by_date = born.map(born.value_counts())
    by_day = day.map(day.value_counts())
    is_heap = _heap(by_date, year.map(year.value_counts()) / _DAYS_A_YEAR)
    is_heap |= _heap(by_day, pd.Series(len(born) / _DAYS_A_YEAR, index=born.index))
    return is_heap | (born == pd.Timestamp("1900-01-01"))


def _heap(found: pd.Series, expected: pd.Series) -> pd.Series:
    from scipy.stats import poisson

    many = (found >= LEAST_HEAP) & (found >= HEAP * expected)
    return many & (poisson.sf(found - 1, expected) < UNLIKELY)


def _year_known(born: pd.Series, as_of: dt.date) -> pd.Series:
    age = as_of.year - born.dt.year
    known = age.between(YOUNGEST, OLDEST)
    if len(born) < LEAST_FOR_YEARS:
        return known
    return known & (born.dt.year.map(born.dt.year.value_counts(normalize=True)) < YEAR_HEAP)


def birthdays(base: Base, days: int = 45) -> pd.DataFrame:
    """The customers whose birthday comes in the next days, the next first.

    Parameters
    ----------
    base : Base
    days : int, default 45
        After `as_of`, 366 at most.

    Returns
    -------
    DataFrame
        Indexed by customer: `birthday` (the coming one; of 29 February the 28th where the year has
        no other), `turns` (age on that day, missing where the year can't be believed). Empty where
        the client maps no birthday.
    """
    found = known_birthdays(base)
    if found is None:
        none = pd.DataFrame({"birthday": pd.Series(dtype="datetime64[s]")})
        none["turns"] = pd.Series(dtype="Int64")
        return none.rename_axis(schema.CUSTOMER)
    born = found.known["birthday"]
    frame = pd.DataFrame({"birthday": coming(born, base.as_of, days)}, index=born.index)
    age = (frame["birthday"].dt.year - born.dt.year).astype("Int64")
    believed = found.known["year_known"] & age.between(YOUNGEST, OLDEST).fillna(value=False)
    return _in_order(frame.assign(turns=age.where(believed)), "birthday")


def anniversaries(base: Base, days: int = 45) -> pd.DataFrame:
    """The customers whose first purchase will be some years ago in the next days, the next first.

    Parameters
    ----------
    base : Base
    days : int, default 45
        After `as_of`, 366 at most.

    Returns
    -------
    DataFrame
        Indexed by customer: `anniversary` (its date, leap days as in `birthdays`), `years`. Where
        the data starts after its customers, who was first seen soon after isn't there: the first
        purchase in the data isn't the first.
    """
    first = base.customers()["first"]
    if starts_late(base):
        first = first[first >= pd.Timestamp(base.start) + pd.Timedelta(days=EARLY)]
    frame = pd.DataFrame({"anniversary": coming(first, base.as_of, days)}, index=first.index)
    frame = frame.assign(years=(frame["anniversary"].dt.year - first.dt.year).astype("Int64"))
    # of who came yesterday on a 29 February the next day's date is no anniversary
    frame = frame[frame["years"].fillna(0) > 0]
    return _in_order(frame.astype({"years": "int64"}), "anniversary")


def coming(dates: pd.Series, as_of: dt.date, days: int) -> pd.Series:
    """When each date's day of the year comes next; NaT where not within the next `days`.

    Raises
    ------
    ValueError
        A number of days below 1 or above 366, in which a day comes twice.
    """
    if not 1 <= days <= 366:
        raise ValueError(f"days is {days}; give a number from 1 to 366.")
    next_ones: dict[int, np.datetime64] = {}
    for ahead in range(1, days + 1):
        day = as_of + dt.timedelta(days=ahead)
        next_ones.setdefault(day.month * 100 + day.day, np.datetime64(day, "s"))
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            next_ones.setdefault(_LEAP_DAY, np.datetime64(day, "s"))
    key = dates.dt.month * 100 + dates.dt.day
    return key.map(pd.Series(next_ones, dtype="datetime64[s]"))


def _in_order(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    frame = frame[frame[by].notna()].rename_axis(schema.CUSTOMER).reset_index()
    return frame.sort_values([by, schema.CUSTOMER], kind="stable").set_index(schema.CUSTOMER)
