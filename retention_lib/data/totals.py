"""What the used rows of a base add up to, in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis.expr.types as ir

from retention_lib.data import schema

if TYPE_CHECKING:
    from retention_lib.data.base import Base

_NAME: Final = "totals"


def totals(base: Base) -> dict[str, float]:
    """Sums over all used rows, in one pass for all who ask.

    Parameters
    ----------
    base : Base

    Returns
    -------
    dict
        amount (net, in the report's currency), returns and returned (number and sum of the rows
        below zero), free (rows of exactly zero), several (orders of a day with more than one row),
        more (their rows but the first of each). Zeros without a row.
    """
    (row,) = base.once(_NAME, lambda: _totals(base.order_days)).to_pylist()
    return {name: value or 0 for name, value in row.items()}


def _totals(days: ir.Table) -> ir.Table:
    return days.aggregate(
        amount=days[schema.AMOUNT].sum().cast("float64"),
        returns=days.returns.sum().cast("int64"),
        returned=days.returned.sum().cast("float64"),
        free=days.free.sum().cast("int64"),
        several=days.count(where=days.rows > 1),
        more=(days.rows - 1).sum().cast("int64"),
    )
