"""One chapter: its notebook run through papermill, in a kernel of its own.

papermill is used as it is, through its public function and its own engine, so that the executed
notebook is the one that ``papermill notebooks/NN_name.ipynb OUT -f FILE`` leaves. Around it stand
the things that it leaves open:

- a parameter that the chapter doesn't know is an error, where papermill only warns;
- a path is a path: papermill fills ``{name}`` in paths from the parameters;
- the working folder is the kernel's, where papermill changes the whole process's;
- a cell that runs out of time or loses its kernel is marked as failed, not as completed;
- a failure is a sentence.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO

from jupyter_core.utils import ensure_event_loop
from traitlets.config import Config

from retention_lib._nbformat import NotebookNode
from retention_lib.errors import ChapterError
from retention_lib.run._papermill import (
    CellTimeoutError,
    DeadKernelError,
    PapermillException,
    PapermillExecutionError,
    papermill,
    write_ipynb,
)
from retention_lib.run.failures import failure, raise_in_cell
from retention_lib.run.kernels import ChapterKernelManager
from retention_lib.run.notebook import code_cells, read, warnings_in

_START_SECONDS = 60
_SAVED_SECONDS = 5.0
"""How much of a chapter's work its notebook may lack if this process is killed."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class ChapterRun:
    """An executed chapter.

    Attributes
    ----------
    chapter : str
        The template's name, ``03_cltv``.
    path : Path
        The executed notebook.
    seconds : float
        Wall-clock time, the kernel's start included.
    warnings : tuple of str
        What Python warned of, each with its cell: ``cell [4]: UserWarning: …``.
    notebook : NotebookNode
        What `path` holds, for who goes on with it in this process.
    """

    chapter: str
    path: Path
    seconds: float
    warnings: tuple[str, ...]
    notebook: NotebookNode = field(repr=False, compare=False)


def execute_chapter(
    template: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    cwd: Path,
    timeout: int | None = None,
    on_cell: Callable[[int, int], None] | None = None,
    log: Path | None = None,
    server: str = "",
) -> ChapterRun:
    """Run a chapter's notebook with these parameters.

    Safe to call from several threads or processes at once, each call with a kernel of its own.

    Parameters
    ----------
    template : Path
        The notebook.
    output : Path
        Where the executed notebook goes: at its beginning, then every few seconds at the end of a
        cell, and when it has ended, be it by a failure.
    parameters : mapping
        What the client file says: text, numbers, booleans, None, lists and mappings of these.
    cwd : Path
        The kernel's working folder.
    timeout : int, optional
        Seconds for all the chapter's cells together.
    on_cell : callable, optional
        Called after each cell with the number of code cells done and in all.
    log : Path, optional
        Is added what the cells print, what the kernel writes besides, and the traceback.
    server : str, optional
        Address of the `KernelServer` that gives the kernel; by default, this process's own.

    Returns
    -------
    ChapterRun

    Raises
    ------
    ChapterError
        One or more sentences. What was executed is at `output`, with the traceback in it. Where
        the cell raised a `RetentionError`, the sentences and the exit code are that error's.
    TypeError
        A parameter is of a type that a client file can't hold.
    """
    start = time.perf_counter()
    chapter = template.stem
    # What a client file can say is what JSON can: a date or a path would arrive as other text.
    values: dict[str, Any] = json.loads(json.dumps(dict(parameters)))
    notebook = read(template)
    _check_known(template, values)
    if not cwd.is_dir():
        raise ChapterError(f"Chapter {chapter} can't run in {cwd}: there is no such folder.")
    output = output.absolute()
    output.parent.mkdir(parents=True, exist_ok=True)
    progress = _Progress(output, code_cells(notebook, values), timeout, on_cell)
    with _appending(log) as text:
        try:
            executed = _with_own_loop(
                _run, template, output, values, progress, cwd, log, text, server
            )
        except PapermillExecutionError as error:
            if text:
                text.write(_COLOUR.sub("", "\n".join(error.traceback)) + "\n")
            raise failure(chapter, progress.done + 1, error, output) from error
        except (PapermillException, RuntimeError, ValueError) as error:
            raise ChapterError(f"Chapter {chapter} can't run: {error}.") from error
    seconds = time.perf_counter() - start
    return ChapterRun(chapter, output, seconds, tuple(warnings_in(executed)), executed)


