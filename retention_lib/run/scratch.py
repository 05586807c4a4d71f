"""Temporary folders with a client's data in them: gone with the run, however it ended.

A run that is killed can't remove its own. Each folder is held by a lock, which a process loses
when it dies; the next run removes those that nobody holds.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from retention_lib.run.lock import HeldError, held

_PREFIX: Final = "retention-run-"
_LOCKS: Final = ".lock"
#: Seconds in which who made a folder has come to hold it.
_YOUNG: Final = 60


@contextmanager
def scratch() -> Iterator[Path]:
    """A private temporary folder, removed at the end."""
    _sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = folder.with_name(f"{folder.name}{_LOCKS}")
    try:
        with held(lock):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)


def _sweep(temporary: Path) -> None:
    """Remove the folders whose run was killed."""
    for lock in temporary.glob(f"{_PREFIX}*{_LOCKS}"):
        # another user's, or one that is in use
        with contextlib.suppress(HeldError, OSError):
            if time.time() - lock.stat().st_mtime < _YOUNG:
                continue
            _remove(lock)
    for folder in temporary.glob(f"{_PREFIX}*"):  # of a run that was killed before it had a lock
        with contextlib.suppress(OSError):
            if not folder.is_dir() or folder.with_name(f"{folder.name}{_LOCKS}").exists():
                continue
            if time.time() - folder.stat().st_mtime > _YOUNG:
                shutil.rmtree(folder, ignore_errors=True)


def _remove(lock: Path) -> None:
    with held(lock):
        shutil.rmtree(lock.with_name(lock.name.removesuffix(_LOCKS)), ignore_errors=True)
        lock.unlink(missing_ok=True)
