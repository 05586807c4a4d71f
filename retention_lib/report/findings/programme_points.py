"""Sentences on points: redeemed, expired, outstanding, and what they are worth."""

from __future__ import annotations

from retention_lib.loyalty.programme import Programme
from retention_lib.loyalty.programme_ledger import Ledger
from retention_lib.metrics import Metric
from retention_lib.report.findings.units import money, rough, share
from retention_lib.sentence import Sentence, counted


def points(found: Ledger) -> Sentence:
    """The heading over the points."""
    if found.redemption_rate.value is None:
        return Sentence("No points have been earned")
    ages = found.ages
    if ages is not None and ages.redeemed_in_the_end.value is not None:
        if ages.redeemed_in_the_end.value < 0.5:
            return Sentence(
                "Of a hundred points earned {broken} are never used",
                broken=_hundredth(1 - ages.redeemed_in_the_end.value),
            )
        return Sentence(
            "Of a hundred points earned {redeemed} are redeemed in the end",
            redeemed=_hundredth(ages.redeemed_in_the_end.value),
        )
    return Sentence("{rate} of the points earned so far are redeemed", rate=found.redemption_rate)


def _hundredth(value: float) -> Metric:
    return Metric(round(100 * value), "count")


def no_ledger() -> Sentence:
    """What is missing without a ledger."""
    return Sentence(
        "The client gives no ledger of points (programme.ledger): what is earned, redeemed and "
        "outstanding isn't known, nor what rewards cost."
    )


def balance(found: Ledger) -> Sentence:
    """Points in the period and what they leave."""
    return Sentence(
        "In the period {earned} points were earned, {redeemed} redeemed and {expired} expired; "
        "{outstanding} are outstanding.",
        earned=round(found.period["earned"]),
        redeemed=round(found.period["redeemed"]),
        expired=round(found.period["expired"]),
        outstanding=round(found.outstanding),
    )


def in_the_end(found: Ledger) -> Sentence | None:
    """What becomes of points, with its interval; None with too few customers."""
    ages = found.ages
    if ages is None:
        return None
    last = ages.curve.iloc[-1]
    n = int(last["age"]) + 1
    end = ages.redeemed_in_the_end
    if end.value is None or end.low is None or end.high is None:
        values = {"redeemed": share(last["redeemed"]), "open": share(last["open"]), "n": n}
        if ages.step == "week":
            return counted(
                n,
                "{n} week after they were earned {redeemed} of the points are redeemed and {open} "
                "open still: how many never will be used can't be told yet.",
                "{n} weeks after they were earned {redeemed} of the points are redeemed and {open} "
                "open still: how many never will be used can't be told yet.",
                **{k: v for k, v in values.items() if k != "n"},
            )
        return counted(
            n,
            "{n} month after they were earned {redeemed} of the points are redeemed and {open} "
            "open still: how many never will be used can't be told yet.",
            "{n} months after they were earned {redeemed} of the points are redeemed and {open} "
            "open still: how many never will be used can't be told yet.",
            **{k: v for k, v in values.items() if k != "n"},
        )
    return Sentence(
        "Followed by their age, {redeemed} of the points are redeemed in the end ({low} to {high}) "
        "and {broken} never are. So far it is {rate} of all points earned, for the young ones "
        "haven't had their time.",
        redeemed=end,
        low=share(end.low),
        high=share(end.high),
        broken=share(1 - end.value),
        rate=found.redemption_rate,
    )


def redeemers(found: Ledger) -> Sentence | None:
    """Who redeems, how soon, and how unevenly; None where nobody earned."""
    if found.ever_redeemed.value is None:
        return None
    if found.days_to_first.value is None or found.top_tenth.value is None:
        return Sentence(
            "{share} of the customers with points have ever redeemed any.",
            share=found.ever_redeemed,
        )
    return Sentence(
        "{share} of the customers with points have ever redeemed any, half of them within {days} "
        "of their first point; a tenth of the customers redeems {top} of all that is redeemed.",
        share=found.ever_redeemed,
        days=found.days_to_first,
        top=found.top_tenth,
    )


def liability(found: Programme) -> Sentence:
    """What outstanding points are worth."""
    full, expected = found.liability_in_full, found.liability
    if full.value is None:
        return Sentence(
            "What the outstanding points are worth can't be told: the client file doesn't say "
            "what a point is worth (programme.point_value)."
        )
    if expected.value is None:
        return Sentence(
            "The outstanding points are worth {full} if all are redeemed; how many won't be isn't "
            "known yet, and nothing should be taken off.",
            full=rough(full.value),
        )
    if expected.low is None or expected.high is None:
        return Sentence("The outstanding points are worth {full}.", full=money(full.value))
    return Sentence(
        "The outstanding points are worth {full} if all are redeemed. Of points of their age "
        "{share} are, so that {expected} is to be expected ({low} to {high}).",
        full=rough(full.value),
        share=share(expected.value / full.value),
        expected=rough(expected.value),
        low=rough(expected.low),
        high=rough(expected.high),
    )


def accounting(found: Programme) -> Sentence | None:
    """How that stands to the accounts; None where nothing is owed."""
    if found.liability.value is None or not found.liability.value:
        return None
    return Sentence(
        "This is points by their worth by their chance of being redeemed, the stand-alone price "
        "that IFRS 15 starts from (paragraph B42). What stands in the accounts is that price's "
        "share of the sales, and may be a little lower; ask the auditor."
    )


def how_to_read_ages(found: Ledger) -> Sentence | None:
    """How points are followed; None where they aren't."""
    if found.ages is None:
        return None
    return Sentence(
        "The ledger doesn't say which points were used: the oldest are taken first. Where newer "
        "ones may be used before them, a young programme looks better than it is. Points that "
        "are open still count as long as they have been seen (Aalen-Johansen); the interval "
        "leaves out a fortieth of the customers in turn. {n} customers are followed.",
        n=found.followed,
    )


def open_cohorts(found: Ledger) -> Sentence | None:
    """That unfinished months aren't to be read as unused; None without any."""
    if found.ages is None or found.ages.cohorts["complete"].all():
        return None
    return Sentence("Months with open points aren't finished: what isn't redeemed yet isn't lost.")


def faults(found: Ledger) -> list[Sentence]:
    """What is wrong with the ledger."""
    said: list[Sentence] = []
    if found.below_zero:
        said.append(
            counted(
                found.below_zero,
                "{n} customer has used more points than were earned, {missing} too many: the "
                "ledger lacks entries.",
                "{n} customers have used more points than they earned, {missing} too many: the "
                "ledger lacks entries.",
                missing=round(found.missing),
            )
        )
    if found.not_members:
        said.append(
            counted(
                found.not_members,
                "{n} customer of the ledger is on no list of members; the points count all the "
                "same.",
                "{n} customers of the ledger are on no list of members; their points count all the "
                "same.",
            )
        )
    names = {
        "redeemed": Sentence("Redeemed points are all below 0 in the ledger; read as above it."),
        "expired": Sentence("Expired points are all below 0 in the ledger; read as above it."),
    }
    return said + [names[name] for name in found.turned]


def to_write_to(n: int) -> Sentence | None:
    """How many silent members have points; None without any."""
    if not n:
        return None
    return counted(
        n,
        "{n} member hasn't bought for three months and holds more points than most: on the list of "
        "silent members with points.",
        "{n} members haven't bought for three months and hold more points than most: on the list "
        "of silent members with points.",
    )
