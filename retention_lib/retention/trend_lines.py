"""A few figures at earlier days, for the small lines beside them.

The same definitions as `retention.series`, of few figures and few days: only those whose windows
the data covers, so that no line begins in a half-filled one.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.retention.ends import days_back as days_back
from retention_lib.retention.kpis import report_metrics
from retention_lib.retention.series import is_complete
from retention_lib.smallest import SMALLEST


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
    found = report_metrics(base, ends)
    rows = [
        (name, end, found[end][name].value)
        for end in ends
        for name in names
        if name in found[end] and is_complete(base, end, name)
        if found[end][name].n is None or (found[end][name].n or 0) >= SMALLEST
    ]
    frame = pd.DataFrame(rows, columns=pd.Index(["metric", "end", "value"]))
    return frame.astype({"value": "float64"}).dropna(subset="value", ignore_index=True)
