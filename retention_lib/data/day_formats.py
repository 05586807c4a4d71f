"""In which format a column of dates is written: 31.12.2025, 31/12-25, 20251231, 46022, 1767139200.

One answer for the whole column. Each value is read in every way that its shape allows; a format
that reads values which its rival can't is right. Where no value tells two formats apart, there is
no answer.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: Of the dates that tell two formats apart, this share may say otherwise: they are typing errors.
FEW: Final = 0.02
#: Orders span this many years at most; a reading that spans as many as days or months is wrong.
_FEW_YEARS: Final = 10
_MANY_YEARS: Final = 20

#: Days as spreadsheets count them.
EXCEL: Final = "excel"
#: Moments as programs count them: seconds since 1970 in UTC, or thousandths and smaller parts.
EPOCH: Final = "epoch"
ISO: Final = None
EXCEL_EPOCH: Final = dt.date(1899, 12, 30)
UNIX_EPOCH: Final = dt.date(1970, 1, 1)

MONTHS: Final = (
    ("jan",),
    ("feb",),
    ("mar", "mär"),
    ("apr",),
    ("mai", "maj", "may"),
    ("jun",),
    ("jul",),
    ("aug",),
    ("sep",),
    ("okt", "oct"),
    ("nov",),
    ("des", "dez", "dec"),
)
_MONTH: Final = {name: i for i, names in enumerate(MONTHS, start=1) for name in names}

_TIME: Final = re.compile(r"(?:T|,?\s+(?:kl\.?\s*)?)\d{1,2}[:.]\d{2}.*$")
_SEPARATOR: Final = r"(\. |\.|/|-| )"
_THREE: Final = re.compile(rf"(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{4}}|\d{{2}})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_NAMED: Final = re.compile(r"(\d{1,2})(\.?[ -])([a-zæøåäö]{3,10})(\.?,?[ -])(\d{4}|\d{2})")
_NAMED_US: Final = re.compile(r"([a-zæøåäö]{3,10})(\.? )(\d{1,2})(,? )(\d{4})")
_SERIAL: Final = re.compile(r"(\d{5})(?:[.,]\d+)?")
_SECONDS: Final = re.compile(r"([1-3]\d{9})(?:(?:\d{3}){1,3}|[.,]\d+)?")
_TIME_DIRECTIVE: Final = re.compile("%-?[HIMSfpzZTXc]")

#: A format and the day that a value is in it.
Reading = tuple[str | None, dt.date]


@dataclass(frozen=True)
class DayFormat:
    """How dates are written.

    Parameters
    ----------
    pattern : str or None
        strptime pattern of the day, None for ISO 8601, `EXCEL` for serial days, `EPOCH` for
        seconds since 1970.
    rivals : tuple
        The patterns that can't be told apart, the better one first; empty where there is an answer.
    example : str
        A value on which the rivals differ.
    mixed : bool
        Whether some values fit only the one rival and some only the other.
    fits : float
        Share of the values that are dates in the format; 1 of none.
    """

    pattern: str | None = None
    rivals: tuple[str | None, ...] = ()
    example: str = ""
    mixed: bool = False
    fits: float = 1.0

    @property
    def question(self) -> str | None:
        """Why the format can't be told, where that is so."""
        if not self.rivals:
            return None
        names = " or ".join(pattern or "%Y-%m-%d" for pattern in self.rivals)
        days = {p: day for p, day in readings(self.example) if p in self.rivals}
        ways = " or ".join(_in_words(days[p]) for p in self.rivals)
        if self.mixed:
            return (
                f"{self.example} can be {ways}, and of the other dates some are only the one and "
                f"some only the other; write {names}, and those that don't fit are left out and "
                "counted"
            )
        return f"{self.example} can be {ways}, and no date of the column tells; write {names}"


def day_format(values: Iterable[str]) -> DayFormat:
    """The format of a column of dates."""
    texts = Counter(text for value in values if (text := value.strip()))
    total = sum(texts.values())
    fits: Counter[str | None] = Counter()
    only: Counter[tuple[str | None, str | None]] = Counter()
    differ: dict[tuple[str | None, str | None], str] = {}
    years: dict[str | None, set[int]] = defaultdict(set)
    read = [(text, count, dict(readings(text))) for text, count in texts.items()]
    for _, count, days in read:
        for pattern, day in days.items():
            fits[pattern] += count
            years[pattern].add(day.year)
    if not fits:
        return DayFormat(fits=0.0 if total else 1.0)
    for text, count, days in read:
        for p, q in itertools.permutations(fits, 2):
            if p in days and q not in days:
                only[p, q] += count
            elif p in days and q in days and days[p] != days[q]:
                differ.setdefault((p, q), text)
    # 46022 and 12.31 as the same text are no rivals: the one that reads more is right
    best = max(fits, key=lambda p: (fits[p], _span(years[p]) <= _FEW_YEARS, -_rank(p)))
    for rival in sorted((p for p in fits if p != best), key=_rank):
        if (best, rival) not in differ:
            continue
        against, for_it = only[rival, best], only[best, rival]
        if _span(years[best]) <= _FEW_YEARS and _span(years[rival]) >= _MANY_YEARS:
            continue
        if not for_it or against > FEW * (against + for_it):
            return DayFormat(
                pattern=best,
                rivals=(best, rival),
                example=differ[best, rival],
                mixed=bool(against),
                fits=fits[best] / total,
            )
    return DayFormat(pattern=best, fits=fits[best] / total)


