"""What `retention diff` prints: sentences, a table by chapter of the contract, or JSON.

It speaks to the consultant, in English; amounts are in the client's currency.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retention_lib.keys.refusals import shown
from retention_lib.keys.secrets import masked
from retention_lib.metrics import Metric
from retention_lib.report.labels import label
from retention_lib.report.language import MINUS, Formats
from retention_lib.retention.comparison import Compared, surest_first
from retention_lib.run.diff import READING, Diff, Setting

#: So many figures are named in the first sentence at most.
_NAMED: Final = 5
#: Of a setting's value so much is shown.
_LONGEST: Final = 60
#: Width of a terminal from which on the change in per cent, and the interval in a column of its
#: own, have room.
_FOR_RELATIVE: Final = 118
_FOR_INTERVAL: Final = 100
_ENDLESS: Final = 1_000

#: A metric's chapter in the table, by what its id begins with.
_GROUPS: Final = {
    "customers.expected_alive": "Customer lifetime value",
    "customers.": "Customers",
    "retention.": "Retention",
    "churn.": "Retention",
    "journey.": "From purchase to purchase",
    "revenue.": "Revenue and orders",
    "orders.": "Revenue and orders",
    "spend.": "Revenue and orders",
    "cohorts.": "Cohorts",
    "holdout.": "Forecast, tested on the past",
    "purchases.": "Customer lifetime value",
    "clv.": "Customer lifetime value",
    "economics.": "Economics",
    "tiers.": "Value tiers",
    "slipping.": "Slipping away",
    "timing.": "Timing",
    "programme.": "Loyalty programme",
    "experiment.": "Tests and campaigns",
    "survey.": "Survey",
    "subscription.": "Subscriptions",
    "model.": "Models",
}


def print_diff(diff: Diff, console: Console, *, only_moved: bool = False) -> None:
    """Print a comparison.

    Parameters
    ----------
    diff : Diff
    console : Console
        A table with lines on a terminal, plain columns elsewhere.
    only_moved : bool
        Only the figures that moved beyond their interval, the surest first.
    """
    for line in (*before(diff), ""):
        _say(line, console)
    formats = Formats("en", diff.now.currency)
    rows = surest_first(diff.figures) if only_moved else [*diff.figures]
    table = _table(diff, rows, formats, console, grouped=not only_moved)
    if table.row_count and console.is_terminal:
        console.print(table, soft_wrap=False)
    elif table.row_count:
        for line in (*_plainly(table), ""):
            _say(line, console)
    for line in after(diff, rows):
        _say(line, console)


def _say(line: str, console: Console) -> None:
    """A line, broken between words on a terminal, whole in a file or a pipe."""
    console.print(Text(_line(line)), soft_wrap=not console.is_terminal)


# Sentences -----------------------------------------------------------------------------------


def before(diff: Diff) -> Iterator[str]:
    """What stands over the table: what can't be compared, what moved, what else has changed."""
    yield from _incomparable(diff)
    yield from _moved(diff)
    yield from _changed(diff)


def _incomparable(diff: Diff) -> Iterator[str]:
    """Figures that aren't defined alike, first of all."""
    redefined = [row for row in diff.figures if row.state == "redefined"]
    if redefined:
        keys = dict.fromkeys(key for row in redefined for key in row.redefined)
        then, now = diff.then.reported.definition, diff.now.reported.definition
        told = "; ".join(f"{key} {_value(then[key])}, now {_value(now[key])}" for key in keys)
        both = sum(row.then is not None and row.now is not None for row in diff.figures)
        what = "No figure" if len(redefined) == both else f"{len(redefined)} of {both} figures"
        can = "can" if len(redefined) == both else "can't"
        yield (
            f"{what} {can} be compared: not defined alike in both reports ({told}). To compare, "
            "make one of the reports again with the other's settings."
        )
    read = [s for s in diff.settings if _root(s) in READING - {"source"}]
    if read:
        told = "; ".join(_setting(s) for s in read)
        yield f"The data was read otherwise ({told}): make sure that the figures mean the same."
    if "retention" in diff.versions:
        one, two = diff.versions["retention"]
        yield f"The reports were made by retention {one} and {two}: a formula may have changed."


