"""Opening what a client sends, as a table with the canonical columns.

Text is read by DuckDB, as text; amounts and dates are made of it, so that a value that is none
becomes null and can be counted by cause instead of stopping the run. What a purchase is stands in
`data.purchases`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import ibis.expr.types as ir

from retention_lib.data.builtins import open_builtin
from retention_lib.data.canonical import canonical, mapped_fields
from retention_lib.data.databases import Database, open_database
from retention_lib.data.day_formats import EPOCH, EXCEL
from retention_lib.data.files import NamedFile, named_files
from retention_lib.data.files import fill_variables as fill_variables
from retention_lib.data.files import resolve_files as resolve_files
from retention_lib.data.local import connect, temporary_folder
from retention_lib.data.matching import check_columns, check_marks
from retention_lib.data.raw import look_at
from retention_lib.data.understood import Understood, understood_table
from retention_lib.data.unreadable import unreadable
from retention_lib.errors import DataError
from retention_lib.keys import addresses
from retention_lib.keys.source import source_kind
from retention_lib.params import Params


@dataclass(frozen=True)
class Source:
    """An opened source.

    Parameters
    ----------
    con : ibis backend
        The engine in which the rows are.
    table : ibis Table
        Canonical columns `customer`, `time`, `amount` and the mapped optional ones, `quantity` and
        `unit_price` where the amount is their product; unusable values are null.
    mapped : tuple of str
        The fields that the client maps, in the order of the contract.
    names : tuple of str
        What was read, for people: file names without their folders, or a table.
    named : tuple of NamedFile
        The files behind it, empty for a builtin and a database.
    understood : Understood or None
        How their text is read; None where there is nothing to understand, since all is typed.
    database : Database or None
        Where the rows are in one.
    """

    con: Any
    table: ir.Table
    mapped: tuple[str, ...]
    names: tuple[str, ...]
    named: tuple[NamedFile, ...] = ()
    understood: Understood | None = None
    database: Database | None = None

    @property
    def is_local(self) -> bool:
        """Whether the rows are in the embedded engine."""
        return self.con.name == "duckdb"

    def fetch(self, table: ir.Table, con: Any, name: str) -> ir.Table:
        """Work a table out in the source's engine, and keep it in the embedded one.

        Parameters
        ----------
        table : ibis Table
            Out of the source's rows.
        con : ibis DuckDB backend
        name : str
            Of the temporary table.

        Raises
        ------
        DataError
            Rows that can't be read: opening looks at the first only, and a bad one may stand far
            down; or a database that stops answering.
        """
        if self.database and not self.is_local:
            return self.database.fetch(table, con, name)
        try:
            return con.create_table(name, table, temp=True)
        except duckdb.Error as error:
            if self.database:
                raise self.database.failed(error) from None
            raise unreadable(self.named, error) from None

    def first(self, table: ir.Table) -> dict[str, Any]:
        """Work the first row of a table out in the source's engine.

        Raises
        ------
        DataError
            As `fetch`.
        """
        if self.database:
            return self.database.first(table)
        try:
            # by name: the engine of a table in memory alone would be a new one
            return self.con.to_pyarrow(table.limit(1)).to_pylist()[0]
        except duckdb.Error as error:
            raise unreadable(self.named, error) from None

    def fingerprint(self, tallied: ir.Table) -> str:
        """SHA-256 of what the source holds: of the files' bytes, else of what is counted of it."""
        digest = hashlib.sha256()
        for file in self.named:
            with file.path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        if not self.named:
            digest.update("\n".join((*self.names, *self.mapped)).encode())
            digest.update(_sum_of_hashes(tallied).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Reading:
    """How the rows of a source become those that everything after it reads.

    Parameters
    ----------
    canonical : callable
        Raw table, parameters and how text is understood (None where all is typed) → rows.
    builtin : callable
        Connection and name → rows of a source that comes with a package, their fields, the files.
    usual : Understood or None
        How the client's orders are written: where nothing else tells, so are these files.
    """

    canonical: Callable[[ir.Table, Params, Understood | None], ir.Table]
    builtin: Callable[[Any, str], tuple[ir.Table, tuple[str, ...], tuple[str, ...]]]
    usual: Understood | None = None


#: Of the orders.
ORDERS: Final = Reading(canonical, open_builtin)


def open_source(params: Params, folder: Path, reading: Reading = ORDERS) -> Source:
    """Open the client's source.

    Parameters
    ----------
    params : Params
    folder : Path
        Where relative paths start: the client file's folder.
    reading : Reading
        Of a further data set (`data.datasets`), whose parameters name it as their source.

    Raises
    ------
    DataError
        No file, a kind that isn't read, a database that can't be reached, a mapped column or a
        variable that isn't there, a date format that is none.
    """
    kind_of_source = source_kind(params.source)
    filled = params.source
    if kind_of_source == "unknown" and isinstance(filled, str):
        filled = fill_variables(filled)
        kind_of_source = source_kind(filled)
        scheme = addresses.scheme_of(filled)
        if kind_of_source == "database" and (near := addresses.near_store(scheme)):
            raise DataError(f"source: {scheme}:// isn't read; did you mean {near}://?")
    if kind_of_source == "database":
        database = open_database(params, folder)
        return Source(
            con=database.con,
            table=reading.canonical(database.table, params, None),
            mapped=mapped_fields(params),
            names=(database.name,),
            database=database,
        )
    con = connect(params.timezone)
    if kind_of_source == "builtin":
        assert isinstance(params.source, str)
        table, mapped, names = reading.builtin(con, params.source)
        return Source(con, table, mapped, names)
    files = named_files(params.source, folder, lambda: temporary_folder(con))
    _check_date_format(con, params.csv.date_format)
    raw, understood = _read_files(con, files, params, reading.usual)
    return Source(
        con=con,
        table=reading.canonical(raw, params, understood),
        mapped=mapped_fields(params),
        names=tuple(dict.fromkeys(file.name for file in files)),
        named=files,
        understood=None if understood.is_typed else understood,
    )


def _read_files(
    con: Any, files: tuple[NamedFile, ...], params: Params, usual: Understood | None
) -> tuple[ir.Table, Understood]:
    assert params.columns is not None  # the client file's check saw to it
    looked = look_at(files, params.csv, params.columns)
    if looked.kind != "parquet":  # of which the types were checked with the names
        check_columns(looked, params.columns)
    try:
        understood, raw = understood_table(con, looked, params.csv, params.columns, usual)
    except (duckdb.Error, OSError) as error:
        raise unreadable(files, error) from None
    in_a_column = bool(getattr(params.columns, "currency", None))
    check_marks(understood, params.currency, in_a_column=in_a_column)
    return raw, understood


def _check_date_format(con: Any, pattern: str | None) -> None:
    if pattern in (None, EXCEL, EPOCH):
        return
    try:
        con.con.execute("SELECT try_strptime('', ?)", [pattern])
    except duckdb.Error:
        raise DataError(
            f"csv.date_format: {pattern} isn't a pattern that can be read; "
            'write it as in "%d.%m.%Y %H:%M"'
        ) from None


def _sum_of_hashes(tallied: ir.Table) -> str:
    """What a table holds, whatever the order of its rows."""
    columns = [tallied[name].cast("string").fill_null("\0") for name in sorted(tallied.columns)]
    text = columns[0]
    for column in columns[1:]:
        text = text + "\1" + column
    summed = tallied.aggregate(
        total=text.hash().cast("decimal(38, 0)").sum(), rows=tallied.count()
    ).to_pyarrow()
    return str(summed.to_pylist()[0])
