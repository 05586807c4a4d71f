"""What more retention is worth: the same customers with fewer of them leaving, valued again.

"Five points more" is said of the retention ahead of today's active customers (`dropout`): of a
hundred, five more buy again within the activity window. The change of the dropout that brings this
about then holds on, and the customers' discounted margin is added up month by month, as CLV is,
with it and without. Reichheld & Sasser (1990) compared net present values in the same way, of
customers' profit streams at two rates of defection.

The interval is that of the expected difference: the error of the purchase model's parameters and of
the spend model's, and, as of all totals, what past forecasts of this base missed (`widening`), for
a difference in money rises and falls with the level of buying. The customers' own chance isn't
in it: it falls on both sides of the difference. A rise in per cent is one level over the other, so
that what past forecasts missed cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.models import dropout
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, Histories, compress
from retention_lib.models.sigma import HALF, variance_of_both
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate

#: Points of retention that are valued.
POINTS: Final = (1, 5)
#: Customers that a change of the dropout is worked out on, of more; and its error.
_SAMPLE, _ERROR_SAMPLE = 20_000, 2_000


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead of customers: ends of months and their discount.

    Attributes
    ----------
    times, factors : ndarray, shape (k,)
        Ends of the next months in the model's unit of time, and the discount of each.
    new_times : ndarray, shape (k,)
        The same of a new customer, in months of 365.25 / 12 days.
    window : float
        Length of the activity window.
    """

    times: Floats
    factors: Floats
    new_times: Floats
    window: float


