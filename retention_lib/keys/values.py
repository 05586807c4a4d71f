"""What one value of the client file may be: types that say in words what they allow.

A type is pydantic's own with an `Allowed` at its end, so a bound stands once in the code and a
refusal reads the same wherever the value came from. No text may carry a literal password.
"""

from __future__ import annotations

import codecs
import datetime as dt
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from retention_lib.keys.refusals import Allowed, conflict, nearest, one_of, refused
from retention_lib.keys.secrets import SECRET_FOUND, holds_secret
from retention_lib.languages import languages
from retention_lib.metrics import UNBOUNDED, UNITS, general, is_metric, unit_of

# Text ----------------------------------------------------------------------------------------


#: Signs that part lines or words; a column's name may hold one, what stands on a line may not.
_SPACES: Final = "\n\t\x85"


def _text(value: str) -> str:
    """Refuse text that is blank, can't be printed or carries a password."""
    if not value.strip() or any(c not in _SPACES and _is_control(c) for c in value):
        raise ValueError
    value.encode()
    if holds_secret(value):
        raise conflict(SECRET_FOUND)
    return value


def _is_control(sign: str) -> bool:
    """Whether a sign moves the cursor of a terminal instead of being printed."""
    return ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0


def checked_line(value: str) -> str:
    """Text on one line, as `_text` allows it; ValueError otherwise."""
    if any(c in _SPACES for c in value):
        raise ValueError
    return _text(value)