def _moved(diff: Diff) -> Iterator[str]:
    """How many figures moved beyond their interval, and which."""
    judged = [row for row in diff.figures if row.is_judged and row.is_finding]
    beyond = surest_first(diff.figures)
    since = f"from {diff.then.as_of} to {diff.now.as_of}"
    if not judged:
        yield f"No figure can be held against an interval {since}."
        return
    if not beyond:
        yield f"None of {len(judged)} figures moved beyond its interval {since}."
        return
    formats = Formats("en", diff.now.currency)
    named = "; ".join(_movement(row, formats) for row in beyond[:_NAMED])
    rest = f"; and {len(beyond) - _NAMED} more" if len(beyond) > _NAMED else ""
    first = ", the surest first" if len(beyond) > 1 else ""
    their = "its" if len(beyond) == 1 else "their"
    yield (
        f"{len(beyond)} of {len(judged)} figures moved beyond {their} interval {since}{first}: "
        f"{named}{rest}."
    )
    stand = sum(row.state == "moved" for row in beyond)
    if stand < len(beyond):
        yield (
            f"With all {len(judged)} judged together (Holm), {stand or 'none'} of them "
            f"{'stays' if stand in (0, 1) else 'stay'} moved: one figure in twenty leaves its "
            "interval by chance."
        )


def _movement(row: Compared, formats: Formats) -> str:
    assert row.then is not None
    assert row.now is not None
    way = "up" if row.difference.change > 0 else "down"
    then, now = (_figure(one, row, formats) for one in (row.then, row.now))
    return f"{_label(row)}: from {then} {way} to {now}"


def _changed(diff: Diff) -> Iterator[str]:
    """What else is different between the reports."""
    if diff.settings:
        yield f"Client file: {'; '.join(_setting(s) for s in diff.settings)}."
    if diff.model:
        yield f"Purchase model: {diff.model[0] or 'none'}, now {diff.model[1] or 'none'}."
    yield _data(diff)
    others = {name: pair for name, pair in diff.versions.items() if name != "retention"}
    if others:
        told = ", ".join(f"{name} {one}, now {two}" for name, (one, two) in others.items())
        yield f"Versions: {told}."
    for state, words in (("added", "New in the later report"), ("gone", "Gone since the earlier")):
        if labels := [_label(row) for row in diff.figures if row.state == state]:
            yield f"{words}: {', '.join(labels)}."


def _data(diff: Diff) -> str:
    then, now = diff.then.run, diff.now.run
    used = f"{then['data']['rows_used']:,} rows used, now {now['data']['rows_used']:,}"
    if then["start"] != now["start"]:
        used += f"; from {then['start']} on, now from {now['start']} on"
    return f"Data: {'the same content' if diff.same_data else 'other content'}; {used}."


def after(diff: Diff, rows: Sequence[Compared]) -> Iterator[str]:
    """What stands under the table: how to read it, what to know of single figures."""
    judged = [row for row in diff.figures if row.is_judged and row.is_finding]
    if judged and rows:
        yield (
            "up, down: beyond the 95% interval of the change, also with all "
            f"{len(judged)} figures judged together. judged alone: beyond its own interval only. "
            "within: not beyond it. counted: counted or added up in full, not estimated. "
            "no interval: a report gives none. pts: percentage points."
        )
        yield (
            "The interval of a change is made of those of its two figures (square-and-add, "
            f"Newcombe 1998), as if they had no customer in common. {_overlap(diff)}"
        )
        if any(row.by_customer for row in rows):
            yield (
                f"*: the report of {diff.now.as_of} has worked the change out customer by "
                "customer; its interval is taken."
            )
    yield from _notes(diff, rows)


