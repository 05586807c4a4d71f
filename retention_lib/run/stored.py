"""Reports that lie in the reports' folder: which there are, and what one of them says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from retention_lib.data.history import definition_of
from retention_lib.errors import DataError, UsageError
from retention_lib.keys.refusals import nearest, shown
from retention_lib.metrics import Metric, from_json
from retention_lib.retention.comparison import Reported

#: Of metrics.json and run.json; counted up when an older reader could misread them.
SCHEMA: Final = 1
#: Words for a report besides its day.
LATEST: Final = "latest"
PREVIOUS: Final = "previous"
#: Of so many reports the days are named at most.
_MOST_NAMED: Final = 8


@dataclass(frozen=True)
class StoredReport:
    """A report as a run left it.

    Parameters
    ----------
    folder : Path
    metrics : mapping
        Id → Metric.
    run : mapping
        `run.json`.
    reported : Reported
        What of it can be compared.
    """

    folder: Path
    metrics: Mapping[str, Metric]
    run: Mapping[str, Any]
    reported: Reported

    @property
    def as_of(self) -> dt.date:
        """The report's day."""
        return dt.date.fromisoformat(self.folder.name)

    @property
    def currency(self) -> str:
        """Code of its amounts."""
        return str(self.run["parameters"]["currency"])


def client_folder(reports: Path, client: str) -> Path:
    """The folder of a client's reports.

    Raises
    ------
    UsageError
        There is no such client; the sentence names the nearest, or those there are.
    """
    known = clients(reports)
    if client in known:
        return reports / client
    if not known:
        raise UsageError(
            f"{reports}: there is no report of any client; make one with `retention report FILE`, "
            "or name another folder with --out"
        )
    near = nearest(Path(client).stem, known)
    hint = f"did you mean {near}?" if near else f"there are {_some(known)}"
    raise UsageError(f"CLIENT: found {shown(client)}, of whom {reports} has no report; {hint}")


def clients(reports: Path) -> list[str]:
    """The clients with a report, by name."""
    if not reports.is_dir():
        return []
    return sorted(folder.name for folder in reports.iterdir() if days(folder))


def days(folder: Path) -> list[str]:
    """The days of the reports in a client's folder, as ISO text; the earliest first."""
    if not folder.is_dir():
        return []
    # a failed run's, a chapter alone or somebody's own folder is no report
    return sorted(
        place.name
        for place in folder.iterdir()
        if day_of(place.name) and (place / "metrics.json").exists()
    )


def choose(folder: Path, names: tuple[str | None, str | None]) -> tuple[str, str]:
    """The days of two reports of a client, the earlier first.

    Parameters
    ----------
    folder : Path
        The client's.
    names : tuple of str or None
        A day, `latest` or `previous`; by default the previous and the latest.

    Raises
    ------
    UsageError
        A day without a report, the same report twice, or no second one.
    """
    known = days(folder)
    if len(known) < 2:
        raise UsageError(
            f"{folder.name}: there is one report, {known[0]}; a comparison needs two of different "
            "days (as_of in the client file)"
        )
    first, second = (_day(name, folder, known) for name in (names[0] or PREVIOUS, names[1]))
    if first == second:
        raise UsageError(
            f"{folder.name}: {first} is named twice; compare it with another: "
            f"{_some([day for day in known if day != first])}"
        )
    return min(first, second), max(first, second)


def _day(name: str | None, folder: Path, known: list[str]) -> str:
    words = {LATEST: known[-1], PREVIOUS: known[-2]}
    day = words.get(name or LATEST, name)
    assert day is not None
    if day in known:
        return day
    there = f"there are {_some(known)}"
    if day_of(day) is None:
        raise UsageError(
            f"{folder.name}: found {shown(day)} for a report's day; allowed is YYYY-MM-DD, "
            f"{LATEST} or {PREVIOUS}; {there}"
        )
    failed = folder / f"{day}.failed"
    of_it = f"; the run for that day failed ({failed})" if failed.exists() else ""
    raise UsageError(f"{folder.name}: there is no report of {day}{of_it}; {there}")


def read(folder: Path) -> StoredReport:
    """A report.

    Raises
    ------
    DataError
        Its metrics.json or run.json is missing, damaged, of another day or client than the folder
        says, or of a newer version.
    """
    figures, run = (_json(folder / name) for name in ("metrics.json", "run.json"))
    file = folder / "metrics.json"
    if (figures.get("client"), figures.get("as_of")) != (folder.parent.name, folder.name):
        raise DataError(
            f"{file}: these are the figures of {shown(figures.get('client'))} on "
            f"{shown(figures.get('as_of'))}, not of {folder.parent.name} on {folder.name}; "
            f"{_REMEDY}"
        )
    try:
        metrics = {name: from_json(said) for name, said in figures["metrics"].items()}
        reported = Reported(
            figures["as_of"], metrics, definition_of(run, metrics), tuple(_changes(figures))
        )
        report = StoredReport(folder, metrics, run, reported)
        _ = report.currency, run["data"]["sha256"], run["versions"], run["start"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{folder}: metrics.json and run.json aren't as `retention` writes them "
            f"({type(error).__name__}: {error}); {_REMEDY}"
        ) from error
    return report


_REMEDY: Final = "make the report of that day again"


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file; {_REMEDY}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: this can't be read as JSON ({error}); {_REMEDY}") from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), int):
        raise DataError(f"{file}: this isn't what `retention` writes; {_REMEDY}")
    if found["schema"] > SCHEMA:
        raise DataError(
            f"{file}: this is of version {found['schema']}, newer than version {SCHEMA} which this "
            "program reads; update it"
        )
    return found


def _changes(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the report's own comparison with the one before it."""
    table = figures.get("tables", {}).get("changes")
    if not table:
        return []
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def day_of(name: str) -> dt.date | None:
    """The day that a report's folder is called by, `YYYY-MM-DD`; None for any other name."""
    try:
        day = dt.date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def _some(names: list[str]) -> str:
    """Names in a sentence, the last ones where there are many."""
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)}, the last being {', '.join(names[-_MOST_NAMED:])}"
