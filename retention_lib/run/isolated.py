"""A client's run in a process of its own: whatever happens to it happens to no other.

The process is forked from the server that also gives the kernels, so it has its libraries at once
and nothing of another client; where there is no fork it is started anew. It tells its steps
through a pipe and asks there for its turns (`served`). Here it is watched: a step that takes too
long, a process that dies, a batch that is stopped. `isolated` can be sent to any executor.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol

from retention_lib.run.abandoned import abandoned, unforeseen
from retention_lib.run.forked import ForkedProcess
from retention_lib.run.forkserver import line
from retention_lib.run.job import STOPPED_CODE, Job, Result
from retention_lib.run.scratch import scratch
from retention_lib.run.server import can_fork, default_server

#: Beyond a step's time: its chapter ends itself then, and says which cell it was in.
GRACE: Final = 15.0
_LOOK: Final = 0.1
_END: Final = 2.0
#: What a run's process calls.
_RUN: Final = "retention_lib.run.served:serve"


class Watch(Protocol):
    """Who watches a client's run."""

    #: Set when the run is to stop.
    stopping: threading.Event

    def step(self, job: Job, name: str, done: int, total: int | None) -> None:
        """A step has come to `done` of `total`; without a total it has only begun."""

    def finished(self, job: Job, name: str, seconds: float) -> None:
        """A step is done."""

    def ask(self, job: Job, grant: Callable[[], None]) -> None:
        """Call `grant` when the run may do one more piece of work."""

    def give_back(self, job: Job) -> None:
        """One piece of work is done."""

    def ended(self, job: Job) -> None:
        """The run's process has ended: it asks for nothing any more, and does no work."""


def isolated(job: Job, watch: Watch | None = None) -> Result:
    """Make a client's report in a process of its own. Never raises.

    Parameters
    ----------
    job : Job
    watch : Watch, optional
        Is told of the progress, and gives the turns; without one, as many pieces of work are done
        at once as there are cores.
    """
    began = time.monotonic()
    try:
        return _Watched(job, watch).result()
    except Exception as error:
        return unforeseen(job, error, time.monotonic() - began)


class _Watched:
    """A run's process, from its start to its end."""

    def __init__(self, job: Job, watch: Watch | None) -> None:
        self.job = job
        self.watch = watch
        self.began = time.monotonic()
        self.as_of: dt.date | None = None
        #: Step → when it began.
        self.at_work: dict[str, float] = {}
        #: Numbers of the turns that it waits for and that it has, and when this last changed.
        self.waiting: set[int] = set()
        self.turns: set[int] = set()
        self.heard = self.began

    def result(self) -> Result:
        """Start the process, follow it, and say how it ended."""
        with (
            scratch() as own,
            tempfile.TemporaryFile() as output,
            _process(output.fileno(), own) as process,
        ):
            connection = process.connection
            server = default_server(runs=True).address if can_fork() else ""
            try:
                connection.send((self.job, server, self.watch is not None))
                found = self._follow(process)
            finally:
                process.end()
                if self.watch:
                    self.watch.ended(self.job)
            output.seek(0)
            printed = output.read().decode("utf-8", "replace")
        if isinstance(found, Result):
            return found
        outcome, told = found
        return Result(
            self.job.client,
            "stopped" if outcome == "stopped" else "failed",
            time.monotonic() - self.began,
            sentences=abandoned(self.job, self.as_of, told, printed, outcome != "stopped"),
            exit_code=STOPPED_CODE if outcome == "stopped" else 1,
        )

    def _follow(self, process: _Process) -> Result | tuple[str, str]:
        """What the process made of it; or why it was ended, or ended itself."""
        client = self.job.client
        while True:
            if self.watch and self.watch.stopping.is_set():
                return "stopped", f"{client}: stopped"
            late = self._late()
            if late:
                return "late", (
                    f"{client}: {late} {self.job.timeout} seconds and was ended; give it more "
                    "time with --timeout, or look what it waits for"
                )
            try:
                if not process.connection.poll(_LOOK):
                    continue
                kind, *said = process.connection.recv()
            except (EOFError, OSError):
                return "died", f"{client}: {process.how_it_died()}"
            if kind == "result":
                result: Result = said[0]
                return result
            self._hear(kind, said, process)

    def _hear(self, kind: str, said: list[Any], process: _Process) -> None:
        self.heard = time.monotonic()
        if kind == "known":
            self.as_of = said[0]
        elif kind == "step":
            self.at_work.setdefault(said[0], time.monotonic())
        elif kind == "finished":
            self.at_work.pop(said[0], None)
        if not self.watch:
            return
        if kind == "step":
            self.watch.step(self.job, *said)
        elif kind == "finished":
            self.watch.finished(self.job, *said)
        elif kind == "ask":
            self.waiting.add(said[0])
            self.watch.ask(self.job, lambda: self._grant(said[0], process))
        elif kind == "give back":
            self.turns.discard(said[0])
            self.watch.give_back(self.job)

    def _grant(self, number: int, process: _Process) -> None:
        self.turns.add(number)
        self.waiting.discard(number)
        self.heard = time.monotonic()
        process.grant(number)

    def _late(self) -> str | None:
        """What has taken too long; None where nothing has."""
        if self.job.timeout is None:
            return None
        latest = time.monotonic() - self.job.timeout - GRACE
        for name, began in self.at_work.items():
            if began < latest:
                return f"the step {name} took longer than"
        # between its steps: it does nothing, and not because others have their turn
        if not self.at_work and (self.turns or not self.waiting) and self.heard < latest:
            return "the run did nothing for"
        return None


