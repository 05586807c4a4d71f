"""Sentences on whether the forecast can be believed: what it said of months that have passed."""

from __future__ import annotations

import numpy as np

from retention_lib.metrics import Metric
from retention_lib.models.forecast import Forecast
from retention_lib.models.names import TITLES
from retention_lib.sentence import Sentence, about

#: A miss below this is none that a plan would notice.
MET = 0.02
#: From how much wider an interval is said to be wider.
WIDER = 1.1


def heading(forecast: Forecast) -> Sentence:
    """The heading over the test of the forecast."""
    test = forecast.holdout
    if test is None:
        return Sentence("The history is too short to test the forecast on months held back")
    if test.bias is None:
        return Sentence("Nobody bought in the months held back, so the forecast can't be tested")
    months, off = Metric(test.months, "months"), Metric(abs(test.bias), "share")
    if test.closest_bias is not None and abs(test.closest_bias) <= abs(test.bias):
        return Sentence(
            "Tested on the last {months}, the forecast was {off} off, and no closer than the "
            "naive one",
            months=months,
            off=off,
        )
    if abs(test.bias) < MET:
        return Sentence(
            "Tested on the last {months}, the forecast met what happened", months=months
        )
    values = {"months": months, "off": off, "naive": Metric(abs(test.closest_bias or 0), "share")}
    if test.bias < 0:
        return Sentence(
            "Tested on the last {months}, the forecast was {off} too low; the closest naive one "
            "was {naive} off",
            **values,
        )
    return Sentence(
        "Tested on the last {months}, the forecast was {off} too high; the closest naive one was "
        "{naive} off",
        **values,
    )


def how(forecast: Forecast) -> Sentence | None:
    """What the test compared."""
    test = forecast.holdout
    if test is None or test.bias is None:
        return None
    values = {"split": test.calibration_end, "model": TITLES[test.model], "n": test.n}
    if test.forecast_low is None or test.forecast_high is None:
        return Sentence(
            "{model} saw the purchases of the {n} customers up to {split} only. The naive "
            "forecasts need no model, only the same data.",
            **values,
        )
    return Sentence(
        "{model} saw the purchases of the {n} customers up to {split} only; its bar is the 95% "
        "interval of the model alone, {low} to {high}. The naive forecasts need no model, only "
        "the same data.",
        low=round(test.forecast_low),
        high=round(test.forecast_high),
        **values,
    )


def best_tenth(forecast: Forecast) -> Sentence | None:
    """How to read whether the forecast knew who would buy."""
    test = forecast.holdout
    if test is None or test.best_tenth is None or test.best_tenth_by_past is None:
        return None
    if test.best_tenth > test.best_tenth_by_past:
        return Sentence(
            "Does it know who will buy? The bars are the revenue of the months held back that the "
            "first tenth of each list brought. The forecast's list caught more than one by past "
            "revenue, which needs no model; a list made afterwards is the most that any could."
        )
    return Sentence(
        "Does it know who will buy? The bars are the revenue of the months held back that the "
        "first tenth of each list brought. To pick the best customers, past revenue, which needs "
        "no model, did as well as the forecast; a list made afterwards is the most that any could."
    )


def past(forecast: Forecast) -> Sentence | None:
    """The heading over the forecasts of earlier stretches of the history."""
    tests = forecast.backtests
    if len(tests.origins) < 2:
        return None
    errors = 1 / np.exp(tests.origins["error"].to_numpy(dtype=float)) - 1
    low = int((errors < 0).sum())
    values = {
        "n": len(errors),
        "typical": Metric(float(np.median(np.abs(errors))), "share"),
    }
    if low == len(errors):
        return Sentence(
            "All {n} forecasts from earlier days were too low, half of them by more than {typical}",
            **values,
        )
    if low == 0:
        return Sentence(
            "All {n} forecasts from earlier days were too high, half of them by more than "
            "{typical}",
            **values,
        )
    return Sentence(
        "Of {n} forecasts from earlier days half missed by more than {typical}; {low} were too "
        "low, {high} too high",
        low=low,
        high=len(errors) - low,
        **values,
    )


def why_wider(forecast: Forecast) -> Sentence | None:
    """How much wider the total's interval is for what the past shows."""
    both = forecast.intervals.get("clv.total")
    if both is None:
        return None
    if both.high - both.low < WIDER * (both.own_high - both.own_low):
        return Sentence(
            "Past forecasts missed by no more than the model itself expects, so that its own "
            "interval stands."
        )
    low, high = (about(Metric(x, "currency")) for x in (both.own_low, both.own_high))
    return Sentence(
        "By the model alone the value would lie between {low} and {high}. Its past bears out no "
        "such certainty: the model knows the chance in each customer's purchases, not that "
        "customers change their ways. Plan with the wider interval.",
        low=low,
        high=high,
    )
