"""Small tables that are worked out once in a run, whichever chapter asks for them first.

A run's chapters are processes of their own that ask the same of the same base: its metrics, its
days, its customers. What one has worked out it leaves in the run's folder for the others. Nothing
is taken over from another run, and a base outside a run keeps its tables to itself.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

_ENDING: Final = ".arrow"


class WorkedOut:
    """Tables by name, in memory and, within a run, in a folder of the run's.

    Parameters
    ----------
    folder : Path, optional
        Where other processes of the run leave theirs.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, pa.Table] = {}

    def get(self, name: str) -> pa.Table | None:
        """The table of a name; None where nobody has worked it out yet."""
        if name not in self._known and self._folder is not None:
            table = read_table(_file(self._folder, name))
            if table is not None:
                self._known[name] = table
        return self._known.get(name)

    def put(self, name: str, table: pa.Table) -> None:
        """Keep a table, and leave it to the other processes."""
        if self._folder is None:
            self._known[name] = table
        else:
            # from there it is mapped into memory when it is asked for, once for all processes
            write_table(table, _file(self._folder, name))

    def leave_in(self, folder: Path) -> None:
        """Leave what is known, and what is worked out from now on, in a folder."""
        self._folder = folder
        for name, table in self._known.items():
            write_table(table, _file(folder, name))
        self._known.clear()

    def forget(self) -> None:
        """Give back the memory; what lies in the folder can still be asked for."""
        self._known.clear()


def _file(folder: Path, name: str) -> Path:
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError(f"{name!r} can't name a file")
    return folder / f"{name}{_ENDING}"


def read_table(file: Path) -> pa.Table | None:
    """The table in an Arrow file, mapped into memory; None where there is no such file."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(file)) as source:
            return pa.ipc.open_file(source).read_all()
    except FileNotFoundError:
        return None


def write_table(table: pa.Table, file: Path) -> None:
    """Write a table to an Arrow file."""
    import pyarrow as pa

    # whole or not at all: another chapter may look for it at this moment
    part = file.with_name(f".{file.name}.{os.getpid()}")
    with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    part.replace(file)
