"""The files that a chapter leaves beside the report: the customers, and the lists as a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import output_folder
from retention_lib.report.customers import COLUMNS
from retention_lib.report.language import Formats
from retention_lib.report.tables import Format
from retention_lib.report.workbook import Sheet, write_workbook
from retention_lib.retention.lists import ActionList

CUSTOMERS = "customers.parquet"
ACTIONS = "actions.xlsx"

_FORMATS: Final[dict[str, Format]] = {
    "segment": "text",
    "tier": "text",
    "first": "date",
    "last": "date",
    "purchases": "count",
    "revenue": "currency",
    "p_alive": "share",
    "expected_purchases": "number",
    "clv": "currency",
    "value_at_stake": "currency",
}
_LABELS = {
    "customer": "Customer",
    "segment": "Segment",
    "tier": "Tier",
    "first": "First purchase",
    "last": "Last purchase",
    "purchases": "Purchases",
    "revenue": "Revenue so far",
    "p_alive": "P(alive)",
    "expected_purchases": "Expected purchases",
    "clv": "CLV",
    "value_at_stake": "At stake",
}


def leave(
    base: Base, customers: pd.DataFrame, lists: Sequence[ActionList], formats: Formats
) -> None:
    """Leave `customers.parquet` and `actions.xlsx` to go out with the report.

    Only a run of `retention report` has a place for them; a notebook that is run by itself leaves
    nothing behind. They carry the real ids.
    """
    folder = output_folder()
    if folder is None:
        return
    customers[list(COLUMNS)].to_parquet(folder / CUSTOMERS)
    write_workbook(
        folder / ACTIONS,
        sheets(lists, formats),
        formats,
        client=base.params.title or base.params.client,
        as_of=base.as_of,
    )


def sheets(lists: Sequence[ActionList], formats: Formats) -> list[Sheet]:
    """A sheet a list."""
    return [
        Sheet(
            name=formats.say(one.title),
            about=formats.say(one.about),
            frame=one.customers.rename_axis("customer").reset_index(),
            formats={"customer": "text", **_FORMATS},
            labels={column: formats.say(text) for column, text in _LABELS.items()},
        )
        for one in lists
    ]
