"""What the measures of a survey, and the groups by score, are called inside a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retention_lib.loyalty.survey_answers import Measure
from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence

#: What leads, inside a sentence.
MEASURES: Final[Mapping[Measure, Sentence]] = {
    "nps": Sentence("the Net Promoter Score"),
    "csat": Sentence("the share of satisfied customers"),
    "ces": Sentence("the share of customers who found it easy"),
}
#: The three groups of a measure, worst first.
GROUP_NAMES: Final[Mapping[Measure, tuple[Sentence, Sentence, Sentence]]] = {
    "nps": (Sentence("detractors"), Sentence("passives"), Sentence("promoters")),
    "csat": (
        Sentence("dissatisfied customers"),
        Sentence("those in between"),
        Sentence("satisfied customers"),
    ),
    "ces": (
        Sentence("customers who found it hard"),
        Sentence("those in between"),
        Sentence("customers who found it easy"),
    ),
}


def level(value: float, measure: Measure) -> int | Metric:
    """A level as a sentence gives it: whole points, or a share."""
    return round(value) if measure == "nps" else Metric(value, "share")
