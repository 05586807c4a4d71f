"""Sentences on campaigns whose customers were chosen: what they did, if that can be told."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from retention_lib.loyalty.campaign import Campaigns
from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.loyalty.comparable_verdict import MOST_APART
from retention_lib.metrics import Metric, Unit
from retention_lib.report.headline import Verdict
from retention_lib.sentence import Counted, Sentence, about, together

OUTCOMES: Final[dict[str, Sentence]] = {
    "revenue": Sentence("Revenue per customer"),
    "orders": Sentence("Purchases per customer"),
    "bought": Sentence("Customers who buy"),
}
UNITS: Final[dict[str, Unit]] = {"revenue": "currency", "orders": "number", "bought": "share"}


class Told(NamedTuple):
    """The verdict on the comparison: its kind, its sentence, its reasons."""

    kind: Verdict
    text: Sentence
    reasons: list[Sentence]


def money(value: float) -> Metric:
    """An amount as a sentence gives it: to three digits."""
    return about(Metric(value, "currency"))


def heading(found: Campaigns) -> Sentence:
    """What was found, as a heading."""
    title: dict[str, Any] = {"title": found.title}
    if found.problem is not None:
        return Sentence("{title}: nobody can be compared yet", **title)
    effect = found.revenue
    values = title | {
        "raw": money(abs(effect.raw)),
        "value": money(abs(effect.value)),
        "days": Metric(found.design.days, "days"),
    }
    if not found.fair:
        if "placebo" in found.compared.verdict.reasons:
            return Sentence(
                "{title}: what looks like an effect was there before anything was sent", **title
            )
        return Sentence("{title}: nobody is comparable, so no effect can be told", **title)
    if effect.sure and effect.value > 0:
        return Sentence(
            "{title}: {value} more revenue per customer in {days}; we can be sure of {least}",
            least=money(effect.low),
            **values,
        )
    if effect.sure:
        return Sentence(
            "{title}: {value} less revenue per customer in {days}, surely {least} less",
            least=money(-effect.high),
            **values,
        )
    if effect.raw > 2 * abs(effect.value):
        return Sentence(
            "{title}: those sent one spend {raw} more than others, and comparable customers spend "
            "as much without",
            **values,
        )
    return Sentence("{title}: no effect on what customers spend can be seen", **title)


def verdict(found: Campaigns) -> Told:
    """Whether the comparison is fair, and why."""
    judged = found.compared.verdict
    if found.problem is not None:
        return Told("unfit", nothing(found), [])
    reasons = [reason(code, found) for code in judged.reasons]
    failed = _failed(found)
    if judged.kind == "unfit" or failed.empty:
        return Told(judged.kind, _passed(found), reasons)
    row = failed.iloc[0]
    reasons.append(
        Sentence(
            "Over {other} in place of {days} the same comparison finds a difference before the "
            "first day, {share}: those sent one aren't quite of the others' kind.",
            other=Metric(int(row["days"]), "days"),
            days=Metric(found.design.days, "days"),
            share=Metric(float(row["placebo_share"]), "share"),
        )
    )
    return Told("care", _passed(found), reasons)


def unsettled(found: Campaigns) -> bool:
    """Whether the interval had to be widened, so that no part of it can be told apart."""
    return bool({"placebo_around", "placebo_wide"} & set(found.compared.verdict.reasons))


def _failed(found: Campaigns) -> pd.DataFrame:
    """The main comparison over other windows, as far as its check fails there."""
    ways = found.ways
    failed = [passed is not None and not passed for passed in ways["passed"]]
    return ways[ways["way"].isin(["shorter", "longer"]) & pd.Series(failed, ways.index, dtype=bool)]


def _passed(found: Campaigns) -> Sentence:
    judged = found.compared.verdict
    if judged.kind == "unfit":
        return Sentence(
            "The comparison isn't fair, so that no difference here may be called an effect."
        )
    if judged.kind == "fit" and _failed(found).empty:
        return Sentence(
            "Those compared had bought alike before, and the comparison finds nothing where there "
            "can be nothing. It is still no lot: what nobody recorded could differ."
        )
    tried = {"no_placebo", "placebo_around"} & set(judged.reasons)
    if tried or len(_failed(found)):
        return Sentence("Those compared had bought alike before. What to keep in mind:")
    return Sentence(
        "Those compared had bought alike before, and the comparison finds nothing where there can "
        "be nothing. What to keep in mind:"
    )


def nothing(found: Campaigns) -> Sentence:
    """Why nothing is compared."""
    days = {"days": Metric(found.design.days, "days")}
    sentences = {
        "empty": Sentence("The data has no sending of a campaign."),
        "unfinished": Sentence(
            "No campaign's {days} are over yet: the comparison comes with the first one that is.",
            **days,
        ),
        "short_history": Sentence(
            "The campaigns begin with the data: to compare, customers must be known for twice "
            "{days} before the first one.",
            **days,
        ),
        "no_others": Sentence(
            "Nobody comparable was left without a campaign. Leave some out by lot next time: that "
            "settles what no comparison can."
        ),
        "too_few": Sentence("Too few known customers were sent a campaign to compare them."),
    }
    return sentences.get(found.problem or "", sentences["too_few"])


def reason(code: str, found: Campaigns) -> Sentence:
    """A reason of the verdict, in words (`comparable_verdict`)."""
    compared = found.compared
    placebo = found.placebos["revenue"]
    days = Metric(found.design.days, "days")
    if code in ("few_comparable", "some_comparable"):
        return Sentence(
            "For {share} of those sent one there are customers who bought alike and weren't; the "
            "others can't be compared.",
            share=Metric(compared.comparable_share, "share", n=compared.eligible),
        )
    if code == "apart":
        return Sentence(
            "The groups still differ by up to {apart} standard deviations in what was known "
            "before; {limit} is the most that counts as alike.",
            apart=Metric(compared.worst_imbalance, "number"),
            limit=Metric(MOST_APART, "number"),
        )
    if code == "placebo":
        return _placebo_fails(placebo, days, found)
    if code == "placebo_around":
        return _around(placebo, days, found)
    if code == "placebo_wide":
        return Sentence(
            "The same comparison {days} earlier finds {value} (95% interval {low} to {high}): no "
            "sure difference, as it must, yet the effect isn't surely more than that. The interval "
            "told allows for it.",
            days=days,
            value=money(placebo.value),
            low=money(placebo.low),
            high=money(placebo.high),
        )
    if code == "placebo_rough":
        furthest = max(abs(placebo.low), abs(placebo.high)) / placebo.without
        return Sentence(
            "The same comparison {days} earlier finds {value} (95% interval {low} to {high}): 0 "
            "can't be ruled out, nor can a difference of {share}.",
            days=days,
            value=money(placebo.value),
            low=money(placebo.low),
            high=money(placebo.high),
            share=Metric(furthest, "share"),
        )
    if code == "short_history":
        return Sentence(
            "Only {n} of {all} sendings have twice {days} of data before them: the figures are of "
            "those.",
            n=compared.eligible,
            all=compared.treated,
            days=days,
        )
    if code == "longer_history":
        held = compared.held_out()
        if held.value > 0:
            return Sentence(
                "Further back, those sent one spent {value} more than customers who bought alike "
                "since: they seem to have been chosen by a longer history than is compared, which "
                "makes the effect look larger than it is.",
                value=money(held.value),
            )
        return Sentence(
            "Further back, those sent one spent {value} less than customers who bought alike "
            "since: their spending was on the rise, and may have gone on rising without.",
            value=money(-held.value),
        )
    if code == "few":
        return Sentence(
            "The comparison rests on few customers: {n} sent one, and as many others as count for "
            "{others}.",
            n=compared.customers,
            others=round(compared.effective),
        )
    if code == "no_placebo":
        return Sentence(
            "There is no earlier window in which the comparison could be tried where nothing can "
            "have worked."
        )
    return nothing(found)


def _around(placebo: Effect, days: Metric, found: Campaigns) -> Sentence:
    change = found.compared.change()
    return Sentence(
        "In the {days} before, those sent one differed by {value} from customers who had bought "
        "alike until then: they were chosen for what they did then, or are of another kind. In the "
        "first case the comparison is right, in the second the change since then, {change} ({low} "
        "to {high}). The interval told spans both.",
        days=days,
        value=money(placebo.value),
        change=money(change.value),
        low=money(change.low),
        high=money(change.high),
    )


def _placebo_fails(placebo: Effect, days: Metric, found: Campaigns) -> Sentence:
    if placebo.sure and placebo.value > 0:
        return Sentence(
            "The same comparison {days} earlier, when the campaign couldn't have worked, finds "
            "{value} as well (95% interval {low} to {high}): those sent one are of another kind.",
            days=days,
            value=money(placebo.value),
            low=money(placebo.low),
            high=money(placebo.high),
        )
    before = found.path[found.path["window"] < 0]
    ratio = (before["value"] / before["error"]).abs().to_numpy(dtype=float)
    worst = before.iloc[int(np.argmax(ratio))]
    return Sentence(
        "The same comparison on an earlier day, when the campaign couldn't have worked, finds "
        "{value} (95% interval {low} to {high}): the groups weren't on the same way.",
        value=money(float(worst["value"])),
        low=money(float(worst["low"])),
        high=money(float(worst["high"])),
    )


def revenue(found: Campaigns) -> Sentence:
    """The raw difference next to the comparable one."""
    effect = found.revenue
    values = {
        "n": found.compared.customers,
        "days": Metric(found.design.days, "days"),
        "raw": money(effect.raw),
        "value": money(effect.value),
        "low": money(effect.low),
        "high": money(effect.high),
    }
    before = found.path[found.path["window"] == -1]
    if len(before) and effect.raw > 0:
        values["earlier"] = money(float(before["raw"].iloc[0]))
        first = Sentence(
            "In the {days} from the first day, the {n} customers compared spent {raw} more than "
            "all others. That is not the effect: in the {days} before, they had spent {earlier} "
            "more already.",
            **values,
        )
    else:
        first = Sentence(
            "In the {days} from the first day, the difference between the {n} customers compared "
            "and all others is {raw} each. That is not the effect: they were chosen.",
            **values,
        )
    if not found.fair:
        return together(
            first,
            Sentence(
                "Against customers who had bought alike before it is {value} (95% interval {low} "
                "to {high}), which can't be called an effect either.",
                **values,
            ),
        )
    return together(
        first,
        Sentence(
            "Against customers who had bought alike before and weren't sent any, it is {value}, "
            "with a 95% interval from {low} to {high}.",
            **values,
        ),
    )


def how_large(found: Campaigns) -> Sentence | None:
    """The effect in shares, and what can be ruled out; None where it isn't told."""
    effect = found.revenue
    if not found.fair or math.isnan(effect.relative_high):
        return None
    share = {
        "share": Metric(effect.relative, "share"),
        "low": Metric(effect.relative_low, "share"),
        "high": Metric(effect.relative_high, "share"),
        "without": money(effect.without),
    }
    if effect.sure:
        return Sentence(
            "That is {share} of the {without} that comparable customers spend (95% interval {low} "
            "to {high}).",
            **share,
        )
    if effect.relative_high <= 0:
        return None
    return Sentence(
        "That is {share} of the {without} that comparable customers spend: chance alone makes as "
        "much. A rise of more than {high} would hardly have stayed hidden; a smaller one can't be "
        "ruled out.",
        **share,
    )


