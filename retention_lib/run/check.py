"""`retention check`: what a client's file and data look like, in a few lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import ibis

from retention_lib.data import schema
from retention_lib.data.base import Base, read_base
from retention_lib.data.health import concerns
from retention_lib.data.purchases import CAUSES
from retention_lib.data.understood import sentences
from retention_lib.params import ClientFile
from retention_lib.report.language import Formats


def describe(file: ClientFile, today: dt.date | None = None) -> Iterator[str]:
    """Lines on a client's data.

    Parameters
    ----------
    file : ClientFile
    today : date, optional
        The day after which an order can't have happened; the clock's where not given.

    Raises
    ------
    DataError
        The data can't be used.
    """
    base = read_base(file.params, file.folder)
    at = base.windows
    customers = base.customers()
    yield f"{file.path}: the client file is in order."
    yield f"Read: {', '.join(base.names)}."
    if base.understood:
        for sentence in sentences(base.understood, file.params.csv):
            yield f"  {sentence}"
    yield (
        f"{base.rows_used:,} of {base.rows_in:,} rows are used; {len(customers):,} customers, "
        f"{base.start} to {base.as_of}."
    )
    for row in base.left_out.to_dict("records"):
        yield f"  left out: {row['rows']:,} rows. {CAUSES[row['cause']]}."
    yield from _future(base, today or dt.date.today())
    formats = Formats("en", file.params.currency)
    for concern in concerns(base):
        key = f" [{concern.key}]" if concern.key else ""
        yield f"  {formats.tell(concern.sentence)}{key}"
    yield (
        f"The reporting period is {at.period.start} to {at.period.end}; customers at the start are "
        f"those with a purchase from {at.before.start} to {at.before.end}."
    )


def _future(base: Base, today: dt.date) -> Iterator[str]:
    """A caution on orders of days that haven't been; they may be typing errors."""
    if base.as_of <= today or base.params.as_of:
        return
    day = base.days[schema.DAY]
    rows = base.days.filter(day > ibis.date(today)).rows.sum().execute()
    last = base.days.filter(day <= ibis.date(today)).day.max().execute()
    until = "" if last is None or last != last else f", such as {last:%Y-%m-%d}"
    yield (
        f"  {rows:,} rows are of days after today, up to {base.as_of}; if these are typing errors, "
        f"set as_of to the last right day{until}."
    )
