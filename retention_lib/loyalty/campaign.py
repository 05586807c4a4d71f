"""Did the campaigns work, where no lot drew who was sent them: for whom, and how sure.

Those sent a campaign are held against customers who might have been and weren't, made alike in what
they had bought before (`loyalty.comparable`). The main comparison is of the first campaign that a
customer is ever sent: nothing that the shop sent works on in what is known of either group, and the
groups stay apart until the window is over. What a customer was sent after the first one, within the
window, is part of what is compared: the effect is that of being put on the list. Where too few were
sent a first one in the data, it is of each sending after a time without.

Everything is also worked out by other ways of comparing, which stand beside it: a result that hangs
on one of them is none.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.loyalty import campaign_tables as parts
from retention_lib.loyalty.comparable import Comparison, Design, compare, panel
from retention_lib.loyalty.comparable_effect import UNKNOWN, Effect
from retention_lib.loyalty.comparable_hidden import Hidden, hidden
from retention_lib.loyalty.sample_size import Design as TestDesign
from retention_lib.loyalty.sample_size import Mean, Size, size, smallest_rise
from retention_lib.metrics import UNITS, Metric, Unit, unknown
from retention_lib.sentence import N_

#: Customers with a first campaign from which that is what is compared.
ENOUGH_FIRST: Final = 100
#: Days of history that the groups are made alike in, about.
_HISTORY: Final = 126
#: Rise in revenue that the next test is planned to show.
PLANNED_RISE: Final = 0.05
#: Most days of a window: with longer ones, hardly a campaign has two whole windows before it.
_LONGEST: Final = 182

#: Lengths of a window to fall back on, and the one where none fits.
_LENGTHS: Final = (84, 56, 42, 28)
_USUAL: Final = 42
#: Days on which campaigns begin beyond which their weeks are the stacks, and most stacks.
MOST_STACKS: Final = 60

#: Sendings beyond which a sample of the customers sent something is compared.
MOST_SENDINGS: Final = 30_000

FIRST: Final = "first"
EACH: Final = "each"
SPACED: Final = "spaced"
#: Ways of comparing, in the order of the table.
WAYS: Final = (FIRST, "change", "open", EACH, SPACED, "shorter", "longer")

_NOTHING: Final = N_("No campaign can be compared: see the section on it for the reasons.")
_NO_SPEND: Final = N_("Comparable customers spent nothing to be divided by.")
_NO_COST: Final = N_("The client file gives no cost for a treated customer.")
_NO_PLACEBO: Final = N_("There is no window before the campaigns to try the comparison in.")
_UNFAIR: Final = N_(
    "No fair comparison was found, so that the difference can't be called an effect."
)


@dataclass(frozen=True)
class Campaigns:
    """What the campaigns of one list did.

    Parameters
    ----------
    name, title : str
        Of the client file.
    design : Design
        Of the main comparison.
    way : str
        `first` or `spaced`.
    sendings, customers, campaigns : int
        All in the data: sendings of a campaign to a customer, different customers, campaigns.
    unknown_customers : int
        Customers sent a campaign who never bought: nothing is known of them.
    compared : Comparison
        The main one.
    revenue, orders, bought : Effect
        In the window from the day on.
    later : Effect
        On revenue in the window after it.
    placebos : mapping
        Outcome to the placebo a window before.
    path : DataFrame
        The effect on revenue by window, placebos first.
    by_campaign, by_kind, whom, ways : DataFrame
        See `campaign_tables`.
    hidden : Hidden or None
    redeemed : Redeemed or None
        Those who used what they were sent, where the client gives a ledger.
    cost, margin : float
        Per treated customer, in currency; share of revenue.
    next_test, smallest : Size or None, float or None
        The test that would show a rise of `PLANNED_RISE`; the rise that a test of everyone sent
        would show, in currency.
    sample : float
        Part of the customers sent something that was drawn for the comparison, 1 for all.
    problem : str or None
        Why nothing is compared: `empty`, `unfinished`, `short_history`, `no_others`, `too_few`.
    """

    name: str
    title: str
    design: Design
    way: str
    sendings: int
    customers: int
    campaigns: int
    unknown_customers: int
    compared: Comparison
    revenue: Effect
    orders: Effect
    bought: Effect
    later: Effect
    placebos: Mapping[str, Effect]
    path: pd.DataFrame
    by_campaign: pd.DataFrame
    by_kind: pd.DataFrame
    whom: pd.DataFrame
    ways: pd.DataFrame
    hidden: Hidden | None
    redeemed: parts.Redeemed | None
    cost: float
    margin: float
    next_test: Size | None
    smallest: float | None
    sample: float
    problem: str | None

    @property
    def fair(self) -> bool:
        """Whether it may be spoken of as an effect."""
        return self.problem is None and self.compared.verdict.kind != "unfit"

    @property
    def weeks(self) -> int:
        """Length of the window."""
        return self.design.days // 7

    @property
    def all_compared(self) -> float:
        """Sendings that the comparison stands for."""
        return self.revenue.treated / self.sample

    @property
    def total(self) -> tuple[float, float, float]:
        """Revenue that the compared sendings brought, with its interval."""
        n = self.all_compared
        return self.revenue.value * n, self.revenue.low * n, self.revenue.high * n

    @property
    def net(self) -> tuple[float, float, float]:
        """What is left of it at the margin after the cost, with its interval."""
        spent = self.cost * self.all_compared
        value, low, high = (one * self.margin - spent for one in self.total)
        return value, low, high


def of_base(base: Base, name: str) -> Campaigns:
    """The campaigns of one of the client's lists, `experiments.<name>` with `assigned: chosen`.

    Parameters
    ----------
    base : Base
    name : str
    """
    data = base.dataset(f"experiment.{name}")
    given = base.params.experiments[name]
    if data is None:
        raise ValueError(f"experiments.{name} has no data set; give its source.")
    return campaigns(
        base.days,
        base.start,
        base.as_of,
        data.frame(),
        name=name,
        title=given.title or name,
        length=given.days,
        cost=given.cost,
        margin=base.params.margin,
        used=_used(base),
    )


def _used(base: Base) -> pd.DataFrame | None:
    """When customers redeemed something, where the client gives a ledger that says so."""
    ledger = base.dataset("ledger")
    if ledger is None:
        return None
    rows = ledger.table.filter(ledger.table["redeemed"] > 0).select("customer", "date")
    found: pd.DataFrame = rows.distinct().to_pyarrow().to_pandas(date_as_object=False)
    return found if len(found) else None


def campaigns(
    days: ir.Table,
    start: dt.date,
    as_of: dt.date,
    sent: pd.DataFrame,
    *,
    name: str = "campaign",
    title: str = "",
    length: int = 42,
    cost: float = 0.0,
    margin: float = 1.0,
    used: pd.DataFrame | None = None,
) -> Campaigns:
    """What the campaigns did.

    Parameters
    ----------
    days : ibis Table
        Customer-days (`Base.days`).
    start, as_of : date
        First and last day of the data.
    sent : DataFrame
        A row a sending: `customer`, `start`, and where they are known `end`, `group` (the kind of
        campaign) and `campaign`.
    length : int
        Days of the window after; made whole weeks, and shorter where hardly a campaign has two such
        windows before it and one after it.
    cost, margin : float
        Of a sending, in currency; share of revenue.
    used : DataFrame, optional
        customer, date: when something that was sent was used.
    """
    spans = sendings_of(sent)
    length = fitting(length, spans["day"], start, as_of)
    first = Design(days=length, before=min(4, max(2, round(_HISTORY / length))))
    spaced = replace(first, washout=length)
    ways: dict[str, Comparison] = {}
    for way, main in ((FIRST, first), (SPACED, spaced)):
        ways[way] = _compared(days, start, as_of, spans, main)
        if ways[way].customers >= ENOUGH_FIRST:
            break
    way = max(ways, key=lambda one: (ways[one].customers >= ENOUGH_FIRST, ways[one].customers))
    # of two alike, the cleaner
    if ways[FIRST].customers == ways[way].customers:
        way = FIRST
    compared = ways[way]
    found = {outcome: compared.told(outcome) for outcome in ("revenue", "orders", "bought")}
    known = found["revenue"].known
    stacks = parts.stacks_of(spans)
    others = {
        "change": None,
        "open": replace(compared.design, clear=False),
        FIRST: first,
        EACH: replace(first, washout=0),
        SPACED: spaced,
        "shorter": _resized(compared.design, 2 / 3),
        "longer": _resized(compared.design, 4 / 3),
    }
    if known:
        for other, design in others.items():
            if design is not None and other != way and other not in ways:
                ways[other] = _compared(days, start, as_of, spans, design)
    table = parts.ways(compared, way, ways) if known else parts.no_ways()
    planned, smallest = _next(compared) if known else (None, None)
    return Campaigns(
        name,
        title or name,
        compared.design,
        way,
        len(spans),
        int(spans["customer"].nunique()),
        int(stacks["campaign"].nunique()),
        _never_bought(days, spans),
        compared,
        found["revenue"],
        found["orders"],
        found["bought"],
        compared.effect("revenue", 1),
        {outcome: compared.placebo(outcome) for outcome in found},
        compared.path(),
        parts.by_campaign(compared, stacks),
        parts.by_kind(compared, stacks),
        parts.for_whom(compared),
        table,
        hidden(compared) if known else None,
        parts.redeemed(compared, used),
        cost,
        margin,
        planned,
        smallest,
        sampled(spans),
        None if known else _problem(compared, spans),
    )


def sendings_of(sent: pd.DataFrame) -> pd.DataFrame:
    """The sendings, one a row: customer, start, end, day, kind, campaign, stack.

    A stack is a campaign's day; where campaigns begin on more days than `MOST_STACKS`, as those do
    that a customer's own behaviour starts, it is their week, from its Monday.
    """
    spans = pd.DataFrame({"customer": sent["customer"].astype(str)})
    spans["start"] = pd.to_datetime(sent["start"])
    end = sent["end"] if "end" in sent else pd.Series(pd.NaT, sent.index)
    spans["end"] = pd.to_datetime(end)
    # without an end it works on that day: the windows say for how long it is followed
    spans["end"] = spans["end"].fillna(spans["start"]).clip(lower=spans["start"])
    for column, given in (("kind", "group"), ("campaign", "campaign")):
        known = sent[given] if given in sent else pd.Series(None, sent.index, dtype=object)
        spans[column] = known.astype(object).where(known.notna(), "").astype(str)
    spans["day"] = spans["start"]
    if spans["start"].nunique() > MOST_STACKS:
        spans["day"] = spans["start"].dt.to_period("W").dt.start_time
    unnamed = spans["campaign"] == ""
    spans.loc[unnamed, "campaign"] = spans.loc[unnamed, "day"].dt.strftime("%Y-%m-%d")
    keys = [spans[key].astype(str) for key in ("campaign", "kind", "day")]
    spans["stack"] = keys[0] + "\x1f" + keys[1] + "\x1f" + keys[2]
    return spans.drop_duplicates(["customer", "stack"], ignore_index=True)


def fitting(length: int, day: pd.Series, start: dt.date, as_of: dt.date) -> int:
    """The window in whole weeks: the one asked for, or the longest that half of the sendings fit.

    Parameters
    ----------
    length : int
        Asked for, in days.
    day : Series of datetime
        Of each sending.
    """
    asked = min(_LONGEST, 7 * max(1, round(length / 7)))
    before = (day - pd.Timestamp(start)).dt.days
    after = (pd.Timestamp(as_of) - day).dt.days + 1
    for one in (asked, *(n for n in _LENGTHS if n < asked)):
        if len(day) and ((before >= 2 * one) & (after >= one)).mean() >= 0.5:
            return one
    return min(asked, _USUAL)


def _compared(
    days: ir.Table, start: dt.date, as_of: dt.date, spans: pd.DataFrame, design: Design
) -> Comparison:
    if spans.empty:
        return compare(pd.DataFrame(), design)
    latest = spans["stack"].drop_duplicates().tolist()
    if len(latest) > MOST_STACKS:
        order = spans.groupby("stack")["day"].min().sort_values()
        latest = order.index[-MOST_STACKS:].tolist()
    treated = spans.loc[spans["stack"].isin(latest), ["stack", "customer", "day"]]
    treated = treated[in_sample(treated["customer"], sampled(spans))]
    exposed = spans.assign(start=spans["day"])[["customer", "start", "end"]]
    return compare(panel(days, start, as_of, treated, exposed, design), design)


def sampled(spans: pd.DataFrame) -> float:
    """The part of the customers sent something that is compared: 1, or so few as are needed."""
    return min(1.0, MOST_SENDINGS / max(len(spans), 1))


def in_sample(customers: pd.Series, part: float) -> np.ndarray:
    """Whether each customer is in a sample of that size: the same ones on any machine."""
    if part >= 1:
        return np.ones(len(customers), dtype=bool)
    keys = pd.util.hash_array(customers.to_numpy(dtype=object))
    return np.asarray(keys < np.uint64(part * 2.0**64))


def _resized(design: Design, times: float) -> Design:
    length = 7 * max(1, round(design.days * times / 7))
    washout = length if design.washout else design.washout
    before = min(4, max(2, round(_HISTORY / length)))
    return replace(design, days=length, before=before, washout=washout)


def _never_bought(days: ir.Table, spans: pd.DataFrame) -> int:
    """Customers who were sent something and have no purchase in the data."""
    if spans.empty:
        return 0
    import ibis

    asked = ibis.memtable(spans[["customer"]].drop_duplicates())
    buyers = days.filter(days["bought"]).select("customer").distinct()
    return int(asked.anti_join(buyers, "customer").count().execute())


def _problem(compared: Comparison, spans: pd.DataFrame) -> str:
    """Why nothing is compared: the cause of most of the units that aren't."""
    if spans.empty:
        return "empty"
    if compared.units.empty or not compared.units["treated"].any():
        return "too_few"
    left = compared.left_out.groupby("cause")["units"].sum()
    cause = str(left.idxmax()) if len(left) else "few_treated"
    names = {
        "few_treated": "too_few",
        "few_others": "no_others",
        "none_comparable": "no_others",
        "no_like": "no_others",
    }
    return names.get(cause, cause)


