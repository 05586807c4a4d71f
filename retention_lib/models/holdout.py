"""Did the model know the past's future? A forecast made at a split, beside what then happened.

The model is fitted on the history up to the split and forecasts the holdout window; beside it stand
the naive forecasts (`naive`). Judged are the total, each customer, the customers' order, the best
tenth, the classes of past frequency, and the weekly course (Fader, Hardie & Lee 2005, figures 1
to 3).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention_lib.models.fit import PURCHASE_MODELS, fit_purchase_model
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.foreseen import expected_purchases, forecast_interval
from retention_lib.models.histories import Floats
from retention_lib.models.measures import Score, bias, caught_by_best_tenth, score
from retention_lib.models.naive import NAIVE
from retention_lib.models.outcome import Outcome, outcome_of
from retention_lib.models.tracking import track
from retention_lib.sentence import Sentence

_TOP_CLASS = 7


@dataclass(frozen=True, slots=True)
class Holdout:
    """A forecast beside the outcome.

    Attributes
    ----------
    model : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    calibration_end : Timestamp or None
        The last day that the model saw.
    months : int or None
        Length of the holdout window, where it is a number of months.
    horizon : float
        The same length in the model's unit of time.
    n : int
        Customers known at the split.
    actual, forecast : float
        Their purchases in the window, as they happened and as expected.
    forecast_low, forecast_high : float or None
        Its 95 % interval, of parameters' error and customers' own chance; None where not drawn.
    bias : float or None
        forecast / actual − 1; None where nobody bought.
    mae, rmse : float
        Mean absolute and root mean squared error per customer.
    rank_correlation : float or None
        Spearman's, of forecast and actual over customers; None where one of them doesn't vary.
    baseline : Sentence
        What the best naive forecast is: the one with the smallest squared error per customer.
    baseline_name : str
        Its key among `naive.NAIVE`.
    baseline_total, baseline_rmse : float
    baseline_bias : float or None
    baseline_mae : float
        The smallest of any naive forecast.
    closest : Sentence
        What the naive forecast is whose total came closest.
    closest_total : float
    closest_bias : float or None
    revenue_actual, revenue_forecast : float or None
        The window's revenue, as it happened and as expected; None where amounts were not given or
        nobody's spend is known.
    revenue_bias : float or None
    best_tenth : float or None
        Share of the window's revenue that fell on the tenth of the customers with the highest
        expected value; None where there was no revenue.
    best_tenth_by_past : float or None
        The same for the tenth with the highest revenue before the split.
    best_tenth_perfect : float or None
        The same for a perfect list: the most that any can reach.
    log_likelihood, aic : float
        Of the fit up to the split.
    degenerate : str or None
        What that base couldn't identify.
    beside : DataFrame
        The forecasts side by side: `name` (the model's, then the naive ones'), `total`, `bias`,
        `mae`, `rmse`, `rank_correlation`, `revenue`, `revenue_bias`; NaN where not known.
    by_frequency : DataFrame
        `frequency` (0 to 6, then 7+; ordered categories), `n`, `actual`, `forecast` and `baseline`,
        means per customer; classes without customers are left out.
    tracking : DataFrame
        `tracking.track` of these customers, up to the end of the holdout.
    parameters : tuple of float
        Of the model up to the split, in the order of its `parameter_names`.
    """

    model: str
    calibration_end: pd.Timestamp | None
    months: int | None
    horizon: float
    n: int
    actual: float
    forecast: float
    forecast_low: float | None
    forecast_high: float | None
    bias: float | None
    mae: float
    rmse: float
    rank_correlation: float | None
    baseline: Sentence
    baseline_name: str
    baseline_total: float
    baseline_bias: float | None
    baseline_mae: float
    baseline_rmse: float
    closest: Sentence
    closest_total: float
    closest_bias: float | None
    revenue_actual: float | None
    revenue_forecast: float | None
    revenue_bias: float | None
    best_tenth: float | None
    best_tenth_by_past: float | None
    best_tenth_perfect: float | None
    log_likelihood: float
    aic: float
    degenerate: str | None
    beside: pd.DataFrame
    by_frequency: pd.DataFrame
    tracking: pd.DataFrame
    parameters: tuple[float, ...] = ()

    def optimum_at(self, day: dt.date, model_name: str) -> dict[str, float] | None:
        """The model's parameters by name; None for another day than the split, or another model."""
        split = self.calibration_end
        if model_name != self.model or split is None or split.date() != day:
            return None
        names = PURCHASE_MODELS[model_name].parameter_names
        return dict(zip(names, self.parameters, strict=True)) if self.parameters else None


