"""Locks that one process at a time can hold; a process that dies lets them go."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class HeldError(Exception):
    """Another process holds the lock.

    Attributes
    ----------
    by : str
        Which one, as far as it said.
    """

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__(by)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Wait for a lock, and hold it.

    Parameters
    ----------
    file : Path
        What the lock is tied to: a small file, which stays.

    Raises
    ------
    OSError
        The file can't be written, or its file system knows no locks.
    """
    with file.open("a+b") as stream:
        _lock(stream, wait=True)
        yield  # closing the file lets the lock go


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold a lock that no other process holds; who holds it stands in the file.

    Parameters
    ----------
    file : Path
        What the lock is tied to: a small file, which stays.

    Raises
    ------
    HeldError
        Another process has it.
    OSError
        The file can't be written. A file system that knows no locks lets everybody in.
    """
    with file.open("a+b") as stream:
        try:
            _lock(stream, wait=False)
        except (BlockingIOError, PermissionError):
            stream.seek(0)
            by = stream.read(200).decode("utf-8", "replace").strip()
            raise HeldError(by or "another process") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        with contextlib.suppress(OSError):  # a full disk takes no name, but it can be cleared
            stream.truncate(0)
            os.write(stream.fileno(), f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield


if sys.platform == "win32":
    import msvcrt

    #: Beyond what is ever written, so that others can read who holds the lock.
    _BYTE = 1 << 16

    def _lock(stream: IO[bytes], *, wait: bool) -> None:
        stream.seek(_BYTE)
        msvcrt.locking(stream.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        stream.seek(0)

else:
    import fcntl

    def _lock(stream: IO[bytes], *, wait: bool) -> None:
        fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
