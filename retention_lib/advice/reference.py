"""The rules and thresholds of advice as tables for the docs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from retention_lib.advice import beyond, thresholds
from retention_lib.advice.rules import RULES
from retention_lib.markdown import table


def advice_tables() -> str:
    """The rules of advice and their thresholds, in Markdown."""
    every: list[Any] = [*RULES, *beyond.RULES]
    rules = [
        (f"`{one.id}`", _first_line(one.find), one.measure, "{} to {} months".format(*one.months))
        for one in every
    ]
    return "\n\n".join(
        [
            table(("rule", "evidence that calls for it", "measure", "result in"), rules),
            table(("threshold", "value", "meaning"), _thresholds()),
        ]
    )


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _thresholds() -> Iterator[tuple[str, str, str]]:
    """Each threshold with the comment that stands over it."""
    source = inspect.getsource(thresholds)
    for comment, name, value in re.findall(r"((?:^#: .*\n)+)(\w+): Final = (.*)", source, re.M):
        yield f"`{name}`", value.strip("()"), " ".join(re.findall(r"#: (.*)", comment))
