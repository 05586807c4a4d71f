"""What a run came to, in a few words: kept in `run.json`, told on the page of all clients.

That page is the consultant's: the words are English, the amounts the client's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retention_lib._nbformat import NotebookNode
from retention_lib.advice import kept
from retention_lib.languages import SOURCE
from retention_lib.report import told
from retention_lib.report.document.chapters import kind_of
from retention_lib.report.findings.advice import heading
from retention_lib.report.language import Formats
from retention_lib.report.outputs import outputs_of


def outcome(
    notebooks: Sequence[NotebookNode], handover: Path, currency: str, warnings: Sequence[str]
) -> dict[str, Any]:
    """What `run.json` says of a report beside its provenance.

    Parameters
    ----------
    notebooks : sequence of NotebookNode
        The executed chapters.
    handover : Path
        The run's folder, in which the chapter on actions left its advice.
    currency : str
        ISO 4217 code.
    warnings : sequence of str
        Told to the consultant, not in the report.

    Returns
    -------
    dict
        `verdict` (`fit`, `care`, `unfit` or None), `recommendations`, `beyond` (what the data sets
        beside the orders say; only where there are any) and `warnings` (sentences).
    """
    formats = Formats(SOURCE, currency)
    beyond = [formats.tell(one.finding) for one in told.load(handover) or ()]
    return {
        "verdict": _first(notebooks, "verdict").get("verdict"),
        "recommendations": [formats.tell(heading(one)) for one in kept.load(handover) or ()],
        **({"beyond": beyond} if beyond else {}),
        "warnings": list(warnings),
    }


def finding(notebooks: Sequence[NotebookNode]) -> str | None:
    """What the first chapter found, in the report's language; None where it has no heading."""
    return _first(notebooks, "chapter").get("text")


def _first(notebooks: Sequence[NotebookNode], kind: str) -> Mapping[str, Any]:
    """What the first output of a kind says of itself; nothing where there is none."""
    said = (o.metadata.retention for o in outputs_of(notebooks) if kind_of(o) == kind)
    return next(said, {})
