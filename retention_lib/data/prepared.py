"""A base in a folder: read once by a run, taken over by the kernels of its chapters."""

from __future__ import annotations

import datetime as dt
import glob
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from retention_lib.data.base import FIELDS, Base
from retention_lib.data.datasets import DataSet
from retention_lib.data.handover import FRAMES, frame_file
from retention_lib.data.local import connect, fit_threads
from retention_lib.data.repeats import orders_of_one_amount
from retention_lib.data.worked_out import WorkedOut, read_table, write_table
from retention_lib.keys.datasets import data_sources
from retention_lib.params import Params

#: The keys on which the prepared data depends: with another value the source is read again.
_DATA_KEYS: Final = {
    *("client", "source", "table", "columns", "csv", "guest_ids", "returns", "deduplicate"),
    *("fx", "start", "as_of", "timezone", "currency", "free_orders"),
}
_TABLES: Final = ("order_days", "days", "purchases")
_ABOUT: Final = "prepared.json"


def prepare(base: Base, folder: Path) -> None:
    """Leave a base's tables in a folder, for the kernels of one run (`data.handover`)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        getattr(base.tables, name).to_parquet(_counted(folder, name))
    for name in FRAMES:
        write_table(pa.Table.from_pandas(getattr(base, name)), folder / frame_file(name))
    # what is bought next is told by category, whichever breakdowns are asked for
    dimensions = {*base.params.dimensions, *({"category"} & set(base.fields))}
    for dimension in sorted(dimensions):
        base.by(dimension).to_parquet(_by(folder, dimension))
    about = {
        "key": _data_key(base.params),
        "start": base.start.isoformat(),
        "as_of": base.as_of.isoformat(),
        "rows_in": base.rows_in,
        "facts": {
            "copies": base.copies,
            "repeats": orders_of_one_amount(base),
            FIELDS: base.fields,
        },
        "names": list(base.names),
        "fingerprint": base.fingerprint,
        "datasets": {name: _leave(found, folder) for name, found in base.datasets.items()},
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
    base.leave_in(folder)


def from_prepared(params: Params, folder: Path, read: Callable[[], Base]) -> Base | None:
    """The prepared base; None where there is none of the same parameters.

    Parameters
    ----------
    params : Params
    folder : Path
    read : callable
        Reads the source, for its rows, which aren't handed over.
    """
    file = folder / _ABOUT
    if not file.exists():
        return None
    about = json.loads(file.read_text(encoding="utf-8"))
    if about["key"] != _data_key(params):
        return None
    tables = _Tables(folder, params.timezone, about["rows_in"])
    left_out, currencies = (_frame(folder / frame_file(name)) for name in FRAMES)
    return Base(
        params=params,
        tables=tables,
        left_out=left_out,
        currencies=currencies,
        start=dt.date.fromisoformat(about["start"]),
        as_of=dt.date.fromisoformat(about["as_of"]),
        rows_in=about["rows_in"],
        names=tuple(about["names"]),
        fingerprint=about["fingerprint"],
        source_rows=_Rows(tables, read),
        datasets={
            name: _dataset(tables.con, folder, name, told)
            for name, told in about["datasets"].items()
        },
        _facts=about["facts"],
        _worked_out=WorkedOut(folder),
    )


@dataclass(frozen=True)
class _Tables:
    """The tables that another process has counted (`tables.Tables`).

    Opening them takes 40 ms, and a chapter may find all that it asks worked out already.
    """

    folder: Path
    timezone: str
    rows: int

    @cached_property
    def con(self) -> Any:
        con = connect(self.timezone)
        fit_threads(con, self.rows)
        return con

    @cached_property
    def order_days(self) -> ir.Table:
        return _read(self.con, _counted(self.folder, "order_days"))

    @cached_property
    def days(self) -> ir.Table:
        return _read(self.con, _counted(self.folder, "days"))

    @cached_property
    def purchases(self) -> ir.Table:
        return _read(self.con, _counted(self.folder, "purchases"))


@dataclass(frozen=True)
class _Rows:
    """The used rows of a source that another process has read (`base.SourceRows`)."""

    tables: _Tables
    read: Callable[[], Base]

    def table(self) -> ir.Table:
        return self._base.source_rows.table()

    def count(self, table: ir.Table) -> int:
        return self._base.source_rows.count(table)

    def first(self, table: ir.Table) -> dict[str, Any]:
        return self._base.source_rows.first(table)

    def by(self, dimension: str) -> ir.Table:
        file = _by(self.tables.folder, dimension)
        if file.exists():
            return _read(self.tables.con, file)
        return self._base.source_rows.by(dimension)

    @cached_property
    def _base(self) -> Base:
        return self.read()


def _leave(found: DataSet, folder: Path) -> dict[str, Any]:
    """Leave a further data set's rows in a folder, and tell what else is known of it."""
    found.table.to_parquet(_rows_of(folder, found.name))
    return {
        "left_out": found.left_out.to_dict("records"),
        "rows_in": found.rows_in,
        "names": list(found.names),
        "fingerprint": found.fingerprint,
        "mapped": list(found.mapped),
    }


def _dataset(con: Any, folder: Path, name: str, told: dict[str, Any]) -> DataSet:
    return DataSet(
        name=name,
        table=_read(con, _rows_of(folder, name)),
        left_out=pd.DataFrame(told["left_out"], columns=["cause", "rows"]),
        rows_in=told["rows_in"],
        names=tuple(told["names"]),
        fingerprint=told["fingerprint"],
        mapped=tuple(told["mapped"]),
    )


def _rows_of(folder: Path, name: str) -> Path:
    return folder / f"dataset.{name}.parquet"


def _counted(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _by(folder: Path, dimension: str) -> Path:
    return folder / f"by_{dimension}.parquet"


def _read(con: Any, file: Path) -> ir.Table:
    # signs of a pattern in a folder's name are meant as they stand
    return con.read_parquet(glob.escape(str(file)), hive_partitioning=False)


def _frame(file: Path) -> pd.DataFrame:
    table = read_table(file)
    assert table is not None  # left with the rest
    return table.to_pandas()


def _data_key(params: Params) -> dict[str, Any]:
    read = {"source", "table", "columns", "csv"}
    further = {
        name: source.model_dump(mode="json", include=read)
        for name, (_, source) in data_sources(params).items()
    }
    return {**params.model_dump(mode="json", include=_DATA_KEYS), "datasets": further}