@lru_cache(maxsize=20_000)
def readings(text: str) -> tuple[Reading, ...]:
    """Every format in which a text is a day, with that day; a time of day behind it is let be."""
    day = _TIME.sub("", text.strip())
    if match := _YEAR_FIRST.fullmatch(day):
        year, sign, month, number = match.groups()
        return _valid([(ISO if sign != "." else "%Y.%m.%d", year, month, number)])
    if match := _THREE.fullmatch(day):
        first, a, second, b, third = match.groups()
        y = "%Y" if len(third) == 4 else "%y"
        ways = [
            (f"%d{a}%m{b}{y}", third, second, first),
            (f"%m{a}%d{b}{y}", third, first, second),
        ]
        if y == "%y" and a == b == "-":
            ways.append(("%y-%m-%d", first, second, third))
        return _valid(ways)
    if re.fullmatch(r"\d{8}", day):
        return _valid(
            [
                ("%Y%m%d", day[:4], day[4:6], day[6:]),
                ("%d%m%Y", day[4:], day[2:4], day[:2]),
                ("%m%d%Y", day[4:], day[:2], day[2:4]),
            ]
        )
    if re.fullmatch(r"\d{6}", day):
        return _valid(
            [
                ("%d%m%y", day[4:], day[2:4], day[:2]),
                ("%y%m%d", day[:2], day[2:4], day[4:]),
            ]
        )
    if match := _SERIAL.fullmatch(day):
        serial = int(match[1])
        # 1954 to 2119: numbers outside are amounts or ids
        if 20_000 <= serial <= 80_000:
            return ((EXCEL, EXCEL_EPOCH + dt.timedelta(days=serial)),)
        return ()
    if match := _SECONDS.fullmatch(day):
        # 2001 to 2096; a day and its hour in ten digits, such as 2024013110, is no count
        if len(day) == 10 and int(day[8:]) < 24 and _valid([(None, day[:4], day[4:6], day[6:8])]):
            return ()
        return ((EPOCH, UNIX_EPOCH + dt.timedelta(seconds=int(match[1]))),)
    return _named(day.lower())


def has_time(pattern: str) -> bool:
    """Whether a pattern has a time of day."""
    return _TIME_DIRECTIVE.search(pattern) is not None


def _named(day: str) -> tuple[Reading, ...]:
    if match := _NAMED.fullmatch(day):
        number, a, name, b, year = match.groups()
        y = "%Y" if len(year) == 4 else "%y"
        return _valid([(f"%d{a}%b{b.lstrip('.')}{y}", year, _month(name), number)])
    if match := _NAMED_US.fullmatch(day):
        name, _, number, b, year = match.groups()
        return _valid([(f"%b %d{b}%Y", year, _month(name), number)])
    return ()


def _month(name: str) -> str:
    return str(_MONTH.get(name[:3], 0))


def _valid(ways: Iterable[tuple[str | None, str, str, str]]) -> tuple[Reading, ...]:
    found = []
    for pattern, year, month, day in ways:
        y = int(year)
        if len(year) == 2:  # as POSIX has it
            y += 1900 if y >= 69 else 2000
        if not 1900 <= y <= 2199:
            continue
        try:
            found.append((pattern, dt.date(y, int(month), int(day))))
        except ValueError:
            continue
    return tuple(found)


def _rank(pattern: str | None) -> int:
    """Which format is named first where nothing tells them apart."""
    text = pattern or "%Y"
    return {"%Y": 0, "%d": 1, "%m": 2, "%b": 2, "%y": 3}.get(text[:2], 4)


def _span(years: set[int]) -> int:
    return max(years) - min(years)


def _in_words(day: dt.date) -> str:
    names = "January February March April May June July August September October November December"
    ending = "th" if 10 < day.day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"the {day.day}{ending} of {names.split()[day.month - 1]} {day.year}"
