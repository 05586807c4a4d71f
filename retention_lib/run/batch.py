"""The reports of many clients: side by side, each by itself, only what changed.

Each client is a function call, `isolated(job)`, which runs it in a process of its own and never
raises. Here it is called from as many threads as clients are at work; an `executor` of another
kind (a cluster's) is handed the same function.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    as_completed,
)
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from retention_lib import report_files
from retention_lib.errors import RetentionError, brief
from retention_lib.run.chapters import choose, notebooks_folder
from retention_lib.run.fingerprint import unchanged
from retention_lib.run.isolated import isolated
from retention_lib.run.job import STOPPED_CODE, Job, Result
from retention_lib.run.placed import fetched, published
from retention_lib.run.placed import told as shown
from retention_lib.run.remote import Here, Reports
from retention_lib.run.room import enough_memory
from retention_lib.run.slots import Slots

_LOOK: Final = 0.2
#: Seconds that a client run elsewhere waits for another run of it: a worker that was lost may have
#: died this moment, and its lock go some time after it, as those of network file systems do.
_PATIENCE: Final = 120


class Audience(Protocol):
    """Who sees a batch at work. Called from several threads."""

    def began(self, job: Job, why: str) -> None:
        """A client's turn has come; `why` its report is made anew, empty for its first."""

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        """A step of a client has come to `done` of `total`."""

    def finished(self, job: Job, name: str, seconds: float) -> None:
        """A step of a client is done."""

    def ended(self, job: Job, result: Result) -> None:
        """A client is done."""


