"""On track: what the reports say over time, beside targets and outside figures; three sections."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data import history
from retention_lib.data.base import Base
from retention_lib.data.handover import earlier_reports, last_model
from retention_lib.errors import DataError
from retention_lib.metrics import Metric
from retention_lib.models.score import score_forecast
from retention_lib.models.stored import read_model
from retention_lib.report import tables
from retention_lib.report.figures import Drawn, report_trends
from retention_lib.report.findings import track as findings
from retention_lib.report.language import MISSING, Formats
from retention_lib.report.names import LONGEST_SOURCE, printed
from retention_lib.report.page import Page, Shown
from retention_lib.retention.changes import changes
from retention_lib.retention.kpis import metrics_at_each
from retention_lib.retention.targets import benchmarks, targets
from retention_lib.retention.trends import pace, trends

Metrics = Mapping[str, Metric]

#: What is followed from report to report, the most telling first.
FOLLOWED: Final = (
    *("retention.rate", "clv.total", "retention.repeat_90d"),
    *("customers.at_end", "revenue.net", "orders.aov"),
)


def sections(base: Base, further: Metrics, page: Page) -> list[Shown]:
    """Since the last report, targets, benchmarks: a section for each that there is something of.

    Parameters
    ----------
    base : Base
    further : mapping
        Today's figures besides those of `retention.kpis`, by id: the forecast's, and others that a
        target may be set on.
    page : Page
    """
    earlier, params = earlier_rows(base), base.params
    if earlier.empty and not params.targets and not params.benchmarks:
        return []
    last = _last_day(earlier, base)
    at = metrics_at_each(base, [base.as_of, *last])
    then: Metrics = at[last[0]] if last else {}
    metrics = {**at[base.as_of], **further}
    definition = today(base, metrics)
    names = [*dict.fromkeys([*FOLLOWED, *params.targets])]
    trend = trends(earlier, metrics, names, base.as_of, definition)
    shown = [
        *(_since(base, metrics, earlier, then, trend, page) if len(earlier) else []),
        *(_targets(base, metrics, trend, page) if params.targets else []),
        *(_benchmarks(base, metrics, page) if params.benchmarks else []),
    ]
    return [part for part in shown if part is not None]


def earlier_rows(base: Base) -> pd.DataFrame:
    """What earlier reports said; no row in a first one, and none outside a run."""
    file = earlier_reports()
    if file is None:
        return history.empty()
    rows = history.read(file, base.params.client)
    return rows[rows["as_of"] < base.as_of.isoformat()]


def _last_day(earlier: pd.DataFrame, base: Base) -> list[dt.date]:
    """The day of the last report, where today's data reaches back to it."""
    if earlier.empty:
        return []
    day = dt.date.fromisoformat(str(earlier["as_of"].max()))
    return [day] if day >= base.start else []


def today(base: Base, metrics: Metrics) -> str:
    """What today's figures are defined by (`data.history.definition_of`), as JSON."""
    run = {"parameters": base.params.as_parameters(), "start": base.start.isoformat()}
    return json.dumps(history.definition_of(run, metrics))


# Since the last report -----------------------------------------------------------------------


def _since(
    base: Base,
    metrics: Metrics,
    earlier: pd.DataFrame,
    recomputed: Metrics,
    trend: pd.DataFrame,
    page: Page,
) -> list[Shown | None]:
    day = dt.date.fromisoformat(str(earlier["as_of"].max()))
    names = [*dict.fromkeys([*FOLLOWED, *base.params.targets])]
    found = changes(base, metrics, earlier, recomputed, names, today(base, metrics))
    told = _last_forecast(base)
    return [
        page.section(findings.heading(found, day), name="On track"),
        page.figure(trend_figure(trend, base.params.targets, page.formats)),
        page.note(findings.trend(earlier["as_of"].nunique() + 1)),
        page.table(changes_table(found, page.formats)),
        page.note(findings.overlap(base, day)),
        page.text(findings.revised(found, day)),
        page.text(findings.redefined(found, day)),
        page.text(told),
    ]


def _last_forecast(base: Base) -> Any | None:
    """In a sentence, what came of the last forecast; None where it can't be scored."""
    file = last_model()
    if file is None:
        return None
    try:
        return findings.last_forecast(score_forecast(read_model(file), base).sentences[0])
    except DataError:  # of which the chapter on lifetime value speaks
        return None


def trend_figure(trend: pd.DataFrame, goals: Mapping[str, float], formats: Formats) -> Drawn | None:
    """The figures over the reports; None where none was in an earlier one."""
    several = trend.groupby("metric")["as_of"].transform("size") > 1
    frame = trend[several]
    if frame.empty:
        return None
    return report_trends(
        frame.assign(
            label=[formats.tell(findings.name(name)) for name in frame["metric"]],
            target=[goals.get(name, np.nan) for name in frame["metric"]],
        ),
        formats,
    )


