"""Opening what a client sends, as a table with the canonical columns.

A source is read once, by DuckDB, as text; amounts and dates are made here, so that a value that is
none becomes null and can be counted by cause instead of stopping the run. What a purchase is stands
in `data.purchases`.
"""

from __future__ import annotations

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
from retention_lib.data.day_formats import EXCEL
from retention_lib.data.files import NamedFile, kind, named_files
from retention_lib.data.files import fill_variables as fill_variables
from retention_lib.data.files import resolve_files as resolve_files
from retention_lib.data.json_lines import json_error
from retention_lib.data.layout import plain
from retention_lib.data.matching import check_columns, check_marks, mapping_of, no_such_column
from retention_lib.data.raw import look_at
from retention_lib.data.text import amount_from_text, money_product, text_of_id, time_from_text
from retention_lib.data.understood import Understood, understood_table
from retention_lib.errors import DataError
from retention_lib.keys.parts import CsvFormat
from retention_lib.params import Params

_BUILTIN_FILES = {"builtin:cdnow": "CDNOW_master.txt", "builtin:cdnow-sample": "CDNOW_sample.txt"}


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
    understood : Understood or None
        How their text is read.
    """

    table: ir.Table
    mapped: tuple[str, ...]
    names: tuple[str, ...]
    files: tuple[Path, ...] = ()
    named: tuple[NamedFile, ...] = ()
    understood: Understood | None = None


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
    raw, understood = _read_files(con, files, params)
    return Source(
        table=_canonical(raw, params, understood),
        mapped=_mapped(params),
        names=tuple(dict.fromkeys(file.name for file in files)),
        files=tuple(file.path for file in files),
        named=files,
        # of typed columns there was nothing to understand
        understood=None if kind(files[0]) == "parquet" else understood,
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
    if kind(files[0]) == "json":
        return json_error(files, error)
    text = str(error)
    at_fault = [file for file in files if str(file.path) in text]
    if len(files) > 1 and len(at_fault) == 1:
        files = at_fault
    names = ", ".join(dict.fromkeys(file.name for file in files))
    line = re.search(r"CSV Error on Line: (\d+)", text)
    place = f"{names}, line {int(line.group(1)):,}" if line else names
    if "unicode" in text or "utf-8 encoded" in text:
        return DataError(
            f"source: {place}: the text isn't UTF-8; "
            "name its encoding under csv.encoding, such as windows-1252"
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


def _read_files(
    con: Any, files: tuple[NamedFile, ...], params: Params
) -> tuple[ir.Table, Understood]:
    assert params.columns is not None  # the client file's check saw to it
    if kind(files[0]) == "parquet":
        names = [glob.escape(str(file.path)) for file in files]
        try:
            raw = con.read_parquet(names, union_by_name=True, hive_partitioning=False)
        except (duckdb.Error, OSError) as error:
            raise unreadable(files, error) from None
        return raw, _as_the_file_says(params.csv, raw.columns)
    looked = look_at(files, params.csv, params.columns)
    check_columns(looked, params.columns)
    try:
        understood, raw = understood_table(con, looked, params.csv, params.columns)
    except (duckdb.Error, OSError) as error:
        raise unreadable(files, error) from None
    check_marks(understood, params)
    return raw, understood


def _as_the_file_says(csv: CsvFormat, columns: Sequence[str]) -> Understood:
    """Of typed columns nothing needs to be told from their content."""
    return Understood(
        encoding="utf-8",
        delimiter=None,
        decimal=csv.decimal,
        thousands=csv.thousands,
        date_format=csv.date_format,
        header_row=0,
        columns=tuple(columns),
        birthday_format=csv.date_format,
    )


def _check_date_format(con: Any, pattern: str | None) -> None:
    if pattern in (None, EXCEL):
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


def _canonical(raw: ir.Table, params: Params, understood: Understood) -> ir.Table:
    """Rename and read the mapped columns of a raw table."""
    assert params.columns is not None
    mapping = mapping_of(params.columns)
    by_name = {plain(name): name for name in reversed(raw.columns)}
    missing = [(k, v) for k, v in mapping.items() if plain(v) not in by_name]
    if missing:
        raise DataError(*[no_such_column(k, v, raw.columns) for k, v in missing])

    def column(field: str) -> ir.Value:
        name = mapping[field]
        return raw[name if name in raw.columns else by_name[plain(name)]]

    def amount(field: str) -> ir.DecimalValue:
        return amount_from_text(
            column(field), understood.decimal, understood.thousands, understood.marks
        )

    columns: dict[str, ir.Value] = {
        schema.CUSTOMER: text_of_id(column("customer")),
        schema.TIME: time_from_text(column("date"), understood.date_format, params.timezone),
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
        if field == "birthday":
            pattern = understood.birthday_format
            day = time_from_text(column(field), pattern, params.timezone).date()
            if pattern and "%y" in pattern:
                # nobody buys before being born: 45 is 1945
                earlier = (day - ibis.interval(years=100)).cast("date")
                day = ibis.cases((day > columns[schema.TIME].date(), earlier), else_=day)
            columns[field] = day
        else:
            columns[field] = text_of_id(column(field)).nullif("")
    return raw.select(**columns)


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
