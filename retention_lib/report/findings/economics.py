"""Sentences on what more retention is worth, and what keeping customers may cost."""

from __future__ import annotations

from typing import Final

from retention_lib.metrics import Metric
from retention_lib.models.economics import LONGEST, Economics
from retention_lib.report.findings.units import money, months, rough, share
from retention_lib.sentence import Sentence

#: "Five per cent more retention, 25 to 95 % more profit": the ends of what is often quoted.
QUOTED: Final = (0.25, 0.95)
_QUOTED: Final = {"from_": round(100 * QUOTED[0]), "to": round(100 * QUOTED[1])}


def retention_heading(found: Economics) -> Sentence:
    """What five points more retention would bring, held against what is often quoted."""
    rise, gain = found.rise(5, found.horizon_months), found.gains.get(5)
    if rise is None or gain is None:
        return Sentence(
            "Five points more retention are out of reach: {now} come back as it is, and "
            "{highest} would if nobody left",
            now=share(found.more.retention.value),
            highest=share(found.more.highest.value),
        )
    later = found.rise(5, LONGEST)
    values = {
        "gain": rough(gain.value),
        "months": months(found.horizon_months),
        "share": share(rise.value),
        **_QUOTED,
    }
    low, high = QUOTED
    if rise.high < low:
        if later is not None and later.low >= low:
            return Sentence(
                "Five points more retention would bring {share} more within {months} and {later} "
                "within {long}: the often quoted {from_} to {to}% take years",
                later=share(later.value),
                long=months(LONGEST),
                **values,
            )
        return Sentence(
            "Five points more retention would bring about {gain} within {months}, {share} more: "
            "not the {from_} to {to}% often quoted",
            **values,
        )
    if rise.low > high:
        return Sentence(
            "Five points more retention would bring about {gain} within {months}, {share} more: "
            "above the {from_} to {to}% often quoted",
            **values,
        )
    if rise.low >= low and rise.high <= high:
        return Sentence(
            "Five points more retention would bring about {gain} within {months}, {share} more: "
            "within the {from_} to {to}% often quoted",
            **values,
        )
    return Sentence(
        "Five points more retention would bring about {gain} within {months}, {share} more: "
        "whether the {from_} to {to}% often quoted hold can't be told",
        **values,
    )


def what_more_retention_is(found: Economics) -> Sentence:
    """What a point more means, and who it comes from."""
    gain = found.gains.get(1)
    values = {
        "n": found.more.customers,
        "rate": share(found.more.retention.value),
        "highest": share(found.more.highest.value),
        "window": months(found.active_months),
    }
    if 5 in found.gains and gain is not None:
        return Sentence(
            "Of today's {n} active customers {rate} are expected to buy again within {window}. "
            "Five points more means that of a hundred five more do, because fewer leave, and that "
            "it stays so; how often they buy and what they spend is left as it is. One point more "
            "would bring about {gain} within {months}.",
            gain=rough(gain.value),
            months=months(found.horizon_months),
            **values,
        )
    if gain is not None:
        return Sentence(
            "Of today's {n} active customers {rate} are expected to buy again within {window}. If "
            "nobody left any more it would be {highest}: the others buy too seldom. One point "
            "more, because fewer leave, would bring about {gain} within {months}.",
            gain=rough(gain.value),
            months=months(found.horizon_months),
            **values,
        )
    return Sentence(
        "Of today's {n} active customers {rate} are expected to buy again within {window}. If "
        "nobody left any more it would be {highest}: the others buy too seldom. There is less than "
        "a point to win by keeping customers from leaving.",
        **values,
    )


def against_quoted(found: Economics) -> Sentence | None:
    """How much it becomes over the years, and for new customers; None out of reach."""
    rise, new = found.rise(5, LONGEST), found.rise(5, LONGEST, "new")
    if rise is None or new is None:
        return None
    values = {
        "long": months(LONGEST),
        "rise": share(rise.value),
        "new": share(new.value),
        **_QUOTED,
    }
    low, _ = QUOTED
    if rise.low >= low:
        return Sentence(
            "Kept up for {long}, it is {rise} for today's customers, and {new} of what a customer "
            "won today buys after the first order. The quoted {from_} to {to}% are a matter of "
            "years, not of the next report.",
            **values,
        )
    if new.low >= low:
        return Sentence(
            "Kept up for {long}, it is {rise} for today's customers. Only of what a customer won "
            "today buys after the first order is it {new}: the quoted {from_} to {to}% are a "
            "matter of years and of new customers, not of the next report.",
            **values,
        )
    return Sentence(
        "Kept up for {long}, it is {rise} for today's customers, and {new} of what a customer won "
        "today buys after the first order: the quoted {from_} to {to}% aren't "
        "reached on this base.",
        **values,
    )


