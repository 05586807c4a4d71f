"""What the purchase models share: one fit, one way to predict, in lifetimes' names.

A concrete model mixes `PurchaseFitter` into its lifetimes class and says which likelihood it has,
where the search starts, and how purchases follow from its parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from retention_lib.models._lifetimes import check_inputs
from retention_lib.models.fitting import per_customer_in_logs, set_errors
from retention_lib.models.histories import Floats, Histories, compress, distinct
from retention_lib.models.identification import Finding, base_findings, fit_findings, words
from retention_lib.models.optimum import THINNED, Begin, Optimum, minimise, search
from retention_lib.models.shapes import as_given, flattened


class Likelihood(Protocol):
    """A log-likelihood as a function of the parameters."""

    def value(self, params: Floats) -> float:
        """Summed over customers."""

    def __call__(self, params: Floats) -> tuple[float, Floats, Floats]:
        """Value, gradient and Hessian."""


class PurchaseFitter:
    """The part of a purchase model that does not depend on its formulas."""

    name: str
    parameter_names: tuple[str, ...]
    #: The unit of the model's times, what its purchases are collapsed to, and the day up to which
    #: it was fitted, where they are known.
    time_unit: str | None = None
    grain: str | None = None
    as_of: str | None = None

    penalizer_coef: float
    params_: pd.Series
    log_likelihood_: float
    aic_: float
    bic_: float
    converged_: bool
    gradient_: float
    log_covariance_: Floats
    confidence_intervals_: pd.DataFrame
    _generator: Any

    def fit(
        self,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        initial_params: npt.ArrayLike | None = None,
        verbose: bool = False,
        tol: float = 1e-9,
        index: Any = None,
        begin: Begin = "all",
        **kwargs: Any,
    ) -> Any:
        """Fit by maximum likelihood; same arguments as in lifetimes.

        Parameters
        ----------
        frequency, recency, T : array_like, shape (n,)
            x, t_x and T, the latter two in one unit of time.
        weights : array_like, shape (n,), optional
            Customers behind each row.
        initial_params : array_like, shape (4,), optional
            Log-parameters to begin at, with time scaled so that the largest T is 1.
        verbose : bool
            Print how the search ended.
        tol : float
            Largest gradient, per customer and log-parameter, at which the search stops.
        index : array_like, optional
            Index of `data`.
        begin : {"all", "near", "known"}
            Whether `initial_params` are one start among all, near the optimum, so that the others
            are tried only where the search from there doesn't end well, or known to be it.
        **kwargs
            Options of lifetimes' optimisers; there is nothing to set here.

        Returns
        -------
        self
            With what lifetimes sets, and `log_likelihood_` (of all customers, in the user's unit of
            time), `aic_`, `bic_`, `converged_`, `gradient_`, `findings_`, `degenerate_` (one plain
            sentence or more, or None) and `log_covariance_` (of the log-parameters).

        Raises
        ------
        ValueError
            Empty input, negative times, t_x > T, t_x > 0 where x = 0, a fractional x.
        """
        x = np.asarray(frequency, dtype=float)
        t_x, age = np.asarray(recency, dtype=float), np.asarray(T, dtype=float)
        if not (np.isfinite(x).all() and np.isfinite(t_x).all() and np.isfinite(age).all()):
            raise ValueError("frequency, recency and T must be finite in every row.")
        if (x < 0).any():
            raise ValueError("frequency must not be negative.")
        check_inputs(x, t_x, age)
        histories = compress(x, t_x, age, weights)
        self._scale = 1.0 / histories.T.max() if histories.T.max() > 0 else 1.0

        end = self._search(histories.scaled(self._scale), initial_params, begin, tol)
        if verbose:
            print(f"{self.name}: {end.evaluations} evaluations, gradient {end.gradient:.1e}")
        self.params_ = pd.Series(np.exp(end.point), index=list(self.parameter_names))
        for name in ("alpha", "beta"):
            if name in self.params_:
                self.params_[name] /= self._scale
        self._negative_log_likelihood_ = end.value
        self._hessian_ = end.hessian

        counts = np.ones(len(x), dtype=int) if weights is None else np.asarray(weights)
        self.data = pd.DataFrame(
            {"frequency": x.astype(int), "recency": t_x, "T": age, "weights": counts}, index=index
        )
        self._describe(histories, end)
        self.generate_new_data = lambda size=1: self._generator(age, *self.parameters, size=size)
        self.predict = self.conditional_expected_number_of_purchases_up_to_time
        return self

    @property
    def parameters(self) -> tuple[float, ...]:
        """The fitted parameters in the order of `parameter_names`.

        Raises
        ------
        ValueError
            Before the fit.
        """
        return tuple(float(v) for v in self._unload_params(*self.parameter_names))  # type: ignore[attr-defined]

    def conditional_probability_alive(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, T: npt.ArrayLike
    ) -> Any:
        """Probability that customers with these histories have not left."""
        raise NotImplementedError

    def expected_number_of_purchases_up_to_time(self, t: npt.ArrayLike) -> Any:
        """Expected repeat purchases of a new customer up to time `t`."""
        raise NotImplementedError

    def expected_by_time(
        self, times: npt.ArrayLike, frequency: Floats, recency: Floats, T: Floats
    ) -> Floats:
        """Expected purchases up to each of several times ahead.

        P(alive) times the expectation of a customer who is alive: Fader, Hardie & Lee (2005),
        equation 10, for the BG/NBD; note 009, equation 41, for the Pareto/NBD.

        Parameters
        ----------
        times : array_like, shape (k,)
        frequency, recency, T : ndarray, shape (m,)

        Returns
        -------
        ndarray, shape (m, k)
        """
        alive = self._alive(np.array(self.parameters), frequency, recency, T)
        return alive[:, None] * self.expected_if_alive(times, frequency, T)

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
        raise NotImplementedError

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
        raise NotImplementedError

    def simulate(
        self,
        rng: np.random.Generator,
        params: Floats,
        histories: Histories,
        horizon: float,
        alive: Floats | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """One draw of the future of every customer, given parameters.

        Parameters
        ----------
        rng : Generator
        params : ndarray, shape (4,)
        histories : Histories
            Those of n customers, `inverse` of shape (n,).
        horizon : float
        alive : ndarray, shape (m,), optional
            P(alive) of each distinct history under `params`, where it is known already.

        Returns
        -------
        alive : ndarray of bool, shape (n,)
        purchases : ndarray of int, shape (n,)
        """
        raise NotImplementedError

    def conditional_expected_number_of_purchases_up_to_time(
        self,
        t: npt.ArrayLike,
        frequency: npt.ArrayLike,
        recency: npt.ArrayLike,
        T: npt.ArrayLike,
    ) -> Any:
        """Expected purchases in the next `t` of customers with these histories.

        As `expected_by_time`, one time for each customer; finite for every history.

        Parameters
        ----------
        t : array_like
            Length of time ahead, one for all or one per customer.
        frequency, recency, T : array_like, of shapes that broadcast with `t`

        Returns
        -------
        float, ndarray or Series
            A Series where a Series came in, with its index.
        """
        given = (t, frequency, recency, T)
        flat = flattened(*given)
        first, inverse = distinct(*flat)
        ahead, x, t_x, age = (c[first] for c in flat)
        expected = np.empty(len(first))
        for time in np.unique(ahead):
            rows = ahead == time
            expected[rows] = self.expected_by_time([time], x[rows], t_x[rows], age[rows])[:, 0]
        return as_given(expected[inverse], *given)

    def _alive(self, params: Floats, x: Floats, t_x: Floats, T: Floats) -> Floats:
        """P(alive) under some parameters."""
        raise NotImplementedError

    def _likelihood(self, histories: Histories) -> Likelihood:
        raise NotImplementedError

    def _box(self, rate: float) -> tuple[Floats, Floats]:
        raise NotImplementedError

    def _starts(self, rate: float) -> list[Floats]:
        raise NotImplementedError

    def _objective(self, histories: Histories) -> Any:
        likelihood = self._likelihood(histories)
        return per_customer_in_logs(likelihood, histories.customers, self.penalizer_coef)

    def _search(
        self, scaled: Histories, initial: npt.ArrayLike | None, begin: Begin, tol: float
    ) -> Optimum:
        rate = purchase_rate(scaled)
        lower, upper = self._box(rate)
        objective, starts = self._objective(scaled), self._starts(rate)
        if initial is not None:
            start = np.asarray(initial, dtype=float)
            if begin != "all":
                end = minimise(objective, start, lower, upper, tolerance=tol)
                if begin == "known" or end.distinct(scaled.customers):
                    return end
            starts.append(start)
        many = len(scaled.weights) > THINNED
        thinned = self._objective(scaled.thinned(THINNED)) if many else None
        return search(objective, thinned, starts, lower, upper, tolerance=tol)

    def _describe(self, histories: Histories, end: Optimum) -> None:
        """Set what is known of the fit: likelihood, errors, findings."""
        # With time in other units, a purchase's density is that many times as large.
        in_units = float(histories.weights @ histories.frequency) * float(np.log(self._scale))
        penalty = self.penalizer_coef * float(np.exp(2 * end.point).sum())
        self.log_likelihood_ = (penalty - end.value) * histories.customers + in_units
        set_errors(self, end, histories.customers)
        pressed = zip(self.parameter_names, end.at_bound, strict=True)
        findings = base_findings(histories)
        if not any(f.serious for f in findings):
            findings += fit_findings(
                self.params_,
                histories,
                np.sqrt(np.diag(self.log_covariance_)),
                np.asarray(
                    self.conditional_probability_alive(
                        histories.frequency, histories.recency, histories.T
                    )
                ),
                converged=end.converged,
                at_bound=tuple(name for name, edge in pressed if edge),
            )
        self.findings_: tuple[Finding, ...] = findings
        self.degenerate_ = words(findings)


def purchase_rate(histories: Histories) -> float:
    """Repeat purchases per unit of time while customers were seen active: the scale of λ.

    Parameters
    ----------
    histories : Histories

    Returns
    -------
    float
        1 where nobody came back.
    """
    purchases = float((histories.weights * histories.frequency).sum())
    # t_x is 0 where x is.
    active = float((histories.weights * histories.recency).sum())
    return purchases / active if active > 0 else 1.0
