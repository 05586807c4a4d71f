"""Sentences on how long subscribers stay, what they are worth, and which renewals are due."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from retention_lib.loyalty.subscription_lifetimes import later_losses
from retention_lib.loyalty.subscription_renewals import AHEAD
from retention_lib.loyalty.subscriptions import Subscriptions, why_no_projection
from retention_lib.metrics import Metric
from retention_lib.report.labels import group_name
from retention_lib.sentence import Counted, Sentence, about, together
from retention_lib.smallest import SMALLEST


def lasting(found: Subscriptions) -> Sentence:
    """The heading over the curve."""
    lives = found.lifetimes
    shown = lives.shown
    if shown.empty:
        return Sentence("Too few subscribers were watched to a renewal to say how long they stay")
    last = shown.iloc[-1]
    if lives.median_months is None:
        return Sentence(
            "After {months} {share} of the subscribers are still there",
            months=Metric(float(last["months"]), "months"),
            share=Metric(float(last["survival"]), "share"),
        )
    half = Metric(lives.median_months, "months")
    year = _after_a_year(shown)
    if year is None:
        return Sentence("Half of the subscribers are gone after {months}", months=half)
    return Sentence(
        "Half of the subscribers are gone after {months}; of those who stay a year, {share} are "
        "still there a year later",
        months=half,
        share=year,
    )


def _after_a_year(shown: pd.DataFrame) -> Metric | None:
    """Of those there after a year, the share there after two."""
    by = dict(zip(shown["months"].astype(int), shown["survival"].astype(float), strict=True))
    one, two = by.get(12), by.get(24)
    # with the median behind the year it would say less
    if one is None or two is None or not 0 < one <= 0.5:
        return None
    return Metric(two / one, "share")


def who_is_left(found: Subscriptions) -> Sentence | None:
    """Why those who have stayed long renew more readily."""
    shown, made, late = found.lifetimes.shown, found.projection, later_losses(found.lifetimes)
    if made.model is None or made.alike or late is None:
        return None
    first = shown.iloc[0]
    if not late.high < first["hazard_low"]:
        return None
    return Sentence(
        "At the first renewal {first} are lost, at each one after {months} only {late} (95% "
        "interval {low} to {high}). That doesn't mean that subscribers become more loyal: those "
        "likely to leave leave first, and those who are left were likelier to stay from the start.",
        first=Metric(float(first["hazard"]), "share", n=int(first["at_risk"])),
        late=Metric(late.share, "share", n=late.n),
        low=Metric(late.low, "share"),
        high=Metric(late.high, "share"),
        months=Metric(late.months, "months"),
    )


def projected(found: Subscriptions) -> Sentence:
    """How far the curve goes on, or why nothing is projected."""
    made = found.projection
    if made.model is None:
        return why_no_projection(made, found.lifetimes.n)
    last = made.curve.iloc[-1]
    values = {
        "months": Metric(float(last["months"]), "months"),
        "share": Metric(float(last["survival"]), "share"),
        "low": Metric(float(last["low"]), "share"),
        "high": Metric(float(last["high"]), "share"),
    }
    said = Sentence(
        "If it goes on so, {share} are still there after {months} (95% interval {low} to {high}).",
        **values,
    )
    if made.alike:
        return together(
            said,
            Sentence(
                "Subscribers don't differ measurably in how likely they are to leave: one rate for "
                "all describes them."
            ),
        )
    return said


def believed(found: Subscriptions) -> Sentence | None:
    """How an earlier fit did, against keeping last year's churn."""
    made = found.projection
    held = made.holdout
    if made.model is None:
        return None
    if held is None:
        return Sentence(
            "The projection couldn't be tested on an earlier day: too little was known then."
        )
    values = {
        "day": held.day,
        "n": held.n,
        "expected": Metric(round(held.expected), "count"),
        "low": Metric(math.ceil(held.low), "count"),
        "high": Metric(math.floor(held.high), "count"),
        "actual": held.actual,
        "periods": held.periods,
    }
    said = Sentence(
        Counted(
            "The test: with only what was known on {day}, it would have said that of the {n} "
            "subscribers of that day {expected} renew the next time (95% interval {low} to "
            "{high}). {actual} did.",
            "The test: with only what was known on {day}, it would have said that of the {n} "
            "subscribers of that day {expected} renew the next {periods} times ({low} to {high}, "
            "95% interval). {actual} did.",
            by="periods",
        ),
        **values,
    )
    if not held.held and held.near:
        return together(
            said,
            Sentence(
                "That is outside the interval, and {off} of these subscribers from what was "
                "expected: near enough to act on, but less sure than the intervals here say.",
                off=Metric(abs(held.actual - held.expected) / held.n, "share", n=held.n),
            ),
        )
    if not held.held:
        return together(
            said,
            Sentence("That is outside the interval: take the projection as a rough guide."),
        )
    off, plain = abs(held.actual - held.expected), abs(held.actual - held.constant)
    if (
        math.isfinite(held.constant)
        and plain > 2 * off
        and not (held.low <= held.constant <= held.high)
    ):
        return together(
            said,
            Sentence(
                "The churn of the year before, kept up for all alike, would have said {constant}.",
                constant=Metric(round(held.constant), "count"),
            ),
        )
    return said


