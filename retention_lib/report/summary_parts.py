"""Parts of the summary: the headline figures with their course, and a word on how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import run_folder
from retention_lib.metrics import Metric
from retention_lib.report import told, track_parts
from retention_lib.report.figures.trend_line import trend_line
from retention_lib.report.headline import SUMMARY
from retention_lib.report.labels import label
from retention_lib.report.page import Headline, Page, Shown
from retention_lib.report.told import Told
from retention_lib.retention.trend_lines import trend_lines
from retention_lib.retention.trends import trends
from retention_lib.sentence import Sentence

#: Forecasts aren't made anew for earlier days: their line is what the earlier reports said.
FORECAST: Final = ("clv.total",)


def headlines(metrics: Mapping[str, Metric], base: Base, page: Page) -> list[Shown]:
    """The headline figures as cards, each with its course where there is one to draw.

    Parameters
    ----------
    metrics : mapping
        Today's figures, by id.
    base : Base
    page : Page
    """
    course = courses(metrics, base, SUMMARY)
    formats = page.formats
    cards = []
    for name in SUMMARY:
        title = formats.tell(label(name))
        line = trend_line(course[course["metric"] == name], metrics[name], title, formats)
        cards.append(Headline(title, metrics[name], trend=line))
    begun = [card.trend.frame["end"].iloc[0] for card in cards if card.trend]
    shown = [page.headlines(cards), page.note(_how(min(begun)) if begun else None)]
    return [part for part in shown if part is not None]


def beyond(base: Base, page: Page) -> list[Shown]:
    """What the data sets beside the orders say, each with a link to its section; else nothing."""
    said = _told(base) if base.datasets else ()
    if not said:
        return []
    facts = [(page.formats.tell(one.title), one.finding) for one in said]
    return [
        page.section("Beyond the orders"),
        page.facts(facts, [one.anchor for one in said]),
    ]


def _told(base: Base) -> tuple[Told, ...]:
    """What the chapter left, in a run; else it is worked out here."""
    folder = run_folder()
    left = None if folder is None else told.load(folder)
    if left is not None:
        return left
    # imported here: few clients have such data sets
    from retention_lib.loyalty.beyond import gather
    from retention_lib.models.saved import forecast
    from retention_lib.report.customers import customer_table
    from retention_lib.report.loyalty_parts import tell

    made = forecast(base)
    return tell(gather(base, customer_table(base, made), made))


def courses(metrics: Mapping[str, Metric], base: Base, names: Sequence[str]) -> pd.DataFrame:
    """metric, end, value: figures at earlier days and today, by day; forecasts by report."""
    earlier = track_parts.earlier_rows(base)
    definition = track_parts.today(base, metrics)
    forecasts = [name for name in names if name in FORECAST]
    said = trends(earlier, metrics, forecasts, base.as_of, definition)
    # what was defined otherwise can't be joined to today's figure
    same = said[said["stretch"] == said.groupby("metric")["stretch"].transform("max")]
    own = same.rename(columns={"as_of": "end"})[["metric", "end", "value"]]
    own = own.assign(end=[pd.Timestamp(end).date() for end in own["end"]])  # days, as `seen` has
    seen = trend_lines(base, [name for name in names if name not in FORECAST])
    return pd.concat([part for part in (seen, own) if len(part)] or [seen], ignore_index=True)


def _how(first: object) -> Sentence:
    return Sentence(
        "The lines show the same figure on earlier days, from {first} at most; where the data "
        "doesn't reach back far enough, there is none.",
        first=first,
    )
