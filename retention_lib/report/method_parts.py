"""The report's last chapter: method, definitions of the figures it prints, provenance.

It is made from what the other chapters published, after they have run, so that it defines what this
report prints and nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from markupsafe import escape

from retention_lib._nbformat import NotebookNode
from retention_lib.data.base import Base
from retention_lib.definitions import DEFINITIONS, fitted
from retention_lib.report.findings import data as of_data
from retention_lib.report.findings import method as findings
from retention_lib.report.findings import retention as of_retention
from retention_lib.report.labels import group_name, label
from retention_lib.report.outputs import published
from retention_lib.report.page import Page, Shown

#: Names of files that are told; of more only how many they are.
MOST_NAMES: Final = 5


def chapter(
    base: Base,
    notebooks: Sequence[NotebookNode],
    metrics: Iterable[str],
    page: Page,
    *,
    versions: Mapping[str, str],
    made: dt.date,
) -> list[Shown]:
    """The chapter, part by part.

    Parameters
    ----------
    base : Base
        Its tables may have been given back.
    notebooks : sequence of NotebookNode
        The chapters before, executed.
    metrics : iterable of str
        Ids of the figures that they published.
    page : Page
    versions : mapping
        Of what made the report, by name.
    made : date
        The day on which it was made.
    """
    models = fitted(metrics)
    return [
        page.chapter("Method", findings.heading(), anchor="method"),
        *_purchases(base, page),
        *_definitions(notebooks, page),
        *_models(models, base, page),
        *_intervals(models, page),
        page.section("What the figures don't tell", name="Limits"),
        page.list(findings.limits()),
        *_provenance(base, page, versions, made),
        page.section("Literature"),
        page.list(findings.literature(models), lang="en"),
    ]


def printed(notebooks: Sequence[NotebookNode], page: Page) -> set[str]:
    """The figures whose names stand in tables or on cards of the chapters."""
    html = "".join(str(text) for text in published(notebooks, "text/html"))
    names = {name: page.formats.tell(label(name)) for of in DEFINITIONS.values() for name in of}
    return {name for name, text in names.items() if f">{escape(text)}<" in html}


def _purchases(base: Base, page: Page) -> list[Shown]:
    say = page.formats.say
    facts = [
        (say("Purchase"), of_data.purchase(base)),
        (say("Returns"), findings.returns(base)),
        (say("Customer"), findings.customer(base)),
        (say("Period"), of_retention.windows(base)),
        (say("Day and amount"), findings.days(base)),
    ]
    return [
        page.section("How purchases and customers are counted", name="Counting"),
        page.facts(facts),
    ]


def _definitions(notebooks: Sequence[NotebookNode], page: Page) -> list[Shown]:
    say, shown = page.formats.say, printed(notebooks, page)
    groups = {
        say(group): [
            (page.formats.tell(label(name)), say(text))
            for name, text in of.items()
            if name in shown
        ]
        for group, of in DEFINITIONS.items()
    }
    parts = [page.terms(group, facts) for group, facts in groups.items() if facts]
    if not parts:
        return []
    return [page.section("What each figure counts", name="Definitions"), *parts]


def _models(models: Sequence[str], base: Base, page: Page) -> list[Shown]:
    if not models:
        return []
    say = page.formats.say
    names = {"gammagamma": say("Spend")}
    facts = [(names.get(name, say("Purchases")), findings.model(name)) for name in models]
    facts.sort(key=lambda fact: fact[0] == names["gammagamma"])
    facts += [(say("Value"), findings.value(base)), (say("Test"), findings.tested())]
    return [page.section("The models behind the forecast", name="Models used"), page.facts(facts)]


def _intervals(models: Sequence[str], page: Page) -> list[Shown]:
    say = page.formats.say
    facts = [
        (say("Shares"), findings.shares()),
        (say("Means"), findings.means()),
        *([(say("Forecasts"), findings.forecasts())] if models else []),
        (say("Comparisons"), findings.comparisons()),
    ]
    return [
        page.section("How sure the figures are", name="Intervals"),
        page.notes([findings.interval()]),
        page.facts(facts),
    ]


def _provenance(base: Base, page: Page, versions: Mapping[str, str], made: dt.date) -> list[Shown]:
    say, formats = page.formats.say, page.formats
    facts = [
        (say("Source"), _names(base.names, page)),
        (say("Days"), findings.span(base)),
        (say("Rows"), findings.rows(base)),
        (say("Fingerprint"), base.fingerprint),
        (say("Made on"), formats.date(made)),
        (say("Software"), ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return [page.section("Where the figures come from", name="Provenance"), page.facts(facts)]


def _names(names: Sequence[str], page: Page) -> str:
    """The files or the table that were read, without their folders or addresses."""
    told = [group_name(name) for name in names[:MOST_NAMES]]
    further = len(names) - len(told)
    if further:
        count = page.formats.count(further)
        more = page.formats.say_count("{n} further file", "{n} further files", further, n=count)
        told.append(more)
    return ", ".join(told)
