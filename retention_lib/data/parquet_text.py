"""Text in Parquet files where amounts and days are meant: a sample of it, and the rows with it.

A typed column needs no telling, and none of its rows is looked at. What isn't typed is text, or
digits that are a day, such as 20240131. Where one file has a column typed and another has it as
text, the typed values are written like the text beside them.
"""

from __future__ import annotations

import glob
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import duckdb
import ibis.expr.types as ir

from retention_lib.data.day_formats import EPOCH, EXCEL, EXCEL_EPOCH, UNIX_EPOCH, has_time
from retention_lib.data.files import NamedFile
from retention_lib.data.layout import plain
from retention_lib.data.local import quoted
from retention_lib.data.unreadable import unreadable

if TYPE_CHECKING:
    import pyarrow as pa

#: Cells that are read, at most, to come to the rows that are looked at.
_SKIPPED: Final = 3_000_000
_SECONDS_A_DAY: Final = 86_400

Way = Literal["typed", "nothing", "text", "digits", "bytes"]


def untyped(schema: pa.Schema, dates: Collection[str], amounts: Collection[str]) -> dict[str, Way]:
    """The columns of dates and amounts of which the types don't say what they are.

    Parameters
    ----------
    schema : pyarrow Schema
        Of one file.
    dates, amounts : collection of str
        Columns that hold them.
    """
    ways = _ways(schema, dates, amounts)
    return {name: way for name, way in ways.items() if way not in ("typed", "nothing")}


def sample_of(
    files: Sequence[NamedFile],
    schemas: Sequence[pa.Schema],
    names: Sequence[Collection[str]],
    limit: int,
) -> list[list[tuple[str | None, ...]]]:
    """Rows of each file's columns `names` as text, of its beginning, middle and end.

    Parameters
    ----------
    files, schemas, names : sequence
        One for each file; of a file without names nothing is read.
    limit : int
        Rows of a file.

    Raises
    ------
    DataError
        A file that is damaged.
    """
    # imported here: most clients send text
    import pyarrow as pa

    rows: list[list[tuple[str | None, ...]]] = [[] for _ in files]
    if not any(names):
        return rows
    con = duckdb.connect()
    for found, file, schema, some in zip(rows, files, schemas, names, strict=True):
        if not some:
            continue
        kinds = {field.name: _kind(field.type) for field in schema}
        cells = ", ".join(_shown(_name(name), kinds[name]) for name in some)
        most = _SKIPPED // len(files) // len(some)
        try:
            table = con.from_arrow(_looked_at(file, some, limit, most))
            found += table.project(cells).fetchall()
        except (OSError, pa.ArrowException, duckdb.Error) as error:
            raise unreadable([file], error) from None
    return rows


def rows_of(
    con: Any,
    files: Sequence[NamedFile],
    schemas: Sequence[pa.Schema],
    *,
    decimal: str = ".",
    amounts: Collection[str] = (),
    dates: Sequence[str] = (),
    patterns: Sequence[str | None] = (),
    only_text: bool = False,
) -> ir.Table:
    """The files as one table, typed where all files are and text where one is.

    Parameters
    ----------
    con : ibis DuckDB backend
    files, schemas : sequence
    decimal : str
        The sign with which typed numbers in a column of text are written.
    amounts, dates : collection of str
        Columns that hold amounts and dates.
    patterns : sequence of str or None
        How typed days in a column of text are written, in each of `dates`.
    only_text : bool
        Leave typed values out of columns of text.
    """
    found = [_ways(schema, dates, amounts) for schema in schemas]
    together: dict[str, set[Way]] = defaultdict(set)
    for ways in found:
        for name, way in ways.items():
            together[plain(name)].add(way)
    # the engine takes text and nothing together by itself, and all that is typed
    as_they_are = ({"typed", "nothing"}, {"text", "nothing"})
    mixed = {name for name, ways in together.items() if not any(ways <= s for s in as_they_are)}
    if not mixed:
        paths = [glob.escape(str(file.path)) for file in files]
        return con.read_parquet(paths, union_by_name=True, hive_partitioning=False)
    by_date = dict(zip(map(plain, dates), patterns, strict=False))
    groups: dict[tuple[str, ...], list[NamedFile]] = defaultdict(list)
    for file, schema, ways in zip(files, schemas, found, strict=True):
        as_text = []
        kinds = {field.name: _kind(field.type) for field in schema}
        for name, way in ways.items():
            if plain(name) not in mixed or way == "text":
                continue
            cell, kind = _name(name), kinds[name]
            if way in ("digits", "bytes"):
                cell = _shown(cell, kind)
            elif way == "nothing" or only_text:
                cell = "CAST(NULL AS VARCHAR)"
            elif plain(name) in by_date:
                cell = _day(cell, kind, by_date[plain(name)])
            else:  # money's four decimals: never three, which could be thousands
                cell = f"CAST(TRY_CAST({cell} AS DECIMAL(38, 4)) AS VARCHAR)"
                cell = f"replace({cell}, '.', {quoted(decimal)})"
            as_text.append(f"{cell} AS {_name(name)}")
        groups[tuple(as_text)].append(file)
    query = " UNION ALL BY NAME ".join(_select(some, cells) for cells, some in groups.items())
    view = "parquet_text" if only_text else "parquet_rows"
    con.raw_sql(f"CREATE OR REPLACE TEMP VIEW {view} AS {query}")
    return con.table(view)


