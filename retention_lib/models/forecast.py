"""From a base to its forecast: the model chosen, tested on months held back, and what it expects.

The one place where data, models and the client file's choices meet; the parts are in the other
modules of this package.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ibis
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.periods import ONE_DAY, Window, shift_months
from retention_lib.data.purchases import DAYS_PER_UNIT
from retention_lib.errors import DataError
from retention_lib.metrics import Metric, Unit, unknown
from retention_lib.models.choose import choose
from retention_lib.models.clv import Estimate, Valuation, expected_values, value_base
from retention_lib.models.fit import fit_purchase_model, fit_spend_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.holdout import Holdout, validate
from retention_lib.models.spend import GammaGammaFitter, independence
from retention_lib.models.verdict import Verdict, verdict

#: The window held back is a third of the history, at most this many months.
LONGEST_HOLDOUT = 12


@dataclass(frozen=True)
class Forecast:
    """What a base's customers are expected to do.

    Parameters
    ----------
    name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    reason : str
        A sentence: why this model.
    purchase_model : PurchaseFitter
        A lifetimes fitter, fitted on the whole history.
    spend_model : GammaGammaFitter or None
        None where nobody has bought twice.
    holdout : Holdout or None
        The test on months held back; None where the history is too short for one.
    verdict : Verdict
        Whether to act on the forecast, in words.
    valuation : Valuation
        Per customer and in total.
    spearman : float or None
        Correlation of spend with frequency, which the spend model takes to be none.
    horizon_months, discount_rate, margin
        As in the client file.
    """

    name: str
    reason: str
    purchase_model: PurchaseFitter
    spend_model: GammaGammaFitter | None
    holdout: Holdout | None
    verdict: Verdict
    valuation: Valuation
    spearman: float | None
    horizon_months: int
    discount_rate: float
    margin: float

    @property
    def unknowable(self) -> str | None:
        """Why this base can't carry a forecast at all; None where it can.

        Its parameters then say nothing of the customers, and neither does what follows from them.
        """
        serious = [f.sentence for f in self.purchase_model.findings_ if f.serious]
        return serious[0] if serious else None

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
    name, reason, holdout = _tested(base)
    purchase_model = fit_purchase_model(customers, name)
    spend_model = _spend_model(customers)
    spearman, _, _ = independence(customers["frequency"], customers["monetary_value"])
    valuation = value_base(
        customers,
        purchase_model,
        spend_model,
        horizon_months=params.horizon_months,
        discount_rate=params.discount_rate,
        margin=params.margin,
        as_of=base.as_of.isoformat(),
        time_unit=params.time_unit,
    )
    return Forecast(
        name=name,
        reason=reason,
        purchase_model=purchase_model,
        spend_model=spend_model,
        holdout=holdout,
        verdict=verdict(holdout, purchase_model, spend_model, spearman),
        valuation=valuation,
        spearman=spearman,
        horizon_months=params.horizon_months,
        discount_rate=params.discount_rate,
        margin=params.margin,
    )


def expected_now(base: Base, name: str) -> pd.DataFrame:
    """Each customer's expected value by a named model: no test, no intervals.

    Returns
    -------
    DataFrame
        `p_alive`, `expected_purchases`, `expected_spend`, `clv`, by customer.
    """
    customers, params = base.customers(), base.params
    return expected_values(
        customers,
        fit_purchase_model(customers, name),
        _spend_model(customers),
        horizon_months=params.horizon_months,
        discount_rate=params.discount_rate,
        margin=params.margin,
        as_of=base.as_of.isoformat(),
        time_unit=params.time_unit,
    )


def holdout_window(base: Base) -> Window | None:
    """The months held back to test the model; None where the history is shorter than three months.

    A third of the history, at most `LONGEST_HOLDOUT` months, or as many as the client file says.
    """
    months = 0
    while shift_months(base.as_of, -(months + 1)) + ONE_DAY >= base.start:
        months += 1
    held_back = base.params.holdout_months or min(months // 3, LONGEST_HOLDOUT)
    if not 0 < held_back < months:
        return None
    return Window(shift_months(base.as_of, -held_back) + ONE_DAY, base.as_of)


def _tested(base: Base) -> tuple[str, str, Holdout | None]:
    """Name of the model, why it was taken, and its test."""
    params = base.params
    window = holdout_window(base)
    if window is None:
        name = "bgnbd" if params.model == "auto" else params.model
        short = "The history is too short to try the models on months held back."
        return name, short, None
    split = window.start - ONE_DAY
    calibration = base.customers(split)
    if calibration.empty:
        name = "bgnbd" if params.model == "auto" else params.model
        return name, "Nobody had bought before the months held back.", None
    before = Window(split - dt.timedelta(days=window.days - 1), split)
    given: dict[str, Any] = {
        "horizon": window.days / DAYS_PER_UNIT[params.time_unit],
        "months": _months(window),
        "repeat_purchases": _repeat_purchases_by_day(base, split),
    }
    actual, previous = _purchases_in(base, window), _purchases_in(base, before)
    if params.model != "auto":
        holdout = validate(calibration, actual, previous, model_name=params.model, **given)
        return params.model, "The client file names it.", holdout
    chosen, reason, holdouts = choose(calibration, actual, previous, **given)
    return chosen, reason, holdouts[chosen]


def _months(window: Window) -> int:
    months = 0
    while shift_months(window.end, -months) >= window.start:
        months += 1
    return months


def _purchases_in(base: Base, window: Window) -> pd.Series:
    """Purchases per customer in a window."""
    bought = base.purchases()
    inside = bought.filter(
        bought[schema.DAY].between(ibis.date(window.start), ibis.date(window.end))
    )
    counts = inside.group_by(schema.CUSTOMER).aggregate(purchases=inside.count()).execute()
    return counts.set_index(schema.CUSTOMER)["purchases"]


def _repeat_purchases_by_day(base: Base, split: dt.date) -> pd.Series:
    """Repeat purchases by day, of the customers who had bought by the split."""
    bought = base.purchases()
    first = bought.filter((bought.number == 0) & (bought[schema.DAY] <= ibis.date(split)))
    known = bought.semi_join(first, schema.CUSTOMER).filter(bought.number > 0)
    by_day = known.group_by(schema.DAY).aggregate(purchases=known.count()).execute()
    return pd.Series(
        by_day["purchases"].to_numpy(), index=pd.DatetimeIndex(by_day[schema.DAY])
    ).sort_index()


def _spend_model(customers: pd.DataFrame) -> GammaGammaFitter | None:
    """The spend model; None where no repeat purchase gives it anything to learn from."""
    try:
        return fit_spend_model(customers)
    except DataError:
        return None


def forecast_metrics(made: Forecast) -> dict[str, Metric]:
    """The metrics of a forecast (CONTRACT, section 4): parameters, test, expectations."""
    return {**_parameters(made), **_holdout(made.holdout), **_expected(made)}


def _parameters(made: Forecast) -> dict[str, Metric]:
    metrics = _of_model(made.name, made.purchase_model)
    if made.spend_model is None:
        nobody = "Nobody has bought twice, so there is no spend model."
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
        short = "The history is too short to hold months back."
        return {f"holdout.{name}": unknown(unit, short) for name, unit in units.items()}
    nobody = "Nobody bought in the months held back."
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
    off = made.holdout.bias if made.holdout else None
    return {
        "customers.expected_alive": _estimated(totals.alive, "count", n),
        "purchases.expected": _estimated(totals.purchases, "number", n, off),
        "clv.total": _estimated(totals.clv, "currency", n, off),
        "clv.mean": _estimated(totals.clv_mean, "currency", n, off),
        "clv.top20_share": _estimated(totals.top20_share, "share", n),
    }


_EXPECTED: dict[str, Unit] = {
    "customers.expected_alive": "count",
    "purchases.expected": "number",
    "clv.total": "currency",
    "clv.mean": "currency",
    "clv.top20_share": "share",
}


def _estimated(
    estimate: Estimate | None, unit: Unit, n: int, holdout_bias: float | None = None
) -> Metric:
    """The metric of an estimate; its interval takes in the relative error that the holdout showed.

    The model's own interval is conditional on customers going on as before. Where the forecast of
    months that have passed was off by a share, this one may be off by as much, either way.
    """
    if estimate is None:
        return unknown(unit, "Nobody has bought twice, so spend can't be forecast.", n=n)
    low, high = estimate.low, estimate.high
    if holdout_bias is not None and holdout_bias > -1:
        error = abs(1 / (1 + holdout_bias) - 1)
        low = min(low, estimate.value * max(1 - error, 0.0))
        high = max(high, estimate.value * (1 + error))
    return Metric(estimate.value, unit, low=low, high=high, n=n)


def parameter_names(metrics: Mapping[str, Metric]) -> list[str]:
    """The ids of the models' parameters among these metrics, in their order."""
    return [name for name in metrics if name.startswith("model.")]
