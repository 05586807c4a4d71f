"""All that the metrics of a period are made of, for many ends of periods in one pass.

Each customer-day is looked up in a calendar that says, for every end, in which of its windows the
day lies. What comes out of the engine is a row an end, however many customers there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, months_to, windows
from retention_lib.retention.ends import report_ends
from retention_lib.retention.pooled import covariance_of, mean_of, sum_of
from retention_lib.retention.steps import first_two

if TYPE_CHECKING:
    import pyarrow as pa

#: Days within which a second purchase counts as soon.
REPEAT_DAYS: Final = 90

#: What each customer has of, in a period or the one before.
_AMOUNTS: Final = ("revenue", "prior_revenue", "orders", "order_revenue")

_END: Final = "end"

#: What a purchase on a day makes of its customer, as bits: S, E, B, N.
_S, _E, _B, _N = 1, 2, 4, 8

#: Of whom which amount is looked at: the moments of it are given as `<name>_n`, `<name>_mean`,
#: `<name>_var`.
_MOMENTS: Final = {
    "returning": ("returning", "revenue"),
    "new": ("new", "revenue"),
    "kept": ("kept", "revenue"),
    "reactivated": ("reactivated", "revenue"),
    "new_at_end": ("new_at_end", "revenue"),
    "lost": ("lost", "prior_revenue"),
    "counted_orders": ("counted", "orders"),
    "counted_bought": ("counted", "bought"),
    "ordering_revenue": ("ordering", "order_revenue"),
    "ordering_orders": ("ordering", "orders"),
}


def period_before(as_of: dt.date, period_months: int) -> Window:
    """The period that ends the day before the one that ends on `as_of` begins."""
    return months_to(months_to(as_of, period_months).start - ONE_DAY, period_months)


@dataclass(frozen=True)
class Sums:
    """Counts, sums and moments of the periods that end on some days; each when it is asked for.

    Parameters
    ----------
    ends : sequence of date
    in_periods, firsts : mapping of ndarray
        The columns of `_in_periods` and of `_firsts`.
    """

    ends: Sequence[dt.date]
    in_periods: Mapping[str, np.ndarray]
    firsts: Mapping[str, np.ndarray]

    def counts(self, end: dt.date) -> dict[str, float]:
        """What is counted of one period.

        Returns
        -------
        dict
            Customers: `total`, `ever_twice` (purchases up to the end), `watched`, `soon` (first
            seen `REPEAT_DAYS` before the end; bought again within them), `at_start`, `at_end`,
            `active`, `new`, `returning`, `kept`, `lost`, `reactivated`, `new_at_end`,
            `at_end_not_new`, `again` (|S ∩ B|), `twice`. Sums of the period: `revenue`, `orders`,
            `order_revenue`, `best_fifth`; by group `revenue_<group>`. Moments of `_MOMENTS`, and
            `counted_cov`, `ordering_cov`.
        """
        return _so_far(self._of(self.firsts, end)) | _inside(self._of(self.in_periods, end))

    def gaps(self, end: dt.date) -> pd.DataFrame:
        """Days from the first purchase to the second, as known then: gap, customers; by gap."""
        of = self._of(self.firsts, end)
        known = ~np.isnan(of["gap"])
        gaps, place = np.unique(of["gap"][known].astype("int64"), return_inverse=True)
        customers = np.bincount(place, of["customers"][known], len(gaps)).astype("int64")
        return pd.DataFrame({"gap": gaps, "customers": customers})

    def _of(self, columns: Mapping[str, np.ndarray], end: dt.date) -> dict[str, np.ndarray]:
        own = columns[_END] == self.ends.index(end)
        return {name: values[own] for name, values in columns.items()}


def sums(base: Base, ends: Sequence[dt.date]) -> Sums:
    """What the metrics of the periods are made of that end on each of some days.

    Parameters
    ----------
    base : Base
    ends : sequence of date
        Different days, none after `as_of`.
    """
    ends = list(ends)
    in_periods, firsts = (part(base, ends).to_pyarrow() for part in (_in_periods, _firsts))
    return _sums(in_periods, firsts, ends)


def report_sums(base: Base) -> Sums:
    """`sums` at all ends that a report tells of (`ends.report_ends`), counted once for a run."""
    ends = report_ends(base)
    of = f"{base.params.period_months}-{base.params.active_months}"
    in_periods = base.once(f"in-periods-{of}", lambda: _in_periods(base, ends))
    firsts = base.once(f"first-two-{of}", lambda: _firsts(base, ends))
    return _sums(in_periods, firsts, ends)


def _sums(in_periods: pa.Table, firsts: pa.Table, ends: list[dt.date]) -> Sums:
    return Sums(ends, _columns(in_periods), _columns(firsts))


def _columns(table: pa.Table) -> dict[str, np.ndarray]:
    return {name: table[name].to_numpy() for name in table.column_names}


def _inside(of: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Counts, sums and moments of one period, of what its customers are in it (`_in_periods`)."""
    n, bits = of["customers"].astype(float), of["bits"]
    at_start, at_end, bought, is_new = ((bits & bit) > 0 for bit in (_S, _E, _B, _N))
    who = {
        "at_start": at_start,
        "at_end": at_end,
        "active": bought,
        "new": is_new,
        "returning": bought & ~is_new,
        "kept": at_start & at_end,
        "lost": at_start & ~at_end,
        "reactivated": at_end & ~is_new & ~at_start,
        "new_at_end": at_end & is_new,
        "at_end_not_new": at_end & ~is_new,
        "again": at_start & bought,
        "twice": of["twice"],
        # who ordered and returned more on the same day has an order, but is no buyer
        "counted": bought | of["ordering"],
        "ordering": of["ordering"],
    }
    told: dict[str, float] = {
        name: int(of["customers"][group].sum()) for name, group in who.items()
    }
    told |= {name: sum_of(of[name]) for name in ("revenue", "orders", "order_revenue")}
    told["best_fifth"] = sum_of(of["revenue"][bought & of["best"]])
    means = {name: of[f"{name}_mean"].astype(float) for name in _AMOUNTS}
    within = {name: of[f"{name}_var"].astype(float) for name in _AMOUNTS}
    means["bought"], within["bought"] = bought.astype(float), np.zeros(len(n))
    for name, (told_of, what) in _MOMENTS.items():
        here, mean, spread = who[told_of], means[what], within[what]
        told[f"{name}_n"] = told[told_of]
        told[f"{name}_mean"] = mean_of(n[here], mean[here])
        told[f"{name}_var"] = covariance_of(n[here], mean[here], mean[here], spread[here])
        if what in ("revenue", "prior_revenue"):
            told[f"revenue_{name}"] = sum_of(of[what][here])
    for group, x, y, spread in (
        ("counted", "orders", "bought", within["bought"]),
        ("ordering", "order_revenue", "orders", of["cov"].astype(float)),
    ):
        here = who[group]
        told[f"{group}_cov"] = covariance_of(n[here], means[x][here], means[y][here], spread[here])
    return told


