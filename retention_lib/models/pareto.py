"""Pareto/NBD as a lifetimes fitter, with a fit and predictions that hold.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They
Do Next?", Management Science 33(1), 1-24; formulas after Fader & Hardie (2005), note 009. Customers
buy by a Poisson process, its rate Gamma(r, α) over customers, and leave at an unseen moment that is
exponential, its rate Gamma(s, β) over customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import exprel

from retention_lib.models._lifetimes import lifetimes, pareto_nbd_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories
from retention_lib.models.likelihood import p_alive
from retention_lib.models.optimum import Optimum
from retention_lib.models.pareto_likelihood import ParetoNBDLikelihood, log_odds_left
from retention_lib.models.shapes import as_given, flattened
from retention_lib.models.simulation import alive_by_draw, draw_first_purchase

#: Starts: shapes r and s, then β as a multiple of the largest T. The last: many leave at once.
_STARTS = ((0.6, 0.6, 0.3), (2.0, 0.2, 2.0), (1.0, 4.0, 3.0), (0.3, 0.3, 0.02), (4.0, 0.2, 1e-4))


class ParetoNBDFitter(PurchaseFitter, lifetimes.ParetoNBDFitter):
    """The Pareto/NBD of lifetimes, fitted by Newton's method on the distinct histories.

    Parameters
    ----------
    penalizer_coef : float
        Weight of the sum of squared parameters; 0 is maximum likelihood.
    """

    name = "paretonbd"
    parameter_names = ("r", "alpha", "s", "beta")
    _generator = staticmethod(pareto_nbd_model)

    def conditional_probability_alive(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Any:
        """Probability that customers with these histories have not left.

        Note 009, equations 36 and 37, by quadrature; finite for every history.

        Parameters
        ----------
        frequency, recency, T : array_like, of shapes that broadcast

        Returns
        -------
        float, ndarray or Series
            Between 0 and 1; a Series where a Series came in.
        """
        given = (frequency, recency, T)
        return as_given(self._alive(np.array(self.parameters), *flattened(*given)), *given)

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
        r, alpha, s, beta = self.parameters
        ahead = np.maximum(np.asarray(times, dtype=float), 0.0)
        pace = (r + frequency) / (alpha + T) * (beta + T)
        return pace[:, None] * _discounted(ahead / (beta + T)[:, None], s)

    def expected_number_of_purchases_up_to_time(self, t: npt.ArrayLike) -> Any:
        """Expected repeat purchases of a new customer up to time `t`; note 009, equation 27.

        Parameters
        ----------
        t : array_like

        Returns
        -------
        float, ndarray or Series
            In the shape of `t`.
        """
        r, alpha, s, beta = self.parameters
        times = np.maximum(np.asarray(t, dtype=float), 0.0)
        result = r * beta / alpha * _discounted(times / beta, s)
        return as_given(result, t)

    def alive_by_draw(self, params: Floats, histories: Histories) -> Iterator[Floats]:
        """P(alive) of each distinct history under each of several sets of parameters.

        Parameters
        ----------
        params : ndarray, shape (draws, 4)
        histories : Histories

        Yields
        ------
        ndarray, shape (m,)
            To about three digits, for use in `simulate`.
        """
        h = histories

        def log_odds(theta: Floats) -> Floats:
            return log_odds_left(theta, h.frequency, h.recency, h.T, coarse=True)

        yield from alive_by_draw(log_odds, params)

    def simulate(
        self,
        rng: np.random.Generator,
        params: Floats,
        histories: Histories,
        horizon: float,
        alive: Floats | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One draw of the future of every customer, given parameters.

        Who is alive has purchase rate Gamma(r + x, α + T) and leaving rate Gamma(s, β + T), and
        buys until leaving or the end of the horizon.

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
        r, alpha, s, beta = params
        if alive is None:
            alive = next(self.alive_by_draw(params[None, :], histories))
        first = draw_first_purchase(rng, r, alpha, alive, histories, horizon)
        # Leaves later than t with probability (1 + t / (β + T))^−s: as late as an exponential time
        # e in s log(1 + t / (β + T)).
        left_at = rng.standard_exponential(len(first.who))
        scale = beta + histories.T[first.history]
        stayed = left_at > s * np.log1p(first.time / scale)
        rate, scale = first.rate(rng, stayed), scale[stayed]
        ahead = np.minimum(left_at[stayed] / s, np.log1p(horizon / scale))
        rest = np.maximum(scale * np.expm1(ahead) - first.time[stayed], 0.0)
        purchases = np.zeros(len(first.alive), dtype=np.int64)
        purchases[first.who[stayed]] = 1 + rng.poisson(np.minimum(rate * rest, 1e9))
        return first.alive, purchases

    def _alive(self, params: Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return p_alive(log_odds_left(params, x, t_x, T))

    def _likelihood(self, histories: Histories) -> ParetoNBDLikelihood:
        return ParetoNBDLikelihood(histories)

    def _box(self, rate: float) -> tuple[Floats, Floats]:
        return (
            np.log([1e-5, 1e-5 / rate, 1e-6, 1e-6]),
            np.log([1e5, 1e5 / rate, 1e5, 1e6]),
        )

    def _starts(self, rate: float) -> list[Floats]:
        return [np.log([r, r / rate, s, beta]) for r, s, beta in _STARTS]

    def _describe(self, histories: Histories, end: Optimum) -> None:
        super()._describe(histories, end)
        # lifetimes' Pareto/NBD keeps the sum over customers here, not the mean.
        self._negative_log_likelihood_ *= len(self.data)


def _discounted(ratio: Floats, s: float) -> Floats:
    """(1 − (1 + ratio)^−(s−1)) / (s − 1), which is log(1 + ratio) at s = 1."""
    log = np.log1p(ratio)
    return np.asarray(log * exprel(-(s - 1) * log))
