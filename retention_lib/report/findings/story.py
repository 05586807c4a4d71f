"""The models in words: what their parameters say of the customers, where they may be read."""

from __future__ import annotations

import numpy as np
from scipy import stats

from retention_lib.metrics import Metric
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast
from retention_lib.models.pareto import ParetoNBDFitter
from retention_lib.models.purchase import ModifiedBetaGeoFitter
from retention_lib.sentence import Sentence, about
from retention_lib.units import DAYS_PER_MONTH, DAYS_PER_UNIT

#: A rhythm slower than this is none that a shop could see.
SLOWEST_YEARS = 5


def story(made: Forecast, time_unit: str) -> list[Sentence]:
    """How today's customers buy, leave and spend, by the fitted models.

    Parameters
    ----------
    made : Forecast
    time_unit : str
        `day` or `week`: the unit of the parameters.

    Returns
    -------
    list of Sentence
        None of what the base doesn't tell.
    """
    if made.unknowable is not None:
        return []
    model, days = made.purchase_model, float(DAYS_PER_UNIT[time_unit])
    unread = {"runaway", "weak"} & {f.kind for f in model.findings_}
    if unread:
        return [UNREAD]
    return [_rhythm(model, days), _leaving(model, days), *_spend(made)]


def _rhythm(model: PurchaseFitter, days: float) -> Sentence:
    r, alpha = model.parameters[:2]
    busy, typical = (days * alpha / max(float(stats.gamma.ppf(q, r)), 1e-300) for q in (0.9, 0.5))
    if typical > SLOWEST_YEARS * 365.25:
        return Sentence(
            "As long as they are customers, the busiest tenth buy at least every {busy}, while the "
            "slower half buy less than once in {years} years.",
            busy=_span(busy),
            years=SLOWEST_YEARS,
        )
    return Sentence(
        "As long as they are customers, the busiest tenth buy at least every {busy}, while the "
        "slower half buy less than once in {typical}.",
        busy=_span(busy),
        typical=_span(typical),
    )


def _leaving(model: PurchaseFitter, days: float) -> Sentence:
    if isinstance(model, ParetoNBDFitter):
        _, _, s, beta = model.parameters
        year = -np.expm1(-s * np.log1p(365.25 / days / beta))
        half = days * beta * float(np.expm1(np.log(2) / s)) if s > 0.05 else np.inf
        if half > SLOWEST_YEARS * 365.25:
            return Sentence(
                "Of new customers {year} have left for good a year after their first purchase, and "
                "the longer one has stayed, the likelier one stays.",
                year=Metric(float(year), "share"),
            )
        if 0.8 < half / 365.25 < 1.2:
            return Sentence(
                "About half of the new customers, {year}, have left for good a year after their "
                "first purchase, and the longer one has stayed, the likelier one stays.",
                year=Metric(float(year), "share"),
            )
        return Sentence(
            "Half of the new customers have left for good {half} after their first purchase, and "
            "the longer one has stayed, the likelier one stays: after a year {year} have left.",
            half=_span(half),
            year=Metric(float(year), "share"),
        )
    _, _, a, b = model.parameters
    values = {
        "first": Metric(a / (a + b), "share"),
        "fifth": Metric(a / (a + b + 4), "share"),
    }
    if isinstance(model, ModifiedBetaGeoFitter):
        return Sentence(
            "After the first purchase {first} leave for good; of those who stay, fewer each time: "
            "after the fifth {fifth}.",
            **values,
        )
    return Sentence(
        "After the first repeat purchase {first} leave for good; of those who stay, fewer each "
        "time: after the fifth {fifth}.",
        **values,
    )


def _spend(made: Forecast) -> list[Sentence]:
    model = made.spend_model
    if model is None or model.bounded or model.findings_:
        return []
    p, q, v = (float(model.params_[name]) for name in ("p", "q", "v"))
    # a customer's mean is p / ν with ν ~ Gamma(q, v)
    high, low = (p * v / float(stats.gamma.ppf(u, q)) for u in (0.1, 0.9))
    mean = Metric(p * v / (q - 1), "currency")
    return [
        Sentence(
            "A purchase comes to {mean} on average; customers differ, and the middle four fifths "
            "have means between {low} and {high}.",
            mean=about(mean),
            low=about(Metric(low, "currency")),
            high=about(Metric(high, "currency")),
        )
    ]


def _span(days: float) -> Metric:
    """A time as one says it: in days up to two months, in months above."""
    if days < 60:
        return Metric(max(round(days), 1), "days")
    return Metric(round(days / DAYS_PER_MONTH), "months")


UNREAD = Sentence(
    "This base leaves the model's parameters open, so that they can't be put into words. The "
    "forecasts don't depend on that: many sets of parameters that fit give nearly the same."
)
