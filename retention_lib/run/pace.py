"""How long a batch will still take, told from what it took so far."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

#: So many of the latest clients say how likely the next one is to be skipped.
_LATEST: Final = 20
#: So much has to be done before anything is said of the rest.
_LEAST: Final = 2.0


class Pace:
    """The pace of a batch, in whole reports.

    A client that is half done counts as half a report, and one that was skipped as none; of those
    that haven't begun, as many are expected to be skipped as of the latest.

    Parameters
    ----------
    clients : int
    """

    def __init__(self, clients: int) -> None:
        self._unknown = clients
        self._done = 0.0
        self._began: float | None = None
        self._latest: deque[bool] = deque(maxlen=_LATEST)

    def began(self, now: float) -> None:
        """A client's report is being made."""
        self._began = now if self._began is None else self._began
        self._unknown -= 1
        self._latest.append(True)

    def skipped(self) -> None:
        """A client needs no report."""
        self._unknown -= 1
        self._latest.append(False)

    def ended(self, part: float) -> None:
        """A client's run came to this part of a report: 1 where it was made."""
        self._done += part

    def left(self, now: float, at_work: Iterable[float]) -> float | None:
        """Seconds until all are done; None while that can't be told.

        Parameters
        ----------
        now : float
            As given to `began`.
        at_work : iterable of float
            The parts that are done of the reports being made.
        """
        parts = list(at_work)
        done = self._done + sum(parts)
        if self._began is None or done < _LEAST:
            return None
        to_make = sum(self._latest) / len(self._latest)
        rest = len(parts) - sum(parts) + self._unknown * to_make
        return rest * (now - self._began) / done


def about(seconds: float) -> str:
    """A length of time that is only estimated, in round figures.

    Examples
    --------
    >>> about(3), about(37), about(200), about(9000)
    ('a few seconds', 'about 40 s', 'about 3 min', 'about 2.5 hours')
    """
    if seconds < 8:
        return "a few seconds"
    if seconds < 95:
        return f"about {round(seconds, -1):.0f} s"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min"
    return f"about {seconds / 3600:.1f} hours"


def clock(seconds: float) -> str:
    """A length of time that was measured.

    Examples
    --------
    >>> clock(3.4), clock(65), clock(3725)
    ('3 s', '1:05 min', '1:02 hours')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"
    return f"{minutes // 60}:{minutes % 60:02d} hours"
