"""Who bought on the peaks, and whether they came back as others of the same quarter did."""

from __future__ import annotations

import hashlib
import math
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.retention.difference import square_and_add
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import wilson
from retention_lib.retention.steps import steps
from retention_lib.smallest import SMALLEST

#: Days within which they are looked for.
WITHIN: Final = 90

#: Classes of "how many purchases so far": 1, 2, 3, 4 and 5, 6 to 10, 11 to 20, more.
_CUTS: Final = (2, 3, 4, 6, 11, 21)

AFTER: Final = [
    *("kind", "n", "share", "low", "high", "others_n", "others"),
    *("difference", "difference_low", "difference_high", "differs"),
]


def buyers(base: Base, peaks: pd.DataFrame) -> pd.DataFrame:
    """Customers of each peak, and those of them whose first purchase fell on it.

    Parameters
    ----------
    base : Base
    peaks : DataFrame
        `peaks.peaks`.

    Returns
    -------
    DataFrame
        The peaks with `customers`, `new`, and `new_share`.
    """
    if peaks.empty:
        return peaks.assign(customers=[], new=[], new_share=[])
    counted = base.once(f"peak-buyers-{_digest(peaks)}", lambda: _buyers(base, peaks))
    frame = counted.to_pandas().set_index("peak").reindex(range(len(peaks)))
    frame = frame.fillna(0).astype("int64")
    customers, new = frame["customers"].to_numpy(), frame["new"].to_numpy()
    with np.errstate(invalid="ignore"):
        return peaks.assign(customers=customers, new=new, new_share=new / customers)


def _buyers(base: Base, peaks: pd.DataFrame) -> ir.Table:
    """Customers of each peak, and those whose first purchase fell on it, by the peak's place."""
    bought = base.purchases()
    whose = ibis.cases(
        *[
            (bought[schema.DAY].between(ibis.date(str(a.date())), ibis.date(str(b.date()))), place)
            for place, (a, b) in enumerate(zip(peaks["first"], peaks["last"], strict=True))
        ],
        else_=-1,
    )
    on_peaks = bought.mutate(peak=whose).filter(ibis._.peak >= 0)
    return on_peaks.group_by("peak").aggregate(
        customers=on_peaks[schema.CUSTOMER].nunique(), new=on_peaks.count(where=ibis._.number == 0)
    )


def _digest(peaks: pd.DataFrame) -> str:
    """Which days are peaks, short enough for a name."""
    days = peaks[["first", "last"]].to_numpy().astype("datetime64[D]")
    return hashlib.sha256(days.tobytes()).hexdigest()[:16]


def after_peaks(base: Base, peaks: pd.DataFrame) -> pd.DataFrame:
    """Whether a purchase on a peak is followed by another as one on other days is.

    Compared are purchases of the same quarter that are the customer's first, second and so on
    alike; the others' shares are weighted as the peaks' purchases are spread over these classes
    (direct standardisation). Only purchases watched for `WITHIN` days are looked at.

    Parameters
    ----------
    base : Base
    peaks : DataFrame
        `peaks.peaks`.

    Returns
    -------
    DataFrame
        Two rows at most: `kind` (`new`: first purchases, `returning`: later ones); `n` (purchases
        on peaks), `share` followed by another within `WITHIN` days, `low`, `high` (Wilson);
        `others_n`, `others` (share of the others); `difference` with `difference_low`,
        `difference_high` (square-and-add, Newcombe 1998); `differs` (1 or −1 where chance doesn't
        explain it, Holm over the two, else 0). A kind with fewer than `SMALLEST` purchases on
        peaks is left out.
    """
    none = pd.DataFrame({name: [] for name in AFTER})
    if peaks.empty:
        return none
    frame = _counts(base, peaks)
    is_new = frame["class"] == 0
    parts = {"new": frame[is_new], "returning": frame[~is_new]}
    rows = {kind: row for kind, part in parts.items() if (row := _compared(part)) is not None}
    if not rows:
        return none
    found = pd.DataFrame(rows.values(), index=pd.Index([*rows], name="kind")).reset_index()
    sure = holm(found.pop("p")) < LEVEL
    differs = np.where(sure, np.sign(found["difference"]), 0).astype(int)
    return found.astype({"n": "int64", "others_n": "int64"}).assign(differs=differs)[AFTER]


def _counts(base: Base, peaks: pd.DataFrame) -> pd.DataFrame:
    """Watched purchases, and those followed by another, by quarter, class and peak or not."""
    counted = base.once(f"after-peaks-{_digest(peaks)}", lambda: _followed(base, peaks))
    frame: pd.DataFrame = counted.to_pandas().astype({"n": float, "back": float})
    wide = frame.pivot_table(index=["quarter", "class"], columns="peak", values=["n", "back"])
    columns = [(name, peak) for name in ("n", "back") for peak in (False, True)]
    wide = wide.reindex(columns=pd.MultiIndex.from_tuples(columns)).fillna(0.0)
    wide.columns = pd.Index(["others_n", "n", "others_back", "back"])
    return wide.reset_index()


def _followed(base: Base, peaks: pd.DataFrame) -> ir.Table:
    made = steps(base)
    made = made.filter(made.watched >= WITHIN)
    day = made[schema.DAY]
    return made.group_by(
        quarter=day.year() * 4 + day.quarter(),
        peak=_on_peaks(day, peaks),
        **{"class": sum((made.number >= cut).cast("int64") for cut in _CUTS)},
    ).aggregate(n=made.count(), back=made.count(where=made.gap <= WITHIN))


def _on_peaks(day: ir.DateValue, peaks: pd.DataFrame) -> ir.BooleanValue:
    found = ibis.literal(value=False)
    for first, last in zip(peaks["first"], peaks["last"], strict=True):
        found = found | day.between(ibis.date(str(first.date())), ibis.date(str(last.date())))
    return found


def _compared(classes: pd.DataFrame) -> dict[str, float] | None:
    from scipy.stats import norm

    # a class without others has nothing to be compared with
    classes = classes[(classes["n"] > 0) & (classes["others_n"] > 0)]
    n, back = int(classes["n"].sum()), int(classes["back"].sum())
    if n < SMALLEST or classes["others_n"].sum() < SMALLEST:
        return None
    weight, others_n = classes["n"] / n, classes["others_n"]
    share = back / n
    others = float((weight * classes["others_back"] / others_n).sum())
    # half a success more and less, so that a small class of none or all isn't taken for sure
    smoothed = (classes["others_back"] + 0.5) / (others_n + 1)
    error = math.sqrt(float((weight**2 * smoothed * (1 - smoothed) / others_n).sum()))
    interval = wilson(back, n)
    assert interval is not None
    z = float(norm.isf(0.025))
    difference = share - others
    low, high = square_and_add(
        difference, (share - interval.low, z * error), (interval.high - share, z * error)
    )
    pooled = math.sqrt(max(others * (1 - others), 0.25 / n) / n + error**2)
    return {
        "n": n,
        "share": share,
        "low": interval.low,
        "high": interval.high,
        "others_n": int(others_n.sum()),
        "others": others,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "p": float(2 * norm.sf(abs(difference) / pooled)),
    }
