"""Sentences on movement between value tiers."""

from __future__ import annotations

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.retention.movements import Movements
from retention_lib.sentence import Counted, Sentence, about
from retention_lib.smallest import SMALLEST

#: From this share of the best tier on, it is said to have stayed together.
STABLE = 0.80


def heading(found: Movements | None, cuts: pd.DataFrame) -> Sentence:
    """What became of the best tier's customers; where that can't be known, what the tier holds.

    Parameters
    ----------
    found : Movements or None
    cuts : DataFrame
        `retention.segments.tier_cuts`, with a row.
    """
    best = None if found is None else found.of.iloc[0]
    if found is None or best is None or best["customers"] < SMALLEST:
        first = cuts.iloc[0]
        if pd.isna(first["share_of_clv"]):
            return Sentence("The value tiers, and where they begin")
        return Sentence(
            Counted(
                "{tier}: {n} customer holds {share} of the value to come",
                "{tier}: {n} customers hold {share} of the value to come",
            ),
            tier=str(first["tier"]),
            n=int(first["customers"]),
            share=Metric(float(first["share_of_clv"]), "share"),
        )
    values = {
        "tier": str(best["tier"]),
        "n": int(best["customers"]),
        "kept": int(best["kept"]),
        "left": int(best["customers"] - best["kept"]),
        "day": found.since,
    }
    if best["low"] > STABLE:
        return Sentence("{kept} of the {n} {tier} customers of {day} still are {tier}", **values)
    if best["high"] < 0.5:
        return Sentence(
            "Most of the {n} {tier} customers of {day} have slipped: {left} are {tier} no longer",
            **values,
        )
    return Sentence("{left} of the {n} {tier} customers of {day} are {tier} no longer", **values)


def cuts(frame: pd.DataFrame) -> Sentence:
    """How the tiers are made."""
    return Sentence(
        "Customers are ranked by CLV and cut at the shares in the client file (tiers): a customer "
        "is in {tier} from a CLV of {cut}. On equal CLV the order of the ids decides.",
        tier=str(frame["tier"].iloc[0]),
        cut=Metric(float(frame["lowest"].iloc[0]), "currency"),
    )


def moved(found: Movements) -> Sentence | None:
    """How many moved, and whether those who moved down had bought."""
    all_ = found.of.sum(numeric_only=True)
    up, down, silent = int(all_["up"]), int(all_["down"]), int(all_["down_silent"])
    if not up and not down:
        return Sentence("Nobody has changed tier since {day}.", day=found.since)
    values = {
        "n": found.known,
        "up": up,
        "down": down,
        "silent": silent,
        "bought": down - silent,
        "day": found.since,
    }
    if not down:
        return Sentence(
            "Of {n} customers in a tier on both days {up} moved up, nobody down.", **values
        )
    if silent == down:
        return Sentence(
            "Of {n} customers in a tier on both days {up} moved up and {down} down; of those who "
            "moved down nobody has bought since {day}.",
            **values,
        )
    return Sentence(
        "Of {n} customers in a tier on both days {up} moved up and {down} down. Of those who moved "
        "down {silent} have bought nothing since {day}; {bought} have bought, but less than before "
        "or less than others.",
        **values,
    )


def value(found: Movements) -> Sentence | None:
    """What the best tier's customers of then were worth, and are."""
    best = found.of.iloc[0]
    if best["customers"] < SMALLEST or not best["clv_then"] > 0:
        return None
    then, now = (about(Metric(float(best[f"clv_{day}"]), "currency")) for day in ("then", "now"))
    values = {"tier": str(best["tier"]), "day": found.since, "then": then, "now": now}
    if best["clv_now"] < best["clv_then"]:
        return Sentence(
            "The {tier} customers of {day}, wherever they are now, were worth {then} then and are "
            "worth {now} today.",
            **values,
        )
    return Sentence(
        "The {tier} customers of {day}, wherever they are now, have gained in value: from {then} "
        "to {now}.",
        **values,
    )


def chance() -> Sentence:
    """What a movement is not."""
    return Sentence(
        "Tiers are shares of the customers, so whoever moves up pushes another down, and new "
        "customers push too. Part of it is chance: the best of one day were also lucky, and some "
        "fall back by having a usual quarter. Look at who has fallen silent, not at the count."
    )


def source(found: Movements) -> Sentence:
    """Where the earlier tiers come from."""
    if found.reported:
        return Sentence("The tiers of {day} are those of the last report.", day=found.since)
    return Sentence(
        "There is no earlier report at hand: the tiers of {day} are worked out from what the data "
        "knew on that day, by today's model.",
        day=found.since,
    )
