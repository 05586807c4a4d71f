"""The rules of advice: which evidence calls for which measure.

`RULES` is the table, one rule a row, to be read from top to bottom. A rule looks at the evidence
and gives what it found, or None and is silent. The thresholds are in `thresholds`, the words in
`report.findings.advice`. A rule takes a difference for one only where intervals or tests say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from retention_lib.advice import costs, growing, leaving, places, thresholds, when
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, Recommendation
from retention_lib.advice.proof import Proof, proof

#: When results show (months): sooner where a single purchase is the aim, later where loyalty is.
SOON: Final = (3, 6)
LATER: Final = (6, 12)


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id : str
        Names it in `findings.advice` and in the tests.
    measure : str
        What it calls for, in a word or two.
    find : callable
        Evidence → what was found, or None.
    months : tuple of int
        When a result can be expected: from, to.
    """

    id: str
    measure: str
    find: Callable[[Evidence], Found | None]
    months: tuple[int, int]


#: Those without a value at stake come in this order.
RULES: Final[tuple[Rule, ...]] = (
    Rule("call", "a personal call", leaving.call, SOON),
    Rule("win_back", "a win-back offer", leaving.win_back, SOON),
    Rule("remind", "a reminder in the personal window", leaving.remind, SOON),
    Rule("second_order", "a welcome flow", growing.second_order, SOON),
    Rule("thank_best", "early access for the best", growing.thank_best, LATER),
    Rule("ask_why", "asking why", leaving.ask_why, SOON),
    Rule("acquisition", "what is paid for a new customer", costs.acquisition, LATER),
    Rule("programme", "a programme for those it pays for", costs.programme, LATER),
    Rule("cross_sell", "personal offers by category", growing.cross_sell, SOON),
    Rule("local", "local adaptation", places.local, LATER),
    Rule("first_category", "the category to begin with", growing.first_category, LATER),
    Rule("season", "seasonal timing", when.season, LATER),
    Rule("birthday", "a birthday greeting", when.birthday, SOON),
    Rule("after_peaks", "following up on peaks", when.after_peaks, SOON),
    Rule("weekday", "the day to send on", when.weekday, SOON),
)


def recommendations(known: Evidence, rules: tuple[Rule, ...] = RULES) -> tuple[Recommendation, ...]:
    """What the evidence calls for, most at stake first, at most `thresholds.MOST`.

    What has no value at stake that can be told comes after what has, in the order of the table.
    """
    made = [
        Recommendation(rule.id, found, rule.months, _proof(found, known))
        for rule in rules
        if (found := rule.find(known)) is not None
    ]
    return ranked(made)


def ranked(made: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Recommendations as a client reads them: most at stake first, no more than can be acted on."""
    # sorted() is stable: equals keep the order of the table
    return tuple(sorted(made, key=lambda one: -(one.found.at_stake or 0.0))[: thresholds.MOST])


def _proof(found: Found, known: Evidence) -> Proof | None:
    if found.list is None or found.customers is None:
        return None
    return proof(found.customers, known.alone.get(found.list))
