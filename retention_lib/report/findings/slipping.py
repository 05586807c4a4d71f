"""Sentences on who is later than the own rhythm, what is at stake, and how the rule did."""

from __future__ import annotations

from typing import Final

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.report.slipping_away import SlippingAway
from retention_lib.retention.hindsight import Hindsight
from retention_lib.retention.interval_rule import FEWEST
from retention_lib.retention.slipping import GONE
from retention_lib.sentence import N_, Counted, Sentence, about, together
from retention_lib.smallest import SMALLEST

#: Fewer late customers than this aren't split into those with the most at stake and the others.
TO_SPLIT: Final = 10


def heading(away: SlippingAway) -> Sentence:
    """How many are later than their own rhythm, and what is at stake with whom."""
    found = away.found
    if found is None:
        return _plain_heading(away)
    n = found.customers("late")
    if found.states["customers"].sum() == found.customers("no_rhythm"):
        return Sentence("Nobody has bought often enough to have a rhythm of the own")
    if n == 0:
        return Sentence("Nobody is later than the own rhythm")
    stake = about(Metric(found.at_stake("late"), "currency"))
    if n == 1:
        return Sentence(
            "One customer is later than the own rhythm, with about {stake} at stake", stake=stake
        )
    if n < TO_SPLIT or found.top_share is None:
        return Sentence(
            Counted(
                "{n} customer is later than the own rhythm, with about {stake} at stake",
                "{n} customers are later than their own rhythm, with about {stake} at stake",
            ),
            n=n,
            stake=stake,
        )
    return Sentence(
        Counted(
            "{n} customers are later than their own rhythm: about {stake} at stake, {share} of it "
            "with one of them",
            "{n} customers are later than their own rhythm: about {stake} at stake, {share} of it "
            "with {few} of them",
            by="few",
        ),
        n=n,
        stake=stake,
        share=Metric(found.top_share, "share"),
        few=found.top_customers,
    )


def _plain_heading(away: SlippingAway) -> Sentence:
    counts = away.plain.set_index("state")["customers"]
    overdue, known = int(counts["overdue"]), int(counts[["on_time", "overdue"]].sum())
    if known == 0:
        return Sentence("Nobody has bought often enough to have an interval of the own")
    if overdue == 0:
        return Sentence("Nobody has been away for more than twice the own interval")
    return Sentence(
        "{n} of {known} customers have been away for more than twice their own interval",
        n=overdue,
        known=known,
    )


def how_to_read() -> Sentence:
    """What the states are."""
    return Sentence(
        "A purchase is due on the day by which half of the customers with such a history who stay "
        "have bought again, the usual wait; from the day by which nine in ten have, a reminder is "
        "late and it is a case for winning back. The window for a reminder lies between. Who has "
        "bought once, or would be due only after a longer time than the data cover, has no rhythm "
        "yet. At stake is CLV / P(alive) − CLV; with those who are gone it is, by the model, as "
        "good as lost."
    )


def plain_only() -> Sentence:
    """Why there is no more than the plain rule."""
    return Sentence(
        "The forecast isn't fit to act on, so there is no rhythm by a model here and no value at "
        "stake, only the plain rule: with {fewest} purchases or more, overdue after twice the mean "
        "days between the own purchases.",
        fewest=FEWEST,
    )


def agreement(away: SlippingAway) -> Sentence | None:
    """How often the plain rule says the same."""
    found = away.found
    if found is None or found.compared < SMALLEST:
        return None
    return Sentence(
        "The plain rule, overdue after twice the mean days between the own purchases, applies to "
        "{n} of them, with {fewest} purchases or more. Of {share} of these it says the same, late "
        "or not.",
        n=found.compared,
        fewest=FEWEST,
        share=Metric(found.agree / found.compared, "share"),
    )


