"""The further data sets of a client: read like the orders, and kept in the embedded engine.

They are small beside the orders, a row per member, entry, assignment, answer or subscription. Rows
that can't be used are left out and counted by cause, as of the orders; what is wrong among those
that can, such as two answers of one customer, their own modules say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pandas as pd

from retention_lib.data import schema
from retention_lib.data.builtins import open_builtin_dataset
from retention_lib.data.canonical import Mapped
from retention_lib.data.purchases import CAUSES, GUEST, NO_CUSTOMER, NO_DATE, OUTSIDE_WINDOW
from retention_lib.data.sources import Reading, open_source
from retention_lib.data.understood import Understood
from retention_lib.errors import DataError
from retention_lib.keys.datasets import DataSource, data_sources
from retention_lib.params import Params
from retention_lib.sentence import N_

NO_NUMBER: Final = "no_number"
#: Why a row of a further data set is left out, in words.
WORDS: Final[Mapping[str, str]] = {
    **{cause: CAUSES[cause] for cause in (NO_CUSTOMER, GUEST, NO_DATE, OUTSIDE_WINDOW)},
    NO_NUMBER: N_("No number that can be read"),
}

#: Numbers that are 0 where they are blank; those of the others stay null.
_SUMS: Final = frozenset({"earned", "redeemed", "expired", "cost"})
#: Numbers without which a row says nothing.
_NEEDED: Final = frozenset({"amount"})


@dataclass(frozen=True)
class DataSet:
    """A further data set, opened.

    Parameters
    ----------
    name : str
        `members`, `ledger`, `experiment.<name>`, `survey` or `subscriptions`.
    table : ibis Table
        The used rows, in the embedded engine: `customer` (text), days, numbers (float64) and texts
        by their fields' names, whether they are mapped or not.
    left_out : DataFrame
        One row per cause: cause, rows.
    rows_in : int
        Rows of the source: used plus left out, always.
    names : tuple of str
        What was read.
    fingerprint : str
        Of the source's content.
    mapped : tuple of str
        The fields that the source has.
    """

    name: str
    table: ir.Table = field(repr=False, compare=False)
    left_out: pd.DataFrame = field(repr=False, compare=False)
    rows_in: int
    names: tuple[str, ...]
    fingerprint: str
    mapped: tuple[str, ...]

    @property
    def rows_used(self) -> int:
        """Rows that count."""
        return self.rows_in - int(self.left_out["rows"].sum())

    def frame(self) -> pd.DataFrame:
        """All used rows; days as datetime64, unmapped fields all null."""
        return self.table.to_pyarrow().to_pandas(date_as_object=False)


def read_datasets(
    params: Params, folder: Path, as_of: dt.date, con: Any, usual: Understood | None = None
) -> dict[str, DataSet]:
    """Read the data sets that a client gives beside the orders.

    Parameters
    ----------
    params : Params
    folder : Path
        Where relative paths start.
    as_of : date
        The report's day; nothing after it is known.
    con : ibis DuckDB backend
        Keeps their rows.
    usual : Understood, optional
        How the orders are written: where a data set leaves open what its days mean, as there.

    Raises
    ------
    DataError
        Sources that can't be read, a sentence each with its place in the client file.
    """
    found: dict[str, DataSet] = {}
    said: list[str] = []
    for name, (place, source) in data_sources(params).items():
        try:
            with _placed(place):
                found[name] = _read(name, source, params, folder, as_of, con, usual)
        except DataError as error:
            said += error.sentences
    if said:
        raise DataError(*said)
    return found


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Sentences with the place of the data set in the client file before the key they name."""
    try:
        yield
    except DataError as error:
        raise DataError(*(f"{place}.{sentence}" for sentence in error.sentences)) from None


