"""From the rows of subscriptions to stays: who was a subscriber, from when to when.

A *stay* is a run of days without a longer break; a subscriber who comes back later begins another.
What a row may be, and how it is read:

- `end` is the last day; no end, or one more than 20 years ahead, is none. Where most ends fall on
  the very day on which the next period would begin, they are read as the first day without, and
  each is a day earlier. Where nearly all that runs today "ends" within the current period, these
  ends are what is paid until, not notices, and are left aside.
- Rows of one customer that overlap run in parallel: their amounts add up, the stay is one. A row
  that begins on the last day of another takes over on that day: a change of plan, no second amount.
- A break of at most `grace_days` is late payment or a change of plan, no loss: the row before it is
  carried on. After a longer one the subscriber was lost and has returned.
- A row without an amount above 0 is free (a trial, a pause): nobody is a subscriber by it, unless
  no row at all has an amount.
- Rows equal in every column are one. Left out and counted: no customer or start, an end before the
  start, an amount below 0 or none (beside rows that have one), a start after the report's day.

A renewal falls on the day of the month of the start (on the month's last day where it is shorter),
every `period_months`: the 31st goes to the 28th and back to the 31st, as billing systems have it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.sentence import N_
from retention_lib.smallest import SMALLEST

Days = NDArray[np.int64]

#: Stands for no end: a day that nothing reaches, in days since 1970.
OPEN: Final = 2**31
#: An end so far ahead is none: systems write 2099 or 9999.
_FAR: Final = 20 * 366
MONTH_DAYS: Final = 30.4375
#: Share of ends from which they are read as something else than the last day.
_MOST_ENDS, _NEARLY_ALL = 0.5, 0.9

#: Why rows don't count, in reading order.
CAUSES: Final = {
    "no_customer": N_("No customer or no start"),
    "after": N_("Begins after the report's day"),
    "backwards": N_("Ends before it begins"),
    "negative": N_("Amount below 0"),
    "no_amount": N_("No amount"),
    "copies": N_("Equal to another row in every column"),
    "free": N_("Free: an amount of 0"),
}


@dataclass(frozen=True)
class Subscribed:
    """The rows that count, and the stays that they make.

    Parameters
    ----------
    rows : DataFrame
        who (index into `customers`), start, end (days since 1970, `OPEN` for none), cents (per
        billing period), plan; by who and start. Breaks are bridged.
    stays : DataFrame
        who, start, end (as above), number (1 for a subscriber's first), plan (at its begin).
    customers : Index of str
    as_of : date
    period_months : int
        Months of a billing period.
    grace_days : int
        Longest break that is bridged.
    rows_in : int
    left_out : DataFrame
        cause (a key of `CAUSES`), rows; those that there are.
    bridged : int
        Breaks that were bridged.
    trials, converted : int
        Customers with a free row before any paid one that was over by `as_of`; of these, with a
        paid one after it.
    priced : bool
        Whether any row has an amount: without, nothing is said of money.
    exclusive_ends : bool
        Whether ends were read as the first day without.
    paid_until : bool
        Whether ends ahead were read as what is paid until.
    yearly : tuple of str
        Plans whose subscriptions nearly all end after whole years, though the period is shorter: a
        year's amount may stand there, or a fixed term.
    """

    rows: pd.DataFrame
    stays: pd.DataFrame
    customers: pd.Index
    as_of: dt.date
    period_months: int
    grace_days: int
    rows_in: int
    left_out: pd.DataFrame
    bridged: int = 0
    trials: int = 0
    converted: int = 0
    priced: bool = True
    exclusive_ends: bool = False
    paid_until: bool = False
    yearly: tuple[str, ...] = ()

    @property
    def today(self) -> int:
        """`as_of` in days since 1970."""
        return day_number(self.as_of)


def grace(period_months: int) -> int:
    """Longest break, in days, that is no loss: a quarter of a period, from 7 to 30 days.

    Cards are charged again for a week or two, and a yearly invoice is often paid late; a month
    without is a loss by any reading.

    Examples
    --------
    >>> grace(1), grace(3), grace(12)
    (7, 22, 30)
    """
    return int(min(30, max(7, period_months * MONTH_DAYS // 4)))


def day_number(day: dt.date) -> int:
    """Days since 1970."""
    return (day - dt.date(1970, 1, 1)).days


def date_of(number: float) -> dt.date:
    """The day of a `day_number`."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(number))


def dates(numbers: NDArray[np.int64] | pd.Series) -> pd.Series:
    """Days as pandas has them; `OPEN` as NaT."""
    days = pd.Series(np.asarray(numbers, dtype="int64"))
    return pd.Series(
        pd.to_datetime(days.where(days < OPEN).astype("Float64"), unit="D").astype("datetime64[s]")
    )


def renewal_days(start: Days, renewals: Days, period_months: int) -> Days:
    """The day of each subscription's k-th renewal, in days since 1970.

    Examples
    --------
    >>> start = np.array([day_number(dt.date(2024, 1, 31))])
    >>> [str(date_of(renewal_days(start, np.array([k]), 1)[0])) for k in (0, 1, 2)]
    ['2024-01-31', '2024-02-29', '2024-03-31']
    """
    days = np.asarray(start, dtype="int64").astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    in_month = (days - month.astype("datetime64[D]")).astype("int64")
    first = (month + np.asarray(renewals, dtype="int64") * period_months).astype("datetime64[D]")
    last = (first.astype("datetime64[M]") + 1).astype("datetime64[D]") - first
    return np.asarray(first.astype("int64") + np.minimum(in_month, last.astype("int64") - 1))


def renewals_by(start: Days, day: Days | int, period_months: int) -> Days:
    """How many renewals fell on or before a day; the start itself is none.

    Examples
    --------
    >>> start = np.array([day_number(dt.date(2024, 1, 31))] * 2)
    >>> ends = np.array([day_number(dt.date(2024, 2, 28)), day_number(dt.date(2024, 2, 29))])
    >>> renewals_by(start, ends, 1).tolist()
    [0, 1]
    """
    began = np.asarray(start, dtype="int64")
    days = np.broadcast_to(np.asarray(day, dtype="int64"), began.shape)
    months = [
        x.astype("datetime64[D]").astype("datetime64[M]").astype("int64") for x in (days, began)
    ]
    made = (months[0] - months[1]) // period_months
    return np.asarray(made - (renewal_days(began, made, period_months) > days))


def subscribed(
    frame: pd.DataFrame,
    as_of: dt.date,
    period_months: int = 1,
    grace_days: int | None = None,
) -> Subscribed:
    """Read the rows of subscriptions.

    Parameters
    ----------
    frame : DataFrame
        customer, start, end, amount (per billing period), plan.
    as_of : date
        Of what begins after it nothing is known; ends after it are notices.
    period_months : int, default 1
        Months of a billing period.
    grace_days : int, optional
        Longest break that is bridged; by default `grace`.
    """
    days = grace(period_months) if grace_days is None else grace_days
    today, rows_in = day_number(as_of), len(frame)
    rows, left = _usable(frame, today)
    priced = bool((rows["cents"] > 0).any())
    trials = converted = 0
    if priced:
        trials, converted = _trials(rows, today)
        free = rows["cents"] == 0
        left["free"] = int(free.sum())
        rows = rows[~free]
    rows, exclusive = _last_days(rows, today, period_months)
    rows, paid_until = _without_paid_until(rows, today, period_months)
    codes, customers = pd.factorize(rows["customer"], sort=True)
    rows = rows.assign(who=codes).drop(columns="customer")
    rows = rows.sort_values(
        ["who", "start", "end", "cents", "plan"], kind="stable", ignore_index=True
    )
    rows, stays, bridged = _stays(_taken_over(rows), days)
    causes = [cause for cause in CAUSES if left.get(cause)]
    return Subscribed(
        rows=rows[["who", "start", "end", "cents", "plan"]],
        stays=stays,
        customers=pd.Index(customers),
        as_of=as_of,
        period_months=period_months,
        grace_days=days,
        rows_in=rows_in,
        left_out=pd.DataFrame({"cause": causes, "rows": [left[cause] for cause in causes]}),
        bridged=bridged,
        trials=trials,
        converted=converted,
        priced=priced,
        exclusive_ends=exclusive,
        paid_until=paid_until,
        yearly=_yearly(rows, today, period_months),
    )


def _usable(frame: pd.DataFrame, today: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that can be read, and how many can't, by cause."""
    start = pd.to_datetime(frame["start"]).to_numpy(dtype="datetime64[D]")
    end = pd.to_datetime(frame["end"]).to_numpy(dtype="datetime64[D]")
    amount = pd.to_numeric(frame["amount"], errors="coerce").to_numpy(dtype=float)
    known = ~np.isnat(end)
    last = np.where(known, end.astype("int64"), OPEN)
    last = np.where(last > today + _FAR, OPEN, last)
    rows = pd.DataFrame(
        {
            "customer": frame["customer"].to_numpy(dtype=object),
            "start": start.astype("int64"),
            "end": last,
            "amount": amount,
            "plan": frame["plan"].to_numpy(dtype=object),
        }
    )
    without = pd.isna(rows["customer"]).to_numpy() | np.isnat(start)
    none_priced = not (amount > 0).any()
    left: dict[str, int] = {}
    keep = np.ones(len(rows), dtype=bool)
    tests = {
        "no_customer": without,
        "after": rows["start"].to_numpy() > today,
        "backwards": last < rows["start"].to_numpy(),
        "negative": amount < 0,
        "no_amount": np.isnan(amount) & (not none_priced),
    }
    for cause, found in tests.items():
        left[cause] = int((keep & found).sum())
        keep &= ~found
    rows = rows[keep]
    copies = rows.duplicated(["customer", "start", "end", "amount", "plan"])
    left["copies"] = int(copies.sum())
    rows = rows[~copies]
    # whole cents: sums of them are exact, and the flow adds up
    cents = np.round(100 * rows["amount"].fillna(0.0)).astype("int64")
    return rows.assign(cents=cents).drop(columns="amount"), left


def _trials(rows: pd.DataFrame, today: int) -> tuple[int, int]:
    """Customers whose first row was free and is over, and how many of these paid later."""
    free = (
        rows[rows["cents"] == 0].groupby("customer").agg(start=("start", "min"), end=("end", "max"))
    )
    paid = rows[rows["cents"] > 0].groupby("customer")["start"].min().reindex(free.index)
    tried = free[~(paid <= free["start"])]
    later = paid.reindex(tried.index).notna()
    over = later | (tried["end"] < today)
    return int(over.sum()), int((later & over).sum())


def _last_days(rows: pd.DataFrame, today: int, months: int) -> tuple[pd.DataFrame, bool]:
    """Ends as last days: where most fall on a renewal day, they are the first day without."""
    over = rows[rows["end"] <= today]
    if len(over) < SMALLEST:
        return rows, False
    start, end = over["start"].to_numpy(), over["end"].to_numpy()
    made = renewals_by(start, end, months)
    on_renewal = (made > 0) & (renewal_days(start, made, months) == end)
    if on_renewal.mean() <= _MOST_ENDS:
        return rows, False
    earlier = np.where(rows["end"] < OPEN, np.maximum(rows["end"] - 1, rows["start"]), OPEN)
    return rows.assign(end=earlier), True


def _without_paid_until(rows: pd.DataFrame, today: int, months: int) -> tuple[pd.DataFrame, bool]:
    running = (rows["start"] <= today) & (rows["end"] >= today)
    ahead = running & (rows["end"] < OPEN)
    if running.sum() < SMALLEST or ahead.sum() < _NEARLY_ALL * running.sum():
        return rows, False
    start = rows.loc[ahead, "start"].to_numpy()
    due = renewal_days(start, renewals_by(start, today, months) + 1, months)
    if (np.abs(rows.loc[ahead, "end"].to_numpy() - due) <= 1).mean() < _NEARLY_ALL:
        return rows, False
    return rows.assign(end=np.where(ahead, OPEN, rows["end"])), True


def _yearly(rows: pd.DataFrame, today: int, months: int) -> tuple[str, ...]:
    """Plans that end after whole years, where the period is no year."""
    over = rows[(rows["end"] <= today) & rows["plan"].notna()]
    if 12 % months or months == 12 or over.empty:
        return ()
    start, end = over["start"].to_numpy(dtype="int64"), over["end"].to_numpy(dtype="int64") + 1
    made = renewals_by(start, end, 12)
    whole = (made > 0) & (renewal_days(start, made, 12) == end)
    found = over.assign(whole=whole).groupby("plan")["whole"].agg(["size", "mean"])
    of_years = found[(found["size"] >= SMALLEST) & (found["mean"] >= _NEARLY_ALL)]
    return tuple(sorted(of_years.index.astype(str)))


def _taken_over(rows: pd.DataFrame) -> pd.DataFrame:
    """A row on whose last day another of the customer begins ends a day earlier."""
    begins = rows["who"].to_numpy() * (2 * OPEN) + rows["start"].to_numpy()
    ends = rows["who"].to_numpy() * (2 * OPEN) + rows["end"].to_numpy()
    shorter = np.isin(ends, begins) & (rows["end"] > rows["start"]).to_numpy()
    return rows.assign(end=rows["end"].to_numpy() - shorter)


def _stays(rows: pd.DataFrame, grace_days: int) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Rows with their breaks bridged, the stays, and how many breaks there were."""
    who = rows["who"].to_numpy()
    start = rows["start"].to_numpy(dtype="int64")
    reached = rows.groupby("who")["end"].cummax().to_numpy(dtype="int64")
    first = np.r_[True, who[1:] != who[:-1]][: len(rows)]
    before = np.r_[np.int64(0), reached[:-1]][: len(rows)]
    gap = np.where(first, 0, start - before - 1)
    begins = first | (gap > grace_days)
    bridged = ~begins & (gap > 0)
    # what ended last before a break is carried on to the day before the next row
    key = who * (2 * OPEN)
    open_at, until = (key + before)[bridged], start[bridged] - 1
    ends = key + rows["end"].to_numpy(dtype="int64")
    at = np.searchsorted(open_at, ends)
    hit = at < len(open_at)
    hit[hit] = open_at[at[hit]] == ends[hit]
    end = rows["end"].to_numpy(dtype="int64").copy()
    end[hit] = until[at[hit]]
    rows = rows.assign(end=end, stay=np.cumsum(begins) - 1)
    stays = rows.groupby("stay", sort=True).agg(
        who=("who", "first"), start=("start", "first"), end=("end", "max"), plan=("plan", "first")
    )
    stays = stays.reset_index(drop=True)
    stays["number"] = stays.groupby("who").cumcount() + 1
    return rows, stays, int(bridged.sum())