def then(hindsight: Hindsight | None) -> Sentence:
    """What became of the customers whom the rule called late some months ago."""
    if hindsight is None:
        return Sentence(
            "Whether the rule would have worked some months ago can't be said: too little of the "
            "history lies before that day."
        )
    of_rule = hindsight.states[hindsight.states["rule"] == "rhythm"]
    rows = {row["state"]: row for _, row in of_rule.iterrows() if row["n"] >= SMALLEST}
    if not {"not_due", "late"} <= set(rows):
        return Sentence(
            "Whether the rule would have worked {months} ago can't be said: too few customers were "
            "late then, or not due.",
            months=Metric(hindsight.months, "months"),
        )
    late, not_due = rows["late"], rows["not_due"]
    values = {
        "months": Metric(hindsight.months, "months"),
        "n": int(late["n"]),
        "late": _share(late),
        "not_due": _share(not_due),
    }
    if late["low"] > not_due["high"]:
        return Sentence(
            "Did it work {months} ago? No: of the {n} customers who were late then, {late} have "
            "bought since, more than of those who weren't due, {not_due}.",
            **values,
        )
    if late["high"] >= not_due["low"]:
        return Sentence(
            "Did it work {months} ago? It can't be told: of the {n} customers who were late then, "
            "{late} have bought since, of those who weren't due {not_due}, no more apart than "
            "chance explains.",
            **values,
        )
    if late["share"] > 0.5:
        return Sentence(
            "Did it work {months} ago? It told slower from faster, not lost from kept: of the {n} "
            "customers who were late then, {late} have bought since all the same; of those who "
            "weren't due, {not_due}.",
            **values,
        )
    return Sentence(
        "Did it work {months} ago? Yes: of the {n} customers who were late then, {late} have "
        "bought since; of those who weren't due, {not_due}.",
        **values,
    )


def gone(hindsight: Hindsight | None) -> Sentence | None:
    """Whether more of those whom it called gone came back than the model allows."""
    if hindsight is None:
        return None
    rows = hindsight.states[
        (hindsight.states["rule"] == "rhythm") & (hindsight.states["state"] == "gone")
    ]
    if rows.empty or rows["n"].iloc[0] < SMALLEST or rows["low"].iloc[0] <= GONE:
        return None
    return Sentence(
        "Of the {n} whom it called gone, {share} have bought since, more than a P(alive) under "
        "{gone} allows: don't write them off, write to them where it costs little.",
        n=int(rows["n"].iloc[0]),
        share=_share(rows.iloc[0]),
        gone=Metric(GONE, "share"),
    )


def order(hindsight: Hindsight | None) -> Sentence | None:
    """Which rule told best who would come back."""
    if hindsight is None or hindsight.orders.empty:
        return None
    orders = hindsight.orders
    rows = {row["rule"]: row for _, row in orders.iterrows()}
    best = str(orders["rule"].iloc[int(orders["auc"].argmax())])
    values = {
        "n": int(orders["n"].iloc[0]),
        "fewest": FEWEST,
        "own": _area(rows["rhythm"]),
        "best": _area(rows[best]),
        "interval": _area(rows["interval"]),
    }
    if best == "rhythm":
        # only an order that beats every other one is called the best
        sure = bool(orders["differs"].iloc[1:].all())
        return Sentence(_OWN_BEST if sure else _ALIKE, **values)
    if not rows[best]["differs"]:
        return Sentence(_ALIKE, **values)
    return together(Sentence(_BEST[best], **values), Sentence(_WHEN))


_WHEN: Final = N_(
    "The rhythm says when to write; whom to write to first is told by the value at stake, which "
    "rests on P(alive)."
)
_OWN_BEST: Final = N_(
    "Of two customers, one who came back and one who didn't, the own rhythm named the right one in "
    "{own} of the pairs, more than any other order of these {n} customers, with {fewest} purchases "
    "or more, did; the plain interval rule in {interval}."
)
_ALIKE: Final = N_(
    "Of two customers, one who came back and one who didn't, the own rhythm named the right one in "
    "{own} of the pairs. No order of these {n} customers, with {fewest} purchases or more, did "
    "better by more than chance explains; the plain interval rule reached {interval}."
)
_BEST: Final = {
    "interval": N_(
        "Of two customers, one who came back and one who didn't, the plain interval rule named "
        "the right one in {best} of the pairs, the model's rhythm in {own} ({n} customers with "
        "{fewest} purchases or more)."
    ),
    "away": N_(
        "Of two customers, one who came back and one who didn't, the days since the last "
        "purchase alone named the right one in {best} of the pairs, the own rhythm in {own}, "
        "the plain interval rule in {interval} ({n} customers with {fewest} purchases or more)."
    ),
    "p_alive": N_(
        "Of two customers, one who came back and one who didn't, P(alive) named the right one "
        "in {best} of the pairs, the own rhythm in {own}, the plain interval rule in "
        "{interval} ({n} customers with {fewest} purchases or more)."
    ),
}


def _share(row: pd.Series) -> Metric:
    return Metric(float(row["share"]), "share", n=int(row["n"]))


def _area(row: pd.Series) -> Metric:
    return Metric(float(row["auc"]), "share", n=int(row["n"]))
