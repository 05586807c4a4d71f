"""Which purchase model: the one that forecast this client's own past best."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from retention_lib.metrics import Metric
from retention_lib.models.fit import TITLES
from retention_lib.models.holdout import Holdout, validate
from retention_lib.sentence import Sentence

#: Relative difference of MAE below which two models forecast equally well.
TIE = 0.01


def choose(
    calibration: pd.DataFrame,
    actual: pd.Series,
    previous: pd.Series,
    *,
    horizon: float,
    months: int | None = None,
    repeat_purchases: pd.Series | None = None,
    candidates: Sequence[str] = ("bgnbd", "mbgnbd", "paretonbd"),
    draws: int = 200,
    seed: int = 0,
) -> tuple[str, Sentence, dict[str, Holdout]]:
    """Try the candidates on the holdout and take the best.

    The smallest mean absolute error per customer decides; models within 1 % of it are equally good,
    and among those the smallest bias of the total decides, then the log-likelihood up to the split.

    Parameters
    ----------
    calibration, actual, previous, horizon, months, repeat_purchases, draws, seed
        As in `validate`.
    candidates : sequence of str

    Returns
    -------
    name : str
    reason : Sentence
        One sentence with the figures that decided.
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

    def tried(name: str, futures: int) -> Holdout:
        return validate(
            calibration,
            actual,
            previous,
            model_name=name,
            horizon=horizon,
            months=months,
            repeat_purchases=repeat_purchases,
            draws=futures,
            seed=seed,
        )

    holdouts = {name: tried(name, 0) for name in candidates}
    best = min(h.mae for h in holdouts.values())
    tied = {name: h for name, h in holdouts.items() if h.mae <= best * (1 + TIE)}
    name = min(tied, key=lambda n: (_size_of_bias(tied[n]), -tied[n].log_likelihood))
    holdouts[name] = tried(name, draws)
    return name, _reason(name, tied, holdouts), holdouts


def _size_of_bias(holdout: Holdout) -> float:
    """|bias|, to a tenth of a percent; where nobody bought, the size of the forecast instead."""
    if holdout.bias is None:
        return round(holdout.forecast, 1)
    return round(abs(holdout.bias), 3)


def _reason(name: str, tied: dict[str, Holdout], holdouts: dict[str, Holdout]) -> Sentence:
    """Why this one, against the runner-up."""
    title = TITLES[name]
    if len(holdouts) == 1:
        return Sentence(ONLY, model=title)
    chosen = holdouts[name]
    if len(tied) == 1:
        rival = min((h for n, h in holdouts.items() if n != name), key=lambda h: h.mae)
        return Sentence(
            CLOSEST,
            model=title,
            mae=Metric(chosen.mae, "number"),
            less=Metric(1 - chosen.mae / rival.mae, "share"),
            rival=TITLES[rival.model],
        )
    rivals = [h for n, h in tied.items() if n != name]
    rival = min(rivals, key=lambda h: (_size_of_bias(h), -h.log_likelihood))
    values = {"model": title, "rival": TITLES[rival.model], "mae": Metric(chosen.mae, "number")}
    if chosen.bias is None or rival.bias is None:
        return Sentence(SILENT, **values)
    if _size_of_bias(rival) > _size_of_bias(chosen):
        return Sentence(
            TOTAL,
            **values,
            miss=Metric(abs(chosen.bias), "share"),
            rival_miss=Metric(abs(rival.bias), "share"),
        )
    return Sentence(
        LIKELIER,
        **values,
        likelihood=Metric(chosen.log_likelihood, "number"),
        rival_likelihood=Metric(rival.log_likelihood, "number"),
    )


ONLY = "{model} was the only candidate."
CLOSEST = (
    "{model} was chosen: in the holdout it missed by {mae} purchases per customer on average, "
    "{less} less than {rival}."
)
TOTAL = (
    "{model} was chosen: in the holdout it and {rival} missed by about as much per customer, {mae} "
    "purchases, and its total was closer, a miss of {miss} against {rival_miss}."
)
LIKELIER = (
    "{model} was chosen: in the holdout it and {rival} did equally well, with a miss of {mae} "
    "purchases per customer, and it describes the history before better: log-likelihood "
    "{likelihood} against {rival_likelihood}."
)
SILENT = (
    "{model} was chosen: nobody bought in the holdout, and it expected less than {rival}, with a "
    "miss of {mae} purchases per customer."
)
