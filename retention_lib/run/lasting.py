"""Files that outlast a power cut: on the disk before anything says that they are there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def settle(folder: Path) -> None:
    """Have the system write a folder with all it holds to the disk."""
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def settle_names(folder: Path) -> None:
    """Have the system write which files a folder holds to the disk."""
    _sync(folder)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths change places in one step, so that neither is ever missing.

    Returns
    -------
    bool
        False where the system or its file system can't do that (Linux can, on its own ones).
    """
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    done: int = rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
    return done == 0


def _sync(path: Path) -> None:
    # not every system opens folders, not every file system can be told to write now
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
