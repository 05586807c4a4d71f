"""How the report writes numbers, amounts and dates, and where its sentences are translated.

Patterns, grouping and month names are the Unicode CLDR's, by Babel. Two things are mended here:
a negative number carries a real minus sign (U+2212), and a currency that is written with letters
keeps a space to its digits (CLDR's `currencySpacing`, which Babel leaves out).

Sentences are gettext messages with English as the source; `retention_lib.languages` has their
catalogs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from numbers import Integral, Real
from typing import Any, Final

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
    get_currency_symbol,
    parse_pattern,
)

from retention_lib.languages import catalog, languages
from retention_lib.metrics import Metric, Unit
from retention_lib.report.names import steady
from retention_lib.sentence import Counted, Sentence, counting

MISSING: Final = "–"
MINUS: Final = "−"
_NBSP: Final = "\N{NO-BREAK SPACE}"

Number = float | int | None


@dataclass(frozen=True)
class Formats:
    """Numbers, amounts, dates and sentences as the report's reader writes them.

    Parameters
    ----------
    language : str
        One of `retention_lib.languages.languages()`; its code is the locale's too.
    currency : str
        ISO 4217 code of every amount.

    Raises
    ------
    ValueError
        A language that the report isn't written in.
    """

    language: str = "en"
    currency: str = "USD"

    def __post_init__(self) -> None:
        if self.language not in languages():
            known = ", ".join(languages())
            raise ValueError(f"language: found {self.language!r}; the report speaks {known}")

    @cached_property
    def locale(self) -> Locale:
        """The locale whose patterns are used."""
        return Locale.parse(self.language)

    # Sentences ------------------------------------------------------------------------------

    def say(self, message: str, **values: object) -> str:
        """The message in the report's language, its `{name}`s replaced by the values.

        Raises
        ------
        ValueError
            The message names a value that wasn't given.
        """
        return fill(self._translated(message), values)

    def say_count(self, one: str, many: str, count: float, **values: object) -> str:
        """Like `say`, in the plural form that `count` asks for; a fraction counts as many."""
        return fill(catalog(self.language).ngettext(one, many, counting(count)), values)

    def tell(self, sentence: str, /, **values: object) -> str:
        """A sentence with its figures written: a `Metric` by its unit, an int as a count, a date
        as a date, text as it is. A `Sentence` brings its values along.
        """
        return "".join(self.told_in_pieces(sentence, **values))

    def told_in_pieces(self, sentence: str, /, **values: object) -> list[str]:
        """`tell` cut up: the sentence's own words at even places, its values at odd ones."""
        told, first = self._told(sentence, values)
        if isinstance(first, Sentence):
            # some languages write weekdays small, except where they begin a sentence
            told[1] = told[1][:1].upper() + told[1][1:]
        return told

    def written(self, value: object) -> str:
        """A value inside a sentence, which may be a sentence itself."""
        match value:
            case Metric(unit="currency", value=float(x)) if x.is_integer() and abs(x) >= 100:
                return self.money(x, 0)
            case Metric():
                return self.metric(value)
            case Sentence():
                return "".join(self._told(value, {})[0])
            case bool() | str():
                return steady(str(value))
            case date():
                return self.date(value)
            case Integral():
                return self.count(int(value))
            case Real():
                return self.number(float(value))
        return str(value)

    # Numbers --------------------------------------------------------------------------------

    def number(self, x: Number, digits: int = 2) -> str:
        """A plain number, rounded to `digits` decimals."""
        return _signed(x, _plain_numbers(self.locale, digits))

    def count(self, x: Number) -> str:
        """A whole number."""
        return self.number(x, 0)

    def share(self, x: Number, digits: int = 1) -> str:
        """A share of one as per cent: 0.717 → `71.7%`, `71,7 %`."""
        return _signed(x, _shares(self.locale, digits))

    def points(self, x: Number, digits: int = 1) -> str:
        """A difference of two shares, signed: 0.023 → `+2.3 percentage points`."""
        if _missing(x):
            return MISSING
        assert x is not None
        hundredfold = round(100 * x, digits)
        number = _signed(hundredfold, _plain_numbers(self.locale, digits), plus=True)
        return self.say_count(
            "{n} percentage point",
            "{n} percentage points",
            2 if digits else hundredfold,
            n=number,
        )

    def money(self, x: Number, digits: int | None = None) -> str:
        """An amount in the report's currency.

        Parameters
        ----------
        x : float, int or None
        digits : int, optional
            Decimals; by default none from 1,000 up, and the currency's own below.
        """
        if digits is None:
            digits = self._money_digits(x)
        return _signed(x, _amounts(self.locale, self.currency, digits))

    def days(self, x: Number) -> str:
        """A number of days, with the word."""
        if x is None or _missing(x):
            return MISSING
        return self.say_count("{n} day", "{n} days", x, n=self.number(x, _fraction_digits(x)))

    def months(self, x: Number) -> str:
        """A number of months, with the word."""
        if x is None or _missing(x):
            return MISSING
        return self.say_count("{n} month", "{n} months", x, n=self.number(x, _fraction_digits(x)))

    # Dates ----------------------------------------------------------------------------------

    def date(self, d: Any) -> str:
        """A day, in full; takes dates, pandas timestamps and ISO text."""
        day = _day(d)
        return MISSING if day is None else str(format_date(day, "long", locale=self.locale))

    def short_date(self, d: Any) -> str:
        """A day in a table, its month cut short."""
        day = _day(d)
        return MISSING if day is None else str(format_date(day, "medium", locale=self.locale))

    def month(self, d: Any, *, long: bool = False) -> str:
        """The month of a day, its name cut short for tables and axes or `long` for text."""
        day = _day(d)
        skeleton = "yMMMM" if long else "yMMM"
        return MISSING if day is None else str(format_skeleton(skeleton, day, locale=self.locale))

    def quarter(self, d: Any) -> str:
        """The quarter of a day."""
        day = _day(d)
        return MISSING if day is None else str(format_skeleton("yQQQ", day, locale=self.locale))

    def month_name(self, month: int) -> str:
        """A calendar month, January being 1, cut short for an axis."""
        return str(self.locale.months["stand-alone"]["abbreviated"][month])

    def period(self, start: Any, end: Any) -> str:
        """From one day to another, both of them in."""
        first, last = _day(start), _day(end)
        if first is None or last is None:
            return MISSING
        return str(format_interval(first, last, "yMMMd", locale=self.locale))

    # Metrics --------------------------------------------------------------------------------

    def value(self, x: Number, unit: Unit, digits: int | None = None) -> str:
        """A figure by its unit.

        `digits` are the decimals of a plain number, by default two; a large one has fewer.
        """
        digits = _number_digits(x, digits)
        by_unit: dict[str, Callable[[Number], str]] = {
            "count": self.count,
            "share": self.share,
            "currency": self.money,
            "days": self.days,
            "months": self.months,
            "ratio": self.number,
            "number": lambda number: self.number(number, digits),
        }
        return MISSING if _missing(x) else by_unit[unit](x)

    def metric(self, metric: Metric, digits: int | None = None) -> str:
        """A metric's value by its unit; an en dash where it can't be known."""
        return self.value(metric.value, metric.unit, digits)

    def interval(self, low: Number, high: Number, unit: Unit, digits: int | None = None) -> str:
        """From `low` to `high`, both with as many decimals as the larger one calls for."""
        if _missing(low) or _missing(high):
            return MISSING
        assert low is not None
        assert high is not None
        larger = max(abs(low), abs(high))
        if unit == "currency":
            digits = self._money_digits(larger) if digits is None else digits
            ends = self.money(low, digits), self.money(high, digits)
        else:
            digits = _number_digits(larger, digits)
            ends = self.value(low, unit, digits), self.value(high, unit, digits)
        return self.say("{low} to {high}", low=ends[0], high=ends[1])

    def change(self, metric: Metric) -> str | None:
        """What moved since the period before, signed, in the metric's unit.

        Shares move in percentage points. None where one of the two figures isn't known.
        """
        if metric.value is None or metric.previous is None:
            return None
        difference = metric.value - metric.previous
        if metric.unit == "share":
            return self.points(difference)
        unsigned = _Writer(lambda a: self.value(a, metric.unit))
        return _signed(difference, unsigned, plus=True)

    # ----------------------------------------------------------------------------------------

    def _told(self, sentence: str, values: Mapping[str, object]) -> tuple[list[str], object]:
        """The sentence cut up, and the value that it begins with, if it begins with one."""
        message: str | Counted = sentence
        if isinstance(sentence, Sentence):
            message, values = sentence.message, {**sentence.values, **values}
        if isinstance(message, Counted):
            forms = catalog(self.language)
            said = forms.ngettext(message.one, message.many, message.number(values))
        else:
            said = self._translated(message)
        parts = pieces(said, dict(values))
        told = [self.written(part) if n % 2 else part for n, part in enumerate(parts)]
        return told, None if parts[0] or len(parts) == 1 else parts[1]

    def _translated(self, message: str) -> str:
        # gettext answers an empty message with the head of its catalog
        return catalog(self.language).gettext(message) if message else message

    def _money_digits(self, x: Number) -> int:
        if x is not None and abs(x) >= 1000:
            return 0
        return int(get_currency_precision(self.currency))


