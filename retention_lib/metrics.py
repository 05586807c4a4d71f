"""The figures of a report: what one is, and the list of all (CONTRACT, section 4).

A metric has an id, a unit and a value; where it is an estimate it has an interval, where it is a
share or a mean it has its n. A figure that can't be known is None with a note, never 0, never NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["count", "share", "currency", "days", "months", "ratio", "number"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure.

    Parameters
    ----------
    value : float, int or None
        None where the figure can't be known; `note` then says why.
    unit : str
        `count`, `share`, `currency`, `days`, `months`, `ratio` or `number`.
    low, high : float, optional
        Interval (95 % unless the note says otherwise).
    n : int, optional
        How many customers (or orders) the figure rests on.
    previous : float, optional
        The same figure one period earlier.
    note : str, optional
        One sentence: why the value is missing, or what to know when reading it.

    Raises
    ------
    ValueError
        A missing value without a note.
    """

    value: float | int | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    n: int | None = None
    previous: float | int | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "n", "previous"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        if self.value is None and not self.note:
            raise ValueError("a metric without a value needs a note that says why")

    def as_json(self) -> dict[str, Any]:
        """The metric as `metrics.json` has it: value and unit always, the rest where known."""
        fields = asdict(self)
        return {k: v for k, v in fields.items() if v is not None or k == "value"}


def from_json(fields: Mapping[str, Any]) -> Metric:
    """The metric that `Metric.as_json` wrote."""
    return Metric(**fields)


def unknown(unit: Unit, note: str, n: int | None = None) -> Metric:
    """A figure that can't be known, with the reason in a sentence."""
    return Metric(None, unit, n=n, note=note)


def _plain(value: Any) -> float | int | None:
    """A number that JSON can carry: NumPy scalars become Python's, NaN and infinity become None.

    Twelve significant digits: what comes after them depends on the order in which a machine adds
    up, and would make equal reports differ.
    """
    if value is None:
        return None
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    return float(f"{value:.12g}") if math.isfinite(value) else None
