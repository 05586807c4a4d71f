"""Sentences on the loyalty programme: whether it pays, and how that is known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from retention_lib.loyalty.comparable_effect import Effect
from retention_lib.loyalty.comparable_hidden import Hidden
from retention_lib.loyalty.programme import Programme
from retention_lib.loyalty.programme_effect import ALL_MEMBERS, FEW_JOINED, NO_PAST, TOO_SHORT
from retention_lib.loyalty.programme_money import SMALL_COST
from retention_lib.metrics import Metric
from retention_lib.report.findings.units import money, rough, share
from retention_lib.report.headline import Verdict
from retention_lib.sentence import N_, Sentence, counted
from retention_lib.smallest import SMALLEST

#: Below this a break-even is written as "less than" it: a share has one decimal.
_TINY: Final = SMALL_COST
#: From this ratio of members' spend to others' the raw difference is worth a heading.
_OUTSPENT: Final = 1.25


def no_members() -> Sentence:
    """The heading where nobody is a member."""
    return Sentence("The programme has no members on the report's day")


def few_members(n: int) -> Sentence:
    """The heading where there are too few members for figures."""
    return counted(
        n,
        "The programme has {n} member: from {least} on there would be figures",
        "The programme has {n} members: from {least} on there would be figures",
        least=SMALLEST,
    )


def none_in_the_orders(n: int) -> Sentence:
    """The heading where the members' ids aren't those of the orders."""
    return counted(
        n,
        "The one member isn't in the orders: the two may write a customer's id differently",
        "Not one of the {n} members is in the orders: the two may write a customer's id "
        "differently",
    )


# Does it pay -------------------------------------------------------------------------------------


def pays(found: Programme) -> Sentence:
    """The heading: what the programme must bring against what it brings."""
    even, at = found.money.break_even, found.effect.revenue
    if _never_pays(found):
        return Sentence(
            "The programme costs {cost}, more than the margin of {margin} on all that members buy",
            cost=rough(found.money.cost),
            margin=rough(found.money.margin * found.money.revenue),
        )
    if not found.effect.may_be_called_effect:
        return _pays_unknown(found)
    values = {"effect": share(at.relative), **_limits(at)}
    tiny = even.value is None or even.value < _TINY
    ratio = found.members.spread.ratio
    unsure = at.low <= 0 <= at.high
    if tiny and unsure and ratio is not None and ratio >= _OUTSPENT and _mostly_there(at):
        return Sentence(
            "Members spend {times} times as much as others, and did before they joined: against "
            "comparable customers joining shows {effect} ({low} to {high})",
            times=Metric(ratio, "ratio"),
            **values,
        )
    if even.value is None:
        if at.low > 0:
            return Sentence(
                "Members spend {effect} more than comparable customers ({low} to {high})", **values
            )
        if at.high < 0:
            return Sentence(
                "Since they joined members spend less than comparable customers: {effect} ({low} "
                "to {high})",
                **values,
            )
        return Sentence(
            "Against comparable customers joining changed spend by {effect} ({low} to {high}): "
            "chance explains it",
            **values,
        )
    if even.value < _TINY:
        least = share(_TINY)
        return Sentence(
            "The programme pays for itself if members spend less than {least} more; comparable "
            "customers show {effect} ({low} to {high})",
            least=least,
            **values,
        )
    return Sentence(
        "The programme has to raise members' spend by {even} to pay for itself; comparable "
        "customers show {effect} ({low} to {high})",
        even=share(even.value),
        **values,
    )


def _never_pays(found: Programme) -> bool:
    """Whether no uplift would pay for the programme."""
    at = found.money
    return at.revenue > 0 and at.cost > 0 and at.break_even.value is None


def _pays_unknown(found: Programme) -> Sentence:
    even = found.money.break_even
    if even.value is not None and even.value >= _TINY:
        return Sentence(
            "The programme has to raise members' spend by {even} to pay for itself; whether it "
            "does can't be told",
            even=share(even.value),
        )
    return Sentence("Whether the programme makes members spend more can't be told")


def _mostly_there(at: Effect) -> bool:
    """Whether less than half of the raw difference can be the programme's, at the most."""
    return at.raw > 0 and at.high < at.raw / 2


