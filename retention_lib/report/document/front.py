"""The title page: what a document says of itself before its first chapter."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from nbformat import NotebookNode

from retention_lib.report.document.brand import readable
from retention_lib.report.document.chapters import kind_of
from retention_lib.report.document.inert import is_embedded
from retention_lib.report.language import Formats, has_catalog


def front(nb: NotebookNode, fallback: str) -> dict[str, Any]:
    """Title, dates and look: from `assemble`, else from the parameters of a single chapter."""
    parameters = nb.metadata.get("papermill", {}).get("parameters", {})
    given = {**parameters, **nb.metadata.get("retention", {})}
    # Without a catalog the words are English, and so must be `lang` and the dates among them.
    language = given["language"] if has_catalog(str(given.get("language"))) else "en"
    formats = Formats(language, given.get("currency") or "USD")
    page = {
        "title": given.get("title") or given.get("client") or fallback,
        "as_of": formats.date(given["as_of"]) if given.get("as_of") else None,
        "period": given.get("period"),
        "author": given.get("author"),
        "currency": given.get("currency"),
    }
    outputs = (output for cell in nb.cells for output in cell.get("outputs", []))
    for said in (o.metadata.retention for o in outputs if kind_of(o) == "title"):
        page |= {name: said[name] for name in page if said.get(name)}
    brand = given.get("brand") or {}
    accent = brand.get("accent")
    return {
        **page,
        "language": formats.language,
        "version": version("retention"),
        "say": formats.say,
        "accent": None if accent is None else (readable(accent, False), readable(accent, True)),
        "logo": brand.get("logo") if is_embedded(brand.get("logo")) else None,
    }
