"""A few figures at earlier days, for the small lines beside them.

The same definitions as `retention.series`, of few figures and few days: only those whose windows
the data covers, so that no line begins in a half-filled one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.periods import shift_months
from retention_lib.retention.kpis import metrics_at_each
from retention_lib.retention.series import is_complete
from retention_lib.smallest import SMALLEST

#: Days at most, today's included: two years of quarters, or eight months.
MOST: Final = 9
#: Months that the data must have besides the windows for a line of quarters.
FOR_QUARTERS: Final = 12


def days_back(base: Base) -> list[dt.date]:
    """The days that lines go through, today first: a quarter apart, in a short history a month."""
    params = base.params
    months = (base.as_of.year - base.start.year) * 12 + base.as_of.month - base.start.month
    spare = months - params.period_months - params.active_months
    step = 3 if spare >= FOR_QUARTERS else 1
    ends = [shift_months(base.as_of, -step * k) for k in range(1, MOST)]
    return [base.as_of, *(end for end in ends if end > base.start)]


def trend_lines(base: Base, names: Sequence[str]) -> pd.DataFrame:
    """Some figures at earlier days, back to where the data covers what they look at.

    Parameters
    ----------
    base : Base
    names : sequence of str
        Ids of metrics; those that aren't of CONTRACT, section 4, have no row.

    Returns
    -------
    DataFrame
        A row a metric and day, by day: metric, end (date), value. Unknown values and shares of
        fewer than `SMALLEST` customers are left out.
    """
    ends = days_back(base)[::-1]
    found = metrics_at_each(base, ends)
    rows = [
        (name, end, found[end][name].value)
        for end in ends
        for name in names
        if name in found[end] and is_complete(base, end, name)
        if found[end][name].n is None or (found[end][name].n or 0) >= SMALLEST
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["metric", "end", "value"]))
    return frame.astype({"value": "float64"}).dropna(subset="value", ignore_index=True)
