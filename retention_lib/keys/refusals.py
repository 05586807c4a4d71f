"""What a value of the client file is refused for, in words.

A type of `keys.values` ends in an `Allowed`, which refuses in words, and which the reference table
and the sentences on missing keys read off the field again. No word shows a password.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    ValidationError,
    ValidatorFunctionWrapHandler,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from retention_lib.keys.secrets import masked

# Refusals ------------------------------------------------------------------------------------


def refused(allowed: str, hint: str = "") -> PydanticCustomError:
    """The value isn't allowed; what was found is added where the sentence is made."""
    rest = f"allowed is {allowed}" + (f"; {hint}" if hint else "")
    return PydanticCustomError("refused", "{rest}", {"rest": rest})


def conflict(clause: str) -> PydanticCustomError:
    """The value is refused for the reason that `clause` gives in full."""
    return PydanticCustomError("conflict", "{rest}", {"rest": clause})


def lacking(clause: str, stands_for: tuple[str, ...]) -> PydanticCustomError:
    """A key is needed because of another one; `stands_for` are the keys that would do."""
    return PydanticCustomError("lacking", "{rest}", {"rest": clause, "stands_for": stands_for})


def nearest(found: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `found`, whatever the case; None where none does."""
    words = {word.lower(): word for word in known}
    key = re.sub(r"[\s-]+", "_", found.strip().lower())
    close = difflib.get_close_matches(key, words, 1, 0.7)
    # half a name, such as horizon for horizon_months
    close = close or [word for word in words if word.startswith(f"{key}_")]
    return words[close[0]] if close else None


def shown(value: object) -> str:
    """A value as a sentence shows it: short, on one line, without secrets or contents."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = masked(value)
        return json.dumps(text if len(text) <= 60 else text[:59] + "…", ensure_ascii=False)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"a value of type {type(value).__name__}"


@dataclass(frozen=True)
class Allowed:
    """Ends an annotated type: what the type allows, in words.

    Parameters
    ----------
    phrase : str
        Completes "allowed is …".
    choices : tuple of str
        The allowed words, where they can be counted; the nearest one is offered.
    kind : str
        `text` or `number`: the other one gets a hint on how to write it.
    """

    phrase: str
    choices: tuple[str, ...] = ()
    kind: Literal["text", "number", ""] = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._check, handler(source))

    def _check(self, value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            # what went wrong deeper down, or was refused in words already, is kept
            if first["loc"] or first["type"] in ("refused", "conflict", "lacking"):
                raise
        raise refused(self.phrase, self._hint(value))

    def _hint(self, value: object) -> str:
        if isinstance(value, str):
            if self.choices:
                near = nearest(value, self.choices)
                return f"did you mean {near}?" if near else ""
            if self.kind == "number" and (number := _number_in(value)) is not None:
                return f"write it as {number}"
        if self.kind == "text" and isinstance(value, bool | int | float):
            return "put it in quotes"
        return ""


def one_of(*choices: str) -> Allowed:
    """The `Allowed` of a list of words."""
    return Allowed(" or ".join([", ".join(choices[:-1]), choices[-1]]), choices)


def _number_in(text: str) -> str | None:
    """The number that a text such as `0,45`, `1 000` or `45 %` means, as YAML wants it."""
    found = re.fullmatch(
        r"([-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)(%?)", re.sub(r"\s", "", text.lower())
    )
    if not found:
        return None
    number = float(found[1].replace(",", ".")) / (100 if found[2] else 1)
    return f"{number:.10g}" if math.isfinite(number) else None


# What a field allows -------------------------------------------------------------------------


def nested_model(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that holds one, or a list of it."""
    return next((t for t in types_within(field.annotation) if is_model(t)), None)


def holds_named(field: FieldInfo) -> bool:
    """Whether a field is a mapping from names that a user chooses to a model."""
    return any(get_origin(found) is dict for found in types_within(field.annotation))


def allowed_phrase(field: FieldInfo | None) -> str:
    """What a field allows, in words."""
    allowed = _allowed(field)
    return allowed.phrase if allowed else "a value of another kind"


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words that a field allows, where they can be counted."""
    allowed = _allowed(field)
    return allowed.choices if allowed else ()


def _allowed(field: FieldInfo | None) -> Allowed | None:
    marks = [] if field is None else [*field.metadata, *types_within(field.annotation)]
    return next((mark for mark in marks if isinstance(mark, Allowed)), None)


def is_model(found: object) -> bool:
    """Whether a type is a model: a mapping with known keys."""
    return isinstance(found, type) and issubclass(found, BaseModel)


def types_within(annotation: Any) -> Iterator[Any]:
    """An annotation and everything inside it, metadata included."""
    yield annotation
    for inner in get_args(annotation):
        yield from types_within(inner)