class _Process(Protocol):
    connection: Connection

    def grant(self, number: int) -> None: ...

    def end(self) -> None: ...

    def how_it_died(self) -> str: ...


def _process(output: int, own: Path) -> AbstractContextManager[_Process]:
    return _forked(output, own) if can_fork() else _spawned()


class _Granting:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lock = threading.Lock()

    def grant(self, number: int) -> None:
        with self._lock, contextlib.suppress(OSError):  # it may have died meanwhile
            self.connection.send(number)


class _Forked(_Granting):
    """A run's process that the fork server gave."""

    def __init__(self, connection: Connection, process: ForkedProcess) -> None:
        super().__init__(connection)
        self.process = process

    def end(self) -> None:
        deadline = time.monotonic() + _END
        while self.process.poll() is None and time.monotonic() < deadline:
            self.connection.close()  # it ends by itself when it has told its result
            if not self.process.pid:
                break  # the server has yet to fork it, and kills what nobody waits for
            if self.process.returncode is None:
                self.process.kill()
            time.sleep(0.005)
        self.process.close()

    def how_it_died(self) -> str:
        deadline = time.monotonic() + _END
        while (code := self.process.poll()) is None and time.monotonic() < deadline:
            time.sleep(0.01)
        return _death(code)


class _Spawned(_Granting):
    """A run's process that was started anew."""

    def __init__(self, connection: Connection, process: Any) -> None:
        super().__init__(connection)
        self.process = process

    def end(self) -> None:
        self.process.join(_LOOK)
        if self.process.is_alive():
            self.process.kill()
        self.process.join(_END)
        self.connection.close()

    def how_it_died(self) -> str:
        self.process.join(_END)
        return _death(self.process.exitcode)


def _death(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "the run's process was killed, as the system does when the memory runs out"
    if code is not None and code < 0:
        return f"the run's process died ({signal.Signals(-code).name})"
    return f"the run's process ended without a report (exit code {code})"


@contextmanager
def _forked(output: int, own: Path) -> Iterator[_Process]:
    ours, theirs = socket.socketpair()
    asked = socket.socket(socket.AF_UNIX)
    try:
        with theirs:
            asked.connect(default_server(runs=True).address)
            request = line(
                call=_RUN,
                # what it leaves in temporary files goes with it, however it ends
                env={**os.environ, "TMPDIR": str(own)},
                cwd=str(Path.cwd()),
            )
            sent = socket.send_fds(asked, [request], [output, output, theirs.fileno()])
            asked.sendall(request[sent:])
        asked.setblocking(False)
        yield _Forked(Connection(ours.detach()), ForkedProcess(asked))
    finally:
        ours.close()
        asked.close()


@contextmanager
def _spawned() -> Iterator[_Process]:
    from retention_lib.run.served import serve_on  # all that a run needs: the fork server has it

    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve_on, args=(theirs,), daemon=False)
    process.start()
    theirs.close()
    yield _Spawned(ours, process)