def _ways(schema: pa.Schema, dates: Collection[str], amounts: Collection[str]) -> dict[str, Way]:
    """What the columns of dates and amounts are in a file."""
    days, all_of = {plain(name) for name in dates}, {plain(name) for name in (*dates, *amounts)}
    return {
        field.name: _way(_kind(field.type), plain(field.name) in days)
        for field in schema
        if plain(field.name) in all_of
    }


def _kind(kind: pa.DataType) -> pa.DataType:
    """The type of the cells, whether or not each distinct one is kept once."""
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) else kind


def _way(kind: pa.DataType, is_date: bool) -> Way:
    from pyarrow import types

    if types.is_null(kind):
        return "nothing"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return "bytes"
    is_number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return "digits" if is_date and is_number else "typed"


def _shown(cell: str, kind: pa.DataType) -> str:
    """A cell as text in SQL, as other kinds of files would have it."""
    from pyarrow import types

    text = f"CAST({cell} AS VARCHAR)"
    if types.is_floating(kind) or types.is_decimal(kind):
        # a whole number beside a missing one comes as 20240131.0
        whole = f"coalesce(CAST(TRY_CAST({cell} AS BIGINT) AS VARCHAR), {text})"
        return f"CASE WHEN {cell} = floor({cell}) THEN {whole} ELSE {text} END"
    if _way(kind, False) == "bytes":  # text of programs that don't say that it is
        return f"TRY(decode(CAST({cell} AS BLOB)))"
    return text


def _day(cell: str, kind: pa.DataType, pattern: str | None) -> str:
    """A typed day or time as text in the pattern of the text beside it."""
    zoned = getattr(kind, "tz", None) is not None
    time = f"CAST({f'CAST({cell} AS TIMESTAMPTZ)' if zoned else cell} AS TIMESTAMP)"
    if pattern is None:
        return f"CAST({time} AS VARCHAR)"
    if pattern == EXCEL:
        days = (UNIX_EPOCH - EXCEL_EPOCH).days
        return f"CAST(epoch({time}) / {_SECONDS_A_DAY}.0 + {days} AS VARCHAR)"
    if pattern == EPOCH:
        return f"CAST(epoch(CAST({time} AS TIMESTAMPTZ)) AS VARCHAR)"
    pattern += "" if has_time(pattern) else " %H:%M:%S"
    return f"strftime({time}, {quoted(pattern)})"


def _select(files: Sequence[NamedFile], cells: Sequence[str]) -> str:
    paths = ", ".join(quoted(glob.escape(str(file.path))) for file in files)
    replaced = f" REPLACE ({', '.join(cells)})" if cells else ""
    return (
        f"SELECT *{replaced} FROM "
        f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _looked_at(file: NamedFile, names: Collection[str], limit: int, most: int) -> pa.Table:
    """Rows of a file's beginning, middle and end."""
    import pyarrow as pa
    from pyarrow import parquet

    # unbuffered: of a row group of a gigabyte some pages are wanted
    with parquet.ParquetFile(file.path, pre_buffer=False, buffer_size=1 << 16) as opened:
        total, third = opened.metadata.num_rows, max(1, limit // 3)
        spans = [(0, third), ((total - third) // 2, third), (total - third, third)]
        if total <= limit:
            spans = [(0, total)]
        fields = [field for field in opened.schema_arrow if field.name in names]
        read = [field.name for field in fields]
        pieces = [batch for start, n in spans for batch in _span(opened, read, start, n, most)]
        return pa.Table.from_batches(pieces, pa.schema(fields))


def _span(
    opened: Any, names: list[str], start: int, count: int, most: int
) -> Iterator[pa.RecordBatch]:
    """Rows from `start` on, or from where they can be come to within `most` rows."""
    groups, before = opened.metadata.num_row_groups, 0
    group = 0
    while group < groups - 1 and before + opened.metadata.row_group(group).num_rows <= start:
        before += opened.metadata.row_group(group).num_rows
        group += 1
    skip = min(start - before, most)
    for batch in opened.iter_batches(
        max(count, 1 << 13), row_groups=[*range(group, groups)], columns=names
    ):
        piece = batch.slice(skip, count)
        skip = max(0, skip - batch.num_rows)
        count -= piece.num_rows
        yield piece
        if count <= 0:
            return