def _overlap(diff: Diff) -> str:
    shared = diff.shared_days
    days = Formats("en").share(min(shared or 0.0, 1.0), 0)
    common = f"The two periods share {days} of their days" if shared else "They have many"
    return (
        f"{common}, which as a rule makes a change surer than its interval says: what is beyond "
        "has moved, what is within may have moved too."
    )


def _notes(diff: Diff, rows: Iterable[Compared]) -> Iterator[str]:
    """The reports' own notes on the figures, equal ones once."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        notes = [one.note if one is not None else None for one in (row.then, row.now)]
        days = [str(diff.then.as_of), str(diff.now.as_of)]
        if notes[0] == notes[1]:
            days, notes = ["both"], notes[:1]
        for day, note in zip(days, notes, strict=True):
            if note:
                found.setdefault((day, note), []).append(_label(row))
    if found:
        yield "Notes:"
    for (day, note), labels in found.items():
        yield f"  {', '.join(labels)} ({day}): {note}"


# The table -----------------------------------------------------------------------------------


def _table(
    diff: Diff, rows: Sequence[Compared], formats: Formats, console: Console, *, grouped: bool
) -> Table:
    room = console.width if console.is_terminal else _ENDLESS
    table = Table(
        box=box.SIMPLE_HEAD if console.is_terminal else None,
        pad_edge=False,
        padding=(0, 2 if room >= _FOR_INTERVAL else 1, 0, 0),
        header_style="",
    )
    table.add_column("Figure", overflow="fold", min_width=18)
    for head in (str(diff.then.as_of), str(diff.now.as_of), "Change"):
        table.add_column(head, justify="right", no_wrap=True)
    if room >= _FOR_RELATIVE:
        table.add_column("in %", justify="right", no_wrap=True)
    if room >= _FOR_INTERVAL:
        table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("Moved", overflow="fold", min_width=11)
    # what neither report knows is told of in the notes
    shown_ = [row for row in rows if _known(row.then) or _known(row.now)]
    for group, members in groupby(shown_, key=_group if grouped else lambda _: ""):
        if group:
            table.add_row(Text(group, style="bold"))
        for row in members:
            figure, then, now, change, relative, interval, verdict = _cells(row, diff, formats)
            cells = [f"  {figure}" if group else figure, then, now]
            if room >= _FOR_INTERVAL:
                cells += [change, *([relative] if room >= _FOR_RELATIVE else []), interval]
            else:
                cells += [f"{change}\n{interval}" if interval else change]
            style = "bold" if row.is_beyond else ""
            table.add_row(*(Text(cell, style=style) for cell in [*cells, verdict]))
    return table


def _plainly(table: Table) -> Iterator[str]:
    """The table for a file or a pipe: lines as long as they need be, no space at their end."""
    buffer = io.StringIO()
    endless = Console(file=buffer, width=_ENDLESS, highlight=False, no_color=True)
    endless.print(table)
    for line in buffer.getvalue().splitlines():
        yield line.rstrip()


def _cells(row: Compared, diff: Diff, formats: Formats) -> list[str]:
    change, low, high = row.difference
    digits = _digits(row)
    interval = ""
    if not math.isnan(low):
        ends = (_signed(end, row, digits, formats) for end in (low, high))
        interval = " to ".join(ends) + ("*" if row.by_customer else "")
    points = " pts" if row.unit == "share" else ""
    cells = [
        _label(row),
        *(_figure(one, row, formats) for one in (row.then, row.now)),
        "" if math.isnan(change) else f"{_signed(change, row, digits, formats)}{points}",
        _relative(row, formats),
        interval,
        _verdict(row, diff),
    ]
    return [_line(cell) for cell in cells]


def _verdict(row: Compared, diff: Diff) -> str:
    way = "up" if row.difference.change > 0 else "down"
    match row.state:
        case "moved":
            return way
        case "moved_alone":
            return f"{way}, judged alone"
        case "no_interval":
            return "no interval"
        case "redefined":
            return f"not comparable: {', '.join(row.redefined)}"
        case "unknown":
            day = diff.now.as_of if _known(row.then) else diff.then.as_of
            return f"not known on {day}"
        case "added":
            return "new"
    return row.state


def _figure(metric: Metric | None, row: Compared, formats: Formats) -> str:
    if metric is None:
        return ""
    return formats.value(metric.value, row.unit, digits=None if row.is_finding else 3)


def _digits(row: Compared) -> int:
    """Decimals of a change and its interval: as many as its figures have."""
    change, low, high = row.difference
    known = [abs(x) for x in (change, low, high) if not math.isnan(x)]
    largest = max(known, default=0.0)
    match row.unit:
        case "share":
            return 1 if largest >= 0.001 or largest == 0 else 2
        case "count":
            return 0
        case "currency":
            return 0 if largest >= 1_000 else 2
        case "days" | "months":
            return 0 if all(x.is_integer() for x in known) else 1
    if not row.is_finding:
        return 3
    return 0 if largest >= 1_000 else 2


def _signed(x: float, row: Compared, digits: int, formats: Formats) -> str:
    """A change, without its unit; of shares in points."""
    text = formats.number(abs(100 * x if row.unit == "share" else x), digits)
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if x < 0 else "+") + text


def _relative(row: Compared, formats: Formats) -> str:
    """The change against what was, where that means something."""
    if row.unit == "share" or not row.is_finding or math.isnan(row.difference.change):
        return ""
    assert row.then is not None
    if row.then.value is None or row.then.value <= 0:
        return ""
    relative = row.difference.change / row.then.value
    text = formats.share(abs(relative))
    return text if relative == 0 else (MINUS if relative < 0 else "+") + text


# JSON ----------------------------------------------------------------------------------------


def as_json(diff: Diff) -> str:
    """The comparison for another program."""
    found = {
        "schema": 1,
        "client": diff.client,
        "from": str(diff.then.as_of),
        "to": str(diff.now.as_of),
        "currency": diff.now.currency,
        "summary": [_line(sentence) for sentence in before(diff)],
        "same_data": diff.same_data,
        "settings": [
            {"key": s.key, "from": _masked(s.then), "to": _masked(s.now)} for s in diff.settings
        ],
        "versions": {name: list(pair) for name, pair in diff.versions.items()},
        "figures": [_row_as_json(row) for row in diff.figures],
    }
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)


def _row_as_json(row: Compared) -> dict[str, Any]:
    change, low, high = (None if math.isnan(x) else x for x in row.difference)
    found = {
        "metric": row.metric,
        "label": _label(row),
        "unit": row.unit,
        "from": None if row.then is None else row.then.value,
        "to": None if row.now is None else row.now.value,
        "change": change,
        "low": low,
        "high": high,
        "p": None if math.isnan(row.p) else row.p,
        "state": row.state,
        "by_customer": row.by_customer,
    }
    return {**found, "redefined": list(row.redefined)} if row.redefined else found


# Words ---------------------------------------------------------------------------------------


def _known(metric: Metric | None) -> bool:
    return metric is not None and metric.value is not None


def _label(row: Compared) -> str:
    try:
        return str(label(row.metric))
    except KeyError:  # of another version of the program
        return row.metric


def _group(row: Compared) -> str:
    for start, group in _GROUPS.items():
        if row.metric.startswith(start):
            return group
    return row.metric.partition(".")[0].capitalize()


def _root(setting: Setting) -> str:
    return setting.key.partition(".")[0]


def _setting(setting: Setting) -> str:
    return f"{setting.key} {_value(setting.then)}, now {_value(setting.now)}"


def _value(value: Any) -> str:
    if value is None:
        return "not given"
    if not isinstance(value, list | dict):
        return shown(value)
    text = json.dumps(_masked(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _masked(value: Any) -> Any:
    """A value without the passwords in it."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if isinstance(value, dict):
        return {key: _masked(one) for key, one in value.items()}
    return value


def _line(text: str) -> str:
    """Text as a terminal can show it: nothing in it moves the cursor, spaces are plain."""
    return "".join(c if c.isprintable() else " " for c in text)
