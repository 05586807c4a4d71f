"""For whom the answers speak: who answered against all customers, and the score weighted to them.

Who answers has as a rule bought more, and lately; loyal customers score higher, so that the raw
score is too good. Each answer gets a weight such that the weighted answers have as many customers
of each class of recency, frequency, spend and age of relationship as the customers have (raking:
Deming & Stephan 1940, Ann. Math. Stat. 11, 427-444). Classes are the customers' tenths, neighbours
put together until each holds `LEAST` answers; weights end at `MOST_WEIGHT` times their mean (Potter
1990, Proc. ASA Survey Research Methods, 225-230). The interval rests on the effective number of
answers n / (1 + cv²) (Kish 1965, Survey Sampling, 11.7), at which the shares are put into the raw
score's interval (as Korn & Graubard 1998, Survey Methodology 24, 193-201, do with shares).

What can be weighted for is what the orders know. Who dislikes surveys, or the shop, and shows it in
no purchase yet, stays unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lib.loyalty.survey_answers import FEWEST, Measure
from retention_lib.loyalty.survey_histories import STATE
from retention_lib.loyalty.survey_scores import Floats, counts, nps_many, unit
from retention_lib.retention.difference import Difference
from retention_lib.retention.intervals import Z, wilson_many

#: Fewest answers of a class.
LEAST: Final = 10
#: A weight's ceiling, in mean weights.
MOST_WEIGHT: Final = 5.0
#: Standard deviations from which means are called different (Austin 2009, Statistics in Medicine
#: 28, 3083-3107).
APART: Final = 0.1

#: Of made-up answers 21 points too good, fifths left 2, tenths less than 1.
_TENTHS: Final = tuple(k / 10 for k in range(1, 10))
_ROUNDS: Final = 200


@dataclass(frozen=True)
class Weighting:
    """The answers weighted to the customers.

    Parameters
    ----------
    n : int
        Answers of those who are customers by their orders.
    customers : int
        Customers that they are weighted to.
    value, low, high : float
        The weighted level, in the measure's unit.
    raw : float
        The level of the same answers without weights.
    shift : Difference
        Weighted less raw, with its interval.
    effective : float
        Number of answers drawn by lot that would be as sure.
    trimmed : int
        Answers whose weight was cut.
    balance : DataFrame
        A row each of `STATE`: `name`, `answered` (mean of who answered), `customers` (mean of all),
        `apart` (the difference in the customers' standard deviations), `weighted` (that after
        weighting), `p` (of chance).
    """

    n: int
    customers: int
    value: float
    low: float
    high: float
    raw: float
    shift: Difference
    effective: float
    trimmed: int
    balance: pd.DataFrame

    @property
    def differ(self) -> bool:
        """Whether who answered differs from the customers in anything, by more than chance."""
        frame = self.balance
        return bool(((frame["apart"].abs() >= APART) & (frame["p"] < 0.05 / len(frame))).any())

    @property
    def design_effect(self) -> float:
        """How many times the variance grew for being weighted."""
        return self.n / self.effective

    @property
    def balanced(self) -> bool:
        """Whether the weighted answers are like the customers in all that was looked at."""
        return bool((self.balance["weighted"].abs() < 2 * APART).all())


def weigh(
    measure: Measure, group: pd.Series, state: pd.DataFrame, target: pd.DataFrame
) -> Weighting | None:
    """Weight the answers to the customers.

    Parameters
    ----------
    measure : str
    group : Series
        Of each answer 1, 0 or −1.
    state : DataFrame
        By answer, with the same index: what was known of the customer (`STATE`).
    target : DataFrame
        The same of all customers.

    Returns
    -------
    Weighting or None
        None with fewer than `FEWEST` answers or customers, or where the weights leave fewer than
        so many effective answers.
    """
    if min(len(group), len(target)) < FEWEST:
        return None
    weights, trimmed = raked(state, target)
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    if effective < FEWEST:
        return None
    given = group.to_numpy(dtype=float)
    share = weights / weights.sum()
    best, worst = float(share[given > 0].sum()), float(share[given < 0].sum())
    y, times = counts(measure, given), unit(measure)
    if measure == "nps":
        value = 100 * (best - worst)
        low, high = nps_many(best * effective, worst * effective, effective)
    else:
        value = best
        low, high = wilson_many(min(best, 1.0) * effective, effective)
    n = len(given)
    # the same answers are in both, so that the difference is a sum over them
    terms = (share - 1 / n) * (y - float((share * y).sum()))
    error = times * float(np.sqrt(n / (n - 1) * (terms**2).sum()))
    raw = times * float(y.mean())
    shift = value - raw
    return Weighting(
        n=n,
        customers=len(target),
        value=value,
        low=float(low),
        high=float(high),
        raw=raw,
        shift=Difference(shift, shift - Z * error, shift + Z * error),
        effective=effective,
        trimmed=trimmed,
        balance=_balance(state, target, share),
    )


def raked(state: pd.DataFrame, target: pd.DataFrame) -> tuple[Floats, int]:
    """Weights of mean 1 that give the answers the customers' classes, and how many were cut.

    Parameters
    ----------
    state, target : DataFrame
        `STATE`, by answer and by customer.
    """
    margins = [
        margin
        for name in STATE
        if (margin := _classes(state[name].to_numpy(float), target[name].to_numpy(float)))
    ]
    weights = np.ones(len(state))
    cut = np.zeros(len(state), dtype=bool)
    for _ in range(_ROUNDS):
        before = weights
        for of, wanted in margins:
            have = np.bincount(of, weights=weights, minlength=len(wanted))
            weights = weights * (wanted * len(state) / have)[of]
        cut = weights > MOST_WEIGHT * weights.mean()
        weights = np.minimum(weights, MOST_WEIGHT * weights.mean())
        if np.abs(weights - before).max() < 1e-9:
            break
    return weights / weights.mean(), int(cut.sum())


def _classes(answers: Floats, customers: Floats) -> tuple[NDArray[np.int64], Floats] | None:
    """The class of each answer, and the customers' share of each class; None of a single one."""
    cuts = list(np.unique(np.quantile(customers, _TENTHS, method="inverted_cdf")))
    while cuts:
        of = np.searchsorted(cuts, answers, side="left")
        size = np.bincount(of, minlength=len(cuts) + 1)
        own = np.bincount(np.searchsorted(cuts, customers, side="left"), minlength=len(cuts) + 1)
        poor = np.flatnonzero((size < LEAST) | (own == 0))
        if not poor.size:
            return of.astype(np.int64), own / own.sum()
        first = int(poor[0])
        # with the neighbour that has fewer answers
        left, right = first - 1, first + 1
        if left < 0:
            gone = 0
        elif right > len(cuts):
            gone = first - 1
        else:
            gone = first - 1 if size[left] <= size[right] else first
        cuts.pop(gone)
    return None


def _balance(state: pd.DataFrame, target: pd.DataFrame, share: Floats) -> pd.DataFrame:
    from scipy.stats import norm

    rows = []
    for name in STATE:
        have, want = state[name].to_numpy(float), target[name].to_numpy(float)
        # amounts and counts are skewed: apart they are told on a scale that a giant doesn't rule
        scaled, wanted = (np.log1p(np.maximum(x, 0.0)) for x in (have, want))
        spread = float(wanted.std())
        gap = float(scaled.mean() - wanted.mean())
        after = float((share * scaled).sum() - wanted.mean())
        error = float(np.hypot(scaled.std(ddof=1) / len(have) ** 0.5, spread / len(want) ** 0.5))
        rows.append(
            {
                "name": name,
                "answered": float(have.mean()),
                "customers": float(want.mean()),
                "apart": gap / spread if spread else 0.0,
                "weighted": after / spread if spread else 0.0,
                "p": float(2 * norm.sf(abs(gap) / error)) if error else 1.0,
            }
        )
    return pd.DataFrame(rows)
