"""A shop with a loyalty programme whose truth is known: who joins, and what joining does.

Customers buy at a rate of their own. Those who buy more join more readily (selection), so that
members spend far more than others; joining raises the rate by a share that is put in. Points are
earned with each purchase as a member, redeemed and let expire at rates that are put in.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.datasets import DataSet
from retention_lib.data.read import read_base
from retention_lib.params import Params

START, END = dt.date(2023, 1, 1), dt.date(2024, 12, 31)
DAYS = (END - START).days + 1


@dataclasses.dataclass(frozen=True)
class Shop:
    """orders: customer, day, amount; members: customer, joined, left, tier; ledger."""

    orders: pd.DataFrame
    members: pd.DataFrame
    ledger: pd.DataFrame


def shop(
    customers: int = 3000,
    uplift: float = 0.0,
    selection: float = 1.0,
    hidden: float = 0.0,
    seed: int = 1,
) -> Shop:
    """Make one up, month by month.

    Parameters
    ----------
    customers : int
    uplift : float
        By which joining raises the rate of buying: its relative effect on revenue.
    selection : float
        How much the purchases of the last four months raise the odds of joining; 0 for none.
    hidden : float
        How much the own rate raises them beside, which purchases show only in part: no comparison
        of what is known can take it off.
    seed : int
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.6, 1 / 40, customers)  # purchases a day
    size = rng.lognormal(3.6, 0.3, customers)
    came = rng.integers(-400, 300, customers)  # some before the data begin
    joined = np.full(customers, 10**6)
    bought = np.zeros((customers, DAYS), bool)
    day = np.arange(DAYS)
    for first in range(0, DAYS, 30):
        span = day[first : first + 30]
        lately = bought[:, max(first - 120, 0) : first].sum(axis=1)
        odds = -4.6 + selection * np.log1p(lately) + hidden * np.log(rate * 40)
        joins = (joined > DAYS) & (first >= 120) & (rng.random(customers) < 1 / (1 + np.exp(-odds)))
        joined[joins] = first + rng.integers(0, len(span), joins.sum())
        rates = rate[:, None] * np.where(span >= joined[:, None], 1 + uplift, 1.0)
        rates = np.where(span >= came[:, None], rates, 0.0)
        bought[:, span] = rng.random(rates.shape) < 1 - np.exp(-rates)
    is_member = joined < DAYS
    who, when = np.nonzero(bought)
    amounts = np.round(size[who] * rng.lognormal(0, 0.4, len(who)), 2)
    ids = np.array([f"k{n:05}" for n in range(customers)])
    start = pd.Timestamp(START)
    orders = pd.DataFrame(
        {"customer": ids[who], "day": start + pd.to_timedelta(when, "D"), "amount": amounts}
    )
    left = joined + rng.integers(60, 400, customers)
    stays = (rng.random(customers) > 0.08) | (left >= DAYS)
    days = start + pd.to_timedelta(np.minimum(left, DAYS), "D")
    members = pd.DataFrame(
        {
            "customer": ids[is_member],
            "joined": start + pd.to_timedelta(joined[is_member], "D"),
            "left": pd.Series(days[is_member]).mask(stays[is_member]),
            "tier": np.where(rate[is_member] > 0.05, "gold", "blue"),
        }
    )
    return Shop(orders, members, _ledger(orders, members, rng))


#: Months that a point lives.
LIFE = 12


