"""A place in a store of files, opened: what lies there, brought here, or put there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from retention_lib.data.remote import failures
from retention_lib.keys import addresses
from retention_lib.keys.addresses import Kind

#: Files on their way at once: a store answers late, and many at a time.
AT_ONCE: Final = 16
#: A page is to open in a browser, which Azure has to be told.
_TYPES: Final = {".html": "text/html", ".json": "application/json", ".pdf": "application/pdf"}
#: What would print its tracebacks beside the one sentence; who wants them sets up logging.
_TALKATIVE: Final = ("fsspec", "s3fs", "aiobotocore", "botocore", "gcsfs", "google", "azure")
_SILENT: Final = logging.NullHandler()

_One = TypeVar("_One")


class StoreError(Exception):
    """A store didn't do what it was asked for.

    Parameters
    ----------
    place : str
        The address, as it may be printed.
    why : str
        A clause with the remedy.
    is_missing : bool
        Whether what was asked for isn't there.
    """

    def __init__(self, place: str, why: str, is_missing: bool = False) -> None:
        self.place, self.why, self.is_missing = place, why, is_missing
        super().__init__(f"{place}: {why}")


@dataclass(frozen=True)
class Store:
    """A place in a store.

    Parameters
    ----------
    scheme : str
        As the address has it.
    kind : Kind
    fs : fsspec file system
        It remembers no listing: what another run put there is seen.
    path : str
        The place in it, without a slash at its end.
    """

    scheme: str
    kind: Kind
    fs: Any
    path: str

    def shown(self, path: str) -> str:
        """The address of a path of the store, as it may be printed."""
        return f"{self.scheme}://{path if self.scheme == 'file' else path.lstrip('/')}"

    def at(self, name: str) -> str:
        """The path of what lies under the place."""
        return f"{self.path}/{name}" if name else self.path

    def call(self, do: Callable[..., _One], path: str, *more: Any, **options: Any) -> _One:
        """Ask the file system for something.

        Raises
        ------
        StoreError
            It couldn't be done.
        """
        try:
            return do(path, *more, **options)
        except Exception as error:  # each store's package raises its own
            why = failures.why(error, self.kind)
            raise StoreError(self.shown(path), why, failures.is_missing(error)) from error

    def mark(self, path: str) -> str | None:
        """What changes when the file does: a hash of its size, time and tag; None without a file.

        Raises
        ------
        StoreError
            It can't be asked.
        """
        try:
            return str(self.call(self.fs.ukey, path))
        except StoreError as error:
            if error.is_missing:
                return None
            raise

    def files(self, name: str = "") -> Mapping[str, Mapping[str, Any]]:
        """What lies under the place: name from there, with slashes → what the store says of it.

        Raises
        ------
        StoreError
            It can't be listed.
        """
        root = self.at(name)
        try:
            found = self.call(self.fs.find, root, detail=True)
        except StoreError as error:
            if error.is_missing:
                return {}
            raise
        return {
            path.removeprefix(root).lstrip("/"): about
            for path, about in found.items()
            if path.startswith(f"{root}/") and about.get("type") == "file"
        }

    def get(self, files: Mapping[str, Path]) -> None:
        """Bring files here, some at once: path in the store → where to.

        Raises
        ------
        StoreError
            One of them can't be had.
        """
        for file in files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
        each(lambda one: self.call(self.fs.get_file, one[0], str(one[1])), files.items())

    def put(self, files: Mapping[str, Path]) -> None:
        """Put files there, some at once: path in the store → where from; those there give way.

        Raises
        ------
        StoreError
            One of them can't be put there.
        """

        def put(one: tuple[str, Path]) -> None:
            path, file = one
            options = {}
            if self.kind.extra == "abfs" and file.suffix in _TYPES:
                options["content_settings"] = {"content_type": _TYPES[file.suffix]}
            self.call(lambda to: self.fs.put_file(str(file), to, **options), path)

        each(put, files.items())

    def copy(self, files: Mapping[str, str]) -> None:
        """Copy files within the store, some at once: path → path.

        Raises
        ------
        StoreError
            One of them can't be copied.
        """
        each(lambda one: self.call(self.fs.cp_file, *one), files.items())

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files, some at once; one that isn't there is removed already.

        Raises
        ------
        StoreError
            One of them can't be removed.
        """

        def remove(path: str) -> None:
            try:
                self.call(self.fs.rm_file, path)
            except StoreError as error:
                if not error.is_missing:
                    raise

        each(remove, paths)

    def remove_folder(self, path: str) -> None:
        """Remove all that lies under a path; what isn't there is removed already.

        Raises
        ------
        StoreError
            It can't be removed.
        """
        try:
            self.call(lambda root: self.fs.rm(root, recursive=True), path)
        except StoreError as error:
            if not error.is_missing:
                raise


def open_store(address: str) -> Store:
    """Open the store that an address without a fault is of (`addresses.fault`).

    Raises
    ------
    StoreError
        Its package isn't installed, or it can't be opened.
    """
    # imported here: most clients' files lie on this machine
    from fsspec.core import url_to_fs

    for name in _TALKATIVE:
        logging.getLogger(name).addHandler(_SILENT)
    scheme, kind = addresses.scheme_of(address), addresses.kind_of(address)
    whole = f"{scheme}://{address.partition('://')[2]}"
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme == "file":
        options["auto_mkdir"] = True
    try:
        fs, path = url_to_fs(whole, **options)
    except ImportError as error:
        raise StoreError(whole, failures.missing_package(kind)) from error
    except Exception as error:  # each store's package raises its own
        raise StoreError(whole, failures.why(error, kind)) from error
    return Store(scheme, kind, fs, str(path).rstrip("/"))


def each(do: Callable[[_One], Any], all_of: Iterable[_One]) -> None:
    """Do something for each, some at once.

    Raises
    ------
    Exception
        What the first that failed raised; what hadn't begun by then isn't begun.
    """
    listed = [*all_of]
    if len(listed) < 2:
        for one in listed:
            do(one)
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(listed))) as pool:
        futures = [pool.submit(do, one) for one in listed]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
