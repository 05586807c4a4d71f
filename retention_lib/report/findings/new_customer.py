"""Sentences on what a new customer brings, and when the cost of winning one is back."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.costs import PAYBACK
from retention_lib.models.economics import Economics
from retention_lib.models.new_customer import payback_month
from retention_lib.report.findings.units import money, months, rough, share
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

#: The expected line follows the observed one where it is nowhere farther from it.
NEAR: Final = 0.02


def heading(found: Economics) -> Sentence:
    """When the cost of winning a customer is back, or how much it may be."""
    back, clv = found.payback, rough(found.clv_new.value)
    within = months(found.horizon_months)
    if back is None or found.acquisition_cost is None:
        if found.margin >= 1:
            return Sentence(
                "A new customer brings {clv} of revenue within {months}, {first} of it with "
                "the first order",
                clv=clv,
                months=within,
                first=rough(found.first.mean * found.margin),
            )
        return Sentence(
            "A new customer may cost up to {clv} and has brought it back within {months}",
            clv=clv,
            months=within,
        )
    cost, ratio = money(found.acquisition_cost), found.clv_to_cac
    if back.month is None:
        return Sentence(
            "A new customer doesn't bring back the {cost} of winning one within {months}",
            cost=cost,
            months=months(PAYBACK),
        )
    if ratio is None:
        return Sentence("A new customer brings {clv} within {months}", clv=clv, months=within)
    values = {"cost": cost, "months": within, "times": Metric(ratio.value, "ratio")}
    if back.month == 0:
        return Sentence(
            "A new customer brings back the {cost} of winning one with the first order, and "
            "{times} times that within {months}",
            **values,
        )
    if ratio.value < 1:
        return Sentence(
            "A new customer has brought back the {cost} of winning one after {month}, and {share} "
            "of it within {months}",
            month=months(back.month),
            share=share(ratio.value),
            cost=cost,
            months=within,
        )
    return Sentence(
        "A new customer has brought back the {cost} of winning one after {month}, and brings "
        "{times} times that within {months}",
        month=months(back.month),
        **values,
    )


def payback_range(found: Economics) -> Sentence | None:
    """How sure the payback month is; None without a cost."""
    back = found.payback
    if back is None or found.acquisition_cost is None:
        return None
    if back.earliest is None:
        return None
    if back.latest is None and back.earliest == 0:
        return Sentence(
            "By the ends of what a new customer brings, the cost is back with the first order, or "
            "maybe not within {months}.",
            months=months(PAYBACK),
        )
    if back.latest is None:
        return Sentence(
            "By the ends of what a new customer brings, the cost is back after {first} at the "
            "earliest, and maybe not within {months}.",
            first=months(back.earliest),
            months=months(PAYBACK),
        )
    if back.earliest == back.latest:
        return None
    if back.earliest == 0:
        return Sentence(
            "By the ends of what a new customer brings, the cost is back with the first order, or "
            "after {last} at the latest.",
            last=months(back.latest),
        )
    return Sentence(
        "By the ends of what a new customer brings, the cost is back after {first} to {last}.",
        first=Metric(back.earliest, "count"),
        last=months(back.latest),
    )


def comparison(found: Economics, observed: pd.DataFrame) -> pd.DataFrame:
    """The expected line beside what customers have brought, after the first order.

    Parameters
    ----------
    found : Economics
    observed : DataFrame
        `retention.cumulative_margin.cumulative_margin`.

    Returns
    -------
    DataFrame
        A row a month that 20 customers or more were watched: `month`, `value`, `model`, `off`
        (model / value − 1), `outside`, whether the line lies outside the observed one's interval.
    """
    known = observed[
        (observed["n"] >= SMALLEST) & (observed["month"] > 0) & observed["low"].notna()
    ]
    model = found.new["value"].reindex(known["month"]).to_numpy(dtype=float)
    outside = (model < known["low"].to_numpy()) | (model > known["high"].to_numpy())
    off = model / known["value"].to_numpy(dtype=float) - 1
    compared = known[["month", "value"]].assign(model=model, off=off, outside=outside)
    return compared.reset_index(drop=True)


def farthest(compared: pd.DataFrame) -> pd.Series | None:
    """The month in which the two are farthest apart, of those outside the interval if any are."""
    if compared.empty:
        return None
    some = compared[compared["outside"]] if compared["outside"].any() else compared
    return some.iloc[int(np.nanargmax(some["off"].abs()))]


def against_observed(compared: pd.DataFrame) -> Sentence | None:
    """Where the expected line and what customers have brought differ.

    Parameters
    ----------
    compared : DataFrame
        `comparison`.
    """
    worst = farthest(compared)
    if worst is None:
        return None
    outside = compared[compared["outside"]]
    if outside.empty:
        return Sentence(
            "The expected line lies within the interval of what customers have brought in all of "
            "the {months} that some were watched.",
            months=months(int(compared["month"].iloc[-1])),
        )
    if compared["off"].abs().max() < NEAR:
        return Sentence(
            "The expected line keeps within {near} of what customers have brought in all of the "
            "{months} that some were watched.",
            near=share(NEAR),
            months=months(int(compared["month"].iloc[-1])),
        )
    values = {
        "share": share(abs(float(worst["off"]))),
        "model": money(float(worst["model"])),
        "seen": money(float(worst["value"])),
        "month": months(int(worst["month"])),
        "outside": len(outside),
        "of": len(compared),
    }
    if outside["off"].min() < 0 < outside["off"].max():
        return Sentence(
            "The expected line leaves the interval of what customers have brought in {outside} of "
            "{of} months, now to one side, now to the other, and by {share} at most: {model} "
            "against {seen} after {month}. Trust the observed one as far as it goes.",
            **values,
        )
    if worst["off"] < 0:
        return Sentence(
            "The expected line lies below what customers have brought, outside its interval in "
            "{outside} of {of} months and by {share} at most: {model} against {seen} after "
            "{month}. Take it as the cautious side.",
            **values,
        )
    return Sentence(
        "The expected line lies above what customers have brought, outside its interval in "
        "{outside} of {of} months and by {share} at most: {model} against {seen} after {month}. "
        "Trust the observed one as far as it goes.",
        **values,
    )


def observed_payback(found: Economics, observed: pd.DataFrame) -> Sentence | None:
    """When the customers had brought the cost, as observed; None without a cost."""
    known = observed[observed["n"] >= SMALLEST]
    if found.acquisition_cost is None or known.empty:
        return None
    month = payback_month(known["value"].to_numpy(dtype=float), found.acquisition_cost)
    if month is None:
        return Sentence(
            "As observed, customers hadn't brought it on average in the {months} that some were "
            "watched.",
            months=months(int(known["month"].iloc[-1])),
        )
    if month == 0:
        return Sentence("As observed, customers brought it on average with the first order.")
    return Sentence(
        "As observed, customers had brought it on average after {months}.", months=months(month)
    )


def how_to_read_payback() -> Sentence:
    """What the curve of a new customer holds."""
    return Sentence(
        "Each month's observed figure is of the customers who were watched so long, returns taken "
        "off; the expected one holds the first order and what the model expects of somebody of "
        "whom nothing is known yet. Both are discounted."
    )


def old_customers() -> Sentence:
    """A caution where those who are first seen early aren't new."""
    return Sentence(
        "The data starts after its customers did: many who seem new aren't, and a customer who is "
        "new brings less than shown here."
    )
