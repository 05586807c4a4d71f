"""Sentences on a test: what the measure did, how sure that is, what it is worth."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from retention_lib.data.purchases import OUTSIDE_WINDOW
from retention_lib.loyalty.experiment import Trial, Uplift
from retention_lib.loyalty.experiment_assignment import LEAST
from retention_lib.loyalty.experiment_days import early_days
from retention_lib.loyalty.experiment_outcomes import Outcome
from retention_lib.metrics import Metric, Unit
from retention_lib.report.findings import experiment_checks as checks
from retention_lib.report.headline import Verdict
from retention_lib.retention.difference import Difference
from retention_lib.sentence import N_, Counted, Sentence, about

OUTCOMES: Final[dict[Outcome, Sentence]] = {
    "revenue": Sentence("Revenue per customer"),
    "bought": Sentence("Customers who buy"),
    "orders": Sentence("Orders per customer"),
}
UNITS: Final[dict[Outcome, Unit]] = {"revenue": "currency", "bought": "share", "orders": "number"}

#: Share of all revenue in a test from which one customer is told of.
MUCH: Final = 0.05
#: Days of a window below which its later part isn't looked at by itself.
SHORT: Final = 14
#: From how much narrower the correction by the time before is told of.
NARROWER: Final = 0.02


class Told(NamedTuple):
    """The verdict on a test: its kind, its sentence, its reasons."""

    kind: Verdict
    text: str
    reasons: list[str]


def heading(found: Trial) -> Sentence:
    """What the test found, as a heading."""
    test: dict[str, Any] = {"test": found.plan.title}
    if found.made.problem is not None:
        return Sentence("{test} can't be judged: there is nothing to compare", **test)
    if found.is_broken:
        return Sentence(
            "{test} can't be judged: the groups aren't those that a lot would draw", **test
        )
    if found.unknown is not None:
        return Sentence("{test}: too early or too small to tell of an effect", **test)
    best = surest(found)
    if best is None:
        return _nothing(found)
    if found.is_running:
        test = {"test": Sentence("So far, {test}", test=found.plan.title)}
    return _sure(found, best, {**test, **_named(best), **_of_a_thousand(best)})


def _sure(found: Trial, best: Uplift, values: dict[str, Any]) -> Sentence:
    several = len(found.treated) > 1
    values = values | {"group": best.group}
    if best.outcome == "bought" and best.stands > 0:
        if several:
            return Sentence(
                "{test}, {group}: of every {of} customers {more} more bought; we can be sure of "
                "{least}",
                **values,
            )
        return Sentence(
            "{test}: of every {of} customers {more} more bought; we can be sure of {least}",
            **values,
        )
    if best.outcome == "bought":
        if several:
            return Sentence(
                "{test}, {group}, did harm: of every {of} customers {more} fewer bought, surely "
                "{least}",
                **values,
            )
        return Sentence(
            "{test} did harm: of every {of} customers {more} fewer bought, surely {least}",
            **values,
        )
    if best.stands > 0:
        if several:
            return Sentence(
                "{test}, {group}: {effect} a customer; we can be sure of {sure}",
                **values,
            )
        return Sentence("{test}: {effect} a customer; we can be sure of {sure}", **values)
    if several:
        return Sentence(
            "{test}, {group}, did harm: {effect} a customer, surely {sure}",
            **values,
        )
    return Sentence("{test} did harm: {effect} a customer, surely {sure}", **values)


def _nothing(found: Trial) -> Sentence:
    assert found.next is not None
    smallest = found.next.smallest_share
    if found.is_running:
        return Sentence("{test} still runs: nothing is sure yet", test=found.plan.title)
    if smallest is None:
        return Sentence(
            "{test}: no effect could be seen, and hardly any would have been",
            test=found.plan.title,
        )
    return Sentence(
        "{test}: no effect could be seen; one below {more} buyers in {of} is easily missed",
        test=found.plan.title,
        more=math.ceil(1_000 * smallest),
        of=1_000,
    )


def surest(found: Trial) -> Uplift | None:
    """The effect that is told of first: of those that are sure, the main outcome's largest."""
    sure = [one for one in found.uplifts if one.stands]
    if not sure:
        return None
    main = sure[0].outcome
    first = [one for one in sure if one.outcome == main]
    for outcome in ("revenue", "bought", "orders"):
        first = [one for one in sure if one.outcome == outcome]
        if first:
            break
    return max(first, key=lambda one: one.estimate.change)


