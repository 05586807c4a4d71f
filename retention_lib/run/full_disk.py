"""A full disk, told as such by whichever library met it."""

from __future__ import annotations

import errno
import os
from typing import Final

#: No space left; the quota is used up.
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def told_full(error: Exception) -> str | None:
    """A sentence on a disk that is full, without its full stop; None where that isn't it.

    Parameters
    ----------
    error : Exception
        An `OSError`, or what a library made of one, with the system's words in its own.
    """
    if isinstance(error, OSError) and error.errno is not None:
        if error.errno not in FULL:
            return None
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; {_REMEDY}"
    words = next((os.strerror(number) for number in FULL if os.strerror(number) in str(error)), "")
    return f"{words}; {_REMEDY}" if words else None


_REMEDY: Final = "make room for the reports and for temporary files, and run it again"
