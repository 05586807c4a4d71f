"""A language that doesn't exist: every letter of a message is another one, every value stays.

A report in it shows what never came by a catalog: whatever still reads as Latin letters and isn't a
value. German has no catalog of its own, and lends its code, numbers and months.
"""

from __future__ import annotations

import re
import string
from pathlib import Path

from babel.messages.catalog import Catalog

from retention_lib.catalogs import collected, written
from retention_lib.languages import catalog_file

LANGUAGE = "de"
_OTHER = "абцдефгхийклмнопярстувшхуз"
_LETTERS = str.maketrans(string.ascii_letters, _OTHER + _OTHER.upper())


def other(text: str) -> str:
    """The text in other letters, its placeholders as they are."""
    parts = re.split(r"(\{\w+\})", text)
    return "".join(part if n % 2 else part.translate(_LETTERS) for n, part in enumerate(parts))


def write_catalog(folder: Path) -> None:
    """The catalog of all of today's messages, where `RETENTION_CATALOGS` looks for it."""
    catalog = Catalog(locale=LANGUAGE, charset="utf-8", fuzzy=False)
    for message in collected():
        if message.id:
            told = (
                other(message.id) if isinstance(message.id, str) else tuple(map(other, message.id))
            )
            catalog.add(message.id, told)
    file = catalog_file(LANGUAGE, folder)
    file.parent.mkdir(parents=True)
    file.write_text(written(catalog), encoding="utf-8")
