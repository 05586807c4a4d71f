"""Simulated futures: how far a customer, and the base, may end up from the expectation.

Each draw takes parameters from their normal approximation, lets every customer live on under them
(alive or not, own rate, own dropout, own purchases) and spend by the Gamma-Gamma model given the
customer's own history. Across draws a customer's outcomes give the customer's interval; summed over
customers within a draw they give the totals', so that error in the parameters, which all customers
share, does not average out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories, Integers
from retention_lib.models.spend import GammaGammaFitter

#: Standard deviation of a log-parameter, along any axis of the likelihood, beyond which the normal
#: approximation is not followed: a flat ridge would send the draws to infinity.
_WIDEST = 1.5
#: Customers simulated at once, with random numbers of their own: whatever the threads, a seed gives
#: the same draws.
_CHUNK = 25_000
#: Threads at most: a chunk in work takes 100 MB.
_THREADS = 4
#: Customers whose draws are sorted at once, in the processor's cache.
_SORTED = 256

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Draws:
    """What the simulated futures gave.

    Attributes
    ----------
    purchases_low, purchases_high, value_low, value_high : ndarray, shape (n,)
        Per customer, the 2.5 % and 97.5 % points; values NaN without a spend model, all NaN where
        the sums alone were asked for.
    alive, purchases, value, top_value : ndarray, shape (draws,)
        Sums over customers in each draw; `top_value` over those marked as top.
    """

    purchases_low: Floats
    purchases_high: Floats
    value_low: Floats
    value_high: Floats
    alive: Floats
    purchases: Floats
    value: Floats
    top_value: Floats


def draw_parameters(
    rng: np.random.Generator, params: Floats, covariance: Floats, draws: int
) -> Floats:
    """Parameters within their error: normal in the logarithms.

    Parameters
    ----------
    rng : Generator
    params : ndarray, shape (k,)
    covariance : ndarray, shape (k, k)
        Of the log-parameters.
    draws : int

    Returns
    -------
    ndarray, shape (draws, k)
        Half of them mirror the other half, so that their mean (in logarithms) is the estimate.
    """
    variance, axes = np.linalg.eigh(covariance)
    spread = np.minimum(np.sqrt(np.maximum(variance, 0.0)), _WIDEST)
    half = rng.standard_normal((-(-draws // 2), len(params)))
    normal = np.concatenate([half, -half])[:draws]
    return np.exp(np.log(params) + (normal * spread) @ axes.T)


def draw_futures(
    customers: pd.DataFrame,
    histories: Histories,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    *,
    horizon: float,
    worth: Floats,
    expected_spend: Floats,
    top: np.ndarray,
    draws: int,
    seed: int,
    each: bool = True,
) -> Draws:
    """Simulate every customer's purchases and their value in the horizon.

    Parameters
    ----------
    customers : DataFrame
        With `frequency` and `monetary_value`.
    histories : Histories
        Of the same customers.
    purchase_model : PurchaseFitter
    spend_model : GammaGammaFitter or None
    horizon : float
        In the model's unit of time.
    worth : ndarray, shape (n,)
        Discounted margin of one unit of the customer's revenue.
    expected_spend : ndarray, shape (n,)
        Per purchase; stands for the spend where the spend model's mean is bounded.
    top : ndarray of bool, shape (n,)
    draws, seed : int
    each : bool
        Whether each customer's interval is asked for too, not the sums alone.

    Returns
    -------
    Draws
    """
    sequence = np.random.SeedSequence(seed)
    first, *rest = sequence.spawn(1 + -(-len(customers) // _CHUNK))
    rng = np.random.default_rng(first)
    params = draw_parameters(
        rng, purchase_model.params_.to_numpy(dtype=float), purchase_model.log_covariance_, draws
    )
    amounts = None
    if spend_model is not None and not spend_model.bounded:
        fitted = np.asarray(spend_model.params_, dtype=float)
        amounts = draw_parameters(rng, fitted, spend_model.log_covariance_, draws)
    spend = _Spend(customers, expected_spend, amounts)
    n = len(customers)
    ends = {k: np.full(n, np.nan) for k in ("n_low", "n_high", "v_low", "v_high")}

    def simulated(task: tuple[int, np.random.SeedSequence]) -> Floats:
        """Set the ends of one chunk's intervals; its sums, shape (4, draws)."""
        start, seeds = task
        rows = slice(start, min(start + _CHUNK, n))
        part = _part(histories, rows)
        rng = np.random.default_rng(seeds)
        worth_here, top_here = worth[rows], top[rows]
        kept = draws if each else 0
        counts = np.zeros((kept, len(top_here)), dtype=np.float32)
        values = np.zeros((kept, len(top_here)), dtype=np.float32)
        sums = np.empty((draws, 4))
        for d, p_alive in enumerate(purchase_model.alive_by_draw(params, part)):
            alive, purchases = purchase_model.simulate(rng, params[d], part, horizon, p_alive)
            who = np.flatnonzero(purchases > 0)
            bought = purchases[who]
            value = spend.of(rng, d, start + who, bought) * worth_here[who]
            if each:
                counts[d, who], values[d, who] = bought, value
            of_top = value[top_here[who]]
            sums[d] = np.count_nonzero(alive), bought.sum(), value.sum(), of_top.sum()
        if each:
            ends["n_low"][rows], ends["n_high"][rows] = _ends(counts)
        if each and spend_model is not None:
            ends["v_low"][rows], ends["v_high"][rows] = _ends(values)
        return sums.T

    sums = np.zeros((4, draws))
    for part in _in_threads(simulated, zip(range(0, n, _CHUNK), rest, strict=True)):
        sums += part
    return Draws(ends["n_low"], ends["n_high"], ends["v_low"], ends["v_high"], *sums)


