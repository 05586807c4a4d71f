"""Amounts and times out of text, as expressions: what can't be read is null, never an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from retention_lib.data import schema
from retention_lib.data.day_formats import EPOCH, EXCEL, EXCEL_EPOCH, MONTHS, has_time

# The forms of ISO 8601 that exports have. DuckDB's own cast also takes "epoch", "infinity" and any
# word after a time, and would read 22:30 UTC as local.
_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_TIME = r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?"
_OFFSET = r"[+-]\d{2}(:?\d{2})?"
_LOCAL = rf"^{_DATE}([T ]{_TIME})?$"
_ATTACHED = rf"^{_DATE}[T ]{_TIME}(Z|{_OFFSET})$"
_ZONED = rf"^{_DATE}[T ]{_TIME}\s*(Z|z|UTC|GMT|{_OFFSET})$"
# spaces of every width stand between thousands and around ids
_SPACES = "\\s\u00a0\u2007\u2009\u202f"
_SPACE = f"[{_SPACES}]"

#: No order amount is this large, and money has no room for it.
_TOO_LARGE: Final = 1e14

#: How a time of day can follow a day whose pattern has none.
_TIMES: Final = (
    *("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f"),
    *(", %H:%M:%S", ", %H:%M", ", %I:%M:%S %p", ", %I:%M %p", " %H.%M.%S", " %H.%M"),
    *(" kl. %H:%M:%S", " kl. %H:%M", " kl. %H.%M", " kl %H:%M", "T%H:%M"),
)
_SECONDS_A_DAY: Final = 86_400


@ibis.udf.scalar.builtin
def try_strptime(text: str, pattern: str) -> dt.timestamp:
    """Read a time by a pattern; null where it doesn't fit (DuckDB)."""


@ibis.udf.scalar.builtin(name="try_strptime")
def try_strptimes(text: str, patterns: dt.Array[dt.String]) -> dt.timestamp:
    """Read a time by the first pattern that fits; null where none does (DuckDB)."""


@ibis.udf.scalar.builtin
def to_timestamp(seconds: float) -> dt.Timestamp(timezone="UTC"):  # type: ignore[valid-type]
    """The moment so many seconds after 1970 began in UTC (DuckDB)."""


def amount_from_number(column: ir.NumericValue) -> ir.DecimalValue:
    """Money from a column of numbers, in any engine.

    Returns
    -------
    ibis decimal column
        Null where the number is NaN, infinite, or 10^14 and larger.
    """
    # every engine takes NaN for larger than any number
    size = column.cast("float64")
    possible = (size > -_TOO_LARGE) & (size < _TOO_LARGE)
    if column.type().is_floating():
        possible &= _is_finite(size)
    return ibis.cases((possible, column.cast(schema.MONEY)), else_=ibis.null().cast(schema.MONEY))


def _is_finite(column: ir.FloatingValue) -> ir.BooleanValue:
    """Whether a number is one, in any engine: neither NaN nor infinite.

    DuckDB answers comparisons, and even isnan, for all rows by a Parquet file's smallest and
    largest values, which leave NaN out; not so for a difference.
    """
    return column - column == 0