@dataclass(frozen=True, slots=True)
class MoreRetention:
    """The value of more retention.

    Attributes
    ----------
    customers : int
        Active today; everything here is of them.
    retention : Estimate
        Share of them who are expected to buy within the activity window.
    highest : Estimate
        The same if nobody left any more.
    log_k : dict of float
        By points: by how much the odds of leaving fall, as a logarithm; only those within reach.
    months : DataFrame
        By month ahead (1 …): `now`, discounted margin up to its end; for each p of `log_k`
        `plus_p`, the difference, `plus_p_low`, `plus_p_high` by the fit's error alone, and `rise_p`
        with its ends, the difference as a share of `now`; `new_p` with its ends, the same share of
        a new customer's repeat purchases.
    at_risk : Estimate
        Within the horizon: what they would bring if all were surely customers still, less what is
        expected of them. By the fit's error alone.
    """

    customers: int
    retention: Estimate
    highest: Estimate
    log_k: dict[int, float]
    months: pd.DataFrame
    at_risk: Estimate


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the customers, and their histories."""

    frame: pd.DataFrame
    histories: Histories

    def revenue(self, model: GammaGammaFitter) -> Floats:
        """What a purchase brings, added up over the customers with each history."""
        x = self.frame["frequency"].to_numpy(dtype=float)
        amount = self.frame["monetary_value"].to_numpy(dtype=float)
        known = (x > 0) & np.isfinite(amount) & (amount > 0)
        spend = model.conditional_expected_average_profit(np.where(known, x, 0.0), amount)
        inverse = self.histories.inverse
        return np.bincount(inverse, np.asarray(spend), len(self.histories.weights)).astype(float)


@dataclass(frozen=True, slots=True)
class _World:
    """Customers under one dropout: who is alive, and discounted purchases of who is, by month."""

    alive: Floats
    each: Floats
    new: Floats

    def value(self, revenue: Floats) -> Floats:
        return np.asarray((self.alive * revenue) @ self.each)


def more_retention(
    customers: pd.DataFrame,
    model: PurchaseFitter,
    spend_model: GammaGammaFitter,
    ahead: Ahead,
    *,
    value: float,
    horizon: int,
) -> MoreRetention:
    """Value one point and five points more of retention.

    Parameters
    ----------
    customers : DataFrame
        The active ones: `frequency`, `recency`, `T`, `monetary_value`.
    model : PurchaseFitter
    spend_model : GammaGammaFitter
    ahead : Ahead
    value : float
        Their CLV within the horizon, to which the sums are scaled: of a large base a sample is
        taken, and what a change of the dropout does is a ratio.
    horizon : int
        Its months, at most as many as `ahead` has.

    Returns
    -------
    MoreRetention
    """
    part = _part(customers, _SAMPLE)
    share = dropout.retention_by_dropout(model, part.histories, ahead.window)
    worlds, log_k = _worlds(model, part.histories, ahead, share=share)
    found = _figures(worlds, part.revenue(spend_model), horizon)
    whole = float(found["now"][horizon - 1])
    scale = value / whole if whole > 0 else 0.0
    nobody = dropout.with_dropout(model, dropout.NOBODY)
    rates = [share(m) for m in (model, nobody)]
    error = _errors(customers, model, spend_model, ahead, horizon, [*log_k])

    now = scale * found["now"]
    months = pd.DataFrame({"month": np.arange(1, len(now) + 1), "now": now})
    for p in log_k:
        for name in (f"plus_{p}", f"rise_{p}", f"new_{p}"):
            figure = found[name] * (scale if name.startswith("plus") else 1.0)
            factor = np.exp(HALF * error[name])
            months[name], months[f"{name}_low"] = figure, figure / factor
            months[f"{name}_high"] = figure * factor
    now_and_highest = [
        _share(rate, HALF * float(sd)) for rate, sd in zip(rates, error["rates"], strict=True)
    ]
    risk, wide = scale * float(found["risk"][0]), float(np.exp(HALF * error["risk"][0]))
    return MoreRetention(
        customers=len(customers),
        retention=now_and_highest[0],
        highest=now_and_highest[1],
        log_k=log_k,
        months=months,
        at_risk=Estimate(risk, risk / wide, risk * wide),
    )


def _share(rate: float, half: float) -> Estimate:
    """A share with its interval, even on log odds."""
    odds = rate / max(1 - rate, 1e-300)
    low, high = (float(odds * np.exp(h) / (1 + odds * np.exp(h))) for h in (-half, half))
    return Estimate(rate, low, high)


def points_that_bring(
    customers: pd.DataFrame,
    model: PurchaseFitter,
    spend_model: GammaGammaFitter,
    ahead: Ahead,
    *,
    rise: float,
    horizon: int,
) -> float | None:
    """Points of retention that raise the value within the horizon by a share of it.

    Parameters
    ----------
    customers, model, spend_model, ahead, horizon
        As in `more_retention`.
    rise : float
        0.05 for five per cent.

    Returns
    -------
    float or None
        0.02 for two points; None where the value doesn't rise so far even without any dropout.
    """
    from scipy.optimize import brentq

    part = _part(customers, _ERROR_SAMPLE)
    h, revenue = part.histories, part.revenue(spend_model)
    times, factors, new_times = (v[:horizon] for v in (ahead.times, ahead.factors, ahead.new_times))
    within = Ahead(times, factors, new_times, ahead.window)

    def value(log_k: float) -> float:
        return float(_world(dropout.with_dropout(model, log_k), h, within).value(revenue)[-1])

    if rise <= 0:
        return 0.0
    wanted = value(0.0) * (1 + rise)
    if value(dropout.NOBODY) < wanted:
        return None
    log_k = float(brentq(lambda z: value(z) - wanted, dropout.NOBODY, 0.0, xtol=1e-6))
    changed = dropout.with_dropout(model, log_k)
    now = dropout.retention_ahead(model, h, ahead.window)
    return dropout.retention_ahead(changed, h, ahead.window) - now


def _part(customers: pd.DataFrame, most: int) -> _Part:
    """All customers, or of more than `most` every n-th in the order of their histories."""
    if len(customers) > most:
        order = np.lexsort([customers[c].to_numpy() for c in ("recency", "T", "frequency")])
        places = ((np.arange(most) + 0.5) * (len(customers) / most)).astype(int)
        customers = customers.iloc[order[places]]
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    return _Part(customers, histories)


def _world(model: PurchaseFitter, h: Histories, ahead: Ahead) -> _World:
    return _World(
        np.asarray(model.conditional_probability_alive(h.frequency, h.recency, h.T)),
        dropout.discounted_if_alive(model, h, ahead.times, ahead.factors),
        dropout.new_customer_purchases(model, ahead.new_times, ahead.factors),
    )


def _worlds(
    model: PurchaseFitter,
    histories: Histories,
    ahead: Ahead,
    points: Sequence[int] = POINTS,
    *,
    share: Callable[[PurchaseFitter], float] | None = None,
    or_nobody: bool = False,
) -> tuple[dict[int, _World], dict[int, float]]:
    """The world as it is, at 0 points, and those with more retention; and their log k.

    `share` is `dropout.retention_by_dropout` of the model, the histories and the activity window,
    where it is at hand.
    Points out of reach are left out, or are as near as it gets where `or_nobody` is set.
    """
    share = share or dropout.retention_by_dropout(model, histories, ahead.window)
    reach = {p: dropout.dropout_for(model, histories, ahead.window, p / 100, share) for p in points}
    if or_nobody:
        reach = {p: dropout.NOBODY if z is None else z for p, z in reach.items()}
    log_k = {p: z for p, z in reach.items() if z is not None}
    changed = {p: dropout.with_dropout(model, z) for p, z in log_k.items()}
    models = {0: model} | changed
    return {p: _world(m, histories, ahead) for p, m in models.items()}, log_k


def _figures(worlds: dict[int, _World], revenue: Floats, horizon: int) -> dict[str, Floats]:
    """What is asked of the worlds: a value a month, and the risk within the horizon."""
    is_now = worlds[0]
    now = is_now.value(revenue)
    risk = float(((1 - is_now.alive) * revenue) @ is_now.each[:, horizon - 1])
    found = {"now": now, "risk": np.array([risk])}
    for p, world in worlds.items():
        if p > 0:
            found[f"plus_{p}"] = world.value(revenue) - now
            found[f"rise_{p}"] = found[f"plus_{p}"] / now
            found[f"new_{p}"] = world.new / is_now.new - 1
    return found


def _errors(
    customers: pd.DataFrame,
    model: PurchaseFitter,
    spend_model: GammaGammaFitter,
    ahead: Ahead,
    horizon: int,
    points: Sequence[int],
) -> dict[str, Floats]:
    """Standard deviation of each figure's logarithm, and of the log odds of the two rates."""
    part = _part(customers, _ERROR_SAMPLE)
    h, revenue = part.histories, part.revenue(spend_model)
    share = dropout.retention_by_dropout(model, h, ahead.window)
    worlds, _ = _worlds(model, h, ahead, points, share=share, or_nobody=True)
    sizes = {k: len(v) for k, v in _figures(worlds, revenue, horizon).items()}

    def of_purchases(there: PurchaseFitter) -> Floats:
        share = dropout.retention_by_dropout(there, h, ahead.window)
        others, _ = _worlds(there, h, ahead, points, share=share, or_nobody=True)
        nobody = dropout.with_dropout(there, dropout.NOBODY)
        rates = np.array([share(m) for m in (there, nobody)])
        logs = np.log(np.concatenate([*_figures(others, revenue, horizon).values()]))
        return np.concatenate([logs, np.log(rates / (1 - rates))])

    def of_spend(there: GammaGammaFitter) -> Floats:
        figures = _figures(worlds, part.revenue(there), horizon)
        return np.concatenate([np.log(np.concatenate([*figures.values()])), [0.0, 0.0]])

    total = variance_of_both(model, spend_model, of_purchases, of_spend)
    parts = np.split(np.sqrt(total), np.cumsum([*sizes.values()]))
    return dict(zip([*sizes, "rates"], parts, strict=True))
