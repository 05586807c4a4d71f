"""The title page: what a document says of itself before its first chapter."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from nbformat import NotebookNode

from retention_lib.languages import SOURCE
from retention_lib.report.document.brand import readable
from retention_lib.report.document.chapters import kind_of
from retention_lib.report.document.inert import is_embedded
from retention_lib.report.language import Formats
from retention_lib.report.names import LONGEST_TITLE, printed
from retention_lib.report.outputs import outputs


def front(nb: NotebookNode, fallback: str) -> dict[str, Any]:
    """Title, dates and look: from `assemble`, else from the parameters of a single chapter."""
    parameters = nb.metadata.get("papermill", {}).get("parameters", {})
    given = {**parameters, **nb.metadata.get("retention", {})}
    formats = Formats(given.get("language") or SOURCE, given.get("currency") or "USD")
    page = {
        "title": given.get("title") or given.get("client") or fallback,
        "as_of": formats.date(given["as_of"]) if given.get("as_of") else None,
        "period": given.get("period"),
        "author": given.get("author"),
        "made": formats.date(given["made"]) if given.get("made") else None,
        "currency": given.get("currency"),
    }
    titles = (o for o in outputs(nb.cells) if kind_of(o) == "title")
    for said in (title.metadata.retention for title in titles):
        page |= {name: said[name] for name in page if said.get(name)}
    page |= {k: printed(str(page[k]), LONGEST_TITLE) for k in ("title", "author") if page[k]}
    brand = given.get("brand") or {}
    accent = brand.get("accent")
    return {
        **page,
        "language": formats.language,
        "version": version("retention"),
        "say": formats.say,
        "accent": None if accent is None else (readable(accent, False), readable(accent, True)),
        "logo": brand.get("logo") if is_embedded(brand.get("logo")) else None,
        "in_css": in_css,
    }


def in_css(text: str, most: int = 70) -> str:
    """A text as a string of a style sheet, for the head of each page in print.

    Whatever isn't a plain letter or digit is written by its number, so that no text can end the
    string, the rule or the element that it stands in.
    """
    line = " ".join(text.split())
    cut = line if len(line) <= most else line[: most - 1].rstrip() + "…"
    safe = (c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in cut)
    return f'"{"".join(safe)}"'
