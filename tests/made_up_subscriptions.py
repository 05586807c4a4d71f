"""A made-up base of subscribers of known truth: how likely each is to leave, how often prices rise.

Each subscriber has a chance of not renewing, drawn once from Beta(α, β), and plays with it at the
end of every billing period; so the truth of a curve is the model's. Some of the lost return some
months later. A part of the renewals changes the plan, up or down. Deterministic by its seed.

    python tests/made_up_subscriptions.py subscriptions.csv
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retention_lib.loyalty.subscription_rows import dates, day_number, renewal_days

PLANS = ("Basis", "Pluss", "Familie")
PRICES = (99.0, 149.0, 249.0)


@dataclass(frozen=True)
class Truth:
    """What the base is made with.

    Parameters
    ----------
    alpha, beta : float
        Of the chance of not renewing.
    up, down : float
        Chance at a renewal that a plan higher, or lower, follows.
    returns : float
        Share of the lost who come back, two to six months later.
    start, as_of : date
        Subscribers begin evenly between them.
    months : int
        Of a billing period.
    """

    alpha: float = 0.7
    beta: float = 3.2
    up: float = 0.012
    down: float = 0.006
    returns: float = 0.1
    start: dt.date = dt.date(2021, 1, 1)
    as_of: dt.date = dt.date(2024, 12, 31)
    months: int = 1


def made_up(
    subscribers: int = 3_000, seed: int = 1, truth: Truth | None = None, notice: float = 0.3
) -> pd.DataFrame:
    """Rows of subscriptions as a client sends them, known on the day `as_of`.

    Parameters
    ----------
    subscribers : int
    seed : int
    truth : Truth, optional
    notice : float
        Share of those who won't renew next time who have said so already.

    Returns
    -------
    DataFrame
        customer, start, end, amount, plan.
    """
    of = truth or Truth()
    rng = np.random.default_rng(seed)
    first, last = day_number(of.start), day_number(of.as_of)
    began = np.sort(rng.integers(first, last + 1, subscribers))
    who = np.arange(subscribers)
    parts = [_stay(who, began, rng, of, notice)]
    gone = parts[0].groupby("who")["end"].max()
    gone = gone[gone <= last]
    back = gone.index[rng.random(len(gone)) < of.returns].to_numpy()
    again = gone.loc[back].to_numpy() + rng.integers(60, 180, len(back))
    here = again <= last
    parts.append(_stay(back[here], again[here], rng, of, notice))
    rows = pd.concat(parts, ignore_index=True).sort_values(["who", "start"], kind="stable")
    return pd.DataFrame(
        {
            "customer": [f"S{n:05}" for n in rows["who"]],
            "start": dates(rows["start"]).to_numpy(),
            "end": dates(rows["end"]).to_numpy(),
            "amount": np.array(PRICES)[rows["plan"].to_numpy()] * of.months,
            "plan": np.array(PLANS, dtype=object)[rows["plan"].to_numpy()],
        }
    ).reset_index(drop=True)


def _stay(
    who: np.ndarray, began: np.ndarray, rng: np.random.Generator, of: Truth, notice: float
) -> pd.DataFrame:
    """One stay of each, a row for each run of periods on one plan."""
    last = day_number(of.as_of)
    n = len(who)
    if not n:
        return pd.DataFrame({name: [] for name in ("who", "start", "end", "plan")}).astype("int64")
    lives = rng.geometric(np.maximum(rng.beta(of.alpha, of.beta, n), 1e-9))
    plan = rng.choice(len(PLANS), n, p=[0.5, 0.35, 0.15])
    told = rng.random(n) < notice
    start, running, rows = began.copy(), np.ones(n, dtype=bool), []
    for period in range(1, (last - day_number(of.start)) // (28 * of.months) + 3):
        due = renewal_days(began, np.full(n, period), of.months)
        # the period that runs on the last day is one of which only notices are known
        ends = running & (lives == period)
        known = ends & ((due <= last) | told)
        draw = rng.random(n)
        to = np.where(draw < of.up, plan + 1, np.where(draw > 1 - of.down, plan - 1, plan))
        to = np.clip(to, 0, len(PLANS) - 1)
        moves = running & ~ends & (to != plan) & (due <= last)
        over = running & ~known & ~moves & (due > last)
        for which, close in ((known | moves, due - 1), (over, np.full(n, 2**31))):
            rows.append(
                pd.DataFrame(
                    {
                        "who": who[which],
                        "start": start[which],
                        "end": close[which],
                        "plan": plan[which],
                    }
                )
            )
        start = np.where(moves, due, start)
        plan = np.where(moves, to, plan)
        running &= ~known & ~over & ~(ends & (due <= last))
    return pd.concat(rows, ignore_index=True).astype("int64")


def main() -> None:
    """Write the rows to the file named."""
    made_up().to_csv(Path(sys.argv[1]), index=False, date_format="%Y-%m-%d")


if __name__ == "__main__":
    main()
