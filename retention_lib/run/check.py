"""`retention check`: what a client's file and data look like, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from retention_lib.data.base import read_base
from retention_lib.data.purchases import CAUSES
from retention_lib.data.quality import placeholders, without_purchase
from retention_lib.params import ClientFile


def describe(file: ClientFile) -> Iterator[str]:
    """Lines on a client's data.

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
    yield (
        f"{base.rows_used:,} of {base.rows_in:,} rows are used; {len(customers):,} customers, "
        f"{base.start} to {base.as_of}."
    )
    for row in base.left_out.to_dict("records"):
        yield f"  left out: {row['rows']:,} rows. {CAUSES[row['cause']]}."
    if unpaid := without_purchase(base):
        yield f"{unpaid:,} customers have rows but no purchase (net zero or less)."
    for row in placeholders(base).to_dict("records"):
        yield (
            f'The id "{row["customer"]}" has {row["orders"]:,} orders ({row["share"]:.1%}); '
            "if it is no single customer, name it under guest_ids."
        )
    yield (
        f"The reporting period is {at.period.start} to {at.period.end}; customers at the start are "
        f"those with a purchase from {at.before.start} to {at.before.end}."
    )
