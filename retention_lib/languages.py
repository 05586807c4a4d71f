"""The languages that a report can be written in: English, and every one with a catalog.

Catalogs are gettext's, one file for each language: `<language>/LC_MESSAGES/retention.po` under
`retention_lib/locale/`, or under a folder that the environment names (`RETENTION_CATALOGS`), which
comes first. They are read as they lie, so that a translator's change is seen in the next report.
"""

from __future__ import annotations

import gettext
import io
import os
from functools import lru_cache
from pathlib import Path
from typing import Final

CATALOGS: Final = Path(__file__).parent / "locale"
"""The folder of the catalogs that come with the program."""

VARIABLE: Final = "RETENTION_CATALOGS"
"""Environment variable with a folder of more catalogs."""

SOURCE: Final = "en"
"""The language of the messages themselves."""


def catalog_file(language: str, folder: Path = CATALOGS) -> Path:
    """Where a language's translations lie."""
    return folder / language / "LC_MESSAGES" / "retention.po"


def languages() -> tuple[str, ...]:
    """The languages' codes (ISO 639), the source first."""
    files = (file for folder in _folders() for file in folder.glob("*/LC_MESSAGES/retention.po"))
    return (SOURCE, *sorted({file.parent.parent.name for file in files}))


@lru_cache
def catalog(language: str) -> gettext.NullTranslations:
    """A language's messages; what its catalog lacks is told in the source's language."""
    if language == SOURCE:
        return gettext.NullTranslations()
    return _compiled(*_state(language))


def read_ahead() -> None:
    """Read all catalogs, for processes that are forked from this one.

    Each of them still looks whether the files are the same.
    """
    for language in languages():
        if language != SOURCE:
            _compiled(*_state(language))


def _state(language: str) -> tuple[str, Path, int, int]:
    """The language, its file, and when and how large that was last written."""
    files = (catalog_file(language, folder) for folder in _folders())
    file = next(file for file in files if file.exists())
    about = file.stat()
    return language, file, about.st_mtime_ns, about.st_size


@lru_cache
def _compiled(language: str, file: Path, _written: int, _size: int) -> gettext.NullTranslations:
    # imported here: an English report has no use for it
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with file.open("rb") as stream:
        messages = read_po(stream, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _folders() -> list[Path]:
    given = os.environ.get(VARIABLE)
    return [Path(given), CATALOGS] if given else [CATALOGS]
