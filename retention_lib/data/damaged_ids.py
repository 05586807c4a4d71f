"""Customer ids that a spreadsheet changed on their way, told by the ids themselves.

An id is text and stays as it came: 007 and 7 are two customers. Where both are there, one file
likely lost its zeros, and a person should know.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import ibis.expr.types as ir

from retention_lib.data import schema

How = Literal["zeros", "decimals", "case", "shortened"]

_SHORTENED: Final = r"^\d[.,]\d+[eE]\+?\d+$"


@dataclass(frozen=True)
class DamagedIds:
    """Ids that likely aren't as they were.

    Parameters
    ----------
    how : str
        They differ from another id only by leading zeros, by a `.0` behind a number, by upper and
        lower case; or they are numbers that were shortened, as in 1,23457E+12.
    ids : int
        How many.
    example : tuple of str
        One, and the id that it is like; the one alone where it is shortened.
    """

    how: How
    ids: int
    example: tuple[str, ...]


def damaged_ids(days: ir.Table) -> list[DamagedIds]:
    """What is suspicious of the ids, each kind once.

    Parameters
    ----------
    days : ibis Table
        Customer-days, or any table with a `customer`.
    """
    ids = days.select(schema.CUSTOMER).distinct()
    customer = ids[schema.CUSTOMER]
    number = customer.re_search(r"^\d+$")
    found = [
        _alike("zeros", ids.filter(number), lambda c: c.re_replace("^0+", "")),
        _alike(
            "decimals",
            ids.filter(customer.re_search(r"^\d+(\.0)?$")),
            lambda c: c.re_replace(r"\.0$", ""),
        ),
        _alike("case", ids, lambda c: c.lower()),
        _shortened(ids.filter(customer.re_search(_SHORTENED))),
    ]
    return [one for one in found if one is not None]


def _alike(
    how: How, ids: ir.Table, key: Callable[[ir.StringValue], ir.StringValue]
) -> DamagedIds | None:
    keyed = ids.mutate(key=key(ids[schema.CUSTOMER]))
    groups = keyed.group_by("key").aggregate(
        ids=keyed.count(), one=keyed[schema.CUSTOMER].max(), other=keyed[schema.CUSTOMER].min()
    )
    twice = groups.filter(groups.ids > 1)
    number = int((twice.ids - 1).sum().to_pyarrow().as_py() or 0)
    if not number:
        return None
    first = twice.order_by("key").limit(1).to_pyarrow().to_pylist()[0]
    return DamagedIds(how, number, (first["one"], first["other"]))


def _shortened(ids: ir.Table) -> DamagedIds | None:
    customer = ids[schema.CUSTOMER]
    row = ids.aggregate(ids=ids.count(), one=customer.min()).to_pyarrow().to_pylist()[0]
    return DamagedIds("shortened", int(row["ids"]), (row["one"],)) if row["ids"] else None
