"""How many clients a machine takes at once: by its cores and by its free memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import psutil

#: Bytes that a client's run and its kernels hold for themselves, of some 20,000 customers.
A_CLIENT: Final = 700 * 2**20
#: Bytes without which no further client is begun while others are at work.
_LEAST: Final = 500 * 2**20
_CGROUP: Final = Path("/sys/fs/cgroup")


def cores() -> int:
    """The cores that this process may use."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    quota, _, period = _told("cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal() and int(period):
        allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def free_memory() -> int:
    """Bytes that can be had without taking them from others."""
    free: int = psutil.virtual_memory().available
    most, used = _told("memory.max"), _told("memory.current")
    if most.isdecimal() and used.isdecimal():
        free = min(free, int(most) - int(used) + _reclaimable())
    return free


def default_jobs() -> int:
    """As many clients at once as there are cores, and memory for."""
    return max(1, min(cores(), free_memory() // A_CLIENT))


def enough_memory() -> bool:
    """Whether there is room for one client more."""
    return free_memory() > _LEAST


def _reclaimable() -> int:
    """What of a container's memory holds only copies of files."""
    found = dict(line.split() for line in _told("memory.stat").splitlines())
    return int(found.get("inactive_file", 0))


def _told(name: str) -> str:
    try:
        return (_CGROUP / name).read_text().strip()
    except OSError:
        return ""
