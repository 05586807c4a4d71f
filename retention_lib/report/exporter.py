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
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from nbconvert import HTMLExporter, TemplateExporter
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


class _Templates(BytecodeCache):
    """Templates that this process has compiled: of their text alone, whatever they are filled with.

    Jinja compiles a template again where its text has changed.
    """

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take a template that was compiled before."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a compiled template."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES: Final = _Templates()


class _Filled(TemplateExporter):
    """Puts the filled template aside.

    nbconvert's exporter of HTML, which comes before this one, would parse the whole document once
    more, for texts of images and for places to tab to. `inert` and the template have seen to these.
    """

    def from_notebook_node(
        self, nb: NotebookNode, resources: Any = None, **kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Nothing; the document is among the resources."""
        html, resources = super().from_notebook_node(nb, resources, **kwargs)
        resources["filled"] = html
        return "", resources


class RetentionExporter(HTMLExporter, _Filled):
    """Executed chapters as a document for the client."""

    export_from_notebook = "Retention report"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "retention"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(_HERE / "template")]

    @default("optimistic_validation")
    def _optimistic_validation_default(self) -> bool:
        return True  # once, not after each of a dozen steps of which all but one do nothing

    @property
    def environment(self) -> Environment:
        """Jinja's, with what was compiled before."""
        environment: Environment = super().environment
        environment.bytecode_cache = _TEMPLATES
        return environment

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
        _, resources = super().from_notebook_node(nb, resources, **kwargs)
        return carried(resources.pop("filled")), resources

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
        for j, cell in enumerate(notebook.cells):
            # the exporter works on a copy: here what the cells hold is shared, not changed
            marked = {**cell.metadata, "retention": {"chapter": i}}
            cell = NotebookNode({**cell, "id": f"{i:02d}-{j:03d}", "metadata": marked})
            if "outputs" in cell:
                cell["outputs"] = [_printed(output) for output in cell.outputs]
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


def _printed(output: NotebookNode) -> NotebookNode:
    """An output without what no document shows: the figures behind tables, which are many."""
    if "data" not in output:
        return output
    kept = {mime: content for mime, content in output.data.items() if mime in SHOWN}
    return NotebookNode({**output, "data": kept})


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
