"""Amounts and times out of text, as expressions: what can't be read is null, never an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.day_formats import EXCEL, EXCEL_EPOCH, MONTHS

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

#: How a time of day can follow a day whose pattern has none.
_TIMES: Final = (
    *("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f"),
    *(", %H:%M:%S", ", %H:%M", ", %I:%M:%S %p", ", %I:%M %p", " %H.%M.%S", " %H.%M"),
    *(" kl. %H:%M:%S", " kl. %H:%M", " kl. %H.%M", " kl %H:%M", "T%H:%M"),
)
_TIME_DIRECTIVE: Final = re.compile("%-?[HIMSfpzZTXc]")
_SECONDS_A_DAY: Final = 86_400


@ibis.udf.scalar.builtin
def try_strptime(text: str, pattern: str) -> dt.timestamp:
    """Read a time by a pattern; null where it doesn't fit (DuckDB)."""


@ibis.udf.scalar.builtin(name="try_strptime")
def try_strptimes(text: str, patterns: dt.Array[dt.String]) -> dt.timestamp:
    """Read a time by the first pattern that fits; null where none does (DuckDB)."""


def amount_from_text(
    column: ir.Value,
    decimal: str | None = None,
    thousands: str | None = None,
    marks: Sequence[str] = (),
) -> ir.DecimalValue:
    """Money from a column of text or numbers.

    Parameters
    ----------
    column : ibis column
    decimal, thousands : str, optional
        The signs used in the text; a point and none where not given, a comma where the thousands
        have the point. Spaces may always stand between thousands.
    marks : sequence of str
        What stands for a currency beside the number and is let be, such as kr.

    Returns
    -------
    ibis decimal column
        Null where the text is no number in these signs, is infinite, or is larger than 10^14. A
        sign between thousands counts only before three digits: 1.50 isn't 150. Parentheses and a
        minus behind the number make it negative; a dash for the decimals (12,-) is none.
    """
    if not column.type().is_string():
        if column.type().is_floating():
            # 0.1 as a float is 0.1000000000000000055…: rounding makes it money again
            column = ibis.cases((column.isnan() | column.isinf(), ibis.null()), else_=column)
        return column.try_cast(schema.MONEY)
    decimal = decimal or ("," if thousands == "." else ".")
    # most amounts are plain: only what isn't goes through the patterns
    plain = column
    if decimal != ".":
        # a point that is no sign of this file would make 1.234 of one thousand
        plain = ibis.cases(
            (column.contains("."), ibis.null().cast("string")), else_=column.replace(decimal, ".")
        )
    plain = plain.try_cast(schema.MONEY)
    number = _number(_undressed(column, marks), decimal, thousands)
    return ibis.cases((plain.notnull(), plain), else_=number)


def _undressed(column: ir.StringValue, marks: Sequence[str]) -> ir.StringValue:
    """An amount without its currency, its sign in front: (kr 12,-) becomes -12."""
    text = column.re_replace(f"{_SPACE}+", " ").strip()
    text = text.replace("−", "-").replace("–", "-")
    text = text.re_replace(r"(\d) ?[.,:] ?-+", r"\1")  # a dash for the decimals
    text = text.re_replace(r"^\((.*)\)$", r"-\1")
    if marks:
        longest_first = sorted(marks, key=len, reverse=True)
        one_of = "|".join(re.escape(mark) for mark in longest_first)
        text = text.re_replace(rf"(?i)^([-+]?) ?(?:{one_of}) ?", r"\1")
        text = text.re_replace(rf"(?i)(\d[.,]?(?: ?-)?) ?(?:{one_of})( ?-?)$", r"\1\2")
    text = text.re_replace(r"^([-+]) ", r"\1")
    return text.re_replace(r"^([^-]*) ?-$", r"-\1")


def _number(text: ir.StringValue, decimal: str, thousands: str | None) -> ir.DecimalValue:
    sign, point = re.escape((thousands or "").strip()), re.escape(decimal)
    form = rf"^[+-]?(?:(?:\d{{1,3}}(?:[ {sign}]\d{{3}})+|\d+)(?:{point}\d*)?|{point}\d+) ?$"
    bare = text.re_replace(f"[ {sign}]", "").replace(decimal, ".")
    return ibis.cases(
        (text.re_search(form), bare.try_cast(schema.MONEY)),
        else_=ibis.null().cast(schema.MONEY),
    )


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
        strptime pattern (`csv.date_format`), of the day alone or with a time; "excel" for serial
        days; ISO 8601 where not given.
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
        if pattern == EXCEL:
            time = _time_from_serial(text)
        elif pattern:
            time = _time_from_pattern(text, pattern)
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


def _time_from_serial(text: ir.StringValue) -> ir.TimestampValue:
    days = ibis.cases(
        (text.re_search(r"^\d{1,5}([.,]\d+)?$"), text.replace(",", ".").try_cast("float64")),
        else_=ibis.null().cast("float64"),
    )
    seconds = (days * _SECONDS_A_DAY).round().cast("int64")
    return ibis.timestamp(EXCEL_EPOCH.isoformat()) + seconds.as_interval("s")


def _time_from_pattern(text: ir.StringValue, pattern: str) -> ir.TimestampValue:
    if "%b" in pattern or "%B" in pattern:
        pattern = pattern.replace("%B", "%b").replace("%b.", "%b")
        text = _english_months(text)
    if _TIME_DIRECTIVE.search(pattern):
        return try_strptime(text, pattern)
    return try_strptimes(text, [pattern + time for time in _TIMES])


def _english_months(text: ir.StringValue) -> ir.StringValue:
    """Names of months in the Nordic languages, German or English, cut to English ones."""
    for names in MONTHS:
        english = names[-1] if names[-1] != "mär" else "mar"
        name = rf"(?i)\b({'|'.join(names)})[a-zæøåäöÆØÅÄÖ]*\.?"
        text = text.re_replace(name, english)
    return text
