"""The report's sections on what customers say."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from retention_lib.loyalty.survey import Survey
from retention_lib.loyalty.survey_later import Later
from retention_lib.loyalty.survey_metrics import metrics
from retention_lib.loyalty.survey_scores import Groups, Level, OverTime
from retention_lib.loyalty.survey_weights import Weighting
from retention_lib.metrics import Metric
from retention_lib.report import tables
from retention_lib.report.figures.style import Drawn
from retention_lib.report.figures.survey import survey_groups, survey_later, survey_over_time
from retention_lib.report.findings import survey as findings
from retention_lib.report.findings import survey_data as of_data
from retention_lib.report.findings import survey_groups as of_groups
from retention_lib.report.findings import survey_later as later_findings
from retention_lib.report.findings import survey_who as of_who
from retention_lib.report.findings import survey_words as words
from retention_lib.report.labels import label
from retention_lib.report.language import Formats
from retention_lib.report.page import Headline, Page, Shown

#: Rows of the list that the report shows.
_MOST = 10


def sections(found: Survey | None, page: Page) -> list[Shown]:
    """All on what customers say; nothing where the client gives no survey.

    Parameters
    ----------
    found : Survey or None
    page : Page
    """
    if found is None:
        return []
    parts: list[Shown | None] = [page.metrics(metrics(found))]
    if found.lead is None:
        parts += [
            page.section(findings.nothing(found), name="Survey", anchor="survey"),
            page.text(findings.why_nothing(found)),
            *_data(found, page),
        ]
    else:
        parts += [
            *_levels(found, page),
            *_who(found, page),
            *_time(found, page),
            *_groups(found, page),
            *_later(found, page),
            *_unhappy(found, page),
        ]
    return [part for part in parts if part is not None]


def _levels(found: Survey, page: Page) -> list[Shown | None]:
    return [
        page.section(findings.heading(found), name="Survey", anchor="survey"),
        page.headlines(cards(found, page.formats)),
        page.text(findings.sure(found)),
        page.text(findings.beside(found)),
        page.note(findings.how_to_read(found)),
        *_data(found, page),
    ]


def _data(found: Survey, page: Page) -> list[Shown | None]:
    """What looks wrong, and what was left out."""
    return [
        *(page.note(one) for one in of_data.doubts(found) if found.lead is not None),
        page.note(of_data.unmatched(found)),
        page.table(left_out_table(found, page.formats)),
    ]


def _who(found: Survey, page: Page) -> list[Shown | None]:
    return [
        page.section(of_who.who(found), name="Who answered"),
        page.text(of_who.responded(found)),
        page.text(of_who.weighted(found)),
        page.table(balance_table(found.weighting, page.formats)),
        page.note(of_who.how_weighted(found)),
    ]


def _time(found: Survey, page: Page) -> list[Shown | None]:
    if found.time is None:
        return []
    return [
        page.section(of_groups.over_time(found.time), name="Scores over time"),
        page.figure(time_figure(found.time, page.formats)),
        page.note(of_groups.how_over_time(found.time)),
    ]


def _groups(found: Survey, page: Page) -> list[Shown | None]:
    if not found.groups or found.lead is None:
        return []
    at = found.levels[found.lead]
    parts: list[Shown | None] = [
        page.section(of_groups.groups(found.groups), name="Scores by group")
    ]
    for one in found.groups:
        parts += [
            page.figure(groups_figure(one, at, page.formats)),
            page.note(of_groups.held_back(one)),
        ]
    return [*parts, page.note(of_groups.how_groups())]


def _later(found: Survey, page: Page) -> list[Shown | None]:
    later = found.later
    if later is None:
        return [
            page.section(later_findings.not_told(found), name="Scores and purchases"),
            page.text(later_findings.why_not_told(found)),
        ]
    return [
        page.section(later_findings.heading(later), name="Scores and purchases"),
        page.figure(later_figure(later, page.formats)),
        page.text(later_findings.alike(later)),
        page.text(later_findings.money(later)),
        page.text(later_findings.adds(later.adds)),
        page.text(later_findings.silent(later)),
        page.table(later_table(later, page.formats)),
        page.note(later_findings.how_to_read(later)),
    ]


def _unhappy(found: Survey, page: Page) -> list[Shown | None]:
    listed = found.listed
    return [
        page.section(later_findings.unhappy(listed), name="Whom to call"),
        page.text(later_findings.call(listed)),
        page.table(unhappy_table(found, page)),
        page.text(later_findings.others(listed)),
    ]


# Cards, figures, tables ---------------------------------------------------------------------


def cards(found: Survey, formats: Formats) -> list[Headline]:
    """The figures that are known, the leading ones first."""
    known = metrics(found)
    names = ("nps", "nps_weighted", "csat", "ces", "response_rate")
    return [
        Headline(formats.tell(label(f"survey.{name}")), in_points(name, known[f"survey.{name}"]))
        for name in names
        if known[f"survey.{name}"].value is not None
    ]


def in_points(name: str, metric: Metric) -> Metric:
    """A Net Promoter Score without decimals, which nothing of it could bear."""
    return dataclasses.replace(metric, unit="count") if name.startswith("nps") else metric


def groups_figure(one: Groups, at: Level, formats: Formats) -> Drawn:
    """The groups of one breakdown under all customers."""
    say = formats.say
    everybody = {
        "label": say("All customers"),
        "worst": at.worst,
        "middle": 1 - at.best - at.worst,
        "best": at.best,
        "told": _told(at.value, at.low, at.high, at.n, one, formats),
        "n": at.n,
        "stands_out": 0,
    }
    frame = one.frame
    rows = frame.assign(
        label=[formats.tell(of_groups.name_of(one, group)) for group in frame["group"]],
        told=[
            _told(row.value, row.low, row.high, row.n, one, formats) for row in frame.itertuples()
        ],
    )
    shown = pd.concat([pd.DataFrame([everybody]), rows[list(everybody)]], ignore_index=True)
    names = [_upper(formats.tell(name)) for name in words.GROUP_NAMES[one.measure]]
    head = {
        "nps": say("Score and 95% interval"),
        "csat": say("Satisfied, 95% interval"),
        "ces": say("Found it easy, 95% interval"),
    }[one.measure]
    finding = formats.tell(of_groups.groups((one,)))
    return survey_groups(shown, formats, names, head, finding)


def _told(value: Any, low: Any, high: Any, n: Any, one: Groups, formats: Formats) -> str:
    def written(x: float) -> str:
        return formats.number(x, 0) if one.measure == "nps" else formats.share(x, 0)

    return formats.say(
        "{value} ({low} to {high}), n = {n}",
        value=written(value),
        low=written(low),
        high=written(high),
        n=formats.count(n),
    )


def time_figure(time: OverTime, formats: Formats) -> Drawn:
    """The level by month, quarter or year."""
    unit: Any = "number" if time.measure == "nps" else "share"
    return survey_over_time(time.frame, formats, formats.tell(of_groups.over_time(time)), unit)


def later_figure(later: Later, formats: Formats) -> Drawn:
    """Who came back, by score."""
    frame = later.groups.reset_index(names="kind")
    frame = frame.assign(label=_labels(later, formats))
    return survey_later(frame, formats, formats.tell(later_findings.heading(later)))


def later_table(later: Later, formats: Formats) -> Any:
    """By score: who came back, what they spent, and what they are worth today."""
    say = formats.say
    frame = later.groups.reset_index(drop=True)
    percent = zip(frame["low"], frame["high"], strict=True)
    texts: dict[str, tuple[str, list[str]]] = {
        "label": (say("Score"), _labels(later, formats)),
        "n": (say("Customers"), [formats.count(n) for n in frame["n"]]),
        "came_back": (say("Came back"), [formats.share(x) for x in frame["came_back"]]),
        "back_interval": (
            say("95% interval"),
            [formats.interval(low, high, "share") for low, high in percent],
        ),
    }
    if frame["alike"].notna().any():
        alike = zip(frame["alike_low"], frame["alike_high"], strict=True)
        texts["alike"] = (say("Had they bought alike"), [formats.share(x) for x in frame["alike"]])
        texts["alike_interval"] = (
            say("95% interval"),
            [formats.interval(low, high, "share") for low, high in alike],
        )
    for name, head in (("spend", say("Spent in these days")), ("clv", say("CLV today"))):
        if frame[name].notna().any():
            ends = zip(frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
            texts[name] = (head, [formats.money(x) for x in frame[name]])
            texts[f"{name}_interval"] = (
                say("95% interval"),
                [formats.interval(low, high, "currency") for low, high in ends],
            )
    return tables.written_table(frame, texts, "label", id="scores-and-purchases")


def _labels(later: Later, formats: Formats) -> list[str]:
    worst, middle, best = (_upper(formats.tell(name)) for name in words.GROUP_NAMES[later.measure])
    names = {
        "best": best,
        "middle": middle,
        "worst": worst,
        "silent": formats.say("Asked, kept silent"),
    }
    return [names[str(kind)] for kind in later.groups.index]


def balance_table(weighting: Weighting | None, formats: Formats) -> Any | None:
    """Who answered against the customers, before and after weighting."""
    if weighting is None:
        return None
    say, frame = formats.say, weighting.balance
    money = frame["name"] == "revenue"

    def means(column: str) -> list[str]:
        values = zip(frame[column], money, strict=True)
        return [formats.money(x) if amount else formats.number(x, 1) for x, amount in values]

    texts: dict[str, tuple[str, list[str]]] = {
        "label": (say("When asked"), [say(of_who.STATES[name]) for name in frame["name"]]),
        "answered": (say("Those who answered"), means("answered")),
        "customers": (say("Customers"), means("customers")),
        "apart": (say("Apart"), [formats.number(x, 2) for x in frame["apart"]]),
        "weighted": (say("Apart, weighted"), [formats.number(x, 2) for x in frame["weighted"]]),
    }
    return tables.written_table(frame, texts, "label", id="who-answered")


def left_out_table(found: Survey, formats: Formats) -> Any | None:
    """Rows and scores that don't count, by cause; None where all do."""
    frame = of_data.left_out(found)
    if frame.empty:
        return None
    frame = frame.assign(cause=[formats.say(cause) for cause in frame["cause"]])
    heads = {"cause": formats.say("What became of the rows"), "rows": formats.say("Rows")}
    return tables.frame_table(
        frame, formats, {"cause": "text", "rows": "count"}, heads, stub="cause", id="survey-rows"
    )


def unhappy_table(found: Survey, page: Page) -> Any | None:
    """The first of the unhappy of high value; None where there is nobody."""
    frame = found.listed.detractors.head(_MOST)
    if frame.empty:
        return None
    formats = page.formats
    say = formats.say
    value = "clv" if found.listed.by_clv else "revenue"
    shown: dict[str, tuple[tables.Format, str]] = {
        "customer": ("text", say("Customer")),
        "score": ("count", say("Score")),
        "answered": ("date", say("Answered")),
        "segment": ("text", say("Segment")),
        "last": ("date", say("Last purchase")),
        value: ("currency", say("CLV") if found.listed.by_clv else say("Revenue so far")),
        "value_at_stake": ("currency", say("Value at stake")),
    }
    named = frame.reset_index(names="id").assign(
        customer=[page.customer(str(one)) for one in frame.index]
    )
    if "segment" in named:
        named["segment"] = [say(str(one)) for one in named["segment"]]
    columns = {name: form for name, form in shown.items() if name in named}
    return tables.frame_table(
        named,
        formats,
        {name: form for name, (form, _) in columns.items()},
        {name: head for name, (_, head) in columns.items()},
        stub="customer",
        id="unhappy",
    )


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
