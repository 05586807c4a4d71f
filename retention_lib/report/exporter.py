"""From executed notebooks to one document: the nbconvert exporter `retention`.

One chapter: `jupyter nbconvert --to retention chapter.ipynb`. A whole report: `assemble` the
chapters into one notebook, `render` it. The document has one h1, headings without a gap, contents
made from chapters and sections, and its code folded away. It has no script and loads nothing.

Nothing that a notebook holds reaches the document as live HTML. Markdown is rendered with raw HTML
escaped, and every HTML output passes `inert`, which keeps a short list of elements and attributes.
"""

from __future__ import annotations

import base64
import copy
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import nbformat
from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

from retention_lib.errors import ClientFileError
from retention_lib.report.language import Formats, has_catalog

_HERE: Final = Path(__file__).parent
_SHOWN: Final = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
_LEFT_OUT: Final = {"parameters", "injected-parameters", "papermill-error-cell-tag", "remove-cell"}

_HEADINGS: Final = {"section", "chapter"}
_LOGOS: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
}
_GROUND_DARK: Final = 0x18  # the lightest channel of the dark page's ground

# fmt: off
_ELEMENTS: Final = {
    "a", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl",
    "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "s",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "u", "ul",
}
_DROPPED: Final = {
    "audio", "button", "canvas", "embed", "form", "head", "iframe", "math", "noscript", "object",
    "script", "select", "style", "svg", "template", "textarea", "title", "video",
}
_ATTRIBUTES: Final = {
    "alt", "aria-hidden", "class", "colspan", "href", "rowspan", "scope", "src", "title",
}
# fmt: on
_STYLE: Final = re.compile(
    r"(color|background-color|font-weight|font-style|text-align|white-space)\s*:\s*[\w#.,%()\s-]+"
)
_IMAGE: Final = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")


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
        config.merge(Config({"NbConvertBase": {"display_data_priority": list(_SHOWN)}}))
        return config

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
        fallback = resources.get("metadata", {}).get("name", "")
        resources["document"] = _prepare(nb, fallback)
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
    front = {
        "title": title,
        "client": client,
        "as_of": as_of,
        "currency": currency,
        "language": language,
    }
    look = dict(brand or {})
    if look.get("logo"):
        look["logo"] = _logo(look["logo"])
    extra = {"brand": look, "period": period, "author": author}
    known = {k: v for k, v in extra.items() if v}
    return nbformat.v4.new_notebook(cells=cells, metadata={**kept, "retention": front | known})


def render(notebook: NotebookNode) -> str:
    """The document, as the text of one self-contained HTML file."""
    html, _ = RetentionExporter().from_notebook_node(notebook)
    return str(html)


def inert(html: str, headings: bool = True) -> str:
    """HTML in which nothing can run, load or lead away; what it says stays.

    Elements outside a short list lose their tags, those that hold code go with their content. Links
    lead within the document only; the address of others is written out. Tables get a caption, heads
    with a scope, and a container that scrolls. Without `headings`, they become paragraphs: an
    output has no place in the outline.
    """
    soup = BeautifulSoup(html, "html.parser")
    for node in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
        node.extract()  # comments, CDATA, doctypes: each has its own way to be misread
    for tag in soup.find_all(True):
        if tag.decomposed:
            continue
        if tag.name in _DROPPED:
            tag.decompose()
        elif tag.name == "a" and not _within(tag.get("href")):
            address = str(tag.get("href", ""))
            if address.startswith(("http://", "https://")) and address != tag.get_text():
                tag.append(f" ({address})")
            tag.unwrap()
        elif tag.name == "img" and not _IMAGE.fullmatch(str(tag.get("src", ""))):
            tag.replace_with(str(tag.get("alt", "")))
        elif tag.name not in _ELEMENTS:
            tag.unwrap()
        else:
            tag.attrs = dict(_kept(tag))
            if not headings and re.fullmatch("h[1-6]", tag.name):
                tag.name = "p"
    for table in soup.find_all("table"):
        _lay_out(soup, table)
    return str(soup)


def _within(href: Any) -> bool:
    return isinstance(href, str) and re.fullmatch(r"#[\w-]+", href) is not None


