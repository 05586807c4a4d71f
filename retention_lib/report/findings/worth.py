"""Sentences on what the customers are worth, and on whether the forecast can be believed."""

from __future__ import annotations

from collections.abc import Mapping

from retention_lib.metrics import Metric
from retention_lib.models.fit import TITLES
from retention_lib.models.forecast import Forecast
from retention_lib.sentence import Sentence, about

Metrics = Mapping[str, Metric]


def total(metrics: Metrics, forecast: Forecast) -> Sentence:
    """The chapter's headline."""
    value = about(metrics["clv.total"])
    months = Metric(forecast.horizon_months, "months")
    if value.value is None or not forecast.usable:
        return Sentence("What the customers are worth can't be said from this history")
    if forecast.margin >= 1:
        return Sentence(
            "Today's customers will bring about {value} of revenue in the next {months}",
            value=value,
            months=months,
        )
    return Sentence(
        "Today's customers will bring about {value} of margin in the next {months}",
        value=value,
        months=months,
    )


def what_clv_is(metrics: Metrics, forecast: Forecast) -> Sentence:
    """What is counted in it."""
    values = {
        "months": Metric(forecast.horizon_months, "months"),
        "rate": Metric(forecast.discount_rate, "share"),
    }
    if forecast.margin >= 1:
        return Sentence(
            "Customer lifetime value here is the revenue expected from today's customers in the "
            "next {months}, discounted at {rate} a year. No margin was given, so it is revenue, "
            "not profit; past purchases don't count in it, nor do customers still to be won.",
            **values,
        )
    return Sentence(
        "Customer lifetime value here is the margin ({margin} of revenue) expected from today's "
        "customers in the next {months}, discounted at {rate} a year. Past purchases don't count "
        "in it, nor do customers still to be won.",
        margin=Metric(forecast.margin, "share"),
        **values,
    )


def alive(metrics: Metrics, everyone: int) -> Sentence:
    """The heading over who is still a customer."""
    expected = metrics["customers.expected_alive"]
    if expected.value is None or not everyone:
        return Sentence("Who is still a customer can't be said from this history")
    share = Metric(expected.value / everyone, "share", n=everyone)
    return Sentence(
        "About {expected} of all customers ever, {share}, are likely to be customers still",
        share=share,
        expected=about(expected),
    )


def alive_cautions(forecast: Forecast) -> list[Sentence]:
    """How to read P(alive), and BG/NBD's way with one-time buyers."""
    said = [
        Sentence(
            "P(alive) is the probability that a customer is one still, from how often and how "
            "lately there was a purchase. Darker is likelier; the map shows customers observed as "
            "long as the oldest."
        )
    ]
    if forecast.name == "bgnbd":
        said.append(_ONE_TIME_BUYERS)
    return said


_ONE_TIME_BUYERS = Sentence(
    "BG/NBD lets a customer leave only after a repeat purchase, so it takes everyone who bought "
    "once for still alive. The expected purchases of these customers are low all the same; read "
    "the probability only for customers with two purchases or more."
)


def concentrated(metrics: Metrics) -> Sentence:
    """The heading over how value is spread."""
    top = metrics["clv.top20_share"]
    if top.value is None:
        return Sentence("How value is spread can't be said from this history")
    return Sentence("The most valuable fifth of the customers hold {top} of the value", top=top)


def holdout(forecast: Forecast) -> Sentence:
    """The heading over the test of the forecast."""
    test = forecast.holdout
    if test is None:
        return Sentence("The history is too short to test the forecast on months held back")
    if test.bias is None:
        return Sentence("Nobody bought in the months held back, so the forecast can't be tested")
    off = Metric(abs(test.bias), "share")
    months = Metric(test.months, "months")
    better = test.mae < test.baseline_mae
    if abs(test.bias) < 0.02:
        return Sentence(
            "Tested on the last {months}, the forecast met what happened", months=months
        )
    if test.bias < 0 and better:
        return Sentence(
            "Tested on the last {months}, the forecast was {off} too low, and closer than the "
            "naive one",
            months=months,
            off=off,
        )
    if better:
        return Sentence(
            "Tested on the last {months}, the forecast was {off} too high, yet closer than the "
            "naive one",
            months=months,
            off=off,
        )
    return Sentence(
        "Tested on the last {months}, the forecast was {off} off, and no closer than the naive one",
        months=months,
        off=off,
    )


def how_tested(forecast: Forecast) -> Sentence | None:
    """What the test compared."""
    test = forecast.holdout
    if test is None or test.bias is None:
        return None
    return Sentence(
        "The model saw the data up to {split} only and forecast the {months} after: {forecast} "
        "purchases of {n} customers, where {actual} were made. The naive forecast, that each "
        "customer buys as often as in the {months} before, comes to {baseline}. Per customer the "
        "model is off by {mae} purchases, the naive forecast by {baseline_mae}.",
        split=test.calibration_end,
        months=Metric(test.months, "months"),
        n=test.n,
        forecast=round(test.forecast),
        actual=round(test.actual),
        baseline=round(test.baseline_total),
        mae=float(test.mae),
        baseline_mae=float(test.baseline_mae),
    )


def model(forecast: Forecast) -> Sentence:
    """Which model, and why."""
    return Sentence(
        "Purchases are forecast with the {name} model. {reason}",
        name=TITLES[forecast.name],
        reason=forecast.reason,
    )


def uncertainty(metrics: Metrics, forecast: Forecast) -> Sentence | None:
    """What the interval of the total holds."""
    value = metrics["clv.total"]
    if value.low is None or value.high is None:
        return None
    if forecast.holdout is None or forecast.holdout.bias is None:
        return Sentence(
            "The interval holds the model's and the customers' own uncertainty. It could not be "
            "checked against months held back, so a change in how customers buy isn't in it."
        )
    return Sentence(
        "The interval holds the model's and the customers' own uncertainty, and the error that "
        "the forecast made on the months held back, in both directions."
    )
