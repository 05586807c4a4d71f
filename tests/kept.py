"""Bases of made-up rows, and folders of made-up files, kept as long as what was read from them."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from retention_lib.data.base import Base
from retention_lib.data.read import read_base
from retention_lib.params import Params


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


def base_of(rows: Iterable[Sequence[object]], **given: object) -> Base:
    """The base of rows of customer, day and amount, by a client file with `given` in it."""
    names = ("customer", "date", "amount")
    lines = [";".join(map(_written, row)) for row in (names, *rows)]
    with kept_folder() as (folder, keep):
        (folder / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        values = {"client": "acme", "currency": "EUR", "source": "orders.csv", **given}
        params = Params(**values, columns={name: name for name in names}, csv={"decimal": "."})
        return keep(read_base(params, folder))


def _written(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
