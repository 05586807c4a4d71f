"""Which of a file's columns is which field, proposed by the columns' names and what they hold."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from retention_lib.data import paid
from retention_lib.data.contents import Contents, cells_of, contents
from retention_lib.data.fields import name_score
from retention_lib.data.fitness import fit
from retention_lib.data.words import Name, read_name
from retention_lib.errors import DataError
from retention_lib.keys.refusals import shown

#: The fields in the order of the client file.
FIELDS: Final = (
    *("customer", "date", "amount", "quantity", "unit_price", "order", "product", "category"),
    *("channel", "market", "currency", "birthday"),
)
#: A column scores at least this for a field that is needed, and for one that can be left out.
NEEDED: Final = 0.25
WANTED: Final = 0.4
#: What a column scores whose cells alone speak for the field.
BY_CONTENT: Final = 0.5

_WHAT: Final = {
    "customer": "the customer's id",
    "date": "the day of the order",
    "amount": "the amount",
}


@dataclass(frozen=True)
class Proposal:
    """A mapping of fields to columns.

    Attributes
    ----------
    columns : dict
        Field → column, in the order of the client file.
    scores : dict
        Field → how sure, from 0 to 1; 1 where the user said so.
    notes : dict
        Field → what to know about the choice.
    rivals : dict
        Field → other columns that could have been it, best first.
    once_per_order : bool
        The amount is the order's, and stands on each of its rows.
    unused : tuple of str
        Columns that are no field.
    """

    columns: dict[str, str]
    scores: dict[str, float]
    notes: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    once_per_order: bool = False
    unused: tuple[str, ...] = ()


def propose(frame: pd.DataFrame, given: Mapping[str, str] | None = None) -> Proposal:
    """Propose which column is which field.

    Parameters
    ----------
    frame : DataFrame
        Rows of the file as text cells, one column per column of the file.
    given : mapping, optional
        Field → column, where the user said so.

    Raises
    ------
    DataError
        No column for the customer, the date or the amount, with the columns there are and the key
        to set; a given column that isn't there.
    """
    given = dict(given or {})
    frame = frame.loc[:, ~frame.columns.duplicated()].reset_index(drop=True)
    _check_given(given, [*frame.columns])
    looks = {c: contents(frame[c]) for c in frame.columns if _can_be_named(c)}
    names = {c: read_name(c) for c in looks}
    free = [c for c in looks if c not in given.values()]
    scores = {f: {c: name_score(f, names[c]) * fit(f, looks[c]) for c in free} for f in FIELDS}
    chosen = _Chosen(dict(given), dict.fromkeys(given, 1.0))
    for needed in ("date", "customer"):
        if needed not in given:
            column, score = _needed(needed, scores, looks, names, chosen)
            if column is None:
                raise _nothing(needed, frame, looks, names)
            chosen.take(needed, column, score)
    chosen.take_best("order", scores, WANTED)
    notes = _check_order(frame, chosen, given)
    chosen.take_best("product", scores, WANTED)
    amounts = _amounts(frame, scores, looks, names, chosen, given)
    if amounts is None:
        raise _nothing("amount", frame, looks, names)
    for f, column in amounts.columns.items():
        chosen.take(f, column, scores[f].get(column, BY_CONTENT))
        if amounts.note:
            notes[f] = amounts.note
    for f in ("category", "channel", "market", "currency", "birthday"):
        chosen.take_best(f, scores, WANTED)
    if amounts.once_per_order:  # what differs between an order's rows would keep them apart
        for f in {"product", "category"} - given.keys():
            chosen.drop(f)
    return Proposal(
        columns={f: chosen.columns[f] for f in FIELDS if f in chosen.columns},
        scores=chosen.scores,
        notes=notes,
        rivals=_rivals(scores, chosen),
        once_per_order=amounts.once_per_order,
        unused=tuple(c for c in frame.columns if c not in chosen.columns.values()),
    )


@dataclass
class _Chosen:
    """The fields that have their column, each column once."""

    columns: dict[str, str]
    scores: dict[str, float]

    def take(self, name: str, column: str, score: float) -> None:
        self.columns[name], self.scores[name] = column, score

    def drop(self, name: str) -> None:
        self.columns.pop(name, None)
        self.scores.pop(name, None)

    def open(self, scores: Mapping[str, float]) -> dict[str, float]:
        """The columns that no field has yet, best first; the earlier one of equals."""
        taken = set(self.columns.values())
        left = {c: s for c, s in scores.items() if c not in taken}
        return dict(sorted(left.items(), key=lambda item: -item[1]))

    def take_best(self, name: str, scores: Mapping[str, Mapping[str, float]], least: float) -> None:
        if name in self.columns:
            return
        column, score = next(iter(self.open(scores[name]).items()), (None, 0.0))
        if column is not None and score >= least:
            self.take(name, column, score)


def _needed(
    name: str,
    scores: Mapping[str, Mapping[str, float]],
    looks: Mapping[str, Contents],
    names: Mapping[str, Name],
    chosen: _Chosen,
) -> tuple[str | None, float]:
    """The column of a field that must be there: by name and content, else by content alone."""
    best, score = next(iter(chosen.open(scores[name]).items()), (None, 0.0))
    if score >= NEEDED:
        return best, score
    alone = [
        c for c in chosen.open(dict.fromkeys(looks, 0.0)) if _by_content(name, looks[c], names[c])
    ]
    return (alone[0], BY_CONTENT) if len(alone) == 1 else (None, 0.0)


def _by_content(name: str, cells: Contents, about: Name) -> bool:
    """Whether a column whose name says nothing can be a field for what it holds."""
    if not cells.cells:
        return False
    if name == "date":
        return cells.dates > 0.9 and "birth" not in about.concepts
    if name == "customer":
        return cells.emails > 0.9
    return (
        not about.concepts
        and cells.numbers > 0.95
        and cells.whole < 0.9
        and cells.values > 1
        and not cells.looks_like_ids
    )


def _check_order(frame: pd.DataFrame, chosen: _Chosen, given: Mapping[str, str]) -> dict[str, str]:
    """An order belongs to one customer: a column of which that isn't true is no order's id."""
    order = chosen.columns.get("order")
    if order is None or "order" in given:
        return {}
    rows = frame[[chosen.columns["customer"], order]].replace("", pd.NA).dropna()
    customers = rows.groupby(order)[chosen.columns["customer"]].nunique()
    if len(rows) and (customers > 1).mean() > 0.1:
        chosen.drop("order")
        return {
            "customer": f"\"{order}\" isn't taken for the order's id: {(customers > 1).mean():.0%} "
            "of its values belong to several customers"
        }
    return {}


def _amounts(
    frame: pd.DataFrame,
    scores: Mapping[str, Mapping[str, float]],
    looks: Mapping[str, Contents],
    names: Mapping[str, Name],
    chosen: _Chosen,
    given: Mapping[str, str],
) -> paid.Paid | None:
    if "amount" in given or {"quantity", "unit_price"} <= given.keys():
        return paid.Paid({})
    left = {f: chosen.open(scores[f]) for f in ("amount", "quantity", "unit_price")}
    for f in ("quantity", "unit_price"):
        if f in given:
            left = {**left, f: {given[f]: 1.0}, "amount": {}}
    found = paid.choose(
        frame, left, NEEDED, chosen.columns.get("order"), chosen.columns.get("product")
    )
    if found.columns:
        return found
    alone = [c for c in left["amount"] if _by_content("amount", looks[c], names[c])]
    return paid.Paid({"amount": alone[0]}) if len(alone) == 1 else None


def _rivals(
    scores: Mapping[str, Mapping[str, float]], chosen: _Chosen
) -> dict[str, tuple[str, ...]]:
    """Columns that no field has and that would do almost as well."""
    rivals = {}
    for f in chosen.columns:
        near = {
            c: s
            for c, s in chosen.open(scores[f]).items()
            if s >= max(WANTED, 0.6 * chosen.scores[f])
        }
        if near and f in ("customer", "date", "amount", "order", "market"):
            rivals[f] = tuple(near)[:3]
    return rivals


def _can_be_named(column: str) -> bool:
    """Whether a client file can name the column."""
    return bool(column.strip()) and not any(ord(c) < 32 and c not in "\n\t" for c in column)


def _check_given(given: Mapping[str, str], columns: Sequence[str]) -> None:
    errors = []
    for f, column in given.items():
        if column not in columns:
            near = difflib.get_close_matches(column, columns, 1, 0.6)
            hint = f"; did you mean {shown(near[0])}?" if near else "."
            errors.append(
                f"columns.{f}: the file has no column {shown(column)}{hint} "
                f"It has {_listed(columns)}."
            )
    if errors:
        raise DataError(*errors)


def _nothing(
    name: str, frame: pd.DataFrame, looks: Mapping[str, Contents], names: Mapping[str, Name]
) -> DataError:
    """No column for a field that must be there: what there is, and which key to set."""
    key = "columns.amount, or columns.quantity and columns.unit_price" if name == "amount" else ""
    named = max(names, key=lambda c: name_score(name, names[c]), default=None)
    but = ""
    if named is not None and name_score(name, names[named]) >= 0.5:
        cells = cells_of(frame[named])
        but = f" {shown(named)} has the name of one, but holds " + (
            f"values such as {shown(str(cells.iloc[0]))}." if len(cells) else "nothing."
        )
    return DataError(
        f"columns.{name}: no column could be told to be {_WHAT[name]}; "
        f"set {key or f'columns.{name}'}.{but} The file has {_listed([*frame.columns])}."
    )


def _listed(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - 30} more" if len(columns) > 30 else ""
    return ", ".join(shown(c) for c in columns[:30]) + more