def how_to_read_retention(found: Economics) -> Sentence:
    """How to read the rise, and where the quoted figure comes from."""
    history = months(found.history_months)
    if 5 not in found.gains:
        return Sentence(
            "Value is what today's active customers are expected to bring up to the end of each "
            "month, discounted. Further ahead than the {history} that the data go back the model "
            "only goes on as before.",
            history=history,
        )
    return Sentence(
        "The lines show by how much the discounted value up to each month rises, with the interval "
        "that the fit leaves. What is often quoted goes back to Reichheld and Sasser (1990), who "
        "took customers' whole time, with profits that grow by the year, in services such as "
        "credit cards. Further ahead than the {history} that the data go back the model only goes "
        "on as before.",
        history=history,
    )


def keeping_heading(found: Economics) -> Sentence:
    """What keeping customers may cost, or must bring."""
    plan, spend = found.programme, found.break_even_spend
    if plan is not None and found.retention_cost is not None:
        values = {"cost": money(found.retention_cost), "months": months(found.horizon_months)}
        if plan.points is None:
            return Sentence(
                "At {cost} a year for each active customer, a programme can't pay for itself "
                "within {months}, even if nobody left any more",
                **values,
            )
        return Sentence(
            "At {cost} a year for each active customer, a programme has to raise retention from "
            "{now} to {then} to pay for itself within {months}",
            now=share(found.more.retention.value),
            then=share(found.more.retention.value + plan.points),
            **values,
        )
    if spend is None:
        return Sentence("There is next to nothing to win by keeping customers from leaving")
    if found.margin >= 1:
        return Sentence(
            "One point more retention is worth {spend} of revenue per active customer and year",
            spend=rough(spend.value),
        )
    return Sentence(
        "For one point more retention, up to {spend} may be spent per active customer and year",
        spend=rough(spend.value),
    )


def at_risk(found: Economics) -> Sentence:
    """What is at risk with the active customers, and whom a programme should be kept to."""
    plan = found.programme
    values: dict[str, Metric | int] = {
        "risk": rough(found.at_risk.value),
        "months": months(found.horizon_months),
    }
    if plan is None or found.retention_cost is None:
        return Sentence(
            "At risk is {risk} within {months}: what the active customers would bring more if all "
            "of them were surely customers still. No effort to keep them is worth more than that.",
            **values,
        )
    values |= {
        "total": rough(plan.total),
        "some": plan.worth_it,
        "n": found.more.customers,
        "some_cost": rough(plan.worth_it_cost),
        "some_risk": rough(plan.worth_it_at_stake),
    }
    if plan.worth_it == found.more.customers:
        return Sentence(
            "At risk is {risk} within {months}: what the active customers would bring more if all "
            "of them were surely customers still. A programme for all of them costs {total} in "
            "that time, and with each of the {n} there is more at stake than it costs.",
            **values,
        )
    if plan.worth_it == 0:
        return Sentence(
            "At risk is {risk} within {months}: what the active customers would bring more if all "
            "of them were surely customers still. A programme for all of them costs {total} in "
            "that time, and with none of them is there as much at stake as it costs.",
            **values,
        )
    return Sentence(
        "At risk is {risk} within {months}: what the active customers would bring more if all of "
        "them were surely customers still. A programme for all of them costs {total} in that time. "
        "With {some} of the {n} there is more at stake than it costs: kept to them it would cost "
        "{some_cost}, with {some_risk} at stake.",
        **values,
    )


def alive_by_assumption() -> Sentence:
    """A caution for the model that takes every one-time buyer for a customer."""
    return Sentence(
        "The BG/NBD takes everybody with a single purchase for a customer still, so that nothing "
        "counts as at risk with them."
    )


def revenue_only() -> Sentence:
    """A caution where no margin is given."""
    return Sentence(
        "The client file gives no margin, so that all these amounts are revenue. A cost is paid "
        "back out of margin: set the key margin before deciding by them."
    )


def none() -> Sentence:
    """Where there are no economics."""
    return Sentence("What retention and new customers bring can't be said from this history")
