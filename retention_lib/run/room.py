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
_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN_GROUP: Final = Path("/proc/self/cgroup")


def cores() -> int:
    """The cores that this process may use."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    for group in _groups():
        quota, _, period = _told(group, "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            allowed = min(allowed, max(1, round(int(quota) / int(period))))
    return allowed


def free_memory() -> int:
    """Bytes that can be had without taking them from others."""
    free: int = psutil.virtual_memory().available
    for group in _groups():
        most, used = _told(group, "memory.max"), _told(group, "memory.current")
        if most.isdecimal() and used.isdecimal():
            free = min(free, int(most) - int(used) + _reclaimable(group))
    return free


def default_jobs() -> int:
    """As many clients at once as there are cores, and memory for."""
    return max(1, min(cores(), free_memory() // A_CLIENT))


def enough_memory() -> bool:
    """Whether there is room for one client more."""
    return free_memory() > _LEAST


def _groups() -> list[Path]:
    """The control groups that bound this process: a service's own, and those that it is part of.

    A container sees its own as the root.
    """
    try:
        told = _OWN_GROUP.read_text().splitlines()
    except OSError:
        told = []
    # the line of version 2; version 1 has others for each controller
    own = next((line.removeprefix("0::/") for line in told if line.startswith("0::/")), "")
    found = _CGROUPS / own
    return [group for group in (found, *found.parents) if group.is_relative_to(_CGROUPS)]


def _reclaimable(group: Path) -> int:
    """What of a group's memory holds only copies of files."""
    found = dict(line.split() for line in _told(group, "memory.stat").splitlines())
    return int(found.get("inactive_file", 0))


def _told(group: Path, name: str) -> str:
    try:
        return (group / name).read_text().strip()
    except OSError:
        return ""
