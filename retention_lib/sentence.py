"""A sentence that reads as English and still knows its values, so that the report can tell it in
another language, its figures written as that language writes them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from retention_lib import metrics
from retention_lib.metrics import Metric

_FORMATS = {
    "share": "{:.1%}",
    "count": "{:,.0f}",
    "days": "{:,.0f} days",
    "months": "{:,.0f} months",
}


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """A message that is told elsewhere: marked here, so that it reaches the catalogs."""
    return message


def counting(number: float) -> int:
    """The whole number that a plural form hangs on; a fraction counts as several."""
    return abs(int(number)) if float(number).is_integer() else 2


class Counted(NamedTuple):
    """A message that is told otherwise of one than of several: `Counted("{n} row", "{n} rows")`.

    Attributes
    ----------
    one, many : str
        The message of one, and of any other number.
    by : str
        The value that counts.
    """

    one: str
    many: str
    by: str = "n"

    def number(self, values: Mapping[str, Any]) -> int:
        """The number that the form hangs on."""
        given: Any = values[self.by]
        return counting(getattr(given, "value", given))


class Sentence(str):
    """Plain text, made of a message with `{name}`s and what stands for them.

    Attributes
    ----------
    message : str or Counted
        The sentence without its figures: what a translator sees.
    values : mapping
        By name: a `Metric` is written by its unit, an int as a count, a date as a date, text as it
        is.
    """

    message: str | Counted
    values: Mapping[str, Any]

    def __new__(cls, message: str | Counted, /, **values: Any) -> Sentence:
        """The sentence with its values written in English."""
        english = _english(message, values)
        text = super().__new__(cls, english.format(**{k: _written(v) for k, v in values.items()}))
        text.message, text.values = message, values
        return text

    @property
    def english(self) -> str:
        """The message in English, its figures still left out."""
        return _english(self.message, self.values)

    def __getnewargs_ex__(self) -> tuple[tuple[str | Counted], dict[str, Any]]:
        return (self.message,), dict(self.values)


def counted(n: int, one: str, many: str, **values: Any) -> Sentence:
    """A sentence on `n` things, in the singular where there is one of them.

    Parameters
    ----------
    n : int
        What stands for `{n}` in both.
    one, many : str
        The message of a single thing, and of any other number.
    **values
        As for a `Sentence`.
    """
    return Sentence(Counted(one, many), n=n, **values)


def together(*sentences: str) -> Sentence:
    """Sentences one after the other, as one; each is translated by itself."""
    named = {f"sentence_{n}": one for n, one in enumerate(sentences)}
    return Sentence(" ".join(f"{{{name}}}" for name in named), **named)


def about(metric: Metric, digits: int = 3) -> Metric:
    """An estimate as a sentence gives it: rounded to as many digits as it can bear.

    Tables and cards have the figure in full, beside its interval.
    """
    if metric.value is None:
        return metric
    return dataclasses.replace(metric, value=float(f"{metric.value:.{digits}g}"))


def _english(message: str | Counted, values: Mapping[str, Any]) -> str:
    if isinstance(message, str):
        return message
    return message.one if message.number(values) == 1 else message.many


def _written(value: Any) -> str:
    if isinstance(value, Metric):
        return _FORMATS.get(value.unit, "{:,.2f}").format(value.value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def as_json(value: Any) -> Any:
    """A value as JSON holds it; a sentence keeps its message and its values."""
    if isinstance(value, Sentence):
        values = {k: as_json(v) for k, v in value.values.items()}
        message = value.message if isinstance(value.message, str) else list(value.message)
        return {"message": message, "values": values}
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
    message = value["message"]
    message = message if isinstance(message, str) else Counted(*message)
    return Sentence(message, **{k: from_json(v) for k, v in value["values"].items()})
