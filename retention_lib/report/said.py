"""A sentence and its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from retention_lib.metrics import Metric


@dataclass(frozen=True)
class Said:
    """A sentence with `{name}`s, and what stands for them.

    Parameters
    ----------
    sentence : str
        A message that can be translated; no figure is written into it.
    values : mapping
        By name: a Metric is written by its unit, an int as a count, a date as a date, text as is.
    """

    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict)


def say(sentence: str, **values: Any) -> Said:
    """A sentence with its values."""
    return Said(sentence, values)


def about(metric: Metric, digits: int = 3) -> Metric:
    """An estimate as a sentence gives it: rounded to as many digits as it can bear.

    Tables and cards have the figure in full, beside its interval.
    """
    if metric.value is None:
        return metric
    rounded = float(f"{metric.value:.{digits}g}")
    return replace(metric, value=rounded)
