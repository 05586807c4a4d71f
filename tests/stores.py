"""Stores of files as tests have them: in memory, and one that fails when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem

from retention_lib.keys.addresses import Kind, also_read

SCHEME = "shaky"
#: What changes something in a store.
WRITING = ("put_file", "cp_file", "rm_file", "mv")


class Shaky(MemoryFileSystem):
    """A store in memory that tells what it is asked for, and may be made to fail at it."""

    protocol = SCHEME
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    asked: ClassVar[list[tuple[str, str]]] = []
    before: ClassVar[Callable[[str, str], None] | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return super()._strip_protocol(str(path).removeprefix(f"{SCHEME}://"))

    def _ask(self, what: str, path: str) -> None:
        with self._lock:
            self.asked.append((what, path))
            if Shaky.before is not None:
                Shaky.before(what, path)

    def info(self, path: str, **kwargs: Any) -> Any:
        self._ask("info", path)
        return super().info(path, **kwargs)

    def get_file(self, rpath: str, lpath: Any = None, **kwargs: Any) -> None:
        self._ask("get_file", rpath)
        super().get_file(rpath, lpath, **kwargs)

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        self._ask("put_file", rpath)
        super().put_file(lpath, rpath, **kwargs)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self._ask("cp_file", path2)
        super().cp_file(path1, path2, **kwargs)

    def rm_file(self, path: str) -> None:
        self._ask("rm_file", path)
        super().rm_file(path)

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        self._ask("mv", path2)
        super().cp_file(path1, path2)
        super().rm_file(path1)


@contextmanager
def stores() -> Iterator[Shaky]:
    """Have `memory://` and `shaky://` read, both empty."""
    fsspec.register_implementation(SCHEME, Shaky, clobber=True)
    for store in (Shaky, MemoryFileSystem):
        store.store.clear()
        store.pseudo_dirs[:] = [""]
    Shaky.asked.clear()
    Shaky.before = None
    with also_read("memory", Kind("memory")), also_read(SCHEME, Kind("the store")):
        yield fsspec.filesystem(SCHEME)
    Shaky.before = None
