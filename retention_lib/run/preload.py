"""What the fork server imports before the first kernel is forked.

A kernel has at once whatever is imported here, and every kernel shares its memory. What no chapter
uses stays out, and so does whatever starts a thread: a process with threads can't be forked safely.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import pkgutil
from collections.abc import Iterable
from types import SimpleNamespace

from retention_lib.run.warm import warm

PRELOAD = (
    # pandas first: it asks at import whether it runs in a terminal (see `_import_pandas`)
    *("numpy", "scipy.optimize", "scipy.special", "scipy.stats", "pyarrow.parquet"),
    *("matplotlib.pyplot", "matplotlib.backends.backend_agg"),
    *("seaborn", "duckdb", "ibis", "ibis.backends.duckdb", "lifetimes", "pydantic", "yaml"),
    *("great_tables", "babel.dates", "babel.numbers", "babel.support", "xlsxwriter"),
    *("statsmodels.stats.api", "statsmodels.stats.proportion", "statsmodels.duration.api"),
    *("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.debugger", "IPython.display"),
    *("IPython.core.completerlib", "IPython.extensions.storemagic", "psutil", "sqlite3"),
    # what these import when first used
    *("IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect", "faulthandler"),
    *("pdb", "tornado.platform.asyncio", "zmq.utils.garbage", "pyarrow.dataset"),
    *("pyarrow.pandas_compat", "pandas.core.arrays.arrow.extension_types"),
    *("pandas.core.methods.to_dict", "pandas.core.reshape.reshape", "pandas.io.formats.csvs"),
    *("ibis.backends.duckdb.converter", "ibis.expr.types.groupby", "ibis.formats.pyarrow"),
    *("ibis.formats.pandas", "ibis.formats.numpy", "tzdata", "encodings.utf_16_le"),
)
"""Modules that the server imports besides this package's; one that is missing is left out."""

NOT_PRELOADED = ("cli", "run", "report.exporter", "report.document")
"""Modules of this package that no chapter uses, and all below them."""

FOR_RUNS = ("retention_lib.run.served",)
"""What a server that also forks clients' runs imports: their start, and so all that they use."""


def preload(*, runs: bool = False) -> dict[str, str]:
    """Import what chapters import; return the environment variables that importing set.

    Parameters
    ----------
    runs : bool, default False
        Import what a client's run uses, too.
    """
    before = dict(os.environ)
    gc.disable()  # of what is loaded nothing goes: looking for it takes a third of the loading
    _import_pandas()
    _import(PRELOAD)
    # This package comes last, for a library's warning filters, set when it is first imported, are
    # lost where that happens under `warnings.catch_warnings`.
    package = importlib.import_module(__name__.partition(".")[0])
    not_in_chapters = tuple(f"{package.__name__}.{name}." for name in NOT_PRELOADED)
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.", lambda _: None)
    _import(m.name for m in modules if not f"{m.name}.".startswith(not_in_chapters))
    if runs:
        _import(FOR_RUNS)
    warm(runs=runs)
    # The collector writes to the objects that it visits, which would copy their pages into every
    # fork: what is loaded now lives as long as the process and needn't be visited.
    gc.freeze()
    gc.enable()
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _import_pandas() -> None:
    """Import pandas as in a notebook: its display options depend on IPython and on the output."""
    import builtins

    vars(builtins)["get_ipython"] = lambda: SimpleNamespace(kernel=None)
    output = io.TextIOWrapper(io.BytesIO(), encoding="UTF-8")  # as IPython's calls itself
    try:
        with contextlib.redirect_stdout(output):
            importlib.import_module("pandas")
    finally:
        del vars(builtins)["get_ipython"]
