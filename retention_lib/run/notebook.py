"""What a chapter's notebook says of itself: its cells to execute, its warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from retention_lib._nbformat import nbformat
from retention_lib.errors import ChapterError

_WARNING = re.compile(r"^\S.*:\d+: (?P<category>\w*Warning): (?P<text>.*)$", re.MULTILINE)


def read(path: Path) -> Any:
    """The notebook in a file.

    Raises
    ------
    ChapterError
        There is no such file, or it isn't a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise ChapterError(f"The notebook {path} can't be read: {error}") from error


def code_cells(notebook: Any, parameters: Mapping[str, Any]) -> int:
    """Count the cells that will be executed, papermill's own among them."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    injected = any("injected-parameters" in cell.metadata.get("tags", []) for cell in cells)
    return len(cells) + (bool(parameters) and not injected)


def warnings_in(notebook: Any) -> Iterator[str]:
    """What Python warned of, each with its cell: ``cell [4]: UserWarning: …``."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                for found in _WARNING.finditer(output.text):
                    yield f"cell [{cell.execution_count}]: {found['category']}: {found['text']}"
