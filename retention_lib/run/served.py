"""A client's run, in its own process: what it tells who watches it, and asks for (`isolated`)."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from retention_lib.run.safely import make_safely


def serve(fd: int) -> None:
    """Be a client's run: what the fork server calls, with the end of a pipe."""
    serve_on(Connection(fd))


def serve_on(connection: Connection) -> None:
    """Make the report of the job that comes through the pipe, and send back how that ended."""
    job, server, watched = connection.recv()
    link = _Link(connection)
    result = make_safely(job, link, link if watched else None, server)
    link.send("result", result)


class _Link:
    """The run's end of the pipe: it tells steps, asks for turns and dies with who watches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._number = itertools.count()
        self._granted: dict[int, threading.Event] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, kind: str, *said: Any) -> None:
        with self._lock:
            self._connection.send((kind, *said))

    def step(self, name: str, done: int, total: int | None = None) -> None:
        self.send("step", name, done, total)

    def finished(self, name: str, seconds: float) -> None:
        self.send("finished", name, seconds)

    def known(self, as_of: dt.date) -> None:
        self.send("known", as_of)

    @contextmanager
    def turn(self) -> Iterator[None]:
        number = next(self._number)
        granted = self._granted[number] = threading.Event()
        self.send("ask", number)
        granted.wait()
        try:
            yield
        finally:
            del self._granted[number]
            self.send("give back", number)

    def _listen(self) -> None:
        try:
            while True:
                self._granted[self._connection.recv()].set()
        except (EOFError, OSError):
            os._exit(1)  # nobody waits for the report any more
