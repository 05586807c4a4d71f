"""A client's files as one table in the engine, whatever kind they are: of text where not typed.

What the engine doesn't read as it is, text that isn't UTF-8 and workbooks, is written anew to a
temporary folder, which goes when the connection does.
"""

from __future__ import annotations

import glob
import itertools
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import json_lines, parquet_text, workbooks
from retention_lib.data.encodings import write_utf8
from retention_lib.data.files import Kind, NamedFile, kind
from retention_lib.data.layout import Layout, layout_of, plain, spread
from retention_lib.data.local import temporary_folder
from retention_lib.data.parquet_files import check_parquet, schema_of
from retention_lib.data.workbooks import Sheet, cell_text, sheet_of
from retention_lib.keys.parts import CsvFormat, Fields

#: Rows of the sample from which the format is told.
SAMPLE: Final = 5_000


@dataclass(frozen=True)
class Looked:
    """Files, looked at.

    Parameters
    ----------
    files : tuple of NamedFile
        All of one kind.
    kind : str
    layouts : tuple of Layout
        Of text files.
    sheets : tuple of Sheet
        Of workbooks.
    names : tuple of str
        The columns of all files, in the order in which they are met.
    sample : DataFrame
        Rows as text, None where a cell is blank; of Parquet files that were looked at for their
        mapped columns, those of `texts`.
    texts : DataFrame
        The same without the cells that are typed, of which the format is known: all cells of text
        files; of workbooks all rows; of Parquet files no column that is typed in all of them.
    schemas : tuple of pyarrow Schema
        Of Parquet files.
    """

    files: tuple[NamedFile, ...]
    kind: Kind
    layouts: tuple[Layout, ...]
    sheets: tuple[Sheet, ...]
    names: tuple[str, ...]
    sample: pd.DataFrame
    texts: pd.DataFrame
    schemas: tuple[Any, ...] = ()


def required(columns: Fields | None) -> tuple[str, ...]:
    """The columns that every file has to have."""
    return () if columns is None else tuple(columns.of(columns.NEEDED))


