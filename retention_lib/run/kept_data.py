"""The data as a run prepared it, with its forecast, kept beside the reports for the next run.

Who changes a notebook and runs its chapter again waits for the chapter only. It is taken over where
the data and the program are what they were; what else it depends on in the client file the parts
themselves know (`data.prepared`, `models.saved`), and are made anew where that changed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from retention_lib import report_files
from retention_lib.data.handover import EARLIER, FRAMES, LAST_MODEL, frame_file
from retention_lib.data.remote.fetch import FETCHED
from retention_lib.run.json_files import write_json

#: Beside a client's reports; like the customers' tables there, it holds the client's data.
FOLDER: Final = ".prepared"
_ABOUT: Final = "inputs.json"
_SIZES: Final = "sizes"
_OF: Final = ("data", "program")
#: What depends on more than that: other reports, and what chapters work out of the data; and files
#: that were fetched from elsewhere, which no run leaves here.
_NOT: Final = (EARLIER, LAST_MODEL, f"*_{report_files.CUSTOMERS}", "*.arrow", ".*", FETCHED)


def keep(handover: Path, reports: Path, inputs: Mapping[str, str | None]) -> None:
    """Keep what was prepared, in the place of what an earlier run kept.

    Parameters
    ----------
    handover : Path
        The run's folder, when the forecast is made and no chapter that needs it has begun.
    reports : Path
        The client's folder.
    inputs : mapping
        The digests of what the run was made from (`fingerprint.parts`).
    """
    if inputs["data"] is None:
        return
    part, place = reports / f"{FOLDER}.{os.getpid()}.part", reports / FOLDER
    try:
        shutil.copytree(handover, part, ignore=_not_kept)
        about = {name: inputs[name] for name in _OF}
        write_json(part / _ABOUT, {**about, _SIZES: _sizes(part)})
        shutil.rmtree(place, ignore_errors=True)
        part.replace(place)
    except OSError:  # it would only save time
        shutil.rmtree(part, ignore_errors=True)


def take_over(handover: Path, reports: Path, inputs: Mapping[str, str | None]) -> bool:
    """Copy what an earlier run prepared from the same data to this run's folder.

    Returns
    -------
    bool
        False where there is nothing of the kind, or not all of it.
    """
    kept = reports / FOLDER
    try:
        about: Any = json.loads((kept / _ABOUT).read_text(encoding="utf-8"))
        # a run that was killed, or a power cut, leaves less than was kept
        wanted = {**{name: inputs[name] for name in _OF}, _SIZES: _sizes(kept)}
        if inputs["data"] is None or about != wanted:
            return False
        shutil.copytree(kept, handover, dirs_exist_ok=True)
    except (OSError, ValueError):
        return False
    return True


def give_back(handover: Path) -> None:
    """Empty a run's folder of what was taken over."""
    for path in handover.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def clear(reports: Path) -> None:
    """Remove what a run left that was killed while it kept something."""
    for part in reports.glob(f"{FOLDER}.*.part"):
        shutil.rmtree(part, ignore_errors=True)


def _not_kept(folder: str, names: Sequence[str]) -> set[str]:
    return {
        name
        for name in names
        if name not in map(frame_file, FRAMES) and any(fnmatch(name, pattern) for pattern in _NOT)
    }


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(files)
        if path.name != _ABOUT
    }
