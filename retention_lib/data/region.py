"""Language, currency and time zone that a file speaks of: by its headers, codes and signs."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from retention_lib.data.contents import cells_of
from retention_lib.data.words import read_name

#: language of the headers → name, currency, time zone, the report's language
_COUNTRIES: Final = {
    "nb": ("Norwegian", "NOK", "Europe/Oslo", "nb"),
    "da": ("Danish", "DKK", "Europe/Copenhagen", "da"),
    "sv": ("Swedish", "SEK", "Europe/Stockholm", "sv"),
    "de": ("German", "EUR", "Europe/Berlin", "en"),
}
_ZONE_OF_CURRENCY: Final = {
    "NOK": "Europe/Oslo",
    "DKK": "Europe/Copenhagen",
    "SEK": "Europe/Stockholm",
    "GBP": "Europe/London",
    "CHF": "Europe/Zurich",
    "ISK": "Atlantic/Reykjavik",
}
_SIGNS: Final = {"€": "EUR", "£": "GBP", "$": "USD"}
#: Codes that stand beside amounts or in headers.
_CODES: Final = (
    *("NOK", "DKK", "SEK", "EUR", "USD", "GBP", "CHF", "ISK", "PLN", "CZK", "HUF", "RON", "CAD"),
    *("AUD", "NZD", "JPY", "CNY", "INR", "BRL", "TRY", "ZAR", "MXN", "SGD", "HKD"),
)
#: English words stand in many a foreign export, foreign ones in no English one.
_ENGLISH: Final = 0.4
_IN_DOUBT: Final = ("en", "sv", "nb", "da", "de")
_LETTERS: Final = {
    "æ": ("nb", "da"),
    "ø": ("nb", "da"),
    "å": ("nb", "da", "sv"),
    "ä": ("sv", "de"),
    "ö": ("sv", "de"),
    "ü": ("de",),
    "ß": ("de",),
}


@dataclass(frozen=True)
class Region:
    """What a file speaks of, each with the reason.

    Attributes
    ----------
    spoken : str
        Language of the headers: nb, da, sv, de or en; `nb da` where it can be both.
    language : str
        Of the report; English where it knows no better.
    currency : str or None
        None where nothing tells.
    timezone : str or None
    why_currency : str
        What tells the currency.
    """

    spoken: str
    language: str
    currency: str | None
    timezone: str | None
    why_currency: str = ""

    @property
    def spoken_name(self) -> str:
        """The language of the headers, in words."""
        return " or ".join(_name(code) for code in self.spoken.split())


def _name(code: str) -> str:
    return _COUNTRIES[code][0] if code in _COUNTRIES else "English"


def spoken(columns: Sequence[str]) -> str:
    """The language that most words of the headers are of.

    Returns
    -------
    str
        nb, da, sv, de or en; `nb da` where the words are of both alike.
    """
    votes: dict[str, float] = defaultdict(float)
    for column in columns:
        for languages in read_name(column).languages:
            for language in languages:
                votes[language] += 1 / len(languages)
        for letter in {*column.lower()} & _LETTERS.keys():
            for language in _LETTERS[letter]:
                votes[language] += 0.3
    if not votes:
        return "en"
    votes["en"] *= _ENGLISH
    most = max(votes.values())
    best = {language for language, n in votes.items() if math.isclose(n, most)}
    if len(best) == 1:
        return best.pop()
    return "nb da" if best == {"nb", "da"} else next(x for x in _IN_DOUBT if x in best)


def region(
    frame: pd.DataFrame,
    amounts: Sequence[str],
    currencies: str | None = None,
    chosen: str | None = None,
) -> Region:
    """What the file speaks of.

    Parameters
    ----------
    frame : DataFrame
        Text cells, with the file's column names.
    amounts : sequence of str
        The columns with amounts or prices.
    currencies : str, optional
        The column of the currency.
    chosen : str, optional
        The currency that the user names.
    """
    language = spoken([*frame.columns])
    if language == "nb da":  # the neighbours' words are often the same
        home = {"NOK": "nb", "DKK": "da"}.get(chosen or "") or _nearer(frame)
        language = home or language
    found, why = _currency(frame, amounts, currencies)
    if chosen:
        found, why = chosen, "as you say"
    elif found is None and language in _COUNTRIES:
        found, why = _COUNTRIES[language][1], f"by the {_name(language)} column names"
    zone = _ZONE_OF_CURRENCY.get(found or "")
    if language in _COUNTRIES:
        zone = _COUNTRIES[language][2]
    report = _COUNTRIES[language][3] if language in _COUNTRIES else "en"
    return Region(language, report, found, zone, why)


def _nearer(frame: pd.DataFrame) -> str | None:
    """Norwegian or Danish, by countries and addresses in the cells; None where they don't tell."""
    text = "\n".join(cells_of(frame[c]).head(1_000).str.cat(sep="\n") for c in frame.columns)
    votes = {
        "nb": len(re.findall(r"(?im)^(?:norge|norway|NO)$|\.no$|\bNOK\b", text)),
        "da": len(re.findall(r"(?im)^(?:danmark|denmark|DK)$|\.dk$|\bDKK\b", text)),
    }
    return max(votes, key=lambda x: votes[x]) if votes["nb"] != votes["da"] else None


def _currency(
    frame: pd.DataFrame, amounts: Sequence[str], column: str | None
) -> tuple[str | None, str]:
    if column is not None:
        codes = cells_of(frame[column]).str.upper().value_counts()
        if len(codes):
            often = str(codes.index[0])
            others = ", ".join(map(str, codes.index[1:6]))
            return often, (
                f'by the column "{column}"' + (f", which also has {others}" if others else "")
            )
    for name in amounts:
        if code := next((c for c in re.findall(r"[^\W\d_]+", name.upper()) if c in _CODES), None):
            return code, f'by the name of "{name}"'
        if sign := next((s for s in _SIGNS if s in name), None):
            return _SIGNS[sign], f'by the name of "{name}"'
    for name in amounts:
        cells = cells_of(frame[name])
        said = cells.str.upper().str.extract(rf"({'|'.join(_CODES)}|[€£$])", expand=False).dropna()
        if len(said) and len(said) > 0.5 * len(cells) and said.nunique() == 1:
            sign = str(said.iloc[0])
            return _SIGNS.get(sign, sign), f'by the signs {sign} in "{name}"'
    return None, ""
