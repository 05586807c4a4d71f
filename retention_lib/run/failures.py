"""What is told of a chapter that failed: its notebook marked, and a sentence for the user."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from retention_lib._nbformat import nbformat
from retention_lib.errors import ChapterError, RetentionError
from retention_lib.run._papermill import local_file_io_cwd, raise_for_execution_errors
from retention_lib.run.full_disk import told_full


def raise_in_cell(notebook: Any, output: Path, index: int, name: str, reason: str) -> NoReturn:
    """Have the notebook say that this cell failed, as papermill has it for an exception.

    Parameters
    ----------
    notebook : NotebookNode
        As far as it was executed; changed.
    output : Path
        Where it is written.
    index : int
        The cell, counted from 0.
    name, reason : str
        Name and sentence of the exception.

    Raises
    ------
    PapermillExecutionError
        Always: the one that papermill raises for a cell with an exception.
    """
    notebook.metadata.papermill["exception"] = True
    for cell in notebook.cells[index:]:
        cell.metadata.papermill["status"] = "pending"
    cell = notebook.cells[index]
    cell.metadata.papermill.update(status="failed", exception=True)
    # The interrupt that ended it, where there was one, knows the line at which it was.
    interrupts = [output for output in cell.outputs if output.output_type == "error"]
    traceback = [line for output in interrupts for line in output.traceback]
    cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
    cell.outputs.append(
        nbformat.v4.new_output(
            "error", ename=name, evalue=reason, traceback=[*traceback, f"{name}: {reason}"]
        )
    )
    with local_file_io_cwd():
        raise_for_execution_errors(notebook, str(output))
    raise AssertionError("papermill raises for the error in the cell")


def failure(chapter: str, number: int, error: Any, output: Path) -> ChapterError:
    """The error for the user: the sentences meant for him where there are any.

    Parameters
    ----------
    chapter : str
    number : int
        The cell's number as a notebook shows it.
    error : PapermillExecutionError
    output : Path
        The notebook as far as it was executed.

    Returns
    -------
    ChapterError
        Where the cell raised a `RetentionError`, with that error's sentences and exit code.
    """
    kind = _retention_errors().get(error.ename)
    if kind is not None:
        told = ChapterError(*error.evalue.splitlines())
        told.exit_code = kind.exit_code
        return told
    message = next((line.strip() for line in error.evalue.splitlines() if line.strip()), "")
    what = f"{error.ename}: {message}" if message else error.ename
    what = told_full(Exception(message)) or what.rstrip(".")
    return ChapterError(
        f"Chapter {chapter} stopped at cell [{number}] with {what}. How far it came is in {output}."
    )


def _retention_errors() -> dict[str, type[RetentionError]]:
    kinds = [RetentionError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    return {kind.__name__: kind for kind in kinds}