def _kept(tag: Tag) -> Iterator[tuple[str, Any]]:
    for name, value in tag.attrs.items():
        if name == "style":
            rules = [rule.strip() for rule in str(value).split(";")]
            rules = [r for r in rules if _STYLE.fullmatch(r) and "url" not in r.lower()]
            if rules:
                yield name, "; ".join(rules)
        elif name in _ATTRIBUTES:
            yield name, value


def _lay_out(soup: BeautifulSoup, table: Tag) -> None:
    """A caption from great-tables' title rows, scopes, and a container to scroll in."""
    heading = table.find_all("tr", class_="gt_heading")
    if heading and table.caption is None:
        caption = soup.new_tag("caption")
        for row, name in zip(heading, ("title", "subtitle"), strict=False):
            line = soup.new_tag("span", attrs={"class": name})
            line.string = row.get_text(" ", strip=True)
            caption.append(line)
            row.decompose()
        table.insert(0, caption)
    for head in table.find_all("th"):
        if not head.get_text(strip=True):
            head.name = "td"
            head.attrs.pop("scope", None)
        elif not head.get("scope"):
            head["scope"] = "col" if head.find_parent("thead") else "row"
    name = table.caption.get_text(" ", strip=True) if table.caption else ""
    frame = soup.new_tag("div", attrs={"class": "table", "tabindex": "0", "role": "group"})
    if name:
        frame["aria-label"] = name
    table.wrap(frame)


# From cells to chapters ---------------------------------------------------------------------


def _prepare(nb: NotebookNode, fallback: str) -> dict[str, Any]:
    """Annotate the cells for the template; return what the document says around them.

    `metadata.retention` of a cell becomes `opens` (the chapter that starts here), `hidden`, `html`
    (a Markdown cell, rendered), `code` (folded below the last cell of a section); the output of a
    section gets its level and id.
    """
    front = _front(nb, fallback)
    ids = {"top", "contents", "content", "provenance"}
    chapters: list[dict[str, Any]] = []
    for cells in _chapters(nb.cells):
        untitled = front["say"]("Chapter {n}", n=len(chapters) + 1)
        chapters.append(_chapter(cells, untitled, ids))
    return {**front, "chapters": chapters}


def _chapters(cells: Sequence[NotebookNode]) -> list[list[NotebookNode]]:
    """The cells by chapter: one for each notebook, and a new one where a second is opened."""
    groups: list[list[NotebookNode]] = []
    place, announced = object(), False
    for cell in cells:
        opens = any(_kind(output) == "chapter" for output in cell.get("outputs", []))
        here = cell.metadata.get("retention", {}).get("chapter", 0)
        if here != place or (opens and announced):
            groups.append([])
            announced = False
        place, announced = here, announced or opens
        groups[-1].append(cell)
    return groups


def _chapter(cells: Sequence[NotebookNode], untitled: str, ids: set[str]) -> dict[str, Any]:
    """Prepare the cells of one chapter; its heading, id and sections for the contents."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    announced = next((o.metadata.retention for o in outputs if _kind(o) == "chapter"), None)
    pages = {id(cell): _markdown(cell.source) for cell in cells if cell.cell_type == "markdown"}
    titles = [title for page in pages.values() for title in page.find_all("h1")]
    text = announced["text"] if announced else titles[0].get_text() if titles else untitled
    name = announced.get("name") if announced else None
    for title in titles[: None if announced else 1]:
        title.decompose()  # with page.chapter, a notebook's own title speaks to its author only
    chapter = {"name": name, "text": text, "id": _unique(name or text, ids)}
    outline = _Outline(ids)
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
            for said in (o.metadata.retention for o in cell.outputs if _kind(o) in _HEADINGS):
                said["level"], said["id"] = outline.add(3, said["text"], said.get("name"))
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

    def __init__(self, ids: set[str]) -> None:
        self.ids, self.level = ids, 2
        self.sections: list[dict[str, str]] = []

    def add(self, level: int, text: str, short: str | None = None) -> tuple[int, str]:
        """Level and id of the next heading; sections are noted for the contents."""
        self.level = min(max(level, 3), self.level + 1, 6)
        name = _unique(short or text, self.ids)
        if self.level == 3:
            self.sections.append({"text": short or text, "id": name})
        return self.level, name


def _unique(text: str, ids: set[str]) -> str:
    """An id made of the text's letters and digits that isn't taken yet; it is taken now."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "part"
    name = next(n for n in chain([stem], (f"{stem}-{i}" for i in count(2))) if n not in ids)
    ids.add(name)
    return name