def _so_far(of: Mapping[str, np.ndarray]) -> dict[str, float]:
    """What is known of all customers up to an end (`_firsts`)."""
    n, watched, gap = of["customers"], of["watched"].astype(bool), of["gap"]
    return {
        "total": int(n.sum()),
        "ever_twice": int(n[~np.isnan(gap)].sum()),
        "watched": int(n[watched].sum()),
        "soon": int(n[watched & (gap <= REPEAT_DAYS)].sum()),
    }


def _calendar(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Day, end, what a purchase on the day makes of its customer, and in which windows it lies."""
    import pyarrow as pa

    parts = []
    for i, end in enumerate(ends):
        at = windows(end, base.params.period_months, base.params.active_months)
        spans = {
            **{"before": at.before, "at_end": at.at_end, "period": at.period},
            "prior": period_before(end, base.params.period_months),
        }
        start = max(min(span.start for span in spans.values()), base.start)
        days = np.arange(np.datetime64(min(start, end)), np.datetime64(end + ONE_DAY))
        inside = {
            name: (days >= np.datetime64(span.start)) & (days <= np.datetime64(span.end))
            for name, span in spans.items()
        }
        bits = _S * inside["before"] + _E * inside["at_end"] + _B * inside["period"]
        columns = {
            schema.DAY: days,
            _END: np.full(len(days), i, dtype="int16"),
            "bits": bits.astype("int16"),
            "period": inside["period"],
            "prior": inside["prior"],
        }
        parts.append(pa.table(columns))
    return ibis.memtable(pa.concat_tables(parts))


def _each(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """One row per end and customer with a row in one of the end's windows."""
    days = base.days
    bought = days[schema.BOUGHT]
    # the first purchase as a column: a group of its own per customer would be joined twice
    days = days.mutate(
        first=days[schema.DAY].min(where=bought).over(ibis.window(group_by=schema.CUSTOMER))
    )
    joined = days.join(_calendar(base, ends), schema.DAY)
    bought, amount = joined[schema.BOUGHT], joined[schema.AMOUNT]
    is_order = joined.period & (amount > 0)
    has_orders = schema.ORDER in base.order_days.columns
    orders = (
        {}
        if has_orders
        else {
            "orders": joined.count(where=is_order),
            "order_revenue": amount.sum(where=is_order),
        }
    )
    is_new = joined.period & (joined[schema.DAY] == joined["first"])
    bits = (joined.bits + ibis.ifelse(is_new, _N, 0)).cast("int16")
    each = joined.group_by(_END, schema.CUSTOMER).aggregate(
        # one aggregate for all sets: a test for each takes half as long again
        bits=bits.bit_or(where=bought).coalesce(ibis.literal(0, "int16")),
        purchases=joined.count(where=bought & joined.period),
        revenue=amount.sum(where=joined.period),
        prior_revenue=amount.sum(where=joined.prior),
        **orders,
    )
    if has_orders:
        each = _with_orders(each, _orders(base, ends))
    return each.mutate(
        revenue=each.revenue.coalesce(ibis.literal(0)),
        prior_revenue=each.prior_revenue.coalesce(ibis.literal(0)),
        order_revenue=each.order_revenue.coalesce(ibis.literal(0)),
    )


def _with_orders(each: ir.Table, orders: ir.Table) -> ir.Table:
    joined = each.left_join(orders, [_END, schema.CUSTOMER])
    return joined.select(
        *(joined[name] for name in each.columns),
        orders=joined.orders.coalesce(ibis.literal(0)),
        order_revenue=joined.order_revenue,
    )


def _orders(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Orders with an amount > 0 in each period, by end and customer, as known at its end.

    An order that goes over several days, such as one that is returned later, is of its first day,
    and has at each end the amount of its rows up to then.
    """
    rows = base.order_days
    key = (ibis.literal("order ") + rows[schema.ORDER]).coalesce(
        ibis.literal("day ") + rows[schema.DAY].cast("string")
    )
    rows = rows.mutate(order_key=key)
    by = [schema.CUSTOMER, "order_key"]
    whole = rows.group_by(by).aggregate(
        day=rows[schema.DAY].min(), last=rows[schema.DAY].max(), amount=rows[schema.AMOUNT].sum()
    )
    calendar = _calendar(base, ends)
    calendar = calendar.filter(calendar.period).select(schema.DAY, _END)
    of_a_day = whole.filter(whole.day == whole["last"]).join(calendar, schema.DAY)
    of_a_day = of_a_day.select(_END, schema.CUSTOMER, schema.AMOUNT)
    longer = whole.filter(whole.day < whole["last"]).join(calendar, schema.DAY)
    longer = longer.select(_END, *by)
    parts = longer.join(rows.select(*by, schema.DAY, schema.AMOUNT), by)
    parts = _upto(parts, ends)
    longer = parts.group_by(_END, *by).aggregate(amount=parts[schema.AMOUNT].sum())
    orders = of_a_day.union(longer.select(_END, schema.CUSTOMER, schema.AMOUNT))
    orders = orders.filter(orders[schema.AMOUNT] > 0)
    return orders.group_by(_END, schema.CUSTOMER).aggregate(
        orders=orders.count(), order_revenue=orders[schema.AMOUNT].sum()
    )


def _upto(parts: ir.Table, ends: Sequence[dt.date]) -> ir.Table:
    """The rows of days up to their end."""
    last = _table_of(ends)
    joined = parts.join(last, _END)
    return joined.filter(joined[schema.DAY] <= joined["last"])


def _with_best(each: ir.Table) -> ir.Table:
    """Each with whether it is of the best fifth of its end's buyers, their number rounded up."""
    fifth = ibis.ntile(5).over(
        group_by=[each[_END], (each.bits & _B) > 0], order_by=ibis.desc(each.revenue)
    )
    # numbered from 0, and where they can't be equal the first are the larger ones
    return each.mutate(best=fifth == 0)


def _in_periods(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Counts, exact sums and moments by end and by what customers are in its period.

    The groups that are told of overlap, and are put together of these (`pooled`): each aggregate
    of its own over all customers took five times as long.
    """
    each = _with_best(_each(base, ends))
    moments: dict[str, Any] = {}
    for name in _AMOUNTS:
        value = each[name].cast("float64")
        moments |= {
            name: each[name].sum(),
            f"{name}_mean": value.mean(),
            f"{name}_var": value.var(how="sample"),
        }
    money, orders = each.order_revenue.cast("float64"), each.orders.cast("float64")
    return each.group_by(
        _END, "bits", "best", twice=each.purchases >= 2, ordering=each.orders > 0
    ).aggregate(customers=each.count(), **moments, cov=money.cov(orders, how="sample"))


def _firsts(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Customers by what is known of their first two purchases at each end.

    Columns: end; gap (days from the first to the second, null where there is none yet); watched
    (whether the first is `REPEAT_DAYS` ago); customers.
    """
    joined = _with_ends(first_two(base), ends)
    joined = joined.filter(joined["first"] <= joined["last"])
    first, second, last = joined["first"], joined.second, joined["last"]
    return joined.group_by(
        _END,
        gap=ibis.ifelse(
            second <= last, second.delta(first, unit="day").cast("float64"), ibis.null()
        ),
        watched=last.delta(first, unit="day") >= REPEAT_DAYS,
    ).aggregate(customers=joined.count())


def _with_ends(table: ir.Table, ends: Sequence[dt.date]) -> ir.Table:
    return table.cross_join(_table_of(ends))


def _table_of(ends: Sequence[dt.date]) -> ir.Table:
    """Each end's number as `end`, its day as `last`."""
    frame = pd.DataFrame({_END: range(len(ends)), "last": ends})
    return ibis.memtable(frame, schema=ibis.schema({_END: "int16", "last": "date"}))