def _limits(at: Effect) -> dict[str, Metric]:
    return {"low": share(at.relative_low), "high": share(at.relative_high)}


def verdict(found: Programme) -> tuple[Verdict, Sentence, list[Sentence]]:
    """Whether to act on it, in a sentence, and why."""
    kind: Verdict = "unfit"
    if found.effect.may_be_called_effect:
        # a fair comparison that settles nothing is none to act on
        kind = "fit" if found.effect.kind == "fit" and _settles(found) else "care"
    return kind, _verdict_text(found), [REASONS[code] for code in found.effect.reasons]


def _settles(found: Programme) -> bool:
    """Whether the interval is on one side of nothing, or of what pays for the programme."""
    even, at = found.money.break_even.value, found.effect.revenue
    if at.sure or _never_pays(found):
        return True
    return even is not None and even >= _TINY and at.relative_high < even


def _verdict_text(found: Programme) -> Sentence:
    even, at = found.money.break_even, found.effect.revenue
    if _never_pays(found):
        return Sentence("Whatever members spend more, it can't pay for a programme at this cost.")
    if not found.effect.may_be_called_effect:
        return Sentence("What members spend more than others isn't what the programme brings.")
    if even.value is None:
        return Sentence(
            "Members and comparable customers were alike before; what differs since is {low} to "
            "{high} of spend.",
            **_limits(at),
        )
    if at.relative_low > even.value:
        return Sentence("The programme pays for itself, by what comparable customers show.")
    if at.relative_high < even.value:
        return Sentence(
            "The programme costs more than it brings, by what comparable customers show."
        )
    if at.low > 0:
        return Sentence(
            "Members spend more because of the programme; whether enough to pay for it isn't sure."
        )
    return Sentence(
        "The comparison shows no sure effect on spend: anything from {low} to {high} is possible. "
        "That members spend more than others is no sign of one.",
        **_limits(at),
    )


#: In words, the codes of `comparable_verdict`, `programme_verdict` and `programme_effect`.
REASONS: Final[Mapping[str, Sentence]] = {
    "nothing": Sentence("No member has customers to be compared with."),
    "few_comparable": Sentence(
        "For fewer than half of the members there are comparable customers."
    ),
    "some_comparable": Sentence("For a fifth or more of the members nobody is comparable."),
    "apart": Sentence("Members and the others still differ in what they had bought before."),
    "placebo": Sentence(
        "Moved to a day before joining, when the programme can't have worked, the comparison finds "
        "a difference all the same."
    ),
    "placebo_wide": Sentence(
        "The test on a time when the programme can't have worked found nothing, but is less sure "
        "than the effect is large."
    ),
    "no_placebo": Sentence("The data are too short to try the comparison on an earlier time."),
    "few": Sentence("The comparison rests on fewer than fifty customers on one side."),
    "held_back": Sentence(
        "In a part of the past that wasn't used to find them, members and comparable customers "
        "differ: something that the data don't show sets them apart."
    ),
    "own_choice": Sentence(
        "Members chose to join. Why they did isn't in the data; only a test drawn by lot could "
        "leave that out."
    ),
    NO_PAST: Sentence(
        "Nearly all members joined before or with their first purchase: there is no time before to "
        "compare."
    ),
    ALL_MEMBERS: Sentence("Nobody is left to compare with: all customers of the time joined."),
    FEW_JOINED: Sentence("Too few members joined in any one month to compare them."),
    TOO_SHORT: Sentence(
        "The data don't reach two months back before members joined and a month on after it."
    ),
}


