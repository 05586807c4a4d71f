"""How much a column's name speaks for each field of the client file.

It counts together with what the column holds (`data.fitness`): the two are multiplied, so that a
column with the right name and the wrong cells loses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from retention_lib.data.words import Name

Concepts = frozenset[str]

#: Each word that isn't known makes a name a little less sure.
_UNKNOWN: Final = 0.9


def name_score(field: str, name: Name) -> float:
    """How much a column's name speaks for a field, from 0 to 1."""
    return float(_RULES[field](name.concepts) * _UNKNOWN**name.unknown)


def _best(c: Concepts, *rules: tuple[str, float]) -> float:
    """The score of the first rule whose words are all there."""
    return next((score for words, score in rules if {*words.split()} <= c), 0.0)


def _customer(c: Concepts) -> float:
    if c & _ABOUT_AMOUNTS or c & {
        *("date", "created", "birth", "category", "market", "store", "channel", "attribute"),
        *("later", "product", "line", "invoice", "booking"),
    }:
        return 0.0
    if "customer" in c and c & {"order", "sales"}:
        return 0.4  # a customer's order, more likely than an order's customer
    return _best(
        c,
        ("customer contact", 0.75),
        ("customer name", 0.5),
        ("customer id", 1.0),
        ("customer", 0.85),
        ("contact name", 0.3),
        ("contact", 0.65),
        ("billing name", 0.3),
    )


def _order(c: Concepts) -> float:
    if c & _ABOUT_AMOUNTS - {"sales"} or c & {
        *("date", "created", "birth", "category", "market", "store", "channel", "attribute"),
        *("later", "product", "line", "contact", "shipping", "payment", "booking"),
    }:
        return 0.0
    if "customer" in c:
        return 0.5 if c & {"order", "sales"} else 0.0
    return _best(
        c,
        ("order id", 1.0),
        ("sales id", 0.95),
        ("invoice id", 0.9),
        ("order", 0.7),
        ("invoice", 0.7),
        ("name", 0.4 if c == {"name"} else 0.0),
        ("id", 0.35),
    )


def _date(c: Concepts) -> float:
    if c & (_ABOUT_AMOUNTS - {"sales", "gross"}) or c & {
        *("birth", "id", "contact", "product", "category", "name"),
    }:
        return 0.0
    score = _best(
        c,
        ("order date", 1.0),
        ("sales date", 1.0),
        ("order created", 0.95),
        ("created", 0.92),
        ("invoice date", 0.85),
        ("date", 0.9),
    )
    for concept, factor in _OTHER_DATES.items():
        score *= factor if concept in c else 1.0
    return score


_OTHER_DATES: Final = {
    "shipping": 0.35,
    "payment": 0.6,
    "booking": 0.7,
    "later": 0.15,
    "customer": 0.3,
    "attribute": 0.4,
}


def _amount(c: Concepts) -> float:
    if c & {"other", "cost", "unit", "quantity", "shipping", *_NO_AMOUNT} or _is_tax(c):
        return 0.0
    foreign = 0.75 if "currency" in c else 1.0
    paid = 0.9 if "payment" in c else 1.0
    return (
        foreign
        * paid
        * _best(
            c,
            ("line amount", 1.0),
            ("line sales", 0.9),
            ("amount price", 0.9),
            ("order amount", 0.92),
            ("amount", 0.95),
            ("partial", 0.75),
            ("sales price", 0.45),
            ("sales", 0.8),
            ("gross", 0.7 if c <= {"gross", "line", "ex", "tax"} else 0.0),
            ("price", 0.5),
        )
    )


def _quantity(c: Concepts) -> float:
    if c & {"other", "cost", "price", "customer", "order", "market", "shipping", *_NO_AMOUNT}:
        return 0.0
    return _best(
        c,
        ("quantity amount", 0.8),
        ("quantity", 0.95),
        ("tally", 0.4 if c == {"amount", "tally"} else 0.0),
    )


def _unit_price(c: Concepts) -> float:
    if c & {"other", "shipping", "currency", *_NO_AMOUNT} or _is_tax(c):
        return 0.0
    if "price" in c and c & {"amount", "partial"} and not c & {"unit", "quantity"}:
        return 0.0
    return _best(
        c,
        ("price unit", 1.0),
        ("price quantity", 1.0),
        ("cost", 0.5 if c & {"product", "unit", "line"} else 0.0),
        ("price line", 0.9),
        ("price product", 0.9),
        ("price", 0.85),
        ("amount unit", 0.9),
    )


def _product(c: Concepts) -> float:
    if c & (_ABOUT_AMOUNTS - {"sales"}) or c & {
        *("date", "created", "category", "customer", "channel", "attribute", "contact", "later"),
    }:
        return 0.0
    return _best(
        c, ("product id", 1.0), ("product name", 0.85), ("product", 0.9), ("line name", 0.7)
    )


def _category(c: Concepts) -> float:
    if c & _ABOUT_AMOUNTS or c & {"customer", "date", "attribute", "market", "store", "channel"}:
        return 0.0
    return _best(c, ("category product", 1.0), ("category id", 0.85), ("category", 0.95))


def _channel(c: Concepts) -> float:
    if c & (_ABOUT_AMOUNTS - {"sales"}) or c & {"date", "attribute", "contact"}:
        return 0.0
    return _best(c, ("channel sales", 1.0), ("channel", 0.95))


def _market(c: Concepts) -> float:
    if c & (_ABOUT_AMOUNTS - {"sales"}) or c & {"date", "attribute", "contact", "order", "channel"}:
        return 0.0
    side = 0.9 if c & {"shipping", "billing", "customer"} else 1.0
    return side * _best(c, ("market", 0.95), ("store", 0.75))


def _currency(c: Concepts) -> float:
    if c & {"amount", "price", "attribute", "sales", "date"}:
        return 0.0
    return _best(c, ("currency", 0.95))


def _birthday(c: Concepts) -> float:
    return _best(c, ("birth", 0.95)) if not c & {"market", "attribute"} else 0.0


def _is_tax(c: Concepts) -> bool:
    """The tax itself, not an amount with or without it."""
    return "tax" in c and "ex" not in c


_ABOUT_AMOUNTS: Final = frozenset(
    {
        *("amount", "partial", "price", "quantity", "unit", "currency", "tax", "other", "cost"),
        *("sales", "gross", "tally"),
    }
)
_NO_AMOUNT: Final = frozenset(
    {
        *("id", "date", "created", "birth", "contact", "name", "category", "channel", "attribute"),
        *("later", "customer", "market", "store"),
    }
)

_RULES: Final[dict[str, Callable[[Concepts], float]]] = {
    "customer": _customer,
    "date": _date,
    "order": _order,
    "amount": _amount,
    "quantity": _quantity,
    "unit_price": _unit_price,
    "product": _product,
    "category": _category,
    "channel": _channel,
    "market": _market,
    "currency": _currency,
    "birthday": _birthday,
}
