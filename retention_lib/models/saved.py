"""A forecast on disk: models as parameters in JSON, frames as Parquet, never a pickle.

One run makes the forecast once and its chapters load it. Parameters are enough: a fit that starts
from the optimum ends there after one step.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import run_folder
from retention_lib.metrics import Metric, from_json
from retention_lib.models.clv import Valuation
from retention_lib.models.fit import fit_purchase_model, fit_spend_model
from retention_lib.models.forecast import Forecast, make_forecast
from retention_lib.models.holdout import Holdout
from retention_lib.models.totals import Estimate, Totals
from retention_lib.models.verdict import Verdict
from retention_lib.sentence import Sentence

_ABOUT: Final = "forecast.json"
_VALUES: Final = "values.parquet"
_FRAMES: Final = ("by_frequency", "tracking")


def save(made: Forecast, base: Base, folder: Path) -> None:
    """Leave a base's forecast in a folder."""
    made.valuation.customers.to_parquet(folder / _VALUES)
    holdout = None
    if made.holdout is not None:
        for name in _FRAMES:
            getattr(made.holdout, name).to_parquet(folder / f"{name}.parquet")
        holdout = {
            f.name: _plain(getattr(made.holdout, f.name))
            for f in dataclasses.fields(Holdout)
            if f.name not in _FRAMES
        }
    about = {
        "of": _key(base),
        "name": made.name,
        "reason": _plain(made.reason),
        "purchase_model": dict(made.purchase_model.params_),
        "spend_model": None if made.spend_model is None else dict(made.spend_model.params_),
        "holdout": holdout,
        "verdict": {"kind": made.verdict.kind, "reasons": [*map(_plain, made.verdict.reasons)]},
        "totals": dataclasses.asdict(made.valuation.totals),
        "spearman": made.spearman,
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def load(base: Base, folder: Path) -> Forecast | None:
    """The forecast that was saved for this base; None where there is none, or of another base."""
    file = folder / _ABOUT
    if not file.exists():
        return None
    about = json.loads(file.read_text(encoding="utf-8"))
    if about["of"] != _key(base):
        return None
    customers, params = base.customers(), base.params
    spend = about["spend_model"]
    return Forecast(
        name=about["name"],
        reason=_sentence(about["reason"]),
        purchase_model=fit_purchase_model(customers, about["name"], about["purchase_model"]),
        spend_model=None if spend is None else fit_spend_model(customers),
        holdout=_holdout(about["holdout"], folder),
        verdict=Verdict(
            about["verdict"]["kind"], tuple(map(_sentence, about["verdict"]["reasons"]))
        ),
        valuation=Valuation(
            pd.read_parquet(folder / _VALUES),
            Totals(**{k: v and Estimate(**v) for k, v in about["totals"].items()}),
        ),
        spearman=about["spearman"],
        horizon_months=params.horizon_months,
        discount_rate=params.discount_rate,
        margin=params.margin,
    )


def forecast(base: Base) -> Forecast:
    """The forecast of a base: the one that this run has made already, else made now.

    Raises
    ------
    DataError
        No customer has a purchase.
    """
    folder = run_folder()
    return (folder and load(base, folder)) or make_forecast(base)


def _key(base: Base) -> dict[str, Any]:
    """What a forecast depends on: the client's parameters, the data, the day."""
    return {
        "parameters": base.params.model_dump(mode="json"),
        "data": base.fingerprint,
        "as_of": base.as_of.isoformat(),
    }


def _holdout(fields: Mapping[str, Any] | None, folder: Path) -> Holdout | None:
    if fields is None:
        return None
    known: dict[str, Any] = {name: _sentence(value) for name, value in fields.items()}
    known |= {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    if known["calibration_end"] is not None:
        known["calibration_end"] = pd.Timestamp(known["calibration_end"])
    return Holdout(**known)


def _plain(value: Any) -> Any:
    """A value that JSON can hold; a sentence keeps its message and its values."""
    if isinstance(value, Sentence):
        values = {k: _plain(v) for k, v in value.values.items()}
        return {"message": value.message, "values": values}
    if isinstance(value, Metric):
        return {"metric": value.as_json()}
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _sentence(value: Any) -> Any:
    """What `_plain` made of it, back."""
    if not isinstance(value, dict):
        return value
    if "metric" in value:
        return from_json(value["metric"])
    return Sentence(value["message"], **{k: _sentence(v) for k, v in value["values"].items()})
