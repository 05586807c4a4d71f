"""What chapter 05 found of each further data set, in a sentence: for the summary and the index.

In a run the chapter leaves it in the run's folder; the summary, which is run after it, and the page
of all clients take it from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from retention_lib.data.handover import leave_json, left_json
from retention_lib.sentence import Sentence, as_json, from_json

FILE_NAME: Final = "told.json"


@dataclass(frozen=True)
class Told:
    """What was found of a data set.

    Parameters
    ----------
    title : Sentence
        What it is on: the programme, a campaign's name.
    finding : Sentence
    anchor : str
        The section that tells it in full.
    """

    title: Sentence
    finding: Sentence
    anchor: str


def save(told: Sequence[Told], folder: Path) -> None:
    """Leave findings in a folder."""
    kept = [
        {"title": as_json(one.title), "finding": as_json(one.finding), "anchor": one.anchor}
        for one in told
    ]
    leave_json(kept, folder / FILE_NAME)


def load(folder: Path) -> tuple[Told, ...] | None:
    """The findings that were left in a folder; None where none were."""
    left = left_json(folder / FILE_NAME)
    if left is None:
        return None
    return tuple(
        Told(from_json(one["title"]), from_json(one["finding"]), one["anchor"]) for one in left
    )