def _read(
    name: str,
    source: DataSource,
    params: Params,
    folder: Path,
    as_of: dt.date,
    con: Any,
    usual: Understood | None,
) -> DataSet:
    own = {"source": source.source, "table": source.table, "csv": source.csv}
    asked = params.model_copy(update={**own, "columns": source.columns})
    fields = type(source).model_fields["columns"]
    of = next(kind for kind in _kinds(fields.annotation) if hasattr(kind, "DATES"))

    def canonical(raw: ir.Table, asked: Params, understood: Understood | None) -> ir.Table:
        return _canonical(Mapped(raw, source.columns, understood, params.timezone), of)

    opened = open_source(asked, folder, Reading(canonical, open_builtin_dataset, usual))
    marked = _with_cause(opened.table, params, as_of, of)
    stored = f"dataset_{name.replace('.', '_')}"
    rows = opened.fetch(marked, opened.con if opened.is_local else con, stored)
    if opened.is_local:
        rows = _moved(rows, con, stored)
    counted = rows.group_by("cause").aggregate(rows=rows.count()).execute()
    used = rows.filter(rows.cause.isnull()).drop("cause")
    # what comes after the report's day is fine: a report of an earlier day doesn't know of it yet
    if counted["cause"].notna().all() and OUTSIDE_WINDOW not in set(counted["cause"]):
        raise DataError(_nothing_usable(counted, opened.names))
    return DataSet(
        name=name,
        table=used,
        left_out=by_cause(counted),
        rows_in=int(counted["rows"].sum()),
        names=opened.names,
        fingerprint=opened.fingerprint(rows),
        mapped=opened.mapped,
    )


def by_cause(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows by the cause that they are left out for, most rows first."""
    left_out = counted[counted["cause"].notna()].astype({"rows": "int64"})
    ordered = left_out.sort_values(["rows", "cause"], ascending=[False, True], ignore_index=True)
    return ordered[["cause", "rows"]]


def _kinds(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))


def _canonical(mapped: Mapped, of: Any) -> ir.Table:
    """The fields of a data set as columns, those that aren't mapped null."""
    columns: dict[str, ir.Value] = {}
    for name in of.model_fields:
        known = name in mapped.mapping
        if name in of.DATES:
            columns[name] = mapped.time(name).date() if known else ibis.null().cast("date")
            if known and name != of.DATES[0]:
                # a day that can't be read isn't one that is blank
                text = mapped.column(name).cast("string").strip().fill_null("")
                columns[f"{name}_unread"] = (text != "") & columns[name].isnull()
        elif name in of.AMOUNTS:
            number = mapped.amount(name).cast("float64") if known else ibis.null().cast("float64")
            columns[name] = number.fill_null(0.0) if name in _SUMS else number
            if known:
                text = mapped.column(name).cast("string").strip().fill_null("")
                columns[f"{name}_unread"] = (text != "") & number.isnull()
        elif known:
            columns[name] = mapped.identity(name).nullif("")
        else:
            columns[name] = ibis.null().cast("string")
    return mapped.raw.select(**columns)


def _with_cause(table: ir.Table, params: Params, as_of: dt.date, of: Any) -> ir.Table:
    """The rows with the cause that each is left out for, null where it is used."""
    first = table[of.DATES[0]]
    lowest, highest = (
        ibis.date(dt.date.fromisoformat(day))
        for day in (schema.FIRST_POSSIBLE_DAY, schema.LAST_POSSIBLE_DAY)
    )
    customer = table[schema.CUSTOMER]
    unread = [table[name] for name in table.columns if name.endswith("_unread")]
    numbers = [n for n in unread if n.get_name().removesuffix("_unread") in of.AMOUNTS]
    days = [n for n in unread if n.get_name().removesuffix("_unread") in of.DATES]
    no_number: ir.BooleanValue = ibis.literal(False)
    for one in [*numbers, *(table[n].isnull() for n in of.AMOUNTS if n in _NEEDED)]:
        no_number = no_number | one
    no_day = first.isnull() | (first < lowest) | (first > highest)
    for one in days:
        no_day = no_day | one
    is_guest = customer.isin(params.guest_ids) if params.guest_ids else ibis.literal(False)
    cause = ibis.cases(
        (customer.isnull() | (customer == ""), NO_CUSTOMER),
        (is_guest, GUEST),
        (no_day, NO_DATE),
        (first > ibis.date(as_of), OUTSIDE_WINDOW),
        (no_number, NO_NUMBER),
        else_=ibis.null().cast("string"),
    )
    return table.mutate(cause=cause).drop(*(one.get_name() for one in unread))


def _moved(table: ir.Table, con: Any, name: str) -> ir.Table:
    """A table of another connection, in this one."""
    con.con.register("moved", table.to_pyarrow())
    con.raw_sql(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM moved')
    con.con.unregister("moved")
    return con.table(name)


def _nothing_usable(counted: pd.DataFrame, names: tuple[str, ...]) -> str:
    read = ", ".join(names)
    if counted.empty:
        return f"source: there isn't a single row in {read}; export it again, or leave the key out"
    causes = "; ".join(
        f"{WORDS[row['cause']].lower()}: {row['rows']:,}"
        for row in by_cause(counted).to_dict("records")
    )
    return f"source: no row of {read} can be used ({causes}); check the names under columns"