def amount_from_text(
    column: ir.Value,
    decimal: str | None = None,
    thousands: str | None = None,
    marks: Sequence[str] = (),
) -> ir.DecimalValue:
    """Money from a column of text (DuckDB).

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
        return column.try_cast(schema.MONEY)
    decimal = decimal or ("," if thousands == "." else ".")
    # most amounts are plain: only what isn't goes through the patterns
    plain = column
    if decimal != ".":
        # a point that is no sign of this file would make 1.234 of one thousand
        plain = ibis.cases(
            (column.contains("."), ibis.null().cast("string")), else_=column.replace(decimal, ".")
        )
    sign, point = re.escape((thousands or "").strip()), re.escape(decimal)
    whole = rf"(?:\d{{1,3}}(?:[{_SPACES}{sign}]\d{{3}})+|\d+)"
    numbers = (
        _simply_dressed(column, rf"(?:{whole}(?:{point}\d+)?|{point}\d+)", marks),
        _undressed(column, rf"(?:{whole}(?:{point}\d*)?|{point}\d+)", marks),
    )
    bare = [n.re_replace(f"[{_SPACES}{sign}]", "").replace(decimal, ".") for n in numbers]
    # in turn, each for what the ones before don't read: the last costs fifty times the first
    return ibis.coalesce(*[text.try_cast(schema.MONEY) for text in (plain, *bare)])


def _simply_dressed(column: ir.StringValue, number: str, marks: Sequence[str]) -> ir.StringValue:
    """The number in the usual ways to write an amount, such as kr 1 234,- ; else empty text."""
    before, after = "", ""
    if marks:
        before, after = rf"(?:{_one_of(marks)}){_SPACE}?", rf"{_SPACE}?(?:{_one_of(marks)})"
    return column.re_extract(
        rf"(?i)^{_SPACE}*(?:{before})?([+-]?{number})(?:[.,:]-+)?(?:{after})?{_SPACE}*$", 1
    )


def _one_of(marks: Sequence[str]) -> str:
    return "|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True))


def _undressed(column: ir.StringValue, number: str, marks: Sequence[str]) -> ir.StringValue:
    """The number of an amount, its sign in front: (kr 12,-) becomes -12; else empty text."""
    text = column.re_replace(f"{_SPACE}+", " ").strip()
    text = text.replace("−", "-").replace("–", "-")
    text = text.re_replace(r"(\d) ?[.,:] ?-+", r"\1")  # a dash for the decimals
    text = text.re_replace(r"^\((.*)\)$", r"-\1")
    if marks:
        one_of = _one_of(marks)
        text = text.re_replace(rf"(?i)^([-+]?) ?(?:{one_of}) ?", r"\1")
        text = text.re_replace(rf"(?i)(\d[.,]?(?: ?-)?) ?(?:{one_of})( ?-?)$", r"\1\2")
    text = text.re_replace(r"^([-+]) ", r"\1")
    text = text.re_replace(r"^([^-]*) ?-$", r"-\1")
    return text.re_extract(rf"^([+-]?{number}) ?$", 1)


def money_product(amount: ir.DecimalValue, factor: ir.DecimalValue) -> ir.DecimalValue:
    """An amount times a quantity or a rate, rounded to money; null where it is too large."""
    # DuckDB gives the product of two decimals of 18 digits no more than 18
    return amount_from_number(amount * factor.cast(dt.Decimal(19, factor.type().scale)))


def text_of_id(column: ir.Value, *, in_duckdb: bool = False) -> ir.StringValue:
    """An id or a name as text, without spaces around it.

    Text stays as it is: leading zeros are part of an id. A whole number that came as a float, as
    pandas leaves ids beside a missing one, is written without its ".0"; NaN is null.

    Parameters
    ----------
    column : ibis column
    in_duckdb : bool
        Whether the rows are in DuckDB, which has a quicker way to the same text: others compare by
        the rules of a language.
    """
    if column.type().is_floating():
        known = _is_finite(column)
        # guarded twice: an engine may work a branch out for rows that don't take it
        number = ibis.cases((known & (column.abs() < 2.0**53), column), else_=0.5)
        is_whole = number == number.floor()
        return ibis.cases(
            (is_whole, number.cast("int64").cast("string")),
            (known, column.cast("string")),
            else_=ibis.null().cast("string"),
        )
    text = column.cast("string")
    if column.type().is_integer():
        return text
    trimmed = text.re_replace(f"^{_SPACE}+|{_SPACE}+$", "")
    return _unless_trim(text, trimmed) if in_duckdb else trimmed


def _unless_trim(text: ir.StringValue, trimmed: ir.StringValue) -> ir.StringValue:
    """The trimmed text, worked out only where a space stands at an end (DuckDB).

    Few values have one, and to trim them costs up to ten times as much as to look.
    """
    # by bytes, as DuckDB compares: all that begins with a visible sign of ASCII
    ends = [end.between("!", "~") for end in (text, text.reverse())]
    return ibis.cases((ends[0] & ends[1], text), else_=trimmed)


def time_from_text(column: ir.Value, pattern: str | None, timezone: str) -> ir.TimestampValue:
    """A local time from a column of text (DuckDB).

    A time with an offset is turned into the client's time zone before its day is taken; a time
    without is local already (CONTRACT, section 3).

    Parameters
    ----------
    column : ibis column
    pattern : str, optional
        strptime pattern (`csv.date_format`), of the day alone or with a time; "excel" for serial
        days, "epoch" for seconds since 1970; ISO 8601 where not given.
    timezone : str
        The session's time zone, in which zoned times are read.

    Returns
    -------
    ibis timestamp column without zone
        Null where there is no time or an impossible one.
    """
    text = column.cast("string")
    text = _unless_trim(text, text.strip())
    if pattern == EXCEL:
        return _possible(_time_from_serial(text))
    if pattern == EPOCH:
        return _possible(_time_from_epoch(text))
    if pattern:
        return _possible(_time_from_pattern(text, pattern))
    # Shopify writes a space before the offset, BigQuery the letters UTC
    offset = text.re_replace(r"\s*(Z|z|UTC|GMT)$", "+00:00")
    offset = offset.re_replace(rf"\s+({_OFFSET})$", r"\1")
    # most columns have a plain form: the dearest comes last
    time = ibis.cases(
        (text.re_search(_LOCAL), text.try_cast("timestamp")),
        (text.re_search(_ATTACHED), _zoned(text, timezone)),
        (text.re_search(_ZONED), _zoned(offset, timezone)),
        else_=ibis.null().cast("timestamp"),
    )
    return _possible(time)


def _zoned(text: ir.StringValue, timezone: str) -> ir.TimestampValue:
    return text.try_cast(dt.Timestamp(timezone=timezone)).cast("timestamp")


def time_from_moment(column: ir.Value) -> ir.TimestampValue:
    """A local time from a column of dates or timestamps, in any engine.

    A timestamp with a zone is turned into the session's, which is the client's.

    Returns
    -------
    ibis timestamp column without zone
        Null where there is no time or an impossible one.
    """
    return _possible(column.cast("timestamp"))


def _possible(time: ir.TimestampValue) -> ir.TimestampValue:
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


def _time_from_epoch(text: ir.StringValue) -> ir.TimestampValue:
    count = ibis.cases(
        (text.re_search(r"^-?\d{1,19}([.,]\d+)?$"), text.replace(",", ".").try_cast("float64")),
        else_=ibis.null().cast("float64"),
    )
    size = count.abs()
    # told by their size, row by row: as seconds, thousandths would be of the year 50,000 and later
    parts = ibis.cases((size < 1e11, 1.0), (size < 1e14, 1e3), (size < 1e17, 1e6), else_=1e9)
    return to_timestamp(count / parts).cast("timestamp")


def _time_from_pattern(text: ir.StringValue, pattern: str) -> ir.TimestampValue:
    if "%b" in pattern or "%B" in pattern:
        pattern = pattern.replace("%B", "%b").replace("%b.", "%b")
        text = _english_months(text)
    if has_time(pattern):
        return try_strptime(text, pattern)
    if ":" in pattern or "kl" in pattern:
        return try_strptimes(text, [pattern + time for time in _TIMES])

    def read(colons: int, kl: bool = False) -> ir.TimestampValue:
        # of what can't fit nothing is tried: each miss costs three times a hit
        times = [t for t in _TIMES if t.count(":") == colons and ("kl" in t) is kl]
        return try_strptimes(text, [pattern + time for time in times])

    return ibis.cases(
        (text.contains("kl"), ibis.coalesce(read(0, True), read(1, True), read(2, True))),
        (~text.contains(":"), read(0)),
        (text.re_search(":.*:"), read(2)),
        else_=read(1),
    )


def _english_months(text: ir.StringValue) -> ir.StringValue:
    """Names of months in the Nordic languages, German or English, cut to English ones."""
    for names in MONTHS:
        english = names[-1] if names[-1] != "mär" else "mar"
        name = rf"(?i)\b({'|'.join(names)})[a-zæøåäöÆØÅÄÖ]*\.?"
        text = text.re_replace(name, english)
    return text
