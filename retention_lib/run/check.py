"""`retention check`: what a client's file and data look like, in a few lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pandas as pd

from retention_lib.data import gate
from retention_lib.data.base import Base
from retention_lib.data.datasets import WORDS
from retention_lib.data.health import concerns
from retention_lib.data.quality import reasons
from retention_lib.data.read import read_base
from retention_lib.data.understood import sentences
from retention_lib.keys.datasets import data_sources
from retention_lib.keys.refusals import shown
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
    base = read_base(file.params, file.folder, today)
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
    formats = Formats("en", file.params.currency)
    for row in reasons(base).to_dict("records"):
        rows = "1 row" if row["rows"] == 1 else f"{row['rows']:,} rows"
        yield (
            f"  left out: {rows}. {row['cause']}. That is "
            f"{_shares(row['share_of_rows'], row['share_of_amount'], formats)}. [{row['key']}]"
        )
    yield from _further(base)
    gate.refuse(base, file.folder, today)
    for concern in concerns(base, _on_one_line, today):
        key = f" [{concern.key}]" if concern.key else ""
        yield f"  {formats.tell(concern.sentence)}{key}"
    yield (
        f"The reporting period is {at.period.start} to {at.period.end}; customers at the start are "
        f"those with a purchase from {at.before.start} to {at.before.end}."
    )


def _further(base: Base) -> Iterator[str]:
    """What was read of the data sets beside the orders."""
    places = data_sources(base.params)
    for name, found in base.datasets.items():
        yield (
            f"{places[name][0]}: {found.rows_used:,} of {found.rows_in:,} rows of "
            f"{', '.join(found.names)} are used."
        )
        for row in found.left_out.to_dict("records"):
            rows = "1 row" if row["rows"] == 1 else f"{row['rows']:,} rows"
            yield f"  left out: {rows}. {WORDS[row['cause']]}."


def _shares(of_rows: float, of_amount: float, formats: Formats) -> str:
    rows = f"{_share(of_rows, formats)} of the rows"
    if pd.isna(of_amount):
        return rows
    return f"{rows} and {_share(of_amount, formats)} of the revenue"


def _share(share: float, formats: Formats) -> str:
    """A share that isn't written as zero unless it is."""
    smallest = 0.001
    if 0 < abs(share) < smallest:
        return f"less than {formats.share(smallest)}"
    return formats.share(share)


def _on_one_line(customer: str) -> str:
    """An id as it can be printed: short, and without what would move the cursor."""
    return shown(customer)[1:-1]
