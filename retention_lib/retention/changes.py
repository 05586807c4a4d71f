"""What has changed since an earlier day, and whether chance explains it.

Two reports a quarter apart with windows of a year share three quarters of their days and most of
their customers, so that their figures aren't independent. A rate is a ratio of two sums over
customers; of the difference of two such ratios over the same customers the delta method gives the
error customer by customer, what the two days share included (Cochran 1977, ch. 6): with R = Σy/Σx
on either day, u = (y₂ − R₂x₂)/Σx₂ − (y₁ − R₁x₁)/Σx₁ and var(R₂ − R₁) ≈ n/(n − 1) Σu².

Where only the two intervals are known, as of a forecast, the difference has the interval that they
give as if they were independent (`retention.difference`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import ibis
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention_lib.data.base import Base
from retention_lib.data.history import changed
from retention_lib.metrics import UNITS, Metric
from retention_lib.retention.activity import activity
from retention_lib.retention.difference import Difference, Z, apart, by_chance
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.kpis import REPEAT_DAYS
from retention_lib.retention.moments import RATIO_MIN_N
from retention_lib.retention.steps import first_two

#: Successes or failures of a share below which the delta method doesn't hold.
_FEW: Final = 5

COLUMNS: Final = (
    *("metric", "unit", "reported", "then", "now", "change", "low", "high", "p", "stands"),
    "redefined",
)

Columns = Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]]

#: The figures that are ratios over customers: numerator and denominator (`retention.activity`).
_RATIOS: Final[Mapping[str, Columns]] = {
    "retention.rate": lambda c: (c["at_start"] & c["at_end"], c["at_start"]),
    "churn.rate": lambda c: (c["at_start"] & ~c["at_end"], c["at_start"]),
    "retention.repurchase_rate": lambda c: (c["at_start"] & c["bought"], c["at_start"]),
    "retention.repeat_rate": lambda c: (c["purchases"] >= 2, c["bought"]),
    "retention.ever_repeat_rate": lambda c: (c["ever"] >= 2, c["ever"] >= 1),
    "orders.aov": lambda c: (c["order_revenue"], c["orders"]),
    "orders.per_customer": lambda c: (c["orders"], c["bought"]),
    "revenue.returning_share": lambda c: (
        c["revenue"].where(c["bought"] & ~c["new"], 0.0),
        c["revenue"],
    ),
}


def changes(
    base: Base,
    metrics: Mapping[str, Metric],
    earlier: pd.DataFrame,
    recomputed: Mapping[str, Metric],
    names: Iterable[str],
    definition: str,
) -> pd.DataFrame:
    """What has changed since the last report.

    Parameters
    ----------
    base : Base
    metrics : mapping
        Today's, by id.
    earlier : DataFrame
        The rows of the earlier reports (`data.history.read`); the last day's are compared with.
    recomputed : mapping
        The figures of the last report's day by today's data (`retention.kpis`); empty where the
        data begins later.
    names : iterable of str
        The metrics to compare; those that neither day has are left out.
    definition : str
        What today's figures are defined by (`data.history.definition_of`), as JSON.

    Returns
    -------
    DataFrame
        A row a metric, `COLUMNS`: `reported`, what the last report said; `then`, the same day by
        today's data and definitions (of a forecast what was said, unless its definition has changed
        since); `now`; `change` with its interval `low`, `high`; `p`, of a change by chance, where
        there is an interval; `stands`, 1 or −1 where the change is more than chance explains (Holm
        over the rows), else 0; `redefined`, the keys of the client file that `reported` doesn't
        share with today.
    """
    day = str(earlier["as_of"].max())
    rows_then = earlier[earlier["as_of"] == day].to_dict("records")
    last: dict[str, Mapping[Any, Any]] = {str(row["metric"]): row for row in rows_then}
    when = dt.date.fromisoformat(day)
    wanted = [name for name in dict.fromkeys(names) if name in metrics and name in last]
    paired = _paired_changes(base, when, wanted) if recomputed else {}
    rows = []
    for name in wanted:
        now, said = metrics[name], last[name]
        keys = changed(name, day, str(said["definition"]), base.as_of.isoformat(), definition)
        then = recomputed.get(name)
        if then is None and name not in recomputed and not keys:
            then = _metric(said)
        found = paired.get(name) or apart(then, now)
        rows.append(
            {
                "metric": name,
                "unit": now.unit,
                "reported": said["value"],
                "then": math.nan if then is None or then.value is None else float(then.value),
                "now": math.nan if now.value is None else float(now.value),
                **found._asdict(),
                "p": by_chance(found),
                "redefined": ", ".join(keys),
            }
        )
    frame = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "stands"])
    sign = np.sign(frame["change"].to_numpy(dtype=float))
    return frame.assign(stands=np.where(holm(frame["p"]) < LEVEL, sign, 0).astype(int))[
        list(COLUMNS)
    ]


def ratio_change(
    y1: ArrayLike, x1: ArrayLike, y2: ArrayLike, x2: ArrayLike, weights: ArrayLike = 1.0
) -> Difference | None:
    """The change of a ratio of two sums over the same customers, with its interval.

    Parameters
    ----------
    y1, x1, y2, x2 : array-like, shape (n,)
        A customer's part of numerator and denominator on the earlier and on the later day; 0 on a
        day on which the customer doesn't count.
    weights : array-like
        How many customers a row stands for.

    Returns
    -------
    Difference or None
        Without an interval where nobody's part has changed; None with fewer than `RATIO_MIN_N`
        customers in either denominator.

    Examples
    --------
    >>> ones = np.ones(100)
    >>> stayed, later = ones.copy(), ones.copy()
    >>> stayed[:40], later[:50] = 0, 0
    >>> found = ratio_change(stayed, ones, later, ones)
    >>> round(found.change, 3), round(found.low, 3), round(found.high, 3)
    (-0.1, -0.159, -0.041)
    """
    a, b, c, d = (np.asarray(values, dtype=float) for values in (y1, x1, y2, x2))
    w = np.broadcast_to(np.asarray(weights, dtype=float), a.shape)
    n = float(w[(b != 0) | (d != 0)].sum())
    if min(float(w[b != 0].sum()), float(w[d != 0].sum())) < RATIO_MIN_N:
        return None
    before, after = float((w * b).sum()), float((w * d).sum())
    if before <= 0 or after <= 0:
        return None
    r1, r2 = float((w * a).sum()) / before, float((w * c).sum()) / after
    u = (c - r2 * d) / after - (a - r1 * b) / before
    error = math.sqrt(n / (n - 1) * float((w * u * u).sum()))
    if error == 0:  # the same customers with the same history on both days: nothing was observed
        return Difference(r2 - r1, math.nan, math.nan)
    return Difference(r2 - r1, r2 - r1 - Z * error, r2 - r1 + Z * error)


def _paired_changes(base: Base, day: dt.date, names: Iterable[str]) -> dict[str, Difference]:
    """The changes of the ratios among the metrics, customer by customer."""
    found: dict[str, Difference | None] = {}
    wanted = set(names)
    if ratios := wanted & _RATIOS.keys():
        then, now = activity(base, day), activity(base)
        then = then.reindex(now.index)
        flags = ["at_start", "at_end", "new", "bought"]
        then[flags] = then[flags].fillna(False).astype(bool)
        then = then.fillna(0)
        for name in sorted(ratios):
            (y1, x1), (y2, x2) = _RATIOS[name](then), _RATIOS[name](now)
            found[name] = _ratio(name, y1, x1, y2, x2)
    if "retention.repeat_90d" in wanted:
        seen = _second_in_time(base, day)
        found["retention.repeat_90d"] = _ratio(
            "retention.repeat_90d",
            seen["within"] & seen["before"],
            seen["before"],
            seen["within"],
            seen["after"],
            seen["n"],
        )
    return {name: one for name, one in found.items() if one is not None}


def _ratio(
    name: str,
    y1: pd.Series,
    x1: pd.Series,
    y2: pd.Series,
    x2: pd.Series,
    weights: pd.Series | float = 1.0,
) -> Difference | None:
    """`ratio_change`; of a share only where enough customers did it, and enough didn't."""
    if UNITS[name] == "share" and name != "revenue.returning_share":
        for y, x in ((y1, x1), (y2, x2)):
            some, all_ = float((y * weights).sum()), float((x * weights).sum())
            if min(some, all_ - some) < _FEW:
                return None
    return ratio_change(y1, x1, y2, x2, weights)


def _second_in_time(base: Base, day: dt.date) -> pd.DataFrame:
    """Customers (`n`) by whether they were watched for 90 days by the earlier day (`before`), by
    today (`after`), and whether they bought again within (`within`).
    """
    days = first_two(base)
    gap = days.second.delta(days["first"], unit="day")
    flags = days.select(
        before=ibis.date(day).delta(days["first"], unit="day") >= REPEAT_DAYS,
        after=ibis.date(base.as_of).delta(days["first"], unit="day") >= REPEAT_DAYS,
        within=(gap <= REPEAT_DAYS).fill_null(False),
    )
    flags = flags.mutate(within=flags.within & flags.after)
    keys = ["before", "after", "within"]
    frame: pd.DataFrame = flags.group_by(keys).aggregate(n=flags.count()).order_by(keys).execute()
    return frame.astype(dict.fromkeys(keys, bool))


def _metric(said: Mapping[Any, Any]) -> Metric | None:
    if pd.isna(said["value"]):
        return None
    return Metric(float(said["value"]), said["unit"], float(said["low"]), float(said["high"]))
