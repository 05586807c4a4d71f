"""Advice on disk, from the chapter that works it out to the one that sums the report up."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from retention_lib.advice.found import Found, Recommendation
from retention_lib.advice.proof import Proof
from retention_lib.data.handover import leave_json, left_json
from retention_lib.sentence import as_json, from_json

FILE_NAME: Final = "advice.json"


def save(advice: tuple[Recommendation, ...], folder: Path) -> None:
    """Leave advice in a folder."""
    kept = [
        {
            "rule": one.rule,
            "months": list(one.months),
            "found": _kept(one.found)
            | {"values": {k: as_json(v) for k, v in one.found.values.items()}},
            "proof": None
            if one.proof is None
            else _kept(one.proof) | {"left_alone": as_json(one.proof.left_alone)},
        }
        for one in advice
    ]
    leave_json(kept, folder / FILE_NAME)


def load(folder: Path) -> tuple[Recommendation, ...] | None:
    """The advice that was left in a folder; None where none was."""
    left = left_json(folder / FILE_NAME)
    return None if left is None else tuple(_taken(one) for one in left)


def _kept(part: Found | Proof) -> dict[str, Any]:
    return {f.name: as_json(getattr(part, f.name)) for f in fields(part) if f.name != "values"}


def _taken(one: dict[str, Any]) -> Recommendation:
    found = Found(
        **{**one["found"], "values": {k: from_json(v) for k, v in one["found"]["values"].items()}}
    )
    proof = one["proof"]
    if proof is not None:
        proof = Proof(**{**proof, "left_alone": from_json(proof["left_alone"])})
    first, last = one["months"]
    return Recommendation(one["rule"], found, (first, last), proof)
