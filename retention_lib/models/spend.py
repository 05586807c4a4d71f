"""Gamma-Gamma as a lifetimes fitter: what a customer spends per purchase.

Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", note 025
(brucehardie.com/notes/025). A customer's purchases vary around the customer's own mean, by
Gamma(p, ν); the means vary over customers, by ν ~ Gamma(q, v). Spend is taken as independent of how
often somebody buys, which `spend_check` checks.

The mean over customers is p v / (q − 1) and exists for q > 1 only. Where the fit gives q <= 1, or a
mean far from anything seen, the formula would give negative or absurd values; an average bounded
by what was observed stands in, and `degenerate_` says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.models._lifetimes import check_inputs, lifetimes
from retention_lib.models.fitting import per_customer_in_logs, set_errors
from retention_lib.models.histories import Floats
from retention_lib.models.identification import Finding, words
from retention_lib.models.likelihood import GammaGammaLikelihood
from retention_lib.models.optimum import THINNED, Begin, Objective, Optimum, minimise, search
from retention_lib.models.shapes import as_given
from retention_lib.models.spend_findings import spend_findings

PARAMETERS = ("p", "q", "v")
_STARTS = ((2.0, 4.0), (0.7, 1.5), (8.0, 3.0), (3.0, 20.0))
_LOWER = np.log([1e-4, 1e-4, 1e-8])
_UPPER = np.log([1e5, 1e5, 1e8])


class GammaGammaFitter(lifetimes.GammaGammaFitter):
    """The Gamma-Gamma model of lifetimes, with a fit and a mean that hold.

    Parameters
    ----------
    penalizer_coef : float
        Weight of the sum of squared parameters; 0 is maximum likelihood.

    Attributes
    ----------
    mean_exists_ : bool
        Whether the population's mean spend exists (q > 1).
    observed_mean_ : float
        Mean over repeat buyers of their mean amount.
    bounded_mean_ : float
        The same with the largest hundredth of them cut to the next largest, so that no few of them
        decide it: what stands for the population's mean where the model's can't be used.
    """

    name = "gammagamma"

    def fit(
        self,
        frequency: npt.ArrayLike,
        monetary_value: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        initial_params: npt.ArrayLike | None = None,
        verbose: bool = False,
        tol: float = 1e-9,
        index: Any = None,
        q_constraint: bool = False,
        begin: Begin = "all",
        **kwargs: Any,
    ) -> GammaGammaFitter:
        """Fit by maximum likelihood; same arguments as in lifetimes.

        Parameters
        ----------
        frequency : array_like, shape (n,)
            Repeat purchases, > 0.
        monetary_value : array_like, shape (n,)
            Mean amount of the repeat purchases, > 0.
        weights : array_like, shape (n,), optional
            Customers behind each row.
        initial_params : array_like, shape (3,), optional
            Logarithms of (p, q, v) to begin at.
        verbose : bool
            Print how the search ended.
        tol : float
            Largest gradient, per customer and log-parameter, at which the search stops.
        index : array_like, optional
            Index of `data`.
        q_constraint : bool
            Search q >= 1 only, as lifetimes has it.
        begin : {"all", "near", "known"}
            Whether `initial_params` are one start among all, near the optimum, so that the others
            are tried only where the search from there doesn't end well, or known to be it.
        **kwargs
            Options of lifetimes' optimiser; there is nothing to set here.

        Returns
        -------
        GammaGammaFitter
            self, with what lifetimes sets, and `log_likelihood_`, `aic_`, `bic_`, `converged_`,
            `gradient_`, `findings_`, `degenerate_` and `log_covariance_`.

        Raises
        ------
        ValueError
            Empty input, a frequency below 1 or fractional, an amount that is not positive.
        """
        x = np.asarray(frequency, dtype=float)
        m = np.asarray(monetary_value, dtype=float)
        if len(x) == 0:
            raise ValueError("There is no repeat buyer to fit a spend model on.")
        if not (np.isfinite(x).all() and np.isfinite(m).all() and (x >= 1).all()):
            raise ValueError("frequency must be at least 1 and monetary_value finite in every row.")
        check_inputs(x, monetary_value=m)
        counts = np.ones(len(x)) if weights is None else np.asarray(weights, dtype=float)
        order = np.argsort(x)
        rows, means, merged = x[order], m[order], counts[order]
        self.observed_mean_ = float(np.average(means, weights=merged))
        self.bounded_mean_ = _cut_mean(means, merged)

        # Amounts are fitted in units of their geometric mean, which no extreme customer moves.
        typical = float(np.exp(np.average(np.log(means), weights=merged)))

        end = self._search(
            rows, means, merged, typical, initial_params, q_constraint, tol, begin=begin
        )
        if verbose:
            print(f"{self.name}: {end.evaluations} evaluations, gradient {end.gradient:.1e}")
        self.params_ = pd.Series(np.exp(end.point), index=list(PARAMETERS))
        self.params_["v"] *= typical
        likelihood = GammaGammaLikelihood(rows, means, merged)
        self.log_likelihood_ = likelihood.value(np.asarray(self.params_, dtype=float))
        penalty = self.penalizer_coef * float((self.params_**2).sum())
        self._negative_log_likelihood_ = -self.log_likelihood_ / merged.sum() + penalty
        self._hessian_ = end.hessian
        self.data = pd.DataFrame(
            {
                "monetary_value": m,
                "frequency": x,
                "weights": np.ones(len(x), dtype=int) if weights is None else counts,
            },
            index=index,
        )
        set_errors(self, end, merged.sum())
        self.mean_exists_ = bool(self.params_["q"] > 1)
        self.findings_: tuple[Finding, ...] = spend_findings(
            self.params_,
            rows,
            merged,
            self.observed_mean_,
            self.bounded_mean_,
            _largest_share(means, merged),
            converged=end.converged,
            at_bound=tuple(n for n, edge in zip(PARAMETERS, end.at_bound, strict=True) if edge),
        )
        self.degenerate_ = words(self.findings_)
        return self

    @property
    def bounded(self) -> bool:
        """Whether the bounded average stands in for the model's conditional mean."""
        return any(f.kind in ("no_mean", "far_mean") for f in self.findings_)

    @property
    def population_mean(self) -> float:
        """Mean spend per purchase over customers: p v / (q − 1); `bounded_mean_` where bounded."""
        p, q, v = self._unload_params(*PARAMETERS)
        return self.bounded_mean_ if self.bounded else float(p * v / (q - 1))

    def conditional_expected_average_profit(
        self,
        frequency: npt.ArrayLike | None = None,
        monetary_value: npt.ArrayLike | None = None,
    ) -> Any:
        """Expected mean amount of a customer's further purchases.

        Note 025, equation 5: the customer's own mean, weighted p x / (p x + q − 1), and the
        population's for the rest. Where the population's mean does not exist or is far from what
        was seen (`bounded`), the weight is p x / (p x + q) and the rest is `bounded_mean_`, so that
        the result lies between two means that were observed.

        Parameters
        ----------
        frequency, monetary_value : array_like, optional
            Those of the fit where not given. At frequency 0 the amount is not looked at.

        Returns
        -------
        float, ndarray or Series
            Never negative, never NaN where the amounts of repeat buyers are known.
        """
        x_in = self.data["frequency"] if frequency is None else frequency
        m_in = self.data["monetary_value"] if monetary_value is None else monetary_value
        x, m = np.asarray(x_in, dtype=float), np.asarray(m_in, dtype=float)
        p, q, _ = self._unload_params(*PARAMETERS)
        prior = q if self.bounded else q - 1
        own = np.where(x > 0, p * x / (p * x + prior), 0.0)
        seen = np.where(x > 0, m, 0.0)
        result = own * seen + (1 - own) * self.population_mean
        return as_given(result, x_in, m_in)

    def _search(
        self,
        x: Floats,
        m: Floats,
        weights: Floats,
        unit: float,
        initial: npt.ArrayLike | None,
        q_constraint: bool,
        tol: float,
        *,
        begin: Begin,
    ) -> Optimum:
        """The best parameters, with amounts (and so v) in `unit`."""

        def objective(step: int) -> Objective:
            some = slice(None, None, step)
            likelihood = GammaGammaLikelihood(x[some], m[some] / unit, weights[some])
            customers = float(weights[some].sum())
            return per_customer_in_logs(likelihood, customers, self.penalizer_coef)

        lower = _LOWER.copy()
        if q_constraint:
            lower[1] = 0.0
        starts = [np.log([p, q, max(q - 1, 0.5) / p]) for p, q in _STARTS]
        if initial is not None:
            start = np.asarray(initial, dtype=float) - np.array([0.0, 0.0, np.log(unit)])
            if begin != "all":
                end = minimise(objective(1), start, lower, _UPPER, tolerance=tol)
                if begin == "known" or end.distinct(weights.sum()):
                    return end
            starts.append(start)
        thinned = objective(-(-len(x) // THINNED)) if len(x) > THINNED else None
        return search(objective(1), thinned, starts, lower, _UPPER, tolerance=tol)


def _cut_mean(means: Floats, weights: Floats) -> float:
    """Mean over customers, the largest hundredth (rounded up) cut to the next largest."""
    total = float(weights.sum())
    order = np.argsort(-means, kind="stable")
    place = np.searchsorted(np.cumsum(weights[order]), np.ceil(total / 100), side="right")
    # Two customers leave nothing to tell the extreme one by.
    cap = means[order][min(int(place), len(means) - 1)] if total > 2 else np.inf
    return float(np.average(np.minimum(means, cap), weights=weights))


def _largest_share(means: Floats, weights: Floats) -> float:
    """What the customer with the largest mean has of the sum of all customers' means."""
    return float(means.max() / (weights * means).sum())
