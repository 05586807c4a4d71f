"""Reports that lie in a store, as a folder here: what a run reads is fetched, the rest is named.

A file that isn't fetched has an empty one in its place, so that whoever asks only whether it is
there finds it; `bring` fetches it when it is to be read. Each has the time that the store tells.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from retention_lib import report_files
from retention_lib.data.remote.store import Store, StoreError, open_store
from retention_lib.errors import DataError
from retention_lib.run.stored import day_of

#: In a client's folder: where the files come from, and which haven't been fetched.
MARK: Final = ".elsewhere.json"
#: The file of a report that is put there last: with it, the others are there too.
LAST: Final = report_files.RUN
_PART: Final = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]{0,199}")
#: What stores call the time at which a file was written.
_TIMES: Final = ("LastModified", "last_modified", "mtime", "updated", "created")


def whole(files: Mapping[str, Any]) -> dict[str, Any]:
    """Of the files in a client's folder those that a run left; not what is only on its way.

    Parameters
    ----------
    files : mapping
        By name from the client's folder.
    """
    return {
        name: about
        for name, about in files.items()
        if all(_PART.fullmatch(part) for part in name.split("/"))
        and not (day_of(top := name.partition("/")[0]) and f"{top}/{LAST}" not in files)
    }


def mirror(
    store: Store,
    name: str,
    files: Mapping[str, Mapping[str, Any]],
    folder: Path,
    wanted: Callable[[str], bool],
) -> list[str]:
    """Have files of a store in a folder.

    Parameters
    ----------
    store : Store
    name : str
        Of the place under the store's from which the files are named; empty for the store's own.
    files : mapping
        Name → what the store says of it.
    folder : Path
    wanted : callable
        Whether a file is fetched, by its name.

    Returns
    -------
    list of str
        Names of the files that aren't fetched.

    Raises
    ------
    StoreError
        One can't be had.
    """
    below = f"{name}/" if name else ""
    store.get({store.at(f"{below}{file}"): folder / file for file in files if wanted(file)})
    left = [file for file in files if not wanted(file)]
    for file in left:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(b"")
    for file, about in files.items():
        if (moment := written_at(about)) is not None:
            os.utime(folder / file, (moment, moment))
    return left


def leave_mark(folder: Path, address: str, left: list[str]) -> None:
    """Say in a client's folder what of it hasn't been fetched, and from where it can be."""
    told = {"address": address, "files": left}
    (folder / MARK).write_text(json.dumps(told), encoding="utf-8")


def bring(file: Path) -> bool:
    """Fetch a file of an earlier report where only its name is here.

    Parameters
    ----------
    file : Path
        In the folder of a report.

    Returns
    -------
    bool
        Whether there is such a file.

    Raises
    ------
    DataError
        It can't be fetched.
    """
    mark, name = file.parents[1] / MARK, f"{file.parent.name}/{file.name}"
    if not file.exists():
        return False
    if file.stat().st_size or not mark.exists():
        return True
    about = json.loads(mark.read_text(encoding="utf-8"))
    if name in about["files"]:
        try:
            at = file.stat()
            store = open_store(about["address"])
            store.get({store.at(name): file})
            os.utime(file, ns=(at.st_atime_ns, at.st_mtime_ns))  # no run has made it
        except StoreError as error:
            raise DataError(f"{about['address']}/{name}: {error.why}") from error
    return True


def written_at(about: Mapping[str, Any]) -> float | None:
    """When a file was written, in seconds since 1970, as far as its store tells."""
    found = next((about[name] for name in _TIMES if about.get(name)), None)
    if isinstance(found, str):
        try:
            found = dt.datetime.fromisoformat(found)
        except ValueError:
            return None
    if isinstance(found, dt.datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else None
