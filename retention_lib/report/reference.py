"""The definitions of the figures as a table, for the docs."""

from __future__ import annotations

from retention_lib.definitions import DEFINITIONS
from retention_lib.markdown import table
from retention_lib.report.labels import LABELS


def definitions_table() -> str:
    """Every figure: its id, its name in a report, what it counts."""
    rows = (
        (f"`{name}`", LABELS[name], text)
        for of in DEFINITIONS.values()
        for name, text in of.items()
    )
    return table(("id", "name", "counts"), rows)
