"""A thing to know of the data."""

from __future__ import annotations

from dataclasses import dataclass

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
