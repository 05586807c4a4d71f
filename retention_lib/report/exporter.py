"""From executed notebooks to one document: the nbconvert exporter `retention`.

One chapter: `jupyter nbconvert --to retention chapter.ipynb`. A whole report: `assemble` the
chapters into one notebook, `render` it. The document has one h1, headings without a gap, contents
made from chapters and sections, and its code folded away. It has no script and loads nothing.

Nothing that a notebook holds reaches the document as live HTML. Markdown is rendered with raw HTML
escaped, and every HTML output passes `inert`, which keeps a short list of elements and attributes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

from retention_lib.report.document.brand import logo
from retention_lib.report.document.chapters import SHOWN, chapters
from retention_lib.report.document.front import front
from retention_lib.report.document.inert import carried, inert
from retention_lib.report.page import Shown

_HERE: Final = Path(__file__).parent


class RetentionExporter(HTMLExporter):
    """Executed chapters as a document for the client."""

    export_from_notebook = "Retention report"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "retention"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(_HERE / "template")]

    @property
    def default_config(self) -> Config:
        """Of an output's forms, the ones that a page without scripts can show, best first."""
        config = super().default_config.copy()
        config.merge(Config({"NbConvertBase": {"display_data_priority": list(SHOWN)}}))
        return config

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The document, which holds nothing that a file of HTML can't."""
        html, resources = super().from_notebook_node(nb, resources, **kwargs)
        return carried(html), resources

    def default_filters(self) -> Iterator[tuple[str, Any]]:
        """The filters of nbconvert, with `inert` beside them."""
        yield from super().default_filters()
        yield "inert", inert


class DocumentPreprocessor(Preprocessor):
    """The last step before the template: from cells to chapters, sections and folded code.

    The template's `conf.json` enables it, so it runs after nbconvert's own steps (`--execute`).
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Annotate the cells and put what stands around them into `resources["document"]`."""
        page = front(nb, resources.get("metadata", {}).get("name", ""))
        say = page["say"]
        opened = chapters(nb, lambda n: say("Chapter {n}", n=n))
        parts = [part for chapter in opened for part in (chapter, *chapter["sections"])]
        places = {part["id"] for part in parts}
        resources["document"] = {**page, "chapters": opened, "places": places}
        return nb, resources


def assemble(
    notebooks: Sequence[NotebookNode],
    *,
    title: str,
    client: str,
    as_of: str,
    currency: str,
    language: str = "en",
    brand: Mapping[str, str] | None = None,
    period: str | None = None,
    author: str | None = None,
    made: str | None = None,
) -> NotebookNode:
    """Several executed chapters as one notebook, which `render` turns into the report.

    Parameters
    ----------
    notebooks : sequence of NotebookNode
        The chapters in reading order.
    title, client : str
        The client's name as printed, and its slug.
    as_of : str
        Last day of the data, `YYYY-MM-DD`.
    currency, language : str
        As in the client file.
    brand : mapping, optional
        `accent` (`#rrggbb`) and `logo` (path of a PNG, JPEG or SVG file).
    period, author : str, optional
        For the title page.
    made : str, optional
        The day on which the report was made, `YYYY-MM-DD`.

    Returns
    -------
    NotebookNode
        Valid by itself: cell ids unique, chapters marked in the cells' metadata.

    Raises
    ------
    ClientFileError
        A logo that can't be read or isn't an image.
    """
    cells = []
    for i, notebook in enumerate(notebooks):
        for j, cell in enumerate(copy.deepcopy(notebook.cells)):
            cell["id"] = f"{i:02d}-{j:03d}"
            cell.metadata["retention"] = {"chapter": i}
            cells.append(cell)
    first = notebooks[0].metadata if notebooks else {}
    kept = {k: copy.deepcopy(first[k]) for k in ("kernelspec", "language_info") if k in first}
    given = {
        "title": title,
        "client": client,
        "as_of": as_of,
        "currency": currency,
        "language": language,
    }
    look = dict(brand or {})
    if look.get("logo"):
        look["logo"] = logo(look["logo"])
    extra = {"brand": look, "period": period, "author": author, "made": made}
    known = {k: v for k, v in extra.items() if v}
    return nbformat.v4.new_notebook(cells=cells, metadata={**kept, "retention": given | known})


def notebook_of(shown: Sequence[Shown]) -> NotebookNode:
    """A chapter that no notebook stands behind, from what it shows."""
    cells = []
    for part in shown:
        data, about = part._repr_mimebundle_()
        cell = nbformat.v4.new_code_cell()
        cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=about)]
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def render(notebook: NotebookNode) -> str:
    """The document, as the text of one self-contained HTML file."""
    html, _ = RetentionExporter().from_notebook_node(notebook)
    return str(html)