def fill(sentence: str, values: dict[str, Any]) -> str:
    """The sentence with every `{name}` replaced by its value, once.

    Without values the sentence is taken as it stands, and braces inside a value are never read:
    text that comes from data can't act as a template.

    Raises
    ------
    ValueError
        The sentence names a value that wasn't given.
    """
    return "".join(str(part) for part in pieces(sentence, values))


def pieces(sentence: str, values: dict[str, Any]) -> list[Any]:
    """The sentence cut at its `{name}`s: its own words at even places, values at odd ones.

    Raises
    ------
    ValueError
        The sentence names a value that wasn't given.
    """
    if not values:
        return [sentence]
    parts: list[Any] = re.split(r"\{(\w+)\}", sentence)
    for i in range(1, len(parts), 2):
        name = parts[i]
        if name not in values:
            raise ValueError(
                f"the sentence {sentence!r} names {{{name}}}, which isn't among its values: "
                f"pass {name}=…"
            )
        parts[i] = values[name]
    return parts


def _missing(x: Number) -> bool:
    return x is None or not math.isfinite(x)


class _Writer:
    """How numbers without a sign are written, and what zero looks like there."""

    def __init__(self, write: Callable[[float], str]) -> None:
        self.write = write
        self.zero = write(0)


# Babel parses a pattern at each call; a report has thousands of numbers, in a handful of patterns.