def after(found: Campaigns) -> Sentence | None:
    """Whether an effect lasts, or was pulled forward; None where it can't be told."""
    later, effect = found.later, found.revenue
    if not found.fair or not later.known:
        return None
    values = {
        "days": Metric(found.design.days, "days"),
        "value": money(later.value),
        "low": money(later.low),
        "high": money(later.high),
    }
    if later.sure and later.value < 0 < effect.value and effect.sure:
        return Sentence(
            "In the {days} after these they spend {value} against comparable customers ({low} to "
            "{high}): part of it was only bought sooner.",
            **values,
        )
    if later.sure and later.value > 0:
        return Sentence(
            "In the {days} after these they still spend {value} more ({low} to {high}): it lasts.",
            **values,
        )
    return Sentence(
        "In the {days} after these the difference is {value} ({low} to {high}): nothing that "
        "surely lasts, and nothing that was surely bought sooner.",
        **values,
    )


def worth(found: Campaigns) -> Sentence | None:
    """Revenue brought against its cost; None where no effect may be told."""
    if not found.fair:
        return None
    value, low, high = found.total
    values: dict[str, Any] = {
        "n": round(found.all_compared),
        "total": money(value),
        "low": money(low),
        "high": money(high),
    }
    brought = Sentence(
        "Over the {n} sendings compared that makes {total} of revenue ({low} to {high}).", **values
    )
    if found.cost > 0:
        net, net_low, net_high = found.net
        values = {
            "cost": Metric(found.cost * found.all_compared, "currency"),
            "net": money(net),
            "low": money(net_low),
            "high": money(net_high),
        }
        if net_low > 0:
            paid = Sentence(
                "They cost {cost}; at the margin given {net} are left ({low} to {high}).", **values
            )
        elif net_high < 0:
            paid = Sentence(
                "They cost {cost}, more than they can have brought: at the margin given the result "
                "is {net} ({low} to {high}).",
                **values,
            )
        else:
            paid = Sentence(
                "They cost {cost}; whether they pay can't be told: at the margin given the result "
                "is {net} ({low} to {high}).",
                **values,
            )
        return together(brought, paid)
    most = found.revenue.high * found.margin
    if most <= 0:
        return together(brought, Sentence("At no cost would a sending have paid."))
    if found.margin == 1:
        return together(
            brought,
            Sentence(
                "The client file gives neither a cost nor a margin: even at the upper end, a "
                "sending that costs more than {most} times the margin doesn't pay.",
                most=money(most),
            ),
        )
    return together(
        brought,
        Sentence(
            "The client file gives no cost: even at the upper end, a sending that costs more than "
            "{most} doesn't pay.",
            most=money(most),
        ),
    )


