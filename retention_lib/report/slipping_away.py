"""Who is slipping away: rhythm, stake and how the rule did, joined for report and advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import UNITS, Metric, unknown
from retention_lib.models.at_stake import stake_interval
from retention_lib.models.forecast import Forecast
from retention_lib.models.widening import Interval
from retention_lib.report.customers import Earlier
from retention_lib.retention.hindsight import Hindsight, came_back, compare_orders
from retention_lib.retention.interval_rule import TIMES, overdue_counts, times_away
from retention_lib.retention.intervals import wilson
from retention_lib.retention.slipping import STATES, Slipping, slipping
from retention_lib.sentence import N_

#: Fewest customers among whom rules are compared.
FEWEST: Final = 50


@dataclass(frozen=True)
class SlippingAway:
    """What is known of the customers who are slipping away.

    Parameters
    ----------
    plain : DataFrame
        By the plain interval rule (`retention.interval_rule.overdue_counts`); always there.
    found : Slipping or None
        By the own rhythm; None where the forecast isn't fit to act on.
    stakes : mapping of state to Interval
        Value at stake with the customers in each state (`retention.slipping.STATES`) and how sure
        it is; without the states that have none.
    hindsight : Hindsight or None
        How the rules of some months ago did; None where too little lies before that day.
    """

    plain: pd.DataFrame
    found: Slipping | None
    stakes: Mapping[str, Interval]
    hindsight: Hindsight | None


def slipping_away(
    base: Base, customers: pd.DataFrame, made: Forecast, then: Earlier | None
) -> SlippingAway:
    """Judge the customers of a base by their own rhythm.

    Parameters
    ----------
    base : Base
    customers : DataFrame
        `report.customers.customer_table`.
    made : Forecast
        Of the same base.
    then : Earlier or None
        `report.customers.earlier_customers`.
    """
    plain = overdue_counts(customers, base.as_of)
    if not made.usable or made.unknowable is not None:
        return SlippingAway(plain, None, {}, None)
    found = slipping(customers, base.as_of)
    stakes = {
        state: stake_interval(base, made, customers.index[customers["rhythm"] == state])
        for state in STATES
    }
    known = {state: stake for state, stake in stakes.items() if stake is not None}
    return SlippingAway(plain, found, known, None if then is None else in_hindsight(then))


def in_hindsight(then: Earlier) -> Hindsight:
    """What became of the customers whom both rules judged some months ago.

    The order of all rules is compared on the customers to whom all apply: three purchases or more
    then, and a rhythm.
    """
    customers, bought = then.customers, then.bought
    times = times_away(customers, then.base.as_of)
    known = times.notna()
    codes = np.where(times[known] > TIMES, 1, 0)
    plain = pd.Categorical.from_codes(codes, pd.Index(["on_time", "overdue"]))
    states = pd.concat(
        [
            came_back(customers["rhythm"], bought, "rhythm"),
            came_back(pd.Series(plain, index=bought.index[known]), bought[known], "interval"),
        ],
        ignore_index=True,
    )
    both = known & (customers["rhythm"] != "no_rhythm")
    scores = {
        "rhythm": 1 - customers.loc[both, "waited"],
        "interval": -times[both],
        "away": -customers.loc[both, "away"].astype(float),
        "p_alive": customers.loc[both, "p_alive"],
    }
    orders = compare_orders(scores, bought[both])
    return Hindsight(then.months, states, orders if both.sum() >= FEWEST else orders.iloc[:0])


def metrics(away: SlippingAway) -> dict[str, Metric]:
    """The section's figures: `slipping.…`."""
    plain = away.plain.set_index("state")["customers"]
    overdue = Metric(int(plain["overdue"]), "count", n=int(plain[["on_time", "overdue"]].sum()))
    found = away.found
    if found is None:
        why = N_("The forecast isn't fit to act on, so nobody's rhythm or value at stake is known.")
        mine = {name: unit for name, unit in UNITS.items() if name.startswith("slipping.")}
        return {name: unknown(unit, why) for name, unit in mine.items()} | {
            "slipping.overdue": overdue
        }
    n = int(found.states["customers"].sum())
    nobody = N_("Nothing is at stake with customers who are later than their own rhythm.")
    share = found.top_share
    return {
        "slipping.customers": Metric(found.customers("late"), "count", n=n),
        "slipping.at_stake": _stake(away, "late"),
        "slipping.top_customers": Metric(found.top_customers, "count"),
        "slipping.top_share": Metric(
            share, "share", n=found.customers("late"), note=None if share is not None else nobody
        ),
        "slipping.window_customers": Metric(found.customers("window"), "count", n=n),
        "slipping.window_at_stake": _stake(away, "window"),
        "slipping.agreement": _agreement(found),
        "slipping.overdue": overdue,
    }


def _stake(away: SlippingAway, state: str) -> Metric:
    assert away.found is not None
    n, interval = away.found.customers(state), away.stakes.get(state)
    if interval is None:
        return Metric(away.found.at_stake(state), "currency", n=n)
    return Metric(interval.value, "currency", low=interval.low, high=interval.high, n=n)


def _agreement(found: Slipping) -> Metric:
    limits = wilson(found.agree, found.compared)
    if limits is None:
        why = N_("Nobody has three purchases and a rhythm, so the two rules meet nowhere.")
        return unknown("share", why, n=0)
    low, high = limits
    return Metric(found.agree / found.compared, "share", low=low, high=high, n=found.compared)