def value_by_chance(
    customers: pd.DataFrame,
    histories: Histories,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter,
    *,
    horizon: float,
    worth: Floats,
    expected_spend: Floats,
    futures: int,
    seed: int,
) -> Iterator[Floats]:
    """Each customer's value in simulated futures that differ by chance alone: models as fitted.

    Parameters
    ----------
    customers, histories, purchase_model, spend_model, horizon, worth, expected_spend, seed
        As in `draw_futures`.
    futures : int

    Yields
    ------
    ndarray, shape (n,)
    """
    rng = np.random.default_rng(seed)
    fitted = np.array(purchase_model.parameters)
    alive = next(purchase_model.alive_by_draw(fitted[None, :], histories))
    amounts = None if spend_model.bounded else np.asarray([spend_model.params_], dtype=float)
    spend = _Spend(customers, expected_spend, amounts)
    for _ in range(futures):
        bought = purchase_model.simulate(rng, fitted, histories, horizon, alive)[1]
        who = np.flatnonzero(bought)
        value = np.zeros(len(customers))
        value[who] = spend.of(rng, 0, who, bought[who]) * worth[who]
        yield value


def _in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """Results in the order of the items; numpy lets other threads work while it computes.

    A lone item is worked on where the caller is: memory that this thread has used is at hand.
    """
    items = list(items)
    if len(items) < 2:
        yield from map(function, items)
        return
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(threads or min(usable or 1, _THREADS)) as pool:
        yield from pool.map(function, items)


class _Spend:
    """What customers' future purchases amount to, draw by draw.

    A customer's rate ν has the posterior Gamma(p x + q, v + x m); k purchases then amount to
    Gamma(p k, ν) (note 025, section 3).
    """

    def __init__(
        self,
        customers: pd.DataFrame,
        expected: Floats,
        params: Floats | None,
    ) -> None:
        self._expected, self._params = expected, params
        amount = customers["monetary_value"].to_numpy(dtype=float)
        known = np.isfinite(amount) & (amount > 0)
        self._x = np.where(known, customers["frequency"].to_numpy(dtype=float), 0.0)
        self._total = np.where(known, self._x * amount, 0.0)

    def of(self, rng: np.random.Generator, draw: int, who: Integers, bought: np.ndarray) -> Floats:
        """The amounts of some customers, each of whom has `bought` at least once."""
        if self._params is None:
            return np.asarray(bought * self._expected[who])
        p, q, v = self._params[draw]
        rate = rng.standard_gamma(p * self._x[who] + q) / (v + self._total[who])
        return np.asarray(rng.standard_gamma(p * bought) / np.maximum(rate, 1e-300))


def _part(histories: Histories, rows: slice) -> Histories:
    """The histories of some of the customers."""
    needed, inverse = np.unique(histories.inverse[rows], return_inverse=True)
    return Histories(
        histories.frequency[needed],
        histories.recency[needed],
        histories.T[needed],
        np.bincount(inverse).astype(float),
        inverse,
    )


def _ends(drawn: np.ndarray) -> tuple[Floats, Floats]:
    """2.5 % and 97.5 % points of each column, outwards to the next drawn value."""
    draws, n = drawn.shape
    low, high = int(0.025 * (draws - 1)), int(np.ceil(0.975 * (draws - 1)))
    lows, highs = np.zeros(n), np.zeros(n)
    # Of drawn values that are not negative the zeros come first; most ends are among them.
    rows = np.flatnonzero(np.count_nonzero(drawn, axis=0) >= draws - high)
    for start in range(0, len(rows), _SORTED):
        some = rows[start : start + _SORTED]
        ordered = np.ascontiguousarray(drawn[:, some].T)
        ordered.sort(axis=1)
        lows[some], highs[some] = ordered[:, low], ordered[:, high]
    return lows, highs
