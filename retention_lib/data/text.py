"""Amounts and times out of text, as expressions: what can't be read is null, never an error."""

from __future__ import annotations

import re

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_lib.data import schema

# The forms of ISO 8601 that exports have. DuckDB's own cast also takes "epoch", "infinity" and any
# word after a time, and would read 22:30 UTC as local.
_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_OFFSET = r"[+-]\d{2}(:?\d{2})?"
_LOCAL = rf"^{_DATE}([T ]{_TIME})?$"
_ZONED = rf"^{_DATE}[T ]{_TIME}\s*(Z|z|UTC|GMT|{_OFFSET})$"
# spaces of every width stand between thousands and around ids
_SPACE = "[\\s\u00a0\u2007\u2009\u202f]"

#: Wide enough that a product of two amounts, or of an amount and a rate, fits.
_WIDE = "decimal(38, 4)"


@ibis.udf.scalar.builtin
def try_strptime(text: str, pattern: str) -> dt.timestamp:
    """Read a time by a pattern; null where it doesn't fit (DuckDB)."""


def amount_from_text(
    column: ir.Value, decimal: str | None = None, thousands: str | None = None
) -> ir.DecimalValue:
    """Money from a column of text or numbers.

    Parameters
    ----------
    column : ibis column
    decimal, thousands : str, optional
        The signs used in the text; a point and none where not given, a comma where the thousands
        have the point. Spaces never count.

    Returns
    -------
    ibis decimal column
        Null where the text is no number in these signs, is infinite, or is larger than 10^14. A
        sign between thousands counts only before three digits: 1.50 isn't 150.
    """
    if not column.type().is_string():
        if column.type().is_floating():
            # 0.1 as a float is 0.1000000000000000055…: rounding makes it money again
            column = ibis.cases((column.isnan() | column.isinf(), ibis.null()), else_=column)
        return column.try_cast(schema.MONEY)
    decimal = decimal or ("," if thousands == "." else ".")
    text = column.re_replace(_SPACE, "").replace("−", "-")  # a true minus sign
    if thousands and thousands.strip():
        sign = re.escape(thousands)
        grouped = rf"^[+-]?\d{{1,3}}({sign}\d{{3}})+({re.escape(decimal)}\d*)?$"
        text = ibis.cases((text.re_search(grouped), text.replace(thousands, "")), else_=text)
    if decimal != ".":
        # a point that is no sign of this file would make 1.234 of one thousand
        text = ibis.cases(
            (text.contains("."), ibis.null().cast("string")), else_=text.replace(decimal, ".")
        )
    return text.try_cast(schema.MONEY)


def money_product(amount: ir.DecimalValue, factor: ir.DecimalValue) -> ir.DecimalValue:
    """An amount times a quantity or a rate, rounded to money; null where it is too large."""
    # DuckDB gives the product of two narrow decimals no more digits than theirs
    return (amount.cast(_WIDE) * factor).round(4).try_cast(schema.MONEY)


def text_of_id(column: ir.Value) -> ir.StringValue:
    """An id or a name as text, without spaces around it.

    Text stays as it is: leading zeros are part of an id. A whole number that came as a float, as
    pandas leaves ids beside a missing one, is written without its ".0"; NaN is null.
    """
    if column.type().is_floating():
        known = ~(column.isnan() | column.isinf())
        is_whole = known & (column == column.floor()) & (column.abs() < 2.0**53)
        return ibis.cases(
            (is_whole, column.try_cast("int64").cast("string")),
            (known, column.cast("string")),
            else_=ibis.null().cast("string"),
        )
    return column.cast("string").re_replace(f"^{_SPACE}+|{_SPACE}+$", "")


def time_from_text(column: ir.Value, pattern: str | None, timezone: str) -> ir.TimestampValue:
    """A local time from a column of text, dates or timestamps.

    A time with an offset, or a timestamp with a zone, is turned into the client's time zone before
    its day is taken; a time without is local already (CONTRACT, section 3).

    Parameters
    ----------
    column : ibis column
    pattern : str, optional
        strptime pattern (`csv.date_format`); ISO 8601 where not given.
    timezone : str
        The session's time zone, in which zoned times are read.

    Returns
    -------
    ibis timestamp column without zone
        Null where there is no time or an impossible one.
    """
    kind = column.type()
    if kind.is_timestamp():
        zone = getattr(kind, "timezone", None)
        time = column.cast(dt.Timestamp(timezone=zone)).cast("timestamp") if zone else column
    elif kind.is_date():
        time = column.cast("timestamp")
    else:
        text = column.cast("string").strip()
        if pattern:
            time = try_strptime(text, pattern)
        else:
            # Shopify writes a space before the offset, BigQuery the letters UTC
            offset = text.re_replace(r"\s*(Z|z|UTC|GMT)$", "+00:00")
            offset = offset.re_replace(rf"\s+({_OFFSET})$", r"\1")
            zoned = offset.try_cast(dt.Timestamp(timezone=timezone)).cast("timestamp")
            time = ibis.cases(
                (text.re_search(_ZONED), zoned),
                (text.re_search(_LOCAL), text.try_cast("timestamp")),
                else_=ibis.null().cast("timestamp"),
            )
    possible = time.between(
        ibis.timestamp(schema.FIRST_POSSIBLE_DAY), ibis.timestamp(schema.LAST_POSSIBLE_DAY)
    )
    return ibis.cases((possible, time), else_=ibis.null().cast("timestamp"))
