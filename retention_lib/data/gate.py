"""Where nothing sensible can be computed, and a report would only look like one (exit code 3).

The line is drawn at what was *meant*, not at how much is left. A client may sell nine tenths of
everything to nobody in particular, or set a window that leaves most of an export out: the rest is
then what the report is on, and it says so. But rows of which most have a date or an amount that
can't be read were read in a wrong way, or are other rows than the client file takes them for. What
is left is no smaller picture of the client but an odd one, such as those whose dates happen to fit,
and every figure of revenue and retention on it is wrong without looking so. Below half, the rows
that are read outweigh the others, and the report goes out with the share on top
(`data.health.rows`).

Lines of an order that has its amount on another line, as many shops export them, miss nothing and
aren't counted as unread.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from retention_lib.data import schema
from retention_lib.data.base import Base
from retention_lib.data.purchases import CAUSES, GUEST, IN_FUTURE, NO_AMOUNT, NO_CUSTOMER, NO_DATE
from retention_lib.data.read import marked_rows
from retention_lib.errors import DataError

#: Above this share of unread rows, what is left is the exception.
MOST: Final = 0.5
#: Of fewer rows one or two mistakes are half, and anyone sees them.
FEW_ROWS: Final = 20

#: Why a row can be unread, and where to look when most are.
_REMEDIES: Final = {
    NO_DATE: "columns.date and csv.date_format",
    NO_AMOUNT: "columns.amount, csv.decimal and csv.thousands",
    IN_FUTURE: "columns.date and csv.date_format, or name as_of where days to come are meant",
}


def refuse(base: Base, folder: Path, today: dt.date | None = None) -> None:
    """Stop where no figure that comes of a base could be believed.

    Parameters
    ----------
    base : Base
    folder : Path
        Where relative source paths start: the source is read again where most rows have no amount,
        to see whether others of their order have it.
    today : date, optional
        As for `read.read_base`.

    Raises
    ------
    DataError
        No customer has a purchase; or most rows have no date or amount that can be read, or are
        dated after today.
    """
    bought = base.days.filter(base.days[schema.BOUGHT])
    if not bought.count().to_pyarrow().as_py():
        raise DataError(_no_purchase(base))
    rows = base.left_out.set_index("cause")["rows"]
    named = base.rows_in - int(rows.reindex([NO_CUSTOMER, GUEST]).fillna(0).sum())
    unread = {cause: int(rows.get(cause, 0)) for cause in _REMEDIES}
    if named < FEW_ROWS or sum(unread.values()) <= MOST * named:
        return
    if unread[NO_AMOUNT]:
        unread[NO_AMOUNT] -= _lines_of_paid_orders(base, folder, today)
    if sum(unread.values()) <= MOST * named:
        return
    worst = max(unread, key=lambda cause: unread[cause])
    causes = "; ".join(f"{CAUSES[c].lower()}: {n:,}" for c, n in unread.items() if n)
    raise DataError(
        f"source: {sum(unread.values()) / named:.0%} of the {named:,} rows with a customer can't "
        f"be used ({causes}), and a report on the others would mislead; check {_REMEDIES[worst]}"
    )


def _no_purchase(base: Base) -> str:
    days = base.order_days
    found = days.aggregate(
        returns=days.returns.sum(), free=days.free.sum(), customers=days[schema.CUSTOMER].nunique()
    )
    row = {name: int(value) for name, value in found.to_pyarrow().to_pylist()[0].items()}
    whose = f"{row['customers']:,} customers" if row["customers"] > 1 else "the one customer"
    said = f"source: no row is a purchase; the days of {whose} all net to zero or less, and "
    if row["free"] > row["returns"]:
        return (
            f"{said}{row['free']:,} of {base.rows_used:,} rows have an amount of zero: map the "
            "column with what was paid under columns.amount, or set free_orders: true"
        )
    return (
        f"{said}{row['returns']:,} of {base.rows_used:,} rows are below zero: map the column with "
        "what was paid under columns.amount, or have sales exported without a minus"
    )


def _lines_of_paid_orders(base: Base, folder: Path, today: dt.date | None) -> int:
    """Rows without an amount whose order has one on another row."""
    source, marked = marked_rows(base.params, folder, today)
    keys = [schema.CUSTOMER]
    keys.append(schema.ORDER if schema.ORDER in marked.columns else schema.DAY)
    cause = marked[schema.CAUSE]
    paid = marked.filter(cause.isnull()).select(keys).distinct()
    blank = marked.filter(cause == NO_AMOUNT)
    matched = blank.semi_join(paid, keys)
    return int(source.first(matched.aggregate(n=matched.count()))["n"])
