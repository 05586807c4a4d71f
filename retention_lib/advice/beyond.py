"""Rules of advice on what the data sets beside the orders say.

They stand apart from the others: their recommendations are those of chapter 05, so that a client
who gives such a data set reads nothing else in the chapter on actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from retention_lib.advice import thresholds
from retention_lib.advice.found import Found, Recommendation, money
from retention_lib.advice.rules import LATER, SOON, ranked
from retention_lib.loyalty.beyond import Beyond
from retention_lib.loyalty.experiment import Trial
from retention_lib.metrics import Metric
from retention_lib.retention.lists import ActionList


@dataclass(frozen=True)
class Evidence:
    """What the rules look at.

    Parameters
    ----------
    found : Beyond
    lists : mapping
        Id → list to act on (`report.loyalty_lists`).
    """

    found: Beyond
    lists: Mapping[str, ActionList]


@dataclass(frozen=True)
class Rule:
    """One rule; it may call for a measure several times, once a campaign.

    Parameters
    ----------
    id, measure, months
        As of `rules.Rule`.
    find : callable
        Evidence → what was found.
    """

    id: str
    measure: str
    find: Callable[[Evidence], Iterator[Found]]
    months: tuple[int, int]


def close_loop(known: Evidence) -> Iterator[Found]:
    """Customers of high value whose last answer was a low score."""
    for found in _of_list(known, "unhappy", thresholds.CALL_FEWEST):
        # most of them still buy: it is what is expected of them that a call looks after
        worth = known.lists["unhappy"].eligible_clv
        values = {**found.values, "worth": money(worth)}
        yield Found(
            values,
            variant="" if worth else "plain",
            list=found.list,
            customers=found.customers,
            point=0.01 * worth or None,
        )


def referral(known: Evidence) -> Iterator[Found]:
    """Customers of high value whose last answer was a high score, and who stay."""
    for found in _of_list(known, "recommenders", thresholds.FEWEST):
        # nothing is at stake with those who are content
        yield Found(found.values, list=found.list, customers=found.customers)


def renewals(known: Evidence) -> Iterator[Found]:
    """Subscribers whose renewal is due within 90 days, with what is at stake."""
    for found in _of_list(known, "renewals", thresholds.FEWEST):
        if found.at_stake:
            yield found


def notices(known: Evidence) -> Iterator[Found]:
    """Subscribers who have given notice and still are here."""
    for found in _of_list(known, "notices", thresholds.CALL_FEWEST):
        yield Found(found.values, list=found.list, customers=found.customers)


def use_points(known: Evidence) -> Iterator[Found]:
    """Members who haven't bought for long and hold more points than most."""
    yield from _of_list(known, "silent_with_points", thresholds.FEWEST)


def roll_out(known: Evidence) -> Iterator[Found]:
    """A test by lot that surely brought more than it cost."""
    for test in _judged(known):
        worth = test.worth
        if worth is not None and worth.net.low > 0:
            yield Found(
                _of_test(test)
                | {"net": Metric(worth.net.change, "currency", worth.net.low, worth.net.high)}
            )


def stop(known: Evidence) -> Iterator[Found]:
    """A test by lot that surely brought less than it cost."""
    for test in _judged(known):
        worth = test.worth
        if worth is not None and worth.net.high < 0:
            yield Found(
                _of_test(test)
                | {"net": Metric(worth.net.change, "currency", worth.net.low, worth.net.high)}
            )


def draw_lots(known: Evidence) -> Iterator[Found]:
    """Campaigns whose customers were chosen, so that no lot can tell what they bring."""
    for one in known.found.campaigns:
        if one.problem is not None or one.next_test is None:
            continue
        yield Found(
            {
                "title": one.title,
                "raw": money(abs(one.revenue.raw)),
                "each": one.next_test.measure,
                "days": Metric(one.design.days, "days"),
            },
            variant="" if one.fair else "unfair",
        )


#: Those without a value at stake come in this order.
RULES: Final[tuple[Rule, ...]] = (
    Rule("close_loop", "a call to unhappy customers", close_loop, SOON),
    Rule("renewals", "word before a renewal", renewals, SOON),
    Rule("stop", "an end to what costs more than it brings", stop, SOON),
    Rule("roll_out", "for all what a test has shown", roll_out, SOON),
    Rule("draw_lots", "a control group by lot", draw_lots, SOON),
    Rule("use_points", "a reminder of unused points", use_points, SOON),
    Rule("notices", "asking why, and an offer to stay", notices, SOON),
    Rule("referral", "asking for recommendations", referral, LATER),
)


def recommendations(known: Evidence) -> tuple[Recommendation, ...]:
    """What the data sets call for, most at stake first, at most `thresholds.MOST`."""
    return ranked(
        Recommendation(rule.id, found, rule.months, None)
        for rule in RULES
        for found in rule.find(known)
    )


def _of_list(known: Evidence, name: str, fewest: int) -> Iterator[Found]:
    listed = known.lists.get(name)
    if listed is None or listed.eligible < fewest:
        return
    stake = listed.eligible_at_stake
    values = {"n": listed.eligible, "stake": money(stake)}
    yield Found(values, list=name, customers=listed.eligible, at_stake=stake or None)


def _judged(known: Evidence) -> Iterator[Trial]:
    """Tests that are over and whose lot holds."""
    for test in known.found.tests:
        if test.together and not test.is_broken and not test.is_running:
            yield test


def _of_test(test: Trial) -> dict[str, object]:
    revenue = test.of("revenue").estimate
    uplift = Metric(revenue.change, "currency", revenue.low, revenue.high)
    return {"title": test.plan.title, "uplift": uplift}
