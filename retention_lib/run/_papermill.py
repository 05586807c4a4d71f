"""papermill and its engine, imported without delay, and silent: the errors tell what it logs."""

from __future__ import annotations

import logging

import retention_lib._nbformat  # noqa: F401 - first, else papermill imports the slow way

# isort: split
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import raise_for_execution_errors
from papermill.iorw import LocalHandler, local_file_io_cwd, papermill_io, write_ipynb


class _LocalFiles(LocalHandler):
    """Local files, read and written without leaving the working folder.

    papermill goes to the folder it was called in for every read and write and back again. That is
    the whole process's folder: of two chapters in two threads one would take the other on its
    trip, and leave it there. Our paths are absolute.
    """

    def cwd(self, new_path: str | None) -> None:
        """Stay."""


papermill_io.register("local", _LocalFiles())

# Without a handler what papermill logs would be printed.
logging.getLogger("papermill").addHandler(logging.NullHandler())

__all__ = [
    "CellTimeoutError",
    "DeadKernelError",
    "PapermillException",
    "PapermillExecutionError",
    "local_file_io_cwd",
    "papermill",
    "raise_for_execution_errors",
    "write_ipynb",
]
