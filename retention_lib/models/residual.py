"""What customers are still worth for life: purchases ahead without an end, discounted.

A purchase at time t ahead counts e^(−δ t), with δ = log(1 + yearly rate) per year. Of a customer
the discounted expected residual purchases (DERT) are

    P(alive) · ∫ e^(−δ t) dY(t) = P(alive) · δ ∫ e^(−δ t) Y(t) dt,

where Y(t) is what is expected of one who is alive. For the Pareto/NBD this is Fader, Hardie & Lee
(2005b), equation 2: with c = β + T and z = δ c,

    P(alive) · (r + x) / (α + T) · c · ∫ e^(−z u) (1 + u)^(−s) du,

their confluent hypergeometric function Ψ(s, s; z) up to a power of z. For the beta-geometric models
no closed form is known, and Y(t) itself is integrated. Both integrands are analytic and bounded
where |arg t| < π/2, so that the trapezoidal rule in log t converges with e^(−π²/step); the cuts at
its ends cost less than that. No special function, nothing that overflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from retention_lib.errors import DataError
from retention_lib.metrics import Metric
from retention_lib.models.expectation import expected_purchases
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats, compress, distinct
from retention_lib.models.purchase import BetaGeoFitter, ModifiedBetaGeoFitter
from retention_lib.models.ruler import check_scoring
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.sentence import N_, Sentence, about

#: Step of the rule in log t: e^(−π²/step) is 5e-15, times what the edge of the strip gives.
_STEP: Final = 0.3
#: Exponent at which something is too small to matter.
_NOTHING: Final = 30.0
#: Rows of a table of times by customers that are made at once.
_BLOCK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Residual:
    """What customers are worth for life, and how much of it is far away.

    Attributes
    ----------
    customers : DataFrame
        Indexed like the customers: `residual_purchases`, discounted; `residual_clv`, discounted
        margin, NaN without a spend model.
    purchases : float
        Sum of the discounted purchases.
    clv : float or None
        Sum of the discounted margin; None without a spend model.
    beyond : float
        Share of `purchases` that lies further ahead than the data go back.
    sentence : Sentence
    """

    customers: pd.DataFrame
    purchases: float
    clv: float | None
    beyond: float
    sentence: Sentence


def residual_value(
    model: PurchaseFitter,
    customers: pd.DataFrame,
    discount_rate: float | None,
    time_unit: str,
    *,
    beyond: float = 0.0,
) -> pd.Series:
    """Discounted expected purchases of each customer from now on, without an end.

    Parameters
    ----------
    model : PurchaseFitter
    customers : DataFrame
        With `frequency`, `recency`, `T` and `attrs` that say what they are measured in.
    discount_rate : float
        Yearly, for example 0.10; infinite gives 0.
    time_unit : str
        `day` or `week`, that of the model.
    beyond : float
        Count only purchases later than this, in `time_unit` from now; discounted to now.

    Returns
    -------
    Series
        Indexed like `customers`; to some eleven digits, finite and not negative.

    Raises
    ------
    DataError
        No discount rate, or none above 0 where without it the sum has no end (a <= 1, s <= 1); a
        model that doesn't fit the summary.
    ValueError
        A negative `beyond`.
    """
    ruler = check_scoring(customers, model, time_unit=time_unit)
    if not beyond >= 0:
        raise ValueError(f"beyond is {beyond}; it must not be negative.")
    rate = _rate(model, discount_rate) / ruler.year
    histories = compress(customers["frequency"], customers["recency"], customers["T"])
    x, age = histories.frequency, histories.T
    alive = np.asarray(model.conditional_probability_alive(x, histories.recency, age))
    if np.isinf(rate):
        ahead = np.zeros(len(x))
    elif isinstance(model, BetaGeoFitter | ModifiedBetaGeoFitter):
        first, inverse = distinct(x, age)
        ahead = _beta_geometric(model, x[first], age[first], rate, beyond)[inverse]
    else:
        first, inverse = distinct(age)
        ahead = _pareto(model, age[first], rate, beyond)[inverse]
        r, alpha = model.parameters[:2]
        ahead = ahead * (r + x) / (alpha + age)
    return pd.Series((alive * ahead)[histories.inverse], customers.index, name="residual_purchases")


def residual_of(
    customers: pd.DataFrame,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    *,
    discount_rate: float | None,
    margin: float,
    time_unit: str,
) -> Residual:
    """What customers are worth for life, per customer and in total.

    Parameters
    ----------
    customers : DataFrame
        With `frequency`, `recency`, `T`, `monetary_value` and `attrs`.
    purchase_model : PurchaseFitter
    spend_model : GammaGammaFitter or None
    discount_rate : float
        Yearly.
    margin : float
        Share of revenue.
    time_unit : str

    Returns
    -------
    Residual

    Raises
    ------
    DataError
        As `residual_value`; no customers.
    """
    if customers.empty:
        raise DataError(
            "There is no customer in the window; check its start and end against the data."
        )
    history = float(customers["T"].max())
    purchases = residual_value(purchase_model, customers, discount_rate, time_unit)
    later = residual_value(purchase_model, customers, discount_rate, time_unit, beyond=history)
    spend = np.full(len(customers), np.nan)
    if spend_model is not None:
        amount = customers["monetary_value"].to_numpy(dtype=float)
        known = np.isfinite(amount) & (amount > 0)
        x = np.where(known, customers["frequency"].to_numpy(dtype=float), 0.0)
        spend = np.asarray(spend_model.conditional_expected_average_profit(x, amount))
    frame = pd.DataFrame(
        {"residual_purchases": purchases, "residual_clv": margin * purchases * spend}
    )
    total = float(purchases.sum())
    share = float(later.sum()) / total if total > 0 else 0.0
    value = None if spend_model is None else float(frame["residual_clv"].sum())
    years = check_scoring(customers, purchase_model).year
    of = {
        "share": about(Metric(share, "share"), 2),
        "months": Metric(round(12 * history / years), "months"),
    }
    if value is None:
        sentence = Sentence(PURCHASES, purchases=about(Metric(total, "number")), **of)
    else:
        sentence = Sentence(VALUE, value=about(Metric(value, "currency")), **of)
    return Residual(frame, total, value, share, sentence)


def _rate(model: PurchaseFitter, discount_rate: float | None) -> float:
    """δ per year; refused where the sum has no end."""
    if discount_rate is None or not discount_rate >= 0:
        raise DataError(
            f"discount_rate is {discount_rate}; a value for life needs a yearly rate of 0 or more, "
            "such as 0.10."
        )
    shape = "s" if "s" in model.params_ else "a"
    if discount_rate == 0 and not model.params_[shape] > 1:
        raise DataError(
            f"discount_rate is 0, and without discounting the purchases ahead add up to no finite "
            f"number: some customers stay so long ({shape} is {model.params_[shape]:.3g}, not "
            "above 1). Set a rate above 0, or a horizon."
        )
    return float(np.log1p(discount_rate))


def _beta_geometric(
    model: BetaGeoFitter | ModifiedBetaGeoFitter, x: Floats, T: Floats, rate: float, beyond: float
) -> Floats:
    """Discounted purchases of customers who are alive, by x and T."""
    r, alpha, a, b = model.parameters
    stayed = b + x + float(model._leaves_at_start)
    if rate == 0:
        # Whoever is alive buys until leaving, after each purchase with probability p: 1/p in all.
        in_all = (a + stayed - 1) / (a - 1)
        by_then = expected_purchases([beyond], r + x, alpha + T, a, stayed)[:, 0]
        return np.asarray(np.maximum(in_all - by_then, 0.0))
    logs = np.arange(-_NOTHING, np.log(_NOTHING) + _STEP, _STEP)
    w = np.exp(logs)
    weights = _STEP * w * np.exp(-w)
    times = np.concatenate([[beyond], beyond + w / rate])
    total = np.empty(len(x))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        by_time = expected_purchases(times, r + x[rows], alpha + T[rows], a, stayed[rows])
        total[rows] = (by_time[:, 1:] - by_time[:, :1]) @ weights
    return np.asarray(np.exp(-rate * beyond) * np.maximum(total, 0.0))


def _pareto(model: PurchaseFitter, T: Floats, rate: float, beyond: float) -> Floats:
    """Discounted time that customers who are alive stay, by T."""
    _, _, s, beta = model.parameters
    c = beta + T
    stays = np.exp(-s * np.log1p(beyond / c) - rate * beyond)
    c = c + beyond
    if rate == 0:
        return np.asarray(stays * c / (s - 1))
    z = rate * c
    # In units of 1 / (z + s) the integral is 1 or more, and its start falls off with e^(log v).
    fast = z + s
    last = np.log(_NOTHING * (fast / z).max())
    total = np.zeros(len(T))
    for log_v in np.arange(-_NOTHING, last + _STEP, _STEP):
        v = np.exp(log_v)
        total += _STEP * v * np.exp(-z * v / fast - s * np.log1p(v / fast))
    return np.asarray(stays * c * total / fast)


VALUE = N_(
    "For life the customers are worth {value}, discounted. {share} of their purchases lie further "
    "ahead than the {months} that the data go back, where the model only goes on as before."
)
PURCHASES = N_(
    "For life the customers make {purchases} more purchases, discounted. {share} of them lie "
    "further ahead than the {months} that the data go back, where the model only goes on as before."
)
