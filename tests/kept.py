"""Folders of made-up files, kept as long as the base that was read from them."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from retention_lib.data.base import Base


@contextmanager
def kept_folder() -> Iterator[tuple[Path, Callable[[Base], Base]]]:
    """A temporary folder, and a function that keeps it until a base and its copies are gone."""
    folder = tempfile.TemporaryDirectory()
    kept = []

    def keep(base: Base) -> Base:
        kept.append(base.rows_in)
        weakref.finalize(base.source_rows, folder.cleanup)
        return base

    try:
        yield Path(folder.name), keep
    finally:
        if not kept:
            folder.cleanup()