def verdict(found: Trial) -> Told | None:
    """Whether to act on the test; None where there is no verdict beside the heading."""
    if found.made.problem is not None:
        return Told("unfit", problem(found), [])
    if found.is_broken:
        return Told(
            "unfit",
            Sentence(
                "The groups differ by more than a lot explains. Whatever made them differ may be "
                "what moves the figures below; none of them is the effect of the measure."
            ),
            checks.alarms(found),
        )
    if found.unknown is not None:
        return Told("unfit", not_yet(found), [])
    still = running(found)
    doubts = [*([still] if still else []), *checks.doubts(found), *_few(found)]
    return Told("care" if doubts else "fit", effect(found), doubts or [checks.all_well(found)])


def problem(found: Trial) -> Sentence:
    """Why a test has nothing to compare, with the remedy."""
    names = ", ".join(found.made.groups)
    match found.made.problem:
        case "empty":
            if OUTSIDE_WINDOW in set(found.unread["cause"]) and not found.made.rows:
                return Sentence("It begins after the last day of the report.")
            if not found.made.rows:
                return Sentence("The source of the test has no rows.")
            return Sentence(
                Counted(
                    "The {n} row of the test doesn't name a customer, a group and a start within "
                    "the data.",
                    "Of the {n} rows of the test none names a customer, a group and a start within "
                    "the data.",
                ),
                n=found.made.rows,
            )
        case "one_group":
            return Sentence(
                "All {n} customers are in one group, {groups}. Without customers left alone "
                "nobody knows what they would have bought anyway; next time, let a lot keep some "
                "apart.",
                n=len(found.made.customers),
                groups=names,
            )
        case "all_control":
            return Sentence(
                "All {n} customers are in the control group, {groups}: nobody was treated.",
                n=len(found.made.customers),
                groups=names,
            )
    return Sentence(
        "The data has no group “{control}”, which the client file names as the control group; its "
        "groups are: {groups}. Name one of these under control.",
        control=found.plan.control,
        groups=names,
    )


def not_yet(found: Trial) -> Sentence:
    """Why groups that could be compared aren't."""
    assert found.window is not None
    if found.window.is_too_early:
        return Sentence(
            "The last customer came in {days} before the data ends. The outcome is told from a "
            "week on, and in full on {end}.",
            days=Metric(max(found.window.days, 0), "days"),
            end=found.window.ends,
        )
    counts = found.people["group"].value_counts()
    smallest = min(int(counts.get(group, 0)) for group in found.made.groups)
    if smallest < LEAST:
        return Sentence(
            "The smallest group has {n} customers whose outcome can be counted; below {least} "
            "nothing is told.",
            n=smallest,
            least=LEAST,
        )
    if not found.seen:
        return Sentence(
            "None of the {n} customers of the test is in the orders: their ids aren't those of the "
            "orders. Name the column that has the same ids.",
            n=len(found.people),
        )
    return Sentence(
        "None of the {n} customers bought anything within {days} of the start, in any group.",
        n=len(found.people),
        days=Metric(found.window.days, "days"),
    )