def off_the_curve(found: Subscriptions) -> Sentence | None:
    """A caution where the model doesn't follow the losses."""
    made = found.projection
    if made.model is None or made.follows:
        return None
    return Sentence(
        "The projection doesn't follow what was observed: it is up to {points} of the subscribers "
        "off. Fixed terms or price changes do that, when many leave at one age. Don't act on the "
        "value and the chances below before that is understood.",
        points=Metric(made.distance, "share"),
    )


def lately(found: Subscriptions) -> Sentence | None:
    """Whether who began lately stays as long as who began before."""
    two = found.halves
    if two is None:
        return None
    values = {
        "day": two.day,
        "months": Metric(two.period * found.lifetimes.period_months, "months"),
        "earlier": Metric(two.earlier, "share", n=two.n_earlier),
        "later": Metric(two.later, "share", n=two.n_later),
    }
    if two.stands > 0:
        return Sentence(
            "Who began from {day} on stays longer: {later} are still there after {months}, of "
            "those who began before {earlier}. The curve takes both together, so it is cautious "
            "for the newer ones.",
            **values,
        )
    if two.stands < 0:
        return Sentence(
            "Who began from {day} on leaves sooner: {later} are still there after {months}, of "
            "those who began before {earlier}. The curve takes both together, so it is too "
            "favourable for the newer ones.",
            **values,
        )
    return Sentence(
        "Who began from {day} on stays about as long as who began before: {later} and {earlier} "
        "are still there after {months}, and chance can explain the difference.",
        **values,
    )


def truncated(found: Subscriptions) -> Sentence | None:
    """Which subscribers the curve leaves out, as the data begin too late for them."""
    lives = found.lifetimes
    if lives.begins is None:
        return None
    if lives.one_day:
        return Sentence(
            Counted(
                "{n} subscriber began on the first day of the data: that is the day of a system, "
                "so the age isn't known, and the curve leaves this one out.",
                "{n} subscribers began on the first day of the data: that is the day of a system, "
                "so their age isn't known, and the curve leaves them out.",
            ),
            n=lives.unwatched,
        )
    return Sentence(
        "The data have no loss before {day}, though there were subscribers: who left before isn't "
        "in them. With only those who stayed the curve would look too good, so the {n} who began "
        "before that day are left out of it.",
        day=lives.begins,
        n=lives.unwatched,
    )


def first_stays(found: Subscriptions) -> Sentence:
    """Whom the curve counts, and when a loss counts."""
    return Sentence(
        "Of each subscriber the first subscription counts; who is still there counts for as long "
        "as that was watched. Who leaves within a period is one who doesn't renew at its end. "
        "Ages with fewer than {n} up for renewal aren't shown.",
        n=SMALLEST,
    )


def renewals_heading(found: Subscriptions) -> Sentence | None:
    """The heading over the losses by age; None with too few ages."""
    shown = found.lifetimes.shown
    if len(shown) < 2:
        return None
    worst = shown.iloc[int(shown["hazard"].to_numpy().argmax())]
    first = shown.iloc[0]
    values = {"share": Metric(float(worst["hazard"]), "share", n=int(worst["at_risk"]))}
    late = later_losses(found.lifetimes)
    if worst["period"] == first["period"] and late is not None and late.high < first["hazard_low"]:
        return Sentence(
            "The first renewal is the hurdle: {share} don't make it, after {months} only {late} "
            "each time",
            late=Metric(late.share, "share", n=late.n),
            months=Metric(late.months, "months"),
            **values,
        )
    others = shown[shown["period"] != worst["period"]]
    if worst["hazard_low"] > others["hazard_high"].max():
        return Sentence(
            "Most are lost after {months}: {share} of those who are there until then",
            months=Metric(float(worst["months"]), "months"),
            **values,
        )
    return Sentence(
        "Between {low} and {high} of those up for renewal don't renew, whatever their age",
        low=Metric(float(shown["hazard"].min()), "share"),
        high=Metric(float(shown["hazard"].max()), "share"),
    )


