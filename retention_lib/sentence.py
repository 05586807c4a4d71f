"""A sentence that reads as English and still knows its values, so that the report can tell it in
another language, its figures written as that language writes them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from retention_lib import metrics
from retention_lib.metrics import Metric

_FORMATS = {
    "share": "{:.1%}",
    "count": "{:,.0f}",
    "days": "{:,.0f} days",
    "months": "{:,.0f} months",
}


class Sentence(str):
    """Plain text, made of a message with `{name}`s and what stands for them.

    Attributes
    ----------
    message : str
        The sentence without its figures: what a translator sees.
    values : mapping
        By name: a `Metric` is written by its unit, an int as a count, a date as a date, text as it
        is.
    """

    message: str
    values: Mapping[str, Any]

    def __new__(cls, message: str, **values: Any) -> Sentence:
        """The sentence with its values written in English."""
        text = super().__new__(cls, message.format(**{k: _written(v) for k, v in values.items()}))
        text.message, text.values = message, values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.message,), dict(self.values)


def about(metric: Metric, digits: int = 3) -> Metric:
    """An estimate as a sentence gives it: rounded to as many digits as it can bear.

    Tables and cards have the figure in full, beside its interval.
    """
    if metric.value is None:
        return metric
    return dataclasses.replace(metric, value=float(f"{metric.value:.{digits}g}"))


def _written(value: Any) -> str:
    if isinstance(value, Metric):
        return _FORMATS.get(value.unit, "{:,.2f}").format(value.value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def as_json(value: Any) -> Any:
    """A value as JSON holds it; a sentence keeps its message and its values."""
    if isinstance(value, Sentence):
        values = {k: as_json(v) for k, v in value.values.items()}
        return {"message": value.message, "values": values}
    if isinstance(value, Metric):
        return {"metric": value.as_json()}
    if isinstance(value, dt.date):  # a moment of pandas is one too
        return {"day": value.isoformat()}
    if isinstance(value, tuple):
        return [as_json(one) for one in value]
    return value.item() if hasattr(value, "item") else value


def from_json(value: Any) -> Any:
    """What `as_json` made of it, back; a day comes back as a moment of pandas."""
    if isinstance(value, list):
        return tuple(from_json(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "day" in value:
        import pandas as pd

        return pd.Timestamp(value["day"])
    if "metric" in value:
        return metrics.from_json(value["metric"])
    return Sentence(value["message"], **{k: from_json(v) for k, v in value["values"].items()})
