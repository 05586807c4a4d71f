"""JSON lines as a table of text: one object a line, or a list of objects.

Numbers are typed in JSON. They are written as text with the decimal sign of the text values beside
them, so that 1234.5 and "1 234,50" in one column are read alike.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Collection, Sequence

import duckdb

from retention_lib.data.encodings import open_bytes, read_blocks
from retention_lib.data.files import NamedFile
from retention_lib.errors import DataError


def names_of(files: Sequence[NamedFile]) -> tuple[str, ...]:
    """The fields of the objects.

    Raises
    ------
    DataError
        No JSON, or no objects.
    """
    for file in files:
        blocks = read_blocks(file)
        if not any(block.strip() for block in blocks):
            raise DataError(f"source: {file.shown} is empty")
    try:
        rows = duckdb.connect().execute(f"DESCRIBE SELECT * FROM {_reader(files)}").fetchall()
    except duckdb.Error as error:
        raise json_error(files, error) from None
    names = tuple(name for name, *_ in rows)
    if names == ("json",):
        raise DataError(
            f"source: {_shown(files)} holds no objects; each line needs one, such as "
            '{"customer": "1001", "date": "2025-12-31", "amount": 12.5}'
        )
    return names


def sample_of(
    files: Sequence[NamedFile], names: Sequence[str], limit: int, only_text: bool
) -> list[tuple[str | None, ...]]:
    """The first rows as text; with `only_text` without the values that are typed."""
    query = select(files, names, only_text=only_text)
    try:
        return duckdb.connect().execute(f"{query} LIMIT {limit}").fetchall()
    except duckdb.Error as error:
        raise json_error(files, error) from None


def select(
    files: Sequence[NamedFile],
    names: Sequence[str],
    *,
    decimal: str = ".",
    amounts: Collection[str] = (),
    only_text: bool = False,
) -> str:
    """The query that reads JSON files as text.

    Parameters
    ----------
    files : sequence of NamedFile
    names : sequence of str
        From `names_of`.
    decimal : str
        Sign of the decimals in the columns `amounts`.
    amounts : collection of str
    only_text : bool
        Leave typed values out.
    """
    fields = ", ".join(
        f"{_text(name, decimal if name in amounts else None, only_text)} AS {_name(name)}"
        for name in names
    )
    columns = ", ".join(f"{_name(name)}: 'JSON'" for name in names)
    return f"SELECT {fields} FROM {_reader(files, f', columns = {{{columns}}}')}"


def json_error(files: Sequence[NamedFile], error: Exception) -> DataError:
    """What the engine says of JSON that it can't read, as a sentence that names no secret."""
    text = str(error)
    file = next((f for f in files if str(f.path) in text), files[0])
    if "utf" in text.lower() and "json" not in text.lower():
        return DataError(f"source: {file.name}: the text isn't UTF-8, as JSON has to be")
    line = _first_bad_line(file)
    place = f"{file.name}, line {line:,}" if line else file.shown
    return DataError(
        f"source: {place} can't be read: it isn't JSON lines; each line needs one object"
    )


def _first_bad_line(file: NamedFile) -> int | None:
    """The number of the first line that is no object; the engine's own count is one off."""
    try:
        with open_bytes(file.path) as stream:
            for number, line in enumerate(stream, start=1):
                if line.lstrip()[:1] == b"[":
                    return None
                try:
                    is_object = not line.strip() or isinstance(json.loads(line), dict)
                except ValueError:
                    is_object = False
                if not is_object:
                    return number
    except (OSError, EOFError):
        pass
    return None


def _reader(files: Sequence[NamedFile], options: str = "") -> str:
    paths = ", ".join(_quoted(glob.escape(str(file.path))) for file in files)
    return f"read_json([{paths}], union_by_name = true, hive_partitioning = false{options})"


def _text(name: str, decimal: str | None, only_text: bool) -> str:
    value = _name(name)
    if only_text:
        return f"CASE WHEN json_type({value}) = 'VARCHAR' THEN {value}->>'$' END"
    number = f"try_cast({value}->>'$' AS DOUBLE)"
    # a whole number that came as 12.0 is 12, as an id has to be
    whole = f"try_cast(try_cast({value}->>'$' AS DECIMAL(38, 0)) AS VARCHAR)"
    rest = f"{value}->>'$'"
    if decimal:
        # four decimals, as money has: never three, which could be thousands
        rest = f"replace(printf('%.4f', {number}), '.', {_quoted(decimal)})"
    return (
        f"CASE WHEN json_type({value}) = 'DOUBLE' THEN "
        f"CASE WHEN {number} = floor({number}) THEN coalesce({whole}, {value}->>'$') "
        f"ELSE {rest} END ELSE {value}->>'$' END"
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _shown(files: Sequence[NamedFile]) -> str:
    return ", ".join(dict.fromkeys(file.name for file in files))
