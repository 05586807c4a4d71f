"""From a base to its forecast: the model chosen, tested on months held back, and what it expects.

The one place where data, models and the client file's choices meet; the parts are in the other
modules of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.metrics import Metric, Unit, unknown
from retention_lib.models.backtest import Backtests, backtest
from retention_lib.models.clv import Terms, Valuation, expected_values, value_base
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.foreseen import spend_model_of
from retention_lib.models.held_back import tested
from retention_lib.models.holdout import Holdout
from retention_lib.models.independence import SpendCheck, independence, spend_check
from retention_lib.models.purchase_days import purchase_days
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.totals import Estimate
from retention_lib.models.verdict import Verdict, verdict
from retention_lib.models.widening import Interval, total_intervals, what_widens
from retention_lib.sentence import N_, Sentence


@dataclass(frozen=True)
class Forecast:
    """What a base's customers are expected to do.

    Parameters
    ----------
    name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    reason : Sentence
        Why this model.
    purchase_model : PurchaseFitter
        A lifetimes fitter, fitted on the whole history.
    spend_model : GammaGammaFitter or None
        None where nobody has bought twice.
    holdout : Holdout or None
        The test on months held back; None where the history is too short for one.
    backtests : Backtests
        Forecasts of several stretches of the past; false where there are none.
    verdict : Verdict
        Whether to act on the forecast, in words.
    valuation : Valuation
        Per customer and in total.
    spearman : float or None
        Correlation of spend with frequency, which the spend model takes to be none.
    spend_check : SpendCheck or None
        What such a correlation does to the values; None without a spend model.
    terms : Terms
        Of the values.
    """

    name: str
    reason: Sentence
    purchase_model: PurchaseFitter
    spend_model: GammaGammaFitter | None
    holdout: Holdout | None
    backtests: Backtests
    verdict: Verdict
    valuation: Valuation
    spearman: float | None
    spend_check: SpendCheck | None
    terms: Terms

    @property
    def horizon_months(self) -> int:
        """As in the client file."""
        return self.terms.horizon_months

    @property
    def discount_rate(self) -> float:
        """Yearly, as in the client file."""
        return self.terms.discount_rate

    @property
    def margin(self) -> float:
        """Share of revenue, as in the client file."""
        return self.terms.margin

    @property
    def unknowable(self) -> str | None:
        """Why this base can't carry a forecast at all; None where it can.

        Its parameters then say nothing of the customers, and neither does what follows from them.
        """
        serious = [f.sentence for f in self.purchase_model.findings_ if f.serious]
        return serious[0] if serious else None

    @property
    def intervals(self) -> dict[str, Interval]:
        """`purchases.expected`, `clv.total` and `clv.mean`, each with both its intervals.

        By the model alone, and with what past forecasts of this base missed.
        """
        bias = self.holdout.bias if self.holdout else None
        return total_intervals(self.valuation.totals, self.backtests, bias)

    @property
    def widened_by(self) -> Sentence:
        """What these intervals hold beyond the model's own."""
        return what_widens(self.backtests, self.holdout.bias if self.holdout else None)

    @property
    def usable(self) -> bool:
        """Whether to act on it."""
        return self.verdict.kind != "unfit"


def make_forecast(base: Base) -> Forecast:
    """Choose, test and fit the models of a base, and value its customers.

    Parameters
    ----------
    base : Base

    Raises
    ------
    DataError
        No customer has a purchase.
    """
    params = base.params
    customers = base.customers()
    name, reason, holdout = tested(base)
    purchase_model = fit_purchase_model(customers, name)
    spend_model = spend_model_of(customers)
    spearman, _, _ = independence(customers["frequency"], customers["monetary_value"])
    terms = terms_of(base)
    valuation = value_base(customers, purchase_model, spend_model, terms)
    past = backtest(
        purchase_days(base),
        name,
        start=base.start,
        as_of=base.as_of,
        horizon_months=params.horizon_months,
        time_unit=params.time_unit,
        holdout=holdout,
        latest=(purchase_model, spend_model),
    )
    tied = None
    if spend_model is not None:
        tied = spend_check(customers, spend_model, valuation.customers["clv"])
    judged = verdict(holdout, purchase_model, spend_model, spearman, backtests=past, spend=tied)
    return Forecast(
        name=name,
        reason=reason,
        purchase_model=purchase_model,
        spend_model=spend_model,
        holdout=holdout,
        backtests=past,
        verdict=judged,
        valuation=valuation,
        spearman=spearman,
        spend_check=tied,
        terms=terms,
    )


