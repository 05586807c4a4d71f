"""A made-up shop with a survey of which the truth is known: who answers, what they say, who stays.

Loyal customers buy more, answer more, and score higher; whether the score has anything to do with
what they buy next beyond that is for the caller to say.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

AS_OF = dt.date(2024, 12, 31)
ASKED = pd.Timestamp("2024-08-15")
"""Day on which the first were asked; the others over the five weeks after."""


@dataclass(frozen=True)
class MadeUp:
    """The shop and what is known of it.

    Parameters
    ----------
    orders : DataFrame
        customer, date, amount, market.
    survey : DataFrame
        customer, date, nps, csat, ces; blank scores of those who kept silent.
    nps : float
        Of all customers, had everybody answered.
    difference : float
        Of promoters and detractors, how much likelier the ones were to buy within 90 days, had both
        been alike in all else: the mean over the customers.
    """

    orders: pd.DataFrame
    survey: pd.DataFrame
    nps: float
    difference: float

    def write(self, folder: Path) -> None:
        """`orders.csv` and `survey.csv`, whole numbers without decimals."""
        self.orders.to_csv(folder / "orders.csv", index=False, date_format="%Y-%m-%d")
        whole = self.survey.assign(
            **{name: self.survey[name].astype("Int64") for name in ("nps", "csat", "ces")}
        )
        whole.to_csv(folder / "survey.csv", index=False, date_format="%Y-%m-%d")


def made_up(n: int = 4_000, effect: float = 0.0, confounding: float = 1.0, seed: int = 1) -> MadeUp:
    """A shop and its survey.

    Parameters
    ----------
    n : int
        Customers, all of them asked.
    effect : float
        What being a promoter rather than a detractor adds to the log-odds of buying within 90 days;
        half of it of a passive.
    confounding : float
        How much loyalty has to do with answering and with the score; 0 for not at all.
    seed : int
    """
    rng = np.random.default_rng(seed)
    loyal = rng.normal(size=n)
    asked = ASKED + pd.to_timedelta(rng.integers(0, 35, n), unit="D")
    purchases = 1 + rng.poisson(np.exp(0.7 + 0.6 * loyal))
    tenure = rng.integers(200, 900, n)
    # days of the purchases before, the last of them lately where the customer is loyal
    gaps = 5 + rng.exponential(90 * np.exp(-0.5 * loyal))
    away = np.minimum(gaps.astype(int), 300)
    often = np.repeat(np.arange(n), purchases)
    back = away[often] + (rng.random(len(often)) * (tenure - np.minimum(away, 190))[often])
    first_of = np.r_[True, often[1:] != often[:-1]]
    back = np.where(first_of, away[often], back).astype(int)
    price = np.exp(3.5 + 0.3 * loyal[often] + rng.normal(0, 0.5, len(often)))
    before = pd.DataFrame(
        {
            "customer": often,
            "date": asked[often] - pd.to_timedelta(back, unit="D"),
            "amount": np.round(price, 2),
        }
    )
    # the score hangs on what the orders show, so that like can be compared with like
    shown = 0.6 * (np.log(purchases) - 0.8) - 0.45 * (np.log1p(away) - 4)
    feeling = confounding * 0.8 * shown + rng.normal(0, 1, n)
    score = np.clip(np.round(8 + 1.8 * feeling), 0, 10)
    kind = (score >= 9).astype(float) - (score <= 6)
    base = -0.3 + 1.1 * shown
    chance = 1 / (1 + np.exp(-(base + effect * (kind + 1) / 2)))
    bought = rng.random(n) < chance
    then = asked + pd.to_timedelta(rng.integers(1, 91, n), unit="D")
    after = pd.DataFrame(
        {
            "customer": np.flatnonzero(bought),
            "date": then[bought],
            "amount": np.round(np.exp(3.5 + rng.normal(0, 0.5, int(bought.sum()))), 2),
        }
    )
    orders = pd.concat([before, after], ignore_index=True)
    names = np.array([f"k{i:05d}" for i in range(n)])
    market = np.where(rng.random(n) < 0.5, "north", "south")
    orders["market"] = market[orders["customer"]]
    orders["customer"] = names[orders["customer"]]
    answered = rng.random(n) < 1 / (1 + np.exp(-(-0.4 + confounding * 1.3 * shown)))
    survey = pd.DataFrame(
        {
            "customer": names,
            "date": asked,
            "nps": np.where(answered, score, np.nan),
            "csat": np.where(answered, np.clip(np.round(score / 2), 1, 5), np.nan),
            "ces": np.where(answered, np.clip(np.round(score * 0.7), 1, 7), np.nan),
        }
    )
    odds = [1 / (1 + np.exp(-(base + effect * half))) for half in (0.0, 1.0)]
    return MadeUp(
        orders[["customer", "date", "amount", "market"]],
        survey,
        float(100 * kind.mean()),
        float((odds[1] - odds[0]).mean()),
    )
