"""Pareto/NBD as a lifetimes fitter, with a fit and predictions that hold.

Schmittlein, Morrison & Colombo (1987), "Counting Your Customers: Who Are They and What Will They
Do Next?", Management Science 33(1), 1-24; formulas after Fader & Hardie (2005), note 009. Customers
buy by a Poisson process, its rate Gamma(r, α) over customers, and leave at an unseen moment that is
exponential, its rate Gamma(s, β) over customers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, exprel

from retention_lib.models._lifetimes import lifetimes, pareto_nbd_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories
from retention_lib.models.optimum import Optimum
from retention_lib.models.pareto_likelihood import ParetoNBDLikelihood, log_odds_left

#: Starts: shapes r and s, then β as a multiple of the largest T.
_STARTS = ((0.6, 0.6, 0.3), (2.0, 0.2, 2.0), (1.0, 4.0, 3.0), (0.3, 0.3, 0.02))


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
        inputs = (frequency, recency, T)
        index = next((v.index for v in inputs if isinstance(v, pd.Series)), None)
        columns = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in inputs))
        alive = self._alive(np.array(self.parameters), *(c.ravel() for c in columns))
        alive = alive.reshape(columns[0].shape)
        if index is not None:
            return pd.Series(alive, index=index)
        return float(alive) if alive.ndim == 0 else alive

    def expected_by_time(
        self, times: npt.ArrayLike, frequency: Floats, recency: Floats, T: Floats
    ) -> Floats:
        """Expected purchases up to each of several times ahead; note 009, equation 41.

        Parameters
        ----------
        times : array_like, shape (k,)
        frequency, recency, T : ndarray, shape (m,)

        Returns
        -------
        ndarray, shape (m, k)
        """
        r, alpha, s, beta = self.parameters
        alive = self._alive(np.array(self.parameters), frequency, recency, T)
        ahead = np.maximum(np.asarray(times, dtype=float), 0.0)
        pace = alive * (r + frequency) / (alpha + T) * (beta + T)
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
        if isinstance(t, pd.Series):
            return pd.Series(result, index=t.index)
        return float(result) if times.ndim == 0 else result

    def simulate(
        self,
        rng: np.random.Generator,
        params: Floats,
        histories: Histories,
        horizon: float,
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

        Returns
        -------
        alive : ndarray of bool, shape (n,)
        purchases : ndarray of int, shape (n,)
        """
        r, alpha, s, beta = params
        h, row = histories, histories.inverse
        odds = log_odds_left(params, h.frequency, h.recency, h.T, coarse=True)
        alive = rng.random(len(row)) < expit(-odds)[row]
        purchases = np.zeros(len(row), dtype=np.int64)
        who = np.flatnonzero(alive)
        here = row[who]
        rate = rng.standard_gamma(r + h.frequency[here]) / (alpha + h.T[here])
        leaving = np.maximum(rng.standard_gamma(s, len(who)), 1e-300) / (beta + h.T[here])
        stays = np.minimum(rng.standard_exponential(len(who)) / leaving, horizon)
        purchases[who] = rng.poisson(np.minimum(rate * stays, 1e9))
        return alive, purchases

    def _alive(self, params: Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        return np.asarray(expit(-log_odds_left(params, x, t_x, T)))

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