def terms_of(base: Base) -> Terms:
    """What the client file says of values, as of the base's last day."""
    params = base.params
    return Terms(
        horizon_months=params.horizon_months,
        discount_rate=params.discount_rate,
        margin=params.margin,
        as_of=base.as_of.isoformat(),
        time_unit=params.time_unit,
    )


def expected_now(
    base: Base, model: PurchaseFitter, near: GammaGammaFitter | None = None
) -> pd.DataFrame:
    """Each customer's expected value by a model: no test, no intervals.

    Parameters
    ----------
    base : Base
    model : PurchaseFitter
        Fitted on the base.
    near : GammaGammaFitter, optional
        The spend model of customers much like these.

    Returns
    -------
    DataFrame
        `p_alive`, `expected_purchases`, `expected_spend`, `clv`, by customer.
    """
    customers = base.customers()
    return expected_values(customers, model, spend_model_of(customers, near), terms_of(base))


def forecast_metrics(made: Forecast) -> dict[str, Metric]:
    """The metrics of a forecast (CONTRACT, section 4): parameters, test, expectations."""
    return {**_parameters(made), **_holdout(made.holdout), **_expected(made)}


def _parameters(made: Forecast) -> dict[str, Metric]:
    metrics = _of_model(made.name, made.purchase_model)
    if made.spend_model is None:
        nobody = N_("Nobody has bought twice, so there is no spend model.")
        return metrics | {
            f"model.gammagamma.{p}": unknown("number", nobody)
            for p in ("p", "q", "v", "log_likelihood")
        }
    return metrics | _of_model("gammagamma", made.spend_model)


def _of_model(name: str, model: PurchaseFitter | GammaGammaFitter) -> dict[str, Metric]:
    limits = model.confidence_intervals_.loc[model.params_.index]
    caution = model.degenerate_
    metrics = {
        f"model.{name}.{p}": Metric(
            float(value),
            "number",
            low=max(float(low), 0.0),
            high=float(high),
            note=caution,
        )
        for (p, value), (low, high) in zip(
            model.params_.items(), limits.to_numpy(dtype=float), strict=True
        )
    }
    log_likelihood = Metric(float(model.log_likelihood_), "number", note=caution)
    return metrics | {f"model.{name}.log_likelihood": log_likelihood}


def _holdout(test: Holdout | None) -> dict[str, Metric]:
    units: dict[str, Unit] = {"bias": "share", "mae": "number", "baseline_mae": "number"}
    if test is None:
        short = N_("The history is too short to hold months back.")
        return {f"holdout.{name}": unknown(unit, short) for name, unit in units.items()}
    nobody = N_("Nobody bought in the months held back.")
    return {
        f"holdout.{name}": Metric(
            getattr(test, name),
            unit,
            n=test.n,
            note=nobody if getattr(test, name) is None else None,
        )
        for name, unit in units.items()
    }


def _expected(made: Forecast) -> dict[str, Metric]:
    totals, n = made.valuation.totals, len(made.valuation.customers)
    if (why := made.unknowable) is not None:
        return {name: unknown(unit, why, n=n) for name, unit in _EXPECTED.items()}
    both = made.intervals
    return {
        "customers.expected_alive": _estimated(totals.alive, "count", n),
        "purchases.expected": _estimated(both["purchases.expected"], "number", n),
        "clv.total": _estimated(both.get("clv.total"), "currency", n),
        "clv.mean": _estimated(both.get("clv.mean"), "currency", n),
        "clv.top20_share": _estimated(totals.top20_share, "share", n),
    }


_EXPECTED: dict[str, Unit] = {
    "customers.expected_alive": "count",
    "purchases.expected": "number",
    "clv.total": "currency",
    "clv.mean": "currency",
    "clv.top20_share": "share",
}


def _estimated(estimate: Estimate | Interval | None, unit: Unit, n: int) -> Metric:
    if estimate is None:
        return unknown(unit, N_("Nobody has bought twice, so spend can't be forecast."), n=n)
    return Metric(estimate.value, unit, low=estimate.low, high=estimate.high, n=n)


def parameter_names(metrics: Mapping[str, Metric]) -> list[str]:
    """The ids of the models' parameters among these metrics, in their order."""
    return [name for name in metrics if name.startswith("model.")]
