"""What the cells of a column look like, whatever its name: shares of dates, numbers, ids.

Readings here are lenient on purpose: they tell a column of dates from one of amounts. How a cell is
really read stands in `data.text`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import pandas as pd

_TIME: Final = (
    r"([T ,]+\d{1,2}[:.]\d{2}([:.]\d{2}([.,]\d+)?)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|GMT|[+-]\d{2}(:?\d{2})?)?)?"
)
_MONTH: Final = (
    r"(jan|feb|mar|mär|apr|mai|maj|may|jun|jul|aug|sep|okt|oct|nov|des|dez|dec)[a-zä]*\.?"
)
_YEAR: Final = r"(\d{4}|\d{2})"
_DATE: Final = re.compile(
    rf"(\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\s?\d{{1,2}}[-/.]\s?{_YEAR}"
    rf"|\d{{1,2}}\.?[ -]{_MONTH}[ ,-]+{_YEAR}|{_MONTH} \d{{1,2}},? \d{{4}}){_TIME}",
    re.IGNORECASE,
)
_COMPACT_DATE: Final = re.compile(
    r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([T ]?\d{4,6})?"
)
#: Days since 1900, and seconds since 1970 with their thousandths and smaller parts.
_COUNTS: Final = ((20_000, 80_000), *((10.0**n, 2 * 10.0**n) for n in (9, 12, 15, 18)))
_MONEY_SIGN: Final = r"(?:kr\.?|[€$£]|[A-Za-z]{3})?"
_MINUS: Final = "−–-"  # the hyphen last: elsewhere it would make a range
_NUMBER: Final = re.compile(
    rf"(\()?\s*([+{_MINUS}])?\s*{_MONEY_SIGN}\s*([+{_MINUS}])?\s*"
    r"(\d[\d .,'’\u00a0\u2009\u202f]*|[.,]\d+)"
    rf"(?:(?<=[.,])[-–])?\s*{_MONEY_SIGN}\s*([-−])?\s*\)?"
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
#: Fewer cells than this say little about how often a value comes again.
FEW: Final = 20


@dataclass(frozen=True)
class Contents:
    """A column's cells in figures; shares are of the cells that hold something.

    Attributes
    ----------
    cells : int
        That hold something.
    filled, distinct : float
        Share of all cells that hold something; different values per filled cell.
    values : int
        Different values.
    dates, compact_dates, serials : float
        Cells that read as a date; as 20251231; as a spreadsheet's count of days or a program's of
        seconds.
    numbers, whole, negative : float
        Cells that read as a number; of the numbers, those that are whole, and below zero.
    typical : float
        Median size of the numbers.
    in_order : float
        Share of the steps from number to number that go the same way, or none.
    one_length : float
        Cells of the most frequent length.
    emails, three_letters, coded, long_text : float
        Cells that are e-mail addresses; three letters; that have a digit; of more than 25 letters.
    """

    cells: int
    filled: float
    distinct: float
    values: int
    dates: float
    compact_dates: float
    serials: float
    numbers: float
    whole: float
    negative: float
    typical: float
    in_order: float
    one_length: float
    emails: float
    three_letters: float
    coded: float
    long_text: float

    @property
    def looks_like_ids(self) -> bool:
        """Whole numbers that are new in each row, or sorted, or all of one length."""
        if self.numbers < 0.9 or self.whole < 0.99 or self.typical < 100 or self.cells < 5:
            return False
        is_new = self.distinct > 0.9 and (self.in_order > 0.8 or self.typical >= 10_000)
        is_sorted = self.in_order > 0.98 and self.values >= FEW
        is_coded = self.one_length > 0.98 and self.typical >= 10_000 and self.values >= FEW
        return self.negative == 0 and (is_new or is_sorted or is_coded)


def cells_of(column: pd.Series) -> pd.Series:
    """The cells that hold something, as text without spaces around it."""
    text = column.dropna().astype(str).str.strip()
    return text[text != ""]


def contents(column: pd.Series) -> Contents:
    """Look at a column of text cells."""
    text = cells_of(column)
    n = len(text)
    unique = text.nunique()
    dates = _matches(text, _DATE)
    known = numbers(text[~dates]).dropna()
    steps = known.diff().dropna()
    return Contents(
        cells=n,
        filled=n / len(column) if len(column) else 0.0,
        distinct=unique / n if n else 0.0,
        values=unique,
        dates=_share(dates),
        compact_dates=_share(_matches(text, _COMPACT_DATE)),
        serials=float(sum(known.between(*span).sum() for span in _COUNTS)) / n if n else 0.0,
        numbers=len(known) / n if n else 0.0,
        whole=_share(known == known.round()),
        negative=_share(known < 0),
        typical=float(known.abs().median()) if len(known) else 0.0,
        in_order=max(_share(steps >= 0), _share(steps <= 0)),
        one_length=float(text.str.len().value_counts(normalize=True).max()) if n else 0.0,
        emails=_share(_matches(text, _EMAIL)),
        three_letters=_share(_matches(text, re.compile(r"[A-Za-z]{3}"))),
        coded=_share(_matches(text, re.compile(r"(?s).*\d.*"))),
        long_text=_share(text.str.len() > 25),
    )


def numbers(column: pd.Series) -> pd.Series:
    """Numbers out of text cells, NaN where there is none.

    Which of point and comma is the decimal sign, the whole column shows.
    """
    found = [_NUMBER.fullmatch(str(cell).strip()) for cell in column.fillna("")]
    digits = [re.sub(r"[^\d.,]", "", m[4]).rstrip(".,") if m else "" for m in found]
    decimal = _decimal_sign([d for d in digits if d])
    other = "." if decimal == "," else ","
    values = [
        _number(cell.replace(other, "").replace(decimal, ".")) * (-1 if _is_negative(m) else 1)
        for cell, m in zip(digits, found, strict=True)
    ]
    return pd.Series(values, index=column.index, dtype="float64")


def _number(digits: str) -> float:
    # a sign that stands twice, or nothing at all, makes no number
    return float(digits) if digits.count(".") <= 1 and digits.strip(".") else math.nan


def _is_negative(match: re.Match[str] | None) -> bool:
    return match is not None and any((match[1], *(match[n] in [*_MINUS] for n in (2, 3, 5))))


def _decimal_sign(cells: list[str]) -> str:
    """The sign after which stand other than three digits, or that is the last of two."""
    votes = {",": 0, ".": 0}
    for cell in cells:
        last = max(",", ".", key=cell.rfind)
        if cell.count(last) == 1 and (len({*cell} & {",", "."}) == 2 or cell[-4:-3] != last):
            votes[last] += 1
    return max(".", ",", key=lambda sign: votes[sign])


def _matches(text: pd.Series, pattern: re.Pattern[str]) -> pd.Series:
    return pd.Series([bool(pattern.fullmatch(cell)) for cell in text], text.index, dtype=bool)


def _share(condition: pd.Series) -> float:
    return float(condition.mean()) if len(condition) else 0.0
