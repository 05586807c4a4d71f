"""Sentences on what the customers are worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.forecast import Forecast
from retention_lib.models.names import TITLES
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
    if forecast.unknowable is not None:
        return []
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


def model(forecast: Forecast) -> Sentence | None:
    """Which model, and why; nothing where none holds."""
    if forecast.unknowable is not None:
        return None
    return Sentence(
        "Purchases are forecast with the {name} model. {reason}",
        name=TITLES[forecast.name],
        reason=forecast.reason,
    )


def uncertainty(forecast: Forecast) -> Sentence | None:
    """What the intervals of the totals hold; nothing where there are none."""
    return None if forecast.unknowable is not None else forecast.widened_by


def silence(grid: pd.DataFrame, unit: str) -> Sentence:
    """The heading over the value map: how fast a good customer's value goes in silence.

    Parameters
    ----------
    grid : DataFrame
        `forecast_parts.value_grid`.
    unit : str
        Unit of silence as the reader calls it, such as "weeks".
    """
    if grid.empty or not (grid["clv"] > 0).any():
        return Sentence("What drives value can't be said from this history")
    # a good customer, who bought half as often as the busiest on the map
    often = int(np.ceil(grid["frequency"].max() / 2))
    path = grid[grid["frequency"] == often].sort_values("silence")
    value, time = path["clv"].to_numpy(), path["silence"].to_numpy()
    halved = np.flatnonzero(value < value[0] / 2)
    if not len(halved):
        return Sentence(
            "A customer with {n} repeat purchases keeps more than half of the value through any "
            "silence seen so far",
            n=often,
        )
    k = int(halved[0])
    at = np.interp(value[0] / 2, value[[k, k - 1]], time[[k, k - 1]])
    return Sentence(
        "After {time} {unit} of silence a customer with {n} repeat purchases has lost half of the "
        "value",
        time=round(float(at)),
        unit=unit,
        n=often,
    )


def drives(forecast: Forecast) -> Sentence | None:
    """How to read the value map."""
    if forecast.spend_model is None or forecast.unknowable is not None:
        return None
    return Sentence(
        "A line joins customers of equal value. To the right of where it bends back a busier past "
        "is worth less: who bought often and has gone silent is likelier gone than who never "
        "bought often. All are taken to spend the average amount, and to have been seen as long "
        "as the oldest."
    )
