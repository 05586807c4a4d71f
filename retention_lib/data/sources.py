"""Opening what a client sends, as a table with the canonical columns.

A source is read once, by DuckDB, as text; amounts and dates are made here, so that a value that is
none becomes null and can be counted by cause instead of stopping the run. What a purchase is stands
in `data.purchases`.
"""

from __future__ import annotations

import codecs
import difflib
import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.files import NamedFile, kind, named_files
from retention_lib.data.files import fill_variables as fill_variables
from retention_lib.data.files import resolve_files as resolve_files
from retention_lib.data.text import amount_from_text, money_product, text_of_id, time_from_text
from retention_lib.errors import DataError
from retention_lib.params import Params

_BUILTIN_FILES = {"builtin:cdnow": "CDNOW_master.txt", "builtin:cdnow-sample": "CDNOW_sample.txt"}

#: What DuckDB calls the encodings that it reads, by Python's names for them.
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "ascii": "utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16",
    "iso8859-1": "latin-1",
}


@dataclass(frozen=True)
class Source:
    """An opened source.

    Parameters
    ----------
    table : ibis Table
        Canonical columns `customer`, `time`, `amount` and the mapped optional ones, `quantity` and
        `unit_price` where the amount is their product; unusable values are null.
    mapped : tuple of str
        The fields that the client maps, in the order of the contract.
    names : tuple of str
        What was read, for people: file names without their folders.
    files : tuple of Path
        The files behind it, empty for a builtin.
    named : tuple of NamedFile
        The same files, as they may be spoken of.
    """

    table: ir.Table
    mapped: tuple[str, ...]
    names: tuple[str, ...]
    files: tuple[Path, ...] = ()
    named: tuple[NamedFile, ...] = ()


def open_source(con: Any, params: Params, folder: Path) -> Source:
    """Open the client's source on a DuckDB connection.

    Parameters
    ----------
    con : ibis DuckDB backend
        Its session time zone is the client's (`connect`).
    params : Params
    folder : Path
        Where relative paths start: the client file's folder.

    Raises
    ------
    DataError
        No file, a kind that isn't read, a mapped column or a variable that isn't there, a date
        format that is none.
    """
    if isinstance(params.source, str) and params.source.startswith("builtin:"):
        return _open_builtin(params.source)
    files = named_files(params.source, folder)
    _check_date_format(con, params.csv.date_format)
    raw = _read_files(con, files, params)
    return Source(
        table=_canonical(raw, params, files),
        mapped=_mapped(params),
        names=tuple(dict.fromkeys(file.name for file in files)),
        files=tuple(file.path for file in files),
        named=files,
    )


def connect(timezone: str = "UTC") -> Any:
    """An embedded DuckDB whose session takes a time without zone as local in `timezone`."""
    con = ibis.duckdb.connect()
    # the client file's check knows the names; a quote ends no text here all the same
    con.raw_sql("SET TimeZone = '{}'".format(timezone.replace("'", "''")))
    return con


def unreadable(files: Sequence[NamedFile], error: Exception) -> DataError:
    """What the engine says of files that it can't read, as a sentence that names no secret.

    Parameters
    ----------
    files : sequence of NamedFile
    error : Exception
        The engine's, on opening or on reading: a bad line may stand far down.
    """
    names = ", ".join(dict.fromkeys(file.name for file in files))
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    place = f"{names}, line {int(line.group(1)):,}" if line else names
    if "unicode" in text or "utf-8 encoded" in text:
        return DataError(
            f"source: {place}: the text isn't UTF-8; "
            "name its encoding under csv.encoding, such as latin-1"
        )
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if columns:
        return DataError(
            f"source: {place}: found {columns.group(2)} columns where the others have "
            f"{columns.group(1)}; mend the line, or name the sign between columns under "
            "csv.delimiter"
        )
    if "sniffing file" in text:
        return DataError(
            f"source: {place} can't be read as a table; all lines need the same number of columns; "
            "name the sign between them under csv.delimiter"
        )
    said = next((part.strip() for part in text.splitlines() if part.strip()), type(error).__name__)
    for file in files:
        said = said.replace(str(file.path), file.shown)
    return DataError(f"source: {place} can't be read: {said.rstrip('.')}")


def _read_files(con: Any, files: tuple[NamedFile, ...], params: Params) -> ir.Table:
    # a bracket or star in a real file's name would be read as a pattern, and a folder named a=b as
    # a column
    names = [glob.escape(str(file.path)) for file in files]
    try:
        if kind(files[0]) == "parquet":
            return con.read_parquet(names, union_by_name=True, hive_partitioning=False)
        return con.read_csv(names, **_csv_options(params))
    except (duckdb.Error, OSError) as error:
        raise unreadable(files, error) from None


