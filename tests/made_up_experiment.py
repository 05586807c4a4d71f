"""A small shop with a test of which the truth is known: `python tests/made_up_experiment.py DIR`.

Customers buy at random, each at a rate of the own, amounts skewed as amounts are. For every
customer it is drawn whether the mail would bring one more order in the window, and of what amount;
only those whom the lot gave the mail make it. So the effect is known, not estimated: it is the mean
over all customers of what the mail would bring.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: The data ends, and the test starts.
END, START = dt.date(2024, 12, 31), dt.date(2024, 7, 1)
HISTORY = 730
DAYS = 90

CLIENT_FILE = """\
client: mailshop
title: Mail shop
currency: EUR
source: orders.csv
columns: {{customer: customer, date: date, amount: amount}}
csv: {{delimiter: ";", decimal: "."}}
as_of: {as_of}
margin: 0.4
experiments:
  summer_mail:
    title: Summer mail
    source: groups.csv
    columns: {{customer: customer, group: group, start: start}}
    control: none
    split: {{none: 0.3, mail: 0.7}}
    days: {days}
    cost: 0.5
"""


@dataclass(frozen=True)
class Shop:
    """What was made, and the truth of it, per customer of the test."""

    orders: pd.DataFrame  # customer, date, amount
    groups: pd.DataFrame  # customer, group, start
    bought: float  # share of customers whom the mail makes buyers
    orders_more: float
    revenue: float


def shop(
    customers: int = 6_000,
    *,
    seed: int = 11,
    effect: float = 0.08,
    control: float = 0.3,
    arms: tuple[str, ...] = ("mail",),
    skew: float = 0.8,
    rolling: int = 0,
) -> Shop:
    """Orders and groups of a test.

    Parameters
    ----------
    effect : float
        Share of customers whom the mail makes order once more.
    control : float
        Share of the control group, `none`; the arms share the rest.
    skew : float
        Standard deviation of an amount's logarithm.
    rolling : int
        Days over which the customers come into the test; 0 for one day.
    """
    dice = np.random.default_rng(seed)
    ids = np.array([f"c{n:06d}" for n in range(customers)])
    rate = dice.gamma(0.8, 1 / 0.8, customers) * 2.2 / 365  # orders a day
    counts = dice.poisson(rate * HISTORY)
    who = np.repeat(np.arange(customers), counts)
    day = dice.integers(0, HISTORY, who.size)
    spend = np.exp(dice.normal(3.6, 0.4, customers))  # a customer's own level
    amount = spend[who] * np.exp(dice.normal(0, skew, who.size))
    start = (START - END).days + HISTORY - 1 + dice.integers(0, rolling + 1, customers)
    responds = dice.random(customers) < effect
    extra_day = start + dice.integers(0, DAYS, customers)
    extra = np.round(spend * np.exp(dice.normal(0, skew, customers)), 2)
    group = dice.choice(
        ["none", *arms], customers, p=[control, *[(1 - control) / len(arms)] * len(arms)]
    )
    more = responds & (group != "none") & (extra_day < HISTORY)
    first = pd.Timestamp(END) - pd.Timedelta(days=HISTORY - 1)
    orders = pd.DataFrame(
        {
            "customer": ids[np.concatenate([who, np.flatnonzero(more)])],
            "date": first + pd.to_timedelta(np.concatenate([day, extra_day[more]]), unit="D"),
            "amount": np.round(np.concatenate([amount, extra[more]]), 2),
        }
    )
    inside = (day >= start[who]) & (day < start[who] + DAYS)
    buys = np.bincount(who[inside], minlength=customers) > 0
    return Shop(
        orders=orders.sort_values(["date", "customer"], ignore_index=True),
        groups=pd.DataFrame(
            {"customer": ids, "group": group, "start": first + pd.to_timedelta(start, unit="D")}
        ),
        bought=float((responds & ~buys).mean()),
        orders_more=float(responds.mean()),
        revenue=float(np.where(responds, extra, 0.0).mean()),
    )


def write(folder: Path, made: Shop | None = None, as_of: dt.date = END) -> Path:
    """Write the shop's files; the client file's path."""
    made = made or shop()
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in (("orders", made.orders), ("groups", made.groups)):
        frame.to_csv(folder / f"{name}.csv", sep=";", index=False, date_format="%Y-%m-%d")
    file = folder / "mailshop.yaml"
    file.write_text(CLIENT_FILE.format(as_of=as_of, days=DAYS), encoding="utf-8")
    return file


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
