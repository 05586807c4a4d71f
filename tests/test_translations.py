"""Catalogs that are whole: every message translated, its placeholders kept, its terms the field's.

That code and catalogs agree on which messages there are, `test_client_file` holds with all else
that is derived.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from retention_lib.catalogs import collected, forms, glossary, messages, untranslated
from retention_lib.languages import SOURCE, catalog, catalog_file, languages
from retention_lib.retention.segments import SEGMENTS

OTHERS = [language for language in languages() if language != SOURCE]
NB = "\N{NO-BREAK SPACE}"
#: Said alike in two languages: names, signs, and words that both have.
_NAMES = re.compile(r"\{\w+\}|[^\w{}]+|CLV|P\(alive\)|BG/NBD|Net Promoter Score|n|RFM|AIC|\d+")


def translated(language: str) -> list[Message]:
    with catalog_file(language).open("rb") as stream:
        return [m for m in read_po(stream, locale=language) if m.id]


def pairs(language: str) -> list[tuple[str, str]]:
    """Every text with its translation, of a plural both forms."""
    return [
        pair
        for message in translated(language)
        for pair in zip(forms(message.id), forms(message.string), strict=True)
    ]


def placeholders(text: str) -> Counter[str]:
    return Counter(re.findall(r"\{(\w+)\}", text))


def test_the_languages_of_the_contract_are_there() -> None:
    assert set(languages()) == {"en", "nb", "da", "sv"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated(language: str) -> None:
    assert untranslated(language) == []
    assert not any(message.fuzzy for message in translated(language))


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_says_the_same_values(language: str) -> None:
    for message in translated(language):
        one = message.id if isinstance(message.id, str) else message.id[-1]
        for text in forms(message.string):
            said, meant = placeholders(text), placeholders(one)
            # a language may name a value twice, or leave the number one out of its singular
            assert said.keys() <= meant.keys(), text
            if text == forms(message.string)[-1]:
                assert said.keys() == meant.keys(), text


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_is_set_as_its_language_is(language: str) -> None:
    for english, text in pairs(language):
        assert text.count("  ") == english.count("  "), text
        assert text == text.strip() or english != english.strip(), text
        assert text.count("\n") == english.count("\n"), text
        # a per cent sign keeps a space that doesn't break, which English has not
        assert not re.search(r"[\d}]( )?%", text), text
        assert '"' not in text, text
        assert english.rstrip()[-1:] in ".?!:" or text.rstrip()[-1:] not in ".!:", (english, text)
        assert english.rstrip()[-1:] not in ".?:" or text.rstrip()[-1:] in ".?:", (english, text)


@pytest.mark.parametrize("language", OTHERS)
def test_hardly_anything_is_said_as_in_english(language: str) -> None:
    same = {
        english for english, text in pairs(language) if english == text and _NAMES.sub("", english)
    }
    assert len(same) < 0.02 * len(pairs(language)), sorted(same)
    assert all(len(_NAMES.sub(" ", text).split()) <= 2 for text in same), sorted(same)


def _has(term: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(term)}s?(?!\w)", text, re.IGNORECASE) is not None


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("term", glossary(), ids=lambda term: term["en"])
def test_a_term_is_the_same_word_everywhere(language: str, term: dict) -> None:
    stems = term[language]["stems"]
    wrong = [
        (english, text)
        for english, text in pairs(language)
        if _has(term["en"], re.sub(r"\{\w+\}", "", english))
        and not any(stem in text.lower() for stem in stems)
    ]
    assert wrong == []


def test_every_term_of_the_glossary_is_said_somewhere() -> None:
    said = [text for message in collected() if message.id for text in forms(message.id)]
    assert [t["en"] for t in glossary() if not any(_has(t["en"], text) for text in said)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_segments_tiers_and_sheets_keep_apart(language: str) -> None:
    say = catalog(language).gettext
    for names in (SEGMENTS, ("gold", "silver", "bronze"), ("Measure", "Control")):
        assert len({say(name).lower() for name in names}) == len(list(names))


def test_a_message_stands_in_code_as_it_is_looked_up() -> None:
    """No message is put together at run time: each has a place in a file."""
    assert all(file.startswith(("retention_lib/", "notebooks/")) for file, _, _ in messages())
