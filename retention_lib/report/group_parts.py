"""What customers are worth by cohort and by dimension, each group with the model that serves it."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.models.forecast import Forecast
from retention_lib.models.grouping import groupings
from retention_lib.models.groups import Groups, fit_by_group
from retention_lib.report import tables
from retention_lib.report.labels import group_name
from retention_lib.report.language import Formats
from retention_lib.report.page import Page, Shown
from retention_lib.sentence import N_, Sentence
from retention_lib.smallest import SMALLEST

#: Groups in a table: the largest, or the latest cohorts.
MOST: Final = 12
#: Simulated futures behind a group's interval.
DRAWS: Final = 100

#: As headings call what groups them.
NAMES: Final = {
    "cohort": Sentence("cohort"),
    "market": Sentence("market"),
    "channel": Sentence("channel"),
    "category": Sentence("category"),
}


def group_sections(made: Forecast, base: Base, page: Page) -> list[Shown]:
    """A section for each way in which the customers fall into two groups or more."""
    if made.unknowable is not None:
        return []
    shown: list[Shown | None] = []
    for name, groups in groupings(base).items():
        if (groups.value_counts() >= SMALLEST).sum() > 1:
            shown += _section(fitted(made, base, groups, name), page)
    return [part for part in shown if part is not None]


def fitted(made: Forecast, base: Base, groups: pd.Series, name: str) -> Groups:
    """The groups with their models, valued as the whole base is.

    Parameters
    ----------
    made : Forecast
    base : Base
    groups : Series
        By customer.
    name : str
        What groups them.
    """
    return fit_by_group(
        base.customers(),
        groups,
        NAMES.get(name, name),
        model_name=made.name,
        horizon_months=made.horizon_months,
        discount_rate=made.discount_rate,
        margin=made.margin,
        draws=DRAWS,
    )


def _section(found: Groups, page: Page) -> list[Shown | None]:
    apart = found.table["own_purchases"].any() or found.table["own_spend"].any()
    heading = Sentence(APART if apart else TOGETHER, name=found.name)
    return [
        page.section(heading),
        *(page.text(sentence) for sentence in found.sentences),
        page.table(_table(found, page.formats)),
        page.note(_NOTE),
    ]


APART = N_("By {name}, customers differ enough to be forecast apart")
TOGETHER = N_("What customers are worth by {name}: one forecast serves all")
_NOTE = Sentence(
    "Per customer, within the horizon, for all customers ever in the group; 95% intervals by the "
    "model alone. A difference between groups is no effect of what groups them."
)


def _table(found: Groups, fmt: Formats) -> Any:
    large = found.table[found.table["n"] >= SMALLEST]
    by_time = found.name == "cohort"
    large = large.sort_values("group").tail(MOST) if by_time else large.head(MOST)
    own = large["own_purchases"] | large["own_spend"]
    frame = large.assign(
        group=[group_name(str(group)) for group in large["group"]],
        each=large["purchases"] / large["n"],
        interval=[
            fmt.interval(low, high, "currency")
            for low, high in zip(large["clv_mean_low"], large["clv_mean_high"], strict=True)
        ],
        model=[fmt.say("own") if one else fmt.say("common") for one in own],
    )
    formats: dict[str, tables.Format] = {
        "group": "text",
        "n": "count",
        "each": "number",
        "clv_mean": "currency",
        "interval": "text",
        "model": "text",
    }
    labels = {
        "group": fmt.say("Group"),
        "n": fmt.say("Customers"),
        "each": fmt.say("Purchases expected"),
        "clv_mean": fmt.say("CLV each"),
        "interval": fmt.say("95% interval"),
        "model": fmt.say("Model"),
    }
    return tables.frame_table(frame, fmt, formats, labels, stub="group", id=f"worth-{found.name}")