def validate(
    calibration: pd.DataFrame,
    actual: pd.Series,
    previous: pd.Series,
    *,
    model_name: str,
    horizon: float,
    model: PurchaseFitter | None = None,
    outcome: Outcome | None = None,
    months: int | None = None,
    repeat_purchases: pd.Series | None = None,
    revenue: pd.Series | None = None,
    previous_revenue: pd.Series | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Holdout:
    """Fit on the history up to a split and compare the forecast with what followed.

    Parameters
    ----------
    calibration : DataFrame
        Customer summary as of the split, with its `attrs` (`as_of`, `time_unit`).
    actual : Series
        Purchases of each customer in the holdout window; customers that are missing bought nothing.
    previous : Series
        Purchases of each customer in the equally long window that ends at the split.
    model_name : str
        `bgnbd`, `mbgnbd` or `paretonbd`.
    horizon : float
        Length of the holdout window in the summary's unit of time.
    model : PurchaseFitter, optional
        Where it has been fitted on `calibration` already.
    outcome : Outcome, optional
        `outcome_of` the same, where it is at hand.
    months : int, optional
        The same in months, to be told.
    repeat_purchases : Series, optional
        Repeat purchases of these customers by day (a DatetimeIndex) over calibration and holdout.
    revenue, previous_revenue : Series, optional
        What `actual` and `previous` amounted to.
    draws : int
        Simulated futures behind the forecast's interval; 0 leaves it out.
    seed : int

    Returns
    -------
    Holdout

    Raises
    ------
    DataError
        No customers at the split, or a window of no length.
    """
    if model is None:
        model = fit_purchase_model(calibration, model_name)
    beside = outcome or outcome_of(
        calibration,
        actual,
        previous,
        horizon=horizon,
        revenue=revenue,
        previous_revenue=previous_revenue,
    )
    happened, spent, scores = beside.purchases, beside.revenue, beside.scores
    forecast = expected_purchases(model, calibration, horizon)
    expected = None if beside.spend is None else forecast * beside.spend
    own = score(forecast, happened)
    best = min(scores, key=lambda name: scores[name].rmse)
    closest = min(scores, key=lambda name: abs(scores[name].total - happened.sum()))
    low, high = forecast_interval(model, calibration, horizon, draws=draws, seed=seed)
    end = calibration.attrs.get("as_of")
    return Holdout(
        model=model_name,
        calibration_end=None if end is None else pd.Timestamp(end),
        months=months,
        horizon=float(horizon),
        n=len(calibration),
        actual=float(happened.sum()),
        forecast=own.total,
        forecast_low=low,
        forecast_high=high,
        bias=own.bias,
        mae=own.mae,
        rmse=own.rmse,
        rank_correlation=own.rank_correlation,
        baseline=NAIVE[best],
        baseline_name=best,
        baseline_total=scores[best].total,
        baseline_bias=scores[best].bias,
        baseline_mae=min(each.mae for each in scores.values()),
        baseline_rmse=scores[best].rmse,
        closest=NAIVE[closest],
        closest_total=scores[closest].total,
        closest_bias=scores[closest].bias,
        **_in_money(calibration, expected, spent),
        log_likelihood=float(model.log_likelihood_),
        aic=float(model.aic_),
        degenerate=model.degenerate_,
        beside=_side_by_side(
            {model_name: own, **scores},
            {model_name: expected, **{name: each.revenue for name, each in beside.naive.items()}},
            spent,
        ),
        by_frequency=_by_frequency(
            calibration["frequency"].to_numpy(), happened, forecast, beside.naive[best].purchases
        ),
        tracking=track(model, calibration, horizon, repeat_purchases),
        parameters=model.parameters,
    )


def _side_by_side(
    scores: dict[str, Score], revenue: dict[str, Floats | None], spent: Floats | None
) -> pd.DataFrame:
    rows = []
    for name, judged in scores.items():
        money = revenue[name]
        known: dict[str, float | None] = {"revenue": None, "revenue_bias": None}
        if spent is not None and money is not None:
            known = {"revenue": float(money.sum()), "revenue_bias": bias(money, spent)}
        rows.append({"name": name, **dataclasses.asdict(judged), **known})
    frame = pd.DataFrame(rows)
    return frame.astype({c: "float64" for c in frame.columns if c != "name"})


def _in_money(
    calibration: pd.DataFrame, expected: Floats | None, spent: Floats | None
) -> dict[str, float | None]:
    """What the window brought, and who brought it."""
    by_past = None
    if spent is not None and "revenue" in calibration:
        past = calibration["revenue"].to_numpy(dtype=float)
        by_past = caught_by_best_tenth(past, spent)
    pair = None if expected is None or spent is None else (expected, spent)
    return {
        "revenue_actual": None if spent is None else float(spent.sum()),
        "revenue_forecast": None if pair is None else float(pair[0].sum()),
        "revenue_bias": None if pair is None else bias(*pair),
        "best_tenth": None if pair is None else caught_by_best_tenth(*pair),
        "best_tenth_by_past": by_past,
        "best_tenth_perfect": None if spent is None else caught_by_best_tenth(spent, spent),
    }


def _by_frequency(
    frequency: np.ndarray, actual: Floats, forecast: Floats, naive: Floats
) -> pd.DataFrame:
    names = [str(k) for k in range(_TOP_CLASS)] + [f"{_TOP_CLASS}+"]
    codes = np.minimum(frequency, _TOP_CLASS).astype(np.int8)
    frame = pd.DataFrame(
        {
            "frequency": pd.Categorical.from_codes(codes, categories=pd.Index(names), ordered=True),
            "actual": actual,
            "forecast": forecast,
            "baseline": naive,
        }
    )
    groups = frame.groupby("frequency", observed=True)
    table = groups.mean()
    table.insert(0, "n", groups.size())
    return table.reset_index()
