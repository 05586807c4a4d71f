"""Sentences on the programme's cost, what it must bring and brings, and what would settle it."""

from __future__ import annotations

import math

from retention_lib.loyalty.programme import Programme
from retention_lib.loyalty.programme_money import break_even_uplift
from retention_lib.loyalty.programme_next import NextTest
from retention_lib.metrics import Metric
from retention_lib.report.findings.units import money, rough, share
from retention_lib.sentence import Sentence, together


def break_even(found: Programme) -> Sentence:
    """What it costs and must bring."""
    at = found.money
    if not at.cost > 0:
        return Sentence(
            "What the programme costs isn't known: neither the ledger nor the client file names it "
            "(programme.cost_per_year). The uplift that would pay for it can't be told."
        )
    values = {
        "cost": money(at.cost),
        "rewards": money(at.rewards),
        "running": money(at.running),
        "revenue": rough(at.revenue),
        "margin": share(at.margin),
    }
    if at.break_even.value is None:
        return Sentence(
            "The programme cost {cost} in the period ({rewards} for rewards, {running} to run), "
            "more than the margin of {margin} on the {revenue} that members bought for: no uplift "
            "would pay for it.",
            **values,
        )
    if at.margin < 1:
        rest = Sentence(
            "The programme cost {cost} in the period: {rewards} for rewards, {running} to run. "
            "Members bought for {revenue} at a margin of {margin}.",
            **values,
        )
    else:
        rest = Sentence(
            "The programme cost {cost} in the period: {rewards} for rewards, {running} to run. "
            "Members bought for {revenue}.",
            **values,
        )
    return rest if at.running else together(rest, _running_unknown(found))


def _running_unknown(found: Programme) -> Sentence:
    """What a running cost that isn't named would call for."""
    at = found.money
    room = at.margin * at.revenue - at.cost
    # a round amount that calls for about one per cent
    step = 10.0 ** round(math.log10(0.01 * room)) if room > 0 else 0.0
    needed = break_even_uplift(at.cost + step, at.revenue, at.margin)
    if not step or needed is None or at.break_even.value is None:
        return Sentence("The client file names no running cost (programme.cost_per_year).")
    return Sentence(
        "The client file names no running cost (programme.cost_per_year). Each {step} of it in the "
        "period would call for {more} more spend.",
        step=money(step),
        more=share(needed - at.break_even.value),
    )


def value(found: Programme) -> Sentence | None:
    """Gain, net value and how far the client may go; None without a fair comparison."""
    at = found.money
    if at.gain.value is None or at.gain.low is None or at.gain.high is None:
        return None
    values = {"gain": rough_signed(at.gain.value)}
    values |= {"low": rough_signed(at.gain.low), "high": rough_signed(at.gain.high)}
    if at.gain.low > 0:
        return Sentence(
            "If all members respond as those compared, the programme brought a margin of {gain} in "
            "the period ({low} to {high}). What it costs beyond {low} isn't surely earned back.",
            **values,
        )
    if at.margin >= 1:
        return Sentence(
            "If all members respond as those compared, the programme brought {gain} of revenue in "
            "the period, and anything from {low} to {high} is possible.",
            **values,
        )
    return Sentence(
        "If all members respond as those compared, the programme brought a margin of {gain} in the "
        "period, and anything from {low} to {high} is possible.",
        **values,
    )


def rough_signed(amount: float) -> Metric:
    """An amount in two digits, below 0 too."""
    found = rough(abs(amount))
    return found if amount >= 0 else money(-float(found.value or 0.0))


def face_value(found: Programme) -> Sentence | None:
    """That rewards are taken at their worth; None where the ledger has their cost."""
    if not found.money.rewards_at_face:
        return None
    return Sentence(
        "The ledger has no cost of rewards: redeemed points are taken at their worth, which is "
        "more than the goods cost."
    )


def revenue_only(found: Programme) -> Sentence | None:
    """That the margin is taken as all of revenue; None where the client file names one."""
    if found.money.margin < 1:
        return None
    return Sentence(
        "The client file names no margin, so that gain and break-even are in revenue: with a "
        "margin the gain is smaller and the break-even higher."
    )


def next_test(planned: NextTest | None) -> Sentence:
    """What would settle it."""
    if planned is None:
        return Sentence(
            "What would settle it: draw by lot which customers are offered membership, and compare "
            "those offered with the others. How many it takes: retention power."
        )
    values = {
        "uplift": share(planned.uplift),
        "days": Metric(planned.days, "days"),
        "n": planned.customers,
        "available": planned.available,
    }
    if planned.customers <= planned.available:
        return Sentence(
            "What would settle it: draw by lot which of the {available} active customers who "
            "aren't members are offered membership. {n} of them, half left out, show an uplift of "
            "{uplift} within {days} with 80% probability, if all who are offered it join.",
            **values,
        )
    return Sentence(
        "What would settle it: draw by lot which customers are offered membership. An uplift of "
        "{uplift} within {days} takes {n} customers, half left out, to show with 80% probability, "
        "and {available} active ones aren't members: draw among new customers as they come.",
        **values,
    )
