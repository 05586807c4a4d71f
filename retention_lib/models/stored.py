"""A quarter's forecast kept as JSON, so that the next quarter's report can score it. No pickle.

The file holds what the forecast stood on (parameters, their errors, ruler, grain, end, fingerprint
of the data) and what it said (expected totals with their intervals). Read back, the parameters are
lifetimes fitters that predict as they did; `retention_lib.models.score` holds them against what has
happened since.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from retention_lib.data.base import Base
from retention_lib.errors import DataError
from retention_lib.models.fitter import PurchaseFitter
from retention_lib.models.forecast import Forecast
from retention_lib.models.ruler import GRAIN
from retention_lib.models.spend import GammaGammaFitter
from retention_lib.models.stored_format import (
    StoredErrors,
    StoredModel,
    StoredTotal,
    parameter_names,
)
from retention_lib.models.widening import past_errors
from retention_lib.report_files import MODEL
from retention_lib.versions import versions

#: Counted up when a reader of an older version could misread the file.
SCHEMA: Final = 1
#: Keys of the client file that say what a purchase is.
_CONVENTIONS: Final = ("returns", "free_orders", "deduplicate", "guest_ids", "timezone")
_PACKAGES: Final = ("retention", "lifetimes", "numpy", "scipy", "pandas")


def write_model(path: Path, made: Forecast, base: Base) -> None:
    """Keep a forecast, whole or not at all.

    Parameters
    ----------
    path : Path
        A file; what stands there is replaced.
    made : Forecast
    base : Base
        That the forecast was made of.
    """
    errors = past_errors(made.backtests)
    content = {
        "schema": SCHEMA,
        "client": base.params.client,
        "currency": base.params.currency,
        "time_unit": base.params.time_unit,
        "grain": GRAIN,
        "start": base.start.isoformat(),
        "as_of": base.as_of.isoformat(),
        "fingerprint": base.fingerprint,
        "conventions": conventions(base),
        "customers": len(made.valuation.customers),
        "horizon_months": made.horizon_months,
        "discount_rate": made.discount_rate,
        "margin": made.margin,
        "purchases": _fit(made.name, made.purchase_model),
        "spend": None if made.spend_model is None else _spend(made.spend_model),
        "expected": {
            name: {k: float(getattr(both, k)) for k in StoredTotal.model_fields}
            for name, both in made.intervals.items()
        },
        "past_errors": errors and {k: getattr(errors, k) for k in StoredErrors.model_fields},
        "holdout_bias": made.holdout.bias if made.holdout else None,
        "versions": {"python": platform.python_version(), **versions(_PACKAGES)},
    }
    text = json.dumps(content, indent=1, allow_nan=False)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def read_model(path: Path) -> StoredModel:
    """A forecast that `write_model` kept.

    Parameters
    ----------
    path : Path

    Returns
    -------
    StoredModel

    Raises
    ------
    DataError
        No such file, a damaged one, or one of a newer version.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: the stored model can't be read ({error.strerror}); without it the last "
            "forecast can't be scored."
        ) from error
    except ValueError as error:
        raise DataError(f"{path}: {_DAMAGED} It isn't JSON.") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and found > SCHEMA:
        raise DataError(
            f"{path}: the stored model is of version {found}, newer than version {SCHEMA} which "
            "this program reads; update it."
        )
    try:
        return StoredModel.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(f"{path}: {_DAMAGED} At {place}: {first['msg']}.") from error


def latest_before(reports: Path, as_of: dt.date) -> Path | None:
    """The stored forecast of a client's last report before a day.

    Parameters
    ----------
    reports : Path
        The client's folder, with a folder per report, named by its day.
    as_of : date

    Returns
    -------
    Path or None
        None where no earlier report has left one.
    """
    found = {}
    for file in reports.glob(f"*/{MODEL}"):
        try:
            found[dt.date.fromisoformat(file.parent.name)] = file
        except ValueError:  # a report that failed, or a folder of somebody's own
            continue
    return max(((day, file) for day, file in found.items() if day < as_of), default=(None, None))[1]


def conventions(base: Base) -> dict[str, Any]:
    """What the client file says about what a purchase is."""
    said = base.params.model_dump(mode="json")
    return {name: said[name] for name in _CONVENTIONS}


def _fit(name: str, model: PurchaseFitter | GammaGammaFitter) -> dict[str, Any]:
    return {
        "name": name,
        "parameters": {n: float(model.params_[n]) for n in parameter_names(name)},
        "log_covariance": np.asarray(model.log_covariance_, dtype=float).tolist(),
        "log_likelihood": float(model.log_likelihood_),
        "findings": [
            {"kind": f.kind, "serious": f.serious, "text": str(f.sentence)} for f in model.findings_
        ],
    }


def _spend(model: GammaGammaFitter) -> dict[str, Any]:
    means = {"observed_mean": model.observed_mean_, "bounded_mean": model.bounded_mean_}
    return _fit("gammagamma", model) | means


_DAMAGED: Final = (
    "the stored model is damaged and the last forecast can't be scored by it; take the file from a "
    "backup, or go on without."
)
