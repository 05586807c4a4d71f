"""From a client's rows to purchases: sources, what is left out and why, one row per customer.

The names here load with the module that defines them, when they are first asked for: who only looks
which files a report was made from needs no engine that reads them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retention_lib.data.base import Base
    from retention_lib.data.purchases import summarise
    from retention_lib.data.read import open_base

__all__ = ["Base", "open_base", "summarise"]

#: What is given -> the module that has it.
_HOMES = {"Base": "base", "open_base": "read", "summarise": "purchases"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
