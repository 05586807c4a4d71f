"""The names of a report's files, as CONTRACT lists them."""

from __future__ import annotations

from typing import Final

HTML: Final = "report.html"
PDF: Final = "report.pdf"
METRICS: Final = "metrics.json"
#: Provenance: written last, so that a report which has it is whole.
RUN: Final = "run.json"
MODEL: Final = "model.json"
CUSTOMERS: Final = "customers.parquet"
ACTIONS: Final = "actions.xlsx"
