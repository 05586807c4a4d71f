"""The report's messages and their translations: from code and notebooks to gettext catalogs.

`make derived` collects every message and brings the catalogs under `retention_lib/locale/` up to
date; `python -m retention_lib.catalogs` then lists what a translator has left to do. The report
reads the catalogs as they lie (`retention_lib.languages`); there is nothing to compile.

A message is a literal text in one of these places: the first argument of `Sentence`, `N_`,
`say` and `tell`, the two messages of `Counted`, `counted` and `say_count`, the text arguments of a
page's `chapter`, `section`, `text` and `note`, in modules, notebooks and the document's template.
A choice between two literals
(`"a" if x else "b"`) is two messages. Babel's own extractor for Python reads neither keyword
arguments nor choices, so this one walks the syntax tree; the rest is Babel's.
"""

from __future__ import annotations

import ast
import io
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import nbformat
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from retention_lib.languages import CATALOGS, catalog_file, languages
from retention_lib.markdown import table

_CODE: Final = Path(__file__).parent
_ROOT: Final = _CODE.parent
TEMPLATE: Final = CATALOGS / "retention.pot"
GLOSSARY: Final = CATALOGS / "glossary.toml"

_FIRST: Final = {"Sentence", "N_", "say", "tell"}
_PLURAL: Final = {"Counted": 0, "say_count": 0, "counted": 1}
"""Where the message of one stands among the arguments; that of several follows it."""
_PAGE: Final = {"chapter", "section", "text", "note"}
_WORDS: Final = {"name", "finding", "sentence"}
"""Arguments of a page's methods that hold text, where they are named."""

Message = str | tuple[str, str]


def messages() -> Iterator[tuple[str, int, Message]]:
    """Every message: its file, as the project names it, its line there, and its text.

    A message with a plural is a pair of texts. Lines of a notebook are those of its cell.
    """
    for file in sorted(_CODE.rglob("*.py")):
        yield from ((_named(file), *found) for found in _of_code(file.read_text("utf-8")))
    for file in sorted((_ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            if cell.cell_type == "code":
                yield from ((_named(file), *found) for found in _of_code(cell.source))
            elif "remove-cell" not in cell.metadata.get("tags", []):
                yield from ((_named(file), 1, block) for block in blocks(cell.source))
    for file in sorted((_CODE / "report" / "template").rglob("*.j2")):
        yield from ((_named(file), *found) for found in _of_template(file.read_text("utf-8")))


@cache
def _read_once() -> tuple[tuple[str, int, Message], ...]:
    # every language's catalog is held against them
    return tuple(messages())


def blocks(markdown: str) -> list[str]:
    """A Markdown cell's paragraphs, headings and lists: each is a message of its own."""
    return [block.strip() for block in re.split(r"\n\s*\n", markdown) if block.strip()]


def collected() -> Catalog:
    """All messages as a template of a catalog, in the order of their files."""
    catalog = Catalog(project="retention", charset="utf-8", fuzzy=False)
    for file, line, message in _read_once():
        catalog.add(message, locations=[(file, line)])
    return catalog


def updated(language: str) -> Catalog:
    """A language's catalog with today's messages; what nobody says any more is left out."""
    file = catalog_file(language)
    if file.exists():
        with file.open("rb") as stream:
            catalog = read_po(stream, locale=language)
    else:
        catalog = Catalog(locale=language, project="retention", charset="utf-8", fuzzy=False)
    catalog.update(collected(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def written(catalog: Catalog) -> str:
    """A catalog as its file holds it: files of each message without lines, no dates.

    Nothing in it moves when code above a message does, so two people's changes rarely meet.
    """
    for message in catalog:
        # "95% of …" looks like a format to Babel; ours are in braces
        message.flags.discard("python-format")
    stream = io.BytesIO()
    write_po(stream, catalog, width=100, omit_header=True, include_lineno=False, sort_output=False)
    head = [
        'msgid ""',
        'msgstr ""',
        '"Content-Type: text/plain; charset=utf-8\\n"',
    ]
    if catalog.locale is not None:
        head += [
            f'"Language: {catalog.locale}\\n"',
            f'"Plural-Forms: {catalog.plural_forms}\\n"',
        ]
    return "\n".join(head) + "\n\n" + stream.getvalue().decode("utf-8").lstrip("\n")


def _of_code(source: str) -> Iterator[tuple[int, Message]]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node.func)
        if name in _PLURAL and len(node.args) >= _PLURAL[name] + 2:
            one, many = node.args[_PLURAL[name] : _PLURAL[name] + 2]
            for pair in zip(_texts(one), _texts(many), strict=True):
                yield node.lineno, pair
        elif name in _FIRST and node.args:
            yield from ((node.lineno, text) for text in _texts(node.args[0]))
        elif name in _PAGE and isinstance(node.func, ast.Attribute):
            named = [word.value for word in node.keywords if word.arg in _WORDS]
            for argument in (*node.args, *named):
                yield from ((node.lineno, text) for text in _texts(argument))


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _texts(node: ast.expr) -> Iterator[str]:
    """The literal texts that an expression may be."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _texts(value)


def _of_template(source: str) -> Iterator[tuple[int, str]]:
    for found in re.finditer(r'\bsay\("((?:[^"\\]|\\.)*)"', source):
        yield source.count("\n", 0, found.start()) + 1, found[1]


def _named(file: Path) -> str:
    return file.relative_to(_ROOT).as_posix()


def forms(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """A message's text, or its texts where it has a plural; without a translation an empty one."""
    return tuple(string) if isinstance(string, tuple | list) else (string or "",)


def untranslated(language: str) -> list[str]:
    """The messages that a language's catalog lacks, in the order of their files."""
    return [forms(m.id)[0] for m in updated(language) if m.id and not all(forms(m.string))]


def glossary_table() -> str:
    """The field's terms in every language, as a Markdown table for the docs."""
    names = [Locale(language).get_display_name("en") or language for language in languages()]
    rows = (
        (term["en"], *(term[language]["word"] for language in languages()[1:]))
        for term in glossary()
    )
    return table(tuple(names), rows)


def glossary() -> list[dict[str, Any]]:
    """The terms: `en`, and by language the `word` and the `stems` that a translation may have."""
    return list(tomllib.loads(GLOSSARY.read_text(encoding="utf-8"))["term"])


def main() -> None:
    """Tell what is left to translate."""
    for language in languages()[1:]:
        missing = untranslated(language)
        print(f"{language}: {len(missing)} messages without a translation")
        print(*(f"  {message}" for message in missing), sep="\n", end="\n" if missing else "")


if __name__ == "__main__":
    main()