def _with_own_loop(function: Callable[..., NotebookNode], *args: Any) -> NotebookNode:
    """Call a function with an event loop that is closed afterwards.

    Jupyter's synchronous functions otherwise leave one open in every thread that they were called
    from. Where a loop is running, as in a notebook, they go to a thread that they keep.
    """

    def call() -> NotebookNode:
        loop = ensure_event_loop()
        try:
            return function(*args)
        finally:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.close()
            asyncio.set_event_loop(None)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return contextvars.Context().run(call)
    return function(*args)


class _Progress:
    """Where a chapter is: nbclient's hooks, which it calls by keyword."""

    def __init__(
        self,
        output: Path,
        total: int,
        timeout: int | None,
        on_cell: Callable[[int, int], None] | None,
    ) -> None:
        self.total = total
        self.timeout = timeout
        self.deadline = float("inf")
        self.on_cell = on_cell
        self.output = output
        self.notebook: NotebookNode | None = None
        self.saved = 0.0
        self.index = 0
        self.done = 0

    def opened(self, *, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self._save()

    def started(self, *, cell: Any, cell_index: int) -> None:
        self.index = cell_index
        if cell_index == 0 and self.timeout is not None:
            self.deadline = time.monotonic() + self.timeout

    def executed(self, *, cell: Any, cell_index: int, execute_reply: Any) -> None:
        if time.monotonic() - self.saved > _SAVED_SECONDS:
            self._save()
        if execute_reply["content"]["status"] == "ok":
            self.done += 1
            if self.on_cell:
                self.on_cell(self.done, self.total)

    def seconds_left(self, cell: Any) -> float | None:
        """Return what is left of the chapter's time; nbclient takes 0 for no limit."""
        return None if self.timeout is None else max(self.deadline - time.monotonic(), 0.001)

    def _save(self) -> None:
        write_ipynb(self.notebook, str(self.output))
        self.saved = time.monotonic()


def _run(
    template: Path,
    output: Path,
    parameters: dict[str, Any],
    progress: _Progress,
    cwd: Path,
    log: Path | None,
    text: TextIO | None,
    server: str,
) -> NotebookNode:
    manager = {"server": server, "log_file": str(log.absolute()) if log else ""}
    try:
        return papermill.execute_notebook(
            _literal(template.absolute()),
            _literal(output),
            parameters,
            # `_Progress` saves it now and then: twice a cell, as papermill does it, a chapter with
            # its figures is written at the cost of running it.
            request_save_on_cell_execute=False,
            progress_bar=False,
            start_timeout=_START_SECONDS,
            stdout_file=text,
            stderr_file=text,
            # From here on nbclient's, which papermill's engine passes on.
            kernel_manager_class=ChapterKernelManager,
            config=Config({ChapterKernelManager.__name__: manager}),
            resources={"metadata": {"path": str(cwd.absolute())}},
            timeout_func=progress.seconds_left,
            on_notebook_start=progress.opened,
            on_cell_start=progress.started,
            on_cell_executed=progress.executed,
        )
    except CellTimeoutError:
        reason = f"The chapter took longer than {progress.timeout} seconds."
        raise_in_cell(progress.notebook, output, progress.index, "TimeoutError", reason)
    except DeadKernelError:
        reason = "The kernel died, as it does when the memory runs out."
        raise_in_cell(progress.notebook, output, progress.index, "DeadKernelError", reason)


def _check_known(template: Path, parameters: Mapping[str, Any]) -> None:
    chapter = template.stem
    known = list(papermill.inspect_notebook(_literal(template.absolute())))
    sentences = []
    for name in parameters:
        if name not in known:
            near = get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]}?" if near else "its cell tagged parameters lacks it."
            sentences.append(f"Chapter {chapter} has no parameter {name}: {remedy}")
    if sentences:
        raise ChapterError(*sentences)


def _literal(path: Path) -> str:
    """Protect a path from papermill, which takes braces in it for names of parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def _appending(log: Path | None) -> Iterator[TextIO | None]:
    if log is None:
        yield None
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as text:
            yield text