def worth_heading(found: Subscriptions) -> Sentence | None:
    """The heading over the value."""
    of = found.worth
    if of is None:
        return None
    if of.value is None:
        return Sentence(
            "A subscriber of today will pay for about {months} more, discounted",
            months=about(Metric(of.months, "months"), 2),
        )
    return Sentence(
        "Today's {n} subscribers are worth about {value}, not counting what is paid already",
        n=of.subscribers,
        value=about(Metric(of.value, "currency")),
    )


def worth_range(found: Subscriptions) -> Sentence | None:
    """How sure the value is, and what a plain churn would say."""
    of = found.worth
    if of is None or of.value is None:
        return None
    assert of.low is not None
    assert of.high is not None
    said = Sentence(
        "The 95% interval is {low} to {high}; in the mean a subscriber will pay for {months} more, "
        "discounted.",
        low=about(Metric(of.low, "currency")),
        high=about(Metric(of.high, "currency")),
        months=about(Metric(of.months, "months"), 2),
    )
    if of.constant is None or of.low <= of.constant <= of.high or of.constant <= 0:
        return said
    values = {
        "constant": about(Metric(of.constant, "currency")),
        "churn": Metric(found.projection.churn / found.projection.period_months, "share"),
    }
    if of.value < of.constant or not found.projection.usable:
        more = Sentence(
            "The usual rule, last year's churn of {churn} a month kept up for all, would say "
            "{constant}.",
            **values,
        )
    else:
        more = Sentence(
            "The usual rule, last year's churn of {churn} a month kept up for all, would say only "
            "{constant}: it holds the losses among the new against those who have long stayed.",
            **values,
        )
    return together(said, more)


def in_a_year(found: Subscriptions) -> Sentence | None:
    """What would be left without new subscribers."""
    of = found.worth
    if of is None or of.in_a_year is None:
        return None
    return Sentence(
        "Without a single new subscriber {share} of today's recurring revenue would be left in a "
        "year (95% interval {low} to {high}).",
        share=Metric(of.in_a_year, "share", n=of.subscribers),
        low=Metric(of.in_a_year_low, "share"),
        high=Metric(of.in_a_year_high, "share"),
    )


def beyond(found: Subscriptions) -> Sentence | None:
    """How much of the value lies where nobody was watched."""
    of = found.worth
    if of is None:
        return None
    curve = found.projection.curve
    last = float(curve.loc[curve["watched"], "months"].max())
    rate = Metric(found.discount_rate, "share")
    return Sentence(
        "Of the value {share} is to be paid after more than {months} of a subscription, which too "
        "few were watched for: that part rests on the model alone. Payments are discounted by "
        "{rate} a year, at today's prices. Who has given notice isn't counted.",
        share=Metric(of.beyond, "share"),
        months=Metric(last, "months"),
        rate=rate,
    )


def long_against_new(found: Subscriptions) -> Sentence | None:
    """What a subscriber of long is worth against a new one."""
    of = found.worth
    if of is None or len(of.by_age) < 2 or found.projection.alike:
        return None
    new, old = of.by_age.iloc[0], of.by_age.iloc[-1]
    if not old["left_low"] > new["left_high"]:
        return None
    return Sentence(
        "Who has been there for {months} will pay for {old} more, a new subscriber for {new}.",
        months=Metric(float(old["months"]), "months"),
        old=about(Metric(float(old["left"]), "months"), 2),
        new=about(Metric(float(new["left"]), "months"), 2),
    )


def due_heading(found: Subscriptions) -> Sentence:
    """The heading over the renewals."""
    days = AHEAD[0]
    due = found.renewals.within(days)
    n = int(due["due"])
    if not n:
        later = int(found.renewals.within(AHEAD[1])["due"])
        return Sentence(
            "No renewal is due within {days}, and {n} within {later}",
            days=Metric(days, "days"),
            n=later,
            later=Metric(AHEAD[1], "days"),
        )
    if found.projection.usable:
        return Sentence(
            Counted(
                "{n} renewal is due within {days}; the chance that it isn't made is {lost}",
                "{n} renewals are due within {days}; about {lost} of them won't be made",
            ),
            n=n,
            days=Metric(days, "days"),
            lost=_losses(float(due["expected_lost"]), n),
        )
    return Sentence(
        Counted("{n} renewal is due within {days}", "{n} renewals are due within {days}"),
        n=n,
        days=Metric(days, "days"),
    )


def _losses(expected: float, n: int) -> Metric:
    if n == 1:
        return Metric(expected, "share")
    return Metric(max(1, round(expected)), "count")


