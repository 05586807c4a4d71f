"""What the cells of executed notebooks left, whichever of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from retention_lib._nbformat import NotebookNode


def outputs(cells: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    """The outputs of cells, in order; a Markdown cell has none."""
    for cell in cells:
        yield from cell.get("outputs", [])


def outputs_of(notebooks: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    """The outputs of notebooks, in order."""
    for notebook in notebooks:
        yield from outputs(notebook.cells)


def published(notebooks: Iterable[NotebookNode], mime: str) -> Iterator[Any]:
    """What the cells showed under a type of their own."""
    for output in outputs_of(notebooks):
        if mime in output.get("data", {}):
            yield output["data"][mime]
