"""What is known of customers before and after days on which some of them were treated.

The units are pairs of a stack and a customer: a stack is a day on which some customers were treated
(were sent something, joined something), and every customer whom the shop knew by that day is in it,
the treated and those whom they may be compared with. Each stack is a trial that nobody drew lots
for (Hernán & Robins 2016, Am. J. Epidemiol. 183, 758-764, emulating a target trial; stacked over
days as Cengiz, Dube, Lindner & Zipperer 2019, Q. J. Econ. 134, 1405-1454).

All is added up in the engine, in one query over all stacks. Where a client has more customers than
a comparison needs, those who weren't treated are sampled, all with one probability, which leaves
every weighted mean of theirs what it estimates.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema

#: Followed in each window: net revenue, purchases (days with one), and whether there is one.
OUTCOMES: Final = ("revenue", "orders", "bought")
#: Columns that say which unit a row of the panel is.
UNIT: Final = ("stack", "customer", "day", "treated")
#: A date after all: of an exposure that hasn't ended.
_OPEN: Final = pd.Timestamp("2200-01-01")
#: Parts that a customer's hash is cut into where controls are sampled.
_PARTS: Final = 1_000_000


@dataclass(frozen=True)
class Design:
    """Who is compared with whom, and over which days.

    Parameters
    ----------
    days : int, default 42
        Length of a window; whole weeks, so that every window has the same weekdays.
    before : int, default 3
        Most windows before the day that the groups are made alike in.
    after : int, default 2
        Windows followed from the day on: the first is the effect, the second the after-effect.
    washout : int or None
        Days before the day within which neither group may have been under treatment; None: they
        were never treated before, so that no earlier treatment works on in what is known of them.
    clear : bool, default True
        Whether the others must stay untreated to the end of the window; if not, they are those who
        weren't treated on the day, whatever came later (which can only thin the effect out).
    controls : int, default 10,000
        Most customers who weren't treated that leave the engine for a stack, roughly.
    """

    days: int = 42
    before: int = 3
    after: int = 2
    washout: int | None = None
    clear: bool = True
    controls: int = 10_000


def panel(
    days: ir.Table,
    start: dt.date,
    as_of: dt.date,
    treated: pd.DataFrame,
    exposed: pd.DataFrame,
    design: Design,
) -> pd.DataFrame:
    """One row a unit, with what is known of it before and after the day.

    Parameters
    ----------
    days : ibis Table
        Customer-days: customer, day, amount, bought (`Base.days`).
    start, as_of : date
        First and last day of the data.
    treated : DataFrame
        A row for each treated unit: `stack` (str), `customer` (str), `day` (the same in a stack).
    exposed : DataFrame
        Every treatment of anyone: `customer`, `start`, `end` (null: to this day). Whoever is under
        one isn't among those compared with; who is compared in a stack for a treatment must be in
        here with it too.
    design : Design

    Returns
    -------
    DataFrame
        `UNIT`; `history`, whole windows of data before the day, at most `design.before`; `clear`,
        whole windows from the day on in which a unit that wasn't treated stays so (`design.after`
        of the treated, and of all where `design.clear` is off); `first_days`, days since the first
        purchase; for s = 0, 1, … `recency_s` (days from the last purchase to s windows before the
        day; NaN without one), `ever_s` (purchases until then), `sent_s` (treatments begun until
        then); for each outcome and window k, from −`design.before` to `design.after` − 1,
        `revenue_k`, `orders_k` and `bought_k`; window 0 begins on the day. NaN after `as_of` and
        before `start`.
    """
    stacks = treated.groupby("stack").agg(day=("day", "min")).reset_index()
    stacks["day"] = pd.to_datetime(stacks["day"])
    units = _units(days, stacks, treated, exposed, design)
    frame: pd.DataFrame = _added_up(days, units, design).execute()
    if frame.empty:
        return frame
    frame = frame.sort_values(["stack", "customer"], ignore_index=True)
    frame["treated"] = frame["treated"].astype(bool)
    index_day = pd.to_datetime(frame["day"])
    frame["day"] = index_day
    known = (index_day - pd.Timestamp(start)).dt.days // design.days
    frame["history"] = known.clip(upper=design.before).astype(int)
    left = (pd.Timestamp(as_of) - index_day).dt.days + 1
    for k in range(-design.before, design.after):
        unknown = (left < (k + 1) * design.days) | (known < -k)
        for outcome in OUTCOMES:
            name = f"{outcome}_{k}"
            frame[name] = frame[name].astype(float).mask(unknown)
    whole = (frame["next_in"].astype(float) // design.days).fillna(design.after)
    still = whole.clip(upper=design.after).where(~frame["treated"] & design.clear, design.after)
    frame["clear"] = still.astype(int)
    return frame.drop(columns="next_in")


def _units(
    days: ir.Table,
    stacks: pd.DataFrame,
    treated: pd.DataFrame,
    exposed: pd.DataFrame,
    design: Design,
) -> ir.Table:
    """The units who may be compared, with the treatments before and after the day."""
    engine_stacks = ibis.memtable(stacks)
    engine_stacks = engine_stacks.mutate(day=engine_stacks["day"].cast("date"))
    sent = treated[["stack", "customer"]].drop_duplicates().assign(sent=True)
    engine_sent = ibis.memtable(sent)
    known = days.filter(days["bought"]).group_by(schema.CUSTOMER)
    known = known.aggregate(first=days[schema.DAY].min())
    anyone = engine_sent.select("customer").distinct().mutate(ever_sent=True)
    known = known.left_join(anyone, schema.CUSTOMER).drop("customer_right")
    customers = int(known.count().execute())
    if customers > design.controls:
        part = (known[schema.CUSTOMER].hash() % _PARTS).abs()
        known = known.mutate(drawn=part < int(_PARTS * design.controls / customers))
        known = known.filter(known["drawn"] | known["ever_sent"].notnull())
    else:
        known = known.mutate(drawn=True)
    pairs = known.cross_join(engine_stacks)
    pairs = pairs.filter(pairs["first"] < pairs["day"])
    pairs = pairs.left_join(engine_sent, ["stack", "customer"])
    pairs = pairs.mutate(treated=pairs["sent"].fill_null(False))
    # who is treated in another stack is no likelier to be a control here than anybody else
    pairs = pairs.filter(pairs["treated"] | pairs["drawn"])
    pairs = pairs.select("stack", "customer", "day", "first", "treated")
    spans = exposed[["customer", "start", "end"]].copy()
    spans["start"] = pd.to_datetime(spans["start"])
    spans["end"] = pd.to_datetime(spans["end"]).fillna(_OPEN)
    spans = spans.drop_duplicates().astype({"customer": object})
    under = ibis.memtable(spans, schema={"customer": "string", "start": "date", "end": "date"})
    met = pairs.inner_join(under, "customer")
    gap = met["start"].delta(met["day"], unit="day")
    since = met["day"].delta(met["end"], unit="day")
    lately = gap < 0 if design.washout is None else (gap < 0) & (since <= design.washout)
    history = met.group_by(["stack", "customer"]).aggregate(
        lately=lately.any(),
        # a treated unit's own treatment begins on the day; that of others bars them
        on_day=(gap == 0).any(),
        next_in=gap.min(where=gap >= 0),
        **{f"sent_{s}": (gap < -s * design.days).cast("int64").sum() for s in range(design.before)},
    )
    units = pairs.left_join(history, ["stack", "customer"])
    barred = units["lately"].fill_null(False)
    barred |= ~units["treated"] & units["on_day"].fill_null(False)
    units = units.filter(~barred)
    if design.clear:
        soon = units["next_in"] < design.days
        units = units.filter(units["treated"] | ~soon.fill_null(False))
    return units.select(
        "stack",
        "customer",
        "day",
        "first",
        "treated",
        "next_in",
        **{f"sent_{s}": units[f"sent_{s}"].fill_null(0) for s in range(design.before)},
    )


def _added_up(days: ir.Table, units: ir.Table, design: Design) -> ir.Table:
    """Each unit's windows, from its customer-days."""
    rows = days.select(
        "customer",
        on=days[schema.DAY],
        amount=days[schema.AMOUNT],
        bought=days["bought"],
    )
    met = units.inner_join(rows, "customer")
    offset = met["on"].delta(met["day"], unit="day")
    met = met.mutate(offset=offset).filter(lambda t: t["offset"] < design.after * design.days)
    sums: dict[str, ir.Value] = {}
    for k in range(-design.before, design.after):
        inside = (met["offset"] >= k * design.days) & (met["offset"] < (k + 1) * design.days)
        # added up exactly before it is a float: the engine's order of adding must not show
        sums[f"revenue_{k}"] = met["amount"].sum(where=inside).cast("float64").fill_null(0.0)
        sums[f"orders_{k}"] = met["bought"].cast("int64").sum(where=inside).fill_null(0)
        sums[f"bought_{k}"] = met["bought"].cast("int64").max(where=inside).fill_null(0)
    for s in range(design.before):
        past = met["bought"] & (met["offset"] < -s * design.days)
        sums[f"ever_{s}"] = met["bought"].cast("int64").sum(where=past).fill_null(0)
        sums[f"recency_{s}"] = -met["offset"].max(where=past) - s * design.days
    keys = ["stack", "customer", "day", "treated", "next_in"]
    keys += [f"sent_{s}" for s in range(design.before)]
    return met.group_by(keys).aggregate(
        first_days=met["day"].delta(met["first"], unit="day").max(), **sums
    )
