"""`index.html`: the page of all clients, written anew after every run.

It is made from what lies in the folder of reports and from nothing else, so that a report that was
removed, moved in or made elsewhere is told as it is. Runs that end at once take turns: the last to
write has seen what all of them left. What can't be read is said on the page, at its client.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from retention_lib import report_files
from retention_lib.data import history
from retention_lib.data.periods import windows
from retention_lib.errors import DataError
from retention_lib.metrics import UNITS, Metric, from_json
from retention_lib.params import Params
from retention_lib.report.index_page import PAGE, SHOWN, Client, Failure, Point, Report, render
from retention_lib.run.lock import locked
from retention_lib.run.stored import day_of

FILE_NAME: Final = "index.html"
#: Held while the page is made; an empty file, which stays.
LOCK: Final = ".index.lock"
#: What ISO 4217 calls an amount of no currency.
NO_CURRENCY: Final = "XXX"
#: Bytes at the beginning of `metrics.json` in which its metrics stand; tables and figures follow.
HEAD: Final = 2**16
#: Beyond this a figure isn't one.
LARGEST: Final = 1e15

#: What a report's files are called on the page.
_FILES: Final = {
    PAGE: report_files.HTML,
    "Printed (PDF)": report_files.PDF,
    "Lists to act on": report_files.ACTIONS,
    "Lists as CSV": "lists",
    "Notebooks": "notebooks",
    "Customers": report_files.CUSTOMERS,
    "Figures": report_files.METRICS,
    "Provenance": report_files.RUN,
}
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CHAPTER: Final = re.compile(r"(\d{4}-\d\d-\d\d)-(\d\d_\w+)\.html")
#: What reading a file raises that isn't what a run leaves.
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def write(reports: Path, now: dt.datetime | None = None) -> tuple[str, ...]:
    """Write the page of all clients anew, whole or not at all.

    Parameters
    ----------
    reports : Path
        The folder of all reports.
    now : datetime, optional
        With its time zone: up to when ages are counted. By default this moment, in local time.

    Returns
    -------
    tuple of str
        A sentence where the page can't be written; the reports are whole without it.
    """
    file = reports / FILE_NAME
    part = reports / f".{FILE_NAME}.{os.getpid()}.part"
    try:
        with locked(reports / LOCK):
            for left in reports.glob(f".{FILE_NAME}.*.part"):  # a run that died while it wrote
                left.unlink(missing_ok=True)
            page = render(collect(reports), reports, now or dt.datetime.now().astimezone())
            part.write_text(page, encoding="utf-8", errors="replace", newline="\n")
            part.replace(file)
    except OSError as error:
        return (
            f"{file}: the page of all clients can't be written ({error.strerror or error}); mend "
            "that, and the next run writes it.",
        )
    except Exception as error:  # a report that is made isn't lost over the page that lists it
        return (
            f"{file}: the page of all clients couldn't be made ({type(error).__name__}: {error}); "
            "the reports are whole without it.",
        )
    finally:
        part.unlink(missing_ok=True)
    return ()


def collect(reports: Path) -> list[Client]:
    """Every client with a report, a failed run or a history in the folder of all reports."""
    found = []
    for folder in sorted(reports.iterdir()):
        if not _SLUG.fullmatch(folder.name) or not folder.is_dir():
            continue
        try:
            client = _client(folder)
        except _UNREADABLE as error:
            told = f"The folder {folder.name} can't be read ({_reason(error)})."
            client = Client(folder.name, folder.name, NO_CURRENCY, (), damaged=(told,))
        if client is not None:
            found.append(client)
    return found


def _client(folder: Path) -> Client | None:
    """What lies in a client's folder; None where it is no client's."""
    days, failures, chapters = [], [], {}
    for entry in sorted(folder.iterdir(), reverse=True):
        if entry.name.endswith(".failed"):
            failures.append(entry)
        elif (day := day_of(entry.name)) and _is_report(entry):
            days.append((day, entry))
        elif alone := _CHAPTER.fullmatch(entry.name):
            chapters[f"{alone[2]}, {alone[1]}"] = entry
    has_history = (folder / history.FILE_NAME).exists()
    if not (days or failures or has_history):
        return None
    damaged: list[str] = []
    runs = [_run(entry, damaged) for _, entry in days]
    failed = [(entry, _run(entry)) for entry in failures]
    reports = [_report(day, entry, run) for (day, entry), run in zip(days, runs, strict=True)]
    if reports:
        reports[0] = _in_full(reports[0], days[0][1], runs[0], damaged)
    elif has_history:
        damaged.append("None of its reports is left here; what they said is in its history.")
    given = [*runs, *(run for _, run in failed)]
    return Client(
        client=folder.name,
        title=_parameter(given, "title") or folder.name,
        currency=_currency(_parameter(given, "currency")),
        reports=tuple(reports),
        failure=_failure(failed, reports),
        damaged=tuple(damaged),
        chapters=chapters,
    )


# Reports -------------------------------------------------------------------------------------


def _is_report(folder: Path) -> bool:
    return any(
        (folder / name).exists()
        for name in (report_files.HTML, report_files.RUN, report_files.METRICS)
    )


def _report(day: dt.date, folder: Path, run: Mapping[str, Any]) -> Report:
    """A report as an earlier one is told: when it was made, and where it lies."""
    return Report(as_of=day, made=_moment(run.get("finished")), files=_files(folder, (PAGE,)))


def _in_full(report: Report, folder: Path, run: Mapping[str, Any], damaged: list[str]) -> Report:
    """The latest report with its figures; what can't be read is added to `damaged`."""
    metrics: dict[str, Metric] = {}
    trends: Mapping[str, list[Point]] = {}
    try:
        metrics = _metrics(folder / report_files.METRICS)
    except _UNREADABLE as error:
        damaged.append(_unreadable(folder / report_files.METRICS, error))
    if PAGE not in report.files:
        damaged.append(f"{folder.name}/report.html is missing; make the report again.")
    kept = folder.with_name(history.FILE_NAME)
    try:
        trends = _trends(kept, report.as_of)
    except DataError as error:
        damaged += [sentence.replace(str(kept), kept.name) for sentence in error.sentences]
    except _UNREADABLE as error:
        damaged.append(_unreadable(kept, error))
    verdict = run.get("verdict")
    return replace(
        report,
        files=_files(folder, _FILES),
        metrics=metrics,
        trends=trends,
        period=_period(report.as_of, run),
        verdict=verdict if isinstance(verdict, str) else None,
        recommendations=_texts(run["recommendations"]) if "recommendations" in run else None,
        beyond=_texts(run.get("beyond")),
        warnings=_texts(run.get("warnings")),
    )


