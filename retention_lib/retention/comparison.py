"""Two reports of a client, figure by figure: what moved, and by more than its interval.

A figure is compared only where both reports define it alike (`data.history.changed`). The change of
an estimate has the interval of `retention.difference`, or the narrower one that the later report
worked out customer by customer (`retention.changes`); what is counted in full has none. Of many
figures some leave their interval by chance, one in twenty; those that stay moved when all are
judged together (Holm 1979) are told apart. The models' parameters, of which the other figures are
made, are no findings and no part of that judgement.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from retention_lib.data.history import changed
from retention_lib.metrics import UNITS, Metric, Unit, general
from retention_lib.retention.difference import Difference, apart, by_chance
from retention_lib.retention.homogeneity import LEVEL, holm

State = Literal[
    "moved",  # beyond its interval, also with all figures judged together
    "moved_alone",  # beyond its interval, yet not with all judged together
    "within",  # within its interval
    "counted",  # counted or summed in full: no interval
    "no_interval",  # an estimate of which a report has no interval
    "redefined",  # not defined alike in both reports
    "unknown",  # not known in at least one
    "added",  # only in the later report
    "gone",  # only in the earlier one
]

#: Sums that are counted in full, like everything that is a count.
_SUMS: Final = "revenue."
_PARAMETERS: Final = "model."
#: Figures that say what another one says from the other side: 1 less that one.
_OTHER_SIDE: Final[Mapping[str, str]] = {"churn.rate": "retention.rate"}


@dataclass(frozen=True)
class Reported:
    """A report, as far as it is compared.

    Parameters
    ----------
    as_of : str
        Its day, as ISO text.
    metrics : mapping
        By id.
    definition : mapping
        What its figures are defined by (`data.history.definition_of`).
    changes : tuple of mapping
        The rows of its own table of changes since the report before it: `reported`, `now`,
        `change`, `low`, `high`; empty where it has none.
    """

    as_of: str
    metrics: Mapping[str, Metric]
    definition: Mapping[str, Any]
    changes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Compared:
    """One figure of two reports.

    Parameters
    ----------
    metric : str
    unit : str
    then, now : Metric or None
        None where the report doesn't have it.
    state : str
        One of `State`.
    difference : Difference
        NaN where it isn't known, or means nothing.
    p : float
        Of a change as large by chance alone, the figure judged by itself; NaN without an interval.
    by_customer : bool
        Whether the interval is the later report's own, customer by customer.
    redefined : tuple of str
        Keys of the client file, or `start` and `model`, that the figure depends on and that differ.
    """

    metric: str
    unit: Unit
    then: Metric | None
    now: Metric | None
    state: State
    difference: Difference
    p: float = math.nan
    by_customer: bool = False
    redefined: tuple[str, ...] = ()

    @property
    def is_judged(self) -> bool:
        """Whether the change was held against its interval."""
        return self.state in ("moved", "moved_alone", "within")

    @property
    def is_beyond(self) -> bool:
        """Whether the change is beyond its interval."""
        return self.state in ("moved", "moved_alone")

    @property
    def is_finding(self) -> bool:
        """Whether it says something on the client that no other figure does."""
        return not self.metric.startswith(_PARAMETERS) and self.metric not in _OTHER_SIDE


def compare(then: Reported, now: Reported) -> tuple[Compared, ...]:
    """Every figure of either report.

    Returns
    -------
    tuple of Compared
        In the order of the contract, models' parameters last.
    """
    place = {name: n for n, name in enumerate(UNITS)}
    names = sorted(
        then.metrics.keys() | now.metrics.keys(),
        key=lambda name: (place.get(general(name), len(place)), name.startswith(_PARAMETERS), name),
    )
    return _together([_one(name, then, now) for name in names])


def surest_first(rows: tuple[Compared, ...]) -> list[Compared]:
    """The findings that moved beyond their interval, the surest first."""
    return sorted((r for r in rows if r.is_beyond and r.is_finding), key=lambda r: r.p)


def _one(name: str, before: Reported, after: Reported) -> Compared:
    then, now = before.metrics.get(name), after.metrics.get(name)
    known = now or then
    assert known is not None
    if then is None or now is None:
        state: State = "added" if then is None else "gone"
        return Compared(name, known.unit, then, now, state, apart(None, None))
    one, two = json.dumps(before.definition), json.dumps(after.definition)
    if keys := changed(name, before.as_of, one, after.as_of, two):
        nothing = apart(None, None)
        return Compared(name, now.unit, then, now, "redefined", nothing, redefined=keys)
    if then.value is None or now.value is None:
        return Compared(name, now.unit, then, now, "unknown", apart(None, None))
    plain = apart(then, now)
    own = _by_customer(name, then.value, now.value, after)
    found = own or plain
    # of a forecast the report has no more than this either
    surer = own is not None and not _close(own, plain)
    return Compared(
        name, now.unit, then, now, _state(name, known, found), found, by_chance(found), surer
    )


def _state(name: str, metric: Metric, found: Difference) -> State:
    """The figure judged by itself."""
    if not math.isnan(found.low):
        return "moved_alone" if found.leaves_out_zero else "within"
    in_full = metric.unit == "count" or (metric.unit == "currency" and name.startswith(_SUMS))
    return "counted" if in_full else "no_interval"


def _by_customer(name: str, then: float, now: float, after: Reported) -> Difference | None:
    """The change as the later report has it, where that is the change between these two figures."""
    if name in _OTHER_SIDE:
        found = _by_customer(_OTHER_SIDE[name], 1 - then, 1 - now, after)
        return found and Difference(-found.change, -found.high, -found.low)
    for row in after.changes:
        said = [row.get(key) for key in ("reported", "now", "change", "low", "high")]
        numbers = [float(x) for x in said if x is not None]
        # of data that was revised since, the report tells another change
        if len(numbers) == len(said) and _close(numbers[:3], (then, now, now - then)):
            return Difference(*numbers[2:])
    return None


def _close(some: Iterable[float], others: Iterable[float]) -> bool:
    """Whether numbers are the same, but for the twelve digits that a file keeps."""
    pairs = zip(some, others, strict=True)
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in pairs)


def _together(rows: list[Compared]) -> tuple[Compared, ...]:
    """The rows, those told apart that stay moved when all findings are judged together.

    What a figure's other side is, goes with it.
    """
    judged = [row.is_judged and row.is_finding and not math.isnan(row.p) for row in rows]
    adjusted = holm([row.p if j else None for row, j in zip(rows, judged, strict=True)])
    stand = {row.metric for row, p in zip(rows, adjusted, strict=True) if p < LEVEL}
    return tuple(
        dataclasses.replace(row, state="moved")
        if row.is_beyond and _OTHER_SIDE.get(row.metric, row.metric) in stand
        else row
        for row in rows
    )
