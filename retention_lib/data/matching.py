"""Whether the files have what the client file maps, and a sentence for each thing they lack."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from retention_lib.data.amount_signs import currency_of
from retention_lib.data.layout import plain
from retention_lib.data.raw import Looked, required
from retention_lib.data.understood import Understood
from retention_lib.errors import DataError
from retention_lib.keys.parts import Columns
from retention_lib.params import Params


def mapping_of(columns: Columns) -> dict[str, str]:
    """Which column each mapped field has."""
    return {k: v for k, v in columns.model_dump().items() if v is not None}


def check_columns(looked: Looked, columns: Columns) -> None:
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
    if any(plain(v) not in map(plain, looked.names) for v in mapping.values()):
        _check_single(looked)
        available = [name for name in looked.names if not re.fullmatch(r"column\d+", name)]
        missing = [(k, v) for k, v in mapping.items() if plain(v) not in map(plain, looked.names)]
        raise DataError(*[no_such_column(k, v, available) for k, v in missing])
    for file, names in headers:
        own = [plain(name) for name in names]
        for field, column in mapping.items():
            if column in needed and plain(column) not in own:
                raise DataError(
                    f'columns.{field}: {file.name} has no column "{column}", which other files of '
                    "the source have; all files need the same names for what is mapped"
                )
            if own.count(plain(column)) > 1:
                raise DataError(
                    f"columns.{field}: {file.name} has {own.count(plain(column))} columns named "
                    f'"{column}"; give each a name of its own'
                )


def check_marks(understood: Understood, params: Params) -> None:
    """Amounts that name their currency name the report's, where no column does.

    Raises
    ------
    DataError
        Amounts in another currency, or in several.
    """
    if params.columns is None or params.columns.currency or not understood.marks:
        return
    marks = ", ".join(understood.marks)
    if not set.intersection(*(set(currency_of(mark)) for mark in understood.marks)):
        raise DataError(
            f"columns.currency: the amounts are in several currencies ({marks}); have the currency "
            "exported in a column of its own, and name it under columns.currency"
        )
    foreign = [m for m in understood.marks if params.currency not in currency_of(m)]
    if foreign:
        raise DataError(
            f"currency: the amounts are in {foreign[0]} and the report in {params.currency}; set "
            f"currency to {' or '.join(currency_of(foreign[0])[:4])}, or have the currency "
            "exported in a column of its own, and name it under columns.currency"
        )


def no_such_column(field: str, column: str, available: Sequence[str]) -> str:
    """A missing column as a sentence, with the nearest name there is."""
    near = difflib.get_close_matches(column.lower(), [c.lower() for c in available], 1, 0.5)
    match = next((c for c in available if near and c.lower() == near[0]), None)
    hint = f'; did you mean "{match}"?' if match else "."
    shown = ", ".join(f'"{c}"' for c in available[:20])
    return f'columns.{field}: the source has no column "{column}"{hint} It has {shown}.'


def _check_single(looked: Looked) -> None:
    """A single column with signs in its name is a table cut with the wrong sign."""
    if len(looked.names) == 1 and re.search("[,;|\t]", looked.names[0]):
        names = ", ".join(dict.fromkeys(file.name for file in looked.files))
        raise DataError(
            f'source: {names} has a single column, "{looked.names[0]}"; all lines need the same '
            "number of columns; mend them, or name the sign between columns under csv.delimiter"
        )
