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
from retention_lib.models.backtest import Backtests
from retention_lib.models.clv import Valuation
from retention_lib.models.fit import fit_purchase_model, fit_spend_model
from retention_lib.models.forecast import Forecast, make_forecast, terms_of
from retention_lib.models.holdout import Holdout
from retention_lib.models.independence import SpendCheck
from retention_lib.models.totals import Estimate, Totals
from retention_lib.models.verdict import Verdict
from retention_lib.sentence import as_json, from_json

_ABOUT: Final = "forecast.json"
_VALUES: Final = "values.parquet"
#: The parts of a forecast that are saved field by field, their frames each in its own file.
_PARTS: Final[Mapping[str, type]] = {
    "holdout": Holdout,
    "backtests": Backtests,
    "spend_check": SpendCheck,
}


def save(made: Forecast, base: Base, folder: Path) -> None:
    """Leave a base's forecast in a folder."""
    made.valuation.customers.to_parquet(folder / _VALUES)
    about = {
        "of": key(base),
        "name": made.name,
        "reason": as_json(made.reason),
        "purchase_model": dict(made.purchase_model.params_),
        "spend_model": None if made.spend_model is None else dict(made.spend_model.params_),
        **{name: _kept(getattr(made, name), name, folder) for name in _PARTS},
        "verdict": {"kind": made.verdict.kind, "reasons": [*map(as_json, made.verdict.reasons)]},
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
    if about["of"] != key(base):
        return None
    customers = base.customers()
    spend = about["spend_model"]
    parts: dict[str, Any] = {
        name: _taken(kind, about[name], folder) for name, kind in _PARTS.items()
    }
    return Forecast(
        name=about["name"],
        reason=from_json(about["reason"]),
        purchase_model=fit_purchase_model(customers, about["name"], about["purchase_model"]),
        spend_model=None if spend is None else fit_spend_model(customers, spend),
        verdict=Verdict(
            about["verdict"]["kind"], tuple(map(from_json, about["verdict"]["reasons"]))
        ),
        valuation=Valuation(
            pd.read_parquet(folder / _VALUES),
            Totals(**{k: v and Estimate(**v) for k, v in about["totals"].items()}),
        ),
        spearman=about["spearman"],
        terms=terms_of(base),
        **parts,
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


def key(base: Base) -> dict[str, Any]:
    """What a forecast depends on: the client's parameters, the data, the day."""
    return {
        "parameters": base.params.model_dump(mode="json"),
        "data": base.fingerprint,
        "as_of": base.as_of.isoformat(),
    }


def _kept(part: Any, name: str, folder: Path) -> dict[str, Any] | None:
    """A part's fields as JSON holds them; its frames go to files, and stand there by name only."""
    if part is None:
        return None
    fields = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
    for field, value in fields.items():
        if isinstance(value, pd.DataFrame):
            value.to_parquet(folder / f"{name}_{field}.parquet")
            fields[field] = {"frame": f"{name}_{field}.parquet"}
        else:
            fields[field] = as_json(value)
    return fields


def _taken(kind: type, fields: Mapping[str, Any] | None, folder: Path) -> Any:
    """What `_kept` kept, back."""
    if fields is None:
        return None
    known: dict[str, Any] = {}
    for field, value in fields.items():
        if isinstance(value, dict) and "frame" in value:
            known[field] = pd.read_parquet(folder / value["frame"])
        else:
            known[field] = from_json(value)
    return kind(**known)