def _kind(output: Mapping[str, Any]) -> str | None:
    """What `Page` said that an output is; None for any other output."""
    return output.get("metadata", {}).get("retention", {}).get("kind")


def _visible(output: Mapping[str, Any], announced: Mapping[str, Any] | None) -> bool:
    """Whether the document shows the output where it stands."""
    if output["output_type"] == "stream":
        return output["name"] == "stdout"
    if _kind(output) in ("metrics", "title"):
        return False
    if announced is not None and output.get("metadata", {}).get("retention") is announced:
        return False
    return output["output_type"] == "error" or any(mime in output["data"] for mime in _SHOWN)


def _markdown(source: str) -> BeautifulSoup:
    """A Markdown cell as inert HTML; raw HTML in it is shown as text."""
    renderer = IPythonRenderer(escape=True, exclude_anchor_links=True)
    return BeautifulSoup(inert(MarkdownWithMath(renderer=renderer).render(source)), "html.parser")


# The title page -----------------------------------------------------------------------------


def _front(nb: NotebookNode, fallback: str) -> dict[str, Any]:
    """Title, dates and look: from `assemble`, else from the parameters of a single chapter."""
    parameters = nb.metadata.get("papermill", {}).get("parameters", {})
    given = {**parameters, **nb.metadata.get("retention", {})}
    # Without a catalog the words are English, and so must be `lang` and the dates among them.
    language = given["language"] if has_catalog(str(given.get("language"))) else "en"
    formats = Formats(language, given.get("currency") or "USD")
    front = {
        "title": given.get("title") or given.get("client") or fallback,
        "as_of": formats.date(given["as_of"]) if given.get("as_of") else None,
        "period": given.get("period"),
        "author": given.get("author"),
        "currency": given.get("currency"),
    }
    outputs = (output for cell in nb.cells for output in cell.get("outputs", []))
    for said in (o.metadata.retention for o in outputs if _kind(o) == "title"):
        front |= {name: said[name] for name in front if said.get(name)}
    brand = given.get("brand") or {}
    accent = brand.get("accent")
    return {
        **front,
        "language": formats.language,
        "version": version("retention"),
        "say": formats.say,
        "accent": None if accent is None else (_readable(accent, False), _readable(accent, True)),
        "logo": brand.get("logo") if _IMAGE.fullmatch(str(brand.get("logo"))) else None,
    }


def _logo(path: str) -> str:
    """An image file as a data address."""
    mime = _LOGOS.get(Path(path).suffix.lower())
    if mime is None:
        raise ClientFileError(f"brand.logo: found {path!r}; a logo is a PNG, JPEG or SVG file")
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ClientFileError(f"brand.logo: {path!r} can't be read: {error.strerror}") from None
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def _readable(accent: str, dark: bool) -> str:
    """The accent, moved towards black or white until text in it has a contrast of 4.5 to 1.

    Contrast and luminance as in WCAG 2.2, success criterion 1.4.3.
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", accent):
        raise ClientFileError(f"brand.accent: found {accent!r}; a colour is written #rrggbb")
    rgb = [int(accent[i : i + 2], 16) for i in (1, 3, 5)]
    ground, goal = (_GROUND_DARK, 255) if dark else (255, 0)
    while True:
        one, other = sorted((_luminance(rgb), _luminance([ground] * 3)))
        if (other + 0.05) / (one + 0.05) >= 4.5:
            return "#" + "".join(f"{c:02x}" for c in rgb)
        rgb = [round(c + (goal - c) * 0.08) if abs(goal - c) > 6 else goal for c in rgb]


def _luminance(rgb: Sequence[int]) -> float:
    parts = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
