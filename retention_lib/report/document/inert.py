"""HTML that can be shown to anyone: nothing in it runs, loads or leads away.

What a notebook's outputs hold came from data and libraries. A short list of elements and attributes
is kept, so that what nobody thought of is left out.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

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
    "alt", "aria-hidden", "class", "colspan", "href", "lang", "rowspan", "scope", "src", "title",
}
# fmt: on
#: Rows of a table that may break over two sheets of paper; a shorter one stands whole.
_LONG: Final = 16
_STYLE: Final = re.compile(
    r"(color|background-color|font-weight|font-style|text-align|white-space)\s*:\s*[\w#.,%()\s-]+"
)
#: Signs that HTML has no way to hold.
_UNCARRIED: Final = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
#: What nbconvert gives an image that has no text of its own.
_UNDESCRIBED: Final = "No description has been provided for this image"
_IMAGE: Final = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+")


def inert(
    html: str,
    headings: bool = True,
    places: Container[str] | None = None,
    table: Mapping[str, str] | None = None,
) -> str:
    """HTML in which nothing can run, load or lead away; what it says stays.

    Elements outside a short list lose their tags, those that hold code go with their content. Links
    lead within the document only; the address of others is written out. Tables get a caption, heads
    with a scope, and a container that scrolls. Without `headings`, they become paragraphs: an
    output has no place in the outline. With `places`, the ids of the document, a link that leads to
    none of them keeps its words only. A table without a caption is named by the heading whose id
    is `table["under"]` and by its own first head, which gets the id `table["id"]`.
    """
    soup = BeautifulSoup(html, "html.parser")
    for node in [node for node in soup.descendants if isinstance(node, PreformattedString)]:
        node.extract()  # comments, CDATA, doctypes: each has its own way to be misread
    for tag in _without_code(soup):
        if tag.name == "a" and not _within(tag.get("href"), places):
            address = str(tag.get("href", ""))
            if address.startswith(("http://", "https://")) and address != tag.get_text():
                tag.append(f" ({address})")
            tag.unwrap()
        elif tag.name == "img" and not is_embedded(tag.get("src")):
            tag.replace_with(str(tag.get("alt", "")))
        elif tag.name not in _ELEMENTS:
            tag.unwrap()
        else:
            tag.attrs = dict(_kept(tag))
            if tag.name == "img":
                tag.attrs.setdefault("alt", _UNDESCRIBED)
            if not headings and re.fullmatch("h[1-6]", tag.name):
                tag.name = "p"
    for n, found in enumerate(_tags(soup, "table")):
        _lay_out(soup, found, table and {**table, "id": table["id"] + (f".{n + 1}" if n else "")})
    return str(soup)


def _without_code(soup: BeautifulSoup) -> list[Tag]:
    """Take out the elements that hold code, with all that is in them; return the others."""
    inside: set[int] = set()
    code: list[Tag] = []
    others: list[Tag] = []
    for tag in _tags(soup):  # a parent comes before what it holds
        if id(tag.parent) in inside:
            inside.add(id(tag))
        elif tag.name in _DROPPED:
            inside.add(id(tag))
            code.append(tag)
        else:
            others.append(tag)
    for tag in code:
        tag.decompose()
    return others


def _tags(within: Tag, *names: str) -> list[Tag]:
    """The elements of these names, of any name without; Beautiful Soup's own search is slow."""
    found = (node for node in within.descendants if isinstance(node, Tag))
    return [tag for tag in found if not names or tag.name in names]


def carried(html: str) -> str:
    """The document with a replacement sign for what a file of HTML can't hold."""
    return _UNCARRIED.sub("\N{REPLACEMENT CHARACTER}", html)


def is_embedded(address: object) -> bool:
    """Whether an image's address is the image itself, so that nothing is loaded for it."""
    return isinstance(address, str) and _IMAGE.fullmatch(address) is not None


def _within(href: Any, places: Container[str] | None) -> bool:
    if not isinstance(href, str) or not re.fullmatch(r"#[\w-]+", href):
        return False
    return places is None or href[1:] in places


def _kept(tag: Tag) -> Iterator[tuple[str, Any]]:
    for name, value in tag.attrs.items():
        if name == "style":
            rules = [rule.strip() for rule in str(value).split(";")]
            rules = [r for r in rules if _STYLE.fullmatch(r) and "url" not in r.lower()]
            if rules:
                yield name, "; ".join(rules)
        elif name in _ATTRIBUTES:
            yield name, value


def _lay_out(soup: BeautifulSoup, table: Tag, label: Mapping[str, str] | None) -> None:
    """A caption from great-tables' title rows, scopes, and a container to scroll in."""
    rows = _tags(table, "tr")
    heading = [row for row in rows if "gt_heading" in row.get_attribute_list("class")]
    caption = next(iter(_tags(table, "caption")), None)
    if heading and caption is None:
        caption = soup.new_tag("caption")
        for row, name in zip(heading, ("title", "subtitle"), strict=False):
            line = soup.new_tag("span", attrs={"class": name})
            line.string = row.get_text(" ", strip=True)
            caption.append(line)
            row.decompose()
        table.insert(0, caption)
        rows = _tags(table, "tr")
    for head in _tags(table, "th"):
        if not head.get_text(strip=True):
            head.name = "td"
            head.attrs.pop("scope", None)
        elif not head.get("scope"):
            head["scope"] = "col" if head.find_parent("thead") else "row"
    name = "" if caption is None else caption.get_text(" ", strip=True)
    kind = "table long" if len(rows) > _LONG else "table"
    frame = soup.new_tag("div", attrs={"class": kind, "tabindex": "0", "role": "group"})
    cells = _tags(table, "th", "td")
    first = next((cell for cell in cells if cell.get_text(strip=True)), None)
    if name:
        frame["aria-label"] = name
    elif label and first is not None:
        first["id"] = label["id"]
        frame["aria-labelledby"] = table["aria-labelledby"] = f"{label['under']} {label['id']}"
    table.wrap(frame)