def _files(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """What the files of a report that are there are called, and where they lie."""
    places = {name: folder / _FILES[name] for name in names}
    return {name: place for name, place in places.items() if place.exists()}


def _metrics(file: Path) -> dict[str, Metric]:
    """The figures that the page shows.

    They stand at the beginning of a file that is some hundred times as long: with many clients it
    is read whole only where they don't.
    """
    with file.open(encoding="utf-8") as stream:
        head = stream.read(HEAD)
    begins = re.search(r'"metrics"\s*:\s*', head)
    try:
        metrics = json.JSONDecoder().raw_decode(head, begins.end())[0] if begins else None
    except ValueError:
        metrics = None
    if metrics is None:
        metrics = json.loads(file.read_text(encoding="utf-8"))["metrics"]
    return {name: _metric(metrics[name]) for name in SHOWN if name in metrics}


def _metric(fields: Mapping[str, Any]) -> Metric:
    """A figure that can be printed.

    Raises
    ------
    ValueError, TypeError
        It can't.
    """
    for name in ("value", "low", "high", "n", "previous", "year_ago"):
        number = fields.get(name)
        if number is not None and not (
            type(number) in (int, float) and -LARGEST < number < LARGEST
        ):
            raise ValueError(f"{name} is {str(number)[:40]!r}")
    if fields["unit"] not in UNITS.values() or not isinstance(fields.get("note", ""), str):
        raise ValueError(f"its unit is {str(fields['unit'])[:40]!r}")
    return from_json(fields)


def _trends(file: Path, as_of: dt.date) -> dict[str, list[Point]]:
    found = history.series(file, file.parent.name, SHOWN, as_of.isoformat())
    return {
        name: [(dt.date.fromisoformat(day), value) for day, value in points]
        for name, points in found.items()
        if all(math.isfinite(value) for _, value in points)
    }


def _period(as_of: dt.date, run: Mapping[str, Any]) -> tuple[dt.date, dt.date] | None:
    months = [
        _parameter([run], name, int) or Params.model_fields[name].default
        for name in ("period_months", "active_months")
    ]
    try:
        period = windows(as_of, *months).period
    except (ValueError, OverflowError):
        return None
    return period.start, period.end


# Failed runs ---------------------------------------------------------------------------------


def _failure(
    failed: Sequence[tuple[Path, Mapping[str, Any]]], reports: Sequence[Report]
) -> Failure | None:
    """The last failed run, where no report was made since; runs of one chapter aren't told."""
    last = max((r.made for r in reports if r.made is not None), default=_NEVER)
    found = [_told(folder, run) for folder, run in failed if not run.get("only")]
    after = [one for one in found if one.at is None or one.at > last]
    return max(after, key=lambda one: one.at or _NEVER, default=None)


def _told(folder: Path, run: Mapping[str, Any]) -> Failure:
    log = folder / "run.log"
    stopped = set(_texts(run.get("stopped")))
    notebooks = sorted(folder.glob("notebooks/*.ipynb"))
    shown = [file for file in notebooks if file.stem in stopped] or notebooks
    at = _moment(run.get("finished"))
    if at is None and log.exists():
        at = dt.datetime.fromtimestamp(log.stat().st_mtime, dt.UTC)
    return Failure(
        at=at,
        sentences=_texts(run.get("failed")) or _last_line(log),
        log=log if log.exists() else None,
        notebooks={file.stem: file for file in shown},
    )


def _last_line(log: Path) -> tuple[str, ...]:
    """What a log ends with: the sentence of the failure."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    return tuple(line for line in lines if line.strip())[-1:]


# What a run wrote, taken with care -----------------------------------------------------------

_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)


def _run(folder: Path, damaged: list[str] | None = None) -> Mapping[str, Any]:
    """`run.json`; empty where it can't be read, which is added to `damaged`."""
    file = folder / report_files.RUN
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(run, dict):
            raise ValueError("it isn't a JSON object")
    except _UNREADABLE as error:
        if damaged is not None:
            damaged.append(_unreadable(file, error))
        return {}
    return run


def _unreadable(file: Path, error: BaseException) -> str:
    name = file.name if file.name == history.FILE_NAME else f"{file.parent.name}/{file.name}"
    return f"{name} can't be read ({_reason(error)}); make the report again."


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "it isn't there"
    return getattr(error, "strerror", None) or f"{error}" or type(error).__name__


def _parameter(runs: Sequence[Mapping[str, Any]], name: str, kind: type = str) -> Any:
    """A key of the client file, from the first run that has it."""
    for run in runs:
        parameters = run.get("parameters")
        value = parameters.get(name) if isinstance(parameters, dict) else None
        if type(value) is kind:
            return value
    return None


def _currency(code: str | None) -> str:
    return code if code is not None and re.fullmatch("[A-Z]{3}", code) else NO_CURRENCY


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _moment(text: Any) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
        # as UTC where it doesn't say; what no clock shows would fail in another time zone
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return moment if 1970 <= moment.year < 9000 else None
    except (ValueError, TypeError):
        return None
