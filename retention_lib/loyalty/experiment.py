"""Did the measure work: a test whose groups a lot drew, from its customers to what it is worth.

The main outcome is revenue per customer, for that is what a measure is paid for; whether the
customer bought and how many orders are secondary. All of them, for every treated group, are judged
together (Holm 1979), so that a test with four groups and three outcomes doesn't find something by
chance twelve times as easily. Intervals are of 95 % each.

A test that runs is looked at by every report that is made of it. Its intervals allow for that
(`always_valid`); when it is over, at the end that was planned, the usual ones are told.

Where the lot is broken (`experiment_split`) the figures are worked out and no effect is told of.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.data.base import Base
from retention_lib.loyalty import always_valid
from retention_lib.loyalty.experiment_assignment import LEAST, Assignment, Plan, assignment
from retention_lib.loyalty.experiment_days import by_day, later
from retention_lib.loyalty.experiment_next import NextTest, next_test
from retention_lib.loyalty.experiment_outcomes import (
    OUTCOMES,
    Outcome,
    Window,
    outcomes,
    window,
)
from retention_lib.loyalty.experiment_segments import ForWhom, for_whom
from retention_lib.loyalty.experiment_split import Overlap, Split, overlap, split
from retention_lib.loyalty.experiment_uplift import (
    USUAL,
    Adjusted,
    Estimate,
    Floats,
    Sensitivity,
    adjusted,
    mean_difference,
    relative_mean,
    relative_share,
    sensitivity,
    share_difference,
)
from retention_lib.metrics import UNITS, Metric, unknown
from retention_lib.retention.difference import Difference
from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.sentence import N_

#: What is published of a test, as `experiment.<name>.<figure>`: all treated groups together.
FIGURES: Final = (
    "customers",
    "control_customers",
    "srm_p",
    "uplift_repurchase",
    "uplift_orders",
    "uplift_revenue",
    "uplift_revenue_relative",
    "incremental_revenue",
    "cost",
    "net_value",
    "cuped_reduction",
    "smallest_rise",
)
#: All treated groups taken as one.
TOGETHER: Final = ""

_NO_COMPARISON: Final = N_("The test has no two groups that can be compared.")
_TOO_EARLY: Final = N_("The test has just begun; its outcome can't be looked at yet.")
_TOO_FEW: Final = N_("A group of the test has too few customers.")
_BROKEN: Final = N_(
    "The groups differ as no lot would make them, so that their difference is no effect."
)
_NOTHING: Final = N_("No customer of the test bought, so that there is no difference to measure.")
_NO_COST: Final = N_("The client file gives no cost for a treated customer.")
_NO_PAST: Final = N_("Nothing is known of the customers from before the test.")
_NEAR_ZERO: Final = N_("The control group's own revenue is too uncertain to be divided by.")
_RUNS: Final = N_("The test still runs; the interval holds however often one looks.")
_NO_SIZE: Final = N_("No rise shows in a test of this size.")


@dataclass(frozen=True)
class Uplift:
    """One outcome of one treated group against the control group.

    Parameters
    ----------
    group : str
        `TOGETHER` for all treated groups as one.
    outcome : str
        `revenue`, `bought` or `orders`.
    n, n_control : int
        Customers.
    value, control : float
        Means (or shares) as they are.
    estimate : Estimate
        As told: of means corrected for the time before; its p is that of the interval shown.
    plain : Estimate
        Without the correction.
    relative : Difference
        Of the estimate, over the control group.
    reduction : float
        How much narrower the correction makes the interval; NaN where there is none.
    holm : float
        The p-value adjusted for all groups and outcomes; NaN where it isn't known.
    """

    group: str
    outcome: Outcome
    n: int
    n_control: int
    value: float
    control: float
    estimate: Estimate
    plain: Estimate
    relative: Difference
    reduction: float
    holm: float = math.nan

    @property
    def stands(self) -> int:
        """1 or −1 where the effect is sure with all that is looked at, else 0."""
        if not self.holm < LEVEL or not self.estimate.difference.leaves_out_zero:
            return 0
        return 1 if self.estimate.change > 0 else -1


@dataclass(frozen=True)
class Rivals:
    """The two treated groups with the most revenue per customer, against each other.

    Parameters
    ----------
    best, second : str
    estimate : Estimate
        Revenue per customer, best less second; its interval allows for the pairs that it was chosen
        from.
    """

    best: str
    second: str
    estimate: Estimate


@dataclass(frozen=True)
class Worth:
    """What a measure brought and cost, over all treated customers that are counted.

    Parameters
    ----------
    customers, orders, revenue : Difference
        Brought: customers who bought, orders, revenue, with their intervals.
    cost : float
    net : Difference
        Revenue times margin less cost.
    cost_per_purchase : tuple of float
        Cost over the orders brought, and its interval; the upper end is infinite where the measure
        may have brought none, NaN where there is no cost.
    """

    customers: Difference
    orders: Difference
    revenue: Difference
    cost: float
    net: Difference
    cost_per_purchase: tuple[float, float, float]


@dataclass(frozen=True)
class Trial:
    """All that is known of a test.

    Parameters
    ----------
    plan : Plan
    made : Assignment
    window : Window or None
        None where there is nobody to watch.
    people : DataFrame
        The customers whose outcome is counted (`experiment_outcomes.outcomes`).
    split : Split or None
    uplifts : tuple of Uplift
        By treated group, the main outcome first; empty where nothing can be compared.
    together : tuple of Uplift
        All treated groups as one, the same outcomes.
    sensitivities : mapping
        By treated group: whether a few customers make its uplift in revenue.
    worth : Worth or None
    rivals : Rivals or None
        None with one treated group.
    over_days : DataFrame or None
        Who has bought by each day (`experiment_days.by_day`).
    late : Estimate or None
        The share that bought in the later part of the window (`experiment_days.later`).
    whom : ForWhom or None
    next : NextTest or None
    unknown : str or None
        Why there are no uplifts, as the metrics' notes have it.
    seen : float
        Share of the test's customers that the orders have; NaN without customers.
    unread : DataFrame
        Rows of the source that can't be used: `cause` (of `data.datasets`), `rows`.
    """

    plan: Plan
    made: Assignment
    window: Window | None
    people: pd.DataFrame
    split: Split | None
    uplifts: tuple[Uplift, ...] = ()
    together: tuple[Uplift, ...] = ()
    sensitivities: Mapping[str, Sensitivity] = dataclasses.field(default_factory=dict)
    worth: Worth | None = None
    rivals: Rivals | None = None
    over_days: pd.DataFrame | None = None
    late: Estimate | None = None
    whom: ForWhom | None = None
    next: NextTest | None = None
    unknown: str | None = None
    seen: float = math.nan
    unread: pd.DataFrame = dataclasses.field(
        default_factory=lambda: pd.DataFrame({"cause": [], "rows": []})
    )

    @property
    def treated(self) -> tuple[str, ...]:
        """The treated groups that are compared."""
        return tuple(dict.fromkeys(one.group for one in self.uplifts))

    @property
    def is_broken(self) -> bool:
        """Whether no effect can be told of."""
        return self.split is not None and self.split.is_broken

    @property
    def is_running(self) -> bool:
        """Whether some customer's outcome window isn't over yet."""
        return self.window is not None and self.window.is_running

    def of(self, outcome: Outcome, group: str = TOGETHER) -> Uplift:
        """One uplift; by default of all treated groups together."""
        every = self.together if group == TOGETHER else self.uplifts
        return next(u for u in every if u.outcome == outcome and u.group == group)


def plans(base: Base) -> tuple[Plan, ...]:
    """The tests of a client whose groups a lot drew, in the order of the client file."""
    found = []
    for name, one in (base.params.experiments or {}).items():
        if one.assigned == "lot" and one.control is not None:
            found.append(
                Plan(
                    name=name,
                    title=one.title or name.replace("_", " "),
                    control=one.control,
                    days=one.days,
                    split=dict(one.split),
                    cost=float(one.cost),
                    margin=float(base.params.margin),
                )
            )
    return tuple(found)


def experiments(base: Base) -> tuple[Trial, ...]:
    """Every test whose groups a lot drew.

    Parameters
    ----------
    base : Base

    Returns
    -------
    tuple of Trial
        Empty where the client has none.
    """
    given = base.params.experiments or {}
    data = {name: base.dataset(f"experiment.{name}") for name in given}
    frames = {name: one.frame() for name, one in data.items() if one is not None}
    # customers of a campaign that no lot drew are in something too
    others = {
        name: (given[name].title or name.replace("_", " "), given[name].days, frame)
        for name, frame in frames.items()
    }
    found = []
    for plan in plans(base):
        if (one := data[plan.name]) is not None:
            made = assignment(frames[plan.name], plan, base.start, base.as_of)
            trial = experiment_of(base, plan, made, _overlaps(plan, made, others))
            found.append(dataclasses.replace(trial, unread=one.left_out))
    return tuple(found)


def experiment_of(
    base: Base, plan: Plan, made: Assignment, overlaps: tuple[Overlap, ...] = ()
) -> Trial:
    """A test, from who is in it.

    Parameters
    ----------
    base : Base
    plan : Plan
    made : Assignment
    overlaps : tuple of Overlap
        With the client's other tests.
    """
    if made.problem is not None:
        return Trial(plan, made, None, made.customers, None, unknown=_NO_COMPARISON)
    over = window(made.customers, plan.days, base.as_of)
    people = outcomes(base, made.customers, over)
    return compared(plan, made, over, people, overlaps)


def compared(
    plan: Plan,
    made: Assignment,
    over: Window,
    people: pd.DataFrame,
    overlaps: tuple[Overlap, ...] = (),
) -> Trial:
    """A test, from what its customers bought: the statistics without the orders.

    Parameters
    ----------
    plan : Plan
    made : Assignment
    over : Window
    people : DataFrame
        As `experiment_outcomes.outcomes` gives it.
    overlaps : tuple of Overlap
    """
    checks = split(made, plan, people, overlaps)
    seen = float(people["seen"].mean()) if len(people) else math.nan
    found = Trial(plan, made, over, people, checks, seen=seen)
    counts = people["group"].value_counts()
    if over.is_too_early:
        return dataclasses.replace(found, unknown=_TOO_EARLY)
    large = [group for group in made.groups if counts.get(group, 0) >= LEAST]
    if plan.control not in large or len(large) < 2:
        return dataclasses.replace(found, unknown=_TOO_FEW)
    if not (people["bought"].any() or people["revenue"].any()):
        return dataclasses.replace(found, unknown=_NOTHING)
    people = people[people["group"].isin(large)].reset_index(drop=True)
    level, information = _level(over)
    control, *treated = large  # the control group stands first
    sample = _sample(people, [control, *treated])
    all_treated = people["group"].where(people["group"] == control, TOGETHER)
    as_one = _sample(people.assign(group=all_treated), [control, TOGETHER])
    uplifts = _judged(
        [
            _uplift(sample, group, outcome, level, information)
            for group in treated
            for outcome in OUTCOMES
        ]
    )
    together = _judged([_uplift(as_one, TOGETHER, one, level, information) for one in OUTCOMES])
    return dataclasses.replace(
        found,
        people=people,
        uplifts=uplifts,
        together=together,
        sensitivities={group: _sensitivity(sample, group, level) for group in treated},
        worth=_worth(plan, together),
        rivals=_rivals(sample, uplifts, level),
        over_days=by_day(people, control, over.days),
        late=later(people, control, level),
        whom=for_whom(people, control, level),
        next=_next(sample),
    )


def metrics(found: Trial) -> dict[str, Metric]:
    """The figures of a test, by their ids, all treated groups together.

    An effect of groups that no lot made isn't told: it is unknown, with the reason.
    """
    name = f"experiment.{found.plan.name}."
    why = _BROKEN if found.is_broken else found.unknown
    counts = found.people["group"].value_counts() if len(found.people) else pd.Series(dtype=int)
    control = int(counts.get(found.plan.control, 0))
    known: dict[str, Metric] = {
        "customers": Metric(int(counts.sum()) - control, "count"),
        "control_customers": Metric(control, "count"),
    }
    p = found.split.sizes.p if found.split else None
    if p is not None:
        known["srm_p"] = Metric(p, "number", n=int(found.made.counts.sum()))
    if found.worth is not None and why is None:
        known |= _known(found, found.worth)
    result = {}
    for figure in FIGURES:
        unit = UNITS[f"experiment.<name>.{figure}"]
        reason = _reason(figure, found) if why is None else why
        metric = known.get(figure) or unknown(unit, reason)
        if found.is_running and metric.low is not None:
            metric = dataclasses.replace(metric, note=_RUNS)
        result[name + figure] = metric
    return result


def _known(found: Trial, worth: Worth) -> dict[str, Metric]:
    revenue, bought, orders = (found.of(outcome) for outcome in OUTCOMES)
    n = revenue.n + revenue.n_control
    known = {
        "uplift_repurchase": _metric(bought.estimate.difference, "share", n),
        "uplift_orders": _metric(orders.estimate.difference, "number", n),
        "uplift_revenue": _metric(revenue.estimate.difference, "currency", n),
        "uplift_revenue_relative": _metric(revenue.relative, "share", n),
        "incremental_revenue": _metric(worth.revenue, "currency", revenue.n),
    }
    if found.plan.cost > 0:
        known["cost"] = Metric(worth.cost, "currency", n=revenue.n)
        known["net_value"] = _metric(worth.net, "currency", revenue.n)
    if math.isfinite(revenue.reduction):
        known["cuped_reduction"] = Metric(revenue.reduction, "share", n=n)
    if found.next is not None and found.next.smallest_share is not None:
        known["smallest_rise"] = Metric(found.next.smallest_share, "share", n=found.next.customers)
    return {figure: metric for figure, metric in known.items() if metric is not None}


def _metric(found: Difference, unit: str, n: int) -> Metric | None:
    if not math.isfinite(found.low):
        return None
    return Metric(found.change, unit, found.low, found.high, n)  # type: ignore[arg-type]


def _reason(figure: str, found: Trial) -> str:
    return {
        "cost": _NO_COST,
        "net_value": _NO_COST,
        "cuped_reduction": _NO_PAST,
        "uplift_revenue_relative": _NEAR_ZERO,
        "smallest_rise": _NO_SIZE,
        "srm_p": _TOO_FEW,
    }.get(figure, _NOTHING)


def _level(over: Window) -> tuple[float, float | None]:
    """Of the intervals, and the part of the information that is in where the test runs."""
    if not over.is_running:
        return USUAL, None
    return always_valid.level(over.information), over.information


@dataclass(frozen=True)
class _Sample:
    """The customers of a test in arrays: their groups, the control group 0, and their outcomes."""

    groups: list[str]
    codes: NDArray[np.intp]
    values: Mapping[Outcome, Floats]
    told: Mapping[Outcome, Adjusted]

    def of(self, group: str, values: Floats) -> Floats:
        """Those of a group."""
        return values[self.codes == self.groups.index(group)]


def _sample(people: pd.DataFrame, groups: list[str]) -> _Sample:
    codes = np.asarray(pd.Categorical(people["group"], categories=groups).codes, dtype=np.intp)
    values: dict[Outcome, Floats] = {one: people[one].to_numpy(dtype=float) for one in OUTCOMES}
    # θ from all groups: it is one figure of the customers, not of a comparison
    told = {
        one: adjusted(values[one], people[f"{one}_before"].to_numpy(dtype=float), codes)
        for one in OUTCOMES
    }
    return _Sample(groups, codes, values, told)


def _uplift(
    sample: _Sample, group: str, outcome: Outcome, level: float, information: float | None
) -> Uplift:
    values, correction = sample.values[outcome], sample.told[outcome]
    one, other = sample.of(group, values), sample.of(sample.groups[0], values)
    if outcome == "bought":
        counts = int(one.sum()), one.size, int(other.sum()), other.size
        plain = told = share_difference(*counts, level)
        relative, reduction = relative_share(*counts, level), math.nan
    else:
        plain = mean_difference(one, other, level)
        less = sample.of(group, correction.values)
        control = sample.of(sample.groups[0], correction.values)
        told = mean_difference(less, control, level)
        relative = relative_mean(less, control, level)
        known = correction.theta and plain.error
        reduction = 1 - told.error / plain.error if known else math.nan
    if information is not None:
        told = told._replace(p=always_valid.p_value(told.p, information))
        plain = plain._replace(p=always_valid.p_value(plain.p, information))
    means = float(one.mean()), float(other.mean())
    return Uplift(group, outcome, one.size, other.size, *means, told, plain, relative, reduction)


def _judged(found: list[Uplift]) -> tuple[Uplift, ...]:
    together = holm([one.estimate.p for one in found])
    return tuple(
        dataclasses.replace(one, holm=float(p)) for one, p in zip(found, together, strict=True)
    )


def _rivals(sample: _Sample, found: tuple[Uplift, ...], level: float) -> Rivals | None:
    main = [one for one in found if one.outcome == "revenue"]
    if len(main) < 2:
        return None
    best, second, *_ = (
        one.group for one in sorted(main, key=lambda one: one.estimate.change, reverse=True)
    )
    told = sample.told["revenue"].values
    wider = 1 - (1 - level) / math.comb(len(main), 2)
    return Rivals(
        best, second, mean_difference(sample.of(best, told), sample.of(second, told), wider)
    )


def _sensitivity(sample: _Sample, group: str, level: float) -> Sensitivity:
    values, told = sample.values["revenue"], sample.told["revenue"].values
    control = sample.groups[0]
    return sensitivity(
        sample.of(group, values),
        sample.of(control, values),
        sample.of(group, told),
        sample.of(control, told),
        level,
    )


def _worth(plan: Plan, together: tuple[Uplift, ...]) -> Worth:
    revenue, bought, orders = together
    n, cost = revenue.n, plan.cost * revenue.n
    brought = _times(revenue.estimate.difference, n)
    net = Difference(*(plan.margin * x - cost for x in brought))
    return Worth(
        _times(bought.estimate.difference, n),
        _times(orders.estimate.difference, n),
        brought,
        cost,
        net,
        _each(cost, _times(orders.estimate.difference, n)),
    )


def _times(found: Difference, n: int) -> Difference:
    return Difference(*(n * x for x in found))


def _each(cost: float, brought: Difference) -> tuple[float, float, float]:
    """Cost over what was brought, with its interval."""
    if cost <= 0 or not brought.high > 0:
        return math.nan, math.nan, math.nan
    each = cost / brought.change if brought.change > 0 else math.inf
    return each, cost / brought.high, cost / brought.low if brought.low > 0 else math.inf


def _next(sample: _Sample) -> NextTest:
    revenue, codes, groups = sample.values["revenue"], sample.codes, len(sample.groups)
    means = np.bincount(codes, weights=revenue) / np.bincount(codes)
    control = sample.groups[0]
    return next_test(
        rate=float(sample.of(control, sample.values["bought"]).mean()),
        sd=float(np.sqrt(((revenue - means[codes]) ** 2).sum() / (codes.size - groups))),
        correlation=sample.told["revenue"].correlation,
        customers=codes.size,
        groups=groups,
        control=float((codes == 0).mean()),
        revenue=float(means[0]),
    )


def _overlaps(
    plan: Plan, made: Assignment, others: Mapping[str, tuple[str, int, pd.DataFrame]]
) -> tuple[Overlap, ...]:
    """With the client's other tests and campaigns: title, days and rows by name."""
    if made.problem is not None:
        return ()
    found = (
        overlap(made.customers, plan.days, rows.dropna(subset=["customer", "start"]), days, title)
        for name, (title, days, rows) in others.items()
        if name != plan.name
    )
    return tuple(one for one in found if one is not None)
