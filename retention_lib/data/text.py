"""Amounts and times out of text, as expressions: what can't be read is null, never an error."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_lib.data import schema

# an offset or Z counts only after a time of day: in 31-12-2025 the -2025 is a year
_HAS_ZONE = r"\d{1,2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
# spaces of every width stand between thousands
_SPACES = "[\\s\u00a0\u2007\u2009\u202f]"


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
        The signs used in the text; a point and none where not given. Spaces never count.

    Returns
    -------
    ibis decimal column
        Null where the text is no number, is infinite, or is larger than 10^14.
    """
    if not column.type().is_string():
        if column.type().is_floating():
            # 0.1 as a float is 0.1000000000000000055…: rounding makes it money again
            column = ibis.cases((column.isnan() | column.isinf(), ibis.null()), else_=column)
        return column.try_cast(schema.MONEY)
    text = column.re_replace(_SPACES, "").replace("−", "-")  # a true minus sign
    if thousands and thousands.strip():
        text = text.replace(thousands, "")
    if decimal and decimal != ".":
        text = text.replace(decimal, ".")
    return text.try_cast(schema.MONEY)


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
            zoned = text.try_cast(dt.Timestamp(timezone=timezone)).cast("timestamp")
            time = ibis.cases((text.re_search(_HAS_ZONE), zoned), else_=text.try_cast("timestamp"))
    possible = time.between(
        ibis.timestamp(schema.FIRST_POSSIBLE_DAY), ibis.timestamp(schema.LAST_POSSIBLE_DAY)
    )
    return ibis.cases((possible, time), else_=ibis.null().cast("timestamp"))