def look_at(files: Sequence[NamedFile], csv: CsvFormat, columns: Fields | None) -> Looked:
    """Where the table stands in each file, and a sample of it.

    Raises
    ------
    DataError
        A file that holds no table.
    """
    of_kind = kind(files[0])
    wanted, limit = required(columns), max(20, SAMPLE // len(files))
    layouts: tuple[Layout, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    schemas: tuple[Any, ...] = ()
    of_all: tuple[str, ...] = ()
    if of_kind == "csv":
        layouts = tuple(
            layout_of(
                file, encoding=csv.encoding, delimiter=csv.delimiter, wanted=wanted, limit=limit
            )
            for file in files
        )
        sample = texts = _joined([_frame(part.names, part.rows) for part in layouts])
    elif of_kind == "workbook":
        sheets = tuple(sheet_of(file, wanted) for file in files)
        frames = [_sheet_frames(sheet, limit) for sheet in sheets]
        sample, texts = (_joined([pair[i] for pair in frames]) for i in (0, 1))
    elif of_kind == "parquet":
        schemas = tuple(schema_of(file) for file in files)
        of_all = tuple(dict.fromkeys(name for schema in schemas for name in schema.names))
        sample, texts = _parquet_frames(files, schemas, columns, limit)
    else:
        names = json_lines.names_of(files)
        sample, texts = (
            _frame(names, json_lines.sample_of(files, names, SAMPLE, only_text))
            for only_text in (False, True)
        )
    of_all = of_all or tuple(sample.columns)
    return Looked(tuple(files), of_kind, layouts, sheets, of_all, sample, texts, schemas)


def raw_table(
    con: Any,
    looked: Looked,
    *,
    decimal: str = ".",
    amounts: Collection[str] = (),
    dates: Sequence[str] = (),
    patterns: Sequence[str | None] = (),
    only_text: bool = False,
) -> ir.Table:
    """The files as one table of text, but for what is typed in all of several Parquet files.

    Parameters
    ----------
    con : ibis DuckDB backend
    looked : Looked
    decimal : str
        The sign with which typed numbers in the columns `amounts` are written.
    amounts, dates : sequence of str
        Columns that hold amounts and dates.
    patterns : sequence of str or None
        How typed dates in each of `dates` are written.
    only_text : bool
        Leave typed values out, where they can be.
    """
    if looked.kind == "json":
        query = json_lines.select(
            looked.files, looked.names, decimal=decimal, amounts=amounts, only_text=only_text
        )
        view = "json_text" if only_text else "json_rows"
        con.raw_sql(f"CREATE OR REPLACE TEMP VIEW {view} AS {query}")
        return con.table(view)
    if looked.kind == "parquet":
        return parquet_text.rows_of(
            con,
            looked.files,
            looked.schemas,
            decimal=decimal,
            amounts=amounts,
            dates=dates,
            patterns=patterns,
            only_text=only_text,
        )
    if looked.kind == "workbook":
        staged = temporary_folder(con)
        paths = [staged / f"{number}.csv" for number in range(len(looked.sheets))]
        for sheet, path in zip(looked.sheets, paths, strict=True):
            workbooks.write_csv(sheet, path, dates, decimal, patterns)
        by_header: dict[tuple[str, ...], list[Path]] = defaultdict(list)
        for sheet, path in zip(looked.sheets, paths, strict=True):
            by_header[sheet.names].append(path)
        return _union([_read_csv(con, some, ",", 0, n) for n, some in by_header.items()])
    groups: dict[tuple[str, int, tuple[str, ...]], list[Path]] = defaultdict(list)
    folder = None if all(part.is_utf8 for part in looked.layouts) else temporary_folder(con)
    for number, part in enumerate(looked.layouts):
        path = part.file.path
        if folder and not part.is_utf8:
            path = folder / f"{number}.csv"
            write_utf8(part.file, part.encoding, path)
        groups[part.delimiter, part.header_row, part.names].append(path)
    tables = [_read_csv(con, paths, *group) for group, paths in groups.items()]
    return _union(tables)


def _read_csv(
    con: Any, paths: Sequence[Path], delimiter: str, skip: int, names: Sequence[str]
) -> ir.Table:
    return con.read_csv(
        # a bracket or star in a real file's name would be read as a pattern
        [glob.escape(str(path)) for path in paths],
        delim=delimiter,
        skip=skip,
        # all of it was sniffed already: ids such as #1001 are no comments, a first quote may stand
        # far down, and few rows with a sign too many at their end are rows
        auto_detect=False,
        columns=dict.fromkeys(_unique(names), "VARCHAR"),
        header=True,
        # nor is a folder named a=b a column
        hive_partitioning=False,
        comment="",
        quote='"',
        escape='"',
    )


def _union(tables: Sequence[ir.Table]) -> ir.Table:
    """The rows of all tables, their columns by name."""
    if len(tables) == 1:
        return tables[0]
    names = list(dict.fromkeys(plain(name) for table in tables for name in table.columns))
    same = []
    for table in tables:
        own = {plain(name): table[name] for name in table.columns}
        same.append(
            table.select(**{name: own.get(name, ibis.null().cast("string")) for name in names})
        )
    return ibis.union(*same)


def _sheet_frames(sheet: Sheet, limit: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A sample of a sheet's rows as text, and all its text cells."""
    typed = list(sheet.rows())
    rows = [[cell_text(cell) for cell in row] for row in spread([typed], limit)]
    texts = [[cell if isinstance(cell, str) else "" for cell in row] for row in typed]
    return _frame(sheet.names, rows), _frame(sheet.names, [row for row in texts if any(row)])


def _parquet_frames(
    files: Sequence[NamedFile], schemas: Sequence[Any], columns: Fields | None, limit: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A sample of Parquet files: of all columns, or where they are mapped of those not typed."""
    wanted: list[list[str]]
    if columns is None:
        dates, amounts = [], [name for schema in schemas for name in schema.names]
        # a name that stands twice names no column
        wanted = [[n for n, k in Counter(schema.names).items() if k == 1] for schema in schemas]
    else:
        check_parquet(files, schemas, columns)
        dates, amounts = columns.of(columns.DATES), columns.of(columns.AMOUNTS)
        wanted = [[*parquet_text.untyped(schema, dates, amounts)] for schema in schemas]
    rows = parquet_text.sample_of(files, schemas, wanted, limit)
    sample = _joined([_frame(names, some) for names, some in zip(wanted, rows, strict=True)])
    text = {n for schema in schemas for n in parquet_text.untyped(schema, dates, amounts)}
    return sample, sample[[name for name in sample.columns if name in {*map(plain, text)}]]


def _frame(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pd.DataFrame:
    """Rows as a frame of text; a blank cell is None, a column's name stands once."""
    width, unique = len(names), _unique(names)
    cells = [[cell or None for cell in row[:width]] + [None] * (width - len(row)) for row in rows]
    return pd.DataFrame(cells, columns=pd.Index(unique, dtype=object), dtype=object)


def _unique(names: Sequence[str]) -> list[str]:
    """The names of a header, each once whatever its case; one without has its number."""
    stems = [plain(name) or f"column{number}" for number, name in enumerate(names)]
    taken, unique = {stem.lower() for stem in stems}, list[str]()
    for number, stem in enumerate(stems):
        again = stem.lower() in (before.lower() for before in stems[:number])
        ways = (f"{stem}_{n}" for n in itertools.count(1))
        unique.append(next(w for w in ways if w.lower() not in taken) if again else stem)
        taken.add(unique[-1].lower())
    return unique


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if len(frames) == 1:
        return frames[0]
    frame = pd.concat(frames, ignore_index=True)
    return frame.astype(object).where(frame.notna(), None)
