"""The columns that a client maps, as the canonical ones (`data.schema`)."""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.layout import plain
from retention_lib.data.matching import mapping_of, no_such_column
from retention_lib.data.text import (
    amount_from_number,
    amount_from_text,
    money_product,
    text_of_id,
    time_from_moment,
    time_from_text,
)
from retention_lib.data.understood import Understood
from retention_lib.errors import DataError
from retention_lib.params import Params

_AMOUNTS: Final = ("amount", "quantity", "unit_price")
_DATES: Final = ("date", "birthday")


def mapped_fields(params: Params) -> tuple[str, ...]:
    """The fields that the client maps, in the order of the contract."""
    assert params.columns is not None  # the client file's check saw to it
    return tuple(mapping_of(params.columns))


def canonical(raw: ir.Table, params: Params, understood: Understood | None) -> ir.Table:
    """Rename and read the mapped columns of a raw table.

    Parameters
    ----------
    raw : ibis Table
        In any engine.
    params : Params
    understood : Understood or None
        How amounts and dates that are text are written. None where they have to be typed, as in
        a database: only the embedded engine reads text without stopping at what is none.

    Raises
    ------
    DataError
        A mapped column that isn't there, or is of a type that can't be read.
    """
    assert params.columns is not None
    mapping = mapping_of(params.columns)
    by_name = {plain(name): name for name in reversed(raw.columns)}
    missing = [(k, v) for k, v in mapping.items() if plain(v) not in by_name]
    if missing:
        raise DataError(*[no_such_column(k, v, raw.columns) for k, v in missing])

    def column(field: str) -> ir.Value:
        name = mapping[field]
        return raw[name if name in raw.columns else by_name[plain(name)]]

    if understood is None:
        _check_types({field: column(field) for field in mapping})

    def amount(field: str) -> ir.DecimalValue:
        if understood is None or column(field).type().is_numeric():
            return amount_from_number(column(field))
        return amount_from_text(
            column(field), understood.decimal, understood.thousands, understood.marks
        )

    def time(field: str, pattern: str | None) -> ir.TimestampValue:
        if understood is None or column(field).type().is_temporal():
            return time_from_moment(column(field))
        return time_from_text(column(field), pattern, params.timezone)

    def identity(field: str) -> ir.StringValue:
        return text_of_id(column(field), in_duckdb=understood is not None)

    columns: dict[str, ir.Value] = {
        schema.CUSTOMER: identity("customer"),
        schema.TIME: time("date", understood.date_format if understood else None),
    }
    if understood is not None and column("date").type().is_date():
        # as it stands in the file: of a bare column DuckDB knows which part of the file has which
        # days, and counts a large one part by part
        columns[schema.DAY] = column("date")
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
            pattern = understood.birthday_format if understood else None
            day = time(field, pattern).date()
            if pattern and "%y" in pattern:
                # nobody buys before being born: 45 is 1945
                earlier = (day - ibis.interval(years=100)).cast("date")
                day = ibis.cases((day > columns[schema.TIME].date(), earlier), else_=day)
            columns[field] = day
        else:
            columns[field] = identity(field).nullif("")
    return raw.select(**columns)


def _check_types(columns: dict[str, ir.Value]) -> None:
    """Amounts are numbers and dates are dates, where text can't be read as such."""
    said = []
    for field, column in columns.items():
        kind = column.type()
        if field in _AMOUNTS and not kind.is_numeric():
            said.append(_wrong_type(field, column, "amounts", "a number", "numeric(18, 4)"))
        elif field in _DATES and not (kind.is_timestamp() or kind.is_date()):
            said.append(_wrong_type(field, column, "dates", "a date or time", "date"))
    if said:
        raise DataError(*said)


def _wrong_type(field: str, column: ir.Value, what: str, wanted: str, kind: str) -> str:
    name = column.get_name()
    return (
        f'columns.{field}: "{name}" is of type {column.type()} in the database, and {what} are '
        f"read from {wanted} there; name a query under table that turns it into one, such as "
        f"select …, cast({name} as {kind}) as {name} from …"
    )
