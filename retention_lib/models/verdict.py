"""Is the forecast fit for use? A judgement in plain words, with the figures that it rests on.

Judged against the naive forecast and the model's own interval, not against a fixed percentage: on
the field's textbook data every model comes out 11 to 16 % low on the total, and still tells
customers apart far better than a repeat of the last period does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from retention_lib.metrics import Metric
from retention_lib.models.fit import TITLES
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.holdout import Holdout
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.sentence import Sentence

#: A rank correlation of spend and frequency from which the values of groups are visibly tilted.
TIED = 0.25
#: Relative difference of MAE below which two forecasts are equally good.
TIE = 0.01


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


def verdict(
    holdout: Holdout | None,
    purchase_model: PurchaseFitter,
    spend_model: GammaGammaFitter | None,
    spearman: float | None,
) -> Verdict:
    """Judge a forecast by its holdout, its fit and its assumptions.

    Unfit: the base can't identify the purchase model at all, or the model lost to the naive
    forecast both per customer (MAE) and on the total. Care: it lost in one of the two, or what
    happened lay outside its interval, or it could not be tested, or the base leaves something
    open, or spend is tied to frequency. Fit: none of these.

    Parameters
    ----------
    holdout : Holdout or None
        None where the history is too short to split.
    purchase_model : PurchaseFitter
        Fitted on the whole history.
    spend_model : GammaGammaFitter or None
    spearman : float or None
        From `independence`.

    Returns
    -------
    Verdict
    """
    unfit: list[Sentence] = []
    care: list[Sentence] = []
    good: list[Sentence] = []
    findings = list(purchase_model.findings_)
    if spend_model is None:
        care.append(Sentence(NO_SPEND))
    else:
        findings += spend_model.findings_
    for finding in findings:
        (unfit if finding.serious else care).append(finding.sentence)
    _judge_holdout(holdout, unfit, care, good)
    if spearman is not None and abs(spearman) >= TIED:
        message = TIED_UP if spearman > 0 else TIED_DOWN
        care.append(Sentence(message, spearman=Metric(spearman, "number")))
    if unfit:
        return Verdict("unfit", (*unfit, *care, *good))
    if care:
        return Verdict("care", (*care, *good))
    return Verdict("fit", tuple(good))


def _judge_holdout(
    holdout: Holdout | None, unfit: list[Sentence], care: list[Sentence], good: list[Sentence]
) -> None:
    if holdout is None:
        care.append(Sentence(NOT_TESTED))
        return
    title = TITLES[holdout.model]
    if holdout.bias is None or holdout.baseline_bias is None:
        care.append(Sentence(NOBODY_BOUGHT, forecast=Metric(holdout.forecast, "count")))
        return
    per_customer = Sentence(
        PER_CUSTOMER,
        model=title,
        mae=Metric(holdout.mae, "number"),
        naive=Metric(holdout.baseline_mae, "number"),
    )
    total = Sentence(
        TOTAL,
        model=title,
        forecast=Metric(holdout.forecast, "count"),
        actual=Metric(holdout.actual, "count"),
        miss=Metric(abs(holdout.bias), "share"),
        naive=Metric(abs(holdout.baseline_bias), "share"),
    )
    worse_each = holdout.mae > holdout.baseline_mae * (1 + TIE)
    worse_total = abs(holdout.bias) > abs(holdout.baseline_bias)
    if worse_each and worse_total:
        unfit.extend([per_customer, total])
        return
    (care if worse_total else good).append(total)
    (care if worse_each else good).append(per_customer)
    low, high = holdout.forecast_low, holdout.forecast_high
    if low is not None and high is not None and not low <= holdout.actual <= high:
        care.insert(
            0,
            Sentence(
                OUTSIDE,
                actual=Metric(holdout.actual, "count"),
                low=Metric(low, "count"),
                high=Metric(high, "count"),
            ),
        )


NO_SPEND = "There is no spend model, so values in money are not known."
NOT_TESTED = "The history is too short to test the forecast on a part of it."
NOBODY_BOUGHT = (
    "Nobody bought in the holdout window, so the forecast's total can't be compared; it expected "
    "{forecast} purchases."
)
PER_CUSTOMER = (
    "Per customer {model} missed by {mae} purchases on average; the naive forecast, as many as in "
    "the equally long window before, by {naive}."
)
TOTAL = (
    "In the holdout {model} forecast {forecast} purchases and {actual} happened, a miss of {miss}; "
    "the naive forecast missed by {naive}."
)
OUTSIDE = (
    "The {actual} purchases that happened in the holdout lie outside the model's 95 % interval, "
    "{low} to {high}: buying changed in a way that the model doesn't know, so take the interval of "
    "the next forecast as too narrow."
)
TIED_UP = (
    "Spend is tied to frequency (rank correlation {spearman}), which the spend model takes as "
    "independent: the value of frequent buyers is understated."
)
TIED_DOWN = (
    "Spend is tied to frequency (rank correlation {spearman}), which the spend model takes as "
    "independent: the value of frequent buyers is overstated."
)
