"""Recommendations as the sections that they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from retention_lib.advice.found import Recommendation
from retention_lib.report.findings import advice as findings
from retention_lib.report.page import Page, Shown
from retention_lib.retention.lists import ActionList


def sections(
    advice: Sequence[Recommendation], lists: Sequence[ActionList], page: Page
) -> list[Shown]:
    """Each recommendation: what is seen, what to do, for whom, how to prove it, by when.

    Parameters
    ----------
    advice : sequence of Recommendation
        The strongest first.
    lists : sequence of ActionList
    page : Page
    """
    titles = {one.id: one.title for one in lists}
    parts = [part for one in advice for part in _section(one, titles, page)]
    ranked = page.note(findings.ranked()) if advice else None
    return [*parts, ranked] if ranked else parts


def _section(one: Recommendation, titles: Mapping[str, str], page: Page) -> list[Shown]:
    say = page.formats.say
    sheet = titles.get(one.found.list or "")
    return [
        page.section(findings.heading(one), name=findings.short(one)),
        page.facts(
            [
                (say("Seen"), findings.seen(one)),
                (say("Measure"), findings.measure(one)),
                (say("For whom"), findings.whom(one, sheet and say(sheet))),
                (say("Test"), findings.test(one)),
                (say("Result"), findings.when(one)),
            ]
        ),
    ]
