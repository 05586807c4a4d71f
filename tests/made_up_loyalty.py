"""A made-up Norwegian coffee club with every data set beside its orders.

    python tests/made_up_loyalty.py FOLDER
    retention report FOLDER/kaffeklubben.yaml

The truth is known: joining raises what a member buys by `UPLIFT`, the summer mail by `MAIL` of a
purchase, who subscribes stays as `made_up_subscriptions.Truth` says; loyal customers join, answer
and score higher. The files are written as shops here export them: semicolons, decimal commas,
Windows-1252.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import made_up_programme
import made_up_subscriptions
import numpy as np
import pandas as pd

UPLIFT, MAIL = 0.15, 0.25
MAILED = pd.Timestamp("2024-07-01")
ASKED = pd.Timestamp("2024-09-02")
CUSTOMERS = 2_500

CLIENT = "kaffeklubben"
ORDERS = f"""\
client: {CLIENT}
title: Kaffeklubben
language: {{language}}
currency: NOK
margin: 0.4
source: ordrer.csv
columns: {{{{customer: Kundenr, date: Dato, amount: Beløp}}}}
"""
FURTHER = {
    "programme": """\
programme:
  members: {source: medlemmer.csv, columns: {customer: Kundenr, joined: Inn, left: Ut, tier: Nivå}}
  ledger:
    source: poeng.csv
    columns: {customer: Kundenr, date: Dato, earned: Opptjent, redeemed: Brukt, expired: Utløpt}
  point_value: 0.05
  cost_per_year: 20000
""",
    "experiments": """\
experiments:
  sommerbrev:
    title: Sommerbrevet
    source: sommerbrev.csv
    columns: {customer: Kundenr, group: Gruppe, start: Sendt}
    control: ingen
    days: 60
    cost: 4
""",
    "survey": """\
survey:
  source: svar.csv
  columns: {customer: Kundenr, date: Dato, nps: Anbefaler}
""",
    "subscriptions": """\
subscriptions:
  source: abonnement.csv
  columns: {customer: Kundenr, start: Fra, end: Til, amount: Pris, plan: Pakke}
""",
}


@dataclass(frozen=True)
class Club:
    """The club's tables, by the name of their file without its ending."""

    tables: dict[str, pd.DataFrame]


def club(seed: int = 5) -> Club:
    """The club, the same for the same seed."""
    rng = np.random.default_rng(seed)
    shop = made_up_programme.shop(CUSTOMERS, uplift=UPLIFT, seed=seed)
    orders = shop.orders.rename(columns={"day": "date"})
    known = np.sort(orders.loc[orders["date"] < MAILED, "customer"].unique())
    mailed = rng.random(len(known)) < 0.5
    groups = pd.DataFrame(
        {"customer": known, "group": np.where(mailed, "brev", "ingen"), "start": MAILED}
    )
    buys = known[mailed & (rng.random(len(known)) < MAIL)]
    more = pd.DataFrame(
        {
            "customer": buys,
            "date": MAILED + pd.to_timedelta(rng.integers(1, 60, len(buys)), unit="D"),
            "amount": np.round(rng.lognormal(3.6, 0.5, len(buys)), 2),
        }
    )
    orders = pd.concat([orders, more], ignore_index=True).sort_values(["date", "customer"])
    orders["amount"] = (10 * orders["amount"]).round(2)  # kroner
    subscribers = made_up_subscriptions.made_up(700, seed=seed)
    # one in two is a customer of the shop, too
    number = subscribers["customer"].str[1:].astype(int)
    also = (number % 2 == 0) & (number < CUSTOMERS)
    names = "k" + number.astype(str).str.zfill(5)
    subscribers["customer"] = subscribers["customer"].mask(also, names)
    return Club(
        {
            "ordrer": _named(orders, Kundenr="customer", Dato="date", Beløp="amount"),
            "medlemmer": _named(
                shop.members, Kundenr="customer", Inn="joined", Ut="left", Nivå="tier"
            ),
            "poeng": _named(
                shop.ledger,
                **{"Kundenr": "customer", "Dato": "date", "Opptjent": "earned"},
                **{"Brukt": "redeemed", "Utløpt": "expired"},
            ),
            "sommerbrev": _named(groups, Kundenr="customer", Gruppe="group", Sendt="start"),
            "svar": _named(_survey(orders, rng), Kundenr="customer", Dato="date", Anbefaler="nps"),
            "abonnement": _named(
                subscribers,
                **{"Kundenr": "customer", "Fra": "start", "Til": "end"},
                **{"Pris": "amount", "Pakke": "plan"},
            ),
        }
    )


def write(folder: Path, *given: str, language: str = "nb", made: Club | None = None) -> Path:
    """Write the client file, with the data sets named (all by default), and all tables.

    Parameters
    ----------
    folder : Path
    *given : str
        Keys of the client file; "orders" for none of them.
    language : str
    made : Club, optional
    """
    for name, table in (made or club()).tables.items():
        table.to_csv(
            folder / f"{name}.csv",
            sep=";",
            decimal=",",
            index=False,
            encoding="windows-1252",
            date_format="%d.%m.%Y",
        )
    keys = [name for name in FURTHER if not given or name in given]
    file = folder / f"{CLIENT}.yaml"
    text = ORDERS.format(language=language) + "".join(FURTHER[name] for name in keys)
    file.write_text(text, encoding="utf-8")
    return file


def _survey(orders: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Who bought in the year before is asked; the loyal answer more, and score higher."""
    year = orders[(orders["date"] < ASKED) & (orders["date"] >= ASKED - pd.Timedelta(365, "D"))]
    bought = year.groupby("customer").size()
    loyal = np.log(bought.to_numpy()) - np.log(bought.to_numpy()).mean()
    score = np.clip(np.round(7.7 + 0.8 * loyal + rng.normal(0, 2, len(bought))), 0, 10)
    answers = rng.random(len(bought)) < 1 / (1 + np.exp(0.4 - 0.9 * loyal))
    return pd.DataFrame(
        {
            "customer": bought.index,
            "date": ASKED + pd.to_timedelta(rng.integers(0, 14, len(bought)), unit="D"),
            "nps": pd.Series(np.where(answers, score, np.nan)).astype("Int64").to_numpy(),
        }
    )


def _named(frame: pd.DataFrame, **columns: str) -> pd.DataFrame:
    return frame[[*columns.values()]].set_axis([*columns], axis=1)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print(write(folder))
