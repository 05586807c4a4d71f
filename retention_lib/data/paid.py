"""Which columns say what was paid: an amount per row, or quantity times unit price.

A column named Total can hold the amount of its row, the whole order's on each of its rows, the
order's on the first row only, or the price of one piece. The rows themselves tell which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.data.contents import cells_of, numbers

Scores = Mapping[str, Mapping[str, float]]

#: A rule about the rows holds where it holds for this share of them.
MOSTLY: Final = 0.95
#: What fewer rows or orders show may be chance.
ENOUGH: Final = 5


@dataclass(frozen=True)
class Paid:
    """The fields chosen: `amount`, or `quantity` and `unit_price`.

    Attributes
    ----------
    columns : dict
        Field → column; empty where there is nothing to choose.
    note : str
        What to know about the choice; empty where nothing.
    once_per_order : bool
        The order's total stands on each of its rows, and must be counted once.
    """

    columns: dict[str, str]
    note: str = ""
    once_per_order: bool = False


def choose(
    frame: pd.DataFrame, scores: Scores, least: float, order: str | None, product: str | None
) -> Paid:
    """What the rows were paid with.

    Parameters
    ----------
    frame : DataFrame
        Text cells.
    scores : mapping
        Field → column → score, for amount, quantity and unit_price.
    least : float
        A lower score is none.
    order, product : str, optional
        The columns of the order's and the product's id.
    """
    amounts = _ranked(scores["amount"], least)
    quantity, price = _pieces_and_price(scores, least, next(iter(amounts), None))
    # a price beside a quantity is the price of one piece
    amounts = [a for a in amounts if not quantity or a not in (quantity, price)]
    reasons: dict[str, str] = {}
    for column in amounts:
        reason = _no_amount_of_the_row(frame, column, quantity, price, order, product)
        if not reason:
            return Paid({"amount": column}, _note(frame, column, quantity, price, order))
        reasons[column] = reason
    if quantity and price:
        why = [f'"{c}" {_WHY[r]}' for c, r in reasons.items()]
        return Paid({"quantity": quantity, "unit_price": price}, "; ".join(why))
    if piece := next((c for c, r in reasons.items() if r == "piece"), None):
        assert quantity is not None  # without one no column is found to be a price
        return Paid({"quantity": quantity, "unit_price": piece}, f'"{piece}" {_WHY["piece"]}')
    if repeated := next(iter(reasons), None):
        return Paid({"amount": repeated}, f'"{repeated}" {_WHY["repeated"]}', once_per_order=True)
    return Paid({})


_WHY: Final = {
    "repeated": "holds the order's total on each of its rows",
    "piece": "holds the price of one piece",
}


def _ranked(scores: Mapping[str, float], least: float) -> list[str]:
    return [c for c, s in sorted(scores.items(), key=lambda item: -item[1]) if s >= least]


def _pieces_and_price(
    scores: Scores, least: float, amount: str | None
) -> tuple[str | None, str | None]:
    """The quantity and the unit price, where the first isn't more likely the amount."""
    pieces = _ranked(scores["quantity"], least)
    prices = _ranked(scores["unit_price"], least)
    for quantity in pieces:
        price = next((p for p in prices if p != quantity), None)
        both = (scores["quantity"][quantity] + (scores["unit_price"][price] if price else 0)) / 2
        if quantity != amount or both > scores["amount"][amount]:
            return quantity, price
    return None, next(iter(prices), None)


def _no_amount_of_the_row(
    frame: pd.DataFrame,
    column: str,
    quantity: str | None,
    price: str | None,
    order: str | None,
    product: str | None,
) -> str:
    if quantity and quantity != column:
        pieces = numbers(frame[quantity])
        if price and (_product_share(frame, column, quantity, price) or 0) >= MOSTLY:
            return ""
        if price and _is_price(numbers(frame[column]), pieces, numbers(frame[price])):
            return "piece"
        if not price and product and _follows_product(frame, column, pieces, product):
            return "piece"
    if order and repeats(frame, column, order):
        return "repeated"
    return ""


def _product_share(frame: pd.DataFrame, amount: str, quantity: str, price: str) -> float | None:
    """The share of rows whose amount is quantity × unit price; None where too few rows tell.

    To half a hundredth per piece, as a rounded price has it.
    """
    a, q, p = (numbers(frame[c]) for c in (amount, quantity, price))
    tells = a.notna() & q.notna() & p.notna() & (q.abs() != 1)
    if tells.sum() < ENOUGH:
        return None
    return float(((q * p - a).abs() <= 0.0051 * q.abs().clip(lower=1))[tells].mean())


def _is_price(amount: pd.Series, quantity: pd.Series, price: pd.Series) -> bool:
    """Whether the amount is the unit price, whatever the quantity."""
    tells = amount.notna() & price.notna() & quantity.notna() & (quantity.abs() != 1) & (price != 0)
    return bool(tells.sum() >= ENOUGH and (amount.abs() == price.abs())[tells].mean() >= MOSTLY)


def _follows_product(frame: pd.DataFrame, column: str, quantity: pd.Series, product: str) -> bool:
    """Whether the amount stays the same for a product while its quantity varies."""
    rows = pd.DataFrame(
        {"a": numbers(frame[column]).abs(), "q": quantity.abs(), "p": frame[product]}
    ).dropna()
    by_product = rows.groupby("p").agg(a=("a", "nunique"), q=("q", "nunique"))
    varying = by_product[by_product["q"] > 1]
    return len(varying) >= ENOUGH and bool((varying["a"] == 1).mean() >= MOSTLY)


def repeats(frame: pd.DataFrame, column: str, order: str) -> bool:
    """Whether all rows of an order have one and the same amount while they differ otherwise."""
    filled = frame[frame[order].notna() & frame[order].ne("") & frame[column].notna()]
    rows = filled.groupby(order)
    sizes = rows.size()
    several = sizes[sizes > 1].index
    if len(several) < ENOUGH:
        return False
    among = filled[filled[order].isin(several)]
    # rows that are copies of each other show nothing
    differing = among.drop_duplicates().groupby(order).size()
    tells = differing[differing > 1].index
    if len(tells) < ENOUGH:
        return False
    values = among[among[order].isin(tells)].groupby(order)[column].nunique()
    return bool((values == 1).mean() >= MOSTLY)


def _note(
    frame: pd.DataFrame, amount: str, quantity: str | None, price: str | None, order: str | None
) -> str:
    if order and (blank := _blank_share(frame, amount, order)):
        return (
            f'"{amount}" stands on one row of each order; the order\'s other rows ({blank:.0%}) '
            "are left out as rows without an amount"
        )
    if quantity and price:
        share = _product_share(frame, amount, quantity, price)
        if share is not None and share < MOSTLY:
            return (
                f'"{amount}" is "{quantity}" times "{price}" in {share:.0%} of the rows only; it '
                "is taken as what was paid"
            )
    return ""


def _blank_share(frame: pd.DataFrame, amount: str, order: str) -> float:
    """The share of rows without an amount, where each order has its amount on one row only."""
    filled = cells_of(frame[amount])
    share = 1 - len(filled) / len(frame)
    if share < 0.02:
        return 0.0
    counts = frame.assign(_has=frame.index.isin(filled.index)).groupby(order)["_has"].sum()
    return share if float((counts == 1).mean()) >= MOSTLY else 0.0
