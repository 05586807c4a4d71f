"""Rules on customers who are slipping away, and on retention that fell."""

from __future__ import annotations

import math

import numpy as np

from retention_lib.advice import thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, money, of_list, share_of
from retention_lib.metrics import Metric, moved


def win_back(known: Evidence) -> Found | None:
    """Much of the value to come is at stake with customers who are slipping away."""
    one = known.long_enough("win_back", thresholds.FEWEST)
    total = known.value("clv.total")
    if one is None or not total or one.eligible_at_stake < thresholds.STAKE * total:
        return None
    values = {
        "n": one.eligible,
        "stake": money(one.eligible_at_stake),
        "share": Metric(one.eligible_at_stake / total, "share"),
    }
    sure = known.metrics.get("slipping.at_stake")
    if sure is None or sure.low is None or not _same(sure.value, one.eligible_at_stake):
        return Found(values, variant="plain", **of_list(one))
    return Found({**values, "stake": sure}, **of_list(one))


def call(known: Evidence) -> Found | None:
    """Half of what is at stake lies with a few customers."""
    one = known.long_enough("win_back", thresholds.FEWEST)
    total = known.value("clv.total") or 0.0
    if one is None or one.eligible_at_stake <= thresholds.WINDOW_STAKE * total:
        return None
    stakes = np.sort(one.customers["value_at_stake"].to_numpy(dtype=float))[::-1]
    reached = np.cumsum(stakes) >= one.eligible_at_stake / 2
    if not reached.any():
        return None
    few = int(reached.argmax()) + 1
    if few > thresholds.CALL_MOST or few > thresholds.CALL_SHARE * one.eligible:
        return None
    held = float(stakes[:few].sum())
    values = {"few": few, "n": one.eligible, "stake": money(held), "each": money(held / few)}
    return Found(
        values,
        list=one.id,
        customers=few,
        at_stake=held,
        point=0.01 * (held + float(one.customers["clv"].head(few).sum())),
    )


def remind(known: Evidence) -> Found | None:
    """Customers are in the days in which a reminder is early enough, and those come back."""
    one = known.long_enough("remind_now", thresholds.FEWEST)
    total = known.value("clv.total")
    if one is None or known.hindsight is None or not total:
        return None
    if one.eligible_at_stake < thresholds.WINDOW_STAKE * total:
        return None
    states = {
        row["state"]: row
        for row in known.hindsight.states.to_dict("records")
        if row["rule"] == "rhythm"
    }
    if not {"window", "late"} <= set(states):
        return None
    window, late = states["window"], states["late"]
    if min(window["n"], late["n"]) < thresholds.FEWEST or window["low"] <= late["high"]:
        return None
    values = {
        "n": one.eligible,
        "window": share_of(window),
        "late": share_of(late),
        "months": Metric(known.hindsight.months, "months"),
    }
    return Found(values, **of_list(one))


def ask_why(known: Evidence) -> Found | None:
    """Retention fell by more than chance explains."""
    rate = known.metrics.get("retention.rate")
    if rate is None or moved(rate) >= 0:
        return None
    one = known.long_enough("win_back", thresholds.FEWEST)
    values = {"rate": rate, "before": Metric(rate.previous, "share")}
    return Found(values, **({} if one is None else of_list(one)))


def _same(one: float | None, other: float) -> bool:
    return one is not None and math.isclose(one, other, rel_tol=1e-6)