def effect(found: Trial) -> Sentence:
    """How many bought with and without the measure, and how many that makes."""
    bought = found.of("bought")
    assert found.worth is not None
    assert found.window is not None
    more = found.worth.customers
    values = {
        "days": Metric(found.window.days, "days"),
        "control": Metric(bought.control, "share", n=bought.n_control),
        "value": Metric(bought.value, "share", n=bought.n),
        "n": bought.n,
        "more": round(abs(more.change)),
        "low": round(more.low),
        "high": round(more.high),
    }
    if more.low > 0 and bought.stands == 0:
        return Sentence(
            "Within {days} {value} of the {n} customers treated bought, and {control} of those "
            "left alone. By itself that would be {low} to {high} buyers more; with all that is "
            "looked at in this test, it can be chance.",
            **values,
        )
    if more.low > 0:
        return Sentence(
            "Within {days} {value} of the {n} customers treated bought, and {control} of those "
            "left alone. So about {more} customers bought who otherwise wouldn't have; between "
            "{low} and {high} is what chance leaves open.",
            **values,
        )
    if more.high < 0:
        values |= {"low": round(-more.high), "high": round(-more.low)}
        return Sentence(
            "Within {days} {value} of the {n} customers treated bought, and {control} of those "
            "left alone. So about {more} customers didn't buy who otherwise would have; between "
            "{low} and {high} is what chance leaves open.",
            **values,
        )
    values |= {"fewer": round(-more.low)}
    return Sentence(
        "Within {days} {value} of the {n} customers treated bought, and {control} of those left "
        "alone. That can be chance: anything from {fewer} buyers fewer to {high} more is left "
        "open.",
        **values,
    )


def revenue(found: Trial) -> Sentence | None:
    """Revenue per customer, treated and not."""
    main = found.of("revenue")
    change = main.estimate
    if not math.isfinite(change.low):
        return None
    values = {
        "value": Metric(main.value, "currency"),
        "control": Metric(main.control, "currency"),
        "change": Metric(abs(change.change), "currency"),
        "low": Metric(change.low, "currency"),
        "high": Metric(change.high, "currency"),
    }
    if math.isfinite(main.reduction):
        return Sentence(
            "Revenue, the main figure, was {value} for each customer treated and {control} for "
            "each left alone, buyers or not. Corrected for what the same customers spent before, "
            "the difference is between {low} and {high}.",
            **values,
        )
    return Sentence(
        "Revenue, the main figure, was {value} for each customer treated and {control} for each "
        "left alone, buyers or not. The difference is between {low} and {high}.",
        **values,
    )


def money(found: Trial) -> Sentence | None:
    """What the measure brought in all, what it cost, what remains."""
    worth = found.worth
    if worth is None or not math.isfinite(worth.revenue.low):
        return None
    brought = _amounts(worth.revenue)
    if worth.cost <= 0:
        return Sentence(
            "Over all who were treated that makes {change} in revenue, between {low} and {high}. "
            "With its cost in the client file, the report says whether it pays.",
            **brought,
        )
    values: dict[str, Any] = {
        "brought": brought["change"],
        "cost": about(Metric(worth.cost, "currency")),
        "margin": Metric(found.plan.margin, "share"),
        **_amounts(worth.net),
    }
    if worth.net.low > 0 and found.of("revenue").stands > 0:
        return Sentence(
            "It pays: it brought about {brought} in revenue and cost {cost}. At a margin of "
            "{margin} {change} remain, surely {low}, at most {high}.",
            **values,
        )
    if worth.net.high < 0:
        values |= _amounts(Difference(-worth.net.change, -worth.net.high, -worth.net.low))
        return Sentence(
            "It doesn't pay: over all who were treated the difference in revenue comes to "
            "{brought}, the cost to {cost}. At a margin of {margin} {change} are lost, surely "
            "{low}, at most {high}.",
            **values,
        )
    return Sentence(
        "Whether it pays isn't sure: over all who were treated the difference in revenue comes to "
        "{brought}, the cost to {cost}. At a margin of {margin} what remains is between {low} and "
        "{high}.",
        **values,
    )


