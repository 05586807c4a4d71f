"""Do intervals hold what they say? Simulated bases whose future is known.

    python benchmarks/coverage.py [--bases 100] [--customers 2000] [--seed 1]

Customers join over three years, buy at a rate of their own, may leave after any purchase and spend
around a mean of their own: BG/NBD with Gamma-Gamma (Fader, Hardie & Lee 2005; Fader & Hardie 2013).
Each base is cut a year before its end; models are fitted and tested on what came before, and their
intervals held against the year that followed.

Three kinds of bases: as the model has it; buying rises or falls by 15 % a year; the level of buying
wanders, by steps of 4 % a month. Told is how many of the intervals hold the outcome: the totals' by
the model alone and with what the base's past forecasts missed, at 95 % and at 90 %, with the median
half-width; the customers' and the parameters', at 90 %. Purchases are cut to days and those of a
day are one, as in a report, which the model doesn't know; parameters, which that moves, are
therefore looked at in histories that aren't cut.
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from retention_lib.models import (
    BetaGeoFitter,
    Terms,
    fit_purchase_model,
    fit_spend_model,
    value_base,
)
from retention_lib.models.backtest import backtest
from retention_lib.models.histories import compress
from retention_lib.models.predictive import draw_parameters
from retention_lib.models.purchase_days import PurchaseDays
from retention_lib.models.totals import Estimate
from retention_lib.models.widening import LEVEL, past_errors, widened

START, AS_OF = dt.date(2021, 1, 1), dt.date(2023, 12, 31)
END = dt.date(2024, 12, 31)
PARAMETERS = {"r": 0.6, "alpha": 40.0, "a": 0.8, "b": 2.5}  # per day
SPEND = (6.0, 4.0, 15.0)
YEARLY, MONTHLY = np.log(1.15), 0.04
Level = Callable[[np.random.Generator, int], np.ndarray]


def steady(rng: np.random.Generator, days: int) -> np.ndarray:
    """The level of buying, day by day."""
    return np.ones(days)


def drifting(rng: np.random.Generator, days: int) -> np.ndarray:
    """Up by 15 % a year, or down."""
    return np.exp(rng.choice([-1, 1]) * YEARLY * np.arange(days) / 365)


def wandering(rng: np.random.Generator, days: int) -> np.ndarray:
    """A step a month, up or down."""
    steps = np.cumsum(rng.normal(0, MONTHLY, days // 30 + 1))
    return np.exp(np.repeat(steps, 30)[:days])


KINDS: dict[str, Level] = {
    "as the model has it": steady,
    "15 % up or down a year": drifting,
    "wandering by 4 % a month": wandering,
}


def simulate(rng: np.random.Generator, n: int, level: Level) -> PurchaseDays:
    """Purchases of n customers who join in the history, up to `END`."""
    days, known = (END - START).days + 1, (AS_OF - START).days + 1
    # Operational time: a customer's purchases come at their rate in it whatever the level.
    clock = np.concatenate([[0.0], np.cumsum(level(rng, days))])
    joined = rng.integers(0, known - 30, n)
    rate = rng.gamma(PARAMETERS["r"], 1 / PARAMETERS["alpha"], n)
    leaves = rng.beta(PARAMETERS["a"], PARAMETERS["b"], n)
    p, q, v = SPEND
    nu = rng.gamma(q, 1 / v, n)
    who, when = [np.arange(n)], [joined]
    # The moment of joining is somewhere within its day.
    now = clock[joined] + rng.random(n) * np.diff(clock)[joined]
    here = np.arange(n)
    while len(here):
        now = now + rng.exponential(1, len(here)) / np.maximum(rate[here], 1e-12)
        stays = now < clock[-1]
        here, now = here[stays], now[stays]
        who.append(here)
        when.append(np.searchsorted(clock, now, side="right") - 1)
        stays = rng.random(len(here)) >= leaves[here]
        here, now = here[stays], now[stays]
    # Purchases of one day are one.
    both = np.unique(np.stack([np.concatenate(who), np.concatenate(when)]), axis=1)
    amount = rng.gamma(p, 1 / nu[both[0]])
    day = np.datetime64(START) + both[1].astype("timedelta64[D]")
    return PurchaseDays(both[0], day, amount, n)


def until(purchases: PurchaseDays, end: dt.date) -> PurchaseDays:
    """What was known on a day."""
    seen = purchases.day <= np.datetime64(end)
    return PurchaseDays(
        purchases.customer[seen], purchases.day[seen], purchases.amount[seen], purchases.of
    )


def one_base(
    seed: int, customers: int, level: Level, *, in_detail: bool = False
) -> dict[str, list[float]]:
    """Which intervals of one base hold what happened (1 or 0), and how wide the totals' are."""
    rng = np.random.default_rng(seed)
    all_days = simulate(rng, customers, level)
    purchases = until(all_days, AS_OF)
    frame = purchases.summary(AS_OF, "day")
    model, spend = fit_purchase_model(frame, "bgnbd"), fit_spend_model(frame)
    totals = value_base(
        frame,
        model,
        spend,
        Terms(12, 0.0, 1.0, AS_OF.isoformat(), "day"),
        seed=seed,
    ).totals
    past = backtest(
        purchases,
        "bgnbd",
        start=START,
        as_of=AS_OF,
        horizon_months=12,
        time_unit="day",
        seed=seed,
    )
    bought, spent = all_days.between(AS_OF + dt.timedelta(days=1), END, frame.index)
    found: dict[str, list[float]] = defaultdict(list)
    outcomes: list[tuple[str, str, Estimate | None, float]] = [
        ("purchases", "error", totals.purchases, float(bought.sum())),
        ("revenue", "revenue_error", totals.clv, float(spent.sum())),
    ]
    for name, kind, estimate, outcome in outcomes:
        if estimate is None:
            continue
        for percent in (95, 90):
            both = widened(estimate, past_errors(past, kind), percent / 100)
            for which, low, high in (
                ("model alone", both.own_low, both.own_high),
                ("with past errors", both.low, both.high),
            ):
                found[f"{name}, {percent} %, {which}"].append(float(low <= outcome <= high))
                if percent == 100 * LEVEL:
                    width = (high - low) / 2 / both.value
                    found[f"{name}, {percent} %, {which}: half-width"].append(width)
    if in_detail:
        _in_detail(found, rng, model, frame, bought)
    return found


