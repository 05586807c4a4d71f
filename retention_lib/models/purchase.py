"""BG/NBD and MBG/NBD as lifetimes fitters, with a fit and predictions that hold.

BG/NBD: Fader, Hardie & Lee (2005), Marketing Science 24(2), 275-284. MBG/NBD: Batislam, Denizel &
Filiztekin (2007), IJRM 24(3), 201-209, with the corrections of Hoppe & Wagner (2007), Marketing
ZFP 29(2), 75-90. Both: a Poisson process of purchases per customer, its rate Gamma(r, α) over
customers, and after each purchase a chance to leave for good, Beta(a, b) over customers. In the
MBG/NBD the first purchase counts for leaving too; in the BG/NBD it doesn't, so that a customer
with one purchase is alive with probability 1 by assumption.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.models._lifetimes import (
    beta_geometric_nbd_model,
    lifetimes,
    modified_beta_geometric_nbd_model,
)
from retention_lib.models.expectation import expected_purchases, survival_of_count
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories
from retention_lib.models.likelihood import BetaGeometricLikelihood, log_odds_left, p_alive
from retention_lib.models.simulation import draw_first_purchase

#: Starts: shape of the rates, then a and b of the dropout.
_STARTS = ((0.3, 0.7, 2.5), (2.0, 0.3, 6.0), (1.0, 3.0, 9.0), (6.0, 0.1, 0.4))


class _BetaGeometric(PurchaseFitter):
    """What the two models share."""

    parameter_names = ("r", "alpha", "a", "b")
    _leaves_at_start: bool

    def conditional_probability_alive(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Floats:
        """Probability that customers with these histories have not left.

        Parameters
        ----------
        frequency, recency, T : array_like, of shapes that broadcast

        Returns
        -------
        ndarray, at least one-dimensional
            Between 0 and 1, never NaN. In the BG/NBD 1 where x = 0: the model's assumption.
        """
        x, t_x, age = (np.asarray(v, dtype=float) for v in (frequency, recency, T))
        return np.atleast_1d(self._alive(np.array(self.parameters), x, t_x, age))

    def expected_if_alive(self, times: npt.ArrayLike, frequency: Floats, T: Floats) -> Floats:
        """Expected purchases up to each of several times ahead, of customers who are alive.

        Parameters
        ----------
        times : array_like, shape (k,)
        frequency, T : ndarray, shape (m,)

        Returns
        -------
        ndarray, shape (m, k)
        """
        r, alpha, a, b = self.parameters
        survived = frequency + float(self._leaves_at_start)
        return expected_purchases(times, r + frequency, alpha + T, a, b + survived)

    def expected_number_of_purchases_up_to_time(self, t: npt.ArrayLike) -> Any:
        """Expected repeat purchases of a new customer up to time `t`, E[X(t)].

        Fader, Hardie & Lee (2005), equation 9; a near 1 is no special case.

        Parameters
        ----------
        t : array_like

        Returns
        -------
        float, ndarray or Series
            In the shape of `t`.
        """
        r, alpha, a, b = self.parameters
        times = np.asarray(t, dtype=float)
        stays, after = self._start(a, b)
        result = stays * expected_purchases(times.ravel(), r, alpha, a, after)[0]
        if isinstance(t, pd.Series):
            return pd.Series(result, index=t.index)
        return float(result[0]) if times.ndim == 0 else result.reshape(times.shape)

    def probability_of_n_purchases_up_to_time(self, t: float, n: int) -> float:
        """P(X(t) = n) of a new customer.

        Fader, Hardie & Lee (2005), equation 8, as a difference of P(X >= n).

        Parameters
        ----------
        t : float
        n : int

        Returns
        -------
        float
        """
        r, alpha, a, b = self.parameters
        stays, after = self._start(a, b)
        at_least = survival_of_count([n, n + 1], t, r, alpha, a, after)
        never = (1 - stays) if n == 0 else 0.0
        return float(never + stays * (at_least[0] - at_least[1]))

    def alive_by_draw(self, params: Floats, histories: Histories) -> Iterator[Floats]:
        """P(alive) of each distinct history under each of several sets of parameters.

        Parameters
        ----------
        params : ndarray, shape (draws, 4)
        histories : Histories

        Yields
        ------
        ndarray, shape (m,)
        """
        for theta in params:
            yield self._alive(theta, histories.frequency, histories.recency, histories.T)

    def simulate(
        self,
        rng: np.random.Generator,
        params: Floats,
        histories: Histories,
        horizon: float,
        alive: Floats | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One draw of the future of every customer, given parameters.

        Who is alive has rate Gamma(r + x, α + T) and dropout probability Beta(a, b + x), and buys
        as often as the Poisson process says or until the geometric dropout, whichever is less.

        Parameters
        ----------
        rng : Generator
        params : ndarray, shape (4,)
        histories : Histories
        horizon : float
        alive : ndarray, shape (m,), optional
            P(alive) of each distinct history under `params`, where it is known already.

        Returns
        -------
        alive : ndarray of bool, shape (n,)
        purchases : ndarray of int, shape (n,)
        """
        r, alpha, a, b = params
        if alive is None:
            alive = next(self.alive_by_draw(params[None, :], histories))
        first = draw_first_purchase(rng, r, alpha, alive, histories, horizon)
        rate = first.rate(rng)
        purchases = np.zeros(len(first.alive), dtype=np.int64)
        count = 1 + rng.poisson(np.minimum(rate * (horizon - first.time), 1e9))
        purchases[first.who] = count
        # Dropout comes after a purchase, so that it takes nothing from who buys only once.
        more = np.flatnonzero(count > 1)
        survived = histories.frequency[first.history[more]] + float(self._leaves_at_start)
        leaves = np.clip(rng.beta(a, b + survived), 1e-300, 1 - 1e-16)
        last = np.ceil(np.log1p(-rng.random(len(more))) / np.log1p(-leaves))
        purchases[first.who[more]] = np.minimum(count[more], np.clip(last, 1, 1e9))
        return first.alive, purchases

    def _start(self, a: float, b: float) -> tuple[float, float]:
        """A new customer's chance to stay after the first purchase, and b given that."""
        return (b / (a + b), b + 1) if self._leaves_at_start else (1.0, b)

    def _alive(self, params: Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        r, alpha, a, b = params
        log_odds = log_odds_left(r, alpha, a, b, x, t_x, T, leaves_at_start=self._leaves_at_start)
        return p_alive(log_odds)

    def _likelihood(self, histories: Histories) -> BetaGeometricLikelihood:
        return BetaGeometricLikelihood(histories, leaves_at_start=self._leaves_at_start)

    def _box(self, rate: float) -> tuple[Floats, Floats]:
        return (
            np.log([1e-5, 1e-5 / rate, 1e-6, 1e-6]),
            np.log([1e5, 1e5 / rate, 1e5, 1e5]),
        )

    def _starts(self, rate: float) -> list[Floats]:
        return [np.log([r, r / rate, a, b]) for r, a, b in _STARTS]


class BetaGeoFitter(_BetaGeometric, lifetimes.BetaGeoFitter):
    """The BG/NBD of lifetimes, fitted by Newton's method on the distinct histories.

    Parameters
    ----------
    penalizer_coef : float
        Weight of the sum of squared parameters; 0 is maximum likelihood.

    Examples
    --------
    >>> model = BetaGeoFitter().fit([0, 1, 2, 5, 9], [0, 10, 20, 35, 38], [40, 38, 37, 36, 39])
    >>> 0 <= model.predict(10, 2, 20, 37) < 10
    True
    """

    name = "bgnbd"
    _leaves_at_start = False
    _generator = staticmethod(beta_geometric_nbd_model)


class ModifiedBetaGeoFitter(_BetaGeometric, lifetimes.ModifiedBetaGeoFitter):
    """The MBG/NBD of lifetimes, fitted by Newton's method on the distinct histories.

    Unlike the BG/NBD it lets a customer leave after the first purchase, so that a customer with one
    purchase long ago has a small P(alive).

    Parameters
    ----------
    penalizer_coef : float
        Weight of the sum of squared parameters; 0 is maximum likelihood.
    """

    name = "mbgnbd"
    _leaves_at_start = True
    _generator = staticmethod(modified_beta_geometric_nbd_model)
