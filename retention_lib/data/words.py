"""The words of column names in five languages, and what each speaks of.

A name is taken apart as a reader does it: `Kundenummer`, `Kunde-ID`, `kund_id` and `CustomerNo` are
all a customer and an id. Case, separators and the spelling of æ ø å ä ö ü (also as ae oe aa ue, or
without their signs) don't count.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from retention_lib.data.vocabulary import WORDS

_LINKS: Final = ("", "s", "e", "n", "en", "es", "er")
#: Short words that compounds start with: Radbelopp, Köpdatum.
_SHORT_HEADS: Final = frozenset(("dob", "sku", "sum", "rad", "kop", "kob", "net", "tax"))
_TWO_WAYS: Final = (("aa", "a"), ("ae", "a"), ("oe", "o"), ("ue", "u"))
_SIGNS: Final = str.maketrans({"æ": "a", "ø": "o", "ß": "ss", "đ": "d", "ð": "d"})


def fold(text: str) -> str:
    """Text without case and with one spelling of each letter.

    `Beløp`, `BELOEP`, `Belop` are the same, as are `Währung` and `Waehrung`.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SIGNS)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    for two, one in _TWO_WAYS:
        text = text.replace(two, one)
    return text


@cache
def _known() -> dict[str, dict[str, frozenset[str]]]:
    """Folded word → concept → languages."""
    known: dict[str, dict[str, frozenset[str]]] = {}
    for concept, by_language in WORDS.items():
        for languages, words in by_language.items():
            for word in words.split():
                concepts = known.setdefault(fold(word.replace("_", "")), {})
                spoken = concepts.get(concept, frozenset()) | frozenset(languages.split())
                concepts[concept] = spoken
    return known


@dataclass(frozen=True)
class Name:
    """A column's name, read.

    Attributes
    ----------
    concepts : frozenset of str
        What its words speak of, such as {"customer", "id"}.
    languages : tuple of frozenset of str
        For each known word that belongs to some languages, these.
    unknown : int
        Words that aren't known.
    """

    concepts: frozenset[str]
    languages: tuple[frozenset[str], ...]
    unknown: int


def read_name(name: str) -> Name:
    """What the words of a column's name speak of."""
    spaced = re.sub(r"(?<=[a-zæøåäöü])(?=[A-ZÆØÅÄÖÜ])", " ", unicodedata.normalize("NFKC", name))
    spaced = re.sub(r"\b([eE])[ -]?(?=(?:post|mail)\b)", r"\1", spaced, flags=re.IGNORECASE)
    words: list[str] = []
    unknown = 0
    for token in re.findall(r"[^\W_]+|[#€$£]", fold(spaced)):
        if token.isdigit():
            continue
        parts = _parts(token)
        unknown += parts is None
        words += parts or ()
    concepts = frozenset(c for word in words for c in _known()[word] if c)
    languages = tuple(
        spoken
        for word in words
        if (spoken := frozenset().union(*_known()[word].values()))
        # a word that some systems write in every language says nothing
        and "" not in [*map("".join, _known()[word].values())]
    )
    return Name(concepts, languages, unknown)


@cache
def _parts(token: str) -> tuple[str, ...] | None:
    """The known words that a token is made of, the fewest; None where it is of others."""
    known = _known()
    if token in known:
        return (token,)
    best: tuple[str, ...] | None = None
    for size in range(len(token) - 1, 1, -1):
        head = token[:size]
        # a short word in front says little: `at` in `attest`, `to` in `topic`
        if head not in known or (size < 4 and head not in _SHORT_HEADS):
            continue
        for link in _LINKS:
            rest = token[size:]
            if not rest.startswith(link) or len(rest) <= len(link):
                continue
            tail = _parts(rest[len(link) :])
            if tail and (best is None or len(tail) + 1 < len(best)):
                best = (head, *tail)
    return best
