"""Rules on the time at which customers are reached."""

from __future__ import annotations

from retention_lib.advice import thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found, of_list, share_of
from retention_lib.metrics import Metric


def season(known: Evidence) -> Found | None:
    """A month surely sells more than the level of its year, every year."""
    peak = None if known.timing is None else known.timing.next_peak
    if peak is None or (peak.index.value or 0.0) - 1 < thresholds.SEASON:
        return None
    lift = _less_one(peak.index)
    return Found({"month": peak.month.month, "year": str(peak.month.year), "lift": lift})


def weekday(known: Evidence) -> Found | None:
    """A weekday surely sells more than an average day."""
    timing = known.timing
    if timing is None or not timing.best_weekdays:
        return None
    best = timing.best_weekdays[0]
    (row,) = timing.weekdays[timing.weekdays["weekday"] == best].to_dict("records")
    index = Metric(row["index"], "ratio", row["low"], row["high"], int(row["weeks"]))
    if (index.value or 0.0) - 1 < thresholds.WEEKDAY:
        return None
    return Found({"weekday": best, "lift": _less_one(index)})


def after_peaks(known: Evidence) -> Found | None:
    """Who bought on a peak comes back less often than others of the same quarter."""
    timing = known.timing
    if timing is None or not timing.peaks_return_less:
        return None
    row = timing.told_after_peaks
    assert row is not None
    values = {
        "share": share_of(row.to_dict()),
        "others": Metric(row["others"], "share"),
    }
    return Found(values, variant=str(row["kind"]))


def birthday(known: Evidence) -> Found | None:
    """Customers buy more around their birthday than in the rest of their year."""
    one = known.long_enough("birthdays", thresholds.FEWEST)
    ratio = known.metrics.get("timing.birthday_ratio")
    if one is None or ratio is None or ratio.value is None or (ratio.low or 0.0) <= 1:
        return None
    return Found({"lift": _less_one(ratio), "n": one.eligible}, **of_list(one))


def _less_one(ratio: Metric) -> Metric:
    """By what share a ratio lies above 1."""
    value, low, high = (None if x is None else x - 1 for x in (ratio.value, ratio.low, ratio.high))
    return Metric(value, "share", low, high, ratio.n, note=ratio.note)
