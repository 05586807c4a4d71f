"""What is wrong with a client file, one sentence per mistake.

`findings_of` turns all that pydantic collected into sentences with the place, the thing found and
what is allowed. No sentence shows a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from retention_lib.keys.refusals import (
    allowed_phrase,
    holds_named,
    nearest,
    nested_model,
    shown,
)
from retention_lib.keys.secrets import masked

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the key, in words, and the line where it has one."""

    key: Key
    clause: str
    line: int | None = None

    def sentence(self, where: str) -> str:
        """The finding as a sentence about the file (or notebook) `where`."""
        place = [where]
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.key:
            place.append(dotted(self.key))
        return f"{', '.join(place)}: {self.clause}" + ("" if self.clause.endswith("?") else ".")


@dataclass(frozen=True)
class Place:
    """Where a value stands; `raw` is how it is written where that is a bare word or number."""

    line: int
    raw: str | None = None


def dotted(key: Key) -> str:
    """A key in words: `columns.customer`, `benchmarks, item 2, value`."""
    words = ""
    for part in key:
        if isinstance(part, int):
            words += f", item {part + 1}"
        else:
            words += (", " if words[-1:].isdigit() and " item " in words else ".") + part
    return shown(words.lstrip(".").removeprefix(", "))[1:-1]


# From pydantic's errors to findings ----------------------------------------------------------


def findings_of(
    error: ValidationError, model: type[BaseModel], places: Mapping[Key, Place] | None = None
) -> list[Finding]:
    """What pydantic found wrong, in words, one finding per mistake.

    Parameters
    ----------
    error : ValidationError
        Of `model`.
    model : type
        The model that was filled.
    places : mapping, optional
        Where the values stand in a file.
    """
    places = places or {}
    details = error.errors(include_url=False)
    suggested = {
        (*detail["loc"][:-1], near)
        for detail in details
        if detail["type"] == "extra_forbidden"
        and (near := nearest(str(detail["loc"][-1]), _fields(model, detail["loc"][:-1])))
    }
    findings = []
    for detail in details:
        key = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] in ("missing", "lacking"):
            stands_for = detail.get("ctx", {}).get("stands_for", key[-1:])
            # a mistyped key is one mistake, not two
            if any((*key[:-1], name) in suggested for name in stands_for):
                continue
            if len(stands_for) > 1:
                key = key[:-1]
        findings.append(Finding(key, _clause(detail, key, model, places), _line(key, places)))
    return findings


def in_order(findings: list[Finding]) -> list[Finding]:
    """The findings by line; those without one, a missing key, come last."""
    return sorted(findings, key=lambda f: (f.line is None, f.line or 0))


def _clause(detail: Any, key: Key, model: type[BaseModel], places: Mapping[Key, Place]) -> str:
    kind = detail["type"]
    field = _fields(model, key[:-1]).get(str(key[-1])) if key else None
    if kind == "extra_forbidden":
        return _unknown(str(key[-1]), _fields(model, key[:-1]), model)
    if kind == "missing":
        return f"the key is missing; allowed is {allowed_phrase(field)}"
    if kind in ("conflict", "lacking"):
        return str(detail["ctx"]["rest"])
    rest = detail["ctx"]["rest"] if kind == "refused" else f"allowed is {allowed_phrase(field)}"
    found = _found(detail["input"], None if "[key]" in detail["loc"] else places.get(key))
    return f"found {found}; {rest}"


def _found(value: object, place: Place | None) -> str:
    """The value as the file has it, with YAML's reading where that isn't the same."""
    if place is None or not place.raw or isinstance(value, str) or value is None:
        return shown(value)
    raw = masked(place.raw)
    if isinstance(value, bool) and raw.lower() != shown(value):
        return f"{raw}, which YAML reads as {shown(value)}"
    return raw


def _unknown(key: str, known: Mapping[str, FieldInfo], model: type[BaseModel]) -> str:
    homes = {
        inner: outer
        for outer, field in model.model_fields.items()
        if (part := nested_model(field))
        for inner in part.model_fields
    }
    if key in homes and known is model.model_fields:
        return f"unknown key here; it belongs under {homes[key]}, indented"
    if near := nearest(key, known):
        return f"unknown key; did you mean {near}?"
    if known is model.model_fields:
        return "unknown key; docs/client-file.md lists the known ones"
    return f"unknown key; allowed are {', '.join(known)}"


def _line(key: Key, places: Mapping[Key, Place]) -> int | None:
    """The line of a key, or of the nearest key around it."""
    found = (places[key[:n]] for n in range(len(key), 0, -1) if key[:n] in places)
    return next((place.line for place in found), None)


def _fields(model: type[BaseModel], key: Key) -> Mapping[str, FieldInfo]:
    """The fields at `key`, empty where it holds no model."""
    is_name = False
    for part in key:
        if isinstance(part, int) or is_name:
            is_name = False
            continue
        field = model.model_fields.get(part)
        inner = nested_model(field) if field else None
        if field is None or inner is None:
            return {}
        model, is_name = inner, holds_named(field)
    return {} if is_name else model.model_fields