def used_oldest_first(
    earned: np.ndarray, chance: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What customers redeem at the end of each month, and what expires after `LIFE` months.

    Parameters
    ----------
    earned : ndarray, shape (n, months)
    chance : ndarray, shape (n, 1)
        Of redeeming about half of what one has, in a month; each customer's own.
    rng : Generator

    Returns
    -------
    redeemed, expired : ndarray, shape (n, months)
        By the month in which it happened.
    redeemed_of : ndarray, shape (n, months)
        Redeemed by the month in which it was earned.
    """
    n, months = earned.shape
    left, redeemed_of = np.zeros((n, months)), np.zeros((n, months))
    redeemed, expired = np.zeros((n, months)), np.zeros((n, months))
    for month in range(months):
        left[:, month] = earned[:, month]
        wants = rng.random((n, 1)) < chance
        want = np.floor(left.sum(axis=1, keepdims=True) * rng.uniform(0.2, 0.8, (n, 1))) * wants
        taken = np.clip(want - (np.cumsum(left, axis=1) - left), 0.0, left)
        left -= taken
        redeemed_of += taken
        redeemed[:, month] = taken.sum(axis=1)
        if month >= LIFE:
            expired[:, month] = left[:, month - LIFE]
            left[:, month - LIFE] = 0.0
    return redeemed, expired, redeemed_of


def _ledger(orders: pd.DataFrame, members: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A point for each unit of money, used oldest first; a redeemed one costs a cent."""
    bought = orders.merge(members[["customer", "joined"]], on="customer")
    bought = bought[bought["day"] >= bought["joined"]]
    bought = bought.assign(points=np.floor(bought["amount"]))
    ends = pd.period_range(START, END, freq="M")
    month = bought["day"].dt.to_period("M").astype("int64") - ends[0].ordinal
    who, names = pd.factorize(bought["customer"])
    earned = np.zeros((len(names), len(ends)))
    np.add.at(earned, (who, month.to_numpy()), bought["points"].to_numpy())
    chance = rng.uniform(0.05, 0.4, (len(names), 1))
    redeemed, expired, _ = used_oldest_first(earned, chance, rng)
    got = pd.DataFrame(
        {"customer": bought["customer"], "date": bought["day"], "earned": bought["points"]}
    ).assign(redeemed=0.0, expired=0.0, cost=0.0)
    n, m = np.nonzero(redeemed + expired)
    used = pd.DataFrame(
        {
            "customer": names[n],
            "date": ends.to_timestamp(how="end").normalize()[m],
            "earned": 0.0,
            "redeemed": redeemed[n, m],
            "expired": expired[n, m],
            "cost": 0.01 * redeemed[n, m],
        }
    )
    ledger = pd.concat([got, used], ignore_index=True)
    return ledger.sort_values(["date", "customer"], kind="stable", ignore_index=True)


def data_set(name: str, frame: pd.DataFrame) -> DataSet:
    """A frame as the data layer hands it over."""
    types = {
        **dict.fromkeys(("customer", "tier"), "string"),
        **dict.fromkeys(("joined", "left", "date"), "date"),
        **dict.fromkeys(("earned", "redeemed", "expired", "cost"), "float64"),
    }
    rows = frame.astype({n: "object" for n in ("customer", "tier") if n in frame})
    schema = {column: types[column] for column in rows.columns}
    return DataSet(
        name=name,
        table=ibis.memtable(rows, schema=schema),
        left_out=pd.DataFrame({"cause": [], "rows": pd.Series([], dtype="int64")}),
        rows_in=len(rows),
        names=(f"{name}.csv",),
        fingerprint=name,
        mapped=tuple(rows.columns),
    )


def base(
    made: Shop,
    folder: Path,
    *,
    ledger: bool = True,
    programme: dict[str, object] | None = None,
    **keys: object,
) -> Base:
    """The shop, opened; `keys` are further keys of the client file."""
    for name, frame in (
        ("orders", made.orders),
        ("members", made.members),
        ("ledger", made.ledger),
    ):
        frame.to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    given: dict[str, object] = {
        "members": {
            "source": "members.csv",
            "columns": {"customer": "customer", "joined": "joined"},
        },
        **(programme or {}),
    }
    if ledger:
        columns = {n: n for n in ("customer", "date", "earned", "redeemed", "expired", "cost")}
        given["ledger"] = {"source": "ledger.csv", "columns": columns}
    params = Params.model_validate(
        {
            "client": "points",
            "title": "Points",
            "source": "orders.csv",
            "currency": "EUR",
            "columns": {"customer": "customer", "date": "day", "amount": "amount"},
            "as_of": END,
            "programme": given,
            **keys,
        }
    )
    opened = read_base(params.model_copy(update={"programme": None}), folder)
    sets = {"members": data_set("members", made.members)}
    if ledger:
        sets["ledger"] = data_set("ledger", made.ledger)
    return dataclasses.replace(opened, params=params, datasets=sets)
