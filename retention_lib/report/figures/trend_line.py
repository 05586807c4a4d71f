"""A figure's course in a word-sized line, to stand beside the figure itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.report.figures.style import BLUE, GREY
from retention_lib.report.language import Formats
from retention_lib.report.sparkline import Spark, address, sparkline

SPARK: Final = Spark(width=96, height=30, line=GREY, mark=BLUE, thick=1.6, dot=3)
#: Fewer points are no course.
LEAST: Final = 3
#: A line rises over its whole height only where the figure moved by more than this share of it, or
#: by more than its interval: else chance and the last decimal would look like a landslide.
FLAT: Final = 0.05


@dataclass(frozen=True)
class TrendLine:
    """A line with its text.

    Parameters
    ----------
    svg : str
        The picture; numbers are all that it holds.
    alt : str
        What it shows, in a sentence.
    frame : DataFrame
        end, value: what it was drawn from.
    """

    svg: str
    alt: str
    frame: pd.DataFrame = field(repr=False)

    @property
    def address(self) -> str:
        """The picture as the address of an image."""
        return address(self.svg)


def trend_line(
    frame: pd.DataFrame, metric: Metric, label: str, formats: Formats
) -> TrendLine | None:
    """The line of a figure; None where there are too few points for one.

    Parameters
    ----------
    frame : DataFrame
        A row a day, in order: `end` (day), `value`; the last is today's.
    metric : Metric
        Today's figure, with its interval.
    label : str
        Its name as printed.
    formats : Formats
    """
    known = frame.loc[frame["value"].notna(), ["end", "value"]].reset_index(drop=True)
    if len(known) < LEAST:
        return None
    ends = [formats.value(known["value"].iloc[i], metric.unit) for i in (0, -1)]
    days = [formats.date(known["end"].iloc[i]) for i in (0, -1)]
    alt = formats.say(
        "{label}: {first} on {then}, {last} on {now}.",
        label=label,
        first=ends[0],
        last=ends[1],
        then=days[0],
        now=days[1],
    )
    places = [pd.Timestamp(end).toordinal() for end in known["end"]]
    svg = sparkline(places, known["value"].tolist(), SPARK, _least_range(known, metric))
    return TrendLine(svg, alt, known)


def _least_range(known: pd.DataFrame, metric: Metric) -> float:
    level = FLAT * float(known["value"].abs().max())
    if metric.low is None or metric.high is None:
        return level
    return max(level, metric.high - metric.low)
