"""What a report was made from, in digests: so that what hasn't changed isn't made again.

A report depends on the client file, the data, the notebooks, this program with the libraries that
it stands on, and the client's earlier reports. `run.json` keeps a digest of each under `inputs`;
a report whose digests are today's would come out the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from retention_lib import report_files
from retention_lib.data import history
from retention_lib.data.files import fill_variables, lies_elsewhere, named_files, states
from retention_lib.errors import DataError
from retention_lib.keys.datasets import data_sources
from retention_lib.keys.source import source_kind
from retention_lib.languages import VARIABLE as CATALOGS
from retention_lib.params import ClientFile
from retention_lib.run.job import Job
from retention_lib.run.provenance import PACKAGES
from retention_lib.run.stored import day_of
from retention_lib.versions import versions

#: What each digest is of, as it is told.
NAMES: Final[Mapping[str, str]] = {
    "client_file": "the client file",
    "data": "the data",
    "notebooks": "the notebooks",
    "program": "the program",
    "earlier": "an earlier report",
}
_PROGRAM: Final = Path(__file__).parents[1]
#: A report that lacks one of these isn't whole.
_WHOLE: Final = (report_files.HTML, report_files.METRICS, report_files.CUSTOMERS)


def parts(job: Job, notebooks: Path) -> dict[str, str | None]:
    """The digests that are known before anything is read.

    Parameters
    ----------
    job : Job
    notebooks : Path
        The folder of the chapters' notebooks.

    Returns
    -------
    dict
        Of `client_file`, `data`, `notebooks` and `program`; None for what can't be known without
        reading it: the rows of a database, a file that isn't there.
    """
    return {
        "client_file": _of_client_file(job.file),
        "data": _of_data(job.file),
        "notebooks": _of_files(sorted(notebooks.glob("*.ipynb")), notebooks),
        "program": program(),
    }


def earlier(folder: Path, as_of: dt.date) -> dict[str, str | None]:
    """The digest of a client's reports of earlier days, with which a report compares its own.

    Parameters
    ----------
    folder : Path
        The client's folder.
    as_of : date
        The report's day.
    """
    days = sorted(d for d in folder.iterdir() if (day := day_of(d.name)) and day < as_of)
    told = [(d.name, *_state(d / report_files.METRICS)) for d in days]
    return {"earlier": _digest(told)}


def program() -> str:
    """The digest of this program and of the libraries that it stands on."""
    return _program(os.environ.get(CATALOGS))


def unchanged(job: Job, notebooks: Path) -> tuple[Path | None, str]:
    """The report that a run would make again as it is.

    Parameters
    ----------
    job : Job
    notebooks : Path
        The folder of the chapters' notebooks.

    Returns
    -------
    report : Path or None
        The folder of the report.
    why : str
        Where there is none, what changed since the latest: a few words; empty for the first one.
    """
    if job.only is not None or not job.folder.is_dir():
        return None, ""
    days = sorted((d for d in job.folder.iterdir() if day_of(d.name)), reverse=True)
    now, why = parts(job, notebooks), ""
    for day in days:
        run = _run(day)
        if run is None:
            continue
        then = run.get("inputs") or {}
        changed = [name for name in now if not _same(name, now, then, run, job)]
        today = earlier(job.folder, dt.date.fromisoformat(day.name))
        changed += [name for name in today if today[name] != then.get(name)]
        if not changed:
            missing = _missing(day, run, job)
            if not missing:
                return day, ""
            why = why or missing
        why = why or _told(changed, now)
    return None, why


def _same(
    name: str,
    now: Mapping[str, str | None],
    then: Mapping[str, Any],
    run: Mapping[str, Any],
    job: Job,
) -> bool:
    if now[name] is None:
        return False
    if now[name] == then.get(name):
        return True
    # files that were written anew may hold what they held
    if name != "data" or then.get(name) is None:
        return False
    if not all(_kind(one) == "files" and not lies_elsewhere(one) for one in _sources(job.file)):
        return False
    return _of_bytes(job.file) == _bytes_of(run)


def _missing(day: Path, run: Mapping[str, Any], job: Job) -> str:
    """What was asked for now and wasn't then, or has gone since; empty for nothing."""
    files = (*_WHOLE, *([report_files.PDF] if job.pdf else []))
    gone = [name for name in files if not (day / name).exists()]
    if gone:
        return f"{gone[0]} isn't there"
    if not (job.folder / history.FILE_NAME).exists():
        return "the history isn't there"
    if run.get("author") != job.author:
        return "another author"
    return ""


