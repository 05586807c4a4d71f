"""Rules on markets and channels."""

from __future__ import annotations

from retention_lib.advice import thresholds
from retention_lib.advice.evidence import Evidence
from retention_lib.advice.found import Found
from retention_lib.metrics import Metric


def local(known: Evidence) -> Found | None:
    """Customers of one market or channel stay less often than the others."""
    behind = [
        (float(row["n"] * (row["reference"] - row["rate"])), one, row)
        for one in known.breakdowns
        if one.dimension in ("market", "channel") and one.differ
        for _, row in one.rated.iterrows()
        if row["stands_out"] == -1
        and row["n"] >= thresholds.FEWEST
        and row["reference"] - row["rate"] >= thresholds.GROUP_GAP
    ]
    if not behind:
        return None
    more, one, row = max(behind, key=lambda found: found[0])
    values = {
        "group": str(row["group"]),
        "rate": Metric(row["rate"], "share", row["low"], row["high"], int(row["n"])),
        "reference": Metric(row["reference"], "share"),
        "more": round(more),
    }
    return Found(values, variant=one.dimension, customers=int(row["n"]))