def per_purchase(found: Trial) -> Sentence | None:
    """What one more order cost; None without a cost, or where no order may have come of it."""
    if found.worth is None:
        return None
    each, low, high = found.worth.cost_per_purchase
    if math.isnan(each):
        return None
    low_m = Metric(low, "currency")
    if math.isinf(high):
        return Sentence(
            "Each order that wouldn't have come without it cost {low} at the least; how much at "
            "the most can't be told, for it may have brought none.",
            low=low_m,
        )
    return Sentence(
        "Each order that wouldn't have come without it cost about {each}, between {low} and "
        "{high}.",
        each=Metric(each, "currency"),
        low=low_m,
        high=Metric(high, "currency"),
    )


def rivals(found: Trial) -> Sentence | None:
    """Which of several measures brought more; None with one."""
    pair = found.rivals
    if pair is None or not math.isfinite(pair.estimate.low):
        return None
    values: dict[str, Any] = {
        "best": pair.best,
        "second": pair.second,
        "change": Metric(pair.estimate.change, "currency"),
        "low": Metric(pair.estimate.low, "currency"),
        "high": Metric(pair.estimate.high, "currency"),
    }
    if pair.estimate.low > 0:
        return Sentence(
            "Of the measures “{best}” brought the most: {change} more revenue a customer than "
            "“{second}”, between {low} and {high}.",
            **values,
        )
    return Sentence(
        "Which measure is better isn't sure: “{best}” had {change} more revenue a customer than "
        "“{second}”, yet anything between {low} and {high} is left open.",
        **values,
    )


def brought_forward(found: Trial) -> Sentence | None:
    """Whether the measure only moved purchases; None where nothing rose or the window is short."""
    late, over = found.late, found.window
    if late is None or over is None or not math.isfinite(late.low) or over.days < SHORT:
        return None
    if found.of("bought").stands <= 0:
        return None
    treated = found.people["group"] != found.plan.control
    values = {
        "days": Metric(early_days(over.days), "days"),
        "value": Metric(float(found.people.loc[treated, "bought_late"].mean()), "share"),
        "control": Metric(float(found.people.loc[~treated, "bought_late"].mean()), "share"),
    }
    if late.high < 0:
        return Sentence(
            "Part of it was only brought forward: after the first {days} {value} of the treated "
            "bought, fewer than of those left alone, {control}.",
            **values,
        )
    if late.low > 0:
        return Sentence(
            "It wasn't only brought forward: also after the first {days} more of the treated "
            "bought, {value}, than of those left alone, {control}.",
            **values,
        )
    return Sentence(
        "That purchases were only brought forward doesn't show: after the first {days} about as "
        "many of the treated bought, {value}, as of those left alone, {control}.",
        **values,
    )


def price_of_knowing(found: Trial) -> Sentence | None:
    """What it cost to leave customers alone; None where the measure surely won nobody."""
    bought = found.of("bought")
    if found.is_running or bought.stands <= 0 or found.worth is None:
        return None
    return Sentence(
        "To know that, {n} customers were left alone; treated like the others, about {more} more "
        "of them would have bought.",
        n=bought.n_control,
        more=round(bought.n_control * bought.estimate.change),
    )


def margin(found: Trial) -> Sentence | None:
    """A caution where revenue is taken for margin."""
    if found.worth is None or found.worth.cost <= 0 or found.plan.margin < 1:
        return None
    return Sentence(
        "The client file gives no margin, so that all revenue counts as gain; what remains is "
        "less than told."
    )


