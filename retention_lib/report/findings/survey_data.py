"""Sentences on the survey's data: doubts about its scales, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from retention_lib.data.datasets import WORDS
from retention_lib.loyalty.survey import Survey
from retention_lib.loyalty.survey_answers import Doubt, Measure
from retention_lib.sentence import N_, Sentence, counted

_DOUBTS: Final[Mapping[Doubt, str]] = {
    "outside": N_(
        "{scores} {measure} scores lie outside the scale from {low} to {high} and are left out: "
        "more than a few. Check that the scale in the client file is the one that was asked on."
    ),
    "one_to_ten": N_(
        "No score from 0 to 10 is a 0, though many are a 1: perhaps the scale was from 1 to 10. "
        "The Net Promoter Score would be read a little too high or low."
    ),
    "too_low": N_(
        "No score from 0 to 10 is above 7: perhaps these are stars from 1 to 5, or a scale to 7. "
        "Nobody can be a promoter, so no Net Promoter Score is told."
    ),
    "turned": N_(
        "The score of ease falls where satisfaction rises: perhaps a low one means easy. Turn the "
        "scores round in the data."
    ),
}


def doubt(measure: Measure, what: Doubt, found: Survey) -> Sentence:
    """What looks wrong about a measure's scale."""
    scale = found.answers.scales[measure]
    return Sentence(
        _DOUBTS[what],
        scores=found.answers.outside[measure],
        measure=measure.upper(),
        low=scale.low,
        high=scale.high,
    )


def doubts(found: Survey) -> list[Sentence]:
    """All that looks wrong about the scales."""
    return [doubt(measure, what, found) for measure, what in found.answers.doubts]


def left_out(found: Survey) -> pd.DataFrame:
    """What became of the survey's rows and scores: `cause` (in words), `rows`."""
    given = [(WORDS[row["cause"]], int(row["rows"])) for row in found.left_out.to_dict("records")]
    if found.answers.twice:
        given.append((N_("Same customer and day: the last row counts"), found.answers.twice))
    causes = {
        "nps": N_("Score outside 0 to 10, or no whole number"),
        "csat": N_("Satisfaction outside its scale"),
        "ces": N_("Ease outside its scale"),
    }
    given += [(causes[name], n) for name, n in found.answers.outside.items() if n]
    return pd.DataFrame(given, columns=["cause", "rows"])


def unmatched(found: Survey) -> Sentence | None:
    """Who answered without a purchase in the orders."""
    if not found.unmatched:
        return None
    return counted(
        found.unmatched,
        "{n} customer who answered has no purchase in the orders: counted in the level, not in "
        "what is held against purchases.",
        "{n} customers who answered have no purchase in the orders: counted in the level, not in "
        "what is held against purchases.",
    )
