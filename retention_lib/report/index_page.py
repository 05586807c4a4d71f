"""The page of all clients: what each one's last report says, which runs failed, what is old.

The consultant's own page: in English, each client's figures in that client's currency. It has the
report's design and its safety: no script, nothing loaded, all text escaped. What is on it is worked
out by `run.index`; here it is only put into words and laid out.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from retention_lib.languages import SOURCE
from retention_lib.metrics import Metric, moved
from retention_lib.report.headline import SUMMARY, VERDICTS
from retention_lib.report.labels import label
from retention_lib.report.language import MINUS, Formats
from retention_lib.report.names import printed
from retention_lib.report.sparkline import Spark, address, sparkline

_TEMPLATES: Final = Path(__file__).parent / "template"
#: The figures of a client's row: those of the report's summary.
SHOWN: Final = SUMMARY
#: More clients than this are grouped by their first letter, with a list of letters to jump by.
LETTERS_FROM: Final = 20
#: Reports on both ends of a trend that is drawn, and between them.
LEAST_POINTS: Final = 3
#: So many of the oldest reports are named on top.
OLDEST: Final = 3
#: Characters of a title, and of a sentence, after which it is cut.
LONGEST_TITLE: Final = 80
LONGEST_SENTENCE: Final = 600

#: What the report itself is called among its files.
PAGE: Final = "Report"
#: One middle colour, which stands out from a light and a dark ground by more than 3 to 1: an image
#: doesn't know the page's.
_SPARK: Final = Spark(width=40, height=14, line="#5b8f94", mark="#5b8f94")

Point = tuple[dt.date, float]


@dataclass(frozen=True)
class Report:
    """One report of a client.

    Parameters
    ----------
    as_of : date
    made : datetime or None
        With its time zone.
    files : mapping
        What it is called → where it lies, of the files that are there.
    metrics : mapping
        Id → Metric, of those that the page shows; of an earlier report none.
    trends : mapping
        Id → day and value of the comparable reports up to this one.
    period : tuple of date, or None
        First and last day of the reporting period.
    verdict : str or None
        `fit`, `care`, `unfit`.
    recommendations : tuple of str or None
        None where the report doesn't tell, which is of an earlier version.
    beyond : tuple of str
        What the data sets beside the orders say.
    warnings : tuple of str
    """

    as_of: dt.date
    made: dt.datetime | None
    files: Mapping[str, Path] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    trends: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    period: tuple[dt.date, dt.date] | None = None
    verdict: str | None = None
    recommendations: tuple[str, ...] | None = None
    beyond: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A run that failed, and that no report has followed.

    Parameters
    ----------
    at : datetime or None
    sentences : tuple of str
        Why.
    log : Path or None
    notebooks : mapping
        Chapter → where it lies, of those that stopped.
    """

    at: dt.datetime | None
    sentences: tuple[str, ...]
    log: Path | None
    notebooks: Mapping[str, Path]


@dataclass(frozen=True)
class Client:
    """A client and what lies in its folder.

    Parameters
    ----------
    client : str
        The slug.
    title : str
    currency : str
        ISO 4217 code.
    reports : tuple of Report
        The latest first.
    failure : Failure or None
    damaged : tuple of str
        A sentence for each thing that can't be read.
    chapters : mapping
        Name → where it lies, of chapters that were made alone.
    """

    client: str
    title: str
    currency: str
    reports: tuple[Report, ...]
    failure: Failure | None = None
    damaged: tuple[str, ...] = ()
    chapters: Mapping[str, Path] = field(default_factory=dict)


def render(clients: Sequence[Client], reports: Path, now: dt.datetime) -> str:
    """The page, as the text of one self-contained HTML file.

    Parameters
    ----------
    clients : sequence of Client
    reports : Path
        The folder that the page stands in.
    now : datetime
        With its time zone, in which moments are told; ages are counted up to it.
    """
    ordered = sorted(clients, key=_place)
    rows = [_row(one, now) for one in ordered]
    made = [report.made for one in ordered for report in one.reports]
    grouped = len(rows) > LETTERS_FROM
    groups = [
        {"letter": letter, "id": f"letter-{_NAMES.get(letter, letter)}", "rows": list(members)}
        for letter, members in groupby(rows, key=lambda row: row["letter"] if grouped else "")
    ]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["address"] = lambda path: quote(path.relative_to(reports).as_posix())
    return environment.get_template("all_clients/page.html.j2").render(
        own_sheet=_sheet("all_clients/page.css"),
        report_sheet=_sheet("retention/retention.css"),
        groups=groups,
        grouped=grouped,
        heads=[label(name) for name in SHOWN],
        clients=len(rows),
        failures=[row for row in rows if row["failure"]],
        damaged=[row for row in rows if row["damaged"]],
        today=sum(_days(moment, now) == 0 for moment in made),
        month=sum(_month(moment, now) == (now.year, now.month) for moment in made),
        oldest=_oldest(ordered, now),
        written=_moment(now, now),
    )


