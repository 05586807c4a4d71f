"""Opening what a client sends, as a table with the canonical columns.

A source is read once, by DuckDB, as text; amounts and dates are made here, so that a value that is
none becomes null and can be counted by cause instead of stopping the run. What a purchase is stands
in `data.purchases`.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.text import amount_from_text, time_from_text
from retention_lib.errors import DataError
from retention_lib.params import Params

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BUILTIN_FILES = {"builtin:cdnow": "CDNOW_master.txt", "builtin:cdnow-sample": "CDNOW_sample.txt"}
_TABULAR = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".pq": "parquet"}


@dataclass(frozen=True)
class Source:
    """An opened source.

    Parameters
    ----------
    table : ibis Table
        Canonical columns `customer`, `time`, `amount` and the mapped optional ones; unusable values
        are null.
    mapped : tuple of str
        The fields that the client maps, in the order of the contract.
    names : tuple of str
        What was read, for people: file names without their folders.
    files : tuple of Path
        The files behind it, empty for a builtin.
    """

    table: ir.Table
    mapped: tuple[str, ...]
    names: tuple[str, ...]
    files: tuple[Path, ...] = ()


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
        No file, a kind that isn't read, a mapped column or a variable that isn't there.
    """
    if isinstance(params.source, str) and params.source.startswith("builtin:"):
        return _open_builtin(params.source)
    files = resolve_files(params.source, folder)
    raw = _read_files(con, files, params)
    return Source(_canonical(raw, params), _mapped(params), tuple(f.name for f in files), files)


def connect(timezone: str = "UTC") -> Any:
    """An embedded DuckDB whose session takes a time without zone as local in `timezone`."""
    con = ibis.duckdb.connect()
    con.raw_sql(f"SET TimeZone = '{timezone}'")
    return con


def fill_variables(text: str) -> str:
    """`${NAME}` filled from the environment.

    Raises
    ------
    DataError
        A name that the environment doesn't have.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise DataError(
                f"source: ${{{name}}} isn't set in the environment; set it before the run, "
                f"for instance with: export {name}=…"
            )
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def resolve_files(source: str | Sequence[str], folder: Path) -> tuple[Path, ...]:
    """The files that `source` names, in a stable order.

    Raises
    ------
    DataError
        A path or pattern that matches no file, a folder, a kind of file that isn't read.
    """
    entries = [source] if isinstance(source, str) else list(source)
    files: list[Path] = []
    for entry in entries:
        text = fill_variables(entry)
        if "://" in text:
            raise DataError(
                "source: databases and remote addresses aren't read yet; "
                "export the orders to CSV or Parquet and name that file"
            )
        path = Path(text).expanduser()
        path = path if path.is_absolute() else folder / path
        found = [Path(p) for p in sorted(glob.glob(str(path), recursive=True))] or [path]  # noqa: PTH207
        files.extend(dict.fromkeys(found))
    for file in files:
        _check_file(file)
    kinds = {_kind(file) for file in files}
    if len(kinds) > 1:
        raise DataError(
            f"source: the files are of different kinds ({', '.join(f.name for f in files)}); "
            "name files of one kind"
        )
    return tuple(files)


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise DataError(
            f"source: {file} is a folder; name a file, or a pattern such as {file}/*.csv"
        )
    if not file.exists():
        near = (
            difflib.get_close_matches(file.name, [p.name for p in file.parent.glob("*")], 1)
            if file.parent.is_dir()
            else []
        )
        hint = f"; did you mean {near[0]}?" if near else "; paths are relative to the client file"
        raise DataError(f"source: there is no file {file}{hint}")
    if not os.access(file, os.R_OK):
        raise DataError(f"source: {file} can't be read; its permissions don't allow it")
    if file.stat().st_size == 0:
        raise DataError(f"source: {file} is empty")
    _kind(file)


def _kind(file: Path) -> str:
    suffixes = [s.lower() for s in file.suffixes]
    last = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else suffixes[-1:]
    kind = _TABULAR.get(last if isinstance(last, str) else "".join(last))
    if kind is None:
        raise DataError(
            f"source: {file.name} isn't a kind of file that is read; "
            "CSV (.csv, .tsv, .txt, also with .gz) and Parquet (.parquet) are"
        )
    return kind


def _read_files(con: Any, files: tuple[Path, ...], params: Params) -> ir.Table:
    # a bracket or star in a real file's name would be read as a pattern
    names = [glob.escape(str(f)) for f in files]
    try:
        if _kind(files[0]) == "parquet":
            return con.read_parquet(names, union_by_name=True)
        options: dict[str, Any] = {"all_varchar": True, "union_by_name": True, "header": True}
        if params.csv.delimiter:
            options["delim"] = params.csv.delimiter
        if params.csv.encoding:
            options["encoding"] = params.csv.encoding.lower()
        return con.read_csv(names, **options)
    except Exception as error:
        names_read = ", ".join(f.name for f in files)
        raise DataError(f"source: {names_read} can't be read: {_first_sentence(error)}") from error


def _first_sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _mapped(params: Params) -> tuple[str, ...]:
    assert params.columns is not None  # the client file's check saw to it
    return tuple(k for k, v in params.columns.model_dump().items() if v is not None)


def _canonical(raw: ir.Table, params: Params) -> ir.Table:
    """Rename and read the mapped columns of a raw table."""
    assert params.columns is not None
    mapping = {k: v for k, v in params.columns.model_dump().items() if v is not None}
    missing = [(k, v) for k, v in mapping.items() if v not in raw.columns]
    if missing:
        raise DataError(*[_no_such_column(k, v, raw.columns) for k, v in missing])

    def amount(field: str) -> ir.DecimalValue:
        return amount_from_text(raw[mapping[field]], params.csv.decimal, params.csv.thousands)

    if "amount" in mapping:
        money = amount("amount")
    else:
        money = (amount("quantity") * amount("unit_price")).round(4).cast(schema.MONEY)
    columns: dict[str, ir.Value] = {
        schema.CUSTOMER: raw[mapping["customer"]].cast("string").strip(),
        schema.TIME: time_from_text(raw[mapping["date"]], params.csv.date_format, params.timezone),
        schema.AMOUNT: money,
    }
    for field in schema.OPTIONAL:
        if field not in mapping:
            continue
        column = raw[mapping[field]]
        if field == "birthday":
            columns[field] = time_from_text(column, params.csv.date_format, params.timezone).date()
        else:
            columns[field] = column.cast("string").strip().nullif("")
    return raw.select(**columns)


def _no_such_column(field: str, column: str, available: Sequence[str]) -> str:
    near = difflib.get_close_matches(column.lower(), [c.lower() for c in available], 1, 0.5)
    match = next((c for c in available if near and c.lower() == near[0]), None)
    hint = f'; did you mean "{match}"?' if match else ""
    shown = ", ".join(f'"{c}"' for c in available[:20])
    return f'columns.{field}: the source has no column "{column}"{hint} It has {shown}.'.replace(
        f'column "{column}" It', f'column "{column}". It'
    )


def _open_builtin(name: str) -> Source:
    if name not in _BUILTIN_FILES:
        raise DataError(
            f"source: {name} can't be opened here; "
            f"the built-in sources are {', '.join(_BUILTIN_FILES)}"
        )
    file = _BUILTIN_FILES[name]
    sample = name.endswith("sample")
    with resources.as_file(resources.files("lifetimes.datasets") / file) as path:
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
