"""The economics of a base as metrics: always all of them, with the why where one is unknown."""

from __future__ import annotations

from typing import Final

from retention_lib.metrics import UNITS, Metric, Unit, unknown
from retention_lib.models.costs import PAYBACK
from retention_lib.models.economics import Economics
from retention_lib.models.forecast import Forecast
from retention_lib.models.totals import Estimate
from retention_lib.sentence import N_, Sentence

IDS: Final = {name: unit for name, unit in UNITS.items() if name.startswith("economics.")}


def why_none(made: Forecast) -> Sentence | str:
    """Why a base has no economics."""
    if made.unknowable is not None:
        return made.unknowable
    if made.spend_model is None:
        return Sentence("Nobody has bought twice, so spend can't be forecast.")
    if not made.usable:
        return Sentence("The forecast isn't fit to act on.")
    return Sentence("Nobody is an active customer, or none of them is expected to buy.")


def economics_metrics(found: Economics | None, made: Forecast) -> dict[str, Metric]:
    """The metrics of the economics, in their order.

    Parameters
    ----------
    found : Economics or None
    made : Forecast
        Of the same base.
    """
    if found is None:
        return {name: unknown(unit, why_none(made)) for name, unit in IDS.items()}
    active, new = found.more.customers, found.first.n
    known = {
        "economics.retention_ahead": _of(found.more.retention, "share", active),
        "economics.retention_highest": _of(found.more.highest, "share", active),
        **_retention(found, active),
        "economics.value_at_risk": _of(found.at_risk, "currency", active),
        "economics.clv_new": _of(found.clv_new, "currency", new),
        "economics.clv_to_cac": _ratio(found, new),
        "economics.payback_months": _payback(found, new),
    }
    return {name: known[name] for name in IDS}


def _retention(found: Economics, n: int) -> dict[str, Metric]:
    gains, spend = found.gains, found.break_even_spend
    rise = found.rise(5, found.horizon_months)
    return {
        "economics.plus_1_point": _reached(gains.get(1), "currency", n),
        "economics.plus_5_points": _reached(gains.get(5), "currency", n),
        "economics.plus_5_points_rise": _reached(rise, "share", n),
        "economics.break_even_spend": _reached(spend, "currency", n),
        "economics.break_even_points": _points(found, n),
    }


def _of(figure: Estimate, unit: Unit, n: int) -> Metric:
    return Metric(figure.value, unit, low=figure.low, high=figure.high, n=n)


def _reached(figure: Estimate | None, unit: Unit, n: int) -> Metric:
    if figure is None:
        return unknown(unit, Sentence("Even if nobody left, retention wouldn't rise so far."), n=n)
    return _of(figure, unit, n)


def _points(found: Economics, n: int) -> Metric:
    if found.programme is None:
        return unknown("number", Sentence("No retention_cost is given in the client file."), n=n)
    plan = found.programme
    if plan.points is None:
        why = Sentence("Even if nobody left, the customers wouldn't bring what it costs.")
        return unknown("number", why, n=n)
    low, high = (None if x is None else 100 * x for x in (plan.points_low, plan.points_high))
    return Metric(100 * plan.points, "number", low=low, high=high, n=n)


def _ratio(found: Economics, n: int) -> Metric:
    if found.acquisition_cost is None:
        return unknown("ratio", Sentence("No acquisition_cost is given in the client file."), n=n)
    ratio = found.clv_to_cac
    if ratio is None:
        return unknown("ratio", Sentence("Winning a customer costs nothing."), n=n)
    return _of(ratio, "ratio", n)


def _payback(found: Economics, n: int) -> Metric:
    back = found.payback
    if back is None:
        return unknown("months", Sentence("No acquisition_cost is given in the client file."), n=n)
    if back.month is None:
        return unknown("months", Sentence(NEVER, months=Metric(PAYBACK, "months")), n=n)
    open_end = None
    if back.latest is None:
        open_end = Sentence(NOT_SURE, months=Metric(PAYBACK, "months"))
    return Metric(back.month, "months", low=back.earliest, high=back.latest, n=n, note=open_end)


NEVER = N_("A new customer doesn't bring the cost of winning one within {months}.")
NOT_SURE = N_("By the lower end of what a new customer brings, not within {months}.")
