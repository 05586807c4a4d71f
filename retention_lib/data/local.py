"""The embedded engine: DuckDB on this machine, within bounds, out of core.

Files are read in it, and what a database hands over is kept in it. It spills to a temporary folder
when its memory is full; folders go when the connection does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import weakref
from pathlib import Path
from typing import Any, Final

import ibis

#: Enough for ten million rows without spilling, and little enough for several clients at once.
MEMORY: Final = "2GB"

#: Rows that the engine keeps together: what one thread reads at a time.
ROW_GROUP: Final = 122_880


def connect(timezone: str = "UTC", database: Path | None = None) -> Any:
    """An embedded DuckDB whose session takes a time without zone as local in `timezone`.

    Parameters
    ----------
    timezone : str
        IANA name.
    database : Path, optional
        A database file, which is only read; in memory where not given.
    """
    if database is None:
        con = ibis.duckdb.connect()
    else:
        con = ibis.duckdb.connect(str(database), read_only=True)
    set_timezone(con, timezone)
    con.raw_sql(f"SET memory_limit = '{MEMORY}'")
    # made when it is needed, and taken away, by the engine
    spill = Path(tempfile.gettempdir()) / f"retention-{uuid.uuid4().hex}"
    con.raw_sql(f"SET temp_directory = {quoted(str(spill))}")
    # nothing is fetched from anywhere, and nothing left in the user's folder
    con.raw_sql("SET autoinstall_known_extensions = false")
    # in a notebook the engine would draw its progress into the cell, and so into the report
    con.raw_sql("SET enable_progress_bar = false")
    # no order of rows is relied on, and keeping it costs memory
    con.raw_sql("SET preserve_insertion_order = false")
    return con


def set_timezone(con: Any, timezone: str) -> None:
    """Set the time zone of a DuckDB session."""
    con.raw_sql(f"SET TimeZone = {quoted(timezone)}")


def fit_threads(con: Any, rows: int) -> None:
    """Use no more threads than rows can be shared among; that they wait for each other costs time.

    Parameters
    ----------
    con : ibis DuckDB backend
    rows : int
        Rows of the largest table.
    """
    groups = max(-(-rows // ROW_GROUP), 1)
    ((threads,),) = con.raw_sql("SELECT current_setting('threads')").fetchall()
    if groups < threads:
        con.raw_sql(f"SET threads = {groups}")


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'{}'".format(text.replace("'", "''"))


def temporary_folder(con: Any) -> Path:
    """A folder that goes when the connection does."""
    folder = Path(tempfile.mkdtemp(prefix="retention-"))
    weakref.finalize(con, _remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    # a forked process inherits the finaliser, but not the folder
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
