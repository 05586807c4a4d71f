"""What stands behind a report's tables, figures and sentences, so that each figure can be traced.

What is printed is rounded and written in the reader's language. Beside it goes what it was made of,
in full, for `metrics.json`: a table's and a figure's columns and rows, a sentence's values.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from great_tables import GT

from retention_lib._nbformat import NotebookNode
from retention_lib.data.schema import CUSTOMER
from retention_lib.metrics import Metric
from retention_lib.report.outputs import published
from retention_lib.sentence import Sentence

TRACED_MIME: Final = "application/vnd.retention.traced+json"
#: Rows of a figure that are kept at most: what has more is drawn of customers, one by one.
MOST_ROWS: Final = 2_000
#: Significant digits: what comes after them depends on the order in which a machine adds up.
DIGITS: Final = 12


@dataclass(frozen=True)
class Table:
    """A table as it is printed, and the figures that it was made from.

    Parameters
    ----------
    laid_out : great_tables.GT
    id : str
        Names it in the HTML and in `metrics.json`.
    units : mapping
        Column → unit or format, of the columns that are printed.
    frame : DataFrame
        The rows, unrounded.
    """

    laid_out: GT
    id: str
    units: Mapping[str, str]
    frame: pd.DataFrame

    def as_raw_html(self, **options: Any) -> str:
        """The table as HTML (great-tables)."""
        return self.laid_out.as_raw_html(**options)

    def _repr_html_(self) -> str:
        return self.laid_out._repr_html_()

    def traced(self) -> dict[str, Any]:
        """Its rows, by its id.

        Of what isn't printed only figures are kept, such as the ends of an interval: a text that
        the report doesn't show may be one that it mustn't.
        """
        kept = [
            name
            for name in self.frame.columns
            if name in self.units or pd.api.types.is_numeric_dtype(self.frame[name])
        ]
        return {"tables": {self.id: rows(self.frame[kept], self.units)}}


def of_figure(name: str, frame: pd.DataFrame, alt: str) -> dict[str, Any]:
    """A figure's rows, with the sentence that tells what it shows."""
    if len(frame) > MOST_ROWS:
        return {}
    return {
        "figures": [
            {"figure": name, "alt": alt, **rows(frame.drop(columns=CUSTOMER, errors="ignore"))}
        ]
    }


def of_sentences(*sentences: str | None) -> dict[str, Any]:
    """The sentences that have values, each as its message and the values by name."""
    told = [_told(one) for one in sentences if isinstance(one, Sentence) and one.values]
    return {"sentences": told} if told else {}


def _told(one: Sentence) -> dict[str, Any]:
    return {"message": one.english, "values": {k: _value(v) for k, v in one.values.items()}}


def rows(frame: pd.DataFrame, units: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Columns and rows as JSON holds them; what is missing is null."""
    named = frame.set_axis([str(name) for name in frame.columns], axis=1)
    columns = [
        {"name": name} | ({"unit": units[name]} if units and name in units else {})
        for name in named.columns
    ]
    values = named.astype(object).itertuples(index=False, name=None)
    return {"columns": columns, "rows": [[_plain(value) for value in row] for row in values]}


def traced_of(notebooks: Sequence[NotebookNode]) -> dict[str, Any]:
    """What the executed notebooks printed: `tables` by id, `figures` and `sentences` in order.

    Raises
    ------
    ValueError
        Two tables have one id, so that a figure couldn't be traced.
    """
    found: dict[str, Any] = {"tables": {}, "figures": [], "sentences": []}
    for behind in published(notebooks, TRACED_MIME):
        for name, content in behind.get("tables", {}).items():
            if found["tables"].setdefault(name, content) != content:
                raise ValueError(f"two tables have the id {name!r}: give each one of its own")
        for kind in ("figures", "sentences"):
            found[kind] += [one for one in behind.get(kind, []) if one not in found[kind]]
    return found


def _value(value: Any) -> Any:
    """A value of a sentence; of a metric what a reader of the figures needs."""
    if isinstance(value, Metric):
        return {k: v for k, v in value.as_json().items() if k != "note"}
    return _told(value) if isinstance(value, Sentence) else _plain(value)


def _plain(value: Any) -> Any:
    """A value that JSON can carry."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, bool | int) else str(value)
