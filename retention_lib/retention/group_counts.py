"""Customers, purchases and revenue by group, counted in the engine, for `retention.breakdown`."""

from __future__ import annotations

import math
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis.util import gen_name

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import Window
from retention_lib.smallest import SMALLEST

#: Groups that stand by themselves; the others are added up.
MOST: Final = 12

GROUP: Final = "group"
FURTHER: Final = "further"
SMALLER: Final = "smaller"
NONE: Final = "none"


def customers_of(base: Base) -> ir.Table:
    """customer, often (purchases in the window before the period), stayed (one at its end)."""
    days, at = base.days, base.windows
    bought = days[schema.BOUGHT]
    return days.group_by(schema.CUSTOMER).aggregate(
        often=(bought & _in(days, at.before)).sum().cast("int64"),
        stayed=(bought & _in(days, at.at_end)).any(),
    )


def members_of(base: Base, dimension: str) -> ir.Table:
    """One row per customer and group: what the customer did there in each of the windows.

    Worked out once, in the base's engine, for the several questions that are asked of it.

    Returns
    -------
    ibis Table
        customer, group; of the period `rows`, `purchases` and `revenue`; `before` and `again`,
        whether with a purchase in the group in the window before it and in the one up to its end.

    Raises
    ------
    DataError
        The dimension isn't mapped.
    """
    at = base.windows
    days = base.days.select(
        schema.CUSTOMER, schema.DAY, schema.BOUGHT, whole=base.days[schema.AMOUNT]
    )
    rows = base.by(dimension).left_join(days, [schema.CUSTOMER, schema.DAY])
    bought = rows[schema.BOUGHT].fill_null(False) & ((rows[schema.AMOUNT] > 0) | (rows.whole == 0))
    in_period = _in(rows, at.period)
    found = rows.group_by(schema.CUSTOMER, GROUP).aggregate(
        rows=in_period.sum().cast("int64"),
        purchases=(bought & in_period).sum().cast("int64"),
        revenue=rows[schema.AMOUNT].sum(where=in_period).fill_null(0),
        before=(bought & _in(rows, at.before)).any(),
        again=(bought & _in(rows, at.at_end)).any(),
    )
    return found.get_backend().create_table(gen_name("breakdown"), found, temp=True)


def totals_of(members: ir.Table, customers: ir.Table) -> pd.DataFrame:
    """One row per group with anything in the windows, most revenue first, each with its kind."""
    both = members.left_join(customers, schema.CUSTOMER)
    counted = both.group_by(GROUP).aggregate(
        rows=both.rows.sum().cast("int64"),
        customers=(both.purchases > 0).sum().cast("int64"),
        purchases=both.purchases.sum().cast("int64"),
        revenue=both.revenue.sum().cast("float64"),
        n=both.before.sum().cast("int64"),
        kept=(both.before & both.stayed).sum().cast("int64"),
        returned=(both.before & both.again).sum().cast("int64"),
    )
    frame = _frame(counted.filter((counted.rows > 0) | (counted.n > 0)))
    # the name orders equals, so that a rerun gives the same rows
    frame = frame.sort_values(["revenue", GROUP], ascending=[False, True], ignore_index=True)
    is_none = frame[GROUP].isna()
    large = ~is_none & ((frame["n"] >= SMALLEST) | (frame["customers"] >= SMALLEST))
    frame["kind"] = np.select(
        [is_none, large & (large.cumsum() <= MOST), large], [NONE, GROUP, FURTHER], SMALLER
    )
    return frame.assign(groups=(~is_none).astype(int))


def bundles_of(members: ir.Table, totals: pd.DataFrame) -> pd.DataFrame:
    """The rows that add groups up; a customer of two of their groups counts once."""
    found = []
    for kind in (FURTHER, SMALLER, NONE):
        of_kind = totals[totals["kind"] == kind]
        if of_kind.empty:
            continue
        names = ibis.memtable(pd.DataFrame({GROUP: of_kind[GROUP].astype("str")}))
        inside = members.filter(members[GROUP].isnull())
        if kind != NONE:
            inside = members.semi_join(names, GROUP)
        people = _frame(
            inside.aggregate(
                customers=inside[schema.CUSTOMER].nunique(where=inside.purchases > 0),
                n=inside[schema.CUSTOMER].nunique(where=inside.before),
            )
        ).iloc[0]
        found.append(
            {
                "kind": kind,
                GROUP: None,
                "groups": int(of_kind["groups"].sum()),
                "customers": int(people["customers"]),
                "n": int(people["n"]),
                "purchases": int(of_kind["purchases"].sum()),
                "revenue": math.fsum(of_kind["revenue"]),
            }
        )
    return pd.DataFrame(found)


def strata_of(members: ir.Table, customers: ir.Table, groups: list[str]) -> pd.DataFrame:
    """group, often, n, kept: the groups' customers at the start by how often they bought."""
    inside = members.filter(members.before & members[GROUP].isin(groups))
    return by_frequency(inside.left_join(customers, schema.CUSTOMER), GROUP)


def by_frequency(table: ir.Table, *keys: str) -> pd.DataFrame:
    """n, kept by `keys` and by how often customers bought before the period (`often`)."""
    counted = table.group_by(*keys, "often").aggregate(
        n=table.count(), kept=table.stayed.sum().cast("int64")
    )
    return _frame(counted)


def overlap_of(members: ir.Table, groups: list[str]) -> float:
    """Share of the groups' customers at the start who bought in more than one of them."""
    inside = members.filter(members.before & members[GROUP].isin(groups))
    each = inside.group_by(schema.CUSTOMER).aggregate(groups=inside.count())
    share = each.aggregate(share=(each.groups > 1).mean()).to_pyarrow()["share"][0].as_py()
    return float(share or 0.0)


def _frame(table: ir.Table) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas()


def _in(table: ir.Table, window: Window) -> ir.BooleanValue:
    return table[schema.DAY].between(ibis.date(window.start), ibis.date(window.end))
