"""`run.json`: from what, with what and how long a report was made."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from retention_lib.versions import versions

if TYPE_CHECKING:
    from retention_lib.data.base import Base

PACKAGES: Final = (
    *("retention", "pandas", "numpy", "scipy", "ibis-framework", "duckdb", "lifetimes"),
    *("papermill", "nbconvert", "seaborn", "matplotlib", "great-tables"),
)


#: What a reader of the report may want to know of: this project, the language, the arithmetic.
_NAMED: Final = ("retention", "pandas", "duckdb", "lifetimes", "scipy")


def software() -> dict[str, str]:
    """The versions that the report names."""
    found = versions(_NAMED)
    return {"retention": found.pop("retention"), "Python": platform.python_version(), **found}


def provenance(base: Base, seconds: Mapping[str, float], finished: str) -> dict[str, Any]:
    """What `run.json` holds.

    Parameters
    ----------
    base : Base
    seconds : mapping
        Step → seconds.
    finished : str
        ISO time at which the run ended.
    """
    return {
        "schema": 1,
        "client": base.params.client,
        "as_of": base.as_of.isoformat(),
        "start": base.start.isoformat(),
        "finished": finished,
        "parameters": base.params.as_parameters(),
        "data": {
            "read": list(base.names),
            "sha256": base.fingerprint,
            "rows": base.rows_in,
            "rows_used": base.rows_used,
            "rows_left_out": {
                row["cause"]: {"rows": int(row["rows"]), "amount": _number(row["amount"])}
                for row in base.left_out.to_dict("records")
            },
        },
        **({"datasets": _further(base)} if base.datasets else {}),
        "versions": {"python": platform.python_version(), **versions(PACKAGES)},
        "seconds": {step: round(spent, 3) for step, spent in seconds.items()},
    }


def _further(base: Base) -> dict[str, Any]:
    """The client's further data sets, as `data` tells of the orders."""
    return {
        name: {
            "read": list(found.names),
            "sha256": found.fingerprint,
            "rows": found.rows_in,
            "rows_used": found.rows_used,
            "rows_left_out": {
                row["cause"]: {"rows": int(row["rows"])}
                for row in found.left_out.to_dict("records")
            },
        }
        for name, found in base.datasets.items()
    }


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 4)