def _guest_id(value: object) -> object:
    """An id written as a whole number is that text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[
    str, Strict(), Field(min_length=1), AfterValidator(_text), Allowed("text", kind="text")
]
Line = Annotated[
    str, Strict(), Field(min_length=1), AfterValidator(checked_line), Allowed("text", kind="text")
]
Slug = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"),
    Allowed("a short name of a-z, 0-9, _ and -, such as acme", kind="text"),
]
GuestId = Annotated[
    str,
    Strict(),
    AfterValidator(checked_line),
    BeforeValidator(_guest_id),
    WithJsonSchema({"type": ["string", "integer"]}),
    Allowed("an id, as text or whole number", kind="text"),
]


def _metric(value: str) -> str:
    if not is_metric(value):
        near = nearest(value, UNITS)
        hint = f"did you mean {near}?" if near else "docs/method.md lists them"
        raise refused(_METRIC, hint)
    return value


_METRIC = "a metric's name such as retention.rate"
MetricId = Annotated[
    str,
    Strict(),
    Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$"),
    AfterValidator(_metric),
    Allowed(_METRIC),
]


def figure_of(metric: str, value: float) -> float:
    """A figure that a metric can have; a share lies between 0 and 1."""
    if unit_of(metric) == "share" and general(metric) not in UNBOUNDED and not 0 <= value <= 1:
        hint = f"; write it as {value / 100:.10g}" if 1 < value <= 100 else ""
        raise conflict(f"found {value:.10g}; {metric} is a share, between 0 and 1{hint}")
    return value


Accent = Annotated[
    str,
    Strict(),
    Field(pattern=r"^#[0-9A-Fa-f]{6}$"),
    Allowed('a colour such as "#1f4e79", in quotes since # starts a comment'),
]


# Words from a list ---------------------------------------------------------------------------


def _language(value: object) -> object:
    if value is False:
        raise conflict("YAML reads a bare no as false; write nb for Norwegian")
    return value


def _language_hint(value: str) -> str:
    meant = {"no": "nb", "nn": "nb", "dk": "da", "se": "sv"}.get(value.lower())
    if meant:
        raise refused(SPOKEN.phrase, f"did you mean {meant}?")
    return value


SPOKEN = one_of(*languages())
if TYPE_CHECKING:
    _Spoken = str
else:
    _Spoken = Literal[languages()]
Language = Annotated[
    _Spoken,
    BeforeValidator(_language),
    BeforeValidator(lambda v: _language_hint(v) if isinstance(v, str) else v),
    SPOKEN,
]
Returns = Annotated[Literal["net", "drop"], one_of("net", "drop")]
Deduplicate = Annotated[Literal["none", "exact"], one_of("none", "exact")]
CohortPeriod = Annotated[Literal["month", "quarter", "year"], one_of("month", "quarter", "year")]
Dimension = Annotated[
    Literal["market", "channel", "category"], one_of("market", "channel", "category")
]
_MODELS = ("auto", "bgnbd", "mbgnbd", "paretonbd")
Model = Annotated[Literal["auto", "bgnbd", "mbgnbd", "paretonbd"], one_of(*_MODELS)]
TimeUnit = Annotated[Literal["day", "week"], one_of("day", "week")]


def _currency(value: str) -> str:
    # imported here: few callers check a currency, all import this module
    from babel.numbers import list_currencies

    known = list_currencies()
    if value not in known:
        near = value.strip().upper()
        raise refused(_CURRENCY, f"did you mean {near}?" if near in known else "")
    return value


_CURRENCY = "a three-letter ISO 4217 code such as NOK"
Currency = Annotated[
    str,
    Strict(),
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"}),
    Allowed(_CURRENCY),
]


@cache
def _timezones() -> frozenset[str]:
    # names of the machine at hand, which an engine or another machine doesn't know
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def _timezone(value: str) -> str:
    if value not in _timezones():
        by_city = {name.rpartition("/")[2]: name for name in sorted(_timezones())}
        near = by_city.get(nearest(value, by_city) or "") or nearest(value, _timezones())
        raise refused(_TIMEZONE, f"did you mean {near}?" if near else "")
    return value


_TIMEZONE = "an IANA time zone such as Europe/Oslo"
Timezone = Annotated[str, Strict(), AfterValidator(_timezone), Allowed(_TIMEZONE)]


def _encoding(value: str) -> str:
    try:
        codecs.lookup(value)
    except LookupError:  # which pydantic would let through
        raise ValueError from None
    return value


Encoding = Annotated[
    str,
    Strict(),
    AfterValidator(_encoding),
    Allowed("an encoding such as utf-8 or windows-1252"),
]
Delimiter = Annotated[
    str,
    Strict(),
    BeforeValidator(lambda v: "\t" if v in ("\\t", "tab") else v),
    Field(min_length=1, max_length=1),
    Allowed('one sign in quotes, such as ";" or "\\t" for a tab'),
]
DecimalSign = Annotated[Literal[".", ","], Allowed('"." or ","')]
ThousandsSign = Annotated[
    Literal[".", ",", " ", "\u00a0", "\u202f", "'", "\u2019"],
    Allowed('a point, comma, space or apostrophe, in quotes, such as "."'),
]
DatePattern = Annotated[
    str,
    Strict(),
    Field(pattern="%[A-Za-z]|^excel$|^epoch$"),
    AfterValidator(checked_line),
    Allowed(
        'a strptime pattern such as "%d.%m.%Y", excel for serial days, or epoch for seconds since '
        "1970"
    ),
]


# Numbers and days ----------------------------------------------------------------------------

_Finite = Field(allow_inf_nan=False)
Months = Annotated[
    int,
    Strict(),
    Field(ge=1, le=1200),
    Allowed("a whole number of months, from 1 to 1200", kind="number"),
]
Number = Annotated[float, Strict(), _Finite, Allowed("a number", kind="number")]
Money = Annotated[
    float, Strict(), _Finite, Field(ge=0), Allowed("a number, 0 or more", kind="number")
]
Rate = Annotated[float, Strict(), _Finite, Field(gt=0), Allowed("a number above 0", kind="number")]
Share = Annotated[
    float,
    Strict(),
    _Finite,
    Field(gt=0, le=1),
    Allowed("a number above 0 and at most 1, such as 0.45", kind="number"),
]
YearlyRate = Annotated[
    float,
    Strict(),
    _Finite,
    Field(ge=0, lt=10),
    Allowed("a number from 0 and below 10, such as 0.10 for 10 % a year", kind="number"),
]
Flag = Annotated[bool, Strict(), Allowed("true or false")]


def _day(value: object) -> dt.date:
    if isinstance(value, str):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return dt.date.fromisoformat(value)
        if nordic := re.fullmatch(r"(\d\d?)\.(\d\d?)\.(\d{4})", value):
            day, month, year = map(int, nordic.groups())
            raise refused(_DAY, f"write it as {dt.date(year, month, day).isoformat()}")
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise ValueError


_DAY = "a date such as 2024-12-31"
Day = Annotated[dt.date, BeforeValidator(_day), Allowed(_DAY)]


# Mappings ------------------------------------------------------------------------------------


#: A tier's name stands in headings and figures.
_LONGEST_TIER = 40


def _tiers(value: dict[str, float]) -> dict[str, float]:
    long = max(map(len, value), default=0)
    if long > _LONGEST_TIER:
        raise conflict(f"found a name of {long} characters; a tier's has at most {_LONGEST_TIER}")
    total = math.fsum(value.values())
    if not math.isclose(total, 1, rel_tol=0, abs_tol=1e-9):
        raise conflict(f"the shares add up to {total:.10g}; allowed is a total of 1")
    return value


Fx = Annotated[
    dict[Currency, Rate], Allowed("a mapping from currency codes to numbers, such as {EUR: 11.5}")
]
Tiers = Annotated[
    dict[Line, Share],
    AfterValidator(_tiers),
    Allowed("a mapping from names, best first, to shares of customers that add up to 1"),
]


def _targets(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
    """Every goal that its metric can't have, each at its own key, beside what else is wrong."""
    found: list[InitErrorDetails] = []
    try:
        checked = inner(value)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            kind = PydanticCustomError(one["type"], "{rest}", one.get("ctx"))
            found.append({"type": kind, "loc": one["loc"], "input": one["input"]})
        told = {one["loc"][0] for one in found if one["loc"]}
        checked = {k: v for k, v in value.items() if k not in told} if told else {}
    for metric, goal in checked.items():
        try:
            figure_of(metric, goal)
        except PydanticCustomError as wrong:
            found.append({"type": wrong, "loc": (metric,), "input": goal})
    if found:
        raise ValidationError.from_exception_data("targets", found)
    return checked


Targets = Annotated[
    dict[MetricId, Number],
    WrapValidator(_targets),
    Allowed("a mapping from metrics to numbers, such as {retention.rate: 0.45}"),
]
