"""Which purchase model: the one that forecast this client's past best, with AIC's word on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.fit import fit_purchase_model
from retention_lib.models.foreseen import forecast_interval
from retention_lib.models.holdout import Holdout, validate
from retention_lib.models.names import TITLES
from retention_lib.models.outcome import outcome_of
from retention_lib.sentence import N_, Sentence, together

#: Relative difference of the error per customer below which two models forecast equally well.
TIE = 0.01


def choose(
    calibration: pd.DataFrame,
    actual: pd.Series,
    previous: pd.Series,
    *,
    horizon: float,
    months: int | None = None,
    repeat_purchases: pd.Series | None = None,
    revenue: pd.Series | None = None,
    previous_revenue: pd.Series | None = None,
    candidates: Sequence[str] = ("bgnbd", "mbgnbd", "paretonbd"),
    draws: int = 200,
    seed: int = 0,
) -> tuple[str, Sentence, dict[str, Holdout]]:
    """Try the candidates on the holdout and take the best.

    The smallest root mean squared error per customer decides; models within 1 % of it are equally
    good, and among those the smallest miss of the total decides, then AIC on the history up to the
    split. (The mean absolute error would favour whichever model forecasts less: see `measures`.)

    Parameters
    ----------
    calibration, actual, previous, horizon, months, repeat_purchases, revenue, previous_revenue, \
draws, seed
        As in `validate`.
    candidates : sequence of str

    Returns
    -------
    name : str
    reason : Sentence
        The figures that decided, and whether AIC agrees.
    holdouts : dict
        Every candidate's `Holdout`, in the order of `candidates`; the chosen one with the interval
        of its forecast.

    Raises
    ------
    ValueError
        No candidates.
    DataError
        As in `validate`.
    """
    if not candidates:
        raise ValueError("candidates is empty; name at least one model.")

    models = {name: fit_purchase_model(calibration, name) for name in candidates}
    outcome = outcome_of(
        calibration,
        actual,
        previous,
        horizon=horizon,
        revenue=revenue,
        previous_revenue=previous_revenue,
    )
    holdouts = {
        name: validate(
            calibration,
            actual,
            previous,
            model_name=name,
            model=model,
            outcome=outcome,
            horizon=horizon,
            months=months,
            repeat_purchases=repeat_purchases,
            draws=0,
        )
        for name, model in models.items()
    }
    best = min(h.rmse for h in holdouts.values())
    tied = {name: h for name, h in holdouts.items() if h.rmse <= best * (1 + TIE)}
    name = min(tied, key=lambda n: _standing(tied[n]))
    low, high = forecast_interval(models[name], calibration, horizon, draws=draws, seed=seed)
    holdouts[name] = dataclasses.replace(holdouts[name], forecast_low=low, forecast_high=high)
    return name, _reason(name, tied, holdouts), holdouts


def _standing(holdout: Holdout) -> tuple[float, float]:
    """Among models that are equally close per customer the smallest is the best."""
    return _size_of_miss(holdout), holdout.aic


def _size_of_miss(holdout: Holdout) -> float:
    """|bias|, to a tenth of a percent; where nobody bought, the size of the forecast instead."""
    if holdout.bias is None:
        return round(holdout.forecast, 1)
    return round(abs(holdout.bias), 3)


def _reason(name: str, tied: dict[str, Holdout], holdouts: dict[str, Holdout]) -> Sentence:
    """Why this one, against the runner-up, and what AIC says of it."""
    if len(holdouts) == 1:
        return Sentence(ONLY, model=TITLES[name])
    chosen = holdouts[name]
    likeliest = min(holdouts.values(), key=lambda h: h.aic)
    decided, by_aic = _decided(name, tied, holdouts)
    if likeliest.aic < chosen.aic:
        differs = Sentence(
            DIFFERS,
            other=TITLES[likeliest.model],
            aic=Metric(likeliest.aic, "number"),
            own=Metric(chosen.aic, "number"),
        )
        return together(decided, differs)
    return decided if by_aic else together(decided, Sentence(AGREES))


def _decided(
    name: str, tied: dict[str, Holdout], holdouts: dict[str, Holdout]
) -> tuple[Sentence, bool]:
    """What decided on the holdout, and whether it was AIC."""
    chosen = holdouts[name]
    values = {"model": TITLES[name], "rmse": Metric(chosen.rmse, "number")}
    if len(tied) == 1:
        rival = min((h for n, h in holdouts.items() if n != name), key=lambda h: h.rmse)
        less = Metric(1 - chosen.rmse / rival.rmse, "share")
        return Sentence(CLOSEST, **values, less=less, rival=TITLES[rival.model]), False
    rival = min((h for n, h in tied.items() if n != name), key=_standing)
    values["rival"] = TITLES[rival.model]
    if _size_of_miss(rival) <= _size_of_miss(chosen):
        aic, other = Metric(chosen.aic, "number"), Metric(rival.aic, "number")
        return Sentence(LIKELIER, **values, aic=aic, rival_aic=other), True
    if chosen.bias is None or rival.bias is None:
        return Sentence(SILENT, **values), False
    miss, other = Metric(abs(chosen.bias), "share"), Metric(abs(rival.bias), "share")
    return Sentence(TOTAL, **values, miss=miss, rival_miss=other), False


ONLY = N_("{model} was the only candidate.")
CLOSEST = N_(
    "{model} was chosen: in the holdout its typical miss was {rmse} purchases per customer, {less} "
    "less than that of {rival}."
)
TOTAL = N_(
    "{model} was chosen: in the holdout it and {rival} were equally close per customer, with a "
    "typical miss of {rmse} purchases, and its total was closer, a miss of {miss} against "
    "{rival_miss}."
)
LIKELIER = N_(
    "{model} was chosen: in the holdout it and {rival} did equally well, with a typical miss of "
    "{rmse} purchases per customer, and it describes the history before better: AIC {aic} against "
    "{rival_aic}."
)
SILENT = N_(
    "{model} was chosen: nobody bought in the holdout, and it expected less than {rival}, with a "
    "typical miss of {rmse} purchases per customer."
)
AGREES = N_("AIC, which looks at the history before, prefers it too.")
DIFFERS = N_(
    "AIC, which looks at the history before, would have taken {other} ({aic} against {own}); what "
    "happened afterwards counts for more."
)