def _in_detail(
    found: dict[str, list[float]],
    rng: np.random.Generator,
    model: Any,
    frame: pd.DataFrame,
    bought: pd.Series,
) -> None:
    """The customers' intervals and the parameters'."""
    histories = compress(frame["frequency"], frame["recency"], frame["T"])
    params = draw_parameters(rng, model.params_.to_numpy(), model.log_covariance_, 200)
    horizon = float((END - AS_OF).days)
    drawn = np.array([model.simulate(rng, theta, histories, horizon)[1] for theta in params])
    y = bought.to_numpy()
    # Counts jump; where in its jump an outcome lies is drawn, so that 90 % means 90 %.
    place = (drawn < y).mean(axis=0) + rng.random(len(y)) * (drawn == y).mean(axis=0)
    found["customers' purchases, 90 %"].append(float(np.mean((place >= 0.05) & (place <= 0.95))))
    exact = BetaGeoFitter().fit(*uncut(rng, len(frame)))
    errors = 1.645 * np.sqrt(np.diag(exact.log_covariance_))
    for (name, truth), error in zip(PARAMETERS.items(), errors, strict=True):
        off = abs(np.log(exact.params_[name] / truth))
        found[f"parameter {name}, 90 %"].append(float(off <= error))


def uncut(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories (x, t_x, T) of n customers, in time that is not cut to days."""
    age = rng.uniform(30, (AS_OF - START).days, n)
    rate = rng.gamma(PARAMETERS["r"], 1 / PARAMETERS["alpha"], n)
    leaves = rng.beta(PARAMETERS["a"], PARAMETERS["b"], n)
    x, last, now, here = np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    while len(here):
        now[here] += rng.exponential(1, len(here)) / np.maximum(rate[here], 1e-12)
        here = here[now[here] < age[here]]
        x[here] += 1
        last[here] = now[here]
        here = here[rng.random(len(here)) >= leaves[here]]
    return x, last, age


def coverage(bases: int, customers: int, seed: int, kind: str) -> dict[str, float]:
    """Shares of intervals that hold the outcome, and median half-widths, over many bases."""
    found: dict[str, list[float]] = defaultdict(list)
    for number in range(bases):
        level = KINDS[kind]
        one = one_base(seed * 100_000 + number, customers, level, in_detail=level is steady)
        for name, values in one.items():
            found[name] += values
    return {
        name: float(np.median(v) if name.endswith("half-width") else np.mean(v))
        for name, v in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--bases", type=int, default=100, help="of each kind")
    parser.add_argument("--customers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for kind in KINDS:
        started = time.perf_counter()
        shares = coverage(asked.bases, asked.customers, asked.seed, kind)
        took = time.perf_counter() - started
        print(f"\n{kind}: {asked.bases} bases of {asked.customers:,} customers, {took:.0f} s")
        for name, share in shares.items():
            print(f"  {name:55s} {share:6.1%}")


if __name__ == "__main__":
    main()
