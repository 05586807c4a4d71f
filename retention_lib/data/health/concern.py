"""A thing to know of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from retention_lib.sentence import Sentence


@dataclass(frozen=True)
class Concern:
    """Something to know of the data.

    Parameters
    ----------
    kind : str
        Stable name, such as `placeholder` or `gap`.
    sentence : Sentence
        With its figure.
    key : str or None
        The key of the client file that changes the treatment.
    """

    kind: str
    sentence: Sentence
    key: str | None = None


def counted(n: int, one: str, many: str, **values: Any) -> Sentence:
    """A sentence on `n` things, in the singular where there is one of them.

    Parameters
    ----------
    n : int
        What stands for `{n}` in both.
    one, many : str
        The message of a single thing, and of any other number.
    **values
        As for a `Sentence`.
    """
    return Sentence(one if n == 1 else many, n=n, **values)