# Rows ----------------------------------------------------------------------------------------


def _row(client: Client, now: dt.datetime) -> dict[str, Any]:
    """A client as the template lays it out."""
    title = printed(client.title, LONGEST_TITLE) or client.client
    latest = client.reports[0] if client.reports else None
    formats = _formats(client.currency)
    cells = [_cell(name, latest, formats) for name in SHOWN]
    return {
        "id": _id(client),
        "title": title,
        "client": client.client,
        "letter": _letter(client.title),
        "currency": client.currency,
        "report": None if latest is None else _report(latest, now),
        "period": None
        if latest is None or latest.period is None
        else formats.period(*latest.period),
        "cells": cells,
        "unknown": [cell for cell in cells if cell["note"]],
        "failure": None if client.failure is None else _failure(client.failure, now),
        "damaged": [printed(sentence, LONGEST_SENTENCE) for sentence in client.damaged],
        "earlier": [_report(report, now) for report in client.reports[1:]],
        "chapters": client.chapters,
    }


@cache
def _formats(currency: str) -> Formats:
    """One for each currency: making one looks for the languages' catalogs."""
    return Formats(SOURCE, currency)


def _report(report: Report, now: dt.datetime) -> dict[str, Any]:
    sign, word = VERDICTS.get(report.verdict or "", (None, None))
    return {
        "day": report.as_of.isoformat(),
        "page": report.files.get(PAGE),
        "files": {name: where for name, where in report.files.items() if name != PAGE},
        "old": age((now.date() - report.as_of).days),
        "made": None if report.made is None else _moment(report.made, now),
        "made_ago": ago(_days(report.made, now)),
        "verdict": report.verdict if sign else None,
        "sign": sign,
        "word": word,
        "told": report.recommendations is not None,
        "recommendations": [
            printed(sentence, LONGEST_SENTENCE) for sentence in report.recommendations or ()
        ],
        "beyond": [printed(sentence, LONGEST_SENTENCE) for sentence in report.beyond],
        "warnings": [printed(sentence, LONGEST_SENTENCE) for sentence in report.warnings],
    }


def _failure(failure: Failure, now: dt.datetime) -> dict[str, Any]:
    return {
        "at": None if failure.at is None else _moment(failure.at, now),
        "ago": ago(_days(failure.at, now)),
        "sentences": [printed(sentence, LONGEST_SENTENCE) for sentence in failure.sentences],
        "log": failure.log,
        "notebooks": failure.notebooks,
    }


def _cell(name: str, report: Report | None, formats: Formats) -> dict[str, Any]:
    """A figure with its change, and its trend where there is one."""
    metric = None if report is None else report.metrics.get(name)
    named = label(name)
    if report is None or metric is None:
        return {"label": named, "value": None, "note": None, "trend": None}
    direction = moved(metric)
    return {
        "label": named,
        "value": formats.metric(metric) if metric.value is not None else None,
        "note": printed(metric.note, LONGEST_SENTENCE)
        if metric.value is None and metric.note
        else None,
        "change": _change(metric, formats),
        "moved": {1: "▲", -1: "▼"}.get(direction),
        "trend": _trend(named, report.trends.get(name, ()), metric, formats),
    }


def _change(metric: Metric, formats: Formats) -> str | None:
    """What moved since the period before: a share in points, all else as a share of what it was.

    So clients of every size and currency can be compared down a column.
    """
    if metric.value is None or metric.previous is None:
        return None
    difference = metric.value - metric.previous
    if metric.unit == "share":
        return f"{_signed(formats.number(100 * difference, 1))} pts"
    if metric.previous <= 0:
        return formats.change(metric)
    return _signed(formats.share(difference / metric.previous))


