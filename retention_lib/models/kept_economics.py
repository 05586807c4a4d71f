"""A base's economics on disk: worked out once in a run, taken over by its chapters.

They follow from the base and its forecast, and two chapters tell of them. Kept as JSON beside the
forecast (`saved`), every figure in full.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from retention_lib.data.base import Base
from retention_lib.data.handover import run_folder
from retention_lib.models.costs import Payback, Programme
from retention_lib.models.economics import Economics, economics
from retention_lib.models.forecast import Forecast
from retention_lib.models.more_retention import MoreRetention
from retention_lib.models.new_customer import FirstOrders
from retention_lib.models.saved import key
from retention_lib.models.totals import Estimate

_FILE: Final = "economics.json"


def economics_of(base: Base, made: Forecast) -> Economics | None:
    """The economics of a base: those that this run has worked out already, else worked out now.

    Parameters
    ----------
    base : Base
    made : Forecast
        Of the same base, the run's own within a run.

    Returns
    -------
    Economics or None
        As `economics`.
    """
    folder = run_folder()
    kept = None if folder is None else _read(base, folder)
    return economics(base, made) if kept is None else _taken(kept["economics"])


def save(found: Economics | None, base: Base, folder: Path) -> None:
    """Leave a base's economics in a folder; that there are none is kept too."""
    about = {"of": key(base), "economics": None if found is None else _kept(found)}
    text = json.dumps(about, default=lambda value: value.item())
    (folder / _FILE).write_text(text, encoding="utf-8")


def _read(base: Base, folder: Path) -> dict[str, Any] | None:
    file = folder / _FILE
    if not file.exists():
        return None
    about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return about if about["of"] == key(base) else None


def _kept(found: Economics) -> dict[str, Any]:
    """Its fields, the frames by column."""
    empty = pd.DataFrame()
    plain = replace(found, more=replace(found.more, months=empty), new=empty)
    about = asdict(plain)
    about["more"]["months"] = found.more.months.to_dict("list")
    about["new"] = found.new.to_dict("list")
    return about


def _taken(about: dict[str, Any] | None) -> Economics | None:
    """What `_kept` kept, back."""
    if about is None:
        return None
    more = about["more"]
    estimates = {name: Estimate(**more[name]) for name in ("retention", "highest", "at_risk")}
    points = {int(p): log_k for p, log_k in more["log_k"].items()}
    months = pd.DataFrame(more["months"])
    payback, programme = about["payback"], about["programme"]
    parts: dict[str, Any] = {
        "more": MoreRetention(**{**more, **estimates, "log_k": points, "months": months}),
        "at_risk": Estimate(**about["at_risk"]),
        "first": FirstOrders(**about["first"]),
        "new": pd.DataFrame(about["new"]).rename_axis("month"),
        "payback": None if payback is None else Payback(**payback),
        "programme": None if programme is None else Programme(**programme),
    }
    return Economics(**{**about, **parts})