def raw_difference(found: Programme) -> Sentence | None:
    """That the raw difference isn't the effect, with what is left of it; None without others."""
    at = found.effect.revenue
    ratio = found.members.spread.ratio
    if ratio is None:
        return None
    times = Metric(ratio, "ratio", n=found.members.spread.members)
    values = {
        "members": money(found.members.spread.member_spend),
        "others": money(found.members.spread.other_spend),
        "times": times,
    }
    if ratio < 1:
        return Sentence(
            "In the period members spent {members} each and other customers {others}, {times} "
            "times as much. That isn't the programme's effect: who joins bought otherwise before, "
            "too.",
            **values,
        )
    if not found.effect.may_be_called_effect or at.raw <= 0 or at.value >= 0.5 * at.raw:
        return Sentence(
            "In the period members spent {members} each and other customers {others}, {times} "
            "times as much. That isn't the programme's effect: who buys much joins more readily.",
            **values,
        )
    if at.value <= 0:
        return Sentence(
            "In the period members spent {members} each and other customers {others}, {times} "
            "times as much. That isn't the programme's effect: of the {raw} by which new members "
            "outspent all others, nothing is left against customers who had bought alike. It was "
            "there before they joined.",
            raw=money(at.raw),
            **values,
        )
    return Sentence(
        "In the period members spent {members} each and other customers {others}, {times} times "
        "as much. That isn't the programme's effect: of the {raw} by which new members outspent "
        "all others, {left} is left against customers who had bought alike. The rest was there "
        "before they joined.",
        raw=money(at.raw),
        left=money(at.value),
        **values,
    )


def before_after(found: Programme) -> Sentence | None:
    """The same members before and after, and those like them; None without a comparison."""
    at, design = found.effect.revenue, found.effect.design
    if not at.known or design is None or not math.isfinite(found.effect.before):
        return None
    if not found.effect.may_be_called_effect:
        return Sentence(
            "The {n} members looked at bought for {before} in the {days} before and for {after} in "
            "the {days} after. That alone isn't the programme's effect: other customers change "
            "too.",
            n=at.treated,
            days=Metric(design.days, "days"),
            before=money(found.effect.before),
            after=money(at.mean),
        )
    return Sentence(
        "The {n} members compared bought for {before} in the {days} before and for {after} in the "
        "{days} after. Comparable customers went from {others_before} to {others_after} in the "
        "same weeks, with nothing joined: {effect} a member is the difference ({low} to {high}).",
        n=at.treated,
        days=Metric(design.days, "days"),
        before=money(found.effect.before),
        after=money(at.mean),
        others_before=money(found.effect.others_before),
        others_after=money(at.without),
        effect=money(at.value),
        low=money(at.low),
        high=money(at.high),
    )


def lasting(found: Programme) -> Sentence | None:
    """Whether it lasts into the next window; None where that isn't known or nothing is claimed."""
    at, design = found.effect.later, found.effect.design
    if not at.known or design is None or not found.effect.may_be_called_effect:
        return None
    values = {
        "days": Metric(design.days, "days"),
        "later": share(at.relative),
        **_limits(at),
    }
    first = found.effect.revenue
    if first.low > 0 and at.low > 0:
        return Sentence(
            "It lasts: in the {days} after those it is {later} ({low} to {high}).", **values
        )
    if first.low > 0:
        return Sentence(
            "Whether it lasts isn't sure: in the {days} after those it is {later} ({low} to "
            "{high}).",
            **values,
        )
    return Sentence("In the {days} after those it is {later} ({low} to {high}).", **values)


def retention(found: Programme) -> Sentence | None:
    """What joining did to whether members buy at all; None where nothing may be claimed."""
    at, design = found.effect.repurchase, found.effect.design
    if not at.known or design is None or not found.effect.may_be_called_effect:
        return None
    values = {
        "members": share(at.mean),
        "others": share(at.without),
        "days": Metric(design.days, "days"),
        "difference": share(at.value),
        "low": share(at.low),
        "high": share(at.high),
    }
    if at.high < 0:
        return Sentence(
            "{members} of the members bought again within {days}, fewer than the {others} of the "
            "comparable customers: {difference} of the members ({low} to {high}).",
            **values,
        )
    if at.low > 0:
        return Sentence(
            "{members} of the members bought again within {days}, and {others} of the comparable "
            "customers: the programme kept {difference} of the members buying ({low} to {high}).",
            **values,
        )
    return Sentence(
        "{members} of the members bought again within {days}, and {others} of the comparable "
        "customers; chance explains the difference ({low} to {high} of the members).",
        **values,
    )


