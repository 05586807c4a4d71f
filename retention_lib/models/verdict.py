"""Is the forecast fit for use? A judgement in plain words, with the figures that it rests on.

Judged against the best naive forecast, the model's own interval and the base's own past, not
against a fixed percentage: on the field's textbook data every model comes out 11 to 16 % low on the
total, and still tells customers apart far better than any forecast without a model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retention_lib.metrics import Metric
from retention_lib.models import reasons as say
from retention_lib.models.backtest import Backtests
from retention_lib.models.fit import TITLES
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.histories import Floats
from retention_lib.models.holdout import Holdout
from retention_lib.models.independence import SpendCheck
from retention_lib.models.naive import NAIVE
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.widening import PastErrors, past_errors
from retention_lib.sentence import Sentence

#: A rank correlation of spend and frequency from which the values of groups are visibly tilted.
TIED = 0.25
#: Relative difference of the error per customer below which two forecasts are equally good.
TIE = 0.01
#: Difference of two totals' misses, or of two shares, below which they are equally good.
NEAR = 0.01
#: Mean error of past forecasts that all miss to one side, from which it is told.
ONE_SIDED = 0.05
#: Change of the error from the earliest to the latest past forecasts, from which it is told.
MOVED = 0.15
#: How closely errors must follow the order of the origins to have moved (correlation).
STEADILY = 0.7
#: Typical error of past forecasts from which the total is to be read with care.
LARGE = 0.20
#: How much farther off revenue may be than purchases.
DEARER = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with the forecast.

    Attributes
    ----------
    kind : str
        `fit`: use it. `care`: use it, knowing the reasons. `unfit`: don't.
    reasons : tuple of Sentence
        Those that decided first.
    """

    kind: Literal["fit", "care", "unfit"]
    reasons: tuple[Sentence, ...]


@dataclass
class _Reasons:
    """The sentences, by what they speak for."""

    unfit: list[Sentence]
    care: list[Sentence]
    good: list[Sentence]


def verdict(
    holdout: Holdout | None,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    spearman: float | None,
    *,
    backtests: Backtests | None = None,
    spend: SpendCheck | None = None,
) -> Verdict:
    """Judge a forecast by its tests on the past, its fit and its assumptions.

    Unfit: the base can't identify the purchase model at all, or the model lost to the naive
    forecasts both per customer (squared error) and on the total. Care: it lost in one of the two,
    or what happened lay outside its interval, or past forecasts missed to one side or ever more, or
    its best tenth brought less than that by past revenue, or it could not be tested, or the base
    leaves something open, or spend is tied to frequency. Fit: none of these.

    Parameters
    ----------
    holdout : Holdout or None
        None where the history is too short to split.
    purchase_model : PurchaseFitter
        Fitted on the whole history.
    spend_model : GammaGammaFitter or None
    spearman : float or None
        From `independence`; looked at where `spend` is not given.
    backtests : Backtests, optional
    spend : SpendCheck, optional
        What a tie of spend to frequency does to the values.

    Returns
    -------
    Verdict
    """
    told = _Reasons([], [], [])
    findings = list(purchase_model.findings_)
    if spend_model is None:
        told.care.append(Sentence(say.NO_SPEND))
    else:
        findings += spend_model.findings_
    for finding in findings:
        (told.unfit if finding.serious else told.care).append(finding.sentence)
    past = None if backtests is None else past_errors(backtests)
    _judge_holdout(holdout, past, told)
    if backtests is not None and past is not None:
        _judge_past(backtests, past, told)
    _judge_spend(spearman, spend, told)
    if told.unfit:
        return Verdict("unfit", (*told.unfit, *told.care, *told.good))
    if told.care:
        return Verdict("care", (*told.care, *told.good))
    return Verdict("fit", tuple(told.good))


def _judge_holdout(holdout: Holdout | None, past: PastErrors | None, told: _Reasons) -> None:
    if holdout is None:
        told.care.append(Sentence(say.NOT_TESTED))
        return
    if holdout.bias is None or holdout.closest_bias is None:
        told.care.append(Sentence(say.NOBODY_BOUGHT, forecast=Metric(holdout.forecast, "count")))
        return
    low, high = holdout.forecast_low, holdout.forecast_high
    inside = low is None or high is None or low <= holdout.actual <= high
    per_customer = Sentence(
        say.PER_CUSTOMER,
        model=TITLES[holdout.model],
        rmse=Metric(holdout.rmse, "number"),
        baseline=holdout.baseline,
        naive=Metric(holdout.baseline_rmse, "number"),
    )
    total = Sentence(
        say.TOTAL,
        model=TITLES[holdout.model],
        forecast=Metric(holdout.forecast, "count"),
        actual=Metric(holdout.actual, "count"),
        miss=Metric(abs(holdout.bias), "share"),
        closest=holdout.closest,
        naive=Metric(abs(holdout.closest_bias), "share"),
    )
    worse_each = holdout.rmse > holdout.baseline_rmse * (1 + TIE)
    worse_total = abs(holdout.bias) > abs(holdout.closest_bias) + NEAR
    if worse_each and worse_total:
        told.unfit.extend([per_customer, total])
        return
    if not inside:
        message = say.OUTSIDE if past is None else say.OUTSIDE_WIDENED
        told.care.insert(
            0,
            Sentence(
                message,
                actual=Metric(holdout.actual, "count"),
                low=Metric(low, "count"),
                high=Metric(high, "count"),
            ),
        )
    # Of three naive totals one may come close by luck; within its interval so is the model's.
    (told.care if worse_total and not inside else told.good).append(total)
    (told.care if worse_each else told.good).append(per_customer)
    _judge_money(holdout, told)


