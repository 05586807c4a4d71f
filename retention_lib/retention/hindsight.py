"""Whether a rule of some months ago told who would come back: its groups, and its order.

Two questions. Did those whom the rule called late come back less often than those whom it didn't?
And did its order, the worst first, put those who stayed away at the top? The second is measured by
the area under the ROC curve: the chance that of two customers, one who came back and one who
didn't, the rule has the latter as the worse. Half is what drawing lots gives.

Variance and covariance of such areas on the same customers: DeLong, DeLong & Clarke-Pearson (1988),
Biometrics 44, 837-845, by midranks (Sun & Xu 2014).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.retention.homogeneity import LEVEL, holm
from retention_lib.retention.intervals import Z, wilson_many

#: Part of a list that is looked at first.
FIRST: Final = 0.20


@dataclass(frozen=True)
class Hindsight:
    """What became of the customers whom rules judged some months ago.

    Parameters
    ----------
    months : int
        How long they were watched.
    states : DataFrame
        `rule`, `state`, `n` customers, `share` of them who bought again, `low`, `high` (Wilson).
    orders : DataFrame
        `rule`; `n` customers, all rules' the same; `auc`, `low`, `high`; `first_share`, of the
        fifth that the rule puts first who bought again, `first_low`, `first_high` (Wilson);
        `against`, area less that of the first rule, `against_low`, `against_high`, and `differs`,
        whether by more than chance (Holm, 5 %). Empty where all came back or nobody did.
    """

    months: int
    states: pd.DataFrame
    orders: pd.DataFrame


def came_back(state: pd.Series, bought: pd.Series, rule: str) -> pd.DataFrame:
    """The share of each state's customers who bought again.

    Parameters
    ----------
    state : Series of category
        By customer.
    bought : Series of bool
        By the same customers.
    rule : str
        Name of the rule that gave the states.

    Returns
    -------
    DataFrame
        `rule`, `state`, `n`, `share`, `low`, `high`, in the order of the categories; states that
        hold nobody are left out.
    """
    counted = bought.groupby(state, observed=True).agg(["size", "sum"])
    low, high = wilson_many(counted["sum"], counted["size"])
    return pd.DataFrame(
        {
            "rule": rule,
            "state": counted.index.astype(str),
            "n": counted["size"].to_numpy(dtype="int64"),
            "share": (counted["sum"] / counted["size"]).to_numpy(dtype=float),
            "low": low,
            "high": high,
        }
    )


def compare_orders(scores: Mapping[str, pd.Series], bought: pd.Series) -> pd.DataFrame:
    """How well several rules, each a score, tell who comes back.

    Parameters
    ----------
    scores : mapping of rule to Series
        By customer, the higher the likelier to come back; no NaN.
    bought : Series of bool
        By the same customers, whether they did.

    Returns
    -------
    DataFrame
        As `Hindsight.orders`.
    """
    columns = ["rule", "n", "auc", "low", "high", "first_share", "first_low", "first_high"]
    columns += ["against", "against_low", "against_high", "differs"]
    back = bought.to_numpy(dtype=bool)
    if len(back) < 2 or back.all() or not back.any():
        return pd.DataFrame(columns=columns)
    places = [_placements(score.to_numpy(dtype=float), back) for score in scores.values()]
    area = np.array([float(of_back.mean()) for of_back, _ in places])
    covariance = sum(
        np.atleast_2d(np.cov(np.array(side), ddof=1)) / len(side[0]) if len(side[0]) > 1 else 0.0
        for side in zip(*places, strict=True)
    ) * np.ones((len(area), len(area)))
    rows, chances = [], []
    for k, (rule, score) in enumerate(scores.items()):
        spread = Z * math.sqrt(max(covariance[k, k], 0.0))
        apart = covariance[k, k] + covariance[0, 0] - 2 * covariance[k, 0]
        error = math.sqrt(max(apart, 0.0))
        beside = Z * error
        if k:
            chances.append(math.erfc(abs(area[k] - area[0]) / error / 2**0.5) if error else 1.0)
        first = _first(score, back)
        low, high = wilson_many([first.sum()], [len(first)])
        rows.append(
            (
                *(rule, len(back), area[k], max(area[k] - spread, 0.0), min(area[k] + spread, 1.0)),
                *(float(first.mean()), float(low[0]), float(high[0])),
                *(area[k] - area[0], area[k] - area[0] - beside, area[k] - area[0] + beside),
            )
        )
    differs = [False, *(holm(chances) < LEVEL).tolist()]
    return pd.DataFrame(rows, columns=columns[:-1]).assign(differs=differs)


def _placements(score: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each who came back, the share of the others below; for each other, of those above."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    yes, no = score[back], score[~back]
    of_back = (ranks[back] - rankdata(yes)) / len(no)
    of_others = 1 - (ranks[~back] - rankdata(no)) / len(yes)
    return of_back, of_others


def _first(score: pd.Series, back: np.ndarray) -> np.ndarray:
    """Who came back of those whom a rule puts first; equals in the order that they came in."""
    order = np.argsort(score.to_numpy(dtype=float), kind="stable")
    return back[order[: math.ceil(FIRST * len(back))]]
