"""A lock that one process at a time can hold, for files that several runs write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait for a lock that one process at a time can hold; a process that dies lets it go.

    Parameters
    ----------
    file : Path
        What the lock is tied to: an empty file, which stays.

    Raises
    ------
    OSError
        The file can't be written, or its file system knows no locks.
    """
    with file.open("a+b") as stream:
        _lock(stream)
        yield  # closing the file lets the lock go


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: IO[bytes]) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(stream: IO[bytes]) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX)
