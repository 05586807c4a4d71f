"""JSON lines as a table of text: one object a line, or a list of objects.

Numbers are typed in JSON. They are written as text with the decimal sign of the text values beside
them, so that 1234.5 and "1 234,50" in one column are read alike.
"""

from __future__ import annotations

import codecs
import glob
import json
import zlib
from collections.abc import Collection, Sequence
from typing import Any, Final

import duckdb

from retention_lib.data.encodings import open_bytes, read_blocks
from retention_lib.data.files import NamedFile, empty
from retention_lib.data.no_text import check_kind
from retention_lib.data.western import is_utf8
from retention_lib.errors import DataError

#: Of a list of objects, this much is parsed to say what is wrong with it.
_LARGEST: Final = 64 << 20


def names_of(files: Sequence[NamedFile]) -> tuple[str, ...]:
    """The fields of the objects.

    Raises
    ------
    DataError
        No JSON, or no objects.
    """
    for file in files:
        _check_text(file, read_blocks(file))
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
        return _not_utf8(file)
    line, wrong = _first_wrong_line(file)
    place = f"{file.name}, line {line:,}" if line else file.name
    return DataError(f"source: {place} can't be read: {wrong}")


def _check_text(file: NamedFile, blocks: list[bytes]) -> None:
    """The file holds text in UTF-8, and objects in it."""
    text = blocks[0].removeprefix(codecs.BOM_UTF8).strip()
    if len(blocks) == 1 and text in (b"", b"[]"):
        raise empty(file)
    check_kind(file, blocks[0], is_json=True)
    if not is_utf8(blocks) or b"\0" in blocks[0]:
        raise _not_utf8(file)


def _not_utf8(file: NamedFile) -> DataError:
    return DataError(
        f"source: {file.name}: the text isn't UTF-8, as JSON has to be; have it exported in UTF-8"
    )


_NO_LINES: Final = "it isn't JSON lines; each line needs one object"


def _first_wrong_line(file: NamedFile) -> tuple[int | None, str]:
    """The first line that is no object and why; the engine's own count is one off."""
    try:
        with open_bytes(file.path) as stream:
            for number, line in enumerate(stream, start=1):
                text = line.removeprefix(codecs.BOM_UTF8).strip()
                if text[:1] == b"[":
                    return None, _what_is_wrong(text + stream.read(_LARGEST))
                if not text:
                    continue
                try:
                    found = json.loads(text, object_pairs_hook=_Pairs)
                except ValueError:
                    return number, _NO_LINES
                if not isinstance(found, _Pairs):
                    return number, _NO_LINES
                if twice := found.twice:
                    return number, f'an object has the key "{twice}" twice; keep one of the two'
    except (OSError, EOFError, zlib.error):
        pass
    return None, _NO_LINES


class _Pairs(list[tuple[str, Any]]):
    """An object as its keys and values, in which a key can stand twice."""

    @property
    def twice(self) -> str | None:
        keys = [key for key, _ in self]
        return next((key for key in keys if keys.count(key) > 1), None)


def _what_is_wrong(text: bytes) -> str:
    """Why a list of objects can't be read."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(error.doc.rstrip()) - 1 or "Unterminated" in error.msg:
            return "its list of objects isn't whole; fetch it again"
        return f"its list of objects is broken in line {error.lineno:,}; export it again"
    except ValueError:
        pass
    return "it is no list of objects; export it again"


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
