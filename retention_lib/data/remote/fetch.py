"""A client's files fetched from where they lie: each once in a run, streamed, and whole.

A run keeps what it fetched in its own folder (`kept_in`), where the kernels of its chapters find it
again; a notebook that is run alone fetches it anew. The folder goes when the run ends.
"""

from __future__ import annotations

import glob
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from retention_lib.data.handover import run_folder
from retention_lib.data.remote.store import Store, StoreError, each, open_store
from retention_lib.errors import DataError
from retention_lib.keys import addresses
from retention_lib.keys.refusals import nearest

#: Subfolder of a run's folder.
FETCHED: Final = "fetched"
_ABOUT: Final = "files.json"
_kept: ContextVar[Path | None] = ContextVar("kept", default=None)


@dataclass(frozen=True)
class Fetched:
    """A file that was fetched.

    Parameters
    ----------
    file : str
        Where it lies now.
    address : str
        Where it was fetched from, as it may be printed.
    key : str
        The same for the same file, however its address is written.
    """

    file: str
    address: str
    key: str


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Have what is fetched kept in a folder; what was fetched there before isn't fetched again."""
    token = _kept.set(folder)
    try:
        yield
    finally:
        _kept.reset(token)


def kept() -> Path | None:
    """The folder of what this run fetches; None outside a run."""
    run = run_folder()
    return _kept.get() or (run and run / FETCHED)


def fetch(address: str, shown: str, room: Path, check: Callable[[str], None]) -> list[Fetched]:
    """Fetch what an address names.

    Parameters
    ----------
    address : str
        Of a file, or a pattern of several; filled from the environment.
    shown : str
        As it may be printed.
    room : Path
        Where what is fetched is kept.
    check : callable
        Told a file's name before it is fetched; raises what there is to say against it.

    Raises
    ------
    DataError
        An address that isn't read, no such file, or one that can't be fetched.
    """
    _check(address)
    folder = room / hashlib.sha256(address.encode()).hexdigest()[:32]
    if not (folder / _ABOUT).exists():
        part = room / f".{uuid.uuid4().hex}"
        part.mkdir(parents=True)
        try:
            _fetch_into(part, address, shown, check)
            part.rename(folder)
        except OSError as error:
            if not (folder / _ABOUT).exists():  # no other kernel was faster
                raise DataError(
                    f"source: {shown} can't be fetched: {error.strerror or error}; make room in "
                    "the folder that TMPDIR names"
                ) from error
        except StoreError as error:
            raise _told(error, address, shown) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    told = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    # by its name there: a run's folder may be moved, with all it holds
    return [Fetched(**{**one, "file": str(folder / one["file"])}) for one in told]


def states(address: str, shown: str) -> list[tuple[str, str]]:
    """The files that an address names, each with what changes when it does, as the store tells.

    Parameters
    ----------
    address, shown : str
        As for `fetch`.

    Raises
    ------
    DataError
        An address that isn't read, no such file, or a store that doesn't answer.
    """
    _check(address)
    try:
        found = _matches(open_store(address), address, shown)
    except StoreError as error:
        raise _told(error, address, shown) from error
    return [(path, str(sorted(about.items(), key=str))) for path, about in found.items()]


def _check(address: str) -> None:
    if fault := addresses.fault(address):
        raise DataError(f"source: {fault}")


def _told(error: StoreError, address: str, shown: str) -> DataError:
    # of a pattern it says which file; else the address is as the client file has it
    is_pattern = shown == address and glob.has_magic(address)
    return DataError(f"source: {error.place if is_pattern else shown}: {error.why}")


def _fetch_into(part: Path, address: str, shown: str, check: Callable[[str], None]) -> None:
    store = open_store(address)
    paths = [*_matches(store, address, shown)]
    for path in paths:
        check(PurePosixPath(path).name)
    names = [f"{number:05d}{_suffixes(path)}" for number, path in enumerate(paths)]
    each(
        lambda one: _fetch_whole(store, one[0], part / one[1]),
        zip(paths, names, strict=True),
    )
    is_one = paths == [store.path]
    fetched = [
        Fetched(
            file=name,
            address=shown if is_one else store.shown(path),
            key=_key(store, path),
        )
        for path, name in zip(paths, names, strict=True)
    ]
    (part / _ABOUT).write_text(json.dumps([asdict(one) for one in fetched]), encoding="utf-8")


def _matches(store: Store, address: str, shown: str) -> dict[str, Any]:
    """The files that an address names, in a stable order, each with what the store says of it."""
    is_pattern = glob.has_magic(address)
    try:
        # a file's own name may hold the signs of a pattern: orders [2024].csv
        about = store.call(store.fs.info, store.path)
    except StoreError as error:
        # who may not look for a name may all the same list what is there
        if not is_pattern:
            raise _missing(store, shown) if error.is_missing else error from None
    else:
        if about["type"] == "file":
            return {store.path: about}
        if not is_pattern:
            raise DataError(
                f"source: {shown} is a folder; name a file, or a pattern such as "
                f"{shown.rstrip('/')}/*.csv"
            )
    found = store.call(store.fs.glob, store.path, detail=True)
    # a store without folders has empty files in their place
    files = {
        path: about
        for path, about in sorted(found.items())
        if about["type"] == "file" and not path.endswith("/")
    }
    if not files:
        raise DataError(
            f"source: there is no file that matches {shown}; check the pattern, and what the "
            "bucket or container holds"
        )
    return files


def _missing(store: Store, shown: str) -> DataError:
    """There is no such file; the nearest where it is known and no secret."""
    hint = "; check the address"
    if "${" not in shown:
        folder, _, name = store.path.rpartition("/")
        try:
            beside = [path.rpartition("/")[2] for path in store.fs.ls(folder, detail=False)]
        except Exception:  # it may not be listed
            beside = []
        if near := nearest(name, beside):
            hint = f"; did you mean {near}?"
    return DataError(f"source: there is no file {shown}{hint}")


def _fetch_whole(store: Store, path: str, to: Path) -> None:
    """Fetch a file as it is at one moment, however long that takes."""
    for _ in range(2):
        before = store.mark(path)
        store.get({path: to})
        if store.mark(path) == before:
            return
    raise StoreError(
        store.shown(path), "it changes while it is fetched; try again when it is written"
    )


def _suffixes(path: str) -> str:
    """The end of a file's name, by which its kind is told, without what no file's name may hold."""
    return re.sub(r"[^A-Za-z0-9.]", "", "".join(PurePosixPath(path).suffixes[-2:]))[-20:]


def _key(store: Store, path: str) -> str:
    if store.scheme == "file":
        return str(Path(path))
    opened_with = sorted((name, repr(value)) for name, value in store.fs.storage_options.items())
    whole = f"{type(store.fs).__name__} {opened_with} {path}"
    return hashlib.sha256(whole.encode()).hexdigest()