def _few(found: Trial) -> list[Sentence]:
    """Whether one customer makes the result, by treated group."""
    told = []
    for group, one in found.sensitivities.items():
        main = found.of("revenue", group)
        hangs = main.stands != 0 and not one.without_top.difference.leaves_out_zero
        if hangs:
            told.append(
                Sentence(
                    "The result in revenue hangs on one customer, who alone has {share} of it: "
                    "without that one it isn't sure.",
                    share=Metric(one.top_share, "share"),
                )
            )
        elif main.stands and not one.cut.difference.leaves_out_zero:
            told.append(
                Sentence(
                    "The result in revenue hangs on the largest amounts: with those above {limit} "
                    "cut to that it isn't sure.",
                    limit=Metric(one.cut_at, "currency"),
                )
            )
        elif one.top_share >= MUCH:
            told.append(
                Sentence(
                    "One customer has {share} of all revenue of the test; without that one the "
                    "difference is {low} to {high} a customer.",
                    share=Metric(one.top_share, "share"),
                    low=Metric(one.without_top.low, "currency"),
                    high=Metric(one.without_top.high, "currency"),
                )
            )
    return list(dict.fromkeys(told))


def running(found: Trial) -> Sentence | None:
    """How a running test is measured, and why its intervals are wide."""
    over = found.window
    if over is None or not over.is_running or over.is_too_early:
        return None
    values: dict[str, Any] = {
        "complete": over.complete,
        "customers": over.customers,
        "planned": Metric(over.planned, "days"),
        "days": Metric(over.days, "days"),
        "end": over.ends,
    }
    if over.days < over.planned:
        return Sentence(
            "The test runs until {end}. Measured are the first {days} of every customer, which "
            "all have had, out of {planned}.",
            **values,
        )
    return Sentence(
        "The test runs until {end}. Measured are the {complete} customers of {customers} whose "
        "{planned} are over.",
        **values,
    )


def looks(found: Trial) -> Sentence | None:
    """Why the intervals of a running test are wider."""
    if not found.is_running or found.unknown is not None:
        return None
    return Sentence(
        "Whoever looks at a test again and again with the usual interval sees an effect sooner "
        "or later, also where there is none: after fifty looks in one test of three. The "
        "intervals here are wider, and hold however often one looks."
    )


def how_to_read(found: Trial) -> Sentence:
    """What the intervals and the correction are."""
    main = found.of("revenue")
    several = len(found.uplifts)
    if math.isfinite(main.reduction) and main.reduction >= NARROWER:
        return Sentence(
            "Every customer of the test counts, who bought nothing as 0. The differences in "
            "revenue and orders are corrected for the time before the start, which makes that in "
            "revenue {narrower} surer. “By chance” is how likely chance alone makes such a "
            "difference, judged for all {n} comparisons together.",
            narrower=Metric(main.reduction, "share"),
            n=several,
        )
    return Sentence(
        "Every customer of the test counts, who bought nothing as 0. “By chance” is how likely "
        "chance alone makes such a difference, judged for all {n} comparisons together.",
        n=several,
    )


def _amounts(found: Difference) -> dict[str, Metric]:
    return {
        name: about(Metric(float(x), "currency"))
        for name, x in zip(("change", "low", "high"), found, strict=True)
    }


def _named(one: Uplift) -> dict[str, Any]:
    """An effect in its unit, and the end of its interval that is sure."""
    least = one.estimate.low if one.stands > 0 else -one.estimate.high
    unit = UNITS[one.outcome]
    change = Metric(abs(one.estimate.change), unit)
    if one.outcome == "revenue":
        more, less = N_("{change} more in revenue"), N_("{change} less in revenue")
    else:
        more, less = N_("{change} more orders"), N_("{change} fewer orders")
    effect = Sentence(more if one.stands > 0 else less, change=change)
    return {"effect": effect, "sure": Metric(least, unit)}


def _of_a_thousand(one: Uplift) -> dict[str, Any]:
    """An effect in customers of a thousand, or of as many as make the sure part a customer."""
    if one.outcome != "bought":
        return {}
    change = abs(one.estimate.change)
    least = one.estimate.low if one.stands > 0 else -one.estimate.high
    of = next((n for n in (1_000, 10_000, 100_000) if n * least >= 1), 1_000_000)
    return {"of": of, "more": round(of * change), "least": math.floor(of * least)}