def changes_table(found: pd.DataFrame, formats: Formats) -> Any | None:
    """Each figure on the last report's day and today; None where there is none to compare."""
    if found.empty:
        return None
    say, rows = formats.say, found.to_dict("records")
    said = {1: say("up"), -1: say("down"), 0: say("no")}
    was, again = _written(rows, "reported", formats), _written(rows, "then", formats)
    texts = {
        "figure": (say("Figure"), [formats.tell(findings.name(r["metric"])) for r in rows]),
        "was": (say("Last report"), was),
        "again": (say("by today's data"), again),
        "is": (say("Today"), _written(rows, "now", formats)),
        "moved": (say("Change"), [_moved(r, formats) for r in rows]),
        "interval": (say("95% interval"), [_interval(r, formats) for r in rows]),
        "beyond": (
            say("Beyond chance"),
            [MISSING if np.isnan(r["low"]) else said[r["stands"]] for r in rows],
        ),
    }
    if was == again:  # nothing was revised
        del texts["again"]
    return tables.written_table(found, texts, "figure", left=["beyond"], id="changes")


def _written(rows: list[dict[Any, Any]], column: str, formats: Formats) -> list[str]:
    return [formats.value(row[column], row["unit"]) for row in rows]


def _moved(row: Mapping[Any, Any], formats: Formats) -> str:
    if np.isnan(row["change"]):
        return MISSING
    moved = Metric(row["now"], row["unit"], previous=row["now"] - row["change"])
    if row["unit"] == "share":
        return formats.say("{points} points", points=_points(row["change"], formats))
    return formats.change(moved) or MISSING


def _interval(row: Mapping[Any, Any], formats: Formats) -> str:
    if np.isnan(row["low"]):
        return MISSING
    if row["unit"] == "share":
        low, high = (_points(row[end], formats) for end in ("low", "high"))
        text = formats.say("{low} to {high}", low=low, high=high)
    else:
        text = formats.interval(row["low"], row["high"], row["unit"])
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _points(share: float, formats: Formats) -> str:
    text = formats.number(round(100 * share, 1), 1)
    return f"+{text}" if round(100 * share, 1) > 0 else text


# Targets and benchmarks ----------------------------------------------------------------------


def _targets(base: Base, metrics: Metrics, trend: pd.DataFrame, page: Page) -> list[Shown | None]:
    frame = targets(metrics, base.params.targets)
    rows = frame.to_dict("records")
    gaps = [findings.gap(row, pace(trend, str(row["metric"]))) for row in rows]
    open_ = [gap for gap in gaps if gap is not None]
    return [
        page.section(findings.targets(frame), name="Targets"),
        page.table(targets_table(frame, page.formats)),
        page.list(open_) if open_ else None,
    ]


def targets_table(frame: pd.DataFrame, formats: Formats) -> Any:
    """Each target beside today's figure."""
    say, rows = formats.say, frame.to_dict("records")
    bounds = {False: say("at least"), True: say("at most")}
    goals = [f"{bounds[r['ceiling']]} {formats.value(r['target'], r['unit'])}" for r in rows]
    texts = {
        "figure": (say("Figure"), [formats.tell(findings.name(r["metric"])) for r in rows]),
        "is": (say("Today"), _written(rows, "value", formats)),
        "interval": (
            say("95% interval"),
            [formats.interval(r["low"], r["high"], r["unit"]) for r in rows],
        ),
        "goal": (say("Target"), goals),
        "state": (say("It is"), [say(findings.STATES[r["state"]]) for r in rows]),
        "takes": (say("What is missing"), [_missing(r, formats) for r in rows]),
    }
    return tables.written_table(frame, texts, "figure", left=["state"], id="targets")


def _missing(row: Mapping[Any, Any], formats: Formats) -> str:
    if np.isnan(row["gap"]):
        return MISSING
    if row["needed_unit"] == "customers":
        n = formats.count(row["needed"])
        return formats.say_count("{n} customer", "{n} customers", row["needed"], n=n)
    if row["needed_unit"] == "orders":
        n = formats.count(row["needed"])
        return formats.say_count("{n} order", "{n} orders", row["needed"], n=n)
    if row["needed_unit"] in ("currency", "count"):
        return formats.value(row["needed"], row["needed_unit"])
    if row["unit"] == "share":
        return formats.points(abs(row["gap"]))
    return formats.value(abs(row["gap"]), row["unit"])


def _benchmarks(base: Base, metrics: Metrics, page: Page) -> list[Shown | None]:
    given = [(one.metric, one.value, one.source) for one in base.params.benchmarks]
    frame = benchmarks(metrics, given)
    return [
        page.section(findings.benchmarks(frame), name="Benchmarks"),
        page.table(benchmarks_table(frame, page.formats)),
        page.note(findings.benchmark_caution()),
    ]


def benchmarks_table(frame: pd.DataFrame, formats: Formats) -> Any:
    """Each outside figure with its source, beside the client's."""
    say, rows = formats.say, frame.to_dict("records")
    texts = {
        "figure": (say("Figure"), [formats.tell(findings.name(r["metric"])) for r in rows]),
        "is": (say("Today"), _written(rows, "value", formats)),
        "interval": (
            say("95% interval"),
            [formats.interval(r["low"], r["high"], r["unit"]) for r in rows],
        ),
        "other": (say("Benchmark"), _written(rows, "benchmark", formats)),
        "where": (say("The client is"), [say(findings.PLACES[r["place"]]) for r in rows]),
        "from": (say("Source"), [printed(r["source"], LONGEST_SOURCE) for r in rows]),
    }
    return tables.written_table(frame, texts, "figure", left=["where", "from"], id="benchmarks")
