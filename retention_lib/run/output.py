"""Where a run's files go, so that a reader sees a complete report, the last or the new one.

A report is built in a hidden folder beside its place and moved there when it is whole. What a
failed run leaves goes to `<as_of>.failed`; the last good report stays.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retention_lib.errors import UsageError


@contextmanager
def building(reports: Path, client: str) -> Iterator[Path]:
    """A hidden folder in which a client's report is built; removed if it is still there at the end.

    Raises
    ------
    UsageError
        The reports' folder can't be written to.
    """
    place = reports / client
    try:
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".building-", dir=place))
    except OSError as error:
        raise UsageError(
            f"{place}: the report can't be written there ({error.strerror or error}); "
            "name another folder with --out"
        ) from error
    folder.chmod(0o755)  # mkdtemp makes a private folder; a report is to be read
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(built: Path, target: Path) -> None:
    """Move a whole report to its place; one that is there gives way only then.

    A folder can't be replaced in one step on every system: the old one is moved aside first, and
    moved back if the new one can't take its place.
    """
    aside = target.with_name(f".replaced-{built.name}")
    replaced = target.exists()
    if replaced:
        target.replace(aside)
    try:
        built.replace(target)
    except OSError:
        if replaced:
            aside.replace(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def leave_failed(built: Path, target: Path, log: str) -> Path:
    """Keep what a failed run made, with its log, beside the place of the report.

    Returns
    -------
    Path
        The folder: half-executed notebooks and `run.log`. An earlier one is replaced.
    """
    failed = target.with_name(f"{target.name}.failed")
    (built / "run.log").write_text(log, encoding="utf-8")
    shutil.rmtree(failed, ignore_errors=True)
    built.replace(failed)
    return failed


def forget_failed(target: Path) -> None:
    """Remove what an earlier run left that failed at what has now been done."""
    shutil.rmtree(target.with_name(f"{target.name}.failed"), ignore_errors=True)
