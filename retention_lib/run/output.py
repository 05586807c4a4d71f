"""Where a run's files go, so that a reader sees a complete report, the last or the new one.

A report is built in a hidden folder beside its place and moved there when it is whole, in one step
where the system can. What a failed run leaves goes to `<as_of>.failed`; the last good report
stays. One run at a time works on a client; what one left that was killed, the next one clears.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from retention_lib.errors import RetentionError, UsageError
from retention_lib.run import kept_data
from retention_lib.run.full_disk import told_full
from retention_lib.run.lasting import exchange, settle, settle_names
from retention_lib.run.lock import HeldError, held

#: Held while a client's report is made.
LOCK: Final = ".run.lock"
_BUILDING: Final = ".building-"
_REPLACED: Final = ".replaced-"
_LOOK: Final = 0.2


class BusyError(RetentionError):
    """Another run is at work on the client."""


@contextmanager
def building(reports: Path, client: str, patience: float = 0) -> Iterator[Path]:
    """A hidden folder in which a client's report is built; removed if it is still there at the end.

    Parameters
    ----------
    reports : Path
        Folder of all clients' reports.
    client : str
    patience : float, default 0
        Seconds to wait for another run that is at work on the client.

    Raises
    ------
    UsageError
        The reports' folder can't be written to.
    BusyError
        Another run is making a report of this client.
    """
    place = reports / client
    with _in_turn(place, patience):
        try:
            folder = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=place))
        except OSError as error:
            raise _cannot_write(place, error) from error
        folder.chmod(0o755)  # mkdtemp makes a private folder; a report is to be read
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _in_turn(place: Path, patience: float) -> Iterator[None]:
    """Be the only run that works on a client's folder, after one that is done within `patience`."""
    deadline = time.monotonic() + patience
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(at_work_on(place))
                break
            except BusyError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(_LOOK)
        yield


@contextmanager
def at_work_on(place: Path, *, cleared: bool = True) -> Iterator[None]:
    """Be the only run that works on a client's folder.

    Parameters
    ----------
    place : Path
        The folder; it is made where there is none.
    cleared : bool, default True
        Clear it first of what a run left that was killed.

    Raises
    ------
    UsageError, BusyError
        As `building`.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with held(place / LOCK):
            if cleared:
                clear(place)
            yield
    except HeldError as error:
        raise BusyError(
            f"{place.name}: its report is being made by another run ({error.by}); wait until it "
            "is done, or end it"
        ) from None
    except OSError as error:
        if getattr(error, "filename", None) == str(place / LOCK) or not place.is_dir():
            raise _cannot_write(place, error) from error
        raise


def clear(place: Path) -> None:
    """Clear what a run left that was killed: half a report goes, a report moved aside comes back.

    Parameters
    ----------
    place : Path
        The client's folder, on which no other run is at work.
    """
    for aside in place.glob(f"{_REPLACED}*"):
        target = place / aside.name.removeprefix(_REPLACED)
        if target.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.replace(target)
    for left in place.glob(f"{_BUILDING}*"):
        shutil.rmtree(left, ignore_errors=True)
    kept_data.clear(place)


def put_in_place(built: Path, target: Path) -> None:
    """Move a whole report to its place; one that is there gives way only then.

    Both change places in one step where the system can do that. Elsewhere the old one is moved
    aside first; `clear` moves it back if the run is killed in between.
    """
    settle(built)
    if not target.exists():
        built.replace(target)
    elif not exchange(built, target):
        aside = target.with_name(f"{_REPLACED}{target.name}")
        shutil.rmtree(aside, ignore_errors=True)
        target.replace(aside)
        try:
            built.replace(target)
        except OSError:
            aside.replace(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    settle_names(target.parent)
    settle_names(target.parent.parent)  # it may be the client's first


def half_built(place: Path) -> Path:
    """What a run that was killed had built of a client's report; an empty folder for nothing."""
    built = next(iter(place.glob(f"{_BUILDING}*")), None)
    built = built or Path(tempfile.mkdtemp(prefix=_BUILDING, dir=place))
    built.chmod(0o755)
    return built


def leave_failed(built: Path, target: Path, log: str) -> Path:
    """Keep what a failed run made, with its log, beside the place of the report.

    Returns
    -------
    Path
        The folder: half-executed notebooks and `run.log`. An earlier one is replaced.
    """
    failed = target.with_name(f"{target.name}.failed")
    shutil.rmtree(failed, ignore_errors=True)  # first: there may be no room for two
    (built / "run.log").write_text(log, encoding="utf-8")
    built.replace(failed)
    return failed


def logs(built: Path) -> list[str]:
    """The chapters' logs, each under its name; they are taken out of the folder."""
    parts = []
    for log in sorted((built / "logs").glob("*.log")):
        parts.append(f"== {log.stem}\n{log.read_text(encoding='utf-8', errors='replace')}")
        log.unlink()
    if (built / "logs").exists():
        (built / "logs").rmdir()
    return parts


def forget_failed(target: Path) -> None:
    """Remove what an earlier run left that failed at what has now been done."""
    shutil.rmtree(target.with_name(f"{target.name}.failed"), ignore_errors=True)


def _cannot_write(place: Path, error: OSError) -> UsageError:
    remedy = "make room, or name" if told_full(error) else "name"
    return UsageError(
        f"{place}: the report can't be written there ({error.strerror or error}); "
        f"{remedy} another folder with --out"
    )
