"""The programme's own tiers: members, revenue and retention of each, and moves between them.

Retention is that of the whole report: of the members who were customers at the start of the period,
those who are customers at its end. A tier that pays for itself can't be read from it: who buys more
is moved up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty.programme_members import Membership
from retention_lib.retention.intervals import means_many, wilson_many
from retention_lib.smallest import SMALLEST


@dataclass(frozen=True)
class Tiers:
    """Tiers with the highest spend first.

    Parameters
    ----------
    rows : DataFrame
        A row a tier: tier ("" where none is named), members, share (of the members), revenue,
        revenue_share (of the members' in the period; as all amounts NaN below `SMALLEST`
        members), spend, spend_low, spend_high (per member in the period), at_start, rate, low,
        high (retention; NaN below `SMALLEST` customers at the start).
    moves : DataFrame
        Members by tier at the period's start (index) and at its end (columns); empty without a
        history.
    moved : int
        Members who changed tier in the period; `watched` of how many with a tier at both ends.
    watched : int
    """

    rows: pd.DataFrame
    moves: pd.DataFrame
    moved: int
    watched: int

    @property
    def has_history(self) -> bool:
        """Whether moves can be told."""
        return not self.moves.empty


def tiers(base: Base, members: Membership) -> Tiers | None:
    """The structure by tier; None where the members have none.

    Parameters
    ----------
    base : Base
    members : Membership
    """
    now = members.members[members.members["is_member"]]
    if not now["tier"].notna().any():
        return None
    at = base.windows
    kept = _customers_between(base, at.at_end.start, at.at_end.end)
    there = _customers_between(base, at.before.start, at.before.end)
    now = now.assign(
        tier=now["tier"].where(now["tier"].notna(), ""),
        at_start=now["customer"].isin(there),
        kept=now["customer"].isin(there) & now["customer"].isin(kept),
    )
    grouped = now.groupby("tier", sort=True)
    rows = grouped.agg(
        members=("customer", "size"),
        revenue=("period_revenue", "sum"),
        spend=("period_revenue", "mean"),
        deviation=("period_revenue", "std"),
        at_start=("at_start", "sum"),
        kept=("kept", "sum"),
    ).reset_index()
    rows["share"] = rows["members"] / rows["members"].sum()
    total = rows["revenue"].sum()
    told = (rows["members"] >= SMALLEST).to_numpy()
    rows["revenue_share"] = (rows["revenue"] / total if total > 0 else np.nan) * np.where(
        told, 1.0, np.nan
    )
    low, high = means_many(rows["spend"], rows["deviation"].fillna(0.0), rows["members"])
    rows["spend_low"], rows["spend_high"] = (np.where(told, x, np.nan) for x in (low, high))
    rows["spend"] = rows["spend"].where(told)
    low, high = wilson_many(rows["kept"], rows["at_start"])
    enough = (rows["at_start"] >= SMALLEST).to_numpy()
    rate = rows["kept"] / rows["at_start"].where(rows["at_start"] > 0)
    rows["rate"] = rate.where(enough)
    rows["low"], rows["high"] = (np.where(enough, x, np.nan) for x in (low, high))
    order = (rows["revenue"] / rows["members"]).to_numpy()
    rows = rows.iloc[np.lexsort((rows["tier"], -order))].reset_index(drop=True)
    moves, moved, watched = _moves(members, base, [t for t in rows["tier"] if t])
    return Tiers(rows.drop(columns=["deviation", "kept"]), moves, moved, watched)


def _customers_between(base: Base, start: object, end: object) -> pd.Series:
    import ibis

    days = base.days.filter(base.days["bought"])
    inside = days.filter(days["day"].between(ibis.date(start), ibis.date(end)))
    return inside.select("customer").distinct().to_pyarrow().to_pandas()["customer"]


def _moves(members: Membership, base: Base, order: list[str]) -> tuple[pd.DataFrame, int, int]:
    """Tier before the period and at its end, of members whose tiers over time are known."""
    history = members.history
    nothing = pd.DataFrame()
    if history.empty:
        return nothing, 0, 0
    start = pd.Timestamp(base.windows.period.start)
    now = members.members.set_index("customer")
    now = now[now["is_member"] & now["tier"].notna()]
    earlier = history[history["joined"] < start].drop_duplicates("customer", keep="last")
    then = earlier.set_index("customer")["tier"]
    both = now.join(then.rename("then"), how="inner")
    # who has one row alone has stayed since
    single = now[~now.index.isin(history["customer"]) & (now["joined"] < start)]
    pairs = pd.concat([both[["then", "tier"]], single[["tier"]].assign(then=single["tier"])])
    if pairs.empty:
        return nothing, 0, 0
    names = [*order, *sorted({*pairs["then"], *pairs["tier"]} - {*order})]
    counts = pd.crosstab(pairs["then"], pairs["tier"]).reindex(
        index=names, columns=names, fill_value=0
    )
    moved = int((pairs["then"] != pairs["tier"]).sum())
    return counts, moved, len(pairs)
