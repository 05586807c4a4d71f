"""`retention report`: one client by itself, or a batch."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console

from retention_lib import report_files
from retention_lib.errors import RetentionError, UsageError
from retention_lib.params import ClientFile
from retention_lib.run import index
from retention_lib.run.batch import Batch
from retention_lib.run.board import Board
from retention_lib.run.chapters import choose, notebooks_folder
from retention_lib.run.executors import executor_at
from retention_lib.run.fingerprint import unchanged
from retention_lib.run.job import STOPPED_CODE, Job, Result
from retention_lib.run.placed import published, told
from retention_lib.run.progress import Progress
from retention_lib.run.remote import Here, opened
from retention_lib.run.room import default_jobs


@dataclass(frozen=True)
class Asked:
    """What the command was asked for, of all clients alike."""

    out: str
    only: str | None = None
    pdf: bool = False
    author: str | None = None
    timeout: int | None = None
    jobs: int | None = None
    force: bool = False
    debug: bool = False

    def job(self, file: ClientFile, reports: Path) -> Job:
        """The report that is asked for of one client."""
        return Job(file, reports, self.only, self.pdf, self.author, self.timeout, self.force)


def one(file: ClientFile, asked: Asked, out: Console, err: Console) -> int:
    """Make one client's report.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    UsageError
        No such chapter, or no notebooks.
    """
    choose(asked.only)
    notebooks = notebooks_folder()
    with opened(asked.out) as reports:
        job = asked.job(file, reports.folder)
        reports.fetch(job.client)
        same, _ = (None, "") if asked.force else unchanged(job, notebooks)
        if same is not None:
            out.print(f"{job.client}: nothing has changed; --force makes it anew.", markup=False)
            out.print(reports.shown(same / report_files.HTML), markup=False)
            return 0
        # a second of loading, which only a report that isn't skipped needs
        from retention_lib.run.safely import make_safely

        try:
            with _interrupted_by_signals(), Progress(out, job.title) as progress:
                result = told(published(make_safely(job, progress), reports), reports)
        except KeyboardInterrupt:
            result = Result(
                job.client,
                "stopped",
                sentences=(f"{job.client}: stopped; the last report is as it was.",),
                exit_code=STOPPED_CODE,
            )
        written = reports.publish_index()
    for sentence in (*written, *result.warnings):
        err.print(f"{job.client}: {sentence}", markup=False)
    for sentence in result.sentences:
        err.print(sentence, markup=False)
    if asked.debug and result.trace:
        err.print(result.trace, markup=False)
    for sentence in result.undone:
        err.print(f"{job.client}, PDF: {sentence}", markup=False)
    for line in (result.finding, result.shown, result.shown_pdf):
        if line:
            out.print(line, markup=False)
    return result.exit_code


def several(
    files: Sequence[ClientFile],
    refused: Sequence[tuple[Path, RetentionError]],
    asked: Asked,
    out: Console,
    err: Console,
    executor: str | None = None,
) -> int:
    """Make the reports of several clients.

    Parameters
    ----------
    files : sequence of ClientFile
    refused : sequence of (Path, RetentionError)
        Client files that couldn't be read.
    asked : Asked
    out, err : Console
    executor : str, optional
        Address of a cluster.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    UsageError
        No such chapter, no notebooks, or no executor at the address.
    """
    names = [*(file.params.client for file in files), *(path.name for path, _ in refused)]
    board = Board(out, err, names, executor or "")
    with ExitStack() as stack:
        reports = stack.enter_context(opened(asked.out))
        if executor and not isinstance(reports, Here):
            raise UsageError(
                "--executor: a cluster's workers write to a folder that they share; name one with "
                f"--out in the place of {asked.out}"
            )
        cluster = stack.enter_context(executor_at(executor)) if executor else None
        jobs = [asked.job(file, reports.folder) for file in files]
        at_once = asked.jobs or (default_jobs() if cluster is None else len(jobs))
        batch = Batch(jobs, board, at_once, force=asked.force, executor=cluster, reports=reports)
        with _interrupted_by_signals(batch.interrupt), board:
            for path, error in refused:
                board.add(Result(path.name, "failed", sentences=error.sentences, exit_code=2))
            try:
                for _ in batch.run():
                    pass
            except KeyboardInterrupt:
                batch.interrupt()
        for sentence in reports.publish_index():
            err.print(sentence, markup=False)
        page = reports.shown(reports.folder / index.FILE_NAME)
    if asked.debug:
        for result in board.results:
            if result.trace:
                err.print(result.trace, markup=False)
    board.summary(page)
    codes = [result.exit_code for result in board.results if result.exit_code]
    if batch.interrupted:
        return STOPPED_CODE
    return (codes[0] if len(board.results) == 1 else 1) if codes else 0


@contextmanager
def _interrupted_by_signals(tell: Callable[[], None] | None = None) -> Iterator[None]:
    """Have a request to end (SIGTERM: a scheduler's, a system's going down) act as Ctrl-C does.

    Parameters
    ----------
    tell : callable, optional
        Called at either signal, before its exception is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        if tell:
            tell()
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        numbers.append(signal.SIGINT)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
