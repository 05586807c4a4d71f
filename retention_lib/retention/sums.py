"""All that the metrics of a period are made of, for many ends of periods in one pass.

Each customer-day is looked up in a calendar that says, for every end, in which of its windows the
day lies. What comes out of the engine is a row an end, however many customers there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, months_to, windows
from retention_lib.retention.ends import report_ends
from retention_lib.retention.steps import first_two

if TYPE_CHECKING:
    import pyarrow as pa

#: Days within which a second purchase counts as soon.
REPEAT_DAYS: Final = 90

_END: Final = "end"
_WINDOWS: Final = ("period", "prior")

#: What a purchase on a day makes of its customer, as bits: S, E, B, N.
_S, _E, _B, _N = 1, 2, 4, 8

#: Who is looked at, and which of their amounts: the moments of it are given as `<name>_n`,
#: `<name>_mean`, `<name>_var`.
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
    """Counts, sums and moments of the periods that end on some days.

    Parameters
    ----------
    counts : DataFrame
        Indexed by end (object dates). Customers: `total`, `ever_twice` (purchases up to the end),
        `watched`, `soon` (first seen `REPEAT_DAYS` before the end; bought again within them),
        `at_start`, `at_end`, `active`, `new`, `returning`, `kept`, `lost`, `reactivated`,
        `new_at_end`, `at_end_not_new`, `again` (|S ∩ B|), `twice`. Sums of the period: `revenue`,
        `orders`, `order_revenue`, `best_fifth`; by group `revenue_<group>`. Moments of `_MOMENTS`,
        and `counted_cov`, `ordering_cov`.
    gaps : DataFrame
        Days from the first purchase to the second, as known at each end: end, gap (days),
        customers; in this order.
    """

    counts: pd.DataFrame
    gaps: pd.DataFrame


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
    per_end = in_periods.to_pandas().set_index(_END)
    between = firsts.to_pandas()
    frame = pd.concat([_so_far(between), per_end], axis=1).reindex(range(len(ends)))
    means = [name for name in frame if str(name).endswith(("_mean", "_var", "_cov"))]
    frame = frame.astype(dict.fromkeys(means, "float64"))
    rest = [name for name in frame if name not in means]
    frame[rest] = frame[rest].fillna(0)
    return Sums(frame.set_axis(pd.Index(ends, name=_END, dtype=object)), _gaps(between, ends))


def _so_far(firsts: pd.DataFrame) -> pd.DataFrame:
    """What is known of all customers up to each end."""
    n, twice = firsts["customers"], firsts["gap"].notna()
    soon = firsts["watched"] & (firsts["gap"] <= REPEAT_DAYS)
    counts = {
        "total": n,
        "ever_twice": n.where(twice, 0),
        "watched": n.where(firsts["watched"], 0),
        "soon": n.where(soon, 0),
    }
    return pd.DataFrame(counts).groupby(firsts[_END]).sum()


def _gaps(firsts: pd.DataFrame, ends: list[dt.date]) -> pd.DataFrame:
    known = firsts[firsts["gap"].notna()].astype({"gap": "int64"})
    frame = known.groupby([_END, "gap"])["customers"].sum().reset_index()
    frame[_END] = pd.Series([ends[i] for i in frame[_END]], dtype=object)
    return frame


def _calendar(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Day, end, what a purchase on the day makes of its customer, and in which windows it lies."""
    parts = []
    for i, end in enumerate(ends):
        at = windows(end, base.params.period_months, base.params.active_months)
        spans = {
            **{"before": at.before, "at_end": at.at_end, "period": at.period},
            "prior": period_before(end, base.params.period_months),
        }
        start = max(min(span.start for span in spans.values()), base.start)
        days = pd.date_range(min(start, end), end, freq="D")
        inside = {
            name: (days >= pd.Timestamp(span.start)) & (days <= pd.Timestamp(span.end))
            for name, span in spans.items()
        }
        bits = _S * inside.pop("before") + _E * inside.pop("at_end") + _B * inside["period"]
        parts.append(pd.DataFrame({schema.DAY: days.date, _END: i, "bits": bits, **inside}))
    types = {schema.DAY: "date", _END: "int16", "bits": "int16"}
    types |= dict.fromkeys(_WINDOWS, "boolean")
    return ibis.memtable(pd.concat(parts, ignore_index=True), schema=ibis.schema(types))


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
    zero = ibis.literal(0)
    at_start, at_end, bought, is_new = ((each.bits & bit) > 0 for bit in (_S, _E, _B, _N))
    each = each.mutate(
        revenue=each.revenue.coalesce(zero),
        prior_revenue=each.prior_revenue.coalesce(zero),
        order_revenue=each.order_revenue.coalesce(zero),
    )
    return each.mutate(
        at_start=at_start,
        at_end=at_end,
        bought=bought,
        new=is_new,
        returning=bought & ~is_new,
        kept=at_start & at_end,
        lost=at_start & ~at_end,
        reactivated=at_end & ~is_new & ~at_start,
        new_at_end=at_end & is_new,
        # who ordered and returned more on the same day has an order, but is no buyer
        counted=bought | (each.orders > 0),
        ordering=each.orders > 0,
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


def _per_end(each: ir.Table) -> ir.Table:
    """Counts, sums and moments by end."""
    flags = ("at_start", "at_end", "new", "returning", "kept", "lost", "reactivated", "new_at_end")
    named: dict[str, Any] = {name: each.count(where=each[name]) for name in flags}
    named |= {
        "active": each.count(where=each.bought),
        "at_end_not_new": each.count(where=each.at_end & ~each.new),
        "again": each.count(where=each.at_start & each.bought),
        "twice": each.count(where=each.purchases >= 2),
        "revenue": each.revenue.sum().cast("float64"),
        "orders": each.orders.sum(),
        "order_revenue": each.order_revenue.sum().cast("float64"),
    }
    for name, (who, what) in _MOMENTS.items():
        value = each[what].cast("int8" if what == "bought" else "float64").cast("float64")
        named |= {
            f"{name}_n": each.count(where=each[who]),
            f"{name}_mean": value.mean(where=each[who]),
            f"{name}_var": value.var(where=each[who], how="sample"),
        }
        if what in ("revenue", "prior_revenue"):
            named[f"revenue_{name}"] = each[what].sum(where=each[who]).cast("float64")
    orders, bought = each.orders.cast("float64"), each.bought.cast("int8").cast("float64")
    named["counted_cov"] = orders.cov(bought, where=each.counted, how="sample")
    money = each.order_revenue.cast("float64")
    named["ordering_cov"] = money.cov(orders, where=each.ordering, how="sample")
    return each.group_by(_END).aggregate(**named)


def _best_fifth(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """Revenue of the best fifth of the buyers, their number rounded up, by end."""
    calendar = _calendar(base, ends)
    joined = base.days.join(calendar.filter(calendar.period), schema.DAY)
    buyers = joined.group_by(_END, schema.CUSTOMER).aggregate(
        revenue=joined[schema.AMOUNT].sum(), bought=joined[schema.BOUGHT].any()
    )
    buyers = buyers.filter(buyers.bought)
    placed = buyers.select(
        _END,
        "revenue",
        place=ibis.row_number().over(group_by=_END, order_by=ibis.desc(buyers.revenue)) + 1,
        buyers=buyers.count().over(ibis.window(group_by=_END)),
    )
    best = placed.filter(placed.place * 5 < placed.buyers + 5)
    return best.group_by(_END).aggregate(best_fifth=best.revenue.sum().cast("float64"))


def _in_periods(base: Base, ends: Sequence[dt.date]) -> ir.Table:
    """What is counted of the periods, a row an end."""
    counted, best = _per_end(_each(base, ends)), _best_fifth(base, ends)
    return counted.left_join(best, _END).drop(f"{_END}_right")


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
        gap=ibis.ifelse(second <= last, second.delta(first, unit="day"), ibis.null()),
        watched=last.delta(first, unit="day") >= REPEAT_DAYS,
    ).aggregate(customers=joined.count())


def _with_ends(table: ir.Table, ends: Sequence[dt.date]) -> ir.Table:
    return table.cross_join(_table_of(ends))


def _table_of(ends: Sequence[dt.date]) -> ir.Table:
    """Each end's number as `end`, its day as `last`."""
    frame = pd.DataFrame({_END: range(len(ends)), "last": ends})
    return ibis.memtable(frame, schema=ibis.schema({_END: "int16", "last": "date"}))
