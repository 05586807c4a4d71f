"""Sentences on how long customers take to buy again, and whether the model has it right."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.sentence import Sentence
from retention_lib.smallest import SMALLEST

#: Days at which curves are compared.
AT: Final = 180


def heading(table: pd.DataFrame) -> Sentence:
    """Whether the way to the next purchase gets shorter with each one.

    Parameters
    ----------
    table : DataFrame
        `report.wait_parts.checkpoints`.
    """
    known = table[table[f"n_{AT}"] >= SMALLEST]
    if known.empty or known["number"].iloc[0] != 1:
        return Sentence("No customer was watched long enough to say who is back in half a year")
    first, last = known.iloc[0], known.iloc[-1]
    values: dict[str, Metric | int] = {"first": _share(first), "days": Metric(AT, "days")}
    if len(known) == 1:
        return Sentence("{first} are back within {days} of the first purchase", **values)
    values |= {"last": _share(last), "n": int(last["number"])}
    if last[f"low_{AT}"] > first[f"high_{AT}"]:
        if last["half"] == last["half"]:
            half: dict[str, Metric | int]
            half = {"half": Metric(float(last["half"]), "days"), **values}
            if first["half"] != first["half"]:
                return Sentence(
                    "After purchase {n} half are back within {half}; after the first half stay "
                    "away",
                    **half,
                )
            return Sentence(
                "Half are back within {half} of purchase {n}; after the first it takes {long}",
                long=Metric(float(first["half"]), "days"),
                **half,
            )
        return Sentence(
            "Who has bought more comes back sooner: {last} within {days} of purchase {n}, {first} "
            "of the first",
            **values,
        )
    if last[f"high_{AT}"] < first[f"low_{AT}"]:
        return Sentence(
            "Who has bought more comes back later: {last} within {days} of purchase {n}, {first} "
            "of the first",
            **values,
        )
    return Sentence(
        "After purchase {n} about as many are back within {days} as after the first: {last} and "
        "{first}",
        **values,
    )


def how_to_read() -> Sentence:
    """Who counts for how long."""
    return Sentence(
        "Whoever bought lately counts for the days watched since (Kaplan and Meier), so recent "
        "customers neither pull the curves down nor are left out. Those who make a second or third "
        "purchase are other customers than those who make one: that they come back sooner is their "
        "kind as much as their habit."
    )


def model_heading(gaps: pd.DataFrame, departs_at: float | None) -> Sentence:
    """Whether the model follows the observed curve.

    Parameters
    ----------
    gaps : DataFrame
        `models.observed_curve.at_checkpoints`.
    departs_at : float or None
        The checkpoint with the largest gap that matters; None where there is none.
    """
    if gaps.empty:
        return Sentence("Too few were watched long enough to hold the model's curve to")
    if departs_at is None:
        widest = gaps.iloc[int(np.argmax(np.abs(gaps["gap"])))]
        return Sentence(
            "The model follows the way to the second purchase: {model} back within {days}, "
            "{share} were",
            **_values(widest),
        )
    row = gaps[gaps["days"] == departs_at].iloc[0]
    last = gaps.iloc[-1]
    if departs_at < last["days"] and abs(last["gap"]) < abs(row["gap"]) / 2:
        values = {**_values(row), "later": Metric(int(last["days"]), "days")}
        if row["gap"] < 0:
            return Sentence(
                "The model starts too slowly and catches up within {later}: {model} within {days}, "
                "{share} were back",
                **values,
            )
        return Sentence(
            "The model starts too quickly and is caught up with within {later}: {model} within "
            "{days}, only {share} were back",
            **values,
        )
    if row["gap"] < 0:
        return Sentence(
            "The model has customers come back too slowly: {model} within {days}, {share} were",
            **_values(row),
        )
    return Sentence(
        "The model has customers come back too quickly: {model} within {days}, only {share} were",
        **_values(row),
    )


def how_model() -> Sentence:
    """What is held against what."""
    return Sentence(
        "Observed is the Kaplan-Meier estimate with its interval; the model's curve is what the "
        "fitted parameters expect of a new customer. Both rest on the same customers: it shows "
        "whether the model can describe them, not whether it foresees others. It departs where the "
        "gap is two percentage points or more and outside the interval over all checkpoints."
    )


def _share(row: pd.Series) -> Metric:
    return Metric(float(row[f"share_{AT}"]), "share", n=int(row[f"n_{AT}"]))


def _values(row: pd.Series) -> dict[str, Metric]:
    return {
        "model": Metric(float(row["model"]), "share"),
        "share": Metric(float(row["share"]), "share"),
        "days": Metric(int(row["days"]), "days"),
    }
