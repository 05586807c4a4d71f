"""Whether the files have what the client file maps, and a sentence for each thing they lack."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from retention_lib.data.amount_signs import currency_of, split_amount
from retention_lib.data.day_formats import readings
from retention_lib.data.files import NamedFile
from retention_lib.data.layout import plain
from retention_lib.data.raw import Looked, required
from retention_lib.data.understood import Understood
from retention_lib.errors import DataError
from retention_lib.keys.parts import Fields
from retention_lib.keys.refusals import shown


def mapping_of(columns: Fields) -> dict[str, str]:
    """Which column each mapped field has."""
    return {k: v for k, v in columns.model_dump().items() if v is not None}


def check_columns(looked: Looked, columns: Fields) -> None:
    """Every mapped column is there once, and those that a purchase needs are in every file.

    Raises
    ------
    DataError
        One sentence for each that isn't.
    """
    mapping = mapping_of(columns)
    needed = required(columns)
    headers = [
        *((part.file, part.names) for part in looked.layouts),
        *((sheet.file, sheet.names) for sheet in looked.sheets),
    ] or [(looked.files[0], looked.names)]
    known = {plain(name) for _, names in headers for name in names}
    if missing := [(k, v) for k, v in mapping.items() if plain(v) not in known]:
        for file, names in headers:
            _check_single(file, names, mapping.values())
            _check_header(file, names, mapping.values())
        _check_nested(looked, mapping.values())
        available = list(dict.fromkeys(name for _, names in headers for name in names))
        raise DataError(*[no_such_column(k, v, available) for k, v in missing])
    errors = []
    for file, names in headers:
        own = [plain(name) for name in names]
        for field, column in mapping.items():
            if column in needed and plain(column) not in own:
                errors.append(
                    f'columns.{field}: {file.name} has no column "{column}", which other files of '
                    "the source have; all files need the same names for what is mapped"
                )
            alike = [name for name in own if name.lower() == plain(column).lower()]
            if len({*alike}) > 1:
                errors.append(
                    f"columns.{field}: {file.name} has columns whose names differ by case only: "
                    f"{listed(alike)}; give each a name of its own"
                )
            elif own.count(plain(column)) > 1:
                errors.append(
                    f"columns.{field}: {file.name} has {own.count(plain(column))} columns named "
                    f'"{column}"; give each a name of its own'
                )
    if errors:
        raise DataError(*errors)


def check_marks(understood: Understood, currency: str, *, in_a_column: bool) -> None:
    """Amounts that name their currency name the report's, where no column does.

    Raises
    ------
    DataError
        Amounts in another currency, or in several.
    """
    if in_a_column or not understood.marks:
        return
    marks = ", ".join(understood.marks)
    if not set.intersection(*(set(currency_of(mark)) for mark in understood.marks)):
        raise DataError(
            f"columns.currency: the amounts are in several currencies ({marks}); have the currency "
            "exported in a column of its own, and name it under columns.currency"
        )
    foreign = [m for m in understood.marks if currency not in currency_of(m)]
    if foreign:
        raise DataError(
            f"currency: the amounts are in {foreign[0]} and the report in {currency}; set "
            f"currency to {' or '.join(currency_of(foreign[0])[:4])}, or have the currency "
            "exported in a column of its own, and name it under columns.currency"
        )


def no_such_column(field: str, column: str, available: Sequence[str]) -> str:
    """A missing column as a sentence, with the nearest name there is."""
    named = [name for name in available if plain(name)]
    near = difflib.get_close_matches(column.lower(), [c.lower() for c in named], 1, 0.5)
    match = next((c for c in named if near and c.lower() == near[0]), None)
    hint = f"; did you mean {shown(match)}?" if match else "."
    return (
        f"columns.{field}: the source has no column {shown(column)}{hint} It has "
        f"{listed(available)}."
    )


def listed(names: Sequence[str], most: int = 20) -> str:
    """The names of columns for a sentence; those without a name, and too many, as a number."""
    named = [name for name in names if plain(name)]
    parts = [", ".join(shown(name) for name in named[:most])] if named else []
    if len(named) > most:
        parts.append(f"{len(named) - most} more")
    if nameless := len(names) - len(named):
        parts.append(f"{nameless} column{'s' * (nameless != 1)} without a name")
    return " and ".join(parts)


def _check_single(file: NamedFile, names: Sequence[str], wanted: Iterable[str]) -> None:
    """A single column with signs or all names in its name is a table cut with the wrong sign."""
    if len(names) != 1:
        return
    name = names[0]
    if sign := re.search("[,;|\t]", name):
        raise DataError(
            f"source: {file.name} has a single column, {shown(name)}; all lines need the same "
            "number of columns: name the sign between columns under csv.delimiter, perhaps "
            f"{shown(sign[0])}"
        )
    if all(plain(one) in name for one in wanted):
        raise DataError(
            f"source: {file.name} has a single column, {shown(name)}; name the sign between "
            "columns under csv.delimiter, or have one exported, such as a semicolon"
        )


def _check_header(file: NamedFile, names: Sequence[str], wanted: Iterable[str]) -> None:
    """A first line with dates or amounts, and none of the names, is an order."""
    if {plain(name) for name in names} & {plain(one) for one in wanted}:
        return
    values = [name for name in names if _is_value(name)]
    if values:
        raise DataError(
            f"source: {file.name} has no header: its first line holds values, such as "
            f"{shown(values[0])}; export it again with the columns' names, or add a first line "
            "with them"
        )


def _check_nested(looked: Looked, wanted: Iterable[str]) -> None:
    """Objects around the orders, as programs answer each other."""
    if looked.kind != "json":
        return
    names = {plain(one) for one in wanted}
    for column in looked.sample.columns:
        for cell in looked.sample[column].dropna()[:5]:
            inner = _first_object(str(cell))
            if inner and names & {plain(name) for name in inner}:
                raise DataError(
                    f"source: {looked.files[0].name} has the orders within {shown(str(column))}; "
                    "have them exported as JSON lines, one object each, with nothing around them"
                )


def _first_object(text: str) -> dict[str, Any] | None:
    if text[:1] not in ("[", "{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    first = found[0] if isinstance(found, list) and found else found
    return first if isinstance(first, dict) else None


def _is_value(text: str) -> bool:
    """Whether a header's cell is a day or an amount with decimals; a bare number may be a name."""
    amount = split_amount(text)
    return bool(readings(text) and not text.strip().isdigit()) or (
        amount is not None and re.search(r"[.,]\d{1,2}$", amount[0]) is not None
    )
