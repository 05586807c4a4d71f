"""How long subscriptions last: the shifted beta-geometric model (sBG).

At the end of each period a subscriber doesn't renew with a probability that is the subscriber's own
and stays what it is; between subscribers it is spread as Beta(α, β). Those likely to leave leave
first, so the renewal rate of those who are left rises, without anybody becoming more loyal.

What follows from the parameters has the interval of its profile likelihood: the least and the most
that it is with any parameters which the data don't refuse. Their error is far from normal where
few periods were watched, and an interval from the curvature alone is then too narrow.

Sources: Fader & Hardie (2007), How to project customer retention, Journal of Interactive Marketing
21(1), 76-90 (model, likelihood: equations 5 to 8); Fader & Hardie (2010), Customer-base valuation
in a contractual setting, Marketing Science 29(1), 85-93 (residual lifetime: equation 6).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, chdtri, digamma, hyp2f1, polygamma, xlog1py, xlogy

from retention_lib.errors import DataError
from retention_lib.models.fitting import per_customer_in_logs
from retention_lib.models.histories import Floats
from retention_lib.models.optimum import search

#: Why parameters can't be read: nobody left; everybody did, after one period; only one period was
#: watched, which gives a rate and no spread; subscribers don't differ measurably.
Degenerate = Literal["nobody_left", "all_left_at_once", "one_period", "alike"]

_LOWER, _UPPER = np.log([1e-4, 1e-4]), np.log([1e5, 1e5])
_STARTS: Final = tuple(np.log(start) for start in ([1.0, 1.0], [0.5, 5.0], [5.0, 20.0]))
_TOLERANCE: Final = 1e-10
#: What twice the log-likelihood falls by at the end of a figure's 95 % interval.
_FALL: Final = float(chdtri(1, 0.05))
#: Twice the log-likelihood that a spread has to bring over one rate for all.
_ALIKE: Final = 0.01
#: Directions in which the edge of what the data allow is looked for, and halvings on the way.
_DIRECTIONS, _HALVINGS = 128, 50


@dataclass(frozen=True)
class ShiftedBetaGeometric:
    """A fitted model.

    Parameters
    ----------
    alpha, beta : float
        Of the probability of not renewing; its mean is α / (α + β).
    log_likelihood : float
    edge : ndarray, shape (2, k)
        Parameters on the edge of those that the data allow (`_FALL`).
    n : int
        Subscribers.
    degenerate : str or None
        Why the parameters say nothing of subscribers who weren't watched that long; None where
        they do.
    """

    alpha: float
    beta: float
    log_likelihood: float
    edge: Floats
    n: int
    degenerate: Degenerate | None = None

    def survival(self, periods: ArrayLike) -> Floats:
        """Share still there after so many periods; 1 after none. Shape as given."""
        return _survival(np.array([self.alpha, self.beta]), np.asarray(periods, dtype=float))

    def survival_interval(self, periods: ArrayLike) -> tuple[Floats, Floats]:
        """Lower and upper end of the 95 % interval of `survival`. Shapes as given."""
        t = np.asarray(periods, dtype=float)
        found = _survival(self.edge, np.ravel(t)[:, None])
        return found.min(axis=1).reshape(t.shape), found.max(axis=1).reshape(t.shape)

    def renewal_rate(self, periods: ArrayLike) -> Floats:
        """Share of those there until the end of a period who renew then; the first is 1."""
        t = np.asarray(periods, dtype=float)
        return np.asarray((self.beta + t - 1) / (self.alpha + self.beta + t - 1))

    def residual_lifetime(self, renewals: float, discount_rate: float) -> float:
        """Discounted expected residual lifetime, in periods, of a subscriber up for renewal.

        Parameters
        ----------
        renewals : float
            Made before the one that is due; 0 at the end of the first period.
        discount_rate : float
            A period's, above 0: of a lifetime without discount the mean needn't exist.

        Raises
        ------
        ValueError
            A rate that isn't above 0, fewer renewals than none.
        """
        if not discount_rate > 0:
            raise ValueError(f"The discount rate is {discount_rate}; it has to be above 0.")
        if not renewals >= 0:
            raise ValueError(f"{renewals} renewals were made; it has to be 0 or more.")
        return float(_residual(np.array([self.alpha, self.beta]), renewals, discount_rate))

    def residual_lifetime_interval(
        self, renewals: float, discount_rate: float
    ) -> tuple[float, float]:
        """Lower and upper end of the 95 % interval of `residual_lifetime`."""
        found = _residual(self.edge, renewals, discount_rate)
        return float(found.min()), float(found.max())


def fit_sbg(lost: ArrayLike, kept: ArrayLike) -> ShiftedBetaGeometric:
    """Fit the model to how long subscribers stayed.

    Parameters
    ----------
    lost : array_like, shape (m,)
        Subscribers who didn't renew at the end of period 1, 2 … m.
    kept : array_like, shape (m,)
        Subscribers who have renewed at the end of period 1, 2 … m and weren't watched longer.

    Returns
    -------
    ShiftedBetaGeometric
        At the maximum of the likelihood; at the edge of what is searched where there is none, which
        `degenerate` tells.

    Raises
    ------
    DataError
        No subscriber was watched to the end of a period.
    ValueError
        Shapes that differ, a negative or fractional count.
    """
    gone, there = np.asarray(lost, dtype=float), np.asarray(kept, dtype=float)
    if gone.ndim != 1 or gone.shape != there.shape:
        raise ValueError(f"lost has shape {gone.shape}, kept {there.shape}; they go by pairs.")
    counts = np.concatenate([gone, there])
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts % 1 == 0).all()):
        raise ValueError("Subscribers are counted in whole numbers from 0 on.")
    n = counts.sum()
    if n == 0:
        raise DataError(
            "No subscription was watched to its first renewal; there is nothing to fit. Try again "
            "when one was due."
        )
    likelihood = _Likelihood(gone, there)
    objective = per_customer_in_logs(likelihood, n)
    end = search(objective, None, [*_STARTS], _LOWER, _UPPER, tolerance=_TOLERANCE)
    alpha, beta = np.exp(end.point)
    best = float(-end.value * n)
    return ShiftedBetaGeometric(
        float(alpha),
        float(beta),
        best,
        _edge(likelihood, end.point, end.hessian * n),
        int(n),
        _degenerate(gone, there, best),
    )


def _degenerate(lost: Floats, kept: Floats, best: float) -> Degenerate | None:
    if not lost.any():
        return "nobody_left"
    if not kept.any() and not lost[1:].any():
        return "all_left_at_once"
    if not (lost[1:].any() or kept[1:].any()):
        return "one_period"
    # one rate for all: of so many renewals that were due, so many weren't made
    due = float((lost + kept) @ np.arange(1, len(lost) + 1))
    rate = lost.sum() / due
    one_rate = xlogy(lost.sum(), rate) + xlog1py(due - lost.sum(), -rate)
    return "alike" if 2 * (best - one_rate) < _ALIKE else None


def _edge(likelihood: _Likelihood, peak: Floats, curvature: Floats) -> Floats:
    """Parameters at which the log-likelihood has fallen by half of `_FALL`, around its peak.

    Looked for by halving along rays, evenly spread where the curvature is taken out; a ray on which
    it never falls so far ends at the box.
    """
    steepness, axes = np.linalg.eigh(curvature)
    turns = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    circle = np.array([np.cos(turns), np.sin(turns)])
    rays = axes @ (circle / np.sqrt(np.maximum(steepness, 1e-3))[:, None])
    start, floor = peak[:, None], likelihood.value(np.exp(peak)) - _FALL / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(rays > 0, _UPPER[:, None] - start, _LOWER[:, None] - start) / rays
    near, far = np.zeros(_DIRECTIONS), np.nanmin(np.where(rays == 0, np.inf, room), axis=0)
    outermost = far.copy()
    allowed = likelihood.value(np.exp(start + rays * outermost)) >= floor
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        inside = likelihood.value(np.exp(start + rays * middle)) >= floor
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return np.exp(start + rays * np.where(allowed, outermost, near))


class _Likelihood:
    """Log-likelihood of (α, β), with its first and second derivatives.

    ln P(T = t) = ln B(α + 1, β + t − 1) − ln B(α, β); ln S(t) = ln B(α, β + t) − ln B(α, β).
    """

    def __init__(self, lost: Floats, kept: Floats) -> None:
        t = np.arange(1, len(lost) + 1)
        #: What is added to α and to β, and for how many subscribers.
        self.more_a = np.concatenate([np.ones(len(t)), np.zeros(len(t)), [0.0]])
        self.more_b = np.concatenate([t - 1.0, t.astype(float), [0.0]])
        counts = np.concatenate([lost, kept])
        self.counts = np.append(counts, -counts.sum())

    def __call__(self, params: Floats) -> tuple[float, Floats, Floats]:
        a, b, w = params[0] + self.more_a, params[1] + self.more_b, self.counts
        both = digamma(a + b)
        gradient = np.array([w @ (digamma(a) - both), w @ (digamma(b) - both)])
        bend = polygamma(1, a + b)
        cross = -(w @ bend)
        hessian = np.array(
            [
                [w @ (polygamma(1, a) - bend), cross],
                [cross, w @ (polygamma(1, b) - bend)],
            ]
        )
        return float(self.value(params)), gradient, hessian

    def value(self, params: Floats) -> Floats:
        """The log-likelihood alone, of parameters of shape (2,) or of k at once, (2, k)."""
        alpha, beta = params
        terms = betaln(np.add.outer(self.more_a, alpha), np.add.outer(self.more_b, beta))
        return np.asarray(self.counts @ terms)


def _survival(params: Floats, t: Floats) -> Floats:
    alpha, beta = params
    return np.asarray(np.exp(betaln(alpha, beta + t) - betaln(alpha, beta)))


def _residual(params: Floats, renewals: float, discount_rate: float) -> Floats:
    alpha, beta = params
    there, base = beta + renewals, alpha + beta + renewals
    series = hyp2f1(1, there + 1, base + 1, 1 / (1 + discount_rate))
    return np.asarray(there / base * series)
