"""Rules on what customers cost: winning one, and keeping one."""

from __future__ import annotations

from retention_lib.advice import thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, money
from retention_lib.metrics import Metric


def acquisition(known: Evidence) -> Found | None:
    """A new customer surely brings less than winning one costs, or surely far more."""
    ratio = known.metrics.get("economics.clv_to_cac")
    if ratio is None or ratio.value is None or ratio.low is None or ratio.high is None:
        return None
    clv = known.metrics["economics.clv_new"]
    values = {"ratio": ratio, "clv": clv, "cost": money(float(clv.value or 0.0) / ratio.value)}
    if ratio.high < thresholds.CLV_TO_CAC:
        return Found(values, variant="loses")
    if ratio.low >= thresholds.CLV_TO_CAC_GOOD:
        return Found(values, variant="pays")
    return None


def programme(known: Evidence) -> Found | None:
    """A retention programme for everybody costs more than is at stake with most of them."""
    plan = None if known.economics is None else known.economics.programme
    active = known.value("customers.at_end")
    if plan is None or not active or plan.worth_it < thresholds.FEWEST:
        return None
    if plan.worth_it > thresholds.PROGRAMME_SHARE * active:
        return None
    values = {
        "n": plan.worth_it,
        "share": Metric(plan.worth_it / active, "share"),
        "each": money(plan.each),
        "total": money(plan.total),
        "cost": money(plan.worth_it_cost),
        "stake": money(plan.worth_it_at_stake),
    }
    return Found(values, customers=plan.worth_it, at_stake=plan.worth_it_at_stake)
