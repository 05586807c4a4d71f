"""A log that starts after its customers did.

In every log all customers are first seen once, and most of them early. Whether they were new then
can't be read off that alone: a shop that opened on the first day looks like an old one whose export
starts there. Three things tell them apart, and all three are asked for:

- *First-timers become few.* In an old shop they are its true newcomers from then on; in a new shop
  that goes on winning customers they don't become fewer.
- *Buyers stay as many.* An old shop sells at its usual level from the first day. A new one starts
  from nothing, and customers of one campaign (CDNOW's, won in three months) leave a hole when it
  ends.
- *The early ones are more loyal.* Who is seen first in an old shop is who buys often; in a new shop
  the first customers come back about as often as later ones.

A shop that opened with a rush, lost nobody and then won few can still look old: so it is asked.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.health.concern import Concern
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence

#: Length of a step, and the fewest and most of them that are looked at.
STEP_DAYS: Final = 30
FEWEST_STEPS: Final = 6
MOST_STEPS: Final = 24

#: First-timers of the first step, without whom nothing is told.
ENOUGH: Final = 50
#: Later steps have at most this share of the first one's first-timers …
FEWER: Final = 0.5
#: … and between these times its buyers.
LEVEL: Final = (2 / 3, 2.0)
#: The odds to come back within three steps are this many times the later ones'; asked where there
#: are so many later ones.
MORE_LOYAL: Final = 1.5
LATER_ONES: Final = 20
COMING_BACK: Final = 3


def late_start(base: Base) -> Concern | None:
    """Whether many of those first seen at the beginning were customers before it."""
    steps = _steps(base)
    if steps is None or steps["new"].iloc[0] < ENOUGH:
        return None
    first, later = steps.iloc[0], steps.iloc[len(steps) // 2 :]
    new, buyers = float(later["new"].median()), float(later["buyers"].median())
    lowest, highest = (times * first["buyers"] for times in LEVEL)
    if new > FEWER * first["new"] or not lowest <= buyers <= highest:
        return None
    if not _more_loyal(steps):
        return None
    customers = int(steps["new"].sum())
    said = Sentence(
        "{share} of the customers are first seen in the first {days}, later {new} in as many days, "
        "though as many buy ({early} then, {buyers} later). Unless the shop opened then, the data "
        "starts after its customers did: those first seen early aren't new, and the first cohorts "
        "are old customers. Ask for an export that goes further back.",
        share=Metric(float(first["new"]) / customers, "share", n=customers),
        days=Metric(STEP_DAYS, "days"),
        early=int(first["buyers"]),
        new=round(new),
        buyers=round(buyers),
    )
    return Concern("late_start", said, "start" if base.params.start else "source")


def _steps(base: Base) -> pd.DataFrame | None:
    """Whole steps from the first day: buyers, first-timers, and how many of these came back."""
    count = min(((base.as_of - base.start).days + 1) // STEP_DAYS, MOST_STEPS)
    if count < FEWEST_STEPS:
        return None
    frame = base.once("first-steps", lambda: _visits(base)).to_pandas().set_index("at")
    return frame.reindex(range(count)).fillna(0).astype(int)


def _visits(base: Base) -> ir.Table:
    made = base.purchases()
    at, first, following = (
        (day.delta(ibis.date(base.start), unit="day") / STEP_DAYS).floor().cast("int64")
        for day in (made[schema.DAY], made["first"], made.following)
    )
    steps = made.select(at=at, is_first=at == first, after=following - at)
    # of a customer's purchases in a step, the last one knows when the next visit was
    visits = steps.filter(steps.after.isnull() | (steps.after > 0))
    return visits.group_by("at").aggregate(
        buyers=visits.count(),
        new=visits.count(where=visits.is_first),
        back=visits.count(where=visits.is_first & (visits.after <= COMING_BACK)),
    )


def _more_loyal(steps: pd.DataFrame) -> bool:
    """Whether who is first seen at once comes back more than who is first seen later."""
    # whose return would have been seen, and who had time to come once before being missed
    later = steps.iloc[COMING_BACK : len(steps) - COMING_BACK]
    if later["new"].sum() < LATER_ONES:
        return True
    return _odds(steps.iloc[:1]) >= MORE_LOYAL * _odds(later)


def _odds(steps: pd.DataFrame) -> float:
    back, new = steps["back"].sum(), steps["new"].sum()
    return float((back + 0.5) / (new - back + 0.5))