def _next(compared: Comparison) -> tuple[Size | None, float | None]:
    """The test that would settle it, planned from what comparable customers spend."""
    effect = compared.effect()
    rows = np.concatenate([s.rows[s.treated] for s in compared.stacks()])
    now = compared.units["revenue_0"].to_numpy(dtype=float)[rows]
    before = compared.units["revenue_-1"].fillna(0.0).to_numpy(dtype=float)[rows]
    if len(now) < 3 or now.std() == 0 or not effect.without > 0:
        return None, None
    alike = float(np.corrcoef(now, before)[0, 1]) if before.std() > 0 else 0.0
    spend = Mean(float(now.std(ddof=1)), min(max(alike, 0.0), 0.95))
    design = TestDesign()
    planned = size(spend, PLANNED_RISE * effect.without, design)
    return planned, smallest_rise(spend, 2 * compared.customers, design)


def _unit(figure: str) -> Unit:
    return UNITS[f"experiment.<name>.{figure}"]


def metrics(found: Campaigns) -> dict[str, Metric]:
    """The figures, by id `experiment.<name>.<figure>`; what may not be told is unknown."""
    revenue, n = found.revenue, found.compared.customers
    told: dict[str, Metric] = {}

    def put(name: str, metric: Metric) -> None:
        told[f"experiment.{found.name}.{name}"] = metric

    def effect(name: str, value: float, low: float, high: float) -> None:
        unit = _unit(name)
        if found.problem is not None:
            put(name, unknown(unit, _NOTHING))
        elif not found.fair:
            put(name, unknown(unit, _UNFAIR, n=n))
        elif not math.isfinite(value):
            put(name, unknown(unit, _NO_SPEND, n=n))
        else:
            put(name, Metric(value, unit, low, high, n=n))

    put("customers", Metric(n, "count"))
    for name, one in (
        ("uplift_repurchase", found.bought),
        ("uplift_orders", found.orders),
        ("uplift_revenue", revenue),
    ):
        effect(name, one.value, one.low, one.high)
        outcome = {"uplift_repurchase": "bought", "uplift_orders": "orders"}.get(name)
        if outcome and found.fair and found.placebos[outcome].sure:
            put(name, unknown(_unit(name), _UNFAIR, n=n))
    effect("uplift_revenue_relative", revenue.relative, revenue.relative_low, revenue.relative_high)
    effect("incremental_revenue", *found.total)
    if found.cost > 0:
        put("cost", Metric(found.cost * found.all_compared, "currency"))
        effect("net_value", *found.net)
    else:
        put("cost", unknown("currency", _NO_COST))
        put("net_value", unknown("currency", _NO_COST))
    placebo = found.placebos.get("revenue", UNKNOWN)
    if placebo.known:
        put("placebo_revenue", Metric(placebo.value, "currency", placebo.low, placebo.high, n=n))
    else:
        put("placebo_revenue", unknown("currency", _NO_PLACEBO))
    if found.problem is not None:
        for name in ("raw_difference", "comparable_share", "worst_imbalance"):
            put(name, unknown(_unit(name), _NOTHING))
        return told
    share = found.compared.comparable_share
    put("raw_difference", Metric(revenue.raw, "currency", n=n))
    put("comparable_share", Metric(share, "share", n=found.compared.eligible))
    put("worst_imbalance", Metric(found.compared.worst_imbalance, "number", n=n))
    return told