def due_range(found: Subscriptions) -> Sentence | None:
    """How sure the number of losses is."""
    due = found.renewals.within(AHEAD[0])
    if int(due["due"]) < 2 or not found.projection.usable:
        return None
    return Sentence(
        "Between {low} and {high} of these renewals won't be made (95% interval).",
        low=Metric(math.floor(float(due["lost_low"])), "count"),
        high=Metric(math.ceil(float(due["lost_high"])), "count"),
    )


def due_money(found: Subscriptions) -> Sentence | None:
    """What is at stake with them, and with those who have given notice."""
    due = found.renewals.within(AHEAD[0])
    said = []
    if found.rows.priced and found.projection.usable and due["at_stake"] > 0:
        said.append(
            Sentence(
                "They bring {mrr} a month. At stake is {stake} ({low} to {high}): the chance that "
                "a renewal isn't made times all that would be paid from then on. Who is about to "
                "leave is likelier than others to leave later, which is allowed for.",
                mrr=Metric(float(due["mrr"]), "currency"),
                low=about(Metric(float(due["stake_low"]), "currency")),
                high=about(Metric(float(due["stake_high"]), "currency")),
                stake=about(Metric(float(due["at_stake"]), "currency")),
            )
        )
    if len(found.renewals.ends) and found.rows.priced:
        n = len(found.renewals.ends)
        total = float(found.renewals.ends["amount"].sum()) / found.rows.period_months
        said.append(
            Sentence(
                Counted(
                    "{n} subscriber has given notice already; {mrr} a month ends with it.",
                    "{n} subscribers have given notice already; {mrr} a month ends with them.",
                ),
                n=n,
                mrr=Metric(total, "currency"),
            )
        )
    return together(*said) if said else None


def plans(found: Subscriptions) -> Sentence | None:
    """The heading over the plans; None with fewer than two."""
    frame = found.plans
    if len(frame) < 2:
        return None
    tested = frame[frame["survival"].notna()]
    if found.plans_period is None or len(tested) < 2:
        return Sentence("Too few of each plan were watched to say where subscribers stay longer")
    out = tested[tested["stands_out"] != 0]
    if out.empty:
        return Sentence("No plan surely keeps its subscribers longer than the others")
    ratio = (out["lost"] / out["expected"]).to_numpy(dtype=float)
    first = out.iloc[int(np.abs(np.log(np.maximum(ratio, 1e-9))).argmax())]
    values = {
        "plan": group_name(str(first["plan"])),
        "lost": int(first["lost"]),
        "expected": Metric(round(float(first["expected"])), "count"),
    }
    if first["stands_out"] > 0:
        return Sentence(
            "Subscribers of {plan} stay longer: {lost} were lost, where {expected} would have been "
            "if they were like all others of their age",
            **values,
        )
    return Sentence(
        "Subscribers of {plan} leave sooner: {lost} were lost, where {expected} would have been "
        "if they were like all others of their age",
        **values,
    )


def one_model(found: Subscriptions) -> Sentence | None:
    """A caution where the plans differ, and one model is made of all."""
    if found.worth is None or not found.plans["stands_out"].fillna(0).abs().any():
        return None
    return Sentence(
        "One model is made of all plans, though they don't keep their subscribers equally long: "
        "the value and the chances are those of the mean, too low for the plans whose subscribers "
        "stay, too high for the others."
    )


def beside_orders(found: Subscriptions) -> Sentence | None:
    """What subscribers buy in the shop, with the words that it is no effect."""
    both = found.together
    if both is None:
        return None
    values = {
        "n": both.in_orders,
        "all": both.subscribers,
        "bought": Metric(
            both.bought, "number", both.bought_low, both.bought_high, n=both.in_orders
        ),
        "others": Metric(both.others_bought, "number", both.others_low, both.others_high),
        "spent": Metric(both.spent, "currency"),
        "others_spent": Metric(both.others_spent, "currency"),
        "low": Metric(both.bought_low, "number"),
        "high": Metric(both.bought_high, "number"),
        "others_low": Metric(both.others_low, "number"),
        "others_high": Metric(both.others_high, "number"),
    }
    return Sentence(
        "{n} of the {all} subscribers at the start had bought in the shop before. In the period "
        "they bought {bought} times in the mean ({low} to {high}) for {spent}, other customers "
        "from before {others} times ({others_low} to {others_high}) for {others_spent}. That "
        "isn't what the subscription brings: who likes a shop does both.",
        **values,
    )


def how_to_read_plans() -> Sentence:
    """What the plans compare, and what not."""
    return Sentence(
        "By the plan that a subscriber began with. Subscribers choose their plan, so that one is "
        "kept longer says who takes it, not what the plan does. A mark stands where more or fewer "
        "are lost than of all others at the same ages, by more than chance explains over all plans."
    )