def _judge_money(holdout: Holdout, told: _Reasons) -> None:
    """Revenue, and who brought it."""
    if holdout.revenue_bias is not None and holdout.bias is not None:
        farther = abs(holdout.revenue_bias) > abs(holdout.bias) + DEARER
        if farther:
            message = say.REVENUE_LOW if holdout.revenue_bias < 0 else say.REVENUE_HIGH
            told.care.append(
                Sentence(
                    message,
                    miss=Metric(abs(holdout.revenue_bias), "share"),
                    purchases=Metric(abs(holdout.bias), "share"),
                )
            )
    if holdout.best_tenth is None:
        return
    values = {
        "share": Metric(holdout.best_tenth, "share"),
        "perfect": Metric(holdout.best_tenth_perfect, "share"),
    }
    by_past = holdout.best_tenth_by_past
    if by_past is None:
        told.good.append(Sentence(say.BEST_TENTH_ALONE, **values))
        return
    worse = holdout.best_tenth < by_past - NEAR
    message = say.WORSE_TENTH if worse else say.BEST_TENTH
    sentence = Sentence(message, past=Metric(by_past, "share"), **values)
    (told.care if worse else told.good).append(sentence)


def _judge_past(backtests: Backtests, past: PastErrors, told: _Reasons) -> None:
    """What forecasts of several stretches of the past missed by."""
    frame = backtests.origins
    errors, n = frame["error"].to_numpy(dtype=float), len(frame)
    values = {"n": n, "months": Metric(backtests.months, "months")}
    side = int((errors > 0).sum()) if past.mean > 0 else int((errors < 0).sum())
    third = max(n // 3, 1)
    first, last = float(errors[:third].mean()), float(errors[-third:].mean())
    noise = 2 * float(frame["own"].max()) * 2**0.5
    if abs(last - first) > max(MOVED, noise) and abs(_trend(errors)) >= STEADILY:
        told.care.append(
            Sentence(
                say.MOVED,
                **values,
                first=_happened(first),
                last=_happened(last),
            )
        )
    elif n >= 3 and side >= n - (n >= 5) and abs(past.mean) >= ONE_SIDED:
        message = say.ALWAYS_LOW if past.mean > 0 else say.ALWAYS_HIGH
        by = Metric(abs(math.exp(past.mean) - 1), "share")
        told.care.append(Sentence(message, **values, side=side, by=by))
    sentence = Sentence(
        say.PAST,
        **values,
        least=_happened(float(errors.min())),
        most=_happened(float(errors.max())),
    )
    (told.care if past.size > LARGE else told.good).append(sentence)
    money = past_errors(backtests, "revenue_error")
    if money is not None and money.size > LARGE >= past.size:
        off = frame["revenue_error"]
        told.care.append(
            Sentence(
                say.PAST_MONEY,
                **values,
                least=_happened(float(off.min())),
                most=_happened(float(off.max())),
            )
        )
    _judge_past_naive(backtests, past, told)


def _judge_past_naive(backtests: Backtests, past: PastErrors, told: _Reasons) -> None:
    frame = backtests.origins
    sizes = {
        name: float((np.log(frame["actual"] / frame[name]) ** 2).mean() ** 0.5)
        for name in NAIVE
        if (frame[name] > 0).all()
    }
    if not sizes:
        return
    best = min(sizes, key=lambda name: sizes[name])
    lost = past.size > sizes[best] + NEAR
    sentence = Sentence(
        say.PAST_LOST if lost else say.PAST_WON,
        n=len(frame),
        baseline=NAIVE[best],
        miss=_typical(past.size),
        naive=_typical(sizes[best]),
    )
    (told.care if lost else told.good).append(sentence)


def _judge_spend(spearman: float | None, spend: SpendCheck | None, told: _Reasons) -> None:
    tied = spearman is not None and abs(spearman) >= TIED
    if spend is not None and spend.classes["named"].any():
        # The class that is farthest off, and what all of them add up to.
        told.care.extend(dict.fromkeys((spend.sentences[0], spend.sentences[-1])))
    elif spend is not None and tied:
        told.good.append(spend.sentences[0])
    elif spearman is not None and tied:
        message = say.TIED_UP if spearman > 0 else say.TIED_DOWN
        told.care.append(Sentence(message, spearman=Metric(spearman, "number")))


def _trend(errors: Floats) -> float:
    """Correlation of errors with their order; 0 for fewer than three, or equal ones."""
    if len(errors) < 3 or np.ptp(errors) == 0:
        return 0.0
    return float(np.corrcoef(np.arange(len(errors)), errors)[0, 1])


def _happened(error: float) -> Metric:
    """An error as actual / forecast."""
    return Metric(math.exp(error), "share")


def _typical(size: float) -> Metric:
    """The size of errors in logarithms as a share."""
    return Metric(math.exp(size) - 1, "share")
