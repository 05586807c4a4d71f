"""How well a column's cells go with each field of the client file, whatever its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from retention_lib.data.contents import FEW, Contents


def fit(field: str, cells: Contents) -> float:
    """How well a column's cells go with a field, from 0 to 1."""
    return float(_RULES[field](cells)) if cells.cells else 0.0


def _dates(k: Contents) -> float:
    share = max(k.dates, 0.95 * k.compact_dates, 0.7 * k.serials)
    if k.values == 1 and k.cells >= FEW:
        share *= 0.3  # the day of the export
    return share if share >= 0.5 else 0.0


def _ids(k: Contents) -> float:
    if k.dates > 0.5 or k.long_text > 0.5:
        return 0.0
    if (k.numbers > 0.9 and k.whole < 0.95) or k.negative > 0.2:
        return 0.05
    if k.values == 1 and k.cells >= 5:
        return 0.1
    return 0.3 if k.values == 2 and k.cells >= FEW else 1.0


def _order_ids(k: Contents) -> float:
    return _ids(k) * (1.0 if k.coded > 0.9 and k.emails < 0.1 else 0.1)


def _amounts(k: Contents) -> float:
    share = k.numbers
    if share < 0.5 or k.compact_dates > 0.9:
        return 0.0
    if k.looks_like_ids:
        return 0.1 * share
    if k.cells >= FEW and k.values == 1:
        return 0.5 * share
    # a few small whole numbers are pieces, not money
    is_small = k.cells >= FEW and k.whole > 0.99 and k.typical <= 10 and k.values <= 30
    return share * (0.6 if is_small else 1.0)


def _pieces(k: Contents) -> float:
    if k.numbers < 0.5 or k.looks_like_ids:
        return 0.0
    return k.numbers * (0.3 if k.typical > 1000 else 1.0) * (1.0 if k.whole > 0.5 else 0.6)


def _prices(k: Contents) -> float:
    return 0.0 if k.numbers < 0.5 else k.numbers * (0.1 if k.looks_like_ids else 1.0)


def _products(k: Contents) -> float:
    if k.dates > 0.5 or (k.numbers > 0.9 and k.whole < 0.95):
        return 0.05
    return 1.0


def _groups(k: Contents) -> float:
    if k.dates > 0.5 or (k.numbers > 0.9 and k.whole < 0.95):
        return 0.0
    return 1.0 if k.distinct <= 0.5 or k.cells < FEW else 0.2


def _codes(k: Contents) -> float:
    return 1.0 if k.three_letters > 0.95 and k.values <= 30 else 0.0


def _birthdays(k: Contents) -> float:
    share = max(k.dates, k.compact_dates)
    return share if share > 0.8 else 0.0


_RULES: Final[dict[str, Callable[[Contents], float]]] = {
    "customer": _ids,
    "date": _dates,
    "order": _order_ids,
    "amount": _amounts,
    "quantity": _pieces,
    "unit_price": _prices,
    "product": _products,
    "category": _groups,
    "channel": _groups,
    "market": _groups,
    "currency": _codes,
    "birthday": _birthdays,
}
