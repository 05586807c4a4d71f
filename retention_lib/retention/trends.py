"""Figures over a client's reports: series that break where a definition changed, and their pace."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.data.history import changed
from retention_lib.metrics import Metric
from retention_lib.retention.difference import apart

#: Reports of one definition from which on a pace is read off them.
LEAST: Final = 3

COLUMNS: Final = ("metric", "unit", "as_of", "value", "low", "high", "n", "stretch", "redefined")
_DAYS_PER_MONTH: Final = 365.2425 / 12


@dataclass(frozen=True)
class Pace:
    """How a figure has moved over the reports.

    Parameters
    ----------
    reports : int
        Of one definition, today's included.
    since : date
        The first of them.
    months : float
        From the first to the last.
    per_month : float
        Change a month, from the first to the last.
    sure : bool or None
        Whether the change is more than the two intervals leave to chance; None where there are
        none.
    """

    reports: int
    since: dt.date
    months: float
    per_month: float
    sure: bool | None


def trends(
    earlier: pd.DataFrame,
    metrics: Mapping[str, Metric],
    names: Iterable[str],
    as_of: dt.date,
    definition: str,
) -> pd.DataFrame:
    """Each figure by report.

    Parameters
    ----------
    earlier : DataFrame
        The rows of the earlier reports (`data.history.read`).
    metrics : mapping
        Today's, by id.
    names : iterable of str
        Which of them, in this order.
    as_of : date
        Today's day.
    definition : str
        What today's figures are defined by, as JSON.

    Returns
    -------
    DataFrame
        A row a metric and report, by metric and day, `COLUMNS`: `as_of` is a day; `stretch` counts
        from 0 and is one more wherever the figure's definition has changed; `redefined` has the
        keys that did. Reports in which the figure couldn't be known are left out.
    """
    rows = []
    for name in names:
        if name not in metrics:
            continue
        now = metrics[name]
        series = [
            (str(r["as_of"]), Metric(r["value"], now.unit, r["low"], r["high"], r["n"]), r)
            for r in earlier[(earlier["metric"] == name) & earlier["value"].notna()].to_dict(
                "records"
            )
            if r["unit"] == now.unit
        ]
        points = [(day, metric, str(r["definition"])) for day, metric, r in series]
        if now.value is not None:
            points.append((as_of.isoformat(), now, definition))
        stretch, before = 0, None
        for day, metric, defined in points:
            keys: tuple[str, ...] = ()
            if before is not None:
                keys = changed(name, before[0], before[1], day, defined)
                stretch += bool(keys)
            before = (day, defined)
            rows.append(
                {
                    "metric": name,
                    "unit": metric.unit,
                    "as_of": pd.Timestamp(day),
                    "value": metric.value,
                    "low": metric.low,
                    "high": metric.high,
                    "n": metric.n,
                    "stretch": stretch,
                    "redefined": ", ".join(keys),
                }
            )
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(("value", "low", "high", "n"), float))


def pace(trend: pd.DataFrame, metric: str) -> Pace | None:
    """How a figure has moved over the reports that share today's definition.

    Parameters
    ----------
    trend : DataFrame
        `trends`.
    metric : str

    Returns
    -------
    Pace or None
        None with fewer than `LEAST` of them.
    """
    rows = trend[trend["metric"] == metric]
    rows = rows[rows["stretch"] == rows["stretch"].max()]
    if len(rows) < LEAST:
        return None
    first, last = rows.iloc[0], rows.iloc[-1]
    months = (last["as_of"] - first["as_of"]).days / _DAYS_PER_MONTH
    # as if the two were independent, which errs on the side of caution (`retention.difference`)
    found = apart(
        *(Metric(one["value"], one["unit"], one["low"], one["high"]) for one in (first, last))
    )
    sure = None if math.isnan(found.low) else found.leaves_out_zero
    return Pace(len(rows), first["as_of"].date(), months, found.change / months, sure)
