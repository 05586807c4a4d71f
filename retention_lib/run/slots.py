"""The places at work that the clients of a batch share."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

_Waiting = tuple[int, int, Callable[[], None]]


class Slots:
    """So many pieces of work at once, of all clients together; who began first goes first.

    A client that is nearly done is so not held up by one that has just begun, which keeps the
    number of clients at work, and their memory, small.

    Parameters
    ----------
    places : int
    """

    def __init__(self, places: int) -> None:
        self.places: Final = places
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._having: Counter[int] = Counter()
        self._number = itertools.count()

    def ask(self, rank: int, grant: Callable[[], None]) -> None:
        """Call `grant` when there is a place, sooner for a lower rank."""
        with self._lock:
            heapq.heappush(self._waiting, (rank, next(self._number), grant))
        self._give()

    def give_back(self, rank: int) -> None:
        """Free one place of a rank."""
        with self._lock:
            self._having[rank] -= 1
        self._give()

    def leave(self, rank: int) -> None:
        """Free all places of a rank, and forget what it asked for."""
        with self._lock:
            del self._having[rank]
            self._waiting = [one for one in self._waiting if one[0] != rank]
            heapq.heapify(self._waiting)
        self._give()

    def _give(self) -> None:
        granted = []
        with self._lock:
            while self._waiting and self._having.total() < self.places:
                rank, _, grant = heapq.heappop(self._waiting)
                self._having[rank] += 1
                granted.append(grant)
        for grant in granted:
            grant()
