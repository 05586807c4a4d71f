"""nbformat, imported in a fifth of the time.

It asks jsonschema for its checks, and one of them, of addresses, compiles grammars when it is
imported, which takes a second. Nothing here asks for that check, and jsonschema does without it
where its module isn't installed; so it looks as if it weren't, until jsonschema has been imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Have a module that isn't loaded yet look as if it weren't installed."""
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


with _without("rfc3987_syntax"):
    import nbformat
    from nbformat import NotebookNode

__all__ = ["NotebookNode", "nbformat"]