def _told(changed: Iterable[str], now: Mapping[str, str | None]) -> str:
    unknown = "of a database it isn't known whether the data changed"
    told = [NAMES[name] if now.get(name, "") is not None else unknown for name in changed]
    return f"{', '.join(told)} changed" if unknown not in told else unknown


def _of_client_file(file: ClientFile) -> str:
    sources = _sources(file)
    entries = [e for one in sources for e in ([one] if isinstance(one, str) else one)]
    try:
        filled = [fill_variables(entry) for entry in entries]
    except DataError:  # the run says which variable isn't set
        filled = []
    logo = file.params.brand.logo
    pictured = _of_files([file.folder / logo], file.folder) if logo else None
    return _digest([file.params.as_parameters(), filled, pictured])


def _of_data(file: ClientFile) -> str | None:
    """Names, sizes and times of the sources' files; of a log that a package brings, its name."""
    told = [_of_source(source, file.folder) for source in _sources(file)]
    if None in told:
        return None
    return told[0] if len(told) == 1 else _digest(told)


def _of_source(source: str | list[str], folder: Path) -> str | None:
    if isinstance(source, str) and source.startswith("builtin:"):
        return _digest(source)
    if _kind(source) != "files":
        return None
    try:
        return _digest(states(source, folder))
    except (DataError, OSError):
        return None


def _sources(file: ClientFile) -> list[str | list[str]]:
    """All that a client's data comes from: the orders, and the further data sets."""
    further = (source.source for _, source in data_sources(file.params).values())
    return [file.params.source, *further]


def _of_bytes(file: ClientFile) -> list[str]:
    """What the sources' files hold, as `run.json` tells it (`Source.fingerprint`)."""
    digests = []
    for source in _sources(file):
        digest = hashlib.sha256()
        for named in named_files(source, file.folder):
            with named.path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        digests.append(digest.hexdigest())
    return digests


def _bytes_of(run: Mapping[str, Any]) -> list[str | None] | None:
    data = run.get("data")
    if not isinstance(data, Mapping):
        return None
    return [data.get("sha256"), *(one.get("sha256") for one in run.get("datasets", {}).values())]


def _kind(source: str | list[str]) -> str:
    kind = source_kind(source)
    if kind == "unknown" and isinstance(source, str):
        try:
            kind = source_kind(fill_variables(source))
        except DataError:
            return "unknown"
    return kind


@cache
def _program(catalogs: str | None) -> str:
    files = [
        path
        for path in sorted(_PROGRAM.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    own = Path(catalogs) if catalogs else None
    more = sorted(own.rglob("*.po")) if own and own.is_dir() else []
    python = platform.python_version()
    return _digest([_of_files(files, _PROGRAM), _of_files(more, own), python, versions(PACKAGES)])


def _of_files(files: Iterable[Path], folder: Path | None) -> str:
    digest = hashlib.sha256()
    for file in files:
        name = file.relative_to(folder) if folder and file.is_relative_to(folder) else file
        digest.update(f"{name}\n".encode("utf-8", "surrogateescape"))
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError:
            digest.update(b"-")
    return digest.hexdigest()


def _state(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _run(day: Path) -> dict[str, Any] | None:
    try:
        run = json.loads((day / report_files.RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return run if isinstance(run, dict) else None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
