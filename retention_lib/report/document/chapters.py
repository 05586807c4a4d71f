"""From a notebook's cells to chapters: headings without a gap, sections, code folded away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count
from typing import Any, Final

from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from retention_lib.report.document.inert import inert
from retention_lib.report.outputs import outputs

SHOWN: Final = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
"""Forms of an output that a page without scripts can show, best first."""

_LEFT_OUT: Final = {"parameters", "injected-parameters", "papermill-error-cell-tag", "remove-cell"}
_HEADINGS: Final = {"section", "chapter"}
_TAKEN: Final = ("top", "contents", "content", "provenance")
"""Ids of the template's own."""

_ANCHOR: Final = re.compile("[a-z][a-z0-9-]*")


def chapters(nb: NotebookNode, untitled: Callable[[int], str]) -> list[dict[str, Any]]:
    """Annotate the cells for the template; return the chapters for the contents.

    Parameters
    ----------
    nb : NotebookNode
        `metadata.retention` of a cell becomes `opens` (the chapter that starts here), `hidden`,
        `html` (a Markdown cell, rendered), `code` (folded below the last cell of a section); the
        output of a section gets its level and id, that of a table what `inert` labels it by.
    untitled : callable
        Names the n-th chapter where it has no heading.

    Returns
    -------
    list of dict
        For each chapter its `name`, `text` (the heading), `id`, `number`, `kind` (its anchor, None
        where it has none) and `sections`.
    """
    ids = set(_TAKEN)
    # a heading made of data can't take the place that a link leads to
    free = _anchors(nb.cells) - ids
    ids |= free
    groups = enumerate(_groups(nb.cells), start=1)
    return [_chapter(cells, n, untitled(n), ids, free) for n, cells in groups]


def _anchors(cells: Sequence[NotebookNode]) -> set[str]:
    """The places that links lead to, as `Page` announced them with their headings."""
    headings = (o.metadata.retention for o in outputs(cells) if kind_of(o) in _HEADINGS)
    named = (str(said.get("anchor")) for said in headings if said.get("anchor"))
    return {name for name in named if _ANCHOR.fullmatch(name)}


def _groups(cells: Sequence[NotebookNode]) -> list[list[NotebookNode]]:
    """The cells by chapter: one for each notebook, and a new one where a second is opened."""
    groups: list[list[NotebookNode]] = []
    place, announced = object(), False
    for cell in cells:
        opens = any(kind_of(output) == "chapter" for output in outputs([cell]))
        here = cell.metadata.get("retention", {}).get("chapter", 0)
        if here != place or (opens and announced):
            groups.append([])
            announced = False
        place, announced = here, announced or opens
        groups[-1].append(cell)
    return groups


def _chapter(
    cells: Sequence[NotebookNode], number: int, untitled: str, ids: set[str], free: set[str]
) -> dict[str, Any]:
    """Prepare the cells of one chapter; its heading, id and sections for the contents."""
    opening = (o.metadata.retention for o in outputs(cells) if kind_of(o) == "chapter")
    announced = next(opening, None)
    pages = {id(cell): _markdown(cell.source) for cell in cells if cell.cell_type == "markdown"}
    titles = [title for page in pages.values() for title in page.find_all("h1")]
    text = announced["text"] if announced else titles[0].get_text() if titles else untitled
    name = announced.get("name") if announced else None
    for title in titles[: None if announced else 1]:
        title.decompose()  # with page.chapter, a notebook's own title speaks to its author only
    anchor = announced.get("anchor") if announced else None
    kind = anchor if anchor in free else None
    place = _placed(anchor, name or text, ids, free)
    chapter = {"name": name, "text": text, "id": place, "number": number, "kind": kind}
    outline = _Outline(place, ids, free)
    code: list[str] = []
    shown: NotebookNode | None = None
    for cell in cells:
        mine = NotebookNode(code=[], hidden=True)
        before = len(outline.sections)
        source = ""
        if _LEFT_OUT & set(cell.metadata.get("tags", [])):
            pass
        elif cell.cell_type == "markdown":
            page = pages[id(cell)]
            for tag in page.find_all(re.compile("^h[1-6]$")):
                level, tag["id"] = outline.add(int(tag.name[1]) + 1, tag.get_text(" ", strip=True))
                tag.name = f"h{level}"
            mine |= {"html": str(page), "hidden": not str(page).strip()}
        elif cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if _visible(o, announced)]
            for output in cell.outputs:
                outline.place(output)
            mine["hidden"], source = not cell.outputs, cell.source.strip()
        if len(outline.sections) > before and shown is not None:
            shown["code"], code = code, []  # one fold at a section's end, not one for each cell
        code += [source] if source else []
        if not mine["hidden"]:
            shown = mine
        cell.metadata["retention"] = mine
    if shown is not None:
        shown["code"] = code
    chapter["sections"] = outline.sections
    cells[0].metadata.retention["opens"] = chapter
    return chapter


class _Outline:
    """The headings of a chapter below its own: levels without a gap, ids that are unique."""

    def __init__(self, here: str, ids: set[str], free: set[str]) -> None:
        self.ids, self.free, self.level, self.here = ids, free, 2, here
        self.sections: list[dict[str, str]] = []

    def place(self, output: NotebookNode) -> None:
        """Give a heading its level and id, and a table what names it: the heading it is under."""
        if kind_of(output) in _HEADINGS:
            said = output.metadata.retention
            short, anchor = said.get("name"), said.get("anchor")
            said["level"], said["id"] = self.add(3, said["text"], short, anchor)
        elif "<table" in output.get("data", {}).get("text/html", ""):
            label = {"id": _unique("table", self.ids), "under": self.here}
            output.metadata.setdefault("retention", NotebookNode())["table"] = label

    def add(
        self, level: int, text: str, short: str | None = None, anchor: str | None = None
    ) -> tuple[int, str]:
        """Level and id of the next heading; sections are noted for the contents."""
        self.level = min(max(level, 3), self.level + 1, 6)
        self.here = name = _placed(anchor, short or text, self.ids, self.free)
        if self.level == 3:
            self.sections.append({"text": short or text, "id": name})
        return self.level, name


def _placed(anchor: str | None, text: str, ids: set[str], free: set[str]) -> str:
    """The id of a heading: its anchor where it has one that is still free, else of its text."""
    if anchor in free:
        free.remove(anchor)
        return anchor
    return _unique(text, ids)


def _unique(text: str, ids: set[str]) -> str:
    """An id made of the text's letters and digits that isn't taken yet; it is taken now."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "part"
    name = next(n for n in chain([stem], (f"{stem}-{i}" for i in count(2))) if n not in ids)
    ids.add(name)
    return name


def kind_of(output: Mapping[str, Any]) -> str | None:
    """What `Page` said that an output is; None for any other output."""
    return output.get("metadata", {}).get("retention", {}).get("kind")


def _visible(output: Mapping[str, Any], announced: Mapping[str, Any] | None) -> bool:
    """Whether the document shows the output where it stands."""
    if output["output_type"] == "stream":
        return output["name"] == "stdout"
    if kind_of(output) in ("metrics", "title"):
        return False
    if announced is not None and output.get("metadata", {}).get("retention") is announced:
        return False
    return output["output_type"] == "error" or any(mime in output["data"] for mime in SHOWN)


def _markdown(source: str) -> BeautifulSoup:
    """A Markdown cell as inert HTML; raw HTML in it is shown as text."""
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    return BeautifulSoup(inert(MarkdownWithMath(renderer=renderer).render(source)), "html.parser")
