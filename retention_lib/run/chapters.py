"""The chapters: which notebooks make a report, and in which order they are read."""

from __future__ import annotations

import socket
from pathlib import Path

from retention_lib.errors import UsageError
from retention_lib.keys.datasets import data_sources
from retention_lib.params import Params

#: In reading order. Each stands alone; the run starts as many at once as it has room for.
CHAPTERS = ("00_summary", "01_data", "02_retention", "03_cltv", "04_actions")

#: Follows them where the client gives further data sets: programme, experiments, survey …
FURTHER = "05_loyalty"

#: Those that need the forecast, which the run makes while the others are at work.
WITH_FORECAST = frozenset({"00_summary", "03_cltv", "04_actions", FURTHER})

#: Sums the others up, so that it is run after them.
LAST = "00_summary"


def notebooks_folder(here: Path | None = None, *, given: Path | None = None) -> Path:
    """The folder of the chapters' notebooks: in the working directory, else of this installation.

    Parameters
    ----------
    here : Path, optional
        The working directory, where it isn't the process's.
    given : Path, optional
        The folder itself, as another machine named it.

    Raises
    ------
    UsageError
        There is none.
    """
    if given is not None:
        if not (given / f"{CHAPTERS[0]}.ipynb").exists():
            raise UsageError(
                f"There are no notebooks in {given} on {socket.gethostname()}; every worker needs "
                "the project's folder at the same path"
            )
        return given
    places = [(here or Path.cwd()) / "notebooks", Path(__file__).parents[2] / "notebooks"]
    for place in places:
        if (place / f"{CHAPTERS[0]}.ipynb").exists():
            return place
    raise UsageError(
        f"There are no notebooks in {places[0]}; run the command in the project's folder, "
        "the one with notebooks/ and params/"
    )


def choose(only: str | None, params: Params | None = None) -> tuple[str, ...]:
    """The chapters to run: all that the client has data for, or the one that `--only` names.

    Parameters
    ----------
    only : str or None
    params : Params, optional
        The client's; without them only the name is looked at.

    Raises
    ------
    UsageError
        A name that isn't a chapter's, or a chapter that the client gives no data for.
    """
    further = params is None or bool(data_sources(params))
    chapters = (*CHAPTERS, *((FURTHER,) if further else ()))
    if only is None:
        return chapters
    wanted = only.removesuffix(".ipynb")
    matches = [
        c for c in (*CHAPTERS, FURTHER) if wanted in (c, c.partition("_")[0], c.partition("_")[2])
    ]
    if not matches:
        raise UsageError(
            f'--only: found "{only}"; the chapters are {", ".join((*CHAPTERS, FURTHER))}'
        )
    if matches[0] not in chapters:
        raise UsageError(
            f"--only: {FURTHER} needs a data set beside the orders; name one in the client file "
            "under programme, experiments, survey or subscriptions"
        )
    return tuple(matches)
