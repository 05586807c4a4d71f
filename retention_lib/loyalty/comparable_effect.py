"""What treatment did to the treated, stack by stack and together, with its interval.

In each stack the untreated are weighted to the treated's means (`comparable_balance`), and what is
left is taken off by a regression of the outcome on the covariates among them. The covariates have
the outcome of the windows before, so that the difference of the levels is that of the changes: the
doubly robust difference in differences of Sant'Anna & Zhao (2020, J. Econometrics 219, 101-122,
eq. 2.5), its weights by entropy balancing.

Stacks are added up by their treated units. A customer can be in several stacks; the standard error
comes from each customer's influence, added over its stacks (Liang & Zeger 1986), the residuals of
the weighted raised by their leverage (HC3: MacKinnon & White 1985), which matters where the weights
rest on few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.loyalty.comparable_balance import (
    Array,
    Mask,
    balanced,
    comparable,
    differences,
    standardised,
)
from retention_lib.retention.intervals import Z

#: Treated units of a stack that a comparison needs.
LEAST_TREATED: Final = 2
#: Untreated units of a stack that a comparison needs.
LEAST_OTHERS: Final = 30


@dataclass(frozen=True)
class Effect:
    """What treatment did to a treated unit on average, in the outcome's unit.

    Parameters
    ----------
    value, low, high : float
        Treated less comparable, with an interval of 95 %; NaN where it can't be known.
    error : float
        Standard error.
    treated : int
        Treated units compared.
    mean : float
        The treated's mean.
    without : float
        What comparable units had: the treated's mean less the effect.
    relative, relative_low, relative_high : float
        The effect in shares of `without`; NaN where that isn't above 0.
    raw : float
        The treated's mean less that of all others of their stacks: no effect.
    """

    value: float
    low: float
    high: float
    error: float
    treated: int
    mean: float
    without: float
    relative: float
    relative_low: float
    relative_high: float
    raw: float

    @property
    def known(self) -> bool:
        """Whether there is an estimate with an interval."""
        return math.isfinite(self.value) and math.isfinite(self.error)

    @property
    def sure(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.known and (self.low > 0 or self.high < 0)


UNKNOWN: Final = Effect(
    value=math.nan,
    low=math.nan,
    high=math.nan,
    error=math.nan,
    treated=0,
    mean=math.nan,
    without=math.nan,
    relative=math.nan,
    relative_low=math.nan,
    relative_high=math.nan,
    raw=math.nan,
)


@dataclass(frozen=True)
class Stack:
    """The units of one stack that are compared, with their weights.

    Parameters
    ----------
    name : str
    rows : ndarray of int, shape (n,)
        Their places in the panel.
    treated : ndarray of bool, shape (n,)
    scaled : ndarray, shape (n, k)
        Covariates on one scale, around the treated's means.
    varies : ndarray of bool
        Which of all covariates these are.
    weights : ndarray, shape (untreated,)
    effective : float
        Effective number of the untreated.
    found : int
        Treated units before those without comparable ones were left out.
    before : ndarray, shape (k,)
        Standardised differences before weighting, of all treated; `after` it, of those compared.
    after : ndarray, shape (k,)
    """

    name: str
    rows: np.ndarray
    treated: Mask
    scaled: Array
    varies: Mask
    weights: Array
    effective: float
    found: int
    before: Array
    after: Array


def made_alike(name: str, rows: np.ndarray, treated: Mask, covariates: Array) -> Stack | str:
    """The units of a stack made alike.

    Parameters
    ----------
    name : str
    rows : ndarray of int, shape (n,)
        Their places in the panel.
    treated : ndarray of bool, shape (n,)
    covariates : ndarray, shape (n, k)

    Returns
    -------
    Stack or str
        Or why not: `few_treated`, `few_others`, `none_comparable`.
    """
    found = int(treated.sum())
    if found < LEAST_TREATED:
        return "few_treated"
    if len(treated) - found < LEAST_OTHERS:
        return "few_others"
    scaled, varies = standardised(covariates, treated)
    before = differences(scaled, treated)
    kept = comparable(scaled, treated)
    if int((kept & treated).sum()) < LEAST_TREATED:
        return "none_comparable"
    within, part = scaled[kept], treated[kept]
    # the scale stays that of all units, so that before and after can be compared
    within = within - within[part].mean(axis=0)
    weights = balanced(within, part)
    if weights is None:
        return "none_comparable"
    after = differences(within, part, weights.values)
    return Stack(
        name,
        rows[kept],
        part,
        within,
        varies,
        weights.values,
        weights.effective,
        found,
        before,
        after,
    )


@dataclass(frozen=True)
class Estimated:
    """One stack's effect, and what each unit adds to its error.

    Parameters
    ----------
    value, mean : float
    treated : int
    influence, influence_mean : ndarray, shape (n,)
        Of the effect and of the treated's mean, by unit of the stack.
    """

    value: float
    mean: float
    treated: int
    influence: Array
    influence_mean: Array


def of_stack(stack: Stack, outcome: Array) -> Estimated:
    """A stack's effect on an outcome.

    Parameters
    ----------
    stack : Stack
    outcome : ndarray, shape (n,)
        Of the stack's units.
    """
    treated, weights = stack.treated, stack.weights
    others = stack.scaled[~treated]
    design = np.column_stack([np.ones(len(others)), others])
    weighted = design * weights[:, None]
    gram = design.T @ weighted
    # a hair of a ridge: covariates can be collinear
    gram[np.diag_indices_from(gram)] += np.r_[0.0, np.full(others.shape[1], 1e-6)]
    inverse = np.linalg.inv(gram)
    beta = inverse @ (weighted.T @ outcome[~treated])
    expected = beta[0] + stack.scaled @ beta[1:]
    left = outcome - expected
    n = int(treated.sum())
    value = float(left[treated].mean() - weights @ left[~treated])
    leverage = np.clip(((design @ inverse) * weighted).sum(axis=1), 0.0, 0.9)
    influence = np.empty(len(outcome))
    spread = left[treated] - left[treated].mean()
    influence[treated] = spread / math.sqrt(n * (n - 1))
    influence[~treated] = -weights * left[~treated] / (1 - leverage)
    about_mean = np.zeros(len(outcome))
    about_mean[treated] = (outcome[treated] - outcome[treated].mean()) / math.sqrt(n * (n - 1))
    return Estimated(value, float(outcome[treated].mean()), n, influence, about_mean)


def together(
    stacks: list[Stack], estimated: list[Estimated], customers: np.ndarray, raw: float
) -> Effect:
    """The effect over stacks, each weighted by its treated units.

    Parameters
    ----------
    stacks : list of Stack
    estimated : list of Estimated
        Of the same stacks.
    customers : ndarray of int
        A number for each customer, by place in the panel.
    raw : float
        The raw difference, told beside.
    """
    n = sum(one.treated for one in estimated)
    if not n:
        return UNKNOWN
    parts = [one.treated / n for one in estimated]
    value = sum(part * one.value for part, one in zip(parts, estimated, strict=True))
    mean = sum(part * one.mean for part, one in zip(parts, estimated, strict=True))
    who = np.concatenate([customers[stack.rows] for stack in stacks])
    pairs = list(zip(parts, estimated, strict=True))
    influence = _by_customer(who, np.concatenate([p * e.influence for p, e in pairs]))
    about_mean = _by_customer(who, np.concatenate([p * e.influence_mean for p, e in pairs]))
    error = _length(influence)
    without = mean - value
    relative = low = high = math.nan
    if without > 0:
        relative = value / without
        # by the delta method: mean / without − 1
        about = (about_mean - (1 + relative) * (about_mean - influence)) / without
        spread = _length(about)
        low, high = relative - Z * spread, relative + Z * spread
    margin = Z * error
    return Effect(
        value, value - margin, value + margin, error, n, mean, without, relative, low, high, raw
    )


def _by_customer(who: np.ndarray, values: Array) -> Array:
    return np.asarray(np.bincount(who, weights=values), dtype=float)


def _length(influence: Array) -> float:
    return math.sqrt(float(influence @ influence))


def frame_of(effects: dict[str, Effect]) -> pd.DataFrame:
    """Effects as a table, a row each; the index is what names them."""
    return pd.DataFrame({name: vars(one) for name, one in effects.items()}).T
