"""The order logs that come with a package: CDNOW with lifetimes, Complete Journey with its own.

They are the sources that anybody can try a report on, and that the tests compare with figures that
others published.
"""

from __future__ import annotations

from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import journey, schema
from retention_lib.data.packages import package_file
from retention_lib.errors import DataError

_CDNOW: Final = {"builtin:cdnow": "CDNOW_master.txt", "builtin:cdnow-sample": "CDNOW_sample.txt"}


def open_builtin(con: Any, name: str) -> tuple[ir.Table, tuple[str, ...], tuple[str, ...]]:
    """Open a built-in source.

    Parameters
    ----------
    con : ibis DuckDB backend
    name : str
        `builtin:cdnow`, `builtin:cdnow-sample` or `builtin:completejourney`.

    Returns
    -------
    table : ibis Table
        The canonical columns (`data.schema`), one row per line of the log. Amounts are US dollars,
        times are those of the shop's clock, whatever the session's time zone.
    fields : tuple of str
        The fields that it has, as the client file calls them, in the order of the contract.
    names : tuple of str
        The files that were read, without their folders.

    Raises
    ------
    DataError
        No such source, or its package isn't installed or lacks what is looked for.
    """
    if name == journey.NAME:
        return journey.orders(con)
    if name in _CDNOW:
        return _cdnow(name)
    known = ", ".join((*_CDNOW, journey.NAME))
    raise DataError(f"source: {name} can't be opened here; the built-in sources are {known}")


def _cdnow(name: str) -> tuple[ir.Table, tuple[str, ...], tuple[str, ...]]:
    file = _CDNOW[name]
    sample = name.endswith("sample")
    log = pd.read_csv(
        package_file(name, "lifetimes", "lifetimes", f"datasets/{file}"),
        sep=r"\s+",
        header=None if sample else 0,
        names=(["master", "customer"] if sample else ["customer"]) + ["date", "quantity", "amount"],
        dtype=str,
    )
    table = ibis.memtable(log[["customer", "date", "amount"]])
    canonical = table.select(
        customer=table.customer,
        time=table.date.as_timestamp("%Y%m%d"),
        amount=table.amount.cast(schema.MONEY),
    )
    return canonical, ("customer", "date", "amount"), (file,)


def open_builtin_dataset(con: Any, name: str) -> tuple[ir.Table, tuple[str, ...], tuple[str, ...]]:
    """Open a data set that comes beside a built-in log.

    Parameters
    ----------
    con : ibis DuckDB backend
    name : str
        Such as `builtin:completejourney-campaigns`.

    Returns
    -------
    table, fields, names
        As `open_builtin`; the columns are those of the data set (`data.datasets`).

    Raises
    ------
    DataError
        As `open_builtin`.
    """
    if name not in journey.DATASETS:
        known = ", ".join(journey.DATASETS)
        raise DataError(f"source: {name} can't be opened here; the built-in ones are {known}")
    return journey.dataset(con, name)
