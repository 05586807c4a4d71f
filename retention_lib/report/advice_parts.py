"""Recommendations as the sections that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from retention_lib.advice.found import Recommendation
from retention_lib.report.findings import advice as findings
from retention_lib.report.page import Page, Shown, Step
from retention_lib.retention.lists import TITLES, ActionList

#: Recommendations that the summary names.
FIRST: Final = 3


def sections(
    advice: Sequence[Recommendation],
    lists: Sequence[ActionList],
    page: Page,
    prefix: str = "advice",
) -> list[Shown]:
    """Each recommendation: what is seen, what to do, for whom, how to prove it, by when.

    Parameters
    ----------
    advice : sequence of Recommendation
        The strongest first.
    lists : sequence of ActionList
    page : Page
    prefix : str
        Of the sections' anchors.
    """
    titles = {one.id: one.title for one in lists}
    parts = [
        part
        for n, one in enumerate(advice, start=1)
        for part in _section(one, anchor(n, prefix), titles, page)
    ]
    ranked = page.note(findings.ranked()) if advice and prefix == "advice" else None
    return [*parts, ranked] if ranked else parts


def first_steps(advice: Sequence[Recommendation], usable: bool, page: Page) -> Shown:
    """The strongest recommendations, each with whom it is for and a link to its section.

    Parameters
    ----------
    advice : sequence of Recommendation
        The strongest first.
    usable : bool
        Whether the forecast is fit to act on.
    page : Page
    """
    steps = [
        Step(findings.heading(one), findings.who(one, _sheet(one, TITLES, page)), anchor(n))
        for n, one in enumerate(advice[:FIRST], start=1)
    ]
    return page.steps(steps or [Step(findings.headline((), usable))])


def anchor(n: int, prefix: str = "advice") -> str:
    """Where the n-th recommendation stands."""
    return f"{prefix}-{n}"


def _section(one: Recommendation, place: str, titles: Mapping[str, str], page: Page) -> list[Shown]:
    say = page.formats.say
    return [
        page.section(findings.heading(one), name=findings.short(one), anchor=place),
        page.facts(
            [
                (say("Seen"), findings.seen(one)),
                (say("Measure"), findings.measure(one)),
                (say("For whom"), findings.whom(one, _sheet(one, titles, page))),
                (say("Test"), findings.test(one)),
                (say("Result"), findings.when(one)),
            ]
        ),
    ]


def _sheet(one: Recommendation, titles: Mapping[str, str], page: Page) -> str | None:
    """The name of the sheet with those whom it is for."""
    title = titles.get(one.found.list or "")
    return title and page.formats.say(title)
