"""Made-up customers who were sent campaigns, chosen by what they are or do, with a known effect."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

WINDOW = 28
START = dt.date(2023, 1, 1)
#: A year of data for `orders`.
END = dt.date(2023, 12, 30)


def units(
    seed: int,
    customers: int = 1_200,
    stacks: int = 1,
    effect: float = 0.0,
    chosen_by: float = 1.5,
    growing: float = 0.0,
    kind: float = 0.0,
    share: float = 0.25,
    before: int = 3,
    after: int = 2,
) -> pd.DataFrame:
    """A panel as `comparable_history.panel` gives it, without an engine.

    Parameters
    ----------
    effect : float
        Added to a treated unit's revenue of window 0, in currency.
    chosen_by : float
        How much the odds of being treated grow with the purchases before.
    growing : float
        What nobody sees: treated units' purchases grow by this share a window, before the day too.
    kind : float
        How much the odds grow with a customer's own rate, of which purchases show only a part.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2.0, 1.5, customers)
    worth = np.exp(rng.normal(3.0, 0.5, customers))
    ks = list(range(-before, after))
    frames = []
    free = np.ones(customers, dtype=bool)
    for n in range(stacks):
        orders = rng.poisson(rate[:, None], (customers, len(ks)))
        seen = orders[:, :before].sum(axis=1)
        odds = chosen_by * (np.log1p(seen) - np.log1p(seen).mean())
        odds += kind * (np.log(rate) - np.log(rate).mean())
        odds += np.log(share / (1 - share))
        treated = free & (rng.random(customers) < 1 / (1 + np.exp(-odds)))
        if growing:
            drift = np.exp(growing * np.arange(-before + 1, after + 1))
            grown = rng.poisson(rate[:, None] * drift, (customers, len(ks)))
            orders = np.where(treated[:, None], grown, orders)
        noise = np.exp(rng.normal(0, 0.4, orders.shape))
        revenue = orders * worth[:, None] * noise
        revenue[treated, ks.index(0)] += effect
        frame = pd.DataFrame(
            {
                "stack": f"S{n}",
                "customer": [f"K{i}" for i in range(customers)],
                "day": pd.Timestamp("2024-03-01") + pd.Timedelta(days=28 * n),
                "treated": treated,
                "history": before,
                "clear": after,
                "first_days": 400,
            }
        )
        for at, k in enumerate(ks):
            frame[f"revenue_{k}"] = revenue[:, at]
            frame[f"orders_{k}"] = orders[:, at].astype(float)
            frame[f"bought_{k}"] = (orders[:, at] > 0).astype(float)
        # growth that didn't begin with the windows
        long_ago = np.exp(-growing * (before + 1) * treated)
        earlier = rng.poisson(4 * rate * long_ago)
        for s in range(before):
            frame[f"ever_{s}"] = earlier + orders[:, : before - s].sum(axis=1)
            frame[f"recency_{s}"] = np.minimum(rng.exponential(WINDOW / rate), 300.0)
            frame[f"sent_{s}"] = 0
        frames.append(frame[free | treated])
        free &= ~treated
    return pd.concat(frames, ignore_index=True)


def orders(
    seed: int, customers: int = 900, effect: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders of a year, and the campaigns sent: three in the year, the best customers first.

    Returns
    -------
    DataFrame
        customer, date, amount.
    DataFrame
        customer, start, end, group, campaign; `effect` is what each customer spends more in the
        four weeks of their first one, in one order of its own.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2.0, 1.2, customers) / WINDOW
    worth = np.exp(rng.normal(3.0, 0.4, customers))
    length = (END - START).days + 1
    bought = rng.random((customers, length)) < rate[:, None]
    who, on = np.nonzero(bought)
    amounts = worth[who] * np.exp(rng.normal(0, 0.3, len(who)))
    log = pd.DataFrame({"customer": who, "on": on, "amount": amounts})
    sent = []
    free = np.ones(customers, dtype=bool)
    for n, day in enumerate((133, 196, 259)):
        seen = bought[:, :day].sum(axis=1) / day * WINDOW
        odds = 1.2 * (np.log1p(seen) - np.log1p(seen).mean()) - 1.2
        chosen = free & (rng.random(customers) < 1 / (1 + np.exp(-odds)))
        free &= ~chosen
        at = np.flatnonzero(chosen)
        sent.append(pd.DataFrame({"customer": at, "on": day, "campaign": f"C{n}"}))
        if effect:
            extra = {"customer": at, "on": day + rng.integers(0, WINDOW, len(at))}
            log = pd.concat([log, pd.DataFrame({**extra, "amount": effect})])
    campaigns = pd.concat(sent, ignore_index=True)
    first = pd.Timestamp(START)
    log["date"] = first + pd.to_timedelta(log["on"], unit="D")
    log["customer"] = "K" + log["customer"].astype(str)
    campaigns["start"] = first + pd.to_timedelta(campaigns["on"], unit="D")
    campaigns["end"] = campaigns["start"] + pd.Timedelta(days=WINDOW - 1)
    campaigns["customer"] = "K" + campaigns["customer"].astype(str)
    campaigns["group"] = np.where(campaigns["campaign"] == "C0", "Mail", "Letter")
    return (
        log[["customer", "date", "amount"]].sort_values(["date", "customer"], ignore_index=True),
        campaigns[["customer", "start", "end", "group", "campaign"]],
    )
