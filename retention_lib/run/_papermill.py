"""papermill and its engine, imported without delay, and silent: the errors tell what it logs."""

from __future__ import annotations

import logging

import retention_lib._nbformat  # noqa: F401 - first, else papermill imports the slow way

# isort: split
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillException, PapermillExecutionError
from papermill.execute import raise_for_execution_errors
from papermill.iorw import local_file_io_cwd

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
]