def redeemed(found: Campaigns) -> Sentence | None:
    """That those who used something aren't its effect; None where it isn't known who did."""
    told = found.redeemed
    if told is None:
        return None
    values: dict[str, Any] = {
        "n": told.n,
        "now": money(told.now),
        "before": money(told.before),
        "days": Metric(found.design.days, "days"),
    }
    if told.now > 0 and told.before > 0:
        return Sentence(
            "The {n} who redeemed something spent {now} more in these {days} than those who "
            "didn't. That is not the effect either: in the {days} before, they had spent {before} "
            "more already, and to redeem one has to come.",
            **values,
        )
    return Sentence(
        "The {n} who redeemed something spent {now} more in these {days} than those who didn't, "
        "after {before} more in the {days} before. That is not the effect: they chose to redeem.",
        **values,
    )


def scope(found: Campaigns) -> Sentence:
    """Who is compared, of all that were sent something."""
    told = [_scope(found)]
    if found.unknown_customers:
        told.append(
            Sentence(
                Counted(
                    "{n} customer sent one never bought in the data and isn't compared.",
                    "{n} customers sent one never bought in the data and aren't compared.",
                ),
                n=found.unknown_customers,
            )
        )
    if found.sample < 1:
        told.append(
            Sentence(
                "A sample of {share} of the customers sent one was drawn for it; totals are "
                "those of all.",
                share=Metric(found.sample, "share"),
            )
        )
    return together(*told)


def _scope(found: Campaigns) -> Sentence:
    values = {
        "sendings": found.sendings,
        "customers": found.customers,
        "campaigns": found.campaigns,
        "n": found.compared.customers,
        "others": found.compared.others,
        "days": Metric(found.design.days, "days"),
    }
    if found.way == "first":
        return Sentence(
            "The data has {sendings} sendings of {campaigns} campaigns to {customers} customers, "
            "often several at once. Compared is the first one that a customer was ever sent, so "
            "that no earlier one works on: {n} customers, against {others} who had been sent none "
            "and weren't until {days} later. What they were sent beside it in that time is part of "
            "what is compared. The effect is that of being put on the list.",
            **values,
        )
    return Sentence(
        "The data has {sendings} sendings of {campaigns} campaigns to {customers} customers. Too "
        "few were sent a first one. Compared are sendings after {days} without any: {n} customers, "
        "against {others} who had been sent none in that time and weren't until {days} later.",
        **values,
    )
