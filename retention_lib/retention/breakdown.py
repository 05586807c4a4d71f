"""Customers, revenue and retention by market, channel or category.

A purchase in a group is a purchase (a customer-day, see `data.purchases`) on which the net amount
of the group's rows is > 0; where a day that cost nothing is a purchase, it is one in each of its
groups. A customer can so have bought in several groups, on one day too: shares of customers don't
add up to 100 %, shares of revenue do.

Chance is told from difference in two ways. Where at most `OVERLAP` of the customers belong to more
than one of the groups shown, as with markets, the groups are separate samples: Pearson's chi-square
test of homogeneity, or, where its counts are too small, the smallest of the p-values below.
Where customers belong to several groups, as with categories, that test isn't valid: one customer is
counted several times, and who buys often is found in more groups and is likelier to stay, so that
every group looks better than the rest. There each group's customers are compared with all who
bought on equally many days in the window (Mantel and Haenszel), and the p-values are adjusted by
Holm's method, which holds however the tests depend on each other; the groups differ where one
does. Of separate groups those are named that also differ, by the same method, from all other
customers, however often these bought.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, unknown
from retention_lib.retention.group_counts import (
    GROUP,
    SMALLEST,
    bundles_of,
    by_frequency,
    customers_of,
    members_of,
    overlap_of,
    strata_of,
    totals_of,
)
from retention_lib.retention.homogeneity import LEVEL, Compared, against_rest, equal_rates, holm
from retention_lib.retention.intervals import wilson, wilson_many
from retention_lib.sentence import N_

#: Share of the customers that may have bought in two groups before these are no separate samples.
OVERLAP: Final = 0.05

COLUMNS: Final = [
    *("kind", GROUP, "groups", "customers", "purchases"),
    *("revenue", "share_of_revenue", "revenue_each", "n"),
    *("rate", "low", "high", "again", "again_low", "again_high", "reference", "stands_out"),
]


@dataclass(frozen=True)
class Breakdown:
    """A base by one dimension.

    Parameters
    ----------
    dimension : str
        `market`, `channel` or `category`.
    rows : DataFrame
        What is shown, groups by revenue, then the rows that add others up. `kind` (`group`,
        `further`: groups after the first `MOST`; `smaller`: groups with fewer than `SMALLEST`
        customers both at the start and in the period; `none`: rows without a value), `group` (its
        name; None in the other kinds), `groups` (how many the row stands for).

        In the period: `customers` (with a purchase in the group), `purchases` (in the group),
        `revenue` (all used rows), `share_of_revenue`, `revenue_each` (per customer, in the
        report's currency). Of those with a purchase in the group in the activity window before it:
        `n` (how many), `rate` (share with any purchase in the window that ends the period), `low`,
        `high` (its interval), `again`, `again_low`, `again_high` (share with one in the same
        group), `reference` (the rate it is compared with: where groups overlap, that of all who
        bought on as many days, else that of all other customers), `stands_out` (1 above, −1 below
        it by more than chance explains, else 0). NaN where it can't be known or the group is too
        small.
    overall : Metric
        The rate of all customers at the start.
    overlapping : bool
        Whether customers of the groups shown belong to several of them.
    differ : bool or None
        Whether the groups' rates differ by more than chance explains; None where that can't be
        tested.
    """

    dimension: str
    rows: pd.DataFrame
    overall: Metric
    overlapping: bool
    differ: bool | None

    @property
    def rated(self) -> pd.DataFrame:
        """The groups that are large enough for a rate."""
        return self.rows[self.rows["rate"].notna()]


def breakdown(base: Base, dimension: str) -> Breakdown:
    """Break a base down by a dimension.

    Parameters
    ----------
    base : Base
    dimension : str
        A mapped one.

    Raises
    ------
    DataError
        The dimension isn't mapped.
    """
    customers = customers_of(base)
    everybody = by_frequency(customers.filter(customers.often > 0))
    members = members_of(base, dimension)
    totals = totals_of(members, customers)
    shown = totals[totals["kind"] == GROUP]
    rows = pd.concat([shown, bundles_of(members, totals)], ignore_index=True)
    rows = _rates(_money(rows, net=math.fsum(totals["revenue"])))
    rated = rows.loc[rows["rate"].notna(), GROUP].tolist()
    strata = strata_of(members, customers, rated)
    overlapping = overlap_of(members, rated) > OVERLAP
    rows, differ = _compared(rows, strata, everybody, overlapping)
    return Breakdown(dimension, rows[COLUMNS], _overall(everybody), overlapping, differ)


def _money(rows: pd.DataFrame, net: float) -> pd.DataFrame:
    enough = rows["customers"] >= SMALLEST
    return rows.assign(
        share_of_revenue=rows["revenue"] / net if net > 0 else np.nan,
        revenue_each=(rows["revenue"] / rows["customers"].where(enough)).astype(float),
    )


def _rates(rows: pd.DataFrame) -> pd.DataFrame:
    """The rates with their intervals, of the groups that are large enough."""
    rated = (rows["kind"] == GROUP) & (rows["n"] >= SMALLEST)
    n = rows["n"].where(rated, 0).to_numpy()
    shares: dict[str, Any] = {}
    for name, counted, limits in (
        ("rate", "kept", ("low", "high")),
        ("again", "returned", ("again_low", "again_high")),
    ):
        count = rows[counted].where(rated, 0).to_numpy(dtype=float)
        shares[name] = np.where(rated, count / np.maximum(n, 1), np.nan)
        shares |= dict(zip(limits, wilson_many(count, n), strict=True))
    return rows.assign(**shares)


def _overall(everybody: pd.DataFrame) -> Metric:
    n, kept = int(everybody["n"].sum()), int(everybody["kept"].sum())
    limits = wilson(kept, n)
    if limits is None:
        return unknown(
            "share", N_("Nobody had bought in the activity window before the period."), n=0
        )
    return Metric(kept / n, "share", *limits, n=n)


def _compared(
    rows: pd.DataFrame, strata: pd.DataFrame, everybody: pd.DataFrame, overlapping: bool
) -> tuple[pd.DataFrame, bool | None]:
    """The rows with `reference` and `stands_out`, and whether the rated groups differ."""
    rated = rows.index[rows["rate"].notna()]
    rows = rows.assign(reference=np.nan, stands_out=0)
    if len(rated) < 2:
        return rows, None
    people = everybody.set_index("often")[["kept", "n"]]
    found = [
        _against_rest(strata[strata[GROUP] == name], people, overlapping)
        for name in rows.loc[rated, GROUP]
    ]
    adjusted = holm([one.p for _, one in found])
    known = adjusted[~np.isnan(adjusted)]
    separate = None if overlapping else equal_rates(rows.loc[rated, "kept"], rows.loc[rated, "n"])
    p = separate if separate is not None else min(known, default=None)
    differ = None if p is None else bool(p < LEVEL)
    for i, (reference, one), p in zip(rated, found, adjusted, strict=True):
        rows.loc[i, "reference"] = reference
        # nobody is named where the groups as a whole can't be told apart
        if differ and p < LEVEL:
            rows.loc[i, "stands_out"] = 1 if one.above else -1
    return rows, differ


def _against_rest(
    group: pd.DataFrame, everybody: pd.DataFrame, overlapping: bool
) -> tuple[float, Compared]:
    """The rate that a group is compared with, and what came of it."""
    mine = group.set_index("often")[["kept", "n"]].reindex(everybody.index, fill_value=0)
    if overlapping:
        found = against_rest(mine["kept"], mine["n"], everybody["kept"], everybody["n"])
        return found.expected / mine["n"].sum(), found
    (kept, n), (all_kept, all_n) = mine.sum(), everybody.sum()
    rest = (all_kept - kept) / (all_n - n) if all_n > n else math.nan
    return rest, against_rest([kept], [n], [all_kept], [all_n])
