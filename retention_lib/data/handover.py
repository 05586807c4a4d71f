"""The folder in which one run hands data to the kernels of its chapters.

The run reads the client's source once and leaves the result here; each chapter's kernel finds the
folder in its environment. A notebook run by plain papermill or by hand has no such folder and works
everything out itself, with the same result.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any, Final

from retention_lib.report_files import CUSTOMERS

#: Environment variable with the folder's path.
VARIABLE: Final = "RETENTION_RUN"


def run_folder() -> Path | None:
    """The folder of the run that started this kernel; None outside a run."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None


#: The forecast that the client's last report left, for the chapters to score.
LAST_MODEL: Final = "last_model.json"


def last_model() -> Path | None:
    """The last report's forecast; None outside a run, or where no report was before."""
    folder = run_folder()
    file = None if folder is None else folder / LAST_MODEL
    return file if file and file.exists() else None


#: The small tables of prepared data, by their names in `Base`.
FRAMES: Final = ("left_out", "currencies")


def frame_file(name: str) -> str:
    """The file that has one of `FRAMES`."""
    return f"{name}.arrow"


#: What the client's earlier reports said (`data.history`).
EARLIER: Final = "earlier.parquet"


def earlier_reports() -> Path | None:
    """What earlier reports said; None outside a run, or where no report was before."""
    folder = run_folder()
    file = None if folder is None else folder / EARLIER
    return file if file and file.exists() else None


def earlier_customers(folder: Path, day: str) -> Path:
    """Where a run's folder has the last report's customers, by the day of that report."""
    return folder / f"{day}_{CUSTOMERS}"


def last_customers() -> tuple[dt.date, Path] | None:
    """The day of the last report and its customers; None as with `earlier_reports`."""
    folder = run_folder()
    found = [] if folder is None else sorted(folder.glob(f"????-??-??_{CUSTOMERS}"))
    return (dt.date.fromisoformat(found[-1].name[:10]), found[-1]) if found else None


#: Subfolder of what goes out with the report.
OUTPUT: Final = "output"


def output_folder() -> Path | None:
    """Where a chapter leaves a file that goes out with the report; None outside a run."""
    folder = run_folder()
    if folder is None:
        return None
    (folder / OUTPUT).mkdir(exist_ok=True)
    return folder / OUTPUT


def leave_json(value: Any, file: Path) -> None:
    """Leave a value as JSON, whole or not at all: another chapter may be looking for it."""
    half = file.with_name(f"{file.name}.half")
    half.write_text(json.dumps(value), encoding="utf-8")
    half.replace(file)


def left_json(file: Path) -> Any | None:
    """What was left as JSON; None where nothing was."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