@lru_cache
def _plain_numbers(locale: Locale, digits: int) -> _Writer:
    pattern = parse_pattern(_decimals("#,##0.00", digits))
    return _Writer(lambda a: str(format_decimal(a, pattern, locale=locale)))


@lru_cache
def _shares(locale: Locale, digits: int) -> _Writer:
    standard = locale.percent_formats[None].pattern
    pattern = parse_pattern(standard.replace("#,##0", _decimals("#,##0.00", digits)))
    return _Writer(lambda a: str(format_percent(a, pattern, locale=locale)))


@lru_cache
def _amounts(locale: Locale, currency: str, digits: int) -> _Writer:
    written = _decimals(locale.currency_formats["standard"].pattern.split(";")[0], digits)
    if get_currency_symbol(currency, locale)[-1:].isalpha():
        written = re.sub(r"¤(?=[#0])", f"¤{_NBSP}", written)
    pattern = parse_pattern(written)
    return _Writer(
        lambda a: str(format_currency(a, currency, pattern, locale=locale, currency_digits=False))
    )


def _signed(x: Number, how: _Writer, *, plus: bool = False) -> str:
    """The number with its sign in front; what rounds to zero has none."""
    if x is None or _missing(x):
        return MISSING
    text = how.write(abs(x))
    if x == 0 or text == how.zero:
        return text
    return (MINUS if x < 0 else "+" if plus else "") + text


def _decimals(pattern: str, digits: int) -> str:
    """A CLDR number pattern with this many decimals."""
    return re.sub(r"0\.0+", "0." + "0" * digits if digits else "0", pattern)


def _number_digits(x: Number, wanted: int | None) -> int:
    """Decimals of a plain number: two, or as wanted; from 1,000 up none, or one where some are.

    A log-likelihood is read to one decimal, as the literature prints it.
    """
    if x is None or abs(x) < 1_000:
        return 2 if wanted is None else wanted
    return 0 if wanted is None else min(wanted, 1)


def _fraction_digits(x: Number) -> int:
    """No decimals for a whole number of days, one for a median that falls between two."""
    return 0 if x is None or _missing(x) or float(x).is_integer() else 1


def _day(d: Any) -> date | None:
    """The calendar day of whatever the data holds; None for NaT and None."""
    if isinstance(d, str):
        return date.fromisoformat(d[:10])
    if d is None or d != d:  # NaT is not equal to itself
        return None
    if isinstance(d, datetime):
        return d.date()
    if isinstance(d, date):
        return d
    return date.fromisoformat(str(d)[:10])  # numpy.datetime64, pandas.Period of a day