class Batch:
    """The reports of many clients.

    Parameters
    ----------
    jobs : sequence of Job
    audience : Audience
    at_once : int
        Clients at work at the same time, and pieces of work (the data, the forecast, a chapter, the
        page) of all of them together.
    force : bool, default False
        Make also the reports of which nothing has changed.
    executor : Executor, optional
        Where the clients are run: anything that has the `submit` of `concurrent.futures` and gives
        its futures. By default in processes on this machine.
    reports : Reports, optional
        Where the reports lie; by default in the folder that the jobs name.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        audience: Audience,
        at_once: int,
        *,
        force: bool = False,
        executor: Executor | None = None,
        reports: Reports | None = None,
    ) -> None:
        self.jobs = jobs
        self.audience = audience
        self.at_once = at_once
        self.force = force
        self.executor = executor
        self.reports = reports or Here(jobs[0].reports if jobs else Path())
        self.stopping = threading.Event()
        self.interrupted = False
        self._slots = Slots(at_once)
        self._rank = {job.client: rank for rank, job in enumerate(jobs)}
        self._at_work = 0
        self._lock = threading.Lock()

    def run(self) -> Iterator[Result]:
        """Make the reports; how each ended, as they end.

        Raises
        ------
        UsageError
            No such chapter, or no notebooks: before any client is begun.
        """
        for only in {job.only for job in self.jobs}:
            choose(only)
        self.notebooks = notebooks_folder()
        if self.executor is not None:
            yield from self._elsewhere(self.executor)
            return
        with ThreadPoolExecutor(self.at_once, "client") as pool:
            yield from self._followed({pool.submit(self._here, job): job for job in self.jobs})

    def stop(self) -> None:
        """End what is at work, begin nothing more."""
        self.stopping.set()

    def interrupt(self) -> None:
        """Note that the user asked for the end, and have `run` raise `KeyboardInterrupt` soon.

        A signal's own exception may come up within a library that loses it. For a signal's handler:
        it takes no lock.
        """
        self.interrupted = True

    def _heed(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt

    # What a client's run tells and asks (`isolated.Watch`)

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        """A step has come to `done` of `total`."""
        self.audience.step(job, name, done, total)

    def finished(self, job: Job, name: str, seconds: float) -> None:
        """A step is done."""
        self.audience.finished(job, name, seconds)

    def ask(self, job: Job, grant: Callable[[], None]) -> None:
        """Call `grant` when the client may do one more piece of work."""
        self._slots.ask(self._rank[job.client], grant)

    def give_back(self, job: Job) -> None:
        """One piece of work is done."""
        self._slots.give_back(self._rank[job.client])

    def ended(self, job: Job) -> None:
        """The client's process has ended."""
        self._slots.leave(self._rank[job.client])

    def _here(self, job: Job) -> Result:
        if self.stopping.is_set():
            return _not_begun(job)
        try:
            result = self._fetched_and_made(job)
        except Exception as error:
            result = _lost(job, error)
        return self._end(job, result)

    def _fetched_and_made(self, job: Job) -> Result:
        result, why = fetched(job, self.reports), ""
        if result is None:
            result, why = self._unchanged(job)
        if result is not None:
            return result
        self._wait_for_memory()
        try:
            self.audience.began(job, why)
            return published(isolated(job, self), self.reports)
        finally:
            with self._lock:
                self._at_work -= 1

    def _end(self, job: Job, result: Result) -> Result:
        """Tell how a client ended, with its paths as they lie for the user."""
        result = shown(result, self.reports)
        self.audience.ended(job, result)
        return result

    def _elsewhere(self, executor: Executor) -> Iterator[Result]:
        at_work: dict[Future[Any], Job] = {}
        ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

        def next_ended() -> Result:
            future = ended.get()
            job = at_work.pop(future)
            result = self._end(job, _of(future, job))
            self._heed()
            return result

        try:
            for job in self.jobs:
                self._heed()
                same, why = self._unchanged(job)
                if same is not None:
                    yield self._end(job, same)
                    continue
                self.audience.began(job, why)
                try:
                    future = executor.submit(isolated, self._from_anywhere(job))
                except RuntimeError as error:  # the executor is broken, or was shut down
                    yield self._end(job, _lost(job, error))
                    continue
                at_work[future] = job
                future.add_done_callback(ended.put)
                while not ended.empty() or len(at_work) >= self.at_once:
                    yield next_ended()
            while at_work:
                yield next_ended()
        finally:
            self.stop()
            for future in list(at_work):
                future.cancel()

    def _from_anywhere(self, job: Job) -> Job:
        """The job as a process sees it that was started in another folder."""
        return replace(
            job,
            file=replace(job.file, path=job.file.path.absolute()),
            reports=job.reports.absolute(),
            notebooks=self.notebooks.absolute(),
            patience=_PATIENCE,
        )

    def _followed(self, futures: dict[Future[Result], Job]) -> Iterator[Result]:
        try:
            for future in as_completed(futures):
                self._heed()
                yield _of(future, futures[future])
        finally:
            self.stop()  # nothing is left to do, or nobody listens any more
            for future in futures:
                future.cancel()

    def _unchanged(self, job: Job) -> tuple[Result | None, str]:
        if self.force:
            return None, ""
        began = time.monotonic()
        try:
            report, why = unchanged(job, self.notebooks)
        except (OSError, RetentionError):  # the run says what is wrong
            return None, ""
        if report is None:
            return None, why
        seconds = time.monotonic() - began
        return Result(job.client, "unchanged", seconds, report=report / report_files.HTML), ""

    def _wait_for_memory(self) -> None:
        """Hold a client back while memory is short and others, who will free some, are at work."""
        while True:
            with self._lock:
                if not self._at_work or self.stopping.is_set() or enough_memory():
                    self._at_work += 1
                    return
            self.stopping.wait(_LOOK)


def _of(future: Future[Any], job: Job) -> Result:
    """What a client's run gave; of one that was lost on the way, that it was."""
    try:
        result = future.result()
    except CancelledError:
        return _not_begun(job)
    except Exception as error:
        return _lost(job, error)
    if isinstance(result, Result):
        return result
    return _lost(job, TypeError(f"it gave a {type(result).__name__}"))


def _lost(job: Job, error: Exception) -> Result:
    told = f"{job.client}: the run was lost ({brief(error)}); run it again"
    trace = "".join(traceback.format_exception(error))
    return Result(job.client, "failed", sentences=(told,), exit_code=1, trace=trace)


def _not_begun(job: Job) -> Result:
    told = f"{job.client}: not begun"
    return Result(job.client, "stopped", sentences=(told,), exit_code=STOPPED_CODE)