def _trend(
    named: str, points: Sequence[Point], metric: Metric, formats: Formats
) -> dict[str, Any] | None:
    if len(points) < LEAST_POINTS:
        return None
    days, values = zip(*points, strict=True)
    told = (
        f"{named} in {len(points)} reports, {days[0]} to {days[-1]}: from "
        f"{formats.value(values[0], metric.unit)} to {formats.value(values[-1], metric.unit)}"
    )
    drawn = sparkline([day.toordinal() for day in days], values, _SPARK)
    size = {"width": _SPARK.width, "height": _SPARK.height}
    return {"alt": told, "address": address(drawn)} | size


def _signed(number: str) -> str:
    """A number as written, with its sign; what was rounded to zero has none."""
    return number if number.startswith(MINUS) or not number.strip("0.%") else f"+{number}"


def _oldest(clients: Sequence[Client], now: dt.datetime) -> list[dict[str, Any]]:
    """The clients whose last report was made longest ago, where that wasn't today."""
    dated = [
        (client.reports[0].made, client)
        for client in clients
        if client.reports and client.reports[0].made is not None
    ]
    dated.sort(key=lambda pair: (pair[0], pair[1].client))
    return [
        {
            "title": printed(client.title, LONGEST_TITLE),
            "id": _id(client),
            "ago": ago(_days(made, now)),
        }
        for made, client in dated[:OLDEST]
        if _days(made, now)
    ]


# Words ---------------------------------------------------------------------------------------


def age(days: int) -> str | None:
    """A number of days as one says it; None for days to come.

    Examples
    --------
    >>> age(0), age(1), age(59), age(400), age(1000)
    ('0 days', '1 day', '59 days', '13 months', '2 years')
    """
    if days < 0:
        return None
    for least, length, unit in ((730, 365.25, "year"), (60, 30.44, "month"), (0, 1, "day")):
        if days >= least:
            n = int(days / length)
            return f"{n} {unit}" if n == 1 else f"{n} {unit}s"
    raise AssertionError("unreachable")


def ago(days: int | None) -> str | None:
    """When something was, as one says it."""
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    told = None if days is None else age(days)
    return None if told is None else f"{told} ago"


def _days(moment: dt.datetime | None, now: dt.datetime) -> int | None:
    """Midnights since a moment."""
    return None if moment is None else (now.date() - moment.astimezone(now.tzinfo).date()).days


def _month(moment: dt.datetime | None, now: dt.datetime) -> tuple[int, int] | None:
    if moment is None:
        return None
    there = moment.astimezone(now.tzinfo)
    return there.year, there.month


def _moment(moment: dt.datetime, now: dt.datetime) -> str:
    return moment.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M")


# Order ---------------------------------------------------------------------------------------

_OTHER: Final = "#"
_LETTERS: Final = f"ABCDEFGHIJKLMNOPQRSTUVWXYZÆØÅ{_OTHER}"
#: Letters that can't stand in an address as they are.
_NAMES: Final = {_OTHER: "other", "Æ": "AE", "Ø": "OE", "Å": "AA"}
#: What comes after z, in the order of a Norwegian or a Dane.
_LAST: Final = {"æ": "{1", "ä": "{1", "ø": "{2", "ö": "{2", "å": "{3"}


def _place(client: Client) -> tuple[int, str, str]:
    """What clients are ordered by."""
    title = printed(client.title, LONGEST_SENTENCE).casefold()
    spelt = "".join(_LAST.get(c) or _without_accent(c) for c in title)
    return _LETTERS.index(_letter(client.title)), spelt, client.client


def _letter(title: str) -> str:
    """The heading that a title stands under: A to Å, or # for what begins otherwise."""
    first = printed(title, LONGEST_SENTENCE)[:1].upper()[:1]
    first = {"Ä": "Æ", "Ö": "Ø"}.get(first, first)
    if first and first not in _LETTERS:
        first = _without_accent(first).upper()[:1]
    return first if first and first in _LETTERS else _OTHER


def _without_accent(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter)[0].casefold()[0]


def _id(client: Client) -> str:
    return f"client-{client.client}"


def _sheet(name: str) -> Markup:
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))