def _csv_options(params: Params) -> dict[str, Any]:
    options: dict[str, Any] = {
        "all_varchar": True,
        "union_by_name": True,
        "header": True,
        "hive_partitioning": False,
        # not sniffed: ids such as #1001 are no comments, and a first quote may stand far down
        "comment": "",
        "quote": '"',
        "escape": '"',
    }
    if params.csv.delimiter:
        options["delim"] = params.csv.delimiter
    if params.csv.encoding:
        encoding = _ENCODINGS.get(codecs.lookup(params.csv.encoding).name)
        if encoding is None:
            raise DataError(
                f"csv.encoding: {params.csv.encoding} isn't read yet; utf-8, utf-16 and latin-1 "
                "are; save the file in one of them"
            )
        options["encoding"] = encoding
    return options


def _check_date_format(con: Any, pattern: str | None) -> None:
    if pattern is None:
        return
    try:
        con.con.execute("SELECT try_strptime('', ?)", [pattern])
    except duckdb.Error:
        raise DataError(
            f"csv.date_format: {pattern} isn't a pattern that can be read; "
            'write it as in "%d.%m.%Y %H:%M"'
        ) from None


def _mapped(params: Params) -> tuple[str, ...]:
    assert params.columns is not None  # the client file's check saw to it
    return tuple(k for k, v in params.columns.model_dump().items() if v is not None)


def _canonical(raw: ir.Table, params: Params, files: Sequence[NamedFile]) -> ir.Table:
    """Rename and read the mapped columns of a raw table."""
    assert params.columns is not None
    mapping = {k: v for k, v in params.columns.model_dump().items() if v is not None}
    missing = [(k, v) for k, v in mapping.items() if v not in raw.columns]
    if missing and len(raw.columns) == 1 and re.search("[,;|\t]", raw.columns[0]):
        names = ", ".join(dict.fromkeys(file.name for file in files))
        raise DataError(
            f'source: {names} has a single column, "{raw.columns[0]}"; all lines need the same '
            "number of columns; mend them, or name the sign between columns under csv.delimiter"
        )
    if missing:
        raise DataError(*[_no_such_column(k, v, raw.columns) for k, v in missing])

    def amount(field: str) -> ir.DecimalValue:
        return amount_from_text(raw[mapping[field]], params.csv.decimal, params.csv.thousands)

    columns: dict[str, ir.Value] = {
        schema.CUSTOMER: text_of_id(raw[mapping["customer"]]),
        schema.TIME: time_from_text(raw[mapping["date"]], params.csv.date_format, params.timezone),
    }
    if "amount" in mapping:
        columns[schema.AMOUNT] = amount("amount")
    else:
        # kept beside their product: 2 × 5 is no duplicate of 1 × 10
        quantity, price = amount("quantity"), amount("unit_price")
        columns |= {"quantity": quantity, "unit_price": price}
        columns[schema.AMOUNT] = money_product(quantity, price)
    for field in schema.OPTIONAL:
        if field not in mapping:
            continue
        column = raw[mapping[field]]
        if field == "birthday":
            columns[field] = time_from_text(column, params.csv.date_format, params.timezone).date()
        else:
            columns[field] = text_of_id(column).nullif("")
    return raw.select(**columns)


def _no_such_column(field: str, column: str, available: Sequence[str]) -> str:
    near = difflib.get_close_matches(column.lower(), [c.lower() for c in available], 1, 0.5)
    match = next((c for c in available if near and c.lower() == near[0]), None)
    hint = f'; did you mean "{match}"?' if match else "."
    shown = ", ".join(f'"{c}"' for c in available[:20])
    return f'columns.{field}: the source has no column "{column}"{hint} It has {shown}.'


def _open_builtin(name: str) -> Source:
    if name not in _BUILTIN_FILES:
        raise DataError(
            f"source: {name} can't be opened here; "
            f"the built-in sources are {', '.join(_BUILTIN_FILES)}"
        )
    file = _BUILTIN_FILES[name]
    sample = name.endswith("sample")
    with resources.as_file(resources.files("lifetimes") / "datasets" / file) as path:
        log = pd.read_csv(
            path,
            sep=r"\s+",
            header=None if sample else 0,
            names=(["master", "customer"] if sample else ["customer"])
            + ["date", "quantity", "amount"],
            dtype=str,
        )
    table = ibis.memtable(log[["customer", "date", "amount"]])
    canonical = table.select(
        customer=table.customer,
        time=table.date.as_timestamp("%Y%m%d"),
        amount=table.amount.cast(schema.MONEY),
    )
    return Source(canonical, ("customer", "date", "amount"), (file,))
