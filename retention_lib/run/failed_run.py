"""What `run.json` says of a run that failed."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retention_lib.params import Params


def failed_run(
    params: Params, sentences: Sequence[str], folder: Path, only: str | None
) -> dict[str, Any]:
    """The content of the file.

    Parameters
    ----------
    params : Params
    sentences : sequence of str
        Why.
    folder : Path
        What the run left: paths in the sentences are told from the folder of all reports.
    only : str or None
        The chapter that was run alone.

    Returns
    -------
    dict
        Beside when, whose and of what: `failed`, the sentences, and `stopped`, the chapters that
        did.
    """
    reports = f"{folder.parents[1]}{os.sep}"
    return {
        "schema": 1,
        "client": params.client,
        "finished": now(),
        "parameters": params.as_parameters(),
        "only": only,
        "failed": [sentence.replace(reports, "") for sentence in sentences],
        "stopped": [
            file.stem for file in sorted(folder.glob("notebooks/*.ipynb")) if _broken(file)
        ],
    }


def now() -> str:
    """The moment, as `run.json` writes it."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def _broken(file: Path) -> bool:
    """Whether papermill marked the notebook as one that raised."""
    try:
        about = json.loads(file.read_text(encoding="utf-8"))["metadata"]["papermill"]
        return about.get("exception") is True
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True  # it was cut short
