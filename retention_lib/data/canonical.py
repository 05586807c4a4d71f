"""The columns that a client maps, as the canonical ones (`data.schema`)."""

from __future__ import annotations

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
from retention_lib.keys.parts import Fields
from retention_lib.params import Params


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
    columns_of = Mapped(raw, params.columns, understood, params.timezone)
    mapping, column = columns_of.mapping, columns_of.column
    amount, time, identity = columns_of.amount, columns_of.time, columns_of.identity

    columns: dict[str, ir.Value] = {
        schema.CUSTOMER: identity("customer"),
        schema.TIME: time("date"),
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
            pattern = understood.second_format if understood else None
            day = time(field).date()
            if pattern and "%y" in pattern:
                # nobody buys before being born: 45 is 1945
                earlier = (day - ibis.interval(years=100)).cast("date")
                day = ibis.cases((day > columns[schema.TIME].date(), earlier), else_=day)
            columns[field] = day
        else:
            columns[field] = identity(field).nullif("")
    return raw.select(**columns)


class Mapped:
    """The mapped columns of a raw table, each read as what its field is.

    Parameters
    ----------
    raw : ibis Table
        In any engine.
    fields : Fields
        Which column each field has.
    understood : Understood or None
        As in `canonical`.
    timezone : str
        In which a moment becomes a local time.

    Raises
    ------
    DataError
        As `canonical`.
    """

    def __init__(
        self, raw: ir.Table, fields: Fields, understood: Understood | None, timezone: str
    ) -> None:
        self.raw, self.fields, self.understood, self.timezone = raw, fields, understood, timezone
        self.mapping = mapping_of(fields)
        self._by_name = {plain(name): name for name in reversed(raw.columns)}
        missing = [(k, v) for k, v in self.mapping.items() if plain(v) not in self._by_name]
        if missing:
            raise DataError(*[no_such_column(k, v, raw.columns) for k, v in missing])
        if understood is None:
            _check_types({field: self.column(field) for field in self.mapping}, fields)

    def column(self, field: str) -> ir.Value:
        """A field's column as it is."""
        name = self.mapping[field]
        return self.raw[name if name in self.raw.columns else self._by_name[plain(name)]]

    def amount(self, field: str) -> ir.DecimalValue:
        """A number, exact to four decimals; null where it is none."""
        column, understood = self.column(field), self.understood
        if understood is None or column.type().is_numeric():
            return amount_from_number(column)
        return amount_from_text(column, understood.decimal, understood.thousands, understood.marks)

    def time(self, field: str) -> ir.TimestampValue:
        """A local time; null where it is none."""
        column, understood = self.column(field), self.understood
        if understood is None or column.type().is_temporal():
            return time_from_moment(column)
        is_first = field == self.fields.DATES[0]
        pattern = understood.date_format if is_first else understood.second_format
        return time_from_text(column, pattern, self.timezone)

    def identity(self, field: str) -> ir.StringValue:
        """An id or a name."""
        return text_of_id(self.column(field), in_duckdb=self.understood is not None)


def _check_types(columns: dict[str, ir.Value], fields: Fields) -> None:
    """Amounts are numbers and dates are dates, where text can't be read as such."""
    said = []
    for field, column in columns.items():
        kind = column.type()
        if field in fields.AMOUNTS and not kind.is_numeric():
            said.append(_wrong_type(field, column, "amounts", "a number", "numeric(18, 4)"))
        elif field in fields.DATES and not (kind.is_timestamp() or kind.is_date()):
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
