"""The heading of the chapter on what the data sets beside the orders say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from retention_lib.metrics import Metric
from retention_lib.sentence import N_, Counted, Sentence

#: What is known of a measure: it brought revenue, it lost some, neither is sure, no word can be
#: said of it.
Judged = Literal["brought", "lost", "open", "unjudged"]

#: The survey's leading measure, as a clause that may stand after another.
SCORES: Final = {
    "nps": N_("NPS is {value}"),
    "csat": N_("{value} of those who answered are satisfied"),
    "ces": N_("{value} of those who answered found it easy"),
}


def headline(measures: Sequence[Judged], score: Sentence | None, stayed: Metric | None) -> Sentence:
    """What the data sets say, in one breath.

    Parameters
    ----------
    measures : sequence of str
        Of the programme, the tests and the campaigns.
    score : Sentence or None
        The survey's leading measure with its level (`SCORES`).
    stayed : Metric or None
        Share of the subscribers who stayed.
    """
    clauses = [_of_measures(measures)] if measures else []
    if score is not None:
        clauses.append(score)
    if stayed is not None:
        clauses.append(Sentence("{stayed} of the subscribers stayed", stayed=stayed))
    if not clauses:
        return Sentence("The data sets beside the orders are too small to tell anything of")
    said = clauses[0]
    for clause in clauses[1:]:
        said = Sentence("{first}; {second}", first=said, second=clause)
    return said


def _of_measures(measures: Sequence[Judged]) -> Sentence:
    n, brought = len(measures), measures.count("brought")
    if brought == n:
        one = Counted(
            "The measure that was judged brought more revenue",
            "All {n} measures that were judged brought more revenue",
        )
    elif brought:
        one = Counted(
            "{brought} of {n} measures brought more revenue",
            "{brought} of {n} measures brought more revenue",
        )
    elif measures.count("unjudged") == n:
        one = Counted(
            "Whether the measure worked can't be told yet",
            "Whether the {n} measures worked can't be told yet",
        )
    else:
        one = Counted(
            "The measure that was judged brought no revenue that chance doesn't explain",
            "None of {n} measures brought revenue that chance doesn't explain",
        )
    return Sentence(one, n=n, brought=brought)
