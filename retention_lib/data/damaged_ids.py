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
_Test = Callable[[ir.StringValue], ir.BooleanValue]
_Key = Callable[[ir.StringValue], ir.StringValue]

_SHORTENED: Final = r"^\d[.,]\d+[eE]\+?\d+$"

#: Which ids are asked, and what those have in common that are likely one.
_ALIKE: Final[dict[How, tuple[_Test, _Key]]] = {
    "zeros": (lambda c: c.re_search(r"^\d+$"), lambda c: c.re_replace("^0+", "")),
    "decimals": (lambda c: c.re_search(r"^\d+(\.0)?$"), lambda c: c.re_replace(r"\.0$", "")),
    "case": (lambda c: c.notnull(), lambda c: c.lower()),
}


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
    kinds = {how: (which(customer), key(customer)) for how, (which, key) in _ALIKE.items()}
    short = customer.re_search(_SHORTENED)
    # all in one pass: of sound ids, as nearly all are, there is nothing else to ask
    counted = ids.aggregate(
        **{how: ids.count(where=which) for how, (which, _) in kinds.items()},
        **{f"{how}_keys": key.nunique(where=which) for how, (which, key) in kinds.items()},
        short=ids.count(where=short),
        shortest=customer.min(where=short),
    )
    (row,) = counted.to_pyarrow().to_pylist()
    found = [
        DamagedIds(how, number, _example(ids.filter(which), key))
        for how, (which, key) in kinds.items()
        if (number := int(row[how] - row[f"{how}_keys"]))
    ]
    if row["short"]:
        found.append(DamagedIds("shortened", int(row["short"]), (row["shortest"],)))
    return found


def _example(ids: ir.Table, key: ir.StringValue) -> tuple[str, str]:
    """Two ids of one key, the first key that has several."""
    keyed = ids.mutate(key=key)
    groups = keyed.group_by("key").aggregate(
        ids=keyed.count(), one=keyed[schema.CUSTOMER].max(), other=keyed[schema.CUSTOMER].min()
    )
    first = groups.filter(groups.ids > 1).order_by("key").limit(1).to_pyarrow().to_pylist()[0]
    return first["one"], first["other"]
