"""Whether Parquet files are whole, and have what the client file maps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from retention_lib.data.files import NamedFile
from retention_lib.data.layout import plain
from retention_lib.data.no_text import what_it_is
from retention_lib.errors import DataError
from retention_lib.keys.parts import Fields

if TYPE_CHECKING:
    import pyarrow as pa

_MARK: Final = b"PAR1"
_AGAIN: Final = "fetch or export it again"


def check_parquet(
    files: Sequence[NamedFile], schemas: Sequence[pa.Schema], columns: Fields
) -> None:
    """The files have the columns that are needed, and none holds what it can't.

    A column that no file has is left to the check of the whole table, which knows all names.

    Raises
    ------
    DataError
        One sentence for each that isn't so.
    """
    mapped = {k: v for k, v in columns.model_dump().items() if v is not None}
    needed = {k: v for k, v in mapped.items() if k in columns.NEEDED}
    own = [{plain(field.name): field.type for field in schema} for schema in schemas]
    known = {name for names in own for name in names}
    errors = []
    for file, schema, names in zip(files, schemas, own, strict=True):
        errors += [
            f'columns.{key}: {file.name} has no column "{name}", which other files of the source '
            "have; all files need the same names for what is mapped"
            for key, name in needed.items()
            if plain(name) in known and plain(name) not in names
        ]
        errors += [
            f'columns.{key}: in {file.name} "{name}" holds {wrong}; have it exported as {right}'
            for key, name in mapped.items()
            if plain(name) in names
            for wrong, right in [_wrong(key, names[plain(name)], columns)]
            if wrong
        ]
        times = Counter(plain(name) for name in schema.names)
        errors += [
            f'columns.{key}: {file.name} has {times[plain(name)]} columns named "{name}"; give '
            "each a name of its own"
            for key, name in mapped.items()
            if times[plain(name)] > 1
        ]
    if errors:
        raise DataError(*dict.fromkeys(errors))


def _wrong(field: str, kind: Any, columns: Fields) -> tuple[str, str]:
    """What a column holds where that can't be the field, and what it should hold."""
    from pyarrow import types

    is_number, is_day = field in columns.AMOUNTS, field in columns.DATES
    right = "numbers" if is_number else "days" if is_day else "text"
    if types.is_nested(kind):
        return "lists or parts in each cell", f"single cells of {right}"
    if right != "text" and types.is_boolean(kind):
        return "true and false", right
    if right == "days" and (types.is_time(kind) or types.is_duration(kind)):
        return "times without a day", right
    if right == "numbers" and (types.is_temporal(kind)):
        return "days or times", right
    return "", right


def schema_of(file: NamedFile) -> pa.Schema:
    """The columns of a Parquet file and their types.

    Raises
    ------
    DataError
        It is no whole Parquet file.
    """
    # imported here: most clients send text
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with file.path.open("rb") as stream:
            head = stream.read(4096)
            stream.seek(-4, 2)
            tail = stream.read()
        if b"PARE" in (head[:4], tail):
            raise DataError(
                f"source: {file.name} can't be read: it is encrypted; have it exported without"
            )
        if not head.startswith(_MARK):
            raise DataError(
                f"source: {file.name} can't be read: it isn't a Parquet file but "
                f"{what_it_is(head) or 'something else'}; name it by what it is"
            )
        if tail != _MARK:
            raise DataError(
                f"source: {file.name} can't be read: it is a Parquet file that isn't whole; "
                f"{_AGAIN}"
            )
        return parquet.read_schema(file.path)
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or "its description of itself is damaged"
        raise DataError(f"source: {file.name} can't be read: {reason.lower()}; {_AGAIN}") from None
