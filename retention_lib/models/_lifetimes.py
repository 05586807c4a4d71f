"""lifetimes, imported without its side effects and without what only its own searches need.

Its import switches `FutureWarning` off for the whole process and touches a pandas option that is
going away. Both would reach into the caller's session, so the warning filters are put back.

Three quarters of its import are scipy.optimize, with which its own fitters search, and scipy.stats,
which comes along with autograd. Both take longer to load than a fit of a million customers here, so
they are loaded when something first uses them.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

_UNUSED = {"autograd.scipy.integrate", "autograd.scipy.signal", "autograd.scipy.stats"}
_SEARCH = "scipy.optimize"


class _Later(MetaPathFinder):
    """Finds the modules that load when an attribute of theirs is first asked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in _UNUSED else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def _minimize(*args: Any, **kwargs: Any) -> Any:
    """scipy.optimize.minimize, imported when it is called."""
    return import_module(_SEARCH).minimize(*args, **kwargs)


@contextmanager
def _unhurried() -> Iterator[None]:
    """Put off what an import inside would load and not use."""
    finder, stand_in = _Later(), ModuleType(_SEARCH)
    stand_in.minimize = _minimize  # type: ignore[attr-defined]
    absent = sys.modules.setdefault(_SEARCH, stand_in) is stand_in
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if absent:
            del sys.modules[_SEARCH]


with warnings.catch_warnings(), _unhurried():
    warnings.simplefilter("ignore")
    import lifetimes
    from lifetimes.generate_data import (
        beta_geometric_nbd_model,
        modified_beta_geometric_nbd_model,
        pareto_nbd_model,
    )
    from lifetimes.utils import ConvergenceError
    from lifetimes.utils import _check_inputs as check_inputs

__all__ = [
    "ConvergenceError",
    "beta_geometric_nbd_model",
    "check_inputs",
    "lifetimes",
    "modified_beta_geometric_nbd_model",
    "pareto_nbd_model",
]
