"""What a client's run tells while it works, and what it asks before it works: a turn.

The run of one client by hand and that of a hundred differ in these two only: who is told, and how
many pieces of work may be done at once.
"""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import AbstractContextManager
from typing import Protocol


class Steps(Protocol):
    """What is told of a run's progress."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """A step has come to `done` of `total`; without a total it has only begun."""

    def finished(self, name: str, seconds: float) -> None:
        """A step is done."""

    def known(self, as_of: dt.date) -> None:
        """The data is read: the report is of this day."""


class Silent:
    """Progress for nobody."""

    def step(self, name: str, done: int, total: int | None = None) -> None:
        """Say nothing."""

    def finished(self, name: str, seconds: float) -> None:
        """Say nothing."""

    def known(self, as_of: dt.date) -> None:
        """Say nothing."""


class Turns(Protocol):
    """Who may work: reading the data, the forecast, a chapter and the page each take a turn."""

    def turn(self) -> AbstractContextManager[object]:
        """Wait for a turn, and have it while inside."""


class OwnTurns:
    """So many pieces of work at once, of one run.

    Parameters
    ----------
    at_once : int
    """

    def __init__(self, at_once: int) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    def turn(self) -> AbstractContextManager[object]:
        """Wait for a turn, and have it while inside."""
        return self._places
