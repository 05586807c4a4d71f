"""With which signs a column of amounts is written: 1 234,50, 1.234,50, 1'234.50, kr 12,-.

One answer for the whole column. A single sign before three digits (1.234) says nothing: it counts
as what the rest of the column makes of it, and where the rest says nothing either, there is no
answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

#: Of the amounts that tell, this share may say otherwise: they are typing errors.
FEW: Final = 0.05

_SPACES: Final = re.compile("[\\s\u00a0\u2007\u2009\u202f]+")
_FORM: Final = re.compile(
    r"(?P<before>[^\d.,]*(?:kr\.)?[^\d.,]*)(?P<number>\d[\d .,'’]*|[.,]\d+)(?P<after>[^\d]*)",
    re.IGNORECASE,
)
_DASHED: Final = re.compile(r"[.,:]\s?[-–—]\s*$")
_GROUPED: Final = r"\d{{1,3}}(?:{sign}\d{{3}})+"
_MARKS: Final = {"€": "EUR", "£": "GBP", "$": "USD", "kr": "kr", "kr.": "kr", ",-": "", "¥": "JPY"}
_KRONER: Final = ("NOK", "SEK", "DKK", "ISK")


@dataclass(frozen=True)
class AmountSigns:
    """How amounts are written.

    Parameters
    ----------
    decimal : str or None
        None where no amount has decimals.
    thousands : str or None
    marks : tuple of str
        What stands for a currency beside the number.
    question : str or None
        Why the decimal sign can't be told, where that is so.
    fits : float
        Share of the amounts that are numbers in these signs; 1 of none.
    """

    decimal: str | None = None
    thousands: str | None = None
    marks: tuple[str, ...] = ()
    question: str | None = None
    fits: float = 1.0


def amount_signs(
    values: Iterable[str], decimal: str | None = None, thousands: str | None = None
) -> AmountSigns:
    """The signs of a column of amounts.

    Parameters
    ----------
    values : iterable of str
    decimal, thousands : str, optional
        What the client file says, which always wins.
    """
    texts = Counter(text for value in values if (text := _SPACES.sub(" ", value).strip()))
    marks: Counter[str] = Counter()
    votes: Counter[tuple[str, str]] = Counter()
    shown: dict[tuple[str, str], str] = {}
    numbers: list[tuple[str, int]] = []
    for text, count in texts.items():
        form = split_amount(text)
        if form is None:
            continue
        number, mark = form
        numbers.append((number, count))
        if mark:
            marks[mark] += count
        for vote in _evidence(number):
            votes[vote] += count
            shown.setdefault(vote, text if len(text) <= 40 else f"{text[:39]}…")
    if decimal is None and thousands in (".", ","):
        decimal = _other(thousands)
    question = None
    if decimal is None:
        decimal, question = _decimal(votes, shown)
    if thousands is None:
        thousands = _thousands(votes, decimal)
    total = sum(texts.values())
    fitting = sum(n for number, n in numbers if _reads(number, decimal, thousands))
    return AmountSigns(
        decimal, thousands, tuple(sorted(marks)), question, fitting / total if total else 1.0
    )


def split_amount(text: str) -> tuple[str, str] | None:
    """An amount's number without its sign, and its currency's mark; None where it is no amount.

    Examples
    --------
    >>> split_amount("kr 1 234,50"), split_amount("(12,-)"), split_amount("3 apples")
    (('1 234,50', 'kr'), ('12', ''), None)
    """
    text = _SPACES.sub(" ", text).replace("−", "-").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    text = _DASHED.sub("", text)
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    before, after = (form[name].strip(" +-–") for name in ("before", "after"))
    # the point of "12,50 kr." stands after the mark, that of "12." in the number
    number = form["number"].strip()
    if before and after:
        return None
    mark = before or after
    if mark and not is_mark(mark):
        return None
    return number, mark


def is_mark(text: str) -> bool:
    """Whether a text stands for a currency: a sign, kr or an ISO 4217 code."""
    return text.lower() in _MARKS or text.upper() in _codes()


def currency_of(mark: str) -> tuple[str, ...]:
    """The currencies that a mark can stand for."""
    sign = mark.lower()
    if sign in ("kr", "kr."):
        return _KRONER
    if sign == "$":
        return tuple(code for code in _codes() if code.endswith("D"))
    return (_MARKS.get(sign) or mark.upper(),)


@cache
def _codes() -> frozenset[str]:
    # imported here: it takes a while, and most amounts have no mark
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def _evidence(number: str) -> list[tuple[str, str]]:
    """What one number says: (role, sign), role decimal, thousands or open."""
    said: list[tuple[str, str]] = []
    grouped = re.match(_GROUPED.format(sign="[ '’]"), number)
    if grouped:
        said += [("thousands", sign) for sign in set(re.findall("[ '’]", grouped[0]))]
    points, commas = number.count("."), number.count(",")
    if not points and not commas:
        return said
    # what is no number, such as 12,34,5, says nothing
    if points and commas:
        last = "." if number.rfind(".") > number.rfind(",") else ","
        whole = number.rpartition(last)[0]
        if number.count(last) == 1 and _is_grouped(whole, _other(last)):
            said += [("decimal", last), ("thousands", _other(last))]
        return said
    sign = "." if points else ","
    if points + commas > 1:
        return [*said, ("thousands", sign)] if _is_grouped(number, sign) else said
    whole, _, rest = number.partition(sign)
    is_open = len(rest) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    return [*said, ("open" if is_open and not grouped else "decimal", sign)]


def _is_grouped(number: str, sign: str) -> bool:
    return re.fullmatch(_GROUPED.format(sign=re.escape(sign)), number) is not None


def _decimal(
    votes: Counter[tuple[str, str]], shown: dict[tuple[str, str], str]
) -> tuple[str | None, str | None]:
    """The decimal sign, and why it can't be told where that is so."""
    comma = votes["decimal", ","] + votes["thousands", "."]
    point = votes["decimal", "."] + votes["thousands", ","]
    if comma or point:
        if min(comma, point) > FEW * (comma + point):
            with_comma = shown.get(("decimal", ",")) or shown[("thousands", ".")]
            with_point = shown.get(("decimal", ".")) or shown[("thousands", ",")]
            return None, (
                f"some amounts have a decimal comma ({with_comma}) and others a decimal point "
                f'({with_point}); write "," or ".", and the others are left out and counted'
            )
        return ("," if comma > point else "."), None
    signs = [sign for sign in ".," if votes["open", sign]]
    if not signs:
        return None, None
    if len(signs) == 2:
        return None, (
            f"{shown['open', '.']} and {shown['open', ',']} can't both be thousands, and no other "
            'amount of the column tells; write "," or "."'
        )
    if any(votes["thousands", sign] for sign in " '’"):
        return signs[0], None  # thousands have a sign of their own
    example, sign = shown["open", signs[0]], signs[0]
    number = (split_amount(example) or (example, ""))[0]
    whole, _, rest = number.partition(sign)
    return None, (
        f"{example} can be {whole}{rest} or {whole} and a bit, and no other amount of the column "
        f'tells; write "{_other(sign)}" where it is {whole}{rest}, "{sign}" where it is a bit more '
        f"than {whole}"
    )


def _thousands(votes: Counter[tuple[str, str]], decimal: str | None) -> str | None:
    found = {
        sign: votes["thousands", sign] + votes["open", sign]
        for sign in (".", ",", " ", "'", "’")
        if sign != decimal and (decimal is not None or sign not in ".,")
    }
    best = max(found, key=lambda sign: found[sign])
    return best if found[best] else None


def _reads(number: str, decimal: str | None, thousands: str | None) -> bool:
    group = "[ " + re.escape(thousands or "") + "]"
    whole = rf"(?:{_GROUPED.format(sign=group)}|\d+)"
    rest = rf"(?:[{decimal or '.,'}]\d*)?"
    return re.fullmatch(rf"(?:{whole}{rest}|[{decimal or '.,'}]\d+)", number) is not None


def _other(sign: str) -> str:
    return "," if sign == "." else "."