_FAMILIES: Final[Mapping[str, str]] = {
    "revenue": N_("what they had spent before"),
    "orders": N_("how often they had bought before"),
    "recency": N_("how lately they had bought"),
    "tenure": N_("how long they had been customers"),
    "sent": N_("earlier memberships"),
}


def hidden_difference(found: Programme, sensitivity: Hidden | None) -> Sentence | None:
    """How strong something hidden would have to be; None where nothing may be claimed."""
    at = found.effect.revenue
    if sensitivity is None or not found.effect.may_be_called_effect:
        return None
    values = {
        "family": Sentence(_FAMILIES[sensitivity.strongest]),
        "bias": money(sensitivity.bias),
        "effect": money(at.value),
    }
    if at.sure and sensitivity.bias >= abs(at.value):
        return Sentence(
            "What sets members apart and isn't in the data would explain the effect away if it "
            "mattered as much as {family}, over and above all that is known: that could be worth "
            "{bias} a member, and the effect is {effect}.",
            **values,
        )
    if at.sure:
        return Sentence(
            "What sets members apart and isn't in the data would have to matter more than {family} "
            "to explain the effect away: as much as that would be worth {bias} a member, and the "
            "effect is {effect}.",
            **values,
        )
    return None


def how_compared(found: Programme) -> Sentence | None:
    """Who was compared with whom; None without a comparison."""
    compared, design = found.effect.compared, found.effect.design
    if compared is None or design is None or not compared.compared:
        return None
    values = {
        "n": compared.customers,
        "others": compared.others,
        "days": Metric(design.days, "days"),
        "worst": Metric(round(compared.worst_imbalance, 3), "number"),
    }
    if found.effect.grain == "day":
        return Sentence(
            "{n} members are held against {others} customers who weren't enrolled by the end of "
            "the {days} that follow, weighted so that they are alike in spend, purchases, recency "
            "and age of relationship up to the day (the largest difference left is {worst} "
            "standard deviations).",
            **values,
        )
    if found.effect.grain == "week":
        return Sentence(
            "{n} members are held against {others} customers who hadn't joined by the end of the "
            "{days} that follow, weighted so that they are alike in spend, purchases, recency and "
            "age of relationship up to the end of the week of joining (the largest "
            "difference left is {worst} standard deviations). What changed within that week isn't "
            "counted.",
            **values,
        )
    return Sentence(
        "{n} members are held against {others} customers who hadn't joined by the end of the "
        "{days} that follow, weighted so that they are alike in spend, purchases, recency and age "
        "of relationship up to the end of the month of joining (the largest difference left is "
        "{worst} standard deviations). What changed within that month isn't counted, which makes "
        "the effect look smaller than it is.",
        **values,
    )


def chosen_by_the_past(found: Programme) -> Sentence | None:
    """What a part of the past shows that the shop chose by; None where there is nothing."""
    at = found.effect.held_back
    if found.effect.grain != "day" or not at.known or not math.isfinite(at.relative):
        return None
    values = {"value": share(at.relative), **_limits(at)}
    if at.low > 0:
        return Sentence(
            "The shop enrolled by what customers had bought: made alike without the oldest part of "
            "their past, members had spent {value} more in it ({low} to {high}). That part is "
            "among what they are made alike in; if some of such a difference were left, the "
            "effect would be smaller than it looks.",
            **values,
        )
    if at.high < 0:
        return Sentence(
            "The shop enrolled by what customers had bought: made alike without the oldest part of "
            "their past, members had spent less in it, {value} ({low} to {high}). That part is "
            "among what they are made alike in; if some of such a difference were left, the "
            "effect would be larger than it looks.",
            **values,
        )
    return None


#: In words, why a member isn't among those compared (`programme_effect.Programmed.left_out`).
LEFT_OUT: Final[Mapping[str, Sentence]] = {
    "unknown": Sentence("Not in the orders"),
    "no_past": Sentence("Hadn't bought before joining"),
    "near_ends": Sentence("Joined too near the beginning or the end of the data"),
    "few": Sentence("Few joined at that time"),
    "not_drawn": Sentence("Not drawn: enough others were"),
    "not_alike": Sentence("Like no customer who didn't join"),
    "compared": Sentence("Compared"),
}
